"""The contract checks refuse parts that break their contract; a check that cannot fail would say nothing."""

from collections.abc import Callable

import numpy as np
import pytest

from kagglekit import testing
from kagglekit.blenders import Blender, Fit
from kagglekit.errors import KKError
from kagglekit.fold import Fold
from kagglekit.metrics import Metric
from kagglekit.splitters import Splitter

Array = np.ndarray


def absolute(y: Array, p: Array) -> float:
    return float(np.abs(y - p).mean())


def made(function: Callable = absolute, greater_is_better: bool = False, **facts: object) -> Metric:
    return Metric(name="made", function=function, greater_is_better=greater_is_better, needs="value", **facts)


@pytest.mark.parametrize(("metric", "says"), [
    (made(greater_is_better=True), "check the direction"),
    (made(lambda y, p: 0.0), "shuffled"),
    (made(lambda y, p: float("nan")), "gives nan"),
    (made(lambda y, p: float(np.abs(y - p)[:20].mean())), "order of the rows"),
    (made(constant=np.mean), "only"),
    (made(influence=lambda y, p: np.abs(y - p)), "has mean"),
    (made(influence=lambda y, p: np.zeros(3)), "has shape"),
])
def test_check_metric_refuses(metric: Metric, says: str) -> None:
    with pytest.raises(AssertionError, match=says):
        testing.check_metric(metric)


def test_check_metric_takes_a_function_that_says_its_direction() -> None:
    def score(y: Array, p: Array) -> float:
        return -absolute(y, p)

    score.greater_is_better = True  # type: ignore[attr-defined]
    testing.check_metric(score)


def dealt(rows: int, n: int) -> Array:
    return np.arange(rows, dtype=np.int16) % n


@pytest.mark.parametrize(("splitter", "says"), [
    (Splitter("moody", lambda y, n, seed: np.random.default_rng().permutation(dealt(len(y), n)), ("y",)), "same seed"),
    (Splitter("careless", lambda groups, n, seed: dealt(len(groups), n), ("groups",)), "groups .* are on both sides"),
    (Splitter("fewer", lambda y, n, seed: dealt(len(y), n - 1), ("y",)), "gives 3 folds, not 4"),
    (Splitter("seer", lambda time, n, seed: dealt(len(time), n), ("time",)), "trains up to"),
])
def test_check_splitter_refuses(splitter: Splitter, says: str) -> None:
    with pytest.raises(AssertionError, match=says):
        testing.check_splitter(splitter)


def test_check_splitter_refuses_a_row_twice_in_a_repeat() -> None:
    twice = Splitter("twice", lambda y, n, seed: (np.arange(len(y)) // 2, np.zeros(len(y)), dealt(len(y), n)), ("y",))
    with pytest.raises(KKError, match="validate a row twice in one repeat"):
        testing.check_splitter(twice)


def test_check_splitter_takes_repeats() -> None:
    def repeated(y: Array, n: int, seed: int) -> tuple[Array, Array, Array]:
        random, rows = np.random.default_rng(seed), len(y)
        folds = [random.permutation(dealt(rows, n)) for _ in range(2)]
        return np.tile(np.arange(rows), 2), np.repeat([0, 1], rows), np.concatenate(folds)

    testing.check_splitter(Splitter("repeated", repeated, ("y",)))


def least_squares(fold: Fold, rows: Array | None = None) -> tuple[Array, Array]:
    """An honest line through x, fitted on `rows` or the training rows."""
    rows = fold.train if rows is None else rows
    line = np.polyfit(fold.X["x"].to_numpy()[rows], fold.data.target[rows], 1)
    return np.polyval(line, fold.X_valid["x"].to_numpy()), np.polyval(line, fold.X_test["x"].to_numpy())


def peeking(fold: Fold) -> tuple[Array, Array]:
    return least_squares(fold, np.arange(len(fold.data.y)))


def moody(fold: Fold) -> tuple[Array, Array]:
    valid, test = least_squares(fold)
    return valid + 1e-9 * np.random.default_rng().normal(size=len(valid)), test


def gappy(fold: Fold) -> tuple[Array, Array]:
    valid, test = least_squares(fold)
    return np.where(np.arange(len(valid)) == 3, np.nan, valid), test


def backwards(fold: Fold) -> tuple[Array, Array]:
    valid, test = least_squares(fold)
    return 20 - valid, test


def wide(fold: Fold) -> tuple[Array, Array]:
    valid, test = least_squares(fold)
    return valid[:, None], test


def no_refit(fold: Fold) -> tuple[Array, Array]:
    valid, test = least_squares(fold)
    return valid, test if len(valid) else test * np.nan


@pytest.mark.parametrize(("model", "says"), [
    (peeking, "looks at the targets of validated rows"), (moody, "other bytes the second time"),
    (gappy, "1 values that are not finite"), (backwards, "RMSE"), (wide, "predicts the shape"), (no_refit, "cannot be refitted"),
])
def test_check_model_refuses(model: Callable, says: str) -> None:
    with pytest.raises(AssertionError, match=says):
        testing.check_model(model, "regression")


def test_check_model_takes_an_honest_function() -> None:
    testing.check_model(least_squares, "regression")


def always(*values: float) -> Callable:
    def fit_predict(fold: Fold) -> tuple[Array, Array]:
        return np.tile(values, (len(fold.valid), 1)), np.tile(values, (len(fold.X_test), 1))

    return fit_predict


def test_check_model_refuses_what_is_no_probability() -> None:
    with pytest.raises(AssertionError, match="probabilities do not add up to 1"):
        testing.check_model(always(0.3, 0.3, 0.3), "multiclass")
    with pytest.raises(AssertionError, match="probabilities from -1"):
        testing.check_model(always(-1.0, 1.0, 1.0), "multiclass")


@pytest.mark.parametrize(("function", "says"), [
    (lambda case: np.full(case.models, 0.5), "gives the weights"),
    (lambda case: np.array([1.5, -0.5, 0.0]), "gives the weights"),
    (lambda case: np.array([1.0, 0.0, 0.0]), "permuted models weigh"),
    (lambda case: np.ones(1), "weights of shape"),
    (lambda case: np.random.default_rng().dirichlet(np.ones(case.models)), "other predictions again"),
    (lambda case: Fit(lambda oof: np.full(oof.shape[1:], np.nan)), "not finite"),
])
def test_check_blender_refuses(function: Callable, says: str) -> None:
    with pytest.raises(AssertionError, match=says):
        testing.check_blender(Blender("made", function, 9))
