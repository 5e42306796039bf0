"""Columns as the text that stands in a csv: what is written, and what ids are compared by."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow

ROWS = 1 << 16


def slices(rows: int, size: int = ROWS) -> Iterator[slice]:
    """The rows of a table, some at a time."""
    return (slice(start, min(start + size, rows)) for start in range(0, rows, size))


def is_text(column: "pd.Series") -> bool:
    """Whether a column holds text (or anything mixed) rather than numbers, truth values or dates."""
    return column.dtype.kind not in "iufbmM"


def writable(column: "pd.Series") -> "pyarrow.Array":
    """A column as an array of numbers or text that is written as it should stand in the file; missing values are null."""
    import pyarrow
    import pyarrow.compute as pc

    try:
        found = pyarrow.array(column, from_pandas=True)
    except (pyarrow.ArrowInvalid, pyarrow.ArrowTypeError, OverflowError):  # a mixture
        return _one_by_one(column)
    kinds = pyarrow.types
    if isinstance(found, pyarrow.ChunkedArray):
        found = found.combine_chunks()
    if kinds.is_dictionary(found.type):
        found = found.dictionary_decode()
    if kinds.is_boolean(found.type):
        return pc.if_else(found, "True", "False")
    if kinds.is_float16(found.type):
        return found.cast(pyarrow.float32())
    plain = (kinds.is_integer, kinds.is_floating, kinds.is_string, kinds.is_large_string)
    return found if any(fits(found.type) for fits in plain) else _one_by_one(column)


def _one_by_one(column: "pd.Series") -> "pyarrow.Array":
    import pyarrow

    shown = [None if missing else str(value) for value, missing in zip(column, column.isna(), strict=True)]
    return pyarrow.array(shown, pyarrow.large_string())


def texts(column: "pd.Series") -> "pyarrow.Array":
    """A column as the text that would be written."""
    import pyarrow

    found = writable(column)
    return found if pyarrow.types.is_large_string(found.type) else found.cast(pyarrow.large_string())


def same_text(one: "pd.Series", other: "pd.Series") -> bool:
    """Whether two columns of one length would be written alike; numbers and text are compared as they are, all else by its text."""
    if len(one) != len(other):
        return False
    if one.dtype.kind in "iu" and other.dtype.kind in "iu" and isinstance(one.dtype, np.dtype) and isinstance(other.dtype, np.dtype):
        return all(np.array_equal(one.to_numpy()[rows], other.to_numpy()[rows]) for rows in slices(len(one)))
    for rows in slices(len(one)):
        left, right = texts(one.iloc[rows]), texts(other.iloc[rows])
        if left.null_count or not left.equals(right):
            return False
    return True


def taken_rows(column: "pd.Series", order: np.ndarray) -> "pd.Series":
    """The column's rows in another order, without an index as large as the column on the way."""
    import pandas as pd

    if not isinstance(column.dtype, np.dtype) or column.dtype == object:
        return column.take(order).reset_index(drop=True)
    values, taken = column.to_numpy(), np.empty(len(order), dtype=column.dtype)
    for rows in slices(len(order)):
        taken[rows] = values[order[rows]]
    return pd.Series(taken, name=column.name, copy=False)


def joined(table: "pd.DataFrame", names: Sequence[str]) -> "pyarrow.Array":
    """The id columns of a table as one text a row."""
    parts = [texts(table[name]) for name in names]
    return parts[0] if len(parts) == 1 else glued(*parts, by="\x1f")


def glued(*parts: "pyarrow.Array | str", by: str) -> "pyarrow.Array":
    """Texts of each row as one, with `by` in between."""
    import pyarrow
    import pyarrow.compute as pc

    long = [pyarrow.scalar(part, pyarrow.large_string()) if isinstance(part, str) else part for part in (*parts, by)]
    return pc.binary_join_element_wise(*long)
