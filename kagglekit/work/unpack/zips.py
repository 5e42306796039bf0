"""Reading zip archives: every member's size and CRC is checked."""

import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from kagglekit.work.unpack.refusals import BY_HAND, Unusable, locked, no_file
from kagglekit.work.unpack.target import Target

BLOCK = 1024**2
SMALL = 4 * 1024**2 if hasattr(os, "pread") else -1
METHODS = {zipfile.ZIP_STORED: "store", zipfile.ZIP_DEFLATED: "deflate", zipfile.ZIP_BZIP2: "bzip2", zipfile.ZIP_LZMA: "lzma"}
OTHERS = {9: "deflate64", 93: "zstd", 95: "xz", 98: "ppmd", 99: "AES"}
LOCAL = struct.Struct("<4s22xHH")


def read_zip(path: Path, target: Target) -> None:
    """Offer every member to the target."""
    with zipfile.ZipFile(path) as archive:
        members = [(_name(member), member) for member in archive.infolist() if not _is_folder(member)]
        for name, member in members:
            _check(name, member)
        target.listed((name, member.file_size, member.compress_size) for name, member in members)
        with path.open("rb", buffering=0) as source:
            for name, member in members:
                writing = target.file(name)
                if writing is None:
                    target.moved(member.compress_size)
                    continue
                with writing:
                    if member.compress_size <= SMALL and member.file_size <= SMALL and member.compress_type in (0, 8):
                        writing.write(_small(source.fileno(), member))
                        target.moved(member.compress_size)
                        continue
                    for block in _blocks(archive, member):
                        writing.write(block)
                        target.moved(len(block) / (member.file_size or 1) * member.compress_size)


def _blocks(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[bytes]:
    size = 0
    with archive.open(member) as source:
        while block := source.read(BLOCK):
            size += len(block)
            yield block
    if size != member.file_size:
        raise zipfile.BadZipFile(f"{size:,} bytes instead of {member.file_size:,}")


def _small(source: int, member: zipfile.ZipInfo) -> bytes:
    """A small member in one read: opening each of many thousand images as a stream takes several times as long."""
    head = LOCAL.size + len(member.orig_filename.encode("utf-8")) + 64
    content = os.pread(source, head + member.compress_size, member.header_offset)
    mark, names, more = LOCAL.unpack_from(content)
    start = LOCAL.size + names + more
    if mark != b"PK\3\4":
        raise zipfile.BadZipFile("its header is missing")
    packed = content[start:start + member.compress_size]
    if len(packed) < member.compress_size:
        packed = os.pread(source, member.compress_size, member.header_offset + start)
    if member.compress_type == zipfile.ZIP_DEFLATED:
        inflater = zlib.decompressobj(-15)
        plain = inflater.decompress(packed, member.file_size + 1)
        whole = inflater.eof
    else:
        plain, whole = packed, True
    if len(plain) != member.file_size or not whole:
        raise zipfile.BadZipFile(f"it does not hold {member.file_size:,} bytes")
    if zlib.crc32(plain) != member.CRC:
        raise zipfile.BadZipFile("its checksum is another")
    return plain


def _is_folder(member: zipfile.ZipInfo) -> bool:
    return member.is_dir() or (member.filename.endswith("\\") and not member.file_size)


def _name(member: zipfile.ZipInfo) -> str:
    """The name; where it is UTF-8 that does not say so, as some systems write it, read as that."""
    if "\0" in member.orig_filename or member.flag_bits & 0x800 or member.filename.isascii():
        return member.orig_filename if "\0" in member.orig_filename else member.filename
    try:
        return member.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return member.filename


def _check(name: str, member: zipfile.ZipInfo) -> None:
    kind = stat.S_IFMT(member.external_attr >> 16)
    if stat.S_ISLNK(kind):
        raise no_file(name, "link")
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise no_file(name, "device")
    if member.flag_bits & 1:
        raise locked()
    if member.compress_type not in METHODS:
        method = OTHERS.get(member.compress_type, f"method {member.compress_type}")
        raise Unusable(f"packs {name!r} with {method}, which kk does not read", BY_HAND)
