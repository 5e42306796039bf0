"""Fetching: a competition's archive over the wire, resumed after a cut or a kill; no error page ever gets into the file."""

import json
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from kagglekit.errors import KKError, RemoteError
from kagglekit.progress import say, task
from kagglekit.remote import Remote
from kagglekit.store import Store, disk_error, write_text

if TYPE_CHECKING:
    import requests

CHUNK, TRIES, PLENTY = 256 * 1024, 4, 16 * 1024**2
PATIENCE = 60.0  # seconds without a byte after which no further try is made


@dataclass(frozen=True, slots=True)
class Fetched:
    """A complete file on disk, how much came over the wire now and how much was there from before."""

    path: Path
    name: str
    downloaded: int
    resumed: int


@dataclass(frozen=True, slots=True)
class _About:
    """What the store says of the file: enough to know it again. `validator` is '' and `total` None where it does not say."""

    validator: str
    total: int | None
    name: str


def fetch_archive(store: Store, remote: Remote) -> Fetched:
    """Download a competition's files as one archive into data/.download, going on where an earlier try stopped."""
    part = store.folder / "data" / ".download" / "archive.part"
    resumed = _size(part) if _remembered(part) else 0
    if resumed:
        say(f"an earlier download was left at {resumed / 1e6:,.1f} MB: going on from there")
    downloaded = failures = 0
    moved = time.monotonic()
    while True:
        trouble, written = None, 0
        try:
            answer, about, start = _opened(store, remote, part)
            resumed = min(resumed, start)
            written, ended = (0, True) if answer is None else _stream(answer, about, part, start)
            downloaded += written
            if ended and (about.total is None or _size(part) == about.total):
                return Fetched(part, about.name, downloaded, resumed)
            of = f" of {about.total:,}" if about.total else ""
            trouble = RemoteError(f"the download stops at {_size(part):,} bytes{of}",
                                  f"Run it again, it goes on from there: kk join {store.competition.slug}")
        except RemoteError as error:
            if error.cause not in ("offline", "server"):
                raise
            trouble = error
        failures, moved = (1, time.monotonic()) if written >= PLENTY else (failures + 1, time.monotonic() if written else moved)
        if failures >= TRIES or time.monotonic() - moved > PATIENCE:
            raise trouble
        say(f"{trouble.what}: trying again")
        time.sleep(0.5 * 2 ** (failures - 1))


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _sidecar(part: Path) -> Path:
    return part.with_suffix(".json")


def _remembered(part: Path) -> _About | None:
    """What an earlier try wrote beside its part, None where it cannot be gone on with."""
    try:
        known = _About(**json.loads(_sidecar(part).read_text(encoding="utf-8")))
    except (FileNotFoundError, json.JSONDecodeError, TypeError):
        return None
    return known if known.validator and known.total and 0 < _size(part) <= known.total else None


def _opened(store: Store, remote: Remote, part: Path) -> tuple["requests.Response | None", _About, int]:
    """The open answer (None: nothing is missing) and the byte it starts at; what does not fit an earlier part starts over."""
    def anew() -> "requests.Response":
        return _data(remote.open_archive(store.competition.slug))

    answer = anew()
    about, start = _about(answer, store), 0
    if about == _remembered(part):
        start = _size(part)
        answer.close()
        if start == about.total:
            return None, about, start
        _check_disk(store, about.total, start)
        answer = _rest(remote, answer.url, start, about, anew)
        if answer.status_code == 206:
            return answer, about, start
        about, start = _about(answer, store), 0
    _check_disk(store, about.total, 0)
    part.parent.mkdir(parents=True, exist_ok=True)
    # The part is emptied before the sidecar speaks of another file: a kill in between must not join the two.
    part.write_bytes(b"")
    write_text(_sidecar(part), json.dumps({"validator": about.validator, "total": about.total, "name": about.name}))
    return answer, about, 0


def _rest(remote: Remote, url: str, start: int, about: _About, anew: Callable[[], "requests.Response"]) -> "requests.Response":
    """The answer from byte `start` on (206), or one with the whole file (200) where the store does not go on."""
    answer = remote.reopen(url, start, about.validator)
    fits = answer.headers.get("Content-Range", "").startswith(f"bytes {start}-") and _validator(answer) in ("", about.validator)
    if answer.status_code == 416 or (answer.status_code == 206 and not fits):
        answer.close()
        return anew()
    return _data(answer)


def _about(answer: "requests.Response", store: Store) -> _About:
    name = PurePosixPath(unquote(urlsplit(answer.url).path).replace("\\", "/")).name
    return _About(_validator(answer), _length(answer), name if name not in ("", "..") else f"{store.competition.slug}.zip")


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
    if answer.status_code not in (200, 206) or "text/html" in answer.headers.get("Content-Type", ""):
        answer.close()
        raise RemoteError(f"the store answered {answer.status_code} with a page instead of data", "Try again in a minute", cause="server")
    return answer


def _check_disk(store: Store, total: int | None, start: int) -> None:
    place = next(folder for folder in (store.folder, *store.folder.parents) if folder.exists())
    free, needed = shutil.disk_usage(place).free, 3 * (total or 0) - start
    if free < needed:
        raise KKError(f"the download needs about {needed / 1e9:.1f} GB with its unpacked files and tables, {free / 1e9:.1f} GB are free",
                      f"Free some space, or use data that is elsewhere: kk join {store.competition.slug} --from PATH")


def _stream(answer: "requests.Response", about: _About, part: Path, start: int) -> tuple[int, bool]:
    """Write the answer behind byte `start`; gives the bytes written and whether the answer came to its end."""
    from urllib3.exceptions import HTTPError

    written = 0
    with task("downloading", total=about.total or 1, unit="B") as work:
        work.advance(start)
        try:
            with part.open("r+b") as sink:
                sink.seek(start)
                # read1 gives what has arrived: a cut loses nothing, where whole chunks would lose the last one.
                while block := answer.raw.read1(CHUNK, decode_content=True):
                    sink.write(block)
                    written += len(block)
                    work.advance(len(block))
        except (HTTPError, ConnectionError) as error:
            say(f"the connection was cut after {written:,} bytes ({type(error).__name__})")
            return written, False
        except OSError as error:
            raise disk_error(part, error) from error
        finally:
            answer.close()
    return written, True
