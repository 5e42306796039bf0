"""The quadratic programme of blending: the smallest value of a quadratic form over weights that are shares."""

import numpy as np

Array = np.ndarray
TOLERANCE = 1e-10


def smallest_on_simplex(H: Array, c: Array | None = None, start: Array | None = None, *, tolerance: float = TOLERANCE) -> Array:
    """float64[M] that makes w'Hw / 2 + c'w least over w >= 0 that sum to 1, for H [M, M] that is positive semidefinite.

    An active set: the free weights solve the equations of the optimum, a weight that would turn negative leaves, the model whose
    gradient is lowest enters, until none is lower than that of the free ones by more than `tolerance` of the form's size (the
    conditions of Karush, Kuhn and Tucker). Identical models share nothing: the first of them gets the weight.

    >>> smallest_on_simplex(np.diag([1.0, 3.0])).round(6).tolist()
    [0.75, 0.25]
    """
    count = len(H)
    c = np.zeros(count) if c is None else c
    weights = _start(H, c, start)
    free = weights > 0
    scale = max(float(np.abs(np.diag(H)).max()), float(np.abs(c).max()), 1e-300)
    for _ in range(20 * count + 100):
        target = _solved(H, c, free)
        if (target[free] < 0).any():
            weights, free = _stepped(weights, target, free)
            continue
        weights = target
        gradient = H @ weights + c
        level = float(gradient @ weights)
        enters = int(np.argmin(np.where(free, np.inf, gradient)))
        if free.all() or gradient[enters] >= level - tolerance * scale:
            break
        free[enters] = True
    return weights / weights.sum()


def _start(H: Array, c: Array, start: Array | None) -> Array:
    if start is not None:
        return np.maximum(start, 0) / np.maximum(start, 0).sum()
    weights = np.zeros(len(H))
    weights[int(np.argmin(np.diag(H) / 2 + c))] = 1.0
    return weights


def _solved(H: Array, c: Array, free: Array) -> Array:
    """The optimum over the free weights with sum 1, whatever their signs."""
    names = np.flatnonzero(free)
    size = len(names)
    block = H[np.ix_(names, names)]
    system = np.zeros((size + 1, size + 1))
    system[:size, :size] = block + np.eye(size) * (1e-12 * max(float(np.trace(block)) / size, 1e-300))
    system[:size, size] = system[size, :size] = 1.0
    right = np.append(-c[names], 1.0)
    try:
        found = np.linalg.solve(system, right)
    except np.linalg.LinAlgError:
        found = np.linalg.lstsq(system, right, rcond=None)[0]
    whole = np.zeros(len(H))
    whole[names] = found[:size]
    return whole


def _stepped(weights: Array, target: Array, free: Array) -> tuple[Array, Array]:
    """As far towards the target as no weight turns negative; those that reach zero are no longer free."""
    falling = free & (target < 0)
    ratio = weights[falling] / (weights[falling] - target[falling])
    step = float(ratio.min())
    moved = np.where(free, weights + step * (target - weights), 0.0)
    leaves = falling & (moved <= 1e-15)
    leaves[np.flatnonzero(falling)[int(np.argmin(ratio))]] = True
    moved[leaves] = 0.0
    return np.maximum(moved, 0.0), free & ~leaves
