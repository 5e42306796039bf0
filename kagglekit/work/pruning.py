"""Pruning: a trial stops after a few folds when it will hardly end ahead of the best one.

Measured on four tables in many orders (benchmarks/tune.py --pruning): 62 to 77 % of the folds are trained and the best trial is never lost;
the median rule trains 58 to 63 % and lost it in up to 15 % of the orders, Wilcoxon's test trains 88 to 99 %.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

Array = np.ndarray
CHANCE = 0.05    # of ending ahead of the best below which a trial stops
PRIOR_FOLDS = 4  # folds' worth of what finished trials say about the noise
ENOUGH = 3       # finished trials from which the noise is known


@dataclass(frozen=True, slots=True)
class Rival:
    """The best finished trial: its fold scores (higher is better), and the usual sd of another's gap to it from fold to fold (None: unknown)."""

    scores: Array
    noise: float | None


def rival_of(finished: Sequence[Sequence[float]], best: int) -> Rival:
    """The trial to beat, and the noise of gaps to it: the median over finished trials of the variance of their gap over the folds.

    >>> rival_of([[1.0, 2.0], [0.0, 1.0], [0.0, 2.0], [0.5, 1.9]], 0).noise.__round__(3)
    0.283
    """
    table = np.asarray(finished, dtype=np.float64)
    others = np.delete(table, best, axis=0)
    if len(table) <= ENOUGH or table.shape[1] < 2:
        return Rival(table[best], None)
    return Rival(table[best], float(np.sqrt(np.median((others - table[best]).var(axis=1, ddof=1)))))


def chance(scores: Sequence[float], rival: Rival) -> float:
    """The chance that a trial with these first fold scores (higher is better) ends ahead of the rival over all folds.

    What counts is the mean over K folds, of which k are known: with the sd s of a gap from fold to fold, the mean gap of K folds lies
    around that of the k with variance s^2 (K - k) / (K k), which is 0 at the end. s pools the trial's own folds with what finished
    trials had; Student's t. Stopping when the end is as good as known is stochastic curtailment (Lan, Simon & Halperin 1982).

    >>> rival = Rival(np.array([0.80, 0.82, 0.81, 0.80, 0.83]), 0.01)
    >>> round(chance([0.79, 0.80], rival), 2), round(chance([0.75, 0.76], rival), 3), chance([0.9], Rival(rival.scores, None))
    (0.02, 0.0, 1.0)
    """
    known, total = len(scores), len(rival.scores)
    gap = np.asarray(scores, dtype=np.float64) - rival.scores[:known]
    own, prior = max(known - 1, 0), PRIOR_FOLDS if rival.noise is not None else 0
    if known >= total or own + prior < 2:
        return 1.0
    variance = (prior * (rival.noise or 0.0) ** 2 + (own * float(gap.var(ddof=1)) if own else 0.0)) / (own + prior)
    error = np.sqrt(variance * (total - known) / (total * known))
    if error <= 1e-12 * max(float(np.abs(rival.scores).max()), 1e-300):
        return float(gap.mean() >= 0)
    from scipy.special import stdtr

    return float(stdtr(own + prior, gap.mean() / error))


def is_behind(scores: Sequence[float], rival: Rival | None) -> bool:
    """Whether a trial is to stop: its chance to end ahead of the best is below 5 %."""
    return rival is not None and len(scores) < len(rival.scores) and chance(scores, rival) < CHANCE
