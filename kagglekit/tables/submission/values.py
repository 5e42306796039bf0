"""The values of a submission's columns: what is no number or no label is refused, what is only written otherwise is mended."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from kagglekit.errors import KKError
from kagglekit.metrics import Metric
from kagglekit.registry import near_names
from kagglekit.tables.submission.sample import spelled
from kagglekit.tables.submission.text import is_text, texts, writable

if TYPE_CHECKING:
    import pandas as pd

LARGEST = 1e150
TRUTH = {"true": True, "false": False, "1": True, "0": False, "1.0": True, "0.0": False}


@dataclass(slots=True)
class Columns:
    """What the value columns of one submission must hold; `mended` grows as they are checked."""

    metric: Metric | None
    classes: Sequence[object]
    several: bool
    mended: list[str] = field(default_factory=list)

    @property
    def labels(self) -> bool:
        """Whether the metric compares labels."""
        return self.metric is not None and self.metric.needs == "label"

    @property
    def numbers(self) -> bool:
        """Whether the metric takes numbers whatever the sample holds; a person's own metric may take anything."""
        return self.metric is not None and not self.metric.own and self.metric.needs not in ("label", "list")


def checked_values(column: "pd.Series", sample: "pd.Series", must: Columns) -> "pd.Series":
    """The column as it is sent; raises KKError naming the column and the first row that cannot be sent."""
    truths = _truth_values(column, sample, must)
    if truths is not None:
        return truths
    if must.labels and not must.several and len(must.classes):
        _refuse_missing(column)
        return _known_labels(column, sample, must)
    if must.numbers or not is_text(sample):
        column = _numbers(column, must)
        return _whole(column, must) if must.labels else column
    return _any_text(column, sample, must)


def _truth_values(column: "pd.Series", sample: "pd.Series", must: Columns) -> "pd.Series | None":
    """Truth values in the sample's way of writing them, None where the column or the sample holds anything else."""
    words = _words(sample) if is_text(sample) or sample.dtype.kind == "b" else set()
    wants = bool(words) and {word.lower() for word in words} <= {"true", "false"}
    wants_numbers = sample.dtype.kind in "iuf"
    if not (wants or (wants_numbers and column.dtype.kind == "b")) or (wants and must.numbers):
        return None
    given = _words(column) if column.dtype.kind in "b" or is_text(column) or must.labels else set()
    if not given or not {word.lower() for word in given} <= set(TRUTH):
        return None
    if wants and given <= {spelled(True, next(iter(words))), spelled(False, next(iter(words)))}:
        return column
    as_bool = texts(column).to_pandas().str.lower().map(TRUTH).astype(bool).set_axis(column.index)
    must.mended.append(f"truth values in column {column.name!r} written as the sample writes them")
    if wants_numbers:
        return as_bool.astype(np.int64)
    like = next(iter(words))
    return as_bool if sample.dtype.kind == "b" else as_bool.map({True: spelled(True, like), False: spelled(False, like)})


def _words(column: "pd.Series") -> set[str]:
    """The distinct texts of a column whose first may be a truth value, as far as they are few."""
    if not len(column) or str(column.iloc[0]).lower() not in TRUTH:
        return set()
    found = texts(column).unique()
    return set(found.to_pylist()) - {None} if len(found) <= 8 and not found.null_count else set()


def _refuse_missing(column: "pd.Series") -> None:
    missing = column.isna()
    if missing.any():
        raise KKError(f"the submission has no value (NaN) in column {column.name!r}, row {int(np.flatnonzero(missing)[0])} "
                      f"({int(missing.sum())} in all)", "Fill every row")


def _known_labels(column: "pd.Series", sample: "pd.Series", must: Columns) -> "pd.Series":
    known = {label_text(label) for label in must.classes}
    numeric = all(not isinstance(label, str) for label in must.classes)
    found = writable(column).unique().to_pylist()
    unknown = [value for value in found if label_text(value, numeric) not in known]
    if unknown:
        row = int(np.flatnonzero((column == unknown[0]).to_numpy())[0]) if (column == unknown[0]).any() else 0
        near = near_names(unknown[0].strip(), known) if isinstance(unknown[0], str) else ""
        raise KKError(f"the label {unknown[0]!r} in column {column.name!r} is not one of the target's: "
                      f"{', '.join(map(str, list(must.classes)[:6]))}", f"{near}Send labels, not probabilities or codes; look at row {row}")
    whole = numeric and (column.dtype.kind == "f" or (is_text(column) and not is_text(sample)))
    if whole and all(isinstance(label_number(label), int) for label in must.classes):
        must.mended.append(f"labels in column {column.name!r} written as whole numbers")
        return column.astype(np.float64).astype(np.int64)
    return column


def label_text(value: object, numeric: bool = True) -> str:
    """A label as it is compared: 1.0 is 1.

    >>> label_text(1.0), label_text("1.0", numeric=True), label_text("a")
    ('1', '1', 'a')
    """
    number = label_number(value) if numeric and not isinstance(value, bool) else value
    return str(number)


def label_number(value: object) -> object:
    """A label as a whole number where it is one, else as it is."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return value
    return int(number) if number.is_integer() else value


def _numbers(column: "pd.Series", must: Columns) -> "pd.Series":
    """Finite numbers; text that reads as numbers becomes them."""
    import pandas as pd

    if column.dtype.kind in "mM":
        raise KKError(f"column {column.name!r} holds dates such as {column.iloc[0]}, the sample holds numbers", "Send numbers")
    if is_text(column):
        _refuse_missing(column)
        numbers = pd.to_numeric(pd.Series(texts(column).to_pylist(), dtype=object), errors="coerce")
        bad = numbers.isna().to_numpy()
        if bad.any():
            row = int(np.flatnonzero(bad)[0])
            raise KKError(f"column {column.name!r} holds text such as {column.iloc[row]!r}, the sample holds numbers",
                          f"Send numbers; look at row {row}")
        must.mended.append(f"text in column {column.name!r} read as numbers")
        column = pd.Series(numbers.to_numpy(), index=column.index, name=column.name)
    low, high = bounds(column)
    if not (np.isfinite(low) and np.isfinite(high)):
        _refuse_missing(column)
        row = int(np.flatnonzero(~np.isfinite(column.to_numpy(dtype=np.float64)))[0])
        raise KKError(f"column {column.name!r} holds infinite values, the first in row {row}", "Replace them")
    if must.numbers and must.metric.needs != "rank" and max(-low, high) > LARGEST:
        row = int(np.abs(column.to_numpy(dtype=np.float64)).argmax())
        raise KKError(f"column {column.name!r} holds {column.iloc[row]:g} in row {row}, of which no score can be made", "Clip the predictions")
    return column


def bounds(column: "pd.Series") -> tuple[float, float]:
    """Least and largest value of a column of numbers; NaN where one is missing."""
    if column.dtype.kind == "b" or not len(column):
        return 0.0, 1.0
    values = column.to_numpy() if isinstance(column.dtype, np.dtype) else column.to_numpy(dtype=np.float64, na_value=np.nan)
    with np.errstate(invalid="ignore"):
        return float(values.min()), float(values.max())


def _whole(column: "pd.Series", must: Columns) -> "pd.Series":
    """Whole numbers for a metric of labels whose labels are not known."""
    values = column.to_numpy(dtype=np.float64)
    odd = values % 1 != 0
    if odd.any():
        row = int(np.flatnonzero(odd)[0])
        raise KKError(f"column {column.name!r} holds {float(values[row])!r} in row {row}, which is no label", "Send labels, not probabilities")
    if np.abs(values).max() > 2**53:
        row = int(np.abs(values).argmax())
        raise KKError(f"column {column.name!r} holds {values[row]:g} in row {row}, too large for a label", "Send labels")
    if column.dtype.kind == "f":
        must.mended.append(f"labels in column {column.name!r} written as whole numbers")
        return column.astype(np.int64)
    return column


def _any_text(column: "pd.Series", sample: "pd.Series", must: Columns) -> "pd.Series":
    """Text (or what is written as such) without gaps; empty only where the sample has empty rows itself and no labels are compared."""
    may_be_empty = not must.labels and is_text(sample) and bool((sample.fillna("") == "").any())
    missing = column.isna()
    if may_be_empty:
        if missing.any():
            must.mended.append(f"missing values in column {column.name!r} left empty, as in the sample")
            return column.astype(object).where(~missing, "")
        return column
    _refuse_missing(column)
    empty = (column == "").to_numpy() if is_text(column) else np.zeros(0, dtype=bool)
    if empty.any():
        raise KKError(f"column {column.name!r} is empty in row {int(np.flatnonzero(empty)[0])} ({int(empty.sum())} in all)", "Fill every row")
    if column.dtype.kind == "f" and not np.isfinite(column.to_numpy(dtype=np.float64)).all():
        raise KKError(f"column {column.name!r} holds infinite values", "Replace them")
    return column
