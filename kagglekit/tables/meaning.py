"""What a text means as a value of a type, and which marks it leaves."""

from typing import TYPE_CHECKING

from kagglekit.tables.shapes import DATES, SHAPES, TRUE, settled, size_marks

if TYPE_CHECKING:
    import pyarrow

ORDERS = {"day first": r"\3-0\2-0\1", "month first": r"\3-0\1-0\2", "year first": r"\1-0\2-0\3"}
# The type as which values of a shape are tried, where the shape alone does not make them valid (the 30th of February).
TRIED = {"number": "number", "moment": "moment", "nanos": "nanos", "zoned": "zoned", "year": "year first", "either": "day first",
         "day": "day first", "month": "month first"}


def arrow_type(kind: str) -> "pyarrow.DataType":
    """The Arrow type of a type's name."""
    import pyarrow

    types = {"bool": pyarrow.bool_(), "integer": pyarrow.int64(), "unsigned": pyarrow.uint64(), "number": pyarrow.float64(),
             "comma": pyarrow.float64(), "nanos": pyarrow.timestamp("ns")}
    return types.get(kind, pyarrow.timestamp("us") if kind in DATES else pyarrow.string())


def meaning(values: "pyarrow.Array", kind: str) -> "pyarrow.Array | None":
    """Trimmed values of a type's shapes as that type; None where one means nothing there."""
    import pyarrow
    import pyarrow.compute as pc

    try:
        if kind == "bool":
            return pc.is_in(values, pyarrow.array(TRUE))
        if kind == "zoned":
            return values.cast(pyarrow.timestamp("us", "UTC")).cast(pyarrow.timestamp("us"))
        if kind in ORDERS:
            return _iso(values, kind).cast(arrow_type(kind))
        if kind in DATES:
            return values.cast(arrow_type(kind))
        plain = pc.utf8_ltrim(values, characters="+")
        return (pc.replace_substring(plain, ",", ".") if kind == "comma" else plain).cast(arrow_type(kind))
    except pyarrow.ArrowInvalid:
        return None


def _iso(values: "pyarrow.Array", kind: str) -> "pyarrow.Array":
    """Dates such as 31/12/2024 7:05 as ISO."""
    import pyarrow.compute as pc

    turned = pc.replace_substring_regex(values, r"^([0-9]+)[/.-]([0-9]+)[/.-]([0-9]+)", ORDERS[kind])
    padded = pc.replace_substring_regex(turned, r"-0([0-9]{2})", r"-\1")
    return pc.replace_substring_regex(padded, r" ([0-9]):", r" 0\1:")


def marks_of(values: "pyarrow.Array", decimal_comma: bool = False) -> tuple[set[str], str]:
    """The marks of distinct trimmed values, and one that makes them text ('' where none does)."""
    import pyarrow.compute as pc

    marks: set[str] = set()
    for name, pattern in SHAPES.items():
        if not len(values):
            break
        fits = pc.match_substring_regex(values, pattern)
        if not fits.true_count:
            continue
        found, values = values.filter(fits), values.filter(pc.invert(fits))
        marks |= _size(found) if name == "whole" else {"comma" if decimal_comma and name == "thousand" else name}
        wrong = _meaningless(found, TRIED[name]) if name in TRIED else None
        if wrong is not None:
            return marks | {"text"}, wrong
        if settled(marks):
            return marks, str(found[0].as_py())
    return (marks | {"text"}, str(values[0].as_py())) if len(values) else (marks, "")


def _meaningless(values: "pyarrow.Array", kind: str) -> str | None:
    """A value that has a type's shape and means nothing (or is too large for it)."""
    import pyarrow.compute as pc

    found = meaning(values, kind)
    if found is None:
        return next(str(value.as_py()) for number, value in enumerate(values) if meaning(values.slice(number, 1), kind) is None)
    large = values.filter(pc.is_inf(found)) if kind == "number" else []
    return str(large[0].as_py()) if len(large) else None


def _size(values: "pyarrow.Array") -> set[str]:
    """Marks of integers: are they exact as float64, fit int64, fit uint64, are some negative?"""
    import pyarrow.compute as pc

    marks = {"negative"} if pc.starts_with(values, "-").true_count else set()
    long = values.filter(pc.greater(pc.binary_length(values), 15))
    if len(long) < len(values):
        marks.add("small")
    for text in long.to_pylist():
        if len(text) > 20:
            return marks | {"text"}
        marks |= size_marks(int(text), int(text))
    return marks
