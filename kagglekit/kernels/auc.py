"""AUC: greedy selection by counting instead of sorting, with a race on few rows that only the best candidates leave."""

from dataclasses import dataclass

import numpy as np

Array = np.ndarray
MOST_FINE = 1 << 20  # linear steps of a value, looked up in a table
MOST_BINS = 8192  # bins of about equal numbers of rows: an AUC counted in them is off by less than 1e-6
RACE_ROWS = 20_000
CONFIRMED = 18
PATIENCE = 15


def greedy_auc(oof: Array, y: Array, steps: int = 25, race: bool = True, seed: int = 0) -> Array:
    """float64[M]: shares of Caruana's selection with replacement (2004) by the AUC of the mean prediction; the best step is kept.

    oof: models x rows, any float type and scale, also memory-mapped; y: 0 and 1. A candidate costs a pass over the rows that counts
    positives and negatives in bins. With `race` all candidates are ranked on 20,000 rows and eighteen confirmed on all: models x 20,000 +
    18 x rows a step. Equal scores: the first model.

    >>> y = np.array([0, 0, 1, 1])
    >>> greedy_auc(np.array([[0.1, 0.4, 0.35, 0.8], [0.4, 0.1, 0.8, 0.35], [0.9, 0.8, 0.2, 0.1]]), y).tolist()
    [0.5, 0.5, 0.0]
    """
    truth = np.asarray(y).astype(bool)
    scale = _Scale.of(oof)
    whole = _Rows(oof, truth, None, scale)
    picked = _sample(truth, seed) if race and len(truth) > 2 * RACE_ROWS and len(oof) > CONFIRMED else None
    few = _Rows(oof, truth, picked, scale) if picked is not None else None
    taken = np.zeros(len(oof))
    best, kept, since = -np.inf, np.full(len(oof), 1 / len(oof)), 0
    for step in range(1, steps + 1):
        candidates = np.arange(len(oof))
        if few is not None:
            candidates = np.sort(np.argsort(-few.scores(candidates, step), kind="stable")[:CONFIRMED])
        scores = whole.scores(candidates, step)
        place = int(np.argmax(scores))
        pick = int(candidates[place])
        for rows in (whole, few):
            if rows is not None:
                rows.add(pick)
        taken = taken.copy()
        taken[pick] += 1
        if scores[place] > best + 1e-12:
            best, kept, since = float(scores[place]), taken / step, 0
        else:
            since += 1
        if since >= PATIENCE:
            break
    return kept


@dataclass(frozen=True, slots=True)
class _Scale:
    """What brings every model's values into 0 to 1 by one line for all."""

    low: float
    width: float

    @classmethod
    def of(cls, oof: Array) -> "_Scale":
        low, high = min(float(one.min()) for one in oof), max(float(one.max()) for one in oof)
        return cls(low, high - low or 1.0)


def _sample(truth: Array, seed: int) -> Array:
    """Rows of the race, each class by its share, at least a tenth of them of the rarer one where it has as many."""
    rng = np.random.default_rng(seed)
    positive, negative = np.flatnonzero(truth), np.flatnonzero(~truth)
    share = min(max(len(positive) / len(truth), 0.1), 0.9)
    many = min(len(positive), round(RACE_ROWS * share))
    fewer = min(len(negative), RACE_ROWS - many)
    return np.sort(np.concatenate([rng.choice(positive, many, replace=False), rng.choice(negative, fewer, replace=False)]))


class _Rows:
    """Rows of one set, positives before negatives, with the sum of the models that were taken."""

    def __init__(self, oof: Array, truth: Array, rows: Array | None, scale: _Scale) -> None:
        labels = truth if rows is None else truth[rows]
        order = np.argsort(~labels, kind="stable")
        self._order = order if rows is None else rows[order]
        self._positives = int(labels.sum())
        self._oof, self._scale = oof, scale
        self._cached = rows is not None
        self._values: dict[int, Array] = {}
        size = max(len(order), 1024).bit_length()
        self._steps, self._bins = min(1 << (size + 2), MOST_FINE), min(1 << (size - 3), MOST_BINS)
        self._by_line = np.arange(self._steps, dtype=np.float32) * np.float32((self._bins // 2 - 1) / self._steps)
        self._sum = np.zeros(len(order), dtype=np.float32)
        self._fine, self._index = np.empty(len(order), dtype=np.float32), np.empty(len(order), dtype=np.int32)

    def _of(self, model: int) -> Array:
        found = self._values.get(model)
        if found is None:
            found = (np.asarray(self._oof[model])[self._order].astype(np.float32) - np.float32(self._scale.low)) / np.float32(self._scale.width)
            if self._cached or len(self._values) < 64:
                self._values[model] = found
        return found

    def add(self, model: int) -> None:
        """Take a model into the sum."""
        self._sum += self._of(model)

    def scores(self, candidates: Array, step: int) -> Array:
        """AUC of the mean of what was taken and each candidate."""
        table = self._table(candidates, step)
        return np.array([self._score(self._of(int(model)), step, table) for model in candidates])

    def _table(self, candidates: Array, step: int) -> Array:
        """The bin of each fine step: as many rows a bin as can be, by where the mean lies now."""
        now = self._sum / max(step - 1, 1) if step > 1 else self._of(int(candidates[0]))
        stride = max(len(now) // 200_000, 1)
        fine = np.clip(now[::stride] * np.float32(self._steps - 1), 0, self._steps - 1).astype(np.int32)
        counts = np.bincount(fine, minlength=self._steps)
        # Half of the bins follow the rows, half the line, so that a candidate that lies elsewhere is resolved too.
        by_rows = np.cumsum(counts).astype(np.float32) * np.float32((self._bins // 2 - 1) / counts.sum())
        return (by_rows + self._by_line).astype(np.int16)

    def _score(self, values: Array, step: int, table: Array) -> float:
        np.add(self._sum, values, out=self._fine)
        np.multiply(self._fine, np.float32((self._steps - 1) / step), out=self._fine)
        np.copyto(self._index, self._fine, casting="unsafe")
        bins = table.take(self._index, mode="clip")
        return counted_auc(np.bincount(bins[:self._positives], minlength=self._bins), np.bincount(bins[self._positives:], minlength=self._bins))


def counted_auc(positives: Array, negatives: Array) -> float:
    """AUC of counts by bin, low to high; pairs in one bin count half.

    >>> counted_auc(np.array([0, 1, 1]), np.array([1, 1, 0]))
    0.875
    """
    below = np.cumsum(negatives) - negatives
    pairs = float(positives.sum()) * float(negatives.sum())
    return float(positives @ (below + negatives / 2)) / pairs if pairs else float("nan")


def auc_of(values: Array, y: Array) -> float:
    """The AUC itself, by one sort; ties count half.

    >>> auc_of(np.array([0.1, 0.4, 0.35, 0.8]), np.array([0, 0, 1, 1]))
    0.75
    """
    values, truth = np.asarray(values), np.asarray(y).astype(bool)
    order = np.argsort(values, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(values[order])), len(values) - 1)
    positives = np.diff(np.append(0, np.cumsum(truth[order])[ends]))
    return counted_auc(positives, np.diff(np.append(-1, ends)) - positives)


def rank01(oof: Array) -> Array:
    """float32, as oof (models x rows): mean ranks of each model's values as shares of the rows, in (0, 1).

    >>> rank01(np.array([[10.0, 20.0, 10.0, 30.0]])).tolist()
    [[0.25, 0.625, 0.25, 0.875]]
    """
    ranked = np.empty(oof.shape, dtype=np.float32)
    for place, values in enumerate(oof):
        values = np.asarray(values)
        order = np.argsort(values)
        ends = np.append(np.flatnonzero(np.diff(values[order])), len(values) - 1)
        starts = np.append(0, ends[:-1] + 1)
        ranked[place][order] = np.repeat((starts + ends + 1) / (2 * len(values)), np.diff(np.append(-1, ends))).astype(np.float32)
    return ranked
