"""Unpacking against `unzip -q` (Python's zipfile where there is none): one large member, and many small ones.

    python benchmarks/unpack.py [--megabytes 2000] [--members 100000]

Both write the same files to the same disk in turn; kk also checks names, hashes every member and the archive, and keeps a journal.
Prints seconds (the better of --repeats) and the ratio; a ratio below 1 means that kk is faster.
"""

import argparse
import os
import shutil
import subprocess
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from kagglekit.competition import Competition
from kagglekit.store import Store
from kagglekit.work.fetch import Fetched
from kagglekit.work.unpack import unpack


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=2000)
    parser.add_argument("--members", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--folder", type=Path, default=None, help="Where to write; the system's place for temporary files by default.")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as place:
        for title, make in (("one member", lambda path: _large(path, given.megabytes)), ("small members", lambda path: _small(path, given.members))):
            path = Path(place) / "archive.zip"
            make(path)
            times: dict[str, list[float]] = {"peer": [], "kk": []}
            for number in range(given.repeats):
                times["peer"].append(_timed(_peer, path, Path(place) / f"peer{number}"))
                times["kk"].append(_timed(_ours, path, Path(place) / f"kk{number}"))
            # Nothing is removed in between: a file system that just lost many files is slow to give their places to new ones.
            for folder in Path(place).iterdir():
                shutil.rmtree(folder) if folder.is_dir() else folder.unlink()
            peer, ours = min(times["peer"]), min(times["kk"])
            print(f"{title}: kk {ours:.2f} s, {_peer_name()} {peer:.2f} s, ratio {ours / peer:.2f}")


def _peer_name() -> str:
    return "unzip" if shutil.which("unzip") else "zipfile"


def _peer(path: Path, folder: Path) -> None:
    if shutil.which("unzip"):
        subprocess.run(["unzip", "-q", str(path), "-d", str(folder)], check=True)
        return
    with zipfile.ZipFile(path) as archive:
        archive.extractall(folder)


def _ours(path: Path, folder: Path) -> None:
    store = Store(Competition(slug="bench", folder=folder))
    part = folder / "data" / ".download" / "archive.part"
    part.parent.mkdir(parents=True)
    os.link(path, part)
    unpack(store, Fetched(part, "archive.zip", 0, 0))


def _timed(work: Callable[[Path, Path], None], path: Path, folder: Path) -> float:
    os.sync()
    start = time.perf_counter()
    work(path, folder)
    return time.perf_counter() - start


def _large(path: Path, megabytes: int) -> None:
    random = np.random.default_rng(0)
    rows = "\n".join(",".join(map(str, row)) for row in random.normal(size=(5000, 10)).round(4)).encode() + b"\n"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive, archive.open("train.csv", "w", force_zip64=True) as sink:
        for number in range(megabytes * 10**6 // len(rows)):
            start = number * 977 % len(rows)
            sink.write(rows[start:] + rows[:start])


def _small(path: Path, members: int) -> None:
    random = np.random.default_rng(0)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for number in range(members):
            archive.writestr(f"images/{number % 100:02d}/{number:06d}.png", random.bytes(3000))


if __name__ == "__main__":
    main()
