"""What was fetched: an archive of all files, or single files, packed for the way or by the host."""

import hashlib
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from kagglekit.work.fetch import Fetched
from kagglekit.work.unpack.journal import Entry
from kagglekit.work.unpack.kinds import SINGLES, Kind, is_archive, is_data, kind_of, without_suffix
from kagglekit.work.unpack.refusals import NOTHING, Refused, Unusable

SAMPLES, SAMPLE = 32, 64 * 1024


@dataclass(frozen=True, slots=True)
class Packing:
    """How to read it: `kind` ('' as it is), the `name` of a single file, the folder `under` which members go."""

    kind: Kind
    name: str
    under: str = ""


def outer_packing(one: Fetched) -> Packing:
    """How to read what was fetched; raises Refused where it is not what its name says."""
    try:
        kind = Kind() if is_data(one.name) else kind_of(one.path, one.name)
        if not one.whole:
            return _single(one, kind)
        suffix = one.name[len(without_suffix(one.name)):]
        if not kind.format and is_archive(one.name) and suffix.lower() not in SINGLES:
            raise Refused(f"is damaged: it is no {suffix.lstrip('.')}", f"{NOTHING}; fetch it again with the same command")
        return Packing(kind, without_suffix(one.name) if kind.format else one.name)
    except Unusable as error:
        error.path = one.path
        raise


def _single(one: Fetched, kind: Kind) -> Packing:
    """A file of the competition. Archives among them are opened later; one in a zip that its name does not tell of was packed for the way."""
    path = PurePosixPath(one.name)
    if kind.format == "zip" and not is_archive(one.name) and _names(one.path) == [path.name]:
        return Packing(kind, one.name, "" if path.parent == PurePosixPath() else path.parent.as_posix())
    return Packing(Kind(), one.name)


def _names(path: Path) -> list[str]:
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.namelist()
    except zipfile.BadZipFile:
        return []


def identity(one: Fetched) -> Entry:
    """Enough to know a file again without reading all of it: size, blocks all over it, and what the download knows of it.

    Its time will not do: going on with a complete download asks for the last byte again and writes it.
    """
    size, known = one.path.stat().st_size, hashlib.sha256()
    with one.path.open("rb", buffering=0) as source:
        for number in range(SAMPLES + 1):
            source.seek(max(size - SAMPLE, 0) * number // SAMPLES)
            known.update(source.read(SAMPLE))
    sidecar = one.path.with_suffix(".json")
    if sidecar != one.path and sidecar.exists():
        known.update(sidecar.read_bytes())
    return {"name": one.name, "bytes": size, "samples": known.hexdigest()}
