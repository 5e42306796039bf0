"""Writing a submission: every float exact, in pieces on several threads, whole or not at all."""

import collections
import concurrent.futures
import csv
import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from kagglekit.errors import KKError
from kagglekit.tables.submission.text import ROWS, glued, slices, writable

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow

MAX_BYTES = 200 * 1024**2
WORKERS = max(2, min(8, os.cpu_count() or 2))


def write_csv(table: "pd.DataFrame", path: Path, limit: int = MAX_BYTES) -> None:
    """Write the csv (floats in the fewest digits that are exact), whole or not at all; refuses what is over Kaggle's size."""
    hidden = path.with_name(f".{path.name}.{os.getpid()}.part")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        size = 0
        with hidden.open("wb") as sink:
            for number, part in enumerate(csv_parts(table)):
                size += sink.write(part)
                if size > limit:
                    whole = max(size, size * len(table) / max(1, number * ROWS))
                    raise KKError(f"{path.name} would have about {whole / 1e6:.0f} MB, Kaggle takes {limit / 1e6:.0f}",
                                  "Round the predictions, or send fewer digits as float32")
        os.replace(hidden, path)
    except OSError as error:
        raise KKError(f"cannot write {path}: {error.strerror or error}", "Free some space and run the command again") from error
    finally:
        hidden.unlink(missing_ok=True)


def same_file(table: "pd.DataFrame", path: Path) -> bool:
    """Whether a file holds the very bytes that write_csv would write."""
    if not path.exists():
        return False
    with path.open("rb") as source:
        return all(source.read(len(part)) == bytes(part) for part in csv_parts(table)) and not source.read(1)


def csv_parts(table: "pd.DataFrame") -> Iterator[bytes]:
    """The bytes of the csv: the header, then some rows at a time, made by several threads."""
    yield _header(table)
    waiting: collections.deque = collections.deque()
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        for rows in slices(len(table)):
            waiting.append(pool.submit(_rows, table.iloc[rows]))
            if len(waiting) > WORKERS:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _header(table: "pd.DataFrame") -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow([str(column) for column in table.columns])
    return text.getvalue().encode()


def _rows(table: "pd.DataFrame") -> bytes:
    import pyarrow
    from pyarrow import csv as arrow_csv

    columns = [writable(table[name]) for name in table.columns]
    sink = pyarrow.BufferOutputStream()
    try:
        arrow_csv.write_csv(pyarrow.table(columns, names=[str(number) for number in range(len(columns))]), sink,
                            arrow_csv.WriteOptions(include_header=False, quoting_style="none", batch_size=ROWS))
        if not (len(columns) == 1 and pyarrow.types.is_large_string(columns[0].type)):  # an empty line would be no row
            return sink.getvalue()
    except pyarrow.ArrowInvalid:  # a comma, quote or line break in a text
        pass
    return _quoted_rows(columns)


def _quoted_rows(columns: "list[pyarrow.Array]") -> bytes:
    """Rows with quotes around the texts that need them, and around those alone."""
    import pyarrow

    alone = "|^$" if len(columns) == 1 else ""
    cells = [_quoted(column.cast(pyarrow.large_string()), f'[",\r\n]{alone}') for column in columns]
    lines = glued(glued(*cells, by=","), "", by="\n")
    first, last = lines.offset, lines.offset + len(lines)
    offsets = memoryview(lines.buffers()[1]).cast("q")
    return lines.buffers()[2].slice(offsets[first], offsets[last] - offsets[first]).to_pybytes()


def _quoted(column: "pyarrow.Array", odd: str) -> "pyarrow.Array":
    import pyarrow.compute as pc

    column = pc.fill_null(column, "")
    special = pc.match_substring_regex(column, odd)
    if not pc.any(special).as_py():
        return column
    double: Callable = pc.replace_substring
    return pc.if_else(special, glued('"', double(column, '"', '""'), '"', by=""), column)
