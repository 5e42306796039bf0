"""kk ensemble: blend runs whose errors differ, with the score that may be believed beside the one that flatters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from kagglekit.blenders import Blend
from kagglekit.blenders import blend as blend_arrays
from kagglekit.errors import KKError
from kagglekit.folds import Folds
from kagglekit.marginal import Marginal, marginal
from kagglekit.run import Run
from kagglekit.store import Store, open_store
from kagglekit.work.blending import Members, members, recorded, reuse, same_members, unverified
from kagglekit.work.clock import Clock
from kagglekit.work.ensemble_words import Shown, expected_public, show_errors
from kagglekit.work.hours import spending
from kagglekit.work.kept import load_folds
from kagglekit.work.load import load_data, problem_of
from kagglekit.work.score import truth_for

Array = np.ndarray
CLEAR_GAIN = 1.0
UNWEIGHTED = ("mean", "median", "rank-mean")
SHOWN_EFFECTS = 40  # leaving out each of more models takes longer than it tells


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
    tried: Mapping[str, float]
    details: Mapping[str, object]
    errors: Mapping[str, object]
    marginal: tuple[Mapping[str, object], ...]
    hard: tuple[Mapping[str, object], ...]
    rows_scored: int
    says: tuple[str, ...]
    warnings: tuple[str, ...]
    picture: str
    next: str


def ensemble(runs: Sequence[str] = (), *, blend: str = "auto", folds: str | None = None, name: str | None = None, again: str | None = None,
             allow_unverified: bool = False, competition: object = None) -> Ensembled:
    """Blend `runs` (default: every trained, tuned or added run on the folds) and record the blend as a run of its own.

    The score is the nested one: a fold's weights, cuts and blender come from the other folds (by time: the earlier ones). Beside it: the
    best single run, equal weights and what the same rows flatter. All runs must be on the same folds; rows without a prediction of each
    are left out, and counted. `again` names a blend whose members were trained anew: the newest run of each recipe is blended the
    same way. Runs that came by row order without ids are only averaged, unless `allow_unverified`.

        >>> kk.ensemble(["r3", "r7"]).score["nested"]  # doctest: +SKIP
    """
    store, replaced = open_store(competition), None
    if again is not None:
        runs, blend, folds, replaced = same_members(store, again)
    with spending(store, "ensemble") as spent:
        record = _blended(store, runs, blend, folds, name, allow_unverified)
        spent["what"] = f"{record.run} {record.name}"
    if replaced is None:
        return record
    news = f"made again with {', '.join(replaced)}" if replaced else "no member was trained anew: the same blend"
    return replace(record, says=(news, *record.says))


def _blended(store: Store, runs: Sequence[str], blend: str, folds: str | None, name: str | None, allow_unverified: bool) -> Ensembled:
    clock = Clock()
    with clock.stage("read"):
        the_folds, data, problem = load_folds(folds, store), load_data(store), problem_of(store.competition)
        found = members(store, the_folds, runs)
    told = _method(store, found, blend, allow_unverified)
    truth = truth_for(problem.metric, data, problem)
    options = {"groups": data.groups if "group" in the_folds.params else None, "earlier": the_folds.rule == "before",
               "classes": problem.classes if problem.metric.needs == "label" else ()}
    vector = the_folds.vector(0).astype(np.int64)
    with clock.stage("blend"):
        result = blend_arrays(truth, found.oof, vector, problem.metric, told or blend, names=found.titles, **options)
    with clock.stage("compare"):
        few = len(found.runs) <= SHOWN_EFFECTS
        effects = marginal(truth, found.oof, vector, problem.metric, result.blender, **options) if few else []
        shown = show_errors(store, found, result, truth, vector, problem.metric, effects, data)
    run = recorded(store, the_folds, found, result, problem, clock, name, blend)
    return _shown(store, the_folds, run, found, result, shown, effects, told)


def _method(store: Store, found: Members, blend: str, allow_unverified: bool) -> str:
    """mean, where a run that nothing verifies may not be weighted; "" where what was asked for may be done."""
    doubtful = unverified(store, found.runs)
    if not doubtful or allow_unverified or blend in UNWEIGHTED:
        return ""
    if blend != "auto":
        raise KKError(f"{', '.join(doubtful)} came by row order without ids: {blend} would fit weights to rows that nothing proves to be train's",
                      "Add the run with its ids (kk add NAME --oof FILE.csv), use --blend mean, or vouch for it with --allow-unverified")
    return "mean"


def _shown(store: Store, folds: Folds, run: Run, found: Members, result: Blend, shown: Shown, effects: Sequence[Marginal], told: str) -> Ensembled:
    ids, gain, gain_se = found.ids, result.gain, result.gain_se
    best = ids[result.best_single_index]
    score = {"nested": result.nested, "nested_se": run.score.se, "in_sample": result.in_sample, "optimism": result.optimism,
             "best_single": result.best_single, "best_single_run": best, "best_single_nested": result.best_single_nested,
             "equal_weights": result.equal_weights, "gain": gain, "gain_se": gain_se}
    warnings = list(run.warnings)
    if told:
        doubtful = ", ".join(unverified(store, found.runs))
        warnings.append(f"{doubtful} came by row order without ids: averaged, not weighted; vouch with --allow-unverified")
    worse = gain is not None and gain <= 0
    if gain is not None and gain_se and gain < CLEAR_GAIN * gain_se:
        clear = gain <= -CLEAR_GAIN * gain_se
        warnings.append(f"the gain over {best} is {gain / gain_se:+.1f} SE: {'the single run is better' if clear else 'too small to tell'}")
    if len(ids) > SHOWN_EFFECTS:
        warnings.append(f"what each run adds is told for up to {SHOWN_EFFECTS} runs, and these are {len(ids)}: name those that matter")
    if result.dropped:
        warnings.append(f"{result.dropped:,} rows lack a prediction of some run and were left out")
    used = reuse(store, folds)
    luck = f"{used['runs']:.0f} runs have used {folds.name}: the best of so many equal ones is ahead by {used['best_of']:.2f} SE by luck"
    says = [*shown.says, luck, *expected_public(store, folds, result.nested)]
    rows = tuple({"run": ids[one.index], "value": one.value, "low": one.low, "high": one.high, "verdict": one.verdict} for one in effects)
    return Ensembled(run=run.id, recipe=run.recipe, name=run.name, blender=result.blender, folds=run.folds, metric=run.metric,
                     greater_is_better=run.greater_is_better, weights=dict(run.weights), score=score, tried=dict(result.tried),
                     details=dict(result.details), errors=shown.errors, marginal=rows, hard=shown.hard, rows_scored=run.rows_scored,
                     says=tuple(says), warnings=tuple(warnings), picture=shown.picture, next=f"kk submit {best if worse else run.id}")
