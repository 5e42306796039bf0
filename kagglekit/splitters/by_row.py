"""Splitters that deal single rows: random, stratified by classes, by quantiles or by label sets, and a holdout."""

import numpy as np
import pandas as pd

from kagglekit.errors import KKError
from kagglekit.splitters.balance import Counts, deal, in_order
from kagglekit.splitters.base import splitter
from kagglekit.splitters.looks import BINS, check_n, check_varies, class_codes, coded, quantile_bins, strata

Array = np.ndarray


@splitter("random", needs=("y",))
def random(y: Array, n: int = 5, seed: int = 0) -> Array:
    """Every row into one of n folds at random, sizes equal to one row; of y only the length counts.

    >>> sorted(np.bincount(random(np.zeros(10), n=3)).tolist())
    [3, 3, 4]
    """
    rows = len(y)
    check_n(n, rows, "rows")
    folds = (np.arange(rows) % n).astype(np.int16)
    np.random.default_rng(seed).shuffle(folds)
    return folds


@splitter("stratified", needs=("y",))
def stratified(y: Array, n: int = 5, seed: int = 0) -> Array:
    """Each class spread evenly over n folds; a class with fewer members than folds is dealt as far as it goes.

    Raises KKError for a constant y, missing values, and more values than classes can have.

    >>> folds = stratified(np.array([0] * 90 + [1] * 10), n=5)
    >>> [int((folds[90:] == fold).sum()) for fold in range(5)]
    [2, 2, 2, 2, 2]
    """
    check_n(n, len(y), "rows")
    return _spread(class_codes(y)[0], n, seed)


@splitter("stratified-regression", needs=("y",))
def stratified_regression(y: Array, n: int = 5, seed: int = 0, bins: int = BINS) -> Array:
    """Each quantile bin of a numeric y spread evenly over n folds; fewer bins where rows or distinct values are few.

    Raises KKError for a constant y and missing values.

    >>> folds = stratified_regression(np.arange(100.0), n=5)
    >>> [int((folds[90:] == fold).sum()) for fold in range(5)]
    [2, 2, 2, 2, 2]
    """
    check_n(n, len(y), "rows")
    if bins < 1:
        raise KKError(f"{bins} bins hold no row", "Give at least 1")
    codes, _ = quantile_bins(y, min(bins, max(len(y) // n, 1)))
    check_varies(y, int(np.ptp(np.asarray(y)) != 0) + 1)
    return _spread(codes, n, seed)


def _spread(codes: Array, n: int, seed: int) -> Array:
    """Shuffled within each code and dealt on across the codes, so that fold sizes differ by one row at most."""
    rng = np.random.default_rng(seed)
    folds = np.empty(len(codes), dtype=np.int16)
    folds[in_order(codes, rng)] = np.arange(len(codes)) % n
    return rng.permutation(n).astype(np.int16)[folds]


@splitter("multilabel", needs=("y",), labels=True)
def multilabel(y: Array, n: int = 5, seed: int = 0) -> Array:
    """Each label of y (rows x labels of 0 and 1) spread evenly over n folds: iterative stratification, label sets at a time.

    Rows of the same label set are dealt in bulk, the rest by Sechidis, Tsoumakas and Vlahavas (2011).

    >>> y = np.array([[1, 0], [0, 1], [1, 1], [0, 0]] * 10)
    >>> folds = multilabel(y, n=5)
    >>> [y[folds == fold].sum(axis=0).tolist() for fold in range(5)]
    [[4, 4], [4, 4], [4, 4], [4, 4], [4, 4]]
    """
    check_n(n, len(y), "rows")
    has = _labels(y)
    kind, first = _label_sets(has)
    return deal(kind, Counts.of_sets(has[first]), n, np.random.default_rng(seed))


def _labels(y: object) -> Array:
    table = np.asarray(y)
    if table.ndim != 2:
        raise KKError(f"y has the shape {table.shape}, and rows x labels is needed", "Split one target with: kk cv --split stratified")
    if table.dtype.kind == "O":
        table = pd.DataFrame(table).apply(pd.to_numeric, errors="coerce").to_numpy()
    has = table != 0
    other = table != has
    if other.any():
        row, label = divmod(int(other.argmax()), table.shape[1])
        raise KKError(f"y is {table[row, label]} in row {row} of label {label}, neither 0 nor 1", "Split at random: kk cv --split random")
    return has


def _label_sets(has: Array) -> tuple[Array, Array]:
    """(int64[rows] code of each row's label set, the first row of each set)."""
    packed = np.packbits(has, axis=1)
    words = np.zeros((len(has), -(-packed.shape[1] // 8) * 8), dtype=np.uint8)
    words[:, :packed.shape[1]] = packed
    words = words.view(np.uint64)
    kind, sets = pd.factorize(words[:, 0])
    for word in words.T[1:]:
        codes, count = pd.factorize(word)
        kind, sets = pd.factorize(kind * len(count) + codes)
    return kind, first_of(kind, len(sets))


def first_of(codes: Array, count: int) -> Array:
    """int64[count]: where each code comes first."""
    first = np.empty(count, dtype=np.int64)
    first[codes[::-1]] = np.arange(len(codes) - 1, -1, -1)
    return first


@splitter("holdout", needs=("y",), counted=False)
def holdout(y: Array, n: int = 5, seed: int = 0, share: float | None = None) -> Array:
    """One fold: a share of the rows (default 1/n) is validated once, the rest only trains (-1).

    Stratified by the classes or quantile bins of y, at random where y is rows x labels. Raises KKError where either part would be empty.

    >>> folds = holdout(np.array([0] * 80 + [1] * 20), n=5)
    >>> int((folds[:80] == 0).sum()), int((folds[80:] == 0).sum())
    (16, 4)
    """
    check_n(n, len(y), "rows")
    share = 1 / n if share is None else share
    if not 0 < share < 1 or not 0 < round(share * len(y)) < len(y):
        raise KKError(f"a share of {share:g} of {len(y)} rows leaves nothing to validate or to train",
                      f"Give a share between {1 / len(y):.2g} and {1 - 1 / len(y):.2g}")
    rng = np.random.default_rng(seed)
    steps = np.floor(np.arange(len(y) + 1) * (round(share * len(y)) / len(y)) + 0.5)
    folds = np.full(len(y), -1, dtype=np.int16)
    folds[in_order(_holdout_codes(y), rng)[np.diff(steps) > 0]] = 0
    return folds


def _holdout_codes(y: object) -> Array:
    array = np.asarray(y)
    if array.ndim > 1 and array.shape[1] > 1:
        return np.zeros(len(array), dtype=np.int64)
    codes, count = coded(array, "y")
    return codes if count == 1 else strata(array)[0]
