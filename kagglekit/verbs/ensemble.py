"""kk ensemble: blend runs whose errors differ, with the score that may be believed beside the one that flatters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kagglekit.blenders import Blend, marginal
from kagglekit.blenders import blend as blend_arrays
from kagglekit.diversity import error_correlation
from kagglekit.errors import KKError
from kagglekit.folds import Folds
from kagglekit.metrics import Metric
from kagglekit.models.family import Problem
from kagglekit.run import Run, Score, recipe_of
from kagglekit.store import Store, open_store
from kagglekit.work.clock import Clock
from kagglekit.work.kept import load_folds
from kagglekit.work.load import load_data, problem_of
from kagglekit.work.save import Result, begin, finish
from kagglekit.work.score import nadeau_bengio, said_for, truth_for

Array = np.ndarray
CLEAR_GAIN = 1.0


@dataclass(frozen=True, slots=True)
class Ensembled:
    """A blend as `kk ensemble` shows it; gains are positive where the blend is better."""

    run: str
    recipe: str
    name: str
    blender: str
    folds: str
    metric: str
    greater_is_better: bool
    weights: Mapping[str, float]
    score: Mapping[str, float | str | None]
    errors: Mapping[str, object]
    marginal: tuple[Mapping[str, object], ...]
    rows_scored: int
    says: tuple[str, ...]
    warnings: tuple[str, ...]
    next: str


def ensemble(runs: Sequence[str] = (), *, blend: str = "auto", folds: str | None = None, name: str | None = None,
             competition: object = None) -> Ensembled:
    """Blend `runs` (default: every trained or added run on the folds) and record the blend as a run of its own.

    The score is the nested one: a fold's weights are fitted on the other folds. Beside it: the best single run, equal weights and
    what the same rows flatter. All runs must be on the same folds; rows without a prediction of each are left out, and counted.

        >>> kk.ensemble(["r3", "r7"]).score["nested"]  # doctest: +SKIP
    """
    store, clock = open_store(competition), Clock()
    with clock.stage("read"):
        the_folds, data, problem = load_folds(folds, store), load_data(store), problem_of(store.competition)
        members = _members(store, the_folds, runs)
        oof = np.stack([store.array(run, "oof").astype(np.float64) for run in members])
    metric, truth = problem.metric, truth_for(problem.metric, data, problem)
    vector = the_folds.vector(0).astype(np.int64)
    groups = data.groups if "group" in the_folds.params else None

    def decide(values: Array) -> Array:
        return said_for(metric, values, problem)

    options = {"groups": groups, "decide": decide if metric.needs == "label" else None}
    with clock.stage("blend"):
        result = blend_arrays(truth, oof, vector, metric, blend, **options)
        effects = marginal(truth, oof, vector, metric, result.blender, **options) if len(members) > 2 else []
    errors = _errors(truth, oof, metric, vector, problem, members)
    run = _recorded(store, the_folds, members, result, problem, clock, name)
    return _shown(run, members, result, errors, effects, metric)


def _members(store: Store, folds: Folds, wanted: Sequence[str]) -> list[Run]:
    if wanted:
        runs = list({run.uid: run for run in (store.run(one) for one in wanted)}.values())
    else:
        runs = [run for run in store.all_runs() if run.kind in ("train", "tune", "add") and run.status == "done"
                and run.folds_fingerprint == folds.fingerprint and run.name != "constant"]
    for run in runs:
        if run.status != "done" or store.array(run, "oof") is None:
            raise KKError(f"{run.id} {run.name} has no OOF predictions (status {run.status})", "Blend finished runs: kk runs")
        if run.folds_fingerprint != folds.fingerprint:
            raise KKError(f"{run.id} {run.name} is on the folds {run.folds}, the others on {folds.name}",
                          f"Train it there: kk train {run.model} --folds {folds.name}, or blend with --folds {run.folds}")
    if len(runs) < 2:
        raise KKError(f"{len(runs)} run on {folds.name} can be blended, a blend needs two", "Train another family: kk train linear")
    return runs


def _errors(truth: Array, oof: Array, metric: Metric, vector: Array, problem: Problem, members: Sequence[Run]) -> dict[str, object]:
    scored = (vector >= 0) & ~np.isnan(oof.reshape(len(oof), oof.shape[1], -1)).any(axis=(0, 2))
    values = oof[:, scored]
    said = np.stack([said_for(metric, one, problem) for one in values]) if metric.needs == "label" else values
    found = error_correlation(truth[scored], said, metric)
    names = [run.id for run in members]
    return {"measure": found.measure, "runs": names, "matrix": [[round(float(cell), 4) for cell in row] for row in found.matrix],
            "n_eff": found.n_eff, "participation_ratio": found.participation_ratio, "ambiguity": found.ambiguity,
            "near_copies": [[names[a], names[b]] for a, b in found.near_copies],
            "clusters": [[names[one] for one in cluster] for cluster in found.clusters]}


def _recorded(store: Store, folds: Folds, members: Sequence[Run], result: Blend, problem: Problem, clock: Clock, name: str | None) -> Run:
    """The blend as a run: nested OOF, blended test predictions, parents and weights."""
    tests = [store.array(run, "test") for run in members]
    used = [k for k in range(len(members)) if result.weights[k] > 0]
    test = None
    if all(tests[k] is not None for k in used):
        filled = [tests[k] if tests[k] is not None else np.zeros_like(tests[used[0]]) for k in range(len(members))]
        test = result.predict(np.stack(filled).astype(np.float64))
    weights = {run.id: float(weight) for run, weight in zip(members, result.weights, strict=True)}
    inference = {run.inference for run in members}
    run = begin(store, name=name or f"blend-{result.blender}", kind="blend", folds=folds, model=result.blender,
                recipe=recipe_of(blender=result.blender, parents=sorted(run.recipe for run in members)), metric=problem.metric.name,
                greater_is_better=problem.metric.greater_is_better, classes=problem.classes, parents=tuple(weights), weights=weights,
                inference=inference.pop() if len(inference) == 1 else "other")
    per_fold = tuple(float(value) for value in result.per_fold)
    ratios = [len(fold.valid) / max(len(fold.train), 1) for fold in folds]
    se = nadeau_bengio(list(per_fold), float(np.mean(ratios))) if len(per_fold) > 1 else result.nested_se
    score = Score(mean=result.nested, se=se, per_fold=per_fold, pooled=None)
    rows = int((~np.isnan(result.oof if result.oof.ndim == 1 else result.oof.sum(axis=1))).sum())
    warnings = () if test is not None else ("a member has no test predictions: the blend cannot be submitted",)
    return finish(store, run, Result(result.oof, test, score, rows, {}, clock.seconds(), warnings))


def _shown(run: Run, members: Sequence[Run], result: Blend, errors: Mapping, effects: Sequence, metric: Metric) -> Ensembled:
    ids = [one.id for one in members]
    gain, gain_se = result.gain, result.gain_se
    score = {"nested": result.nested, "nested_se": run.score.se, "in_sample": result.in_sample, "best_single": result.best_single,
             "best_single_run": ids[result.best_single_index], "equal_weights": result.equal_weights, "gain": gain, "gain_se": gain_se}
    says, warnings = list(_sentences(errors, effects, ids)), list(run.warnings)
    if gain is not None and gain_se and gain < CLEAR_GAIN * gain_se:
        told = "too small to tell" if gain > -CLEAR_GAIN * gain_se else "the single run is better"
        warnings.append(f"the gain over {score['best_single_run']} is {gain / gain_se:+.1f} SE: {told}")
    if result.dropped:
        warnings.append(f"{result.dropped:,} rows lack a prediction of some run and were left out")
    inferences = {one.inference for one in members}
    if len(inferences) > 1:
        warnings.append(f"test predictions were made in different ways ({', '.join(sorted(inferences))})")
    rows = tuple({"run": ids[one.index], "value": one.value, "low": one.low, "high": one.high, "verdict": one.verdict} for one in effects)
    return Ensembled(run=run.id, recipe=run.recipe, name=run.name, blender=result.blender, folds=run.folds, metric=metric.name,
                     greater_is_better=metric.greater_is_better, weights=dict(run.weights), score=score, errors=errors, marginal=rows,
                     rows_scored=run.rows_scored, says=tuple(says), warnings=tuple(warnings),
                     next=f"kk submit {score['best_single_run'] if gain is not None and gain_se and gain < -CLEAR_GAIN * gain_se else run.id}")


def _sentences(errors: Mapping, effects: Sequence, ids: Sequence[str]) -> list[str]:
    """Why models help, in words."""
    said = [f"{len(ids)} models count as {errors['n_eff']:.1f} independent ones"]
    for a, b in errors["near_copies"]:
        said.append(f"{a} and {b} make the same errors: one of them is enough")
    for one in effects:
        if one.verdict == "keep":
            said.append(f"{ids[one.index]} adds {one.value:.5f} ({one.low:.5f} to {one.high:.5f})")
        elif one.verdict == "drop":
            said.append(f"{ids[one.index]} can go: it adds {one.value:+.5f}")
    return said
