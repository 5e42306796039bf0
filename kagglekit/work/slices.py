"""Slices: ranges, levels and gaps of one column in which something happens more often than elsewhere, told honestly."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray
MOST_ROWS = 200_000  # slices are sought on no more rows
HALVED = 400  # from so many rows on, slices are sought on one half and measured on the other
MOST_SLICES, MOST_LEVELS, BINS = 5, 30, 10
LEAST_ROWS, LEAST_LIFT, CLEAR, ALPHA = 20, 1.3, 3.0, 0.05
NAME, LEVEL = 30, 20  # characters of a column and of a level that are shown


@dataclass(frozen=True, slots=True)
class Slice:
    """Rows that one column sets apart.

    where: the cut in words; rows and share: how many there are; hard, hard_overall: share of rows that are hard there, and of all; se: of
    the difference; error, error_overall: mean error there, and of all; p: of the difference, corrected for what was tried.
    """

    column: str
    where: str
    rows: int
    share: float
    hard: float
    hard_overall: float
    se: float
    error: float
    error_overall: float
    p: float


@dataclass(frozen=True, slots=True, eq=False)
class Coded:
    """A column in bins: `codes` int16[rows], -1 for a gap; `names` of the bins; `edges` between them, empty for levels."""

    name: str
    codes: Array
    names: tuple[str, ...]
    edges: tuple[float, ...] = ()

    def said(self, first: int, last: int) -> str:
        """The bins first to last in words."""
        if first < 0:
            return f"{self.name} has no value"
        if first == last and self.names[first]:
            return f"{self.name} = {self.names[first]}"
        low = None if first == 0 else f"{self.edges[first - 1]:.6g}"
        high = None if last == len(self.edges) else f"{self.edges[last]:.6g}"
        if low is None or high is None:
            return f"{self.name} <= {high}" if low is None else f"{self.name} > {low}"
        return f"{low} < {self.name} <= {high}"


def slices(X: "pd.DataFrame", hard: Array, error: Array, groups: Array | None = None, seed: int = 0) -> tuple[Slice, ...]:
    """Slices of the columns of X in which rows are `hard` (0 or 1) more often than overall, the clearest first, 5 at most.

    A slice is a range between deciles, a level or the gaps of one column. They are sought on one half of the rows (of the groups), each in
    another column and among the rows that no slice before it holds, and measured on the other half: what is shown did not choose itself. p
    by Holm over the chosen ones. Under 400 rows both is done on all of them, p by Bonferroni over all that was tried.

    >>> import pandas as pd
    >>> x = np.arange(1000) % 10
    >>> slices(pd.DataFrame({"x": x}), (x > 7) * 1.0, (x > 7) * 2.0)[0].where
    'x > 7'
    """
    rows = np.arange(len(hard))
    if len(rows) > MOST_ROWS:
        rows = np.sort(np.random.default_rng(seed).choice(len(rows), MOST_ROWS, replace=False))
    columns = [coded for name in X.columns if (coded := code(X[name].iloc[rows])) is not None]
    hard, error, groups = hard[rows], error[rows], None if groups is None else np.unique(groups[rows], return_inverse=True)[1]
    unit = len(rows) if groups is None else int(groups.max()) + 1
    side = np.random.default_rng(seed).permutation(unit) % 2 == 0
    seek = np.ones(len(rows), dtype=bool) if len(rows) < HALVED else side if groups is None else side[groups]
    judge = seek if len(rows) < HALVED else ~seek
    chosen, tried = _chosen(columns, hard, seek)
    found = [_measured(column, first, last, hard, error, judge, groups, len(X)) for column, first, last in chosen]
    return _clear(found, tried if len(rows) < HALVED else 0)


def code(column: "pd.Series") -> Coded | None:
    """A column in bins: its values where they are few, else deciles; the 30 most frequent levels of text. None where nothing varies.

    >>> import pandas as pd
    >>> code(pd.Series(["b", "a", None, "b"], name="c")).names
    ('b', 'a')
    """
    import pandas as pd

    name = str(column.name)
    name = name if len(name) <= NAME else name[:NAME - 1] + "…"
    if pd.api.types.is_datetime64_any_dtype(column):
        return _levels(name, column.dt.strftime("%Y-%m"))
    if not pd.api.types.is_numeric_dtype(column):
        return _levels(name, column)
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    seen = values[np.isfinite(values)]
    distinct = np.unique(seen)
    few = len(distinct) <= BINS
    edges = distinct[:-1] if few else np.unique(np.quantile(seen, np.linspace(0, 1, BINS + 1)[1:-1]))
    edges = edges[edges < distinct[-1]] if len(distinct) else edges
    codes = np.where(np.isnan(values), -1, np.searchsorted(edges, values, side="left")).astype(np.int16)
    names = tuple(f"{value:.6g}" for value in distinct) if few else ("",) * (len(edges) + 1)
    return Coded(name, codes, names, tuple(edges.tolist())) if len(edges) or ((codes < 0).any() and len(seen)) else None


def _levels(name: str, column: "pd.Series") -> Coded | None:
    import pandas as pd

    codes, levels = pd.factorize(column.astype(object).where(column.notna()).map(str, na_action="ignore"))
    counts = np.bincount(codes[codes >= 0], minlength=len(levels))
    order = np.argsort(-counts, kind="stable")[:MOST_LEVELS]
    place = np.full(len(levels) + 1, len(order), dtype=np.int16)  # the rest is in one bin that is no slice
    place[order], place[-1] = np.arange(len(order)), -1
    names = tuple(text if len(text) <= LEVEL else text[:LEVEL - 1] + "…" for text in (str(levels[one]) for one in order))
    return Coded(name, place[codes], names) if len(levels) > 1 or ((codes < 0).any() and len(levels)) else None


def _chosen(columns: Sequence[Coded], hard: Array, seek: Array) -> tuple[list[tuple[Coded, int, int]], int]:
    """(column, first and last bin) of slices, each the clearest among rows that none before it holds; and how many were tried."""
    left, columns, chosen, tried = seek.copy(), list(columns), [], 0
    while len(chosen) < MOST_SLICES:
        best, found = CLEAR, None
        for column in columns:
            z, first, last, count = _clearest(column, hard, left)
            tried += count
            if z > best:
                best, found = z, (column, first, last)
        if found is None:
            break
        chosen.append(found)
        columns.remove(found[0])
        left &= ~_inside(*found)
    return chosen, tried


def _clearest(column: Coded, hard: Array, left: Array) -> tuple[float, int, int, int]:
    """(z, first bin, last bin, slices tried) of the column's clearest slice."""
    codes = column.codes[left] + 1  # 0 is the gap
    size = len(column.names) + 2
    rows, hits = np.bincount(codes, minlength=size)[:size], np.bincount(codes, weights=hard[left], minlength=size)[:size]
    single = slice(0, len(column.names) + 1) if not column.edges else slice(0, 1)
    first = np.arange(single.start, single.stop)
    last = first.copy()
    n, k = rows[single], hits[single]
    if column.edges:
        low, high = np.triu_indices(len(column.names))
        sums, ups = np.concatenate([[0], np.cumsum(rows[1:-1])]), np.concatenate([[0], np.cumsum(hits[1:-1])])
        n, k = np.concatenate([n, sums[high + 1] - sums[low]]), np.concatenate([k, ups[high + 1] - ups[low]])
        first, last = np.concatenate([first, low + 1]), np.concatenate([last, high + 1])
    total, share = int(rows.sum()), float(hits.sum() / max(rows.sum(), 1))
    fits = (n >= LEAST_ROWS) & (n < total) & (k > LEAST_LIFT * share * n)
    if not fits.any():
        return 0.0, 0, 0, len(n)
    spread = np.sqrt(share * (1 - share) * (1 / n[fits] - 1 / total))
    z = (k[fits] / n[fits] - share) / np.maximum(spread, 1e-300)
    best = int(np.argmax(z))
    return float(z[best]), int(first[fits][best]) - 1, int(last[fits][best]) - 1, len(n)


def _inside(column: Coded, first: int, last: int) -> Array:
    return (column.codes >= first) & (column.codes <= last)


def _measured(column: Coded, first: int, last: int, hard: Array, error: Array, judge: Array, groups: Array | None, total: int) -> Slice:
    """The slice on the rows that judge it; p is not corrected yet."""
    everywhere = _inside(column, first, last)
    inside, hits = everywhere[judge], hard[judge]
    n, rest = int(inside.sum()), int((~inside).sum())
    here, there = (float(hits[part].mean()) if part.any() else math.nan for part in (inside, ~inside))
    share = np.where(inside, (hits - here) / max(n, 1), -(hits - there) / max(rest, 1))
    sums = share if groups is None else np.bincount(groups[judge], weights=share)
    plain, clustered = float(np.sqrt((share**2).sum())), float(np.sqrt((sums**2).sum()))
    # Where all or none are hard no spread is seen; the share of all then tells what it may be.
    overall = float(hits.mean())
    se = max(plain, clustered, math.sqrt(overall * (1 - overall) / max(n, 1)) if here in (0.0, 1.0) else 0.0)
    z = (here - there) / se if n and rest and se > 0 else 0.0
    return Slice(column.name, column.said(first, last), round(float(everywhere.mean()) * total), float(everywhere.mean()), here, overall, se,
                 float(error[judge][inside].mean()) if n else math.nan, float(error[judge].mean()), math.erfc(z / math.sqrt(2)) / 2)


def _clear(found: Sequence[Slice], tried: int) -> tuple[Slice, ...]:
    """Those whose p stands after correction (Bonferroni over `tried`, Holm without), the clearest first."""
    kept, largest = [], 0.0
    for place, one in enumerate(sorted(found, key=lambda one: one.p)):
        largest = max(largest, min(1.0, one.p * (tried or len(found) - place)))
        if largest <= ALPHA and one.hard > LEAST_LIFT * one.hard_overall:
            kept.append(replace(one, p=largest))
    return tuple(kept)
