"""Which of several splits foretells the public scores best, and whether that is more than chance."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from kagglekit.correlation import EXACT_UP_TO, kendall_exact
from kagglekit.errors import KKError

Array = np.ndarray

FEWEST_P_BEST = 5
EXACT_FLIPS = 12
DRAWS = 9999


@dataclass(frozen=True, slots=True)
class SplitFit:
    """How well CV under one split foretells the public score of a model that it has not seen, up to a constant.

    `r2` at most 0: the split knows nothing. p_best is the share of wins over resampled models (None below 5 models: the choice is
    tentative). p_max_t: P(the best of all candidates correlates with the public scores as this one does, by chance). `tied`: within one
    bootstrap SE of the best.
    """

    split: int
    loo_rmse: float
    r2: float
    tau: float
    offset: float
    p_best: float | None
    p_max_t: float | None = None
    tied: bool = False


@dataclass(frozen=True, slots=True)
class SplitChoice:
    """The split to use; `why` is error, evidence, offset or cost, whichever decided; tentative below 5 models or with ties."""

    split: int
    why: str
    tentative: bool


def compare_splits(cv_by_split: Array, lb: Array, *, draws: int = 300, seed: int = 0) -> list[SplitFit]:
    """Candidate splits, the one that foretells the public score best first; cv_by_split is splits x models, higher is better.

    The error is that of leaving one model out of the mean gap; it picks the best split more often than Kendall's tau does
    (simulated, 5 models: .86 against .70).

    >>> fits = compare_splits(np.array([[1, 2, 9], [1, 2, 3]]), np.array([2, 3, 4]))
    >>> fits[0].split, fits[0].loo_rmse, fits[0].offset
    (1, 0.0, 1.0)
    """
    cv, lb = np.atleast_2d(np.asarray(cv_by_split, float)), np.asarray(lb, float)
    models = cv.shape[1]
    if models != len(lb) or models < 2:
        raise KKError(f"{models} models have local scores, {len(lb)} public ones",
                      "Train at least two submitted models under each split")
    if not (np.isfinite(cv).all() and np.isfinite(lb).all()):
        raise KKError("a score is missing", "Compare the models that all splits have a score of")
    gaps = lb - cv
    loo = np.sqrt((_loo_errors(gaps) ** 2).mean(axis=1))
    wins, tied = _resampled(gaps, int(np.argmin(loo)), loo, draws, seed)
    spread = float(((lb - lb.mean()) ** 2).sum())
    r2 = 1 - ((gaps - gaps.mean(axis=1, keepdims=True)) ** 2).sum(axis=1) / spread if spread else np.full(len(cv), math.nan)
    p_max = _max_t(cv, lb, seed)
    fits = [SplitFit(split, float(loo[split]), float(r2[split]), kendall_exact(cv[split], lb)[0], float(gaps[split].mean()),
                     float(wins[split]) if models >= FEWEST_P_BEST else None, None if p_max is None else float(p_max[split]), bool(tied[split]))
            for split in range(len(cv))]
    return sorted(fits, key=lambda fit: fit.loo_rmse)


def _loo_errors(gaps: Array) -> Array:
    return (gaps - gaps.mean(axis=1, keepdims=True)) * gaps.shape[1] / (gaps.shape[1] - 1)


def _resampled(gaps: Array, best: int, loo: Array, draws: int, seed: int) -> tuple[Array, Array]:
    """Share of wins over resampled models, and whose error is within one bootstrap SE of the best."""
    models = gaps.shape[1]
    picks = np.random.default_rng(seed).integers(0, models, (draws, models))
    picks = picks[(picks != picks[:, :1]).any(axis=1)]
    spread = gaps[:, picks].std(axis=2)
    won = spread <= spread.min(axis=0) * (1 + 1e-12)
    se = (spread - spread[best]).std(axis=1) * models / (models - 1)
    return (won / won.sum(axis=0)).mean(axis=1), loo - loo[best] <= se


def _max_t(cv: Array, lb: Array, seed: int) -> Array | None:
    """Westfall & Young's max-T: the public scores permuted the same way for all splits, the statistic Pearson's r."""
    from itertools import permutations
    cv, lb = cv - cv.mean(axis=1, keepdims=True), lb - lb.mean()
    size = np.sqrt((cv**2).sum(axis=1))
    if not lb.any() or not size.any():
        return None
    cv = np.divide(cv, size[:, None], out=np.zeros_like(cv), where=size[:, None] > 0)
    exact = len(lb) <= EXACT_UP_TO
    permuted = np.array(list(permutations(lb))) if exact else np.random.default_rng(seed).permuted(np.tile(lb, (DRAWS, 1)), axis=1)
    largest, observed, extra = (permuted @ cv.T).max(axis=1), cv @ lb, 0 if exact else 1
    slack = 1e-9 * math.sqrt(float(lb @ lb))
    return ((largest[:, None] >= observed - slack).sum(axis=0) + extra) / (len(permuted) + extra)


def sign_flip(cv_a: Array, cv_b: Array, lb: Array, *, seed: int = 0) -> float:
    """One-sided p of "split a foretells better than split b": signs of the differences of squared errors are flipped.

    Its smallest value is 2^-models, so nothing is shown below 5 models. Exact for up to 12, else 9,999 seeded flips.

    >>> lb = np.arange(5.0)
    >>> sign_flip(lb, lb[::-1], lb)
    0.0625
    """
    errors = _loo_errors(np.asarray(lb, float) - np.stack([np.asarray(cv_a, float), np.asarray(cv_b, float)]))
    better = errors[1] ** 2 - errors[0] ** 2
    if len(better) <= EXACT_FLIPS:
        flips, extra = np.array(list(product((1, -1), repeat=len(better)))), 0
    else:
        flips, extra = np.random.default_rng(seed).choice([1, -1], (DRAWS, len(better))), 1
    reached = flips @ better >= better.sum() - 1e-9 * np.abs(better).sum()
    return float((reached.sum() + extra) / (len(flips) + extra))


def choose_split(fits: Sequence[SplitFit], evidence: Sequence[int] = (), cost: Sequence[float] | None = None) -> SplitChoice:
    """The best split; among those within one SE of it the first of `evidence` (what the data says: kk cv), the smallest offset, the cheapest.

    `evidence` lists splits, the best supported first; `cost` is one number a split, e.g. seconds.

    >>> fits = compare_splits(np.array([[1.2, 1.9, 3.0, 3.9], [1.0, 2.2, 2.9, 4.1]]), np.array([1.0, 2, 3, 4]))
    >>> choose_split(fits, evidence=[0]).why
    'evidence'
    """
    best = fits[0]
    near = [fit for fit in fits if fit.tied or fit is best]
    tentative = best.p_best is None or len(near) > 1
    if len(near) == 1:
        return SplitChoice(best.split, "error", tentative)
    for split in evidence:
        if split in {fit.split for fit in near}:
            return SplitChoice(split, "evidence", tentative)
    smallest = min(abs(fit.offset) for fit in near)
    same = [fit for fit in near if abs(fit.offset) <= smallest * 1.05 + 1e-12]
    if len(same) == 1 or cost is None:
        return SplitChoice(same[0].split, "offset", tentative)
    return SplitChoice(min(same, key=lambda fit: cost[fit.split]).split, "cost", tentative)
