"""The clock: seconds by stage (read, encode, bin, wait, compute, fit, predict), for run.json and the sentence that names the bottleneck."""

import contextlib
import contextvars
import threading
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")
ADVICE = {"encode": "fewer or simpler columns would help", "fit": "fewer rows (--sample 0.1) or rounds would help while you try",
          "predict": "fewer test rows or a smaller model would help", "read": "load fewer columns",
          "bin": "fewer columns or a smaller max_bin would help",
          "wait": "the model waits for its data: more loader processes, smaller files or a cache of what is decoded would help",
          "compute": "a smaller model, larger batches or fewer epochs would help while you try"}


class Clock:
    """Wall seconds by stage. Of stages inside one another the inner counts; of threads at work at once each has its share.

    >>> clock = Clock()
    >>> with clock.stage("fit"):
    ...     pass
    >>> list(clock.seconds())
    ['fit']
    """

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}
        self._open: dict[int, list[str]] = {}
        self._lock = threading.Lock()
        self._since = time.perf_counter()

    @contextlib.contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count the block's time under `name`."""
        thread = threading.get_ident()
        with self._lock:
            self._count()
            self._open.setdefault(thread, []).append(name)
        try:
            yield
        finally:
            with self._lock:
                self._count()
                self._open[thread].pop()
                if not self._open[thread]:
                    del self._open[thread]

    def batches(self, loader: Iterable[Item]) -> Iterator[Item]:
        """The loader's batches: time until one is there counts as `wait`, time until the next is asked for as `compute`."""
        source = iter(loader)
        while True:
            with self.stage("wait"):
                try:
                    batch = next(source)
                except StopIteration:
                    return
            with self.stage("compute"):
                yield batch

    def seconds(self) -> dict[str, float]:
        """Seconds of each stage, to the millisecond."""
        return {name: round(value, 3) for name, value in self._seconds.items()}

    def bottleneck(self) -> str:
        """One sentence on where the time went."""
        total = sum(self._seconds.values())
        if not total:
            return "no time was measured"
        name, most = max(self._seconds.items(), key=lambda item: item[1])
        return f"{name} took {most / total:.0%} of {total:.1f} s; {ADVICE.get(name, 'nothing to do')}"

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Inside the block `stage` and `batches` of this module count on this clock."""
        token = _running.set(self)
        try:
            yield
        finally:
            _running.reset(token)

    def _count(self) -> None:
        """Share out the time since the last change among the stages that are open."""
        now = time.perf_counter()
        for names in self._open.values():
            self._seconds[names[-1]] = self._seconds.get(names[-1], 0.0) + (now - self._since) / len(self._open)
        self._since = now


_running: contextvars.ContextVar[Clock | None] = contextvars.ContextVar("kagglekit_clock", default=None)


def stage(name: str) -> contextlib.AbstractContextManager[None]:
    """In a model of your own: count a block under `name` (wait, compute, encode, fit, predict) in the run's seconds.

    >>> with stage("wait"):
    ...     pass
    """
    clock = _running.get()
    return clock.stage(name) if clock else contextlib.nullcontext()


def batches(loader: Iterable[Item]) -> Iterable[Item]:
    """In a model of your own: the loader's batches, with the run told how long the model waited for them and how long it computed.

    >>> [batch for batch in batches([1, 2])]
    [1, 2]
    """
    clock = _running.get()
    return clock.batches(loader) if clock else loader
