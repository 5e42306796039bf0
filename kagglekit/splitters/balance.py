"""Items with label counts, dealt into folds so that every label is spread evenly: the core of group and multilabel stratification.

Items of the same counts are dealt in bulk, a like number to each fold. What is left goes one by one, heaviest first, to the fold where the
sum over labels of (share of the label - 1/n) squared grows least: with x the shares so far and d the item's, that is where d x is least.
The greedy order is that of Sechidis, Tsoumakas and Vlahavas (2011) and of scikit-learn's StratifiedGroupKFold. Moves and swaps of the
lightest items end it.
"""

from dataclasses import dataclass

import numpy as np

from kagglekit.splitters.repair import repaired

Array = np.ndarray
STEPS = 300_000  # the most items that are placed one by one
HELD = 20  # of a frequent kind, one item in so many is kept for the one-by-one part, which evens out what heavier items left
CELLS = 400_000  # of one dense block
BLOCK = 50_000  # label sets that are read at a time


@dataclass(frozen=True, slots=True)
class Counts:
    """How many rows of each label each kind of item has, only where there are any: those of kind i lie from start[i] to start[i+1].

    size: int64[kinds], rows of one item; in `dense` it is one more label, so that folds get like sizes too.
    """

    start: Array
    label: Array
    count: Array
    size: Array
    labels: int

    @classmethod
    def of_pairs(cls, item: Array, label: Array, size: Array, labels: int) -> "Counts":
        """Counts of pairs (item, label), int64 each, that may come several times."""
        items = len(size)
        key = item * labels + label
        if items * labels <= 8 * len(key):
            found = np.bincount(key, minlength=items * labels)
            key = np.flatnonzero(found)
            count = found[key]
        else:
            key, count = np.unique(key, return_counts=True)
        item, label = np.divmod(key, labels)
        return cls(np.searchsorted(item, np.arange(items + 1)), label, count, size, labels)

    @classmethod
    def of_sets(cls, has: Array) -> "Counts":
        """Counts of label sets, bool[kinds, labels], each of one row."""
        kinds, labels = has.shape
        label = np.empty(np.count_nonzero(has), dtype=np.int32)
        start = np.append(0, np.cumsum(np.count_nonzero(has, axis=1)))
        for begin in range(0, kinds, BLOCK):
            end = min(begin + BLOCK, kinds)
            label[start[begin]:start[end]] = np.flatnonzero(has[begin:end]) % labels
        return cls(start, label, np.ones(len(label), dtype=np.int8), np.ones(kinds, dtype=np.int64), labels)

    def take(self, items: Array) -> "Counts":
        """The counts of some items."""
        row, place = self._places(items)
        start = np.searchsorted(row, np.arange(len(items) + 1))
        return Counts(start, self.label[place], self.count[place], self.size[items], self.labels)

    def hashes(self) -> Array:
        """int64[items]: equal for items of equal counts. Where others met by chance, items would only be dealt less evenly."""
        draws = np.random.default_rng(0).integers(1, np.iinfo(np.int64).max, self.labels)
        return np.add.reduceat(draws[self.label] * self.count, self.start[:-1])  # wraps round on purpose

    def totals(self, times: Array) -> Array:
        """float64[labels + 1]: rows of each label and of all, where kind i comes times[i] times."""
        weights = self.count * np.repeat(times, np.diff(self.start))
        return np.append(np.bincount(self.label, weights=weights, minlength=self.labels), self.size @ times)

    def heaviness(self, totals: Array) -> Array:
        """float64[kinds]: the squared length of an item's label shares, which rare labels rule."""
        squares = (self.count / totals[self.label]) ** 2
        item = np.repeat(np.arange(len(self.size)), np.diff(self.start))
        return np.bincount(item, weights=squares, minlength=len(self.size)) + (self.size / totals[-1]) ** 2

    def dense(self, items: Array) -> Array:
        """float64[len(items), labels + 1]: the counts of some items, their size last."""
        row, place = self._places(items)
        block = np.zeros((len(items), self.labels + 1))
        block[row, self.label[place]] = self.count[place]
        block[:, -1] = self.size[items]
        return block

    def _places(self, items: Array) -> tuple[Array, Array]:
        length = self.start[items + 1] - self.start[items]
        row = np.repeat(np.arange(len(items)), length)
        return row, np.arange(len(row)) + np.repeat(self.start[items] - np.cumsum(length) + length, length)


def deal(kind: Array, counts: Counts, n: int, rng: np.random.Generator) -> Array:
    """int16[items], the fold of each item; `kind` (int64[items]) says which counts are an item's. O(items), beside STEPS n labels."""
    times = np.bincount(kind, minlength=len(counts.size))
    totals = counts.totals(times)
    order = in_order(kind, rng)
    position = np.arange(len(kind)) - np.repeat(np.cumsum(times) - times, times)
    bulk = np.repeat((times - times // HELD) // n * n, times)
    fold = np.empty(len(kind), dtype=np.int16)
    dealt = position < bulk
    fold[order[dealt]] = position[dealt] % n
    rest = order[~dealt]
    heavy = counts.heaviness(totals)[kind[rest]]
    rest = rest[np.argsort(-heavy, kind="stable")]
    fold[rest] = _placed(kind[rest], counts, totals, n, rng)
    return rng.permutation(n).astype(np.int16)[fold]


def in_order(codes: Array, rng: np.random.Generator) -> Array:
    """Positions sorted by code (not negative), those of one code in random order: two rounds of radix sort on 16 bits."""
    order = rng.permutation(len(codes))
    for shift in (0, 16) if codes.max(initial=0) >> 16 else (0,):
        order = order[np.argsort((codes[order] >> shift).astype(np.uint16), kind="stable")]
    return order


def _placed(kind: Array, counts: Counts, totals: Array, n: int, rng: np.random.Generator) -> Array:
    """Folds of items in the order given. Beyond STEPS items, those in the middle go in strips of n alike items, one to each fold."""
    scale = 1 / np.maximum(totals, 1)
    shares = np.zeros((n, len(totals)))
    fold = np.empty(len(kind), dtype=np.int16)
    strips = max(len(kind) - STEPS, 0) // n * n
    first, last = (len(kind) - strips) // 2, (len(kind) - strips) // 2 + strips
    size = max(CELLS // len(totals), 1) // n * n or n
    for begin, end, place in ((0, first, _greedy), (first, last, _strips), (last, len(kind), _greedy)):
        for start in range(begin, end, size):
            part = slice(start, min(start + size, end))
            fold[part] = place(counts.dense(kind[part]) * scale, shares, rng)
    tail = slice(max(len(kind) - max(CELLS // len(totals) // 20, n), 0), len(kind))
    fold[tail] = repaired(counts.dense(kind[tail]) * scale, fold[tail], shares)
    return fold


def _greedy(block: Array, shares: Array, rng: np.random.Generator) -> list[int]:
    """One by one to the fold where the squared shares grow least; `shares` (float64[n, labels]) is brought up to date."""
    chosen = []
    for item in block:
        fold = int((shares @ item).argmin())
        shares[fold] += item
        chosen.append(fold)
    return chosen


def _strips(block: Array, shares: Array, rng: np.random.Generator) -> Array:
    n = len(shares)
    fold = rng.permuted(np.tile(np.arange(n), (len(block) // n, 1)), axis=1).ravel()
    for number in range(n):
        shares[number] += block[fold == number].sum(axis=0)
    return fold
