"""The clock: seconds by stage (read, encode, fit, predict), for run.json and the sentence that names the bottleneck."""

import contextlib
import time
from collections.abc import Iterator

ADVICE = {"encode": "fewer or simpler columns would help", "fit": "fewer rows (--sample 0.1) or rounds would help while you try",
          "predict": "fewer test rows or a smaller model would help", "read": "load fewer columns"}


class Clock:
    """Adds up wall seconds by stage."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}

    @contextlib.contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count the block's time under `name`."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self._seconds[name] = self._seconds.get(name, 0.0) + time.perf_counter() - started

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
