"""Kaggle credentials: where they are looked for, in Kaggle's own order, and which one wins; the secret is never shown."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kagglekit.errors import RemoteError

PRACTICE_USER = "practice"


@dataclass(frozen=True, slots=True)
class Credentials:
    """The login that is used: a token, or user name and key; `source` names where it came from, `shadowed` what it hides."""

    source: str
    token: str = field(default="", repr=False)
    username: str = ""
    key: str = field(default="", repr=False)
    shadowed: str = ""


def practice_credentials() -> Credentials:
    """The login of the practice server, which needs no account."""
    return Credentials(source="the practice server", username=PRACTICE_USER, key=PRACTICE_USER)


def kaggle_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """KAGGLE_CONFIG_DIR, else ~/.kaggle if it exists, else ~/.config/kaggle."""
    if environment.get("KAGGLE_CONFIG_DIR"):
        return Path(environment["KAGGLE_CONFIG_DIR"])
    home = Path("~/.kaggle").expanduser()
    other = Path(environment.get("XDG_CONFIG_HOME") or Path("~/.config").expanduser()) / "kaggle"
    return home if home.exists() or not other.exists() else other


def find_credentials(environment: Mapping[str, str] = os.environ) -> Credentials:
    """The credentials that win; raises RemoteError (cause credentials) naming every place that was looked at."""
    legacy = _legacy(environment)
    found = _token(environment)
    if found:
        token, source = found
        return Credentials(source=source, token=token, shadowed=legacy.source if legacy else "")
    if legacy:
        return legacy
    looked = f"KAGGLE_API_TOKEN, ~/.kaggle/access_token, KAGGLE_USERNAME and KAGGLE_KEY, {kaggle_folder(environment) / 'kaggle.json'}"
    raise RemoteError(f"no Kaggle credentials were found (looked at {looked})",
                      "Make a token under kaggle.com/settings and save it as ~/.kaggle/kaggle.json; to practise without an "
                      "account: kk join practice-clinics --practice", cause="credentials")


def _token(environment: Mapping[str, str]) -> tuple[str, str] | None:
    given = environment.get("KAGGLE_API_TOKEN", "")
    if given:
        return _file_or_text(given), "token from KAGGLE_API_TOKEN"
    for name in ("access_token", "access_token.txt"):
        path = Path("~/.kaggle").expanduser() / name
        if path.is_file() and path.read_text(encoding="utf-8").strip():
            return path.read_text(encoding="utf-8").strip(), f"token from {path}"
    return None


def _file_or_text(given: str) -> str:
    """The content of the file that `given` names, or `given` itself; a long token is no path, and must not show in an error."""
    try:
        return Path(given).read_text(encoding="utf-8").strip() if Path(given).is_file() else given
    except (OSError, ValueError):
        return given


def _legacy(environment: Mapping[str, str]) -> Credentials | None:
    username, key = environment.get("KAGGLE_USERNAME", ""), environment.get("KAGGLE_KEY", "")
    if username and key:
        return Credentials(source="KAGGLE_USERNAME and KAGGLE_KEY", username=username, key=key)
    path = kaggle_folder(environment) / "kaggle.json"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return Credentials(source=f"kaggle.json ({path})", username=username or content["username"], key=key or content["key"])
    except FileNotFoundError:
        return None
    except (json.JSONDecodeError, KeyError, TypeError, OSError) as error:
        raise RemoteError(f"{path} cannot be used ({type(error).__name__})",
                          "Download it again under kaggle.com/settings", cause="credentials") from error
