"""Copies: rows that come twice, on both sides of a fold, so that a model is asked what it has learnt by heart."""

import numpy as np
import pandas as pd

from kagglekit.audit.case import Case, Told, check
from kagglekit.audit.sharing import codes_of, trained_with

Array = np.ndarray
FATAL, WARN = 0.05, 0.02
MOST_ROWS = 200_000
PEEK, CELLS, COLUMNS = 10_000, 256, 3


@check("near-duplicates")
def near_duplicates(case: Case) -> Told | None:
    """The share of the validated rows of which a (near) copy trains; of long tables in a part that holds all copies of its rows."""
    X = case.X
    if X is None or not X.shape[1] or len(X) != case.folds.rows:
        return None
    from kagglekit.advice.duplicates import near_duplicates as copies_of

    rows = alike(X, MOST_ROWS) if len(X) > MOST_ROWS else np.arange(len(X))
    groups = np.full(len(X), np.nan)
    groups[rows] = copies_of(X.iloc[rows]).groups
    looked = np.zeros(len(X), dtype=bool)
    looked[rows] = True
    share = float(trained_with(case, codes_of(groups))[looked[case.folds.row]].mean()) if looked[case.folds.row].any() else 0.0
    if not share:
        return None
    severity = "fatal" if share >= FATAL else "warn" if share >= WARN else "note"
    of = f" (of {len(rows):,} rows looked at)" if len(rows) < len(X) else ""
    do = "keep copies in one fold with --duplicates" if case.folds.rule == "rest" else "use each row once: drop its copies from the data"
    return severity, (f"{share:.1%} of the validated rows{of} have a (near) copy among the rows that train them: scores reward knowing rows by "
                      f"heart; {do}")


def alike(X: pd.DataFrame, most: int) -> Array:
    """About `most` row numbers, drawn so that copies are in or out together: by cells of the columns with the most values.

    >>> table = pd.DataFrame({"a": np.arange(1000) % 500, "b": np.arange(1000) % 500})
    >>> rows = alike(table, 200)
    >>> bool(np.isin((rows + 500) % 1000, rows).all()) and 100 < len(rows) < 300
    True
    """
    head = X.iloc[:: max(1, len(X) // PEEK)]
    order = sorted(range(X.shape[1]), key=lambda place: (not _numeric(X.iloc[:, place]), -head.iloc[:, place].nunique()))
    key = np.zeros(len(X), dtype=np.uint64)
    for place in order[:COLUMNS]:
        key = key * np.uint64(31) + _cells(X.iloc[:, place], head.iloc[:, place])
    return np.flatnonzero(pd.util.hash_array(key) < np.uint64(min(1.0, most / len(X)) * (2**64 - 2**11)))


def _numeric(column: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)


def _cells(column: pd.Series, head: pd.Series) -> Array:
    """uint64[rows]: a number's place among quantiles, a text's hash without case and outer spaces."""
    if not _numeric(column):
        return pd.util.hash_array(column.astype(str).str.strip().str.lower().to_numpy(dtype=object))
    known = head.dropna().to_numpy(dtype=np.float64)
    edges = np.unique(np.quantile(known, np.linspace(0, 1, CELLS))) if len(known) else np.zeros(1)
    return np.searchsorted(edges, column.to_numpy(dtype=np.float64, na_value=np.nan)).astype(np.uint64)
