"""Blenders that give every model the same say."""

import numpy as np

from kagglekit.blenders.base import Fit, blender, weighted
from kagglekit.blenders.case import Case
from kagglekit.kernels.logistic import logits, multinomial

Array = np.ndarray
POWERS = (-1.0, 0.5, 2.0, 3.0)
FLOOR = 1e-6
TEMPERATURE_ROWS = SCORED_ROWS = 50_000


def equal(case: Case) -> Array:
    """One share a model."""
    return np.full(case.models, 1 / case.models)


@blender("best", order=0)
def best(case: Case) -> Array:
    """The model that is best alone on the rows of the fit: what every blend must beat."""
    rows = np.arange(0, case.n, max(case.n // SCORED_ROWS, 1))
    if case.metric.needs in ("label", "list"):
        losses = own_losses(case)
    else:
        losses = np.array([-case.metric.sign * case.metric(case.truth[rows], case.oof[model, rows]) for model in range(case.models)])
    return np.eye(case.models)[int(np.argmin(losses))]


def own_losses(case: Case) -> Array:
    """float64[models]: log loss of classes, squared error else, of each model alone."""
    return -np.log(case.chances).mean(axis=1) if case.kind == "classes" else np.diag(case.gram.mean_errors)


@blender("mean", order=0)
def mean(case: Case) -> Array:
    """Equal weights."""
    return equal(case)


@blender("median", order=1)
def median(case: Case) -> Fit:
    """The middle model of each row: for absolute errors with heavy tails."""
    return Fit(lambda oof: _shares(np.median(np.asarray(oof), axis=0).astype(np.float64), case))


def _shares(values: Array, case: Case) -> Array:
    return values / values.sum(axis=1, keepdims=True) if case.kind == "classes" else values


@blender("rank-mean", order=1, kinds=("chance", "value"), metrics=("rank",))
def rank_mean(case: Case) -> Fit:
    """Equal weights on ranks, for scores of different scales."""
    return weighted(case, equal(case), "rank")


@blender("logit-mean", order=2, kinds=("chance", "classes"), metrics=("proba", "rank", "label"))
def logit_mean(case: Case) -> Fit:
    """The geometric mean of probabilities, sharpened or softened by one temperature that the log loss chooses."""
    if not case.bounded:
        return weighted(case, equal(case), "rank")
    temperature = _temperature(case)
    return Fit(lambda oof: geometric(np.asarray(oof), equal(case) * temperature), equal(case), {"temperature": temperature})


def _temperature(case: Case) -> float:
    """The power of the mean log-probability with the least log loss."""
    if case.metric.needs == "rank":
        return 1.0
    step = max(case.n // TEMPERATURE_ROWS, 1)
    rows = np.arange(0, case.n, step)
    pooled = np.mean([_logs(case.oof[model, rows]) for model in range(case.models)], axis=0)[None]
    return float(np.clip(multinomial(pooled, case.y[rows], l2=1e-4)[0][0], 0.2, 5.0))


def _logs(p: Array) -> Array:
    """Log-probabilities, rows x classes; of one probability a row both classes."""
    p = np.clip(np.asarray(p, dtype=np.float64), FLOOR, 1.0 if p.ndim == 2 else 1 - FLOOR)
    return np.log(p / p.sum(axis=1, keepdims=True)) if p.ndim == 2 else np.log(np.column_stack([1 - p, p]))


def geometric(oof: Array, weights: Array, bias: Array | float = 0.0) -> Array:
    """The weighted geometric mean of probabilities, brought to sum 1; `bias` is added to the scores of the classes (or of class 1)."""
    if oof.ndim == 2:
        return 1 / (1 + np.exp(-(weights @ logits(oof).astype(np.float64) + bias)))
    score = sum(weight * _logs(one) for weight, one in zip(weights, oof, strict=True)) + bias
    score = np.exp(score - score.max(axis=1, keepdims=True))
    return score / score.sum(axis=1, keepdims=True)


@blender("power-mean", order=3, metrics=("value", "proba"))
def power_mean(case: Case) -> Fit:
    """The mean of powers of the predictions, the power chosen by the metric on the rows of the fit; the plain mean where some are negative."""
    if min(float(np.min(one)) for one in case.oof) < 0:
        return weighted(case, equal(case))
    oof = np.asarray(case.oof)
    scores = [case.metric.sign * case.metric(case.truth, _powered(oof, power, case)) for power in (1.0, *POWERS)]
    power = (1.0, *POWERS)[int(np.argmax(scores))]
    return Fit(lambda given: _powered(np.asarray(given), power, case), equal(case), {"power": power})


def _powered(oof: Array, power: float, case: Case) -> Array:
    values = np.maximum(oof.astype(np.float64), FLOOR if power < 0 else 0.0)
    return _shares(np.mean(values**power, axis=0) ** (1 / power), case)
