"""kk doctor: is this machine ready? One line a check, with the remedy."""

import os
import platform
import shutil
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from urllib.parse import urlsplit

from kagglekit.competition import arena_home, find_workspace
from kagglekit.credentials import find_credentials
from kagglekit.errors import KKError

PACKAGES = ("kaggle", "kagglesdk", "six", "numpy", "pandas", "pyarrow", "scipy", "scikit-learn", "skrub", "lightgbm", "starlette", "uvicorn")
ENDPOINT = "https://api.kaggle.com"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    ok: bool
    says: str
    do: str = ""


@dataclass(frozen=True, slots=True)
class Doctor:
    """All checks; `ok` where none failed."""

    ok: bool
    checks: tuple[Check, ...]
    next: str


def doctor() -> Doctor:
    """Look at Python, packages, credentials, network, disk, memory, workspace and arena.

        >>> [check.name for check in kk.doctor().checks if not check.ok]  # doctest: +SKIP
    """
    looks: tuple[Callable[[], Check], ...] = (_python, _packages, _credentials, _network, _disk, _memory, _workspace, _arena)
    checks = tuple(look() for look in looks)
    inside = find_workspace() is not None
    return Doctor(all(check.ok for check in checks), checks, "kk join practice-clinics --practice" if inside else "kk init .")


def _python() -> Check:
    version = platform.python_version()
    return Check("python", sys.version_info >= (3, 11), version, "" if sys.version_info >= (3, 11) else "Install Python 3.11 or newer")


def _packages() -> Check:
    missing, found = [], {}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            missing.append(name)
    if missing:
        return Check("packages", False, f"missing: {', '.join(missing)}", f"pip install {' '.join(missing)}")
    return Check("packages", True, ", ".join(f"{name} {found[name]}" for name in ("kaggle", "numpy", "pandas", "scikit-learn", "lightgbm")))


def _credentials() -> Check:
    try:
        found = find_credentials()
    except KKError as error:
        return Check("credentials", False, error.what, error.do)
    hidden = f"; it hides {found.shadowed}" if found.shadowed else ""
    return Check("credentials", True, found.source + hidden)


def _network() -> Check:
    base = os.environ.get("KK_KAGGLE_ENDPOINT") or ENDPOINT
    parts = urlsplit(base)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        socket.create_connection((parts.hostname or "", port), timeout=3).close()
    except OSError as error:
        return Check("network", False, f"{base} cannot be reached ({error.strerror or type(error).__name__})",
                     "Check the connection or proxy; to practise offline: kk join practice-clinics --practice")
    return Check("network", True, f"{base} answers")


def _disk() -> Check:
    free = shutil.disk_usage(".").free / 1e9
    return Check("disk", free > 5, f"{free:,.0f} GB free", "" if free > 5 else "Free some space: data is kept raw and as tables")


def _memory() -> Check:
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    except (ValueError, OSError, AttributeError):
        return Check("memory", True, "unknown")
    return Check("memory", total > 4, f"{total:,.0f} GB, {os.cpu_count()} cores", "" if total > 4 else "Use --sample for large data")


def _workspace() -> Check:
    found = find_workspace()
    return Check("workspace", found is not None, str(found or "none here"), "" if found else "Make one: kk init .")


def _arena() -> Check:
    try:
        home = arena_home(find_workspace())
    except KKError as error:
        return Check("arena", False, error.what, error.do)
    known = sum(1 for _ in home.glob("*/contest.toml")) if home.exists() else 0
    return Check("arena", True, f"{home} ({known} competitions)" if known else f"{home} (made at first use)")
