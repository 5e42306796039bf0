"""kk submit-zeros: zeros (or the best constant) in the sample's exact form, and what their score says."""

import dataclasses
import time
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from kagglekit.errors import KKError
from kagglekit.ledger import open_ledger
from kagglekit.metrics import Metric
from kagglekit.registry import near_names
from kagglekit.run import Run, Submission, now, recipe_of
from kagglekit.store import Store, open_store
from kagglekit.tables.reading import Reading, read_constant
from kagglekit.tables.submission import constant_table, value_columns, write_csv
from kagglekit.work.load import load_data, metric_of, problem_of, read_table, relative
from kagglekit.work.score import truth_for
from kagglekit.work.upload import Message, checked_table, send

VALUES = ("zeros", "constant", "sample")


@dataclass(frozen=True, slots=True)
class Zeros:
    """The first submission as `kk submit-zeros` shows it."""

    run: str
    value: object
    file: str
    rows: int
    columns: tuple[str, ...]
    ref: str
    status: str | None
    public: float | None
    private: float | None
    reading: tuple[Reading, ...]
    seconds: float
    warnings: tuple[str, ...]
    next: str


def submit_zeros(*, value: str = "zeros", dry_run: bool = False, wait: bool = True, timeout: float = 600.0,
                 competition: object = None) -> Zeros:
    """Submit zeros, the metric's best `constant` or the `sample` as it is, so that the mechanics work before any model.

    Spends one of today's submissions; `dry_run` writes and checks the file only. Once the score is there, `reading` says what it
    reveals of the hidden answers.

        >>> kk.submit_zeros(dry_run=True).rows  # doctest: +SKIP
    """
    if value not in VALUES:
        raise KKError(f"{value!r} is no constant", f"{near_names(value, VALUES)}Give one of: {', '.join(VALUES)}")
    started, store = time.monotonic(), open_store(competition)
    sample = read_table(store, "sample")
    constant, table = _table(store, sample, value)
    ready = checked_table(store, table)
    columns = tuple(value_columns(sample, store.competition.id))
    if dry_run:
        path = store.submissions / f"dry-run-{value}.csv"
        write_csv(ready.table, path)
        return Zeros("", constant, relative(path), len(table), columns, "", None, None, None, (), _since(started), ready.warnings,
                     "kk submit-zeros")
    if store.competition.code_only:
        raise KKError(f"{store.competition.slug} takes submissions from notebooks only", "Submit there; kk submissions will find it")
    run = _run(store, value, constant, ready.table[list(columns)])
    record = send(store, ready.table, Message(run.id, run.recipe, run.name), wait=wait, timeout=timeout)
    reading = _reading(store, constant, record) if record.public is not None else ()
    if reading:
        record = replace(record, reading=tuple(dataclasses.asdict(one) for one in reading))
        store.write_submission(record)
        open_ledger(store).save_submission(record)
    return Zeros(run.id, constant, record.file, record.rows, columns, record.ref, record.status, record.public, record.private, tuple(reading),
                 _since(started), (), "kk cv" if record.status == "complete" else "kk submissions")


def _since(started: float) -> float:
    return round(time.monotonic() - started, 2)


def _table(store: Store, sample: pd.DataFrame, value: str) -> tuple[object, pd.DataFrame]:
    """The constant (None for the sample) and the table that holds it."""
    competition = store.competition
    if value == "sample":
        return None, sample
    if value == "zeros":
        table = constant_table(sample, competition.id, 0, competition.classes)
        first = table[value_columns(sample, competition.id)[0]].iloc[0]
        return (0 if first in (0, False) else first), table
    metric, problem = metric_of(competition), problem_of(competition)
    if metric.constant is None:
        raise KKError(f"no best constant is known for {metric.name}", "Send zeros: kk submit-zeros")
    constant = metric.constant(truth_for(metric, load_data(store), problem))
    return constant, constant_table(sample, competition.id, constant, competition.classes)


def _run(store: Store, value: str, constant: object, values: pd.DataFrame) -> Run:
    """The run of this constant: no folds, score or OOF; made once."""
    recipe = recipe_of(kind="zeros", value=value)
    for run in store.all_runs():
        if run.kind == "zeros" and run.recipe == recipe and run.status == "done":
            return run
    metric = store.competition.metric
    shown = np.asarray(constant).tolist() if constant is not None else None
    run = store.new_run(lambda number: Run(id=number, name=value, kind="zeros", recipe=recipe, metric=metric, model=value,
                                           greater_is_better=bool(store.competition.greater_is_better), created=now(),
                                           notes={"constant": shown}))
    array = _as_run(store, values)
    if array is not None:
        store.write_array(run, "test", array)
    done = replace(run, status="done")
    store.write_run(done)
    open_ledger(store).save_run(done)
    return done


def _as_run(store: Store, values: pd.DataFrame) -> np.ndarray | None:
    """The values as a run keeps them: probabilities of the classes, or numbers; None where they are neither."""
    classes = store.competition.classes
    column = values.iloc[:, 0]
    if classes and store.competition.prediction == "label":
        codes = np.array([list(map(str, classes)).index(str(label)) for label in column])
        return codes.astype(float) if len(classes) == 2 else np.eye(len(classes))[codes]
    if column.dtype.kind not in "iufb":
        return None
    array = values.to_numpy(dtype=np.float64)
    return array[:, 0] if array.shape[1] == 1 else array


def _reading(store: Store, constant: object, record: Submission) -> list[Reading]:
    """What the score says; of the sample only the score itself can be said."""
    score = float(record.public or 0.0)
    if constant is None or not store.competition.metric:
        return [Reading(f"the file was accepted and scored {record.shown}", score, "the server's own score")]
    metric: Metric = metric_of(store.competition)
    if len(store.competition.target) != 1:
        return [Reading(f"{constant} in every column scores {record.shown}", score, "several targets: no more is read")]
    data = load_data(store)
    y = truth_for(metric, data, problem_of(store.competition))
    rows = len(read_table(store, "sample"))
    public = round(rows * (store.competition.public_fraction or 1.0))
    said = _in_metric_form(metric, constant, store.competition.classes)
    return read_constant(metric, said, score, y, public, data.groups)


def _in_metric_form(metric: Metric, constant: object, classes: tuple) -> object:
    """Zeros of several probability columns are uniform after the server's normalisation."""
    if metric.name == "mlogloss" and np.ndim(constant) == 0:
        return np.full(len(classes), 1 / len(classes))
    return constant

