"""The score lattice: a mean of whole numbers over n rows is k/n, so rounded scores tell which n are possible."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kagglekit.tables.reading.case import Case
from kagglekit.tables.reading.rules import Rule

PAGE_ROUNDING = 0.005  # pages give whole per cents
LUCK = 0.1


@dataclass(frozen=True, slots=True)
class Bounds:
    """A public mean lies between `low` and `high` and is a multiple of `unit`/n; not `sure` where the score has another meaning too."""

    low: float
    high: float
    unit: float = 1.0
    sure: bool = True


@dataclass(frozen=True, slots=True)
class Lattice:
    """Counts of public rows in first..last that fit all `scores` bounds; `chance` is how many wrong ones fit by luck.

    `trusted`: first and last come from the page's share, so the true count is among them, and every score has one meaning.
    """

    counts: tuple[int, ...]
    first: int
    last: int
    scores: int
    chance: float
    trusted: bool = True

    @property
    def unique(self) -> int | None:
        """The count, where only one fits and luck is no likely reason; None where several do or none."""
        return self.counts[0] if len(self.counts) == 1 and (self.trusted or self.chance <= LUCK) else None

    @property
    def informative(self) -> bool:
        """Whether the scores rule out most of the counts."""
        return self.chance < 0.2 * (self.last - self.first + 1)


def bounds_of(case: Case, rule: Rule, sure: bool = True) -> Bounds | None:
    """Between what the rounded score leaves the public mean; None where the values are not whole multiples of a step."""
    if rule.values is None:
        return None
    ends = sorted(rule.solved(case.score + half) for half in (-case.step / 2, case.step / 2))
    unit = unit_of(rule.values)
    return Bounds(ends[0], ends[1], unit, sure) if unit and all(np.isfinite(ends)) else None


def unit_of(values: np.ndarray) -> float:
    """1, 0.1 or 0.01, of which all values are whole multiples; 0 where they are not.

    >>> unit_of(np.array([0.5, 2.0])), unit_of(np.array([1 / 3]))
    (0.1, 0.0)
    """
    for unit in (1.0, 0.1, 0.01):
        steps = values / unit
        if np.abs(steps - np.round(steps)).max(initial=0.0) < 1e-6:
            return unit
    return 0.0


def hits(score: float, step: float) -> Bounds:
    """The bounds of a share of rows that was rounded to `step`."""
    return Bounds(max(score - step / 2, 0.0), min(score + step / 2, 1.0))


def solve(bounds: Sequence[Bounds], first: int, last: int, trusted: bool = True) -> Lattice:
    """All counts n in first..last with which every mean is a whole number of units over n.

    >>> solve([hits(score, 1e-5) for score in (0.76555, 0.62679, 0.77512)], 200, 220).counts
    (209,)
    """
    counts = np.arange(max(first, 1), max(last, first, 1) + 1)
    fits, luck, distinct = np.ones(len(counts), bool), np.ones(len(counts)), set(bounds)
    for one in distinct:
        low, high = one.low * counts / one.unit, one.high * counts / one.unit
        slack = 1e-9 * np.maximum(1.0, high)
        fits &= np.ceil(low - slack) <= np.floor(high + slack)
        trivial = one.low <= 0 or (one.unit == 1.0 and one.low <= 1 <= one.high)
        luck *= 1.0 if trivial else np.minimum(1.0, high - low + 2 * slack)
    trusted &= all(one.sure for one in distinct)
    return Lattice(tuple(counts[fits].tolist()), int(counts[0]), int(counts[-1]), len(distinct), float(luck.sum()), trusted)


def span(test_rows: int, fraction: float, rounding: float = PAGE_ROUNDING) -> tuple[int, int]:
    """The counts that the page's share allows; without one, from a tenth of test to all of it."""
    if not fraction:
        return max(test_rows // 10, min(50, test_rows)), test_rows
    low, high = max(fraction - rounding, 0.0), min(fraction + rounding, 1.0)
    return max(int(np.floor(low * test_rows)), 1), min(int(np.ceil(high * test_rows)), test_rows)
