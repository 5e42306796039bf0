"""Scoring: a run's predictions against the truth, fold by fold, with the standard error that may be believed."""

from collections.abc import Mapping

import numpy as np

from kagglekit.errors import KKError
from kagglekit.fold import Data
from kagglekit.folds import Folds
from kagglekit.metrics import Metric
from kagglekit.models.family import Problem
from kagglekit.predictions import decide
from kagglekit.run import Score

Array = np.ndarray


def truth_for(metric: Metric, data: Data, problem: Problem) -> Array:
    """The target in the form that the metric scores: labels, class codes or values."""
    return data.y if metric.needs == "label" else data.target


def said_for(metric: Metric, values: Array, problem: Problem) -> Array:
    """Predictions in the form that the metric scores."""
    return decide(values, metric.form, problem.classes, metric.parameter if metric.needs == "list" else None)


def fold_scores(problem: Problem, data: Data, folds: Folds, parts: Mapping[tuple[int, int], Array], used: Array) -> Score:
    """The Score of predictions given for each (repeat, fold): arrays over its validated rows; `used` marks rows that count.

    Standard error: Nadeau-Bengio over folds; with one fold the influence function's over its rows (a lower bound).
    """
    metric, truth = problem.metric, truth_for(problem.metric, data, problem)
    scores, pooled_truth, pooled_said, ratios = [], [], [], []
    for (repeat, number), values in parts.items():
        fold = folds.one(repeat, number)
        keep = used[fold.valid]
        rows = fold.valid[keep]
        said = said_for(metric, values[keep], problem)
        try:
            scores.append(metric(truth[rows], said))
        except KKError as error:
            raise KKError(f"fold {number}: {error.what}", error.do) from error
        pooled_truth.append(truth[rows])
        pooled_said.append(said)
        ratios.append(len(rows) / max(int(used[fold.train].sum()), 1))
    truths, saids = np.concatenate(pooled_truth), np.concatenate(pooled_said)
    se = nadeau_bengio(scores, float(np.mean(ratios))) if len(scores) > 1 else row_se(metric, truths, saids)
    return Score(mean=float(np.mean(scores)), se=se, per_fold=tuple(scores), pooled=metric(truths, saids))


def nadeau_bengio(scores: list[float], ratio: float) -> float:
    """Standard error of a mean of fold scores, sd * sqrt(1/folds + test/train) (Nadeau & Bengio 2003)."""
    return float(np.std(scores, ddof=1) * np.sqrt(1 / len(scores) + ratio))


def row_se(metric: Metric, truth: Array, said: Array) -> float | None:
    """Standard error of one score from its rows' influence, None where the metric has none."""
    if metric.influence is None:
        return None
    return float(np.std(metric.influence(truth, said)) / np.sqrt(len(truth)))


def parts_of(folds: Folds, oof: Array) -> dict[tuple[int, int], Array]:
    """An OOF array (rows, or rows x classes) cut into what each fold validated; rows without a value leave their fold."""
    scored = ~np.isnan(oof if oof.ndim == 1 else oof.sum(axis=1))
    parts = {}
    for fold in folds:
        if scored[fold.valid].any():
            parts[fold.repeat, fold.fold] = oof[fold.valid]
    return parts


def average(folds: Folds, parts: Mapping[tuple[int, int], Array], used: Array, width: int) -> Array:
    """One OOF array from the folds' parts: mean over repeats, NaN where a row was never validated."""
    total = np.zeros((folds.rows, width))
    count = np.zeros(folds.rows)
    for (repeat, number), values in parts.items():
        valid = folds.one(repeat, number).valid
        keep = used[valid]
        total[valid[keep]] += values.reshape(len(valid), -1)[keep]
        count[valid[keep]] += 1
    with np.errstate(invalid="ignore", divide="ignore"):
        oof = total / count[:, None]
    oof[count == 0] = np.nan
    return oof[:, 0] if width == 1 else oof
