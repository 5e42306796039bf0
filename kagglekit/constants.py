"""The best constants: the one prediction for all rows that a metric likes best, in closed form.

The mean minimises squared error, the median absolute error, the class shares log loss. A target of several columns (rows x columns) gets
one number a column, all at once.
"""

from collections.abc import Callable

import numpy as np

Array = np.ndarray


def _plain(values: object) -> object:
    """A number as Python has it, an array as it is."""
    return values.item() if np.ndim(values) == 0 and hasattr(values, "item") else values


def each_column(best: Callable[[Array], float]) -> Callable[[Array], object]:
    """A constant of one column, for each column where there are several."""

    def constant(y: Array) -> object:
        y = np.asarray(y)
        return _plain(best(y)) if y.ndim == 1 else np.array([_plain(best(column)) for column in y.T])

    constant.__doc__ = best.__doc__
    constant.__name__ = best.__name__
    return constant


@each_column
def majority(y: Array) -> object:
    """The most frequent label (the smallest of equals)."""
    values, counts = np.unique(y, return_counts=True)
    return values[np.argmax(counts)]


def share(y: Array) -> object:
    """Share of the positive class."""
    return _plain(np.mean(np.asarray(y) == 1, axis=0))


def shares(y: Array) -> Array:
    """Share of each class code 0..max."""
    return np.bincount(y.astype(np.int64)) / len(y)


def mean(y: Array) -> object:
    """Mean of the target."""
    return _plain(np.mean(np.asarray(y, dtype=np.float64), axis=0))


def median(y: Array) -> object:
    """Median of the target."""
    return _plain(np.median(y, axis=0))


def quantiles(y: Array, quantiles: tuple[float, ...] = (0.5,)) -> object:
    """The quantiles of the target, values that it has: one number for a single quantile, else one for each.

    >>> quantiles(np.arange(10), (0.1, 0.9)).tolist()
    [0.0, 8.0]
    """
    found = np.quantile(np.asarray(y, dtype=np.float64), quantiles, method="inverted_cdf")
    return _plain(found[0]) if len(quantiles) == 1 else found


def log_mean(y: Array) -> object:
    """The constant that minimises RMSLE."""
    return _plain(np.expm1(np.mean(np.log1p(y), axis=0)))


def positive(y: Array) -> object:
    """The positive label: 1 of 0 and 1, else the larger of two."""
    labels = np.unique(y)
    zero_one = labels.dtype.kind in "biuf" and labels[0] >= 0 and labels[-1] <= 1
    return labels.dtype.type(1).item() if zero_one else _plain(labels[-1])


@each_column
def relative_median(y: Array) -> float:
    """The constant that minimises the mean absolute percentage error: the median by weight 1/|y|."""
    y = np.asarray(y, dtype=np.float64)
    order = np.argsort(y)
    weights = np.cumsum(1 / np.maximum(np.abs(y[order]), np.finfo(float).eps))
    return y[order][np.searchsorted(weights, weights[-1] / 2)]


@each_column
def relative_mean(y: Array) -> float:
    """The constant that minimises RMSPE, over rows that are not 0; 0 where there is none."""
    inverse = 1 / np.asarray(y, dtype=np.float64)[y != 0]
    return inverse.sum() / (inverse @ inverse) if len(inverse) else np.float64(0.0)


@each_column
def smape_best(y: Array) -> float:
    """The constant that minimises SMAPE: the best of the values (at most 2,000 quantiles of them), refined between its neighbours."""
    y = np.asarray(y, dtype=np.float64)
    rows = y if len(y) <= 20_000 else np.quantile(y, np.linspace(0, 1, 20_000))
    values = np.unique(rows) if len(np.unique(rows)) <= 2_000 else np.quantile(rows, np.linspace(0, 1, 2_000))

    def losses(constants: Array) -> Array:
        size = np.abs(rows) + np.abs(constants[:, None])
        return np.divide(np.abs(rows - constants[:, None]), size, out=np.zeros_like(size), where=size > 0).mean(axis=1)

    place = int(np.argmin(losses(values)))
    before, here, after = values[max(place - 1, 0)], values[place], values[min(place + 1, len(values) - 1)]
    near = np.concatenate([np.linspace(before, here, 200), np.linspace(here, after, 200)])
    return near[np.argmin(losses(near))]


def most_frequent(y: Array, k: int | None = None) -> Array:
    """int64[K]: the codes by their frequency, the first K of them (all without K); -1 in y is none.

    It is best for MAP@K and NDCG@K where a row has one right code, and near it where it has several.

    >>> most_frequent(np.array([3, 1, 3]), k=1).tolist()
    [3]
    """
    codes, counts = np.unique(np.asarray(y)[np.asarray(y) >= 0].astype(np.int64), return_counts=True)
    return codes[np.argsort(-counts, kind="stable")][:k]


def best_set(y: Array, beta: float = 1.0, pooled: bool = False) -> Array:
    """0 or 1 for each label: the set that is best for the mean F-beta of rows, or (`pooled`) for F1 of all labels together.

    For a set of k labels the score is a sum over labels, so that the best set of each size is known; the best size is taken.

    >>> best_set(np.array([[1, 0], [1, 1], [1, 0]])).tolist()
    [1, 0]
    """
    truth = np.asarray(y) == 1
    count, sizes = truth.sum(axis=1), np.arange(1, truth.shape[1] + 1)
    kinds = np.array([truth.sum()]) if pooled else np.unique(count)
    found = truth.sum(axis=0)[None, :] if pooled else np.stack([truth[count == kind].sum(axis=0) for kind in kinds])
    scores, orders = [], []
    for size in sizes:
        gain = (found / (beta**2 * kinds + size * (len(truth) if pooled else 1))[:, None]).sum(axis=0)
        orders.append(np.argsort(-gain, kind="stable")[:size])
        scores.append(gain[orders[-1]].sum())
    best = np.zeros(truth.shape[1], dtype=np.int64)
    best[orders[int(np.argmax(scores))]] = 1
    return best
