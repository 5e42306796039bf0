"""A limit of time: what is left of it, and whether something new still fits."""

import math
import re
import time

from kagglekit.errors import KKError

UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}


class TimeLimit:
    """Seconds from now on ("10m", "90s", "1.5h", a number; None: no limit). Raises KKError for text that is no time.

    >>> limit = TimeLimit("10m")
    >>> limit.fits(60), limit.fits(3600), TimeLimit(None).fits(1e9)
    (True, False, True)
    """

    def __init__(self, given: str | float | None) -> None:
        self.seconds = math.inf if given is None else _seconds(given)
        self._started = time.monotonic()

    @property
    def left(self) -> float:
        """Seconds that are left, 0 at the least; infinite without a limit."""
        return max(self.seconds - (time.monotonic() - self._started), 0.0)

    def fits(self, seconds: float) -> bool:
        """Whether something that takes so long may still be started."""
        return self.left > 0 and seconds <= self.left


def _seconds(given: str | float) -> float:
    found = re.fullmatch(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*(s|m|min|h|)\s*", str(given))
    if not found or float(found[1]) <= 0:
        raise KKError(f"{given!r} is no time", "Write it as --budget 10m, 90s or 1.5h")
    return float(found[1]) * UNITS[found[2]]
