"""A table on disk, read in batches: exact counts of what is missing, and a seeded sample that is small enough to keep."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pyarrow

SEED = 0
ROWS = 200_000
WHOLE_ROWS = 5_000_000  # one column of so many rows is read whole
BATCH_CELLS = 2_000_000
READ_BYTES = 1 << 18
SAMPLE_BYTES = 500_000_000


@dataclass(frozen=True, slots=True)
class Source:
    """A Parquet table: its size, the missing values of each column (of all rows), and the sample's columns in `table`."""

    path: Path
    rows: int
    bytes: int
    memory: int
    missing: Mapping[str, int]
    table: "pyarrow.Table"

    @property
    def names(self) -> Mapping[str, int]:
        """The columns in order, as keys."""
        return self.missing

    @property
    def taken(self) -> int:
        """Rows in the sample."""
        return self.table.num_rows

    @property
    def whole(self) -> bool:
        """Whether the sample is the table."""
        return self.taken == self.rows

    def column(self, name: str) -> "pyarrow.ChunkedArray":
        """A column of all rows where they are not too many to keep, else of the sample."""
        if self.whole or self.rows > WHOLE_ROWS:
            return self.table[name]
        return _open(self.path).read(columns=[name])[name]


def _open(path: Path) -> "pyarrow.parquet.ParquetFile":
    from pyarrow import parquet

    return parquet.ParquetFile(path, pre_buffer=False, buffer_size=READ_BYTES)


def batches(path: Path, names: Sequence[str]) -> "Iterator[pyarrow.RecordBatch]":
    """The columns `names` in batches of bounded size."""
    size = max(1_000, min(65_536, BATCH_CELLS // max(1, len(names))))
    yield from _open(path).iter_batches(batch_size=size, columns=list(names))


def read_source(path: Path, rows: int | None = ROWS) -> Source:
    """Read a table once: count what is missing and keep `rows` rows, drawn with a fixed seed (None: all rows)."""
    import pyarrow
    import pyarrow.compute as pc

    file = _open(path)
    schema, total = file.schema_arrow, file.metadata.num_rows
    missing = dict.fromkeys(schema.names, 0)
    kept: list[pyarrow.RecordBatch] = []
    picks: np.ndarray | None = None
    start = 0
    for batch in batches(path, schema.names):
        if start == 0:
            picks = _picks(total, rows, batch.nbytes / max(1, batch.num_rows))
        for name, column in zip(batch.schema.names, batch.columns):
            gaps = column.null_count
            if pyarrow.types.is_floating(column.type):
                gaps = pc.sum(pc.is_null(column, nan_is_null=True)).as_py() or 0
            missing[name] += gaps
        if picks is None:
            kept.append(batch)
        else:
            low, high = np.searchsorted(picks, (start, start + batch.num_rows))
            kept.append(batch.take(pyarrow.array(picks[low:high] - start)))
        start += batch.num_rows
    table = pyarrow.Table.from_batches(kept, schema=schema)
    memory = round(table.nbytes / max(1, table.num_rows) * total)
    return Source(path, total, path.stat().st_size, memory, missing, table)


def _picks(total: int, rows: int | None, width: float) -> np.ndarray | None:
    """Which rows to keep, in order; None for all. Very wide rows are fewer, unless all were asked for."""
    if rows is None:
        return None
    rows = min(rows, max(1_000, int(SAMPLE_BYTES / max(1.0, width))))
    if rows >= total:
        return None
    return np.sort(np.random.default_rng(SEED).choice(total, rows, replace=False, shuffle=False))
