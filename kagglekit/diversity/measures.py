"""Measures: what an error of a row is, by task and metric, so that its correlation says what averaging can gain."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from kagglekit.errors import KKError
from kagglekit.metrics import Metric, tied_ranks

Array = np.ndarray
FEW_CLASSES = 20  # a target with more values has no classes to look within
FLOOR = 1e-15


@dataclass(frozen=True, slots=True)
class Measure:
    """`errors(y, p)` gives models x numbers of models x rows [x classes]; `said(p)` the predictions that near copies share, None: none.

    whole: it needs all rows at once (ranks do). gain: how ambiguity is had: squared, log, labels or metric. columns: each target is
    measured alone, and all of them count the same.
    """

    name: str
    errors: Callable[[Array, Array], Array]
    said: Callable[[Array], Array] | None
    gain: str
    whole: bool = False
    columns: bool = False


def measure_of(metric: Metric, y: Array, oof: Array) -> Measure:
    """The measure that fits the metric, the target and the form of the predictions."""
    if metric.needs == "label":
        return Measure("phi of wrong", lambda y, p: flat(p != y).astype(np.float64), None, "labels")
    if metric.needs == "list":
        return _by_query(metric, oof)
    columns = oof.ndim == 3 and (y.ndim == 2 or metric.columns == "quantiles")
    if oof.ndim == 3 and not columns:
        return Measure("class residuals", class_residuals, flat, "log")
    if metric.needs == "rank":
        classes = len(np.unique(y[:, 0] if y.ndim == 2 else y)) <= FEW_CLASSES
        return Measure("rank residuals", _ranks_within if classes else _ranks_beside, ranks, "metric", whole=True, columns=columns)
    if metric.needs == "proba" and np.isin(y, (0, 1)).all():
        return Measure("deviance residuals", deviance_residuals, flat, "log", columns=columns)
    return _of_values(metric, columns)


def _of_values(metric: Metric, columns: bool) -> Measure:
    if metric.trains_on == "log1p":  # squared error of the logarithm lives in log1p
        return Measure("log residuals", lambda y, p: log1p(p) - log1p(y), log1p, "squared", columns=columns)
    if metric.name in ("rmspe", "mape"):
        relative = residuals_over_truth
        if metric.name == "rmspe":
            return Measure("relative residuals", relative, flat, "metric", columns=columns)
        return Measure("ranked relative residuals", lambda y, p: ranks(relative(y, p)), flat, "metric", whole=True, columns=columns)
    if metric.name.split("@")[0] in ("mae", "medae", "smape", "pinball"):  # the tails would decide a plain correlation
        return Measure("ranked residuals", lambda y, p: ranks(p - y), flat, "metric", whole=True, columns=columns)
    return Measure("residuals", lambda y, p: p - y, flat, "squared", columns=columns)


def flat(values: Array) -> Array:
    """Models x numbers of models x rows [x classes]."""
    return values.reshape(len(values), -1)


def ranks(values: Array) -> Array:
    """Ranks 1..n of each model's numbers, ties with their mean rank.

    >>> ranks(np.array([[0.2, 0.1, 0.2]])).tolist()
    [[2.5, 1.0, 2.5]]
    """
    return np.stack([tied_ranks(one) for one in values])


def log1p(values: Array) -> Array:
    """log(1 + value), of negative ones 0."""
    return np.log1p(np.maximum(values, 0))


def residuals_over_truth(y: Array, p: Array) -> Array:
    """(p - y) / y; rows whose truth is 0 count 0, as they do in RMSPE.

    >>> residuals_over_truth(np.array([2.0, 0.0]), np.array([[3.0, 1.0]])).tolist()
    [[0.5, 0.0]]
    """
    safe = np.where(y == 0, 1.0, y).astype(p.dtype)
    return (p - y.astype(p.dtype)) / safe * (y != 0).astype(p.dtype)


def deviance_residuals(y: Array, p: Array) -> Array:
    """sign(y - p) * sqrt(2 * log loss), y of 0 and 1: their squares add up to twice the log loss.

    >>> deviance_residuals(np.array([1]), np.array([[0.5]])).round(4).tolist()
    [[1.1774]]
    """
    sign = np.where(y == 1, 1.0, -1.0).astype(p.dtype)
    true = np.clip(np.where(y == 1, p, 1 - p), FLOOR, 1.0)
    return sign * np.sqrt(-2 * np.log(true))


def class_residuals(y: Array, p: Array) -> Array:
    """p_c - 1[y = c] over rows and classes, models x (rows * classes).

    >>> class_residuals(np.array([1]), np.array([[[0.3, 0.7]]])).round(6).tolist()
    [[0.3, -0.3]]
    """
    found = p.copy()
    found[:, np.arange(p.shape[1]), np.asarray(y, dtype=np.int64)] -= 1
    return flat(found)


def logits_within(y: Array, p: Array) -> Array:
    """Logits less each class's mean, y of 0 and 1."""
    chance = np.clip(p.astype(np.float64), 1e-6, 1 - 1e-6)
    return _less_class_means(np.log(chance / (1 - chance)), y)


def _less_class_means(values: Array, y: Array) -> Array:
    found = values.copy()
    for label in np.unique(y):
        found[:, y == label] -= values[:, y == label].mean(axis=1, keepdims=True)
    return found


def _ranks_within(y: Array, p: Array) -> Array:
    return _less_class_means(ranks(p), y)


def _ranks_beside(y: Array, p: Array) -> Array:
    """What is left of the ranks where the ranks of the truth are known: residuals of a line through both."""
    found, truth = ranks(p), tied_ranks(y)
    found -= found.mean(axis=1, keepdims=True)
    truth -= truth.mean()
    return found - (found @ truth / max(float(truth @ truth), FLOOR))[:, None] * truth


def _by_query(metric: Metric, oof: Array) -> Measure:
    """The loss of each row (query), which the metric's influence is, less its mean."""
    from kagglekit.predictions import decide

    if metric.influence is None:
        raise KKError(f"{metric.name} does not tell what a row of its lists is worth", "Compare the runs by another metric: --metric map@5")
    codes = np.issubdtype(oof.dtype, np.integer)

    def errors(y: Array, p: Array) -> Array:
        lists = (one.astype(np.int64) if codes else decide(one, "list", (), metric.parameter) for one in p)
        return np.stack([metric.influence(y, one) for one in lists])

    return Measure("losses by query", errors, None if codes else flat, "none" if codes else "metric", whole=True)
