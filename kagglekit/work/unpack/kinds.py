"""What a file is, told by its first bytes, and which names are those of archives."""

import lzma
import tarfile
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from kagglekit.errors import KKError
from kagglekit.work.unpack.refusals import damaged
from kagglekit.work.unpack.sevens import read_seven
from kagglekit.work.unpack.target import Target
from kagglekit.work.unpack.tars import is_tar, plain_stream, read_packed, read_tar
from kagglekit.work.unpack.zips import read_zip

FIRST_BYTES = {b"PK\3\4": "zip", b"PK\5\6": "zip", b"PK\7\x08": "zip", b"7z\xbc\xaf\x27\x1c": "7z", b"\x1f\x8b": "gz", b"BZh": "bz2",
               b"\xfd7zXZ\0": "xz", b"\x28\xb5\x2f\xfd": "zst"}
TARS = (".tar", ".tgz", ".tbz", ".tbz2", ".txz", ".tzst", ".tar.gz", ".tar.bz2", ".tar.xz", ".tar.zst")
SINGLES = (".gz", ".bz2", ".xz", ".zst")
ARCHIVES = (".zip", ".7z", *TARS, *SINGLES)
# Packed by their first bytes, but read as they are by the libraries of their fields.
DATA = (".nii.gz", ".vcf.gz", ".fits.gz", ".mgz", ".svgz", ".rds", ".rda", ".rdata", ".npz", ".xlsx", ".xlsm", ".docx", ".pptx", ".odt", ".ods",
        ".jar", ".whl", ".egg", ".kmz", ".epub", ".apk", ".pt", ".pth", ".ckpt", ".keras", ".mcool", ".zarr.zip")


@dataclass(frozen=True, slots=True)
class Kind:
    """What a file is: `format` is zip, 7z, tar, packed (one file) or '' (no archive); `packing` how a tar or a file is packed."""

    format: str = ""
    packing: str = ""


def kind_of(path: Path, name: str) -> Kind:
    """What a file is, by its first bytes; raises Refused where they say so and the next do not follow."""
    with path.open("rb") as source:
        head = source.read(tarfile.BLOCKSIZE)
    packing = next((kind for first, kind in FIRST_BYTES.items() if head.startswith(first)), "")
    if packing in ("zip", "7z"):
        return Kind(packing)
    if packing:
        try:
            with plain_stream(path, packing) as (stream, _):
                head = stream.read(tarfile.BLOCKSIZE)
        except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
            if getattr(error, "errno", None):
                raise
            raise damaged("its start", error) from error
        return Kind("tar" if is_tar(head) else "packed", packing)
    if is_tar(head):
        return Kind("tar")
    # Something may stand before a zip, such as a program that unpacks it.
    return Kind("zip") if name.lower().endswith(".zip") and zipfile.is_zipfile(path) else Kind()


def is_data(name: str) -> bool:
    """Whether a name is that of a format that is packed but no archive.

    >>> is_data("scan.nii.gz"), is_data("train.csv.gz")
    (True, False)
    """
    return name.lower().endswith(DATA)


def is_archive(name: str) -> bool:
    """Whether a name is that of an archive or a packed file.

    >>> is_archive("a/b.tar.gz"), is_archive("scan.nii.gz")
    (True, False)
    """
    return name.lower().endswith(ARCHIVES) and not is_data(name)


def without_suffix(name: str) -> str:
    """A name without what says that it is packed.

    >>> without_suffix("a/b.tar.gz"), without_suffix("train.csv.zip")
    ('a/b', 'train.csv')
    """
    suffix = max((suffix for suffix in ARCHIVES if name.lower().endswith(suffix)), key=len, default="")
    short = name[:len(name) - len(suffix)]
    return short if PurePosixPath(short).name and not short.endswith("/") else name


def read(path: Path, kind: Kind, name: str, target: Target) -> None:
    """Offer every member to the target (a packed file's under `name`); raises Refused where the archive is damaged."""
    try:
        if kind.format == "zip":
            read_zip(path, target)
        elif kind.format == "7z":
            read_seven(path, target)
        elif kind.format == "tar":
            read_tar(path, kind.packing, target)
        else:
            read_packed(path, kind.packing, name, target)
    except (KKError, KeyboardInterrupt):
        raise
    except OSError as error:
        # Errors of the disk have a number; what libraries say of bad data has none.
        if error.errno:
            raise
        raise damaged(target.at, error) from error
    except Exception as error:
        if kind.format != "7z" and not isinstance(error, EXPECTED):
            raise
        raise damaged(target.at, str(error) or type(error).__name__) from error
    target.ended(path.stat().st_size)


EXPECTED = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, tarfile.TarError, EOFError, ValueError, RuntimeError, NotImplementedError,
            OverflowError)
