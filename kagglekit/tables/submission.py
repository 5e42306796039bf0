"""Submissions as tables: values into the sample's form, zeros and constants, and the preflight before any upload."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kagglekit.errors import KKError
from kagglekit.metrics import Metric
from kagglekit.registry import near_names

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray
MAX_BYTES = 200 * 1024**2


@dataclass(frozen=True, slots=True)
class Preflight:
    """A checked submission: the table to send, what was mended and what is odd."""

    table: "pd.DataFrame"
    mended: tuple[str, ...]
    warnings: tuple[str, ...]


def value_columns(sample: "pd.DataFrame", ids: Sequence[str]) -> list[str]:
    """Columns of the sample that hold predictions."""
    columns = [str(column) for column in sample.columns if column not in ids]
    return columns or [str(sample.columns[-1])]


def fill_sample(sample: "pd.DataFrame", ids: Sequence[str], values: Array, test_ids: "pd.DataFrame | None") -> "pd.DataFrame":
    """The sample with `values` (rows of the test table) in its value columns, matched by id where there is one."""
    from kagglekit.predictions import match_ids

    columns = value_columns(sample, ids)
    table = values.reshape(len(values), -1)
    if table.shape[1] != len(columns):
        if table.shape[1] == 1 and len(columns) == 2:
            table = np.column_stack([1 - table[:, 0], table[:, 0]])
        else:
            raise KKError(f"the predictions have {table.shape[1]} columns, the sample has {len(columns)}: {', '.join(columns[:5])}",
                          "Write make.py for this form, or mend target and classes in competition.toml")
    filled = sample.copy()
    if test_ids is not None and len(ids) and len(test_ids) == len(table):
        order = match_ids(sample[list(ids)], test_ids[list(ids)], "the test table", np.ones(len(sample), dtype=bool))
        table = table[order]
    if len(table) != len(sample):
        raise KKError(f"there are {len(table)} test predictions, the sample has {len(sample)} rows",
                      "Several rows an id need make.py; check test and sample in competition.toml")
    for number, column in enumerate(columns):
        filled[column] = table[:, number]
    return filled


def constant_table(sample: "pd.DataFrame", ids: Sequence[str], value: object, classes: Sequence[object]) -> "pd.DataFrame":
    """The sample with one value in every row; class shares go one to a column; 'nothing' for text labels is the first legal one."""
    filled = sample.copy()
    columns = value_columns(sample, ids)
    shares = np.atleast_1d(np.asarray(value)) if not isinstance(value, str) else None
    for number, column in enumerate(columns):
        if shares is not None and len(shares) == len(columns) > 1:
            filled[column] = shares[number].item()
        else:
            filled[column] = nothing(sample[column], classes) if value == 0 else value
    return filled


def nothing(column: "pd.Series", classes: Sequence[object]) -> object:
    """What counts as zero in a column: 0 for numbers, False for truth values, the label nearest to 'nothing' for text."""
    if column.dtype.kind in "iuf":
        return 0
    if column.dtype.kind == "b":
        return False
    labels = [str(label) for label in classes] or sorted(column.astype(str).unique().tolist())
    empty = [label for label in labels if label.lower() in ("0", "no", "none", "false", "negative", "normal", "nothing", "other")]
    return (empty or labels)[0]


def preflight(table: "pd.DataFrame", sample: "pd.DataFrame", ids: Sequence[str], metric: Metric | None,
              classes: Sequence[object]) -> Preflight:
    """Refuse what the server would refuse, mend what is safe (column and row order), warn of what is odd."""
    mended: list[str] = []
    table = _checked_columns(table, sample, mended)
    table = _checked_ids(table, sample, ids, mended)
    columns = value_columns(sample, ids)
    for column in columns:
        _checked_values(table[column], sample[column], metric, classes)
    return Preflight(table, tuple(mended), tuple(_warnings(table, columns, metric)))


def _checked_columns(table: "pd.DataFrame", sample: "pd.DataFrame", mended: list[str]) -> "pd.DataFrame":
    wanted, got = list(sample.columns), list(table.columns)
    missing = [column for column in wanted if column not in got]
    extra = [column for column in got if column not in wanted]
    if missing:
        raise KKError(f"the submission has no column {missing[0]!r} (it has {', '.join(map(str, got[:6]))})",
                      f"{near_names(str(missing[0]), map(str, got))}The sample has: {', '.join(map(str, wanted[:6]))}")
    if extra:
        raise KKError(f"the submission has the column {extra[0]!r} that the sample lacks", "Leave it out")
    if got != wanted:
        mended.append("columns put into the sample's order")
    return table[wanted]


def _checked_ids(table: "pd.DataFrame", sample: "pd.DataFrame", ids: Sequence[str], mended: list[str]) -> "pd.DataFrame":
    from kagglekit.predictions import match_ids

    if not ids:
        if len(table) != len(sample):
            raise KKError(f"the submission has {len(table)} rows, the sample has {len(sample)}", "Give one row per test row")
        return table
    names = list(ids)
    if len(table) == len(sample) and table[names].astype(str).equals(sample[names].astype(str).set_axis(table.index)):
        return table.reset_index(drop=True)
    order = match_ids(sample[names], table[names], "the submission", np.ones(len(sample), dtype=bool))
    mended.append("rows put into the sample's order")
    return table.iloc[order].reset_index(drop=True)


def _checked_values(column: "pd.Series", sample: "pd.Series", metric: Metric | None, classes: Sequence[object]) -> None:
    missing = column.isna()
    if missing.any():
        raise KKError(f"the submission has no value (NaN) in column {column.name!r}, row {int(np.flatnonzero(missing)[0])} "
                      f"({int(missing.sum())} in all)", "Fill every row")
    if metric is not None and metric.needs == "label" and len(classes):
        known = set(map(_label_text, classes))
        unknown = [value for value in column.unique().tolist() if _label_text(value) not in known]
        if unknown:
            raise KKError(f"the label {unknown[0]!r} in column {column.name!r} is not one of the target's: "
                          f"{', '.join(map(str, list(classes)[:6]))}", "Send labels, not probabilities or codes")
        return
    if sample.dtype.kind in "iufb" and column.dtype.kind not in "iufb":
        raise KKError(f"column {column.name!r} holds text such as {column.iloc[0]!r}, the sample holds numbers", "Send numbers")
    if column.dtype.kind == "f" and np.isinf(column.to_numpy()).any():
        raise KKError(f"column {column.name!r} holds infinite values", "Replace them")


def _label_text(value: object) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _warnings(table: "pd.DataFrame", columns: Sequence[str], metric: Metric | None) -> list[str]:
    said = []
    flat = [column for column in columns if table[column].nunique() == 1]
    if flat and len(flat) == len(columns):
        said.append("every row has the same prediction")
    if metric is not None and metric.needs == "proba":
        values = table[list(columns)].to_numpy(dtype=float)
        if (values < 0).any() or (values > 1).any():
            said.append("some probabilities are outside 0 to 1")
        elif len(columns) > 1 and np.abs(values.sum(axis=1) - 1).max() > 0.01:
            said.append("probabilities do not sum to 1 in every row")
    return said


def write_csv(table: "pd.DataFrame", path: Path) -> None:
    """Write the csv (floats exact), whole or not at all; refuses what is over Kaggle's size."""
    hidden = path.with_name(f".{path.name}.part")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        table.to_csv(hidden, index=False)
        if hidden.stat().st_size > MAX_BYTES:
            raise KKError(f"{path.name} would have {hidden.stat().st_size / 1e6:.0f} MB, Kaggle takes 200", "Round the predictions")
        hidden.replace(path)
    except OSError as error:
        raise KKError(f"cannot write {path}: {error.strerror or error}", "Free some space and run the command again") from error
    finally:
        hidden.unlink(missing_ok=True)
