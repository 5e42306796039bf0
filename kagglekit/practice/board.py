"""The leaderboard: public until the deadline, final after it by the better of each team's two picks."""

import datetime
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from kagglekit.errors import KKError
from kagglekit.practice.baselines import read_baselines
from kagglekit.practice.contest import Contest
from kagglekit.practice.state import State

PICKS = 2


@dataclass(frozen=True, slots=True)
class Standing:
    """One line of the board; `date` is '' for a baseline team, `entries` counts scored submissions."""

    team: str
    date: str
    score: float
    entries: int
    baseline: bool


def is_over(state: State, contest: Contest) -> bool:
    """Whether the deadline has passed."""
    return state.now() > contest.deadline


def in_time(row: sqlite3.Row, contest: Contest) -> bool:
    """Whether a submission came before the deadline; late ones are scored, but have no place on the board."""
    return datetime.datetime.fromisoformat(row["date"]) <= contest.deadline


def selected(rows: Iterable[sqlite3.Row], picks: set[int], sign: int) -> list[sqlite3.Row]:
    """A team's final submissions: its picks, filled up with its best public ones to two, as Kaggle does."""
    ranked = sorted(rows, key=lambda row: (row["ref"] not in picks, -sign * row["public"], row["ref"]))
    return ranked[:PICKS]


def board(state: State, contest: Contest, final: bool | None = None) -> list[Standing]:
    """The standing, best first; `final` None: the private one after the deadline, else the public one."""
    final = is_over(state, contest) if final is None else final
    column, sign = "private" if final else "public", contest.sign
    teams: dict[str, list[sqlite3.Row]] = {}
    for row in state.submissions(contest.slug, complete=True):
        if in_time(row, contest):
            teams.setdefault(row["team"], []).append(row)
    picks = state.picks(contest.slug) if final else {}
    lines = []
    for team, rows in teams.items():
        chosen = selected(rows, picks.get(team, set()), sign) if final else rows
        best = min(chosen, key=lambda row: (-sign * row[column], row["ref"]))
        lines.append(Standing(team, best["date"], best[column], len(rows), False))
    for one in read_baselines(contest):
        value = one.private if final else one.public
        if value is not None:
            lines.append(Standing(one.team, "", value, 0, True))
    return sorted(lines, key=lambda line: (-sign * line.score, line.baseline, line.date))


def rank_of(lines: list[Standing], team: str) -> int:
    """The place of a team, from 1; 0 where it has none."""
    return next((place for place, line in enumerate(lines, start=1) if line.team == team and not line.baseline), 0)


def pick(state: State, contest: Contest, team: str, refs: Iterable[int]) -> list[int]:
    """Keep a team's final picks; KKError after the end, for too many, and for what is not its own or has no score."""
    wanted = sorted(set(refs))
    if is_over(state, contest):
        raise KKError(f"{contest.slug} is over", "The final submissions stand")
    if len(wanted) > PICKS:
        raise KKError(f"{len(wanted)} submissions cannot be final", f"Name at most {PICKS}")
    own = {row["ref"] for row in state.submissions(contest.slug, team, complete=True)}
    for ref in wanted:
        if ref not in own:
            raise KKError(f"{ref} is no scored submission of {team} to {contest.slug}", "See them: kk submissions")
    state.pick(contest.slug, team, wanted)
    return wanted
