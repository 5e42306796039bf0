"""Splitters that follow a column: folds that someone else numbered, and rows by their likeness to the test set."""

import numpy as np
import pandas as pd

from kagglekit.errors import KKError
from kagglekit.splitters.base import splitter
from kagglekit.splitters.by_group import MOST_GROUPS, in_value_order
from kagglekit.splitters.looks import check_n, numbers, one_column

Array = np.ndarray


@splitter("predefined", needs=("column",), counted=False)
def predefined(column: Array, n: int = 5, seed: int = 0) -> Array:
    """Folds from a column: each distinct value, in order, is one; a gap (NaN) or a negative number is never validated. n and seed have no say.

    Raises KKError for a column without values, of one value in all rows, and of too many values to be folds.

    >>> predefined(np.array([10.0, 20.0, np.nan, -1.0, 10.0])).tolist()
    [0, 1, -1, -1, 0]
    """
    values = one_column(column, "column")
    left_out = pd.isna(values)
    if values.dtype.kind in "if":
        left_out |= values < 0
    codes, distinct = pd.factorize(values[~left_out])
    if not len(distinct):
        raise KKError("the column has gaps or negative numbers only", "Name a column with a value for each fold")
    if len(distinct) > MOST_GROUPS:
        raise KKError(f"the column has {len(distinct)} values, too many to be folds", "Split by groups: kk cv --split group --group COL")
    if len(distinct) == 1 and not left_out.any():
        raise KKError(f"the column is {distinct[0]} in all rows: nothing is left to train", "Name a column with a value for each fold")
    folds = np.full(len(values), -1, dtype=np.int16)
    folds[~left_out] = in_value_order(values[~left_out], codes, len(distinct))
    return folds


@splitter("adversarial", needs=("likeness",))
def adversarial(likeness: Array, n: int = 5, seed: int = 0, share: float = 0.5) -> Array:
    """The share of the rows that are most like test is validated, in n folds alike in likeness; the other rows only train (-1).

    likeness: float[rows], the out-of-fold probability that a row is a test row; only its order counts. Ranked by it, each n neighbours
    go to n folds. A row of the validated share trains when another fold is validated, as it will for the test set.

    >>> folds = adversarial(np.arange(20) / 20, n=5)
    >>> folds[:10].max(), np.bincount(folds[10:]).tolist()
    (np.int16(-1), [2, 2, 2, 2, 2])
    """
    likeness = numbers(likeness, "likeness")
    if not 0 < share <= 1:
        raise KKError(f"share is {share:g}, which is no share of the rows", "Give a number above 0, at most 1")
    validated = round(share * len(likeness))
    check_n(n, validated, "rows that are most like test")
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(likeness))
    order = order[np.argsort(-likeness[order], kind="stable")][:validated]
    strips = rng.permuted(np.tile(np.arange(n, dtype=np.int16), (-(-validated // n), 1)), axis=1)
    folds = np.full(len(likeness), -1, dtype=np.int16)
    folds[order] = strips.ravel()[:validated]
    return folds
