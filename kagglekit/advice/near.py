"""Near pairs: rows that differ by next to nothing in their numbers and in nothing else, found by hashing projections."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kagglekit.advice.features import NUMERIC, Feature
from kagglekit.advice.rowkeys import mixed

Array = np.ndarray
NEAR = 1e-3              # of the median distance to the nearest row
LOCAL = 1e-2             # of the distance to the next other row
PROJECTIONS, TABLES = 4, 5
CELL = 16.0              # a cell's width in near distances
DISTANCES = 100_000_000  # that are computed to know the median
WIDTH, FEWEST_KNOWN = 32, 3
MOST_QUERIES, FEWEST_ROWS, FEWEST_VALUES = 600, 50, 20
CHECKED = 100


@dataclass(frozen=True, slots=True)
class Near:
    """`pairs` int64[pairs, 2] of rows; `expected` pairs by chance, `genuine` the share of pairs that are near for their place too.

    `queries` rows were asked for their nearest one to know what near means.
    """

    pairs: Array
    expected: float
    genuine: float
    queries: int


def near_pairs(columns: Sequence[Feature], rows: Array, rest: Array, seed: int = 0) -> Near | None:
    """Pairs among `rows` (of both tables, no two of them equal) nearer than 1e-3 of the median distance to the nearest row.

    Distances are Euclidean over the numeric columns, each divided by its spread; `rest` uint64[all rows] must agree (the keys of all
    other columns; dates are among them: what lies an hour later is a neighbour, no copy). None where the numbers are too few. Cells of
    shifted projections (locality-sensitive hashing: Datar, Immorlica, Indyk & Mirrokni 2004) hold the candidates, whose distances are then
    computed: a pair is missed in fewer than one case of a hundred. By chance n/2 * ln 2 * 1e-3**d pairs are as near, d being the
    dimension of the data (as in Facco et al. 2017, from the ratio of the distances to the two nearest rows).
    """
    numeric = [feature for feature in columns if feature.kind in NUMERIC and feature.kind not in ("bool", "date")]
    rng = np.random.default_rng(seed)
    points, gaps, known = _scaled(numeric, rows, rng)
    # Rows of one or two values lie in a line or a plane, closer to each other than the rest.
    full = known >= min(FEWEST_KNOWN, points.shape[1])
    points, gaps, rows = points[full], gaps[full], rows[full]
    if len(rows) < FEWEST_ROWS or points.shape[1] < 2:
        return None
    queries = rng.choice(len(rows), min(len(rows), max(60, min(MOST_QUERIES, DISTANCES // len(rows)))), replace=False)
    first, second = _nearest(points, queries)
    median = float(np.median(first))
    apart = (first > NEAR * median) & (second > first)
    if median <= 0 or not apart.any():
        return None
    dimension = math.log(2) / max(float(np.median(np.log(second[apart] / first[apart]))), 1e-3)
    found = _close(points, rest[rows] + gaps, NEAR * median, rng)
    expected = len(rows) / 2 * math.log(2) * NEAR ** max(1.0, dimension)
    return Near(rows[found], expected, _genuine(points, found, rng), len(queries))


def _scaled(numeric: Sequence[Feature], rows: Array, rng: np.random.Generator) -> tuple[Array, Array, Array]:
    """float64[rows, k] over their spread, without columns of one value, gaps at 0; uint64[rows], which are missing; how many are not.

    More than 32 columns become 32 random projections, which keep distances to about one part in ten (Johnson & Lindenstrauss 1984).
    """
    found: list[Array] = []
    count = np.zeros(len(rows), np.int64)
    total, gaps = np.zeros((len(rows), WIDTH if len(numeric) > WIDTH else 0)), np.zeros(len(rows), np.uint64)
    for place, feature in enumerate(numeric):
        values = feature.values()[rows]
        known = np.isfinite(values)
        if known.sum() < FEWEST_VALUES or not np.ptp(values[known]):
            continue
        count += known
        low, middle, high = np.quantile(values[known], [0.05, 0.5, 0.95])
        spread = high - low or float(np.std(values[known]))
        found.append(np.where(known, (values - middle) / spread, 0.0))
        gaps += np.where(known, np.uint64(0), np.uint64(1 + 2 * place) << np.uint64(place % 32))
        if len(found) == WIDTH and total.size:
            total += np.column_stack(found) @ rng.normal(size=(WIDTH, WIDTH)) / math.sqrt(WIDTH)
            found = []
    if total.size:
        return total + (np.column_stack(found) @ rng.normal(size=(len(found), WIDTH)) / math.sqrt(WIDTH) if found else 0.0), gaps, count
    return np.column_stack(found) if found else np.empty((len(rows), 0)), gaps, count


def _nearest(points: Array, queries: Array) -> tuple[Array, Array]:
    """Distances of the queried rows to their nearest and second nearest row, by all distances."""
    best = np.full((2, len(queries)), np.inf)
    squares, asked = (points**2).sum(axis=1), points[queries]
    step = max(1, 4_000_000 // len(queries))
    for start in range(0, len(points), step):
        block = points[start:start + step]
        distances = squares[start:start + step, None] + squares[queries] - 2 * block @ asked.T
        inside = (queries >= start) & (queries < start + len(block))
        distances[queries[inside] - start, np.flatnonzero(inside)] = np.inf
        for _ in range(2):
            place = distances.argmin(axis=0)
            lowest = distances[place, np.arange(len(queries))]
            distances[place, np.arange(len(queries))] = np.inf
            best = np.sort(np.vstack([best, lowest]), axis=0)[:2]
    # What is left of a subtraction of large squares is no distance.
    return tuple(np.sqrt(np.where(best > 1e-12 * squares[queries], best, 0.0)))


def _close(points: Array, same: Array, reach: float, rng: np.random.Generator) -> Array:
    """int64[pairs, 2]: pairs within `reach` of each other whose `same` is equal."""
    found = [np.empty((0, 2), np.int64)]
    for _ in range(TABLES):
        places = points @ rng.standard_normal((points.shape[1], PROJECTIONS)) / (CELL * reach) + rng.random(PROJECTIONS)
        cells = np.floor(places).astype(np.int64).view(np.uint64)
        keys = same.copy()
        for column in cells.T:
            keys = mixed(keys + column)
        order = np.argsort(keys, kind="stable")
        ordered = keys[order]
        opens = np.r_[True, ordered[1:] != ordered[:-1]]
        heads = order[np.maximum.accumulate(np.where(opens, np.arange(len(order)), 0))]
        members = np.flatnonzero(~opens)
        pairs = np.vstack([np.column_stack([heads[members], order[members]]), np.column_stack([order[members - 1], order[members]])])
        pairs = pairs[((points[pairs[:, 0]] - points[pairs[:, 1]]) ** 2).sum(axis=1) <= reach**2]
        found.append(np.sort(pairs, axis=1))
    return np.unique(np.vstack(found), axis=0)


def _genuine(points: Array, pairs: Array, rng: np.random.Generator) -> float:
    """The share of pairs that are far nearer to each other than to the next other row: elsewhere the table is dense, nothing is a copy."""
    if not len(pairs):
        return 0.0
    chosen = pairs[rng.choice(len(pairs), min(CHECKED, len(pairs)), replace=False)]
    own = np.sqrt(((points[chosen[:, 0]] - points[chosen[:, 1]]) ** 2).sum(axis=1))
    linked = np.unique(pairs)
    others = np.delete(np.arange(len(points)), linked)
    if not len(others):
        return 0.0
    reach = np.array([np.sqrt(((points[others] - points[one]) ** 2).sum(axis=1).min()) for one in chosen[:, 0]])
    return float((own <= LOCAL * reach).mean())
