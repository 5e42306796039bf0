"""Predictions: values per row in their richest form, read from files or arrays and aligned to ids, or refused."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kagglekit.errors import KKError
from kagglekit.registry import near_names

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray
FORMS = (".csv", ".parquet", ".npy", ".npz")


@dataclass(frozen=True, slots=True)
class Predictions:
    """values: rows, or rows x classes (or targets), in table order, NaN where there is none; `aligned_by` is id or order."""

    values: Array
    aligned_by: str

    @property
    def covered(self) -> Array:
        """Which rows have a prediction."""
        return ~np.isnan(self.values if self.values.ndim == 1 else self.values.sum(axis=1))


@dataclass(frozen=True, slots=True)
class Form:
    """What predictions of a table must look like: its ids, the value columns' names, how many columns they may have."""

    what: str
    ids: "pd.DataFrame"
    columns: tuple[str, ...]
    widths: tuple[int, ...]
    classes: tuple[object, ...] = ()


def read_predictions(given: object, form: Form, needed: Array | None = None) -> Predictions:
    """Predictions from a path (csv, parquet, npy, npz), a DataFrame or an array.

    Tables that hold the id column(s) are aligned by id in any order; arrays go by row order. `needed` marks the rows that must
    have a value (default: all); the others may be NaN or missing. Raises KKError on anything that does not fit.
    """
    table_or_array = _loaded(given, form.what)
    needed = np.ones(len(form.ids), dtype=bool) if needed is None else needed
    if hasattr(table_or_array, "columns"):
        aligned = _aligned(table_or_array, form, needed)
    else:
        aligned = Predictions(_shaped(np.asarray(table_or_array), form), "order")
    missing = needed & ~aligned.covered
    if missing.any():
        row = int(np.flatnonzero(missing)[0])
        raise KKError(f"{form.what} has no value (NaN) in {int(missing.sum())} rows, the first is row {row}",
                      "Predict every validated row, or declare the folds that were used: --folds NAME")
    values = np.where(needed if aligned.values.ndim == 1 else needed[:, None], aligned.values, np.nan)
    if np.isinf(values).any():
        raise KKError(f"{form.what} holds infinite values", "Replace them before adding")
    return Predictions(values, aligned.aligned_by)


def _loaded(given: object, what: str) -> object:
    if not isinstance(given, (str, Path)):
        return given.to_frame() if type(given).__name__ == "Series" else given
    path = Path(given)
    if not path.exists():
        raise KKError(f"no file {path} for {what}", "Give the path from here")
    if path.suffix == ".npy":
        return np.load(path, allow_pickle=False)
    if path.suffix == ".npz":
        archive = np.load(path, allow_pickle=False)
        if len(archive.files) != 1:
            raise KKError(f"{path} holds {len(archive.files)} arrays: {', '.join(archive.files)}", "Save the one array as .npy")
        return archive[archive.files[0]]
    import pandas as pd

    if path.suffix == ".csv":
        return pd.read_csv(path)
    if path.suffix == ".parquet":
        return pd.read_parquet(path)
    raise KKError(f"{path.name} is not a form of predictions that can be read", f"Give one of: {', '.join(FORMS)}")


def _aligned(table: "pd.DataFrame", form: Form, needed: Array) -> Predictions:
    ids = [column for column in form.ids.columns if column in table.columns]
    if len(ids) < len(form.ids.columns):
        return Predictions(_shaped(_values(table, form, ids), form), "order")
    position = match_ids(form.ids, table[ids], form.what, complete=needed)
    values = _values(table, form, ids)
    full = np.full((len(form.ids), values.shape[1]), np.nan)
    found = position >= 0
    full[found] = values[position[found]]
    return Predictions(_shaped(full, form), "id")


def match_ids(wanted: "pd.DataFrame", given: "pd.DataFrame", what: str, complete: Array) -> Array:
    """Row of `given` for each row of `wanted` (-1: none); refuses duplicated and extra ids, and missing ones where `complete`."""
    import pandas as pd

    left, right = _keys(wanted), _keys(given)
    if right.has_duplicates:
        twice = right[right.duplicated()][0]
        raise KKError(f"{what} has the id {_shown(twice)} more than once", "Export one row per id")
    if left.has_duplicates:
        raise KKError(f"the table's ids {', '.join(wanted.columns)} repeat, so they cannot align {what}",
                      "Give an array in the order of the table, or mend id in competition.toml")
    extra = ~right.isin(left)
    if extra.any():
        raise KKError(f"{what} has {int(extra.sum())} ids that the table does not have, such as {_shown(right[extra][0])}",
                      "Leave them out; check that this is the right file")
    position = pd.Index(right).get_indexer(left)
    missing = complete & (position < 0)
    if missing.any():
        first = left[int(np.flatnonzero(missing)[0])]
        raise KKError(f"{what} lacks {int(missing.sum())} of {int(complete.sum())} ids, such as {_shown(first)}",
                      "Export one row per id")
    return position


def _keys(ids: "pd.DataFrame") -> "pd.Index":
    """Ids as one index of text: 7, '7' and 7.0 are the same id."""
    import pandas as pd

    columns = []
    for name in ids.columns:
        column = ids[name]
        if pd.api.types.is_float_dtype(column) and (column.dropna() % 1 == 0).all():
            column = column.astype("Int64")
        columns.append(column.astype(str))
    if len(columns) == 1:
        return pd.Index(columns[0].to_numpy())
    return pd.MultiIndex.from_arrays([column.to_numpy() for column in columns])


def _shown(key: object) -> str:
    return repr(", ".join(key) if isinstance(key, tuple) else key)


def _values(table: "pd.DataFrame", form: Form, ids: Sequence[str]) -> Array:
    named = [column for column in form.columns if column in table.columns]
    others = [column for column in table.columns if column not in ids]
    if len(named) < len(form.columns):
        by_class = [str(label) for label in form.classes]
        if len(others) > 1 and sorted(map(str, others)) == sorted(by_class):
            others = sorted(others, key=lambda column: by_class.index(str(column)))
        elif len(others) != 1 or len(form.columns) > 1:
            lacking = [column for column in form.columns if column not in table.columns]
            near = near_names(lacking[0], [str(other) for other in others])
            raise KKError(f"{form.what} has no column {lacking[0]!r} (it has {', '.join(map(str, others[:6]))})",
                          f"{near}Name the value columns as in the sample submission")
        named = others
    elif len(named) == 1 and len(others) in form.widths and len(others) > 1:
        named = others
    values = table[named].to_numpy()
    return values if values.dtype.kind in "fiub" else _labels(values, form)


def _labels(values: Array, form: Form) -> Array:
    """Labels given as text turned into shares of 0 and 1; numbers given as text into numbers."""
    known = [str(label) for label in form.classes]
    if known and values.shape[1] == 1 and set(map(str, values[:, 0])) <= set(known):
        codes = np.array([known.index(str(label)) for label in values[:, 0]])
        return codes[:, None].astype(float) if len(known) == 2 else np.eye(len(known))[codes]
    try:
        return values.astype(np.float64)
    except ValueError as error:
        raise KKError(f"{form.what} holds text that is no number: {error}", "Give probabilities, values or known labels") from error


def _shaped(values: Array, form: Form) -> Array:
    if values.dtype.kind not in "fiub":
        values = _labels(values.reshape(len(values), -1), form)
    values = values.astype(np.float64)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if len(values) != len(form.ids):
        raise KKError(f"{form.what} has {len(values)} rows, the table has {len(form.ids)}",
                      "Give one row per row of the table, or a csv with the id column")
    width = 1 if values.ndim == 1 else values.shape[1]
    if values.ndim > 2 or width not in form.widths:
        raise KKError(f"{form.what} has the shape {values.shape}, expected {len(form.ids)} x {max(form.widths)}",
                      f"Give one column for each of: {', '.join(map(str, form.classes or form.columns))}")
    if width == 2 and len(form.classes) == 2:
        _check_sums(values, form)
        return values[:, 1]
    if width > 2 and len(form.classes) == width:
        _check_sums(values, form)
    return values


def _check_sums(values: Array, form: Form) -> None:
    sums = values.sum(axis=1)
    off = np.abs(sums - 1) > 0.01
    if off.any():
        row = int(np.flatnonzero(off)[0])
        raise KKError(f"{form.what}: the probabilities of row {row} sum to {sums[row]:.4g}, not 1",
                      f"Give one probability a class, in this order: {', '.join(map(str, form.classes))}")


def decide(values: Array, needs: str, classes: Sequence[object]) -> Array:
    """Predictions in the form that a metric needs: labels from probabilities or values, everything else as it is.

    Probabilities of two classes are cut at 0.5, of several the largest wins; values go to the nearest class.

    >>> decide(np.array([0.2, 0.7]), "label", ["no", "yes"]).tolist()
    ['no', 'yes']
    """
    if needs != "label" or not len(classes):
        return values
    labels = np.array(list(classes))
    if values.ndim == 2:
        return labels[np.argmax(values, axis=1)]
    if len(classes) == 2:
        return labels[(values > 0.5).astype(np.int64)]
    steps = np.sort(labels.astype(float))
    return np.sort(labels)[np.searchsorted((steps[1:] + steps[:-1]) / 2, values)]
