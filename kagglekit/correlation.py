"""Correlations of a few pairs of numbers, with what so few can and cannot say."""

import math
from dataclasses import dataclass
from itertools import permutations

import numpy as np

Array = np.ndarray

EXACT_UP_TO = 7  # 7! = 5,040 permutations
DRAWS = 9999


@dataclass(frozen=True, slots=True)
class Correlation:
    """A correlation of m pairs; the 95 % interval and the leave-one-out range are None where they mean nothing."""

    value: float
    low: float | None
    high: float | None
    m: int
    loo_low: float | None = None
    loo_high: float | None = None


def signs(values: Array) -> Array:
    """The matrix of sign(values[i] - values[j])."""
    return np.sign(values[:, None] - values[None, :])


def kendall_exact(a: Array, b: Array, *, seed: int = 0) -> tuple[float, float]:
    """Kendall's tau-b and its one-sided p ("b rises with a"); NaN where one side is constant.

    Exact for up to 7 pairs (ties kept) and for any number without ties; else 9,999 seeded permutations.

    >>> tau, p = kendall_exact(np.arange(4), np.arange(4))
    >>> round(tau, 3), round(p, 3)
    (1.0, 0.042)
    """
    a, b = np.asarray(a, float), np.asarray(b, float)
    sign_a, sign_b = signs(a), signs(b)
    pairs = math.sqrt(np.abs(sign_a).sum() * np.abs(sign_b).sum())
    if pairs == 0:
        return math.nan, math.nan
    tau = float((sign_a * sign_b).sum() / pairs)
    no_ties = len(np.unique(a)) == len(a) and len(np.unique(b)) == len(b)
    if len(a) > EXACT_UP_TO and no_ties:
        from scipy.stats import kendalltau
        return tau, float(kendalltau(a, b, method="exact", alternative="greater").pvalue)
    return tau, permutation_p(sign_a, sign_b, seed=seed)[0]


def permutation_p(a: Array, b: Array, *, seed: int = 0) -> tuple[float, float]:
    """P(S* >= S) and P(S* <= S) of S = sum of a_ij b_ij when rows and columns of b are permuted together."""
    permuted, exact = permuted_matrices(a, draws=DRAWS, seed=seed)
    plus, minus = shares(permuted, b.reshape(1, -1), (a * b).sum(keepdims=True).reshape(1), exact=exact)
    return float(plus[0]), float(minus[0])


def permuted_matrices(a: Array, *, draws: int, seed: int) -> tuple[Array, bool]:
    """`a` under every permutation of its models (up to 7, then True) or under seeded ones: permutations x models^2."""
    m = len(a)
    exact = m <= EXACT_UP_TO
    if exact:
        orders = np.array(list(permutations(range(m))), dtype=np.intp)
    else:
        orders = np.random.default_rng(seed).permuted(np.tile(np.arange(m), (draws, 1)), axis=1)
    return a[orders[:, :, None], orders[:, None, :]].reshape(len(orders), -1), exact


def shares(permuted: Array, others: Array, observed: Array, *, exact: bool) -> tuple[Array, Array]:
    """Shares of permutations at least, and at most, the observed sums; others is cases x models^2."""
    totals = permuted @ others.T
    slack = 1e-9 * (1 + np.abs(observed))
    plus, minus = (totals >= observed - slack).sum(axis=0), (totals <= observed + slack).sum(axis=0)
    extra = 0 if exact else 1
    return (plus + extra) / (len(permuted) + extra), (minus + extra) / (len(permuted) + extra)


def pearson(a: Array, b: Array) -> Correlation:
    """Pearson's r: interval (Fisher z) from 5 pairs, range of leaving out one from 4, for one outlier can make it.

    >>> found = pearson(np.array([1, 2, 3, 4, 100]), np.array([2, 1, 4, 3, 90]))
    >>> round(found.value, 2), round(found.loo_low, 2)
    (1.0, 0.6)
    """
    a, b = np.asarray(a, float), np.asarray(b, float)
    value, m = _r(a, b), len(a)
    low, high = _interval(value, 1 / math.sqrt(m - 3)) if m >= 5 else (None, None)
    if m < 4:
        return Correlation(value, low, high, m)
    without = [_r(np.delete(a, i), np.delete(b, i)) for i in range(m)]
    return Correlation(value, low, high, m, float(np.min(without)), float(np.max(without)))


def spearman(a: Array, b: Array) -> Correlation:
    """Spearman's rank correlation: interval from 8 pairs, SE sqrt((1 + r^2/2)/(m - 3)) (Bonett & Wright 2000).

    >>> spearman(np.arange(5), np.arange(5))
    Correlation(value=1.0, low=None, high=None, m=5, loo_low=None, loo_high=None)
    """
    from kagglekit.metrics import tied_ranks
    value, m = _r(tied_ranks(a), tied_ranks(b)), len(a)
    low, high = _interval(value, math.sqrt((1 + value**2 / 2) / (m - 3))) if m >= 8 else (None, None)
    return Correlation(value, low, high, m)


def _r(a: Array, b: Array) -> float:
    a, b = a - a.mean(), b - b.mean()
    size = math.sqrt(float(a @ a) * float(b @ b))
    return float(np.clip(float(a @ b) / size, -1, 1)) if size > 0 else math.nan


def _interval(value: float, se: float) -> tuple[float | None, float | None]:
    if math.isnan(value):
        return None, None
    if abs(value) > 1 - 1e-12:
        return value, value
    centre = math.atanh(value)
    return math.tanh(centre - 1.96 * se), math.tanh(centre + 1.96 * se)
