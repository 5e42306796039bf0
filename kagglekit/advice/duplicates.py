"""Near duplicates: rows of train that are copies of each other, or of rows of test, beyond what chance gives."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from kagglekit.advice.features import Feature, check_rows, features
from kagglekit.advice.near import Near, near_pairs
from kagglekit.advice.rowkeys import RowKeys, common, crowded, expected_pairs, pairs, spread_out, surprise
from kagglekit.progress import task
from kagglekit.tables.profile.findings import percent

if TYPE_CHECKING:
    import pyarrow

Array = np.ndarray
MOST_BY_CHANCE = 0.25
UNLIKELY, LEAST_EXPECTED = 1e-3, 0.01
SHORT_TEXT = 25
FEW_VALUES = 20


@dataclass(frozen=True, slots=True)
class Duplicates:
    """Rows that come twice, in shares between 0 and 1.

    `share` is of train's rows with a copy in train, `test_share` of test's rows with a copy in train (None without test), `groups`
    int64[rows of train] one code for each set of copies. `equal` is the share of train's rows whose copy is equal after rounding;
    `repeated` that of rows which equal another at all, copies or not, and `expected` how many of their pairs chance would give.
    `disagree` is the share of the copied rows whose copies have another target (None without target). `method` is how it was found.
    """

    share: float
    test_share: float | None
    groups: Array
    equal: float
    repeated: float
    expected: float
    disagree: float | None
    method: str
    says: str


def near_duplicates(train: pd.DataFrame, test: pd.DataFrame | None = None, *, y: Array | None = None, seed: int = 0) -> Duplicates:
    """Copies among the rows of train, and of train's rows in test, by the columns that both have (leave ids out).

    Equal rows (numbers to single precision, text without case and spaces) count only where they are hardly explained by
    chance: a table of three categories has many. Rows that differ in one column alone tell how many to expect (see
    expected_pairs). Near rows differ in their numbers by less than 1e-3 of the median distance to the nearest row (see near_pairs).
    Tables of one column have no duplicates, except of text. Raises KKError where y has another length.

    >>> rng = np.random.default_rng(0)
    >>> table = pd.DataFrame(rng.normal(size=(200, 4))).add_prefix("x")
    >>> found = near_duplicates(pd.concat([table, table[:20]]))
    >>> round(found.share, 3), len(np.unique(found.groups))
    (0.182, 200)
    """
    if y is not None:
        check_rows(train, y)
    count = len(train)
    usable = [feature for feature in features(train, test) if _varies(feature)]
    if count < 2 or not usable or (len(usable) == 1 and usable[0].kind != "text"):
        return _nothing(count, test, y, "fewer than two columns vary: no row can be told to be a copy")
    with task("looking for copies of rows", total=3, unit="steps") as work:
        keys = RowKeys(usable)
        work.advance()
        equal, expected = _equal(keys, usable)
        work.advance()
        near = _near(usable, keys, seed)
        work.advance()
    ours, theirs = np.split(_joined(equal, near), [count])
    copied = _repeats(ours)
    share, repeated = float(copied.mean()), float(_repeats(keys.total[:count]).mean())
    shared = None if test is None else float(np.isin(theirs, ours).mean()) if len(theirs) else 0.0
    disagree = None if y is None else _disagreement(ours, copied, np.asarray(y))
    return Duplicates(share, shared, pd.factorize(ours)[0].astype(np.int64), float(_repeats(equal[:count]).mean()), repeated, expected,
                      disagree, _method(near), _says(share, repeated, disagree))


def merge_groups(a: Array, b: Array) -> Array:
    """int64[rows]: rows that share a group in `a` or in `b`, directly or through others, get one code (connected components).

    >>> merge_groups(np.array([0, 0, 1, 2]), np.array([5, 6, 6, 7])).tolist()
    [0, 0, 0, 1]
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    one, first = pd.factorize(np.asarray(a), use_na_sentinel=False)
    other, second = pd.factorize(np.asarray(b), use_na_sentinel=False)
    size = len(first) + len(second)
    graph = coo_array((np.ones(len(one), np.int8), (one, other + len(first))), shape=(size, size))
    components = connected_components(graph, directed=False)[1]
    return pd.factorize(components[one])[0].astype(np.int64)


def _varies(feature: Feature) -> bool:
    """Whether a column holds more than one value, missing counted as one."""
    import pyarrow.compute as pc

    def varies(table: "pyarrow.ChunkedArray") -> bool:
        ends = pc.min_max(table).as_py()
        return 0 < table.null_count < len(table) or ends["min"] != ends["max"]

    return any(varies(table) for table in feature.tables)


def _nothing(count: int, test: pd.DataFrame | None, y: Array | None, says: str) -> Duplicates:
    return Duplicates(0.0, None if test is None else 0.0, np.arange(count), 0.0, 0.0, 0.0, None if y is None else 0.0, "", says)


def _equal(keys: RowKeys, columns: Sequence[Feature]) -> tuple[Array, float]:
    """uint64[rows of both tables], equal for copies; and how many equal pairs are due to chance."""
    everything = np.arange(len(keys.total))
    alone, codes = everything.astype(np.uint64), keys.total
    if len(columns) == 1:
        codes = np.where(_short(columns[0]), alone, codes)
    if not _repeats(codes).any():
        return alone, 0.0
    chosen, rare = spread_out(keys), [place for place, column in enumerate(columns) if column.kind == "text"]
    bits = surprise(keys, rare)
    dense = common(bits)
    if len(columns) > 1:
        dense |= crowded(keys, chosen)
    codes = np.where(dense, alone, codes)
    expected = expected_pairs(keys, everything[~dense], bits, chosen, rare)
    return (codes if _beyond(pairs(codes), expected) else alone), expected


def _beyond(found: float, expected: float) -> bool:
    """Whether chance explains at most a quarter of what was found, and would hardly ever give it (Poisson)."""
    from scipy.special import pdtrc

    return bool(expected <= MOST_BY_CHANCE * found and pdtrc(found - 1, expected + LEAST_EXPECTED) <= UNLIKELY)


def _short(column: Feature) -> Array:
    """Which texts are too short to come twice only as a copy."""
    import pyarrow.compute as pc

    return np.concatenate([pc.fill_null(pc.less(pc.utf8_length(table), SHORT_TEXT), True).to_numpy() for table in column.tables])


def _near(columns: Sequence[Feature], keys: RowKeys, seed: int) -> Near | None:
    """The near pairs where they are more than chance and density explain."""
    rows = np.unique(keys.total, return_index=True)[1]
    rest = np.zeros(len(keys.total), np.uint64)
    for place, column in enumerate(columns):
        if column.kind not in ("integer", "number"):
            rest += keys.of(place)
    found = near_pairs(columns, np.sort(rows), rest, seed)
    if found is None:
        return None
    real = _beyond(len(found.pairs), found.expected) and found.genuine >= 1 - MOST_BY_CHANCE
    return found if real else replace(found, pairs=found.pairs[:0])


def _joined(equal: Array, near: Near | None) -> Array:
    """int64[rows of both tables]: one code for each set of copies, by connected components."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    codes, values = pd.factorize(equal)
    if near is None or not len(near.pairs):
        return codes
    edges = codes[near.pairs]
    graph = coo_array((np.ones(len(edges), np.int8), (edges[:, 0], edges[:, 1])), shape=(len(values), len(values)))
    return connected_components(graph, directed=False)[1][codes]


def _repeats(codes: Array) -> Array:
    """bool[rows]: whether another row has the same code."""
    _, member, sizes = np.unique(codes, return_inverse=True, return_counts=True)
    return sizes[member] > 1


def _disagreement(codes: Array, copied: Array, y: Array) -> float:
    """The share of the copied rows whose set holds more than one target; numbers of many values differ from 1 % of their spread on."""
    if not copied.any():
        return 0.0
    member = pd.factorize(codes[copied])[0]
    target = pd.Series(y)[copied]
    if target.dtype.kind == "f" and target.nunique() > FEW_VALUES:
        sets = target.groupby(member)
        differs = ((sets.max() - sets.min()) > 0.01 * float(np.nanstd(y))).to_numpy()
    else:
        differs = (pd.Series(pd.factorize(target)[0]).groupby(member).nunique() > 1).to_numpy()
    return float(differs[member].mean())


def _method(near: Near | None) -> str:
    exact = "equal rows by hashes of all rows"
    if near is None:
        return f"{exact}; near rows not looked for (fewer than two columns of numbers)"
    return f"{exact}; near rows by locality-sensitive hashing of all rows, the median distance from {near.queries} of them"


def _says(share: float, repeated: float, disagree: float | None) -> str:
    if share:
        other = f"; of these {percent(disagree)} have another target than their copy" if disagree else ""
        return f"{percent(share)} of train's rows have a (near) copy in train{other}"
    if repeated:
        return f"{percent(repeated)} of train's rows equal another, no more than few values or groups give by chance: no copies"
    return "no row of train has a copy in train"
