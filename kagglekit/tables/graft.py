"""Columns of one Parquet put into another as they are: their bytes are appended and the footer, in Thrift's compact form, written anew.

Nothing is decoded, so that a column which turned out to be of another type costs no second writing of all the others. The bytes of
the column that is replaced stay in the file, unused.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MAGIC = b"PAR1"
TRUE, FALSE, BYTE, DOUBLE, BINARY, LIST, SET, STRUCT = 1, 2, 3, 7, 8, 9, 10, 12
INTEGERS = (4, 5, 6)
# Field numbers of parquet.thrift.
SCHEMA, GROUPS, KEYS = 2, 4, 5
COLUMNS, GROUP_SIZE, GROUP_PACKED = 1, 2, 6
CHUNK_OFFSET, CHUNK_META = 2, 3
UNPACKED, PACKED, PAGE, DICTIONARY = 6, 7, 9, 11
INDEXES, BLOOM = (4, 5, 6, 7), (14, 15)


@dataclass(slots=True)
class Struct:
    """A Thrift struct: type and value by field number."""

    fields: dict[int, tuple[int, object]] = field(default_factory=dict)

    def __getitem__(self, number: int) -> object:
        return self.fields[number][1]

    def get(self, number: int, default: object = None) -> object:
        """A field's value, or the default."""
        return self.fields.get(number, (0, default))[1]

    def put(self, number: int, value: object) -> None:
        """Change a field that is there."""
        self.fields[number] = (self.fields[number][0], value)


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data, self.place = data, 0

    def varint(self) -> int:
        number = shift = 0
        while True:
            byte = self.data[self.place]
            self.place += 1
            number |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return number

    def integer(self) -> int:
        number = self.varint()
        return (number >> 1) ^ -(number & 1)

    def bytes(self, size: int) -> bytes:
        self.place += size
        return self.data[self.place - size:self.place]

    def value(self, kind: int) -> object:
        if kind in INTEGERS:
            return self.integer()
        if kind in (BYTE, TRUE, FALSE):
            return self.bytes(1)
        if kind == DOUBLE:
            return self.bytes(8)
        if kind == BINARY:
            return self.bytes(self.varint())
        if kind in (LIST, SET):
            head = self.bytes(1)[0]
            size = head >> 4 if head >> 4 != 15 else self.varint()
            return head & 15, [self.value(head & 15) for _ in range(size)]
        if kind == STRUCT:
            return self.struct()
        raise ValueError(f"a Parquet footer with a field of kind {kind}")

    def struct(self) -> Struct:
        found, number = Struct(), 0
        while head := self.bytes(1)[0]:
            number = number + (head >> 4) if head >> 4 else self.integer()
            kind = head & 15
            found.fields[number] = (kind, kind == TRUE if kind in (TRUE, FALSE) else self.value(kind))
        return found


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def _integer(number: int) -> bytes:
    return _varint(number << 1 if number >= 0 else (-number << 1) - 1)


def _packed(kind: int, value: Any) -> bytes:
    if kind in INTEGERS:
        return _integer(value)
    if kind == BINARY:
        return _varint(len(value)) + value
    if kind in (LIST, SET):
        inner, items = value
        head = bytes([len(items) << 4 | inner]) if len(items) < 15 else bytes([15 << 4 | inner]) + _varint(len(items))
        return head + b"".join(_packed(inner, item) for item in items)
    return _struct(value) if kind == STRUCT else bytes(value)


def _struct(value: Struct) -> bytes:
    out, before = [], 0
    for number, (kind, inner) in sorted(value.fields.items()):
        step = number - before
        plain = kind in (TRUE, FALSE)
        head = (TRUE if inner else FALSE) if plain else kind
        out.append(bytes([step << 4 | head]) if 0 < step < 16 else bytes([head]) + _integer(number))
        out.append(b"" if plain else _packed(kind, inner))
        before = number
    return b"".join(out) + b"\x00"


def _footer(path: Path) -> tuple[Struct, int]:
    """A Parquet's footer and where it starts."""
    with open(path, "rb") as file:
        file.seek(-8, 2)
        size = int.from_bytes(file.read(4), "little")
        file.seek(-8 - size, 2)
        place = file.tell()
        return _Reader(file.read(size)).struct(), place


def graft(path: Path, beside: Path, keys: Mapping[bytes, bytes]) -> None:
    """Replace in `path`, in place, the columns that `beside` has (of the same row groups), and set its key-value pairs."""
    footer, end = _footer(path)
    other, _ = _footer(beside)
    places = {element[4]: number for number, element in enumerate(footer[SCHEMA][1][1:])}
    with open(path, "r+b") as target, open(beside, "rb") as source:
        target.seek(end)
        target.truncate()
        for group, new_group in zip(footer[GROUPS][1], other[GROUPS][1], strict=True):
            for element, chunk in zip(other[SCHEMA][1][1:], new_group[COLUMNS][1]):
                place = places[element[4]]
                _move(chunk, source, target)
                _resize(group, group[COLUMNS][1][place][CHUNK_META], chunk[CHUNK_META])
                group[COLUMNS][1][place] = chunk
                footer[SCHEMA][1][place + 1] = element
        pairs = [Struct({1: (BINARY, key), 2: (BINARY, value)}) for key, value in keys.items()]
        footer.fields[KEYS] = (LIST, (STRUCT, pairs))
        content = _struct(footer)
        target.write(content + len(content).to_bytes(4, "little") + MAGIC)


def _move(chunk: Struct, source: object, target: object) -> None:
    """Copy a column chunk's bytes to the end of the target and point it there."""
    meta = chunk[CHUNK_META]
    start = meta.get(DICTIONARY) or meta[PAGE]
    shift = target.tell() - start
    source.seek(start)
    target.write(source.read(meta[PACKED]))
    for number in (PAGE, DICTIONARY):
        if meta.get(number):
            meta.put(number, meta[number] + shift)
    for number in BLOOM:
        meta.fields.pop(number, None)
    for number in INDEXES:
        chunk.fields.pop(number, None)
    if chunk.get(CHUNK_OFFSET):
        chunk.put(CHUNK_OFFSET, chunk[CHUNK_OFFSET] + shift)


def _resize(group: Struct, old: Struct, new: Struct) -> None:
    for of_group, of_chunk in ((GROUP_SIZE, UNPACKED), (GROUP_PACKED, PACKED)):
        if group.get(of_group):
            group.put(of_group, group[of_group] - old[of_chunk] + new[of_chunk])
