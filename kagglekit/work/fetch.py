"""Fetching: a competition's archive or single files over the wire, resumed after a cut or a kill; no error page ever gets into a file."""

import dataclasses
import json
import re
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from kagglekit.errors import KKError, RemoteError
from kagglekit.progress import say, task
from kagglekit.refusal import retry_after
from kagglekit.remote import Remote
from kagglekit.replies import RemoteFile
from kagglekit.store import Store, disk_error, write_text

if TYPE_CHECKING:
    import requests

CHUNK, TRIES, PLENTY = 1024**2, 5, 16 * 1024**2
FIRST_PAUSE = 0.5  # seconds before the second try; twice as long before each one after
PATIENCE = 60.0  # seconds without a byte after which no further try is made
LONGEST_WAIT = 60.0  # seconds that a server may ask us to wait
SLOW_SECONDS, SLOW_BYTES = 30.0, 16 * 1024  # less than that in that time: the connection hangs, another one may not
TABLES = ("csv", "tsv", "json", "jsonl", "xlsx")
PACKED = (".zip", ".7z", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".zst")
SHARE_OF_TABLES = 0.5  # typed tables need about half of their text


@dataclass(frozen=True, slots=True)
class Fetched:
    """A complete file on disk, how much came over the wire now and how much was there from before.

    `name` is the file's own; with `whole` it holds all of the competition's files, else it is the one at that path.
    """

    path: Path
    name: str
    downloaded: int
    resumed: int
    whole: bool = True


@dataclass(frozen=True, slots=True)
class _About:
    """What the store says of the file: enough to know it again. `validator` is '' and `total` None where it does not say."""

    validator: str
    total: int | None
    name: str


@dataclass(frozen=True, slots=True)
class _Part:
    """One file on its way: `asked` is its path in the competition, '' for the archive of all; `slug` for the messages."""

    slug: str
    asked: str
    path: Path

    @property
    def sidecar(self) -> Path:
        """Where it is written down which file the part belongs to."""
        return self.path.with_suffix(".json")

    @property
    def size(self) -> int:
        """Bytes that are here."""
        return self.path.stat().st_size if self.path.exists() else 0

    def remembered(self) -> _About | None:
        """What an earlier try wrote beside its part, None where it cannot be gone on with."""
        try:
            known = _About(**json.loads(self.sidecar.read_text(encoding="utf-8")))
        except (FileNotFoundError, json.JSONDecodeError, TypeError):
            return None
        return known if known.validator and 0 < self.size <= (known.total or self.size) else None


def fetch(store: Store, remote: Remote, only: str | None = None) -> list[Fetched]:
    """Bring the archive of all files, or, where `only` fits less than half of the bytes, those files one by one.

    What an earlier call left in data/.download is gone on with. Raises KKError where the disk is too small or nothing fits.
    """
    slug, folder = store.competition.slug, store.folder / "data" / ".download"
    whole = _Part(slug, "", folder / "archive.part")
    if only is None:
        sizes = remote.sizes(slug)
        _check_disk(store, sum(sizes.values()), sum(sizes.values()), sum(size for kind, size in sizes.items() if kind in TABLES), whole.size)
        return [_brought(remote, whole)]
    say("asking for the names of all files")
    files = remote.files(slug)
    wanted = [file for file in files if matches(file.name, only)]
    packed = [file for file in files if file.name.lower().endswith(PACKED)]
    if not wanted and packed:
        say(f"no file fits {only!r}: looking for it inside {', '.join(file.name for file in packed[:3])}")
        wanted = files
    _none_fits(only, files, wanted)
    all_bytes, bytes_wanted = sum(file.bytes for file in files), sum(file.bytes for file in wanted)
    tables = sum(file.bytes for file in wanted if file.name.rpartition(".")[2].lower() in TABLES)
    if bytes_wanted >= all_bytes / 2:
        _check_disk(store, all_bytes, bytes_wanted, tables, whole.size)
        return [_brought(remote, whole)]
    parts = [_Part(slug, file.name, folder / "files" / f"{number:06d}.part") for number, file in enumerate(wanted)]
    _check_disk(store, bytes_wanted, bytes_wanted, tables, sum(part.size for part in parts))
    return [_brought(remote, part) for part in parts]


def bring_file(remote: Remote, slug: str, name: str, path: Path) -> Fetched:
    """One file of a competition to `path`, going on with what an earlier call left there."""
    return _brought(remote, _Part(slug, name, path))


def matches(name: str, only: str | None) -> bool:
    """Whether a path fits the pattern of --only, whole or by its last part.

    >>> matches("data/train.csv", "train*")
    True
    """
    return only is None or fnmatch(name, only) or fnmatch(PurePosixPath(name).name, only)


def _none_fits(only: str | None, files: Sequence[RemoteFile], wanted: Sequence[RemoteFile]) -> None:
    if only is not None and files and not wanted:
        more = f" and {len(files) - 8} more" if len(files) > 8 else ""
        raise KKError(f"no file fits {only!r}", f"There are: {', '.join(file.name for file in files[:8])}{more}")


def _check_disk(store: Store, moved: int, unpacked: int, tables: int, here: int) -> None:
    """Before the first byte: room for the download (of which `here` bytes are on disk), its unpacked files and their tables."""
    place = next(folder for folder in (store.folder, *store.folder.parents) if folder.exists())
    typed = round(SHARE_OF_TABLES * tables)
    free, needed = shutil.disk_usage(place).free, moved - min(here, moved) + unpacked + typed
    if free < needed:
        raise KKError(f"the data needs up to {needed / 1e9:.1f} GB (download {moved / 1e9:.1f}, unpacked {unpacked / 1e9:.1f}, tables "
                      f"{typed / 1e9:.1f}), {free / 1e9:.1f} GB are free", "Free some space, take part of it (--only 'train*'), or use data "
                      f"that is elsewhere: kk join {store.competition.slug} --from PATH")


def _brought(remote: Remote, part: _Part) -> Fetched:
    """One file, in as many tries as it is worth."""
    resumed, downloaded, failures = part.size if part.remembered() else 0, 0, 0
    if resumed:
        say(f"an earlier download {f'of {part.asked} ' if part.asked else ''}was left at {resumed / 1e6:,.1f} MB: going on from there")
    moved = time.monotonic()
    while True:
        written = 0
        try:
            answer, about, start = _opened(remote, part)
            resumed = min(resumed, start)
            written, ended = _stream(answer, about, part, start)
            downloaded += written
            if ended and (about.total is None or part.size == about.total):
                return Fetched(part.path, part.asked or about.name, downloaded, resumed, whole=not part.asked)
            of = f" of {about.total:,}" if about.total else ""
            trouble = RemoteError(f"the download stops at {part.size:,} bytes{of}", f"Run it again, it goes on from there: kk join {part.slug}")
        except RemoteError as error:
            if error.cause not in ("offline", "server", "rate"):
                raise
            trouble = error
        failures, moved = (1, time.monotonic()) if written >= PLENTY else (failures + 1, time.monotonic() if written else moved)
        pause = trouble.wait or FIRST_PAUSE * 2 ** (failures - 1)
        if failures >= TRIES or time.monotonic() - moved > PATIENCE or pause > LONGEST_WAIT:
            raise trouble
        say(f"{trouble.what}: trying again{f' in {pause:.0f} s' if trouble.wait else ''}")
        time.sleep(pause)


def _opened(remote: Remote, part: _Part) -> tuple["requests.Response", _About, int]:
    """The open answer and the byte it starts at. What is here is gone on with if it is the same object; else all starts over.

    A part that is whole, or whose length nobody told, asks for its last byte once more: that tells whether the object is the same.
    """
    known, url = part.remembered(), remote.signed_url(part.slug, part.asked)
    if known:
        start = part.size if known.total and part.size < known.total else part.size - 1
        answer = remote.get(url, start, known.validator)
        span = re.fullmatch(rf"bytes {start}-\d+/(\d+|\*)", answer.headers.get("Content-Range", ""))
        if answer.status_code == 206 and span and _validator(answer) in ("", known.validator):
            total = known.total if span[1] == "*" else int(span[1])
            return _data(answer), dataclasses.replace(known, total=total), start
        if answer.status_code in (206, 416):
            answer.close()
            answer = remote.get(url)
    else:
        answer = remote.get(url)
    answer = _data(answer)
    packed = answer.headers.get("Content-Encoding", "identity") != "identity"  # then a place in our file is none in theirs
    about = _About("" if packed else _validator(answer), _length(answer), _name(answer, part))
    part.path.parent.mkdir(parents=True, exist_ok=True)
    # The part is emptied before the sidecar speaks of another file: a kill in between must not join the two.
    part.path.write_bytes(b"")
    write_text(part.sidecar, json.dumps({"validator": about.validator, "total": about.total, "name": about.name}))
    return answer, about, 0


def _name(answer: "requests.Response", part: _Part) -> str:
    name = PurePosixPath(unquote(urlsplit(answer.url).path).replace("\\", "/")).name
    return name if name not in ("", "..") else f"{part.slug}.zip"


def _validator(answer: "requests.Response") -> str:
    """The ETag, else Last-Modified; a weak ETag does not hold for bytes."""
    tag = answer.headers.get("ETag") or ""
    return tag if tag and not tag.startswith("W/") else answer.headers.get("Last-Modified") or ""


def _length(answer: "requests.Response") -> int | None:
    """Bytes of the body as they will lie on disk, None where the store does not say or packs them for the way."""
    if answer.headers.get("Content-Encoding", "identity") != "identity":
        return None
    length = answer.headers.get("Content-Length", "")
    return int(length) if length.isdecimal() else None


def _data(answer: "requests.Response") -> "requests.Response":
    """The answer, if it holds data and no page or error."""
    if answer.status_code in (200, 206) and "text/html" not in answer.headers.get("Content-Type", ""):
        return answer
    wait = retry_after(answer.headers) if answer.status_code in (429, 503) else 0.0
    answer.close()
    do = f"Try again in {wait:.0f} seconds" if wait else "Try again in a minute"
    page = " with a page instead of data" if answer.status_code < 300 else ""
    raise RemoteError(f"the store answered {answer.status_code}{page}", do, cause="server", wait=wait)


def _stream(answer: "requests.Response", about: _About, part: _Part, start: int) -> tuple[int, bool]:
    """Write the answer behind byte `start`; gives the bytes written and whether the answer came to its end."""
    from urllib3.exceptions import HTTPError

    written = 0
    with task(f"downloading {part.asked}".strip(), total=about.total or 1, unit="B", done=start) as work:
        try:
            with part.path.open("r+b") as sink:
                sink.seek(start)
                for block in _blocks(answer):
                    sink.write(block)
                    written += len(block)
                    work.advance(len(block))
        except (HTTPError, ConnectionError, _Slow) as error:
            say(f"the connection {'hangs' if isinstance(error, _Slow) else 'was cut'} after {written:,} bytes ({type(error).__name__.strip('_')})")
            return written, False
        except OSError as error:
            raise disk_error(part.path, error) from error
        finally:
            answer.close()
    return written, True


class _Slow(Exception):
    """Next to nothing comes."""


def _blocks(answer: "requests.Response") -> Iterator[bytes]:
    """What has arrived, as it comes: a cut loses nothing, where whole chunks would lose the last one. Raises _Slow."""
    since, came = time.monotonic(), 0
    while block := answer.raw.read1(CHUNK, decode_content=True):
        yield block
        came += len(block)
        if time.monotonic() - since > SLOW_SECONDS:
            if came < SLOW_BYTES:
                raise _Slow
            since, came = time.monotonic(), 0

