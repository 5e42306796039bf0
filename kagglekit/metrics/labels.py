"""Metrics of labels, one a row: hits, F scores, and what compares with chance; all count classes, none builds a table of rows."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from kagglekit import constants
from kagglekit.errors import KKError
from kagglekit.metrics.base import metric
from kagglekit.metrics.means import influence_of_mean, mean_of, numbers

Array = np.ndarray
DENSE = 1 << 16  # labels that are whole numbers below this are their own codes


def _hits(y: Array, p: Array) -> Array:
    hits = (np.asarray(y) == np.asarray(p)).astype(float)
    return hits if hits.ndim == 1 else hits.mean(axis=1)


@metric("accuracy", better="more", needs="label", constant=constants.majority, influence=influence_of_mean(_hits))
def accuracy(y: Array, p: Array, weights: Array | None = None) -> float:
    """Share of rows whose label is right.

    >>> accuracy(np.array([1, 0, 1, 1]), np.array([1, 0, 0, 1]))
    0.75
    """
    return mean_of(_hits(y, p), weights)


@metric("mce", better="more", needs="label", constant=constants.majority, influence=influence_of_mean(_hits))
def mce(y: Array, p: Array, weights: Array | None = None) -> float:
    """Kaggle's Mean Consequential Error: the share of rows that are right, so more is better, whatever its name says.

    >>> mce(np.array([1, 0, 1, 1]), np.array([1, 0, 0, 1]))
    0.75
    """
    return mean_of(_hits(y, p), weights)


def codes_of(y: Array, p: Array) -> tuple[Array, Array, int]:
    """Truth and predictions as codes 0, 1, ... below the third number; a code may be unused.

    >>> codes_of(np.array(["a", "b"]), np.array(["b", "b"]))[2]
    2
    """
    y, p = np.asarray(y), np.asarray(p)
    if y.dtype.kind in "biu" and p.dtype.kind in "biu" and min(y.min(), p.min()) >= 0 and max(y.max(), p.max()) < DENSE:
        return y.astype(np.int64), p.astype(np.int64), int(max(y.max(), p.max())) + 1
    codes, labels = pd.factorize(np.concatenate([y, p]))
    return codes[:len(y)], codes[len(y):], len(labels)


@dataclass(frozen=True, slots=True)
class Counts:
    """Shares of the rows by class: true, said, and both; `y` and `p` are the rows' codes, `hit` is 1 where they agree.

    >>> Counts.of(np.array([0, 1]), np.array([1, 1])).said.tolist()
    [0.0, 1.0]
    """

    y: Array
    p: Array
    hit: Array
    true: Array
    said: Array
    both: Array

    @classmethod
    def of(cls, y: Array, p: Array, weights: Array | None = None) -> "Counts":
        """Count the rows, or their weights."""
        y, p, width = codes_of(y, p)
        hit, total = y == p, len(y) if weights is None else weights.sum()

        def shares(codes: Array, kept: Array | None = None) -> Array:
            heavy = weights if kept is None else kept.astype(float) if weights is None else weights * kept
            return np.bincount(codes, heavy, minlength=width) / total

        return cls(y, p, hit.astype(float), shares(y), shares(p), shares(y, hit))

    @property
    def chance(self) -> float:
        """Hits to expect of labels said without looking."""
        return float(self.true @ self.said)


def influence_balanced_accuracy(y: Array, p: Array) -> Array:
    """Influence of a mean of ratios, hits over rows of each class."""
    counts = Counts.of(y, p)
    classes = int((counts.true > 0).sum())
    share = counts.true[counts.y]
    return (counts.hit - counts.both[counts.y] / share) / (classes * share)


@metric("balanced_accuracy", "Balanced Accuracy Score", "Balanced Accuracy", "balanced_acc", better="more", needs="label",
        constant=constants.majority, influence=influence_balanced_accuracy)
def balanced_accuracy(y: Array, p: Array, weights: Array | None = None) -> float:
    """Mean over the classes of the truth of the share of their rows that are right.

    >>> balanced_accuracy(np.array([0, 0, 0, 1]), np.array([0, 0, 0, 0]))
    0.5
    """
    counts = Counts.of(y, p, weights)
    there = counts.true > 0
    return float((counts.both[there] / counts.true[there]).mean())


def positives(y: Array, p: Array) -> tuple[Array, Array]:
    """Which rows are, and are said to be, of the positive class: 1 of 0 and 1, else the larger of two labels; bool[rows] each.

    >>> positives(np.array(["no", "yes"]), np.array(["yes", "yes"]))[0].tolist()
    [False, True]
    """
    y, p = np.asarray(y), np.asarray(p)
    if y.dtype.kind in "biuf" and p.dtype.kind in "biuf":
        low, high = min(y.min(), p.min()), max(y.max(), p.max())
        several = bool(((y != low) & (y != high)).any() or ((p != low) & (p != high)).any())
        label = high if several or not (low >= 0 and high <= 1) else 1
    else:
        labels = sorted({*pd.unique(pd.Series(y)), *pd.unique(pd.Series(p))}, key=lambda one: (isinstance(one, str), one))
        several, label = len(labels) > 2, labels[-1]
    if several:
        raise KKError("this metric is of two labels, the rows have more", "Choose a metric of several labels: macro_f1, accuracy, mcc")
    return y == label, p == label


def _f_parts(y: Array, p: Array, weights: Array | None) -> tuple[float, float, float]:
    truth, said = positives(y, p)
    return mean_of(truth & said, weights), mean_of(truth, weights), mean_of(said, weights)


def influence_fbeta(y: Array, p: Array, beta: float = 1.0) -> Array:
    """Influence of ((1 + b^2) hits) / (b^2 true + said), a ratio of means."""
    truth, said = (part.astype(float) for part in positives(y, p))
    size = beta**2 * truth + said
    if not size.any():
        return np.zeros(len(size))
    return ((1 + beta**2) * truth * said - fbeta(y, p, beta=beta) * size) / size.mean()


def influence_f1(y: Array, p: Array) -> Array:
    """Influence of F1 of the positive label."""
    return influence_fbeta(y, p, 1.0)


@metric("f1", better="more", needs="label", constant=constants.positive, influence=influence_f1, classes="binary")
def f1(y: Array, p: Array, weights: Array | None = None) -> float:
    """F1 of the positive class, 1 of 0 and 1, else the larger of the two labels; 0 where nothing is right.

    >>> f1(np.array([1, 1, 0, 0]), np.array([1, 0, 1, 0]))
    0.5
    """
    return fbeta(y, p, weights, beta=1.0)


def read_beta(text: str) -> float:
    """Beta from text; raises KKError where it is not above 0.

    >>> read_beta("0.5")
    0.5
    """
    try:
        beta = float(text)
    except ValueError:
        beta = 0.0
    if beta <= 0:
        raise KKError(f"fbeta@{text}: beta is a number above 0", "Name it so: fbeta@2, fbeta@0.5")
    return beta


@metric("fbeta", better="more", needs="label", constant=constants.positive, influence=influence_fbeta, classes="binary", parameter="beta",
        read=read_beta, usual=("0.5", "2"))
def fbeta(y: Array, p: Array, weights: Array | None = None, *, beta: float = 1.0) -> float:
    """F-beta of the positive class: recall counts beta times as much as precision.

    >>> fbeta(np.array([1, 1, 0, 0]), np.array([1, 0, 0, 0]), beta=2).__round__(4)
    0.5556
    """
    hits, true, said = _f_parts(y, p, weights)
    size = beta**2 * true + said
    return (1 + beta**2) * hits / size if size else 0.0


def influence_macro_f1(y: Array, p: Array) -> Array:
    """Influence of a mean of ratios 2 hits / (true + said): a row counts in its class and in the one that is said."""
    counts = Counts.of(y, p)
    size = counts.true + counts.said
    classes = int((size > 0).sum())
    score = np.divide(2 * counts.both, size, out=np.zeros_like(size), where=size > 0)
    per_size = np.divide(score, size, out=np.zeros_like(size), where=size > 0)
    return (2 * counts.hit / size[counts.y] - per_size[counts.y] - per_size[counts.p]) / classes


@metric("macro_f1", better="more", needs="label", constant=constants.majority, influence=influence_macro_f1)
def macro_f1(y: Array, p: Array, weights: Array | None = None) -> float:
    """Mean of the F1 of every class that is true or said.

    >>> macro_f1(np.array([0, 1, 2, 2]), np.array([0, 1, 2, 2]))
    1.0
    """
    counts = Counts.of(y, p, weights)
    size = counts.true + counts.said
    return float((2 * counts.both[size > 0] / size[size > 0]).mean())


def influence_kappa(y: Array, p: Array) -> Array:
    """Influence of (hits - chance) / (1 - chance)."""
    counts = Counts.of(y, p)
    room = 1 - counts.chance
    if room <= 0:
        return np.zeros(len(counts.hit))
    chance = counts.said[counts.y] + counts.true[counts.p] - 2 * counts.chance
    hits = counts.hit - counts.hit.mean()
    return (hits - chance) / room + (counts.hit.mean() - counts.chance) * chance / room**2


@metric("kappa", "Cohen's Kappa", "Cohens Kappa", "Kappa", better="more", needs="label", constant=constants.majority, influence=influence_kappa)
def kappa(y: Array, p: Array, weights: Array | None = None) -> float:
    """Cohen's kappa without weights of disagreement: hits above chance; 0 where the labels are all the same.

    >>> kappa(np.array([0, 0, 1, 1]), np.array([0, 0, 1, 0]))
    0.5
    """
    counts = Counts.of(y, p, weights)
    room = 1 - counts.chance
    return float((counts.both.sum() - counts.chance) / room) if room > 0 else 0.0


def influence_mcc(y: Array, p: Array) -> Array:
    """Influence of Matthews' correlation, hits above chance over the root of the product of both sides' spreads."""
    counts = Counts.of(y, p)
    spread_y, spread_p = 1 - counts.true @ counts.true, 1 - counts.said @ counts.said
    if spread_y <= 0 or spread_p <= 0:
        return np.zeros(len(counts.hit))
    above = counts.both.sum() - counts.chance
    of_above = counts.hit - counts.hit.mean() - counts.said[counts.y] - counts.true[counts.p] + 2 * counts.chance
    of_y = 2 * (counts.true @ counts.true - counts.true[counts.y])
    of_p = 2 * (counts.said @ counts.said - counts.said[counts.p])
    return (of_above - above / 2 * (of_y / spread_y + of_p / spread_p)) / np.sqrt(spread_y * spread_p)


@metric("mcc", better="more", needs="label", constant=constants.majority, influence=influence_mcc)
def mcc(y: Array, p: Array, weights: Array | None = None) -> float:
    """Matthews' correlation of two or more labels (Gorodkin 2004); 0 where one side is constant.

    >>> mcc(np.array([1, 1, 0, 0]), np.array([1, 1, 0, 0]))
    1.0
    """
    counts = Counts.of(y, p, weights)
    spread = (1 - counts.true @ counts.true) * (1 - counts.said @ counts.said)
    return float((counts.both.sum() - counts.chance) / np.sqrt(spread)) if spread > 1e-15 else 0.0


def influence_qwk(y: Array, p: Array) -> Array:
    """Influence of 1 - N/D, observed over expected quadratic disagreement."""
    y, p = numbers(y, "QWK"), numbers(p, "QWK")
    observed, expected = (y - p) ** 2, _expected_disagreement(y, p)
    if expected <= 0:
        return np.zeros(len(y))
    row_y = np.mean(p**2) - 2 * y * p.mean() + y**2
    row_p = np.mean(y**2) - 2 * p * y.mean() + p**2
    numerator = observed.mean()
    return -((observed - numerator) / expected - numerator / expected**2 * (row_y + row_p - 2 * expected))


def _expected_disagreement(y: Array, p: Array, weights: Array | None = None) -> float:
    return mean_of(y**2, weights) - 2 * mean_of(y, weights) * mean_of(p, weights) + mean_of(p**2, weights)


@metric("qwk", "Quadratic Weighted Kappa", "QuadraticWeightedKappa", "QWK", "Cohen Kappa Score", better="more", needs="label",
        constant=constants.majority, influence=influence_qwk)
def qwk(y: Array, p: Array, weights: Array | None = None) -> float:
    """Quadratic weighted kappa of whole-number grades: 1 - observed / expected squared disagreement; 0 where both are one grade.

    >>> qwk(np.array([0, 1, 2]), np.array([0, 1, 2]))
    1.0
    """
    y, p = numbers(y, "QWK"), numbers(p, "QWK")
    expected = _expected_disagreement(y, p, weights)
    return 1 - mean_of((y - p) ** 2, weights) / expected if expected > 0 else 0.0
