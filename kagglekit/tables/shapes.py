"""What values look like: the marks that cells leave, and the narrowest type that all of them fit.

Marks only add up, so the type of a column is the same in whatever order its cells are seen, and train and test agree on the type
of the marks of both.
"""

from collections.abc import Set as AbstractSet

MISSING = ["", "NA", "N/A", "NaN", "nan", "null", "NULL", "<NA>", "n/a", "#N/A"]
TRUE, FALSE = ["true", "True", "TRUE"], ["false", "False", "FALSE"]
EXACT = 2**53  # beyond it a float64 does not hold every integer
CLOCK = r"[0-9]{2}(:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?)?"
DAY = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}"
LOOSE_CLOCK = r"( [0-9]{1,2}:[0-9]{2}(:[0-9]{2})?)?$"


def _by_separator(first: str, second: str, third: str) -> str:
    return "|".join(f"^{first}{mark}{second}{mark}{third}{LOOSE_CLOCK}" for mark in ("/", "-", r"\."))


# Each value leaves the mark of the first pattern that it fits; "text" where it fits none.
SHAPES = {
    "truth": r"^(true|false|True|False|TRUE|FALSE)$",
    "whole": r"^-?(0|[1-9][0-9]*)$",
    "plus": r"^\+(0|[1-9][0-9]{0,5})$",  # +49301234567 is a telephone number
    "zeros": r"^[+-]?0[0-9]+$",
    "number": r"^[+-]?(([0-9]+\.[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+)$",
    "infinite": r"^[+-]?([iI]nf|INF|[iI]nfinity|INFINITY)$",
    "thousand": r"^[+-]?[1-9][0-9]{0,2},[0-9]{3}$",
    "comma": r"^[+-]?[0-9]+,[0-9]+$",
    "moment": f"{DAY}([ T]{CLOCK})?$",
    "nanos": DAY + r"[ T][0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{7,9}$",
    "zoned": f"{DAY}[ T]{CLOCK}(Z|[+-][0-9]{{2}}(:?[0-9]{{2}})?)$",
    "year": _by_separator("[0-9]{4}", "[0-9]{1,2}", "[0-9]{1,2}"),
    "either": _by_separator("(0?[1-9]|1[0-2])", "(0?[1-9]|1[0-2])", "[0-9]{4}"),
    "day": _by_separator("(1[3-9]|[23][0-9])", "[0-9]{1,2}", "[0-9]{4}"),
    "month": _by_separator("[0-9]{1,2}", "(1[3-9]|[23][0-9])", "[0-9]{4}"),
}
SIGNED = frozenset({"small", "big", "negative", "plus"})
# The marks that a column of a type may have; "text" takes all.
WITHIN: dict[str, frozenset[str]] = {
    "empty": frozenset(), "bool": frozenset({"truth"}), "integer": SIGNED, "unsigned": frozenset({"small", "big", "huge", "plus"}),
    "number": frozenset({"small", "negative", "plus", "number", "infinite"}), "comma": frozenset({"small", "negative", "plus", "comma", "thousand"}),
    "moment": frozenset({"moment"}), "nanos": frozenset({"moment", "nanos"}), "zoned": frozenset({"zoned"}),
    "year first": frozenset({"year"}), "day first": frozenset({"day", "either"}), "month first": frozenset({"month", "either"})}
# Types in the order in which they are tried, with the mark that makes a column this type and not a narrower one.
NARROWEST = {"empty": "", "bool": "truth", "integer": "", "unsigned": "huge", "number": "", "comma": "comma", "moment": "moment",
             "nanos": "nanos", "zoned": "zoned", "year first": "year", "day first": "day", "month first": "month"}
DATES = frozenset({"moment", "nanos", "zoned", "year first", "day first", "month first"})


def type_of(marks: AbstractSet[str]) -> str:
    """The narrowest type that holds every value with these marks and loses nothing of it.

    >>> type_of({"small", "number"}), type_of({"big", "number"}), type_of({"either"}), type_of({"either", "day"})
    ('number', 'text', 'text', 'day first')
    """
    return next((name for name, mark in NARROWEST.items() if marks <= WITHIN[name] and (not mark or mark in marks)), "text")


def settled(marks: AbstractSet[str]) -> bool:
    """Whether a column is text whatever its other cells hold."""
    return type_of(marks) == "text" and not any(marks <= allowed for allowed in WITHIN.values())


def size_marks(low: int, high: int) -> set[str]:
    """Marks of integers from `low` to `high`.

    >>> sorted(size_marks(-3, 2**60)), size_marks(0, 2**63)
    (['big', 'negative'], {'huge'})
    """
    marks = {"negative"} if low < 0 else set()
    if low < -(2**63) or high >= 2**64:
        return marks | {"text"}
    if high >= 2**63:
        return marks | {"huge"}
    return marks | {"big" if high > EXACT or low < -EXACT else "small"}
