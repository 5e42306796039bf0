"""What the columns of a table are, and a table of numbers, categories and text made of them, the same way for every part of it.

Nothing here looks at a target, and each row's outcome depends on the whole table only, not on which rows train.
"""

import re
import weakref
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

Array = np.ndarray
MOST_LEVELS = 1000
ROWS_A_LEVEL = 10  # with fewer rows a level on average a column is text, not categories: unseen levels would say "new row"
NUMBERS = {"boolean", "integer", "floating", "mixed-integer-float", "decimal"}
DATES = {"datetime64", "datetime", "date", "period"}
CYCLES = ("month", "weekday", "hour")
UNSAFE = re.compile(r'[\[\]{}",:\s]+')  # LightGBM refuses such names


@dataclass(frozen=True, slots=True)
class Kind:
    """What one column is: number, duration, date (`timed`: not always midnight), category (of `levels`, sorted) or text."""

    name: str
    levels: "pd.Index | None" = None
    timed: bool = False


def kinds_of(table: pd.DataFrame) -> dict[str, Kind]:
    """The Kind of every column, from all its rows.

    >>> table = pd.DataFrame({"size": [1, None], "mixed": [1.5, "a"], "day": pd.to_datetime(["2025-01-01", "2025-01-02"])})
    >>> {name: kind.name for name, kind in kinds_of(table).items()}
    {'size': 'number', 'mixed': 'category', 'day': 'date'}
    """
    return {name: _kind(table[name]) for name in table.columns}


def is_plain(table: pd.DataFrame) -> bool:
    """Whether all columns are numbers that can be taken as they are."""
    return all(isinstance(kind, np.dtype) and kind.kind in "iuf" for kind in table.dtypes)


def _kind(column: pd.Series) -> Kind:
    kind = column.dtype.kind
    if kind in "iufb":
        return Kind("number")
    if kind == "m":
        return Kind("duration")
    if kind == "M" or isinstance(column.dtype, pd.PeriodDtype):
        return _date(column)
    if kind == "O" and not isinstance(column.dtype, (pd.CategoricalDtype, pd.StringDtype)):
        held = pd.api.types.infer_dtype(column, skipna=True)
        if held in NUMBERS or held == "empty":
            return Kind("number")
        if held in ("timedelta", "timedelta64"):
            return Kind("duration")
        if held in DATES:
            return _date(column)
    if not column.notna().any():
        return Kind("number")
    levels = pd.Index(as_text(column).dropna().unique()).sort_values()
    most = max(2, min(MOST_LEVELS, len(column) // ROWS_A_LEVEL))
    return Kind("category", levels) if len(levels) <= most else Kind("text")


def _date(column: pd.Series) -> Kind:
    moments = as_dates(column)
    return Kind("date", timed=bool((moments != moments.dt.normalize())[moments.notna()].any()))


def as_text(column: pd.Series) -> pd.Series:
    """Values as text, gaps kept: 1 and 1.0 of a mixed column are two values."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        names = np.array([*map(str, column.cat.categories), None], dtype=object)
        return pd.Series(names[column.cat.codes.to_numpy()], index=column.index, dtype="str")
    return column if isinstance(column.dtype, pd.StringDtype) else column.astype(object).map(str, na_action="ignore").astype("str")


def as_numbers(column: pd.Series) -> Array:
    """float64[rows] (numbers that numpy knows stay as they are); what is no number is a gap."""
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "iuf":
        return column.to_numpy()
    if column.dtype.kind in "iufb":
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    truth = column.map(lambda value: float(value) if isinstance(value, (bool, np.bool_)) else value)
    return pd.to_numeric(truth, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)


def as_dates(column: pd.Series) -> pd.Series:
    """Moments without time zone, in UTC where there was one; what is no date is a gap."""
    if isinstance(column.dtype, pd.PeriodDtype):
        column = column.dt.to_timestamp()
    if not str(column.dtype).startswith("datetime64"):
        values = [value.to_timestamp() if isinstance(value, pd.Period) else value for value in column]
        column = pd.to_datetime(pd.Series(values, index=column.index, dtype=object), errors="coerce", utc=True)
    zone = column.dt.tz
    return column if zone is None else column.dt.tz_convert("UTC").dt.tz_localize(None)


def date_parts(column: pd.Series, timed: bool) -> dict[str, Array]:
    """Days since 1970 (with the time of day), year, month, day, weekday, day of the year; hour, minute and second where there are times.

    >>> parts = date_parts(pd.Series(pd.to_datetime(["2025-03-01 12:00"])), timed=True)
    >>> parts["days"].tolist(), parts["month"].tolist(), parts["weekday"].tolist(), parts["hour"].tolist()
    ([20148.5], [3.0], [5.0], [12.0])
    """
    dates = as_dates(column)
    known = {"year": dates.dt.year, "month": dates.dt.month, "day": dates.dt.day, "weekday": dates.dt.day_of_week, "yearday": dates.dt.day_of_year}
    if timed:
        known |= {"hour": dates.dt.hour, "minute": dates.dt.minute, "second": dates.dt.second}
    days = ((dates - pd.Timestamp(0)) / pd.Timedelta(days=1)).to_numpy(dtype=np.float64)
    return {"days": days, **{part: values.to_numpy(dtype=np.float64) for part, values in known.items()}}


def prepared(table: pd.DataFrame, kinds: Mapping[str, Kind]) -> pd.DataFrame:
    """A table of numbers, categories (of the levels that `kinds` knows) and text; dates are numbers, `column.part` each."""
    if is_plain(table) and list(table.columns) == safe_names(table.columns):
        return table
    made = [pair for name, kind in kinds.items() for pair in _parts(str(name), table[name], kind)]
    names = safe_names([name for name, _ in made])
    return pd.DataFrame(dict(zip(names, (values for _, values in made))), index=table.index, copy=False)


def _parts(name: str, column: pd.Series, kind: Kind) -> list[tuple[str, object]]:
    if kind.name == "number":
        return [(name, as_numbers(column))]
    if kind.name == "duration":
        return [(name, pd.to_timedelta(column, errors="coerce").dt.total_seconds().to_numpy(dtype=np.float64))]
    if kind.name == "date":
        return [(f"{name}.{part}", values) for part, values in date_parts(column, kind.timed).items()]
    if kind.name == "category":
        return [(name, pd.Categorical.from_codes(kind.levels.get_indexer(as_text(column)), categories=kind.levels))]
    return [(name, as_text(column).to_numpy(dtype=object, na_value=None))]


def safe_names(names: object) -> list[str]:
    """Names that every library takes, each once.

    >>> safe_names(["a b", "a_b", "size [m]", 3])
    ['a_b', 'a_b_2', 'size_m_', '3']
    """
    taken: dict[str, int] = {}
    for name in names:
        short = unique = UNSAFE.sub("_", str(name))
        number = 1
        while unique in taken:
            number += 1
            unique = f"{short}_{number}"
        taken[unique] = 1
    return list(taken)


class Memory:
    """What was prepared for the last tables, kept as long as they live: folds share it."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[weakref.ref, weakref.ref, tuple[pd.DataFrame, pd.DataFrame, dict[str, Kind]]]] = {}

    def whole(self, table: pd.DataFrame, test: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, Kind]]:
        """Both tables prepared by the kinds of the first."""
        found = self._known.get(id(table))
        if found is not None and found[0]() is table and found[1]() is test:
            return found[2]
        kinds = kinds_of(table)
        answer = prepared(table, kinds), prepared(test, kinds), kinds
        if answer[0] is not table:  # a table that prepares to itself would never die here
            key = id(table)
            self._known[key] = (weakref.ref(table, lambda _: self._known.pop(key, None)), weakref.ref(test), answer)
        return answer
