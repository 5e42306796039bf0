"""csv to typed Parquet: types that hold for every value, the same in train and test, and ids that stay what they are."""

import csv
import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kagglekit.errors import KKError

if TYPE_CHECKING:
    import pyarrow

MISSING = ["", "NA", "N/A", "NaN", "nan", "null", "NULL", "<NA>", "n/a", "#N/A"]
SUFFIXES = (".csv", ".csv.gz", ".tsv")
INTEGER = r"^-?(0|[1-9][0-9]{0,17})$"
NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$|^[+-]?inf(inity)?$"
LEADING_ZERO = r"^-?0[0-9]"
LONG_INTEGER = r"^-?[0-9]{19,}$"
TRUTH = r"^(true|false|True|False|TRUE|FALSE)$"
DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
MOMENT = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?Z?$"
TYPES = ("empty", "bool", "integer", "number", "date", "moment", "text")


@dataclass(frozen=True, slots=True)
class RawTable:
    """A csv as text columns with the narrowest type that every value of each column fits."""

    name: str
    text: "pyarrow.Table"
    types: Mapping[str, str]


def is_table(name: str) -> bool:
    """Whether a file is one that becomes a table."""
    return name.lower().endswith(SUFFIXES)


def read_raw(path: Path, name: str) -> RawTable:
    """Read a csv as text and find each column's type from all of its values."""
    from pyarrow import ArrowInvalid
    from pyarrow import csv as arrow_csv

    names = _header(path)
    read = arrow_csv.ReadOptions(column_names=names, skip_rows=1)
    delimiter = "\t" if ".tsv" in path.name else ","
    parse = arrow_csv.ParseOptions(delimiter=delimiter, newlines_in_values=True)
    convert = arrow_csv.ConvertOptions(column_types=dict.fromkeys(names, "string"), null_values=MISSING,
                                       strings_can_be_null=True, quoted_strings_can_be_null=True)
    try:
        text = arrow_csv.read_csv(path, read_options=read, parse_options=parse, convert_options=convert)
    except ArrowInvalid as error:
        if "Empty CSV" not in str(error):
            raise KKError(f"{name} cannot be read as a csv: {error}", "Look at that line of the file; it stays as it is") from error
        text = _empty(names)
    return RawTable(name, text, {column: _type_of(text[column]) for column in names})


def _empty(names: list[str]) -> "pyarrow.Table":
    import pyarrow

    return pyarrow.table({column: pyarrow.array([], pyarrow.string()) for column in names})


def _header(path: Path) -> list[str]:
    """Column names of the first line; a repeated name gets .1, .2."""
    opening = gzip.open if path.suffix == ".gz" else open
    with opening(path, "rt", encoding="utf-8-sig", newline="") as lines:
        delimiter = "\t" if ".tsv" in path.name else ","
        names = next(csv.reader(lines, delimiter=delimiter), [])
    if not names:
        raise KKError(f"{path.name} is empty", "Download it again: kk join SLUG --update")
    seen: dict[str, int] = {}
    unique = []
    for number, name in enumerate(names):
        label = name or f"unnamed_{number}"
        count = seen.get(label, 0)
        seen[label] = count + 1
        unique.append(f"{label}.{count}" if count else label)
    return unique


def _type_of(column: "pyarrow.ChunkedArray") -> str:
    """The narrowest type that every value fits; numbers that would lose something (leading zeros, size) are text."""
    import pyarrow.compute as pc

    values = pc.unique(column).drop_null()
    if not len(values):
        return "empty"

    def all_match(pattern: str) -> bool:
        return bool(pc.all(pc.match_substring_regex(values, pattern)).as_py())

    def any_match(pattern: str) -> bool:
        return bool(pc.any(pc.match_substring_regex(values, pattern)).as_py())

    if all_match(TRUTH):
        return "bool"
    if all_match(INTEGER):
        return "integer"
    if any_match(LONG_INTEGER):
        return "text"
    if all_match(NUMBER):
        whole = not any_match(r"[.eEn]")
        return "text" if whole and any_match(LEADING_ZERO) else "number"
    if all_match(DATE):
        return "date"
    return "moment" if all_match(MOMENT) else "text"


def common_types(tables: list[RawTable]) -> dict[str, str]:
    """One type for each column name over several tables, so that train and test agree."""
    agreed: dict[str, str] = {}
    for table in tables:
        for column, kind in table.types.items():
            agreed[column] = _wider(agreed.get(column, "empty"), kind)
    return agreed


def _wider(one: str, other: str) -> str:
    if "empty" in (one, other) or one == other:
        return other if one == "empty" else one
    pair = {one, other}
    if pair == {"integer", "number"}:
        return "number"
    return "moment" if pair == {"date", "moment"} else "text"


def write_table(table: RawTable, types: Mapping[str, str], target: Path) -> None:
    """Write the Parquet with the agreed types; under a hidden name first."""
    import os

    import pyarrow
    from pyarrow import parquet

    columns = {name: _cast(table.text[name], types[name]) for name in table.text.column_names}
    target.parent.mkdir(parents=True, exist_ok=True)
    hidden = target.with_name(f".{target.name}.part")
    try:
        parquet.write_table(pyarrow.table(columns), hidden, compression="lz4")
        os.replace(hidden, target)
    except OSError as error:
        hidden.unlink(missing_ok=True)
        raise KKError(f"cannot write {target}: {error.strerror or error}", "Free some space and run the command again") from error


def _cast(column: "pyarrow.ChunkedArray", kind: str) -> "pyarrow.ChunkedArray":
    import pyarrow
    import pyarrow.compute as pc

    if kind == "bool":
        return pc.equal(pc.utf8_lower(column), "true")
    if kind == "integer":
        return column.cast(pyarrow.int64())
    if kind == "number":
        return pc.utf8_lower(column).cast(pyarrow.float64())
    if kind in ("date", "moment"):
        plain = pc.utf8_rtrim(pc.replace_substring(column, "T", " "), characters="Z")
        return plain.cast(pyarrow.timestamp("us"))
    return column
