"""Splitters that keep groups whole: size-balanced, stratified, one group a fold, and a known share of shared groups."""

import heapq

import numpy as np

from kagglekit.errors import KKError
from kagglekit.splitters.balance import Counts, deal, in_order
from kagglekit.splitters.base import splitter
from kagglekit.splitters.by_row import first_of
from kagglekit.splitters.looks import check_n, coded, strata

Array = np.ndarray
MOST_GROUPS = 200


@splitter("group", needs=("groups",))
def group(groups: Array, n: int = 5, seed: int = 0) -> Array:
    """Whole groups into n folds of about equal size: largest first, each to the smallest fold (LPT; Graham 1969).

    >>> folds = group(np.array(["a", "a", "b", "c", "c", "d"]), n=2)
    >>> bool(folds[0] == folds[1] and folds[3] == folds[4])
    True
    """
    codes, count = coded(groups, "groups")
    check_n(n, count, "groups")
    rng = np.random.default_rng(seed)
    fold = longest_first(np.bincount(codes), n, rng)
    return rng.permutation(n).astype(np.int16)[fold][codes]


@splitter("stratified-group", needs=("y", "groups"))
def stratified_group(y: Array, groups: Array, n: int = 5, seed: int = 0) -> Array:
    """Whole groups into n folds with like class shares and sizes; a numeric y with many values counts by its quantile bins.

    Raises KKError for a constant y, missing values, and more folds than groups.

    >>> groups = np.repeat(np.arange(20), 5)
    >>> y = np.repeat([0, 0, 0, 1], 25)[np.random.default_rng(0).permutation(100)]
    >>> folds = stratified_group(y, groups, n=5)
    >>> np.bincount(folds).tolist()
    [20, 20, 20, 20, 20]
    """
    codes, count = coded(groups, "groups")
    check_n(n, count, "groups")
    label, labels = strata(y)
    if len(label) != len(codes):
        raise KKError(f"y has {len(label)} rows, groups have {len(codes)}", "Give both for the same rows")
    counts = Counts.of_pairs(codes, label, np.bincount(codes), labels)
    kind, kinds = coded(counts.hashes(), "groups")
    return deal(kind, counts.take(first_of(kind, kinds)), n, np.random.default_rng(seed))[codes]


@splitter("leave-one-group-out", needs=("groups",), counted=False)
def leave_one_group_out(groups: Array, n: int = 5, seed: int = 0) -> Array:
    """Each group is a fold of its own, numbered in the order of their values; n and seed have no say.

    >>> leave_one_group_out(np.array(["b", "a", "b", "c"])).tolist()
    [1, 0, 1, 2]
    """
    codes, count = coded(groups, "groups")
    if count > MOST_GROUPS:
        raise KKError(f"leaving out one of {count} groups at a time makes {count} folds", "Put whole groups into few: kk cv --split group")
    if count < 2:
        raise KKError("all rows are of one group: nothing is left to train", "Choose another column: kk cv --group COL")
    return in_value_order(groups, codes, count).astype(np.int16)


def in_value_order(values: object, codes: Array, count: int) -> Array:
    """The same codes, numbered in the order of the values; as text where they do not compare."""
    distinct = np.asarray(values)[first_of(codes, count)]
    try:
        order = np.argsort(distinct, kind="stable")
    except TypeError:
        order = np.argsort(distinct.astype(str), kind="stable")
    place = np.empty(count, dtype=np.int64)
    place[order] = np.arange(count)
    return place[codes]


@splitter("mixed", needs=("groups",), shares_groups=True)
def mixed(groups: Array, n: int = 5, seed: int = 0, known: float = 0.5) -> Array:
    """Folds in which the groups of a share `known` of the validated rows train too, as where test has known and new groups.

    Groups chosen at random until they hold that share of the rows are dealt row by row, so that each has rows in several folds; the
    others stay whole. A group of one row cannot be known: where too few are larger, the share is the greatest there is.

    >>> groups = np.repeat(np.arange(30), 4)
    >>> folds = mixed(groups, n=5, known=0.3)
    >>> float(np.mean([len(set(folds[groups == one])) > 1 for one in range(30)]))
    0.3
    """
    if not 0 <= known <= 1:
        raise KKError(f"known is {known:g}, which is no share", "Give a number from 0 to 1: kk cv --split mixed --known 0.5")
    codes, count = coded(groups, "groups")
    rng = np.random.default_rng(seed)
    sizes = np.bincount(codes)
    shared = _shared(sizes, round(known * len(codes)), rng)
    check_n(n, int(sizes[shared].sum() + (~shared).sum()), "rows of shared groups and other groups")
    row = np.flatnonzero(shared[codes])
    dealt = (np.arange(len(row)) % n).astype(np.int16)
    whole = np.zeros(count, dtype=np.int16)
    whole[~shared] = longest_first(sizes[~shared], n, rng, np.bincount(dealt, minlength=n).tolist())
    folds = whole[codes]
    folds[row[in_order(codes[row], rng)]] = dealt
    return rng.permutation(n).astype(np.int16)[folds]


def _shared(sizes: Array, rows: int, rng: np.random.Generator) -> Array:
    """bool[groups]: groups of two rows and more that hold `rows` rows together, or as nearly as can be."""
    order = rng.permutation(np.flatnonzero(sizes > 1))
    taken = np.cumsum(sizes[order]) <= rows
    shared = np.zeros(len(sizes), dtype=bool)
    shared[order[taken]] = True
    left = rows - int(sizes[shared].sum())
    others = order[~taken]
    for number in others[np.argsort(-sizes[others], kind="stable")]:
        if sizes[number] <= left:
            shared[number] = True
            left -= int(sizes[number])
    return shared


def longest_first(sizes: Array, n: int, rng: np.random.Generator, loads: list[int] | None = None) -> Array:
    """int16[groups], the fold of each: largest first to the smallest fold, with `loads` in them before. Groups of one size go at once."""
    order = in_order(sizes.max(initial=0) - sizes, rng)
    edges = np.flatnonzero(np.diff(sizes[order])) + 1
    loads = loads or [0] * n
    fold = np.empty(len(sizes), dtype=np.int16)
    for part in np.split(order, edges):
        if len(part):
            fold[part] = _poured(int(sizes[part[0]]), len(part), loads)
    return fold


def _poured(size: int, count: int, loads: list[int]) -> Array:
    """Folds of `count` groups of one size, each to the smallest fold; `loads` is brought up to date.

    Up to the level that all of them reach together every fold takes what fits under it; the few that are left go one by one.
    """
    lowest = sorted(loads)
    level, below = 0, 0
    for width, load in enumerate(lowest, start=1):
        below += load
        level = (below + size * count) // width
        if width == len(lowest) or level <= lowest[width]:
            break
    taken = [max(level - load, 0) // size for load in loads]
    heap = [(load + more * size, number) for number, (load, more) in enumerate(zip(loads, taken, strict=True))]
    heapq.heapify(heap)
    for _ in range(count - sum(taken)):
        load, number = heap[0]
        taken[number] += 1
        heapq.heapreplace(heap, (load + size, number))
    for number, more in enumerate(taken):
        loads[number] += more * size
    return np.repeat(np.arange(len(loads), dtype=np.int16), taken)
