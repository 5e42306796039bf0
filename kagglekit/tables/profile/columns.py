"""One column at a time: type, missing values, distinct values, drift, what it says of the target; and columns that say the same."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from kagglekit.tables.profile.drift import Drift, column_drift, design_effect
from kagglekit.tables.profile.rows import value_hashes
from kagglekit.tables.profile.signal import Aim, Signal, column_signal
from kagglekit.tables.profile.source import Source
from kagglekit.tables.profile.values import as_arrow, codes, kind_of, label, moment, numbers

if TYPE_CHECKING:
    import pyarrow

NEARLY = 0.995
FEWEST = 30


@dataclass(frozen=True, slots=True)
class Column:
    """A column: `missing` counts all rows, the rest is of the sample. `most` is the most frequent value and `most_share` its share of
    the rows that have one; `low` and `high` are of numbers and dates, `length` the mean length of text."""

    name: str
    kind: str
    role: str
    missing_train: float | None
    missing_test: float | None
    distinct: int
    most: object = None
    most_share: float = 0.0
    low: object = None
    high: object = None
    infinite: int = 0
    length: float | None = None
    id_like: bool = False
    drift: Drift | None = None
    signal: Signal | None = None
    pattern: bytes = b""

    @property
    def constant(self) -> bool:
        """Whether it has one value, or none."""
        return self.distinct == 0 or (self.distinct == 1 and not self.missing_train)

    @property
    def nearly_constant(self) -> bool:
        """Whether nearly every row that has a value has the same one."""
        return not self.constant and self.distinct > 1 and self.most_share >= NEARLY

    @property
    def order(self) -> tuple:
        """Sorts the worst first: what tells the target, features that drift, then those that miss; columns that are no features last."""
        signal, drift = self.signal, self.drift
        told = signal is not None and signal.suspect
        excess = drift.value / drift.chance if drift and drift.chance else 0.0
        matters = drift is not None and drift.matters
        gaps = max(self.missing_train or 0.0, self.missing_test or 0.0)
        plain = self.role == "feature" and not self.id_like
        return (not told, not plain, not matters, -(drift.value if drift and matters else 0.0), -excess, -gaps, self.name)


def describe_column(name: str, role: str, train: Source, test: Source | None, *, aim: Aim | None, alpha: float, group: str = "") -> Column:
    """All that is known of a column; `aim` None leaves out what it says of the target, `test` None the drift. Rows of a `group` are
    alike: less is told by them than by as many single rows."""
    home = train if name in train.names else test
    assert home is not None
    column = as_arrow(home.table[name])
    other = as_arrow(test.table[name]) if test is not None and home is train and name in test.names else None
    found = _of_values(column, home, Column(name, kind_of(column), role, _missing(train, name), _missing(test, name), 0))
    drift = None
    if other is not None and (role != "id" or found.kind == "date"):
        assert test is not None
        pairs = [(values, source) for values, source in ((column, train), (other, test)) if group in source.names and name != group and len(values)]
        effect = max((design_effect(values, source.table[group]) for values, source in pairs), default=1.0)
        drift = column_drift(column, other, alpha=alpha, effect=effect)
    return replace(found, drift=drift,
                   signal=column_signal(column, aim) if home is train and found.distinct > 1 else None)


def _missing(source: Source | None, name: str) -> float | None:
    return source.missing[name] / max(1, source.rows) if source is not None and name in source.missing else None


def _of_values(column: "pyarrow.ChunkedArray", home: Source, blank: Column) -> Column:
    (found,), values = codes(column)
    counts = np.bincount(found[found >= 0], minlength=len(values))
    if not len(counts):
        return blank
    top, known = int(counts.argmax()), int(counts.sum())
    numeric = blank.kind in ("integer", "number", "date")
    finite = numbers(column) if numeric else np.empty(0)
    finite = finite[np.isfinite(finite)]
    read = moment if blank.kind == "date" else label
    id_like = known >= FEWEST and len(counts) == known == len(found) and _counts(blank.kind, finite, home.rows)
    return replace(blank, distinct=len(counts), most=_value(values[top], blank.kind), most_share=int(counts[top]) / known, id_like=id_like,
                   low=read(finite.min()) if len(finite) else None, high=read(finite.max()) if len(finite) else None,
                   infinite=known - len(finite) if blank.kind == "number" else 0,
                   length=float(np.nanmean(numbers(column))) if blank.kind in ("text", "category") else None,
                   pattern=_pattern(found, values, numeric, id_like))


def _value(value: object, kind: str) -> object:
    if kind == "date":
        return moment(float(value))
    return bool(label(value)) if kind == "bool" else label(value)


def _counts(kind: str, finite: np.ndarray, rows: int) -> bool:
    """Whether values that are all distinct look like an id: text without spaces, whole numbers in a row or from a narrow range."""
    if kind != "integer":
        return kind == "category"
    steps = np.diff(finite)
    return bool((steps > 0).all() or (steps < 0).all() or np.ptp(finite) < 2 * rows)


def _pattern(found: np.ndarray, values: object, numeric: bool, id_like: bool) -> bytes:
    """Equal for columns that determine each other: by which rows are alike or, where hardly any are, by the order of the numbers."""
    if len(found) < FEWEST or len(values) < 2 or id_like:
        return b""
    if len(values) <= len(found) / 2:
        return _digest(found)
    if not numeric:
        return b""
    rank = np.empty(len(values) + 1, np.int64)
    rank[np.argsort(np.asarray(values))] = np.arange(len(values))
    rank[-1] = -1
    ranks = rank[found]
    return min(_digest(ranks), _digest(np.where(ranks < 0, -1, len(values) - 1 - ranks)))


def _digest(array: np.ndarray) -> bytes:
    return hashlib.blake2b(array.tobytes(), digest_size=16).digest()


def alike(columns: Sequence[Column], train: Source) -> list[tuple[bool, list[str]]]:
    """Sets of columns that say the same: (whether the values are equal too, names)."""
    sets: dict[bytes, list[str]] = {}
    for column in columns:
        if column.pattern and column.role not in ("target", "id"):
            sets.setdefault(column.pattern, []).append(column.name)
    return [(len({_digest(value_hashes(train.table[name])) for name in names}) == 1, names) for names in sets.values() if len(names) > 1]
