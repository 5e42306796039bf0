"""CPU time of `kk --help` against `kaggle --help`, in alternating runs; prints both medians and the ratio."""

import os
import resource
import statistics
import subprocess
import sys
from pathlib import Path

RUNS = 11
BIN = Path(sys.executable).parent


def cpu_seconds(command: list[str]) -> float:
    """User and system seconds of one run."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    login = {"KAGGLE_USERNAME": "x", "KAGGLE_KEY": "x"}  # without one kaggle ends before it shows its help
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True, env={**os.environ, **login})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Run both in turn after one warm-up."""
    ours, theirs = [str(BIN / "kk"), "--help"], [str(BIN / "kaggle"), "--help"]
    cpu_seconds(ours), cpu_seconds(theirs)
    pairs = [(cpu_seconds(ours), cpu_seconds(theirs)) for _ in range(RUNS)]
    mine, peer = statistics.median(a for a, _ in pairs), statistics.median(b for _, b in pairs)
    print(f"kk --help {mine * 1000:.0f} ms CPU, kaggle --help {peer * 1000:.0f} ms CPU (medians of {RUNS} alternating runs): "
          f"ratio {statistics.median(a / b for a, b in pairs):.2f} (goal: at most 0.40)")


if __name__ == "__main__":
    main()
