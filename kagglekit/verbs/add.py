"""kk add: bring predictions made elsewhere, or a table of scores typed over, into the ledger."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from kagglekit.errors import KKError
from kagglekit.fold import Data
from kagglekit.folds import Folds
from kagglekit.metrics import check_metric
from kagglekit.models.family import Problem
from kagglekit.predictions import Form, Predictions, read_predictions
from kagglekit.progress import task
from kagglekit.run import Run, Score, Submission
from kagglekit.store import Store, open_store
from kagglekit.work.compare import near_copies
from kagglekit.work.doubts import doubts, doubts_of_test, refuse_other_folds, refuse_scale, refuse_swapped, refuse_target
from kagglekit.work.history import add_history
from kagglekit.work.kept import load_folds
from kagglekit.work.layouts import read_file, sources
from kagglekit.work.load import forms, load_data, metric_of, problem_of
from kagglekit.work.save import Result, begin, finish, safe_name
from kagglekit.work.score import fold_scores


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


@dataclass(frozen=True, slots=True)
class AddedEvery:
    """All models of a folder: the runs, and what was `refused` (name, what, do)."""

    rows: tuple[Added, ...]
    refused: tuple[dict[str, str], ...]
    next: str


@dataclass(frozen=True, slots=True)
class AddedTable:
    """Lines of a history as runs: ids of the new ones, of those completed by scores, and how many lines were there already."""

    table: str
    kind: str
    metric: str
    greater_is_better: bool
    added: tuple[str, ...]
    completed: tuple[str, ...]
    same: int
    rows: tuple[dict[str, object], ...]
    warnings: tuple[str, ...]
    next: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where predictions go: the store, what they must fit, and the folds that score them."""

    store: Store
    problem: Problem
    folds: Folds
    data: Data
    oof: Form
    test: Form


def add(name: str, *, oof: object = None, test: object = None, folds: str | None = None, recipe: str | None = None, every: bool = False,
        table: object = None, metric: str | None = None, competition: object = None) -> Added | AddedEvery | AddedTable:
    """Add out-of-fold and test predictions as the run `name` on `folds`: arrays, tables, or paths (csv, tsv, parquet, npy, npz, a folder).

    Tables with the id column(s) are aligned by id in any order; arrays go by row order. A folder's models are told by their
    files' names, `oof_NAME` beside `test_NAME`; `every` adds each. The score is recomputed fold by fold; folds may be missing as
    a whole. `table` adds instead a history typed over (model, cv, public [, private, cv_se, date]): a run of kind table each
    line, of which only new ones are taken. `metric` is for a competition whose competition.toml names none.

    Raises KKError, with the fix, for wrong lengths or ids, gaps, a fold column that disagrees, probabilities that are none,
    columns that do not fit, OOF and test predictions that changed places; what only looks wrong is in `warnings`.

        >>> kk.add("my-nn", oof=oof, test=test, folds="group5")  # doctest: +SKIP
    """
    store = _with_metric(open_store(competition), metric)
    if table is not None:
        if oof is not None or test is not None:
            raise KKError("a table of scores and predictions were given together", "Add them one after the other: --table FILE, or --oof FILE")
        return _add_table(store, name, table)
    if oof is None:
        raise KKError(f"there is nothing to add as {name}", "Give --oof FILE [--test FILE], or --table FILE with model, cv, public")
    given = sources(name, oof, test, every)
    place = Place(store, problem_of(store.competition), load_folds(folds, store), load_data(store), *forms(store))
    if not every:
        return _add_one(place, *given[0], recipe)
    if recipe:
        raise KKError("--recipe names one recipe, --every adds several models", "Leave --recipe out: each gets its own name")
    return _add_every(place, given)


def _with_metric(store: Store, metric: str | None) -> Store:
    """The store with that metric, where competition.toml names none; raises KKError where it names another."""
    if metric is None:
        return store
    known = store.competition.metric
    if known and check_metric(metric, None, store.folder).name != metric_of(store.competition).name:
        raise KKError(f"--metric is {metric}, competition.toml says {known}", f"Leave --metric out, or mend it in {store.toml}")
    return store if known else Store(replace(store.competition, metric=metric))


def _add_every(place: Place, given: Sequence[tuple[str, object, object]]) -> AddedEvery:
    """Each model of a folder; those that do not fit are told and left out. Raises KKError where none fits."""
    added, refused = [], []
    with task("adding", total=len(given), unit="models") as work:
        for name, oof, test in given:
            try:
                added.append(_add_one(place, name, oof, test, None))
            except KKError as error:
                refused.append({"name": name, "what": error.what, "do": error.do})
            work.advance(note=name)
    if not added:
        raise KKError(f"none of {len(given)} models fits; {refused[0]['name']}: {refused[0]['what']}", refused[0]["do"])
    return AddedEvery(tuple(added), tuple(refused), "kk runs")


def _add_one(place: Place, name: str, oof: object, test: object, recipe: str | None) -> Added:
    problem, folds, store = place.problem, place.folds, place.store
    said, told = _read(place, oof, test)
    parts = {(fold.repeat, fold.fold): said.values[fold.valid] for fold in folds if said.covered[fold.valid].all()}
    score = fold_scores(problem, place.data, folds, parts, said.covered)
    numeric = problem.task == "regression" and place.data.target.shape == said.values.shape
    copies = near_copies(store, folds.fingerprint, said.values, place.data.target if numeric else None)
    warnings = _warnings(place, said, told, copies, len(parts))
    run = begin(store, name=name, kind="add", folds=folds, model=safe_name(name), recipe=recipe or safe_name(name),
                metric=problem.metric.name, greater_is_better=problem.metric.greater_is_better, classes=problem.classes,
                inference="other", notes={"aligned_by": said.aligned_by})
    rows = int(said.covered.sum())
    done = finish(store, run, Result(said.values, told.values if told else None, score, rows, {}, {}, warnings))
    return Added(run=done.id, recipe=done.recipe, model=done.model, name=done.name, folds=done.folds, kind=done.kind, metric=done.metric,
                 greater_is_better=done.greater_is_better, score=score, rows_scored=rows, seconds={}, bottleneck="made elsewhere",
                 aligned_by=said.aligned_by, near_copies=copies, warnings=done.warnings,
                 next=f"kk submit {done.id}" if told else "kk ensemble")


def _read(place: Place, oof: object, test: object) -> tuple[Predictions, Predictions | None]:
    """Both predictions, aligned; raises KKError for all that cannot be meant."""
    first = read_file(Path(oof), place.oof) if isinstance(oof, (str, Path)) else oof
    second = read_file(Path(test), place.test) if isinstance(test, (str, Path)) else test
    refuse_swapped(_rows(first), _rows(second), len(place.oof.ids), len(place.test.ids))
    said = read_predictions(first, place.oof, [fold.valid for fold in place.folds])
    told = read_predictions(second, place.test) if second is not None else None
    refuse_other_folds(said, place.folds, place.oof.ids.iloc[:, 0].to_numpy())
    for one, form in ((said, place.oof), (told, place.test)):
        if one is not None:
            refuse_scale(one, place.problem, form.what)
    if place.problem.task == "regression":
        refuse_target(said, place.data.target)
    return said, told


def _rows(given: object) -> int | None:
    return len(given) if hasattr(given, "__len__") and getattr(given, "ndim", 1) else None


def _warnings(place: Place, said: Predictions, told: Predictions | None, copies: Sequence[str], parts: int) -> tuple[str, ...]:
    out = [*said.notes, *doubts(said, place.data.target, place.problem, place.problem.classes)]
    if told is None:
        out.append("no test predictions: the run can be scored, not submitted or blended into a submission")
    else:
        out += [note for note in told.notes if note not in said.notes] + doubts_of_test(told, said)
    if parts < len(place.folds):
        out.append(f"{parts} of {len(place.folds)} folds are predicted: scored on those")
    if said.aligned_by == "order":
        out.append("aligned by row order: nothing proves that the rows are train's; a csv with the id column would")
    if copies:
        out.append(f"nearly the same predictions as {', '.join(copies)}")
    return tuple(out)


def _add_table(store: Store, name: str, table: object) -> AddedTable:
    metric = metric_of(store.competition)
    taken = add_history(store, name, table, metric)
    sent = {record.run: record for record in store.all_submissions() if record.run}
    rows = tuple(_row(run, sent.get(run.id)) for run in (*taken.added, *taken.completed))
    both = [run for run in store.all_runs() if run.kind == "table" and run.score.mean is not None and run.id in sent]
    return AddedTable(name, "table", metric.name, metric.greater_is_better, tuple(run.id for run in taken.added),
                      tuple(run.id for run in taken.completed), taken.same, rows, (*taken.warnings, *_same_twice(rows)),
                      "kk lbcheck" if len(both) > 1 else "kk runs")


def _row(run: Run, record: Submission | None) -> dict[str, object]:
    return {"run": run.id, "name": run.name, "recipe": run.recipe, "cv": run.score.mean, "cv_se": run.score.se,
            "public": record.public if record else None, "private": record.private if record else None}


def _same_twice(rows: Sequence[dict[str, object]]) -> list[str]:
    """Models whose local score equals the public one to the last digit: often one was typed into both columns."""
    equal = [str(row["name"]) for row in rows if row["cv"] is not None and row["cv"] == row["public"]]
    return [f"cv and public are the same number for {', '.join(equal[:5])}: typed over twice?"] if equal else []
