"""Peek: a table of which only what is asked for is read: names from the footer, columns in part where there are many rows."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from pyarrow import parquet

CELLS, MOST_ROWS, LEAST_ROWS, PLACES = 20_000_000, 200_000, 2_000, 8


class Peek:
    """A data frame, or a Parquet file that is read column by column.

    `sample(column)` is the whole column where `exact`; of more rows it is taken from eight places of the file.
    """

    def __init__(self, source: "pd.DataFrame | Path") -> None:
        self._frame = source if isinstance(source, pd.DataFrame) else None
        self._file = None if isinstance(source, pd.DataFrame) else _opened(source)
        # The file makes a new schema at every call.
        self._schema = None if self._file is None else self._file.schema_arrow
        self.columns = [str(name) for name in (source.columns if self._schema is None else self._schema.names)]
        self._names = set(self.columns)
        self.rows = len(source) if self._frame is not None else self._file.metadata.num_rows
        self.most = max(LEAST_ROWS, min(MOST_ROWS, CELLS // max(len(self.columns), 1)))
        self._known: dict[str, pd.Series] = {}

    @property
    def exact(self) -> bool:
        """Whether samples are whole columns."""
        return self.rows <= self.most

    def __contains__(self, column: str) -> bool:
        return column in self._names

    def sample(self, column: str) -> pd.Series:
        """The column, or rows of it from several places."""
        if column not in self._known:
            self.load([column])
        return self._known[column]

    def load(self, columns: Sequence[str]) -> None:
        """Read several columns at once: cheaper than one by one."""
        wanted = [column for column in dict.fromkeys(columns) if column not in self._known]
        if wanted:
            table = self._rows(wanted)
            self._known.update({column: table[column] for column in wanted})

    def frame(self, columns: Sequence[str]) -> pd.DataFrame:
        """The sampled rows of some columns."""
        self.load(columns)
        return pd.DataFrame({column: self._known[column] for column in columns})

    def distinct(self, column: str, most: int) -> "set | None":
        """The values of the whole column, without gaps; None where there are more than `most`."""
        if self._frame is not None or self.exact:
            values = self.sample(column) if self._frame is None else self._frame[column]
            return _bounded(set(values.dropna().unique().tolist()), most)
        seen: set = set()
        for batch in self._file.iter_batches(batch_size=500_000, columns=[column]):
            seen |= set(batch.column(0).unique().drop_null().to_pylist())
            if len(seen) > most:
                return None
        return seen

    def kind(self, column: str) -> str:
        """What the column holds: integer, number, bool, time, text, empty or other; by the file's types, without reading it."""
        return kind_of(self._frame[column]) if self._frame is not None else _kind_of_arrow(self._schema.field(column).type)

    def _rows(self, columns: list[str]) -> pd.DataFrame:
        if self._frame is not None:
            part = self._frame[columns]
            return part if self.exact else part.iloc[_spread(self.rows, self.most)].reset_index(drop=True)
        if self.exact:
            # Notes of pandas in the file name every column: they cost more than the data of a few.
            return self._file.read(columns=columns).replace_schema_metadata(None).to_pandas()
        import pyarrow

        groups = self._file.metadata.num_row_groups
        chosen = sorted({round(place * (groups - 1) / (PLACES - 1)) for place in range(PLACES)})
        batches = [next(self._file.iter_batches(batch_size=self.most // len(chosen), row_groups=[number], columns=columns)) for number in chosen]
        return pyarrow.Table.from_batches(batches).replace_schema_metadata(None).to_pandas()


def _opened(path: Path) -> "parquet.ParquetFile":
    from pyarrow import parquet

    return parquet.ParquetFile(path)


def _spread(rows: int, most: int) -> list[int]:
    """Runs of neighbouring rows at several places: neighbours tell of groups, which single rows would not."""
    run = most // PLACES
    starts = [round(place * (rows - run) / (PLACES - 1)) for place in range(PLACES)]
    return [row for start in starts for row in range(start, start + run)]


def _bounded(values: set, most: int) -> "set | None":
    return values if len(values) <= most else None


def is_empty(table: Peek, column: str) -> bool:
    """Whether a column has gaps only."""
    return table.kind(column) == "empty" or bool(table.rows and table.sample(column).isna().all())


def kind_of(column: pd.Series) -> str:
    """What a column in memory holds."""
    letter = column.dtype.kind
    if letter in "iu":
        return "integer"
    if letter in "fb":
        return "number" if letter == "f" else "bool"
    if letter == "M":
        return "time"
    values = column.dropna().head(1000)
    if not len(values):
        return "empty"
    types = set(map(type, values.tolist()))
    return "text" if types == {str} else "bool" if types == {bool} else "other"


def _kind_of_arrow(kind: object) -> str:
    import pyarrow.types as types

    tests = (("integer", types.is_integer), ("number", types.is_floating), ("number", types.is_decimal), ("bool", types.is_boolean),
             ("time", types.is_timestamp), ("time", types.is_date), ("text", types.is_string), ("text", types.is_large_string),
             ("text", types.is_dictionary), ("empty", types.is_null))
    return next((name for name, fits in tests if fits(kind)), "other")
