"""Tables that are records: JSON (an array, lines, or columns by name) and the first sheet of an Excel file."""

import datetime
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from kagglekit.errors import KKError
from kagglekit.tables.form import Form, Part
from kagglekit.tables.shapes import MISSING
from kagglekit.tables.source import opened
from kagglekit.tables.values import Rules

WHOLE = 512 << 20  # one JSON value and an Excel sheet are read whole: beyond this many bytes they stay files
LINES = 20_000


class Number(str):
    """A number in JSON, as it is written."""


@dataclass(frozen=True, slots=True)
class Records:
    """Rows of JSON or Excel: `read` gives some of them at a time, each a mapping from column to value."""

    path: Path
    name: str
    names: tuple[str, ...]
    read: Callable[[], Iterator[tuple[Sequence[Mapping[str, object]], int]]]
    rules: Rules = field(default_factory=lambda: Rules(words=False))
    about: dict[str, object] = field(default_factory=dict)

    def parts(self, columns: Sequence[str] | None = None) -> Iterator[tuple[Callable[[], Part], int]]:
        """The rows in order."""
        for rows, read in self.read():
            yield (lambda rows=rows: _part(rows, columns or self.names, self.rules.words)), read

    def samples(self) -> Iterator[Part]:
        """The first rows."""
        rows, _ = next(self.read(), ([], 0))
        yield _part(rows[:LINES], self.names, self.rules.words)


def open_records(path: Path, name: str, suffix: str) -> Form:
    """A JSON or Excel file as records; raises KKError where it holds no table."""
    if suffix == ".xlsx":
        return _excel(path, name)
    with open(path, "rb", buffering=0) as raw:
        head = opened(path, raw).read(1 << 20) or b""
    if not head.strip():
        raise KKError(f"{name} is empty", "Download it again: kk join SLUG --update")
    return _lines(path, name) if suffix != ".json" or _is_lines(head) else _whole(path, name)


def _is_lines(head: bytes) -> bool:
    """Whether a .json is a JSON object a line."""
    first = head.lstrip(b"\xef\xbb\xbf \r\n\t").split(b"\n", 1)
    if len(first) < 2 or not first[1].strip():
        return False
    try:
        return isinstance(json.loads(first[0]), dict)
    except ValueError:
        return False


def _loaded(text: bytes | str) -> object:
    return json.loads(text, parse_int=Number, parse_float=Number, parse_constant=lambda word: None if word == "NaN" else Number(word.lower()))


def _lines(path: Path, name: str) -> Records:
    names: dict[str, None] = {}

    def read() -> Iterator[tuple[Sequence[Mapping[str, object]], int]]:
        with open(path, "rb") as raw:
            rows: list[Mapping[str, object]] = []
            for number, line in enumerate(opened(path, raw), 1):
                if line.strip():
                    rows.append(_record(line.lstrip(b"\xef\xbb\xbf"), name, number))
                if len(rows) == LINES:
                    yield rows, raw.tell()
                    rows = []
            yield rows, raw.tell()

    for rows, _ in read():
        for row in rows:
            names.update(dict.fromkeys(row))
    return Records(path, name, tuple(names), read)


def _record(line: bytes, name: str, number: int) -> Mapping[str, object]:
    try:
        row = _loaded(line)
    except ValueError as error:
        raise KKError(f"{name} cannot be read as JSON: line {number}: {error}", "Look at that line of the file; it stays as it is") from error
    if not isinstance(row, dict):
        raise KKError(f"{name} cannot be read as a table: line {number} is no JSON object", "It stays as it is")
    return row


def _whole(path: Path, name: str) -> Records:
    with open(path, "rb", buffering=0) as raw:
        text = opened(path, raw).read(WHOLE + 1)
    if len(text) > WHOLE:
        raise KKError(f"{name} is one JSON value of more than {WHOLE >> 20} MB, which is read whole", "It stays as it is; write an object a line")
    try:
        found = _loaded(text)
    except ValueError as error:
        raise KKError(f"{name} cannot be read as JSON: {error}", "It stays as it is") from error
    rows = _rows(found, name)
    return Records(path, name, tuple(dict.fromkeys(key for row in rows for key in row)), lambda: iter([(rows, len(text))]))


def _rows(found: object, name: str) -> list[dict[str, object]]:
    """The rows of an array of objects, of columns by row label, or of columns as arrays."""
    if isinstance(found, list) and found and all(isinstance(row, dict) for row in found):
        return found
    if isinstance(found, dict) and found:
        columns = list(found.values())
        if all(isinstance(column, dict) and column.keys() == columns[0].keys() for column in columns) and columns[0]:
            return [{key: column[label] for key, column in found.items()} for label in columns[0]]
        if all(isinstance(column, list) and len(column) == len(columns[0]) for column in columns) and columns[0]:
            return [dict(zip(found, row)) for row in zip(*columns)]
    raise KKError(f"{name} is JSON but no table: neither an array of objects nor equally long columns", "It stays as it is")


def _part(rows: Sequence[Mapping[str, object]], names: Sequence[str], words: bool) -> Part:
    import pyarrow

    columns, quoted = {}, set()
    for name in names:
        values = [row.get(name) for row in rows]
        if any(isinstance(value, (str, list, dict)) and not isinstance(value, Number) and not (words and value in MISSING) for value in values):
            quoted.add(name)
        columns[name] = pyarrow.array([_text(value) for value in values], pyarrow.string())
    return Part(pyarrow.table(columns), frozenset(quoted))


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return None if value is None else str(value)
    return _json(value)


def _json(value: object) -> str:
    """A value as JSON, its numbers as they were written."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key, ensure_ascii=False)}: {_json(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_json, value)) + "]"
    return str(value) if isinstance(value, Number) else json.dumps(value, ensure_ascii=False)


def _excel(path: Path, name: str) -> Records:
    import io

    from python_calamine import CalamineError, CalamineWorkbook

    with open(path, "rb", buffering=0) as raw:
        content = opened(path, raw).read(WHOLE + 1)
    if len(content) > WHOLE:
        raise KKError(f"{name} is an Excel file of more than {WHOLE >> 20} MB, which is read whole", "It stays as it is; save it as csv")
    try:
        sheets = CalamineWorkbook.from_filelike(io.BytesIO(content))
        cells = sheets.get_sheet_by_index(0).to_python(skip_empty_area=True)
    except CalamineError as error:
        _refuse_excel(name, error)
    if not cells:
        raise KKError(f"{name} is empty", "It stays as it is")
    names = _unique([str(cell) for cell in cells[0]])
    rows = [dict(zip(names, map(_cell, row))) for row in cells[1:] if any(cell != "" for cell in row)]
    about: dict[str, object] = {"sheet": sheets.sheet_names[0], "sheets": len(sheets.sheet_names)}
    return Records(path, name, tuple(names), lambda: iter([(rows, path.stat().st_size)]), Rules(), about)


def _refuse_excel(name: str, error: Exception) -> NoReturn:
    raise KKError(f"{name} cannot be read as Excel: {error}", "It stays as it is") from error


def _unique(names: list[str]) -> list[str]:
    from kagglekit.tables.source import unique_names

    return list(unique_names(names))


def _cell(value: object) -> object:
    """A cell of Excel, which knows numbers only as floats and dates as such."""
    if isinstance(value, float):
        return Number(int(value)) if value.is_integer() and abs(value) < 2**53 else Number(repr(value))
    if isinstance(value, int) and not isinstance(value, bool):
        return Number(value)
    if isinstance(value, datetime.date):
        return value.isoformat()
    return None if value == "" else value if isinstance(value, (str, bool)) else str(value)
