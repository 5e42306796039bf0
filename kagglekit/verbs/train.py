"""kk train: fit a model on every fold and record the run."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from kagglekit.errors import KKError
from kagglekit.folds import Folds
from kagglekit.models.family import Model, check_model, merged
from kagglekit.progress import say
from kagglekit.run import Run, Score, recipe_of
from kagglekit.store import Store, open_store
from kagglekit.work.clock import Clock
from kagglekit.work.fit import Checkpoints, Plan, fit
from kagglekit.work.kept import load_folds
from kagglekit.work.load import load_data, problem_of
from kagglekit.work.save import Result, begin, fail, finish, unfinished
from kagglekit.work.score import average, fold_scores


@dataclass(frozen=True, slots=True)
class Trained:
    """A finished run as `kk train` shows it."""

    run: str
    recipe: str
    model: str
    name: str
    folds: str
    kind: str
    metric: str
    greater_is_better: bool
    score: Score
    rows_scored: int
    rounds: Mapping[str, object]
    inference: str
    seconds: Mapping[str, float]
    bottleneck: str
    resumed: bool
    warnings: tuple[str, ...]
    next: str


def train(model: object, *, folds: str | None = None, fold: int | None = None, sample: float = 1.0, seeds: int = 1,
          params: Mapping[str, object] | None = None, refit: bool = False, name: str | None = None,
          competition: object = None) -> Trained:
    """Train `model` (a name, path.py:fit_predict, an estimator or a function of a Fold) on every fold and record the run.

    Rounds of a boosted model are chosen for each fold by the other folds' mean curve. Test predictions are the mean over the
    fold models, or with `refit` those of one model trained on all rows. A killed run goes on from its finished folds.
    Raises KKError for unknown names, predictions of the wrong shape, and targets with gaps.

        >>> kk.train("lgbm", folds="group5", params={"num_leaves": 63})  # doctest: +SKIP
    """
    store, clock = open_store(competition), Clock()
    chosen = check_model(model, store.folder)
    if not 0 < sample <= 1:
        raise KKError(f"--sample {sample} is not a share of the rows", "Give a number above 0 and up to 1: --sample 0.1")
    if seeds < 1:
        raise KKError(f"--seeds {seeds} trains nothing", "Give at least 1")
    with clock.stage("read"):
        the_folds = load_folds(folds, store)
        data = load_data(store)
    plan = _plan(store, chosen, the_folds, dict(params or {}), fold, sample, seeds, refit)
    run, resumed = _started(store, plan, chosen, name or chosen.name, sample, fold)
    try:
        return _trained(store, run, plan, data, clock, resumed)
    except KKError as error:
        fail(store, run, error)
        raise


def _plan(store: Store, model: Model, folds: Folds, params: dict, fold: int | None, sample: float, seeds: int, refit: bool) -> Plan:
    keys = tuple(key for key in folds.keys if fold is None or key[1] == fold)
    if not keys:
        raise KKError(f"{folds.name} has no fold {fold}", f"It has: {', '.join(str(number) for _, number in folds.keys)}")
    used = np.ones(folds.rows, dtype=bool)
    if sample < 1:
        used = np.random.default_rng(0).permutation(folds.rows) < max(round(sample * folds.rows), 1)
    full = merged(model.name, params, model.rounds)
    return Plan(model, problem_of(store.competition), full, folds, keys, tuple(range(seeds)), used, refit)


def _started(store: Store, plan: Plan, model: Model, name: str, sample: float, fold: int | None) -> tuple[Run, bool]:
    """The run to work on: a killed one of the same recipe and folds goes on, else a new one."""
    inference = "refit" if plan.refit else "fold_mean" if len(plan.keys) > 1 else "single_fold"
    code = hashlib.sha256(model.code.encode()).hexdigest()[:12] if model.code else ""
    recipe = recipe_of(model=model.name, params=plan.params, code=code, sample=sample, seeds=plan.seeds, inference=inference)
    facts = {"recipe": recipe, "folds_fingerprint": plan.folds.fingerprint, "notes": {"fold": fold}}
    for left in unfinished(store):
        if left.kind == "train" and all(getattr(left, key) == value for key, value in facts.items()):
            done = Checkpoints(store.run_folder(left) / ".work").count()
            say(f"{left.id} {left.name} was left unfinished with {done} of {len(plan.keys) * len(plan.seeds)} folds done: going on from there")
            return left, True
    run = begin(store, name=name, kind="train", folds=plan.folds, model=model.name, recipe=recipe, metric=plan.problem.metric.name,
                greater_is_better=plan.problem.metric.greater_is_better, classes=plan.problem.classes, params=plan.params,
                seeds=plan.seeds, sample=sample, inference=inference, notes={"fold": fold})
    return run, False


def _trained(store: Store, run: Run, plan: Plan, data: object, clock: Clock, resumed: bool) -> Trained:
    checkpoints = Checkpoints(store.run_folder(run) / ".work")
    fitted = fit(plan, data, clock, checkpoints)
    score = fold_scores(plan.problem, data, plan.folds, fitted.parts, plan.used)
    width = len(plan.problem.classes) if plan.problem.task == "multiclass" else 1
    oof = average(plan.folds, fitted.parts, plan.used, width)
    rows = int((~np.isnan(oof if oof.ndim == 1 else oof.sum(axis=1))).sum())
    warnings = _warnings(score, plan, rows)
    done = finish(store, run, Result(oof, fitted.test, score, rows, fitted.rounds, clock.seconds(), warnings))
    checkpoints.clear()
    return Trained(run=done.id, recipe=done.recipe, model=done.model, name=done.name, folds=done.folds, kind=done.kind,
                   metric=done.metric, greater_is_better=done.greater_is_better, score=done.score, rows_scored=rows,
                   rounds=done.rounds, inference=done.inference, seconds=done.seconds, bottleneck=clock.bottleneck(),
                   resumed=resumed, warnings=done.warnings, next=f"kk submit {done.id}")


def _warnings(score: Score, plan: Plan, rows: int) -> tuple[str, ...]:
    said = []
    if len(plan.keys) < len(plan.folds.keys):
        said.append(f"one fold of {len(plan.folds.keys)} was trained: the standard error is a lower bound")
    elif rows < plan.folds.rows:
        said.append(f"scored on {rows:,} of {plan.folds.rows:,} rows; the others are never validated")
    if score.se and score.pooled is not None and score.mean is not None and abs(score.pooled - score.mean) > score.se:
        said.append(f"all rows pooled score {score.pooled:.5f}, more than one standard error off the mean of folds: scales differ")
    return tuple(said)
