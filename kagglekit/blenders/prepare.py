"""From arrays to Rows: shapes and values are checked, rows that lack a prediction are left out, a single fold is cut in parts."""

from collections.abc import Sequence

import numpy as np

from kagglekit.blenders.case import Rows
from kagglekit.errors import KKError
from kagglekit.kernels.auc import rank01
from kagglekit.metrics import Metric, check_metric
from kagglekit.noise import missing_rows

Array = np.ndarray
PARTS = 5  # a single fold is cut in so many parts, or no row would be left to fit weights on
FEWEST = 10
ALIKE = 2.0  # scores whose spreads differ by more are blended by ranks


def prepare(y: Array, oof: Array, folds: Array | None, metric: Metric | str, *, groups: Array | None = None,
            classes: Sequence[object] = (), earlier: bool = False, names: Sequence[str] = ()) -> Rows:
    """Rows of a fold for which every model has a prediction; y holds labels of `classes` (default: its own values, in order).

    Where only the order counts and the models' scales differ, their ranks are blended. `names` are the models' in errors. Raises KKError
    for shapes that do not fit, too few rows, infinite values and what is no probability where the metric takes these.
    """
    judge, y = check_metric(metric), np.asarray(y)
    y = y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y
    oof = oof if np.issubdtype(getattr(oof, "dtype", np.int64), np.floating) else np.asarray(oof, dtype=float)
    folds = _checked_folds(len(y), oof, folds)
    missing = missing_rows(oof)
    kept = np.flatnonzero((folds >= 0) & ~missing)
    if len(kept) < FEWEST:
        raise KKError(f"{len(kept)} rows have a prediction of every model and a fold: too few to blend{_least(oof, names)}",
                      f"Blend runs of the same folds, with {FEWEST} rows or more")
    truth, used = y[kept], folds[kept]
    groups = None if groups is None else _checked_groups(groups, len(y))[kept]
    kind = kind_of(judge, oof, truth, classes)
    one_fold = len(np.unique(used)) == 1
    if one_fold:
        used = _cut(len(kept), groups)
    parts = [np.flatnonzero(used == fold) for fold in np.unique(used)]
    values = oof if len(kept) == len(y) else oof[:, kept]
    _check_values(values, kind, judge, names)
    ranked = judge.needs == "rank" and kind != "classes" and _unlike(values)
    codes = _codes(truth, kind, classes, values)
    return Rows(codes, truth if judge.needs in ("label", "list") or kind == "value" else codes, rank01(values) if ranked else values, judge, kind,
                parts, groups, kept, len(y), int(((folds >= 0) & missing).sum()), one_fold, earlier and not one_fold, ranked)


def _least(oof: Array, names: Sequence[str]) -> str:
    """The model with the most gaps, in words."""
    seen = [int((~missing_rows(one[None])).sum()) for one in oof]
    if not seen or min(seen) == len(missing_rows(oof)):
        return ""
    worst = int(np.argmin(seen))
    return f"; {names[worst] if len(names) == len(oof) else f'model {worst}'} predicts {seen[worst]:,} rows"


def _checked_folds(rows: int, oof: Array, folds: Array | None) -> Array:
    folds = np.zeros(rows, int) if folds is None else np.asarray(folds)
    if oof.ndim < 2 or oof.shape[1] != rows or folds.shape != (rows,):
        raise KKError(f"y has {rows} rows, oof has the shape {oof.shape}, folds {folds.shape}",
                      "Give oof as models x rows [x classes] and one fold a row")
    if folds.dtype.kind not in "iuf" or not np.isfinite(folds.astype(float)).all():
        raise KKError(f"folds hold {folds[0]!s}" if folds.dtype.kind not in "iuf" else "folds hold gaps (NaN)",
                      "Give one whole number a row, -1 where a row is not scored")
    return folds


def _checked_groups(groups: Array, rows: int) -> Array:
    groups = np.asarray(groups)
    if groups.shape != (rows,):
        raise KKError(f"there are {rows} rows and groups of the shape {groups.shape}", "Give one group a row")
    return groups


def kind_of(metric: Metric, oof: Array, truth: Array, classes: Sequence[object]) -> str:
    """What is blended: classes where there is a third axis, one chance a row for two classes, else values."""
    if oof.ndim == 3:
        return "classes"
    if metric.needs == "value":
        return "value"
    if metric.needs == "label":
        two = len(classes) == 2 or (not len(classes) and len(np.unique(truth)) == 2)
        return "chance" if two else "value"
    return "chance" if metric.classes == "binary" or len(np.unique(truth)) <= 2 else "value"


def _codes(truth: Array, kind: str, classes: Sequence[object], oof: Array) -> Array:
    """Class codes 0.. in the order of the classes; numbers as they are."""
    if kind == "value":
        if not np.issubdtype(truth.dtype, np.number) and truth.dtype != bool:
            raise KKError(f"the truth holds {truth[0]!r} and predictions are one number a row: text labels cannot be averaged",
                          "Give the probabilities of each class (models x rows x classes), or codes 0, 1, ...")
        return truth.astype(np.float64)
    wanted = oof.shape[2] if kind == "classes" else 2
    whole = np.issubdtype(truth.dtype, np.number) and not len(classes) and (truth == np.clip(np.rint(truth), 0, wanted - 1)).all()
    if whole or truth.dtype == bool:
        return truth.astype(np.int64)
    known = list(classes) if len(classes) else np.unique(truth).tolist()
    if len(known) != wanted:
        raise KKError(f"y holds {len(known)} classes ({', '.join(map(str, known[:5]))}), the predictions are of {wanted}",
                      "Name all of them in the order of the predictions: classes=[...]")
    place = {str(label): code for code, label in enumerate(known)}
    strange = [label for label in np.unique(truth).tolist() if str(label) not in place]
    if strange:
        raise KKError(f"y holds {strange[0]!r}, which is not among the classes {', '.join(map(str, known[:5]))}", "Name all: classes=[...]")
    return np.array([place[str(label)] for label in truth.tolist()], dtype=np.int64)


def _check_values(oof: Array, kind: str, metric: Metric, names: Sequence[str]) -> None:
    chances = metric.needs == "proba" or kind == "classes"
    for model, values in enumerate(oof):
        name = names[model] if len(names) == len(oof) else f"model {model}"
        if not np.isfinite(values).all():
            raise KKError(f"{name} predicts infinity in {int((~np.isfinite(values)).sum())} rows", "Mend its predictions, or leave it out")
        if chances and (values.min() < -1e-6 or values.max() > 1 + 1e-6):
            raise KKError(f"{name} predicts {values.min():g} to {values.max():g}, probabilities lie in 0 to 1",
                          "Give probabilities (predict_proba), not scores or labels")


def _unlike(oof: Array) -> bool:
    """Whether scores are no probabilities, or differ so much in spread that a mean of them would be the widest one's."""
    spread = np.array([float(np.std(one)) for one in oof])
    known = spread[spread > 0]
    bounded = all(float(np.min(one)) >= 0 and float(np.max(one)) <= 1 for one in oof)
    return len(known) > 1 and (not bounded or known.max() > ALIKE * known.min())


def _cut(count: int, groups: Array | None) -> Array:
    code = np.arange(count) if groups is None else np.unique(groups, return_inverse=True)[1]
    return (np.random.default_rng(0).permutation(int(code.max()) + 1) % PARTS)[code]
