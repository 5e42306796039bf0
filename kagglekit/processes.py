"""Other processes of this machine."""

import os
import sys


def is_alive(pid: int) -> bool:
    """Whether a process of this machine is there; where that cannot be known without harm, yes.

    >>> is_alive(os.getpid())
    True
    """
    if sys.platform == "win32":  # there os.kill would end it
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
