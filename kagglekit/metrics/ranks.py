"""Metrics of a score's order: areas under curves, Gini, rank correlation; exact on ties, one sort each."""

import numpy as np

from kagglekit import constants
from kagglekit.errors import KKError
from kagglekit.metrics.base import metric
from kagglekit.metrics.means import by_column, influence_by_column, mean_of, numbers
from kagglekit.metrics.order import Order, tied_ranks

Array = np.ndarray
STRATIFY = "Use a stratified split: kk cv --split stratified"


def _truth(y: Array, what: str, both: bool = True) -> Array:
    """Which rows are positive; raises KKError where there is none, or no other."""
    truth = np.asarray(y) == 1
    positives = np.count_nonzero(truth)
    if not positives or (both and positives == truth.size):
        raise KKError(f"{what} needs both classes, the rows have one" if both else f"{what} needs a positive row, there is none", STRATIFY)
    return truth


def influence_auc(y: Array, p: Array) -> Array:
    """DeLong placements, scaled so that sd/sqrt(n) is the standard error of the AUC (DeLong, DeLong & Clarke-Pearson 1988)."""
    truth, order = _truth(y, "AUC"), Order.of(p)
    share, rows = truth.mean(), len(truth)
    positive = order.sums(truth.astype(np.int64))
    negative = order.ends - order.starts - positive
    below, above = np.cumsum(negative) - negative / 2, positive.sum() - np.cumsum(positive) + positive / 2
    area = float(positive @ below) / (positive.sum() * negative.sum())
    return np.where(truth, (order.rows(below) / (rows * (1 - share)) - area) / share, (order.rows(above) / (rows * share) - area) / (1 - share))


@metric("auc", better="more", needs="rank", constant=constants.share, influence=influence_auc, classes="binary")
def auc(y: Array, p: Array, weights: Array | None = None) -> float:
    """Area under the ROC curve; ties count half.

    >>> auc(np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8]))
    0.75
    """
    truth, order = _truth(y, "AUC"), Order.of(p)
    if weights is None:  # in whole numbers: exact
        positive = order.sums(truth.astype(np.int64))
        negative = order.ends - order.starts - positive
    else:
        positive, negative = order.sums(truth * weights), order.sums(~truth * weights)
    twice = positive @ (2 * (np.cumsum(negative) - negative) + negative)
    pairs = positive.sum() * negative.sum()
    if not pairs:
        raise KKError("AUC needs both classes among the rows with a weight", STRATIFY)
    return float(twice / (2 * pairs))


@metric("mcauc", better="more", needs="rank", constant=constants.share, influence=influence_by_column(influence_auc), columns="targets")
def mcauc(y: Array, p: Array, weights: Array | None = None) -> float:
    """Mean over the columns of the area under the ROC curve.

    >>> mcauc(np.array([[0, 1], [1, 0]]), np.array([[0.1, 0.2], [0.3, 0.4]]))
    0.5
    """
    return by_column(auc, "mcauc")(y, p, weights)


def _ap(y: Array, p: Array, weights: Array | None = None) -> float:
    truth, order = _truth(y, "average precision", both=False), Order.of(-np.asarray(p, float))
    heavy = np.ones(len(truth)) if weights is None else weights
    positive, found = order.sums(truth * heavy), np.cumsum(order.sums(heavy))
    if not positive.any():
        raise KKError("average precision needs a positive row with a weight", STRATIFY)
    hits = np.cumsum(positive)
    return float(positive @ np.divide(hits, found, out=np.zeros_like(hits), where=found > 0) / hits[-1])


def influence_ap(y: Array, p: Array) -> Array:
    """Influence of average precision, the mean over positive rows of A/B at their score, A being the share of rows that are positive
    and not below it, B the share of rows not below it (delta method)."""
    truth, order = _truth(y, "average precision", both=False), Order.of(-np.asarray(p, float))
    rows, positive = len(truth), order.sums(truth.astype(float))
    a, b = np.cumsum(positive) / rows, order.ends / rows
    at_or_after = np.cumsum((positive / rows / b)[::-1])[::-1]
    lost = np.cumsum((positive / rows * a / b**2)[::-1])[::-1]
    area = float(positive @ (a / b)) / positive.sum()
    found = (truth * (order.rows(a / b + at_or_after) - area) - order.rows(lost)) / truth.mean()
    return found - found.mean()


@metric("ap", better="more", needs="rank", constant=constants.share, influence=influence_by_column(influence_ap))
def ap(y: Array, p: Array, weights: Array | None = None) -> float:
    """Average precision: the sum over thresholds of precision x gain in recall, without interpolation; of several columns their mean.

    >>> ap(np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8])).__round__(4)
    0.8333
    """
    return by_column(_ap, "average precision")(y, p, weights)


def _above(order: Order, values: Array) -> Array:
    """Mean over all rows j of values[j] x (1 where j is above the row, 1/2 where beside it)."""
    return (values.sum() - order.below(values)) / len(values)


def _gini(order: Order, y: Array) -> float:
    """Covariance of y and its mean rank in the order, as a share of the rows."""
    return float((y - y.mean()) @ order.ranks) / len(y) ** 2


def _influence_of_gini(order: Order, y: Array) -> Array:
    """Influence of the covariance of y and its place in the order."""
    centred, place = y - y.mean(), (order.ranks - 0.5) / len(y)
    found = centred * (place - 0.5) + _above(order, centred)
    return found - found.mean()


def influence_ngini(y: Array, p: Array) -> Array:
    """Influence of a ratio of two covariances with a place in an order."""
    y = np.asarray(y, float)
    said, best = Order.of(p), Order.of(y)
    most = _gini(best, y)
    if not most:
        return np.zeros(len(y))
    return (_influence_of_gini(said, y) - _gini(said, y) / most * _influence_of_gini(best, y)) / most


@metric("ngini", better="more", needs="rank", constant=constants.mean, influence=influence_ngini)
def ngini(y: Array, p: Array, weights: Array | None = None) -> float:
    """Normalised Gini index, Gini of the predictions over Gini of the truth; for 0 and 1 it is 2 AUC - 1. Ties count half.

    >>> ngini(np.array([1.0, 2.0, 3.0]), np.array([10, 20, 30]))
    1.0
    """
    y = np.asarray(y, float)
    heavy = np.ones(len(y)) if weights is None else weights
    centred = (y - mean_of(y, weights)) * heavy
    most = centred @ Order.of(y).below(heavy)
    return float(centred @ Order.of(p).below(heavy) / most) if most > 0 else 0.0


def influence_pearson(y: Array, p: Array) -> Array:
    """Influence of a correlation coefficient."""
    a, b = _standardised(y), _standardised(p)
    return a * b - np.mean(a * b) * (a**2 + b**2) / 2


def _standardised(values: Array) -> Array:
    values = numbers(values, "correlation")
    centred, spread = values - values.mean(), values.std()
    return centred / spread if spread > 0 else np.zeros(len(values))


def _pearson(y: Array, p: Array, weights: Array | None = None) -> float:
    y, p = numbers(y, "correlation"), numbers(p, "correlation")
    y, p = y - mean_of(y, weights), p - mean_of(p, weights)
    spread = np.sqrt(mean_of(y * y, weights) * mean_of(p * p, weights))
    return mean_of(y * p, weights) / float(spread) if spread > 0 else 0.0


@metric("pearson", better="more", needs="rank", constant=constants.mean, influence=influence_by_column(influence_pearson))
def pearson(y: Array, p: Array, weights: Array | None = None) -> float:
    """Pearson's correlation, 0 where one side is constant; of several columns their mean.

    >>> pearson(np.array([1.0, 2.0, 3.0]), np.array([2.0, 4.0, 6.0])).__round__(12)
    1.0
    """
    return by_column(_pearson, "pearson")(y, p, weights)


def _spearman(y: Array, p: Array) -> float:
    return _pearson(tied_ranks(y), tied_ranks(p))


def influence_spearman(y: Array, p: Array) -> Array:
    """Influence of the correlation of two places in an order; a row also moves the places of all rows above it."""
    orders = [Order.of(values) for values in (y, p)]
    u, v = ((order.ranks - 0.5) / len(order.order) - 0.5 for order in orders)
    spread_u, spread_v, common = np.mean(u * u), np.mean(v * v), np.mean(u * v)
    if not spread_u or not spread_v:
        return np.zeros(len(u))
    of_u, of_v = (part * part + 2 * _above(order, part) for part, order in ((u, orders[0]), (v, orders[1])))
    found = (u * v + _above(orders[0], v) + _above(orders[1], u)) / np.sqrt(spread_u * spread_v)
    found -= common / np.sqrt(spread_u * spread_v) * (of_u / spread_u + of_v / spread_v) / 2
    return found - found.mean()


@metric("spearman", better="more", needs="rank", constant=constants.mean, influence=influence_by_column(influence_spearman))
def spearman(y: Array, p: Array) -> float:
    """Spearman's rank correlation, 0 where one side is constant; of several columns their mean.

    >>> spearman(np.array([1.0, 2.0, 3.0]), np.array([2.0, 30.0, 400.0])).__round__(12)
    1.0
    """
    return by_column(_spearman, "spearman")(y, p)
