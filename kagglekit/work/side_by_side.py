"""Models on the same folds and rows side by side: the gap to the best with its paired noise, who cannot be told from it, and who errs otherwise."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kagglekit.diversity import COPY, ErrorCorrelation, error_correlation
from kagglekit.errors import KKError
from kagglekit.fold import Data
from kagglekit.folds import Folds
from kagglekit.models.family import Problem
from kagglekit.noise import cv_se, lb_se
from kagglekit.run import Run
from kagglekit.store import Store
from kagglekit.work.luck import Luck, luck
from kagglekit.work.score import said_for, truth_for

Array = np.ndarray
SURE = 0.05  # two-sided p below which a gap is more than chance


@dataclass(frozen=True, slots=True)
class SideBySide:
    """Runs in the order of their scores, the best first, and what `gaps` (as the competition shows scores), their standard errors `se` (models
    x models, paired) and two-sided p against the best say.

    alike: correlation of the errors with the best's (None where it has no meaning); helps: what the plain mean
    with the best gains over the best alone (positive: better). copies: pairs of near copies, by place.
    """

    runs: tuple[Run, ...]
    gaps: Array
    se: Array | None
    df: float
    p: Array
    alike: tuple[float | None, ...]
    helps: tuple[float | None, ...]
    copies: tuple[tuple[int, int], ...]
    luck: Luck | None

    def tied(self, place: int) -> bool:
        """Whether a run cannot be told from the best."""
        return place > 0 and not self.p[place] < SURE

    def resolved(self, i: int, j: int) -> bool:
        """Whether the order of two runs is more than chance."""
        return bool(self.se is not None and _p(float(self.gaps[i] - self.gaps[j]), float(self.se[i, j]), self.df) < SURE)


def side_by_side(store: Store, runs: Sequence[Run], folds: Folds, problem: Problem, data: Data, used: Array) -> SideBySide:
    """Runs on the same folds and the same rows `used`; one run alone is the best."""
    sign = problem.metric.sign
    ordered = sorted(runs, key=lambda run: -sign * _mean(run))
    scores = np.array([run.score.per_fold for run in ordered])
    gaps = np.array([_mean(run) - _mean(ordered[0]) for run in ordered])
    oofs = _oofs(store, ordered)
    se, df = _noise(scores, folds, used, oofs, problem, data)
    p = np.array([1.0 if se is None or k == 0 else _p(gaps[k], float(se[0, k]), df) for k in range(len(ordered))])
    errors = _errors(oofs, problem, data)
    alike = (None,) * len(ordered) if errors is None else tuple(map(float, errors.matrix[0]))
    return SideBySide(tuple(ordered), gaps, se, df, p, alike, _helps(oofs, problem, data), _copies(errors),
                      luck(ordered, sign) if len(ordered) > 1 else None)


def _mean(run: Run) -> float:
    assert run.score.mean is not None
    return run.score.mean


def _oofs(store: Store, runs: Sequence[Run]) -> tuple[Array, Array]:
    """Predictions (models x rows in use [x classes]) of the rows that all have, and which these are."""
    arrays = [store.array(run, "oof", mapped=True) for run in runs]
    seen = np.ones(len(arrays[0]), dtype=bool)
    for one in arrays:
        seen &= ~np.isnan(np.asarray(one).reshape(len(one), -1)).any(axis=1)
    rows = np.flatnonzero(seen)
    return np.stack([np.asarray(one[rows], dtype=np.float64) for one in arrays]), rows


def _noise(scores: Array, folds: Folds, used: Array, oofs: tuple[Array, Array], problem: Problem, data: Data) -> tuple[Array | None, float]:
    """Paired standard errors and degrees of freedom: Nadeau & Bengio (2003) over folds, over rows where there is one fold."""
    if scores.shape[1] > 1:
        ratio = [used[fold.valid].sum() / max(int(used[fold.train].sum()), 1) for fold in folds]
        noise = cv_se(scores, ratio)
        return noise.se, noise.df
    said, rows = oofs
    truth, groups = truth_for(problem.metric, data, problem)[rows], None if data.groups is None else data.groups[rows]
    try:
        return lb_se(truth, np.stack([said_for(problem.metric, one, problem) for one in said]), problem.metric, len(rows), groups=groups).se, np.inf
    except KKError:
        return None, np.inf


def _p(gap: float, se: float, df: float) -> float:
    from scipy.special import ndtr, stdtr

    if se == 0:
        return 1.0 if gap == 0 else 0.0
    z = -abs(gap / se)
    return float(2 * (ndtr(z) if np.isinf(df) else stdtr(df, z)))


def _errors(oofs: tuple[Array, Array], problem: Problem, data: Data) -> ErrorCorrelation | None:
    """The correlation of errors, None where the metric does not say what an error of a row is."""
    values, rows = oofs
    if len(values) < 2:
        return None
    try:
        said = np.stack([said_for(problem.metric, one, problem) for one in values])
        return error_correlation(truth_for(problem.metric, data, problem)[rows], said, problem.metric)
    except KKError:
        return None


def _helps(oofs: tuple[Array, Array], problem: Problem, data: Data) -> tuple[float | None, ...]:
    """What the plain mean of the best with each other gains over the best alone, over all rows; None where it cannot be scored."""
    values, rows = oofs
    metric, truth = problem.metric, truth_for(problem.metric, data, problem)[rows]

    def score(predictions: Array) -> float:
        return metric.sign * float(metric(truth, said_for(metric, predictions, problem)))

    try:
        alone = score(values[0])
        return (None, *(score((values[0] + other) / 2) - alone for other in values[1:]))
    except KKError:
        return (None,) * len(values)


def _copies(errors: ErrorCorrelation | None) -> tuple[tuple[int, int], ...]:
    if errors is None:
        return ()
    return tuple((int(i), int(j)) for i, j in zip(*np.nonzero(np.triu(1 - errors.alike < COPY, 1)), strict=True))
