"""The gap model: public = CV + constant + noise; how well that fits, the slope, and models that do not belong.

The noise of the gaps has covariances: all models share rows and folds. Independent errors would leave such a test no power.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kagglekit.agreement.gaps import checked
from kagglekit.correlation import shrunk, solid
from kagglekit.noise import covariance_of

Array = np.ndarray

ALPHA = 0.05
FEWEST = 3  # models below which nothing is said of the fit
FEWEST_SLOPE = 5
MOST = 3  # outliers of a kind: where more stick out, none does
CELLS = 3_000_000  # numbers that the simulated covariances may hold


@dataclass(frozen=True, slots=True)
class Offset:
    """public = cv + value, with its standard error."""

    value: float
    se: float


@dataclass(frozen=True, slots=True)
class Slope:
    """public rises by `value` per unit of CV, with a 95 % jackknife interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class GapModel:
    """How far one constant and the noise explain the gaps between public and local scores.

    q is the weighted sum of squares around the constant and p its probability under noise alone; `explained` is the share of it that
    noise accounts for, tau2 the variance of the gaps beyond noise (squared units of the metric). z and p_outlier are each model's
    distance from the mean of the others and its p, corrected for looking at all. q and p are None below 3 models.
    """

    offset: Offset
    q: float | None
    p: float | None
    explained: float | None
    tau2: float
    z: tuple[float, ...]
    p_outlier: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Outlier:
    """A model whose gap is not that of the others, and what may have made it so, the likeliest first."""

    model: int
    z: float
    p: float
    readings: tuple[str, ...]


def offset(cv: Array, lb: Array, covariance: Array) -> Offset:
    """The constant between CV and public score and its SE, from the covariance of lb - cv (generalised least squares).

    >>> offset(np.array([1.0, 2.0]), np.array([1.5, 2.5]), np.eye(2)).value
    0.5
    """
    gap = np.asarray(lb, float) - np.asarray(cv, float)
    weights = np.linalg.inv(solid(np.atleast_2d(np.asarray(covariance, float)))).sum(axis=0)
    return Offset(float(weights @ gap / weights.sum()), float(weights.sum() ** -0.5))


def gap_model(cv: Array, lb: Array, se_cv: Array | float, se_lb: Array | float, df: float = math.inf, *, rounding: float = 0.0,
              draws: int = 999, seed: int = 0) -> GapModel:
    """Whether one constant explains all gaps. Scores higher-is-better; SEs as in verdict, df of se_cv, the step of the public score.

    The null is simulated, and the covariance of CV estimated anew in each draw: a chi-squared one is far too often exceeded when
    that covariance comes from a few folds. tau2 as DerSimonian & Laird (1986), with the simulated mean of q for M - 1.

    >>> cv = np.array([0.70, 0.72, 0.75, 0.80, 0.81])
    >>> fits = gap_model(cv, cv + 0.01, 0.004, 0.004, 4)
    >>> round(fits.offset.value, 3), fits.p, fits.explained
    (0.01, 1.0, 1.0)
    """
    cv, lb, se_cv, se_lb = checked(cv, lb, se_cv, se_lb)
    gap, models = lb - cv, len(cv)
    local = shrunk(covariance_of(se_cv)[None], df)[0]
    public = covariance_of(se_lb) + rounding**2 / 12 * np.eye(models)
    noise = solid(local + public)
    constant = offset(cv, lb, noise)
    if models < FEWEST:
        return GapModel(constant, None, None, None, 0.0, (math.nan,) * models, (1.0,) * models)
    q, z = (one[0] for one in _fit(gap[None], noise[None]))
    null_q, null_z = _null(local, public, df, min(draws, max(199, CELLS // models**2)), seed)
    p = _at_least(null_q, q)
    p_outlier = [_at_least(np.abs(null_z).max(axis=1), abs(one)) for one in z]
    expected = float(null_q.mean())
    explained = min(1.0, expected / float(q)) if q > 0 else 1.0
    return GapModel(constant, float(q), p, explained, max(0.0, (float(q) - expected) / _scale(noise)), tuple(z.tolist()), tuple(p_outlier))


def _scale(noise: Array) -> float:
    inverse = np.linalg.inv(noise)
    return float(np.trace(inverse) - (inverse @ inverse).sum() / inverse.sum())


def _at_least(null: Array, value: float) -> float:
    return float((1 + (null >= value * (1 - 1e-9)).sum()) / (1 + len(null)))


def _fit(gaps: Array, noise: Array) -> tuple[Array, Array]:
    """q and z of each case: gaps is cases x models, noise cases x models x models (one case: for all)."""
    models = gaps.shape[1]
    inverse = np.linalg.inv(noise)
    weights = inverse.sum(axis=1)
    rest = gaps - ((weights * gaps).sum(axis=1) / weights.sum(axis=1))[:, None]
    q = np.einsum("ci,cij,cj->c", rest, np.broadcast_to(inverse, (len(gaps), models, models)), rest, optimize=True)
    contrast = np.eye(models) * models / (models - 1) - 1 / (models - 1)
    variance = np.einsum("ij,cjk,ik->ci", contrast, noise, contrast, optimize=True)
    return q, gaps @ contrast.T / np.sqrt(np.maximum(variance, 1e-300))


def _null(local: Array, public: Array, df: float, draws: int, seed: int) -> tuple[Array, Array]:
    """q and z of simulated gaps that are noise alone, their CV covariance estimated from df + 1 simulated fold scores."""
    random, models = np.random.default_rng(seed), len(local)
    gaps = random.standard_normal((draws, models)) @ np.linalg.cholesky(solid(local + public)).T
    if math.isinf(df):
        return _fit(gaps, solid(local + public)[None])
    folds = random.standard_normal((draws, round(df), models)) @ np.linalg.cholesky(solid(local)).T
    estimated = shrunk(np.swapaxes(folds, 1, 2) @ folds / round(df), df)
    return _fit(gaps, solid(estimated + public))


def slope(cv: Array, lb: Array, se_cv: Array | float, se_lb: Array | float) -> Slope | None:
    """Slope of public on local scores with noise in both (Deming 1943); None below 5 models or where CV spreads by less than 2 SE.

    Least squares would be flattened by the noise of CV. An upper end below 1: gains under this CV carry over only in part.

    >>> cv = np.array([0.0, 1, 2, 3, 4, 5])
    >>> found = slope(cv, cv / 2 + np.array([0.01, -0.01, 0, 0.01, -0.01, 0]), 0.1, 0.1)
    >>> round(found.value, 2), found.low < 0.5 < found.high < 1
    (0.5, True)
    """
    cv, lb, se_cv, se_lb = checked(cv, lb, se_cv, se_lb)
    upper = np.triu_indices(len(cv), 1)
    if len(cv) < FEWEST_SLOPE:
        return None
    noise_cv, noise_lb = float(np.mean(se_cv[upper] ** 2)), float(np.mean(se_lb[upper] ** 2))
    if cv.std(ddof=1) <= 2 * math.sqrt(noise_cv / 2):
        return None
    ratio = noise_lb / noise_cv if noise_cv > 0 else math.inf
    value = _deming(cv, lb, ratio)
    parts = np.array([len(cv) * value - (len(cv) - 1) * _deming(np.delete(cv, i), np.delete(lb, i), ratio) for i in range(len(cv))])
    if not np.isfinite(parts).all():
        return None
    from scipy.special import stdtrit
    half = float(stdtrit(len(cv) - 1, 0.975)) * float(parts.std(ddof=1)) / math.sqrt(len(cv))
    return Slope(value, value - half, value + half)


def _deming(x: Array, y: Array, ratio: float) -> float:
    """`ratio` is the noise variance of y over that of x."""
    x, y = x - x.mean(), y - y.mean()
    xx, yy, xy = float(x @ x), float(y @ y), float(x @ y)
    if math.isinf(ratio):
        return xy / xx if xx else math.nan
    if xy == 0:
        return 0.0
    part = yy - ratio * xx
    return (part + math.sqrt(part**2 + 4 * ratio * xy**2)) / (2 * xy)


def outliers(cv: Array, lb: Array, se_cv: Array | float, se_lb: Array | float, df: float = math.inf, *,
             inference: Sequence[str] | None = None, rounding: float = 0.0, seed: int = 0) -> list[Outlier]:
    """Models whose gap is none that the others have, the clearest first; only models of the same `inference` are compared.

    The clearest is taken away before the rest is judged, three at most; below 3 models of a kind nothing is said. Mean predictions of fold models
    score better in public than their CV says, the more so the less stable the model: for these that is said before a leak.

    >>> cv = np.array([0.70, 0.72, 0.75, 0.80, 0.95])
    >>> found = outliers(cv, np.array([0.70, 0.72, 0.75, 0.80, 0.78]), 0.01, 0.01)
    >>> [(one.model, one.readings[0]) for one in found]
    [(4, 'leak')]
    """
    cv, lb, se_cv, se_lb = checked(cv, lb, se_cv, se_lb)
    kinds = np.array(["all"] * len(cv) if inference is None else list(inference), dtype=object)
    found = []
    for kind in dict.fromkeys(kinds.tolist()):
        rows = np.flatnonzero(kinds == kind)
        for _ in range(min(MOST, len(rows) - FEWEST + 1)):
            grid = np.ix_(rows, rows)
            fit = gap_model(cv[rows], lb[rows], se_cv[grid], se_lb[grid], df, rounding=rounding, seed=seed)
            worst = int(np.argmax(np.abs(fit.z)))
            if fit.p_outlier[worst] >= ALPHA:
                break
            found.append(Outlier(int(rows[worst]), fit.z[worst], fit.p_outlier[worst], _readings(kind, fit.z[worst])))
            rows = np.delete(rows, worst)
    return sorted(found, key=lambda one: -abs(one.z))


def _readings(inference: object, z: float) -> tuple[str, ...]:
    if z < 0:
        return ("less bagging bonus than the others", "leak") if inference == "fold_mean" else ("leak",)
    return ("bagging bonus", "luck", "leak into test") if inference == "fold_mean" else ("luck", "leak into test")
