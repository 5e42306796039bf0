"""Who scores a submission: a claim names its process and ends with it, or when its time is up."""

import os
import secrets
import sys
import time

_LIFE = secrets.token_hex(4)  # a process of another life may have had the same number


def owner(number: int) -> str:
    """The name under which scorer `number` of this process claims."""
    return f"{os.getpid()}:{_LIFE}:{number}"


def is_stale(claim: str | None, until: float, asks: str) -> bool:
    """Whether nobody scores it any more: never claimed, claimed by the one who asks, its time is up, or its process is gone."""
    if not claim or claim == asks or until < time.time():
        return True
    pid, life, _ = claim.split(":")
    return life != _LIFE and (int(pid) == os.getpid() or not _is_alive(int(pid)))


def _is_alive(pid: int) -> bool:
    if sys.platform == "win32":  # there os.kill would end it; the claim's time is waited for
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
