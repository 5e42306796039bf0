"""kk doctor: is this machine ready? One line a check, with the remedy."""

import datetime
import os
import platform
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from urllib.parse import urlsplit

from kagglekit.competition import arena_home, find_workspace
from kagglekit.credentials import find_credentials
from kagglekit.errors import KKError

PACKAGES = ("click", "rich", "six", "kagglesdk", "numpy", "pandas", "pyarrow", "scipy", "scikit-learn", "skrub", "lightgbm", "optuna",
            "matplotlib", "starlette", "uvicorn", "py7zr", "python-calamine")
CLIENT = ((2, 2, 5), (2, 3))  # versions of the kaggle package whose calls are known: from, below
ENDPOINTS = {"LOCALHOST": "http://localhost", "TEST": "http://localhost:7777"}
SECONDS = 3.0


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
    """Look at Python, packages, credentials, network, clock, disk, memory, GPU, workspace and arena.

        >>> [check.name for check in kk.doctor().checks if not check.ok]  # doctest: +SKIP
    """
    looks: tuple[Callable[[], Check], ...] = (_python, _packages, _client, _credentials, _network, _clock, _disk, _memory, _gpu, _workspace, _arena)
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
    return Check("packages", True, ", ".join(f"{name} {found[name]}" for name in ("numpy", "pandas", "scikit-learn", "lightgbm")))


def _client() -> Check:
    remedy = "pip install 'kaggle>=2.2.5,<2.3'"
    try:
        version = metadata.version("kaggle")
    except metadata.PackageNotFoundError:
        return Check("kaggle", False, "the official client is not installed", remedy)
    numbers = tuple(int(part) for part in version.split(".")[:3] if part.isdecimal())
    if not CLIENT[0] <= numbers < CLIENT[1]:
        return Check("kaggle", False, f"client {version}", remedy)
    trouble = _import_trouble("kaggle")
    return Check("kaggle", not trouble, f"client {version}{f' cannot be imported: {trouble}' if trouble else ''}", remedy if trouble else "")


def _import_trouble(name: str) -> str:
    """Why a package cannot be imported, '' if it can. In a process with a login that is none: importing kaggle prints and looks for one."""
    login = {"KAGGLE_USERNAME": "nobody", "KAGGLE_KEY": "none", "KAGGLE_API_TOKEN": ""}
    try:
        with tempfile.TemporaryDirectory() as place:
            ran = subprocess.run([sys.executable, "-c", f"import {name}"], capture_output=True, text=True, timeout=60,
                                 env={**os.environ, **login, "KAGGLE_CONFIG_DIR": place, "HOME": place})
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return "" if ran.returncode == 0 else (ran.stderr.strip().splitlines() or ["it ends the process"])[-1]


def _credentials() -> Check:
    try:
        found = find_credentials()
    except KKError as error:
        return Check("credentials", False, error.what, error.do)
    except OSError as error:
        return Check("credentials", False, f"{error.filename} cannot be read: {error.strerror}", "Check the file's rights")
    hidden = f"; it hides {found.shadowed}" if found.shadowed else ""
    return Check("credentials", True, found.source + hidden)


def _network() -> Check:
    """One connection to where commands would go: the endpoint, or the proxy before it. Nothing is sent."""
    base = os.environ.get("KK_KAGGLE_ENDPOINT") or ENDPOINTS.get(os.environ.get("KAGGLE_API_ENVIRONMENT", ""), "https://api.kaggle.com")
    scheme = urlsplit(base).scheme
    proxy = "" if os.environ.get("KK_KAGGLE_ENDPOINT") else os.environ.get(f"{scheme}_proxy") or os.environ.get(f"{scheme.upper()}_PROXY") or ""
    trouble = _trouble(proxy or base)
    by = f" by the proxy {urlsplit(proxy).hostname}" if proxy else ""
    if trouble:
        return Check("network", False, f"{base} cannot be reached{by} ({trouble})",
                     "Check the connection or proxy; to practise offline: kk join practice-clinics --practice")
    return Check("network", True, f"{base} can be reached{by}")


def _trouble(url: str) -> str:
    """Why no connection to the URL's host opens within SECONDS, '' if one does. In a thread: looking up a name has no time-out."""
    parts, said = urlsplit(url if "://" in url else f"http://{url}"), ["no answer in time"]

    def connect() -> None:
        try:
            address = (parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))
            socket.create_connection(address, timeout=SECONDS).close()
            said[0] = ""
        except (OSError, ValueError) as error:
            said[0] = getattr(error, "strerror", None) or str(error) or type(error).__name__

    attempt = threading.Thread(target=connect, daemon=True)
    attempt.start()
    attempt.join(SECONDS)
    return said[0]


def _clock() -> Check:
    """A clock that is behind the files of this very program is wrong."""
    now = datetime.datetime.now(datetime.UTC)
    made = datetime.datetime.fromtimestamp(Path(__file__).stat().st_mtime, datetime.UTC)
    behind = made - now > datetime.timedelta(days=1)
    zone = now.astimezone().strftime("%z")
    says = f"{now:%Y-%m-%d %H:%M} UTC (local {zone}); deadlines and daily limits count in UTC"
    if behind:
        return Check("clock", False, f"{now:%Y-%m-%d %H:%M} UTC is before {made:%Y-%m-%d}, when kagglekit was installed",
                     "Set the clock: secure connections and signed downloads fail with a wrong one")
    return Check("clock", True, says)


def _disk() -> Check:
    free = shutil.disk_usage(".").free / 1e9
    return Check("disk", free > 5, f"{free:,.0f} GB free", "" if free > 5 else "Free some space: data is kept raw and as tables")


def _memory() -> Check:
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    except (ValueError, OSError, AttributeError):
        return Check("memory", True, "unknown")
    return Check("memory", total > 4, f"{total:,.0f} GB, {os.cpu_count()} cores", "" if total > 4 else "Use --sample for large data")


def _gpu() -> Check:
    """What the driver says; a machine without one is in order, for table models need none."""
    if shutil.which("nvidia-smi") is None:
        return Check("gpu", True, "none found (table models need none)")
    try:
        ran = subprocess.run(["nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader"], capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Check("gpu", False, f"the driver does not answer: {error}", "Look at it with: nvidia-smi")
    if ran.returncode:
        return Check("gpu", False, (ran.stdout + ran.stderr).strip().splitlines()[0] if ran.stdout + ran.stderr else "the driver fails",
                     "Install the driver again, or restart the machine")
    return Check("gpu", True, "; ".join(line.strip() for line in ran.stdout.splitlines() if line.strip()))


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
