"""Text into typed values: exact, or refused."""

import functools
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kagglekit.tables.meaning import arrow_type, marks_of, meaning
from kagglekit.tables.shapes import DATES, EXACT, FALSE, MISSING, TRUE, WITHIN, settled, size_marks, type_of

if TYPE_CHECKING:
    import pyarrow

# The mark that the quick way of a type cannot see: until it is known from elsewhere, the values are looked at one by one.
UNSEEN = {"number": "number", "nanos": "nanos"}


@dataclass(slots=True)
class Cells:
    """A column of one piece of a file: the typed values (None where they do not fit), the marks of its text, the words that were
    read as missing, and a value that makes it text."""

    values: "pyarrow.Array | None"
    marks: AbstractSet[str]
    words: AbstractSet[str] = frozenset()
    odd: str = ""


@dataclass(frozen=True, slots=True)
class Rules:
    """How a file's text is to be read: `words` are missing values in it; a comma is a decimal point even in 1,234."""

    words: bool = True
    decimal_comma: bool = False


def typed(text: "pyarrow.Array", kind: str, known: AbstractSet[str], rules: Rules, *, only_dates: bool = False,
          has_words: bool = False) -> Cells:
    """Cells of a text column as `kind`. `known` are marks seen before; `only_dates`: numbers in quotes are text (JSON)."""
    if kind == "text":
        return _as_text(text, known, rules, only_dates, has_words)
    if only_dates and kind not in DATES:
        marks, odd = _looked_at(text, rules, only_dates)
        return Cells(None, marks, odd=odd)
    if not has_words:
        quick = _quick(text, kind, known)
        if quick is not None:
            return quick
    text, words = _without_words(text, rules)
    quick = _quick(text, kind, known) if words else None
    if quick is not None:
        quick.words = words
        return quick
    cells = _slow(text, kind, rules, only_dates)
    cells.words = words
    return cells


def first_look(text: "pyarrow.Array", rules: Rules, *, only_dates: bool = False) -> Cells:
    """Cells of a column of which nothing is known: the usual types are tried at once, before values are looked at one by one."""
    for kind in ("integer", "number", "moment", "bool"):
        quick = _quick(text, kind, frozenset()) if not only_dates else None
        if quick is not None:
            return quick
    return typed(text, "empty", frozenset(), rules, only_dates=only_dates)


def _as_text(text: "pyarrow.Array", known: AbstractSet[str], rules: Rules, only_dates: bool, has_words: bool) -> Cells:
    text, words = _without_words(text, rules)
    if settled(known):
        return Cells(text, frozenset(), words)
    kind = type_of(known)
    if kind == "text":
        marks, odd = _looked_at(text, rules, only_dates)
        return Cells(text, marks, words, odd)
    cells = typed(text, kind, known, Rules(False, rules.decimal_comma), only_dates=only_dates)
    return Cells(text, cells.marks, words, cells.odd)


def _without_words(text: "pyarrow.Array", rules: Rules) -> tuple["pyarrow.Array", frozenset[str]]:
    """The column with words such as NA as nulls, and which there were."""
    import pyarrow
    import pyarrow.compute as pc

    if not rules.words:
        return text, frozenset()
    missing = _is_in(text, tuple(MISSING))
    if not missing.true_count:
        return text, frozenset()
    words = frozenset(pc.unique(text.filter(missing)).to_pylist())
    return pc.if_else(missing, pyarrow.scalar(None, pyarrow.string()), text), words


def _is_in(text: "pyarrow.Array", words: tuple[str, ...]) -> "pyarrow.Array":
    import pyarrow.compute as pc

    return pc.is_in(text, options=_set_of(words))


@functools.cache
def _set_of(words: tuple[str, ...]) -> object:
    import pyarrow
    import pyarrow.compute as pc

    return pc.SetLookupOptions(value_set=pyarrow.array(words, pyarrow.string()))


def _looked_at(text: "pyarrow.Array", rules: Rules, only_dates: bool) -> tuple[set[str], str]:
    """Marks of all values, one by one, and a value that makes them text."""
    import pyarrow.compute as pc

    values = pc.unique(text).drop_null()
    marks, odd = marks_of(pc.unique(pc.ascii_trim_whitespace(values)), rules.decimal_comma)
    if only_dates and marks and not any(marks <= WITHIN[kind] for kind in DATES):
        return marks | {"text"}, odd or str(values[0].as_py())
    return marks, odd


def _slow(text: "pyarrow.Array", kind: str, rules: Rules, only_dates: bool) -> Cells:
    """Each distinct value on its own: trimmed, its mark found, then its meaning."""
    marks, odd = _looked_at(text, rules, only_dates)
    if not marks <= WITHIN[kind]:
        return Cells(None, marks, odd=odd)
    import pyarrow
    import pyarrow.compute as pc

    if kind == "empty" or text.null_count == len(text):
        return Cells(pyarrow.nulls(len(text), arrow_type(kind)), marks)
    distinct = text.dictionary_encode()
    values = meaning(pc.ascii_trim_whitespace(distinct.dictionary), kind)
    return Cells(values.take(distinct.indices) if values is not None else None, marks if values is not None else marks | {"text"}, odd=odd)


def _quick(text: "pyarrow.Array", kind: str, known: AbstractSet[str]) -> Cells | None:
    """The column at once; None where that cannot be or would not be exact."""
    import pyarrow

    way = QUICK.get(kind)
    if way is None or text.null_count == len(text) or (kind in UNSEEN and UNSEEN[kind] not in known and not _seen(text, kind)):
        return None
    try:
        return way(text)
    except pyarrow.ArrowInvalid:
        return None


def _seen(text: "pyarrow.Array", kind: str) -> bool:
    """Whether the first values show what makes a column a number rather than an integer."""
    return kind == "number" and any(value is not None and "." in value for value in text.slice(0, 50).to_pylist())


def _truths(text: "pyarrow.Array") -> Cells | None:
    import pyarrow
    import pyarrow.compute as pc

    true, false = _is_in(text, tuple(TRUE)), _is_in(text, tuple(FALSE))
    if true.true_count + false.true_count != len(text) - text.null_count:
        return None
    return Cells(pc.if_else(pc.is_valid(text), true, pyarrow.scalar(None, pyarrow.bool_())), frozenset({"truth"}))


def _integers(text: "pyarrow.Array") -> Cells | None:
    return _whole(text, "integer")


def _unsigned(text: "pyarrow.Array") -> Cells | None:
    return _whole(text, "unsigned")


def _whole(text: "pyarrow.Array", kind: str) -> Cells | None:
    import pyarrow.compute as pc

    values = text.cast(arrow_type(kind))
    if _leading_zero(text):
        return None
    ends = pc.min_max(values)
    return Cells(values, size_marks(ends["min"].as_py(), ends["max"].as_py()))


def _numbers(text: "pyarrow.Array") -> Cells | None:
    """Numbers within what a float64 holds of integers: beyond it (and for inf and nan) the text is looked at."""
    values = text.cast(arrow_type("number"))
    plain = (values.drop_null() if values.null_count else values).to_numpy()
    if not (np.abs(plain).max() < EXACT) or _leading_zero(text):
        return None
    return Cells(values, frozenset({"number"}))


def _leading_zero(text: "pyarrow.Array") -> bool:
    """Whether a value starts with a zero and another digit (or is hexadecimal, which Arrow would read)."""
    _, offsets, data = text.buffers()
    if data is None or not data.size:
        return False
    offsets, cells = np.frombuffer(offsets, np.int32)[text.offset:text.offset + len(text) + 1], np.frombuffer(data, np.uint8)
    first, end = offsets[:-1], offsets[1:]
    filled = end > first
    if not filled.all():
        first, end = first[filled], end[filled]
    letters = cells[first]
    signed = letters < ord("0")
    if signed.any():
        first = np.minimum(first + signed, end - 1)
        letters = cells[first]
    zeros = (letters == ord("0")) & (end - first > 1)
    following = cells[first[zeros] + 1]
    return bool((((following >= ord("0")) & (following <= ord("9"))) | ((following | 32) == ord("x"))).any())


def _moments(text: "pyarrow.Array") -> Cells | None:
    return Cells(text.cast(arrow_type("moment")), frozenset({"moment"}))


def _nanos(text: "pyarrow.Array") -> Cells | None:
    return Cells(text.cast(arrow_type("nanos")), frozenset({"nanos"}))


def _zoned(text: "pyarrow.Array") -> Cells | None:
    return Cells(meaning(text, "zoned"), frozenset({"zoned"}))


QUICK: dict[str, Callable[["pyarrow.Array"], Cells | None]] = {
    "bool": _truths, "integer": _integers, "unsigned": _unsigned, "number": _numbers, "moment": _moments, "nanos": _nanos, "zoned": _zoned}
