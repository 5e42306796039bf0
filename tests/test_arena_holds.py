"""The arena holds: wrong input, slow and half requests, many at once, strange names, and answers that no path gives away."""

import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

import pandas as pd
import pytest
import requests

from kagglekit.practice import app
from kagglekit.practice.create import create
from kagglekit.practice.protocol import CALLS
from kagglekit.practice.server import Embedded
from kagglekit.practice.state import State
from kagglekit.remote import MOST_ARENAS, connect
from tests.bare_client import Client
from tests.conftest import small_tables, write_contest


@pytest.fixture
def home(tmp_path: Path) -> Path:
    source = write_contest(tmp_path / "source", small_tables())
    (source / "files" / "deep" / "er").mkdir(parents=True)
    (source / "files" / "deep" / "er" / "bild ü #1%.txt").write_text("a picture")
    (source / "files" / "deep" / "train.csv").write_text("id\n1\n")
    (tmp_path / "arena").mkdir()
    create(tmp_path / "arena", "small", source=source, metric="accuracy", daily_limit=1000, now=State(tmp_path / "arena").now())
    return tmp_path / "arena"


@pytest.fixture
def client(home: Path) -> Iterator[Client]:
    with Embedded(home) as server:
        yield Client(server.url)


def raw(client: Client, request: bytes, seconds: float = 10) -> bytes:
    """What the server answers to these very bytes."""
    host, port = client.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=seconds) as line:
        line.sendall(request)
        line.shutdown(socket.SHUT_WR)
        answer = b""
        while chunk := line.recv(65536):
            answer += chunk
    return answer


def test_two_hundred_parallel_submissions_are_all_scored_and_none_is_lost(home: Path, client: Client) -> None:
    content = (home / "small" / "files" / "sample_submission.csv").read_text()
    with ThreadPoolExecutor(16) as pool:
        refs = list(pool.map(lambda number: Client(client.url, f"team{number % 20}").submit(content).json()["ref"], range(200)))
    assert len(set(refs)) == 200
    for number, ref in enumerate(refs):
        assert Client(client.url, f"team{number % 20}").wait(ref)["status"] == "COMPLETE"
    board = client.call("GetLeaderboard", competitionName="small", pageSize=100).json()["submissions"]
    assert len(board) == 21 and len({row["score"] for row in board}) == 1


def test_the_daily_limit_holds_against_a_rush(home: Path, tmp_path: Path) -> None:
    create(home, "strict", source=tmp_path / "source", metric="accuracy", daily_limit=7, now=State(home).now())
    content = (home / "small" / "files" / "sample_submission.csv").read_text()
    with Embedded(home) as server, ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: Client(server.url).submit(content, "strict"), range(40)))
    taken = [answer for answer in answers if answer.status_code == 200]
    assert len(taken) == 7
    assert {answer.json()["message"] for answer in answers if answer.status_code != 200} == {
        "You have reached the daily limit of 7 submissions. Resets at midnight UTC."}


def test_an_upload_that_is_too_large_is_refused_and_leaves_nothing(home: Path, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "MAX_UPLOAD", 100_000)

    def place() -> dict:
        return client.call("StartSubmissionUpload", competitionName="small", fileName="a.csv", contentLength=1).json()

    assert requests.put(place()["createUrl"], data=b"x" * 100_001, timeout=10).status_code == 413
    assert requests.put(place()["createUrl"], data=iter([b"x" * 60_000] * 3), timeout=10).status_code == 413, "without a length"
    token = place()["token"]
    refused = client.call("CreateSubmission", competitionName="small", blobFileTokens=token, submissionDescription="")
    assert refused.status_code == 400 and "was not found" in refused.json()["message"]
    assert [path.name for path in (home / ".uploads").iterdir()] == []


def test_an_upload_that_stops_or_ends_too_soon_is_given_up(home: Path, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "PATIENCE", 0.3)
    place = client.call("StartSubmissionUpload", competitionName="small", fileName="a.csv", contentLength=100).json()
    path = place["createUrl"].removeprefix(client.url)
    head = f"PUT {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n".encode()
    raw(client, head + b"id,y\n")
    host, port = client.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as line:
        line.sendall(head + b"id,y\n")
        assert line.recv(65536).startswith(b"HTTP/1.1 408")
    assert State(home).upload(place["token"])["done"] == 0
    assert list((home / ".uploads").iterdir()) == []
    assert requests.put(place["createUrl"], data=b"id,y\n", timeout=10).status_code == 200, "the upload can be tried again"
    assert requests.put(place["createUrl"], data=b"id,y\n1,1\n", timeout=10).status_code == 403, "and cannot be changed once it is whole"


def test_half_requests_and_noise_do_not_keep_others_waiting(client: Client) -> None:
    host, port = client.url.removeprefix("http://").split(":")
    open_lines = []
    for number in range(150):
        line = socket.create_connection((host, int(port)), timeout=10)
        line.sendall(b"POST /api/v1/competitions.CompetitionApiService/ListCompetitions HTTP/1.1\r\nHost: x\r\n" + (
            b"Content-Length: 500\r\nAuthorization: Basic dDprCg==\r\n\r\n{" if number % 2 else b"X-Half"))
        open_lines.append(line)
    try:
        begin = time.monotonic()
        assert client.call("ListCompetitions").status_code == 200
        assert time.monotonic() - begin < 5
    finally:
        for line in open_lines:
            line.close()
    for noise in (b"\x00\xff\xfe\r\n\r\n", b"GET\r\n\r\n", b"POST / HTTP/9.9\r\n\r\n", b"\x16\x03\x01\x02\x00",
                  b"GET http://[::1 HTTP/1.1\r\nHost: x\r\n\r\n"):
        answer = raw(client, noise)
        assert not answer or answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 404")), answer
    assert client.call("ListCompetitions").status_code == 200


BODIES = [b"", b"{}", b"[]", b"null", b'"x"', b"{", b"\xff", b'{"competitionName": 1e999}', b'{"competitionName": {"a": []}}',
          b'{"competitionName": "\\ud800"}', b'{"competitionName": "small", "pageSize": -5, "page": 99999999999999999999999}',
          b'{"competitionName": "small", "pageToken": "x", "ref": "9e99", "topicId": [], "id": null, "refs": "no"}',
          b'{"competitionName": "small\\u0000", "fileName": "\\u0000"}', b"[" * 100_000]


@pytest.mark.parametrize("name", sorted(CALLS))
def test_no_call_breaks_over_a_strange_body(client: Client, name: str) -> None:
    for body in BODIES:
        answer = requests.post(f"{client.url}/api/v1/{name}", data=body, headers=client.head, timeout=20)
        assert answer.status_code < 500, (body, answer.text)
        if answer.status_code >= 400:
            assert answer.json()["code"] == answer.status_code and answer.json()["message"]


@pytest.mark.parametrize("name", ["ä ö.csv", "../../evil.csv", "a" * 5000 + ".csv", "x\ny.csv", "<b>.csv", "C:\\x.csv", "nul\x00.csv", ""])
def test_strange_file_names_are_names_only(home: Path, client: Client, name: str) -> None:
    before = {path for path in home.rglob("*") if ".uploads" not in path.parts and "state.db" not in path.name}
    place = client.call("StartSubmissionUpload", competitionName="small", fileName=name, contentLength=1).json()
    requests.put(place["createUrl"], data=(home / "small" / "files" / "sample_submission.csv").read_bytes(), timeout=10).raise_for_status()
    ref = client.call("CreateSubmission", competitionName="small", blobFileTokens=place["token"], submissionDescription=name).json()["ref"]
    shown = client.wait(ref)
    assert shown["status"] == "COMPLETE" and len(shown["fileName"]) <= 200 and "/" not in shown["fileName"] and shown["description"] == name
    got = client.call("DownloadSubmission", submissionId=ref)
    assert got.status_code == 200 and got.text.startswith("id,y")
    assert Client(client.url, "other").call("DownloadSubmission", submissionId=ref).status_code == 404
    assert {path for path in home.rglob("*") if ".uploads" not in path.parts and "state.db" not in path.name} == before


def paths(home: Path) -> list[str]:
    """Every way to ask for a file of the arena's folder that a rogue client may think of."""
    names = ["solution.csv", "contest.toml", "baselines.csv", "baselines/sample-submission.csv", "../state.db", "../.uploads",
             "../small/solution.csv", "files/../solution.csv", "files/train.csv/../../solution.csv", "/etc/passwd",
             str(home / "small" / "solution.csv"), "deep/../../solution.csv"]
    asked = []
    for name in names:
        for shape in ("/store/small/file/{}", "/store/small/{}", "/store/small/archive.zip/../{}", "/{}", "/competitions/small/{}", "/upload/{}",
                      "http://localhost/store/small/file/{}", "http://localhost/{}", "/store/small/submission/1/{}", "/api/v1/{}"):
            for spelled in (name, quote(name, safe=""), name.replace("..", "%2e%2e"), name.replace("../", "..%2f"), name.replace("../", "..\\")):
                asked.append(shape.format(spelled.lstrip("/") if shape == "/{}" else spelled))
    return list(dict.fromkeys(asked))


def test_no_path_gives_the_answers_away(home: Path, client: Client) -> None:
    secret = (home / "small" / "solution.csv").read_bytes()
    host = client.url.removeprefix("http://")
    for method in ("GET", "POST", "PUT"):
        connection = http.client.HTTPConnection(host, timeout=10)
        for path in paths(home):
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for key, value in {"Host": "x", "Content-Length": "0", **client.head}.items():
                connection.putheader(key, value)
            connection.endheaders()
            answer = connection.getresponse()
            body = answer.read()
            assert answer.status in (400, 401, 403, 404, 405), (method, path, answer.status)
            assert b"Usage" not in body and secret[:40] not in body
        connection.close()
    for name in ("solution.csv", "../solution.csv", "deep/../../solution.csv", "..", ".", "", "deep", "deep/er"):
        assert client.call("DownloadDataFile", competitionName="small", fileName=name).status_code == 404, name


def test_every_answer_of_every_call_is_free_of_the_private_part(home: Path, client: Client) -> None:
    content = (home / "small" / "files" / "sample_submission.csv").read_text()
    ref = client.scored(content)["ref"]
    solution = pd.read_csv(home / "small" / "solution.csv")
    private = f"{(solution[solution.Usage == 'Private'].y == 0).mean():.5f}"
    for name in CALLS:
        told = requests.post(f"{client.url}/api/v1/{name}", headers=client.head, timeout=10,
                             json={"competitionName": "small", "ref": ref, "submissionId": ref, "overridePublic": False}).text
        assert private not in told, name


def test_sub_folders_and_strange_names_come_down_whole(home: Path, client: Client) -> None:
    names = [one["name"] for one in client.call("ListDataFiles", competitionName="small").json()["files"]]
    assert "deep/er/bild ü #1%.txt" in names and "deep/train.csv" in names
    assert client.call("DownloadDataFile", competitionName="small", fileName="deep/er/bild ü #1%.txt").text == "a picture"
    tree = client.call("ListDataTreeFiles", competitionName="small", path="deep").json()
    assert [one["name"] for one in tree["directories"]] == ["er"] and [one["name"] for one in tree["files"]] == ["deep/train.csv"]
    summary = client.call("GetCompetitionDataFilesSummary", competitionName="small").json()["fileSummaryInfo"]
    assert summary["totalFileCount"] == 5 and {"extension": ".txt", "fileCount": 1, "totalSize": 9} in summary["fileTypes"]


def test_unknown_paths_answer_in_json(client: Client) -> None:
    for path in ("/", "/api/v1/nothing", "/api/v1/a/b", "/favicon.ico"):
        answer = requests.get(client.url + path, timeout=10)
        assert answer.status_code in (404, 405) and json.loads(answer.text)["message"] == "NotFound"
    assert requests.post(f"{client.url}/api/v1/a/b", json={}, headers=client.head, timeout=10).json()["message"] == "a/b is not served here"


def test_a_process_keeps_few_servers_and_starts_an_older_one_again(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(number: int) -> list:
        monkeypatch.setenv("KK_ARENA_HOME", str(workspace / f"home{number}"))
        with connect("practice") as remote:
            return remote.competitions()

    def running() -> int:
        return sum(thread.name == "arena" for thread in threading.enumerate())

    found, begun = [], running()
    for number in range(9):
        found.append(asked(number))
    deadline = time.monotonic() + 30
    while running() > begun + MOST_ARENAS and time.monotonic() < deadline:
        time.sleep(0.05)
    assert running() <= begun + MOST_ARENAS, "nine were started"
    assert found[0] and asked(0) == found[0]
