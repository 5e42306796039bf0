"""Metrics of probabilities: log loss of two classes, of several, of several columns, and what is like it."""

import numpy as np

from kagglekit import constants
from kagglekit.errors import KKError
from kagglekit.metrics.base import metric
from kagglekit.metrics.means import influence_of_mean, mean_of

Array = np.ndarray
CLIP = 1e-15


def _log_losses(y: Array, p: Array) -> Array:
    """Minus the logarithm of the true side's probability, the mean over the columns where there are several."""
    p = np.asarray(p, float)
    chance = np.where(np.asarray(y) == 1, p, 1 - p)
    np.clip(chance, CLIP, 1 - CLIP, out=chance)
    losses = -np.log(chance, out=chance)
    return losses if losses.ndim == 1 else losses.mean(axis=1)


@metric("logloss", better="less", needs="proba", constant=constants.share, influence=influence_of_mean(_log_losses), classes="binary")
def logloss(y: Array, p: Array, weights: Array | None = None) -> float:
    """Mean log loss of the probability of class 1, clipped at 1e-15 as Kaggle does.

    >>> round(logloss(np.array([1, 0]), np.array([0.8, 0.2])), 4)
    0.2231
    """
    return mean_of(_log_losses(y, p), weights)


@metric("mclogloss", better="less", needs="proba", constant=constants.share, influence=influence_of_mean(_log_losses), columns="targets")
def mclogloss(y: Array, p: Array, weights: Array | None = None) -> float:
    """Mean over the columns of the log loss of 0 or 1 in each.

    >>> round(mclogloss(np.array([[1, 0]]), np.array([[0.8, 0.2]])), 4)
    0.2231
    """
    return mean_of(_log_losses(y, p), weights)


def _multiclass_log_losses(y: Array, p: Array) -> Array:
    codes, p = np.asarray(y).astype(np.int64), np.clip(np.asarray(p, float), CLIP, 1 - CLIP)
    if codes.min() < 0 or codes.max() >= p.shape[1]:
        raise KKError(f"log loss of {p.shape[1]} classes: the truth has the codes {codes.min()} to {codes.max()}",
                      f"Code the classes as 0 to {p.shape[1] - 1}, or give a probability for each class")
    return np.log(p.sum(axis=1)) - np.log(p[np.arange(len(p)), codes])


@metric("mlogloss", better="less", needs="proba", constant=constants.shares, influence=influence_of_mean(_multiclass_log_losses),
        classes="multiclass", columns="classes")
def mlogloss(y: Array, p: Array, weights: Array | None = None) -> float:
    """Mean log loss of the true class; rows of p are normalised to 1, as Kaggle does.

    >>> round(mlogloss(np.array([0, 2]), np.array([[0.5, 0.3, 0.2], [0.1, 0.1, 0.8]])), 4)
    0.4581
    """
    return mean_of(_multiclass_log_losses(y, p), weights)


def _divergences(y: Array, p: Array) -> Array:
    y, p = (np.clip(np.asarray(values, float), CLIP, None) for values in (y, p))
    return (y * (np.log(y) - np.log(p))).sum(axis=-1)


@metric("kld", better="less", needs="proba", constant=constants.mean, influence=influence_of_mean(_divergences), columns="targets")
def kld(y: Array, p: Array, weights: Array | None = None) -> float:
    """Mean Kullback-Leibler divergence of predicted from true shares, sum y log(y / p); both are rows x classes, clipped at 1e-15.

    >>> round(kld(np.array([[0.5, 0.5]]), np.array([[0.25, 0.75]])), 4)
    0.1438
    """
    if np.ndim(y) != 2:
        raise KKError(f"kld needs shares of classes, y has the shape {np.shape(y)}", "Give y and p as rows x classes")
    return mean_of(_divergences(y, p), weights)


def _deviances(y: Array, p: Array) -> Array:
    p = np.clip(np.asarray(p, float), 0.01, 0.99)
    return -np.log10(np.where(np.asarray(y) == 1, p, 1 - p))


@metric("binom_dev", better="less", needs="proba", constant=constants.share, influence=influence_of_mean(_deviances), classes="binary")
def binom_dev(y: Array, p: Array, weights: Array | None = None) -> float:
    """Capped binomial deviance: log loss to base 10 of probabilities capped at 0.01 and 0.99.

    >>> binom_dev(np.array([1, 0]), np.array([0.1, 0.9]))
    1.0
    """
    return mean_of(_deviances(y, p), weights)
