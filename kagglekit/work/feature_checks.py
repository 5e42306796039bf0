"""What a person's features must hold: the same rows in the same order, unique columns, no target, nothing infinite."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from kagglekit.competition import Competition
from kagglekit.errors import KKError
from kagglekit.progress import say
from kagglekit.work.feature_code import Set

MOST_TOLD = 5
CONTAINERS = (dict, list, tuple, set, frozenset, np.ndarray)


def checked(given: object, like: pd.DataFrame, one: Set, competition: Competition, place: str) -> pd.DataFrame:
    """A table that a set gave for the rows of `like` (`place` is train, valid or test), with their index and names as text.

    Ids and ignored columns that were passed through are left out, infinite values become missing ones; both are said once, for train.
    Raises KKError for anything else that breaks a rule.
    """
    table = _as_frame(given, one, place)
    _check_names(table, one, competition)
    _check_rows(table, like, one, place)
    table = table.set_axis(like.index)
    passed = [name for name in (*competition.id, *competition.ignore) if name in table and name in like and _same(table[name], like[name])]
    passed = [name for name in passed if not str(table[name].dtype).startswith("datetime")]
    if passed and place == "train":
        say(f"{one.place}: {', '.join(passed[:MOST_TOLD])} left out (ids and ignored columns are no features)")
    return _finite(table.drop(columns=passed), one, place)


def checked_extra(given: object, like: pd.DataFrame, one: Set) -> pd.DataFrame:
    """Rows that only train, with the columns of `like`: those that they lack are missing values, which is said."""
    table = _as_frame(given, one, "X_extra").reset_index(drop=True)
    if table.columns.has_duplicates:
        raise KKError(f"{one.place} gives the column {table.columns[table.columns.duplicated()][0]!r} twice", "Give each column another name")
    lacking = [name for name in like.columns if name not in table.columns]
    if len(lacking) == like.shape[1]:
        raise KKError(f"{one.place} gives none of the columns of X_train, such as {lacking[0]!r}", "Return rows with the columns of fold.X_train")
    if lacking:
        say(f"{one.place}: its rows have no {', '.join(map(str, lacking[:MOST_TOLD]))}: missing values there")
    return _finite(table.reindex(columns=like.columns), one, "train")


def joined(parts: Sequence[tuple[str, pd.DataFrame]], last_wins: bool = False) -> pd.DataFrame:
    """The tables of several sets side by side. A column that two have is taken once where it is equal (or `last_wins`), else refused."""
    columns: dict[str, pd.Series] = {}
    owner: dict[str, str] = {}
    for name, table in parts:
        for column in table.columns:
            if column in columns and not last_wins and not _same(columns[column], table[column]):
                raise KKError(f"the features {owner[column]} and {name} both have a column {column!r} with other values", "Name it otherwise in one")
            owner.setdefault(column, name)
            columns[column] = table[column]
    if len(parts) == 1:
        return parts[0][1]
    return pd.DataFrame(columns, index=parts[0][1].index, copy=False)


def _as_frame(given: object, one: Set, place: str) -> pd.DataFrame:
    """A DataFrame of what may be one: polars', a matrix whose columns get the set's name."""
    if hasattr(given, "to_pandas"):
        given = given.to_pandas()
    if isinstance(given, pd.Series):
        given = given.to_frame(one.name if given.name is None else given.name)
    if isinstance(given, np.ndarray) and given.ndim in (1, 2):
        given = pd.DataFrame(given.reshape(len(given), -1)).add_prefix(f"{one.name}_")
    if not isinstance(given, pd.DataFrame):
        raise KKError(f"{one.place} gives a {type(given).__name__} for {place}", "Return DataFrames")
    table = given.set_axis(given.columns.map(str), axis=1)
    _refuse_containers(table, one)
    return table


def _refuse_containers(table: pd.DataFrame, one: Set) -> None:
    """Raise KKError for a column whose cells are dicts, lists or arrays: no model and no file takes it."""
    for number, name in enumerate(table.columns):
        column = table.iloc[:, number]
        if column.dtype != object or pd.api.types.infer_dtype(column, skipna=True) != "mixed":
            continue
        held = next((cell for cell in column if isinstance(cell, CONTAINERS)), None)
        if held is not None:
            raise KKError(f"{one.place} gives a {type(held).__name__} in each cell of the column {name!r}",
                          "Give a column for each part of it: numbers, text, truth values or dates")


def _check_names(table: pd.DataFrame, one: Set, competition: Competition) -> None:
    if table.columns.empty:
        raise KKError(f"{one.place} gives no columns", "Return at least one")
    if table.columns.has_duplicates:
        raise KKError(f"{one.place} gives the column {table.columns[table.columns.duplicated()][0]!r} twice", "Give each column another name")
    targets = [name for name in competition.target if name in table.columns]
    if targets:
        raise KKError(f"{one.place} gives the target {targets[0]!r} as a feature", f"Leave it out: .drop(columns=[{targets[0]!r}])")


def _check_rows(table: pd.DataFrame, like: pd.DataFrame, one: Set, place: str) -> None:
    """As many rows in the same order, as far as the index and columns that were passed through can tell."""
    if len(table) != len(like):
        raise KKError(f"{one.place} gives {len(table)} rows for the {len(like)} of {place}", "Return one row for each, in the same order")
    numbered = table.index.dtype.kind in "iu" and bool((np.diff(table.index.to_numpy()) == 1).all())
    moved = not numbered and not table.index.equals(like.index)
    names = [name for name in table.columns if name in like.columns]
    if moved or any(_shuffled(table[name], like[name]) for name in names):
        raise KKError(f"{one.place} gives the rows of {place} in another order", "Sort them back: .sort_index(), or .reindex(train.index)")


def _same(given: pd.Series, own: pd.Series) -> bool:
    """Equal values, whatever the index."""
    return given.dtype == own.dtype and given.reset_index(drop=True).equals(own.reset_index(drop=True))


def _shuffled(given: pd.Series, own: pd.Series) -> bool:
    """The same values, nearly all different, but not in the same rows."""
    if given.dtype != own.dtype or _same(given, own) or own.nunique() < max(0.9 * len(own), 3):
        return False
    a, b = (np.sort(pd.util.hash_pandas_object(column, index=False).to_numpy()) for column in (given, own))
    return bool(np.array_equal(a, b))


def _finite(table: pd.DataFrame, one: Set, place: str) -> pd.DataFrame:
    numbers = [name for name in table.columns if isinstance(table[name].dtype, np.dtype) and table[name].dtype.kind == "f"]
    infinite = {name: count for name in numbers if (count := int(np.isinf(table[name].to_numpy()).sum()))}
    if not infinite:
        return table
    if place == "train":
        told = ", ".join(f"{name} ({count})" for name, count in list(infinite.items())[:MOST_TOLD])
        say(f"{one.place}: infinite values are taken as missing: {told}")
    return table.assign(**{name: table[name].where(np.isfinite(table[name]) | table[name].isna()) for name in infinite})
