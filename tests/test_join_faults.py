"""kk join under every fault of the arena: the data is whole and right, or the command says why not and leaves nothing half done."""

import collections
import hashlib
import json
import re
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from kagglekit.practice.create import create
from kagglekit.practice.faults import FLAG, Hit, hits, write_faults
from kagglekit.practice.server import Embedded
from kagglekit.practice.state import State
from kagglekit.work import fetch
from tests.conftest import Ran, write_contest

MIB = 1024**2
ROWS = 60_000


@dataclass(frozen=True)
class Case:
    """Rules of the arena, whether kk join succeeds all the same, what it says, and whether another join afterwards (without faults) does."""

    name: str
    rules: Sequence[dict]
    ends_well: bool = True
    says: str = ""
    most_twice: int = MIB
    also: dict = field(default_factory=dict)


def store(fault: str, times: int | None = 1, **more: object) -> dict:
    """A rule for the store."""
    return {"at": "store", "fault": fault, **({"times": times} if times else {}), **more}


WHOLE = 10**9
CASES = [
    Case("cut once", [store("truncate", bytes=MIB + 300_000)]),
    Case("cut twice", [store("truncate", bytes=MIB), store("truncate", bytes=500_000)]),
    Case("cut once, no ranges", [store("truncate", bytes=MIB, ranges=False)], most_twice=WHOLE),
    Case("cut every time", [store("truncate", None, bytes=100_000)], ends_well=False, says="the download stops at [0-9,]+ bytes of"),
    Case("cut, then a 503 page twice", [store("truncate", bytes=MIB), store("status", 2, code=503, html=True)]),
    Case("reset in the middle", [store("reset", bytes=MIB)]),
    Case("429 with Retry-After", [store("status", 2, code=429, retry_after=1)]),
    Case("500 four times", [store("status", 4, code=500)]),
    Case("503 for ever", [store("status", None, code=503)], ends_well=False, says="the store answered 503. Try again in a minute"),
    Case("Retry-After of an hour", [store("status", None, code=503, retry_after=3600)], ends_well=False, says="Try again in 3600 seconds"),
    Case("a page under 200", [store("status", None, code=200, html=True)], ends_well=False,
         says="the store answered 200 with a page instead of data"),
    Case("no length, cut", [store("no-length", bytes=MIB)]),
    Case("no length, cut unseen", [store("no-length", bytes=MIB, chunked=False)], ends_well=False, says="the archive is damaged"),
    Case("length too large", [store("wrong-length", by=500)], most_twice=WHOLE),
    Case("length too small", [store("wrong-length", by=-500)], ends_well=False, says="the archive is damaged"),
    Case("gzip on the way", [store("gzip", None)]),
    Case("gzip on the way, cut", [store("gzip", None), store("truncate", bytes=MIB)], most_twice=WHOLE),
    Case("another object after a cut", [store("truncate", bytes=MIB), store("changed", None, after=1)], most_twice=WHOLE),
    Case("one byte is damaged", [store("damage", offset=MIB)], ends_well=False, says="the archive is damaged at"),
    Case("a corrupt member", [store("corrupt-member", None)], ends_well=False, says="the archive is damaged at"),
    Case("a ../ member", [store("escape-member", None)], ends_well=False, says="would leave its folder"),
    Case("a link member", [store("link-member", None)], ends_well=False, says="would leave its folder|is a link"),
    Case("a bomb", [store("bomb", None, bytes=2 * 1024**3)], ends_well=False, says="times its size"),
    Case("expired token", [{"fault": "expired-token"}], ends_well=False, says="refused the login"),
    Case("429 on the call", [{"at": "DownloadDataFiles", "fault": "status", "code": 429, "retry_after": 1, "times": 1}]),
    Case("503 on every call", [{"at": "calls", "fault": "status", "code": 503}], ends_well=False, says="answered 503"),
    Case("phone not verified", [{"at": "DownloadDataFiles", "fault": "status", "code": 403, "message": "You must verify your phone number to join"}],
         ends_well=False, says="verified phone number only. Verify yours at https://www.kaggle.com/settings/phone"),
]


def make_large(folder: Path) -> Path:
    """An arena whose contest `large` has an archive of some megabytes that hardly packs, and a picture in a folder."""
    random = np.random.default_rng(0)
    table = pd.DataFrame({"id": np.arange(ROWS), **{f"x{k}": random.normal(size=ROWS).round(9) for k in range(4)}})
    train, test = table.iloc[:ROWS - 2000].assign(y=1.5), table.iloc[ROWS - 2000:]
    solution = test[["id"]].assign(y=2.5, Usage="Public")
    source = write_contest(folder / "source", {"train": train, "test": test, "sample_submission": test[["id"]].assign(y=0), "solution": solution})
    (source / "files" / "bilder").mkdir()
    (source / "files" / "bilder" / "größe 1.png").write_bytes(random.bytes(4000))
    (folder / "arena").mkdir()
    create(folder / "arena", "large", source=source, metric="rmse", now=State(folder / "arena").now())
    return folder / "arena"


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of an arena with the contest `large`."""
    return make_large(tmp_path_factory.mktemp("large"))


@pytest.fixture
def faults(workspace: Path, large: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The rules' file of a served arena."""
    path = workspace / "faults.json"
    write_faults(path, [])
    monkeypatch.setattr(fetch, "FIRST_PAUSE", 0.02)
    monkeypatch.setenv(FLAG, str(path))
    with Embedded(large) as server:
        monkeypatch.setenv("KK_KAGGLE_ENDPOINT", server.url)
        monkeypatch.setenv("KAGGLE_USERNAME", "me")
        monkeypatch.setenv("KAGGLE_KEY", "key")
        yield path


def right(folder: Path, home: Path) -> bool:
    """Whether data/raw is just what the host gave, and the manifest knows it."""
    theirs = {path.relative_to(home): path.read_bytes() for path in (home / "large" / "files").rglob("*") if path.is_file()}
    theirs = {str(name.relative_to("large/files")): hashlib.sha256(content).hexdigest() for name, content in theirs.items()}
    mine = {str(path.relative_to(folder / "data" / "raw")): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in (folder / "data" / "raw").rglob("*") if path.is_file()}
    manifest = {entry["name"]: entry["sha256"] for entry in json.loads((folder / "data" / "manifest.json").read_text())["files"]}
    return theirs == mine == manifest


def twice(seen: Sequence[Hit]) -> int:
    """Bytes that were asked for again: of what had been sent before, the part that each later request does not skip."""
    again = reached = 0
    for hit in seen:
        if hit.at == "store" and hit.status in (200, 206):
            start = int(hit.range.removeprefix("bytes=").split("-")[0] or 0) if hit.range and hit.status == 206 else 0
            again += max(min(reached, start + hit.sent) - start, 0)
            reached = max(reached, start + hit.sent)
    return again


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_joining_under_a_fault_ends_well_or_says_why(case: Case, faults: Path, large: Path, workspace: Path, kk: Callable[..., Ran]) -> None:
    folder = workspace / "competitions" / "large"
    write_faults(faults, list(case.rules))
    ran = kk("join", "large", "--json")
    seen = hits(faults)
    if case.ends_well:
        assert ran.code == 0, ran.err
        assert right(folder, large) and not (folder / "data" / ".download").exists()
        assert twice(seen) <= case.most_twice
    else:
        assert ran.code == 1 and re.search(case.says, ran.error), ran.error
        assert not (folder / "data" / "raw").exists() and not (folder / "data" / "manifest.json").exists()
        assert "Traceback" not in ran.err and "key" not in ran.error.split()
    write_faults(faults, [])
    again = kk("join", "large", "--json")
    assert again.code == 0 and right(folder, large), again.err
    if case.ends_well:
        assert again.json["downloaded_bytes"] == 0


def test_a_store_that_never_answers_ends_within_three_minutes(faults: Path, workspace: Path, kk: Callable[..., Ran],
                                                              monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kagglekit.remote.READ_SECONDS", 0.4)
    monkeypatch.setattr(fetch, "PATIENCE", 1.0)
    write_faults(faults, [store("no-answer", None)])
    begin = time.monotonic()
    ran = kk("join", "large")
    assert ran.code == 1 and "did not answer in time" in ran.error and time.monotonic() - begin < 15
    # With the true figures: 10 s to connect and 30 s for an answer, and no try is begun 60 s after the last byte.
    assert fetch.PATIENCE + 10 + 30 < 180


def test_a_connection_that_all_but_hangs_is_given_up_and_gone_on_with(faults: Path, large: Path, workspace: Path, kk: Callable[..., Ran],
                                                                      monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "SLOW_SECONDS", 0.5)
    write_faults(faults, [store("drip", 1, bytes_per_second=4000)])
    ran = kk("join", "large", "--json")
    assert ran.code == 0 and "the connection hangs after" in ran.err and right(workspace / "competitions" / "large", large)


@pytest.mark.parametrize("killed_at", [200_000, 1_200_000])
def test_a_killed_join_goes_on_and_fetches_at_most_a_mebibyte_twice(faults: Path, large: Path, workspace: Path, kk: Callable[..., Ran],
                                                                    kk_process: Callable, killed_at: int) -> None:
    write_faults(faults, [store("drip", 1, bytes_per_second=400_000)])
    process, part = kk_process("join", "large"), workspace / "competitions" / "large" / "data" / ".download" / "archive.part"
    deadline = time.monotonic() + 40
    while time.monotonic() < deadline and not (part.exists() and part.stat().st_size > killed_at):
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    left = part.stat().st_size
    assert left > 0
    ran = kk("join", "large", "--json")
    assert ran.code == 0 and ran.json["resumed_bytes"] == left and right(workspace / "competitions" / "large", large)
    assert twice(hits(faults)) <= MIB


def test_only_brings_just_those_files_where_they_are_the_smaller_part(faults: Path, large: Path, workspace: Path, kk: Callable[..., Ran]) -> None:
    write_faults(faults, [store("truncate", 1, bytes=1000)])
    record = kk("join", "large", "--only", "*.png", "--json")
    assert record.code == 0, record.err
    assert [one["name"] for one in record.json["files"]] == ["bilder/größe 1.png"] and record.json["downloaded_bytes"] == 4000
    seen = [hit for hit in hits(faults) if hit.at == "store"]
    assert all("/file/bilder/" in hit.target for hit in seen) and sum(hit.sent for hit in seen) == 4000
    wrong = kk("join", "large", "--only", "*.jpg", "--update")
    assert wrong.error.startswith("Error: no file fits '*.jpg'. There are: bilder/größe 1.png, sample_submission.csv")


def test_a_disk_that_is_too_small_is_told_before_the_first_byte(faults: Path, workspace: Path, kk: Callable[..., Ran],
                                                                monkeypatch: pytest.MonkeyPatch) -> None:
    usage = collections.namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**9, 10**9 - 1000, 1000))
    ran = kk("join", "large")
    assert ran.code == 1 and "the data needs up to" in ran.error and "--only" in ran.error and "--from PATH" in ran.error
    assert not [hit for hit in hits(faults) if hit.at == "store"]
