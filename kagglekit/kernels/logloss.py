"""Log loss: blends by the probabilities of the true class alone, however many classes there are."""

import numpy as np

from kagglekit.kernels.simplex import smallest_on_simplex

Array = np.ndarray
FLOOR = 1e-15
FIRST_ROWS = 40_000  # the first weights come from so many rows
BLOCK_CELLS = 4_000_000
RACE_ROWS, CONFIRMED, PATIENCE, TERMS = 20_000, 6, 15, 8


def true_class(oof: Array, y: Array) -> Array:
    """float32[M, n]: each model's probability of the true class; rows of several classes are brought to sum 1.

    oof: models x rows (the probability of 1) or models x rows x classes; y: class codes.

    >>> true_class(np.array([[0.75, 0.25]]), np.array([1, 0])).tolist()
    [[0.75, 0.75]]
    """
    y = np.asarray(y).astype(np.int64)
    found = np.empty(oof.shape[:2], dtype=np.float32)
    rows = np.arange(len(y))
    for place, one in enumerate(oof):
        one = np.asarray(one)
        found[place] = np.where(y == 1, one, 1 - one) if one.ndim == 1 else one[rows, y] / one.sum(axis=1)
    return np.clip(found, FLOOR, 1.0, out=found)


def convex_logloss(Q: Array, *, tolerance: float = 1e-8, most: int = 50) -> Array:
    """float64[M]: the shares whose linear pool has the least log loss, for Q from true_class.

    Sequential quadratic programming (mixSQP: Kim, Carbonetto, Stephens & Anitescu 2020): the loss is convex, its curvature a Gram
    matrix over the models that have a share or ought to get one. Ends when no model's gradient is below -1 by `tolerance` or a step
    gains nothing.

    >>> convex_logloss(np.array([[0.9, 0.1], [0.1, 0.9]], dtype=np.float32)).round(3).tolist()
    [0.5, 0.5]
    """
    models, rows = Q.shape
    weights = np.full(models, 1 / models)
    if rows > 2 * FIRST_ROWS:
        weights = convex_logloss(Q[:, np.random.default_rng(0).choice(rows, FIRST_ROWS, replace=False)], tolerance=1e-6)
    loss = _loss(Q, weights)
    for _ in range(most):
        ratio = 1 / _pooled(Q, weights)
        gradient = -_dot(Q, ratio) / rows
        if gradient.min() >= -1 - tolerance:
            break
        active = np.flatnonzero((weights > 1e-12) | (gradient < -1 + 1e-6))
        H = _curvature(Q, active, ratio) / rows
        g = gradient[active]
        target = np.zeros(models)
        target[active] = smallest_on_simplex(H, g - H @ weights[active], weights[active])
        moved, fallen = _searched(Q, weights, target - weights, loss)
        if loss - fallen < tolerance * 1e-3:
            break
        weights, loss = moved, fallen
    return weights


def _searched(Q: Array, weights: Array, direction: Array, loss: float) -> tuple[Array, float]:
    """Half the step until the loss falls."""
    for halvings in range(12):
        moved = weights + direction * 0.5**halvings
        moved = np.maximum(moved, 0) / np.maximum(moved, 0).sum()
        fallen = _loss(Q, moved)
        if fallen < loss:
            return moved, fallen
    return weights, loss


def _pooled(Q: Array, weights: Array) -> Array:
    used = np.flatnonzero(weights)
    pooled = weights[used].astype(np.float32) @ Q[used] if len(used) < len(weights) else weights.astype(np.float32) @ Q
    return np.maximum(pooled, np.float32(FLOOR))


def _loss(Q: Array, weights: Array) -> float:
    return -float(np.log(_pooled(Q, weights)).sum(dtype=np.float64)) / Q.shape[1]


def _dot(Q: Array, ratio: Array) -> Array:
    step = max(BLOCK_CELLS // len(Q), 256)
    total = np.zeros(len(Q))
    for start in range(0, Q.shape[1], step):
        total += Q[:, start:start + step] @ ratio[start:start + step]
    return total


def _curvature(Q: Array, active: Array, ratio: Array) -> Array:
    step = max(BLOCK_CELLS // max(len(active), 1), 256)
    total = np.zeros((len(active), len(active)))
    for start in range(0, Q.shape[1], step):
        block = Q[active, start:start + step] * ratio[start:start + step]
        total += block @ block.T
    return total


def greedy_logloss(Q: Array, steps: int = 25, race: bool = True) -> Array:
    """float64[M]: shares of Caruana's selection with replacement (2004) by the log loss of the mean; the best step is kept.

    The logarithm is taken of products of eight rows. With `race` candidates are ranked on 20,000 rows and six confirmed on all.

    >>> greedy_logloss(np.array([[0.9, 0.1], [0.1, 0.9], [0.2, 0.2]], dtype=np.float32)).tolist()
    [0.5, 0.5, 0.0]
    """
    models, rows = Q.shape
    few = None
    if race and rows > 2 * RACE_ROWS and models > CONFIRMED:
        few = np.ascontiguousarray(Q[:, np.sort(np.random.default_rng(0).choice(rows, RACE_ROWS, replace=False))])
    taken, total = np.zeros(models), np.zeros(rows, dtype=np.float32)
    few_total = None if few is None else np.zeros(few.shape[1], dtype=np.float32)
    best, kept, since = np.inf, taken, 0
    for step in range(1, steps + 1):
        candidates = np.arange(models)
        if few is not None:
            candidates = np.sort(np.argsort([_mean_loss(one, few_total, step) for one in few], kind="stable")[:CONFIRMED])
        losses = [_mean_loss(Q[model], total, step) for model in candidates]
        place = int(np.argmin(losses))
        pick = int(candidates[place])
        total += Q[pick]
        if few is not None:
            few_total += few[pick]
        taken = taken.copy()
        taken[pick] += 1
        if losses[place] < best - 1e-12:
            best, kept, since = losses[place], taken / step, 0
        else:
            since += 1
        if since >= PATIENCE:
            break
    return kept


def _mean_loss(values: Array, total: Array, step: int) -> float:
    pooled = (total + values) * np.float32(1 / step)
    np.maximum(pooled, np.float32(1e-4 if pooled.min() > 1e-4 else FLOOR), out=pooled)
    if pooled.min() < 1e-4:  # a product of eight could leave single precision
        return -float(np.log(pooled).sum(dtype=np.float64)) / len(pooled)
    whole = len(pooled) // TERMS * TERMS
    products = pooled[:whole].reshape(TERMS, -1).prod(axis=0)
    return -float(np.log(products).sum(dtype=np.float64) + np.log(pooled[whole:]).sum(dtype=np.float64)) / len(pooled)
