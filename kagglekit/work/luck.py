"""Luck: how far the best of many runs on the same folds is ahead by luck alone (folds used often are a leaderboard of their own)."""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from kagglekit.noise import best_of
from kagglekit.run import Run
from kagglekit.store import Store

Array = np.ndarray
NEAR = 5.0  # standard errors behind the best within which runs are rivals
MOST_RIVALS = 20


@dataclass(frozen=True, slots=True)
class Luck:
    """The best of `tried` runs on one folds; equal runs would put it `ahead` by luck alone, None where that is not known.

    correlation: of the noise of rivals (runs within 5 standard errors of the best); those that err alike leave less to luck. `se` is
    that of the best run, `ahead` rests on the usual one of the rivals.
    """

    run: str
    score: float
    se: float | None
    tried: int
    correlation: float | None
    ahead: float | None


def luck(runs: Sequence[Run], sign: int, alone: float | None = None) -> Luck | None:
    """How far the best of these runs (on the same folds) would be ahead if all were equal: SE * sqrt(1 - r) * E[max of N].

    r comes from the fold scores of rivals; `alone` is r over rows, for where there is one fold only. None without a score.
    """
    scored = [run for run in runs if run.score.mean is not None]
    if not scored:
        return None
    best = max(scored, key=lambda run: sign * _mean(run))
    count, scores = len(scored), best.score.per_fold
    near = rivals(scored, best, sign)
    if len(near) < 2:
        return Luck(best.id, _mean(best), best.score.se, count, None, None)
    table = np.array([run.score.per_fold for run in near if len(run.score.per_fold) == len(scores) > 1])
    shared = shared_by_folds(table) if len(table) > 1 else alone
    ahead = None if shared is None else _usual_se(near) * math.sqrt(1 - shared) * best_of(count)
    return Luck(best.id, _mean(best), best.score.se, count, shared, ahead)


def _usual_se(runs: Sequence[Run]) -> float:
    """Standard error of one such run: the root mean square of theirs, for a few folds tell little about one run's own."""
    known = [run.score.se for run in runs if run.score.se is not None]
    return float(np.sqrt(np.mean(np.square(known)))) if known else 0.0


def _mean(run: Run) -> float:
    assert run.score.mean is not None
    return run.score.mean


def rivals(runs: Sequence[Run], best: Run, sign: int) -> list[Run]:
    """Runs within 5 usual standard errors of the best, the best ones first, at most 20; the best two where no other is so near."""
    reach = NEAR * _usual_se(runs)
    ordered = sorted(runs, key=lambda run: -sign * _mean(run))[:MOST_RIVALS]
    near = [run for run in ordered if sign * (_mean(best) - _mean(run)) <= reach]
    return near if len(near) > 1 else ordered[:2]


def shared_by_folds(table: Array) -> float | None:
    """Share of the fold scores' variance that runs have in common, models x folds; None where no score varies.

    One minus the mean square of the interaction over that of the scores within a run (a two-way layout without replicates).

    >>> shared_by_folds(np.array([[1.0, 2.0, 3.0], [2.0, 3.0, 4.0]]))
    1.0
    """
    table = np.asarray(table, dtype=np.float64)
    left = table - table.mean(axis=0) - table.mean(axis=1, keepdims=True) + table.mean()
    own = float((left**2).sum()) / ((table.shape[0] - 1) * (table.shape[1] - 1))
    whole = float(np.mean(table.var(axis=1, ddof=1)))
    return float(np.clip(1 - own / whole, 0, 1)) if whole > 0 else None


def shared_by_rows(store: Store, runs: Sequence[Run]) -> float | None:
    """Mean correlation of the runs' influence on the score, over the rows that all have; one run in memory at a time.

    None where the metric has no influence function or fewer than two runs can be used.
    """
    from kagglekit.work.load import load_data, problem_of
    from kagglekit.work.score import said_for, truth_for

    problem = problem_of(store.competition)
    runs = [run for run in runs if (store.run_folder(run) / "oof.npy").exists()]
    if problem.metric.influence is None or len(runs) < 2:
        return None
    data = load_data(store)
    used = np.ones(len(data.target), dtype=bool)
    for run in runs:
        used &= ~np.isnan(_oof(store, run).reshape(len(used), -1)).any(axis=1)
    if used.sum() < 3:
        return None
    truth, total, count = truth_for(problem.metric, data, problem)[used], np.zeros(int(used.sum())), 0
    for run in runs:
        rows = problem.metric.influence(truth, said_for(problem.metric, _oof(store, run)[used], problem))
        if (spread := float(np.std(rows))) > 0:
            total, count = total + (rows - rows.mean()) / spread, count + 1
    return float(np.clip((np.mean(total**2) - count) / (count * (count - 1)), 0, 1)) if count > 1 else None


def _oof(store: Store, run: Run) -> Array:
    values = store.array(run, "oof")
    assert values is not None
    return values.astype(np.float64)


def luck_of_folds(store: Store, names: Collection[str], sign: int) -> dict[str, Luck]:
    """The Luck of each folds by name, counting all finished runs on the same rows and folds (also those of another name).

    Runs on a sample of the rows are rivals of each other only, and count where no run has all rows.
    """
    prints = {name: store.folds_record(name)["fingerprint"] for name in sorted(names) if name in store.folds_names()}
    runs: dict[str, list[Run]] = {}
    for run in store.all_runs():
        if run.status == "done" and run.score.mean is not None:
            runs.setdefault(run.folds_fingerprint, []).append(run)
    found = {}
    for name, fingerprint in prints.items():
        there = runs.get(fingerprint, [])
        here = [run for run in there if run.sample == 1] or there
        single = len(here) > 1 and max(len(run.score.per_fold) for run in here) == 1
        told = luck(here, sign, _shared_alone(store, here, sign) if single else None)
        if told:
            found[name] = told
    return found


def _shared_alone(store: Store, runs: Sequence[Run], sign: int) -> float | None:
    best = max(runs, key=lambda run: sign * _mean(run))
    return shared_by_rows(store, rivals(runs, best, sign))
