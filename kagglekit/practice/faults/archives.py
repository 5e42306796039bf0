"""Spoilt zips, made from the bytes of a real one; the same bytes and rule give the same zip."""

import io
import stat
import zipfile

DATE = (2020, 1, 1, 0, 0, 0)
HEADER = 30  # bytes of a member's local header before its name


def is_zip(body: bytes) -> bool:
    """Whether the bytes are a zip."""
    return zipfile.is_zipfile(io.BytesIO(body))


def _members(body: bytes) -> list[tuple[zipfile.ZipInfo, bytes]]:
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        return [(info, archive.read(info)) for info in archive.infolist()]


def _packed(members: list[tuple[zipfile.ZipInfo, bytes]], stored: str | None = None) -> bytes:
    """The members in this order; `stored` names one that is not compressed ('': none of them is)."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for info, content in members:
            plain = stored in ("", info.filename)
            archive.writestr(info, content, zipfile.ZIP_STORED if plain else zipfile.ZIP_DEFLATED)
    return target.getvalue()


def turned(body: bytes) -> bytes:
    """A valid zip of the same members with other bytes: the order turned round, nothing compressed."""
    return _packed(_members(body)[::-1], stored="")


def with_corrupt(body: bytes, name: str) -> bytes:
    """One byte in the middle of a member's content flipped, its CRC kept; without a name the first member with content is taken."""
    members = _members(body)
    name = name or next(info.filename for info, content in members if content)
    spoilt = bytearray(_packed(members, stored=name))
    with zipfile.ZipFile(io.BytesIO(spoilt)) as archive:
        info = archive.getinfo(name)
    lengths = spoilt[info.header_offset + 26:info.header_offset + HEADER]
    start = info.header_offset + HEADER + int.from_bytes(lengths[:2], "little") + int.from_bytes(lengths[2:], "little")
    spoilt[start + info.file_size // 2] ^= 0xFF
    return bytes(spoilt)


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo("placeholder", date_time=DATE)
    entry.filename, entry.compress_type = name, zipfile.ZIP_DEFLATED
    return entry


def with_member(body: bytes, name: str, content: bytes, link: bool = False) -> bytes:
    """One more member, under this very name; as a symbolic link its content is where it leads."""
    entry = _entry(name)
    entry.create_system, entry.external_attr = 3, ((stat.S_IFLNK | 0o777) if link else (stat.S_IFREG | 0o644)) << 16
    target = io.BytesIO(body)
    with zipfile.ZipFile(target, "a") as archive:
        archive.writestr(entry, content)
    return target.getvalue()


def with_zeros(body: bytes, name: str, size: int) -> bytes:
    """One more member of so many zeros, packed piece by piece."""
    target, piece = io.BytesIO(body), bytes(1024**2)
    with zipfile.ZipFile(target, "a") as archive, archive.open(_entry(name), "w", force_zip64=size >= 2**31) as member:
        for start in range(0, size, len(piece)):
            member.write(piece[:size - start])
    return target.getvalue()
