"""The zip of a contest's public files."""

import os
import secrets
import shutil
import zipfile
from pathlib import Path

from kagglekit.practice.contest import Contest
from kagglekit.practice.state import State


def archive_of(state: State, contest: Contest) -> Path:
    """The zip of all public files, made once; the same files give the same bytes."""
    names = contest.file_paths()
    stamp = max((contest.files / name).stat().st_mtime_ns for name in names)
    path = state.home / ".archives" / f"{contest.slug}-{stamp}.zip"
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        # One name a call: requests are answered by several threads of one process.
        hidden = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
        with zipfile.ZipFile(hidden, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in names:
                entry = zipfile.ZipInfo(name, date_time=(2020, 1, 1, 0, 0, 0))
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.file_size = (contest.files / name).stat().st_size
                with (contest.files / name).open("rb") as source, archive.open(entry, "w") as sink:
                    shutil.copyfileobj(source, sink, 1024**2)
        os.replace(hidden, path)
    return path
