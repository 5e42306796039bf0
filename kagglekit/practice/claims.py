"""Who scores a submission: a claim names its process and ends with it, or when its time is up."""

import os
import secrets
import time

from kagglekit.processes import is_alive

_LIFE = secrets.token_hex(4)  # a process of another life may have had the same number


def owner(number: int) -> str:
    """The name under which scorer `number` of this process claims."""
    return f"{os.getpid()}:{_LIFE}:{number}"


def is_stale(claim: str | None, until: float, asks: str) -> bool:
    """Whether nobody scores it any more: never claimed, claimed by the one who asks, its time is up, or its process is gone."""
    if not claim or claim == asks or until < time.time():
        return True
    pid, life, _ = claim.split(":")
    return life != _LIFE and (int(pid) == os.getpid() or not is_alive(int(pid)))
