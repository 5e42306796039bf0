"""The terminal's progress: narration on stderr, and a line with rate and time left on anything over two seconds."""

import shutil
import sys
import time

import click

from kagglekit.progress import Task

QUIET_SECONDS, REDRAW_SECONDS = 2.0, 0.1


class Terminal:
    """A progress listener that writes to stderr; counted work is drawn only on a terminal."""

    def __init__(self) -> None:
        self._drawn = False
        self._last = 0.0
        self._live = sys.stderr.isatty()

    def say(self, text: str) -> None:
        """One line of narration."""
        self._wipe()
        click.echo(text, err=True)

    def update(self, task: Task) -> None:
        """Redraw the line of counted work."""
        now = time.monotonic()
        if not self._live or now - task.started < QUIET_SECONDS:
            return
        if task.finished:
            self._wipe()
        elif now - self._last >= REDRAW_SECONDS:
            self._last = now
            self._wipe()
            width = shutil.get_terminal_size().columns - 1  # a line that wraps could not be wiped
            click.echo(describe(task, now)[:width], err=True, nl=False)
            self._drawn = True

    def _wipe(self) -> None:
        if self._drawn:
            click.echo("\r\x1b[2K", err=True, nl=False)
            self._drawn = False


def describe(task: Task, now: float) -> str:
    """'training lgbm  3/5 folds  0.4/s  0:05 left  rmse 7.21'."""
    seconds = max(now - task.started, 1e-9)
    rate = (task.done - task.before) / seconds
    left = (task.total - task.done) / rate if rate else 0
    if task.unit == "B":
        amount, speed = f"{task.done / 1e6:,.1f}/{task.total / 1e6:,.1f} MB", f"{rate / 1e6:,.1f} MB/s"
    else:
        amount, speed = f"{task.done:g}/{task.total:g} {task.unit}", f"{rate:.2g}/s" if rate else ""
    clock = f"{int(left) // 60}:{int(left) % 60:02d} left" if rate and not (task.note and " left" in task.note) else ""
    return "  ".join(part for part in (task.title, amount, speed, clock, task.note) if part)
