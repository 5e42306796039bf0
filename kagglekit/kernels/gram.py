"""Squared error: the Gram matrix of the models' errors, taken once, on which every blend of them is found without the rows."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kagglekit.kernels.simplex import smallest_on_simplex

Array = np.ndarray
BLOCK_CELLS = 1_000_000  # a block of errors stays in the cache
DOUBLE_CELLS = 20_000_000  # below this many numbers double precision costs nothing that is felt
STEPS = np.array([step for step in np.round(np.arange(-0.5, 0.51, 0.05), 2) if step])


@dataclass(frozen=True, slots=True)
class Gram:
    """Sums over n rows of the errors e = prediction - truth of M models; two of them over disjoint rows may be added, and taken apart.

    errors: float64[M, M], sums of e_i e_j; sums: float64[M], of e_i; cross: float64[M], of e_i t; with t the truth less `centre`:
    squares, its sum of squares, and total, its sum.
    """

    errors: Array
    sums: Array
    cross: Array
    squares: float
    total: float
    n: int
    centre: float

    def __add__(self, other: "Gram") -> "Gram":
        return Gram(self.errors + other.errors, self.sums + other.sums, self.cross + other.cross, self.squares + other.squares,
                    self.total + other.total, self.n + other.n, self.centre)

    def __sub__(self, other: "Gram") -> "Gram":
        return Gram(self.errors - other.errors, self.sums - other.sums, self.cross - other.cross, self.squares - other.squares,
                    self.total - other.total, self.n - other.n, self.centre)

    def of(self, models: Array) -> "Gram":
        """The same of some models."""
        return Gram(self.errors[np.ix_(models, models)], self.sums[models], self.cross[models], self.squares, self.total, self.n, self.centre)

    @property
    def mean_errors(self) -> Array:
        """float64[M, M]: mean products of errors; w'Cw is the mean squared error of a blend whose weights sum to 1."""
        return self.errors / self.n

    @property
    def moments(self) -> tuple[Array, Array]:
        """(float64[M, M], float64[M]): mean products of the centred predictions with each other and with the centred truth."""
        products = self.errors + self.cross[:, None] + self.cross[None, :] + self.squares
        return products / self.n, (self.cross + self.squares) / self.n

    @property
    def means(self) -> tuple[Array, float]:
        """(float64[M], float): means of the centred predictions and of the centred truth."""
        return (self.sums + self.total) / self.n, self.total / self.n


def grams(oof: Array, y: Array, parts: Sequence[Array] | None = None) -> list[Gram]:
    """The Gram of each part (arrays of row numbers that do not overlap; None: one of all rows), in one pass over the rows.

    oof: models x rows, of any float type, also memory-mapped: a block of rows at a time is read. Products are taken in single
    precision above 20 million numbers, sums always in double. Cost: rows x models^2.

    >>> one, two = grams(np.array([[1.0, 2.0, 4.0]]), np.array([1.0, 1.0, 1.0]), [np.array([0, 1]), np.array([2])])
    >>> one.errors.tolist(), (one + two).mean_errors.tolist()
    ([[1.0]], [[3.3333333333333335]])
    """
    models, rows = oof.shape
    y = np.asarray(y, dtype=np.float64)
    centre = float(y.mean())
    code = np.zeros(rows, dtype=np.int32)
    if parts is not None:
        code[:] = -1
        for number, part in enumerate(parts):
            code[part] = number
    sums = [_Sums(models) for _ in (parts if parts is not None else [None])]
    kind = np.float64 if models * rows <= DOUBLE_CELLS else np.float32
    step = max(BLOCK_CELLS // max(models, 1), 256)
    for start in range(0, rows, step):
        block, truth, edges = np.asarray(oof[:, start:start + step]), y[start:start + step], [0, min(step, rows - start)]
        if parts is not None:
            codes = code[start:start + step]
            order = np.argsort(codes, kind="stable")
            block, truth, edges = block[:, order], truth[order], np.searchsorted(codes[order], np.arange(len(sums) + 1))
        error = np.subtract(block, truth[None, :], dtype=kind, casting="same_kind")
        for number, one in enumerate(sums):
            one.take(error[:, edges[number]:edges[number + 1]], truth[edges[number]:edges[number + 1]] - centre)
    return [one.gram(centre) for one in sums]


class _Sums:
    """The sums of one part while blocks go by."""

    def __init__(self, models: int) -> None:
        self.errors, self.sums, self.cross = np.zeros((models, models)), np.zeros(models), np.zeros(models)
        self.squares, self.total, self.n = 0.0, 0.0, 0

    def take(self, error: Array, truth: Array) -> None:
        if not len(truth):
            return
        self.errors += error @ error.T
        both = error @ np.stack([np.ones(len(truth), dtype=error.dtype), truth.astype(error.dtype)], axis=1)
        self.sums += both[:, 0]
        self.cross += both[:, 1]
        self.squares += float(truth @ truth)
        self.total += float(truth.sum())
        self.n += len(truth)

    def gram(self, centre: float) -> Gram:
        return Gram(self.errors, self.sums, self.cross, self.squares, self.total, self.n, centre)


def mse(gram: Gram, weights: Array, intercept: float = 0.0) -> float:
    """Mean squared error of the blend, for weights of any sum, with an intercept on the truth's own scale.

    >>> mse(grams(np.array([[0.0, 2.0], [2.0, 4.0]]), np.array([1.0, 3.0]))[0], np.array([0.5, 0.5]))
    0.0
    """
    shift = intercept + gram.centre * (float(weights.sum()) - 1.0)  # on values less the centre
    products, with_truth = gram.moments
    means, mean = gram.means
    if abs(float(weights.sum()) - 1.0) < 1e-12:  # from errors alone: nothing large is taken from something large
        return float(weights @ gram.errors @ weights) / gram.n + 2 * shift * float(weights @ gram.sums) / gram.n + shift**2
    return float(weights @ products @ weights - 2 * weights @ with_truth + gram.squares / gram.n + 2 * shift * (weights @ means - mean)
                 + shift**2)


def greedy(gram: Gram, steps: int = 100, patience: int = 15) -> Array:
    """Shares of Caruana's selection with replacement (2004): each step adds the model that makes the mean best; the best step is kept.

    Cost of a step: models.

    >>> greedy(grams(np.array([[0.0, 2.0], [2.0, 4.0], [9.0, 9.0]]), np.array([1.0, 3.0]))[0]).tolist()
    [0.5, 0.5, 0.0]
    """
    errors, own = gram.mean_errors, np.diag(gram.mean_errors)
    taken, with_sum, of_sum = np.zeros(len(own)), np.zeros(len(own)), 0.0
    best, kept, since = np.inf, taken, 0
    for step in range(1, steps + 1):
        scores = (of_sum + 2 * with_sum + own) / step**2
        pick = int(np.argmin(scores))
        of_sum = of_sum + 2 * with_sum[pick] + own[pick]
        with_sum = with_sum + errors[pick]
        taken = taken.copy()
        taken[pick] += 1
        if scores[pick] < best - 1e-15:
            best, kept, since = float(scores[pick]), taken / step, 0
        else:
            since += 1
        if since >= patience:
            break
    return kept


def convex(gram: Gram) -> Array:
    """Shares with the least squared error (the conditions of the optimum are met).

    >>> convex(grams(np.array([[0.0, 2.0], [2.0, 4.0]]), np.array([1.0, 3.0]))[0]).round(6).tolist()
    [0.5, 0.5]
    """
    return smallest_on_simplex(gram.mean_errors)


def ridge(gram: Gram, lam: float) -> tuple[Array, float]:
    """(weights of any sign, intercept), drawn towards equal weights: 1/M + (P'P/n + lam I)^-1 P'(y - P 1/M)/n.

    P and y are taken less the mean of y over these rows; the intercept gives that mean back where the weights do not sum to 1.
    """
    products, with_truth = gram.moments
    means, mean = gram.means
    products = products - mean * (means[:, None] + means[None, :]) + mean**2
    with_truth = with_truth - mean * means
    equal = np.full(len(with_truth), 1 / len(with_truth))
    weights = equal + np.linalg.solve(products + lam * np.eye(len(equal)), with_truth - products @ equal)
    return weights, (gram.centre + mean) * (1 - float(weights.sum()))


def least_squares(gram: Gram) -> tuple[Array, float]:
    """(weights, intercept on the truth's own scale) with the least squared error, any signs; the smallest weights where several fit."""
    return ridge_stack(gram, 0.0)


def ridge_stack(gram: Gram, lam: float) -> tuple[Array, float]:
    """(weights, intercept) of a ridge regression on standardised predictions: lam is a share of their variance.

    >>> weights, intercept = ridge_stack(grams(np.array([[0.0, 2.0, 4.0]]), np.array([1.0, 2.0, 3.0]))[0], 0.0)
    >>> weights.round(6).tolist(), round(intercept, 6)
    ([0.5], 1.0)
    """
    products, with_truth = gram.moments
    means, mean = gram.means
    products = products - means[:, None] * means[None, :]
    with_truth = with_truth - means * mean
    spread = np.sqrt(np.maximum(np.diag(products), 1e-300))
    scaled = products / spread[:, None] / spread[None, :]
    right = with_truth / spread
    found = np.linalg.lstsq(scaled, right, rcond=1e-10)[0] if lam == 0 else np.linalg.solve(scaled + lam * np.eye(len(spread)), right)
    weights = found / spread
    centred = mean - float(weights @ means)
    return weights, centred + gram.centre - gram.centre * float(weights.sum())


def hill(gram: Gram, gain: float = 1e-7, most: int = 500) -> Array:
    """Hill climbing with negative weights: from the best model on, add a share of -.5 to .5 of a model to the rest while the error falls.

    `gain`: the least fall of the mean squared error, as a share of it, that counts. The weights sum to 1.
    """
    errors, own = gram.mean_errors, np.diag(gram.mean_errors)
    weights = np.zeros(len(own))
    weights[int(np.argmin(own))] = 1.0
    score = float(own.min())
    for _ in range(most):
        with_blend = errors @ weights
        scores = (1 - STEPS) ** 2 * score + 2 * STEPS * (1 - STEPS) * with_blend[:, None] + STEPS**2 * own[:, None]
        model, step = np.unravel_index(int(np.argmin(scores)), scores.shape)
        if scores[model, step] >= score * (1 - gain):
            break
        weights *= 1 - STEPS[step]
        weights[model] += STEPS[step]
        score = float(weights @ errors @ weights)
    return weights


def error_correlation(gram: Gram) -> Array:
    """float64[M, M]: Pearson correlation of the errors; 0 with a model that makes none.

    >>> error_correlation(grams(np.array([[0.0, 1.0], [1.0, 0.0]]), np.zeros(2))[0]).tolist()
    [[1.0, -1.0], [-1.0, 1.0]]
    """
    means = gram.sums / gram.n
    covariance = gram.mean_errors - means[:, None] * means[None, :]
    spread = np.sqrt(np.maximum(np.diag(covariance), 0))
    size = spread[:, None] * spread[None, :]
    found = np.divide(covariance, size, out=np.zeros_like(covariance), where=size > 0)
    np.fill_diagonal(found, 1.0)
    return np.clip(found, -1.0, 1.0)
