"""XGBoost and CatBoost (the contract of models holds in contracts/): rounds that the other folds choose, resuming, and what they refuse."""

import dataclasses
import hashlib
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import kagglekit
from kagglekit import testing
from kagglekit.errors import KKError
from kagglekit.fold import Data, Fold
from kagglekit.metrics import check_metric
from kagglekit.models.family import check_model
from kagglekit.models.presets import merged, space
from kagglekit.models.problem import Problem
from kagglekit.store import open_store
from kagglekit.work.plan import Checkpoints
from tests.conftest import Ran

BOOSTERS = [name for name in ("xgboost", "catboost") if check_model(name).is_here()]
every = pytest.mark.parametrize("name", BOOSTERS)
pytestmark = pytest.mark.skipif(not BOOSTERS, reason="neither xgboost nor catboost is installed: pip install 'kagglekit[boost]'")
ROUNDS = {"xgboost": "n_estimators", "catboost": "iterations"}


@pytest.fixture
def folds(small: Path) -> str:
    return kagglekit.cv(split="stratified", n=4).folds


def digest(run: str) -> list[str]:
    store = open_store()
    folder = store.run_folder(store.run(run))
    return [hashlib.sha256((folder / f"{name}.npy").read_bytes()).hexdigest() for name in ("oof", "test")]


def stage(name: str, problem: Problem, data: Data, rows: np.ndarray | None = None, saved: str = "", **params: object):
    """A stage over every third row, all others train."""
    rows, model = np.arange(len(data.y)) if rows is None else rows, check_model(name)
    fold = Fold(0, 0, rows[rows % 3 != 0], rows[rows % 3 == 0], data)
    return model.stage(problem, merged(name, params, model.rounds), 0, fold, testing.NoClock(), saved)


@every
def test_rounds_are_chosen_by_the_other_folds_and_a_truncated_model_says_what_it_said_then(name: str) -> None:
    problem, data = testing.small_problem("binary")
    grown = stage(name, problem, data, max_rounds=60, patience=60)
    for rounds in range(1, 31):
        grown.advance(rounds)
        assert len(grown.curve) == rounds
    early = grown.predict(12, 12)
    only = stage(name, problem, data, max_rounds=60, patience=60)
    only.advance(12)
    assert only.curve == grown.curve[:12]
    for one, other in zip(early, only.predict(12, 12), strict=True):
        assert one.tobytes() == other.tobytes()


@every
def test_a_stage_read_back_goes_on_with_the_same_bytes(name: str) -> None:
    problem, data = testing.small_problem("regression")
    whole = stage(name, problem, data, max_rounds=40, patience=40)
    whole.advance(10)
    again = stage(name, problem, data, saved=whole.dump(), max_rounds=40, patience=40)
    assert again.curve == whole.curve and again.predict(7)[0].tobytes() == whole.predict(7)[0].tobytes()
    whole.advance(25)
    again.advance(25)
    assert again.curve == whole.curve and again.predict(25)[1].tobytes() == whole.predict(25)[1].tobytes()


@every
def test_a_killed_run_reads_its_folds_back_and_ends_the_same(name: str, folds: str, monkeypatch: pytest.MonkeyPatch) -> None:
    params = {"max_rounds": 30, "patience": 5, "learning_rate": 0.3}
    with monkeypatch.context() as patch:
        patch.setattr(Checkpoints, "clear", lambda self: None)
        run = kagglekit.train(name, params=params).run
    store, before = open_store(), digest(run)
    record = store.run(run)
    assert record.rounds["chosen_by"] == "the other folds' mean curve" and len(record.rounds["per_fold"]) == 4
    (store.run_folder(record) / ".work" / "fold-0-0-2.npz").unlink()
    store.write_run(dataclasses.replace(record, status="started", process={**record.process, "pid": 2**22 + 5}))
    again = kagglekit.train(name, params=params)
    assert again.run == run and again.resumed and digest(run) == before


@every
def test_the_bytes_do_not_depend_on_the_number_of_threads(name: str) -> None:
    problem, data = testing.small_problem("regression", rows=600)
    key = {"xgboost": "nthread", "catboost": "thread_count"}[name]
    answers = [stage(name, problem, data, **{key: count, ROUNDS[name]: 20}) for count in (1, 3)]
    said = []
    for one in answers:
        one.advance(20)
        said.append(one.predict(20)[0].tobytes())
    assert said[0] == said[1]


@every
@pytest.mark.parametrize(("params", "what", "do"), [
    ({"learning_rat": 0.1}, "does not take the parameter 'learning_rat'", "learning_rate"),
    ({"eval_metric": "auc"}, "eval_metric cannot be set here", "Leave eval_metric out"),
])
def test_wrong_parameters_are_refused_before_anything_is_trained(name: str, params: dict, what: str, do: str, folds: str) -> None:
    with pytest.raises(KKError, match=what) as refused:
        kagglekit.train(name, params=params)
    assert do in refused.value.do


@pytest.mark.parametrize(("name", "params", "says"), [
    ("xgboost", {"max_depth": -3}, "max_depth"), ("xgboost", {"objective": "reg:squarederror"}, "does not fit: the task is binary"),
    ("xgboost", {"booster": "dart"}, "cut off at a round"), ("catboost", {"depth": -3}, "depth"), ("catboost", {"od_wait": 3}, "patience says"),
    ("catboost", {"loss_function": "RMSE"}, "does not fit: the task is binary"),
])
def test_values_that_do_not_fit_are_refused_in_words(name: str, params: dict, says: str, folds: str, kk: Callable[..., Ran]) -> None:
    if name not in BOOSTERS:
        pytest.skip(f"{name} is not installed: pip install 'kagglekit[boost]'")
    ran = kk("train", name, *(word for key, value in params.items() for word in ("--set", f"{key}={value}")))
    assert ran.code == 1 and says in ran.error and "Traceback" not in ran.err


@every
def test_the_loss_follows_the_metric(name: str) -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=900)
    y = np.where(random.uniform(size=900) < 0.3, 30.0, 0.0) + x  # a mean of 9, a median near 0
    data = Data(pd.DataFrame({"x": x}), y, y, pd.DataFrame({"x": x[:5]}))
    said = {}
    for metric in ("rmse", "mae", "pinball@0.9"):
        one = stage(name, Problem("regression", (), check_metric(metric)), data, **{ROUNDS[name]: 60, "learning_rate": 0.2})
        one.advance(60)
        said[metric] = float(np.median(one.predict(60)[0]))
    assert abs(said["rmse"] - 9) < 3 and abs(said["mae"]) < 2 and said["pinball@0.9"] > 20


@every
@pytest.mark.parametrize("task", ["multilabel", "regression"])
def test_several_targets_are_learnt(name: str, task: str) -> None:
    _, data = testing.small_problem("regression")
    both = np.column_stack([data.target, -data.target])
    both = (both > np.median(both, axis=0)).astype(int) if task == "multilabel" else both
    data = dataclasses.replace(data, y=both, target=both, classes=(0, 1) if task == "multilabel" else ())
    metric = check_metric("logloss" if task == "multilabel" else "mcrmse")
    one = stage(name, Problem(task, data.classes, metric, ("up", "down")), data, **{ROUNDS[name]: 20})
    one.advance(20)
    valid, test = one.predict(20)
    assert valid.shape == (50, 2) and test.shape == (40, 2)
    assert np.corrcoef(valid[:, 0], data.target[::3, 0])[0, 1] > 0.6 and np.corrcoef(valid.T)[0, 1] < -0.6


@every
def test_odd_tables_are_survived(name: str) -> None:
    random = np.random.default_rng(0)
    rows = 36
    X = pd.DataFrame({"a<b [m]": random.normal(size=rows), "none": np.nan, "one": 1.0, "huge": np.where(np.arange(rows) % 5, 1.0, np.inf),
                      "colour": pd.Series(["red", "blue", "green"] * 12).where(np.arange(rows) % 3 > 0, "new")})
    y = random.normal(size=rows)
    one = stage(name, Problem("regression", (), check_metric("rmse")), Data(X, y, y, X.iloc[:4]), **{ROUNDS[name]: 5})
    one.advance(5)
    assert all(np.isfinite(part).all() for part in one.predict(5))


@pytest.mark.parametrize("name", ["xgboost", "catboost"])
def test_a_missing_library_says_what_to_install(name: str, folds: str, monkeypatch: pytest.MonkeyPatch, kk: Callable[..., Ran]) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    assert not check_model(name).is_here()
    ran = kk("train", name)
    assert ran.code == 1 and f"{name} is not installed. pip install 'kagglekit[boost]'" in ran.error


@every
def test_every_searched_parameter_is_taken(name: str) -> None:
    problem, data = testing.small_problem("binary", rows=60)
    low = {key: part["low"] if "low" in part else part["choices"][0] for key, part in space(name).items()}
    one = stage(name, problem, data, **{**low, ROUNDS[name]: 2})
    one.advance(2)
    assert np.isfinite(one.predict(2)[0]).all()
