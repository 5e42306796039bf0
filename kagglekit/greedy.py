"""Greedy search for the weights of a blend (Caruana et al. 2004): add the model that helps most, again and again.

The metrics that competitions use most have a faster road than scoring every candidate: squared errors by their Gram matrix, log
loss by the probabilities of the true class, AUC by counting in bins. All others call the metric.
"""

from collections.abc import Callable
from typing import Protocol

import numpy as np

from kagglekit import metrics
from kagglekit.metrics import Metric

Array = np.ndarray

STEPS = 100
PATIENCE = 15
RACE_ABOVE, RACE_ROWS = 40_000, 20_000  # AUC: rows above which models are chosen on a sample, and its size
BLOCK = 8192


class Search(Protocol):
    """What is known of the running sum of models."""

    def losses(self) -> Array:
        """Loss (less is better) after adding each of the models."""

    def add(self, model: int) -> None:
        """Add `model` to the sum."""


def greedy_weights(y: Array, oof: Array, metric: Metric) -> Array:
    """Weights (at least 0, sum 1) of the best of 100 steps; stops after 15 steps that did not help.

    >>> y = np.array([0.0, 1, 2, 3])
    >>> greedy_weights(y, np.stack([y + 1, y - 1, y + 5]), metrics.check_metric("rmse")).tolist()
    [0.5, 0.5, 0.0]
    """
    search = SEARCHES.get(metric.function, ByMetric)(y, oof, metric)
    counts, best, best_counts, waited = np.zeros(len(oof)), np.inf, None, 0
    for _ in range(STEPS):
        losses = search.losses()
        model = int(np.argmin(losses))
        search.add(model)
        counts[model] += 1
        if losses[model] < best - 1e-12 * abs(losses[model]):
            best, best_counts, waited = losses[model], counts.copy(), 0
            continue
        waited += 1
        if waited == PATIENCE:
            break
    if best_counts is None:  # no step has a finite loss: nothing to choose by
        return np.full(len(oof), 1 / len(oof))
    return best_counts / best_counts.sum()


class ByMetric:
    """Any metric, by scoring every candidate."""

    def __init__(self, y: Array, oof: Array, metric: Metric) -> None:
        self.y, self.oof, self.metric = y, oof, metric
        self.sum, self.steps = np.zeros(oof.shape[1:]), 0

    def losses(self) -> Array:
        blends = ((self.sum + one) / (self.steps + 1) for one in self.oof)
        return np.array([-self.metric.sign * self.metric(self.y, blend) for blend in blends])

    def add(self, model: int) -> None:
        self.sum += self.oof[model]
        self.steps += 1


class BySquares:
    """Squared error (also its root and R2): one Gram matrix of the errors, then a step costs no rows at all."""

    def __init__(self, y: Array, oof: Array, metric: Metric) -> None:
        self.gram = gram_of_errors(y, oof)
        self.cross, self.square, self.steps = np.zeros(len(oof)), 0.0, 0

    def losses(self) -> Array:
        return (self.square + 2 * self.cross + np.diag(self.gram)) / (self.steps + 1) ** 2

    def add(self, model: int) -> None:
        self.square += 2 * self.cross[model] + self.gram[model, model]
        self.cross += self.gram[model]
        self.steps += 1


def gram_of_errors(y: Array, oof: Array) -> Array:
    """Mean products of the models' errors, in blocks of rows so that no copy of oof is made."""
    gram = np.zeros((len(oof), len(oof)))
    for start in range(0, len(y), BLOCK):
        errors = oof[:, start:start + BLOCK].astype(np.float64) - y[start:start + BLOCK]
        gram += errors @ errors.T
    return gram / len(y)


class ByTrueClass:
    """Log loss: only the probability of the true class counts, and logarithms are taken of products of eight rows."""

    def __init__(self, y: Array, oof: Array, metric: Metric) -> None:
        chance = _of_true_class(y, oof)
        spare = -chance.shape[1] % 8
        # Rows are made a multiple of eight with ones: their logarithm is known.
        self.chance = np.concatenate([np.clip(chance, 1e-15, 1.0), np.ones((len(chance), spare))], axis=1)
        self.spare, self.rows = spare, chance.shape[1]
        self.sum, self.steps = np.zeros(self.chance.shape[1]), 0

    def losses(self) -> Array:
        totals = np.array([_sum_of_logs(self.sum + one) for one in self.chance])
        steps = self.steps + 1
        return np.log(steps) - (totals - self.spare * np.log(steps)) / self.rows

    def add(self, model: int) -> None:
        self.sum += self.chance[model]
        self.steps += 1


def _of_true_class(y: Array, oof: Array) -> Array:
    if oof.ndim == 2:
        return np.where(y == 1, oof, 1 - oof).astype(np.float64)
    rows = np.arange(len(y))
    codes = np.asarray(y, dtype=np.int64)
    return np.stack([one[rows, codes] / one.sum(axis=1) for one in oof]).astype(np.float64)


def _sum_of_logs(values: Array) -> float:
    part = len(values) // 8
    parts = values.reshape(8, part)
    product = parts[0] * parts[1]
    for one in parts[2:]:
        product *= one
    return float(np.log(product).sum())


class ByCounting:
    """AUC by counting positives and negatives in bins, which costs no sort; on a sample of the rows where there are many.

    The bins are the leading bits of the number: 512 to each halving, over 16 halvings, so that rare classes with tiny
    probabilities are told apart too. Scores are moved to start at 0, from the side where most of them are.
    """

    SHIFT, OCTAVES = 14, 16

    def __init__(self, y: Array, oof: Array, metric: Metric) -> None:
        if len(y) > RACE_ABOVE:
            rows = np.sort(np.random.default_rng(0).choice(len(y), RACE_ROWS, replace=False))
            y, oof = y[rows], oof[:, rows]
        truth = np.asarray(y) == 1
        low, high = oof.min(axis=1, keepdims=True), oof.max(axis=1, keepdims=True)
        self.flipped = bool(np.median(oof - low, axis=1).sum() > (high - low).sum() / 2)
        scores = (high - oof if self.flipped else oof - low) / max(float((high - low).sum()), 1e-300)
        self.positive = scores[:, truth].astype(np.float32)
        self.negative = scores[:, ~truth].astype(np.float32)
        self.sum_positive = np.zeros(self.positive.shape[1], np.float32)
        self.sum_negative = np.zeros(self.negative.shape[1], np.float32)
        self.steps = 0

    def losses(self) -> Array:
        return np.array([self._loss(a, b) for a, b in zip(self.positive, self.negative, strict=True)])

    def _loss(self, positive: Array, negative: Array) -> float:
        scale = np.float32(1 / (self.steps + 1))
        of_positive = self._count((self.sum_positive + positive) * scale)
        of_negative = self._count((self.sum_negative + negative) * scale)
        below = np.cumsum(of_negative) - of_negative / 2
        area = float(of_positive @ below) / max(positive.size * negative.size, 1)
        return area if self.flipped else 1 - area

    def _count(self, scores: Array) -> Array:
        top = np.float32(1).view(np.int32) >> self.SHIFT
        bins = (scores.view(np.int32) >> self.SHIFT) - (top - (self.OCTAVES << (23 - self.SHIFT)))
        return np.bincount(np.maximum(bins, 0), minlength=(self.OCTAVES << (23 - self.SHIFT)) + 2)

    def add(self, model: int) -> None:
        self.sum_positive += self.positive[model]
        self.sum_negative += self.negative[model]
        self.steps += 1


# Keyed by the function, so that a metric of the person's own never takes a road by its name.
SEARCHES: dict[Callable, Callable[[Array, Array, Metric], Search]] = {
    metrics.rmse: BySquares,
    metrics.r2: BySquares,
    metrics.logloss: ByTrueClass,
    metrics.mlogloss: ByTrueClass,
    metrics.auc: ByCounting,
}
