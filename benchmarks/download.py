"""A large file over loopback: kk's transport against curl and the official client, in turn, in one run.

    python benchmarks/download.py [--megabytes 2000] [--rounds 3]

The arena serves; curl gets the signed URL that the others are redirected to. Rates are bytes over the time of the transfer
(kk, curl) and of the whole command (kaggle, and kk again to compare). A ratio above 1 means that kk is faster.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from arena import _contest, _large_file, _served, _signed

ROWS = 1000
CODE = """
import sys, time
from pathlib import Path
from kagglekit.remote import connect
from kagglekit.work.fetch import bring_file
with connect() as remote:
    remote.files("rows-1000")
    begin = time.perf_counter()
    got = bring_file(remote, "rows-1000", "large.bin", Path(sys.argv[1]) / "large.part")
    print(time.perf_counter() - begin, got.path)
"""


def main() -> None:
    """Measure in turn and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=".") as place:
        workspace = Path(place).resolve()
        for name in ("competitions", "configs"):
            (workspace / name).mkdir()
        _contest(workspace, ROWS)
        _large_file(workspace, ROWS, given.megabytes)
        with _served(workspace) as (url, _):
            ways = {"kk": _kk, "curl": _curl, "kaggle": _kaggle, "cp": _copy}
            seconds: dict[str, list[float]] = {name: [] for name in ways}
            for _ in range(given.rounds):
                for name, way in ways.items():
                    seconds[name].append(way(workspace, url))
    size = given.megabytes * 1024**2 / 1e6
    rates = {name: size / statistics.median(times) for name, times in seconds.items()}
    for name, times in seconds.items():
        print(f"{name:>7}: {rates[name]:7.0f} MB/s   ({', '.join(f'{one:.2f}' for one in times)} s)")
    print(f"kk against curl {rates['kk'] / rates['curl']:.2f} (goal 0.90), against the official client {rates['kk'] / rates['kaggle']:.2f}; "
          f"{size:,.0f} MB, medians of {given.rounds} rounds; cp is a copy on the same disk")


def _environment(url: str) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("KAGGLE_") and "proxy" not in key.lower()}
    return {**kept, "KAGGLE_USERNAME": "bench", "KAGGLE_KEY": "bench", "PYTHONPATH": str(Path(__file__).resolve().parent.parent)}


def _kk(workspace: Path, url: str) -> float:
    folder = workspace / "kk"
    ran = subprocess.run([sys.executable, "-c", CODE, str(folder)], env={**_environment(url), "KK_KAGGLE_ENDPOINT": url}, cwd=workspace,
                         check=True, capture_output=True, text=True)
    seconds, path = ran.stdout.split()
    _check(Path(path), workspace)
    return float(seconds)


def _curl(workspace: Path, url: str) -> float:
    target, place = workspace / "curl.bin", _signed(url, ROWS)
    begin = time.perf_counter()
    subprocess.run(["curl", "--silent", "--fail", "--noproxy", "*", "--output", str(target), place], check=True)
    seconds = time.perf_counter() - begin
    _check(target, workspace)
    return seconds


def _kaggle(workspace: Path, url: str) -> float:
    begin = time.perf_counter()
    subprocess.run([Path(sys.executable).with_name("kaggle"), "competitions", "download", f"rows-{ROWS}", "-f", "large.bin", "-q", "-o"], check=True,
                   cwd=workspace, env={**_environment(url), "KAGGLE_API_ENVIRONMENT": "LOCALHOST", "http_proxy": url}, stdout=subprocess.DEVNULL)
    seconds = time.perf_counter() - begin
    _check(workspace / "large.bin", workspace)
    return seconds


def _copy(workspace: Path, url: str) -> float:
    begin = time.perf_counter()
    subprocess.run(["cp", str(workspace / "plain" / "large.bin"), str(workspace / "copy.bin")], check=True)
    seconds = time.perf_counter() - begin
    _check(workspace / "copy.bin", workspace)
    return seconds


def _check(path: Path, workspace: Path) -> None:
    subprocess.run(["cmp", str(path), str(workspace / "plain" / "large.bin")], check=True)
    path.unlink()


if __name__ == "__main__":
    main()
