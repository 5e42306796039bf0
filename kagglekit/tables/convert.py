"""Any table file into a typed Parquet: streaming, every value exact, train and test of the same types."""

import collections
import concurrent.futures
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from kagglekit.errors import KKError
from kagglekit.progress import Task, task
from kagglekit.tables.form import Delimited, Form, Part, is_table, open_form
from kagglekit.tables.meaning import arrow_type
from kagglekit.tables.parquet import Record, Sink, merge, record_of, row_groups, stamp_of
from kagglekit.tables.shapes import type_of
from kagglekit.tables.source import OtherEncoding, StrayQuotes
from kagglekit.tables.values import Cells, Rules, first_look, typed

if TYPE_CHECKING:
    import pyarrow

__all__ = ["convert", "guess_marks", "is_table", "look", "open_form", "retype", "typed_parts"]
WORKERS = max(1, min(4, os.cpu_count() or 1))
Marks = Mapping[str, AbstractSet[str]]


@dataclass(slots=True)
class Column:
    """A column on its way: the type it is written as, and what its text turned out to be."""

    kind: str
    marks: set[str] = field(default_factory=set)
    words: set[str] = field(default_factory=set)
    odd: str = ""
    failed: bool = False

    @property
    def wrong(self) -> bool:
        """Whether it has to be written again as the type that all of its values fit."""
        final = type_of(self.marks)
        return self.failed or (final != self.kind and {final, self.kind} != {"text", "empty"})

    def take(self, cells: Cells) -> None:
        """Count what one part told."""
        self.marks |= cells.marks
        self.words |= cells.words
        self.odd = self.odd or cells.odd
        self.failed |= cells.values is None


def guess_marks(form: Form, names: Sequence[str] | None = None) -> dict[str, set[str]]:
    """Marks of cells from all over the file: nearly always those of all cells, and never trusted further than that."""
    columns = {name: Column("empty") for name in names or form.names}
    for part in form.samples():
        for name, column in columns.items():
            text, only_dates = part.column(name), name in part.quoted
            cells = typed(text, column.kind, frozenset(column.marks), form.rules, only_dates=only_dates) if column.marks else \
                first_look(text, form.rules, only_dates=only_dates)
            column.marks |= cells.marks
            column.kind = type_of(column.marks)
    return {name: column.marks for name, column in columns.items()}


def look(form: Form) -> tuple[Form, dict[str, set[str]]]:
    """The form as it can be read, and what guess_marks finds in it."""
    try:
        return form, guess_marks(form)
    except OtherEncoding:
        form = _changed(form, Delimited.western)
        return form, guess_marks(form)


def convert(form: Form, target: Path, guesses: Marks) -> Record:
    """Write a file's Parquet: typed as guessed, and where the file turns out otherwise, those columns once more."""
    stamp = stamp_of(form.path)
    hidden = target.with_name(f".{target.name}.part")
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        while True:
            try:
                record = _written(form, hidden, guesses, stamp)
                os.replace(hidden, target)
                return record
            except OtherEncoding:
                form = _changed(form, Delimited.western)
            except StrayQuotes:
                form = _changed(form, Delimited.carefully)
    except OSError as error:
        raise _disk(target, error) from error
    finally:
        hidden.unlink(missing_ok=True)


def _changed(form: Form, how: Callable[[Delimited], Delimited]) -> Form:
    if not isinstance(form, Delimited) or form == how(form):
        raise KKError(f"{form.name} cannot be read as a table: its quotes or its encoding change on the way", "It stays as it is")
    return how(form)


def _disk(target: Path, error: OSError) -> KKError:
    if error.errno is None:
        return KKError(f"{target.stem} cannot be unpacked: {error}", "Download it again: kk join SLUG --update")
    return KKError(f"cannot write {target}: {error.strerror or error}", "Free some space and run the command again")


def _written(form: Form, hidden: Path, guesses: Marks, stamp: Mapping[str, int]) -> Record:
    columns = {name: Column(type_of(guesses.get(name, frozenset()))) for name in form.names}
    sink = Sink(hidden, {name: column.kind for name, column in columns.items()})
    with sink, task(f"typing {form.name}", total=form.path.stat().st_size, unit="B") as work:
        for table in typed_parts(form, columns, work):
            sink.add(table)
        record = record_of(columns, stamp, form.about)
        sink.record = record
    wrong = {name: type_of(column.marks) for name, column in columns.items() if column.wrong}
    return _again(form, hidden, wrong, record) if wrong else record


def typed_parts(form: Form, columns: Mapping[str, Column], work: Task) -> Iterator["pyarrow.Table"]:
    """The parts in order as typed tables; columns that do not fit their type are null from there on and marked as failed."""
    import pyarrow

    wanted = None if len(columns) == len(form.names) else list(columns)
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        waiting: collections.deque = collections.deque()
        parts = form.parts(wanted)
        try:
            while True:
                while len(waiting) < 3 * WORKERS and (part := next(parts, None)):
                    waiting.append((pool.submit(_cells, part[0], columns, form.rules), part[1]))
                if not waiting:
                    return
                result, read = waiting.popleft()
                rows, cells = result.result()
                arrays = []
                for name, column in columns.items():
                    column.take(cells[name])
                    arrays.append(pyarrow.nulls(rows, arrow_type(column.kind)) if column.failed else cells[name].values)
                work.advance(max(0, read - work.done))
                yield pyarrow.Table.from_arrays(arrays, names=list(columns))
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _cells(load: Callable[[], Part], columns: Mapping[str, Column], rules: Rules) -> tuple[int, dict[str, Cells]]:
    part = load()
    cells = {}
    for name, column in columns.items():
        only_dates = name in part.quoted
        kind = "text" if column.failed else column.kind
        cells[name] = typed(part.column(name), kind, frozenset(column.marks), rules, only_dates=only_dates, has_words=bool(column.words))
    return part.table.num_rows, cells


def retype(form: Form, target: Path, kinds: Mapping[str, str], record: Record) -> Record:
    """Write some columns of a finished Parquet anew as other types, which their values must fit; the rest is copied."""
    hidden = target.with_name(f".{target.name}.part")
    if isinstance(form, Delimited) and record.about.get("encoding") == "cp1252":
        form = form.western()
    try:
        shutil.copyfile(target, hidden)
        record = _again(form, hidden, kinds, record)
        os.replace(hidden, target)
        return record
    except OSError as error:
        raise _disk(target, error) from error
    finally:
        hidden.unlink(missing_ok=True)


def _again(form: Form, hidden: Path, kinds: Mapping[str, str], record: Record) -> Record:
    """Read only the columns of `kinds` again and put them into the Parquet that is being made."""
    beside = hidden.with_name(f"{hidden.name}.columns")
    columns = {name: Column(kind) for name, kind in kinds.items()}
    record = record.changed(kinds)
    try:
        for attempt in (form, form.carefully() if isinstance(form, Delimited) else form):
            try:
                _reread(attempt, columns, beside, row_groups(hidden))
                break
            except StrayQuotes:
                columns = {name: Column(kind) for name, kind in kinds.items()}
        if any(column.failed for column in columns.values()):
            raise KKError(f"{form.name} changed while it was read", "Run the command again")
        merge(hidden, beside, record)
    finally:
        beside.unlink(missing_ok=True)
    return record


def _reread(form: Form, columns: Mapping[str, Column], beside: Path, groups: Sequence[int]) -> None:
    title = f"typing {', '.join(list(columns)[:3])} of {form.name} again"
    with Sink(beside, {name: column.kind for name, column in columns.items()}, groups) as sink, \
            task(title, total=form.path.stat().st_size, unit="B") as work:
        for table in typed_parts(form, columns, work):
            sink.add(table)
