"""What is what: which file is train, test and sample, what is id, target, task, group and time; every guess with its reason."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kagglekit.metrics import REGISTRY, Metric
from kagglekit.metrics.kaggle_names import METRICS, KaggleMetric
from kagglekit.tables.schema.columns import find_columns
from kagglekit.tables.schema.folders import find_folders
from kagglekit.tables.schema.ids import find_ids
from kagglekit.tables.schema.metric import guess_metric, public_fraction
from kagglekit.tables.schema.notes import Guess, Notes
from kagglekit.tables.schema.peek import Peek
from kagglekit.tables.schema.roles import file_role, find_roles, guess_roles, in_bulk
from kagglekit.tables.schema.targets import find_targets
from kagglekit.tables.schema.task import find_task

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Guess", "KaggleMetric", "Notes", "Peek", "file_role", "find_roles", "guess_metric", "guess_roles", "guess_schema", "in_bulk",
           "metric_row", "public_fraction"]

STUB_SHARE, STUB_ROWS, LEAST_TRAIN = 0.01, 20, 200
Source = "pd.DataFrame | Path | Peek"


def guess_schema(tables: Mapping[str, "pd.DataFrame | Path | Peek"], metric: "Metric | KaggleMetric | None" = None, *, files: Sequence[str] = (),
                 code_only: bool = False, kaggle_name: str = "", notes: Notes | None = None) -> Guess:
    """The schema from train, test, sample and labels (frames, Parquet files or peeks), as far as they are there, and the metric.

    `files` are the names of all files; `notes` hold what is known already (roles, what a person said).
    """
    notes = notes or Notes()
    peeks = {role: table if isinstance(table, Peek) else Peek(table) for role, table in tables.items()}
    train, test, sample, labels = (peeks.get(role) for role in ("train", "test", "sample", "labels"))
    find_ids(train, test, sample, notes)
    stub = _stub(train, test, code_only, notes)
    find_targets(train, test, sample, labels, notes)
    find_task(labels or train, sample, known_row(metric), kaggle_name, notes)
    find_folders(files, {role: peeks[role] for role in ("train", "labels", "test", "sample") if role in peeks}, notes)
    if train is not None:
        find_columns(train, test, stub, notes)
    return notes.guess()


def known_row(metric: "Metric | KaggleMetric | None") -> KaggleMetric | None:
    """Kaggle's facts of a registered metric."""
    if metric is None or isinstance(metric, KaggleMetric):
        return metric
    known = METRICS.get(metric.name)
    return known if known and known.kind == metric.needs else KaggleMetric(metric.name, metric.greater_is_better, metric.needs, "", ())


def metric_row(metric: str, known_as: str) -> KaggleMetric | None:
    """Kaggle's facts of the metric that a competition names, or of the one it is known as."""
    return known_row(REGISTRY.get(metric)) if metric and metric in REGISTRY else METRICS.get(known_as)


def _stub(train: Peek | None, test: Peek | None, code_only: bool, notes: Notes) -> bool:
    """Whether the visible test is a stub that is swapped for the real one when a notebook runs."""
    if train is None or test is None:
        notes.set("test_is_stub", False, "there is no test table" if test is None else "there is no train table")
        return False
    few = test.rows < STUB_SHARE * train.rows
    tiny = test.rows <= STUB_ROWS and train.rows >= LEAST_TRAIN
    copied = code_only and not few and _copied(train, test, notes)
    if code_only and (few or tiny or copied):
        notes.set("test_is_stub", True, "every row of it is in train too" if copied else f"{test.rows} rows, train has {train.rows}")
        notes.warn(f"the visible test set is a stub ({test.rows} rows): the real one is seen by notebooks only")
        return True
    if few and tiny:
        notes.set("test_is_stub", True, f"{test.rows} rows, train has {train.rows}")
        notes.warn(f"the visible test has only {test.rows} rows, train has {train.rows}: it is taken for a stub. If it is the whole test, "
                   "write test_is_stub = false in competition.toml")
        return True
    notes.set("test_is_stub", False, f"{test.rows} rows, train has {train.rows}")
    return False


def _copied(train: Peek, test: Peek, notes: Notes) -> bool:
    ids = notes.names("id")
    if len(ids) != 1 or ids[0] not in train or ids[0] not in test or not (train.exact and test.exact) or not test.rows:
        return False
    shared = [column for column in test.columns if column in train]
    copies = test.frame(shared).astype(str).merge(train.frame(shared).astype(str).drop_duplicates(), on=shared, how="inner")
    return len(copies) >= test.rows
