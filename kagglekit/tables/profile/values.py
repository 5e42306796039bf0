"""A column's values as numbers or codes, whatever its type on disk."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    import pyarrow

TEXT_SPACES = 2.0  # a column of words has at least so many spaces a value
TEXT_LENGTH = 60.0


def as_arrow(column: object) -> "pyarrow.ChunkedArray":
    """An Arrow, pandas or numpy column as Arrow: text, truth values, numbers or moments; anything else as text."""
    import pyarrow

    array = column if isinstance(column, (pyarrow.ChunkedArray, pyarrow.Array)) else pyarrow.array(column, from_pandas=True)
    chunked = array if isinstance(array, pyarrow.ChunkedArray) else pyarrow.chunked_array([array])
    kinds, kind = pyarrow.types, chunked.type
    if kinds.is_dictionary(kind):
        chunked = chunked.cast(kind.value_type)
        kind = chunked.type
    known = (kinds.is_integer, kinds.is_floating, kinds.is_boolean, kinds.is_timestamp, kinds.is_null)
    if any(check(kind) for check in known) or kinds.is_string(kind):
        return chunked
    if kinds.is_date(kind):
        return chunked.cast(pyarrow.timestamp("ms"))
    if kinds.is_decimal(kind):
        return chunked.cast(pyarrow.float64())
    if kinds.is_duration(kind) or kinds.is_time(kind):
        return chunked.cast(pyarrow.int64())
    if kinds.is_large_string(kind) or kinds.is_string_view(kind):
        return chunked.cast(pyarrow.string())
    return pyarrow.chunked_array([pyarrow.array([None if value is None else str(value) for value in chunked.to_pylist()], pyarrow.string())])


def kind_of(column: "pyarrow.ChunkedArray") -> str:
    """integer, number, bool, date, category, text or empty: what the values are, by type and looks."""
    import pyarrow
    import pyarrow.compute as pc

    if len(column) == column.null_count:
        return "empty"
    if pyarrow.types.is_boolean(column.type):
        return "bool"
    if pyarrow.types.is_integer(column.type):
        return "integer"
    if pyarrow.types.is_timestamp(column.type):
        return "date"
    if pyarrow.types.is_floating(column.type):
        return "empty" if np.isnan(numbers(column)).all() else "number"
    some = column.slice(0, 20_000).drop_null()
    if not len(some):
        some = column.drop_null().slice(0, 20_000)
    spaces, length = pc.mean(pc.count_substring(some, " ")).as_py(), pc.mean(pc.utf8_length(some)).as_py()
    many = pc.count_distinct(some).as_py() > 0.5 * len(some)
    return "text" if many and (spaces >= TEXT_SPACES or length >= TEXT_LENGTH) else "category"


def numbers(column: "pyarrow.ChunkedArray") -> np.ndarray:
    """Numbers, truth values and moments (nanoseconds) as float64, NaN where missing; text by its length."""
    import pyarrow
    import pyarrow.compute as pc

    kinds = pyarrow.types
    if kinds.is_null(column.type):
        return np.full(len(column), np.nan)
    if kinds.is_string(column.type):
        column = pc.utf8_length(column)
    elif kinds.is_timestamp(column.type):
        column = pc.cast(column, pyarrow.timestamp("ns", column.type.tz), safe=False).cast(pyarrow.int64())
    return column.cast(pyarrow.float64(), safe=False).to_numpy()


def codes(*columns: "pyarrow.ChunkedArray") -> tuple[list[np.ndarray], list[object]]:
    """The columns as int64 codes of their common values (-1 where missing) in the order of appearance, and these values."""
    import pyarrow

    if all(pyarrow.types.is_string(column.type) for column in columns):
        joined = pyarrow.chunked_array([chunk for column in columns for chunk in column.chunks], pyarrow.string())
        encoded = joined.combine_chunks().dictionary_encode()
        if isinstance(encoded, pyarrow.ChunkedArray):
            encoded = encoded.combine_chunks()
        found, values = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64), encoded.dictionary
    elif any(pyarrow.types.is_string(column.type) for column in columns):
        return codes(*(column.cast(pyarrow.string()) for column in columns))
    else:
        found, values = pd.factorize(np.concatenate([numbers(column) for column in columns]))
    ends = np.cumsum([len(column) for column in columns])[:-1]
    return np.split(found, ends), values


def label(value: object) -> object:
    """A value as a person reads it: 3 rather than 3.0."""
    value = value.as_py() if hasattr(value, "as_py") else value.item() if hasattr(value, "item") else value
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 1e15 else value


def moment(value: float) -> str:
    """Nanoseconds as a date, with the hour where there is one."""
    when = pd.Timestamp(int(value))
    return str(when.date()) if when == when.normalize() else f"{when:%Y-%m-%d %H:%M}"
