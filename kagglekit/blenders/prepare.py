"""From arrays to Rows: shapes are checked, rows that lack a prediction are left out, a single fold is cut in parts."""

from collections.abc import Sequence

import numpy as np

from kagglekit.blenders.case import Rows
from kagglekit.errors import KKError
from kagglekit.metrics import Metric, check_metric
from kagglekit.noise import missing_rows

Array = np.ndarray
PARTS = 5  # a single fold is cut in so many parts, or no row would be left to fit weights on


def prepare(y: Array, oof: Array, folds: Array | None, metric: Metric | str, *, groups: Array | None = None,
            classes: Sequence[object] = (), earlier: bool = False) -> Rows:
    """Rows of a fold for which every model has a prediction; y holds labels of `classes` where these are given."""
    judge, y = check_metric(metric), np.asarray(y)
    oof = oof if np.issubdtype(getattr(oof, "dtype", np.int64), np.floating) else np.asarray(oof, dtype=float)
    folds = np.zeros(len(y), int) if folds is None else np.asarray(folds)
    if oof.ndim < 2 or oof.shape[1] != len(y) or folds.shape != (len(y),):
        raise KKError(f"y has {len(y)} rows, oof has the shape {oof.shape}, folds {folds.shape}",
                      "Give oof as models x rows [x classes] and one fold a row")
    missing = missing_rows(oof)
    kept = np.flatnonzero((folds >= 0) & ~missing)
    if not len(kept):
        raise KKError("no row has a prediction of every model", "Blend runs of the same folds")
    everything = len(kept) == len(y)
    truth, used = y[kept], folds[kept]
    groups = None if groups is None else np.asarray(groups)[kept]
    kind = kind_of(judge, oof, truth, classes)
    one_fold = len(np.unique(used)) == 1
    if one_fold:
        used = _cut(len(kept), groups)
    parts = [np.flatnonzero(used == fold) for fold in np.unique(used)]
    values = oof if everything else oof[:, kept]
    _check_finite(values)
    return Rows(_codes(truth, kind, classes), truth, values, judge, kind, parts, groups, kept, len(y), int(((folds >= 0) & missing).sum()),
                one_fold, earlier and not one_fold)


def kind_of(metric: Metric, oof: Array, truth: Array, classes: Sequence[object]) -> str:
    """What is blended: classes where there is a third axis, one chance a row for two classes, else values."""
    if oof.ndim == 3:
        return "classes"
    if metric.needs == "value":
        return "value"
    if metric.needs == "label":
        two = len(classes) == 2 or (not len(classes) and set(np.unique(truth).tolist()) <= {0, 1})
        return "chance" if two else "value"
    return "chance"


def _codes(truth: Array, kind: str, classes: Sequence[object]) -> Array:
    if kind == "value":
        if not np.issubdtype(truth.dtype, np.number) and truth.dtype != bool:
            raise KKError("text labels cannot be averaged", "Give the labels as codes 0, 1, ... and the probabilities of each class")
        return truth.astype(np.float64)
    if not len(classes):
        if np.issubdtype(truth.dtype, np.number) or truth.dtype == bool:
            return truth.astype(np.int64)
        raise KKError("text labels cannot be averaged", "Give the labels as codes 0, 1, ... and the probabilities of each class")
    place = {str(label): code for code, label in enumerate(classes)}
    return np.array([place[str(label)] for label in truth], dtype=np.int64)


def _check_finite(oof: Array) -> None:
    for model, values in enumerate(oof):
        if not np.isfinite(values).all():
            raise KKError(f"model {model} predicts infinity in {int((~np.isfinite(values)).sum())} rows", "Mend its predictions, or leave it out")


def _cut(count: int, groups: Array | None) -> Array:
    code = np.arange(count) if groups is None else np.unique(groups, return_inverse=True)[1]
    return (np.random.default_rng(0).permutation(int(code.max()) + 1) % PARTS)[code]
