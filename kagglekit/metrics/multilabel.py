"""Metrics of several labels a row: y and p are rows x labels of 0 and 1."""

import functools

import numpy as np

from kagglekit import constants
from kagglekit.errors import KKError
from kagglekit.metrics.base import metric
from kagglekit.metrics.labels import read_beta
from kagglekit.metrics.means import influence_of_mean, mean_of

Array = np.ndarray


def _sets(y: Array, p: Array, name: str) -> tuple[Array, Array, Array]:
    """Labels of each row that are right, true and said."""
    y, p = np.asarray(y), np.asarray(p)
    if y.ndim != 2 or y.dtype.kind not in "biuf":
        raise KKError(f"{name} is of several labels a row, y has the shape {y.shape} of {y.dtype}",
                      "Give y and p as rows x labels of 0 and 1; of one label a row it is accuracy")
    truth, said = y == 1, p == 1
    return np.count_nonzero(truth & said, axis=1), np.count_nonzero(truth, axis=1), np.count_nonzero(said, axis=1)


def _f_rows(y: Array, p: Array, beta: float = 1.0) -> Array:
    right, true, said = _sets(y, p, "the mean F score")
    size = beta**2 * true + said
    return np.divide((1 + beta**2) * right, size, out=np.zeros(len(size)), where=size > 0)


@metric("mean_f1", better="more", needs="label", constant=constants.best_set, influence=influence_of_mean(_f_rows), columns="targets")
def mean_f1(y: Array, p: Array, weights: Array | None = None) -> float:
    """Mean over the rows of the F1 of the row's labels; 0 for a row without true and said ones, as in scikit-learn.

    >>> mean_f1(np.array([[1, 0], [1, 1]]), np.array([[1, 0], [1, 0]])).__round__(4)
    0.8333
    """
    return mean_of(_f_rows(y, p), weights)


@metric("mean_fbeta", better="more", needs="label", constant=constants.best_set, influence=influence_of_mean(_f_rows), columns="targets",
        parameter="beta", read=read_beta, usual=("2",))
def mean_fbeta(y: Array, p: Array, weights: Array | None = None, *, beta: float = 1.0) -> float:
    """Mean over the rows of the F-beta of the row's labels.

    >>> mean_fbeta(np.array([[1, 1]]), np.array([[1, 0]]), beta=2).__round__(4)
    0.5556
    """
    return mean_of(_f_rows(y, p, beta), weights)


def influence_micro_f1(y: Array, p: Array) -> Array:
    """Influence of a ratio of means: right labels over true and said ones."""
    right, true, said = _sets(y, p, "micro F1")
    size = true + said
    return (2 * right - 2 * right.sum() / size.sum() * size) / size.mean() if size.any() else np.zeros(len(size))


@metric("micro_f1", better="more", needs="label", constant=functools.partial(constants.best_set, pooled=True), influence=influence_micro_f1,
        columns="targets")
def micro_f1(y: Array, p: Array, weights: Array | None = None) -> float:
    """F1 of all labels of all rows together.

    >>> micro_f1(np.array([[1, 0], [1, 1]]), np.array([[1, 0], [1, 0]]))
    0.8
    """
    right, true, said = (mean_of(part, weights) for part in _sets(y, p, "micro F1"))
    return 2 * right / (true + said) if true + said else 0.0


def _misses(y: Array, p: Array) -> Array:
    misses = (np.asarray(y) != np.asarray(p)).astype(float)
    return misses if misses.ndim == 1 else misses.mean(axis=1)


@metric("hamming", better="less", needs="label", constant=constants.majority, influence=influence_of_mean(_misses), columns="targets")
def hamming(y: Array, p: Array, weights: Array | None = None) -> float:
    """Share of labels that are wrong, over all rows and columns.

    >>> hamming(np.array([[1, 0], [1, 1]]), np.array([[1, 0], [1, 0]]))
    0.25
    """
    return mean_of(_misses(y, p), weights)
