"""The metrics: one decorated function each, with direction, needs, Kaggle's names, best constant and influence."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kagglekit.constants import log_mean, majority, mean, median, positive, share, shares, smape_best
from kagglekit.errors import KKError
from kagglekit.registry import Registry, is_path_reference, load_reference, near_names

Array = np.ndarray


@dataclass(frozen=True, slots=True)
class Metric:
    """A score of predictions against the truth.

    needs: label (class labels), proba (probabilities: rows, or rows x classes), value (numbers), rank (any score whose order
    counts). Where `needs` is proba or rank, the truth is the class code (0, 1, ...); where it is label, the label itself.
    `influence(y, p)` gives one number a row, with mean 0, so that sd/sqrt(n) is the score's standard error (None: bootstrap).
    `constant(y)` is the one prediction that is best for all rows; `trains_on` log1p: models learn log(1 + target).
    """

    name: str
    function: Callable[[Array, Array], float]
    greater_is_better: bool
    needs: str
    kaggle_names: tuple[str, ...] = ()
    constant: Callable[[Array], object] | None = None
    influence: Callable[[Array, Array], Array] | None = None
    classes: str = "any"
    trains_on: str = ""

    def __call__(self, y: Array, p: Array) -> float:
        """The score, as the competition shows it."""
        return float(self.function(np.asarray(y), np.asarray(p)))

    @property
    def sign(self) -> int:
        """+1 where more is better, -1 where less is."""
        return 1 if self.greater_is_better else -1


REGISTRY: Registry[Metric] = Registry("metric", make=Metric, home="kagglekit.metrics", group="kagglekit.metrics")


def metric(name: str, *names: str, better: str, needs: str, constant: Callable | None = None,
           influence: Callable | None = None, classes: str = "any", trains_on: str = "") -> Callable[[Callable], Callable]:
    """Register the decorated function as a metric; `names` are Kaggle's names for it, `better` is more or less."""
    return REGISTRY.register(name, aliases=names, greater_is_better=better == "more", needs=needs, kaggle_names=names,
                             constant=constant, influence=influence, classes=classes, trains_on=trains_on)


def check_metric(given: object, greater_is_better: bool | None = None, folder: Path | None = None) -> Metric:
    """The Metric that a name, Kaggle's name, 'metric.py:score' (from here, or from `folder`) or a function stands for.

    A function takes (y, p), or has Kaggle's own signature score(solution, submission, row_id_column_name).

    >>> check_metric("Root Mean Squared Logarithmic Error").name
    'rmsle'
    """
    if isinstance(given, Metric):
        return given
    if callable(given):
        return Metric(name=getattr(given, "__name__", "custom"), function=_as_arrays(given), needs="value",
                      greater_is_better=direction(given, greater_is_better))
    text = str(given)
    if is_path_reference(text):
        return check_metric(load_reference(text, folder), greater_is_better)
    if text in REGISTRY:
        return REGISTRY.get(text)
    raise KKError(f"no metric is called {text!r}", f"{near_names(text, REGISTRY.names())}Built in: {', '.join(REGISTRY.names())}; "
                  "anything else: --metric metric.py:score")


def takes_tables(function: Callable) -> bool:
    """Whether it has the signature of Kaggle's metric notebooks, score(solution, submission, row_id_column_name)."""
    import inspect

    return list(inspect.signature(function).parameters)[:3] == ["solution", "submission", "row_id_column_name"]


def _as_arrays(function: Callable) -> Callable[[Array, Array], float]:
    """A metric of arrays from one with Kaggle's signature, which takes tables with an id column."""
    if not takes_tables(function):
        return function

    def score(y: Array, p: Array) -> float:
        import pandas as pd

        def table(values: Array) -> "pd.DataFrame":
            columns = np.asarray(values).reshape(len(values), -1)
            return pd.DataFrame({"id": np.arange(len(columns)), **{f"value_{k}" if k else "value": columns[:, k] for k in range(columns.shape[1])}})

        return function(table(y), table(p), "id")

    return score


def direction(function: Callable, greater_is_better: bool | None, do: str = "Set score.greater_is_better = True (or False) in metric.py") -> bool:
    """Whether higher is better: what the function itself says, else what is given; raises KKError where neither does."""
    known = getattr(function, "greater_is_better", greater_is_better)
    if known is None:
        raise KKError(f"the direction of {getattr(function, '__name__', 'the metric')} is not known", do)
    return bool(known)


# Influence functions (one value a row, mean 0). Sources: delta method; DeLong et al. 1988 for the AUC.

def influence_of_mean(loss: Callable[[Array, Array], Array], root: bool = False) -> Callable[[Array, Array], Array]:
    """Influence of a mean of per-row losses, or of the square root of such a mean."""

    def influence(y: Array, p: Array) -> Array:
        losses = loss(y, p)
        centred = losses - losses.mean()
        return centred / (2 * np.sqrt(losses.mean())) if root and losses.mean() > 0 else centred

    return influence


def influence_auc(y: Array, p: Array) -> Array:
    """DeLong placements, scaled so that sd/sqrt(n) is the standard error of the AUC."""
    truth = np.asarray(y) == 1
    ranks_all, share_positive = tied_ranks(p), truth.mean()
    placement = np.empty(len(truth))
    positives, negatives = truth.sum(), (~truth).sum()
    placement[truth] = (ranks_all[truth] - tied_ranks(p[truth])) / negatives
    placement[~truth] = 1 - (ranks_all[~truth] - tied_ranks(p[~truth])) / positives
    area = placement[truth].mean()
    return np.where(truth, (placement - area) / share_positive, (placement - area) / (1 - share_positive))


def influence_r2(y: Array, p: Array) -> Array:
    """Influence of 1 - MSE/variance."""
    squared, deviation = (y - p) ** 2, (y - y.mean()) ** 2
    variance, error = deviation.mean(), squared.mean()
    return -(squared - error) / variance + error * (deviation - variance) / variance**2


def influence_f1(y: Array, p: Array) -> Array:
    """Influence of F1 of the larger label."""
    true, said = _positives(y, p)
    value = f1(y, p)
    return (2 * true * said - value * (true + said)) / max(true.mean() + said.mean(), 1e-12)


def influence_mcc(y: Array, p: Array) -> Array:
    """Influence of Matthews' correlation of two labels: that of a correlation coefficient."""
    true, said = _positives(y, p)
    spread_true, spread_said = true.std(), said.std()
    if spread_true == 0 or spread_said == 0:
        return np.zeros(len(true))
    a, b = (true - true.mean()) / spread_true, (said - said.mean()) / spread_said
    return a * b - np.mean(a * b) * (a**2 + b**2) / 2


def influence_qwk(y: Array, p: Array) -> Array:
    """Influence of 1 - N/D, observed over expected quadratic disagreement."""
    y, p = np.asarray(y, float), np.asarray(p, float)
    observed, expected = (y - p) ** 2, _expected_disagreement(y, p)
    if expected == 0:
        return np.zeros(len(y))
    row_y = np.mean(p**2) - 2 * y * p.mean() + y**2
    row_p = np.mean(y**2) - 2 * p * y.mean() + p**2
    numerator = observed.mean()
    return -((observed - numerator) / expected - numerator / expected**2 * (row_y + row_p - 2 * expected))


# The metrics.

def _hit(y: Array, p: Array) -> Array:
    return (np.asarray(y) == np.asarray(p)).astype(float)


@metric("accuracy", "Categorization Accuracy", "CategorizationAccuracy", "Accuracy Score", better="more", needs="label",
        constant=majority, influence=influence_of_mean(_hit))
def accuracy(y: Array, p: Array) -> float:
    """Share of rows whose label is right.

    >>> accuracy(np.array([1, 0, 1, 1]), np.array([1, 0, 0, 1]))
    0.75
    """
    return float(_hit(y, p).mean())


@metric("auc", "Area Under Receiver Operating Characteristic Curve", "Roc Auc Score", "ROC AUC", better="more", needs="rank",
        constant=share, influence=influence_auc, classes="binary")
def auc(y: Array, p: Array) -> float:
    """Area under the ROC curve; ties count half.

    >>> auc(np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8]))
    0.75
    """
    truth = np.asarray(y) == 1
    positives, negatives = int(truth.sum()), int((~truth).sum())
    if not positives or not negatives:
        raise KKError("AUC needs both classes, the rows have one", "Use a stratified split: kk cv --split stratified")
    return float((tied_ranks(p)[truth].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def _log_losses(y: Array, p: Array) -> Array:
    p = np.clip(np.asarray(p, float), 1e-15, 1 - 1e-15)
    return -np.where(np.asarray(y) == 1, np.log(p), np.log1p(-p))


@metric("logloss", "Log Loss", "LogLoss", better="less", needs="proba", constant=share,
        influence=influence_of_mean(_log_losses), classes="binary")
def logloss(y: Array, p: Array) -> float:
    """Mean log loss of the probability of class 1, clipped at 1e-15.

    >>> round(logloss(np.array([1, 0]), np.array([0.8, 0.2])), 4)
    0.2231
    """
    return float(_log_losses(y, p).mean())


def _multiclass_log_losses(y: Array, p: Array) -> Array:
    p = np.clip(np.asarray(p, float), 1e-15, 1 - 1e-15)
    p = p / p.sum(axis=1, keepdims=True)
    return -np.log(p[np.arange(len(p)), np.asarray(y, dtype=np.int64)])


@metric("mlogloss", "Multiclass Loss", "MulticlassLoss", "Multi Class Log Loss", "Multiclass Log Loss", better="less",
        needs="proba", constant=shares, influence=influence_of_mean(_multiclass_log_losses), classes="multiclass")
def mlogloss(y: Array, p: Array) -> float:
    """Mean log loss of the true class; rows of p are normalised to 1, as Kaggle does.

    >>> round(mlogloss(np.array([0, 2]), np.array([[0.5, 0.3, 0.2], [0.1, 0.1, 0.8]])), 4)
    0.4581
    """
    return float(_multiclass_log_losses(y, p).mean())


def _squared(y: Array, p: Array) -> Array:
    return (np.asarray(y, float) - np.asarray(p, float)) ** 2


@metric("rmse", "Root Mean Squared Error", "Root Mean Square Error", better="less", needs="value", constant=mean,
        influence=influence_of_mean(_squared, root=True))
def rmse(y: Array, p: Array) -> float:
    """Root mean squared error.

    >>> rmse(np.array([0.0, 0.0]), np.array([3.0, 4.0])) == 12.5 ** 0.5
    True
    """
    return float(np.sqrt(_squared(y, p).mean()))


def _squared_log(y: Array, p: Array) -> Array:
    y, p = np.asarray(y, float), np.asarray(p, float)
    if (p < 0).any():
        raise KKError(f"RMSLE needs predictions of at least 0, the smallest is {p.min():g}", "Clip them at 0 first")
    return (np.log1p(y) - np.log1p(p)) ** 2


@metric("rmsle", "Root Mean Squared Logarithmic Error", "Root Mean Squared Log Error", "Mean Squared Log Error", better="less",
        needs="value", constant=log_mean, influence=influence_of_mean(_squared_log, root=True), trains_on="log1p")
def rmsle(y: Array, p: Array) -> float:
    """Root mean squared error of log(1 + value).

    >>> rmsle(np.array([0.0]), np.array([np.e - 1]))
    1.0
    """
    return float(np.sqrt(_squared_log(y, p).mean()))


def _absolute(y: Array, p: Array) -> Array:
    return np.abs(np.asarray(y, float) - np.asarray(p, float))


@metric("mae", "Mean Absolute Error", better="less", needs="value", constant=median, influence=influence_of_mean(_absolute))
def mae(y: Array, p: Array) -> float:
    """Mean absolute error.

    >>> mae(np.array([1.0, 2.0]), np.array([2.0, 4.0]))
    1.5
    """
    return float(_absolute(y, p).mean())


def _positives(y: Array, p: Array) -> tuple[Array, Array]:
    label = np.unique(np.asarray(y))[-1]
    return (np.asarray(y) == label).astype(float), (np.asarray(p) == label).astype(float)


@metric("f1", "F1 Score", "F1", "F-Score", better="more", needs="label", constant=positive, influence=influence_f1,
        classes="binary")
def f1(y: Array, p: Array) -> float:
    """F1 of the positive class, the larger of the two labels; 0 where nothing is right.

    >>> f1(np.array([1, 1, 0, 0]), np.array([1, 0, 1, 0]))
    0.5
    """
    true, said = _positives(y, p)
    total = true.sum() + said.sum()
    return float(2 * (true * said).sum() / total) if total else 0.0


def _expected_disagreement(y: Array, p: Array) -> float:
    return float(np.mean(y**2) - 2 * y.mean() * p.mean() + np.mean(p**2))


@metric("qwk", "Quadratic Weighted Kappa", "QuadraticWeightedKappa", "Cohen Kappa Score", better="more", needs="label",
        constant=majority, influence=influence_qwk)
def qwk(y: Array, p: Array) -> float:
    """Quadratic weighted kappa of whole-number grades: 1 - observed / expected squared disagreement.

    >>> qwk(np.array([0, 1, 2]), np.array([0, 1, 2]))
    1.0
    """
    y, p = np.asarray(y, float), np.asarray(p, float)
    expected = _expected_disagreement(y, p)
    return float(1 - np.mean((y - p) ** 2) / expected) if expected else 0.0


@metric("mcc", "Matthews correlation coefficient", "Matthews Correlation", "MCC", better="more", needs="label",
        constant=majority, influence=influence_mcc, classes="binary")
def mcc(y: Array, p: Array) -> float:
    """Matthews' correlation of two labels; 0 where one side is constant.

    >>> mcc(np.array([1, 1, 0, 0]), np.array([1, 1, 0, 0]))
    1.0
    """
    true, said = _positives(y, p)
    spread = true.std() * said.std()
    return float(np.mean((true - true.mean()) * (said - said.mean())) / spread) if spread else 0.0


@metric("r2", "R2 Score", "R^2 score (coefficient of determination)", "R-squared", "R2Score", better="more", needs="value",
        constant=mean, influence=influence_r2)
def r2(y: Array, p: Array) -> float:
    """Coefficient of determination.

    >>> r2(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 3.0]))
    1.0
    """
    variance = np.asarray(y, float).var()
    return float(1 - _squared(y, p).mean() / variance) if variance else 0.0


def _smape_rows(y: Array, p: Array) -> Array:
    y, p = np.asarray(y, float), np.asarray(p, float)
    size = np.abs(y) + np.abs(p)
    return np.divide(200 * np.abs(y - p), size, out=np.zeros_like(size), where=size > 0)


@metric("smape", "SMAPE", "Symmetric Mean Absolute Percentage Error", better="less", needs="value", constant=smape_best,
        influence=influence_of_mean(_smape_rows))
def smape(y: Array, p: Array) -> float:
    """Symmetric mean absolute percentage error, in percent (0 to 200); 0/0 counts 0.

    >>> smape(np.array([1.0, 1.0]), np.array([1.0, 3.0]))
    50.0
    """
    return float(_smape_rows(y, p).mean())


def tied_ranks(values: Array) -> Array:
    """Ranks 1..n, ties get their mean rank.

    >>> tied_ranks(np.array([10, 20, 10])).tolist()
    [1.5, 3.0, 1.5]
    """
    values = np.asarray(values)
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    ends = np.r_[starts[1:], len(values)]
    ranks = np.empty(len(values))
    ranks[order] = np.repeat((starts + ends + 1) / 2, ends - starts)
    return ranks
