"""Decisions: from blended numbers to the labels that a metric takes; cuts are fitted, on rows that they are not judged on."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from kagglekit.errors import KKError
from kagglekit.metrics import Metric
from kagglekit.predictions import decide

Array = np.ndarray
THRESHOLDS = 200
SPREAD_FOLDS = 5


@dataclass(frozen=True, slots=True)
class Decision:
    """`labels(blended)` gives what the metric takes; `details` is what was fitted (json)."""

    labels: Callable[[Array], Array]
    details: Mapping[str, object] = field(default_factory=dict)


Decider = Callable[[Array, Array, Metric], Decision]


def as_is(blended: Array, truth: Array, metric: Metric) -> Decision:
    """Numbers that the metric takes as they are."""
    return Decision(np.asarray)


def decider_of(metric: Metric, kind: str, classes: Sequence[object], truth: Array) -> Decider:
    """How blended numbers of a kind become what the metric takes.

    Probabilities: the threshold that the metric likes best for F-scores and Matthews' correlation, one half elsewhere. Several classes: the
    likeliest, for kappa by rate-matching cuts of the expected grade. Numbers: rate-matching cuts for kappa, the nearest grade elsewhere.
    """
    if metric.needs == "list":
        return lambda blended, y, judge: Decision(lambda p: decide(np.asarray(p), "list", (), judge.parameter))
    if metric.needs != "label":
        return as_is
    base = metric.name.split("@")[0]
    labels = np.asarray(classes) if len(classes) else np.unique(truth)
    if base == "qwk" and np.issubdtype(labels.dtype, np.number):
        return lambda blended, y, _: rate_matched(_grade(blended, labels, kind), y, labels, kind)
    if kind == "classes":
        return lambda blended, y, _: Decision(lambda p: labels[np.asarray(p).argmax(axis=1)])
    if kind == "chance" and len(labels) == 2:
        if base in ("f1", "fbeta", "mcc", "balanced_accuracy", "macro_f1"):
            return lambda blended, y, judge: best_threshold(blended, y, judge, labels)
        return lambda blended, y, _: Decision(lambda p: labels[(np.asarray(p) > 0.5).astype(int)])
    if not np.issubdtype(labels.dtype, np.number):
        raise KKError("text labels cannot be averaged", "Give the labels as codes 0, 1, ... and the probabilities of each class")
    low, high = labels.min(), labels.max()
    return lambda blended, y, _: Decision(lambda p: np.clip(np.rint(p), low, high))


def _grade(blended: Array, labels: Array, kind: str) -> Array:
    """Expected grade of each row."""
    if kind == "classes":
        return np.asarray(blended) @ labels
    return labels[0] + np.asarray(blended) * (labels[1] - labels[0]) if kind == "chance" else np.asarray(blended)


def rate_matched(grade: Array, truth: Array, labels: Array, kind: str) -> Decision:
    """Cuts at which as many rows get a grade as have it: they fit less noise than cuts that seek the best kappa."""
    values, counts = np.unique(truth, return_counts=True)
    shares = np.cumsum(counts)[:-1] / counts.sum()
    cuts = np.quantile(grade, shares) if len(shares) else np.empty(0)
    kept = {"cuts": np.round(cuts, 10).tolist(), "labels": values.tolist()}
    return Decision(lambda p: values[np.searchsorted(cuts, _grade(p, labels, kind), side="right")], kept)


def best_threshold(p: Array, truth: Array, metric: Metric, labels: Array) -> Decision:
    """The median of the thresholds that the metric likes best on five parts of the rows: steadier than the best of all rows."""
    rng = np.random.default_rng(0)
    part = rng.permutation(len(p)) % (SPREAD_FOLDS if len(p) >= 50 * SPREAD_FOLDS else 1)
    found = [_threshold(p[part != k], truth[part != k], metric, labels) if part.max() else _threshold(p, truth, metric, labels)
             for k in range(int(part.max()) + 1)]
    cut = float(np.median(found))
    return Decision(lambda q: labels[(np.asarray(q) > cut).astype(int)], {"threshold": cut})


def _f1(true: Array, false: Array, positives: float, negatives: float) -> Array:
    return 2 * true / np.maximum(true + false + positives, 1)


def _mcc(true: Array, false: Array, positives: float, negatives: float) -> Array:
    said, total = true + false, positives + negatives
    spread = np.sqrt(np.maximum(said * (total - said) * positives * negatives, 1e-12))
    return (true * total - said * positives) / spread


# Scores of many cuts from counts of right and wrong positives; other metrics are called for each cut.
COUNTED: dict[str, Callable[[Array, Array, float, float], Array]] = {
    "f1": _f1, "mcc": _mcc,
    "balanced_accuracy": lambda true, false, positives, negatives: (true / positives - false / negatives) / 2,
}


def _threshold(p: Array, truth: Array, metric: Metric, labels: Array) -> float:
    cuts = np.unique(np.quantile(p, np.linspace(0, 1, THRESHOLDS + 1)[:-1]))
    counted = COUNTED.get(metric.name)
    if counted is None:
        scores = np.array([metric.sign * metric(truth, labels[(p > cut).astype(int)]) for cut in cuts])
    else:
        hit = truth == labels[1]
        true = hit.sum() - np.searchsorted(np.sort(p[hit]), cuts, side="right")
        false = (~hit).sum() - np.searchsorted(np.sort(p[~hit]), cuts, side="right")
        scores = counted(true.astype(float), false.astype(float), float(hit.sum()), float((~hit).sum()))
    best = np.flatnonzero(scores >= scores.max() - 1e-12)
    return float(cuts[best[len(best) // 2]])


def decided_again(details: Mapping[str, object], values: Array, classes: Sequence[object]) -> Array | None:
    """Labels of blended predictions by the threshold or the cuts that a run keeps; None where it keeps none.

    >>> decided_again({"threshold": 0.3}, np.array([0.2, 0.4]), ("no", "yes")).tolist()
    ['no', 'yes']
    """
    labels = np.array(list(classes))
    if "threshold" in details:
        return labels[(values > float(details["threshold"])).astype(int)]
    if "cuts" in details:
        kind = "classes" if values.ndim == 2 else "chance" if len(labels) == 2 else "value"
        grade = _grade(values, labels, kind) if len(labels) else values
        return np.array(details["labels"])[np.searchsorted(np.asarray(details["cuts"], dtype=float), grade, side="right")]
    return None
