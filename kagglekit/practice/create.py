"""Making a contest of a folder that holds public files and the hidden answers."""

import datetime
import os
import shutil
import tempfile
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from kagglekit.errors import KKError
from kagglekit.metrics import check_metric, direction, misfit
from kagglekit.practice.baselines import Baseline, write_baselines
from kagglekit.practice.contest import OWN_METRIC, SLUG, Contest, find_sample, read_contest, write_contest
from kagglekit.practice.forum import FILE as FORUM
from kagglekit.registry import is_path_reference, load_reference

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Settings:
    """What a host decides. `metric` '' is taken from the folder; `higher_is_better` only counts for the host's own metric.py."""

    metric: str = ""
    higher_is_better: bool | None = None
    public: float = 0.3
    days: float = 30
    entry_days: float = 0
    daily_limit: int = 5
    rules_required: bool = False
    code_only: bool = False


def create(home: Path, name: str, *, source: Path, now: datetime.datetime, settings: Settings | None = None, **given: object) -> Contest:
    """Make a contest from a folder that has files/ (or the csv files themselves) and solution.csv.

    `given` are fields of Settings. Raises KKError where the name is taken, a file is missing, the metric is unknown or ids
    differ; nothing is left then.
    """
    settings = replace(settings or Settings(), **{key: value for key, value in given.items() if value is not None})
    check_name(home, name)
    check_settings(settings)
    facts = _facts(source)
    settings = replace(settings, metric=settings.metric or str(facts.get("metric") or ""),
                       rules_required=settings.rules_required or facts.get("rules_required") is True,
                       code_only=settings.code_only or facts.get("code_only") is True)
    home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home, prefix=".making-") as made:
        staged = Path(made) / name
        _copy(source, staged / "files")
        metric = keep_metric(settings, name, staged, source)
        share = _solution(source, staged, settings, metric)
        contest = made_contest(staged, settings, metric, now, title=str(facts.get("title") or name), public=share,
                               description=str(facts.get("description") or ""), evaluation=str(facts.get("evaluation") or ""),
                               rules=str(facts.get("rules") or ""), teaches=str(facts.get("teaches") or ""))
        if (source / FORUM).is_file():
            shutil.copyfile(source / FORUM, staged / FORUM)
        write_baselines(contest, sample_baseline(contest), past_board(source))
        os.replace(staged, home / name)
    return read_contest(home / name)


def check_name(home: Path, name: str) -> None:
    """Raise KKError unless a contest may be called so."""
    if not SLUG.match(name):
        raise KKError(f"{name!r} is no name for a competition", "Use small letters, digits and hyphens: my-competition")
    if (home / name).exists():
        raise KKError(f"the arena has a competition called {name} already", "Choose another name")


def check_settings(settings: Settings) -> None:
    """Raise KKError with the value that cannot be."""
    if not 0 < settings.public <= 1:
        raise KKError(f"the public share cannot be {settings.public}", "Give a share above 0 and at most 1: --public 0.3")
    if settings.days <= 0:
        raise KKError(f"a competition cannot last {settings.days} days", "Give a number above 0: --days 30")
    if settings.entry_days < 0:
        raise KKError(f"the entry deadline cannot be after {settings.entry_days} days", "Give 0 or more: --entry-days 20")
    if settings.daily_limit < 1:
        raise KKError(f"the daily limit cannot be {settings.daily_limit}", "Give at least 1: --daily-limit 5")


@dataclass(frozen=True, slots=True)
class Scored:
    """The metric of a contest: its text for contest.toml, what it needs, and its direction where the host's code decides."""

    text: str
    needs: str
    better: bool | None


def keep_metric(settings: Settings, name: str, staged: Path, source: Path) -> Scored:
    """Check the metric; the host's own metric.py is copied beside the answers."""
    if not settings.metric:
        raise KKError(f"no metric is known for {name}",
                      f"Name it: kk arena create {name} --metric rmse, or as metric in the folder's competition.toml")
    if not is_path_reference(settings.metric):
        metric = check_metric(settings.metric)
        return Scored(metric.name, metric.needs, None)
    path, _, function = settings.metric.rpartition(":")
    found = load_reference(settings.metric, source)
    if not callable(found):
        raise KKError(f"{settings.metric} is no function", "Name the function that scores: --metric metric.py:score")
    better = direction(found, settings.higher_is_better, "Say it: --higher-is-better or --lower-is-better")
    shutil.copyfile(path if Path(path).exists() else source / path, staged / OWN_METRIC)
    return Scored(f"{OWN_METRIC}:{function}", "any", better)


def made_contest(staged: Path, settings: Settings, metric: Scored, now: datetime.datetime, **texts: object) -> Contest:
    """The Contest in its staging folder, with contest.toml written."""
    contest = Contest(slug=staged.name, folder=staged, metric=metric.text, greater_is_better=metric.better, created=now.isoformat(),
                      days=settings.days, entry_days=settings.entry_days, daily_limit=settings.daily_limit, code_only=settings.code_only,
                      rules_required=settings.rules_required, **texts)  # type: ignore[arg-type]
    write_contest(contest)
    return contest


def sample_baseline(contest: Contest) -> "dict[str, pd.DataFrame]":
    """The sample submission as a team, where it can be scored: a stub, or a sample with gaps, cannot."""
    import pandas as pd

    from kagglekit.practice.reading import Malformed
    from kagglekit.practice.scoring import score_file

    try:
        score_file(contest, contest.sample_path())
    except Malformed:
        return {}
    return {"sample submission": pd.read_csv(contest.sample_path(), dtype=str, keep_default_na=False)}


def past_board(source: Path) -> list[Baseline]:
    """Teams of leaderboard_public.csv and leaderboard_private.csv (rank, score) beside the files, where there are any."""
    import pandas as pd

    teams = []
    for side in ("public", "private"):
        path = source / f"leaderboard_{side}.csv"
        if path.exists():
            table = pd.read_csv(path)
            if "score" not in table.columns:
                raise KKError(f"{path} has no column 'score'", f"It has: {', '.join(table.columns)}")
            scores = pd.to_numeric(table["score"], errors="coerce").dropna()
            names = table["team"].astype(str) if "team" in table.columns else [f"past rank {rank + 1}" for rank in range(len(table))]
            teams += [Baseline(team, *((value, None) if side == "public" else (None, value)))
                      for team, value in zip(pd.Series(names)[scores.index], scores, strict=True)]
    return teams


def _facts(source: Path) -> dict:
    if not source.is_dir():
        raise KKError(f"no folder {source}", "Give a folder with files/ and solution.csv")
    path = source / "competition.toml"
    if not path.exists():
        return {}
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise KKError(f"{path} cannot be read: {error}", "Mend that line, or take the file away and give --metric") from error
    metric = content.get("metric")
    return {**content, "metric": metric.get("name") if isinstance(metric, dict) else metric}


def _copy(source: Path, target: Path) -> None:
    inside = source / "files"
    target.mkdir(parents=True)
    for path in _public_files(source, inside):
        place = target / path.relative_to(inside if inside.is_dir() else source)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, place)
    find_sample(target)


def _public_files(source: Path, inside: Path) -> Iterator[Path]:
    about = {"competition.toml", "SOURCE.md", FORUM, OWN_METRIC}
    for path in sorted((inside if inside.is_dir() else source).rglob("*")):
        # The answers stay hidden even where someone left a copy among the files.
        secret = path.name == "solution.csv" or (not inside.is_dir() and (path.name in about or path.name.startswith("leaderboard")))
        if path.is_file() and not path.is_symlink() and not secret:
            yield path


def _solution(source: Path, staged: Path, settings: Settings, metric: Scored) -> float:
    """Copy the solution (with a seeded Usage where it has none); gives the public share of its rows."""
    import pandas as pd

    path = source / "solution.csv"
    if not path.exists():
        raise KKError(f"{source} has no solution.csv", "Give the hidden answers: id, the sample's columns, Usage")
    solution = pd.read_csv(path, dtype=str, keep_default_na=False)
    sample = pd.read_csv(find_sample(staged / "files"), dtype=str, keep_default_na=False)
    missing = [column for column in sample.columns if column not in solution.columns]
    if missing:
        raise KKError(f"solution.csv has no column {missing[0]!r} of the sample", f"It has: {', '.join(solution.columns)}")
    ids = sample.columns[0]
    if not settings.code_only and set(sample[ids]) != set(solution[ids]):  # there the sample may be a stub
        odd = next(iter(set(sample[ids]) ^ set(solution[ids])))
        raise KKError(f"solution.csv and the sample differ in their ids, such as {odd!r}", "Give one row per id of the sample")
    if solution[ids].duplicated().any():
        twice = solution.loc[solution[ids].duplicated(), ids].iloc[0]
        raise KKError(f"solution.csv has the id {twice!r} more than once", "Give one row per id of the sample")
    return keep_solution(solution, list(sample.columns[1:]), staged, settings.public, metric)


def keep_solution(solution: "pd.DataFrame", columns: list[str], staged: Path, public: float, metric: Scored) -> float:
    """Write the hidden answers; gives the public share of their rows. Without a Usage column it is drawn, with a fixed seed."""
    import numpy as np

    if metric.needs not in ("label", "list", "any"):
        _check_answers(solution, columns)
    _check_fit(solution, columns, metric)
    if "Usage" not in solution.columns:
        open_rows = np.random.default_rng(0).permutation(len(solution)) < round(public * len(solution))
        solution["Usage"] = np.where(open_rows, "Public", "Private")
    if not (solution["Usage"] == "Public").any():
        raise KKError("solution.csv has no row whose Usage is Public", "Mark some rows Public, or leave the column out")
    solution.to_csv(staged / "solution.csv", index=False)
    return round(float((solution["Usage"] == "Public").mean()), 4)


def _check_fit(solution: "pd.DataFrame", columns: list[str], metric: Scored) -> None:
    if metric.better is not None or not columns:
        return
    found = misfit(check_metric(metric.text), len(columns), solution[columns[0]].unique().tolist())
    if found:
        raise KKError(found[0], f"Choose another metric: --metric {' or '.join(found[1])}")


def _check_answers(solution: "pd.DataFrame", columns: list[str]) -> None:
    import numpy as np
    import pandas as pd

    for column in columns:
        values = pd.to_numeric(solution[column], errors="coerce").to_numpy(dtype=np.float64)
        if not np.isfinite(values).all():
            odd = solution[column].iloc[int(np.flatnonzero(~np.isfinite(values))[0])]
            raise KKError(f"solution.csv has {odd!r} in {column!r}, the metric needs numbers", "Code the classes as 0, 1, ...")
