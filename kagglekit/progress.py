"""What long work says while it goes: steps and counted progress, sent to whichever face listens."""

import contextlib
import contextvars
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol


class Listener(Protocol):
    """A face that shows progress: the terminal, a notebook, a test."""

    def say(self, text: str) -> None: ...

    def update(self, task: "Task") -> None: ...


@dataclass(slots=True)
class Task:
    """Counted work: `done` of `total` in `unit`, since `started` (monotonic seconds); `before` of it was done by then."""

    title: str
    total: float
    unit: str
    done: float = 0.0
    before: float = 0.0
    note: str = ""
    finished: bool = False
    started: float = field(default_factory=time.monotonic)

    def advance(self, amount: float = 1, note: str = "") -> None:
        """Count `amount` more; `note` is a short running result such as a score."""
        self.done += amount
        self.note = note or self.note
        _tell(self)


_listener: contextvars.ContextVar[Listener | None] = contextvars.ContextVar("kagglekit_listener", default=None)


@contextlib.contextmanager
def listening(listener: Listener | None) -> Iterator[None]:
    """Send all progress inside the block to `listener` (None: silence)."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


def say(text: str) -> None:
    """One line of narration."""
    listener = _listener.get()
    if listener is not None:
        listener.say(text)


@contextlib.contextmanager
def task(title: str, total: float, unit: str, done: float = 0.0) -> Iterator[Task]:
    """Counted progress over the block; `done` was done before it.

    >>> with task("fitting", total=5, unit="folds") as work:
    ...     work.advance()
    >>> work.done
    1.0
    """
    work = Task(title=title, total=total, unit=unit, done=done, before=done)
    try:
        yield work
    finally:
        work.finished = True
        _tell(work)


def _tell(work: Task) -> None:
    listener = _listener.get()
    if listener is not None:
        listener.update(work)
