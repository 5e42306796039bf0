"""Split trials: the submitted recipes trained again on each candidate split, and the split that foretells their public scores best.

A recipe's public score is that of its submission, whatever folds it is trained on, so that splits are compared without submitting.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kagglekit import agreement
from kagglekit.errors import KKError
from kagglekit.folds import Folds
from kagglekit.models.family import check_model
from kagglekit.progress import say, task
from kagglekit.run import Run
from kagglekit.store import Store
from kagglekit.work.evidence import gather
from kagglekit.work.features import Features
from kagglekit.work.findings import clean
from kagglekit.work.hours import spending
from kagglekit.work.kept import forced_note
from kagglekit.work.load import metric_of
from kagglekit.work.next_models import evidence_order
from kagglekit.work.plan import Plan
from kagglekit.work.scored import HOW, ScoredModel, board, is_constant, scored_runs
from kagglekit.work.split_candidates import folds_of
from kagglekit.work.training import make_plan, recipe_for, train_run

Array = np.ndarray
Scored = tuple[Run, ScoredModel]


@dataclass(frozen=True, slots=True)
class Trials:
    """Splits, the best first, with what was found of each, the choice among them, and what is to be said."""

    splits: tuple[Mapping[str, object], ...]
    choice: Mapping[str, object]
    notes: tuple[str, ...]


def compare_on(store: Store, names: Sequence[str], sample: float = 1.0) -> Trials:
    """Train what is lacking of the submitted recipes on each split (folds, or splitters to make them with) and rank the splits.

    With `sample` only that share of the rows is used. Runs that are there are used again, killed ones go on. Raises KKError for fewer
    than two splits or two recipes, and for names that are neither folds nor splitters.
    """
    names = list(dict.fromkeys(name.strip() for name in names if name.strip()))
    if len(names) < 2:
        raise KKError(f"{names[0] if names else 'nothing'} is no choice of splits", "Give at least two: kk lbcheck --splits random5,group5")
    if not 0 < sample <= 1:
        raise KKError(f"--sample {sample} is not a share of the rows", "Give a number above 0 and up to 1: --sample 0.1")
    scored, notes = board(store)
    recipes, told = _recipes(store, list(scored_runs(store, scored).values()))
    splits = folds_of(store, names)
    kept, left = _kept(store, recipes, splits, sample)
    real = [pair for pair in kept if not is_constant(pair[0]) and pair[1].recipe not in _anchors(store, kept)]
    if len(real) < 2:
        raise KKError(f"{len(real)} submitted models can be trained on all of these splits", "; ".join(left) or "Submit two first: kk submit RUN")
    runs = _trained(store, kept, splits, sample)
    forced = [note for folds in splits if (note := forced_note(store, folds.name))]
    return _ranked(store, real, splits, runs, (*forced, *notes, *told, *left))


def _recipes(store: Store, found: Sequence[Scored]) -> tuple[list[Scored], list[str]]:
    """One run for each recipe with a public score, the submitted one first; of the way of making test predictions that most have."""
    best: dict[str, Scored] = {}
    for run, model in found:
        if run.kind != "table" and (model.recipe not in best or not model.borrowed):
            best[model.recipe] = (run, model)
    ways = Counter(run.inference for run, _ in best.values() if not is_constant(run))
    if not ways:
        return list(best.values()), []
    way = ways.most_common(1)[0][0]
    other = [run.id for run, _ in best.values() if run.inference != way and not is_constant(run)]
    kept = [pair for pair in best.values() if pair[0].id not in other]
    return kept, [f"{', '.join(other)}: left out, not made like the others ({HOW[way]})"] if other else []


def _kept(store: Store, recipes: Sequence[Scored], splits: Sequence[Folds], sample: float) -> tuple[list[Scored], list[str]]:
    """The recipes that every split has or can be trained on, and why the others are left out."""
    kept: list[Scored] = []
    left: dict[str, list[str]] = {}
    for run, model in recipes:
        lacking = [folds for folds in splits if _there(store, run, folds, sample) is None]
        why = _obstacle(store, run, lacking[0]) if lacking else ""
        if why:
            left.setdefault(why, []).append(run.id)
        else:
            kept.append((run, model))
    return kept, [f"{', '.join(runs)}: {why}" for why, runs in left.items()]


def _obstacle(store: Store, run: Run, folds: Folds) -> str:
    """Why a recipe cannot be trained again here and what to do, "" where it can."""
    if run.kind == "add":
        return (f"added, so the owner trains it there: kk cv --audit {folds.name} --export folds.csv, "
                f"then kk add NAME --oof FILE --folds {folds.name}")
    if run.kind == "blend":
        return f"a blend: kk ensemble --folds {folds.name} blends there"
    if not run.notes.get("given"):
        return f"from a notebook: train it with kk.train(model, folds={folds.name!r})"
    if run.inference == "single_fold":
        return "of one fold only: train it on all"
    try:
        looks = _features(store, run)
        same = recipe_for(_plan(store, run, folds), sample=run.sample, features=looks) == run.recipe
    except KKError as error:
        return f"cannot be trained again: {error.what}"
    return "" if same else "changed since it was submitted (code or settings), so that the public score is another model's"


def _plan(store: Store, run: Run, folds: Folds) -> Plan:
    return make_plan(store, check_model(str(run.notes["given"]), store.folder), folds, run.params, **_how(run, run.sample))


def _how(run: Run, sample: float) -> dict[str, Any]:
    """Options of training that are part of the recipe."""
    return {"sample": min(run.sample, sample), "seeds": max(len(run.seeds), 1), "refit": run.inference == "refit"}


def _features(store: Store, run: Run) -> Features:
    """The sets of features that the run was trained on."""
    return Features(store, tuple(map(str, run.notes.get("features") or ("raw",))))


def _there(store: Store, run: Run, folds: Folds, sample: float) -> Run | None:
    """The finished run of the recipe on these folds; with a sample, that of the same model, settings and code on the sample."""
    def same(one: Run) -> bool:
        if one.status != "done" or one.folds_fingerprint != folds.fingerprint or one.score.mean is None:
            return False
        if sample == 1.0:
            return one.recipe == run.recipe
        key = ("model", "params", "seeds", "inference")
        of_it = one.sample == min(run.sample, sample) and one.notes.get("trial_of", one.recipe) == run.recipe
        return of_it and all(getattr(one, part) == getattr(run, part) for part in key)

    return next((one for one in reversed(store.all_runs()) if same(one)), None)


def _anchors(store: Store, kept: Sequence[Scored]) -> set[str]:
    """Recipes that are no better than a constant in public."""
    found: set[str] = set()
    for name in {run.folds for run, _ in kept if run.folds in store.folds_names()}:
        found |= {anchor.recipe for anchor in gather(store, name, (), None).anchors}
    return found


def _trained(store: Store, kept: Sequence[Scored], splits: Sequence[Folds], sample: float) -> dict[tuple[str, str], Run]:
    """The run of each recipe on each split; what lacks is trained, the forecast first."""
    found = {(model.recipe, folds.name): _there(store, run, folds, sample) for run, model in kept for folds in splits}
    lacking = [(run, model, folds) for run, model in kept for folds in splits if found[model.recipe, folds.name] is None]
    if lacking:
        seconds = sum(_forecast(store, run, folds, sample) for run, _, folds in lacking)
        say(f"{len(lacking)} runs to train, {len(found) - len(lacking)} are there; about {_told(seconds)} by the recorded seconds of these recipes")
    with task("training on other splits", total=max(len(lacking), 1), unit="runs") as work:
        for run, model, folds in lacking:
            found[model.recipe, folds.name] = done = _train(store, run, folds, sample)
            work.advance(note=f"{done.id} {done.name} on {folds.name}: {done.score.mean:.5f}")
    return {key: run for key, run in found.items() if run is not None}


def _forecast(store: Store, run: Run, folds: Folds, sample: float) -> float:
    """Seconds that a recipe may take: its recorded ones, by the number of fits and the share of rows."""
    refit = run.inference == "refit"
    before = max(len(run.score.per_fold), 1) + refit
    return sum(run.seconds.values()) * (len(folds) + refit) / before * min(1.0, sample / run.sample)


def _told(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _train(store: Store, origin: Run, folds: Folds, sample: float) -> Run:
    """The recipe on other folds, on its own features."""
    model, looks = check_model(str(origin.notes["given"]), store.folder), _features(store, origin)
    with spending(store, "train") as spent:
        return train_run(store, model, folds, looks, looks.data(), params=origin.params, name=origin.name, smoke=False, given=origin.notes["given"],
                         notes={"trial_of": origin.recipe} if sample < 1.0 else {}, began=lambda run: spent.update(what=f"{run.id} {run.name}"),
                         **_how(origin, sample))[0]


def _ranked(store: Store, real: Sequence[Scored], splits: Sequence[Folds], runs: Mapping[tuple[str, str], Run], notes: Sequence[str]) -> Trials:
    sign = metric_of(store.competition).sign
    table = sign * np.array([[runs[model.recipe, folds.name].score.mean for _, model in real] for folds in splits], dtype=np.float64)
    lb = sign * np.array([model.public for _, model in real])
    fits = agreement.compare_splits(table, lb)
    seconds = [sum(sum(runs[model.recipe, folds.name].seconds.values()) for _, model in real) for folds in splits]
    choice = agreement.choose_split(fits, evidence_order(store, [folds.name for folds in splits]), seconds)
    flip = agreement.sign_flip(table[fits[0].split], table[fits[1].split], lb) if len(splits) == 2 and len(lb) >= 5 else None
    rows = [{"split": splits[fit.split].name, "loo_rmse": clean(fit.loo_rmse), "r2": clean(fit.r2), "tau": clean(fit.tau),
             "p_best": clean(fit.p_best), "p_max_t": clean(fit.p_max_t), "offset": clean(sign * fit.offset), "tied": fit.tied and fit is not fits[0],
             "models": len(lb), "seconds": round(seconds[fit.split], 3)} for fit in fits]
    told = {"split": splits[choice.split].name, "why": choice.why, "tentative": choice.tentative, "p_sign_flip": flip}
    return Trials(tuple(rows), told, tuple(notes))
