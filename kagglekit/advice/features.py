"""Features: the columns that two tables share, whatever their types, as Arrow with one kind for both."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from kagglekit.errors import KKError
from kagglekit.tables.profile.values import as_arrow, kind_of, numbers

if TYPE_CHECKING:
    import pyarrow

Array = np.ndarray
NUMERIC = ("integer", "number", "bool", "date")
BLOCK = 200_000


@dataclass(frozen=True, slots=True)
class Feature:
    """A column of train and (where there is one) of test; `kind` is integer, number, bool, date, category, text or empty."""

    name: str
    kind: str
    train: "pyarrow.ChunkedArray"
    test: "pyarrow.ChunkedArray | None" = None

    @property
    def tables(self) -> "list[pyarrow.ChunkedArray]":
        """The column of each table that has it."""
        return [self.train] if self.test is None else [self.train, self.test]

    def values(self) -> Array:
        """float64[rows of both tables]: numbers, truth values, dates in nanoseconds; NaN where missing."""
        return np.concatenate([numbers(column) for column in self.tables])


def features(train: pd.DataFrame, test: pd.DataFrame | None = None) -> Iterator[Feature]:
    """The columns of train (that test has too, where it is given), one after another.

    >>> [(one.name, one.kind) for one in features(pd.DataFrame({"a": [1, 2], "b": ["x", None], "c": [0.5, None]}))]
    [('a', 'integer'), ('b', 'category'), ('c', 'number')]
    """
    for place, name in enumerate(train.columns):
        if test is None:
            ours = _arrow(train.iloc[:, place])
            yield Feature(str(name), kind_of(ours), ours)
        elif name in test.columns:
            ours, theirs = _arrow(train.iloc[:, place]), _arrow(test.iloc[:, test.columns.get_indexer_for([name])[0]])
            yield Feature(str(name), _common({kind_of(ours), kind_of(theirs)}), ours, theirs)


def check_rows(train: pd.DataFrame, y: Array) -> None:
    """Raise KKError where the target does not have one value a row."""
    if len(y) != len(train):
        raise KKError(f"the target has {len(y)} values, train has {len(train)} rows", "Give one value of the target for each row of train")


def _common(kinds: set[str]) -> str:
    kinds = kinds - {"empty"} or kinds
    if len(kinds) == 1:
        return next(iter(kinds))
    if kinds <= {"integer", "number", "bool"}:
        return "number"
    return "text" if "text" in kinds else "category"


def _arrow(column: pd.Series) -> "pyarrow.ChunkedArray":
    """The column as Arrow; values of mixed types as text, very long text in blocks."""
    import pyarrow

    try:
        return as_arrow(column)
    except pyarrow.ArrowException:
        texts = column.astype(object).map(str, na_action="ignore")
        blocks = [as_arrow(texts.iloc[start:start + BLOCK]) for start in range(0, len(texts), BLOCK)]
        return pyarrow.chunked_array([chunk for block in blocks for chunk in block.cast(pyarrow.string()).chunks], pyarrow.string())
