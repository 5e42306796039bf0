"""Gaps between two models: local and public, tied or not, inside the noise or not."""

from dataclasses import dataclass

import numpy as np

from kagglekit.correlation import signs
from kagglekit.errors import KKError

Array = np.ndarray

RESOLVED = 1.64  # |z| of a gap that is resolved, one-sided 5 %


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


def pairs(cv: Array, lb: Array, se_cv: Array | float, se_lb: Array | float, rounding: float = 0.0) -> list[Pair]:
    """All pairs of models, those first whose gaps differ most for their noise; `rounding` is the step of the public score.

    A rounded difference carries a variance of rounding^2/6, and one step or less is a tie.

    >>> found = pairs(np.array([0.0, 3.0]), np.array([3.0, 0.0]), 0.5, 1.0)[0]
    >>> found.agree, round(found.z_gap, 2), found.explained_by_noise
    (-1, 5.37, False)
    """
    cv, lb, se_cv, se_lb = checked(cv, lb, se_cv, se_lb)
    se_lb = np.sqrt(se_lb**2 + rounding**2 / 6)
    found, tie = [], tied(lb, rounding)
    for i, j in zip(*np.triu_indices(len(cv), 1), strict=True):
        cv_gap, public_gap = cv[i] - cv[j], lb[i] - lb[j]
        agree = 0 if tie[i, j] else int(np.sign(cv_gap) * np.sign(public_gap))
        z_gap = float(standardised(np.array(public_gap - cv_gap), np.hypot(se_cv[i, j], se_lb[i, j])))
        found.append(Pair(int(i), int(j), float(cv_gap), float(se_cv[i, j]), float(public_gap), float(se_lb[i, j]), agree, z_gap,
                          agree < 0 and abs(z_gap) < 2))
    return sorted(found, key=lambda pair: -abs(pair.z_gap))


def tied(scores: Array, rounding: float = 0.0) -> Array:
    """Pairs of scores at most one rounding step apart, as models x models: no evidence of an order.

    >>> tied(np.array([0.81234, 0.81233, 0.81230]), 1e-5)[0].tolist()
    [True, True, False]
    """
    scores = np.asarray(scores, float)
    return np.abs(scores[:, None] - scores) <= rounding * (1 + 1e-6)


def levels(scores: Array, rounding: float = 0.0) -> int:
    """The most scores of which no two are tied: models that share a level are one point.

    >>> levels(np.array([1.0, 1.0, 1.0, 0.97, 0.95]), 1e-5)
    3
    """
    count, last = 0, -np.inf
    for score in np.sort(np.asarray(scores, float)):
        if score - last > rounding * (1 + 1e-6):
            count, last = count + 1, score
    return count


def direction(cv: Array, lb: Array, rounding: float = 0.0) -> str:
    """same, opposite or mixed: the first thing a person wants to know of two models, before any correlation.

    >>> direction(np.array([0.80, 0.81]), np.array([0.78, 0.79]))
    'same'
    """
    cv, lb = np.asarray(cv, float), np.asarray(lb, float)
    agree = signs(cv) * np.where(tied(lb, rounding), 0, signs(lb))
    seen = set(np.unique(agree).tolist()) - {0.0}
    return {frozenset({1.0}): "same", frozenset({-1.0}): "opposite"}.get(frozenset(seen), "mixed")


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
    cv, lb, se_cv, se_lb = checked(cv, lb, se_cv, se_lb)
    if correlation is None:
        return list(range(len(cv)))
    close = (np.abs(standardised(cv[:, None] - cv, se_cv)) < 1) & (np.abs(standardised(lb[:, None] - lb, se_lb)) < 1)
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
    cv, lb, se_cv, se_lb = checked(cv, lb, se_cv, se_lb)
    gaps = np.abs(cv[:, None] - cv)
    resolved = (np.abs(standardised(gaps, se_cv)) > RESOLVED) & (np.abs(standardised(lb[:, None] - lb, se_lb)) > RESOLVED)
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


def checked(cv: Array, lb: Array, se_cv: Array | float, se_lb: Array | float) -> tuple[Array, Array, Array, Array]:
    cv, lb = np.asarray(cv, float), np.asarray(lb, float)
    if cv.ndim != 1 or cv.shape != lb.shape:
        raise KKError(f"there are {cv.size} local scores and {lb.size} public ones", "Give one of each a model")
    if not (np.isfinite(cv).all() and np.isfinite(lb).all()):
        raise KKError("a score is missing", "Leave out the models that lack a local or a public score")
    shape = (len(cv), len(cv))
    return cv, lb, np.broadcast_to(np.asarray(se_cv, float), shape), np.broadcast_to(np.asarray(se_lb, float), shape)


def standardised(gaps: Array, se: Array) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(gaps == 0, 0.0, gaps / se)
