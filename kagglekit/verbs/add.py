"""kk add: bring predictions made elsewhere into the ledger as a run on named folds."""

from dataclasses import dataclass

import numpy as np

from kagglekit.errors import KKError
from kagglekit.models.family import Problem
from kagglekit.predictions import Predictions, read_predictions
from kagglekit.run import Score
from kagglekit.store import Store, open_store
from kagglekit.work.kept import load_folds
from kagglekit.work.load import forms, load_data, problem_of
from kagglekit.work.save import Result, begin, finish, safe_name
from kagglekit.work.score import fold_scores, parts_of

COPY = 0.999


@dataclass(frozen=True, slots=True)
class Added:
    """An added run as `kk add` shows it."""

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
    seconds: dict[str, float]
    bottleneck: str
    aligned_by: str
    near_copies: tuple[str, ...]
    warnings: tuple[str, ...]
    next: str


def add(name: str, *, oof: object, test: object = None, folds: str | None = None, recipe: str | None = None,
        competition: object = None) -> Added:
    """Add out-of-fold and test predictions (csv, parquet, npy, npz, DataFrame or array) as the run `name` on `folds`.

    Tables with the id column(s) are aligned by id in any order; arrays go by row order. Refused with the fix: wrong length or
    ids, NaN in validated rows, probabilities that do not sum to 1, classes or columns that do not fit. The score is recomputed.

        >>> kk.add("my-nn", oof=oof, test=test, folds="group5")  # doctest: +SKIP
    """
    store = open_store(competition)
    problem, the_folds, data = problem_of(store.competition), load_folds(folds, store), load_data(store)
    oof_form, test_form = forms(store)
    validated = np.zeros(the_folds.rows, dtype=bool)
    validated[the_folds.row] = True
    needed = _needed(oof, validated, the_folds)
    out = read_predictions(oof, oof_form, needed)
    told = read_predictions(test, test_form) if test is not None else None
    _check_range(out, problem)
    score = fold_scores(problem, data, the_folds, parts_of(the_folds, out.values), out.covered)
    copies = near_copies(store, the_folds.fingerprint, out.values)
    run = begin(store, name=name, kind="add", folds=the_folds, model=safe_name(name), recipe=recipe or safe_name(name),
                metric=problem.metric.name, greater_is_better=problem.metric.greater_is_better, classes=problem.classes,
                inference="other", notes={"aligned_by": out.aligned_by})
    warnings = _warnings(out, told, copies)
    rows = int(out.covered.sum())
    done = finish(store, run, Result(out.values, told.values if told else None, score, rows, {}, {}, warnings))
    return Added(run=done.id, recipe=done.recipe, model=done.model, name=done.name, folds=done.folds, kind=done.kind, metric=done.metric,
                 greater_is_better=done.greater_is_better, score=score, rows_scored=rows, seconds={}, bottleneck="made elsewhere",
                 aligned_by=out.aligned_by, near_copies=copies, warnings=warnings,
                 next=f"kk submit {done.id}" if told else "kk ensemble")


def _needed(oof: object, validated: np.ndarray, folds: object) -> np.ndarray:
    """Rows that must have a value: all validated ones, or those of the folds that are covered as a whole."""
    if not isinstance(oof, np.ndarray) or len(oof) != len(validated):
        return validated
    values = np.asarray(oof, dtype=np.float64).reshape(len(oof), -1)
    missing = np.isnan(values).any(axis=1)
    needed = np.zeros_like(validated)
    for fold in folds:
        if not missing[fold.valid].all():
            needed[fold.valid] = True
    return needed if needed.any() else validated


def _check_range(out: Predictions, problem: Problem) -> None:
    values = out.values[out.covered]
    if problem.classifies and problem.metric.needs != "rank" and ((values < -1e-6) | (values > 1 + 1e-6)).any():
        raise KKError(f"the OOF predictions reach from {values.min():g} to {values.max():g}, probabilities lie in 0 to 1",
                      "Add probabilities (predict_proba), not scores or labels")


def near_copies(store: Store, fingerprint: str, oof: np.ndarray) -> tuple[str, ...]:
    """Runs on the same folds whose predictions correlate above .999 with these."""
    found = []
    for run in store.all_runs():
        other = store.array(run, "oof") if run.folds_fingerprint == fingerprint and run.status == "done" else None
        if other is None or other.shape != oof.shape:
            continue
        both = ~(np.isnan(other) | np.isnan(oof))
        a, b = other[both], oof[both]
        if len(a) > 2 and a.std() > 0 and b.std() > 0 and np.corrcoef(a, b)[0, 1] > COPY:
            found.append(run.id)
    return tuple(found)


def _warnings(out: Predictions, told: Predictions | None, copies: tuple[str, ...]) -> tuple[str, ...]:
    said = []
    if told is None:
        said.append("no test predictions: the run can be scored, not submitted or blended into a submission")
    if out.aligned_by == "order":
        said.append("aligned by row order: nothing proves that the rows are train's; a csv with the id column would")
    if copies:
        said.append(f"nearly the same predictions as {', '.join(copies)}")
    return tuple(said)
