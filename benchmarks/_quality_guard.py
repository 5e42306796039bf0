"""A command under guards of time and memory: what quality.py starts ends in time, with all its children, and says what it took."""

import contextlib
import os
import resource
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

LOOK_SECONDS = 0.2
FAREWELL_SECONDS = 15.0  # from Ctrl-C to the end by force: time to write what is finished


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command did: its exit status, both outputs, seconds by the clock and of the processor, peak memory in MB (all processes).

    `cut` is "time" or "memory" where a guard ended it, else "".
    """

    code: int
    out: str
    err: str
    seconds: float
    cpu: float
    mb: float
    cut: str = ""

    @property
    def good(self) -> bool:
        """Whether it ended by itself, and well."""
        return self.code == 0 and not self.cut

    @property
    def last_line(self) -> str:
        """What it said last: the error, where there is one."""
        lines = [line for line in (self.err.strip() or self.out.strip()).splitlines() if line.strip()]
        return lines[-1].strip() if lines else ""


def guarded(command: Sequence[str], *, seconds: float, gb: float, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> Ran:
    """Run a command to its end, or until it is `seconds` old or all its processes together hold `gb` of memory.

    It gets an interrupt first, as by Ctrl-C, and is killed when that does not help. Memory is watched where there is a /proc (Linux).
    """
    before, start, peak, cut = _cpu(), time.perf_counter(), 0.0, ""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(command, stdout=out, stderr=err, stdin=subprocess.DEVNULL, cwd=cwd, env=env, start_new_session=True)
        try:
            while process.poll() is None and not cut:
                time.sleep(LOOK_SECONDS)
                peak = max(peak, _megabytes(process.pid))
                cut = "time" if time.perf_counter() - start > seconds else "memory" if peak > 1024 * gb else ""
        finally:
            _end(process)
        taken = time.perf_counter() - start
        return Ran(process.returncode, _text(out), _text(err), taken, _cpu() - before, peak, cut)


def _end(process: subprocess.Popen) -> None:
    """End the command's own process group, first kindly; nothing happens where it has ended."""
    for signal_number, patience in ((signal.SIGINT, FAREWELL_SECONDS), (signal.SIGKILL, FAREWELL_SECONDS)):
        if process.poll() is not None:
            break
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal_number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)  # children that outlive it


def _megabytes(group: int) -> float:
    """Resident memory of a process group; 0 where there is no /proc."""
    total, page = 0, os.sysconf("SC_PAGE_SIZE")
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError):
            if int((folder / "stat").read_text().rpartition(")")[2].split()[2]) == group:
                total += int((folder / "statm").read_text().split()[1]) * page
    return total / 1024**2


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _text(file: object) -> str:
    file.seek(0)  # type: ignore[attr-defined]
    return file.read().decode(errors="replace")  # type: ignore[attr-defined]
