"""Baseline teams: predictions that anyone can beat, scored once, and boards of the past; they stand on the leaderboard among the others."""

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kagglekit.errors import KKError
from kagglekit.practice.contest import Contest
from kagglekit.practice.reading import Malformed

if TYPE_CHECKING:
    import pandas as pd

FILE, FOLDER = "baselines.csv", "baselines"


@dataclass(frozen=True, slots=True)
class Baseline:
    """A team that no one logs in as; a score is None where it stands on the other board only."""

    team: str
    public: float | None
    private: float | None


def write_baselines(contest: Contest, tables: "Mapping[str, pd.DataFrame]", past: Sequence[Baseline] = ()) -> list[Baseline]:
    """Keep the predictions (tables in the sample's form, a team each) and their scores, and the rows of a past board.

    Raises KKError where the metric cannot score one.
    """
    from kagglekit.practice.scoring import score_file

    found = []
    for team, table in tables.items():
        path = baseline_path(contest, team)
        path.parent.mkdir(exist_ok=True)
        table.to_csv(path, index=False)
        try:
            found.append(Baseline(team, *score_file(contest, path)))
        except Malformed as error:
            raise KKError(f"{contest.metric} cannot score the {team}: {error}", "Choose another metric, or mend the answers") from error
    with (contest.folder / FILE).open("w", encoding="utf-8", newline="") as sink:
        writer = csv.writer(sink)
        writer.writerow(["team", "public", "private"])
        writer.writerows([(one.team, *("" if score is None else repr(float(score)) for score in (one.public, one.private)))
                          for one in (*found, *past)])
    return found


def baseline_path(contest: Contest, team: str) -> Path:
    """Where a baseline's predictions are kept."""
    return contest.folder / FOLDER / f"{re.sub(r'[^a-z0-9]+', '-', team.lower())}.csv"


def read_baselines(contest: Contest) -> list[Baseline]:
    """The baseline teams of a contest."""
    path = contest.folder / FILE
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as source:
        return [Baseline(row["team"], _score(row["public"]), _score(row["private"])) for row in csv.DictReader(source)]


def _score(text: str) -> float | None:
    return float(text) if text else None
