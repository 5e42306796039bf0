"""Reading 7z archives with py7zr: every member's CRC is checked."""

from pathlib import Path
from typing import TYPE_CHECKING

from kagglekit.work.unpack.refusals import damaged, locked, no_file, safe_name, twice
from kagglekit.work.unpack.target import Target, Writing

if TYPE_CHECKING:
    import py7zr


def read_seven(path: Path, target: Target) -> None:
    """Offer every member to the target."""
    import py7zr
    from py7zr.exceptions import PasswordRequired

    try:
        with path.open("rb") as source, py7zr.SevenZipFile(source) as archive:
            if archive.needs_password():
                raise locked()
            files = [member for member in archive.files if not member.is_directory]
            _check(files, target, path.stat().st_size)
            wanted = {member.filename: writing for member in files if (writing := target.file(member.filename))}
            target.at = "its table of contents"
            if wanted:
                _extract(archive, wanted, target, path.stat().st_size / (sum(member.uncompressed for member in files) or 1))
    except PasswordRequired as error:
        raise locked() from error


def _check(files: list, target: Target, packed: int) -> None:
    for member in files:
        if member.is_symlink or member.is_junction:
            raise no_file(member.filename, "link")
        if not member.is_file:
            raise no_file(member.filename, "device")
    # A solid block's members have no packed size of their own.
    target.listed((member.filename, member.uncompressed, packed) for member in files)


def _extract(archive: "py7zr.SevenZipFile", wanted: dict[str, Writing], target: Target, share: float) -> None:
    """py7zr asks for a file at each member's start; a member is whole, its CRC checked, when the next one is asked for or all is done."""
    from py7zr.io import Py7zIO, WriterFactory

    top = target.folder.absolute()
    by_name = {safe_name(name): writing for name, writing in wanted.items()}
    open_now: list[Writing] = []

    class Sink(Py7zIO):
        """What py7zr writes a member to."""

        def write(self, s: bytes | bytearray) -> int:
            target.moved(len(s) * share)
            return open_now[0].write(s)

        def read(self, size: int | None = None) -> bytes:
            return b""

        def seek(self, offset: int, whence: int = 0) -> int:
            return offset

        def flush(self) -> None:
            pass

        def size(self) -> int:
            return 0

    class Files(WriterFactory):
        """The target's files by the paths that py7zr makes of their names."""

        def create(self, filename: str) -> Py7zIO:
            finish()
            target.at = name = safe_name(Path(filename).relative_to(top).as_posix())
            if name not in by_name:
                raise twice(name)
            open_now.append(by_name.pop(name).__enter__())
            return Sink()

    def finish(error: BaseException | None = None) -> None:
        while open_now:
            open_now.pop().__exit__(type(error) if error else None, error, None)

    try:
        archive.extract(path=top, targets=list(wanted), factory=Files())
    except BaseException as error:
        finish(error)
        raise
    finish()
    if by_name:
        raise damaged(next(iter(by_name)), "it is missing")
