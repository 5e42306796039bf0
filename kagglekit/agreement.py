"""lbcheck's statistics: do local scores and public scores tell the same story, and how sure is that?

Scores are higher-is-better here: the caller multiplies by the metric's sign. Standard errors are one number (of a gap) or
models x models (paired off the diagonal, single on it).
"""

import math
from dataclasses import dataclass

import numpy as np

from kagglekit.choice import SplitFit, compare_splits, final_picks
from kagglekit.correlation import (
    DRAWS,
    Correlation,
    kendall_exact,
    pearson,
    permuted_matrices,
    shares,
    signs,
    spearman,
)
from kagglekit.errors import KKError
from kagglekit.noise import (
    CvNoise,
    LbNoise,
    average_correction,
    best_of,
    covariance_of,
    cv_se,
    lb_se,
    lookup_se,
    public_decimals,
    rounding_step,
    solve_public_rows,
)

__all__ = [
    "Correlation", "CvNoise", "LbNoise", "Needed", "Offset", "Pair", "SplitFit", "Verdict", "average_correction", "best_of",
    "compare_splits", "covariance_of", "cv_se", "direction", "distinct_models", "final_picks", "is_anchor", "kendall_exact",
    "lb_se", "local_models", "lookup_se", "models_needed", "offset", "pairs", "pearson", "power_to_track", "public_decimals",
    "rounding_step", "smallest_resolved_gap", "solve_public_rows", "spearman", "verdict",
]

Array = np.ndarray

ALPHA = 0.05
RESOLVED = 1.64  # |z| of a gap that is resolved, one-sided 5 %
FEWEST = 4  # models below which a perfect order is no evidence: its p is at best 1/6
POWER_80 = 2.8  # gap in combined SE that a pair resolves with 80 % power


@dataclass(frozen=True, slots=True)
class Pair:
    """Two models, their gaps (score of i minus score of j) and the noise of these."""

    i: int
    j: int
    cv_gap: float
    cv_se: float
    public_gap: float
    public_se: float
    agree: int
    z_gap: float
    explained_by_noise: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """tracks, cannot-tell or does-not-track, and why.

    G is the share of resolved evidence that agrees, from -1 to 1; p_plus and p_minus are permutation p values of "same order" and
    "reversed order"; p_adj is that of the worst order violation, Bonferroni over all pairs.
    """

    state: str
    why: str
    G: float
    p_plus: float
    p_minus: float
    p_adj: float


@dataclass(frozen=True, slots=True)
class Offset:
    """public = cv + value, with its standard error."""

    value: float
    se: float


@dataclass(frozen=True, slots=True)
class Needed:
    """How many more models, at least `spacing` apart in CV; a pair that is `resolved` apart shows with 80 % power."""

    models: int
    spacing: float
    resolved: float


def pairs(cv: Array, lb: Array, se_cv: Array | float, se_lb: Array | float, rounding: float = 0.0) -> list[Pair]:
    """All pairs of models, those first whose gaps differ most for their noise; `rounding` is the step of the public score.

    A rounded difference carries a variance of rounding^2/6, and one step or less is a tie.

    >>> found = pairs(np.array([0.0, 3.0]), np.array([3.0, 0.0]), 0.5, 1.0)[0]
    >>> found.agree, round(found.z_gap, 2), found.explained_by_noise
    (-1, 5.37, False)
    """
    cv, lb, se_cv, se_lb = _checked(cv, lb, se_cv, se_lb)
    se_lb = np.sqrt(se_lb**2 + rounding**2 / 6)
    found = []
    for i, j in zip(*np.triu_indices(len(cv), 1), strict=True):
        cv_gap, public_gap = cv[i] - cv[j], lb[i] - lb[j]
        tie = abs(public_gap) <= rounding * (1 + 1e-9)
        agree = 0 if tie else int(np.sign(cv_gap) * np.sign(public_gap))
        z_gap = float(_z(np.array(public_gap - cv_gap), np.hypot(se_cv[i, j], se_lb[i, j])))
        found.append(Pair(int(i), int(j), float(cv_gap), float(se_cv[i, j]), float(public_gap), float(se_lb[i, j]), agree, z_gap,
                          agree < 0 and abs(z_gap) < 2))
    return sorted(found, key=lambda pair: -abs(pair.z_gap))


def direction(cv: Array, lb: Array, rounding: float = 0.0) -> str:
    """same, opposite or mixed: the first thing a person wants to know of two models, before any correlation.

    >>> direction(np.array([0.80, 0.81]), np.array([0.78, 0.79]))
    'same'
    """
    cv, lb = np.asarray(cv, float), np.asarray(lb, float)
    gaps = lb[:, None] - lb[None, :]
    agree = signs(cv) * np.where(np.abs(gaps) <= rounding * (1 + 1e-9), 0, np.sign(gaps))
    seen = set(np.unique(agree).tolist()) - {0.0}
    return {frozenset({1.0}): "same", frozenset({-1.0}): "opposite"}.get(frozenset(seen), "mixed")


def verdict(cv: Array, lb: Array, se_cv: Array | float, se_lb: Array | float, df: float = math.inf, *, seed: int = 0) -> Verdict:
    """Whether the local score tracks the public one, weighing each pair by how far both of its gaps are resolved.

    `df` belongs to se_cv (fold scores - 1). Simulated: a split without relation is said to track in at most 7 % of cases, a
    perfect one not to track in at most 1 %. Permutations are exact for up to 7 models, else 9,999 seeded ones.

    >>> found = verdict(np.array([0, 2, 4, 6, 8]), np.array([0, 2, 4.3, 4, 8]), 0.5, 1.0, 4)
    >>> found.state, round(found.G, 4), round(found.p_plus, 4)
    ('tracks', 0.9488, 0.0167)
    """
    cv, lb, se_cv, se_lb = _checked(cv, lb, se_cv, se_lb)
    z_cv, z_lb = _z(cv[:, None] - cv, se_cv), _z(lb[:, None] - lb, se_lb)
    local, public = _soft_sign(z_cv, df), _soft_sign(z_lb, math.inf)
    if len(cv) < 2:
        return Verdict("cannot-tell", "too few", math.nan, 1.0, 1.0, 1.0)
    permuted, exact = permuted_matrices(local, draws=DRAWS, seed=seed)
    share, p_plus, p_minus, p_adj = (float(one[0]) for one in _evidence(local, public[None], permuted, exact=exact))
    state = _state(len(cv), share, p_plus, p_minus, p_adj)
    why = _why(state, len(cv), z_cv, z_lb, p_adj, share)
    return Verdict(state, why, share, p_plus, p_minus, p_adj)


def _checked(cv: Array, lb: Array, se_cv: Array | float, se_lb: Array | float) -> tuple[Array, Array, Array, Array]:
    cv, lb = np.asarray(cv, float), np.asarray(lb, float)
    if cv.ndim != 1 or cv.shape != lb.shape:
        raise KKError(f"there are {cv.size} local scores and {lb.size} public ones", "Give one of each a model")
    if not (np.isfinite(cv).all() and np.isfinite(lb).all()):
        raise KKError("a score is missing", "Leave out the models that lack a local or a public score")
    shape = (len(cv), len(cv))
    return cv, lb, np.broadcast_to(np.asarray(se_cv, float), shape), np.broadcast_to(np.asarray(se_lb, float), shape)


def _z(gaps: Array, se: Array) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(gaps == 0, 0.0, gaps / se)


def _soft_sign(z: Array, df: float) -> Array:
    """2 P(T < z) - 1: about 0 for a gap inside the noise, -1 or 1 for one that is resolved."""
    return 2 * _below(z, df) - 1


def _below(z: Array, df: float) -> Array:
    from scipy.special import ndtr, stdtr
    return ndtr(z) if math.isinf(df) else stdtr(df, z)


def _evidence(local: Array, public: Array, permuted: Array, *, exact: bool) -> tuple[Array, Array, Array, Array]:
    """G, p_plus, p_minus, p_adj of one local matrix against several public ones (cases x models x models)."""
    products = local * public
    total, size = products.sum(axis=(1, 2)), np.abs(products).sum(axis=(1, 2))
    share = np.divide(total, size, out=np.full(len(total), np.nan), where=size > 0)
    p_plus, p_minus = shares(permuted, public.reshape(len(public), -1), total, exact=exact)
    # One-sided p of each side's own sign; a violation needs both resolved (intersection-union test).
    p_pair = np.maximum((1 - np.abs(local)) / 2, (1 - np.abs(public)) / 2)
    p_pair = np.where(products < 0, p_pair, 1.0)
    count = len(local) * (len(local) - 1) / 2
    return share, p_plus, p_minus, np.minimum(1.0, count * p_pair.min(axis=(1, 2)))


def _state(models: int, share: float, p_plus: float, p_minus: float, p_adj: float) -> str:
    if (p_adj < ALPHA and share < 0.5) or (models >= FEWEST and p_minus < ALPHA and share < 0):
        return "does-not-track"
    if models >= FEWEST and p_plus <= ALPHA and share >= 0.5:
        return "tracks"
    return "cannot-tell"


def _why(state: str, models: int, z_cv: Array, z_lb: Array, p_adj: float, share: float) -> str:
    if state == "tracks":
        return "same order"
    if state == "does-not-track":
        return "order violation" if p_adj < ALPHA and share < 0.5 else "reversed order"
    if models < FEWEST:
        return "too few"
    resolved = (np.abs(z_cv) > RESOLVED) & (np.abs(z_lb) > RESOLVED)
    if not resolved.any():
        return "noise-limited"
    return "consistent so far" if (z_cv * z_lb)[resolved].min() > 0 else "mixed"


def is_anchor(lb: Array, constant_lb: float, se_to_constant: Array | float) -> Array:
    """Which models are not better than the best constant by 2 paired SE: they check the mechanics and are no evidence.

    >>> is_anchor(np.array([0.5, 0.51, 0.8]), 0.5, 0.01).tolist()
    [True, True, False]
    """
    return np.asarray(lb, float) - constant_lb < 2 * np.asarray(se_to_constant, float)


def distinct_models(cv: Array, lb: Array, se_cv: Array | float, se_lb: Array | float, correlation: Array | None) -> list[int]:
    """Indices of models that are not the same model once more: both gaps within 1 SE and OOF correlation above .999.

    >>> distinct_models(np.array([1, 1.01, 2]), np.array([1, 1, 2]), 0.1, 0.1, np.full((3, 3), 0.9999))
    [0, 2]
    """
    cv, lb, se_cv, se_lb = _checked(cv, lb, se_cv, se_lb)
    if correlation is None:
        return list(range(len(cv)))
    close = (np.abs(_z(cv[:, None] - cv, se_cv)) < 1) & (np.abs(_z(lb[:, None] - lb, se_lb)) < 1)
    same = close & (np.asarray(correlation) > 0.999)
    kept: list[int] = []
    for model in range(len(cv)):
        if not same[model, kept].any():
            kept.append(model)
    return kept


def smallest_resolved_gap(cv: Array, lb: Array, se_cv: Array | float, se_lb: Array | float) -> float | None:
    """Smallest local gap that is resolved on both sides: the scale that a verdict holds for. None: no such gap.

    >>> smallest_resolved_gap(np.array([0, 1, 4.0]), np.array([0, 1, 4.0]), 0.5, 1.0)
    3.0
    """
    cv, lb, se_cv, se_lb = _checked(cv, lb, se_cv, se_lb)
    gaps = np.abs(cv[:, None] - cv)
    resolved = (np.abs(_z(gaps, se_cv)) > RESOLVED) & (np.abs(_z(lb[:, None] - lb, se_lb)) > RESOLVED)
    return float(gaps[resolved].min()) if resolved.any() else None


def local_models(lb: Array, se_lb: Array | float, width: float = 5.0) -> list[int]:
    """Models within `width` paired SE of the best public score: the verdict on them is the one for a late decision.

    >>> local_models(np.array([0.70, 0.80, 0.81]), 0.01)
    [1, 2]
    """
    lb = np.asarray(lb, float)
    best = int(np.argmax(lb))
    se = np.broadcast_to(np.asarray(se_lb, float), (len(lb), len(lb)))[best]
    return [model for model in range(len(lb)) if model == best or lb[best] - lb[model] <= width * se[model]]


def power_to_track(cv: Array, se_cv: Array | float, se_lb: Array | float, df: float = math.inf, *, draws: int = 500,
                   seed: int = 0) -> float:
    """P(verdict says tracks) if it does: public scores drawn as cv plus the noise of both sides.

    >>> power_to_track(np.arange(5) * 4.0, 0.5, 1.0, 4) > 0.9
    True
    """
    cv, _, se_cv, se_lb = _checked(cv, cv, se_cv, se_lb)
    m = len(cv)
    if m < FEWEST:
        return 0.0
    squared = (se_cv**2 + se_lb**2) * (1 - np.eye(m))
    centre = np.eye(m) - 1 / m  # classical scaling: the covariance, up to a common shift, that has these gap variances
    values, vectors = np.linalg.eigh(-centre @ squared @ centre / 2)
    random = np.random.default_rng(seed)
    lb = cv + random.standard_normal((draws, m)) @ (vectors * np.sqrt(np.maximum(values, 0))).T
    local = _soft_sign(_z(cv[:, None] - cv, se_cv), df)
    public = _soft_sign(_z(lb[:, :, None] - lb[:, None, :], se_lb), math.inf)
    permuted, exact = permuted_matrices(local, draws=1999, seed=seed)
    evidence = zip(*_evidence(local, public, permuted, exact=exact), strict=True)
    return float(np.mean([_state(m, *(float(part) for part in one)) == "tracks" for one in evidence]))


def models_needed(models: int, se_cv: float, se_lb: float) -> Needed:
    """How many more models would settle it, how far apart: five, at least 1 public SE apart, track visibly in 91 % of cases.

    >>> models_needed(2, 3.0, 4.0)
    Needed(models=3, spacing=4.0, resolved=14.0)
    """
    return Needed(max(0, 5 - models), float(se_lb), POWER_80 * math.hypot(se_cv, se_lb))


def offset(cv: Array, lb: Array, covariance: Array) -> Offset:
    """The constant between CV and public score and its SE, from the covariance of lb - cv (generalised least squares).

    >>> offset(np.array([1.0, 2.0]), np.array([1.5, 2.5]), np.eye(2)).value
    0.5
    """
    gap = np.asarray(lb, float) - np.asarray(cv, float)
    covariance = np.atleast_2d(np.asarray(covariance, float))
    ridge = 1e-9 * np.trace(covariance) / len(gap)
    weights = np.linalg.pinv(covariance + ridge * np.eye(len(gap))).sum(axis=0)
    return Offset(float(weights @ gap / weights.sum()), float(weights.sum() ** -0.5))
