"""Correlations of a few pairs of numbers, with what so few can and cannot say; covariances from a few folds."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import permutations

import numpy as np

Array = np.ndarray

EXACT_UP_TO = 7  # 7! = 5,040 permutations
DRAWS = 9999
LEAST_KENDALL = 15
CELLS = 500_000  # numbers that one block of permutations holds


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


def kendall_interval(tau: float, m: int) -> tuple[float | None, float | None]:
    """95 % interval of Kendall's tau from 15 pairs, None below: SE sqrt(.437 / (m - 4)) on Fisher's scale (Bonett & Wright 2000).

    >>> [round(end, 2) for end in kendall_interval(0.8, 20)]
    [0.65, 0.89]
    """
    return _interval(tau, math.sqrt(0.437 / (m - 4))) if m >= LEAST_KENDALL else (None, None)


def permutation_p(a: Array, b: Array, *, seed: int = 0) -> tuple[float, float]:
    """P(S* >= S) and P(S* <= S) of S = sum of a_ij b_ij when rows and columns of a are permuted together."""
    plus, minus = permutation_shares(a, b[None], seed=seed)
    return float(plus[0]), float(minus[0])


def permutation_shares(a: Array, others: Array, *, draws: int = DRAWS, seed: int = 0) -> tuple[Array, Array]:
    """As permutation_p, of one antisymmetric matrix against several (cases x models x models), with the same permutations.

    All permutations for up to 7 models, else the observed one and `draws` seeded ones.
    """
    models = len(a)
    rows, columns = np.triu_indices(models, 1)
    flat, right = np.ascontiguousarray(a).reshape(-1), others[:, rows, columns].T
    observed = a[rows, columns] @ right
    slack = 1e-9 * (1 + np.abs(observed))
    exact = models <= EXACT_UP_TO
    if exact:
        orders = np.array(list(permutations(range(models))), dtype=np.intp)
    else:
        orders = np.random.default_rng(seed).permuted(np.tile(np.arange(models), (draws, 1)), axis=1)
    plus, minus, extra = np.zeros(len(others)), np.zeros(len(others)), 0 if exact else 1
    step = max(1, CELLS // max(1, len(rows)))
    for start in range(0, len(orders), step):
        block = orders[start:start + step]
        totals = flat.take(block[:, rows] * models + block[:, columns]) @ right
        plus += (totals >= observed - slack).sum(axis=0)
        minus += (totals <= observed + slack).sum(axis=0)
    return (plus + extra) / (len(orders) + extra), (minus + extra) / (len(orders) + extra)


def pearson(a: Array, b: Array) -> Correlation:
    """Pearson's r: interval (Fisher z) from 5 pairs, range of leaving out one from 4, for one outlier can make it.

    >>> found = pearson(np.array([1, 2, 3, 4, 100]), np.array([2, 1, 4, 3, 90]))
    >>> round(found.value, 2), round(found.loo_low, 2)
    (1.0, 0.6)
    """
    return _correlation(np.asarray(a, float), np.asarray(b, float), least=5, se=lambda value: 1.0)


def spearman(a: Array, b: Array) -> Correlation:
    """Spearman's rank correlation: interval from 8 pairs, SE sqrt((1 + r^2/2)/(m - 3)) (Bonett & Wright 2000); else as pearson.

    >>> found = spearman(np.arange(5), np.array([0, 1, 2, 4, 3]))
    >>> round(found.value, 2), found.low, round(found.loo_low, 2), round(found.loo_high, 2)
    (0.9, None, 0.8, 1.0)
    """
    from kagglekit.metrics import tied_ranks
    return _correlation(tied_ranks(a), tied_ranks(b), least=8, se=lambda value: math.sqrt(1 + value**2 / 2), ranks=True)


def _correlation(a: Array, b: Array, *, least: int, se: Callable[[float], float], ranks: bool = False) -> Correlation:
    from kagglekit.metrics import tied_ranks
    value, m = _r(a, b), len(a)
    low, high = _interval(value, se(value) / math.sqrt(m - 3)) if m >= least else (None, None)
    if m < 4:
        return Correlation(value, low, high, m)
    again = tied_ranks if ranks else np.asarray
    without = [_r(again(np.delete(a, i)), again(np.delete(b, i))) for i in range(m)]
    known = [one for one in without if not math.isnan(one)]
    return Correlation(value, low, high, m, min(known, default=None), max(known, default=None))


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


def solid(covariance: Array) -> Array:
    """A covariance (any leading shape) without the negative or vanishing directions that paired estimates can leave.

    >>> bool(np.linalg.eigvalsh(solid(np.array([[1.0, 2.0], [2.0, 1.0]]))).min() > 0)
    True
    """
    values, vectors = np.linalg.eigh((covariance + np.swapaxes(covariance, -1, -2)) / 2)
    least = np.maximum(1e-9 * np.abs(values).mean(axis=-1, keepdims=True), 1e-300)
    return (vectors * np.maximum(values, least)[..., None, :]) @ np.swapaxes(vectors, -1, -2)


def shrunk(covariances: Array, df: float) -> Array:
    """Each of cases x models x models nearer to equal correlations, the more so the more models there are for its df.

    A covariance of m models from df + 1 folds has the rank df: m / (m + df) of it is replaced, nothing where df is infinite.

    >>> shrunk(np.array([[[1.0, 0.5, 0.0], [0.5, 1.0, 0.1], [0.0, 0.1, 1.0]]]), df=3)[0, 0].round(2).tolist()
    [1.0, 0.35, 0.1]
    """
    sd = np.sqrt(np.maximum(np.diagonal(covariances, axis1=1, axis2=2), 0))
    sizes, models = sd[:, :, None] * sd[:, None, :], sd.shape[1]
    part = models / (models + df)
    if models < 2 or part == 0:
        return covariances
    correlation = np.divide(covariances, sizes, out=np.zeros_like(covariances), where=sizes > 0)
    mean = (correlation.sum(axis=(1, 2)) - np.trace(correlation, axis1=1, axis2=2)) / (models * (models - 1))
    target = mean[:, None, None] * sizes
    index = np.arange(models)
    target[:, index, index] = sd**2
    return (1 - part) * covariances + part * target
