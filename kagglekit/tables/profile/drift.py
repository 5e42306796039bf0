"""Drift: how far a column's values in test lie from those in train, as one number between 0 and 1, beside what chance alone gives."""

import math
from dataclasses import dataclass

import numpy as np

from kagglekit.tables.profile.values import as_arrow, codes, kind_of, numbers

FEW = 20
MATERIAL = 0.05


@dataclass(frozen=True, slots=True)
class Drift:
    """The distance of two samples of a column; `value` beyond `chance` is not luck.

    `measure` is ks (numbers, dates, the length of text) or tv (categories, truth values, integers of few values); both are the
    largest difference of a probability, so they compare. `unseen` is the share of test's rows whose value train does not have,
    `unseen_chance` the share that two samples of one population would have; None for ks.
    """

    measure: str
    value: float
    chance: float
    unseen: float | None = None
    unseen_chance: float | None = None

    @property
    def beyond(self) -> bool:
        """Whether chance alone would hardly give this value."""
        return self.value > self.chance

    @property
    def matters(self) -> bool:
        """Beyond chance and large enough to care: with very many rows the smallest difference is beyond chance."""
        return self.beyond and self.value >= MATERIAL


def column_drift(train_column: object, test_column: object, *, alpha: float = 0.001, effect: float = 1.0) -> Drift | None:
    """The drift of a column between two tables; None where one of them has no rows or neither has a value.

    Takes Arrow, pandas and numpy columns. Missing values count as a value of their own. `chance` is the level that two samples of
    one population exceed with a probability of at most `alpha`; divide it by the number of columns looked at. `effect` is how many
    rows count as one where rows come in groups (see design_effect): without it, groups look like drift.

    >>> import numpy as np
    >>> drift = column_drift(np.arange(1000.0), np.arange(1000.0) + 300)
    >>> drift.measure, round(drift.value, 2), drift.beyond
    ('ks', 0.3, True)
    >>> column_drift(["a", "b"] * 50, ["a", "b"] * 50).beyond
    False
    """
    train, test = as_arrow(train_column), as_arrow(test_column)
    if not len(train) or not len(test) or len(train) + len(test) == train.null_count + test.null_count:
        return None
    kinds = {kind_of(column) for column in (train, test)} - {"empty"}
    if kinds & {"category", "bool"}:
        one, other = codes(train, test)[0]
        return _variation(one, other, alpha, effect)
    if kinds == {"integer"}:
        (one, other), values = codes(train, test)
        if len(values) <= FEW:
            return _variation(one, other, alpha, effect)
    return _kolmogorov(numbers(train), numbers(test), alpha, effect)


def design_effect(column: object, groups: object) -> float:
    """How many rows count as one, because rows of a group are alike: 1 where they are not, the rows a group where they are equal.

    The variance of a share under whole groups over that under single rows, the largest of a few shares: values up to each quartile,
    or the most frequent categories.

    >>> import numpy as np
    >>> round(design_effect(np.repeat(np.arange(100.0), 8), np.repeat(np.arange(100), 8)), 1)
    8.0
    """
    values, members = as_arrow(column), codes(as_arrow(groups))[0][0]
    if kind_of(values) in ("category", "bool"):
        found = codes(values)[0][0]
        masks = [found == code for code in np.argsort(-np.bincount(found + 1))[:4] - 1]
    else:
        plain = np.nan_to_num(numbers(values), nan=-np.inf)
        masks = [plain <= level for level in np.unique(np.quantile(plain, [0.25, 0.5, 0.75], method="lower"))]
    effects = [1.0]
    for mask in masks:
        rest = mask - mask.mean()
        if np.any(rest):
            effects.append(float((np.bincount(members + 1, rest) ** 2).sum() / (rest**2).sum()))
    return max(effects)


def _kolmogorov(train: np.ndarray, test: np.ndarray, alpha: float, effect: float) -> Drift | None:
    """The largest difference of the two distribution functions, what is missing before all else; the level is Smirnov's."""
    one, other = (np.sort(np.where(np.isnan(values), -np.inf, values)) for values in (train, test))
    gaps = [np.searchsorted(one, points, "right") / len(one) - np.searchsorted(other, points, "right") / len(other) for points in (one, other)]
    spread = math.sqrt(effect * (1 / len(train) + 1 / len(test)))
    return Drift("ks", float(max(np.abs(gap).max() for gap in gaps)), min(1.0, spread * math.sqrt(math.log(2 / alpha) / 2)))


def _variation(train: np.ndarray, test: np.ndarray, alpha: float, effect: float) -> Drift:
    """Half the sum of the differences of the shares.

    Many rare values give a large sum by chance: its expectation is counted in. On top of it comes what the sum strays from there: by
    the largest variance of any set of values, with Bernstein's term for rare ones, or McDiarmid's bound where that is less.
    """
    n, m = len(train), len(test)
    size = max(train.max(), test.max()) + 2
    one, other = np.bincount(train + 1, minlength=size), np.bincount(test + 1, minlength=size)
    pooled = (one + other) / (n + m)
    spread = effect * (1 / n + 1 / m)
    expected = _expected(one + other, n, m, effect)
    top, tail = pooled.max(), math.log(1 / alpha)
    stray = math.sqrt(2 * spread * tail * (top * (1 - top) if top > 0.5 else 0.25)) + effect * tail / (3 * min(n, m))
    chance = expected + float(min(stray, math.sqrt(spread * tail / 2)))
    counts = (one + other)[1:]
    alone = float((counts * np.power(m / (n + m), counts)).sum() / m)
    return Drift("tv", float(np.abs(one / n - other / m).sum() / 2), min(1.0, chance),
                 unseen=float(other[1:][one[1:] == 0].sum() / m), unseen_chance=alone)


def _expected(counts: np.ndarray, n: int, m: int, effect: float) -> float:
    """The total variation that chance gives on average: each occurrence of a value falls into one of the tables by their sizes. Exact
    for rare values, by the normal law for others."""
    share, total = n / (n + m), 0.0
    often = counts[counts > FEW] / (n + m)
    total += float(np.sqrt(2 / math.pi * often * (1 - often) * effect * (1 / n + 1 / m)).sum())
    for count, values in enumerate(np.bincount(counts[counts <= FEW], minlength=2)):
        if count and values:
            chances = [math.comb(count, x) * share**x * (1 - share) ** (count - x) for x in range(count + 1)]
            total += values * sum(chance * abs(x / n - (count - x) / m) for x, chance in enumerate(chances))
    return total / 2
