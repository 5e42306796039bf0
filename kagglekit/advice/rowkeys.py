"""Row keys: a number for each row, equal for rows that are equal after rounding; and how many equal rows chance alone gives."""

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from kagglekit.advice.features import NUMERIC, Feature
from kagglekit.tables.profile.rows import MISSING, value_hashes
from kagglekit.tables.profile.values import codes

if TYPE_CHECKING:
    import pyarrow

Array = np.ndarray
DROPPED_BITS = 28        # of the 52 of a float64's mantissa: 24 are left, what a float32 holds
NARROW = 1e-3
GOLDEN, MASK = 0x9E3779B97F4A7C15, 2**64 - 1
CACHED_BYTES = 1_200_000_000
MOST_CELLS, FEWEST_COLUMNS = 150_000_000, 32
SAMPLE = 100_000
STRONGEST, CROWD = 4, 10
BITS = 6.0
FREQUENT, REPEATS = 0.05, 0.01


class RowKeys:
    """uint64 keys of the rows of both tables, train first: of each column, and of all columns as their sum.

    Numbers are rounded to single precision (a column far from zero after its median is subtracted), whole numbers and dates are
    exact, text is compared without case and with single spaces. A missing value is a value of its own.
    """

    def __init__(self, columns: Sequence[Feature]) -> None:
        self._columns = columns
        self._kept: dict[int, Array] = {}
        rows = sum(len(table) for table in columns[0].tables)
        self._room = CACHED_BYTES // max(1, 8 * rows)
        self.total = np.zeros(rows, np.uint64)
        for place in range(len(columns)):
            self.total += self.of(place)

    def __len__(self) -> int:
        """How many columns."""
        return len(self._columns)

    def of(self, place: int) -> Array:
        """uint64[rows]: the keys of one column."""
        if place in self._kept:
            return self._kept[place]
        keys = mixed(_hashes(self._columns[place]) + np.uint64((2 * place + 1) * GOLDEN & MASK))
        if len(self._kept) < self._room:
            self._kept[place] = keys
        return keys


def mixed(values: Array) -> Array:
    """The finalizer of splitmix64 (Steele, Lea & Flood 2014): near numbers get far keys."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def pairs(keys: Array) -> float:
    """How many pairs of rows have equal keys.

    >>> pairs(np.array([1, 1, 1, 2, 2, 3], np.uint64))
    4.0
    """
    ordered = np.sort(keys)
    edges = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1], True]) if len(ordered) else np.zeros(1, np.int64)
    sizes = np.diff(edges).astype(np.float64)
    return float((sizes * (sizes - 1)).sum() / 2)


def crowded(keys: RowKeys, chosen: Sequence[int]) -> Array:
    """bool[rows]: rows in places where the table is dense: there equal rows come by chance, or by groups that share most values.

    A row is in one when more than half as many rows as equal it differ from it in a single column, or ten do in any case.
    """
    equal = _alike(keys.total)
    neighbours = np.zeros(len(equal))
    for place in chosen:
        neighbours += (_alike(keys.total - keys.of(place)) - equal) * len(keys) / len(chosen)
    return neighbours >= np.where(equal > 1, np.minimum((equal + 1) / 2, CROWD), CROWD)


def _alike(keys: Array) -> Array:
    """int64[rows]: how many rows have a row's key, itself counted."""
    codes = pd.factorize(keys)[0]
    return np.bincount(codes)[codes]


def surprise(keys: RowKeys, rare: Sequence[int]) -> Array:
    """float64[rows]: the bits of information in a row's values, were the columns independent; four times as many in `rare` columns.

    Chance alone gives a row of b bits n / 2**b copies among n rows: many to a row that is all zero or all missing.
    """
    count = len(keys.total)
    bits = np.zeros(count)
    for place in range(len(keys)):
        codes = pd.factorize(keys.of(place))[0]
        bits += (4 if place in rare else 1) * np.log2(count / np.bincount(codes))[codes]
    return bits


def common(bits: Array) -> Array:
    """bool[rows]: rows to which chance alone gives more than 1/64 copies."""
    return bits < np.log2(len(bits)) + BITS


def expected_pairs(keys: RowKeys, rows: Array, bits: Array, chosen: Sequence[int], rare: Sequence[int]) -> float:
    """How many equal pairs chance gives among `rows`: the largest of three estimates.

    Columns drawn independently of each other, by the surprise of the rows; each column drawn anew in the pairs that agree in all
    others, D_j * odds_j with D_j the pairs that differ in column j alone; and, since columns depend on each other, D_j * D_k / D_jk
    with D_jk the pairs that differ in j and in k (as in capture-recapture). Copies add nothing to any D. `rare` are columns whose
    values hardly repeat by chance, as long text: of these only a frequent value (mostly the missing one) counts.
    """
    totals = keys.total[rows]
    whole, alone, often = pairs(totals), {}, []
    estimates = {-1: float((len(bits) / 2 * 2.0 ** -bits[rows]).sum())}
    for place in chosen:
        column = keys.of(place)[rows]
        chance = _frequent(column) if place in rare else _collision(column)
        alone[place] = pairs(totals - column) - whole
        estimates[place] = alone[place] * chance / max(1 - chance, 1e-9)
        if chance >= REPEATS and alone[place] and place not in rare:
            often.append(place)
    # Numbers of many values are left out: there copies that rounding tore apart would count as differing rows.
    for one, other in itertools.combinations(sorted(often, key=lambda place: -estimates[place])[:STRONGEST], 2):
        both = pairs(totals - keys.of(one)[rows] - keys.of(other)[rows]) - whole - alone[one] - alone[other]
        estimates[len(keys) + len(estimates)] = alone[one] * alone[other] / (both + 1)
    return max(estimates.values())


def spread_out(keys: RowKeys) -> list[int]:
    """Columns to look at where there are very many: from those of the fewest repeats to those of the most, evenly."""
    places, most = range(len(keys)), max(FEWEST_COLUMNS, MOST_CELLS // max(1, len(keys.total)))
    if len(places) <= most:
        return list(places)
    order = sorted(places, key=lambda place: _collision(keys.of(place)[:2000]))
    return [order[spot] for spot in np.linspace(0, len(order) - 1, most).astype(int)]


def _collision(column: Array) -> float:
    """The chance that two rows have the same value."""
    some = column[:: -(-len(column) // SAMPLE) or 1]
    return pairs(some) / max(1.0, len(some) * (len(some) - 1) / 2)


def _frequent(column: Array) -> float:
    """The chance that two rows have the most frequent value, where it is frequent."""
    most = np.bincount(pd.factorize(column)[0]).max(initial=0) / max(1, len(column))
    return float(most**2) if most > FREQUENT else 0.0


def _hashes(feature: Feature) -> Array:
    if feature.kind in ("integer", "bool", "date", "empty"):
        return value_hashes(feature.values())
    if feature.kind in NUMERIC:
        return value_hashes(rounded(feature.values()))
    return np.concatenate([_text_hashes(column) for column in feature.tables])


def rounded(values: Array) -> Array:
    """float64[rows] to single precision (24 bits); values far from zero for their spread are first moved there.

    >>> a, b, c, _ = rounded(np.array([0.1, 0.1 + 1e-12, 0.10001, 7.0]))
    >>> bool(a == b), bool(a == c)
    (True, False)
    """
    some = values[:: -(-len(values) // SAMPLE) or 1]
    low, middle, high = np.quantile(some[np.isfinite(some)], [0.05, 0.5, 0.95]) if np.isfinite(some).any() else (0.0, 0.0, 0.0)
    if high - low < NARROW * abs(middle):
        values = values - middle
    bits = (values + 0.0).view(np.int64)
    kept = ((bits + np.int64(1 << (DROPPED_BITS - 1))) >> np.int64(DROPPED_BITS)) << np.int64(DROPPED_BITS)
    return np.where(np.isfinite(values), kept.view(np.float64), values) + 0.0


def _text_hashes(column: "pyarrow.ChunkedArray") -> Array:
    """Of text and categories, each distinct value hashed once."""
    import pyarrow
    import pyarrow.compute as pc

    (found,), values = codes(column.cast(pyarrow.string()))
    texts = pc.replace_substring_regex(pc.utf8_lower(pc.utf8_trim_whitespace(values)), r"\s+", " ")
    return np.append(value_hashes(texts), MISSING)[found]
