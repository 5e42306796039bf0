"""Scoring in a process of its own: slow, crashing and whispering metrics, kills, and two readers that agree."""

import os
import signal
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kagglekit.errors import KKError
from kagglekit.practice import reading
from kagglekit.practice.contest import read_contest, write_contest
from kagglekit.practice.create import create
from kagglekit.practice.reading import Malformed, read_submitted
from kagglekit.practice.server import Embedded
from kagglekit.practice.state import State
from tests import conftest
from tests.bare_client import Client
from tests.conftest import copied, small_tables

TABLES = """
import os, time
import numpy as np

class ParticipantVisibleError(Exception):
    pass

def score(solution, submission, row_id_column_name):
    print("noise that must not reach the answers")
    assert list(solution.columns) == [row_id_column_name, "y"], list(solution.columns)
    assert (solution[row_id_column_name].to_numpy() == submission[row_id_column_name].to_numpy()).all()
    said = submission["y"].iloc[0]
    if said == 2:
        raise ParticipantVisibleError("Row 1 holds a two")
    if said == 3:
        raise RuntimeError(f"the answers are {list(solution['y'])}")
    if said == 4:
        os._exit(7)
    if said == 5:
        time.sleep(60)
    if said == 6:
        raise SystemExit(0)
    return float(np.mean(solution["y"] == submission["y"]))
"""


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An arena whose contest has a metric of its own, in the form of Kaggle's metric notebooks."""
    home, source = tmp_path_factory.mktemp("own"), tmp_path_factory.mktemp("source") / "own"
    conftest.write_contest(source, small_tables())
    (source / "metric.py").write_text(TABLES)
    contest = create(home, "own", source=source, metric="metric.py:score", higher_is_better=True, daily_limit=100, now=State(home).now())
    write_contest(read_contest(contest.folder).__class__(**{**_facts(contest), "scoring_seconds": 4.0}))
    return home


def _facts(contest: object) -> dict:
    import dataclasses

    return {field.name: getattr(contest, field.name) for field in dataclasses.fields(contest)}  # type: ignore[arg-type]


def answer_with(home: Path, value: float) -> str:
    return pd.read_csv(home / "own" / "files" / "sample_submission.csv").assign(y=value).to_csv(index=False)


def test_a_metric_may_refuse_raise_crash_hang_or_leave_and_the_next_submission_is_scored(own: Path) -> None:
    with Embedded(own) as server:
        client = Client(server.url)
        told = {value: client.scored(answer_with(own, value), "own") for value in (2, 3, 4, 6, 5, 0)}
    reasons = {value: answer["errorDescription"] for value, answer in told.items()}
    assert reasons[2] == "Row 1 holds a two"
    assert reasons[3] == "Scoring failed: the metric raised RuntimeError"
    assert reasons[4] == "Scoring failed: its process ended (status 7)"
    assert reasons[6] == "Scoring failed: the metric raised SystemExit"
    assert reasons[5] == "Scoring failed: it took longer than 4 seconds"
    solution = pd.read_csv(own / "own" / "solution.csv")
    assert float(told[0]["publicScore"]) == pytest.approx((solution[solution.Usage == "Public"].y == 0).mean(), abs=1e-5)
    logs = [path.read_text() for path in (own / ".errors").iterdir()]
    assert any("the answers are" in text for text in logs)


def test_an_own_metric_needs_a_direction_and_is_never_served(own: Path, tmp_path: Path) -> None:
    source = conftest.write_contest(tmp_path / "own", small_tables())
    (source / "metric.py").write_text(TABLES)
    with pytest.raises(KKError, match="direction of score is not known.*--higher-is-better"):
        create(tmp_path / "arena", "own", source=source, metric="metric.py:score", now=State(tmp_path / "arena").now())
    contest = read_contest(own / "own")
    assert contest.file_paths() == ["sample_submission.csv", "test.csv", "train.csv"]
    assert (contest.folder / "metric.py").exists()


def test_what_waits_when_the_server_is_killed_is_scored_by_the_next(workspace: Path, small_arena: Path, kk_process: Callable) -> None:

    copied(small_arena, workspace / "arena")
    content = (workspace / "arena" / "small-auc" / "files" / "sample_submission.csv").read_text()
    server = kk_process("arena", "serve", "--port", "0")
    url = [server.stdout.readline() for _ in range(5)][1].strip().split("=", 1)[1]
    client = Client(url, "practice")
    refs = [client.submit(content, "small-auc").json()["ref"] for _ in range(4)]
    os.kill(server.pid, signal.SIGKILL)
    server.wait()
    with sqlite3.connect(workspace / "arena" / "state.db") as db:
        assert db.execute("SELECT count(*) FROM submissions").fetchone() == (4,)
    db.close()
    with Embedded(workspace / "arena") as again:
        scores = {Client(again.url, "practice").wait(ref)["publicScore"] for ref in refs}
    assert scores == {"0.50000"}


def test_a_claim_of_a_process_that_is_gone_or_of_another_life_is_free() -> None:
    from kagglekit.practice.claims import is_stale, owner

    later = time.time() + 100
    assert not is_stale(owner(1), later, owner(0))
    assert is_stale(owner(0), later, owner(0)) and is_stale(None, 0, owner(0)) and is_stale(owner(1), time.time() - 1, owner(0))
    assert is_stale(f"{os.getpid()}:feedbeef:0", later, owner(0)), "a process of another life with our number"
    assert is_stale("999999999:feedbeef:0", later, owner(0))
    assert not is_stale(f"{os.getppid()}:feedbeef:0", later, owner(0))


CELLS = st.one_of(st.floats(allow_nan=True, allow_infinity=True, width=32).map(str), st.integers(-5, 10**12).map(str),
                  st.sampled_from(["", "nan", "NA", "True", "1e400", "0x1p3", " 1", "1,5", "-0", "1_000", "inf", "é", "1.0000000000000002"]))


@settings(max_examples=150, deadline=None)
@given(cells=st.lists(CELLS, min_size=1, max_size=8), order=st.randoms(), newline=st.sampled_from(["\n", "\r\n"]))
def test_the_fast_and_the_careful_reader_say_the_same(tmp_path_factory: pytest.TempPathFactory, cells: list[str], order, newline: str) -> None:
    ids = [f"{number:03d}" for number in range(len(cells))]
    rows = list(zip(ids, cells, strict=True))
    order.shuffle(rows)
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    quoted = [f'{name},"{cell}"' if "," in cell else f"{name},{cell}" for name, cell in rows]
    path.write_bytes(newline.join(["id,y", *quoted, ""]).encode())

    def numbers(fast: bool) -> tuple:
        with pytest.MonkeyPatch.context() as patch:
            if not fast:
                patch.setattr(reading, "_fast", lambda *args: None)
            try:
                return tuple(read_submitted(path, "id", ["y"], np.array(ids, dtype=object)).numbers("y"))
            except Malformed as reason:
                return (str(reason),)

    assert numbers(True) == numbers(False)


def test_rows_in_any_order_are_aligned_and_reasons_name_the_row_of_the_file(tmp_path: Path) -> None:
    ids = np.array([f"r{number}" for number in range(1000)], dtype=object)
    path = tmp_path / "a.csv"
    table = pd.DataFrame({"id": ids, "y": np.arange(1000) / 8}).sample(frac=1, random_state=1)
    table.to_csv(path, index=False)
    assert (read_submitted(path, "id", ["y"], ids).numbers("y") == np.arange(1000) / 8).all()
    table.iloc[[17, 400], 1] = np.nan
    table.to_csv(path, index=False)
    with pytest.raises(Malformed, match="^Row 18: '' in column 'y' is not a finite number$"):
        read_submitted(path, "id", ["y"], ids).numbers("y")


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")
def test_many_submissions_start_no_process_but_two(own: Path) -> None:
    others = _children()
    with Embedded(own) as server:
        client = Client(server.url, "many")
        refs = [client.submit(answer_with(own, 0), "own").json()["ref"] for _ in range(20)]
        children = _children() - others
        assert all(client.wait(ref)["status"] == "COMPLETE" for ref in refs)
        assert 1 <= len(children) <= 2
    assert not _children() - others, "scoring processes end with the server"


def _children() -> set[int]:
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                line = (entry / "cmdline").read_bytes()
                parent = (entry / "stat").read_text().rsplit(")", 1)[1].split()[1]
            except OSError:
                continue
            if b"kagglekit.practice.scorer" in line and parent == str(os.getpid()):
                found.add(int(entry.name))
    return found
