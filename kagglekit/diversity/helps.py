"""Who helps a blend: the best weight of a candidate beside the blend of the others, and the correlation it must stay below."""

from dataclasses import dataclass

import numpy as np

Array = np.ndarray


@dataclass(frozen=True, slots=True)
class Helps:
    """A candidate beside the blend of the other models, by squared error.

    rho: correlation of its errors with the blend's (about 0, not about their means); limit: the ratio of their RMS errors, which rho must
    stay below for a positive weight; weight: the best weight of the candidate, the blend having the rest; gain: the share of the blend's
    RMS error that this weight saves, 0 where the weight would be negative.
    """

    index: int
    rho: float
    limit: float
    weight: float
    gain: float


def second_weight(rmse_first: float, rmse_second: float, rho: float) -> float:
    """Best weight of the second of two models for squared error; positive only if rho < rmse_first / rmse_second.

    >>> round(second_weight(1, 1.1, 0.95), 3)
    -0.375
    """
    common = rho * rmse_first * rmse_second
    spread = rmse_first**2 + rmse_second**2 - 2 * common
    return (rmse_first**2 - common) / spread if spread > 0 else 0.5


def helps(products: Array, weights: Array | None = None) -> list[Helps]:
    """Each model as a candidate for the blend of the others; products are float64[M, M], mean products of errors.

    The others keep the proportions of `weights` (None: equal ones; also where the others have none). Cost: models squared.

    >>> [round(one.weight, 3) for one in helps(np.array([[1.0, 1.045], [1.045, 1.21]]))]
    [1.375, -0.375]
    """
    count = len(products)
    given = np.full(count, 1 / count) if weights is None else np.asarray(weights, dtype=np.float64)
    with_blend, own = products @ given, np.diag(products)
    of_blend, total = float(given @ with_blend), float(given.sum())
    return [_one(index, products, given, with_blend, of_blend, total, float(own[index])) for index in range(count)] if count > 1 else []


def _one(index: int, products: Array, given: Array, with_blend: Array, of_blend: float, total: float, own: float) -> Helps:
    rest, share = total - float(given[index]), float(given[index])
    if rest > 1e-9:
        cross = (float(with_blend[index]) - share * own) / rest
        blend = (of_blend - 2 * share * float(with_blend[index]) + share**2 * own) / rest**2
    else:
        others = np.delete(np.arange(len(given)), index)
        cross, blend = float(products[index, others].mean()), float(products[np.ix_(others, others)].mean())
    first, second = np.sqrt(max(blend, 0.0)), np.sqrt(own)
    rho = float(np.clip(cross / (first * second), -1, 1)) if first * second > 0 else 0.0
    weight = second_weight(float(first), float(second), rho)
    after = (1 - weight) ** 2 * blend + 2 * weight * (1 - weight) * cross + weight**2 * own
    gain = 1 - float(np.sqrt(max(after, 0.0)) / first) if weight > 0 and first > 0 else 0.0
    return Helps(index, rho, float(first / second) if second > 0 else float("inf"), weight, max(gain, 0.0))
