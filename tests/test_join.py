"""kk join: data that arrives whole or not at all, a schema with reasons, files that belong to the person."""

import contextlib
import json
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest

from kagglekit.practice.server import Embedded
from tests.conftest import Ran, copied


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
    for url in ("https://www.kaggle.com/competitions/small-auc/data", "kaggle.com/c/small-auc", "https://kaggle.com/competitions/small-auc?x=1"):
        assert kk("join", url, "--practice", "--json").json["slug"] == "small-auc"
    assert "is an invitation. Open it in a browser" in kk("join", "https://www.kaggle.com/t/0123abcd").error


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


Change = Callable[[bytes], bytes]


def cut(most: int) -> Change:
    """Only the first bytes of the body."""
    return lambda answer: answer[:answer.index(b"\r\n\r\n") + 4 + most]


def page(status: str) -> Change:
    """A page of a proxy or of an overloaded store instead of data."""
    body = b"<html>" + b"sorry " * 400 + b"</html>"
    head = f"HTTP/1.1 {status}\r\nContent-Type: text/html\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return lambda answer: head.encode() + body


class Between:
    """A proxy before the arena; each answer of the store goes through the next of `changes`, then they pass as they are.

    With `hold` set, a changed answer's connection stays open: to the client the store hangs.
    """

    def __init__(self, target: str, *changes: Change, hold: bool = False) -> None:
        self.host, _, port = target.removeprefix("http://").partition(":")
        self.port, self.changes, self.hold, self.held = int(port), list(changes), hold, []
        self.asked: list[bytes] = []
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
            block = client.recv(65536)
            if not block:
                return
            request += block
        head, _, body = request.partition(b"\r\n\r\n")
        length = next((int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")), 0)
        while len(body) < length:
            body += client.recv(65536)
        head = b"\r\n".join(line for line in head.split(b"\r\n") if not line.lower().startswith(b"connection")) + b"\r\nConnection: close"
        with socket.create_connection((self.host, self.port)) as upstream:
            upstream.sendall(head + b"\r\n\r\n" + body)
            answer = b""
            while block := upstream.recv(65536):
                answer += block
        answer = answer.replace(f"http://{self.host}:{self.port}".encode(), self.url.encode())
        changed = b"GET /store" in head and bool(self.changes)
        if b"GET /store" in head:
            self.asked.append(head)
        with contextlib.suppress(OSError):
            client.sendall(self.changes.pop(0)(answer) if changed else answer)
        if changed and self.hold:
            self.held.append(client)
        else:
            client.close()


@pytest.fixture
def arena(workspace: Path, small_arena: Path) -> Path:
    """A copy of the arena that a test may change; gives the folder of small-auc."""
    copied(small_arena, workspace / "served")
    return workspace / "served" / "small-auc"


Served = Callable[..., Between]


@pytest.fixture
def served(arena: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    with Embedded(arena.parent) as server:
        monkeypatch.setenv("KAGGLE_USERNAME", "me")
        monkeypatch.setenv("KAGGLE_KEY", "key")

        def start(*changes: Change, hold: bool = False) -> Between:
            proxy = Between(server.url, *changes, hold=hold)
            monkeypatch.setenv("KK_KAGGLE_ENDPOINT", proxy.url)
            return proxy

        yield start


@pytest.fixture
def data(workspace: Path) -> Path:
    """Where the data of small-auc goes."""
    return workspace / "competitions" / "small-auc" / "data"


def test_a_cut_download_goes_on_where_it_stopped(served: Served, data: Path, kk: Callable[..., Ran]) -> None:
    proxy = served(cut(3000))
    record = kk("join", "small-auc", "--json").json
    archive = json.loads((data / "manifest.json").read_text())["archive"]
    assert record["downloaded_bytes"] == archive["bytes"] and record["rows"]["train"] == 240
    assert record["server"].startswith("http://127.0.0.1")
    assert b"range: bytes=3000-" in proxy.asked[-1].lower() and b"authorization" not in proxy.asked[-1].lower()


def test_a_download_that_keeps_being_cut_stays_on_disk_and_the_next_join_goes_on(served: Served, data: Path, kk: Callable[..., Ran]) -> None:
    proxy = served(*[cut(300)] * 99)
    ran = kk("join", "small-auc")
    assert ran.code == 1 and "the download stops at" in ran.error and "kk join small-auc" in ran.error
    kept = (data / ".download" / "archive.part").stat().st_size
    assert kept >= 300 and not (data / "raw").exists()
    proxy.changes.clear()
    ran = kk("join", "small-auc", "--json")
    assert ran.json["resumed_bytes"] == kept and ran.json["rows"]["train"] == 240
    assert "going on from there" in ran.err


@pytest.mark.parametrize("trouble", [page("503 Service Unavailable"), page("200 OK")], ids=["503", "200"])
def test_an_error_page_in_the_middle_of_a_download_never_gets_into_the_file(served: Served, data: Path, kk: Callable[..., Ran],
                                                                            trouble: Change) -> None:
    proxy = served(cut(2000), trouble, trouble)
    record = kk("join", "small-auc", "--json").json
    assert not proxy.changes and record["rows"] == {"train": 240, "test": 120}
    assert record["downloaded_bytes"] == json.loads((data / "manifest.json").read_text())["archive"]["bytes"]


def test_a_page_instead_of_the_archive_is_refused_and_nothing_is_written(served: Served, data: Path, kk: Callable[..., Ran]) -> None:
    served(*[page("200 OK")] * 99)
    ran = kk("join", "small-auc")
    assert ran.error == "Error: the store answered 200 with a page instead of data. Try again in a minute"
    assert not data.exists()


def test_an_archive_that_changed_after_a_cut_is_fetched_from_the_start(served: Served, arena: Path, data: Path, kk: Callable[..., Ran]) -> None:
    proxy = served(*[cut(300)] * 99)
    assert kk("join", "small-auc").code == 1 and (data / ".download" / "archive.part").exists()
    path = arena / "files" / "train.csv"
    path.write_text(path.read_text() + "9999,0,0,red,S999,2026-01-01,1\n")
    proxy.changes.clear()
    record = kk("join", "small-auc", "--json").json
    assert record["resumed_bytes"] == 0 and record["rows"]["train"] == 241


def test_a_killed_join_leaves_a_part_that_the_next_goes_on_with(served: Served, data: Path, kk: Callable[..., Ran], kk_process) -> None:
    served(cut(4000), hold=True)
    process, part = kk_process("join", "small-auc"), data / ".download" / "archive.part"
    deadline = time.monotonic() + 30
    while not part.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.3)
    process.kill()
    process.communicate()
    left = part.stat().st_size
    ran = kk("join", "small-auc", "--json")
    assert ran.json["resumed_bytes"] == left and ran.json["rows"]["train"] == 240 and not (data / ".download").exists()


def test_rules_that_are_not_accepted_are_waited_for(served: Served, arena: Path, data: Path, kk: Callable[..., Ran]) -> None:
    served()
    contest = arena / "contest.toml"
    accepted = contest.read_text()
    contest.write_text(accepted.replace("rules_required = false", "rules_required = true"))
    ran = kk("join", "small-auc")
    assert ran.code == 1 and "/competitions/small-auc/rules" in ran.error and not data.exists()
    threading.Timer(0.5, contest.write_text, [accepted]).start()
    ran = kk("join", "small-auc", "--wait", "--json")
    assert ran.json["rows"]["train"] == 240 and "(waiting)" in ran.err


def test_only_takes_the_files_that_fit(served: Served, data: Path, kk: Callable[..., Ran]) -> None:
    served()
    ran = kk("join", "small-auc", "--only", "trian*")
    assert ran.error == "Error: no file fits 'trian*'. There are: sample_submission.csv, test.csv, train.csv"
    record = kk("join", "small-auc", "--only", "train*", "--json").json
    assert record["downloaded_bytes"] > 0 and record["resumed_bytes"] == 0, "nothing came before the pattern fitted"
    assert [one["name"] for one in record["files"]] == ["train.csv"] and record["rows"] == {"train": 240, "test": None}
    assert "no sample table was found among the files: write its name as sample in competition.toml" in record["warnings"]
    assert kk("join", "small-auc", "--json").json["warnings"] == [
        "only 'train*' was unpacked of 3 files: fetch it with kk join small-auc --update"]
    assert len(kk("join", "small-auc", "--update", "--json").json["files"]) == 3


def test_joining_without_data_is_completed_later_unless_the_file_was_edited(served: Served, data: Path, kk: Callable[..., Ran]) -> None:
    served()
    record = kk("join", "small-auc", "--no-download", "--json").json
    toml = data.parent / "competition.toml"
    assert record["task"] == "" and record["files"] == [] and record["next"] == "kk join small-auc" and toml.exists()
    edited = toml.read_text()
    assert kk("join", "small-auc", "--json").json["task"] == "binary"
    toml.write_text(edited + "# mine\n")
    kk("join", "small-auc")
    assert toml.read_text() == edited + "# mine\n"


def test_what_cannot_be_read_or_guessed_is_a_warning_and_joining_ends_well(served: Served, arena: Path, kk: Callable[..., Ran]) -> None:
    served()
    (arena / "files" / "extra").mkdir()
    (arena / "files" / "extra" / "broken.csv").write_text("a,b\n1,2\n3\n")
    (arena / "files" / "extra" / "old.csv").write_bytes("größe\n1\n".encode("latin-1"))
    (arena / "files" / "extra" / "images.zip").write_bytes(b"PK")
    (arena / "files" / "train.csv").rename(arena / "files" / "learning.csv")
    record = kk("join", "small-auc", "--json").json
    assert [warning.split(":")[0] for warning in record["warnings"]] == [
        "extra/images.zip stays as it is", "extra/broken.csv cannot be read as a table", "extra/old.csv is not UTF-8",
        "no train table was found among the files"]
    assert record["task"] == "" and record["rows"]["train"] is None and record["next"] == "kk submit-zeros"


def test_an_unknown_metric_is_named_with_the_way_to_bring_it(served: Served, arena: Path, tmp_path: Path, kk: Callable[..., Ran]) -> None:
    served()
    (tmp_path / "metric.py").write_text("def score(y, p):\n    return 0.0\nscore.greater_is_better = True\n")
    contest = arena / "contest.toml"
    contest.write_text(contest.read_text().replace('metric = "auc"', f'metric = "{tmp_path}/metric.py:score"'))
    record = kk("join", "small-auc", "--json").json
    assert record["metric"]["name"] == "" and record["metric"]["greater_is_better"] is False, "the evaluation page says: lower is better"
    assert any("is not built in: give metric.py:score" in warning for warning in record["warnings"])


def test_a_visible_test_set_that_is_a_stub_is_told(served: Served, arena: Path, kk: Callable[..., Ran]) -> None:
    served()
    for name in ("test.csv", "sample_submission.csv"):
        path = arena / "files" / name
        path.write_text("\n".join(path.read_text().splitlines()[:3]) + "\n")
    contest = arena / "contest.toml"
    contest.write_text(contest.read_text().replace("code_only = false", "code_only = true"))
    record = kk("join", "small-auc", "--json").json
    assert record["test_is_stub"] is True and record["code_only"] is True
    assert "the visible test set is a stub (2 rows): the real one is seen by notebooks only" in record["warnings"]


def test_data_from_a_folder_is_used_in_place(workspace: Path, small_arena: Path, kk: Callable[..., Ran]) -> None:
    copied(small_arena, workspace / "arena")
    files = workspace / "arena" / "small-auc" / "files"
    record = kk("join", "small-auc", "--practice", "--from", files, "--json").json
    assert record["downloaded_bytes"] == 0 and record["rows"]["train"] == 240
    assert (workspace / "competitions" / "small-auc" / "data" / "raw").resolve() == files


def test_another_folder_is_read_anew_and_update_replaces_a_link_not_what_it_points_to(small: Path, workspace: Path, tmp_path: Path,
                                                                                      kk: Callable[..., Ran]) -> None:
    files = workspace / "arena" / "small-auc" / "files"
    error = kk("join", "small-auc", "--from", files).error
    assert error.startswith(f"Error: {small / 'data' / 'raw'} holds downloaded data already. Remove it first")
    shutil.rmtree(small / "data")
    assert kk("join", "small-auc", "--from", tmp_path / "none").error.startswith(f"Error: no folder with files at {tmp_path / 'none'}")
    assert kk("join", "small-auc", "--from", files, "--json").json["rows"]["train"] == 240
    other = tmp_path / "other"
    shutil.copytree(files, other)
    (other / "train.csv").write_text("\n".join((files / "train.csv").read_text().splitlines()[:101]) + "\n")
    assert kk("join", "small-auc", "--from", other, "--json").json["rows"]["train"] == 100
    assert kk("join", "small-auc", "--update", "--json").json["rows"]["train"] == 240
    assert not (small / "data" / "raw").is_symlink() and len((other / "train.csv").read_text().splitlines()) == 101


def test_practice_clinics_is_joined_with_everything_a_loop_needs(workspace: Path, clinics_arena: Path, kk: Callable[..., Ran]) -> None:
    copied(clinics_arena, workspace / "arena")
    record = kk("join", "https://www.kaggle.com/c/practice-clinics", "--practice", "--json").json
    assert (record["task"], record["metric"]["name"], record["prediction"]) == ("regression", "rmse", "value")
    assert record["server"] == "practice" and record["downloaded_bytes"] > 0 and record["warnings"] == []
    assert 29 < record["days_left"] <= 30.1 and 9 <= record["days_since_start"] < 10 and record["daily_limit"] == 5
    assert {one["name"]: one["role"] for one in record["files"]} == {
        "train.csv": "train", "test.csv": "test", "sample_submission.csv": "sample"}
    assert all(one["rows"] and one["columns"] and len(one["sha256"]) == 64 and one["bytes"] for one in record["files"])
    assert {"id", "target", "task", "metric", "group"} <= set(record["guesses"]) and all(guess["why"] for guess in record["guesses"].values())
    assert record["next"] == "kk submit-zeros" and not (Path(record["folder"]) / "data" / ".download").exists()
    before = Path(record["folder"], "competition.toml").read_bytes()
    again = kk("join", "practice-clinics", "--json").json
    assert again["downloaded_bytes"] == again["resumed_bytes"] == 0 and again["files"] == record["files"]
    assert Path(record["folder"], "competition.toml").read_bytes() == before
