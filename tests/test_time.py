"""kk time: where the hours went, by activity and by day."""

import datetime
import json
from collections.abc import Callable
from pathlib import Path

import pytest

import kagglekit
from kagglekit.store import open_store
from kagglekit.work.hours import Span, by_day, spending
from tests.conftest import Ran


def noted(folder: Path, *lines: tuple[str, str, float, str]) -> None:
    text = [json.dumps({"began": began, "activity": activity, "seconds": seconds, "what": what}) for began, activity, seconds, what in lines]
    (folder / "time.jsonl").write_text("\n".join(text) + "\n")


def local(day: int, hour: int) -> str:
    return datetime.datetime(2025, 3, day, hour).astimezone().isoformat()


def test_hours_are_summed_by_activity_and_by_day(small: Path, kk: Callable[..., Ran]) -> None:
    noted(small, (local(1, 9), "train", 5400, "r1 lgbm"), (local(1, 12), "tune", 1800, "r2 lgbm"), (local(3, 8), "train", 3600, "r3 net"))
    record = kk("time", "--json").json
    assert record["total"] == 10800 and [row["activity"] for row in record["activities"]] == ["train", "tune"]
    assert [(row["day"], row["seconds"]) for row in record["days"]] == [("2025-03-01", 7200), ("2025-03-03", 3600)]
    assert record["rows"][0] == {"day": "2025-03-01", "activity": "train", "seconds": 5400, "share": 0.5, "count": 1}
    shown = kk("time").out
    assert "3 h 00 min in all" in shown and "2 h 30 min" in shown and "█" in shown and max(map(len, shown.splitlines())) <= 80


def test_where_one_day_went(small: Path, kk: Callable[..., Ran]) -> None:
    noted(small, (local(1, 9), "train", 5400, "r1 lgbm"), (local(1, 12), "tune", 1800, "r2 lgbm"), (local(3, 8), "train", 3600, "r3 net"))
    record = kk("time", "--day", "2025-03-01", "--json").json
    assert [(row["activity"], row["what"], row["share"]) for row in record["rows"]] == [("train", "r1 lgbm", 0.75), ("tune", "r2 lgbm", 0.25)]
    assert "2025-03-01: 2 h 00 min" in kk("time", "--day", "2025-03-01").out
    assert kk("time", "--day", "2024-01-01").out.startswith("nothing was noted on 2024-01-01")
    assert kk("time", "--day", "monday").error == "Error: 'monday' is not a day. Write it as in: kk time --day 2026-11-24 (or today)"


def test_what_goes_over_midnight_belongs_to_both_days() -> None:
    began = datetime.datetime(2025, 3, 1, 23, tzinfo=datetime.UTC)
    cut = by_day([Span("train", began, 26 * 3600, "r1")])
    assert [(span.began.day, span.seconds) for span in cut] == [(1, 3600), (2, 24 * 3600), (3, 3600)]


def test_training_is_noted_once_also_when_it_fails_and_runs_without_a_line_count_by_their_own_seconds(small: Path) -> None:
    kagglekit.cv(split="stratified", n=3)
    kagglekit.train("constant")
    store = open_store()
    (span,) = kagglekit.time().activities
    assert span["activity"] == "train" and span["count"] == 1
    (store.folder / "time.jsonl").unlink()
    seconds = sum(store.run("r1").seconds.values())
    assert kagglekit.time().total == pytest.approx(seconds)
    with pytest.raises(ZeroDivisionError), spending(store, "tune"):
        raise ZeroDivisionError
    assert {row["activity"] for row in kagglekit.time().activities} == {"train", "tune"}


def test_a_torn_line_is_left_out_and_told(small: Path, kk: Callable[..., Ran]) -> None:
    noted(small, (local(1, 9), "train", 60, "r1 lgbm"))
    with (small / "time.jsonl").open("a") as file:
        file.write('{"began": "2025-03-01T10:00')
    ran = kk("time")
    assert "1 min 00 s in all" in ran.out and "1 lines of time.jsonl cannot be read" in ran.out


def test_before_anything_was_done(small: Path, kk: Callable[..., Ran]) -> None:
    (small / "time.jsonl").unlink(missing_ok=True)
    assert kk("time").out == "nothing was noted yet\nnext: kk status\n"
