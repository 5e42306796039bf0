"""kk submit under every fault of the arena: each ends in a clear state, and nothing is ever sent twice."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from kagglekit.practice.faults import FLAG, hits, write_faults
from kagglekit.practice.server import Embedded
from kagglekit.practice.state import State
from kagglekit.work import upload
from tests.conftest import Ran, copied

Kk = Callable[..., Ran]


@dataclass(frozen=True)
class Case:
    """Rules of the arena; the exit status, the state in the submission's json, what is said, and how many the server has then."""

    name: str
    rules: Sequence[dict]
    code: int = 0
    status: str | None = "complete"
    reason: str = ""
    says: str = ""
    sent: int = 1


CASES = [
    Case("answer lost after commit", [{"fault": "lost-answer", "times": 1}], says="looking for the submission by its tag"),
    Case("answer lost by a reset", [{"fault": "lost-answer", "times": 1, "reset": True}], says="looking for the submission by its tag"),
    Case("upload fails", [{"at": "upload", "fault": "status", "code": 500}], 1, None, "server", "was answered with 500|answered 500", 0),
    Case("upload fails once", [{"at": "upload", "fault": "status", "code": 503, "times": 1}]),
    Case("429 twice on the call", [{"at": "StartSubmissionUpload", "fault": "status", "code": 429, "retry_after": 1, "times": 2}]),
    Case("429 on submitting", [{"at": "CreateSubmission", "fault": "status", "code": 429, "retry_after": 30}], 1, None, "rate",
         "Try again in 30 seconds", 0),
    Case("pending for ever", [{"fault": "pending"}], 0, "pending", "", "next: kk submissions"),
    Case("daily limit told late", [{"fault": "daily-limit"}], 1, None, "limit", "daily limit of 5 submissions", 0),
    Case("token expired on the way", [{"fault": "expired-token"}], 1, None, "credentials", "refused the login", 0),
    Case("hundred pages of older ones", [{"fault": "many-submissions", "pages": 100}]),
    Case("answer lost, hundred pages", [{"fault": "lost-answer", "times": 1}, {"fault": "many-submissions", "pages": 100}]),
    Case("a page under 200", [{"at": "CreateSubmission", "fault": "status", "code": 200, "html": True}], 1, None, "server",
         "cannot be read|does not list it", 0),
]


@pytest.fixture
def faults(workspace: Path, small_arena: Path, monkeypatch: pytest.MonkeyPatch, kk: Kk) -> Iterator[Path]:
    """A joined competition on a served arena; the rules' file."""
    path, home = workspace / "faults.json", workspace / "served"
    copied(small_arena, home)
    write_faults(path, [])
    monkeypatch.setenv(FLAG, str(path))
    monkeypatch.setattr(upload, "FIRST_PAUSE", 0.02)
    with Embedded(home) as server:
        monkeypatch.setenv("KK_KAGGLE_ENDPOINT", server.url)
        monkeypatch.setenv("KAGGLE_USERNAME", "me")
        monkeypatch.setenv("KAGGLE_KEY", "a-secret")
        assert kk("join", "small-auc").code == 0
        yield path


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_submission_under_a_fault_ends_in_a_clear_state(case: Case, faults: Path, workspace: Path, kk: Kk) -> None:
    state = State(workspace / "served")
    write_faults(faults, list(case.rules))
    ran = kk("submit-zeros", "--timeout", 2)
    told = ran.out + ran.err
    assert ran.code == case.code, told
    assert re.search(case.says, told) and "a-secret" not in told and "Traceback" not in told
    assert state.count("small-auc") == case.sent
    assert sum(hit.inner == 200 for hit in hits(faults) if hit.at == "CreateSubmission") == case.sent
    write_faults(faults, [])
    row = kk("submissions", "--no-sync", "--json").json["rows"][0]
    assert (row["status"], row["reason"]) == (case.status, case.reason)
    assert bool(row["ref"]) == bool(case.sent)
    synced = kk("submissions", "--json").json["rows"]
    assert [one["status"] for one in synced] == (["complete"] if case.sent else [None]) and state.count("small-auc") == case.sent


def test_what_never_arrived_is_sent_by_the_next_call_and_only_then(faults: Path, workspace: Path, kk: Kk) -> None:
    write_faults(faults, [{"at": "CreateSubmission", "fault": "no-answer", "seconds": 0.1, "times": 1}])
    first = kk("submit-zeros")
    assert first.code == 1 and "was lost and the server does not list it yet" in first.err
    second = kk("submit-zeros", "--json")
    assert second.json["status"] == "complete" and State(workspace / "served").count("small-auc") == 1
    assert len(kk("submissions", "--json").json["rows"]) == 1


def test_an_error_of_the_scoring_and_a_late_submission_are_told(faults: Path, workspace: Path, kk: Kk) -> None:
    state = State(workspace / "served")
    state.advance(4000)
    late = kk("submit-zeros", "--json")
    assert late.code == 0 and late.json["private"] is not None, "late submissions are scored, as on Kaggle"
    (workspace / "served" / "small-auc" / "solution.csv").write_text("id,y,Usage\n1,0,Public\n")
    kk("cv")
    kk("train", "constant")
    failed = kk("submit", "constant")
    assert failed.code == 1 and "ended in an error: Submission must have 1 rows, it has 120" in failed.error
    row = kk("submissions", "--json").json["rows"][0]
    assert (row["status"], row["reason"]) == ("error", "error") and "must have 1 rows" in row["error"]
