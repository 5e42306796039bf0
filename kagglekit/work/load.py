"""Loading: a competition's tables as features, target and ids."""

import functools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from kagglekit.competition import Competition
from kagglekit.errors import KKError
from kagglekit.fold import Data
from kagglekit.metrics import Metric, check_metric
from kagglekit.models.family import Problem
from kagglekit.predictions import Form
from kagglekit.registry import near_names
from kagglekit.store import Store
from kagglekit.work.tables import open_table

ROW = "row"


def read_table(store: Store, role: str, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """The typed table of a role (train, test, sample) in its own order; raises KKError where there is none."""
    name = getattr(store.competition, role)
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
    """The competition's Metric; raises KKError where none is known."""
    if not competition.metric:
        raise KKError(f"the metric of {competition.slug} is not known ({competition.kaggle_metric or 'Kaggle names none'})",
                      f'Write [metric] name = "rmse" (or metric.py:score) in {competition.folder}/competition.toml')
    return check_metric(competition.metric, competition.greater_is_better, competition.folder)


def problem_of(competition: Competition) -> Problem:
    """What models are to learn; raises KKError where the schema is not complete."""
    if len(competition.target) != 1 or competition.task not in ("binary", "multiclass", "regression"):
        found = f"{len(competition.target)} targets" if len(competition.target) > 1 else "no target"
        raise KKError(f"{competition.slug} has {found} (task {competition.task or 'unknown'}): models here learn one",
                      "Mend target and task in competition.toml, or bring predictions: kk add NAME --oof FILE --test FILE")
    return Problem(competition.task, competition.classes, metric_of(competition))


def load_data(store: Store) -> Data:
    """Features and target of train, features of test; columns that both have, without ids (dates are kept) and ignored ones."""
    competition = store.competition
    return _cached(competition, tuple(_stamp(store, role) for role in ("train", "test")))


def _stamp(store: Store, role: str) -> tuple[str, int]:
    path = store.table(getattr(store.competition, role) or "-")
    return (str(path), path.stat().st_mtime_ns) if path.exists() else (str(path), 0)


@functools.lru_cache(maxsize=2)
def _cached(competition: Competition, stamps: tuple) -> Data:
    store = Store(competition)
    train, test = read_table(store, "train"), read_table(store, "test")
    problem = problem_of(competition)
    y, target = _targets(train, competition, problem)
    columns = feature_columns(train, test, competition)
    if not columns:
        raise KKError("train and test share no column that can be a feature", "Check ignore and id in competition.toml")
    return Data(X=_plain(train[columns]), y=y, target=target, X_test=_plain(test[columns]), classes=competition.classes,
                groups=train[competition.group[0]].to_numpy() if competition.group else None,
                time=moments(train, competition.time) if competition.time else None)


def feature_columns(train: pd.DataFrame, test: pd.DataFrame, competition: Competition) -> list[str]:
    """Columns of both tables that models may see."""
    left_out = {*competition.target, *competition.ignore}
    left_out |= {name for name in competition.id if name in train and not str(train[name].dtype).startswith("datetime")}
    return [name for name in train.columns if name in test.columns and name not in left_out]


def _targets(train: pd.DataFrame, competition: Competition, problem: Problem) -> tuple[np.ndarray, np.ndarray]:
    name = competition.target[0]
    check_columns(train, [name])
    y = train[name]
    if y.isna().any():
        row = int(np.flatnonzero(y.isna())[0])
        raise KKError(f"the target {name!r} has no value (NaN) in {int(y.isna().sum())} rows of train, the first is row {row}",
                      "Remove these rows from the data, or name another target in competition.toml")
    if not problem.classifies:
        if y.dtype.kind not in "iufb":
            raise KKError(f"the target {name!r} holds text such as {y.iloc[0]!r}, a regression needs numbers",
                          "Mend task or target in competition.toml")
        return y.to_numpy(), y.to_numpy(dtype=np.float64)
    codes = pd.Index([str(label) for label in competition.classes]).get_indexer(y.astype(str))
    if (codes < 0).any():
        raise KKError(f"the target {name!r} holds {y[codes < 0].iloc[0]!r}, which is not among classes in competition.toml",
                      f"Write all labels there: {sorted(y.unique().tolist(), key=str)[:8]}")
    return y.to_numpy(), codes.astype(np.int64)


def _plain(table: pd.DataFrame) -> pd.DataFrame:
    """Truth values as numbers, so that gaps in them are missing numbers."""
    truth = [name for name in table.columns if table[name].dtype == bool or set(table[name].dropna().map(type)) == {bool}]
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
    """What OOF and test predictions must look like."""
    competition = store.competition
    sample_columns = [name for name in read_table(store, "sample").columns if name not in competition.sample_ids]
    classes = competition.classes
    widths = (1,) if not classes else (1, 2) if len(classes) == 2 else (len(classes),)
    return (Form("the OOF predictions", id_table(store, "train"), tuple(sample_columns), widths, classes),
            Form("the test predictions", id_table(store, "test"), tuple(sample_columns), widths, classes))


def relative(path: Path) -> str:
    """A path as a person would type it from here."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
