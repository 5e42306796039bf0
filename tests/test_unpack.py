"""Unpacking: any archive and those inside it, whole or not at all, nothing outside its folder, gone on with after a kill."""

import bz2
import gzip
import io
import json
import lzma
import os
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kagglekit.competition import Competition
from kagglekit.errors import KKError
from kagglekit.store import Store
from kagglekit.work.fetch import Fetched
from kagglekit.work.unpack import budget, unpack
from kagglekit.work.unpack.journal import Journal
from kagglekit.work.unpack.refusals import Refused, safe_name
from tests.conftest import ROOT

Content = Mapping[str, bytes]


@pytest.fixture
def store(bare: Store) -> Store:
    """A competition that has data and a table already."""
    unpack(bare, brought(bare, zipped({"train.csv": b"id,y\n1,2\n"})))
    bare.tables.mkdir()
    (bare.tables / "train.parquet").write_bytes(b"")
    return bare


def fetched(store: Store, members: dict[str, str]) -> Fetched:
    folder = store.folder / "data" / ".download"
    folder.mkdir(exist_ok=True)
    path = folder / "archive.part"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return Fetched(path, "archive.zip", 0, 0)


@pytest.mark.parametrize("name", ["../evil.txt", "/evil.txt", "a/../../evil.txt", "..\\evil.txt", "C:/evil.txt"])
def test_an_archive_that_would_leave_its_folder_is_refused_whole(store: Store, name: str) -> None:
    before = sorted(path.name for path in store.raw.iterdir())
    with pytest.raises(KKError, match=r"would leave its folder.*Nothing of it was kept"):
        unpack(store, fetched(store, {"fine.csv": "a,b\n1,2\n", name: "x"}))
    assert sorted(path.name for path in store.raw.iterdir()) == before
    assert not list(store.folder.rglob("evil.txt"))


def test_a_link_in_an_archive_is_refused(store: Store) -> None:
    entry = zipfile.ZipInfo("link")
    entry.external_attr = 0o120777 << 16
    archive = fetched(store, {"fine.csv": "a\n1\n"})
    with zipfile.ZipFile(archive.path, "a") as opened:
        opened.writestr(entry, "/etc/passwd")
    with pytest.raises(KKError, match="would leave its folder"):
        unpack(store, archive)


def test_a_damaged_member_refuses_the_archive_and_the_next_try_starts_over(store: Store) -> None:
    archive = fetched(store, {"train.csv": "a,b\n" + "1,2\n" * 5000})
    content = bytearray(archive.path.read_bytes())
    content[60] ^= 0xFF
    archive.path.write_bytes(bytes(content))
    with pytest.raises(KKError, match="the archive is damaged.*fetch it again"):
        unpack(store, archive)
    assert not archive.path.exists() and (store.raw / "train.csv").exists()


def test_a_damaged_packed_member_is_named(store: Store) -> None:
    archive = fetched(store, {"fine.csv": "a\n1\n"})
    with zipfile.ZipFile(archive.path, "a", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr("train.csv", "\n".join(map(str, range(9000))))
        start = opened.infolist()[1].header_offset
    content = bytearray(archive.path.read_bytes())
    content[start + 200:start + 400] = bytes(200)
    archive.path.write_bytes(bytes(content))
    with pytest.raises(KKError, match=r"damaged at train\.csv: .*fetch it again"):
        unpack(store, archive)
    assert not (store.raw / "fine.csv").exists() and not (store.folder / "data" / ".unpacking").exists()


def test_a_page_that_came_as_an_archive_is_refused(store: Store) -> None:
    archive = fetched(store, {})
    archive.path.write_text("<html>")
    with pytest.raises(KKError, match="it is no zip.*fetch it again"):
        unpack(store, archive)
    assert not archive.path.exists() and (store.raw / "train.csv").exists()


def test_an_archive_that_blows_up_is_refused_before_it_is_unpacked(store: Store) -> None:
    archive = fetched(store, {})
    with zipfile.ZipFile(archive.path, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr("train.csv", "1" * 100_000)
        opened.infolist()[0].file_size = 3 * 1024**3
    with pytest.raises(KKError, match=r"'train\.csv' unpacks to 3\.2 GB.*Nothing of it was kept"):
        unpack(store, archive)


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("names", [("a.csv", "a.csv"), ("a", "a/b.csv")])
def test_a_name_that_is_there_twice_is_refused(store: Store, names: tuple[str, str]) -> None:
    archive = fetched(store, {})
    with zipfile.ZipFile(archive.path, "w") as opened:
        for name in names:
            opened.writestr(name, "x\n1\n")
    with pytest.raises(KKError, match=r"the archive holds .* twice.*Nothing of it was kept"):
        unpack(store, archive)


def test_a_single_file_keeps_its_own_name(store: Store) -> None:
    archive = fetched(store, {})
    archive.path.write_text("id,y\n1,2\n")
    unpack(store, Fetched(archive.path, "train set.csv", 9, 0))
    assert (store.raw / "train set.csv").read_text() == "id,y\n1,2\n" and [path.name for path in store.raw.iterdir()] == ["train set.csv"]
    assert [one["name"] for one in json.loads(store.manifest.read_text())["files"]] == ["train set.csv"]


def test_new_data_takes_the_tables_of_the_old_with_it(store: Store) -> None:
    assert (store.tables / "train.parquet").exists()
    unpack(store, fetched(store, {"train.csv": "id,y\n1,2\n"}))
    assert not store.tables.exists()


def test_unicode_names_and_folders_are_kept(store: Store) -> None:
    unpack(store, fetched(store, {"bilder/größe 1.csv": "a\n1\n"}), keep_archive=True)
    assert (store.raw / "bilder" / "größe 1.csv").exists()
    assert (store.folder / "data" / "archive.zip").exists()



@pytest.fixture
def bare(tmp_path: Path) -> Store:
    """A competition's folder with nothing in it."""
    return Store(Competition(slug="bare", folder=tmp_path / "bare"))


def zipped(members: Content, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return made.getvalue()


def tarred(members: Content) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return made.getvalue()


def sevened(members: Content, password: str | None = None) -> bytes:
    import py7zr

    made = io.BytesIO()
    with py7zr.SevenZipFile(made, "w", password=password) as archive:
        for name, content in members.items():
            archive.writestr(content, name)
    return made.getvalue()


def zst(content: bytes) -> bytes:
    import pyarrow as pa

    made = pa.BufferOutputStream()
    with pa.CompressedOutputStream(made, "zstd") as sink:
        sink.write(content)
    return made.getvalue().to_pybytes()


def brought(store: Store, content: bytes, name: str = "archive.zip") -> Fetched:
    path = store.folder / "data" / ".download" / "archive.part"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return Fetched(path, name, len(content), 0)


def files(store: Store) -> dict[str, bytes]:
    """What is in data/raw; the manifest must say the same."""
    found = {path.relative_to(store.raw).as_posix(): path.read_bytes() for path in store.raw.rglob("*") if path.is_file()}
    told = {entry["name"]: entry["bytes"] for entry in content_of(store)["files"]}
    assert told == {name: len(content) for name, content in found.items()}
    assert not (store.folder / "data" / ".unpacking").exists()
    return found


def content_of(store: Store) -> dict:
    return json.loads(store.manifest.read_text(encoding="utf-8"))


BIG = os.urandom(70_000) * 3
TREE = {"train.csv": b"id,y\n" + b"1,2\n" * 9000, "images/a b.png": BIG, "images/leer.txt": b""}
ARCHIVES = {
    "zip-store": lambda: zipped(TREE, zipfile.ZIP_STORED), "zip-deflate": lambda: zipped(TREE),
    "zip-bzip2": lambda: zipped(TREE, zipfile.ZIP_BZIP2), "zip-lzma": lambda: zipped(TREE, zipfile.ZIP_LZMA), "tar": lambda: tarred(TREE),
    "tar.gz": lambda: gzip.compress(tarred(TREE)), "tar.bz2": lambda: bz2.compress(tarred(TREE)), "tar.xz": lambda: lzma.compress(tarred(TREE)),
    "tar.zst": lambda: zst(tarred(TREE)), "7z": lambda: sevened(TREE)}


@pytest.mark.parametrize("form", ARCHIVES)
def test_every_form_is_known_by_its_first_bytes_and_a_damaged_one_is_refused(bare: Store, form: str) -> None:
    content = ARCHIVES[form]()
    assert unpack(bare, brought(bare, content, "no-suffix")) == []
    assert files(bare) == TREE and not (bare.folder / "data" / ".download").exists()
    before = bare.manifest.read_bytes()
    half = len(content) // 2
    # A bare tar has no checksum, Zstandard has one only where its writer wanted it.
    spoilt = [content[:half]] if form in ("tar", "tar.zst") else [content[:half], content[:half] + bytes([content[half] ^ 255]) + content[half + 1:]]
    for damaged in spoilt:
        archive = brought(bare, damaged, "archive.zip")
        with pytest.raises(KKError, match=r"the archive is damaged at .*fetch it again"):
            unpack(bare, archive)
        assert not archive.path.exists() and bare.manifest.read_bytes() == before
        assert files(bare) == TREE


@pytest.mark.parametrize("form", ["zip-deflate", "tar.gz", "7z"])
def test_a_relative_folder_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    monkeypatch.chdir(tmp_path)
    store = Store(Competition(slug="bare", folder=Path("bare")))
    assert unpack(store, brought(store, ARCHIVES[form]())) == [] and files(store) == TREE


@pytest.mark.parametrize(("name", "pack"), [("train.csv.gz", gzip.compress), ("train.csv.bz2", bz2.compress), ("train.csv.xz", lzma.compress),
                                            ("train.csv.zst", zst), ("train.csv", gzip.compress)])
def test_a_single_packed_file_loses_its_suffix(bare: Store, name: str, pack: Callable[[bytes], bytes]) -> None:
    unpack(bare, brought(bare, pack(TREE["train.csv"]), name))
    assert files(bare) == {"train.csv": TREE["train.csv"]} and content_of(bare)["archive"]["name"] == name
    packed = pack(BIG)
    for content in (packed[:-9], *(() if pack is zst else (packed[:9000] + b"spoilt" + packed[9006:],))):
        with pytest.raises(KKError, match=r"is damaged at train\.csv"):
            unpack(bare, brought(bare, content, name))
    assert files(bare) == {"train.csv": TREE["train.csv"]}


def test_what_tools_leave_at_the_end_does_no_harm(bare: Store) -> None:
    unpack(bare, brought(bare, gzip.compress(BIG) + gzip.compress(b"more") + bytes(512), "train.bin.gz"))
    assert files(bare) == {"train.bin": BIG + b"more"}
    assert unpack(bare, brought(bare, gzip.compress(tarred({"a": b"1"})) + bytes(10_000), "a.tar.gz")) == []
    assert unpack(bare, brought(bare, tarred({"a": b"1"})[:1024], "a.tar")) == ["a.tar ends without its end mark: check that no file is missing"]
    assert files(bare) == {"a": b"1"}
    bad = bytearray(tarred({"a": b"1", "b": b"2"}))
    bad[1030] ^= 255
    with pytest.raises(KKError, match="damaged at a header: bad checksum"):
        unpack(bare, brought(bare, bytes(bad), "a.tar"))


def test_what_only_looks_packed_stays_as_it_is(bare: Store) -> None:
    scan = gzip.compress(b"scan")
    unpack(bare, brought(bare, scan, "scan.nii.gz"))
    assert files(bare) == {"scan.nii.gz": scan}
    sheet = zipped({"xl/sheet.xml": b"<x/>"})
    assert unpack(bare, brought(bare, zipped({"scan.nii.gz": scan, "a.xlsx": sheet, "a.npz": sheet}))) == []
    assert files(bare) == {"scan.nii.gz": scan, "a.xlsx": sheet, "a.npz": sheet}
    assert unpack(bare, brought(bare, b"id,y\n1,2\n", "train.csv.gz")) == [
        "train.csv.gz stays as it is: it is no archive by its first bytes"]
    assert files(bare) == {"train.csv.gz": b"id,y\n1,2\n"}


def test_archives_inside_are_unpacked_where_one_would_look_for_them(bare: Store) -> None:
    warnings = unpack(bare, brought(bare, zipped({
        "a/b.tar.gz": gzip.compress(tarred({"x.png": b"x", "y.png": b"y"})), "images.zip": zipped({"images/1.png": b"1", "__MACOSX/._1": b"?"}),
        "train.csv.zip": zipped({"train.csv": b"id\n"}), "test.zip": zipped({"test.csv": b"id\n1\n"}), "more/meta.json.gz": gzip.compress(b"{}"),
        "deep.7z": sevened({"in.zip": zipped({"z.tar": tarred({"file.txt": b"deep", "other.txt": b"!"}), "w.txt": b""})})})))
    assert warnings == []
    assert files(bare) == {"a/b/x.png": b"x", "a/b/y.png": b"y", "images/1.png": b"1", "train.csv": b"id\n", "test.csv": b"id\n1\n",
                           "more/meta.json": b"{}", "deep/in/z/file.txt": b"deep", "deep/in/z/other.txt": b"!", "deep/in/w.txt": b""}
    told = content_of(bare)
    assert {entry["name"]: entry.get("within") for entry in told["files"]}["deep/in/w.txt"] == "deep/in.zip"
    packed = {entry["name"]: entry for entry in told["packed"]}
    assert packed["a/b.tar.gz"]["files"] == 2 and len(packed["a/b.tar.gz"]["sha256"]) == 64 and packed["deep/in.zip"]["within"] == "deep.7z"


def test_keep_archive_keeps_those_inside_too(bare: Store) -> None:
    inner = zipped({"x.csv": b"1", "y.csv": b"2"})
    unpack(bare, brought(bare, zipped({"b.zip": inner})), keep_archive=True)
    assert files(bare) == {"b.zip": inner, "b/x.csv": b"1", "b/y.csv": b"2"} and (bare.folder / "data" / "archive.zip").exists()


def linked() -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        entry = tarfile.TarInfo("link")
        entry.type, entry.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(entry)
    return made.getvalue()


def locked_zip() -> bytes:
    content = bytearray(zipped({"x.csv": b"1"}, zipfile.ZIP_STORED))
    content[6] |= 1
    content[content.index(b"PK\1\2") + 8] |= 1
    return bytes(content)


BAD = {
    "b.zip": (zipped({"x.csv": b"1" * 99_999})[:-40], "stays as it is: it is damaged at its table of contents"),
    "b.gz": (gzip.compress(BIG)[:-4], "stays as it is: it is damaged at b"),
    "b.tar.gz": (b"PK", "stays as it is: it is no archive by its first bytes"),
    "b.tar": (linked(), "stays as it is: it holds the link 'link', which would leave its folder"),
    "b.tgz": (gzip.compress(tarred({"fine.csv": b"1", "../../evil": b"2"})), "stays as it is: it holds '../../evil', which would leave its folder"),
    "p.zip": (locked_zip(), "stays as it is: it is protected by a password"),
    "p.7z": (sevened({"x.csv": b"1"}, "secret"), "stays as it is: it is protected by a password"),
    "c.zip": (zipped({"c.csv": b"other"}), "stays as it is: it would write over 'c.csv'"),
    "s.zip": (zipped({}), "stays as it is: it holds no file")}


def test_a_bad_archive_inside_stays_packed_and_spoils_nothing(bare: Store) -> None:
    rest = {"c.csv": b"mine", "good/x.csv": b"1"}
    warnings = unpack(bare, brought(bare, zipped({**{name: content for name, (content, _) in BAD.items()}, "c.csv": b"mine",
                                                  "good.zip": zipped({"good/x.csv": b"1"})})))
    assert {warning.split()[0]: warning.partition(" ")[2].split(": File")[0] for warning in warnings}.keys() == BAD.keys()
    for warning in warnings:
        assert warning.partition(" ")[2].startswith(BAD[warning.split()[0]][1])
    assert files(bare) == {**{name: content for name, (content, _) in BAD.items()}, **rest}
    assert not list(bare.folder.parent.rglob("evil"))


def test_archives_are_opened_three_deep(bare: Store) -> None:
    content = b"end"
    for number in range(5, 0, -1):
        content = zipped({f"{number}.zip" if number < 5 else "end.txt": content, "beside.txt": b""})
    assert unpack(bare, brought(bare, content)) == ["1/2/3/4.zip stays as it is: it lies in more than 3 archives"]
    assert set(files(bare)) == {"beside.txt", "1/beside.txt", "1/2/beside.txt", "1/2/3/beside.txt", "1/2/3/4.zip"}


@pytest.mark.parametrize(("content", "says"), [
    (linked(), "holds the link 'link', which would leave its folder"),
    (gzip.compress(tarred({"a": b"1", "/etc/evil": b"2"})), "would leave its folder"),
    (sevened({"fine": b"1", "fine2": b""}, "secret"), "protected by a password"), (locked_zip(), "protected by a password")])
def test_an_outer_archive_that_is_bad_is_refused_whole(bare: Store, content: bytes, says: str) -> None:
    with pytest.raises(KKError, match=says):
        unpack(bare, brought(bare, content))
    assert not bare.raw.exists() and not bare.manifest.exists() and not (bare.folder / "data" / ".unpacking").exists()


def test_a_method_that_is_not_read_is_named(bare: Store) -> None:
    content = bytearray(zipped({"a.csv": b"1"}, zipfile.ZIP_STORED))
    content[content.index(b"PK\1\2") + 10] = 93
    archive = brought(bare, bytes(content))
    with pytest.raises(KKError, match=r"packs 'a\.csv' with zstd, which kk does not read.*--from PATH"):
        unpack(bare, archive)
    assert archive.path.exists()


def test_bombs_are_refused_at_every_level_unless_they_are_wanted(bare: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "LARGE", 100_000)
    zeros = bytes(900_000)
    for content in (zipped({"zeros": zeros}), gzip.compress(tarred({"zeros": zeros})), lzma.compress(zeros), sevened({"zeros": zeros})):
        archive = brought(bare, content)
        with pytest.raises(KKError, match=r"blows up.*over 200 times its size.*--allow-large"):
            unpack(bare, archive)
        assert archive.path.exists() and not bare.raw.exists()
        assert unpack(bare, archive, allow_large=True) == [] and zeros in files(bare).values()
        unpack(bare, brought(bare, zipped({"x.csv": b"1"})))
        bare.manifest.unlink()
        (bare.raw / "x.csv").unlink()
        bare.raw.rmdir()
    inner, noise = zipped({"zeros": zeros}), os.urandom(9000)
    assert "b.zip stays as it is: it blows up" in unpack(bare, brought(bare, zipped({"b.zip": inner, "noise": noise})))[0]
    assert files(bare) == {"b.zip": inner, "noise": noise}
    bombs = {f"{number}.gz": gzip.compress(zeros) for number in range(3)}
    assert len(unpack(bare, brought(bare, zipped({**bombs, "noise": noise, "x.gz": gzip.compress(b"x")})))) == 3
    assert files(bare) == {**bombs, "noise": noise, "x": b"x"}, "what was taken away again does not count"
    many = {f"{number}.gz": gzip.compress(bytes(95_000)) for number in range(30)}
    warnings = unpack(bare, brought(bare, gzip.compress(tarred(many))))
    assert len(warnings) > 9 and all("unpacks to more than" in warning for warning in warnings[:-1]), "each is small, all together are too much"


def test_only_looks_into_the_archives_inside(bare: Store) -> None:
    content = zipped({"train.zip": zipped({"one.csv": b"1", "two.txt": b"2"}), "b.zip": zipped({"one.txt": b"3", "x/four.csv": b"4"}),
                      "c.gz": gzip.compress(b"c"), "other.csv.gz": gzip.compress(b"5"), "readme.md": b""})
    unpack(bare, brought(bare, content), only="*.csv")
    assert files(bare) == {"train/one.csv": b"1", "b/x/four.csv": b"4", "other.csv": b"5"}
    unpack(bare, brought(bare, content), only="train*")
    assert files(bare) == {"train/one.csv": b"1", "train/two.txt": b"2"} and content_of(bare)["only"] == "train*"
    archive = brought(bare, content)
    with pytest.raises(KKError, match=r"no file fits '\*\.npy'. There are: b\.zip, c\.gz"):
        unpack(bare, archive, only="*.npy")
    assert archive.path.exists() and set(files(bare)) == {"train/one.csv", "train/two.txt"}


def test_names_of_other_systems_are_read(bare: Store) -> None:
    raw = zipped({"Xgr__e.csv": b"1"}).replace(b"Xgr__e", "grö".encode() + b"se")
    tar = tarred({"gr\udcf6\udcdfe.csv": b"1", "./unter\\ordner/x.csv": b"2"}) if os.name != "nt" else b""
    unpack(bare, brought(bare, raw))
    assert set(files(bare)) == {"gröse.csv"}
    unpack(bare, brought(bare, tar))
    assert set(files(bare)) == {"größe.csv", "unter/ordner/x.csv"}


def test_single_files_are_taken_to_their_paths(bare: Store) -> None:
    folder = bare.folder / "data" / ".download" / "files"
    folder.mkdir(parents=True)
    contents = {"a/train.csv": zipped({"train.csv": b"id\n"}), "a/test.csv": b"id\n1\n", "b.zip": zipped({"x": b"1", "y": b"2"})}
    fetched = []
    for number, (name, content) in enumerate(contents.items()):
        (folder / f"{number}.part").write_bytes(content)
        fetched.append(Fetched(folder / f"{number}.part", name, 1, 0, whole=False))
    assert unpack(bare, fetched, only="*") == []
    assert files(bare) == {"a/train.csv": b"id\n", "a/test.csv": b"id\n1\n", "b/x": b"1", "b/y": b"2"}
    assert not (bare.folder / "data" / ".download").exists() and content_of(bare)["archive"] is None


PIECES = ["..", ".", "", "a", "b.csv", "C:", "\\", "/", "~", "\0", "..\\..", "größe", "\udcff", "x" * 300]
PARTS = st.lists(st.sampled_from(PIECES), min_size=1, max_size=4)


@settings(max_examples=150, deadline=None)
@given(parts=PARTS, separator=st.sampled_from(["/", "\\"]))
def test_whatever_a_member_is_called_nothing_is_written_outside(parts: list[str], separator: str) -> None:
    name = separator.join(parts)
    with tempfile.TemporaryDirectory() as place:
        store = Store(Competition(slug="names", folder=Path(place) / "top" / "names"))
        try:
            unpack(store, brought(store, tarred({name: b"found"}), "archive.tar"))
        except KKError:
            assert not store.raw.exists()
        written = [path for path in Path(place).rglob("*") if path.is_file() and path.read_bytes() == b"found"]
        assert all(path.is_relative_to(store.raw) for path in written) and len(written) <= 1


@given(st.text(max_size=12))
@example("a\0b")
def test_a_safe_name_stays_below_its_folder(name: str) -> None:
    try:
        safe = safe_name(name)
    except Refused:
        return
    path = os.path.normpath(os.path.join("/top/folder", safe))
    assert path.startswith("/top/folder/") and "\0" not in safe and "\\" not in safe


CHILD = """
import os, sys
from pathlib import Path
from kagglekit.competition import Competition
from kagglekit.store import Store
from kagglekit.work.fetch import Fetched
from kagglekit.work.unpack import unpack
from kagglekit.work.unpack.journal import Journal
folder, name, most = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
seen = [0]
def counted(line):
    def call(journal, content):
        line(journal, content)
        seen[0] += 1
        if seen[0] == most:
            print("there", flush=True)
            while True:
                os.read(0, 1)
    return call
Journal._line = counted(Journal._line)
unpack(Store(Competition(slug="bare", folder=folder)), Fetched(folder / "data" / ".download" / "archive.part", name, 1, 0))
"""


def killed(store: Store, name: str, lines: int) -> None:
    """Unpack in a process that is killed once its journal has so many lines."""
    process = subprocess.Popen([sys.executable, "-c", CHILD, str(store.folder), name, str(lines)], stdout=subprocess.PIPE, stdin=subprocess.PIPE,
                               env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert process.stdout.readline() == b"there\n"
    process.send_signal(signal.SIGKILL)
    process.communicate()


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL")
@pytest.mark.parametrize("form", ["zip", "tar.gz", "7z"])
def test_a_killed_unpacking_goes_on_and_writes_only_what_is_missing(bare: Store, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tree = {f"{number // 10}/{number:02d}.bin": os.urandom(2000) for number in range(40)}
    archive = brought(bare, {"zip": zipped, "7z": sevened, "tar.gz": lambda members: gzip.compress(tarred(members))}[form](tree), "archive")
    killed(bare, "archive", 32)
    making = bare.folder / "data" / ".unpacking"
    half = sorted((making / "files").rglob("*.bin"))[-1]
    half.write_bytes(b"half")
    with (making / "journal.jsonl").open("a") as journal:
        journal.write('{"of": "", "na')
    killed(bare, "archive", 3)
    os.utime(archive.path)
    written = counted_writes(monkeypatch)
    assert not bare.raw.exists() and unpack(bare, archive) == []
    assert files(bare) == tree and len(written) == 40 - 31 + 1 - 3


def counted_writes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names that are written from now on."""
    from kagglekit.work.unpack.target import Target

    written: list[str] = []
    before = Target.opened
    monkeypatch.setattr(Target, "opened", lambda target, name: written.append(name) or before(target, name))
    return written


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL")
def test_wherever_a_kill_comes_the_next_call_ends_with_the_same(bare: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    content = zipped({"a.zip": zipped({"x": b"1", "y": b"22"}), "b.zip": zipped({"c.tar": tarred({"u": b"3", "v": b"4"}), "w": b""}), "c.csv": b"5",
                      "bad.zip": b"PK"})
    unpack(bare, brought(bare, content))
    whole, told = files(bare), content_of(bare)
    # 16 lines in all: the header, 4 members, x, y, their place and end, w and c.tar likewise, u, v, theirs, one that stays packed.
    for lines in (2, 6, 8, 9, 11, 12, 14, 16):
        archive = brought(bare, content)
        killed(bare, "archive.zip", lines)
        written = counted_writes(monkeypatch)
        assert unpack(bare, archive) == ["bad.zip stays as it is: it is no archive by its first bytes"]
        assert files(bare) == whole and content_of(bare) == told and len(written) < 11
        monkeypatch.undo()


def test_another_archive_or_pattern_starts_anew(bare: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    if os.name == "nt":
        pytest.skip("no SIGKILL")
    brought(bare, zipped({"a": b"old", "b": b"old"}))
    killed(bare, "archive.zip", 3)
    unpack(bare, brought(bare, zipped({"a": b"new", "b": b"new"})))
    assert files(bare) == {"a": b"new", "b": b"new"}


def test_a_kill_between_the_data_and_its_manifest_costs_nothing(bare: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    archive, replace = brought(bare, zipped(TREE)), os.replace

    def stops(source: Path, place: Path) -> None:
        if Path(place) == bare.manifest:
            raise KeyboardInterrupt
        replace(source, place)

    monkeypatch.setattr(os, "replace", stops)
    with pytest.raises(KeyboardInterrupt):
        unpack(bare, archive)
    monkeypatch.undo()
    assert bare.raw.exists() and not bare.manifest.exists()
    written = counted_writes(monkeypatch)
    unpack(bare, archive)
    assert files(bare) == TREE and written == []


def test_a_kill_between_moving_an_inner_archive_and_noting_it_costs_nothing(bare: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def stops(journal: Journal, archive: str, files: int) -> None:
        raise KeyboardInterrupt

    archive = brought(bare, zipped({"a.zip": zipped({"x": b"1", "y": b"2"})}))
    monkeypatch.setattr(Journal, "opens", stops)
    with pytest.raises(KeyboardInterrupt):
        unpack(bare, archive)
    monkeypatch.undo()
    written = counted_writes(monkeypatch)
    assert unpack(bare, archive) == [] and files(bare) == {"a/x": b"1", "a/y": b"2"} and written == []


def test_a_full_disk_keeps_what_is_there_for_the_next_call(bare: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    from kagglekit.work.unpack.target import Writing

    archive, write, room = brought(bare, zipped({"a.zip": zipped({"x": BIG, "y": BIG}), "b": BIG})), Writing.write, [4]

    def full(writing: Writing, block: bytes) -> int:
        room[0] -= 1
        if room[0] < 1:
            raise OSError(28, "No space left on device")
        return write(writing, block)

    monkeypatch.setattr(Writing, "write", full)
    with pytest.raises(KKError, match="No space left on device. Free some space"):
        unpack(bare, archive)
    monkeypatch.undo()
    assert archive.path.exists() and not bare.raw.exists()
    written = counted_writes(monkeypatch)
    unpack(bare, archive)
    assert files(bare) == {"a/x": BIG, "a/y": BIG, "b": BIG} and written == ["y"]


@pytest.mark.skipif(os.name == "nt", reason="no flock")
def test_two_at_once_do_not_write_over_each_other(bare: Store) -> None:
    archive = brought(bare, zipped(TREE))
    process = subprocess.Popen([sys.executable, "-c", CHILD, str(bare.folder), "archive.zip", "2"], stdout=subprocess.PIPE, stdin=subprocess.PIPE,
                               env={**os.environ, "PYTHONPATH": str(ROOT)})
    try:
        assert process.stdout.readline() == b"there\n"
        with pytest.raises(KKError, match="being unpacked by another kk"):
            unpack(bare, archive)
    finally:
        process.kill()
        process.communicate()
    unpack(bare, archive)
    assert files(bare) == TREE


def test_many_small_members_take_time_in_proportion(bare: Store) -> None:
    started = time.monotonic()
    unpack(bare, brought(bare, zipped({f"{number}.gz": gzip.compress(b"x") for number in range(1500)})))
    assert len(files(bare)) == 1500 and time.monotonic() - started < 30
