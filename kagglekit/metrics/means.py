"""Scores that are means over rows, and over columns, with their influence; what most metrics are made of."""

from collections.abc import Callable

import numpy as np

from kagglekit.errors import KKError

Array = np.ndarray


def mean_of(rows: Array, weights: Array | None = None) -> float:
    """Mean of one number a row, weighted where `weights` are given.

    >>> mean_of(np.array([1.0, 4.0]), np.array([2.0, 1.0]))
    2.0
    """
    return float(rows.mean() if weights is None else rows @ weights / weights.sum())


def influence_of_mean(loss: Callable[..., Array], root: bool = False) -> Callable[..., Array]:
    """Influence of a mean of per-row losses, or of the square root of such a mean (delta method).

    Where a row is a query, as for MAP@K and NDCG@K, or one of several labels, the rows of the influence are these.
    """

    def influence(y: Array, p: Array, **number: object) -> Array:
        losses = loss(y, p, **number)
        mean = losses.mean()
        return (losses - mean) / (2 * np.sqrt(mean)) if root and mean > 0 else losses - mean

    influence.__wrapped__ = loss  # its number, such as the k of map@k, is the loss's
    return influence


def by_column(score: Callable[..., float], name: str) -> Callable[..., float]:
    """The mean over columns of a score of one column; an array of one dimension is one column."""

    def mean_over_columns(y: Array, p: Array, weights: Array | None = None) -> float:
        given = {} if weights is None else {"weights": weights}
        scores = []
        for number, (truth, said) in enumerate(columns_of(y, p)):
            try:
                scores.append(score(truth, said, **given))
            except KKError as error:
                raise KKError(f"column {number} of {name}: {error.what}", error.do) from error
        return float(np.mean(scores))

    return mean_over_columns


def influence_by_column(influence: Callable[[Array, Array], Array]) -> Callable[[Array, Array], Array]:
    """Influence of a mean over columns: the mean of the columns' influences."""

    def mean_over_columns(y: Array, p: Array) -> Array:
        columns = columns_of(y, p)
        total = np.zeros(len(y))
        for truth, said in columns:
            total += influence(truth, said)
        return total / len(columns)

    return mean_over_columns


def columns_of(y: Array, p: Array) -> list[tuple[Array, Array]]:
    """The columns of truth and predictions side by side, each in one piece of memory."""
    y, p = np.asarray(y), np.asarray(p)
    if y.ndim == 1:
        return [(y, p)]
    if not y.shape[1]:
        raise KKError(f"there is no column: y has the shape {y.shape}", "Give at least one target")
    return list(zip(np.ascontiguousarray(y.T), np.ascontiguousarray(p.T)))


def numbers(values: Array, what: str) -> Array:
    """The values as floats; raises KKError where they are text."""
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise KKError(f"{what} needs numbers: {error}", "Give the labels as numbers, or choose a metric of labels") from error
