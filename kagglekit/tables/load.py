"""Reading a table as a data frame: some columns of its Parquet, or of the raw file where there is none."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from kagglekit.errors import KKError
from kagglekit.progress import task
from kagglekit.registry import near_names
from kagglekit.tables.convert import Column, guess_marks, typed_parts
from kagglekit.tables.form import COLUMNAR, Delimited, Form, open_form, suffix_of
from kagglekit.tables.shapes import EXACT, type_of
from kagglekit.tables.source import OtherEncoding, StrayQuotes

if TYPE_CHECKING:
    import pyarrow
    from pyarrow import parquet


@dataclass(frozen=True, slots=True)
class Footer:
    """What a table tells without being read; `rows` is None for a raw file, whose rows nobody has counted."""

    rows: int | None
    columns: tuple[str, ...]


def footer(path: Path) -> Footer:
    """Rows and columns of a table, without reading its data."""
    if suffix_of(path.name) != ".parquet":
        return Footer(None, open_form(path, path.name).names)
    from pyarrow import parquet

    found = parquet.ParquetFile(path)
    return Footer(found.metadata.num_rows, tuple(found.schema_arrow.names))


def read_columns(path: Path, columns: Sequence[str] | None = None, *, nullable: bool = False) -> pd.DataFrame:
    """Some columns (None: all) of a Parquet, or of a raw table file, typed alike.

    Integers with gaps come as float64 where that is exact and as Int64 where it is not; with `nullable` always as Int64, and
    booleans with gaps as boolean. A raw file is typed on its own: only Parquet files of train and test are sure to agree.
    """
    if suffix_of(path.name) in COLUMNAR:
        return _frame(*_read_parquet(path, columns), nullable)
    return _frame(*_read_raw(path, columns), nullable)


def _read_parquet(path: Path, columns: Sequence[str] | None) -> tuple["pyarrow.Table", frozenset[str]]:
    from pyarrow import feather, parquet

    if suffix_of(path.name) != ".parquet":
        return feather.read_table(path, columns=list(columns) if columns is not None else None), frozenset()
    found = parquet.read_metadata(path)
    names = found.schema.to_arrow_schema().names
    _refuse_unknown(path, columns, names)
    wanted = list(columns) if columns is not None else names
    coded = _coded(found, wanted)
    with parquet.ParquetFile(path, memory_map=True, metadata=found, read_dictionary=coded) as file:
        table = file.read(columns=wanted).select(wanted)
        return _decoded(table, coded), _wide(file, table)


def _coded(found: "parquet.FileMetaData", wanted: Sequence[str]) -> list[str]:
    """Text columns of few values, which are kept as codes: decoding them at once is twice as fast as value by value.

    A text takes four bytes and its own length, so that less than six bytes a value tell codes.
    """
    import pyarrow

    schema = found.schema.to_arrow_schema()
    if len(schema) != found.num_columns or not found.num_row_groups:
        return []
    places = {name: number for number, name in enumerate(schema.names)}
    first = found.row_group(0)
    texts = [name for name in wanted if pyarrow.types.is_string(schema.field(name).type)]
    sizes = {name: first.column(places[name]) for name in texts}
    return [name for name, chunk in sizes.items() if chunk.total_uncompressed_size < 6 * chunk.num_values]


def _decoded(table: "pyarrow.Table", coded: Sequence[str]) -> "pyarrow.Table":
    import pyarrow

    with ThreadPoolExecutor(2) as pool:
        texts = pool.map(lambda name: table[name].cast(pyarrow.large_string()), coded)
        for name, text in zip(coded, texts):
            table = table.set_column(table.schema.get_field_index(name), name, text)
    return table


def _refuse_unknown(path: Path, columns: Sequence[str] | None, names: Sequence[str]) -> None:
    unknown = [name for name in columns or () if name not in set(names)]
    if unknown:
        raise KKError(f"{path.name} has no column {unknown[0]!r}", near_names(unknown[0], list(names)) or f"It has: {', '.join(names[:6])}")


def _wide(file: "parquet.ParquetFile", table: "pyarrow.Table") -> frozenset[str]:
    """Integer columns with gaps whose values a float64 does not hold; the footer tells, where it has statistics."""
    import pyarrow

    places = {name: number for number, name in enumerate(file.schema_arrow.names)}
    gaps = [name for name in table.column_names if table[name].null_count and pyarrow.types.is_integer(table.schema.field(name).type)]
    wide = set()
    for name in gaps:
        for group in range(file.metadata.num_row_groups):
            known = file.metadata.row_group(group).column(places[name]).statistics
            if known is None or (known.has_min_max and (known.max > EXACT or known.min < -EXACT)):
                wide.add(name)
    return frozenset(wide)


def _frame(table: "pyarrow.Table", wide: frozenset[str], nullable: bool) -> pd.DataFrame:
    import pyarrow

    kinds: Mapping = {pyarrow.int64(): pd.Int64Dtype(), pyarrow.uint64(): pd.UInt64Dtype(), pyarrow.bool_(): pd.BooleanDtype()}
    special = {name: kinds[table.schema.field(name).type] for name in table.column_names
               if table.schema.field(name).type in kinds and table[name].null_count and (nullable or name in wide)}
    plain = table.select([name for name in table.column_names if name not in special])
    frame = plain.to_pandas(split_blocks=True, self_destruct=True, ignore_metadata=True)
    for name, kind in special.items():
        frame[name] = kind.__from_arrow__(table[name])
    return frame if not special else frame[table.column_names]


def _read_raw(path: Path, columns: Sequence[str] | None) -> tuple["pyarrow.Table", frozenset[str]]:
    form = open_form(path, path.name)
    _refuse_unknown(path, columns, form.names)
    while True:
        try:
            return _typed_table(form, list(columns) if columns is not None else list(form.names))
        except OtherEncoding:
            form = form.western() if isinstance(form, Delimited) else form
        except StrayQuotes:
            form = form.carefully() if isinstance(form, Delimited) else form


def _typed_table(form: Form, names: list[str]) -> tuple["pyarrow.Table", frozenset[str]]:
    """Columns in memory; those that turn out to be of another type are read again. And which of them a float64 does not hold."""
    import pyarrow

    guesses = guess_marks(form, names)
    kinds = {name: type_of(guesses[name]) for name in names}
    done: dict[str, pyarrow.ChunkedArray] = {}
    wide: set[str] = set()
    while kinds:
        columns = {name: Column(kind) for name, kind in kinds.items()}
        with task(f"reading {form.name}", total=form.path.stat().st_size, unit="B") as work:
            tables = list(typed_parts(form, columns, work))
        table = pyarrow.concat_tables(tables or [pyarrow.table({name: pyarrow.array([], pyarrow.string()) for name in columns})])
        done.update({name: table[name] for name, column in columns.items() if not column.wrong})
        wide |= {name for name, column in columns.items() if column.marks & {"big", "huge"}}
        kinds = {name: type_of(column.marks) for name, column in columns.items() if column.wrong}
    return pyarrow.table({name: done[name] for name in names}), frozenset(wide)

