"""Runs that outlive a kill: finished folds are kept, and the end is the same byte for byte."""

import dataclasses
import hashlib
import os
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

import kagglekit
from kagglekit.store import open_store
from kagglekit.work.plan import Checkpoints
from kagglekit.work.save import claim
from tests.conftest import Ran


@pytest.fixture
def folds(small: Path) -> str:
    return kagglekit.cv(split="stratified", n=4).folds


def digest(run: str) -> dict[str, str]:
    store = open_store()
    folder = store.run_folder(store.run(run))
    return {name: hashlib.sha256((folder / f"{name}.npy").read_bytes()).hexdigest() for name in ("oof", "test")}


def slow_model(folder: Path) -> str:
    """A model that takes a while for each fold, and says that it has begun."""
    (folder / "slow.py").write_text(
        "import time\nfrom pathlib import Path\n"
        "from sklearn.linear_model import LogisticRegression\n"
        "def fit_predict(fold):\n"
        "    marks = Path('marks'); marks.mkdir(exist_ok=True); (marks / f'{fold.fold}-{time.time_ns()}').touch()\n"
        "    if len(list(marks.iterdir())) == 3: time.sleep(60)\n"
        "    model = LogisticRegression().fit(fold.X_train[['x']], fold.y_train)\n"
        "    return model.predict_proba(fold.X_valid[['x']])[:, 1], model.predict_proba(fold.X_test[['x']])[:, 1]\n")
    return "slow.py:fit_predict"


def wait_for_marks(folder: Path, count: int) -> None:
    for _ in range(600):
        if (folder / "marks").exists() and len(list((folder / "marks").iterdir())) >= count:
            return
        time.sleep(0.05)
    raise AssertionError("the training did not get that far")


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_stopped_run_goes_on_from_its_finished_folds(folds: str, workspace: Path, kk: Callable[..., Ran], kk_process, how) -> None:
    model = slow_model(workspace)
    process = kk_process("train", model)
    wait_for_marks(workspace, 3)
    time.sleep(0.2)
    os.kill(process.pid, how)
    _, said = process.communicate(timeout=20)
    if how == signal.SIGINT:
        assert process.returncode == 130 and "Error: stopped. Run the same command to go on" in said
    assert open_store().run("r1").status == "started"
    assert "r1 fit_predict is unfinished" in kk("status").out
    ran = kk("train", model, "--json")
    assert "r1 fit_predict was left unfinished with 2 of 4 folds done: going on from there" in ran.err
    assert ran.json["run"] == "r1" and ran.json["resumed"]
    assert len(list((workspace / "marks").iterdir())) == 5  # two folds, the one that was stopped, and the two that were left
    unbroken = kk("train", model, "--json").json
    assert unbroken["run"] == "r2" and digest("r1") == digest("r2")
    assert not (open_store().run_folder(open_store().run("r1")) / ".work").exists()


BOOSTED = {"max_rounds": 500, "patience": 500, "learning_rate": 0.3}


def test_a_boosted_run_killed_between_folds_equals_an_unbroken_one(folds: str, kk_process) -> None:
    process = kk_process("train", "lgbm", *(word for key, value in BOOSTED.items() for word in ("--set", f"{key}={value}")))
    runs = open_store().runs
    for _ in range(6000):
        if list(runs.glob("r1-lgbm/.work/fold-*.npz")):
            break
        time.sleep(0.005)
    process.kill()
    process.wait()
    kept = len(list(runs.glob("r1-lgbm/.work/fold-*.npz")))
    assert 1 <= kept < 4 and open_store().run("r1").status == "started"
    resumed = kagglekit.train("lgbm", params=BOOSTED)
    assert resumed.run == "r1" and resumed.resumed
    assert digest("r1") == digest(kagglekit.train("lgbm", params=BOOSTED).run)
    assert not (runs / "r1-lgbm" / ".work").exists()


def test_boosters_that_need_not_grow_are_read_back_and_not_grown_again(folds: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import lightgbm

    with monkeypatch.context() as patch:
        patch.setattr(Checkpoints, "clear", lambda self: None)
        whole = kagglekit.train("lgbm", params={"max_rounds": 20})
    store = open_store()
    run = store.run(whole.run)
    before = digest(whole.run)
    store.write_run(dataclasses.replace(run, status="started", process={**run.process, "pid": 2**22 + 5}))
    monkeypatch.setattr(lightgbm.Booster, "update", lambda self: pytest.fail("a finished booster was grown again"))
    again = kagglekit.train("lgbm", params={"max_rounds": 20})
    assert again.run == whole.run and again.resumed and again.rounds == whole.rounds and digest(again.run) == before


def failing_model(folder: Path) -> str:
    """A model that fails in its third fold unless the file `mended` is there."""
    (folder / "breaks.py").write_text(
        "from pathlib import Path\n"
        "from sklearn.linear_model import LogisticRegression\n"
        "def fit_predict(fold):\n"
        "    if fold.fold == 2 and not Path('mended').exists(): raise OSError('the disk is full')\n"
        "    open('fitted', 'a').write(str(fold.fold))\n"
        "    model = LogisticRegression().fit(fold.X_train[['x']], fold.y_train)\n"
        "    return model.predict_proba(fold.X_valid[['x']])[:, 1], model.predict_proba(fold.X_test[['x']])[:, 1]\n")
    return "breaks.py:fit_predict"


def test_a_failed_run_goes_on_from_its_finished_folds(folds: str, workspace: Path, kk: Callable[..., Ran]) -> None:
    model = failing_model(workspace)
    assert "the disk is full" in kk("train", model).error and open_store().run("r1").status == "failed"
    (workspace / "mended").touch()
    ran = kk("train", model, "--json")
    assert "r1 fit_predict failed with 2 of 4 folds done: going on from there" in ran.err and ran.json["run"] == "r1"
    assert (workspace / "fitted").read_text() == "0123" and "error" not in open_store().run("r1").notes
    assert digest("r1") == digest(kagglekit.train(model).run)


@pytest.mark.parametrize("change", ["code", "columns", "target", "metric"])
def test_folds_are_never_mixed_with_those_of_other_inputs(folds: str, small: Path, workspace: Path, kk: Callable[..., Ran], change: str) -> None:
    model, store = failing_model(workspace), open_store()
    kk("train", model)
    (workspace / "mended").touch()
    text = store.toml.read_text()
    if change == "code":
        (workspace / "breaks.py").write_text((workspace / "breaks.py").read_text() + "HELPER = 2\n")
    elif change == "columns":
        store.toml.write_text(re.sub(r"(?m)^ignore = .*", 'ignore = ["noise"]', text))
        assert 'ignore = ["noise"]' in store.toml.read_text()
    elif change == "metric":
        store.toml.write_text(text.replace('name = "auc"', 'name = "logloss"').replace("greater_is_better = true", "greater_is_better = false"))
    else:
        train = pd.read_parquet(store.table("train.csv"))
        train.assign(y=train["y"].where(train.index > 0, 1 - train["y"])).to_parquet(store.table("train.csv"))
    ran = kk("train", model, "--json")
    assert ran.json["run"] == "r2" and not ran.json["resumed"] and (workspace / "fitted").read_text() == "010123"
    assert "r1 fit_predict is not finished, but data, columns, target, metric" in ran.err


def test_a_run_is_taken_up_by_one_process_only(folds: str, workspace: Path, kk: Callable[..., Ran]) -> None:
    kk("train", failing_model(workspace))
    store = open_store()
    left = store.run("r1")
    assert claim(store, left).process["pid"] == os.getpid() and claim(store, left) is None
