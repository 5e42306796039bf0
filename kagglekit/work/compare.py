"""Runs beside each other: near copies, and the paired gap of two with what it may be believed."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kagglekit.errors import KKError
from kagglekit.fold import Data
from kagglekit.folds import Folds
from kagglekit.models.family import Problem
from kagglekit.noise import cv_se, lb_se
from kagglekit.progress import task
from kagglekit.run import Run
from kagglekit.store import Store
from kagglekit.work.kept import load_folds
from kagglekit.work.load import load_data, problem_of
from kagglekit.work.score import fold_scores, said_for, truth_for

Array = np.ndarray
COPY = 0.999
SURE = 0.05  # two-sided p below which a gap is more than chance


@dataclass(frozen=True, slots=True)
class Compared:
    """Run a against run b on the same rows: gap is score of a minus score of b as the competition shows scores.

    se: Nadeau-Bengio over paired folds; over rows (a lower bound) where they share one fold. z = gap / se, p two-sided.
    per_fold: repeat, fold, a, b, gap. correlation: of their OOF predictions.
    """

    a: str
    b: str
    gap: float
    se: float | None
    z: float | None
    p: float | None
    better: str
    rows: int
    per_fold: tuple[dict[str, object], ...]
    correlation: float | None
    says: str


def correlation(a: Array, b: Array) -> float | None:
    """Pearson's r of two runs' predictions over the rows that both have, each column centred; None where one is constant.

    >>> round(correlation(np.array([1.0, 2.0, np.nan, 4.0]), np.array([2.0, 4.0, 5.0, 8.0])), 3)
    1.0
    """
    a, b = (np.asarray(one, dtype=np.float64).reshape(len(one), -1) for one in (a, b))
    both = ~(np.isnan(a).any(axis=1) | np.isnan(b).any(axis=1))
    if both.sum() < 3:
        return None
    a, b = a[both], b[both]
    a, b = (a - a.mean(axis=0)).ravel(), (b - b.mean(axis=0)).ravel()
    size = math.sqrt(float(a @ a) * float(b @ b))
    return float(np.clip(float(a @ b) / size, -1, 1)) if size > 0 else None


def near_copies(store: Store, fingerprint: str, oof: Array, target: Array | None = None) -> tuple[str, ...]:
    """Runs on the same folds whose predictions correlate above .999 with `oof`, one run in memory at a time.

    With a numeric `target` their errors must do so too: good models of a smooth target are alike without being copies.
    """
    found = []
    runs = [run for run in store.all_runs() if run.folds_fingerprint == fingerprint and run.status == "done"]
    with task("looking for near copies", total=len(runs), unit="runs") as work:
        for run in runs:
            other = store.array(run, "oof")
            if other is not None and other.shape == oof.shape and (correlation(other, oof) or 0.0) > COPY:
                errors = None if target is None else correlation(other - target, oof - target)
                if errors is None or errors > COPY:
                    found.append(run.id)
            work.advance()
    return tuple(found)


def compare(store: Store, first: str, second: str) -> Compared:
    """The paired difference of two runs; raises KKError where they are on different folds or share no row."""
    runs = [store.run(first), store.run(second)]
    folds = load_folds(_common_folds(runs), store)
    oofs = [_oof_of(store, run) for run in runs]
    problem, data = problem_of(store.competition), load_data(store)
    keys, scores, used = _paired_scores(runs, folds, oofs, problem, data)
    gaps = scores[0] - scores[1]
    if len(keys) > 1:
        ratio = float(np.mean([len(folds.one(*key).valid) / max(len(folds.one(*key).train), 1) for key in keys]))
        noise = cv_se(scores, ratio)
        se, df = float(noise.se[0, 1]), noise.df
    else:
        se, df = _row_se(oofs, problem, data, used), math.inf
    gap, alike = float(gaps.mean()), correlation(*oofs)
    ids = [run.id for run in runs]
    better = "" if gap == 0 else ids[0] if gap * problem.metric.sign > 0 else ids[1]
    z, p = _significance(gap, se, df)
    per_fold = tuple({"repeat": repeat, "fold": fold, "a": float(scores[0, k]), "b": float(scores[1, k]), "gap": float(gaps[k])}
                     for k, (repeat, fold) in enumerate(keys))
    return Compared(ids[0], ids[1], gap, se, z, p, better, int(used.sum()), per_fold, alike, _says(runs, gap, z, p, better, len(keys)))


def _common_folds(runs: Sequence[Run]) -> str:
    for run in runs:
        if run.status != "done" or not run.folds:
            raise KKError(f"{run.id} {run.name} has no out-of-fold predictions (kind {run.kind}, status {run.status})",
                          "Compare finished runs on folds; see: kk runs")
    first, second = runs
    if first.folds_fingerprint != second.folds_fingerprint:
        raise KKError(f"{first.id} is on the folds {first.folds}, {second.id} on {second.folds}: their scores are of different rows and models",
                      f"Bring one to the other's folds: kk train {second.model} --folds {first.folds} "
                      f"(or kk add {second.name} --oof FILE --folds {first.folds})")
    return first.folds


def _oof_of(store: Store, run: Run) -> Array:
    oof = store.array(run, "oof")
    if oof is None:
        raise KKError(f"{run.id} {run.name} has lost its out-of-fold predictions", f"Make the run again: kk train {run.model}")
    return oof.astype(np.float64)


def _paired_scores(runs: Sequence[Run], folds: Folds, oofs: Sequence[Array], problem: Problem,
                   data: Data) -> tuple[list[tuple[int, int]], Array, Array]:
    """(repeat, fold) keys that both runs cover, their scores (2 x keys) and the rows they share."""
    used = np.all([~np.isnan(oof.reshape(len(oof), -1)).any(axis=1) for oof in oofs], axis=0)
    if not used.any():
        raise KKError(f"{runs[0].id} and {runs[1].id} have no row in common", "Compare runs that cover the same folds")
    keys = [(fold.repeat, fold.fold) for fold in folds if used[fold.valid].any()]
    if all(len(run.score.per_fold) == len(folds) and run.sample == 1.0 for run in runs) and len(keys) == len(folds):
        return keys, np.array([run.score.per_fold for run in runs]), used
    scores = [fold_scores(problem, data, folds, {key: oof[folds.one(*key).valid] for key in keys}, used).per_fold for oof in oofs]
    return keys, np.array(scores), used


def _row_se(oofs: Sequence[Array], problem: Problem, data: Data, used: Array) -> float:
    said = np.stack([said_for(problem.metric, oof[used], problem) for oof in oofs])
    truth = truth_for(problem.metric, data, problem)[used]
    groups = None if data.groups is None else data.groups[used]
    return float(lb_se(truth, said, problem.metric, len(truth), groups=groups).se[0, 1])


def _significance(gap: float, se: float, df: float) -> tuple[float | None, float | None]:
    from scipy.special import ndtr, stdtr

    if se == 0:
        return (0.0, 1.0) if gap == 0 else (None, None)
    z = gap / se
    return z, float(2 * (ndtr(-abs(z)) if math.isinf(df) else stdtr(df, -abs(z))))


def _says(runs: Sequence[Run], gap: float, z: float | None, p: float | None, better: str, folds: int) -> str:
    """The gap in a sentence, with how far it can be believed."""
    if not better:
        return f"{runs[0].id} and {runs[1].id} have the same score"
    ahead, behind = runs if better == runs[0].id else runs[::-1]
    head = f"{ahead.id} is better than {behind.id} by {abs(gap):.3g}"
    if z is None or p is None:
        return f"{head}, the same in every fold"
    verdict = f"more than chance (p = {p:.2g})" if p < SURE else "too small to tell" if abs(z) < 1 else f"not settled (p = {p:.2g})"
    bound = "; with one fold in common the SE is a lower bound" if folds == 1 else ""
    part = [f"{run.id} used {run.sample:.0%} of the rows" for run in runs if run.sample < 1]
    return f"{head}, {abs(z):.1f} SE: {verdict}{bound}" + (f"; {', '.join(part)}" if part else "")
