"""Reading tar archives and single packed files, plain or through gzip, bzip2, xz or Zstandard, in one pass."""

import contextlib
import io
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from kagglekit.work.unpack.refusals import damaged, no_file
from kagglekit.work.unpack.target import Target

BLOCK = 1024**2
RECORD = 64 * 1024


class _Header(tarfile.TarInfo):
    """A header that is damaged ends the reading with an error, where tarfile would take it for the end."""

    @classmethod
    def frombuf(cls, buf: bytes, encoding: str, errors: str) -> "_Header":
        """A header of its 512 bytes."""
        try:
            return super().frombuf(buf, encoding, errors)
        except (tarfile.TruncatedHeaderError, tarfile.InvalidHeaderError) as error:  # type: ignore[attr-defined]
            raise damaged("a header", error) from error


@contextlib.contextmanager
def plain_stream(path: Path, kind: str) -> Iterator[tuple[BinaryIO, BinaryIO]]:
    """The unpacked bytes of a file packed with `kind` ('': as they are), and the file itself to ask for its position."""
    if kind == "zst":
        import pyarrow as pa

        with pa.OSFile(str(path)) as source, pa.CompressedInputStream(source, "zstd") as stream:
            yield stream, source
        return
    with path.open("rb") as source:
        if kind == "":
            yield source, source
        elif kind == "gz":
            yield _Gzip(source), source
        elif kind == "bz2":
            import bz2

            with bz2.open(source) as stream:
                yield stream, source
        else:
            import lzma

            with lzma.open(source) as stream:
                yield stream, source


def is_tar(head: bytes) -> bool:
    """Whether a file that begins so is a tar archive."""
    if len(head) < tarfile.BLOCKSIZE:
        return False
    try:
        tarfile.TarInfo.frombuf(head[:tarfile.BLOCKSIZE], "utf-8", "surrogateescape")
    except tarfile.HeaderError:  # type: ignore[attr-defined]
        return False
    return True


def read_tar(path: Path, kind: str, target: Target) -> None:
    """Offer every member to the target; what is behind the end mark is read too, for the checksum at the very end."""
    with plain_stream(path, kind) as (stream, source):
        watched = _Watched(stream, source, target)
        where = stream if kind == "" else watched
        with tarfile.open(fileobj=where, mode="r:" if kind == "" else "r|", bufsize=RECORD, tarinfo=_Header) as archive:
            for member in archive:
                archive.members.clear()
                _read_member(archive, member, target)
                if kind == "":
                    watched.count()
            target.at = "its end"
            ended = archive.offset
        if kind == "":
            source.seek(ended)
        _check_end(watched, target, kind)


def _read_member(archive: tarfile.TarFile, member: tarfile.TarInfo, target: Target) -> None:
    if member.isdir():
        return
    if not member.isreg():
        raise no_file(member.name, "link" if member.issym() or member.islnk() else "device")
    target.budget.check_total(member.size)
    writing = target.file(member.name)
    if writing is None:
        return
    with writing, archive.extractfile(member) as source:
        while block := source.read(BLOCK):
            writing.write(block)


def _check_end(stream: "_Watched", target: Target, kind: str) -> None:
    """Read to the end. A bare tar has no checksum: one that stops without its end mark is said to."""
    while stream.read(BLOCK):
        pass
    if kind == "" and not stream.seen:
        target.warnings.append("ends without its end mark: check that no file is missing")


def read_packed(path: Path, kind: str, name: str, target: Target) -> None:
    """The one file in a packed file, under `name`."""
    writing = target.file(name)
    if writing is None:
        return
    with writing, plain_stream(path, kind) as (stream, source):
        watched = _Watched(stream, source, target)
        while block := watched.read(BLOCK):
            writing.write(block)


class _Gzip(io.RawIOBase):
    """The content of a gzip file, each part's length and CRC checked; zeros behind the last part are padding."""

    def __init__(self, source: BinaryIO) -> None:
        self.source, self.inflater, self.packed = source, zlib.decompressobj(31), b""

    def readable(self) -> bool:
        """Always."""
        return True

    def read(self, size: int = -1) -> bytes:
        """The next bytes, fewer than `size` only at the end."""
        blocks, left = [], size
        while left and (block := self._some(left)):
            blocks.append(block)
            left -= len(block)
        return b"".join(blocks)

    def _some(self, most: int) -> bytes:
        while True:
            self.packed = self.packed or self.source.read(RECORD)
            if self.inflater.eof:
                self.packed = self.packed.lstrip(b"\0")
                if not self.packed:
                    self.packed = self.source.read(RECORD)
                    if not self.packed:
                        return b""
                    continue
                self.inflater = zlib.decompressobj(31)
            if not self.packed:
                raise EOFError("it ends in the middle")
            block = self.inflater.decompress(self.packed, max(most, 0))
            self.packed = self.inflater.unused_data or self.inflater.unconsumed_tail
            if block:
                return block


class _Watched(io.RawIOBase):
    """A stream that tells the target how far the file beneath it was read; `seen` says whether anything came."""

    def __init__(self, stream: BinaryIO, source: BinaryIO, target: Target) -> None:
        self.stream, self.source, self.target, self.at, self.seen = stream, source, target, 0, False

    def readable(self) -> bool:
        """Always."""
        return True

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        block = self.stream.read(size)
        self.seen = self.seen or bool(block)
        self.count()
        return block

    def count(self) -> None:
        """Tell how far the file was read."""
        now = self.source.tell()
        self.target.moved(max(now - self.at, 0))
        self.at = max(now, self.at)
