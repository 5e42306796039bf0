"""Unpacking: an archive becomes data/raw only when every member is sound; the manifest, written last, says what is there."""

import contextlib
import hashlib
import os
import shutil
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

from kagglekit.errors import KKError
from kagglekit.progress import say, task
from kagglekit.store import Store, disk_error, write_text
from kagglekit.work.fetch import Fetched, matches
from kagglekit.work.unpack.budget import Budget
from kagglekit.work.unpack.journal import Entry, Journal
from kagglekit.work.unpack.kinds import Kind, is_archive, read
from kagglekit.work.unpack.manifest import clear, manifest_text
from kagglekit.work.unpack.nested import Nested
from kagglekit.work.unpack.outer import identity, outer_packing
from kagglekit.work.unpack.refusals import Refused, Unusable
from kagglekit.work.unpack.resume import go_on
from kagglekit.work.unpack.target import Target

MOST_WARNINGS = 20
BLOCK = 1024**2


class _NoneFits(KKError):
    """A pattern that fits no file."""


def unpack(store: Store, fetched: Fetched | Sequence[Fetched], *, only: str | None = None, keep_archive: bool = False,
           allow_large: bool = False) -> list[str]:
    """Unpack the archive, or take over single files, into data/raw, all or nothing; gives warnings. The manifest is written last.

    `only` is a pattern of names; `allow_large` lifts the limits against bombs. Archives inside are unpacked too, three deep; a bad
    one stays packed, with a warning, while a bad outer one is refused whole. A killed call is gone on with by the next. At the
    end the archive goes, and those inside with it, unless `keep_archive`.
    """
    sources = [fetched] if isinstance(fetched, Fetched) else list(fetched)
    making = store.folder / "data" / ".unpacking"
    try:
        making.mkdir(parents=True, exist_ok=True)
        about = {"sources": [identity(one) for one in sources], "only": only, "keep": keep_archive}
        journal = Journal(making / "journal.jsonl", about)
        with journal.writing() as known:
            warnings = [] if known and _finished(store, making) else _made(store, sources, making, journal, allow_large)
        _tidy(store, sources, making, keep_archive)
    except OSError as error:
        raise disk_error(making, error) from error
    except (Unusable, _NoneFits) as error:
        shutil.rmtree(making, ignore_errors=True)
        if isinstance(error, Refused) and error.path is not None:
            error.path.unlink(missing_ok=True)
        raise
    more = len(warnings) - MOST_WARNINGS
    return [*warnings[:MOST_WARNINGS], f"and {more} more warnings of this kind"] if more > 0 else warnings


def _tidy(store: Store, sources: list[Fetched], making: Path, keep: bool) -> None:
    """Remove what is not needed any more."""
    for one in sources:
        if keep and one.whole:
            os.replace(one.path, store.folder / "data" / one.name)
        one.path.unlink(missing_ok=True)
    shutil.rmtree(store.folder / "data" / ".download", ignore_errors=True)
    shutil.rmtree(making, ignore_errors=True)


def _finished(store: Store, making: Path) -> bool:
    """Whether a kill came after the data was put in its place; the manifest then follows it."""
    if (making / "files").exists() or not store.raw.exists() or not (making / "manifest.json").exists():
        return False
    os.replace(making / "manifest.json", store.manifest)
    return True


def _made(store: Store, sources: list[Fetched], making: Path, journal: Journal, allow_large: bool) -> list[str]:
    only, keep = journal.about["only"], bool(journal.about["keep"])
    nested = Nested(making, journal, only, keep)
    _start(making, journal, nested)
    budget = Budget(sum(one.path.stat().st_size for one in sources), allow_large)
    whole = sources[0] if sources and sources[0].whole else None
    with _hashing(whole.path if whole else None) as digest:
        target = Target(nested.files, "", journal, budget, lambda name: matches(name, only) or is_archive(name))
        for one in sources:
            nested.warnings += _taken(one, target)
        nested.open_all(budget)
        files, packed = nested.listing()
        _none_fits(only, files, target.names)
        archive = {"name": whole.name, "bytes": whole.path.stat().st_size, "sha256": digest()} if whole else None
    write_text(making / "manifest.json", manifest_text(files, packed, archive, only))
    clear(store)
    os.replace(nested.files, store.raw)
    os.replace(making / "manifest.json", store.manifest)
    return nested.warnings


def _start(making: Path, journal: Journal, nested: Nested) -> None:
    """Go on with what an earlier call left, or with nothing."""
    (making / "manifest.json").unlink(missing_ok=True)
    if any(journal.members.values()) and go_on(journal, nested):
        say(f"an earlier unpacking was stopped: {sum(map(len, journal.members.values())):,} files are there already")
        return
    journal.restart()
    for folder in (nested.files, nested.staging):
        shutil.rmtree(folder, ignore_errors=True)


def _none_fits(only: str | None, files: list[Entry], names: Collection[str]) -> None:
    if only is not None and not files:
        more = f" and {len(names) - 8} more" if len(names) > 8 else ""
        raise _NoneFits(f"no file fits {only!r}", f"There are: {', '.join(sorted(names)[:8])}{more}")


def _taken(one: Fetched, target: Target) -> list[str]:
    """Unpack one file that was fetched, or take it over as it is."""
    packing, target.warnings = outer_packing(one), []
    with task("unpacking" if packing.kind.format else "copying", total=one.path.stat().st_size or 1, unit="B") as work:
        target.start(work, packing.under)
        try:
            read(one.path, packing.kind if packing.kind.format else Kind("packed"), packing.name, target)
        except Unusable as error:
            error.path = one.path
            raise
    return [f"{one.name} {warning}" for warning in target.warnings]


@contextlib.contextmanager
def _hashing(path: Path | None) -> Iterator[Callable[[], str]]:
    """Hash a file (None: nothing) beside the block, on another core; the function given waits for the hash."""
    known, stopped, failed = hashlib.sha256(), threading.Event(), []

    def work() -> None:
        try:
            with (path or Path(os.devnull)).open("rb", buffering=0) as source:
                while not stopped.is_set() and (block := source.read(BLOCK)):
                    known.update(block)
        except OSError as error:
            failed.append(error)

    def result() -> str:
        thread.join()
        if failed:
            raise failed[0]
        return known.hexdigest()

    thread = threading.Thread(target=work, name="archive hash")
    thread.start()
    try:
        yield result
    finally:
        stopped.set()
        thread.join()
