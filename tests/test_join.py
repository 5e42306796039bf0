"""kk join: data that arrives whole or not at all, a schema with reasons, files that belong to the person."""

import json
import socket
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest

from kagglekit.errors import KKError
from kagglekit.practice.server import Embedded
from kagglekit.store import Store, open_store
from kagglekit.work.fetch import Fetched, unpack
from tests.conftest import Ran


def test_join_brings_typed_tables_and_a_schema_with_reasons(small: Path, kk: Callable[..., Ran]) -> None:
    record = kk("join", "small-auc", "--practice", "--json").json
    assert record["task"] == "binary" and record["id"] == ["id"] and record["target"] == ["y"]
    assert record["metric"] == {"name": "auc", "greater_is_better": True, "kaggle_name": "Area Under Receiver Operating Characteristic Curve"}
    assert record["rows"] == {"train": 240, "test": 120} and record["server"] == "practice"
    assert {one["role"] for one in record["files"]} == {"train", "test", "sample"}
    toml = (small / "competition.toml").read_text()
    assert 'group = ["site"]  # several rows each' in toml and 'target = ["y"]  # value columns of the sample' in toml
    table = pd.read_parquet(small / "data" / "tables" / "train.parquet")
    assert str(table["day"].dtype).startswith("datetime") and table["y"].dtype == "int64"


def test_a_second_join_downloads_nothing_and_keeps_the_edited_file(small: Path, kk: Callable[..., Ran]) -> None:
    edited = (small / "competition.toml").read_text().replace('title = "small-auc"', 'title = "mine"')
    (small / "competition.toml").write_text(edited)
    record = kk("join", "small-auc", "--json").json
    assert record["downloaded_bytes"] == 0
    assert (small / "competition.toml").read_text() == edited


def test_a_change_on_the_server_is_told_and_fetched_with_update(small: Path, workspace: Path, kk: Callable[..., Ran]) -> None:
    path = workspace / "arena" / "small-auc" / "files" / "train.csv"
    path.write_text(path.read_text() + "9999,0,0,red,S999,2026-01-01,1\n")
    told = kk("join", "small-auc", "--json").json
    assert told["warnings"] == ["train.csv has changed on the server: fetch it with kk join small-auc --update"]
    assert told["rows"]["train"] == 240
    assert kk("join", "small-auc", "--update", "--json").json["rows"]["train"] == 241


def test_wrong_names_get_near_ones_and_leave_nothing(small: Path, workspace: Path, kk: Callable[..., Ran]) -> None:
    ran = kk("join", "smal-auc", "--practice")
    assert ran.code == 1 and ran.error.startswith("Error: practice has no competition called 'smal-auc'. Did you mean small-auc")
    assert not (workspace / "competitions" / "smal-auc").exists()
    assert kk("join", "not/a name").error.startswith("Error: 'not/a name' is no competition's name.")


def test_any_kaggle_url_will_do(small: Path, kk: Callable[..., Ran]) -> None:
    assert kk("join", "https://www.kaggle.com/competitions/small-auc/data", "--practice", "--json").json["slug"] == "small-auc"


def test_outside_a_workspace_the_remedy_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kk: Callable[..., Ran]) -> None:
    monkeypatch.chdir(tmp_path)
    ran = kk("join", "titanic")
    assert ran.code == 1 and "is not in a workspace" in ran.error and "kk init ." in ran.error


def test_missing_credentials_name_every_place_and_no_secret(workspace: Path, kk: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch) -> None:
    ran = kk("join", "titanic")
    assert ran.code == 1 and "KAGGLE_API_TOKEN" in ran.error and "kaggle.json" in ran.error and "--practice" in ran.error
    monkeypatch.setenv("KAGGLE_USERNAME", "me")
    monkeypatch.setenv("KAGGLE_KEY", "very-secret")
    monkeypatch.setenv("KK_KAGGLE_ENDPOINT", "http://127.0.0.1:9")
    ran = kk("join", "titanic", "--json")
    assert ran.code == 1 and "cannot be reached" in ran.json["error"]["what"] and "very-secret" not in ran.out + ran.err


class Cutting:
    """A proxy in front of the arena that cuts the archive after `cut` bytes, the first `times` times."""

    def __init__(self, target: str, cut: int, times: int) -> None:
        self.host, _, port = target.removeprefix("http://").partition(":")
        self.port, self.cut, self.left = int(port), cut, times
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        request = b""
        while b"\r\n\r\n" not in request:
            request += client.recv(65536)
        head, _, body = request.partition(b"\r\n\r\n")
        length = next((int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")), 0)
        while len(body) < length:
            body += client.recv(65536)
        head = b"\r\n".join(line for line in head.split(b"\r\n") if not line.lower().startswith(b"connection")) + b"\r\nConnection: close"
        archive = b"GET /store" in head
        with socket.create_connection((self.host, self.port)) as upstream:
            upstream.sendall(head + b"\r\n\r\n" + body)
            answer = b""
            while block := upstream.recv(65536):
                answer += block
        answer = answer.replace(f"http://{self.host}:{self.port}".encode(), self.url.encode())
        if archive and self.left:
            self.left -= 1
            answer = answer[:answer.index(b"\r\n\r\n") + 4 + self.cut]
        client.sendall(answer)
        client.close()


@pytest.fixture
def served(workspace: Path, small_arena: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int, int], Cutting]]:
    with Embedded(small_arena) as server:
        monkeypatch.setenv("KAGGLE_USERNAME", "me")
        monkeypatch.setenv("KAGGLE_KEY", "key")

        def start(cut: int, times: int) -> Cutting:
            proxy = Cutting(server.url, cut, times)
            monkeypatch.setenv("KK_KAGGLE_ENDPOINT", proxy.url)
            return proxy

        yield start


def test_a_cut_download_goes_on_where_it_stopped(served, workspace: Path, kk: Callable[..., Ran]) -> None:
    served(3000, 1)
    record = kk("join", "small-auc", "--json").json
    store = open_store("small-auc")
    archive = json.loads(store.manifest.read_text())["archive"]
    assert record["downloaded_bytes"] == archive["bytes"] and record["rows"]["train"] == 240
    assert record["server"].startswith("http://127.0.0.1")


def test_a_download_that_keeps_being_cut_stays_on_disk_and_the_next_join_goes_on(served, workspace: Path, kk: Callable[..., Ran]) -> None:
    proxy = served(300, 99)
    ran = kk("join", "small-auc")
    assert ran.code == 1 and "the download stops at" in ran.error and "kk join small-auc" in ran.error
    part = workspace / "competitions" / "small-auc" / "data" / ".download" / "archive.part"
    kept = part.stat().st_size
    assert kept >= 300 and not (workspace / "competitions" / "small-auc" / "data" / "raw").exists()
    proxy.left = 0
    ran = kk("join", "small-auc", "--json")
    assert ran.json["resumed_bytes"] == kept and ran.json["rows"]["train"] == 240
    assert "going on from there" in ran.err


@pytest.fixture
def store(small: Path) -> Store:
    return open_store("small-auc")


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
        unpack(store, fetched(store, {"fine.csv": "a,b\n1,2\n", name: "x"}), None, False)
    assert sorted(path.name for path in store.raw.iterdir()) == before
    assert not list(store.folder.rglob("evil.txt"))


def test_a_link_in_an_archive_is_refused(store: Store) -> None:
    entry = zipfile.ZipInfo("link")
    entry.external_attr = 0o120777 << 16
    archive = fetched(store, {"fine.csv": "a\n1\n"})
    with zipfile.ZipFile(archive.path, "a") as opened:
        opened.writestr(entry, "/etc/passwd")
    with pytest.raises(KKError, match="would leave its folder"):
        unpack(store, archive, None, False)


def test_a_damaged_member_refuses_the_archive_and_the_next_try_starts_over(store: Store) -> None:
    archive = fetched(store, {"train.csv": "a,b\n" + "1,2\n" * 5000})
    content = bytearray(archive.path.read_bytes())
    content[60] ^= 0xFF
    archive.path.write_bytes(bytes(content))
    with pytest.raises(KKError, match="the archive is damaged.*fetch it again"):
        unpack(store, archive, None, False)
    assert not archive.path.exists() and (store.raw / "train.csv").exists()


def test_unicode_names_and_folders_are_kept(store: Store) -> None:
    unpack(store, fetched(store, {"bilder/größe 1.csv": "a\n1\n"}), None, True)
    assert (store.raw / "bilder" / "größe 1.csv").exists()
    assert (store.folder / "data" / "archive.zip").exists()


def test_data_from_a_folder_is_used_in_place(workspace: Path, small_arena: Path, kk: Callable[..., Ran]) -> None:
    import shutil

    shutil.copytree(small_arena, workspace / "arena")
    files = workspace / "arena" / "small-auc" / "files"
    record = kk("join", "small-auc", "--practice", "--from", files, "--json").json
    assert record["downloaded_bytes"] == 0 and record["rows"]["train"] == 240
    assert (workspace / "competitions" / "small-auc" / "data" / "raw").resolve() == files


def test_doctor_names_remedies_and_init_makes_a_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kk: Callable[..., Ran]) -> None:
    monkeypatch.chdir(tmp_path)
    record = kk("doctor", "--json").json
    failing = {check["name"]: check for check in record["checks"] if not check["ok"]}
    assert "credentials" in failing and failing["workspace"]["do"] == "Make one: kk init ."
    assert kk("init", "mine").code == 0 and (tmp_path / "mine" / "configs" / "lgbm.toml").exists()
    assert "is a workspace already" in kk("init", "mine").error
