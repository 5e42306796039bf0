"""kk time: where the hours of a competition went, by activity and by day."""

import datetime
from collections import defaultdict
from dataclasses import dataclass

from kagglekit.errors import KKError
from kagglekit.store import open_store
from kagglekit.work.hours import Span, by_day, spans


@dataclass(frozen=True, slots=True)
class Hours:
    """Seconds by day and activity (`rows`, oldest day first), by activity and by day; of one day (`day`) by what was done."""

    day: str
    total: float
    rows: tuple[dict[str, object], ...]
    activities: tuple[dict[str, object], ...]
    days: tuple[dict[str, object], ...]
    warnings: tuple[str, ...]
    next: str


def time(*, day: str | None = None, competition: object = None) -> Hours:
    """Sum the hours that commands took, by activity and by (local) day; `day` (2026-11-24, today) shows where that one went.

    It counts what kk did, from time.jsonl and the runs' own seconds; your thinking and typing are not seen. Raises KKError for
    a day that is none.

        >>> kk.time().activities[0]["activity"]  # doctest: +SKIP
        'train'
    """
    store, chosen = open_store(competition), _date(day)
    found, broken = spans(store)
    cut = [span for span in by_day(found) if chosen is None or span.began.date() == chosen]
    by_what = chosen is not None
    rows = _summed(cut, lambda span: (span.began.date().isoformat(), span.activity, *([span.what] if by_what else [])))
    activities, days = _summed(cut, lambda span: (span.activity,)), _summed(cut, lambda span: (span.began.date().isoformat(),))
    told = tuple(f"{broken} lines of time.jsonl cannot be read and were left out" for _ in [0] if broken)
    return Hours(day=chosen.isoformat() if chosen else "", total=sum(span.seconds for span in cut),
                 rows=tuple({"day": key[0], "activity": key[1], **({"what": key[2]} if by_what else {}), **facts} for key, facts in rows.items()),
                 activities=tuple(sorted(({"activity": key[0], **facts} for key, facts in activities.items()), key=lambda row: -row["seconds"])),
                 days=tuple({"day": key[0], **facts} for key, facts in sorted(days.items())), warnings=told,
                 next=f"kk time --day {max(days)[0]}" if days and not by_what else "kk status")


def _date(text: str | None) -> datetime.date | None:
    if text is None:
        return None
    try:
        return datetime.date.today() if text == "today" else datetime.date.fromisoformat(text)
    except ValueError as error:
        raise KKError(f"{text!r} is not a day", "Write it as in: kk time --day 2026-11-24 (or today)") from error


def _summed(cut: list[Span], key: object) -> dict[tuple[str, ...], dict[str, float]]:
    """Seconds, share and count of the spans with the same key, in order of the keys."""
    seconds: dict[tuple[str, ...], float] = defaultdict(float)
    count: dict[tuple[str, ...], int] = defaultdict(int)
    for span in cut:
        seconds[key(span)] += span.seconds
        count[key(span)] += 1
    total = sum(seconds.values()) or 1.0
    return {one: {"seconds": round(seconds[one], 3), "share": round(seconds[one] / total, 4), "count": count[one]} for one in sorted(seconds)}
