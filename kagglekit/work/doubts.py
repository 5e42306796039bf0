"""Doubts about predictions from elsewhere: what cannot be meant is refused, what looks wrong is said."""

from collections.abc import Sequence

import numpy as np

from kagglekit.errors import KKError
from kagglekit.folds import Folds
from kagglekit.metrics import tied_ranks
from kagglekit.models.family import Problem
from kagglekit.predictions import Predictions

Array = np.ndarray
SHOWN = 8
SLACK, SUM_SLACK = 1e-6, 0.01  # how far probabilities may leave 0 to 1, and their sum 1
CLEARLY = 5  # standard errors by which an AUC below 0.5 is no accident


def refuse_swapped(oof_rows: int, test_rows: int | None, train: int, test: int) -> None:
    """Raise KKError where the lengths say that OOF and test predictions changed places.

    >>> refuse_swapped(100, 40, train=100, test=40)
    """
    if train != test and oof_rows == test and test_rows in (None, train):
        raise KKError(f"the OOF predictions have {oof_rows} rows as the test table has, the train table has {train}",
                      "They are the other way round: give the predictions of train as --oof, those of test as --test")


def refuse_scale(said: Predictions, problem: Problem, what: str) -> None:
    """Raise KKError for numbers that cannot be probabilities, and for labels where the metric needs probabilities."""
    values = said.values[said.covered]
    if odd := no_probabilities(values, problem):
        raise KKError(f"{what} {odd}", "Add probabilities (predict_proba), not scores or labels")
    if problem.classifies and problem.metric.needs == "proba" and _are_labels(values):
        raise KKError(f"{what} are labels (only 0 and 1), {problem.metric.name} needs probabilities", "Add predict_proba instead of predict")


def no_probabilities(values: Array, problem: Problem) -> str:
    """Why predictions (rows, or rows x classes or labels) cannot be probabilities, as the end of a sentence; "" where they can.

    Where the metric looks at their order alone any scale of one class will do; a metric of one's own may take anything.

    >>> from kagglekit.metrics import check_metric
    >>> no_probabilities(np.array([0.2, 3.0]), Problem("binary", (0, 1), check_metric("logloss")))
    'reach from 0.2 to 3, probabilities lie in 0 to 1'
    """
    needs = problem.metric.needs
    if not problem.classifies or needs == "value" or not len(values):
        return ""
    if needs != "rank" and ((values < -SLACK) | (values > 1 + SLACK)).any():
        return f"reach from {values.min():g} to {values.max():g}, probabilities lie in 0 to 1"
    if problem.task != "multilabel" and values.ndim == 2:
        sums = values.sum(axis=1)
        row = int(np.argmax(np.abs(sums - 1)))
        if abs(sums[row] - 1) > SUM_SLACK:
            return f"sum to {sums[row]:.4g} over the classes in row {row}, not to 1"
    return ""


def _are_labels(values: Array) -> bool:
    return len(values) > 1 and bool(((values == 0) | (values == 1)).all())


def refuse_target(said: Predictions, target: Array) -> None:
    """Raise KKError where a regression's predictions are the target itself, to the last digit."""
    values = said.values[said.covered]
    if len(values) > 1 and np.ptp(values) > 0 and np.array_equal(values, target[said.covered]):
        raise KKError("the OOF predictions are the target itself, in every row", "Give the column of predictions: a file with id and prediction only")


def refuse_other_folds(said: Predictions, folds: Folds, ids: Sequence[object]) -> None:
    """Raise KKError where the file's own fold column cuts the rows in another way than the folds do; the numbers may differ."""
    if said.fold is None:
        return
    import pandas as pd

    theirs, covered = pd.factorize(pd.Series(said.fold))[0], said.covered
    wrong = {}
    for repeat in range(folds.repeats):
        mine = folds.vector(repeat)
        rows = np.flatnonzero(covered & (theirs >= 0) & (mine >= 0))
        wrong[repeat] = rows[_misplaced(mine[rows], theirs[rows])]
    repeat = min(wrong, key=lambda number: len(wrong[number]))
    if len(wrong[repeat]):
        rows, mine = wrong[repeat], folds.vector(repeat)
        shown = ", ".join(f"{ids[row]} (fold {said.fold[row]:g} there, {mine[row]} in {folds.name})" if isinstance(said.fold[row], (int, float))
                          else f"{ids[row]} (fold {said.fold[row]} there, {mine[row]} in {folds.name})" for row in rows[:3])
        raise KKError(f"the file's fold column disagrees with {folds.name} in {len(rows):,} rows: {shown}",
                      "Name the folds that were used: --folds NAME, or make them from the file: kk cv --audit FILE")


def _misplaced(mine: Array, theirs: Array) -> Array:
    """Rows outside of the pairs (fold here, fold there) that hold most rows, each fold in one pair."""
    if not len(mine):
        return np.zeros(0, dtype=bool)
    from scipy.optimize import linear_sum_assignment

    table = np.zeros((mine.max() + 1, theirs.max() + 1))
    np.add.at(table, (mine, theirs), 1)
    here, there = linear_sum_assignment(-table)
    partner = np.full(len(table), -1)
    partner[here] = there
    return partner[mine] != theirs


def doubts(said: Predictions, target: Array, problem: Problem, classes: Sequence[object]) -> list[str]:
    """What looks wrong in OOF predictions although it can be read: scale, order of the classes, constants, the answer itself."""
    values, truth = said.values[said.covered], target[said.covered]
    told = [*_constant(values, "the OOF predictions")]
    if problem.task == "regression" and truth.shape == values.shape:
        told += _logarithm(values, truth)
    elif problem.task == "binary" and values.ndim == 1:
        told += _turned(values, truth, classes)
    elif problem.task == "multiclass" and values.ndim == 2:
        told += _permuted(values, truth, classes)
    if problem.classifies and truth.ndim == 1:
        codes = values.argmax(axis=1) if values.ndim == 2 else values
        if len(truth) >= 20 and _are_labels(values) and np.array_equal(codes, truth):
            told.append("every label is right: check that the file holds predictions, not the target")
        elif problem.metric.needs == "rank" and _are_labels(values):
            told.append(f"the predictions are labels (only 0 and 1): {problem.metric.name} looks at their order, probabilities would say more")
    return told


def _constant(values: Array, what: str) -> list[str]:
    return [f"{what} are the same number in every row"] if len(values) > 1 and (np.ptp(values, axis=0) == 0).all() else []


def doubts_of_test(said: Predictions, oof: Predictions) -> list[str]:
    """What looks wrong in test predictions: constants, and a level far from that of the OOF predictions.

    The level is far where the medians differ by more than the whole range of the OOF predictions.
    """
    values, known = said.values, oof.values[oof.covered]
    told = _constant(values, "the test predictions")
    span = float(np.ptp(known))
    if not told and span > 0 and abs(float(np.median(values)) - float(np.median(known))) > span:
        told.append(f"the test predictions have the median {np.median(values):g}, the OOF ones {np.median(known):g}: on the same scale?")
    return told


def _logarithm(values: Array, truth: Array) -> list[str]:
    if truth.min() < 0:
        return []
    logs = np.log1p(truth)
    as_given = _rms(logs - np.log1p(np.maximum(values, 0)))
    as_logs, spread = _rms(logs - values), float(np.std(logs))
    if as_logs < 0.5 * as_given and as_logs < 1.05 * spread:
        return [f"the predictions look like log1p of the target (off by {as_logs:.3g} as logarithms, {as_given:.3g} as they are): "
                "give np.expm1(predictions)"]
    return []


def _rms(errors: Array) -> float:
    return float(np.sqrt(np.mean(errors**2)))


def _turned(values: Array, truth: Array, classes: Sequence[object]) -> list[str]:
    """Probabilities of the wrong one of two classes: an AUC far below 0.5 (its standard error under no order: Mann & Whitney 1947)."""
    ones = int((truth == 1).sum())
    zeros = len(truth) - ones
    if not ones or not zeros:
        return []
    area = (tied_ranks(values)[truth == 1].sum() - ones * (ones + 1) / 2) / (ones * zeros)
    if area < 0.4 and 0.5 - area > CLEARLY * np.sqrt((len(truth) + 1) / (12 * ones * zeros)):
        return [f"the larger the prediction, the less often is it {classes[1]!r} (AUC {area:.3f}): are these probabilities of {classes[0]!r}? "
                "Then give 1 - predictions"]
    return []


def _permuted(values: Array, truth: Array, classes: Sequence[object]) -> list[str]:
    """Columns in another order than the classes: the assignment of columns to classes with the most hits, where it is far better."""
    from scipy.optimize import linear_sum_assignment

    count = len(classes)
    hits = np.bincount(truth.astype(np.intp) * count + values.argmax(axis=1), minlength=count * count).reshape(count, count) / len(truth)
    column = linear_sum_assignment(-hits)[1]
    identity, best = float(np.trace(hits)), float(hits[np.arange(count), column].sum())
    if best - identity < max(0.2, 4 / np.sqrt(len(truth))) or identity > float(hits.sum(axis=1).max()):
        return []
    order = np.argsort(column)
    shown = ", ".join(str(classes[k]) for k in order[:SHOWN]) + (", ..." if count > SHOWN else "")
    return [f"the columns fit the classes in another order: {best:.0%} are right if they are {shown}, {identity:.0%} as they stand; "
            "name the columns by their labels"]
