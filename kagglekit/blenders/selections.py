"""Blenders that select: Caruana's greedy selection, its bagged form, and hill climbing with negative weights."""

import numpy as np

from kagglekit.blenders.averages import own_losses
from kagglekit.blenders.base import blender
from kagglekit.blenders.case import Case
from kagglekit.blenders.direct import greedy_by_metric
from kagglekit.kernels import gram
from kagglekit.kernels.auc import greedy_auc
from kagglekit.kernels.logloss import greedy_logloss

Array = np.ndarray
SQUARED = ("rmse", "mse", "r2", "rmsle")
BAGS = 20


@blender("greedy", order=4)
def greedy(case: Case) -> Array:
    """Greedy selection with replacement (Caruana et al. 2004), by the metric itself; many rows race on a sample of them."""
    return selected(case)


def selected(case: Case, models: Array | None = None) -> Array:
    """Shares from greedy selection among some models: by Gram matrix, true-class probabilities or counting where the metric has such a road.

    For metrics of labels and lists by squared error or log loss: labels move too rarely to tell neighbours apart.
    """
    chosen = np.arange(case.models) if models is None else models
    name, of_labels = case.metric.name, case.metric.needs in ("label", "list")
    if case.kind == "value" and (name in SQUARED or of_labels):
        found = gram.greedy(case.gram.of(chosen))
    elif case.kind != "value" and (name in ("logloss", "mlogloss") or of_labels):
        found = greedy_logloss(case.chances if models is None else case.chances[chosen])
    elif name == "auc":
        found = greedy_auc(case.oof if models is None else np.asarray(case.oof[chosen, :]), case.y)
    else:
        found = greedy_by_metric(case, chosen)
    weights = np.zeros(case.models)
    weights[chosen] = found
    return weights


@blender("bag-greedy", order=5, cells=2_000_000)
def bag_greedy(case: Case) -> Array:
    """The mean of twenty greedy selections, each among a random half of the models (Caruana et al. 2006)."""
    rng = np.random.default_rng(0)
    half = max(case.models // 2, min(case.models, 2))
    best_first = np.argsort(own_losses(case), kind="stable")  # drawn by their place among the models' scores: their order as given has no say
    return np.mean([selected(case, np.sort(best_first[rng.choice(case.models, half, replace=False)])) for _ in range(BAGS)], axis=0)


@blender("hill", order=7, kinds=("value", "chance"), free=True, rows=20)
def hill(case: Case) -> Array:
    """Hill climbing with negative weights on the squared error; ends where a step gains less than a quarter of a standard error."""
    errors = case.gram.mean_errors
    best = float(np.diag(errors).min())
    # The squared error of n rows is known to about sqrt(2/n) of itself, a gap between near blends to a tenth of that.
    return gram.hill(case.gram, gain=0.25 * 0.1 * np.sqrt(2 / case.n) if best else 0.0)
