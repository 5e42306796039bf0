"""Stacks: a second model on the predictions of the first ones; signs are free."""

from collections.abc import Callable

import numpy as np

from kagglekit.blenders.averages import geometric
from kagglekit.blenders.base import Fit, blender
from kagglekit.blenders.case import Case
from kagglekit.blenders.space import SPACES
from kagglekit.blenders.weighted import linear
from kagglekit.kernels import gram
from kagglekit.kernels.logistic import logistic, logits, multinomial

Array = np.ndarray
VALUE_STRENGTHS = (1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1.0)
STRENGTHS = (1e-4, 1e-3, 1e-2, 0.1)
CLASS_STRENGTHS = (1e-4, 1e-3, 1e-2, 0.1, 1.0)
TUNED_ROWS = 20_000  # an inner cross-validation sees no more rows than this
FLOOR = 1e-6


@blender("stack", order=9, free=True)
def stack(case: Case) -> Fit:
    """A linear model of the predictions, its strength chosen by an inner cross-validation: ridge for numbers, logistic regression on
    logits for probabilities, for several classes weights on log-probabilities and a bias for each class."""
    return {"value": _of_values, "chance": _of_chances, "classes": _of_classes}[case.kind](case)


def _of_values(case: Case) -> Fit:
    return linear(case, gram.ridge_stack, VALUE_STRENGTHS)


def _of_chances(case: Case) -> Fit:
    there = logits if case.bounded else np.asarray
    view = case.view(there)
    l2 = _tuned(case, STRENGTHS, lambda seen, rows, strength: logistic(seen[:, rows[0]], rows[1], strength),
                lambda fitted, block, y: float(np.mean(np.logaddexp(0, score := fitted[0] @ block + fitted[1]) - y * score)), there)
    weights, bias = logistic(view, case.y, l2)
    return Fit(lambda oof: 1 / (1 + np.exp(-(weights @ np.asarray(there(np.asarray(oof)), dtype=np.float64) + bias))), weights,
               {"bias": bias, "l2": l2})


def _of_classes(case: Case) -> Fit:
    l2 = _tuned(case, CLASS_STRENGTHS, lambda seen, rows, strength: multinomial(seen[:, rows[0]], rows[1], strength), _class_loss, _logs)
    weights, bias = multinomial(_thinned(case), case.y[_some(case.n)], l2)
    return Fit(lambda oof: geometric(np.asarray(oof), weights, bias), weights, {"bias": bias.tolist(), "l2": l2})


def _logs(p: Array) -> Array:
    return np.log(np.clip(p, FLOOR, 1.0))


def _thinned(case: Case) -> Array:
    return case.view(_logs)[:, _some(case.n)]


def _some(rows: int) -> Array:
    return np.arange(0, rows, max(rows // (4 * TUNED_ROWS), 1))


def _class_loss(fitted: tuple[Array, Array], block: Array, y: Array) -> float:
    score = np.tensordot(fitted[0], block, 1) + fitted[1]
    score = score - score.max(axis=1, keepdims=True)
    return float(np.mean(np.log(np.exp(score).sum(axis=1)) - score[np.arange(len(y)), y.astype(np.int64)]))


def _tuned(case: Case, strengths: tuple[float, ...], fit: Callable, loss: Callable, there: Callable[[Array], Array]) -> float:
    """The strength with the least log loss on parts that the fit has not seen."""
    losses = np.zeros(len(strengths))
    for seen, judged in case.inner():
        rows, held = (np.arange(0, part.n, max(part.n // TUNED_ROWS, 1)) for part in (seen, judged))
        view, block = seen.view(there), judged.view(there)[:, held]
        for place, strength in enumerate(strengths):
            losses[place] += loss(fit(view, (rows, seen.y[rows]), strength), block, judged.y[held]) * judged.n
    return strengths[int(np.argmin(losses))] if losses.any() else strengths[len(strengths) // 2]


@blender("lgbm-stack", order=10, free=True, rows=20, cells=4_000_000)
def lgbm_stack(case: Case) -> Fit:
    """Sixty small LightGBM trees on the predictions, slow and shallow: for models that are right in different regions."""
    import lightgbm

    objective = {"value": "regression", "chance": "binary", "classes": "multiclass"}[case.kind]
    there, back = SPACES[case.space]
    params = {"objective": objective, "num_leaves": 7, "learning_rate": 0.08, "min_data_in_leaf": max(20, case.n // 200), "num_threads": 1,
              "verbosity": -1, "deterministic": True, "force_row_wise": True, "feature_fraction": 0.7, "seed": 0,
              **({"num_class": case.rows_of.oof.shape[2]} if case.kind == "classes" else {})}
    target = there(case.y.astype(np.float64)) if case.kind == "value" else case.y
    booster = lightgbm.train(params, lightgbm.Dataset(_flat(np.asarray(case.oof)), label=target, params={"num_threads": 1, "verbosity": -1}),
                             num_boost_round=60)
    return Fit(lambda oof: back(booster.predict(_flat(np.asarray(oof)), num_threads=1)), None, {"trees": 60})


def _flat(oof: Array) -> Array:
    """rows x (models x classes)."""
    return np.moveaxis(oof, 0, 1).reshape(oof.shape[1], -1)
