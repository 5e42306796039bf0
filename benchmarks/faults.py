"""Every fault of a download: what kk join does, and what the official client does, as whole commands, one after the other.

    python benchmarks/faults.py [NAME ...]

Prints a row a fault: exit status, whether the data is right (in data/raw; for the official client: the archive it calls done),
bytes fetched twice, seconds, and what was said last. The faults are those of tests/test_join_faults.py.
"""

import hashlib
import os
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from arena import _served

from kagglekit.practice.faults import FLAG, hits, write_faults
from tests.test_join_faults import CASES, Case, make_large, twice

ROOT = Path(__file__).resolve().parent.parent
LIMIT = 200


def main() -> None:
    """Run the named faults, or all, and print."""
    cases = [case for case in CASES if not sys.argv[1:] or case.name in sys.argv[1:]]
    print(f"{'fault':<30}{'':<9}{'exit':>5}{'data':>9}{'twice kB':>10}{'s':>7}  said")
    for case in cases:
        with tempfile.TemporaryDirectory() as place:
            _case(case, Path(place))


def _case(case: Case, workspace: Path) -> None:
    for name in ("competitions", "configs"):
        (workspace / name).mkdir()
    home = make_large(workspace)
    rules = workspace / "faults.json"
    write_faults(rules, [])
    os.environ[FLAG] = str(rules)
    with _served(workspace) as (url, _):
        for who, run in (("kk", _kk), ("kaggle", _kaggle)):
            write_faults(rules, list(case.rules))
            before = len(hits(rules))
            begin = time.perf_counter()
            status, said, data = run(workspace, url, home)
            seconds = time.perf_counter() - begin
            again = twice(hits(rules)[before:])
            print(f"{case.name if who == 'kk' else '':<30}{who:<9}{status:>5}{data:>9}{again / 1000:>10.0f}{seconds:>7.1f}  {said[:110]}", flush=True)


def _ran(words: list, workspace: Path, environment: dict) -> tuple[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("KAGGLE_") and "proxy" not in key.lower() and key != FLAG}
    try:
        ran = subprocess.run(words, cwd=workspace, capture_output=True, text=True, timeout=LIMIT,
                             env={**kept, "KAGGLE_USERNAME": "me", "KAGGLE_KEY": "key", "PYTHONPATH": str(ROOT), **environment})
    except subprocess.TimeoutExpired:
        return "-", f"still running after {LIMIT} s"
    lines = [line for line in (ran.stdout + ran.stderr).replace("\r", "\n").splitlines() if line.strip() and "B/s]" not in line]
    return str(ran.returncode), (lines or ["(nothing)"])[-1].strip()


def _kk(workspace: Path, url: str, home: Path) -> tuple[str, str, str]:
    status, said = _ran([sys.executable, "-m", "kagglekit", "join", "large"], workspace, {"KK_KAGGLE_ENDPOINT": url})
    raw = workspace / "competitions" / "large" / "data" / "raw"
    if not raw.exists():
        return status, said, "none"
    return status, said, "right" if _hashes(raw) == _hashes(home / "large" / "files") else "WRONG"


def _kaggle(workspace: Path, url: str, home: Path) -> tuple[str, str, str]:
    folder = workspace / "official"
    folder.mkdir()
    words = [str(Path(sys.executable).with_name("kaggle")), "competitions", "download", "large"]
    status, said = _ran(words, folder, {"KAGGLE_API_ENVIRONMENT": "LOCALHOST", "http_proxy": url})
    path = folder / "large.zip"
    if not path.exists():
        return status, said, "none"
    try:
        with zipfile.ZipFile(path) as archive:
            sound = archive.testzip() is None
            mine = {name: hashlib.sha256(archive.read(name)).hexdigest() for name in archive.namelist()} if sound else {}
    except (zipfile.BadZipFile, OSError, MemoryError, NotImplementedError, EOFError):
        return status, said, "WRONG"
    return status, said, "right" if mine == _hashes(home / "large" / "files") else "WRONG"


def _hashes(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*") if path.is_file()}


if __name__ == "__main__":
    main()
