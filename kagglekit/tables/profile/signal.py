"""What one column alone says of the target: fitted on one half of the rows, measured on the other."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kagglekit.tables.profile.values import codes, kind_of, numbers

if TYPE_CHECKING:
    import pyarrow

BINS = 64
FEWEST = 40
MOST = 60_000
MOST_CLASSES = 10
LEAK = {"auc": 0.98, "r2": 0.95}


@dataclass(frozen=True, slots=True)
class Signal:
    """`measure` is auc (classes; of several the mean over one against the rest) or r2 (of the target's ranks; 0 where
    it is worse than their mean)."""

    measure: str
    value: float

    @property
    def suspect(self) -> bool:
        """Whether it is too good to be true."""
        return self.value >= LEAK[self.measure]


@dataclass(frozen=True, slots=True)
class Aim:
    """A target as columns of numbers to predict: ranks, or one column a class; NaN where it has no value. Of long tables every
    `step`-th row is used."""

    measure: str
    columns: tuple[np.ndarray, ...]
    step: int


def aim_of(target: "pyarrow.ChunkedArray", classes: bool) -> Aim | None:
    """The target as `column_signal` needs it; None where it says too little."""
    step = -(-len(target) // MOST)
    if classes:
        (found,), values = codes(target)
        counts = np.bincount(found[found >= 0], minlength=len(values))
        chosen = [code for code in np.argsort(-counts, kind="stable")[:MOST_CLASSES] if counts[code] >= FEWEST // 4]
        if len(values) < 2 or not chosen:
            return None
        gaps = np.where(found < 0, np.nan, 0.0)
        return Aim("auc", tuple((gaps + (found == code))[::step] for code in (chosen[-1:] if len(values) == 2 else chosen)), step)
    y = numbers(target)
    known = ~np.isnan(y)
    if known.sum() < FEWEST or np.ptp(y[known]) == 0:
        return None
    ranks = np.full(len(y), np.nan)
    values, inverse, counts = np.unique(y[known], return_inverse=True, return_counts=True)
    ranks[known] = (np.cumsum(counts) - counts / 2)[inverse] / known.sum()
    return Aim("r2", (ranks[::step],), step)


def column_signal(column: "pyarrow.ChunkedArray", aim: Aim | None) -> Signal | None:
    """How well the column alone predicts, on rows that were not used to learn from; None for too few rows."""
    if aim is None or len(column) < FEWEST:
        return None
    groups = _groups(column, aim.step)
    half = np.random.default_rng(0).permutation(len(groups)) % 2 == 0
    found = [score for y in aim.columns for score in _scores(groups, y, half, aim.measure)]
    return Signal(aim.measure, max(0.0, float(np.mean(found)))) if found else None


def _groups(column: "pyarrow.ChunkedArray", step: int) -> np.ndarray:
    """Values as groups: categories as they are, numbers of many values in bins of equal size, missing ones by themselves."""
    if kind_of(column) in ("category", "bool", "empty"):
        return codes(column)[0][0][::step] + 1
    values = numbers(column)[::step]
    known = np.sort(values[np.isfinite(values)])
    bins = min(BINS, max(8, len(known) // 20))
    edges = np.unique(known[np.linspace(0, len(known) - 1, bins + 1).astype(int)[1:-1]]) if len(known) else known
    groups = np.searchsorted(edges, values, side="left") + 1
    groups[np.isnan(values)] = 0
    return groups


def _scores(groups: np.ndarray, y: np.ndarray, half: np.ndarray, measure: str) -> list[float]:
    known, found = ~np.isnan(y), []
    size = int(groups.max()) + 1
    for learn, test in ((known & half, known & ~half), (known & ~half, known & half)):
        if not learn.any() or not test.any():
            continue
        mean = y[learn].mean()
        guess = (np.bincount(groups[learn], y[learn], size) + mean) / (np.bincount(groups[learn], minlength=size) + 1)
        rows, total = np.bincount(groups[test], minlength=size), np.bincount(groups[test], y[test], size)
        if measure == "auc":
            found += _auc(guess, total, rows - total)
        elif np.var(y[test]) > 0:
            squares = (y[test] ** 2).sum() - 2 * (guess * total).sum() + (guess**2 * rows).sum()
            found.append(1 - squares / (np.var(y[test]) * test.sum()))
    return found


def _auc(guess: np.ndarray, yes: np.ndarray, no: np.ndarray) -> list[float]:
    """The area under the curve of groups that hold `yes` and `no` rows; none without both."""
    if yes.sum() == 0 or no.sum() == 0:
        return []
    place = np.unique(guess, return_inverse=True)[1]
    yes, no = np.bincount(place, yes), np.bincount(place, no)
    return [float((yes * (np.cumsum(no) - no / 2)).sum() / (yes.sum() * no.sum()))]
