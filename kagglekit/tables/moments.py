"""Moments: a column of time as numbers that can be subtracted, and a length of time in the same unit."""

import warnings

import numpy as np
import pandas as pd

from kagglekit.errors import KKError

Array = np.ndarray
WAYS: tuple[dict[str, object], ...] = ({}, {"dayfirst": True}, {"format": "ISO8601"}, {"format": "mixed"})
CHOOSE = "Choose another: kk cv --split time --time COL"


def as_moments(column: pd.Series, name: str = "") -> Array:
    """float64[rows]: nanoseconds since 1970 in UTC for dates (also as text, with or without a zone), the number itself for numbers.

    Raises KKError, with the first value that is wrong, for gaps and for text that is no date.

    >>> as_moments(pd.Series([3, 1, 2])).tolist()
    [3.0, 1.0, 2.0]
    >>> as_moments(pd.Series(["1970-01-01T01:00:00+01:00", "1970-01-01T00:00:01Z"])).tolist()
    [0.0, 1000000000.0]
    """
    name = name or str(column.name)
    if column.isna().any():
        row = int(np.flatnonzero(column.isna())[0])
        raise KKError(f"the time column {name!r} has {int(column.isna().sum())} gaps, the first in row {row}", CHOOSE)
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(column.cat.categories.dtype)
    if column.dtype.kind in "iuf" and not isinstance(column.dtype, pd.PeriodDtype):
        return column.to_numpy(dtype=np.float64)
    return _as_dates(column, name).to_numpy().astype("datetime64[ns]").astype(np.int64).astype(np.float64)


def is_dated(column: pd.Series) -> bool:
    """Whether its moments are nanoseconds (dates, times, text), so that lengths are written as "7d"."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.cat.categories.to_series()
    return column.dtype.kind not in "iuf" or isinstance(column.dtype, pd.PeriodDtype)


def _as_dates(column: pd.Series, name: str) -> pd.Series:
    if isinstance(column.dtype, pd.PeriodDtype):
        column = column.dt.to_timestamp()
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        return column.dt.tz_convert("UTC").dt.tz_localize(None)
    if column.dtype.kind == "M":
        return column
    if column.dtype.kind in "bmc":
        raise KKError(f"the time column {name!r} holds {column.iloc[0]}, which is no date", CHOOSE)
    parsed = next((found for found in (_parsed(column, **way) for way in WAYS) if found is not None), None)
    if parsed is None:
        told = pd.to_datetime(column, utc=True, errors="coerce", format="mixed")
        row = int(np.flatnonzero(told.isna())[0]) if told.isna().any() else 0
        raise KKError(f"the time column {name!r} holds {column.iloc[row]!r} in row {row}, which is no date, or one that is written in another way "
                      "than the others", CHOOSE)
    return parsed.dt.tz_localize(None)


def _parsed(column: pd.Series, **way: object) -> pd.Series | None:
    """The dates of text read in one way, None where that does not fit all; day and month are never read now so, now so."""
    if way.get("format") == "mixed" and column.astype(str).str.match(r"\d{1,2}[/.-]\d{1,2}[/.-]").any():
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return pd.to_datetime(column, utc=True, **way)
    except (ValueError, TypeError):
        return None


def length_of(given: object, dated: bool) -> float:
    """A length in the unit of as_moments: nanoseconds from "7d", "12h" (or days as a number) for dates, the number itself otherwise.

    Raises KKError for what is no length, or a negative one.

    >>> length_of("7d", dated=True) == 7 * 86400e9 and length_of(7, dated=True) == 7 * 86400e9
    True
    >>> length_of("2.5", dated=False)
    2.5
    """
    do = 'Give a number in the unit of the time column, or "7d" for dates'
    try:
        text = str(given).strip()
        if dated:
            days = text.replace(".", "", 1).isdigit()
            length = float(pd.Timedelta(f"{text}D" if days else text.replace("d", "D")).value)
        else:
            length = float(text)
    except ValueError as error:
        raise KKError(f"{given!r} is no length of time", do) from error
    if not 0 <= length < np.inf:
        raise KKError(f"{given!r} is no length of time", do)
    return length


def told_length(length: float, dated: bool) -> str:
    """A length as a person would type it.

    >>> told_length(7 * 86400e9, dated=True), told_length(36 * 3600e9, dated=True), told_length(2.0, dated=False)
    ('7d', '36h', '2')
    """
    if not dated:
        return f"{length:g}"
    for unit, size in (("d", 86400e9), ("h", 3600e9), ("min", 60e9), ("s", 1e9)):
        if length >= size and abs(length / size - round(length / size, 2)) < 1e-9 and (length % size == 0 or unit == "s"):
            return f"{length / size:g}{unit}"
    return f"{length / 1e9:g}s"
