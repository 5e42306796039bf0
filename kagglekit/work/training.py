"""Training a run: its plan, the run it becomes (a killed one of the same recipe goes on), and what is recorded at the end."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from kagglekit.errors import KKError
from kagglekit.fold import Data
from kagglekit.folds import Folds
from kagglekit.models.family import Model, merged
from kagglekit.progress import say
from kagglekit.registry import is_path_reference
from kagglekit.run import Run, Score, recipe_of
from kagglekit.store import Store
from kagglekit.work.clock import Clock
from kagglekit.work.features import Features
from kagglekit.work.fit import fit
from kagglekit.work.load import problem_of
from kagglekit.work.plan import Checkpoints, Plan
from kagglekit.work.save import Result, begin, finish, unfinished
from kagglekit.work.score import average, fold_scores


def make_plan(store: Store, model: Model, folds: Folds, params: Mapping[str, object], *, fold: int | None = None, sample: float = 1.0,
              seeds: int = 1, refit: bool = False) -> Plan:
    """What is to be fitted. Raises KKError for a share, a number of seeds or a fold that makes no sense."""
    if not 0 < sample <= 1:
        raise KKError(f"--sample {sample} is not a share of the rows", "Give a number above 0 and up to 1: --sample 0.1")
    if seeds < 1:
        raise KKError(f"--seeds {seeds} trains nothing", "Give at least 1")
    keys = tuple(key for key in folds.keys if fold is None or key[1] == fold)
    if not keys:
        raise KKError(f"{folds.name} has no fold {fold}", f"It has: {', '.join(str(number) for _, number in folds.keys)}")
    full = merged(model.name, params, model.rounds)
    return Plan(model, problem_of(store.competition), full, folds, keys, tuple(range(seeds)), sampled(folds.rows, sample), refit)


def sampled(rows: int, share: float) -> np.ndarray:
    """bool[rows], the rows in use: the same ones every time, and a smaller share is part of a larger one.

    >>> int(sampled(1000, 0.1).sum())
    100
    """
    if share >= 1:
        return np.ones(rows, dtype=bool)
    return np.random.default_rng(0).permutation(rows) < max(round(share * rows), 1)


def start(store: Store, plan: Plan, *, given: object, name: str, sample: float, fold: int | None,
          features: Features | None = None) -> tuple[Run, bool]:
    """The run to work on, and whether it goes on: a killed one of the same recipe, code and folds does, else it is a new one."""
    model, metric = plan.model, plan.problem.metric
    inference = "refit" if plan.refit else "fold_mean" if len(plan.keys) > 1 else "single_fold"
    code = hashlib.sha256(model.code.encode()).hexdigest()[:12] if model.code else ""
    looks = {"features": (features.names, features.code)} if features and features.code else {}
    recipe = recipe_of(model=model.name, params=plan.params, code=code, sample=sample, seeds=plan.seeds, inference=inference, **looks)
    notes = {"features": list(features.names) if features else [],
             "fold": fold, "given": str(given) if isinstance(given, str) else "", "file_sha256": _file_sha256(given, store)}
    for left in unfinished(store):
        same = left.recipe == recipe and left.folds_fingerprint == plan.folds.fingerprint
        if left.kind == "train" and same and all(left.notes.get(key) == notes[key] for key in ("fold", "file_sha256")):
            done = Checkpoints(store.run_folder(left) / ".work").count()
            say(f"{left.id} {left.name} was left unfinished with {done} of {len(plan.keys) * len(plan.seeds)} folds done: going on from there")
            return left, True
    return begin(store, name=name, kind="train", folds=plan.folds, model=model.name, recipe=recipe, metric=metric.name,
                 greater_is_better=metric.greater_is_better, classes=plan.problem.classes, params=plan.params, seeds=plan.seeds,
                 sample=sample, inference=inference, notes=notes), False


def complete(store: Store, run: Run, plan: Plan, data: Data, clock: Clock, prepared: object = None) -> Run:
    """Fit what is left, score, and record the run as done."""
    checkpoints = Checkpoints(store.run_folder(run) / ".work")
    fitted = fit(plan, data, clock, checkpoints, prepared)
    score = fold_scores(plan.problem, data, plan.folds, fitted.parts, plan.used)
    oof = average(plan.folds, fitted.parts, plan.used, plan.problem.width)
    rows = int((~np.isnan(oof if oof.ndim == 1 else oof.sum(axis=1))).sum())
    notes = {"shared": list(fitted.shared), "bottleneck": clock.bottleneck()}
    told = _warnings(score, plan, rows, fitted.test)
    done = finish(store, run, Result(oof, fitted.test, score, rows, fitted.rounds, clock.seconds(), told, notes))
    checkpoints.clear()
    return done


def _file_sha256(given: object, store: Store) -> str:
    """Hash of the file that path.py:name names, so that a changed helper in it does not go on with another's folds."""
    if not isinstance(given, str) or not is_path_reference(given):
        return ""
    path = Path(given.rpartition(":")[0])
    path = path if path.exists() else store.folder / path
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _warnings(score: Score, plan: Plan, rows: int, test: np.ndarray | None) -> tuple[str, ...]:
    said = []
    if len(plan.keys) < len(plan.folds.keys):
        said.append(f"one fold of {len(plan.folds.keys)} was trained: the standard error is a lower bound")
    elif rows < plan.folds.rows:
        said.append(f"scored on {rows:,} of {plan.folds.rows:,} rows; the others are never validated")
    if score.se and score.pooled is not None and score.mean is not None and abs(score.pooled - score.mean) > score.se:
        said.append(f"all rows pooled score {score.pooled:.5f}, more than one standard error off the mean of folds: scales differ")
    if test is None or np.isnan(test).all():
        said.append("no test predictions: return (valid, test) from fit_predict to be able to submit")
    return tuple(said)
