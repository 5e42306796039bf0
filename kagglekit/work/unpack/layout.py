"""Where what was packed inside an archive goes, and moving it there."""

import os
from collections.abc import Collection
from pathlib import Path, PurePosixPath

from kagglekit.work.unpack.kinds import without_suffix
from kagglekit.work.unpack.refusals import NOTHING, Refused

JUNK = "__MACOSX/"


def folder_of(archive: str, names: Collection[str]) -> str:
    """The folder for the members of a nested archive: its own, or the one it lies in where that doubles nothing.

    >>> folder_of("a/b.zip", ["x.png", "y.png"]), folder_of("a/b.zip", ["b/x.png", "b/y.png"]), folder_of("a/train.zip", ["train.csv"])
    ('a/b', 'a', 'a')
    """
    whole = without_suffix(archive)
    stem, parent = PurePosixPath(whole).name, "/".join(archive.split("/")[:-1])
    first = next(iter(names))
    if len(names) == 1 and stem in (first, PurePosixPath(first).stem) and first != PurePosixPath(archive).name:
        return parent
    return parent if all(name.startswith(stem + "/") for name in names) else whole


def path_in(folder: str, name: str) -> str:
    """A name in a folder ('' is the top one)."""
    return f"{folder}/{name}" if folder else name


def check_free(source: Path, place: Path) -> None:
    """Raise Refused where a file of `source` would meet another in `place`; folders may be shared."""
    if not os.path.lexists(place):
        return
    if not (source.is_dir() and place.is_dir()):
        raise Refused(f"would write over {place.name!r}", f"{NOTHING}; report it to the host")
    for child in source.iterdir():
        check_free(child, place / child.name)


def move(source: Path, place: Path) -> None:
    """Move files and folders; what is moved already, before a kill, stays."""
    if source.is_dir() and place.is_dir():
        for child in source.iterdir():
            move(child, place / child.name)
        source.rmdir()
    elif source.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        os.rename(source, place)
