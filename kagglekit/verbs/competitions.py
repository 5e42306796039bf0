"""kk competitions: what can be joined, the newest first."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass

from kagglekit.competition import find_workspace
from kagglekit.remote import connect, server_now
from kagglekit.replies import Contest
from kagglekit.store import joined_slugs

NEW_DAYS = 14.0


@dataclass(frozen=True, slots=True)
class Competitions:
    """Rows: slug, title, days_left, days_since_start, can_enter, entered, joined, teams, metric, reward, category, code_only, dates."""

    server: str
    rows: tuple[Mapping[str, object], ...]
    next: str


def competitions(search: str = "", *, new: bool = False, ended: bool = False, practice: bool = False) -> Competitions:
    """What can be joined, newest first: those whose name has the `search` text; `new`: of the last 14 days; `ended`: also what is over.

        >>> kk.competitions(new=True).rows[0]["slug"]  # doctest: +SKIP
        'playground-series-s6e11'
    """
    server = "practice" if practice else "kaggle"
    with connect(server) as remote:
        found, now = remote.competitions(search, newest=True), server_now(remote.server)
    here = set(joined_slugs()) if find_workspace() is not None else set()
    rows = [_row(contest, now, contest.slug in here) for contest in found]
    rows = [row for row in rows if ended or row["days_left"] is None or row["days_left"] > 0]  # type: ignore[operator]
    if new:
        rows = [row for row in rows if row["days_since_start"] is not None and row["days_since_start"] <= NEW_DAYS]  # type: ignore[operator]
    rows.sort(key=lambda row: (row["days_since_start"] is None, row["days_since_start"], row["slug"]))
    first = next((row["slug"] for row in rows if row["can_enter"] and not row["joined"]), None)
    return Competitions(server, tuple(rows), f"kk join {first or 'SLUG'}{' --practice' if practice else ''}")


def _row(contest: Contest, now: datetime.datetime, joined: bool) -> dict[str, object]:
    entry = contest.entry_deadline or contest.deadline
    return {"slug": contest.slug, "title": contest.title, "days_left": _days(now, contest.deadline),
            "days_since_start": _days(contest.started, now), "can_enter": contest.entered or entry is None or entry > now,
            "entered": contest.entered, "joined": joined, "teams": contest.teams, "metric": contest.metric, "reward": contest.reward,
            "category": contest.category, "code_only": contest.code_only, "deadline": _text(contest.deadline), "entry_deadline": _text(entry)}


def _days(start: datetime.datetime | None, end: datetime.datetime | None) -> float | None:
    return None if start is None or end is None else round((end - start).total_seconds() / 86400, 2)


def _text(moment: datetime.datetime | None) -> str:
    return moment.isoformat(timespec="seconds") if moment else ""
