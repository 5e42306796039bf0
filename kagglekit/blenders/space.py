"""Where predictions are averaged: their values, logarithms, ranks or logits."""

from collections.abc import Callable

import numpy as np

from kagglekit.errors import KKError
from kagglekit.kernels.auc import rank01
from kagglekit.kernels.logistic import logits
from kagglekit.metrics import Metric, check_metric

Array = np.ndarray


def _chances(score: Array) -> Array:
    return 1 / (1 + np.exp(-score))


SPACES: dict[str, tuple[Callable[[Array], Array], Callable[[Array], Array]]] = {
    "value": (np.asarray, np.asarray),
    # Squared error of the logarithm is least for the mean of the logarithms.
    "log": (lambda values: np.log1p(np.maximum(values, 0)), np.expm1),
    # Rounded, so that equal sums of ranks stay ties in any order of the models.
    "rank": (rank01, lambda blended: np.round(blended, 7)),
    "logit": (logits, _chances),
}


def space_of(metric: Metric) -> str:
    """The space that a metric asks for: logarithms where models learn these (RMSLE), values elsewhere."""
    return "log" if metric.trains_on == "log1p" else "value"


def combine_in(weights: Array, predictions: Array, space: str) -> Array:
    """The weighted mean of models x rows [x classes] in a space, as float64; models without weight are not read."""
    if len(weights) != len(predictions):
        raise KKError(f"there are {len(weights)} weights and predictions of {len(predictions)} models",
                      "Give the same models in the same order")
    there, back = SPACES[space]
    total: Array | None = None
    for place in np.flatnonzero(weights):
        one = weights[place] * np.asarray(there(np.asarray(predictions[place])[None])[0], dtype=np.float64)
        total = one if total is None else total + one
    return back(total if total is not None else np.zeros(np.shape(predictions)[1:]))


def combine(weights: Array, predictions: Array, metric: Metric | str, *, ranks: bool = False) -> Array:
    """Weighted mean of models x rows [x classes]; of log1p for RMSLE, of ranks where asked for.

    >>> combine([0.5, 0.5], np.array([[1.0, 3.0], [3.0, 5.0]]), "rmse").tolist()
    [2.0, 4.0]
    """
    return combine_in(np.asarray(weights, float), np.asarray(predictions), "rank" if ranks else space_of(check_metric(metric)))
