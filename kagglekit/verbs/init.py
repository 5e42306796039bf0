"""kk init: make a workspace."""

import shlex
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from kagglekit.errors import KKError
from kagglekit.store import disk_error, write_text

IGNORED = """arena/
.kk/
competitions/*/data/
competitions/*/runs/
competitions/*/submissions/
competitions/*/reports/
competitions/*/leaderboard/
competitions/*/ledger.db*
competitions/*/tune/
"""


@dataclass(frozen=True, slots=True)
class Workspace:
    """A new workspace and what was made in it."""

    folder: str
    created: tuple[str, ...]
    next: str


def init(folder: str | Path = ".") -> Workspace:
    """Make a workspace: configs/ with the presets, competitions/, and a .gitignore that keeps data out of version control.

        >>> kk.init("kaggle")  # doctest: +SKIP
    """
    place = Path(folder)
    if (place / "configs").is_dir() and (place / "competitions").is_dir():
        raise KKError(f"{place.resolve()} is a workspace already", "Go on in it: kk status")
    if place.is_file():
        raise KKError(f"{place} is a file", "Give a folder: kk init my-workspace")
    try:
        (place / "competitions").mkdir(parents=True, exist_ok=True)
        (place / "configs").mkdir(exist_ok=True)
    except OSError as error:
        raise disk_error(place, error) from error
    created = ["competitions/", "configs/"]
    for preset in _presets():
        target = place / "configs" / preset.name
        if not target.exists():
            write_text(target, preset.read_text(encoding="utf-8"))
            created.append(f"configs/{preset.name}")
    if not (place / ".gitignore").exists():
        write_text(place / ".gitignore", IGNORED)
        created.append(".gitignore")
    step = "" if place.resolve() == Path.cwd() else f"cd {shlex.quote(str(place))} && "
    return Workspace(str(place.resolve()), tuple(created), f"{step}kk join practice-clinics --practice")


def _presets() -> list[Path]:
    """The presets shipped with the product."""
    package = Path(str(resources.files("kagglekit")))
    folders = [folder for folder in (package / "configs", package.parent / "configs") if folder.is_dir()]
    return sorted(folders[0].glob("*.toml")) if folders else []
