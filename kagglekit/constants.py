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
