"""Derived columns: a group or a time that is written inside other columns, named by a short text such as "PassengerId:prefix"."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from kagglekit.advice.features import features
from kagglekit.errors import KKError
from kagglekit.registry import near_names
from kagglekit.tables.moments import as_moments, length_of

SEPARATORS = r"[_\-.:#/|]"
CUTS = {"prefix": (rf"{SEPARATORS}[^_\-.:#/|]*$", ""), "suffix": (rf"^.*{SEPARATORS}", "")}
PERIODS = {"hour": "h", "day": "D", "week": "W", "month": "M", "year": "Y"}
PARTS = (*CUTS, "date", *PERIODS, "block=LENGTH")
YEARS = (1900, 2100)
LIMITS = {"month": (1, 12), "day": (1, 31), "hour": (0, 23)}
PLAIN = r"^\d{1,2}[/.-]\d{1,2}[/.-]\d{4}"
MONDAY = 3  # 1970-01-01 was a Thursday


def derived(table: pd.DataFrame, spec: str) -> pd.Series:
    """The column that `spec` names: "COL", "COL:part" (parts may follow each other), or several as "COL+COL".

    prefix and suffix: the text before and after the last of _ - . : # / | ; date: dates written as text, as 20230115 or 202301, or
    as Unix seconds; hour, day, week, month, year: the calendar period, named by its begin; block=9d (block=50 for numbers): the number
    of the block of that length since 1970 (since 0). Year, month (day, hour) columns joined by + are one date, any others one key.
    Gaps stay gaps. Raises KKError for unknown columns and parts, and for values that a part cannot be taken of.

    >>> table = pd.DataFrame({"id": ["0001_01", "0001_02", "0002_01"], "year": [2023, 2023, 2024], "month": [1, 2, 1]})
    >>> derived(table, "id:prefix").tolist()
    ['0001', '0001', '0002']
    >>> derived(table, "year+month").dt.strftime("%Y-%m").tolist()
    ['2023-01', '2023-02', '2024-01']
    """
    names, parts = parse(spec, [str(name) for name in table.columns])
    column = _named(table, names[0]) if len(names) == 1 else _joined([_named(table, name) for name in names])
    for part in parts:
        column = _part(column, part, spec)
    return column.rename(spec)


def parse(spec: str, columns: Sequence[str]) -> tuple[list[str], list[str]]:
    """(columns, parts) of a spec; a column's own name may hold : and +. Raises KKError for what is not there.

    >>> parse("a+b:month", ["a", "b"])
    (['a', 'b'], ['month'])
    """
    whole = max((name for name in columns if spec == name or spec.startswith(f"{name}:")), key=len, default=None)
    if whole is not None:
        names, rest = [whole], spec[len(whole) + 1:]
    else:
        head, _, rest = spec.partition(":")
        names = head.split("+")
    parts = rest.split(":") if rest else []
    for name in names:
        if name not in columns:
            raise KKError(f"train has no column {name!r}", f"{near_names(name, columns)}It has: {', '.join(columns[:12])}")
    for part in parts:
        if part not in PARTS and not part.startswith("block="):
            raise KKError(f"{spec!r} asks for the part {part!r} of {'+'.join(names)}", f"{near_names(part, PARTS)}Parts are: {', '.join(PARTS)}")
    return names, parts


def _named(table: pd.DataFrame, name: str) -> pd.Series:
    place = [str(column) for column in table.columns].index(name)
    return table.iloc[:, place]


def _part(column: pd.Series, part: str, spec: str) -> pd.Series:
    if part in CUTS:
        return _cut(column, part)
    if part.startswith("block="):
        return _block(column, part.removeprefix("block="), spec)
    dates = as_dates(column)
    if dates is None:
        raise KKError(f"{spec!r} needs dates, and the column {column.name!r} holds {column.iloc[0] if len(column) else 'nothing'!r}",
                      f"Name a column of dates, or take blocks of the numbers: {column.name}:block=100")
    return dates if part == "date" else _period(dates, part)


def _cut(column: pd.Series, part: str) -> pd.Series:
    """The text before or after the last separator; a value without one stays whole."""
    import pyarrow
    import pyarrow.compute as pc

    texts = next(features(column.to_frame())).train
    if not pyarrow.types.is_string(texts.type) or not pc.any(pc.match_substring_regex(texts, SEPARATORS)).as_py():
        shown = column.dropna()
        raise KKError(f"the column {column.name!r} has no {part}: no value, such as {shown.iloc[0] if len(shown) else None!r}, "
                      "holds one of _ - . : # / |", "Name the column itself, or another")
    pattern, other = CUTS[part]
    cut = pc.replace_substring_regex(texts, pattern, other)
    return pd.Series(cut.to_numpy(), index=column.index, name=column.name, dtype=object)


def _block(column: pd.Series, length: str, spec: str) -> pd.Series:
    """The number of the block that each moment lies in."""
    if column.dtype.kind not in "iufMmb" and column.dropna().astype(str).str.fullmatch(r"\d{1,15}").all():
        column = column.astype("Float64").astype(np.float64) if column.isna().any() else column.astype(np.float64)
    dates = as_dates(column) if column.dtype.kind not in "iuf" else None
    size = length_of(length, dates is not None)
    if not size:
        raise KKError(f"{spec!r} asks for blocks of no length", "Give one, as in COL:block=9d")
    known = (column if dates is None else dates).dropna()
    blocks = pd.Series(np.floor(as_moments(known, spec) / size), index=known.index)
    return blocks.reindex(column.index) if len(known) < len(column) else blocks.astype(np.int64)


def _period(dates: pd.Series, part: str) -> pd.Series:
    """The begin of the hour, day, week (Monday), month or year; NaT stays."""
    values = dates.to_numpy().astype("datetime64[ns]")
    if part == "week":
        days = values.astype("datetime64[D]")
        begin = days - (days.astype(np.int64) + MONDAY) % 7 * np.timedelta64(1, "D")
        begin[np.isnat(days)] = np.datetime64("NaT")
    else:
        begin = values.astype(f"datetime64[{PERIODS[part]}]")
    return pd.Series(begin.astype("datetime64[ns]"), index=dates.index, name=dates.name)


def _joined(columns: list[pd.Series]) -> pd.Series:
    """Year, month (day, hour) as dates; any other columns as one text key; a gap in one is a gap."""
    dates = _calendar(columns)
    if dates is not None:
        return dates
    gap = pd.concat([column.isna() for column in columns], axis=1).any(axis=1)
    key = columns[0].astype(str)
    for column in columns[1:]:
        key = key + "+" + column.astype(str)
    return key.astype(object).mask(gap)


def _calendar(columns: list[pd.Series]) -> pd.Series | None:
    """Dates where the columns hold years, then months, then days, then hours; None where they do not."""
    limits = {"year": YEARS, **LIMITS}
    if not 2 <= len(columns) <= len(limits) or any(column.dtype.kind not in "iuf" for column in columns):
        return None
    parts = {}
    for column, (name, (low, high)) in zip(columns, limits.items()):
        values = column.astype(np.float64)
        known = values.dropna()
        if not len(known) or not known.between(low, high).all() or (known % 1).any():
            return None
        parts[name] = values
    return pd.to_datetime(pd.DataFrame({"day": 1.0, **parts}), errors="coerce")


def as_dates(column: pd.Series) -> pd.Series | None:
    """Dates in UTC without a zone: of dates, of text that is dates, of 20230115, of 202301 and of Unix seconds; None for all else.

    >>> as_dates(pd.Series([20230115, 20230116])).dt.day.tolist()
    [15, 16]
    >>> as_dates(pd.Series([3, 4])) is None
    True
    """
    known = column.dropna()
    if not len(known) or column.dtype.kind in "bmc":
        return None
    try:
        read = _of_numbers(known) if column.dtype.kind in "iuf" else _of_others(known)
    except KKError:
        return None
    return None if read is None else read if len(known) == len(column) else read.reindex(column.index)


def _of_others(known: pd.Series) -> pd.Series:
    """Dates, and text that is dates, each value read once; where 13 or more comes first in 13/01/2023, days come first in all."""
    codes, values = pd.factorize(known)
    distinct = pd.Series(values)
    texts = distinct.astype(str)
    if texts.str.match(PLAIN).all() and (texts.str.extract(r"^(\d+)", expand=False).astype(int) > LIMITS["month"][1]).any():
        try:
            distinct = pd.to_datetime(texts.str.replace(r"[/.-]", "/", regex=True), dayfirst=True, format="mixed")
        except ValueError as error:
            raise KKError(f"the column {known.name!r} holds what is no date") from error
    return pd.Series(as_moments(distinct).astype(np.int64).view("M8[ns]")[codes], index=known.index)


def _of_numbers(known: pd.Series) -> pd.Series | None:
    values = known.to_numpy(dtype=np.float64)
    if (values % 1).any():
        return None
    low, high = values.min(), values.max()
    for form, digits, first, last in (("%Y%m%d", 100, 19_000_101, 21_001_231), ("%Y%m", 1, 190_001, 210_012)):
        if first <= low and high <= last and ((values // digits % 100 >= 1) & (values // digits % 100 <= 12)).all():
            read = pd.to_datetime(known.astype(np.int64).astype(str), format=form, errors="coerce")
            return None if read.isna().any() else read
    for unit, scale in (("s", 1.0), ("ms", 1e3)):
        if 3e8 * scale <= low and high <= 4e9 * scale:
            return pd.to_datetime(known.astype(np.int64), unit=unit)
    return None
