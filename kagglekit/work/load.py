"""Loading: a competition's tables as features, target and ids."""

import dataclasses
import functools
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from kagglekit.competition import Competition
from kagglekit.errors import KKError
from kagglekit.fold import Data
from kagglekit.metrics import Metric, check_metric, misfit
from kagglekit.models.family import Problem
from kagglekit.predictions import Form
from kagglekit.registry import is_path_reference, near_names
from kagglekit.store import Store
from kagglekit.work.tables import open_table

ROW = "row"


def read_table(store: Store, role: str, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """The typed table of a role (train, test, sample, labels) in its own order; raises KKError where there is none.

    Where there is no test table (images in a folder), the ids of the sample are its rows.
    """
    name = getattr(store.competition, role)
    if not name and role == "test" and store.competition.sample and columns is None:
        return read_table(store, "sample")[list(store.competition.sample_ids)]
    if not name:
        raise KKError(f"{store.competition.slug} has no {role} table", f"Write the file's name as {role} in {store.toml}")
    return open_table(store, name).read(columns)


def id_table(store: Store, role: str) -> pd.DataFrame:
    """The id column(s) of a table; where it has none (or they repeat), the row number as `row`."""
    table = read_table(store, role)
    names = [name for name in store.competition.id if name in table.columns]
    if not names or len(names) < len(store.competition.id):
        return pd.DataFrame({ROW: np.arange(len(table))})
    return table[names]


def metric_of(competition: Competition) -> Metric:
    """The competition's Metric; raises KKError where none is known, and for one that cannot score the target.

    A metric.py:score gets tables with the sample's columns, and labels where prediction is label in competition.toml.
    """
    if not competition.metric:
        raise KKError(f"the metric of {competition.slug} is not known ({competition.kaggle_metric or 'Kaggle names none'})",
                      f'Write [metric] name = "rmse" (or metric.py:score) in {competition.folder}/competition.toml')
    own = is_path_reference(competition.metric)
    found = check_metric(competition.metric, competition.greater_is_better, competition.folder, _sample_columns(competition) if own else ())
    if own and competition.prediction == "label" and competition.classes and competition.task != "multilabel":
        return dataclasses.replace(found, needs="label")
    several = competition.task == "multilabel" and len(competition.target) == 1
    wrong = misfit(found, len(competition.target), () if several else competition.classes, several)
    if wrong:
        raise KKError(wrong[0], f'Write [metric] name = "{wrong[1][0]}" (or {wrong[1][1]}) in {competition.folder}/competition.toml')
    return found


def _sample_columns(competition: Competition) -> tuple[str, ...]:
    """The sample's columns, an id first; of a competition without a sample the id and the targets."""
    ids = competition.sample_ids or ("id",)
    if not competition.sample:
        return (ids[0], *competition.target)
    columns = open_table(Store(competition), competition.sample).footer.columns
    return (ids[0], *(name for name in columns if name not in ids))


def problem_of(competition: Competition) -> Problem:
    """What models are to learn: one target, or several of numbers or of 0 and 1; raises KKError where the schema is not complete."""
    task, names = competition.task, competition.target
    if task == "multilabel" and len(names) == 1:
        names = tuple(map(str, competition.classes))  # one column of labels with blanks between
    task = "regression" if task == "multitarget" else task
    learnable = len(names) > 1 if task == "multilabel" else task == "regression" if len(names) > 1 else task in ("binary", "multiclass", "regression")
    if not names or not learnable:
        found = f"{len(competition.target)} targets" if len(competition.target) > 1 else "one target" if competition.target else "no target"
        raise KKError(f"{competition.slug} has {found} (task {competition.task or 'unknown'}), which models here do not learn",
                      "Mend target, classes and task in competition.toml, or bring predictions: kk add NAME --oof FILE --test FILE")
    if len(names) == 1:
        return Problem(task, competition.classes, metric_of(competition))
    return Problem(task, (), metric_of(competition), names)


def load_data(store: Store) -> Data:
    """Features and target of train, features of test: the raw columns that both have, without ids (dates are kept) and ignored ones.

    With several targets y is rows x targets, in the order of `target` in competition.toml. A target that is in the labels table is
    joined by id. Where no column is left (images), X holds the ids only and says so: `Data.ids_only`.
    """
    competition = store.competition
    return _cached(competition, tuple(_stamp(store, role) for role in ("train", "test", "labels")))


def _stamp(store: Store, role: str) -> tuple[str, int]:
    path = store.table(getattr(store.competition, role) or "-")
    return (str(path), path.stat().st_mtime_ns) if path.exists() else (str(path), 0)


@functools.lru_cache(maxsize=2)
def _cached(competition: Competition, stamps: tuple) -> Data:
    store = Store(competition)
    train, test = with_labels(store, read_table(store, "train")), read_table(store, "test")
    problem = problem_of(competition)
    _check_order(store, problem)
    y, target = learnt(train, competition, problem)
    columns = feature_columns(train, test, competition)
    ids = [name for name in competition.id if name in train.columns and name in test.columns]
    return Data(X=_plain(train[columns or ids]), y=y, target=target, X_test=_plain(test[columns or ids]), classes=problem.classes,
                groups=train[competition.group[0]].to_numpy() if competition.group else None,
                time=moments(train, competition.time) if competition.time else None, ids_only=not columns)


def with_labels(store: Store, train: pd.DataFrame) -> pd.DataFrame:
    """Train with the targets of the labels table, joined by the ids that both have; as it is where it holds its targets itself.

    Raises KKError where ids repeat in the labels, or no column joins them.
    """
    competition = store.competition
    wanted = [name for name in competition.target if name not in train.columns]
    if not wanted or not competition.labels:
        return train
    labels = read_table(store, "labels")
    ids = [name for name in competition.id if name in labels.columns and name in train.columns]
    if not ids:
        raise KKError(f"no id column is both in {competition.labels} and in {competition.train}", f"Write id in {store.toml}")
    if labels.duplicated(ids).any():
        raise KKError(f"{competition.labels} has the {', '.join(ids)} {labels[labels.duplicated(ids)][ids].iloc[0].tolist()} more than once",
                      "Join train and labels yourself, and name the result as train in competition.toml")
    return train.merge(labels[[*ids, *wanted]], on=ids, how="left", validate="many_to_one")


def _check_order(store: Store, problem: Problem) -> None:
    """A submission's columns go by the sample: several targets must stand in its order."""
    if not problem.targets or not store.competition.sample:
        return
    columns = open_table(store, store.competition.sample).footer.columns
    shown = [name for name in columns if name in problem.targets]
    if sorted(shown) == sorted(problem.targets) and shown != list(problem.targets):
        raise KKError(f"target lists {', '.join(problem.targets)}, the sample has them as {', '.join(shown)}",
                      f"Write target = {json.dumps(shown)} in {store.toml}")


def feature_columns(train: pd.DataFrame, test: pd.DataFrame, competition: Competition) -> list[str]:
    """Columns of both tables that models may see."""
    left_out = {*competition.target, *competition.ignore}
    left_out |= {name for name in competition.id if name in train and not str(train[name].dtype).startswith("datetime")}
    return [name for name in train.columns if name in test.columns and name not in left_out]


def learnt(table: pd.DataFrame, competition: Competition, problem: Problem) -> tuple[np.ndarray, np.ndarray]:
    """(y, target) of a table that holds the target columns: as it stands there, and as models learn it (class codes or floats).

    Raises KKError for gaps, labels that are not known, and text where numbers are needed.
    """
    names = list(competition.target)
    check_columns(table, names)
    _check_gaps(table, names)
    if problem.targets and len(names) == 1:
        return _several_labels(table[names[0]], problem)
    if problem.targets:
        values = np.column_stack([_numbers(table[name], problem) for name in names])
        return (values, values) if not problem.classifies else (values.astype(np.int64), values)
    y = table[names[0]]
    if not problem.classifies:
        return y.to_numpy(), _numbers(y, problem)
    codes = pd.Index([str(label) for label in competition.classes]).get_indexer(y.astype(str))
    if (codes < 0).any():
        raise KKError(f"the target {y.name!r} holds {y[codes < 0].iloc[0]!r}, which is not among classes in competition.toml",
                      f"Write all labels there: {sorted(y.unique().tolist(), key=str)[:8]}")
    return y.to_numpy(), codes.astype(np.int64)


def _check_gaps(table: pd.DataFrame, names: Sequence[str]) -> None:
    for name in names:
        gaps = table[name].isna()
        if gaps.any():
            raise KKError(f"the target {name!r} has no value (NaN) in {int(gaps.sum())} rows of train, the first is row {int(np.argmax(gaps))}",
                          "Remove these rows from the data, or name another target in competition.toml")


def _numbers(y: pd.Series, problem: Problem) -> np.ndarray:
    if y.dtype.kind not in "iufb":
        raise KKError(f"the target {y.name!r} holds text such as {y.iloc[0]!r}, a {problem.task} needs numbers",
                      "Mend task or target in competition.toml")
    values = y.to_numpy(dtype=np.float64)
    if problem.task == "multilabel" and not np.isin(values, (0, 1)).all():
        raise KKError(f"the target {y.name!r} holds {values[~np.isin(values, (0, 1))][0]:g}, labels are 0 or 1",
                      'Write task = "multitarget" in competition.toml')
    return values


def _several_labels(y: pd.Series, problem: Problem) -> tuple[np.ndarray, np.ndarray]:
    """One column of labels with blanks between, as rows x labels."""
    held = y.astype(str).str.get_dummies(sep=" ")
    unknown = [name for name in held.columns if name and name not in problem.targets]
    if unknown:
        raise KKError(f"the target {y.name!r} holds {unknown[0]!r}, which is not among classes in competition.toml", "Write all labels there")
    values = held.reindex(columns=list(problem.targets), fill_value=0).to_numpy()
    return values.astype(np.int64), values.astype(np.float64)


def _plain(table: pd.DataFrame) -> pd.DataFrame:
    """Truth values as numbers, so that gaps in them are missing numbers."""
    truth = [name for name, kind in table.dtypes.items()
             if pd.api.types.is_bool_dtype(kind) or (pd.api.types.is_object_dtype(kind) and set(table[name].dropna().map(type)) == {bool})]
    return table.assign(**{name: table[name].astype("float64") for name in truth}) if truth else table


def moments(table: pd.DataFrame, name: str) -> np.ndarray:
    """A time column as numbers: nanoseconds for dates, itself for numbers; raises KKError for text and gaps."""
    check_columns(table, [name])
    column = table[name]
    if column.isna().any():
        raise KKError(f"the time column {name!r} has {int(column.isna().sum())} gaps", "Choose another: kk cv --split time --time COL")
    if str(column.dtype).startswith("datetime"):
        return column.astype("datetime64[ns]").to_numpy().astype(np.int64).astype(np.float64)
    if column.dtype.kind in "iuf":
        return column.to_numpy(dtype=np.float64)
    try:
        return pd.to_datetime(column).astype("datetime64[ns]").to_numpy().astype(np.int64).astype(np.float64)
    except (ValueError, TypeError) as error:
        raise KKError(f"the time column {name!r} holds {column.iloc[0]!r}, which is no date",
                      "Choose another: kk cv --split time --time COL") from error


def check_columns(table: pd.DataFrame, names: Sequence[str]) -> None:
    """Raise KKError, with near names, for a column that is not there."""
    for name in names:
        if name not in table.columns:
            near = near_names(name, map(str, table.columns))
            raise KKError(f"train has no column {name!r}", f"{near}It has: {', '.join(map(str, table.columns[:12]))}")


def forms(store: Store) -> tuple[Form, Form]:
    """What OOF and test predictions must look like; of several targets one column each, in their order."""
    competition = store.competition
    columns = [name for name in read_table(store, "sample").columns if name not in competition.sample_ids]
    classes, targets = competition.classes, problem_of(competition).targets
    if targets:
        columns, widths, classes = list(targets), (len(targets),), ()
    else:
        widths = (1,) if not classes else (1, 2) if len(classes) == 2 else (len(classes),)
    return (Form("the OOF predictions", id_table(store, "train"), tuple(columns), widths, classes),
            Form("the test predictions", id_table(store, "test"), tuple(columns), widths, classes))


def relative(path: Path) -> str:
    """A path as a person would type it from here."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
