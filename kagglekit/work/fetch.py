"""Fetching: a competition's archive over the wire, resumed after a cut or a kill, and unpacked only when every member is sound."""

import hashlib
import json
import os
import shutil
import stat
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from kagglekit.errors import KKError, RemoteError
from kagglekit.progress import say, task
from kagglekit.remote import Remote
from kagglekit.store import Store, disk_error, write_text

if TYPE_CHECKING:
    import requests

CHUNK, TRIES, RATIO, LARGE = 256 * 1024, 4, 200, 1024**3


@dataclass(frozen=True, slots=True)
class Fetched:
    """A complete file on disk, how much came over the wire now and how much was there from before."""

    path: Path
    name: str
    downloaded: int
    resumed: int


def fetch_archive(store: Store, remote: Remote) -> Fetched:
    """Download a competition's files as one archive into data/.download, going on where an earlier try stopped."""
    folder = store.folder / "data" / ".download"
    part, about = folder / "archive.part", folder / "archive.json"
    folder.mkdir(parents=True, exist_ok=True)
    downloaded, first = 0, _remembered(part, about)
    if first:
        say(f"an earlier download was left at {part.stat().st_size / 1e6:,.1f} MB: going on from there")
    resumed = part.stat().st_size if first else 0
    for attempt in range(TRIES):
        try:
            answer, start = _opened(store, remote, part, about)
            if attempt == 0 and start == 0:
                resumed = 0
            downloaded += _stream(answer, part, start)
            total = json.loads(about.read_text(encoding="utf-8"))["total"]
            if total is None or part.stat().st_size == total:
                break
        except RemoteError as error:
            if error.cause not in ("offline", "server") or attempt == TRIES - 1:
                raise
            say(f"{error.what}: trying again")
        time.sleep(0.5 * 2**attempt)
    else:
        got = part.stat().st_size
        raise RemoteError(f"the download stops at {got:,} bytes of {total:,}",
                          f"Run it again, it goes on from there: kk join {store.competition.slug}")
    name = json.loads(about.read_text(encoding="utf-8"))["name"]
    return Fetched(part, name, downloaded, resumed)


def _remembered(part: Path, about: Path) -> dict | None:
    try:
        known = json.loads(about.read_text(encoding="utf-8"))
        return known if part.exists() and part.stat().st_size and known.get("validator") else None
    except (FileNotFoundError, json.JSONDecodeError):
        return None


def _opened(store: Store, remote: Remote, part: Path, about: Path) -> tuple["requests.Response", int]:
    """The open answer and the byte it starts at; what does not fit an earlier part is fetched from the start."""
    answer = remote.open_archive(store.competition.slug)
    _refuse_pages(answer)
    validator, total = answer.headers.get("ETag") or answer.headers.get("Last-Modified") or "", _total(answer)
    name = PurePosixPath(answer.url.split("?", 1)[0]).name
    known, start = _remembered(part, about), 0
    if known and known["validator"] == validator and known["total"] == total and total and part.stat().st_size <= total:
        start = part.stat().st_size
        answer.close()
        if start == total:
            return answer, start
        answer = remote.reopen(answer.url, start, validator)
        if answer.status_code != 206:
            answer.close()
            answer, start = remote.open_archive(store.competition.slug), 0
    if start == 0:
        _check_disk(store, total)
        part.write_bytes(b"")
        write_text(about, json.dumps({"validator": validator, "total": total, "name": name}))
    return answer, start


def _total(answer: "requests.Response") -> int | None:
    if answer.headers.get("Content-Encoding", "identity") != "identity":
        return None
    length = answer.headers.get("Content-Length")
    return int(length) if length else None


def _refuse_pages(answer: "requests.Response") -> None:
    if answer.status_code not in (200, 206) or "text/html" in answer.headers.get("Content-Type", ""):
        answer.close()
        raise RemoteError(f"the store answered {answer.status_code} with a page instead of data", "Try again in a minute", cause="server")


def _check_disk(store: Store, total: int | None) -> None:
    free = shutil.disk_usage(store.folder).free
    if total and free < 3 * total:
        raise KKError(f"the download needs about {3 * total / 1e9:.1f} GB with its unpacked files and tables, {free / 1e9:.1f} GB are free",
                      "Free some space, or take part of it: kk join SLUG --only 'train*'")


def _stream(answer: "requests.Response", part: Path, start: int) -> int:
    """Write the answer behind byte `start`; gives the bytes written. A cut ends it early, the part stays."""
    from urllib3.exceptions import HTTPError

    written, total = 0, _total(answer)
    whole = (start + total) if total else 0
    if start and whole == start:
        return 0
    with task("downloading", total=whole or 1, unit="B") as work:
        work.advance(start)
        try:
            with part.open("r+b") as sink:
                sink.seek(start)
                # read1 gives what has arrived: a cut loses nothing, where whole chunks would lose the last one.
                while block := answer.raw.read1(CHUNK, decode_content=True):
                    sink.write(block)
                    written += len(block)
                    work.advance(len(block))
                sink.truncate()
        except (HTTPError, ConnectionError) as error:
            say(f"the connection was cut after {written:,} bytes ({type(error).__name__})")
        except OSError as error:
            raise disk_error(part, error) from error
        finally:
            answer.close()
    return written


def unpack(store: Store, fetched: Fetched, only: str | None, keep_archive: bool) -> None:
    """Unpack into data/raw, all or nothing; the manifest is written last, then the archive goes."""
    making = store.folder / "data" / ".unpacking"
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    try:
        if zipfile.is_zipfile(fetched.path):
            _members(fetched.path, making, only)
        elif fetched.name.endswith(".zip"):
            raise KKError("the archive is damaged: it is no zip", f"Fetch it again: kk join {store.competition.slug}")
        else:
            shutil.copyfile(fetched.path, making / fetched.name)
    except (KKError, OSError) as error:
        shutil.rmtree(making, ignore_errors=True)
        if isinstance(error, OSError):
            raise disk_error(making, error) from error
        fetched.path.unlink()
        raise
    archive = {"name": fetched.name, "bytes": fetched.path.stat().st_size, "sha256": sha256(fetched.path)}
    if store.raw.exists():
        shutil.rmtree(store.raw)
    os.replace(making, store.raw)
    write_manifest(store, archive)
    if keep_archive:
        os.replace(fetched.path, store.folder / "data" / fetched.name)
    shutil.rmtree(fetched.path.parent, ignore_errors=True)


def _members(archive_path: Path, target: Path, only: str | None) -> None:
    """Every member, its CRC checked; a corrupt, escaping or link member refuses the archive as a whole."""
    try:
        with zipfile.ZipFile(archive_path) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            for member in members:
                _check_member(member)
            wanted = [member for member in members if only is None or fnmatch(member.filename, only)]
            with task("unpacking", total=sum(member.file_size for member in wanted) or 1, unit="B") as work:
                for member in wanted:
                    place = target / member.filename
                    place.parent.mkdir(parents=True, exist_ok=True)
                    with archive.open(member) as source, place.open("wb") as sink:
                        _copied(source.read, sink.write, work.advance)
    except (zipfile.BadZipFile, EOFError, ValueError, NotImplementedError) as error:
        raise KKError(f"the archive is damaged: {error}", "Nothing of it was kept; fetch it again with the same command") from error


def _copied(read: Callable[[int], bytes], write: Callable[[bytes], object], count: Callable[[int], None]) -> None:
    while block := read(CHUNK):
        write(block)
        count(len(block))


def _check_member(member: zipfile.ZipInfo) -> None:
    name = member.filename
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if not parts or name.startswith(("/", "\\")) or ".." in parts or ":" in parts[0] or stat.S_ISLNK(member.external_attr >> 16):
        raise KKError(f"the archive holds {name!r}, which would leave its folder", "Nothing of it was kept; report it to the host")
    if member.file_size > LARGE and member.file_size > RATIO * max(member.compress_size, 1):
        raise KKError(f"the archive's {name!r} unpacks to {member.file_size / 1e9:.1f} GB, {RATIO} times its size", "Nothing of it was kept")


def write_manifest(store: Store, archive: dict | None) -> None:
    """Names, sizes and hashes of data/raw; its existence means that the data is complete."""
    files = [{"name": str(path.relative_to(store.raw)), "bytes": path.stat().st_size, "sha256": sha256(path)}
             for path in sorted(store.raw.rglob("*")) if path.is_file()]
    write_text(store.manifest, json.dumps({"files": files, "archive": archive}, indent=1, ensure_ascii=False) + "\n")


def manifest(store: Store) -> dict | None:
    """The manifest of complete data, None where there is none."""
    try:
        return json.loads(store.manifest.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except json.JSONDecodeError:
        return None


def sha256(path: Path) -> str:
    """Hash of a file."""
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
