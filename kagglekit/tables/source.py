"""A delimited text file as whole rows, piece by piece: packing, encoding, delimiter and header are told from its content."""

import codecs
import csv
import io
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from kagglekit.errors import KKError

PACKED = (".gz", ".bz2", ".zst", ".xz")
PIECE = 4 << 20
HEAD = 1 << 18
LONGEST_ROW = 256 << 20
DELIMITERS = (",", ";", "\t", "|")
# cp1252, and latin-1 for the five bytes that it leaves open: every byte has a character, so nothing is lost.
WESTERN = "".join(bytes([byte]).decode("cp1252" if byte not in (0x81, 0x8D, 0x8F, 0x90, 0x9D) else "latin-1") for byte in range(256))


class OtherEncoding(Exception):
    """Bytes that are not UTF-8 came up far into a file that began as UTF-8."""


class StrayQuotes(Exception):
    """Rows cannot be told apart by counting quotes: one stands in the middle of a cell, or is never closed."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How a delimited file is laid out; `start` is the byte (of the UTF-8 text) and `line` the line where its rows begin."""

    path: Path
    name: str
    encoding: str
    delimiter: str
    newline: bytes
    names: tuple[str, ...]
    start: int
    line: int

    @property
    def packing(self) -> str:
        """The last suffix where it is a packing, else ''."""
        return packing(self.path)


@dataclass(frozen=True, slots=True)
class Piece:
    """Whole rows as UTF-8; `line` is the first one's line in the file, `read` how many bytes of the file were read for it."""

    rows: bytes
    line: int
    read: int


def packing(path: Path) -> str:
    """The packing of a file by its suffix, '' for none.

    >>> packing(Path("train.csv.gz"))
    '.gz'
    """
    suffix = path.suffix.lower()
    return suffix if suffix in PACKED else ""


def opened(path: Path, raw: BinaryIO) -> BinaryIO:
    """The unpacked bytes of an open file."""
    import bz2
    import gzip
    import lzma

    kind = packing(path)
    if kind == ".zst":
        import pyarrow

        return io.BufferedReader(pyarrow.CompressedInputStream(raw, "zstd"))
    ways = {".gz": gzip.GzipFile, ".bz2": bz2.BZ2File, ".xz": lzma.LZMAFile}
    return ways[kind](filename=raw) if kind in (".bz2", ".xz") else ways[kind](fileobj=raw) if kind else raw


class Text:
    """The bytes of a file as UTF-8, whatever they were."""

    def __init__(self, path: Path, encoding: str) -> None:
        self.raw = open(path, "rb", buffering=0)  # noqa: SIM115
        self.stream = opened(path, self.raw)
        self.encoding = encoding
        self.decoder = codecs.getincrementaldecoder(encoding)() if encoding.startswith("utf-16") else None

    def read(self, size: int) -> bytes:
        """About `size` bytes more, b'' at the end."""
        block = self.stream.read(size) or b""
        if self.encoding == "utf-8":
            return block
        if self.decoder is None:
            return codecs.charmap_decode(block, "strict", WESTERN)[0].encode()
        text = self.decoder.decode(block, final=not block)
        return text.encode("utf-8", "replace") if text or not block else self.read(size)

    def close(self) -> None:
        """Close the file."""
        self.raw.close()


def layout(path: Path, name: str, encoding: str = "") -> Layout:
    """Look at a file's first rows; raises KKError where there are none. `encoding` where it is known better."""
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    with open(path, "rb", buffering=0) as raw:
        head = opened(path, raw).read(HEAD) or b""
    encoding = encoding or _encoding(head, name)
    text = Text(path, encoding)
    try:
        head, more = text.read(HEAD), b"?"
        while more and not _header_ends(head) and len(head) < LONGEST_ROW:
            more = text.read(HEAD)
            head += more
    finally:
        text.close()
    skipped = 3 if head.startswith(codecs.BOM_UTF8) else 0
    newline = b"\r" if b"\n" not in head and b"\r" in head else b"\n"
    content = head[skipped:].decode("utf-8", "replace").lstrip("\ufeff")
    if not content.strip():
        raise KKError(f"{name} is empty", "Download it again: kk join SLUG --update")
    delimiter = _delimiter(content, "\t" if ".tsv" in path.name.lower() else ",")
    names, lines = _header(content, delimiter)
    start = 0
    for _ in range(lines):
        found = head.find(newline, start)
        start = found + 1 if found >= 0 else len(head)
    return Layout(path, name, encoding, delimiter, newline, names, start, lines + 1)


def _encoding(head: bytes, name: str) -> str:
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if b"\x00" in head:
        raise KKError(f"{name} is no text: it holds zero bytes", "It stays as it is")
    return "utf-8" if is_utf8(head) else "cp1252"


def is_utf8(block: bytes) -> bool:
    """Whether bytes are UTF-8, cut at either end or not."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(block.lstrip(bytes(range(0x80, 0xC0))) if block[:1] > b"\x7f" else block)
    except UnicodeDecodeError:
        return False
    return True


def _header_ends(head: bytes) -> bool:
    return any(head[:found].count(b'"') % 2 == 0 for found in [head.find(b"\n"), head.rfind(b"\n")] if found > 0)


def _delimiter(content: str, usual: str) -> str:
    """The delimiter that cuts the first rows into equally many cells, more than one."""
    rows = {}
    for delimiter in dict.fromkeys((usual, *DELIMITERS)):
        reader = csv.reader(io.StringIO(content, newline=""), delimiter=delimiter)
        rows[delimiter] = [len(row) for _, row in zip(range(50), reader) if row]
        if content and len(rows[delimiter]) > 1 and len(content) >= HEAD // 4:
            rows[delimiter] = rows[delimiter][:-1] or rows[delimiter]
    fitting = [delimiter for delimiter, widths in rows.items() if widths[0] > 1 and len(set(widths)) == 1]
    if usual in fitting or not fitting:
        return usual
    return max(fitting, key=lambda delimiter: rows[delimiter][0])


def _header(content: str, delimiter: str) -> tuple[tuple[str, ...], int]:
    """Column names of the first row, and how many lines it takes."""
    reader = csv.reader(io.StringIO(content, newline=""), delimiter=delimiter)
    row = next((row for row in reader if row), [])
    return unique_names(row), reader.line_num


def unique_names(names: Sequence[str]) -> tuple[str, ...]:
    """Each name once: a repeated one gets .1, .2, an empty one its place.

    >>> unique_names(["a", "a", "", "a.1", "a"])
    ('a', 'a.2', 'unnamed_2', 'a.1', 'a.3')
    """
    given, made, count = set(names), {}, dict.fromkeys(names, 0)
    for number, name in enumerate(names):
        label = stem = name or f"unnamed_{number}"
        while label in made or (label != name and label in given):
            count[name] += 1
            label = f"{stem}.{count[name]}"
        made[label] = None
    return tuple(made)


def pieces(made: Layout, size: int = PIECE) -> Iterator[Piece]:
    """The rows of a file in pieces of about `size` bytes, each cut where a row ends."""
    text = Text(made.path, made.encoding)
    try:
        rest, line, skip = b"", made.line, made.start
        while block := text.read(max(size, len(rest))):
            if skip:
                block, skip = block[skip:], max(0, skip - len(block))
            block = rest + block if rest else block
            cut = _row_end(block, made.newline)
            rest = block[cut:]
            if cut:
                yield Piece(block[:cut], line, text.raw.tell())
                line += block.count(made.newline, 0, cut)
            elif len(rest) > LONGEST_ROW:
                raise StrayQuotes
        if rest.strip(b"\r\n"):
            yield Piece(rest, line, text.raw.tell())
    finally:
        text.close()


def _row_end(block: bytes, newline: bytes) -> int:
    """After the last line end that no quotes are open at, 0 where there is none."""
    end = block.rfind(newline)
    if end < 0 or b'"' not in block:
        return end + 1
    quotes = block.count(b'"', 0, end)
    while end >= 0 and quotes % 2:
        before = block.rfind(newline, 0, end)
        quotes -= block.count(b'"', max(before, 0), end)
        end = before
    return end + 1


def samples(made: Layout, size: int) -> Iterator[bytes]:
    """Bytes from all over a file: its start, fifteen places between, its end; only the start of a packed one. Rows may be cut."""
    total = made.path.stat().st_size
    first = next(pieces(made, size), None)
    if first is None:
        return
    yield first.rows
    if made.packing or made.encoding != "utf-8" or total <= size:
        return
    with open(made.path, "rb", buffering=0) as raw:
        places = [size + (total - 2 * size) * number // 16 for number in range(1, 16)] if total > 8 * size else range(size, total - size, size)
        for place in [*places, max(size, total - size)]:
            raw.seek(place)
            block = raw.read(size if place == total - size else size // 4 if total > 8 * size else size)
            begin, end = block.find(made.newline) + 1, block.rfind(made.newline) + 1
            yield block[begin:] if place + len(block) >= total else block[begin:end]
