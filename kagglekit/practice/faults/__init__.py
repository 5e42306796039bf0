"""Faults on demand, for tests: the arena's answers cut, spoilt, slowed or lost by the rules of the file that KK_ARENA_FAULTS names."""

import os
from collections.abc import Callable
from pathlib import Path

from kagglekit.practice.faults.rules import Hit, hits, write_faults

FLAG = "KK_ARENA_FAULTS"

__all__ = ["FLAG", "Hit", "hits", "with_faults", "write_faults"]


def with_faults(app: Callable) -> Callable:
    """The app with the faults of the flag's file; the very same app where the flag is not set."""
    path = os.environ.get(FLAG)
    if not path:
        return app
    from kagglekit.practice.faults.middleware import Faults

    return Faults(app, Path(path))
