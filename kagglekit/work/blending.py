"""Blending runs: which may be blended, their predictions side by side, and the blend as a run of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kagglekit.blenders import Blend
from kagglekit.errors import KKError
from kagglekit.folds import Folds
from kagglekit.models.family import Problem
from kagglekit.run import Run, Score, recipe_of
from kagglekit.store import Store
from kagglekit.work.clock import Clock
from kagglekit.work.kept import forced_note
from kagglekit.work.save import Result, begin, finish
from kagglekit.work.score import nadeau_bengio

Array = np.ndarray
BLENDED = ("train", "tune", "add", "blend")
COVERED = 0.99
TAKEN = ("train", "tune", "add")  # what is blended where no run is named


@dataclass(frozen=True, slots=True)
class Members:
    """Runs that are blended, their OOF (models x rows [x classes], float32 where all are probabilities), and what was left out and why."""

    runs: tuple[Run, ...]
    oof: Array
    notes: tuple[str, ...] = ()

    @property
    def ids(self) -> list[str]:
        """Aliases of the runs, in the order of the weights."""
        return [run.id for run in self.runs]

    @property
    def titles(self) -> list[str]:
        """Aliases with names, for messages."""
        return [f"{run.id} {run.name}" for run in self.runs]


def members(store: Store, folds: Folds, wanted: Sequence[str]) -> Members:
    """The runs named, or every trained, tuned or added run on the folds.

    Raises KKError for a run that is not done, was deleted, or lies on other folds, and where fewer than two are left. Without names,
    constants, equal copies and runs of another shape are left out, and said.
    """
    runs = _wanted(store, wanted) if wanted else [run for run in store.all_runs() if run.kind in TAKEN and run.status == "done"
                                                  and run.folds_fingerprint == folds.fingerprint]
    found: list[tuple[Run, Array]] = []
    notes: list[str] = []
    for run in runs:
        oof = _checked(store, run, folds)
        why = _left_out(run, oof, found)
        if why and wanted:
            notes.append(why)
        if why and not wanted:
            notes.append(f"{why}: left out")
            continue
        found.append((run, oof))
    if not wanted:
        found, few = _well_covered(found, folds)
        notes += few
    if len(found) < 2:
        raise KKError(f"{len(found)} run on {folds.name} can be blended, a blend needs two", "Train another family: kk train linear")
    shapes = {run.id: oof.shape for run, oof in found}
    if len(set(shapes.values())) > 1:
        raise KKError(f"the runs predict different shapes: {', '.join(f'{name} {shape}' for name, shape in shapes.items())}",
                      "Blend runs of the same form: probabilities of all classes, or of one")
    return Members(tuple(run for run, _ in found), _side_by_side([oof for _, oof in found]), tuple(notes))


def _wanted(store: Store, names: Sequence[str]) -> list[Run]:
    return list({run.uid: run for run in (store.run(name) for name in names)}.values())


def _checked(store: Store, run: Run, folds: Folds) -> Array:
    """The run's OOF, memory-mapped."""
    if run.kind not in BLENDED or run.status != "done":
        raise KKError(f"{run.id} {run.name} has no OOF predictions (kind {run.kind}, status {run.status})", "Blend finished runs: kk runs")
    if run.folds_fingerprint != folds.fingerprint:
        raise KKError(f"{run.id} {run.name} is on the folds {run.folds}, the others on {folds.name}",
                      f"Train it there: kk train {run.model} --folds {folds.name}, or blend with --folds {run.folds}")
    oof = store.array(run, "oof", mapped=True)
    if oof is None:
        raise KKError(f"the OOF predictions of {run.id} {run.name} are gone",
                      f"Train it again: kk train {run.model} --folds {folds.name}, or leave it out")
    return oof


def _well_covered(found: list[tuple[Run, Array]], folds: Folds) -> tuple[list[tuple[Run, Array]], list[str]]:
    """Those that were scored on nearly as many rows as two runs are at least: only common rows can be blended."""
    if len(found) < 3:
        return found, []
    enough = COVERED * sorted(run.rows_scored for run, _ in found)[-2]
    few = [run for run, _ in found if run.rows_scored < enough]
    return [one for one in found if one[0] not in few], [
        f"{run.id} {run.name} was scored on {run.rows_scored:,} of {folds.rows:,} rows: left out" for run in few]


def _left_out(run: Run, oof: Array, others: Sequence[tuple[Run, Array]]) -> str:
    """Why a run adds nothing: it predicts one value, or what another one does."""
    if run.model == "constant":
        return f"{run.id} {run.name} knows nothing of the rows"
    flat = oof.reshape(len(oof), -1)
    seen = flat[~np.isnan(flat).any(axis=1)]
    if not len(seen) or (seen == seen[0]).all():
        return f"{run.id} {run.name} predicts the same for every row"
    for other, theirs in others:
        if theirs.shape == oof.shape and np.array_equal(theirs, oof, equal_nan=True):
            return f"{run.id} {run.name} is a copy of {other.id}"
    return ""


def _side_by_side(oofs: Sequence[Array]) -> Array:
    kind = np.float32 if all(one.dtype == np.float32 for one in oofs) else np.float64
    found = np.empty((len(oofs), *oofs[0].shape), dtype=kind)
    for place, one in enumerate(oofs):
        found[place] = one
    return found


def unverified(store: Store, runs: Sequence[Run]) -> list[str]:
    """Runs whose rows nothing proves to be train's: they came by order, without ids, or blend such ones."""
    known = {run.id: run for run in store.all_runs()}

    def is_doubtful(run: Run) -> bool:
        return run.notes.get("aligned_by") == "order" or any(is_doubtful(known[parent]) for parent in run.parents if parent in known)

    return [run.id for run in runs if is_doubtful(run)]


def counted_twice(runs: Sequence[Run]) -> list[str]:
    """A sentence for each blend that is blended with members of its own: their weight is in it already."""
    ids = {run.id for run in runs}
    inside = [(run.id, [parent for parent in run.parents if parent in ids]) for run in runs if run.kind == "blend"]
    return [f"{name} is a blend of {', '.join(parents)}: they count twice" for name, parents in inside if parents]


def same_members(store: Store, name: str) -> tuple[list[str], str, str, list[str]]:
    """(runs, what was asked for, folds, who was replaced) of a blend that is to be made again: of each recipe the newest run on its folds."""
    old = store.run(name)
    if old.kind != "blend":
        raise KKError(f"{old.id} {old.name} is no blend (kind {old.kind})", "Name a blend: kk runs --kind blend")
    newest = {run.recipe: run.id for run in store.all_runs() if run.status == "done" and run.folds_fingerprint == old.folds_fingerprint}
    recipes = {run.id: run.recipe for run in store.all_runs()}
    missing = [parent for parent in old.parents if parent not in recipes]
    if missing:
        raise KKError(f"{', '.join(missing)} of {old.id} {'are' if len(missing) > 1 else 'is'} gone", "Blend what is there: kk ensemble")
    again = {parent: newest.get(recipes[parent], parent) for parent in old.parents}
    said = [f"{later} in place of {earlier}" for earlier, later in again.items() if earlier != later]
    return list(again.values()), str(old.notes.get("asked", old.model)), old.folds, said


def recorded(store: Store, folds: Folds, found: Members, result: Blend, problem: Problem, clock: Clock, name: str | None, asked: str) -> Run:
    """The blend as a run: nested OOF, blended test predictions, parents, weights, and what else was fitted; `asked`: the method wanted."""
    test, warnings = _test(store, found, result)
    inference = {run.inference for run in found.runs}
    if len(inference) > 1:
        warnings.append(f"test predictions were made in different ways ({', '.join(sorted(inference))})")
    warnings += counted_twice(found.runs)
    if note := forced_note(store, folds.name):
        warnings.append(note)
    if folds.repeats > 1:
        warnings.append(f"weights and scores are those of the first of {folds.repeats} repeats")
    run = begin(store, name=name or f"blend-{result.blender}", kind="blend", folds=folds, model=result.blender,
                recipe=recipe_of(blender=result.blender, parents=sorted(run.recipe for run in found.runs)), metric=problem.metric.name,
                greater_is_better=problem.metric.greater_is_better, classes=problem.classes, parents=tuple(found.ids), weights=shares(found, result),
                inference=inference.pop() if len(inference) == 1 else "other", notes={**_notes(result, problem), "asked": asked})
    per_fold = tuple(float(value) for value in result.per_fold)
    ratios = [len(fold.valid) / max(len(fold.train), 1) for fold in folds]
    se = nadeau_bengio(list(per_fold), float(np.mean(ratios))) if len(per_fold) == len(folds) > 1 else result.nested_se
    rows = int((~np.isnan(result.oof.reshape(len(result.oof), -1)).any(axis=1)).sum())
    score = Score(mean=result.nested, se=se, per_fold=per_fold, pooled=None)
    return finish(store, run, Result(result.oof, test, score, rows, {}, clock.seconds(), (*found.notes, *warnings)))


def shares(found: Members, result: Blend) -> dict[str, float]:
    """Weights by run; of a blend that has none, 0 for each."""
    weights = np.zeros(len(found.runs)) if result.weights is None else np.asarray(result.weights).reshape(len(found.runs), -1).mean(axis=1)
    return {name: float(weight) for name, weight in zip(found.ids, weights, strict=True)}


def _notes(result: Blend, problem: Problem) -> dict[str, object]:
    decision = {key: result.details[key] for key in ("threshold", "cuts", "labels") if key in result.details and problem.metric.needs == "label"}
    return {"blend": dict(result.details), "tried": dict(result.tried), **({"decision": decision} if decision else {})}


def _test(store: Store, found: Members, result: Blend) -> tuple[Array | None, list[str]]:
    """Test predictions made the same way; None where a member that counts has none."""
    tests = [store.array(run, "test") for run in found.runs]
    counts = np.ones(len(tests), dtype=bool) if result.weights is None else np.asarray(result.weights).reshape(len(tests), -1).any(axis=1)
    lacking = [run.id for run, test, used in zip(found.runs, tests, counts, strict=True) if used and (test is None or np.isnan(test).any())]
    if lacking:
        return None, [f"{', '.join(lacking)} {'have' if len(lacking) > 1 else 'has'} no test predictions: the blend cannot be submitted"]
    like = next(test for test, used in zip(tests, counts, strict=True) if used)
    filled = [np.zeros_like(like) if test is None or np.isnan(test).any() else test for test in tests]
    return result.predict(np.stack(filled)), []


def reuse(store: Store, folds: Folds) -> Mapping[str, float]:
    """How many runs have used these folds, and what the best of so many equal ones would be ahead by luck, in standard errors."""
    from kagglekit.agreement import best_of

    used = sum(run.folds_fingerprint == folds.fingerprint for run in store.all_runs())
    return {"runs": used, "best_of": round(best_of(max(used, 1)), 2)}
