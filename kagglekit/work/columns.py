"""The columns that a split looks at: groups and time as the person names them, the target, and how test differs from train."""

import numpy as np
import pandas as pd

from kagglekit.advice.derive import derived
from kagglekit.competition import Competition
from kagglekit.errors import KKError
from kagglekit.store import Store
from kagglekit.tables.moments import as_moments
from kagglekit.work.load import ROW, feature_columns, read_table

Array = np.ndarray


def groups_of(train: pd.DataFrame, spec: str) -> Array:
    """int64[rows], a code for each group: of a column, or of what is derived from one ("PassengerId:prefix").

    Raises KKError for a column that is not there and for rows without a group.
    """
    column = derived(train, spec)
    if column.isna().any():
        row = int(np.flatnonzero(column.isna())[0])
        raise KKError(f"the group column {spec!r} has {int(column.isna().sum())} gaps (NaN), the first in row {row}",
                      "Fill them in the data, or choose another column: kk cv --split group --group COL")
    return pd.factorize(column, sort=True)[0].astype(np.int64)


def time_of(table: pd.DataFrame, spec: str) -> Array:
    """float64[rows]: a column of time (or what is derived from one) as numbers, nanoseconds for dates; `row` is the order of the rows."""
    if spec == ROW and ROW not in table.columns:
        return np.arange(len(table), dtype=np.float64)
    return as_moments(derived(table, spec), spec)


def target_of(train: pd.DataFrame, competition: Competition) -> Array | None:
    """What a splitter calls y: labels, numbers, rows x labels for several targets; None where train has no target.

    One text column of a multilabel task holds labels with spaces between: it becomes rows x labels.
    """
    names = list(competition.target)
    if not names or any(name not in train.columns for name in names):
        return None
    if competition.task == "multilabel" and len(names) == 1 and train[names[0]].dtype.kind not in "iufb":
        return train[names[0]].fillna("").astype(str).str.get_dummies(sep=" ").to_numpy()
    return (train[names[0]] if len(names) == 1 else train[names]).to_numpy()


def features_of(store: Store, role: str, train: pd.DataFrame) -> pd.DataFrame:
    """The columns that both tables have and models may see, of one of them."""
    test = read_table(store, "test")
    names = feature_columns(train, test, store.competition)
    return (train if role == "train" else test)[names]


def order_of(ids: pd.DataFrame) -> Array:
    """Row numbers sorted by id, so that folds do not depend on the order of the rows in the file."""
    names = list(ids.columns)
    if len(names) == 1 and ids[names[0]].dtype.kind in "iu":
        return np.argsort(ids[names[0]].to_numpy(), kind="stable")
    keys = [pd.factorize(ids[name], sort=True)[0] for name in reversed(names)]
    return np.lexsort(keys)
