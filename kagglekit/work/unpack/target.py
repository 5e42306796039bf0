"""Where an archive's members go: names checked, bytes counted and hashed, what is finished written into the journal."""

import errno
import hashlib
import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Protocol

from kagglekit.errors import KKError
from kagglekit.work.unpack.budget import Budget
from kagglekit.work.unpack.journal import Journal
from kagglekit.work.unpack.refusals import BY_HAND, Unusable, safe_name, twice

FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)


class Progress(Protocol):
    """Something that counts."""

    def advance(self, amount: float = 1, note: str = "") -> None: ...


class Target:
    """The folder of one archive; a reader offers it every member in turn. `under` is a folder in it that all go to."""

    def __init__(self, folder: Path, archive: str, journal: Journal, budget: Budget, wanted: Callable[[str], bool]) -> None:
        self.folder, self.archive, self.journal, self.budget, self.wanted = folder, archive, journal, budget, wanted
        self.done = journal.members.setdefault(archive, {})
        self.names: set[str] = set()
        self.at = "its table of contents"
        self.under = ""
        self.warnings: list[str] = []
        self.progress: Progress | None = None
        self._moved = 0.0
        self._folders: set[str] = set()
        for entry in self.done.values():
            budget.count(int(str(entry["bytes"])))
        folder.mkdir(parents=True, exist_ok=True)

    def start(self, progress: Progress, under: str = "") -> None:
        """The next file to read: whom to tell how far it is, and the folder that its members go to."""
        self.progress, self.under, self._moved = progress, under, 0.0

    def listed(self, sizes: Iterable[tuple[str, int, int]]) -> None:
        """Look at a table of contents, (name, bytes, packed bytes), before anything is written."""
        total = 0
        for name, size, packed in sizes:
            self.budget.check(name, size, packed)
            path = self._path(name)
            if path not in self.done and self.wanted(path):
                total += size
        self.budget.check_total(total)
        free = shutil.disk_usage(self.folder).free
        if total > free:
            raise KKError(f"the archive unpacks to {total / 1e9:.1f} GB, {free / 1e9:.1f} GB are free",
                          "Free some space and run it again, the archive stays; or take part of it: --only 'train*'")

    def file(self, name: str) -> "Writing | None":
        """A file to write the next member to; None where it is there already or not wanted."""
        self.at = name = self._path(name)
        if name in self.names:
            raise twice(name)
        self.names.add(name)
        if name in self.done or not self.wanted(name):
            return None
        return Writing(self, name)

    def _path(self, name: str) -> str:
        return f"{self.under}/{safe_name(name)}" if self.under else safe_name(name)

    def moved(self, amount: float) -> None:
        """Count bytes of the archive that were read."""
        self._moved += amount
        if self.progress is not None:
            self.progress.advance(amount)

    def ended(self, size: int) -> None:
        """Count what is left of an archive of `size` bytes."""
        self.moved(max(size - self._moved, 0))

    def opened(self, name: str) -> int:
        """A new file on disk."""
        parent = name.rpartition("/")[0]
        try:
            if parent not in self._folders:
                os.makedirs(self.folder / parent, exist_ok=True)
                self._folders.add(parent)
            return os.open(f"{self.folder}/{name}", FLAGS, 0o666)
        except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
            raise twice(name) from error
        except OSError as error:
            if error.errno == errno.ENAMETOOLONG:
                raise Unusable(f"holds {name[:60]!r}..., a name longer than this disk takes", BY_HAND) from error
            raise


class Writing:
    """One member being written; leaving the block without an error records it as verified."""

    __slots__ = ("_known", "_name", "_sink", "_size", "_target")

    def __init__(self, target: Target, name: str) -> None:
        self._target, self._name, self._size, self._sink, self._known = target, name, 0, -1, hashlib.sha256()

    def __enter__(self) -> "Writing":
        self._sink = self._target.opened(self._name)
        return self

    def write(self, block: bytes) -> int:
        """Write, hash and count a block."""
        size = len(block)
        self._target.budget.spend(size)
        self._known.update(block)
        written = os.write(self._sink, block)
        while written < size:
            written += os.write(self._sink, memoryview(block)[written:])
        self._size += size
        return size

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        os.close(self._sink)
        if kind is None:
            self._target.journal.member(self._target.archive, self._name, {"bytes": self._size, "sha256": self._known.hexdigest()})
