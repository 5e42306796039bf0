"""Predictions: values per row in their richest form, aligned to the rows of a table, or refused."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from kagglekit.errors import KKError
from kagglekit.registry import near_names

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray
ABOUT_FOLDS = ("fold", "repeat")
INDEX = "Unnamed: 0"  # what pandas calls the index of a frame that went through a csv
VALUE_NAMES = ("oof", "pred", "preds", "prediction", "predictions", "oof_pred", "oof_preds", "oof_prediction", "oof_predictions",
               "test_pred", "test_preds", "y_pred", "y_hat", "prob", "proba", "probability")


@dataclass(frozen=True, slots=True)
class Predictions:
    """values: rows, or rows x classes (or targets), in table order, NaN where there is none.

    `aligned_by` is id, index (the row numbers of a frame) or order; `fold` is the file's own fold column in table order, None where
    it has none; `notes` say what was done to make them fit.
    """

    values: Array
    aligned_by: str
    fold: Array | None = field(default=None, compare=False)
    notes: tuple[str, ...] = ()

    @property
    def covered(self) -> Array:
        """Which rows have a prediction."""
        return ~np.isnan(self.values if self.values.ndim == 1 else self.values.sum(axis=1))


@dataclass(frozen=True, slots=True)
class Form:
    """What predictions of a table must look like: its ids, the value columns' names, how many columns they may have.

    `classes` are the labels of one target's probability columns, empty for values and for several targets.
    """

    what: str
    ids: "pd.DataFrame"
    columns: tuple[str, ...]
    widths: tuple[int, ...]
    classes: tuple[object, ...] = ()


def read_predictions(given: object, form: Form, parts: Sequence[Array] | None = None) -> Predictions:
    """Predictions from a frame or series (pandas, polars) or an array (numpy, torch), tied to the rows of a table.

    Tables that hold the id column(s), as columns or index, are aligned by id in any order; arrays go by row order. `parts` are the
    rows that folds validate: each is predicted as a whole or not at all, and rows outside of them count for nothing (default: one
    part of all rows). Raises KKError on anything that does not fit.

    >>> import pandas as pd
    >>> form = Form("the OOF predictions", pd.DataFrame({"id": [7, 8, 9]}), ("price",), (1,))
    >>> read_predictions(pd.DataFrame({"id": [9, 7, 8], "price": [3.0, 1.0, 2.0]}), form).values.tolist()
    [1.0, 2.0, 3.0]
    """
    table = _as_pandas(given)
    if hasattr(table, "__len__") and getattr(table, "ndim", 1) and not len(table):
        raise KKError(f"{form.what} hold no rows", "Give a value a row")
    aligned = _aligned(table, form) if hasattr(table, "columns") else Predictions(_shaped(_array(table, form), form), "order")
    if np.isinf(aligned.values).any():
        raise KKError(f"{form.what} hold infinite values", "Replace them before adding")
    return _in_parts(aligned, form, [np.arange(len(form.ids))] if parts is None else parts)


def _in_parts(given: Predictions, form: Form, parts: Sequence[Array]) -> Predictions:
    """The same with NaN outside of the parts; refused where a part is predicted in some rows only."""
    covered, wanted, whole = given.covered, np.zeros(len(form.ids), dtype=bool), np.zeros(len(form.ids), dtype=bool)
    for rows in parts:
        wanted[rows] = True
        whole[rows] |= covered[rows].all()
    stray = covered & wanted & ~whole
    if stray.any() or not whole.any():
        needed = np.zeros_like(wanted)
        for rows in parts:
            needed[rows] |= stray[rows].any() or not stray.any()
        _refuse_gaps(form, np.flatnonzero(needed & ~covered), int(wanted.sum()), given.aligned_by)
    outside = int((covered & ~wanted).sum())
    notes = (f"{outside:,} rows that no fold validates are left out",) if outside else ()
    values = np.where(whole if given.values.ndim == 1 else whole[:, None], given.values, np.nan)
    return replace(given, values=values, notes=(*given.notes, *notes))


def _refuse_gaps(form: Form, missing: Array, wanted: int, aligned_by: str) -> None:
    do = "Predict every row of a fold or none of it, or declare the folds that were used: --folds NAME"
    if aligned_by == "order":
        raise KKError(f"{form.what} have no value (NaN) in {len(missing)} of {wanted} rows, the first is row {missing[0]}", do)
    first = _shown(tuple(form.ids.iloc[missing[0]]))
    raise KKError(f"{form.what} lack a value for {len(missing)} of {wanted} ids, such as {first}", do)


def _as_pandas(given: object) -> object:
    """Foreign frames as pandas ones, a series as a frame; anything else as it is."""
    given = given.to_pandas() if hasattr(given, "to_pandas") else given
    if type(given).__name__ == "Series":
        return given.to_frame("value" if given.name is None else given.name)
    return given


def _array(given: object, form: Form) -> Array:
    """An array from anything that gives one: torch tensors are taken from their graph and device."""
    try:
        for step in ("detach", "cpu"):
            given = getattr(given, step)() if hasattr(given, step) else given
        array = np.ma.filled(given.astype(np.float64), np.nan) if isinstance(given, np.ma.MaskedArray) else np.asarray(given)
    except (TypeError, ValueError, RuntimeError) as error:
        raise KKError(f"{form.what} cannot be turned into an array: {error}", "Give a numpy array: values.float().cpu().numpy()") from error
    if array.ndim == 0 or isinstance(given, Mapping):
        kind = "a single number" if getattr(given, "ndim", None) == 0 else type(given).__name__
        raise KKError(f"{form.what} are {kind}, not one value a row", "Give an array, a table or the path of a file")
    return array


def _aligned(table: "pd.DataFrame", form: Form) -> Predictions:
    table, by, notes = _with_ids(table, form)
    names, more = _value_columns(table, form, by)
    values = _numbers(table[names].to_numpy(), form)
    fold = table["fold"].to_numpy() if "fold" in table.columns and "fold" not in names else None
    if not by:
        return Predictions(_shaped(values, form), "order", fold, (*notes, *more))
    position = match_ids(form.ids, table[by], form.what, complete=np.zeros(len(form.ids), dtype=bool)) if by != [INDEX] else \
        _rows_at(table[INDEX].to_numpy(), len(form.ids))
    found = position >= 0
    full = np.full((len(form.ids), values.shape[1]), np.nan)
    full[found] = values[position[found]]
    if fold is not None:
        fold = np.where(found, fold[position], np.nan) if fold.dtype.kind in "iuf" else np.where(found, fold[position].astype(object), None)
    return Predictions(_shaped(full, form), "id" if by != [INDEX] else "index", fold, (*notes, *more))


def _rows_at(index: Array, rows: int) -> Array:
    position = np.full(rows, -1)
    position[index] = np.arange(len(index))
    return position


def _with_ids(table: "pd.DataFrame", form: Form) -> tuple["pd.DataFrame", list[str], tuple[str, ...]]:
    """The table, the columns that tell its rows (none: it goes by order), and what is to be said of that."""
    import pandas as pd

    ids, rows = list(form.ids.columns), len(form.ids)
    if set(ids) <= set(table.columns):
        return table.reset_index(drop=True), ids, ()
    if set(ids) <= {*table.columns, *table.index.names}:
        return table.reset_index(), ids, ()
    table = table.set_index(INDEX) if INDEX in table.columns else table
    index = table.index
    if index.nlevels > 1 or index.equals(pd.RangeIndex(len(index))):
        return table.reset_index(drop=True), [], ()
    if index.has_duplicates:
        raise KKError(f"the index of {form.what} repeats ({index[index.duplicated()][0]} is there twice), as when folds are stacked: "
                      "nothing tells which row is which", f"Add the column {', '.join(ids)}")
    known, named = _keys(form.ids, index.to_frame(name=ids[0])) if len(ids) == 1 else (index[:0], index)
    if len(known) and known.is_unique and (known.get_indexer(named) >= 0).all():
        return table.rename_axis(ids[0]).reset_index(), ids, ()
    if index.dtype.kind in "iu" and index.min() >= 0 and index.max() < rows:
        told = "aligned by the row numbers in the table's index, which is not in order"
        return table.rename_axis(INDEX).reset_index(), [INDEX], (told,)
    return table.reset_index(drop=True), [], ()


def match_ids(wanted: "pd.DataFrame", given: "pd.DataFrame", what: str, complete: Array) -> Array:
    """Row of `given` for each row of `wanted` (-1: none); refuses duplicated and extra ids, and missing ones where `complete`."""
    import pandas as pd

    dates = [name for name in wanted.columns if wanted[name].dtype.kind == "M" and given[name].dtype.kind != "M"]
    given = given.assign(**{name: pd.to_datetime(given[name], errors="coerce") for name in dates})
    left, right = _keys(wanted, given)
    if right.has_duplicates:
        twice = right[right.duplicated()][0]
        raise KKError(f"the id {_shown(twice)} is more than once in {what}", "Export one row per id")
    if left.has_duplicates:
        raise KKError(f"the table's ids {', '.join(wanted.columns)} repeat, so they cannot align {what}",
                      "Give an array in the order of the table, or mend id in competition.toml")
    row = left.get_indexer(right)
    extra = row < 0
    if extra.any():
        raise KKError(f"{int(extra.sum())} ids in {what} are not in the table, such as {_shown(right[extra][0])}",
                      "Leave them out; check that this is the right file")
    position = np.full(len(left), -1)
    position[row] = np.arange(len(row))
    missing = complete & (position < 0)
    if missing.any():
        first = left[int(np.flatnonzero(missing)[0])]
        raise KKError(f"{int(missing.sum())} of {int(complete.sum())} ids are missing in {what}, such as {_shown(first)}",
                      "Export one row per id")
    return position


def _keys(wanted: "pd.DataFrame", given: "pd.DataFrame") -> tuple["pd.Index", "pd.Index"]:
    """The ids of two tables as indexes that can be compared: 7, '7' and 7.0 are the same id. Numbers stay numbers where both are."""
    import pandas as pd

    pairs = []
    for name in wanted.columns:
        columns = wanted[name], given[name]
        whole = all(column.dtype.kind in "iu" and not column.hasnans and column.dtype != np.uint64 for column in columns)
        pairs.append([column.to_numpy(dtype=np.int64) if whole else _text(column) for column in columns])
    left, right = zip(*pairs, strict=True)
    if len(pairs) == 1:
        return pd.Index(left[0]), pd.Index(right[0])
    return pd.MultiIndex.from_arrays(left), pd.MultiIndex.from_arrays(right)


def _text(column: "pd.Series") -> "pd.Series":
    """A column as text, whole numbers without a point."""
    if column.dtype.kind == "f" and (column.dropna() % 1 == 0).all():
        column = column.astype("Int64")
    return column.astype(str)


def _shown(key: object) -> str:
    return repr(", ".join(map(str, key)) if isinstance(key, tuple) else str(key))


def _value_columns(table: "pd.DataFrame", form: Form, ids: Sequence[str]) -> tuple[list, tuple[str, ...]]:
    """The columns that hold the values, in the order of the classes or targets, and what is to be said of the choice."""
    others = [column for column in table.columns if column not in ids and column not in (*ABOUT_FOLDS, INDEX)]
    by_class = _class_columns(others, [str(label) for label in form.classes]) if len(form.classes) > 1 else []
    if by_class:
        turned = [column for column in others if column in by_class] != by_class
        return by_class, (f"the columns were put in the order of the classes: {', '.join(map(str, by_class[:8]))}",) if turned else ()
    if form.columns and set(form.columns) <= set(others):
        return list(form.columns), ()
    if len(form.columns) == 1 or form.classes:
        usual = [column for column in others if str(column).lower() in VALUE_NAMES]
        if len(others) == 1 or len(usual) == 1:
            return others if len(others) == 1 else usual, ()
        counted = sorted(others, key=lambda column: int((re.search(r"\d+$", str(column)) or [0])[0]))
        if len(others) > 1 and len(others) in form.widths and all(re.search(r"\d+$", str(column)) for column in others):
            return counted, (f"{', '.join(map(str, counted[:8]))} are taken as the classes {', '.join(map(str, form.classes[:8]))}",)
    lacking = [column for column in form.columns if column not in table.columns] or list(form.columns)
    near = near_names(lacking[0], [str(other) for other in others])
    raise KKError(f"{form.what} have no column {lacking[0]!r} (they have {', '.join(map(str, others[:6]))})",
                  f"{near}Name the value columns as in the sample submission")


def _class_columns(columns: Sequence[object], labels: Sequence[str]) -> list:
    """The columns named by the labels, alone or all with the same words before and after ("proba_cat"), in the order of the labels."""
    named = {str(column): column for column in columns}
    affixes = [("", ""), *((name[:at], name[at + len(labels[0]):]) for name in named if (at := name.rfind(labels[0])) >= 0)]
    for before, after in affixes:
        wanted = [f"{before}{label}{after}" for label in labels]
        if set(wanted) <= set(named):
            return [named[name] for name in wanted]
    return []


def _numbers(values: Array, form: Form) -> Array:
    """Labels as shares of 0 and 1 (class codes where there are two), numbers as float64; raises KKError for other text."""
    columns = values.reshape(len(values), -1)
    codes = _codes(columns[:, 0], form) if columns.shape[1] == 1 and form.classes else None
    if codes is not None:
        if len(form.classes) == 2:
            return codes[:, None]
        known = ~np.isnan(codes)
        shares = np.full((len(codes), len(form.classes)), np.nan)
        shares[known] = np.eye(len(form.classes))[codes[known].astype(np.intp)]
        return shares
    try:
        return columns.astype(np.float64)
    except (ValueError, TypeError) as error:
        raise KKError(f"{form.what} hold text that is no number: {error}", "Give probabilities, values or known labels") from error


def _codes(column: Array, form: Form) -> Array | None:
    """Class codes of labels (NaN where there is none); None where the column holds anything else, or numbers of 0 to 1."""
    import pandas as pd

    given = pd.Series(column)
    if given.dtype.kind in "iuf" and given.nunique() > len(form.classes):
        return None
    missing, known = given.isna().to_numpy(), [str(label) for label in form.classes]
    if missing.all() or (given.dtype.kind in "iuf" and known == ["0", "1"]):
        return None
    codes = pd.Index(known).get_indexer(_text(given)).astype(np.float64)
    codes[missing] = np.nan
    return None if (codes < 0).any() else codes


def _shaped(values: Array, form: Form) -> Array:
    if values.ndim > 2:
        raise KKError(f"{form.what} have the shape {values.shape}, expected {len(form.ids)} x {max(form.widths)}", "Give one line a row")
    columns = _numbers(values, form)
    if len(columns) != len(form.ids):
        raise KKError(f"{form.what} have {len(columns)} rows, the table has {len(form.ids)}",
                      "Give one row per row of the table, or a csv with the id column")
    width = columns.shape[1]
    if width not in form.widths:
        raise KKError(f"{form.what} have the shape {values.shape}, expected {len(form.ids)} x {max(form.widths)}",
                      f"Give one column for each of: {', '.join(map(str, form.classes or form.columns))}")
    if len(form.classes) == width and width > 1:
        _check_sums(columns, form)
        return columns[:, 1] if width == 2 else columns
    return columns[:, 0] if width == 1 else columns


def _check_sums(values: Array, form: Form) -> None:
    sums = values.sum(axis=1)
    off = np.abs(sums - 1) > 0.01
    if off.any():
        row = int(np.flatnonzero(off)[0])
        raise KKError(f"{form.what}: the probabilities of row {row} sum to {sums[row]:.4g}, not 1",
                      f"Give one probability a class, in this order: {', '.join(map(str, form.classes))}")


def decide(values: Array, needs: str, classes: Sequence[object], k: int | None = None) -> Array:
    """Predictions in the form that a metric needs (`Metric.form`) from probabilities or values; proba, value and rank stay as they are.

    label: probabilities of two classes are cut at 0.5, of several the largest wins; values go to the nearest class. multilabel:
    rows x labels, each cut at 0.5 to 0 or 1. list: scores as rows x classes become int64[rows, k] codes, the best first (of equals
    the first class); all classes without k.

    >>> decide(np.array([0.2, 0.7]), "label", ["no", "yes"]).tolist()
    ['no', 'yes']
    >>> decide(np.array([[0.2, 0.5, 0.3]]), "list", ["a", "b", "c"], k=2).tolist()
    [[1, 2]]
    """
    if needs == "multilabel":
        return (values > 0.5).astype(np.int64)
    if needs == "list":
        return values if np.issubdtype(values.dtype, np.integer) else _first_classes(values, k)
    if needs != "label" or not len(classes):
        return values
    labels = np.array(list(classes))
    if values.ndim == 2:
        return labels[np.argmax(values, axis=1)]
    if len(classes) == 2:
        return labels[(values > 0.5).astype(np.int64)]
    steps = np.sort(labels.astype(float))
    return np.sort(labels)[np.searchsorted((steps[1:] + steps[:-1]) / 2, values)]


def _first_classes(scores: Array, k: int | None) -> Array:
    if scores.ndim != 2:
        raise KKError(f"a list is made of a score for each class, these have the shape {scores.shape}", "Give rows x classes")
    if k is None or k >= scores.shape[1]:
        return np.argsort(-scores, axis=1, kind="stable")
    chosen = np.sort(np.argpartition(-scores, k, axis=1)[:, :k], axis=1)
    order = np.argsort(-np.take_along_axis(scores, chosen, axis=1), axis=1, kind="stable")
    return np.take_along_axis(chosen, order, axis=1)
