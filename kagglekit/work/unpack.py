"""Unpacking: an archive becomes data/raw only when every member is sound; the manifest, written last, says what is there."""

import hashlib
import json
import lzma
import os
import shutil
import stat
import zipfile
import zlib
from collections.abc import Callable, Mapping
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from kagglekit.errors import KKError
from kagglekit.progress import task
from kagglekit.store import Store, disk_error, write_text
from kagglekit.work.fetch import Fetched

CHUNK, RATIO, LARGE = 256 * 1024, 200, 1024**3
NOTHING = "Nothing of it was kept"

Entry = dict[str, object]


class _Refused(KKError):
    """An archive that must not be used."""


def unpack(store: Store, fetched: Fetched, *, only: str | None = None, keep_archive: bool = False) -> None:
    """Unpack into data/raw, all or nothing; the manifest is written last, then the archive goes. `only` is a pattern of names."""
    making = store.folder / "data" / ".unpacking"
    shutil.rmtree(making, ignore_errors=True)
    try:
        making.mkdir(parents=True)
        files = _unpacked(fetched, making, only)
        archive = {"name": fetched.name, **_entry(fetched.path)}
    except (KKError, OSError) as error:
        shutil.rmtree(making, ignore_errors=True)
        if isinstance(error, OSError):
            raise disk_error(making, error) from error
        if isinstance(error, _Refused):
            fetched.path.unlink()
        raise
    clear(store)
    os.replace(making, store.raw)
    _write(store, files, archive, only)
    if keep_archive:
        os.replace(fetched.path, store.folder / "data" / fetched.name)
    shutil.rmtree(fetched.path.parent, ignore_errors=True)


def clear(store: Store) -> None:
    """Take away the data and what was made of it; the manifest goes first, so that a kill leaves no false promise."""
    store.manifest.unlink(missing_ok=True)
    shutil.rmtree(store.tables, ignore_errors=True)
    if store.raw.is_symlink():
        store.raw.unlink()
    elif store.raw.exists():
        shutil.rmtree(store.raw)


def matches(name: str, only: str | None) -> bool:
    """Whether a file's path or its last part fits the pattern (None: all do).

    >>> matches("data/train.csv", "train*")
    True
    """
    return only is None or fnmatch(name, only) or fnmatch(PurePosixPath(name).name, only)


def _unpacked(fetched: Fetched, target: Path, only: str | None) -> list[Entry]:
    if zipfile.is_zipfile(fetched.path):
        return _members(fetched.path, target, only)
    if fetched.name.endswith(".zip"):
        raise _Refused("the archive is damaged: it is no zip", f"{NOTHING}; fetch it again with the same command")
    _none_fits(only, [fetched.name] if matches(fetched.name, only) else [], [fetched.name])
    with fetched.path.open("rb") as source, task("copying", total=fetched.path.stat().st_size or 1, unit="B") as work:
        return [{"name": fetched.name, **_copied(source, target / fetched.name, work.advance)}]


def _members(path: Path, target: Path, only: str | None) -> list[Entry]:
    """Write every member, its CRC checked; a corrupt, escaping, linked or blown-up one refuses the archive as a whole."""
    files, at = [], "its table of contents"
    try:
        with zipfile.ZipFile(path) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            for member in members:
                _check_member(member)
            wanted = [member for member in members if matches(member.filename, only)]
            _none_fits(only, wanted, [member.filename for member in members])
            total = sum(member.file_size for member in wanted)
            _check_size(path, target, total)
            with task("unpacking", total=total or 1, unit="B") as work:
                for member in wanted:
                    at = member.filename
                    with archive.open(member) as source:
                        files.append({"name": at, **_copied(source, target / at, work.advance)})
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, ValueError, RuntimeError) as error:
        raise _Refused(f"the archive is damaged at {at}: {error}", f"{NOTHING}; fetch it again with the same command") from error
    except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
        raise _Refused(f"the archive holds {at!r} twice", f"{NOTHING}; report it to the host") from error
    return sorted(files, key=lambda entry: str(entry["name"]))


def _none_fits(only: str | None, wanted: list, names: list[str]) -> None:
    if only is not None and not wanted:
        more = f" and {len(names) - 8} more" if len(names) > 8 else ""
        raise KKError(f"no file fits {only!r}", f"There are: {', '.join(names[:8])}{more}")


def _copied(source: BinaryIO, place: Path, count: Callable[[int], None]) -> Entry:
    """Copy to a new file; gives its size and hash."""
    place.parent.mkdir(parents=True, exist_ok=True)
    known, size = hashlib.sha256(), 0
    with place.open("xb") as sink:
        while block := source.read(CHUNK):
            sink.write(block)
            known.update(block)
            size += len(block)
            count(len(block))
    return {"bytes": size, "sha256": known.hexdigest()}


def _check_member(member: zipfile.ZipInfo) -> None:
    name = member.filename
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if not parts or name.startswith(("/", "\\")) or ".." in parts or ":" in parts[0] or stat.S_ISLNK(member.external_attr >> 16):
        raise _Refused(f"the archive holds {name!r}, which would leave its folder", f"{NOTHING}; report it to the host")
    if member.file_size > LARGE and member.file_size > RATIO * max(member.compress_size, 1):
        raise _Refused(f"the archive's {name!r} unpacks to {member.file_size / 1e9:.1f} GB, over {RATIO} times its size", NOTHING)


def _check_size(path: Path, target: Path, total: int) -> None:
    if total > LARGE and total > RATIO * path.stat().st_size:
        raise _Refused(f"the archive unpacks to {total / 1e9:.1f} GB, over {RATIO} times its size", NOTHING)
    free = shutil.disk_usage(target).free
    if total > free:
        raise KKError(f"the archive unpacks to {total / 1e9:.1f} GB, {free / 1e9:.1f} GB are free",
                      "Free some space and run it again, the archive stays; or take part of it: --only 'train*'")


def write_manifest(store: Store) -> None:
    """The manifest of a data/raw that is there already (linked)."""
    paths = [path for path in sorted(store.raw.rglob("*")) if path.is_file()]
    with task("reading", total=sum(path.stat().st_size for path in paths) or 1, unit="B") as work:
        files = []
        for path in paths:
            files.append({"name": path.relative_to(store.raw).as_posix(), **_entry(path)})
            work.advance(float(files[-1]["bytes"]))
    _write(store, files, None, None)


def _write(store: Store, files: list[Entry], archive: Entry | None, only: str | None) -> None:
    """Names, sizes and hashes of data/raw; the file's existence means that the data is complete."""
    content = {"files": files, "archive": archive, "only": only}
    write_text(store.manifest, json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def manifest(store: Store) -> Mapping | None:
    """The manifest of complete data, None where there is none."""
    try:
        return json.loads(store.manifest.read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return None


def _entry(path: Path) -> Entry:
    """Size and hash of a file."""
    with path.open("rb") as content:
        return {"bytes": path.stat().st_size, "sha256": hashlib.file_digest(content, "sha256").hexdigest()}
