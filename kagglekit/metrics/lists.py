"""Metrics of lists, the best first: MAP@K, NDCG@K, misses among the first K; and of a score for each of several labels.

A list is a row of codes: p is int[rows, K], -1 where it is shorter, and a code that comes twice counts at its first place. The truth y is
int[rows], the one right code, or int[rows, R], several, -1 where there are fewer. A row is a query: what a score's standard error is
over. `predictions.decide(values, "list", classes)` makes lists of scores of classes.
"""

import numpy as np

from kagglekit import constants
from kagglekit.errors import KKError
from kagglekit.metrics.base import metric
from kagglekit.metrics.means import influence_of_mean, mean_of

Array = np.ndarray


def read_k(text: str) -> int:
    """K from text; raises KKError where it is no whole number above 0.

    >>> read_k("5")
    5
    """
    if not text.isdigit() or not int(text):
        raise KKError(f"@{text}: K is a whole number above 0", "Name it so: map@3, ndcg@10")
    return int(text)


def hits(y: Array, p: Array, k: int | None = None) -> tuple[Array, Array]:
    """(bool[rows, K], int[rows]): whether the list is right at each place, and how many codes of the row are right.

    Raises KKError where y or p are not whole numbers in the form of a list.

    >>> hits(np.array([[1, 2], [3, -1]]), np.array([[2, 2, 1], [0, 1, 2]]))[0].astype(int).tolist()
    [[1, 0, 1], [0, 0, 0]]
    """
    y, p = _codes(y, "the truth"), _codes(p, "the predictions")
    if p.ndim != 2:
        raise KKError(f"a list of codes is a row of several, the predictions have the shape {p.shape}",
                      'Give rows x K codes, the best first; from scores: decide(values, "list", classes)')
    p = p[:, :k]
    truth = y[:, None] if y.ndim == 1 else y
    right = np.zeros(p.shape, bool)
    for column in range(truth.shape[1]):
        right |= p == truth[:, column, None]
    right &= p >= 0
    several = np.flatnonzero(np.count_nonzero(right, axis=1) > 1)
    right[several] &= first_places(p[several])
    count = (truth >= 0).sum(axis=1) if truth.shape[1] == 1 else ((truth >= 0) & first_places(truth)).sum(axis=1)
    return right, count


def _codes(values: Array, what: str) -> Array:
    values = np.asarray(values)
    if values.dtype.kind == "f" and (values % 1 == 0).all():
        values = values.astype(np.int64)
    if values.dtype.kind not in "iu" or values.ndim not in (1, 2):
        raise KKError(f"{what} of a list metric are {values.dtype} of the shape {values.shape}", "Give codes: 0, 1, ..., -1 for none")
    return values


def first_places(codes: Array) -> Array:
    """Which cells hold a code that does not stand further left in their row.

    >>> first_places(np.array([[4, 2, 4]])).tolist()
    [[True, True, False]]
    """
    order = np.argsort(codes, axis=1, kind="stable")
    ordered = np.take_along_axis(codes, order, axis=1)
    first = np.ones(codes.shape, bool)
    first[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    out = np.empty_like(first)
    np.put_along_axis(out, order, first, axis=1)
    return out


def _average_precisions(y: Array, p: Array, k: int | None = None) -> Array:
    right, count = hits(y, p, k)
    places = np.arange(1, right.shape[1] + 1)
    total = (np.cumsum(right, axis=1) * right / places).sum(axis=1)
    return total / np.maximum(np.minimum(count, right.shape[1] if k is None else k), 1)


@metric("map@k", better="more", needs="list", constant=constants.most_frequent, influence=influence_of_mean(_average_precisions),
        columns="list", parameter="k", read=read_k)
def map_at_k(y: Array, p: Array, weights: Array | None = None, *, k: int | None = None) -> float:
    """Mean average precision of the first K of each list (all of it without K); a row without right codes counts 0.

    A row's average precision is the sum of precision@i over the right places i <= K, over the smaller of K and the right codes.

    >>> map_at_k(np.array([7, 8]), np.array([[7, 1, 2], [1, 8, 2]]), k=3)
    0.75
    """
    return mean_of(_average_precisions(y, p, k), weights)


def _gains(y: Array, p: Array, k: int | None = None) -> Array:
    right, count = hits(y, p, k)
    discounts = 1 / np.log2(np.arange(2, max(right.shape[1], k or 1) + 2))
    best = np.concatenate([[1.0], np.cumsum(discounts)])  # a row without right codes has gain 0 of 1
    return right @ discounts[:right.shape[1]] / np.where(count > 0, best[np.minimum(count, len(discounts))], 1.0)


@metric("ndcg@k", better="more", needs="list", constant=constants.most_frequent, influence=influence_of_mean(_gains), columns="list",
        parameter="k", read=read_k)
def ndcg_at_k(y: Array, p: Array, weights: Array | None = None, *, k: int | None = None) -> float:
    """Normalised discounted cumulative gain of the first K of each list (all of it without K); a code is right or not.

    >>> ndcg_at_k(np.array([7, 8]), np.array([[7, 1, 2], [1, 2, 8]]), k=3)
    0.75
    """
    return mean_of(_gains(y, p, k), weights)


def _misses(y: Array, p: Array, k: int | None = None) -> Array:
    return 1.0 - hits(y, p, k)[0].any(axis=1)


@metric("top_k_err", better="less", needs="list", constant=constants.most_frequent, influence=influence_of_mean(_misses), columns="list",
        parameter="k", read=read_k)
def top_k_err(y: Array, p: Array, weights: Array | None = None, *, k: int | None = None) -> float:
    """Share of rows whose first K codes are all wrong.

    >>> top_k_err(np.array([7, 8]), np.array([[7, 1, 2], [1, 2, 8]]), k=2)
    0.5
    """
    return mean_of(_misses(y, p, k), weights)


def label_precisions(y: Array, p: Array) -> tuple[Array, Array]:
    """float64[rows] each: the sum over a row's true labels of the share of true ones among labels not below them, and their number."""
    truth, p = np.asarray(y) == 1, np.asarray(p, float)
    if truth.ndim != 2:
        raise KKError(f"lwlrap is of several labels a row, y has the shape {truth.shape}", "Give y and p as rows x labels")
    order = np.argsort(-p, axis=1, kind="stable")
    ordered, true = np.take_along_axis(p, order, axis=1), np.take_along_axis(truth, order, axis=1)
    places = np.arange(1, p.shape[1] + 1)
    last = np.where(np.concatenate([ordered[:, :-1] != ordered[:, 1:], np.ones((len(p), 1), bool)], axis=1), places, places[-1])
    last = np.minimum.accumulate(last[:, ::-1], axis=1)[:, ::-1]  # the place of the last label with the same score
    found = np.take_along_axis(np.cumsum(true, axis=1), last - 1, axis=1)
    return (true * found / last).sum(axis=1), true.sum(axis=1).astype(float)


def influence_lwlrap(y: Array, p: Array) -> Array:
    """Influence of a ratio of means: precisions over true labels."""
    total, count = label_precisions(y, p)
    return (total - total.sum() / count.sum() * count) / count.mean() if count.any() else np.zeros(len(total))


@metric("lwlrap", better="more", needs="rank", constant=constants.mean, influence=influence_lwlrap, columns="targets")
def lwlrap(y: Array, p: Array, weights: Array | None = None) -> float:
    """Label-weighted label-ranking average precision: the mean over all true labels of the precision at their place in the row.

    The best constant is by frequency, exactly so where a row has one label. Tied labels share the worst of their places.

    >>> lwlrap(np.array([[1, 0, 0], [0, 0, 1]]), np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.3]]))
    0.75
    """
    total, count = label_precisions(y, p)
    if not count.any():
        raise KKError("lwlrap: no row has a true label", "Score rows that have one")
    return mean_of(total, weights) / mean_of(count, weights)
