"""Greedy selection by any metric: every candidate is scored; where rows are many, on a sample first."""

from collections.abc import Callable

import numpy as np

from kagglekit.blenders.case import Case
from kagglekit.blenders.space import SPACES

Array = np.ndarray
STEPS, PATIENCE = 50, 10
RACE_ROWS, CONFIRMED = 10_000, 5


def greedy_by_metric(case: Case, models: Array) -> Array:
    """float64[len(models)]: shares; the best of 50 steps, ended after ten that did not help. For metrics that take blends as they are."""
    there, back = SPACES[case.space]
    rows = np.arange(case.n)
    few = rows if case.n <= 2 * RACE_ROWS else np.sort(np.random.default_rng(0).choice(case.n, RACE_ROWS, replace=False))
    small = [np.asarray(there(case.oof[model, few]), dtype=np.float64) for model in models]
    score = _scorer(case, back)
    taken = np.zeros(len(models))
    total_few, total = np.zeros_like(small[0]), np.zeros((case.n, *small[0].shape[1:]))
    best, kept, since = -np.inf, np.full(len(models), 1 / len(models)), 0
    for step in range(1, STEPS + 1):
        scores = np.array([score(few, (total_few + one) / step) for one in small])
        if len(few) < case.n:
            places = np.sort(np.argsort(-scores, kind="stable")[:CONFIRMED])
            whole = [score(rows, (total + there(np.asarray(case.oof[models[place]]))) / step) for place in places]
            pick, value = int(places[int(np.argmax(whole))]), float(np.max(whole))
        else:
            pick, value = int(np.argmax(scores)), float(np.max(scores))
        taken[pick] += 1
        total_few = total_few + small[pick]
        if len(few) < case.n:
            total = total + there(np.asarray(case.oof[models[pick]]))
        if value > best + 1e-12:
            best, kept, since = value, taken / step, 0
        else:
            since += 1
        if since >= PATIENCE:
            break
    return kept


def _scorer(case: Case, back: Callable[[Array], Array]) -> Callable[[Array, Array], float]:
    truth, metric = case.truth, case.metric
    return lambda rows, blended: metric.sign * metric(truth[rows], back(blended))
