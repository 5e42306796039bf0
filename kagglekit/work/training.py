"""Training a run: its plan, the run it becomes (a killed one of the same recipe goes on), and what is recorded at the end."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from kagglekit.errors import KKError
from kagglekit.fold import Data
from kagglekit.folds import Folds
from kagglekit.metrics.base import REGISTRY as METRICS
from kagglekit.models.family import INSTALL, Model, Problem
from kagglekit.models.presets import merged
from kagglekit.progress import say
from kagglekit.run import Run, Score, recipe_of
from kagglekit.store import Store
from kagglekit.work.clock import Clock
from kagglekit.work.failure import explained, post_mortem
from kagglekit.work.features import Features
from kagglekit.work.fit import fit
from kagglekit.work.going_on import file_sha256, inputs_of, left_to_finish, same_finished
from kagglekit.work.load import load_data, problem_of
from kagglekit.work.plan import Checkpoints, Plan
from kagglekit.work.save import Result, begin, fail, finish
from kagglekit.work.score import average, fold_scores
from kagglekit.work.smoke import is_small, smoke_test


def train_run(store: Store, model: Model, folds: Folds, looks: Features, data: Data, *, params: Mapping[str, object] | None = None,
              fold: int | None = None, sample: float = 1.0, seeds: int = 1, refit: bool = False, name: str | None = None, kind: str = "train",
              smoke: bool = True, given: object = None, notes: Mapping[str, object] | None = None, clock: Clock | None = None, pdb: bool = False,
              began: Callable[[Run], None] = lambda run: None) -> tuple[Run, bool]:
    """Plan, begin (or go on with a killed run of the same recipe), try, fit and record; the run, and whether it went on.

    `looks` are the features in use and `data` what they give. `given` is what the person typed for the model, by which it is found
    again (default: its name); `notes` are added to the run's; `began` is called with the run before anything is fitted.
    Raises KKError for what cannot be trained, and for code that raises: the run is then recorded as failed, its finished folds stay.
    """
    clock = clock or Clock()
    plan = make_plan(store, model, folds, dict(params or {}), fold=fold, sample=sample, seeds=seeds, refit=refit)
    run, resumed = start(store, plan, given=model.name if given is None else given, name=name or model.name, sample=sample, fold=fold,
                         features=looks, kind=kind, notes=notes)
    began(run)
    if not resumed and (twin := same_finished(store, run)) is not None:
        say(f"{twin.id} {twin.name} is the same recipe on the same folds and data, {twin.metric} {twin.score.mean:.5f}: trained once more")
    try:
        small = is_small(plan)
        if smoke and not resumed and not small:
            smoke_test(plan, data)
        return complete(store, run, plan, data, clock, look=smoke and small), resumed
    except KKError as error:
        fail(store, run, error)
        raise
    except (Exception, SystemExit) as error:
        told = explained(error, run.name, store.run_folder(run) / "traceback.txt")
        fail(store, run, told)
        if pdb:
            post_mortem(error)
        raise told from error


def make_plan(store: Store, model: Model, folds: Folds, params: Mapping[str, object], *, fold: int | None = None, sample: float = 1.0,
              seeds: int = 1, refit: bool = False) -> Plan:
    """What is to be fitted.

    Raises KKError for a share, a number of seeds or a fold that makes no sense, for a model whose library is not installed, and for a metric
    of one target where there are several.
    """
    if not 0 < sample <= 1:
        raise KKError(f"--sample {sample} is not a share of the rows", "Give a number above 0 and up to 1: --sample 0.1")
    if seeds < 1:
        raise KKError(f"--seeds {seeds} trains nothing", "Give at least 1: --seeds 3")
    model.check_seeds(seeds)
    if lacking := model.missing():
        raise KKError(f"{lacking} is not installed", INSTALL.get(lacking, f"pip install {lacking}"))
    keys = tuple(key for key in folds.keys if fold is None or key[1] == fold)
    if not keys:
        known = sorted({number for _, number in folds.keys})
        raise KKError(f"{folds.name} has no fold {fold}", f"It has: {', '.join(map(str, known))}")
    problem = problem_of(store.competition)
    _check_targets(store, problem)
    full = merged(model.name, params, model.rounds)
    return Plan(model, problem, full, folds, keys, tuple(range(seeds)), sampled(folds.rows, sample), refit)


def _check_targets(store: Store, problem: Problem) -> None:
    """Raise KKError where a metric of one truth a row is to judge several targets."""
    metric, targets = problem.metric, problem.targets
    one = metric.needs == "rank" and metric.classes == "binary"  # those of one label a row are refused as the metric is read
    if targets and not metric.own and (one or metric.columns in ("classes", "quantiles")):
        names = [name for name in METRICS.names() if METRICS.get(name).columns == "targets" and METRICS.get(name).needs == metric.needs]
        raise KKError(f"{metric.name} judges one target a row, and there are {len(targets)}: {', '.join(targets[:5])}",
                      f"Write a metric of several targets in {store.toml}: {', '.join(names or ['mcrmse', 'mclogloss'])}")


def sampled(rows: int, share: float) -> np.ndarray:
    """bool[rows], the rows in use: the same ones every time, and a smaller share is part of a larger one.

    >>> int(sampled(1000, 0.1).sum())
    100
    """
    if share >= 1:
        return np.ones(rows, dtype=bool)
    return np.random.default_rng(0).permutation(rows) < max(round(share * rows), 1)


def recipe_for(plan: Plan, *, sample: float, features: Features | None = None) -> str:
    """The recipe's hash of a plan on that share of the rows with these features, whatever its folds and rounds are."""
    code = hashlib.sha256(plan.model.code.encode()).hexdigest()[:12] if plan.model.code else ""
    looks = {"features": (features.names, features.code)} if features and features.code else {}
    return recipe_of(model=plan.model.name, params=plan.params, code=code, sample=sample, seeds=plan.seeds, inference=_inference(plan), **looks)


def start(store: Store, plan: Plan, *, given: object, name: str, sample: float, fold: int | None, features: Features | None = None,
          kind: str = "train", notes: Mapping[str, object] | None = None) -> tuple[Run, bool]:
    """The run to work on, and whether it goes on: a killed or failed one of the same recipe, folds and inputs does, else it is a new one."""
    metric = plan.problem.metric
    recipe = recipe_for(plan, sample=sample, features=features)
    known = {"features": list(features.names) if features else [], "fold": fold, "given": str(given) if isinstance(given, str) else "",
             "file_sha256": file_sha256(given, store), "inputs_sha256": inputs_of(store, features.data() if features else load_data(store))}
    like = Run(id="", name=name, kind=kind, recipe=recipe, folds_fingerprint=plan.folds.fingerprint, notes=known)
    left = left_to_finish(store, like, len(plan.keys) * len(plan.seeds))
    if left is not None:
        return replace(left, notes={**left.notes, **(notes or {})}), True
    return begin(store, name=name, kind=kind, folds=plan.folds, model=plan.model.name, recipe=recipe, metric=metric.name,
                 greater_is_better=metric.greater_is_better, classes=plan.problem.classes, params=plan.params, seeds=plan.seeds,
                 sample=sample, inference=_inference(plan), notes={**known, **(notes or {})}), False


def complete(store: Store, run: Run, plan: Plan, data: Data, clock: Clock, prepared: object = None, look: bool = False) -> Run:
    """Fit what is left, score, and record the run as done; `look` refuses a first fold that is all 0 or has its classes in another order."""
    checkpoints = Checkpoints(store.run_folder(run) / ".work")
    fitted = fit(plan, data, clock, checkpoints, prepared, look)
    score = fold_scores(plan.problem, data, plan.folds, fitted.parts, plan.used)
    oof = average(plan.folds, fitted.parts, plan.used, plan.problem.width)
    rows = int((~np.isnan(oof if oof.ndim == 1 else oof.sum(axis=1))).sum())
    notes: dict[str, object] = {"shared": list(fitted.shared), "bottleneck": clock.bottleneck()}
    if plan.model.chosen is not None:
        notes["chosen"] = plan.model.chosen(plan.problem, plan.params, plan.whole(data)) or ""
    told = _warnings(score, plan, rows, fitted.test)
    done = finish(store, run, Result(oof, fitted.test, score, rows, fitted.rounds, clock.seconds(), told, notes))
    checkpoints.clear()
    return done


def _inference(plan: Plan) -> str:
    return "refit" if plan.refit else "fold_mean" if len(plan.keys) > 1 else "single_fold"


def _warnings(score: Score, plan: Plan, rows: int, test: np.ndarray | None) -> tuple[str, ...]:
    said, used = [], int(plan.used.sum())
    if used < plan.folds.rows:
        said.append(f"trained and scored on a sample of {used:,} of {plan.folds.rows:,} rows")
    if len(plan.keys) == 1 < len(plan.folds.keys):
        said.append(f"one fold of {len(plan.folds.keys)} was trained: the standard error is a lower bound")
    elif len(plan.keys) < len(plan.folds.keys):
        said.append(f"{len(plan.keys)} of {len(plan.folds.keys)} folds were trained")
    elif rows < used:
        said.append(f"scored on {rows:,} of {used:,} rows; the others are never validated")
    if score.se and score.pooled is not None and score.mean is not None and abs(score.pooled - score.mean) > score.se:
        said.append(f"all rows pooled score {score.pooled:.5f}, more than one standard error off the mean of folds: scales differ")
    if test is None or np.isnan(test).all():
        said.append("no test predictions: return (valid, test) from fit_predict to be able to submit")
    return tuple(said)
