"""Splitters by time: blocks that imitate the test period, new groups in such blocks, and purged blocks over all rows.

`time` is numbers or dates (then lengths are nanoseconds), in any order and with ties; rows of one moment are never on two sides of an edge.
The options `gap`, `window`, `horizon` and `embargo` act on the training side, which the Folds know; here they are only held against the data.
"""

import numpy as np

from kagglekit.errors import KKError
from kagglekit.splitters.base import splitter
from kagglekit.splitters.looks import check_length, check_n, coded, numbers

Array = np.ndarray


@splitter("time", needs=("time",), rule="before")
def time(time: Array, n: int = 5, seed: int = 0, test_size: float | None = None, gap: float = 0.0, window: float = 0.0) -> Array:
    """The last n blocks of time, each validated by what came before it; earlier rows are only trained on (-1).

    `test_size` is one block's length in the unit of `time`, the test period's; without it the blocks hold like numbers of rows, as much
    as comes before them. `gap` is what lies unused between training and validation, `window` how far back training reaches (0: to the
    start). Raises KKError where the blocks and the gap are longer than the data, or a block has no row.

    >>> time(np.arange(12), n=3).tolist()
    [-1, -1, -1, 0, 0, 0, 1, 1, 1, 2, 2, 2]
    >>> time(np.arange(12), n=2, test_size=2).tolist()
    [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 1, 1]
    """
    return _blocks(numbers(time, "time"), n, test_size, gap, window)


@splitter("time-group", needs=("groups", "time"), rule="before")
def time_group(groups: Array, time: Array, n: int = 5, seed: int = 0, test_size: float | None = None, gap: float = 0.0,
               window: float = 0.0) -> Array:
    """Blocks as `time` makes them, of which only the rows of groups that are new in the block are validated.

    That is a test set of later and unknown groups. Raises KKError as `time` does, and for a block in which no group is new.

    >>> time_group(np.array([1, 1, 1, 2, 2, 3]), np.array([0, 1, 2, 3, 4, 5]), n=2, test_size=2).tolist()
    [-1, -1, -1, 0, -1, 1]
    """
    moments = numbers(time, "time")
    codes, count = coded(groups, "groups")
    blocks = _blocks(moments, n, test_size, gap, window)
    first = np.full(count, np.iinfo(np.int16).max, dtype=np.int16)
    np.minimum.at(first, codes, blocks)  # blocks follow each other in time: a group's first block is its least number
    folds = np.where(first[codes] == blocks, blocks, np.int16(-1))
    _check_filled(folds, n, "new group", "Use fewer folds, or validate known groups too: kk cv --split time")
    return folds


@splitter("purged", needs=("time",), rule="purged")
def purged(time: Array, n: int = 5, seed: int = 0, horizon: float = 0.0, embargo: float = 0.0, gap: float = 0.0) -> Array:
    """n contiguous blocks of time over all rows, of like numbers of rows; later rows train too (Lopez de Prado 2018, ch. 7).

    A label is known `horizon` after its row; rows whose label is not settled before the block, and rows within `embargo` after it, do
    not train. Raises KKError where a block leaves nothing to train.

    >>> purged(np.arange(9), n=3).tolist()
    [0, 0, 0, 1, 1, 1, 2, 2, 2]
    """
    moments = numbers(time, "time")
    for name, length in (("horizon", horizon), ("embargo", embargo), ("gap", gap)):
        check_length(name, length)
    values, counts = np.unique(moments, return_counts=True)
    check_n(n, len(values), "different times")
    starts = np.append(0, _cuts(counts, n))
    ends = np.append(starts[1:], len(values))
    before = values[0] + horizon + gap < values[starts]
    after = values[-1] > values[ends - 1] + horizon + embargo
    if not (before | after).all():
        raise KKError(f"the horizon, gap and embargo leave nothing to train for block {int((before | after).argmin()) + 1} of {n}",
                      "Give more folds, a shorter --horizon or a shorter --embargo")
    return (np.searchsorted(values[starts], moments, side="right") - 1).astype(np.int16)


def _blocks(moments: Array, n: int, test_size: float | None, gap: float, window: float) -> Array:
    """The block of each row, -1 before the first: block k holds the moments after edge k up to edge k + 1."""
    check_length("gap", gap)
    check_length("window", window)
    values, counts = np.unique(moments, return_counts=True)
    check_n(n, len(values) - 1, "different times after the first")
    if not test_size:
        edges = values[_cuts(counts, n + 1) - 1]
    else:
        check_length("test_size", test_size)
        edges = values[-1] - test_size * np.arange(n, 0, -1)
        edges += 4 * np.spacing(np.abs(values[[0, -1]]).max())  # a moment on an edge belongs before it, also in floats
    blocks = (np.searchsorted(edges, moments, side="left") - 1).astype(np.int16)
    first = np.searchsorted(values, edges[0], side="right")
    if first == 0 or first == len(values) or values[first] - gap < values[0]:
        taken = (values[-1] - edges[0] + gap) / (values[-1] - values[0])
        raise KKError(f"{n} blocks and the gap take {taken:.2g} times the time that the data spans: nothing is left to train",
                      "Give fewer folds, a shorter --test-size or a smaller --gap")
    _check_filled(blocks, n, "row", "Give fewer folds or a longer --test-size, or leave it out for blocks of like numbers of rows")
    return blocks


def _cuts(counts: Array, parts: int) -> Array:
    """int64[parts - 1]: where to cut moments with so many rows each into contiguous parts of like numbers of rows, none of them empty."""
    before = np.cumsum(counts)
    wanted = before[-1] * np.arange(1, parts) / parts
    at = np.searchsorted(before, wanted)
    nearer = np.abs(before[at] - wanted) < np.abs(np.append(0, before)[at] - wanted)
    number = np.arange(parts - 1)
    cuts = np.maximum.accumulate(np.maximum(at + nearer, 1) - number) + number
    return np.minimum(cuts, len(counts) - parts + 1 + number)


def _check_filled(blocks: Array, n: int, what: str, do: str) -> None:
    filled = np.bincount(blocks[blocks >= 0], minlength=n) > 0
    if not filled.all():
        raise KKError(f"no {what} lies in block {int(filled.argmin()) + 1} of {n}", do)
