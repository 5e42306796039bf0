"""The manifest of data/raw: written last, so that its existence means that the data is complete."""

import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path

from kagglekit.progress import task
from kagglekit.store import Store, write_text
from kagglekit.work.unpack.journal import Entry


def manifest(store: Store) -> Mapping | None:
    """The manifest of complete data, None where there is none."""
    try:
        return json.loads(store.manifest.read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return None


def manifest_text(files: list[Entry], packed: list[Entry], archive: Entry | None, only: str | None) -> str:
    """What a manifest holds: names, sizes and hashes of data/raw, the archives that were inside, the archive itself; a line an entry."""
    parts = [f'"files": {_lines(files)}', f'"packed": {_lines(packed)}', f'"archive": {json.dumps(archive, ensure_ascii=False)}',
             f'"only": {json.dumps(only, ensure_ascii=False)}']
    return "{" + ",\n ".join(parts) + "}\n"


def _lines(entries: list[Entry]) -> str:
    return "[" + ",\n  ".join(json.dumps(entry, ensure_ascii=False) for entry in entries) + "]"


def write_manifest(store: Store) -> None:
    """The manifest of a data/raw that is there already (linked)."""
    paths = [path for path in sorted(store.raw.rglob("*")) if path.is_file()]
    with task("reading", total=sum(path.stat().st_size for path in paths) or 1, unit="B") as work:
        files = []
        for path in paths:
            files.append({"name": path.relative_to(store.raw).as_posix(), **entry_of(path)})
            work.advance(float(files[-1]["bytes"]))
    write_text(store.manifest, manifest_text(files, [], None, None))


def entry_of(path: Path) -> Entry:
    """Size and hash of a file."""
    with path.open("rb") as content:
        return {"bytes": path.stat().st_size, "sha256": hashlib.file_digest(content, "sha256").hexdigest()}


def clear(store: Store) -> None:
    """Take away the data and what was made of it; the manifest goes first, so that a kill leaves no false promise."""
    store.manifest.unlink(missing_ok=True)
    shutil.rmtree(store.tables, ignore_errors=True)
    if store.raw.is_symlink():
        store.raw.unlink()
    elif store.raw.exists():
        shutil.rmtree(store.raw)


