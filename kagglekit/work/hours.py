"""Hours: what each long command took, a line each in the competition's time.jsonl, and where a day went."""

import contextlib
import datetime
import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kagglekit.run import Run
from kagglekit.store import Store

ACTIVITIES = {"train": "train", "tune": "tune", "blend": "ensemble", "add": "add", "zeros": "submit-zeros"}


@dataclass(frozen=True, slots=True)
class Span:
    """Something that was done: when it began (local time), how long it took, and what for (a run, a file)."""

    activity: str
    began: datetime.datetime
    seconds: float
    what: str = ""


@contextlib.contextmanager
def spending(store: Store, activity: str) -> Iterator[dict[str, str]]:
    """Note the block's time as `activity`, also when it fails or is stopped; what=... in the dict says what it was for.

        >>> with spending(store, "train") as spent:  # doctest: +SKIP
        ...     spent["what"] = "r3 lgbm"
    """
    began, start, facts = datetime.datetime.now(datetime.UTC), time.perf_counter(), {}
    try:
        yield facts
    finally:
        line = {"began": began.isoformat(timespec="milliseconds"), "activity": activity, "seconds": round(time.perf_counter() - start, 3), **facts}
        with contextlib.suppress(OSError):
            _append(_file(store), json.dumps(line, ensure_ascii=False) + "\n")


def spans(store: Store) -> tuple[list[Span], int]:
    """All that was noted, oldest first, with runs that no line tells of by their run.json; and how many lines could not be read."""
    found, broken = [], 0
    path = _file(store)
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []:
        try:
            facts = json.loads(line)
            found.append(Span(str(facts["activity"]), _local(facts["began"]), float(facts["seconds"]), str(facts.get("what", ""))))
        except (ValueError, KeyError, TypeError):
            broken += bool(line.strip())
    told = {span.what.split(" ")[0] for span in found if span.what}
    runs = (_of_run(run) for run in store.all_runs() if run.id not in told)
    found += [span for span in runs if span is not None]
    return sorted(found, key=lambda span: span.began), broken


def by_day(every: list[Span]) -> list[Span]:
    """The same spans cut at midnight."""
    cut = []
    for span in every:
        began, left = span.began, span.seconds
        while True:
            midnight = datetime.datetime.combine(began.date() + datetime.timedelta(days=1), datetime.time(), began.tzinfo)
            today = min(left, (midnight - began).total_seconds())
            cut.append(Span(span.activity, began, today, span.what))
            began, left = midnight, left - today
            if left <= 0:
                break
    return cut


def spoken(seconds: float) -> str:
    """Seconds as people say them.

    >>> spoken(4000), spoken(75), spoken(2.34)
    ('1 h 06 min', '1 min 15 s', '2.3 s')
    """
    if seconds >= 3600:
        return f"{int(seconds) // 3600} h {int(seconds) % 3600 // 60:02d} min"
    return f"{int(seconds) // 60} min {int(seconds) % 60:02d} s" if seconds >= 60 else f"{seconds:.1f} s"


def _of_run(run: Run) -> Span | None:
    seconds = sum(run.seconds.values())
    if not seconds or not run.created or run.kind not in ACTIVITIES:
        return None
    return Span(ACTIVITIES[run.kind], _local(run.created), seconds, f"{run.id} {run.name}")


def _local(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text).astimezone()


def _file(store: Store) -> Path:
    return store.folder / "time.jsonl"


def _append(path: Path, line: str) -> None:
    """One write, so that lines of several processes do not mix."""
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        os.write(number, line.encode("utf-8"))
    finally:
        os.close(number)
