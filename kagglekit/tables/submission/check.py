"""Preflight: refuse what the server would refuse, mend what is safe, warn of what is odd; before anything is uploaded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kagglekit.errors import KKError
from kagglekit.metrics import Metric
from kagglekit.registry import near_names
from kagglekit.tables.submission.copies import near_copies
from kagglekit.tables.submission.ids import positions
from kagglekit.tables.submission.sample import SAID, value_columns
from kagglekit.tables.submission.text import slices, taken_rows, texts
from kagglekit.tables.submission.values import Columns, bounds, checked_values

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Preflight:
    """A checked submission: the table to send, what was mended and what is odd."""

    table: "pd.DataFrame"
    mended: tuple[str, ...]
    warnings: tuple[str, ...]


def preflight(table: "pd.DataFrame", sample: "pd.DataFrame", ids: Sequence[str], metric: Metric | None,
              classes: Sequence[object], earlier: Mapping[str, Path] | None = None) -> Preflight:
    """Refuse what the server would refuse, mend what is safe (order, headers, whole numbers), warn of what is odd.

    Ids of the result are the sample's own, to the letter. `earlier` are csv files sent before, by the names to call them.
    """
    mended = list(table.attrs.get(SAID, ()))
    table = _checked_columns(table, sample, ids, mended)
    columns = value_columns(sample, ids)
    must, values = Columns(metric, classes, len(columns) > 1, mended), {}
    for column in columns:  # before the order is mended, so that rows are called as they were given
        given = table[column]
        fresh = checked_values(given, sample[column], must)
        values.update({} if fresh is given else {column: fresh})
    table = _checked_rows(table.assign(**values) if values else table, sample, ids, mended)
    warnings = _warnings(table, columns, metric, classes)
    return Preflight(table, tuple(mended), (*warnings, *near_copies(table, ids, columns, earlier or {})))


def _checked_columns(table: "pd.DataFrame", sample: "pd.DataFrame", ids: Sequence[str], mended: list[str]) -> "pd.DataFrame":
    wanted = [str(column) for column in sample.columns]
    if len(ids) == 1 and ids[0] not in table.columns and table.index.name == ids[0]:
        table = table.reset_index()
        mended.append(f"the index became the column {ids[0]!r}")
    stripped = {column: str(column).strip() for column in table.columns if str(column) not in wanted and str(column).strip() in wanted}
    if stripped:
        table = table.rename(columns=stripped)
        mended.append(f"spaces left out around the name of column {next(iter(stripped.values()))!r}")
    got = [str(column) for column in table.columns]
    missing = [column for column in wanted if column not in got]
    extra = [column for column in got if column not in wanted]
    twice = [column for column in got if got.count(column) > 1]
    if missing:
        raise KKError(f"the submission has no column {missing[0]!r} (it has {', '.join(got[:6])})",
                      f"{near_names(missing[0], got)}The sample has: {', '.join(wanted[:6])}")
    if extra:
        do = "Write it without the index: to_csv(path, index=False)" if extra[0].startswith("Unnamed:") else "Leave it out"
        raise KKError(f"the submission has the column {extra[0]!r} that the sample lacks", do)
    if twice:
        raise KKError(f"the submission has the column {twice[0]!r} twice", "Leave one out")
    if got != wanted:
        mended.append("columns put into the sample's order")
    if not len(table):
        raise KKError("the submission is empty", f"Give one row for each of the sample's {len(sample)}")
    return table[wanted] if got != wanted else table


def _checked_rows(table: "pd.DataFrame", sample: "pd.DataFrame", ids: Sequence[str], mended: list[str]) -> "pd.DataFrame":
    if not ids:
        if len(table) != len(sample):
            raise KKError(f"the submission has {len(table)} rows, the sample has {len(sample)}", "Give one row per test row")
        return table.reset_index(drop=True)
    order = positions(sample, table, ids, "the submission")
    own = {name: sample[name].reset_index(drop=True) for name in ids}
    if order is None:
        return table.reset_index(drop=True).assign(**own)
    in_order = (order[1:] > order[:-1]).all()
    mended.append("ids written as the sample writes them" if in_order else "rows put into the sample's order")
    taken = {name: taken_rows(table[name], order) for name in table.columns if name not in own}
    return sample[list(ids)].reset_index(drop=True).assign(**taken)[list(table.columns)]


def _warnings(table: "pd.DataFrame", columns: Sequence[str], metric: Metric | None, classes: Sequence[object]) -> list[str]:
    said = []
    numbers = {column: bounds(table[column]) for column in columns if table[column].dtype.kind in "iuf"}
    if len(table) > 1 and all(_is_constant(table[column], numbers.get(column)) for column in columns):
        said.append("every row has the same prediction")
    if metric is None or len(numbers) < len(columns):
        return said
    for column, (low, high) in numbers.items():
        if metric.needs == "proba" and (low < 0 or high > 1):
            said.append(f"some probabilities are outside 0 to 1: column {column!r} goes from {low:.6g} to {high:.6g}")
        if metric.name == "rmsle" and low < 0:
            row = int((table[column] < 0).to_numpy().argmax())
            said.append(f"column {column!r} has values below 0 (the first in row {row}), of which {metric.name} makes no score: clip them at 0")
    if metric.needs == "proba" and not said and len(columns) > 1 and (metric.classes == "multiclass" or len(columns) == len(classes)):
        said += _odd_sums(table, columns)
    return said


def _is_constant(column: "pd.Series", bounds: tuple[float, float] | None) -> bool:
    if bounds is not None:
        return bounds[0] == bounds[1]
    first = texts(column.iloc[:1])[0]
    return all(texts(column.iloc[rows]).unique().to_pylist() == [first.as_py()] for rows in slices(len(column)))


def _odd_sums(table: "pd.DataFrame", columns: Sequence[str]) -> list[str]:
    for rows in slices(len(table)):
        sums = sum(table[column].iloc[rows].to_numpy(dtype=np.float64) for column in columns)
        off = np.abs(sums - 1) > 0.01
        if off.any():
            row = int(off.argmax())
            return [f"probabilities do not sum to 1 in every row: in row {rows.start + row} to {sums[row]:.4g}"]
    return []
