"""Forecast: what a model will take on all rows, from what it took on two samples, with the range in which that is to be believed."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

STEEPEST = 2.2  # power of the rows beyond which two timings are taken to be noise
OF_TWO, OF_ONE = 0.15, 0.35  # error of the power that is known from two sizes (timings that are 20 % off), or only assumed to be 1


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds on all `rows`, low and high end of what they may be, and the power of the rows by which they were seen to grow (None: taken as 1)."""

    rows: int
    seconds: float
    low: float
    high: float
    power: float | None

    def missed(self, took: float) -> float:
        """How far a measured time is off the forecast: 2 says that it took twice as long.

        >>> forecast([(1000, 1.0)], 2000).missed(3.0)
        1.5
        """
        return took / self.seconds if self.seconds > 0 else math.inf

    def holds(self, took: float) -> bool:
        """Whether a measured time lies in the range."""
        return self.low <= took <= self.high


def forecast(points: Sequence[tuple[int, float]], rows: int) -> Cost:
    """The cost at `rows` from (rows, seconds) of one or two smaller runs, the larger one last.

    Where the cost grew slower than the rows a part of it is fixed (encoding of the whole table, predicting the test set): the line through
    both points. Where it grew faster (rounds that rise with the rows, deeper trees, distances): their power, 2.2 at most. The range holds
    the other reading (proportional to the rows) and an error of the power of .15, of .35 where one size alone was seen.

    >>> cost = forecast([(5000, 1.0), (20000, 4.0)], 200000)
    >>> round(cost.seconds, 1), round(cost.low), round(cost.high), cost.power
    (40.0, 28, 57, 1.0)
    >>> round(forecast([(5000, 2.0), (20000, 3.5)], 80000).seconds, 2)
    9.5
    >>> round(forecast([(1000, 1.0), (4000, 8.0)], 16000).seconds, 1)
    64.0
    """
    size, cost = points[-1]
    times = rows / size
    straight = cost * times
    power = _power(points)
    if power is None:
        return _ranged(rows, straight, straight, times**OF_ONE, None)
    before, cheaper = points[-2]
    if power > 1:
        return _ranged(rows, cost * times**power, straight, times**OF_TWO, power)
    slope = max((cost - cheaper) / (size - before), 0.0)
    return _ranged(rows, cost + slope * (rows - size), straight, times**OF_TWO, power)


def _power(points: Sequence[tuple[int, float]]) -> float | None:
    """The power of the rows between the last two points, None where they do not tell."""
    if len(points) < 2:
        return None
    (before, cheaper), (size, cost) = points[-2:]
    if not (size > before > 0 and cheaper > 0 and cost > 0):
        return None
    return min(math.log(cost / cheaper) / math.log(size / before), STEEPEST)


def _ranged(rows: int, seconds: float, other: float, factor: float, power: float | None) -> Cost:
    factor = max(factor, 1 / factor)
    return Cost(rows, seconds, min(seconds, other) / factor, max(seconds, other) * factor, power)
