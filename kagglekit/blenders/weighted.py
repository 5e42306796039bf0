"""Blenders with fitted weights: shares from a convex programme, and free weights drawn towards equal ones."""

from collections.abc import Callable

import numpy as np

from kagglekit.blenders.base import Fit, blender
from kagglekit.blenders.case import Case
from kagglekit.blenders.space import SPACES
from kagglekit.kernels import gram
from kagglekit.kernels.logloss import convex_logloss

Array = np.ndarray
FLOOR = 1e-6
STRENGTHS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 10.0, 100.0)


@blender("convex", order=6)
def convex(case: Case) -> Array:
    """The best shares: by log loss for probabilities, by squared error for numbers and scores."""
    if case.kind == "classes" or (case.kind == "chance" and case.bounded and case.metric.needs != "rank"):
        return convex_logloss(case.chances)
    return gram.convex(case.gram)


@blender("ridge", order=8, kinds=("value", "chance"), free=True)
def ridge(case: Case) -> Fit:
    """Weights of any sign drawn towards equal ones by a ridge whose strength an inner cross-validation chooses (squared error)."""
    return linear(case, gram.ridge, STRENGTHS)


def linear(case: Case, fit: Callable[[gram.Gram, float], tuple[Array, float]], strengths: tuple[float, ...]) -> Fit:
    """A linear fit on the Gram matrix, of the strength with the least squared error on parts that its weights have not seen."""
    losses = np.zeros(len(strengths))
    for seen, judged in case.inner():
        for place, lam in enumerate(strengths):
            losses[place] += gram.mse(judged.gram, *fit(seen.gram, lam)) * judged.n
    lam = strengths[int(np.argmin(losses))] if losses.any() else strengths[len(strengths) // 2]
    weights, intercept = fit(case.gram, lam)
    there, back = SPACES[case.space]

    def predict(oof: Array) -> Array:
        found = back(np.tensordot(weights, np.asarray(there(np.asarray(oof)), dtype=np.float64), 1) + intercept)
        return np.clip(found, FLOOR, 1 - FLOOR) if case.kind == "chance" and case.metric.needs == "proba" else found

    return Fit(predict, weights, {"intercept": intercept, "ridge": lam})
