"""The whole profile: both tables, every column, the target, rows that repeat, time and groups."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from kagglekit.progress import task
from kagglekit.tables.profile.columns import Column, alike, describe_column
from kagglekit.tables.profile.rows import Duplicates, find_duplicates
from kagglekit.tables.profile.signal import Aim, aim_of
from kagglekit.tables.profile.source import ROWS, Source, read_source
from kagglekit.tables.profile.spans import Group, Span, describe_group, describe_span
from kagglekit.tables.profile.target import Target, describe_target, is_classes
from kagglekit.tables.profile.values import as_arrow, kind_of

FAMILY = 0.01  # the probability that chance alone lets any column look like drift


@dataclass(frozen=True, slots=True)
class Question:
    """What is known of the tables: names of columns, the task, and whether the visible test is a stub (then nothing compares with it)."""

    id: tuple[str, ...] = ()
    target: tuple[str, ...] = ()
    task: str = ""
    group: tuple[str, ...] = ()
    time: str = ""
    ignore: tuple[str, ...] = ()
    stub: bool = False


@dataclass(frozen=True, slots=True)
class Profile:
    """All that was found; columns in the order of the table. `alike` are sets of columns (whether equal, names)."""

    question: Question
    train: Source
    test: Source | None
    columns: tuple[Column, ...]
    targets: tuple[Target, ...]
    duplicates: Duplicates | None
    spans: tuple[Span, ...]
    groups: tuple[Group, ...]
    alike: tuple[tuple[bool, list[str]], ...]

    @property
    def compared(self) -> Source | None:
        """The test table where it may be compared with train: there is one, it has rows, and it is no stub."""
        return None if self.question.stub or self.test is None or not self.test.rows else self.test

    @property
    def features(self) -> list[Column]:
        """The columns that a model may see."""
        return [column for column in self.columns if column.role == "feature"]


def profile_tables(train: Path, test: Path | None, question: Question, *, rows: int | None = ROWS) -> Profile:
    """Profile two Parquet tables; at most `rows` rows of each are kept (None: all), the same ones every time."""
    ours = read_source(train, rows)
    theirs = read_source(test, rows) if test is not None else None
    compared = theirs if theirs is not None and theirs.rows and not question.stub else None
    known = [name for name in question.target if name in ours.names]
    targets = tuple(describe_target(name, ours.column(name), question.task) for name in known)
    aim = _aim(ours, known, question.task)
    names = list(dict.fromkeys([*ours.names, *(theirs.names if theirs else ())]))
    columns = []
    with task("looking at columns", total=len(names), unit="columns") as work:
        for name in names:
            role = _role(name, question, ours, theirs)
            asked = aim if role in ("feature", "id") else None
            columns.append(describe_column(name, role, ours, compared if compared else theirs if name not in ours.names else None, aim=asked,
                                           alpha=FAMILY / len(names), group=question.group[0] if question.group else ""))
            work.advance()
    duplicates = find_duplicates(ours, compared, _compared_names(columns), known)
    return Profile(question, ours, theirs, tuple(_with_gaps(columns, theirs)), targets, duplicates, _spans(question, ours, compared),
                   tuple(describe_group(name, ours, compared) for name in question.group if name in ours.names), tuple(alike(columns, ours)))


def _aim(train: Source, known: Sequence[str], task_name: str) -> Aim | None:
    """What single columns are to tell: the first target."""
    if not known:
        return None
    column = as_arrow(train.table[known[0]])
    return aim_of(column, is_classes(column, task_name))


def _role(name: str, question: Question, train: Source, test: Source | None) -> str:
    for role in ("target", "id"):
        if name in getattr(question, role):
            return role
    if test is not None and name not in test.names:
        return "train only"
    if name not in train.names:
        return "test only"
    return "group" if name in question.group else "ignored" if name in question.ignore else "feature"


def _compared_names(columns: Sequence[Column]) -> list[str]:
    """Columns in which rows are compared: features (and ids that are dates) that are not one value a row."""
    return [column.name for column in columns
            if (column.role == "feature" and not column.id_like) or (column.role == "id" and column.kind == "date")]


def _with_gaps(columns: Sequence[Column], test: Source | None) -> list[Column]:
    """The columns with what test misses, also where it is compared in nothing else."""
    if test is None:
        return list(columns)
    return [replace(column, missing_test=test.missing[column.name] / max(1, test.rows) if column.name in test.missing else None)
            for column in columns]


def _spans(question: Question, train: Source, test: Source | None) -> tuple[Span, ...]:
    """The declared time column first, then every column of dates."""
    dates = [name for name in train.names if kind_of(as_arrow(train.table[name])) == "date"]
    names = dict.fromkeys([*([question.time] if question.time in train.names else []), *dates])
    found = (describe_span(name, train, test) for name in names if name not in question.target)
    return tuple(span for span in found if span is not None)
