"""Going on after a kill: what the journal says is compared with what is on disk, and the rest is removed."""

import os
from pathlib import Path

from kagglekit.work.unpack.journal import Journal
from kagglekit.work.unpack.nested import Nested


def go_on(journal: Journal, nested: Nested) -> bool:
    """Make disk and journal one again; False where that cannot be, so that all must be unpacked anew."""
    for archive in [name for name in journal.placed if name not in journal.opened]:
        nested.settle(archive)
    kept: set[str] = set()
    for archive, members in journal.members.items():
        settled = archive == "" or archive in journal.opened
        for name, entry in list(members.items()):
            place = nested.place(archive, name) if settled else name
            path = (nested.files if settled else nested.stage(archive)) / place
            if settled and nested.is_gone(place):
                continue
            if _size(path) == entry["bytes"]:
                kept.add(str(path))
            elif archive in journal.opened or place in journal.opened:
                return False
            else:
                del members[name]
    for folder in (nested.files, nested.staging):
        _purge(folder, kept)
    return True


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:
        return -1


def _purge(folder: Path, kept: set[str]) -> None:
    """Remove every file that is not to be kept: it is half written."""
    for place, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(place, name)
            if path not in kept:
                os.unlink(path)
