"""Models that are right or wrong: phi, Yule's Q, double fault and disagreement of each pair."""

from dataclasses import dataclass

import numpy as np

from kagglekit.diversity.sums import Products, Running
from kagglekit.errors import KKError

Array = np.ndarray


@dataclass(frozen=True, slots=True)
class PairOfLabels:
    """Two models that are right or wrong: phi and Yule's Q of being wrong, shares of both wrong and of one wrong."""

    phi: float
    Q: float
    double_fault: float
    disagreement: float


def pair_labels(wrong_a: Array, wrong_b: Array) -> PairOfLabels:
    """How two models that are right or wrong differ (Kuncheva & Whitaker 2003); Q saturates, so rank pairs by phi.

    >>> pair_labels(np.array([1, 1, 0, 0]), np.array([1, 0, 1, 0]))
    PairOfLabels(phi=0.0, Q=0.0, double_fault=0.25, disagreement=0.5)
    """
    a, b = np.asarray(wrong_a, bool), np.asarray(wrong_b, bool)
    if a.shape != b.shape:
        raise KKError(f"the models have {a.size} and {b.size} rows", "Compare runs of the same folds")
    running = Running(2)
    running.take(np.stack([a, b]).astype(np.float64))
    sums = running.done()
    phi = float(sums.correlation[0, 1])
    return PairOfLabels(phi, *(float(matrix[0, 1]) for matrix in wrong_together(sums).values()))


def wrong_together(wrong: Products) -> dict[str, Array]:
    """Q, double fault and disagreement of every pair, float64[M, M], from the products of "is wrong" (0 or 1).

    >>> sums = Products(np.array([2.0, 2.0]), np.array([[2.0, 1.0], [1.0, 2.0]]), 4)
    >>> {name: matrix[0, 1].item() for name, matrix in wrong_together(sums).items()}
    {'Q': 0.0, 'double_fault': 0.25, 'disagreement': 0.5}
    """
    both = np.round(wrong.products) / wrong.n
    own = np.diag(both)
    only, other = own[:, None] - both, own - both
    same, apart = both * (1 - own[:, None] - own + both), only * other
    total = same + apart
    yule = np.divide(same - apart, total, out=np.zeros_like(total), where=total > 0)
    return {"Q": yule, "double_fault": both, "disagreement": only + other}
