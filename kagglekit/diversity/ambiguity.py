"""Ambiguity: what averaging gains over the average model, exactly; it needs no truth, so it can be had on test predictions too."""

import numpy as np

from kagglekit.diversity.sums import Products, blocks

Array = np.ndarray
FLOOR = 1e-15


def squared_ambiguity(predictions: Array, weights: Array | None = None) -> float:
    """Average squared error of the models minus that of their (weighted) mean (Krogh & Vedelsby 1995).

    >>> squared_ambiguity(np.array([[0.0, 1.0], [2.0, 1.0]]))
    0.5
    """
    share = _shares(weights, len(predictions))
    centre = np.tensordot(share, predictions, 1)
    return float(share @ ((predictions - centre) ** 2).reshape(len(predictions), -1).mean(axis=1))


def squared_from(sums: Products) -> float:
    """The same for equal weights, from products of predictions or of errors (the truth cancels).

    >>> squared_from(Products(np.array([1.0, 3.0]), np.array([[1.0, 1.0], [1.0, 5.0]]), 2))
    0.5
    """
    return max(0.0, float(np.trace(sums.products) / len(sums.sums) - sums.products.mean()) / sums.n)


def log_ambiguity(predictions: Array, weights: Array | None = None, rows: Array | None = None, column: int | None = None) -> float:
    """Average log loss of the models minus that of their normalised geometric mean, by KL divergence (Wood et al. 2023).

    predictions are models x rows x classes, or models x rows: the probability of the second of two classes.

    >>> log_ambiguity(np.array([[[0.5, 0.5]], [[0.5, 0.5]]])), log_ambiguity(np.array([[0.5], [0.5]]))
    (0.0, 0.0)
    """
    share, total, count = _shares(weights, len(predictions)), 0.0, 0
    for _, block in blocks(predictions, rows, column):
        # Mean over models of KL(g || p_i), g the normalised geometric mean, is minus the logarithm of g's normaliser.
        means = _class_means(block, share) if block.ndim == 3 else _two_means(block, share)
        total -= float(np.log(np.exp(means).sum(axis=-1)).sum())
        count += block.shape[1]
    return max(0.0, total / max(count, 1))


def _class_means(block: Array, share: Array) -> Array:
    """rows x classes: weighted mean log-probabilities, each model's brought to sum 1."""
    chance = np.maximum(block, FLOOR)
    chance /= chance.sum(axis=2, keepdims=True)
    return np.tensordot(share, np.log(chance), 1)


def _two_means(block: Array, share: Array) -> Array:
    chance = np.clip(block, FLOOR, None)
    other = np.clip(1 - block, FLOOR, None)
    share = share.astype(block.dtype)
    return np.stack([share @ np.log(chance), share @ np.log(other)], axis=1).astype(np.float64)


def mean_disagreement(labels: Array, rows: Array | None = None) -> float:
    """Share of pairs of models that give a row different labels, over all rows.

    >>> mean_disagreement(np.array([["a", "b"], ["a", "a"]]))
    0.5
    """
    count = len(labels)
    if count < 2:
        return 0.0
    agree, seen = 0, 0
    for _, block in blocks(labels, rows):
        flat = block.reshape(count, -1)
        # In a row, n models that say the same label are n (n - 1) ordered pairs that agree.
        said = ((flat == label).sum(axis=0) for label in np.unique(flat))
        agree += sum(int((n * (n - 1)).sum()) for n in said)
        seen += flat.shape[1]
    return 1 - agree / seen / (count * (count - 1))


def _shares(weights: Array | None, count: int) -> Array:
    return np.full(count, 1 / count) if weights is None else np.asarray(weights, float) / np.sum(weights)
