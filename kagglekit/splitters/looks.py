"""What splitters see of their arrays: codes of classes and groups, strata, moments; what cannot be split is refused."""

import numpy as np
import pandas as pd

from kagglekit.errors import KKError

Array = np.ndarray
MOST_FOLDS = np.iinfo(np.int16).max
MANY = 100  # values: above it a number is a quantity, and a text no class unless it comes often
BINS = 10


def check_n(n: int, most: int, unit: str, least: int = 2) -> None:
    """Raise KKError where n folds are too few, or more than there are units to fill them."""
    if n != int(n):
        raise KKError(f"{n} is no number of folds", "Give a whole number: kk cv -n 5")
    if n < least:
        raise KKError(f"{n} folds are too few to validate", f"Give at least {least}: kk cv -n {least}")
    if n > most:
        fewer = f"Give fewer: kk cv -n {most}" if most >= least else "Choose another split: kk cv --split random"
        raise KKError(f"{n} folds are more than the {most} {unit}", fewer)
    if n > MOST_FOLDS:
        raise KKError(f"{n} folds are more than the {MOST_FOLDS} that are numbered", "Give fewer: kk cv -n 10")


def check_length(name: str, length: float) -> None:
    """Raise KKError where a length of time is negative or no number."""
    if not 0 <= length < np.inf:
        raise KKError(f"the {name} is {length:g}", f"Give a length of time that is not negative: kk cv --{name.replace('_', '-')} L")


def one_column(values: object, name: str) -> Array:
    """`values` as an array [rows]; raises KKError for several columns."""
    array = np.asarray(values)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise KKError(f"{name} has the shape {array.shape} and one value a row is needed",
                      "Split rows x labels with: kk cv --split multilabel" if name == "y" else "Give one column")
    return array


def coded(values: object, name: str) -> tuple[Array, int]:
    """(int64[rows] codes from 0 in order of appearance, how many there are); raises KKError for missing values."""
    codes, distinct = pd.factorize(one_column(values, name))
    _check_there(codes < 0, name, "NaN")
    return codes, len(distinct)


def _check_there(missing: Array, name: str, how: str) -> None:
    if missing.any():
        raise KKError(f"{name}: {int(missing.sum())} of {len(missing)} values are missing ({how}), the first in row {int(missing.argmax())}",
                      "Fill or drop these rows, or split without it: kk cv --split random")


def class_codes(y: object) -> tuple[Array, int]:
    """Classes as codes; raises KKError for a constant target and for more values than classes can have."""
    codes, count = coded(y, "y")
    check_varies(y, count)
    if count > max(MANY, len(codes) // 4):
        numeric = np.asarray(y).dtype.kind in "iuf"
        raise KKError(f"y has {count} values in {len(codes)} rows, too many classes to stratify",
                      f"Split by quantiles or at random: kk cv --split {'stratified-regression' if numeric else 'random'}")
    return codes, count


def check_varies(y: object, count: int) -> None:
    """Raise KKError where y has one value only."""
    if count == 1:
        raise KKError(f"y is {np.asarray(y).ravel()[0]} in all rows: there is nothing to stratify",
                      "Check the target in competition.toml, or split without it: kk cv --split random")


def strata(y: object) -> tuple[Array, int]:
    """Classes as codes, or the quantile bins of a quantity; raises KKError as `class_codes` does.

    A number is a quantity if it has more than 100 values, or 10 where some are fractions; but all of 0..C or 1..C are codes of classes.
    """
    y = one_column(y, "y")
    if y.dtype.kind not in "iuf":
        return class_codes(y)
    codes, count = coded(y, "y")
    fractions = y.dtype.kind == "f" and count > BINS and bool((y % 1 != 0).any())
    if fractions or (count > MANY and (y.min() not in (0, 1) or y.max() - y.min() + 1 != count)):
        return quantile_bins(y, BINS)
    check_varies(y, count)
    return codes, count


def quantile_bins(y: object, bins: int) -> tuple[Array, int]:
    """(int64[rows] bins of about equal rows, how many there are). Equal values share a bin, so heavy ties make fewer bins.

    >>> quantile_bins(np.array([0.0, 0.0, 0.0, 0.0, 1.0, 2.0, 3.0, 4.0]), 4)[0].tolist()
    [0, 0, 0, 0, 1, 1, 2, 2]
    """
    y = numbers(y, "y")
    edges = np.unique(np.quantile(y, np.arange(1, bins) / bins, method="inverted_cdf"))
    codes = np.searchsorted(edges, y, side="left")  # an edge is the greatest value of its bin
    return coded(codes, "y")


def numbers(values: object, name: str) -> Array:
    """float64[rows], dates as nanoseconds; raises KKError for missing values and for what is neither a number nor a date."""
    array = one_column(values, name)
    if array.dtype.kind in "mM":
        missing, array = np.isnat(array), array.astype(f"{array.dtype.kind}8[ns]").astype(np.int64).astype(np.float64)
    else:
        array = _floats(array, name)
        missing = ~np.isfinite(array)
    _check_there(missing, name, "NaN or infinite")
    return array


def _floats(array: Array, name: str) -> Array:
    try:
        return array.astype(np.float64)
    except (TypeError, ValueError):
        shown = next((value for value in array.ravel().tolist() if isinstance(value, str)), array.ravel()[0])
        raise KKError(f"{name} holds {shown!r}, which is no number", "Name a column of numbers or dates, or choose another split") from None
