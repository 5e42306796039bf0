"""Time and groups: where test lies in time, and how many of its groups train has."""

from dataclasses import dataclass

import numpy as np

from kagglekit.tables.profile.source import Source
from kagglekit.tables.profile.values import as_arrow, codes, kind_of, label, moment, numbers

APART = 0.05


@dataclass(frozen=True, slots=True)
class Span:
    """A time column in both tables: (first, last) of each; `inside` is the share of test's rows within train's range, `shared` that of
    test's moments that train has too; `blocks` how often the two take turns. `relation`: after, before, later, turns, same or alone."""

    name: str
    train: tuple[object, object]
    test: tuple[object, object] | None
    relation: str
    inside: float | None = None
    shared: float | None = None
    blocks: int | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """A group column: how many groups each table has, rows a group in train, and the share of test's groups that train has."""

    name: str
    train: int
    test: int | None
    rows_each: float
    shared: float | None


def describe_span(name: str, train: Source, test: Source | None) -> Span | None:
    """Where test lies in time; None for a column that holds no moments or numbers."""
    column = as_arrow(train.table[name])
    if kind_of(column) not in ("date", "integer", "number"):
        return None
    read = moment if kind_of(column) == "date" else label
    ours = _known(column)
    theirs = _known(as_arrow(test.table[name])) if test is not None and name in test.names else np.empty(0)
    first = (read(ours.min()), read(ours.max()))
    if not len(theirs):
        return Span(name, first, None, "alone")
    inside = float(((theirs >= ours.min()) & (theirs <= ours.max())).mean())
    moments, of_train = np.unique(theirs), np.unique(ours)
    shared = float(np.isin(moments, of_train).mean())
    blocks = _blocks(of_train, moments)
    return Span(name, first, (read(theirs.min()), read(theirs.max())), _relation(ours, theirs, inside, shared, blocks / len(moments)),
                inside, shared, blocks)


def _known(column: object) -> np.ndarray:
    values = numbers(column)
    return values[np.isfinite(values)]


def _blocks(ours: np.ndarray, theirs: np.ndarray) -> int:
    """Runs of test's moments that no moment of train interrupts."""
    moments = np.concatenate([ours, theirs])
    source = np.repeat([0, 1], [len(ours), len(theirs)])[np.argsort(moments, kind="stable")]
    return int(((source == 1) & (np.append(0, source[:-1]) == 0)).sum())


def _relation(ours: np.ndarray, theirs: np.ndarray, inside: float, shared: float, broken: float) -> str:
    if theirs.min() > ours.max():
        return "after"
    if theirs.max() < ours.min():
        return "before"
    if shared <= APART and broken <= 0.2:
        return "turns"
    return "later" if inside < 0.5 and np.median(theirs) > np.median(ours) else "same"


def describe_group(name: str, train: Source, test: Source | None) -> Group:
    """How many groups there are and how many of test's are known."""
    column = as_arrow(train.column(name))
    if test is None or name not in test.names:
        (ours,), values = codes(column)
        return Group(name, len(values), None, float((ours >= 0).sum() / max(1, len(values))), None)
    ours, theirs = codes(column, as_arrow(test.column(name)))[0]
    known, asked = np.unique(ours[ours >= 0]), np.unique(theirs[theirs >= 0])
    shared = float(np.isin(asked, known).mean()) if len(asked) else None
    return Group(name, len(known), len(asked), float((ours >= 0).sum() / max(1, len(known))), shared)
