"""Linear stacks for probabilities: logistic regression on the models' logits, and its like for several classes; signs are free."""

import numpy as np

Array = np.ndarray
SKETCH_ROWS = 20_000
BLOCK_CELLS = 4_000_000
CLIP = 1e-6


def logits(oof: Array, clip: float = CLIP) -> Array:
    """float32, as oof: log(p / (1 - p)) of probabilities cut at 1e-6.

    >>> logits(np.array([[0.5, 0.75]])).round(4).tolist()
    [[0.0, 1.0986000299453735]]
    """
    p = np.clip(np.asarray(oof, dtype=np.float32), clip, 1 - clip)
    return np.log(p / (1 - p))


def logistic(Z: Array, y: Array, l2: float = 1e-3, *, start: tuple[Array, float] | None = None, tolerance: float = 1e-7,
             most: int = 60) -> tuple[Array, float]:
    """(weights[M], bias) of a logistic regression of y (0 and 1) on Z [M, n], with `l2`/2 times the squared weights of standardised Z.

    Newton's method on 20,000 rows first (a sketch: its curvature serves all rows), then steps on all rows with that curvature until the
    loss falls by less than `tolerance`. Cost of a step on all rows: two products of Z with a vector.

    >>> Z = np.array([[-1.0, -2.0, 1.0, 2.0, 0.5, -0.5]])
    >>> weights, bias = logistic(Z, np.array([0, 0, 1, 1, 0, 1]))
    >>> bool(weights[0] > 0), abs(round(bias, 6))
    (True, 0.0)
    """
    models, rows = Z.shape
    y = np.asarray(y, dtype=np.float32)
    means, spread = _moments(Z)
    beta = np.zeros(models + 1)
    if start is not None:
        beta = np.append(start[0] * spread, start[1] + float(start[0] @ means))
    sketch = np.arange(rows)
    if rows > 2 * SKETCH_ROWS:
        sketch = np.sort(np.random.default_rng(0).choice(rows, SKETCH_ROWS, replace=False))
    few = _standard(Z, sketch, means, spread)
    beta, curvature = _newton(few, y[sketch], beta, l2, tolerance, most)
    if len(sketch) < rows:
        beta = _polished(Z, y, means, spread, beta, curvature, l2, tolerance, most)
    weights = beta[:-1] / spread
    return weights, float(beta[-1] - weights @ means)


def _moments(Z: Array) -> tuple[Array, Array]:
    means = np.array([float(np.mean(one, dtype=np.float64)) for one in Z])
    spread = np.array([float(np.std(one, dtype=np.float64)) for one in Z])
    spread[spread == 0] = 1.0
    return means, spread


def _standard(Z: Array, rows: Array, means: Array, spread: Array) -> Array:
    """float64[M + 1, rows]: standardised, a row of ones last."""
    block = np.empty((len(Z) + 1, len(rows)))
    block[:-1] = (np.asarray(Z[:, rows], dtype=np.float64) - means[:, None]) / spread[:, None]
    block[-1] = 1.0
    return block


def _chance(score: Array) -> Array:
    return 1 / (1 + np.exp(-np.clip(score, -40, 40)))


def _loss(score: Array, y: Array, beta: Array, l2: float) -> float:
    return float(np.mean(np.logaddexp(0, score) - y * score)) + l2 / 2 * float(beta[:-1] @ beta[:-1])


def _newton(X: Array, y: Array, beta: Array, l2: float, tolerance: float, most: int) -> tuple[Array, Array]:
    penalty = np.append(np.full(len(beta) - 1, l2), 1e-9)
    score = beta @ X
    loss = _loss(score, y, beta, l2)
    curvature = np.eye(len(beta))
    for _ in range(most):
        p = _chance(score)
        gradient = X @ (p - y) / X.shape[1] + penalty * beta
        curvature = (X * np.maximum(p * (1 - p), 1e-6)) @ X.T / X.shape[1] + np.diag(penalty + 1e-9)
        direction = -np.linalg.solve(curvature, gradient)
        for halvings in range(20):
            moved = beta + direction * 0.5**halvings
            moved_score = moved @ X
            fallen = _loss(moved_score, y, moved, l2)
            if fallen <= loss:
                break
        gained, beta, score, loss = loss - fallen, moved, moved_score, min(fallen, loss)
        if gained < tolerance:
            break
    return beta, curvature


def _polished(Z: Array, y: Array, means: Array, spread: Array, beta: Array, curvature: Array, l2: float, tolerance: float, most: int) -> Array:
    """Steps on all rows with the sketch's curvature."""
    penalty = np.append(np.full(len(beta) - 1, l2), 1e-9)
    inverse = np.linalg.inv(curvature)
    loss, gradient = _whole(Z, y, means, spread, beta, l2)
    for _ in range(most):
        direction = -inverse @ (gradient + penalty * beta)
        for halvings in range(8):
            moved = beta + direction * 0.5**halvings
            fallen, after = _whole(Z, y, means, spread, moved, l2)
            if fallen <= loss:
                break
        else:
            break
        gained, beta, loss, gradient = loss - fallen, moved, fallen, after
        if gained < tolerance:
            break
    return beta


def _whole(Z: Array, y: Array, means: Array, spread: Array, beta: Array, l2: float) -> tuple[float, Array]:
    """Loss and gradient over all rows, by blocks of them."""
    weights = (beta[:-1] / spread).astype(np.float32)
    bias = np.float32(beta[-1] - float((beta[:-1] / spread) @ means))
    step, rows = max(BLOCK_CELLS // len(Z), 256), len(y)
    loss, raw, surplus = 0.0, np.zeros(len(Z)), 0.0
    for start in range(0, rows, step):
        block, truth = np.asarray(Z[:, start:start + step], dtype=np.float32), y[start:start + step]
        score = weights @ block + bias
        loss += float(np.sum(np.logaddexp(0, score) - truth * score, dtype=np.float64))
        gap = _chance(score) - truth
        raw += block @ gap
        surplus += float(gap.sum(dtype=np.float64))
    gradient = np.append((raw - means * surplus) / spread, surplus) / rows
    return loss / rows + l2 / 2 * float(beta[:-1] @ beta[:-1]), gradient


def multinomial(L: Array, y: Array, l2: float = 1e-3, *, tolerance: float = 1e-8, most: int = 100) -> tuple[Array, Array]:
    """(weights[M], bias[C]): the score of class c is the weighted sum of the models' log-probabilities of it, plus its bias.

    L: log-probabilities, models x rows x classes; y: class codes. `l2`/2 times the squared distance of the weights from equal ones and
    of the biases from 0 is added to the mean log loss. With equal weights and no bias it is the geometric mean. Newton's method; on
    40,000 rows where there are many more.

    >>> L = np.log(np.array([[[0.7, 0.2, 0.1], [0.2, 0.6, 0.2], [0.1, 0.1, 0.8]]]))
    >>> weights, bias = multinomial(L, np.array([0, 1, 2]), l2=0.1)
    >>> bool(weights[0] > 1), bias.shape
    (True, (3,))
    """
    models, rows, classes = L.shape
    y = np.asarray(y).astype(np.int64)
    if rows > 4 * SKETCH_ROWS:
        chosen = np.sort(np.random.default_rng(0).choice(rows, 2 * SKETCH_ROWS, replace=False))
        L, y, rows = L[:, chosen], y[chosen], len(chosen)
    L = np.asarray(L, dtype=np.float32)
    hit = np.zeros((rows, classes), dtype=np.float32)
    hit[np.arange(rows), y] = 1.0
    centre = np.append(np.full(models, 1 / models), np.zeros(classes))
    beta = centre.copy()
    loss, p = _pooled(L, hit, beta, centre, l2)
    for _ in range(most):
        gradient, curvature = _slopes(L, hit, p, beta, centre, l2)
        direction = -np.linalg.solve(curvature, gradient)
        for halvings in range(20):
            moved = beta + direction * 0.5**halvings
            fallen, after = _pooled(L, hit, moved, centre, l2)
            if fallen <= loss:
                break
        else:
            break
        gained, beta, loss, p = loss - fallen, moved, fallen, after
        if gained < tolerance:
            break
    return beta[:models], beta[models:]


def _pooled(L: Array, hit: Array, beta: Array, centre: Array, l2: float) -> tuple[float, Array]:
    models = len(L)
    score = np.tensordot(beta[:models].astype(np.float32), L, 1) + beta[models:].astype(np.float32)
    score -= score.max(axis=1, keepdims=True)
    total = np.log(np.exp(score).sum(axis=1))
    loss = float(np.mean(total - (score * hit).sum(axis=1), dtype=np.float64))
    return loss + l2 / 2 * float(np.sum((beta - centre) ** 2)), np.exp(score - total[:, None])


def _slopes(L: Array, hit: Array, p: Array, beta: Array, centre: Array, l2: float) -> tuple[Array, Array]:
    """Gradient and curvature of the mean log loss in weights and biases."""
    models, rows, classes = L.shape
    expected = np.einsum("mnc,nc->mn", L, p)
    gap = p - hit
    gradient = np.append(np.einsum("mnc,nc->m", L, gap), gap.sum(axis=0)) / rows + l2 * (beta - centre)
    root = (L * np.sqrt(p)[None]).reshape(models, -1)
    by_weights = root @ root.T - expected @ expected.T
    mixed = np.einsum("mnc,nc->mc", L, p) - expected @ p
    by_bias = np.diag(p.sum(axis=0)) - p.T @ p
    curvature = np.block([[by_weights, mixed], [mixed.T, by_bias]]).astype(np.float64) / rows
    return gradient, curvature + (l2 + 1e-8) * np.eye(models + classes)
