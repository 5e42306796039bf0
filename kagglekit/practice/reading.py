"""Reading a submission: aligned to the answers, fast where all is well, and by text where a reason is to be found."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

Array = np.ndarray
TRUTH_WORDS = {"True": "1", "False": "0", "true": "1", "false": "0"}


class Malformed(Exception):
    """Why a file cannot be scored, in the words that the participant reads."""


@dataclass(frozen=True, slots=True)
class Submitted:
    """A submission's rows in the order of the answers; `rows` are their places in the file.

    `cells` are columns of float64 where the file was read at once, else of text.
    """

    columns: tuple[str, ...]
    id_column: str
    ids: Array
    rows: Array
    cells: dict[str, Array]

    def numbers(self, column: str) -> Array:
        """A column as finite numbers; raises Malformed with the first row that has none."""
        cells = self.cells[column]
        values = cells if cells.dtype == np.float64 else pd.to_numeric(pd.Series(cells), errors="coerce").to_numpy(dtype=np.float64)
        self._refuse(~np.isfinite(values), column, "is not a finite number")
        return values

    def labels(self, column: str) -> Array:
        """A column of whole numbers, or true and false."""
        cells = self.cells[column]
        if cells.dtype != np.float64:
            cells = pd.to_numeric(pd.Series(cells).replace(TRUTH_WORDS), errors="coerce").to_numpy(dtype=np.float64)
        self._refuse(~np.isfinite(cells), column, "is not a number")
        self._refuse(cells % 1 != 0, column, "is no label")
        return cells

    def texts(self, column: str) -> Array:
        """A column of text labels, none of them empty."""
        cells = self.cells[column]
        empty = cells == ""
        if empty.any():
            raise Malformed(f"Row {self._first(empty) + 1}: no label in column '{column}'")
        return cells

    def table(self) -> pd.DataFrame:
        """Ids and values as columns, as text where they were read so."""
        return pd.DataFrame({self.id_column: self.ids, **self.cells})

    def _first(self, bad: Array) -> int:
        return int(self.rows[bad].min())

    def _refuse(self, bad: Array, column: str, why: str) -> None:
        if bad.any():
            row = self._first(bad)
            cell = self.cells[column][self.rows == row][0]
            raise Malformed(f"Row {row + 1}: '{cell}' in column '{column}' {why}")


def read_submitted(path: Path, id_column: str, columns: Sequence[str], ids: Array, texts: frozenset[str] = frozenset()) -> Submitted:
    """The rows of a csv in the order of `ids` (text); columns in `texts` stay text. Raises Malformed with the row or column."""
    found = _fast(path, id_column, columns, texts)
    if found is None:
        found = _slow(path, id_column, columns)
    said, cells = found
    if len(said) != len(ids):
        raise Malformed(f"Submission must have {len(ids)} rows, it has {len(said)}")
    rows = _places(said, ids)
    if rows is None:
        return Submitted(tuple(columns), id_column, ids, np.arange(len(ids)), cells)
    return Submitted(tuple(columns), id_column, ids, rows, {column: values[rows] for column, values in cells.items()})


Found = tuple[Array, dict[str, Array]]


def _fast(path: Path, id_column: str, columns: Sequence[str], texts: frozenset[str]) -> Found | None:
    """Ids and cells by a typed reader; None where anything is out of the ordinary, so that the careful one says what."""
    import pyarrow as pa
    from pyarrow import csv

    types = {id_column: pa.string(), **{column: pa.string() if column in texts else pa.float64() for column in columns}}
    wanted = csv.ConvertOptions(column_types=types, include_columns=[id_column, *columns], null_values=[], strings_can_be_null=False)
    try:
        table = csv.read_csv(path, convert_options=wanted)
    except (pa.ArrowInvalid, pa.ArrowKeyError, OSError):
        return None
    cells = {column: table[column].to_numpy() for column in columns}
    if any(values.dtype == np.float64 and not np.isfinite(values).all() for values in cells.values()):
        return None
    return table[id_column].to_numpy(), cells


def _slow(path: Path, id_column: str, columns: Sequence[str]) -> Found:
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (ValueError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise Malformed(f"The file is not a csv: {str(error).splitlines()[0][:200]}") from error
    for column in (id_column, *columns):
        if column not in table.columns:
            raise Malformed(f"Column '{column}' is missing")
    return table[id_column].to_numpy(dtype=object), {column: table[column].to_numpy(dtype=object) for column in columns}


def _places(said: Array, ids: Array) -> Array | None:
    """Where in the file each of `ids` stands, None where the order is the same; raises Malformed with the first odd id."""
    if (said == ids).all():
        return None
    where = _index(_Key(ids)).get_indexer(said)
    unknown = where < 0
    twice = pd.Series(said).duplicated().to_numpy()
    if twice.any():
        row = int(np.flatnonzero(twice)[0])
        raise Malformed(f"Row {row + 1}: id {said[row]} is there more than once")
    if unknown.any():
        row = int(np.flatnonzero(unknown)[0])
        raise Malformed(f"Row {row + 1}: id {said[row]} is not in the test set")
    rows = np.empty(len(ids), dtype=np.int64)
    rows[where] = np.arange(len(ids))
    return rows


class _Key:
    """The ids of a contest as the key of a cache: the same array is the same contest."""

    def __init__(self, ids: Array) -> None:
        self.ids = ids

    def __hash__(self) -> int:
        return id(self.ids)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and other.ids is self.ids


@functools.lru_cache(maxsize=2)
def _index(key: _Key) -> pd.Index:
    return pd.Index(key.ids)
