"""Tables: every raw file that is one becomes a typed Parquet, made again only where the raw file changed."""

import contextlib
import csv
import lzma
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from kagglekit.errors import KKError
from kagglekit.progress import task
from kagglekit.store import Store
from kagglekit.tables.columnar import copy_columnar
from kagglekit.tables.convert import convert, look, retype
from kagglekit.tables.form import COLUMNAR, Form, open_form, suffix_of
from kagglekit.tables.load import Footer, footer, read_columns
from kagglekit.tables.meaning import arrow_type
from kagglekit.tables.parquet import Record, read_record, stamp_of
from kagglekit.tables.shapes import type_of

# The sample's values are placeholders: they do not change the type of the target.
TRUE_ROLES = ("train", "test", "labels")
MOST_TOLD = 3


@dataclass(frozen=True, slots=True)
class OpenTable:
    """A table that can be read: its Parquet, or the raw file where there is none."""

    path: Path

    @property
    def footer(self) -> Footer:
        """Rows and columns, without reading data."""
        return footer(self.path)

    def read(self, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Some columns (None: all)."""
        return read_columns(self.path, columns)


def open_table(store: Store, name: str) -> OpenTable:
    """The table of the raw file `name`; raises KKError where neither the Parquet nor the file is there."""
    for path in (store.table(name), store.raw / name):
        if path.is_file():
            return OpenTable(path)
    raise KKError(f"the table {name} is not there", f"Fetch it again: kk join {store.competition.slug}")


def make_tables(store: Store, names: Sequence[str], roles: Mapping[str, str], *, tables: bool = True) -> list[str]:
    """A typed Parquet for each table file whose Parquet is not of the file as it is; train, test, labels and sample agree on types.

    Gives a warning for each file that cannot be read (it stays a file) and for what was read otherwise than it looks. With
    `tables=False` all files stay as they are.
    """
    if not tables:
        return []
    warnings: list[str] = []
    main = {role: name for role, name in roles.items() if name in names}
    made = {store.table(name): name for name in reversed(list(main.values()))}
    with task("reading tables", total=len(names), unit="tables") as work:
        records = _main_tables(store, main, warnings)
        work.advance(len(main))
        for name in names:
            if name in main.values():
                continue
            if store.table(name) in made:
                warnings.append(f"{name} would be the same table as {made[store.table(name)]}: it stays a file")
            elif record := _made(store, name, warnings):
                made[store.table(name)] = name
                records[name] = record
            work.advance()
    return _few(warnings) + [line for name, record in records.items() for line in told(name, record)]


def _few(warnings: list[str]) -> list[str]:
    """Thousands of JSON files that are no tables are told in one line."""
    other = [line for line in warnings if " is JSON but no table" in line]
    if len(other) <= MOST_TOLD:
        return warnings
    kept = [line for line in warnings if line not in set(other)]
    return [*kept, f"{len(other)} JSON files are no tables, such as {other[0].split()[0]}: they stay files"]


def _main_tables(store: Store, main: Mapping[str, str], warnings: list[str]) -> dict[str, Record]:
    """Train, test, labels and sample: looked at together, written one by one, and put right where they disagree after all."""
    forms: dict[str, Form] = {}
    guesses: dict[str, Mapping[str, set[str]]] = {}
    records: dict[str, Record] = {}
    for role, name in main.items():
        known = _fresh(store, name)
        if known is not None:
            records[role], guesses[role] = known, {column: set(marks) for column, marks in known.marks.items()}
        elif suffix_of(name) in COLUMNAR:
            if record := _made(store, name, warnings):
                records[role] = record
        elif looked := _looked(store, name, warnings):
            forms[role], guesses[role] = looked
    for role, form in forms.items():
        name = main[role]
        with _warned(store, name, warnings):
            records[role] = convert(form, store.table(name), _agreed(role, guesses))
            guesses[role] = {column: set(marks) for column, marks in records[role].marks.items()}
    for role, record in list(records.items()):
        kinds = {column: kind for column, marks in _agreed(role, {**guesses, role: record.marks}).items()
                 if arrow_type(kind := type_of(marks)) != arrow_type(record.types[column])}
        if kinds:
            with _warned(store, main[role], warnings):
                form = forms.get(role) or open_form(store.raw / main[role], main[role])
                records[role] = retype(form, store.table(main[role]), kinds, record)
    return {main[role]: record for role, record in records.items()}


def _agreed(role: str, marks: Mapping[str, Mapping[str, object]]) -> dict[str, set[str]]:
    """Marks of a file's columns, with those that the same columns have in the files that must agree."""
    others = [marks[other] for other in TRUE_ROLES if other in marks and other != role]
    if role == "sample":
        # Only what test has too is an id or a feature.
        others = [{column: found for column, found in other.items() if column in marks.get("test", {})} for other in others]
    return {column: set(own).union(*(other.get(column, ()) for other in others)) for column, own in marks[role].items()}


@contextlib.contextmanager
def _warned(store: Store, name: str, warnings: list[str]) -> Iterator[None]:
    """A block whose errors become a warning: the file stays as it is, and a Parquet of what it was before goes."""
    try:
        yield
        return
    except KKError as error:
        warnings.append(str(error))
    except (OSError, EOFError, ValueError, lzma.LZMAError, csv.Error) as error:
        warnings.append(f"{name} cannot be read as a table: {error}. It stays as it is")
    store.table(name).unlink(missing_ok=True)


def _fresh(store: Store, name: str) -> Record | None:
    """The record of a Parquet that was made of the raw file as it is now."""
    record = read_record(store.table(name))
    try:
        return record if record is not None and record.stamp == stamp_of(store.raw / name) else None
    except OSError:
        return None


def _looked(store: Store, name: str, warnings: list[str]) -> tuple[Form, Mapping[str, set[str]]] | None:
    with _warned(store, name, warnings):
        return look(open_form(store.raw / name, name))
    return None


def _made(store: Store, name: str, warnings: list[str]) -> Record | None:
    """The Parquet of a file that need not agree with others."""
    if known := _fresh(store, name):
        return known
    with _warned(store, name, warnings):
        if suffix_of(name) in COLUMNAR:
            return copy_columnar(store.raw / name, name, store.table(name))
        form, guesses = look(open_form(store.raw / name, name))
        return convert(form, store.table(name), guesses)
    return None


def told(name: str, record: Record) -> list[str]:
    """What a person should know of how a table was read."""
    lines = []
    if record.about.get("encoding") == "cp1252":
        lines.append(f"{name} is not UTF-8: it was read as Western European text (cp1252)")
    if int(str(record.about.get("sheets", 1))) > 1:
        lines.append(f"{name} has {record.about['sheets']} sheets: the table is the first, {record.about['sheet']!r}")
    unclear = [column for column, marks in record.marks.items() if set(marks) == {"either"} and record.types[column] == "text"]
    if unclear:
        lines.append(f"{name}: {', '.join(unclear[:3])} may be day or month first and stays text")
    return lines
