"""The journal of an unpacking: every verified member, so that a killed one goes on where it was."""

import contextlib
import json
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from kagglekit.errors import KKError

Entry = dict[str, object]


class Journal:
    """What is verified so far, in memory and line by line on disk.

    `members` holds the entries of an archive by their names in it ('' is the outer archive); `placed` the folder that a nested
    archive's members went to; `opened` the nested archives that are done, with the number of their files.
    """

    def __init__(self, path: Path, about: Mapping[str, object]) -> None:
        self.path, self.about = path, dict(about)
        self.members: dict[str, dict[str, Entry]] = {"": {}}
        self.placed: dict[str, str] = {}
        self.opened: dict[str, int] = {}
        self.dropped: set[str] = set()
        self._sink = -1

    @contextlib.contextmanager
    def writing(self) -> Iterator[bool]:
        """Hold the journal for this process; says whether it is an earlier one of the same archive. Another is to be restarted."""
        self._sink = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
        try:
            self._lock()
            yield self._read()
        finally:
            os.close(self._sink)

    def restart(self) -> None:
        """Forget everything."""
        for known in (self.members, self.placed, self.opened, self.dropped):
            known.clear()
        self.members[""] = {}
        os.ftruncate(self._sink, 0)
        self._line(self.about)

    def member(self, archive: str, name: str, entry: Entry) -> None:
        """A member is whole on disk."""
        self.members[archive][name] = entry
        self._line({"of": archive, "name": name, **entry})

    def places(self, archive: str, folder: str) -> None:
        """A nested archive is verified as a whole; its members are being moved to `folder`."""
        self.placed[archive] = folder
        self._line({"of": archive, "to": folder})

    def opens(self, archive: str, files: int) -> None:
        """A nested archive is done."""
        self.opened[archive] = files
        self._line({"of": archive, "files": files})

    def drops(self, archive: str) -> None:
        """A nested archive holds nothing that was asked for."""
        self.members.pop(archive, None)
        self.dropped.add(archive)
        self._line({"of": archive, "dropped": True})

    def forgets(self, archive: str) -> None:
        """A nested archive could not be unpacked: nothing of it is there."""
        self.members.pop(archive, None)
        self._line({"of": archive, "forgotten": True})

    def _line(self, content: Mapping[str, object]) -> None:
        os.write(self._sink, (json.dumps(content) + "\n").encode("ascii"))

    def _lock(self) -> None:
        """One process at a time; the system frees the lock of a killed one."""
        if sys.platform == "win32":
            return
        import fcntl

        try:
            fcntl.flock(self._sink, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise KKError("this archive is being unpacked by another kk", "Wait for it, or end it, and run the command again") from error

    def _read(self) -> bool:
        """Take over what is on disk; False where that is of another archive. A last line that a kill cut is left out and off."""
        with open(self._sink, "rb", closefd=False) as source:
            content = source.read()
        whole = content[:content.rfind(b"\n") + 1]
        try:
            lines = [json.loads(line) for line in whole.splitlines()]
        except ValueError:
            return False
        if not lines or lines[0] != self.about:
            return False
        os.ftruncate(self._sink, len(whole))
        for line in lines[1:]:
            self._take(line)
        return True

    def _take(self, line: Mapping) -> None:
        archive = line["of"]
        if "sha256" in line:
            self.members.setdefault(archive, {})[line["name"]] = {"bytes": line["bytes"], "sha256": line["sha256"]}
        elif "to" in line:
            self.placed[archive] = line["to"]
        elif "files" in line:
            self.opened[archive] = line["files"]
        else:
            self.members.pop(archive, None)
            if "dropped" in line:
                self.dropped.add(archive)
