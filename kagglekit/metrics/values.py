"""Metrics of numbers: squared, absolute and relative errors, in one column or several, and quantiles."""

import numpy as np

from kagglekit import constants
from kagglekit.errors import KKError
from kagglekit.metrics.base import metric
from kagglekit.metrics.means import by_column, influence_by_column, influence_of_mean, mean_of

Array = np.ndarray
Quantiles = tuple[float, ...]


def _errors(y: Array, p: Array) -> Array:
    return np.asarray(y, float) - np.asarray(p, float)


def _cells(losses: Array) -> Array:
    """One loss a row from one a cell."""
    return losses if losses.ndim == 1 else losses.mean(axis=1)


def _squared(y: Array, p: Array) -> Array:
    errors = _errors(y, p)
    return _cells(np.multiply(errors, errors, out=errors))


@metric("rmse", better="less", needs="value", constant=constants.mean, influence=influence_of_mean(_squared, root=True))
def rmse(y: Array, p: Array, weights: Array | None = None) -> float:
    """Root mean squared error; of several columns over all cells.

    >>> rmse(np.array([0.0, 0.0]), np.array([3.0, 4.0])) == 12.5 ** 0.5
    True
    """
    return float(np.sqrt(mean_of(_squared(y, p), weights)))


@metric("mse", better="less", needs="value", constant=constants.mean, influence=influence_of_mean(_squared))
def mse(y: Array, p: Array, weights: Array | None = None) -> float:
    """Mean squared error.

    >>> mse(np.array([0.0, 0.0]), np.array([3.0, 4.0]))
    12.5
    """
    return mean_of(_squared(y, p), weights)


def _squared_log(y: Array, p: Array) -> Array:
    y, p = np.asarray(y, float), np.asarray(p, float)
    for what, values in (("predictions", p), ("values of the target", y)):
        if (values < 0).any():
            raise KKError(f"RMSLE needs {what} of at least 0, the smallest is {values.min():g}", "Clip them at 0 first")
    return _cells((np.log1p(y) - np.log1p(p)) ** 2)


@metric("rmsle", "Root Mean Squared Logarithmic Error", "RMSLE", "Root Mean Squared Log Error", "RootMeanSquaredLogarithmicError",
        "Mean Squared Log Error", better="less", needs="value", constant=constants.log_mean,
        influence=influence_of_mean(_squared_log, root=True), trains_on="log1p")
def rmsle(y: Array, p: Array, weights: Array | None = None) -> float:
    """Root mean squared error of log(1 + value). Kaggle's "Mean Squared Log Error" is this one: its pages take the root.

    >>> rmsle(np.array([0.0]), np.array([np.e - 1]))
    1.0
    """
    return float(np.sqrt(mean_of(_squared_log(y, p), weights)))


def _absolute(y: Array, p: Array) -> Array:
    return _cells(np.abs(_errors(y, p)))


@metric("mae", better="less", needs="value", constant=constants.median, influence=influence_of_mean(_absolute))
def mae(y: Array, p: Array, weights: Array | None = None) -> float:
    """Mean absolute error.

    >>> mae(np.array([1.0, 2.0]), np.array([2.0, 4.0]))
    1.5
    """
    return mean_of(_absolute(y, p), weights)


@metric("medae", better="less", needs="value")
def medae(y: Array, p: Array) -> float:
    """Median absolute error. Its influence needs a density at the median, so its error is that of a bootstrap.

    >>> medae(np.array([1.0, 2.0, 9.0]), np.array([1.5, 2.0, 4.0]))
    0.5
    """
    return float(np.median(_absolute(y, p)))


def _relative(y: Array, p: Array) -> Array:
    y = np.asarray(y, float)
    zero = np.count_nonzero(y == 0)
    if zero:
        raise KKError(f"MAPE needs targets that are not 0, {zero} of {y.size} are", "Score as the competition treats them: --metric metric.py:score")
    return _cells(np.abs((y - np.asarray(p, float)) / y))


@metric("mape", better="less", needs="value", constant=constants.relative_median, influence=influence_of_mean(_relative))
def mape(y: Array, p: Array, weights: Array | None = None) -> float:
    """Mean absolute percentage error as a share: 0.1 is ten per cent. Raises KKError for a target of 0, by which nothing can be divided.

    >>> mape(np.array([1.0, 2.0]), np.array([2.0, 2.0]))
    0.5
    """
    return mean_of(_relative(y, p), weights)


def _smape_rows(y: Array, p: Array) -> Array:
    y, p = np.asarray(y, float), np.asarray(p, float)
    size = np.abs(y) + np.abs(p)
    return _cells(np.divide(200 * np.abs(y - p), size, out=np.zeros_like(size), where=size > 0))


@metric("smape", better="less", needs="value", constant=constants.smape_best, influence=influence_of_mean(_smape_rows))
def smape(y: Array, p: Array, weights: Array | None = None) -> float:
    """Symmetric mean absolute percentage error, in percent (0 to 200); 0/0 counts 0.

    >>> smape(np.array([1.0, 1.0]), np.array([1.0, 3.0]))
    50.0
    """
    return mean_of(_smape_rows(y, p), weights)


def _squared_relative(y: Array, p: Array) -> tuple[Array, Array]:
    """Squared relative errors, and 1 for the rows that count: those whose target is not 0."""
    y = np.asarray(y, float)
    counts = y != 0
    if not counts.any():
        raise KKError("RMSPE needs a target that is not 0, all are", "Choose another metric: rmse")
    return (np.divide(y - np.asarray(p, float), y, out=np.zeros_like(y), where=counts)) ** 2, counts.astype(float)


def influence_rmspe(y: Array, p: Array) -> Array:
    """Influence of the root of a ratio of means; rows whose target is 0 have none."""
    squared, counts = _squared_relative(y, p)
    mean = squared.sum() / counts.sum()
    return (squared - mean * counts) / counts.mean() / (2 * np.sqrt(mean) if mean > 0 else 1.0)


@metric("rmspe", better="less", needs="value", constant=constants.relative_mean, influence=influence_rmspe)
def rmspe(y: Array, p: Array, weights: Array | None = None) -> float:
    """Root mean squared percentage error as a share; rows whose target is 0 are left out.

    >>> rmspe(np.array([1.0, 2.0, 0.0]), np.array([2.0, 4.0, 9.0]))
    1.0
    """
    squared, counts = _squared_relative(y, p)
    kept = counts if weights is None else counts * weights
    if not kept.sum():
        raise KKError("RMSPE: no row with a weight has a target that is not 0", "Give such a row a weight")
    return float(np.sqrt((squared * kept).sum() / kept.sum()))


def influence_r2(y: Array, p: Array) -> Array:
    """Influence of 1 - MSE/variance."""
    squared, deviation = _squared(y, p), (np.asarray(y, float) - np.mean(y)) ** 2
    variance, error = deviation.mean(), squared.mean()
    if not variance:
        return np.zeros(len(squared))
    return -(squared - error) / variance + error * (deviation - variance) / variance**2


def _r2(y: Array, p: Array, weights: Array | None = None) -> float:
    y = np.asarray(y, float)
    variance = mean_of((y - mean_of(y, weights)) ** 2, weights)
    return 1 - mean_of(_squared(y, p), weights) / variance if variance else 0.0


@metric("r2", better="more", needs="value", constant=constants.mean, influence=influence_by_column(influence_r2))
def r2(y: Array, p: Array, weights: Array | None = None) -> float:
    """Coefficient of determination, 0 where the target is constant; of several columns their mean.

    >>> r2(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 3.0]))
    1.0
    """
    return by_column(_r2, "r2")(y, p, weights)


@metric("mcrmse", better="less", needs="value", constant=constants.mean, columns="targets",
        influence=influence_by_column(influence_of_mean(_squared, root=True)))
def mcrmse(y: Array, p: Array, weights: Array | None = None) -> float:
    """Mean over the columns of the root mean squared error.

    >>> mcrmse(np.zeros((2, 2)), np.array([[1.0, 3.0], [1.0, 3.0]]))
    2.0
    """
    return by_column(rmse, "mcrmse")(y, p, weights)


@metric("mcrmsle", better="less", needs="value", constant=constants.log_mean, columns="targets",
        influence=influence_by_column(influence_of_mean(_squared_log, root=True)), trains_on="log1p")
def mcrmsle(y: Array, p: Array, weights: Array | None = None) -> float:
    """Mean over the columns of the root mean squared error of log(1 + value).

    >>> mcrmsle(np.zeros((1, 2)), np.array([[0.0, np.e - 1]]))
    0.5
    """
    return by_column(rmsle, "mcrmsle")(y, p, weights)


def read_quantiles(text: str) -> Quantiles:
    """Quantiles between 0 and 1 from '0.1' or '0.1,0.5,0.9'; raises KKError.

    >>> read_quantiles("0.1,0.9")
    (0.1, 0.9)
    """
    found = tuple(float(part) for part in text.split(","))
    if not all(0 < quantile < 1 for quantile in found):
        raise KKError(f"pinball@{text}: a quantile lies between 0 and 1", "Name it so: pinball@0.9, or several: pinball@0.1,0.5,0.9")
    return found


def _pinball_rows(y: Array, p: Array, quantiles: Quantiles = (0.5,)) -> Array:
    p = np.asarray(p, float)
    p = p[:, None] if p.ndim == 1 else p
    if p.shape[1] != len(quantiles):
        raise KKError(f"pinball loss of {len(quantiles)} quantiles got predictions of the shape {p.shape}",
                      f"Give one column for each of: {', '.join(f'{quantile:g}' for quantile in quantiles)}")
    errors = np.asarray(y, float).reshape(-1, 1) - p
    return np.maximum(np.array(quantiles) * errors, (np.array(quantiles) - 1) * errors).mean(axis=1)


@metric("pinball", better="less", needs="value", constant=constants.quantiles, influence=influence_of_mean(_pinball_rows), columns="quantiles",
        parameter="quantiles", read=read_quantiles, usual=("0.1", "0.9", "0.1,0.5,0.9"))
def pinball(y: Array, p: Array, weights: Array | None = None, *, quantiles: Quantiles = (0.5,)) -> float:
    """Pinball (quantile) loss, the mean over the quantiles; p is rows, or rows x quantiles. pinball@0.5 is half the absolute error.

    >>> pinball(np.array([1.0, 2.0]), np.array([0.0, 4.0]), quantiles=(0.9,)).__round__(2)
    0.55
    """
    return mean_of(_pinball_rows(y, p, quantiles), weights)
