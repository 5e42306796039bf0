"""Folds: which row is validated in which repeat and fold, and the rule that says what may train on it."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from kagglekit.errors import KKError
from kagglekit.fold import Data, Fold

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray
RULES = ("rest", "before")


@dataclass(frozen=True, slots=True)
class Folds:
    """Named folds over the rows of a train table.

    row, repeat, fold: int arrays of the same length, one line for each time a row is validated, sorted by repeat and row.
    rule: rest (all other rows train) or before (rows whose time is more than `gap` before the fold's first). `order` is the time
    of every train row as a number (nanoseconds for dates), needed by the rule before.
    """

    name: str
    rows: int
    row: Array
    repeat: Array
    fold: Array
    ids_sha256: str
    rule: str = "rest"
    gap: float = 0.0
    order: Array | None = field(default=None, compare=False)
    splitter: str = ""
    params: dict[str, object] = field(default_factory=dict)
    audit: tuple[dict[str, object], ...] = ()
    forced: bool = False
    data: Data | None = field(default=None, compare=False)
    load: Callable[[], Data] | None = field(default=None, compare=False)

    @property
    def fingerprint(self) -> str:
        """sha256 over ids, repeats, folds and rule: equal if and only if predictions may be compared row by row."""
        digest = hashlib.sha256(self.ids_sha256.encode())
        for part in (self.row, self.repeat, self.fold):
            digest.update(np.ascontiguousarray(part, dtype="<i8").tobytes())
        digest.update(f"{self.rule} {self.gap:g}".encode())
        return digest.hexdigest()

    @property
    def keys(self) -> list[tuple[int, int]]:
        """(repeat, fold) of every fold, in order."""
        return sorted(set(zip(self.repeat.tolist(), self.fold.tolist(), strict=True)))

    @property
    def repeats(self) -> int:
        """How many repeats there are."""
        return len(set(self.repeat.tolist()))

    @property
    def n(self) -> int:
        """How many folds one repeat has."""
        return len(self.keys) // max(self.repeats, 1)

    @property
    def sizes(self) -> list[int]:
        """Validated rows of each fold."""
        return [int(((self.repeat == repeat) & (self.fold == fold)).sum()) for repeat, fold in self.keys]

    @property
    def scored_rows(self) -> int:
        """How many rows are validated at least once."""
        return len(np.unique(self.row))

    def __len__(self) -> int:
        return len(self.keys)

    def __iter__(self) -> Iterator[Fold]:
        return (self.one(repeat, fold) for repeat, fold in self.keys)

    def one(self, repeat: int, fold: int) -> Fold:
        """The Fold of that repeat and number."""
        valid = self.row[(self.repeat == repeat) & (self.fold == fold)]
        if not len(valid):
            raise KKError(f"{self.name} has no fold {fold}", f"It has: {', '.join(str(number) for _, number in self.keys)}")
        return Fold(repeat, fold, self.training_rows(valid), valid, self._data())

    def training_rows(self, valid: Array) -> Array:
        """Rows that may train when `valid` is validated, by the rule."""
        mask = np.ones(self.rows, dtype=bool)
        if self.rule == "before":
            assert self.order is not None
            mask = self.order < self.order[valid].min() - self.gap
        mask[valid] = False
        return np.flatnonzero(mask)

    def vector(self, repeat: int = 0) -> Array:
        """Fold of each row in `repeat`, -1 where it is not validated; int16[rows]."""
        numbers = np.full(self.rows, -1, dtype=np.int16)
        chosen = self.repeat == repeat
        numbers[self.row[chosen]] = self.fold[chosen]
        return numbers

    def split(self, X: object = None, y: object = None, groups: object = None) -> Iterator[tuple[Array, Array]]:
        """Pairs (train, valid) for scikit-learn's `cv=`; X, when given, must have the rows of the train table."""
        got = getattr(X, "shape", (len(X),))[0] if X is not None else self.rows  # type: ignore[arg-type]
        if got != self.rows:
            raise KKError(f"X has {got} rows, the folds {self.name} are made for {self.rows}", "Pass the whole train table")
        for repeat, fold in self.keys:
            valid = self.row[(self.repeat == repeat) & (self.fold == fold)]
            yield self.training_rows(valid), valid

    def get_n_splits(self, X: object = None, y: object = None, groups: object = None) -> int:
        """How many pairs `split` gives."""
        return len(self)

    def _data(self) -> Data | None:
        if self.data is None and self.load is not None:
            object.__setattr__(self, "data", self.load())
        return self.data


def from_assignment(name: str, assignment: object, ids_sha256: str, rows: int, **facts: object) -> Folds:
    """Folds from a splitter's answer: int16[rows] with -1 for never, or three arrays (row, repeat, fold)."""
    if isinstance(assignment, tuple):
        row, repeat, fold = (np.asarray(part, dtype=np.int64) for part in assignment)
    else:
        vector = np.asarray(assignment)
        if vector.shape != (rows,):
            raise KKError(f"the split gives {vector.shape} numbers for {rows} rows", "Return one fold number a row, -1 for never")
        row = np.flatnonzero(vector >= 0)
        fold, repeat = vector[row].astype(np.int64), np.zeros(len(row), dtype=np.int64)
    order = np.lexsort((row, repeat))
    folds = Folds(name=name, rows=rows, row=row[order], repeat=repeat[order], fold=fold[order], ids_sha256=ids_sha256, **facts)
    if not len(folds.row):
        raise KKError(f"the folds {name} validate no row", "Use fewer folds or a smaller gap")
    twice = len(np.unique(folds.repeat * rows + folds.row)) < len(folds.row)
    if twice:
        raise KKError(f"the folds {name} validate a row twice in one repeat", "Give each row one fold a repeat")
    return folds


def stacked(parts: Sequence[object]) -> object:
    """The answers of a splitter for several seeds as one (row, repeat, fold)."""
    if len(parts) == 1:
        return parts[0]
    rows, repeats, folds = [], [], []
    for number, part in enumerate(parts):
        vector = np.asarray(part)
        row = np.flatnonzero(vector >= 0)
        rows.append(row)
        repeats.append(np.full(len(row), number))
        folds.append(vector[row])
    return np.concatenate(rows), np.concatenate(repeats), np.concatenate(folds)


def ids_hash(ids: "pd.DataFrame") -> str:
    """sha256 of the ids of a table, in its order, as text."""
    digest = hashlib.sha256(repr(list(ids.columns)).encode())
    for column in ids.columns:
        digest.update("\x1f".join(ids[column].astype(str)).encode())
        digest.update(b"\x1e")
    return digest.hexdigest()


def bound(folds: Folds, load: Callable[[], Data]) -> Folds:
    """The same folds, tied to tables that are loaded when first needed."""
    return replace(folds, load=load)
