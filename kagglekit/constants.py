"""The best constants: the one prediction for all rows that a metric likes best, in closed form.

The mean minimises squared error, the median absolute error, the class shares log loss.
"""

import numpy as np

Array = np.ndarray


def majority(y: Array) -> object:
    """The most frequent label (the smallest of equals)."""
    values, counts = np.unique(y, return_counts=True)
    return values[np.argmax(counts)].item()


def share(y: Array) -> float:
    """Share of the positive class."""
    return float(np.mean(y))


def shares(y: Array) -> Array:
    """Share of each class code 0..max."""
    return np.bincount(y.astype(np.int64)) / len(y)


def mean(y: Array) -> float:
    """Mean of the target."""
    return float(np.mean(y))


def median(y: Array) -> float:
    """Median of the target."""
    return float(np.median(y))


def log_mean(y: Array) -> float:
    """The constant that minimises RMSLE."""
    return float(np.expm1(np.mean(np.log1p(y))))


def positive(y: Array) -> object:
    """The positive label, the larger of two."""
    return np.unique(y)[-1].item()


def smape_best(y: Array) -> float:
    """The constant that minimises SMAPE: the best of the values (at most 2,000 quantiles of them), refined between its neighbours.

    >>> smape_best(np.array([1.0, 1.0, 4.0]))
    1.0
    """
    y = np.asarray(y, dtype=np.float64)
    rows = y if len(y) <= 20_000 else np.quantile(y, np.linspace(0, 1, 20_000))
    values = np.unique(rows) if len(np.unique(rows)) <= 2_000 else np.quantile(rows, np.linspace(0, 1, 2_000))

    def losses(constants: Array) -> Array:
        size = np.abs(rows) + np.abs(constants[:, None])
        return np.divide(np.abs(rows - constants[:, None]), size, out=np.zeros_like(size), where=size > 0).mean(axis=1)

    place = int(np.argmin(losses(values)))
    before, here, after = values[max(place - 1, 0)], values[place], values[min(place + 1, len(values) - 1)]
    near = np.concatenate([np.linspace(before, here, 200), np.linspace(here, after, 200)])
    return float(near[np.argmin(losses(near))])
