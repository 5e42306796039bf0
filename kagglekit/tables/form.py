"""The forms in which tables come, each as named text columns, part by part."""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from kagglekit.tables.rows import careful_columns, sampled, text_columns
from kagglekit.tables.source import PACKED, PIECE, Layout, layout, pieces, samples
from kagglekit.tables.values import Rules

if TYPE_CHECKING:
    import pyarrow

DELIMITED, RECORDS, COLUMNAR = (".csv", ".tsv"), (".json", ".jsonl", ".ndjson", ".xlsx"), (".parquet", ".feather", ".arrow")
PROBE, PROBE_A_COLUMN, PIECE_A_COLUMN = 1 << 20, 2048, 4096


@dataclass(frozen=True, slots=True)
class Part:
    """Some rows as text columns; `quoted` are those whose values stood in quotes where numbers would not (JSON, Excel)."""

    table: "pyarrow.Table"
    quoted: frozenset[str] = frozenset()

    def column(self, name: str) -> "pyarrow.Array":
        """A column as one array."""
        import pyarrow

        column = self.table[name]
        if not column.num_chunks:
            return pyarrow.array([], pyarrow.string())
        return column.chunk(0) if column.num_chunks == 1 else pyarrow.concat_arrays(column.chunks)


class Form(Protocol):
    """A file of text columns: how its text is to be read, its parts (each with the bytes read when it is there), some of them from all over."""

    path: Path
    name: str

    @property
    def names(self) -> tuple[str, ...]: ...

    @property
    def rules(self) -> Rules: ...

    @property
    def about(self) -> dict[str, object]: ...

    def parts(self, columns: Sequence[str] | None = None) -> Iterator[tuple[Callable[[], Part], int]]: ...

    def samples(self) -> Iterator[Part]: ...


@dataclass(frozen=True, slots=True)
class Delimited:
    """A csv or tsv; `careful` where quotes cannot be counted."""

    path: Path
    name: str
    layout: Layout
    careful: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Its columns."""
        return self.layout.names

    @property
    def rules(self) -> Rules:
        """A semicolon between cells means that a comma is a decimal point."""
        return Rules(decimal_comma=self.layout.delimiter == ";")

    @property
    def about(self) -> dict[str, object]:
        """What was told from its content."""
        return {"encoding": self.layout.encoding, "delimiter": self.layout.delimiter}

    def parts(self, columns: Sequence[str] | None = None) -> Iterator[tuple[Callable[[], Part], int]]:
        """Its rows; a part is parsed when it is called, in any thread."""
        if self.careful:
            for table, read in careful_columns(self.layout, columns):
                yield (lambda table=table: Part(table)), read
            return
        for piece in pieces(self.layout, max(PIECE, PIECE_A_COLUMN * len(self.names))):
            yield (lambda piece=piece: Part(text_columns(self.layout, piece, columns))), piece.read

    def samples(self) -> Iterator[Part]:
        """Rows from all over the file, as far as they can be read."""
        for block in samples(self.layout, max(PROBE, PROBE_A_COLUMN * len(self.names))):
            table = sampled(self.layout, block)
            if table is not None:
                yield Part(table.combine_chunks())

    def western(self) -> "Delimited":
        """The same file read as cp1252."""
        return dataclasses.replace(self, layout=layout(self.path, self.name, "cp1252"))

    def carefully(self) -> "Delimited":
        """The same file with rows cut by the parser, not by counting quotes."""
        return dataclasses.replace(self, careful=True)


def suffix_of(name: str) -> str:
    """A file's kind by its name, without the packing.

    >>> suffix_of("extra/Train.CSV.gz")
    '.csv'
    """
    lower = name.lower()
    for packed in PACKED:
        lower = lower.removesuffix(packed)
    return next((suffix for suffix in (*DELIMITED, *RECORDS, *COLUMNAR) if lower.endswith(suffix)), "")


def is_table(name: str) -> bool:
    """Whether a file is one that becomes a table, by its name: csv, tsv, json, jsonl, xlsx, parquet, feather; packed or not.

    >>> is_table("train.csv.zst"), is_table("notes.txt")
    (True, False)
    """
    return bool(suffix_of(name))


def open_form(path: Path, name: str) -> Form:
    """A file as text columns; raises KKError where it is no table."""
    if suffix_of(name) in DELIMITED:
        return Delimited(path, name, layout(path, name))
    from kagglekit.tables.records import open_records

    return open_records(path, name, suffix_of(name))
