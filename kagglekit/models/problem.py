"""Problem: what is to be learnt, on which scale models learn it, and how an estimator's predictions are read."""

import itertools
from dataclasses import dataclass, replace

import numpy as np

from kagglekit.metrics import Metric, check_metric
from kagglekit.models.losses import Loss, loss_of, weights_of

Array = np.ndarray


@dataclass(frozen=True, slots=True)
class Problem:
    """What is to be learnt: task (binary, multiclass, multilabel, regression), classes in order, the metric that judges, and targets.

    `targets` names the columns of y where there are several (of 0 and 1 when the task is multilabel); it is empty for one.
    """

    task: str
    classes: tuple[object, ...]
    metric: Metric
    targets: tuple[str, ...] = ()

    @property
    def classifies(self) -> bool:
        """Whether models give probabilities."""
        return self.task in ("binary", "multiclass", "multilabel")

    @property
    def width(self) -> int:
        """Numbers that models predict for one row: one a class, a target or a quantile where there are several of these."""
        return len(self.classes) if self.task == "multiclass" else max(len(self.targets), len(self.quantiles), 1)

    @property
    def quantiles(self) -> tuple[float, ...]:
        """The quantiles that the metric wants of each row, where it wants several."""
        several = self.metric.columns == "quantiles" and isinstance(self.metric.parameter, tuple) and not self.targets
        return self.metric.parameter if several and len(self.metric.parameter) > 1 else ()

    @property
    def ordinal(self) -> bool:
        """Whether the classes are grades, numbers in rising order, and the metric counts how far off they are (quadratic kappa)."""
        return self.task == "multiclass" and self.metric.name == "qwk" and _rising(self.classes)

    @property
    def loss(self) -> Loss:
        """What models of numbers minimise; squared error for classes."""
        return Loss() if self.classifies else loss_of(self.metric)

    def to_scale(self, target: Array) -> Array:
        """The target on the scale that models learn."""
        return np.log1p(np.maximum(target, 0)) if self.loss.log else target

    def from_scale(self, values: Array) -> Array:
        """Predictions back on the target's scale; shares of a total, which a metric such as KL divergence compares, stay in 0 to 1."""
        if self.metric.needs == "proba" and not self.metric.own:
            return np.clip(values, 0.0, 1.0)
        return np.maximum(np.expm1(values), 0.0) if self.loss.log else values

    def weights(self, target: Array) -> Array | None:
        """Weights of rows by which the loss is the metric's, None where all weigh the same."""
        return weights_of(self.loss, target)

    def one_target(self) -> "Problem":
        """The same with one of its targets only: numbers, or a binary task where targets are labels."""
        if self.task == "multilabel":
            return replace(self, task="binary", classes=(0, 1), targets=())
        return replace(self, targets=())

    def one_quantile(self, quantile: float) -> "Problem":
        """The same for one of the metric's quantiles."""
        return replace(self, metric=check_metric(f"pinball@{quantile!r}"))

    def grades(self) -> "Problem":
        """The grades of an ordinal problem as numbers 0, 1, ... to be learnt by squared error."""
        return replace(self, task="regression", classes=(), metric=check_metric("rmse"))

    def predict(self, estimator: object, X: object) -> Array:
        """Probabilities or values from a scikit-learn estimator: rows, or rows x classes in the order of `classes`, or rows x targets."""
        if not self.classifies:
            return self.from_scale(np.asarray(estimator.predict(X), dtype=np.float64))
        probabilities = estimator.predict_proba(X)
        if self.task == "multilabel":
            return np.column_stack([_of_one(part, known) for part, known in zip(probabilities, estimator.classes_, strict=True)])
        full = np.zeros((len(probabilities), len(self.classes)))
        full[:, np.asarray(estimator.classes_, dtype=np.int64)] = probabilities
        return full[:, 1] if self.task == "binary" else full


def _of_one(probabilities: Array, known: Array) -> Array:
    """Probability of 1 from those of the values that were seen in training; of 0 alone it is nothing."""
    ones = np.flatnonzero(np.asarray(known) == 1)
    return np.asarray(probabilities)[:, ones[0]] if len(ones) else np.zeros(len(probabilities))


def _rising(classes: tuple[object, ...]) -> bool:
    try:
        numbers = [float(str(label)) for label in classes]
    except ValueError:
        return False
    return len(numbers) > 2 and all(one < other for one, other in itertools.pairwise(numbers))
