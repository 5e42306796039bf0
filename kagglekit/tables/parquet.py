"""Typed Parquet files: written group by group, with a record of how they were read."""

import concurrent.futures
import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from kagglekit.tables.graft import graft
from kagglekit.tables.meaning import arrow_type

if TYPE_CHECKING:
    import pyarrow

KEY = b"kagglekit"
VERSION = 1
GROUP_BYTES, GROUP_ROWS = 64 << 20, 1 << 20


@dataclass(frozen=True, slots=True)
class Record:
    """How a table was read: the raw file's stamp, its layout, and for each column its type, marks, words read as missing, and a
    value that made it text."""

    stamp: Mapping[str, int]
    about: Mapping[str, object] = field(default_factory=dict)
    types: Mapping[str, str] = field(default_factory=dict)
    marks: Mapping[str, Sequence[str]] = field(default_factory=dict)
    missing: Mapping[str, Sequence[str]] = field(default_factory=dict)
    odd: Mapping[str, str] = field(default_factory=dict)

    def changed(self, kinds: Mapping[str, str]) -> "Record":
        """The record with other types for some columns."""
        return dataclasses.replace(self, types={**self.types, **kinds})


def stamp_of(path: Path) -> dict[str, int]:
    """What tells that a raw file is not the one that was read: its size and when it was written."""
    status = path.stat()
    return {"bytes": status.st_size, "mtime_ns": status.st_mtime_ns}


def record_of(columns: Mapping[str, object], stamp: Mapping[str, int], about: Mapping[str, object]) -> Record:
    """The Record of columns that were read."""
    return Record(stamp=stamp, about=about, types={name: column.kind for name, column in columns.items()},
                  marks={name: sorted(column.marks) for name, column in columns.items()},
                  missing={name: sorted(column.words) for name, column in columns.items() if column.words},
                  odd={name: column.odd for name, column in columns.items() if column.odd})


def read_record(path: Path) -> Record | None:
    """The Record of a Parquet; None where the file is not there or was not made here."""
    from pyarrow import ArrowException, parquet

    try:
        found = json.loads((parquet.read_metadata(path).metadata or {})[KEY])
        return Record(**found["record"]) if found["version"] == VERSION else None
    except (OSError, ArrowException, KeyError, ValueError, TypeError):
        return None


class Sink:
    """A Parquet that is being written; `groups` are the rows of each row group where they are given."""

    def __init__(self, path: Path, kinds: Mapping[str, str] | None = None, groups: Iterable[int] | None = None,
                 schema: "pyarrow.Schema | None" = None) -> None:
        import pyarrow
        from pyarrow import parquet

        self.record: Record | None = None
        # Without Arrow's own schema beside Parquet's, columns can be replaced; the types of our kinds need none.
        own = schema or pyarrow.schema([(name, arrow_type(kind)) for name, kind in (kinds or {}).items()])
        texts = [field.name for field in own if pyarrow.types.is_string(field.type) or pyarrow.types.is_large_string(field.type)]
        self._writer = parquet.ParquetWriter(path, own, compression="lz4", use_dictionary=texts, store_schema=schema is not None)
        self._groups = iter(groups) if groups is not None else None
        self._next = next(self._groups, GROUP_ROWS) if self._groups is not None else GROUP_ROWS
        self._waiting: list[pyarrow.Table] = []
        self._rows = self._bytes = 0
        # A group is packed while the next one is read.
        self._pool = concurrent.futures.ThreadPoolExecutor(1)
        self._written: concurrent.futures.Future | None = None

    def add(self, table: "pyarrow.Table") -> None:
        """Take some rows; a row group is written when it is full."""
        self._waiting.append(table)
        self._rows += table.num_rows
        self._bytes += table.nbytes
        while self._rows >= self._next or (self._groups is None and self._bytes >= GROUP_BYTES):
            self._flush(min(self._rows, self._next))

    def _flush(self, rows: int) -> None:
        import pyarrow

        if not rows:
            return
        table = pyarrow.concat_tables(self._waiting)
        if self._written is not None:
            self._written.result()
        self._written = self._pool.submit(self._writer.write_table, table.slice(0, rows), row_group_size=rows)
        rest = table.slice(rows)
        self._waiting, self._rows, self._bytes = [rest] if rest.num_rows else [], rest.num_rows, rest.nbytes if rest.num_rows else 0
        if self._groups is not None:
            self._next = next(self._groups, GROUP_ROWS)

    def __enter__(self) -> "Sink":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is None:
            self._flush(self._rows)
        self._pool.shutdown(wait=True)
        if error is None:
            if self._written is not None:
                self._written.result()
            if self.record is not None:
                self._writer.add_key_value_metadata({KEY: _packed(self.record)})
        self._waiting = []
        self._writer.close()


def row_groups(path: Path) -> list[int]:
    """Rows of each row group."""
    from pyarrow import parquet

    footer = parquet.read_metadata(path)
    return [footer.row_group(number).num_rows for number in range(footer.num_row_groups)]


def merge(path: Path, beside: Path, record: Record) -> None:
    """Put the columns of `beside`, which has the same row groups, into `path` in the place of its own."""
    graft(path, beside, {KEY: _packed(record)})


def _packed(record: Record) -> bytes:
    return json.dumps({"version": VERSION, "record": dataclasses.asdict(record)}).encode()
