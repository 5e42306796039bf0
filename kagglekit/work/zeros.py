"""Zeros and constants: their values in the sample's form, their run, and what their score says."""

import dataclasses
from dataclasses import replace

import numpy as np
import pandas as pd

from kagglekit.errors import KKError
from kagglekit.ledger import open_ledger
from kagglekit.metrics import Metric
from kagglekit.run import Run, Submission, now, recipe_of
from kagglekit.store import Store
from kagglekit.tables.submission import constant_table, value_columns
from kagglekit.work.load import load_data, metric_of, problem_of
from kagglekit.work.readings import readings
from kagglekit.work.score import truth_for
from kagglekit.work.upload import known_metric, sample_table

VALUES = ("zeros", "constant", "sample")


def constant_and_table(store: Store, value: str) -> tuple[object, pd.DataFrame]:
    """The constant (None for the sample) and the table that holds it."""
    competition, sample = store.competition, sample_table(store)
    if value == "sample":
        return None, sample
    columns = value_columns(sample, competition.sample_ids)
    if value == "zeros":
        table = constant_table(sample, competition.sample_ids, 0, competition.classes)
        first = table[columns[0]].iloc[0]
        return (first if isinstance(first, str) else 0), table
    constant = _best(store, metric_of(competition), len(columns))
    return constant, constant_table(sample, competition.sample_ids, constant, competition.classes)


def _best(store: Store, metric: Metric, width: int) -> object:
    """The metric's best constant on train's target, one number a value column where it has several."""
    if metric.constant is None:
        raise KKError(f"no best constant is known for {metric.name}", "Send zeros: kk submit-zeros")
    constant = metric.constant(truth_for(metric, load_data(store), problem_of(store.competition)))
    if np.ndim(constant) == 0 and width == 2 and len(store.competition.classes) == 2 and metric.needs != "label":
        return np.array([1 - float(constant), float(constant)])
    if metric.needs == "list" and width == 1 and store.competition.classes:
        return " ".join(str(store.competition.classes[code]) for code in constant)  # the most frequent ones, as a cell holds them
    if np.ndim(constant) and np.size(constant) != width:
        raise KKError(f"the best constant of {metric.name} has {np.size(constant)} numbers, the sample {width} value columns",
                      "Mend target and classes in competition.toml, or send zeros: kk submit-zeros")
    return constant


def run_of_constant(store: Store, value: str, constant: object, values: pd.DataFrame) -> Run:
    """The run of this constant: no folds, score or OOF; an identical one is used again."""
    recipe, competition = recipe_of(kind="zeros", value=f"zeros-{value}"), store.competition
    test, shown = _as_predictions(values, competition.classes, competition.prediction), plain(constant)
    for run in store.all_runs():
        same = run.kind == "zeros" and run.recipe == recipe and run.status == "done" and run.notes.get("constant") == shown
        if same and _equal(store.array(run, "test"), test):
            return run
    metric = known_metric(competition)
    run = store.new_run(lambda number: Run(
        id=number, name=value, kind="zeros", recipe=recipe, metric=metric.name if metric else competition.metric, model=value,
        greater_is_better=metric.greater_is_better if metric else competition.greater_is_better is not False, created=now(),
        classes=competition.classes, notes={"constant": shown}))
    if test is not None:
        store.write_array(run, "test", test)
    done = replace(run, status="done")
    store.write_run(done)
    open_ledger(store).save_run(done)
    return done


def plain(constant: object) -> object:
    """A constant as json holds it."""
    return np.asarray(constant).tolist() if constant is not None else None


def _equal(one: np.ndarray | None, other: np.ndarray | None) -> bool:
    return one is other if one is None or other is None else np.array_equal(one, other)


def _as_predictions(values: pd.DataFrame, classes: tuple, prediction: str) -> np.ndarray | None:
    """The values as a run keeps them: shares of the classes, or numbers; None where they are neither."""
    known = [str(label) for label in classes]
    if known and prediction == "label" and values.shape[1] == 1 and set(values.iloc[:, 0].astype(str)) <= set(known):
        codes = pd.Index(known).get_indexer(values.iloc[:, 0].astype(str))
        return codes.astype(np.float32) if len(known) == 2 else np.eye(len(known), dtype=np.float32)[codes]
    if any(values[column].dtype.kind not in "iufb" for column in values.columns):
        return None
    array = values.to_numpy(dtype=np.float32 if known else np.float64)
    return array[:, 0] if array.shape[1] == 1 else array


def with_reading(store: Store, record: Submission) -> Submission:
    """The submission of a constant with what its score says, kept in its json; any other as it is."""
    if record.public is None or record.reading or not record.run:
        return record
    run = store.run(record.run)
    if run.kind != "zeros":
        return record
    found = readings(store, run, record)
    record = replace(record, reading=tuple(dataclasses.asdict(one) for one in found))
    store.write_submission(record)
    open_ledger(store).save_submission(record)
    return record
