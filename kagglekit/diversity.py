"""How alike the errors of models are: correlation, effective number, ambiguity, clusters and near copies."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from kagglekit.errors import KKError
from kagglekit.metrics import Metric, check_metric, tied_ranks
from kagglekit.noise import complete_rows

Array = np.ndarray

COPY = 0.01  # 1 - correlation below which two models are near copies


@dataclass(frozen=True, slots=True)
class ErrorCorrelation:
    """Errors of models side by side; `matrix` is models x models.

    n_eff is the number of independent models whose mean varies as much (M^2 / sum of C), participation_ratio the number of
    independent error directions (M^2 / sum of C^2). `ambiguity` is what averaging gains over the average model: in squared error,
    log loss or the metric's units; for labels the mean pairwise disagreement. clusters are lists of members, near_copies pairs.
    """

    measure: str
    matrix: Array
    n_eff: float
    participation_ratio: float
    ambiguity: float
    clusters: list[list[int]]
    near_copies: list[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class PairOfLabels:
    """Two models that are right or wrong: phi and Yule's Q of being wrong, shares of both wrong and of one wrong."""

    phi: float
    Q: float
    double_fault: float
    disagreement: float


def error_correlation(y: Array, oof: Array, metric: Metric | str) -> ErrorCorrelation:
    """Correlation of the models' errors, in the form that fits the metric; oof is models x rows [x classes].

    Rows where a model has no prediction are left out for all. The noise of the target is common to all models and pushes the
    correlation towards 1, so a near copy must also *predict* the same: both correlations above .99.

    >>> y = np.array([0.0, 1, 2, 3])
    >>> oof = y + np.array([[1, -1, 1, -1], [1, 1, -1, -1]])
    >>> found = error_correlation(y, oof, "rmse")
    >>> found.matrix.tolist(), found.n_eff, found.ambiguity
    ([[1.0, 0.0], [0.0, 1.0]], 2.0, 0.5)
    """
    metric = check_metric(metric)
    y, oof, _ = complete_rows(y, oof)
    measure, errors, predictions, ambiguity = _errors(y, oof, metric)
    matrix = correlation(errors)
    alike = np.minimum(matrix, correlation(predictions)) if predictions is not None else matrix
    count, clusters = len(matrix), linked_clusters(1 - alike)
    copies = [(i, j) for i in range(count) for j in range(i + 1, count) if 1 - alike[i, j] < COPY]
    total = float(matrix.sum())
    return ErrorCorrelation(measure, matrix, count**2 / total if total > 0 else float("inf"), float(count**2 / (matrix**2).sum()),
                            ambiguity, clusters, copies)


def _errors(y: Array, oof: Array, metric: Metric) -> tuple[str, Array, Array | None, float]:
    """The measure's name, errors and predictions as models x numbers, and the ambiguity."""
    if metric.needs == "label":
        wrong = (oof != y).astype(float)
        return "phi of wrong", wrong, None, _mean_disagreement(oof)
    if oof.ndim == 3:
        codes, classes = np.asarray(y, dtype=np.int64), oof.shape[2]
        hit = (codes[:, None] == np.arange(classes)).astype(float)
        return "class residuals", _flat(oof - hit), _flat(oof), log_ambiguity(oof)
    if metric.needs == "rank":
        ranks = np.stack([tied_ranks(one) for one in oof])
        # Sums of ranks are exact, so that ties stay ties in any order of the models.
        gain = metric(y, ranks.sum(axis=0)) - float(np.mean([metric(y, one) for one in oof]))
        return "rank residuals", _within_class(ranks, y), ranks, metric.sign * gain
    if metric.needs == "proba":
        chance = np.clip(np.asarray(oof, float), 1e-15, 1 - 1e-15)
        loss = -np.where(y == 1, np.log(chance), np.log1p(-chance))
        ambiguity = log_ambiguity(np.stack([1 - chance, chance], axis=2))
        return "deviance residuals", np.sign(y - chance) * np.sqrt(2 * loss), chance, ambiguity
    return _value_errors(y, oof, metric)


def _value_errors(y: Array, oof: Array, metric: Metric) -> tuple[str, Array, Array, float]:
    y, oof = np.asarray(y, float), np.asarray(oof, float)
    measure, transform = VALUE_MEASURES.get(metric.name, ("residuals", None))
    if transform is not None:
        y, oof = transform(y), transform(oof)
    errors = oof - y
    if measure.startswith("ranked"):
        gain = metric(y, oof.mean(axis=0)) - float(np.mean([metric(y, one) for one in oof]))
        return measure, np.stack([tied_ranks(one) for one in errors]), oof, metric.sign * gain
    return measure, errors, oof, squared_ambiguity(oof)


# Squared error of the logarithm lives in log1p; absolute errors have tails that would decide a plain correlation.
VALUE_MEASURES: dict[str, tuple[str, Callable[[Array], Array] | None]] = {
    "rmsle": ("log residuals", np.log1p),
    "mae": ("ranked residuals", None),
    "smape": ("ranked residuals", None),
}


def _flat(values: Array) -> Array:
    return np.asarray(values, float).reshape(len(values), -1)


def _within_class(ranks: Array, y: Array) -> Array:
    errors = ranks.copy()
    for label in np.unique(y):
        errors[:, y == label] -= ranks[:, y == label].mean(axis=1, keepdims=True)
    return errors


def _mean_disagreement(labels: Array) -> float:
    count = len(labels)
    if count < 2:
        return 0.0
    # In a row, n models that say the same label are n (n - 1) ordered pairs that agree.
    said = ((labels == label).sum(axis=0) for label in np.unique(labels))
    agree = sum(float((n * (n - 1)).mean()) for n in said)
    return 1 - agree / (count * (count - 1))


def correlation(errors: Array) -> Array:
    """Pearson correlation of the rows; a constant row correlates with nothing.

    >>> correlation(np.array([[1.0, 2, 3], [2, 4, 6], [5, 5, 5]])).round(6).tolist()
    [[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    """
    centred = errors - errors.mean(axis=1, keepdims=True)
    gram = centred @ centred.T
    size = np.sqrt(np.diag(gram))
    product = size[:, None] * size
    matrix = np.divide(gram, product, out=np.zeros_like(gram), where=product > 0)
    np.fill_diagonal(matrix, 1.0)
    return np.clip(matrix, -1, 1)


def linked_clusters(distance: Array, cut: float = COPY) -> list[list[int]]:
    """Groups of models by average linkage, cut at `cut`; each sorted, the groups by their first member.

    >>> linked_clusters(np.array([[0, 0.001, 0.5], [0.001, 0, 0.5], [0.5, 0.5, 0]]))
    [[0, 1], [2]]
    """
    count = len(distance)
    if count < 2:
        return [[model] for model in range(count)]
    from scipy.cluster.hierarchy import fcluster, linkage
    condensed = np.maximum(distance[np.triu_indices(count, 1)], 0)
    label = fcluster(linkage(condensed, "average"), cut, "distance")
    members: dict[int, list[int]] = {}
    for model, group in enumerate(label.tolist()):
        members.setdefault(group, []).append(model)
    return sorted(members.values())


def squared_ambiguity(predictions: Array, weights: Array | None = None) -> float:
    """Average squared error of the models minus that of their (weighted) mean; needs no truth (Krogh & Vedelsby 1995).

    >>> squared_ambiguity(np.array([[0.0, 1.0], [2.0, 1.0]]))
    0.5
    """
    share = _shares(weights, len(predictions))
    centre = np.tensordot(share, predictions, 1)
    return float(share @ ((predictions - centre) ** 2).reshape(len(predictions), -1).mean(axis=1))


def log_ambiguity(predictions: Array, weights: Array | None = None) -> float:
    """Average log loss of the models minus that of their normalised geometric mean, by KL divergence (Wood et al. 2023).

    predictions are models x rows x classes.

    >>> log_ambiguity(np.array([[[0.5, 0.5]], [[0.5, 0.5]]]))
    0.0
    """
    # Mean over models of KL(g || p_i), g the normalised geometric mean, is minus the logarithm of g's normaliser.
    logs = np.log(np.clip(np.asarray(predictions, float), 1e-15, None))
    logs -= np.log(np.exp(logs).sum(axis=2, keepdims=True))
    mean = np.tensordot(_shares(weights, len(logs)), logs, 1)
    return max(0.0, float(-np.log(np.exp(mean).sum(axis=1)).mean()))


def _shares(weights: Array | None, count: int) -> Array:
    return np.full(count, 1 / count) if weights is None else np.asarray(weights, float) / np.sum(weights)


def pair_labels(wrong_a: Array, wrong_b: Array) -> PairOfLabels:
    """How two models that are right or wrong differ (Kuncheva & Whitaker 2003); Q saturates, so rank pairs by phi.

    >>> pair_labels(np.array([1, 1, 0, 0]), np.array([1, 0, 1, 0]))
    PairOfLabels(phi=0.0, Q=0.0, double_fault=0.25, disagreement=0.5)
    """
    a, b = np.asarray(wrong_a, bool), np.asarray(wrong_b, bool)
    if a.shape != b.shape:
        raise KKError(f"the models have {a.size} and {b.size} rows", "Compare runs of the same folds")
    both, neither = float(np.mean(a & b)), float(np.mean(~a & ~b))
    only_a, only_b = float(np.mean(a & ~b)), float(np.mean(~a & b))
    same, other = both * neither, only_a * only_b
    margins = np.sqrt(a.mean() * (1 - a.mean()) * b.mean() * (1 - b.mean()))
    phi = float((same - other) / margins) if margins else 0.0
    yule = (same - other) / (same + other) if same + other else 0.0
    return PairOfLabels(phi, yule, both, only_a + only_b)


def second_weight(rmse_first: float, rmse_second: float, rho: float) -> float:
    """Best weight of the second of two models for squared error; positive only if rho < rmse_first / rmse_second.

    >>> round(second_weight(1, 1.1, 0.95), 3)
    -0.375
    """
    common = rho * rmse_first * rmse_second
    spread = rmse_first**2 + rmse_second**2 - 2 * common
    return (rmse_first**2 - common) / spread if spread else 0.5
