"""kk merge: two copies of one competition become one, nothing twice, nothing lost."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from kagglekit.ledger import open_ledger, rebuild
from kagglekit.store import Store, open_store
from tests.conftest import Ran

Kk = Callable[..., Ran]


@pytest.fixture
def copies(small: Path, workspace: Path, tmp_path: Path, kk: Kk) -> tuple[Path, Path]:
    """The competition with one run, and a copy of it elsewhere in which work went on; here, too, one more run."""
    kk("cv", "-n", 3)
    kk("train", "constant")
    other = tmp_path / "desk" / "competitions" / "small-auc"
    shutil.copytree(small, other)
    kk("train", "tree", "--set", "max_depth=2", "--name", "mine")
    desk = other.parents[1]
    (desk / "configs").mkdir()
    return small, other


def in_copy(kk: Kk, monkeypatch: pytest.MonkeyPatch, workspace: Path, other: Path, *commands: tuple) -> None:
    with monkeypatch.context() as there:
        there.chdir(other)
        there.setenv("KK_ARENA_HOME", str(workspace / "arena"))
        for command in commands:
            ran = kk(*command)
            assert ran.code == 0, ran.err


def test_what_was_done_elsewhere_comes_over_once(copies: tuple[Path, Path], workspace: Path, kk: Kk, monkeypatch: pytest.MonkeyPatch) -> None:
    small, other = copies
    in_copy(kk, monkeypatch, workspace, other, ("train", "linear", "--name", "theirs"),
            ("ensemble", "r1", "r2", "--blend", "mean", "--name", "blend"), ("submit", "theirs"),
            ("cv", "--split", "random", "-n", 4), ("train", "linear", "--name", "other-folds"))
    before = {run.uid: run.id for run in open_store("small-auc").all_runs()}
    told = kk("merge", other.parents[1], "--json").json
    assert told["runs"] == {"r2": "r3", "r3": "r4", "r4": "r5"} and told["folds"] == ["random4"] and len(told["submissions"]) == 1
    store = open_store("small-auc")
    runs = {run.name: run for run in store.all_runs()}
    assert {run.uid: run.id for run in store.all_runs() if run.uid in before} == before, "what is here keeps its id"
    assert runs["blend"].parents == ("r1", "r3") and set(runs["blend"].weights) == {"r1", "r3"}
    assert (other / "runs" / "r2-theirs" / "oof.npy").read_bytes() == (small / "runs" / "r3-theirs" / "oof.npy").read_bytes()
    sent = store.all_submissions()
    assert sent[-1].run == "r3" and sent[-1].public is not None and (small / "submissions" / sent[-1].file).exists()
    kept = open_ledger(store).dump()
    assert rebuild(store).dump() == kept
    again = kk("merge", other, "--json").json
    assert again["runs"] == {} and again["folds"] == [] and again["submissions"] == []
    assert kk("ensemble", "r1", "theirs", "--folds", sent_folds(store)).code == 0


def sent_folds(store: Store) -> str:
    """The folds of the run that was submitted."""
    return store.run("theirs").folds


def test_other_folds_of_the_same_name_get_another_one(copies: tuple[Path, Path], workspace: Path, kk: Kk, monkeypatch: pytest.MonkeyPatch) -> None:
    _, other = copies
    kk("cv", "--split", "random", "-n", 4, "--seed", 1)
    in_copy(kk, monkeypatch, workspace, other, ("cv", "--split", "random", "-n", 4, "--seed", 2), ("train", "linear", "--name", "theirs"))
    told = kk("merge", other, "--json").json
    assert told["folds"] == ["random4-2"]
    store = open_store("small-auc")
    run = store.run("theirs")
    assert run.folds == "random4-2" and store.folds_record("random4-2")["fingerprint"] == run.folds_fingerprint


def test_unfinished_runs_stay_and_wrong_folders_are_told(copies: tuple[Path, Path], workspace: Path, tmp_path: Path, kk: Kk,
                                                         monkeypatch: pytest.MonkeyPatch) -> None:
    small, other = copies
    in_copy(kk, monkeypatch, workspace, other, ("train", "linear", "--name", "theirs"))
    record = other / "runs" / "r2-theirs" / "run.json"
    record.write_text(record.read_text().replace('"status": "done"', '"status": "started"'))
    told = kk("merge", other, "--json").json
    assert told["runs"] == {} and "r2 theirs is not finished there (started): it stays" in told["warnings"][0]
    assert "there is no small-auc in" in kk("merge", tmp_path).error
    assert "is this very competition" in kk("merge", small).error
