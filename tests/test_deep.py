"""The net (the contract of models holds in contracts/): same bytes, going on where it stopped, odd tables, and what it refuses."""

import dataclasses
import hashlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kagglekit
from kagglekit import testing
from kagglekit.errors import KKError
from kagglekit.fold import Data, Fold
from kagglekit.metrics import check_metric
from kagglekit.models.family import check_model
from kagglekit.models.mlp_table import Score, Table
from kagglekit.models.presets import merged, space
from kagglekit.models.problem import Problem
from kagglekit.store import open_store
from kagglekit.work.plan import Checkpoints
from tests.conftest import Ran

torch_is_here = pytest.mark.skipif(not check_model("mlp").is_here(), reason="torch is not installed: pip install 'kagglekit[deep]'")
SMALL = {"width": 16, "layers": 2, "waves": 2, "device": "cpu"}


@pytest.fixture
def folds(small: Path) -> str:
    return kagglekit.cv(split="stratified", n=3).folds


def digest(run: str) -> list[str]:
    store = open_store()
    folder = store.run_folder(store.run(run))
    return [hashlib.sha256((folder / f"{name}.npy").read_bytes()).hexdigest() for name in ("oof", "test")]


def net(problem: Problem, data: Data, saved: str = "", **params: object):
    """A small net over every third row, all others train."""
    rows, model = np.arange(len(data.y)), check_model("mlp")
    fold = Fold(0, 0, rows[rows % 3 != 0], rows[rows % 3 == 0], data)
    return model.stage(problem, merged("mlp", {**SMALL, **params}, model.rounds), 0, fold, testing.NoClock(), saved)


def numbers_only(y: np.ndarray, **columns: object) -> Data:
    X = pd.DataFrame(columns)
    return Data(X, y, y, X.iloc[:4])


@torch_is_here
@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_a_net_read_back_goes_on_as_if_it_had_not_stopped(task: str) -> None:
    problem, data = testing.small_problem(task)
    whole = net(problem, data)
    whole.advance(3)
    again = net(problem, data, saved=whole.dump())
    assert again.curve == whole.curve and again.predict(2)[0].tobytes() == whole.predict(2)[0].tobytes()
    whole.advance(6)
    again.advance(6)
    assert again.curve == whole.curve
    for one, other in zip(whole.predict(6, 5), again.predict(6, 5), strict=True):
        assert one.tobytes() == other.tobytes()


@torch_is_here
def test_the_bytes_depend_on_the_seed_alone() -> None:
    import torch

    problem, data = testing.small_problem("regression")
    rows, model, said = np.arange(len(data.y)), check_model("mlp"), []
    for seed, noise in ((0, 1), (0, 2), (1, 1)):
        torch.manual_seed(noise)
        before = torch.get_rng_state()
        one = model.stage(problem, SMALL, seed, Fold(0, 0, rows[rows > 40], rows[rows <= 40], data), testing.NoClock())
        one.advance(3)
        said.append(one.predict(3)[0].tobytes())
        assert torch.equal(torch.get_rng_state(), before)  # a person's own draws are not touched
    assert said[0] == said[1] != said[2]


@torch_is_here
def test_a_killed_run_reads_its_folds_back_and_ends_the_same(folds: str, monkeypatch: pytest.MonkeyPatch) -> None:
    params = {**SMALL, "max_rounds": 8, "patience": 2}
    with monkeypatch.context() as patch:
        patch.setattr(Checkpoints, "clear", lambda self: None)
        run = kagglekit.train("mlp", params=params).run
    store, before = open_store(), digest(run)
    record = store.run(run)
    assert record.rounds["chosen_by"] == "the other folds' mean curve" and len(record.rounds["per_fold"]) == 3
    (store.run_folder(record) / ".work" / "fold-0-0-1.npz").unlink()
    store.write_run(dataclasses.replace(record, status="started", process={**record.process, "pid": 2**22 + 5}))
    again = kagglekit.train("mlp", params=params)
    assert again.run == run and again.resumed and digest(run) == before


@torch_is_here
@pytest.mark.parametrize("task", ["multilabel", "regression"])
def test_several_targets_are_learnt_at_once(task: str) -> None:
    x, other = np.random.default_rng(0).normal(size=(2, 300))
    both = np.column_stack([x, -100 * x + 50 * other])
    both = (both > 0).astype(int) if task == "multilabel" else both
    X = pd.DataFrame({"x": x, "other": other})
    data = Data(X, both, both, X.iloc[:40], (0, 1) if task == "multilabel" else ())
    one = net(Problem(task, data.classes, check_metric("logloss" if task == "multilabel" else "mcrmse"), ("up", "down")), data, epochs=25)
    one.advance(25)
    valid, test = one.predict(25)
    assert valid.shape == (100, 2) and test.shape == (40, 2)
    for place in range(2):
        assert np.corrcoef(valid[:, place], both[::3, place])[0, 1] > 0.7
    if task == "regression":
        assert 50 < valid[:, 1].std() / valid[:, 0].std() < 200


@torch_is_here
def test_the_loss_follows_the_metric() -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=900)
    y, said = np.where(random.uniform(size=900) < 0.3, 30.0, 0.0) + x, {}  # a mean of 9, a median near 0
    for metric in ("rmse", "mae", "pinball@0.9"):
        one = net(Problem("regression", (), check_metric(metric)), numbers_only(y, x=x), learning_rate=0.01)
        one.advance(12)
        said[metric] = float(np.median(one.predict(12)[0]))
    assert abs(said["rmse"] - 9) < 3 and abs(said["mae"]) < 2 and said["pinball@0.9"] > 20


@torch_is_here
@pytest.mark.parametrize("rows", [2, 3, 40])
def test_odd_tables_are_survived(rows: int) -> None:
    random = np.random.default_rng(0)
    X = pd.DataFrame({"a": random.normal(size=rows), "none": np.nan, "one": 1.0, "huge": np.where(np.arange(rows) % 5, 1e300, np.inf),
                      "colour": pd.Series(["red", "blue"] * 20)[:rows].where(np.arange(rows) % 3 > 0, "new")})
    y = random.normal(size=rows) if rows > 3 else np.ones(rows)
    one = net(Problem("regression", (), check_metric("rmse")), Data(X, y, y, X.iloc[:4]))
    one.advance(2)
    assert all(np.isfinite(part).all() for part in one.predict(2))


@torch_is_here
def test_a_net_of_categories_alone_learns_them() -> None:
    labels = np.array(["red", "green", "blue", "grey"])[np.arange(300) % 4]
    y = (np.arange(300) % 4 >= 2).astype(int)
    X = pd.DataFrame({"colour": labels})
    one = net(Problem("binary", (0, 1), check_metric("auc")), Data(X, y, y, pd.DataFrame({"colour": ["red", "violet"]}), (0, 1)))
    one.advance(15)
    valid, test = one.predict(15)
    assert ((valid > 0.5) == y[::3]).all() and test[0] < 0.3 and np.isfinite(test).all()


@torch_is_here
@pytest.mark.parametrize(("params", "what", "do"), [
    ({"learning_rat": 0.1}, "mlp does not take the parameter 'learning_rat'", "learning_rate"),
    ({"width": 0}, "width = 0", "--set width=256"), ({"dropout": 1.5}, "dropout = 1.5", "--set dropout=0.2"),
    ({"device": "tpu"}, "device 'tpu'", "cpu"), ({"learning_rate": 1e30}, "the loss is", "learning_rate"),
])
def test_wrong_parameters_are_refused_in_words(params: dict, what: str, do: str, folds: str) -> None:
    with pytest.raises(KKError, match=what) as refused:
        kagglekit.train("mlp", params={**SMALL, **params})
    assert do in refused.value.do


def test_without_torch_it_says_what_to_install(folds: str, monkeypatch: pytest.MonkeyPatch, kk: Callable[..., Ran]) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    assert not check_model("mlp").is_here()
    ran = kk("train", "mlp")
    assert ran.code == 1 and "torch is not installed. pip install 'kagglekit[deep]'" in ran.error


def test_neither_the_face_nor_the_registry_loads_torch() -> None:
    code = ("import sys, kagglekit; from kagglekit.models.family import check_model; check_model('mlp').is_here()\n"
            "print([name for name in ('torch', 'xgboost', 'catboost') if name in sys.modules])")
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


@torch_is_here
def test_every_searched_parameter_is_taken() -> None:
    problem, data = testing.small_problem("binary", rows=60)
    low = {key: part["low"] if "low" in part else part["choices"][0] for key, part in space("mlp").items()}
    one = net(problem, data, **{**low, "epochs": 1})
    one.advance(1)
    assert np.isfinite(one.predict(1)[0]).all()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.one_of(st.floats(allow_nan=True, allow_infinity=True), st.integers(-3, 3).map(float)), min_size=1, max_size=40))
def test_normal_scores_keep_the_order_and_stay_finite(values: list[float]) -> None:
    column = np.clip(np.array(values), -1e100, 1e100)
    scores = Score(column)(column)
    assert np.isfinite(scores).all() and (scores[np.isnan(column)] == 0).all()
    order = np.argsort(column[~np.isnan(column)], kind="stable")
    assert (np.diff(scores[~np.isnan(column)][order]) >= -1e-6).all()


def test_levels_that_training_has_seldom_or_never_share_one_place() -> None:
    levels = pd.CategoricalDtype(["often", "rare", "unseen"])
    train = pd.DataFrame({"level": pd.Series(["often"] * 5 + ["rare", None], dtype=levels), "gap": [1.0, 2, 3, 4, 5, 6, np.nan]})
    table = Table(train)
    numbers, codes = table.transform(pd.DataFrame({"level": pd.Series(["often", "rare", "unseen", None], dtype=levels), "gap": [np.nan, 1, 2, 9.0]}))
    assert codes.ravel().tolist() == [1, 0, 0, 0] and table.sizes == (2,)
    assert numbers[:, 1].tolist() == [1, 0, 0, 0] and numbers[0, 0] == 0 and numbers[3, 0] == table.transform(train)[0][5, 0]
