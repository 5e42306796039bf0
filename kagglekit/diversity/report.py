"""error_correlation: the errors of models side by side, in the form that fits the metric, in one pass over blocks of rows."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from kagglekit.diversity.ambiguity import log_ambiguity, mean_disagreement, squared_from
from kagglekit.diversity.clusters import linked_clusters, medoid, wide_clusters
from kagglekit.diversity.labels import wrong_together
from kagglekit.diversity.measures import Measure, class_residuals, logits_within, measure_of, ranks
from kagglekit.diversity.sums import Products, Running, as_correlation, blocks
from kagglekit.errors import KKError
from kagglekit.metrics import Metric, check_metric
from kagglekit.noise import missing_rows

Array = np.ndarray
COPY = 0.01  # 1 - correlation below which two models are near copies
WHOLE_CELLS = 10_000_000  # ranks are taken of so many numbers at most, a sample of the rows stands for the rest
LEAST_ROWS = 20_000
MOST_CLASSES = 20  # a matrix for each class of no more


@dataclass(frozen=True, slots=True)
class ErrorCorrelation:
    """Errors of models side by side; `matrix` is models x models.

    n_eff is the number of independent models whose mean varies as much (M^2 / sum of C), participation_ratio the number of
    independent error directions (M^2 / sum of C^2); the noise of the target, which all models share, draws both towards 1. `directions`
    is the participation ratio of the predictions less their mean over models, from which that noise is gone (M - 1 at most; the same
    form of n_eff says nothing there: these differences sum to 0).

    `ambiguity` is what averaging gains over the average model: in squared error, log loss or the metric's units; for labels the mean
    pairwise disagreement; None where nothing can be averaged. clusters: near copies together; near_copies: pairs; kinds: clusters at
    the largest gap of the tree; medoids and best: of each kind the middle member, and the one with the least error. `alike` is what
    clusters go by: the lesser correlation of errors and predictions. products: mean products of errors, on whose diagonal are the
    mean squares. Seen on `rows` of `rows_of` rows. details: other matrices by name.
    """

    measure: str
    matrix: Array
    n_eff: float
    participation_ratio: float
    ambiguity: float | None
    clusters: list[list[int]]
    near_copies: list[tuple[int, int]]
    directions: float = 0.0
    kinds: list[list[int]] = field(default_factory=list)
    medoids: list[int] = field(default_factory=list)
    best: list[int] = field(default_factory=list)
    alike: Array = field(default_factory=lambda: np.ones((0, 0)))
    products: Array = field(default_factory=lambda: np.ones((0, 0)))
    rows: int = 0
    rows_of: int = 0
    details: Mapping[str, Array] = field(default_factory=dict)


def error_correlation(y: Array, oof: Array, metric: Metric | str, *, more: bool = False) -> ErrorCorrelation:
    """Correlation of the models' errors, in the form that fits the metric; oof is models x rows [x classes or targets].

    Residuals for squared errors (of log1p for RMSLE), their ranks for absolute ones, deviance residuals for log loss, ranks within class
    for AUC, class residuals for several classes, right or wrong for labels, the loss of each query for lists; several targets count the
    same each. Rows where a model has no prediction are left out for all. Ranks are taken of 10 million numbers at most. `more` adds to
    details: residuals and logits within class for log loss, a matrix for each class.

    The noise of the target is common to all models and pushes the correlation towards 1, so a near copy must also *predict* the same:
    both correlations above .99. Cost: rows x models^2; memory: a block of rows.

    >>> y = np.array([0.0, 1, 2, 3])
    >>> oof = y + np.array([[1, -1, 1, -1], [1, 1, -1, -1]])
    >>> found = error_correlation(y, oof, "rmse")
    >>> found.matrix.tolist(), found.n_eff, found.ambiguity
    ([[1.0, 0.0], [0.0, 1.0]], 2.0, 0.5)
    """
    metric = check_metric(metric)
    y, oof = np.asarray(y), oof if isinstance(oof, np.ndarray) else np.asarray(oof)
    rows = _rows(y, oof)
    measure = measure_of(metric, y, oof)
    total = len(y) if rows is None else len(rows)
    rows = _sampled(rows, total, oof) if measure.whole else rows
    case = _Case(metric, measure, y, oof, rows)
    errors, said = case.sums()
    matrix = errors.correlation
    alike = matrix if said is None else np.minimum(matrix, said.correlation)
    return _report(case, errors, said, alike, case.details(errors, more), total)


def _report(case: "_Case", errors: Products, said: Products | None, alike: Array, details: Mapping[str, Array], total: int) -> ErrorCorrelation:
    matrix, count, distance = errors.correlation, len(alike), 1 - alike
    copies = [(int(i), int(j)) for i, j in zip(*np.nonzero(np.triu(distance < COPY, 1)))]
    kinds, size = wide_clusters(distance), np.diag(errors.products)
    mass = float(matrix.sum())
    return ErrorCorrelation(
        case.measure.name, matrix, count**2 / mass if mass > 0 else float("inf"), float(count**2 / (matrix**2).sum()), case.ambiguity(errors),
        linked_clusters(distance), copies, 0.0 if said is None else participation(said.between()), kinds, [medoid(distance, one) for one in kinds],
        [min(one, key=lambda model: (size[model], model)) for one in kinds], alike, errors.products / errors.n,
        total if case.rows is None else len(case.rows), total, details)


def participation(covariance: Array) -> float:
    """How many independent directions a covariance has, each model by its correlation: M^2 / sum of C^2 of those that vary.

    >>> participation(np.eye(3)), participation(np.ones((3, 3)))
    (3.0, 1.0)
    """
    varies = np.diag(covariance) > 1e-12 * max(float(np.diag(covariance).max(initial=0.0)), 1e-300)
    found = as_correlation(covariance[np.ix_(varies, varies)])
    return float(len(found) ** 2 / (found**2).sum()) if len(found) else 0.0


def _rows(y: Array, oof: Array) -> Array | None:
    """Numbers of the rows that all models predict; None where these are all rows."""
    if oof.ndim < 2 or oof.shape[1] != len(y):
        raise KKError(f"oof has the shape {oof.shape}, y has {len(y)} rows", "Give oof as models x rows [x classes]")
    missing = np.zeros(len(y), dtype=bool)
    for one in oof:
        missing |= missing_rows(one[None])
    if missing.all():
        raise KKError("no row has a prediction of every model", "Compare runs of the same folds")
    return np.flatnonzero(~missing) if missing.any() else None


def _sampled(rows: Array | None, total: int, oof: Array) -> Array | None:
    most = max(WHOLE_CELLS // (len(oof) * int(np.prod(oof.shape[2:], dtype=np.int64))), LEAST_ROWS)
    if total <= most:
        return rows
    picked = np.sort(np.random.default_rng(0).choice(total, most, replace=False))
    return picked if rows is None else rows[picked]


@dataclass(frozen=True, slots=True)
class _Case:
    """What is compared: the measure on some rows of the predictions."""

    metric: Metric
    measure: Measure
    y: Array
    oof: Array
    rows: Array | None

    def sums(self) -> tuple[Products, Products | None]:
        """Products of errors and of predictions; of several targets each is brought to the same mean square."""
        errors, said = None, None
        for column in range(self.oof.shape[2]) if self.measure.columns else (None,):
            one, other = self._column(column)
            if column is not None:
                one, other = (_even(found) for found in (one, other))
            errors = one if errors is None else errors + one
            said = other if said is None or other is None else said + other
        assert errors is not None
        return errors, said

    def _column(self, column: int | None) -> tuple[Products, Products | None]:
        errors, said = Running(len(self.oof)), Running(len(self.oof))
        for truth, block in self._blocks(column):
            errors.take(self.measure.errors(truth, block))
            if self.measure.said is not None:
                said.take(self.measure.said(block))
        return errors.done(), said.done() if self.measure.said is not None else None

    def _blocks(self, column: int | None) -> Iterator[tuple[Array, Array]]:
        truth = self.y if column is None or self.y.ndim == 1 else self.y[:, column]
        if self.measure.whole:
            rows = slice(None) if self.rows is None else self.rows
            yield truth[rows], np.asarray(self.oof[:, rows] if column is None else self.oof[:, rows, column], dtype=np.float64)
            return
        numbers = np.issubdtype(truth.dtype, np.floating)
        for picked, block in blocks(self.oof, self.rows, column):
            yield truth[picked].astype(block.dtype) if numbers else truth[picked], block

    def ambiguity(self, errors: Products) -> float | None:
        """What averaging gains over the average model."""
        gain = self.measure.gain
        if gain == "squared" and not self.measure.columns:
            return squared_from(errors)
        if gain == "labels":
            return mean_disagreement(self.oof, self.rows)
        if gain == "log" and self.measure.columns:
            return float(np.mean([log_ambiguity(self.oof, None, self.rows, column) for column in range(self.oof.shape[2])]))
        if gain == "log":
            return log_ambiguity(self.oof, None, self.rows)
        return None if gain == "none" else self._by_metric()

    def _by_metric(self) -> float:
        """How much better the mean (of ranks, where these count) scores than the models do on average."""
        from kagglekit.predictions import decide

        rows = slice(None) if self.rows is None else self.rows
        truth, metric, lists = self.y[rows], self.metric, self.metric.needs == "list"
        scores, total = [], np.zeros(self.oof[0][rows].shape)
        for one in self.oof:
            values = np.asarray(one[rows], dtype=np.float64)
            scores.append(metric(truth, decide(values, "list", (), metric.parameter) if lists else values))
            # Sums of ranks are exact, so that ties stay ties in any order of the models.
            total += ranks(values.reshape(len(values), -1).T).T.reshape(values.shape) if metric.needs == "rank" else values
        mean = total if metric.needs == "rank" else total / len(scores)
        return metric.sign * (metric(truth, decide(mean, "list", (), metric.parameter) if lists else mean) - float(np.mean(scores)))

    def details(self, errors: Products, more: bool) -> dict[str, Array]:
        """Other matrices: of pairs of labels always, of probabilities where asked for."""
        if self.measure.gain == "labels":
            return wrong_together(errors)
        if not more or self.measure.gain != "log" or self.measure.columns:
            return {}
        if self.measure.name == "deviance residuals":
            residuals, logits = Running(len(self.oof)), Running(len(self.oof))
            for truth, block in self._blocks(None):
                residuals.take(block - truth)
            rows = _sampled(self.rows, len(self.y) if self.rows is None else len(self.rows), self.oof)
            rows = slice(None) if rows is None else rows
            logits.take(logits_within(self.y[rows], np.asarray(self.oof[:, rows])))
            return {"residuals": residuals.done().correlation, "logits within class": logits.done().correlation}
        return self._by_class()

    def _by_class(self) -> dict[str, Array]:
        classes = self.oof.shape[2] if self.oof.shape[2] <= MOST_CLASSES else 0
        running = [Running(len(self.oof)) for _ in range(classes)]
        for truth, block in self._blocks(None):
            errors = class_residuals(truth, block).reshape(block.shape)
            for code, one in enumerate(running):
                one.take(np.ascontiguousarray(errors[:, :, code]))
        return {f"class {code}": one.done().correlation for code, one in enumerate(running)}


def _even(found: Products | None) -> Products | None:
    """Brought to the mean square 1, so that a target of large numbers does not decide alone."""
    size = 0.0 if found is None else float(np.trace(found.products))
    return found.scaled(found.n * len(found.sums) / size) if found is not None and size > 0 else found
