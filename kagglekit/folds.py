"""Folds: which row is validated in which repeat and fold, and the rule that says what may train on it."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING

import numpy as np

from kagglekit.errors import KKError
from kagglekit.fold import Data, Fold

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray
RULES = ("rest", "before", "purged", "given")
Key = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Folds:
    """Named folds over the rows of a train table; scikit-learn takes them as `cv=`.

    row, repeat, fold: int arrays of the same length, one line for each time a row is validated, sorted by repeat and row.
    `rule` says what may train on a fold: rest (all other rows), before (rows at least `gap` before the fold's first, no more than
    `window` before that where it is set), purged (rows whose label, known `horizon` later, is settled before the fold begins, and
    rows more than `embargo` after its last label), given (the row numbers in `given`). `order` is the time of every train row as
    a number (nanoseconds for dates), which before and purged need; the lengths are in its unit.
    """

    name: str
    rows: int
    row: Array
    repeat: Array
    fold: Array
    ids_sha256: str
    rule: str = "rest"
    gap: float = 0.0
    window: float = 0.0
    horizon: float = 0.0
    embargo: float = 0.0
    order: Array | None = field(default=None, compare=False)
    given: Mapping[Key, Array] | None = field(default=None, compare=False)
    splitter: str = ""
    params: dict[str, object] = field(default_factory=dict)
    audit: tuple[dict[str, object], ...] = ()
    forced: bool = False
    data: Data | None = field(default=None, compare=False)
    load: Callable[[], Data] | None = field(default=None, compare=False)
    _valid: dict[Key, Array] | None = field(default=None, compare=False, repr=False)

    @property
    def fingerprint(self) -> str:
        """sha256 over ids, repeats, folds and rule: equal if and only if predictions may be compared row by row."""
        digest = hashlib.sha256(self.ids_sha256.encode())
        for part in (self.row, self.repeat, self.fold):
            digest.update(np.ascontiguousarray(part, dtype="<i8").tobytes())
        digest.update(f"{self.rule} {self.gap:g}".encode())
        lengths = {"window": self.window, "horizon": self.horizon, "embargo": self.embargo}
        digest.update("".join(f" {name} {length:g}" for name, length in lengths.items() if length).encode())
        for key in self.keys if self.given is not None else ():
            digest.update(np.ascontiguousarray(self.given[key], dtype="<i8").tobytes())
        return digest.hexdigest()

    @property
    def keys(self) -> list[Key]:
        """(repeat, fold) of every fold, in order."""
        return list(self._parts())

    @property
    def repeats(self) -> int:
        """How many repeats there are."""
        return len({repeat for repeat, _ in self.keys})

    @property
    def n(self) -> int:
        """How many folds one repeat has."""
        return len(self.keys) // max(self.repeats, 1)

    @property
    def sizes(self) -> list[int]:
        """Validated rows of each fold."""
        return [len(valid) for valid in self._parts().values()]

    @property
    def scored_rows(self) -> int:
        """How many rows are validated at least once."""
        return len(np.unique(self.row))

    def __len__(self) -> int:
        return len(self._parts())

    def __iter__(self) -> Iterator[Fold]:
        return (self.one(repeat, fold) for repeat, fold in self.keys)

    def one(self, repeat: int, fold: int) -> Fold:
        """The Fold of that repeat and number; raises KKError where there is none."""
        valid = self._parts().get((repeat, fold))
        if valid is None:
            numbers = sorted({number for _, number in self.keys})
            shown = ", ".join(map(str, numbers[:20])) + (" ..." if len(numbers) > 20 else "")
            raise KKError(f"{self.name} has no fold {fold}", f"It has: {shown}")
        return Fold(repeat, fold, self.training_rows(valid, (repeat, fold)), valid, self._data())

    def training_rows(self, valid: Array, key: Key | None = None) -> Array:
        """Rows that may train when `valid` is validated, by the rule; `key` tells the fold where the rule is given."""
        if self.rule == "given":
            assert self.given is not None and key is not None
            return self.given[key]
        mask = np.ones(self.rows, dtype=bool) if self.rule == "rest" else self._in_time(valid)
        mask[valid] = False
        return np.flatnonzero(mask)

    def _in_time(self, valid: Array) -> Array:
        """Rows that the rules of time let train. A gap of exactly `gap` is enough, a time equal to the fold's first is not."""
        assert self.order is not None
        first, last = self.order[valid].min(), self.order[valid].max()
        rounding = 4 * np.spacing(max(abs(first), abs(last)))  # dates in nanoseconds are not exact as floats
        if self.rule == "before":
            end = first - self.gap
            mask = self.order <= end + rounding if self.gap else self.order < first
            return mask & (self.order >= end - self.window - rounding) if self.window else mask
        settled = self.order + self.horizon + self.gap < first
        return settled | (self.order > last + self.horizon + self.embargo)

    def vector(self, repeat: int = 0) -> Array:
        """Fold of each row in `repeat`, -1 where it is not validated; int16[rows]."""
        numbers = np.full(self.rows, -1, dtype=np.int16)
        chosen = self.repeat == repeat
        numbers[self.row[chosen]] = self.fold[chosen]
        return numbers

    def split(self, X: object = None, y: object = None, groups: object = None) -> Iterator[tuple[Array, Array]]:
        """Pairs (train, valid) for scikit-learn's `cv=`; X, when given, must have the rows of the train table.

        >>> folds = from_assignment("two", np.array([0, 1, 0, 1], dtype=np.int16), "", 4)
        >>> [(train.tolist(), valid.tolist()) for train, valid in folds.split()]
        [([1, 3], [0, 2]), ([0, 2], [1, 3])]
        """
        got = getattr(X, "shape", (len(X),))[0] if X is not None else self.rows  # type: ignore[arg-type]
        if got != self.rows:
            raise KKError(f"X has {got} rows, the folds {self.name} are made for {self.rows}", "Pass the whole train table")
        for key, valid in self._parts().items():
            yield self.training_rows(valid, key), valid

    def get_n_splits(self, X: object = None, y: object = None, groups: object = None) -> int:
        """How many pairs `split` gives."""
        return len(self)

    def __deepcopy__(self, memo: object) -> "Folds":
        return self  # never changed after it is made; scikit-learn copies the cv= of a search

    def __reduce__(self) -> tuple:
        kept = {entry.name: getattr(self, entry.name) for entry in fields(self) if entry.name not in ("load", "data", "_valid")}
        return _unpickled, (kept,)

    def _parts(self) -> dict[Key, Array]:
        """Validated rows of every (repeat, fold), found once."""
        if self._valid is None:
            object.__setattr__(self, "_valid", _cut(self.row, self.repeat, self.fold))
        return self._valid

    def _data(self) -> Data | None:
        if self.data is None and self.load is not None:
            object.__setattr__(self, "data", self.load())
        return self.data


def _unpickled(kept: dict[str, object]) -> Folds:
    return Folds(**kept)


def _cut(row: Array, repeat: Array, fold: Array) -> dict[Key, Array]:
    """Rows by (repeat, fold), in order, each sorted by row: one sort for all folds."""
    if not len(row):
        return {}
    order = np.lexsort((row, fold, repeat))
    edges = np.flatnonzero((np.diff(repeat[order]) != 0) | (np.diff(fold[order]) != 0)) + 1
    return {(int(repeat[part[0]]), int(fold[part[0]])): row[part] for part in np.split(order, edges)}


def from_assignment(name: str, assignment: object, ids_sha256: str, rows: int, **facts: object) -> Folds:
    """Folds from a splitter's answer: int16[rows] with -1 for never, three arrays (row, repeat, fold), or these with training rows.

    The last has the attributes row, repeat, fold and `train`, one array of row numbers for each (repeat, fold) in order; these
    are kept, and the rule is `given`, only where they are not simply the rest. Raises KKError where nothing is validated, or a row
    twice in one repeat.
    """
    row, repeat, fold, train = _lines(assignment, rows)
    order = np.lexsort((row, repeat))
    folds = Folds(name=name, rows=rows, row=row[order], repeat=repeat[order], fold=fold[order], ids_sha256=ids_sha256, **facts)
    if not len(row):
        raise KKError(f"the folds {name} validate no row", "Use fewer folds or a smaller gap")
    if row.min() < 0 or row.max() >= rows:
        raise KKError(f"the folds {name} validate row {row.max() if row.max() >= rows else row.min()} of {rows}", "Number rows from 0")
    if len(np.unique(repeat * rows + row)) < len(row):
        raise KKError(f"the folds {name} validate a row twice in one repeat", "Give each row one fold a repeat")
    return folds if train is None else _with_given(folds, train)


def _lines(assignment: object, rows: int) -> tuple[Array, Array, Array, Sequence[Array] | None]:
    train = getattr(assignment, "train", None)
    if hasattr(assignment, "row"):
        assignment = (assignment.row, assignment.repeat, assignment.fold)
    if isinstance(assignment, tuple):
        row, repeat, fold = (np.asarray(part, dtype=np.int64) for part in assignment)
        return row, repeat, fold, train
    vector = np.asarray(assignment)
    if vector.shape != (rows,):
        raise KKError(f"the split gives numbers of the shape {vector.shape} for {rows} rows", "Return one fold number a row, -1 for never")
    row = np.flatnonzero(vector >= 0)
    return row, np.zeros(len(row), dtype=np.int64), vector[row].astype(np.int64), None


def _with_given(folds: Folds, train: Sequence[Array]) -> Folds:
    given = {key: np.unique(np.asarray(rows, dtype=np.int64)) for key, rows in zip(folds.keys, train, strict=True)}
    for (key, rows), valid in zip(given.items(), folds._parts().values(), strict=True):
        if len(np.intersect1d(rows, valid)):
            raise KKError(f"fold {key[1]} of {folds.name} trains on rows that it validates", "Give training rows without the validated ones")
    rest = all(len(rows) + len(valid) == folds.rows for rows, valid in zip(given.values(), folds._parts().values(), strict=True))
    return folds if rest else replace(folds, rule="given", given=given)


@dataclass(frozen=True, slots=True)
class Stacked:
    """Several answers of a splitter as one: a line for each validated row, and training rows where one of them gave these."""

    row: Array
    repeat: Array
    fold: Array
    train: tuple[Array, ...] | None = None


def stacked(parts: Sequence[object], rows: int) -> object:
    """The answers of a splitter for several seeds as one, the repeats numbered through."""
    if len(parts) == 1:
        return parts[0]
    lines, trains, repeats = [], [], 0
    for part in parts:
        row, repeat, fold, train = _lines(part, rows)
        lines.append((row, repeat + repeats, fold))
        trains.append(train)
        repeats += int(repeat.max(initial=0)) + 1
    row, repeat, fold = (np.concatenate(one) for one in zip(*lines, strict=True))
    given = None if any(train is None for train in trains) else tuple(one for train in trains for one in train)
    return Stacked(row, repeat, fold, given)


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
