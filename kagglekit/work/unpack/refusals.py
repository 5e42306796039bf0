"""Why an archive is not used, and what a member may be called."""

import re
from pathlib import Path

from kagglekit.errors import KKError

NOTHING = "Nothing of it was kept"
BY_HAND = "Unpack it yourself and name the folder: kk join SLUG --from PATH"
DRIVE = re.compile(r"[A-Za-z]:")


class Unusable(KKError):
    """An archive that cannot be unpacked here; `reason` goes on from its name ("is damaged ..."), `path` is where it lies."""

    def __init__(self, reason: str, do: str) -> None:
        super().__init__(f"the archive {reason}", do)
        self.reason = " ".join(reason.split())
        self.path: Path | None = None


class Refused(Unusable):
    """An archive that must not be used: it is damaged, or would do harm."""


def damaged(at: str, error: object) -> Refused:
    """What cannot be read, and where."""
    return Refused(f"is damaged at {at}: {error}", f"{NOTHING}; fetch it again with the same command")


def twice(name: str) -> Refused:
    """Two members of one name."""
    return Refused(f"holds {name!r} twice", f"{NOTHING}; report it to the host")


def no_file(name: str, kind: str) -> Refused:
    """A member that is a link or a device."""
    return Refused(f"holds the {kind} {name!r}, which would leave its folder", f"{NOTHING}; report it to the host")


def locked() -> Unusable:
    """An archive with a password."""
    return Unusable("is protected by a password", BY_HAND)


def safe_name(name: str) -> str:
    """A member's path below its folder, with / between its parts; raises Refused where it would leave the folder.

    >>> safe_name("./images/a.png"), safe_name("images" + chr(92) + "a.png")
    ('images/a.png', 'images/a.png')
    """
    parts = [part for part in _text(name).replace("\\", "/").split("/") if part not in ("", ".")]
    if not parts or ".." in parts or name.startswith(("/", "\\")) or DRIVE.match(parts[0]) or "\0" in name:
        raise Refused(f"holds {name!r}, which would leave its folder", f"{NOTHING}; report it to the host")
    return "/".join(parts)


def _text(name: str) -> str:
    """The name without bytes that are no UTF-8: those are read as Latin-1."""
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        name = name.encode("utf-8", "surrogateescape" if re.search("[\udc80-\udcff]", name) else "replace").decode("latin-1")
        name = name.encode("utf-8", "replace").decode("utf-8")
    return name
