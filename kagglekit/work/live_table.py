"""The live table's line to whoever shows it: the rows of a long comparison, sent each time one of them changes."""

import contextlib
import contextvars
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass


@dataclass(slots=True)
class LiveRow:
    """One model as it stands: `state` is waiting, training, done, again, failed or left out; `note` says how far it is."""

    name: str
    state: str = "waiting"
    run: str = ""
    score: float | None = None
    se: float | None = None
    seconds: float = 0.0
    note: str = ""


Watcher = Callable[[Sequence[LiveRow]], None]
_watcher: contextvars.ContextVar[Watcher | None] = contextvars.ContextVar("kagglekit_watcher", default=None)


@contextlib.contextmanager
def watching(watcher: Watcher) -> Iterator[None]:
    """Send the rows inside the block to `watcher`.

    >>> seen = []
    >>> with watching(lambda rows: seen.append([row.state for row in rows])):
    ...     show([LiveRow("linear", "done")])
    >>> seen
    [['done']]
    """
    token = _watcher.set(watcher)
    try:
        yield
    finally:
        _watcher.reset(token)


def show(rows: Sequence[LiveRow]) -> None:
    """Tell the watcher, where there is one, how the rows stand."""
    watcher = _watcher.get()
    if watcher is not None:
        watcher(rows)
