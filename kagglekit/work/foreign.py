"""Someone else's folds: a csv or parquet file with ids and `fold`, matched to the train table by id."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from kagglekit.errors import KKError
from kagglekit.folds import Folds, from_assignment, ids_hash
from kagglekit.predictions import match_ids
from kagglekit.registry import near_names
from kagglekit.store import Store
from kagglekit.work.load import ROW, id_table

Array = np.ndarray
FOLD_NAMES = ("fold", "kfold", "folds", "fold_id", "cv_fold", "split")


def is_fold_file(text: str) -> bool:
    """Whether what was given names a file rather than folds or a column."""
    return Path(text).suffix in (".csv", ".parquet")


def foreign_folds(store: Store, path: Path, name: str, **facts: object) -> Folds:
    """Folds as a file tells them: the id column(s) in any order, `fold` (also kfold ...; negative or empty: never validated), and
    `repeat` where there are several. Rows of train that the file leaves out are never validated.

    Raises KKError for a file that is not there or cannot be read, missing columns, ids that train does not have and repeated ids.
    """
    table = _read(path)
    ids = id_table(store, "train")
    fold = _fold_column(table, path.name)
    if list(ids.columns) == [ROW] and ROW not in table.columns:
        table = _by_order(table, ids, path.name)
    missing = [column for column in ids.columns if column not in table.columns]
    if missing:
        near = near_names(missing[0], map(str, table.columns))
        raise KKError(f"{path.name} has no column {missing[0]!r}", f"{near}Give the id column(s) beside {fold}")
    parts = list(_repeats(table, fold, ids, path.name))
    row, repeat, number = (np.concatenate([part[column] for part in parts]) for column in range(3))
    return from_assignment(name, (row, repeat, number), ids_hash(ids), len(ids), splitter="predefined", **facts)


def _read(path: Path) -> pd.DataFrame:
    if not path.exists():
        raise KKError(f"no file {path}", "Give the path from here")
    try:
        return pd.read_csv(path) if path.suffix == ".csv" else pd.read_parquet(path)
    except (ValueError, OSError, pd.errors.ParserError) as error:
        raise KKError(f"{path} cannot be read: {error}", "Write it again with pandas: table.to_csv(path, index=False)") from error


def _fold_column(table: pd.DataFrame, name: str) -> str:
    found = [column for column in table.columns if str(column).lower() in FOLD_NAMES]
    if not found:
        raise KKError(f"{name} has no column 'fold'", f"It has: {', '.join(map(str, table.columns[:12]))}; name the one with folds fold")
    if table[found[0]].dtype.kind not in "iuf":
        raise KKError(f"{name} holds {table[found[0]].iloc[0]!r} in {found[0]}, which is no fold number", "Number the folds from 0")
    return str(found[0])


def _by_order(table: pd.DataFrame, ids: pd.DataFrame, name: str) -> pd.DataFrame:
    if len(table) != len(ids):
        raise KKError(f"{name} has {len(table)} lines, train has {len(ids)} rows and no id", f"Give one line a row, or the column {ROW!r}")
    return table.assign(**{ROW: np.arange(len(ids))})


def _repeats(table: pd.DataFrame, fold: str, ids: pd.DataFrame, name: str) -> Iterator[tuple[Array, Array, Array]]:
    repeats = table["repeat"] if "repeat" in table.columns else pd.Series(0, index=table.index)
    optional = np.zeros(len(ids), dtype=bool)
    for number, part in table.groupby(repeats):
        twice = part.duplicated(list(ids.columns))
        if twice.any():
            first = "/".join(str(value) for value in part.loc[twice, list(ids.columns)].iloc[0])
            raise KKError(f"row-twice: {name} has the id {first} more than once in a repeat ({int(twice.sum())} lines too many)",
                          "Give each row one fold, or number the repeats in a column repeat")
        position = match_ids(ids, part[list(ids.columns)], name, optional)
        row = np.flatnonzero(position >= 0)
        given = part[fold].to_numpy(dtype=np.float64)[position[row]]
        keep = ~np.isnan(given) & (given >= 0)
        if (given[keep] % 1 != 0).any():
            raise KKError(f"{name} holds the fold {given[keep][given[keep] % 1 != 0][0]:g}, which is no whole number", "Number the folds from 0")
        yield row[keep], np.full(int(keep.sum()), number), given[keep].astype(np.int64)
