"""Several targets: each column has its own weights, and the metric judges the columns together."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from kagglekit.blenders.base import Fit
from kagglekit.blenders.decision import Decision
from kagglekit.blenders.nested import chosen_single
from kagglekit.metrics import Metric, check_metric
from kagglekit.noise import bootstrap, cv_se, missing_rows, paired_row_se

Array = np.ndarray
COLUMN = {"mcrmse": "rmse", "kld": "rmse", "mcrmsle": "rmsle", "mcauc": "auc", "mclogloss": "logloss"}


def blend_columns(blend: Callable, y: Array, oof: Array, folds: Array, metric: Metric, method: str, nested: bool, groups: Array | None,
                  earlier: bool, names: Sequence[str] = ()) -> object:
    """The Blend of models x rows x targets (or quantiles of one target), made a column at a time by `blend`; weights are models x columns.

    Columns are fitted to the metric's own measure of one column; where it has none, to log loss for probabilities and squared error
    for numbers.
    """
    columns = [blend(y if y.ndim == 1 else y[:, k], oof[:, :, k], folds, by, method, nested, groups, earlier=earlier, names=names)
               for k, by in enumerate(_measures(metric, oof.shape[2]))]
    scored = (folds >= 0) & ~missing_rows(oof)
    parts = [np.flatnonzero(scored & (folds == fold)) for fold in np.unique(folds[scored])]
    parts = parts[1:] if earlier and len(parts) > 1 else parts  # by time the first only serves to fit

    def said(values: Array) -> Array:
        return (values > 0.5).astype(np.int64) if metric.form == "multilabel" else values

    def scores(values: Array) -> Array:
        return np.array([metric(y[part], said(values[part])) for part in parts])

    blended = np.stack([one.oof for one in columns], axis=1)
    fit = Fit(lambda given: np.stack([one.predict(np.asarray(given)[:, :, k]) for k, one in enumerate(columns)], axis=1))
    fitted = np.full(oof.shape[1:], np.nan)
    fitted[scored] = fit.predict(oof[:, scored])
    table = np.stack([scores(np.asarray(one, dtype=np.float64)) for one in oof])
    singles = table.mean(axis=1)
    best = int(np.argmax(metric.sign * singles))
    own, inside = scores(blended), float(scores(fitted).mean())
    score = float(own.mean()) if nested else None
    like = columns[0]
    weights = None if any(one.weights is None for one in columns) else np.stack([one.weights for one in columns], axis=1)
    return replace(
        like, weights=weights, nested=score, nested_se=_se(own, metric, y, said(blended), parts, groups) if nested else None, in_sample=inside,
        optimism=None if score is None else metric.sign * (inside - score), blender=_named(columns), oof=blended, per_fold=own.tolist(),
        best_single=float(singles[best]), best_single_index=best, best_single_nested=chosen_single(metric, table),
        equal_weights=float(scores(np.asarray(oof, dtype=np.float64).mean(axis=0)).mean()),
        gain=None if score is None else metric.sign * (score - float(singles[best])),
        gain_se=_gap(metric, y, said(blended), said(oof[best]), parts, groups) if nested else None,
        tried={}, details={"columns": [dict(one.details) for one in columns], "blenders": [one.blender for one in columns]}, fit=fit,
        decision=Decision(said))


def by_column(metric: Metric, y: Array, oof: Array) -> bool:
    """Whether a blend is made a column at a time: of several targets, or of several quantiles of one."""
    return (np.ndim(y) == 2 and metric.needs != "list") or (metric.columns == "quantiles" and np.ndim(oof) == 3)


def _measures(metric: Metric, columns: int) -> list[Metric]:
    """The measure of each column."""
    if metric.columns == "quantiles":
        return [check_metric(f"pinball@{quantile:g}") for quantile in metric.parameter]
    return [check_metric(COLUMN.get(metric.name, "logloss" if metric.needs != "value" else "rmse"))] * columns


def columns_gap_se(metric: Metric, y: Array, one: Array, other: Array, folds: Array, groups: Array | None) -> float:
    """Standard error of the gap between the scores of two blends of several targets (NaN where not scored), paired by row or group."""
    scored = (folds >= 0) & ~np.isnan(one).any(axis=1) & ~np.isnan(other).any(axis=1)
    parts = [np.flatnonzero(scored & (folds == fold)) for fold in np.unique(folds[scored])]
    labels = metric.form == "multilabel"
    first, second = ((one > 0.5).astype(np.int64), (other > 0.5).astype(np.int64)) if labels else (one, other)
    return _gap(metric, y, first, second, parts, groups)


def _named(columns: Sequence[object]) -> str:
    names = [one.blender for one in columns]
    return max(set(names), key=names.count)


def _se(scores: Array, metric: Metric, y: Array, said: Array, parts: Sequence[Array], groups: Array | None) -> float:
    if len(scores) > 1:
        return float(cv_se(scores, 1 / (len(scores) - 1)).se[0, 0])
    return _gap(metric, y, said, None, parts, groups)


def _gap(metric: Metric, y: Array, one: Array, other: Array | None, parts: Sequence[Array], groups: Array | None) -> float:
    """Standard error of a gap between two mean scores (of one score without the other), paired by row or group."""
    rows = np.concatenate(parts)
    within = None if groups is None else np.asarray(groups)[rows]
    if metric.influence is None:
        pair = np.stack([one[rows]] if other is None else [one[rows], other[rows]])
        draws = bootstrap(y[rows], pair, metric, groups=within)
        return float((draws[0] if other is None else draws[0] - draws[1]).std(ddof=1))
    shares = []
    for part in parts:
        own = metric.influence(y[part], one[part])
        shares.append((own if other is None else own - metric.influence(y[part], other[part])) / (len(part) * len(parts)))
    return paired_row_se(np.concatenate(shares), within)
