"""Rows of a delimited file as text columns, and the line of the one that is broken."""

import csv
import io
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NoReturn

from kagglekit.errors import KKError
from kagglekit.tables.source import Layout, OtherEncoding, Piece, StrayQuotes, Text, is_utf8

if TYPE_CHECKING:
    import pyarrow

END = "\x02"


def text_columns(made: Layout, piece: Piece, columns: Sequence[str] | None = None) -> "pyarrow.Table":
    """Some columns (None: all) of a piece as text, empty cells as null.

    Raises KKError with the line of a row of too many or too few cells, StrayQuotes where the piece may not end where a row ends,
    OtherEncoding for bytes that are not UTF-8.
    """
    import pyarrow

    quoted = b'"' in piece.rows
    rows = piece.rows
    if quoted:
        # A last row of our own: quotes that are never closed would swallow it.
        end = made.delimiter.join([END] * len(made.names)).encode() + made.newline
        rows = rows + (b"" if rows.endswith(made.newline) else made.newline) + end
    try:
        table = _parsed(made, rows, columns, quoted)
    except pyarrow.ArrowInvalid as error:
        if "UTF8" in str(error):
            raise OtherEncoding from error
        if quoted:
            raise StrayQuotes from error
        _refuse(made, piece, error)
    if quoted:
        if table.num_rows == 0 or table.column(0)[-1].as_py() != END:
            raise StrayQuotes
        table = table.slice(0, table.num_rows - 1)
    return table.combine_chunks()


def _parsed(made: Layout, rows: bytes, columns: Sequence[str] | None, quoted: bool, skip: bool = False) -> "pyarrow.Table":
    import pyarrow
    from pyarrow import csv as arrow_csv

    if not rows.strip(b"\r\n"):
        return pyarrow.table({name: pyarrow.array([], pyarrow.string()) for name in columns or made.names})
    return arrow_csv.read_csv(pyarrow.BufferReader(rows), read_options=_reading(made, len(rows) + 1), parse_options=_parsing(made, quoted, skip),
                              convert_options=_converting(made, columns, rows.isascii()))


def _reading(made: Layout, size: int, skip: int = 0) -> object:
    from pyarrow import csv as arrow_csv

    return arrow_csv.ReadOptions(column_names=list(made.names), block_size=max(size, 1), use_threads=False, skip_rows=skip)


def _parsing(made: Layout, quoted: bool, skip: bool = False) -> object:
    from pyarrow import csv as arrow_csv

    return arrow_csv.ParseOptions(delimiter=made.delimiter, newlines_in_values=quoted, quote_char='"' if quoted else False,
                                  invalid_row_handler=(lambda row: "skip") if skip else None)


def _converting(made: Layout, columns: Sequence[str] | None, ascii_only: bool = False) -> object:
    import pyarrow
    from pyarrow import csv as arrow_csv

    return arrow_csv.ConvertOptions(column_types=dict.fromkeys(columns or made.names, pyarrow.string()), null_values=[""], strings_can_be_null=True,
                                    quoted_strings_can_be_null=True, include_columns=list(columns) if columns else None, check_utf8=not ascii_only)


def sampled(made: Layout, block: bytes) -> "pyarrow.Table | None":
    """What can be read of rows from the middle of a file; None where nothing can."""
    import pyarrow

    try:
        return _parsed(made, block, None, b'"' in block, skip=True)
    except pyarrow.ArrowInvalid:
        if not is_utf8(block):
            raise OtherEncoding from None
        return None


class _Whole(io.RawIOBase):
    """The rows of a file and our own last row as one stream."""

    def __init__(self, made: Layout) -> None:
        self.text, self.skip, self.rest = Text(made.path, made.encoding), made.start, b""
        self.end = made.newline + made.delimiter.join([END] * len(made.names)).encode() + made.newline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        while not self.rest:
            block = self.text.read(len(buffer))
            if not block:
                self.rest, self.end = self.end, b""
                break
            self.rest, self.skip = block[self.skip:], max(0, self.skip - len(block))
        size = min(len(buffer), len(self.rest))
        buffer[:size], self.rest = self.rest[:size], self.rest[size:]
        return size

    def close(self) -> None:
        self.text.close()
        super().close()


def careful_columns(made: Layout, columns: Sequence[str] | None = None) -> Iterator[tuple["pyarrow.Table", int]]:
    """As text_columns over a whole file whose quotes cannot be counted: slower, by the parser's own sense of where a row ends.

    Gives tables with the bytes read so far; raises KKError with the line of a broken row or of a quote that is never closed.
    """
    import pyarrow
    from pyarrow import csv as arrow_csv

    stream = _Whole(made)
    try:
        reader = arrow_csv.open_csv(pyarrow.PythonFile(stream, mode="r"), read_options=_reading(made, 8 << 20), parse_options=_parsing(made, True),
                                    convert_options=_converting(made, columns))
        before = None
        for batch in reader:
            if before is not None:
                yield before, stream.text.raw.tell()
            before = pyarrow.Table.from_batches([batch]) if batch.num_rows else before
        if before is None or before.column(0)[-1].as_py() != END:
            _refuse_quotes(made)
        yield before.slice(0, before.num_rows - 1), stream.text.raw.tell()
    except pyarrow.ArrowInvalid as error:
        if "UTF8" in str(error):
            raise OtherEncoding from error
        _refuse_quotes(made, error)
    finally:
        stream.close()


def _refuse(made: Layout, piece: Piece, error: Exception) -> NoReturn:
    """Name the first line that has too many or too few cells; no quotes are in the piece."""
    wanted = len(made.names)
    for number, row in enumerate(piece.rows.split(made.newline)):
        cells = row.count(made.delimiter.encode()) + 1
        if row.strip(b"\r") and cells != wanted:
            raise _broken(made, f"line {piece.line + number} has {cells} cells, the header has {wanted}") from error
    raise _broken(made, f"after line {piece.line}: {error}") from error


def _refuse_quotes(made: Layout, error: Exception | None = None) -> NoReturn:
    """Go through a file from its start to the row that is broken."""
    stream = _Whole(made)
    lines = io.TextIOWrapper(io.BufferedReader(stream), encoding="utf-8", errors="replace", newline="")
    reader = csv.reader(lines, delimiter=made.delimiter)
    line = 1
    for row in reader:
        if row and END in row[-1] and row != [END] * len(made.names):
            raise _broken(made, f"a quote that opens in line {made.line + line - 1} is never closed") from error
        if row and len(row) != len(made.names):
            raise _broken(made, f"line {made.line + line - 1} has {len(row)} cells, the header has {len(made.names)}") from error
        line = reader.line_num + 1
    raise _broken(made, str(error or "its quotes do not match")) from error


def _broken(made: Layout, what: str) -> KKError:
    return KKError(f"{made.name} cannot be read as a table: {what}", "Look at that line of the file; it stays as it is")
