"""Faults on demand: each one is seen on the wire of a real arena, counted over processes, and absent without the flag."""

import gzip
import io
import json
import os
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from kagglekit.practice.faults import FLAG, Hit, hits, with_faults, write_faults
from kagglekit.practice.server import Embedded
from tests.bare_client import Client
from tests.conftest import ROOT, copied

SLUG, MIB = "small-auc", 1024**2
CUT = (requests.exceptions.ChunkedEncodingError, requests.exceptions.ConnectionError)


@dataclass
class Arena:
    """A running arena, its faults file and what came of it since the test began."""

    client: Client
    home: Path
    file: Path
    before: int = 0

    def spoil(self, *rules: dict) -> None:
        write_faults(self.file, list(rules))
        self.before = len(hits(self.file))

    def seen(self, at: str) -> list[Hit]:
        """The hits at a place since the rules were set, once the last one has ended."""
        for _ in range(400):
            found = [hit for hit in hits(self.file)[self.before:] if hit.at == at]
            if all(hit.ended for hit in found):
                return found
            time.sleep(0.01)
        raise AssertionError("a request has not ended")

    @property
    def store(self) -> str:
        answer = requests.post(f"{self.client.url}/api/v1/competitions.CompetitionApiService/DownloadDataFiles", json={"competitionName": SLUG},
                               headers=self.client.head, timeout=20, allow_redirects=False)
        return answer.headers["Location"]

    def get(self, **headers: str) -> requests.Response:
        return requests.get(self.store, headers=headers, timeout=20)

    def raw(self, *lines: str) -> "Raw":
        return Raw(self.store, *lines)

    def uploaded(self) -> str:
        place = self.client.call("StartSubmissionUpload", competitionName=SLUG, fileName="a.csv", contentLength=3).json()
        requests.put(place["createUrl"], data=b"a,b", timeout=20).raise_for_status()
        return place["token"]


class Raw:
    """What a bare socket brings; `reset`: the connection was reset, not closed."""

    def __init__(self, url: str, *lines: str) -> None:
        place, got, self.reset = urlsplit(url), b"", False
        with socket.create_connection((place.hostname, place.port), timeout=20) as line:
            line.sendall("\r\n".join([f"GET {place.path}?{place.query} HTTP/1.1", "Host: a", "Connection: close", *lines, "", ""]).encode())
            try:
                while piece := line.recv(65536):
                    got += piece
            except ConnectionResetError:
                self.reset = True
        head, _, self.body = got.partition(b"\r\n\r\n")
        self.head = head.decode()

    def header(self, name: str) -> str:
        lines = [line.partition(": ") for line in self.head.split("\r\n")[1:]]
        return next((value for key, _, value in lines if key.lower() == name), "")


@pytest.fixture(scope="module")
def running(small_arena: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    home = tmp_path_factory.mktemp("faults") / "arena"
    copied(small_arena, home)
    file = home.parent / "faults.json"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(FLAG, str(file))
        with Embedded(home) as server:
            yield Arena(Client(server.url), home, file)


@pytest.fixture
def arena(running: Arena) -> Arena:
    running.spoil()
    return running


@pytest.fixture
def whole(arena: Arena) -> bytes:
    return arena.get().content


def total(arena: Arena) -> int:
    return arena.client.call("GetSubmissionLimits", competitionName=SLUG).json()["numTotal"]


def test_without_the_flag_the_app_is_the_same_object() -> None:
    assert with_faults(total) is total


def test_without_rules_all_requests_are_written_down_and_none_is_touched(arena: Arena) -> None:
    assert arena.get(Range="bytes=100-299").status_code == 206
    assert arena.seen("DownloadDataFiles") == [Hit(at="DownloadDataFiles", method="POST", faults=(), range="", if_range="", status=302, inner=302,
                                                   target="/api/v1/competitions.CompetitionApiService/DownloadDataFiles", ended=True)]
    assert arena.seen("store") == [Hit(at="store", method="GET", target=f"/store/{SLUG}/archive.zip", range="bytes=100-299", if_range="",
                                       faults=(), status=206, inner=206, sent=200, ended=True)]


def test_truncate_closes_after_so_many_bytes_and_a_range_brings_the_rest(arena: Arena, whole: bytes) -> None:
    arena.spoil({"at": "store", "fault": "truncate", "bytes": 1000, "times": 1})
    got = arena.raw()
    assert (got.body, got.reset, got.header("content-length")) == (whole[:1000], False, str(len(whole)))
    rest = arena.get(**{"Range": "bytes=1000-", "If-Range": got.header("etag")})
    assert (rest.status_code, got.body + rest.content) == (206, whole)
    assert [(hit.faults, hit.sent, hit.range, hit.if_range) for hit in arena.seen("store")] == [
        (("truncate",), 1000, "", ""), ((), len(whole) - 1000, "bytes=1000-", got.header("etag"))]


def test_truncate_where_the_store_ignores_ranges(arena: Arena, whole: bytes) -> None:
    arena.spoil({"fault": "truncate", "bytes": 1000, "times": 2, "ranges": False})
    for _ in range(2):
        with pytest.raises(CUT):
            arena.get(Range="bytes=500-")
    last = arena.get(Range="bytes=500-")
    assert (last.status_code, last.content, last.headers.get("Accept-Ranges")) == (200, whole, None)
    assert [hit.sent for hit in arena.seen("store")] == [1000, 1000, len(whole)]


def test_rules_in_a_row_make_a_sequence_and_after_skips(arena: Arena, whole: bytes) -> None:
    arena.spoil({"fault": "status", "at": "store", "code": 503, "times": 1, "after": 1}, {"fault": "truncate", "bytes": 7, "times": 1, "after": 1})
    assert [(len(got.body) if "200" in got.head else got.head[9:12]) for got in (arena.raw() for _ in range(4))] == [
        len(whole), "503", 7, len(whole)]


@pytest.mark.parametrize("code", [401, 403, 429, 500, 503])
def test_status_answers_as_kaggle_does(arena: Arena, code: int) -> None:
    arena.spoil({"fault": "status", "at": "GetCompetition", "code": code, "message": "no", "retry_after": 2})
    answer = arena.client.call("GetCompetition", competitionName=SLUG)
    assert (answer.status_code, answer.json(), answer.headers["Retry-After"]) == (code, {"code": code, "message": "no"}, "2")
    assert arena.client.call("ListDataFiles", competitionName=SLUG).status_code == 200
    assert [(hit.status, hit.inner) for hit in arena.seen("GetCompetition")] == [(code, None)]


def test_status_as_a_page(arena: Arena) -> None:
    arena.spoil(*({"fault": "status", "at": "store", "code": code, "html": True, "times": 1} for code in (200, 502)))
    for code in (200, 502):
        answer = arena.get()
        assert (answer.status_code, answer.headers["Content-Type"], answer.text[:15]) == (code, "text/html; charset=utf-8", "<!DOCTYPE html>")


def test_an_upload_that_fails_is_not_kept(arena: Arena) -> None:
    arena.spoil({"fault": "status", "at": "upload", "code": 503, "times": 1})
    place = arena.client.call("StartSubmissionUpload", competitionName=SLUG, fileName="a.csv", contentLength=10**6).json()
    assert requests.put(place["createUrl"], data=b"x" * 10**6, timeout=20).status_code == 503
    refused = arena.client.call("CreateSubmission", competitionName=SLUG, blobFileTokens=place["token"])
    assert (refused.status_code, refused.json()["message"]) == (400, "The uploaded file was not found")
    assert requests.put(place["createUrl"], data=b"x", timeout=20).status_code == 200


def test_reset_in_the_middle_of_the_body(arena: Arena, whole: bytes) -> None:
    arena.spoil({"fault": "reset", "bytes": 2000, "times": 1}, {"fault": "reset", "headers": False, "times": 1})
    cut, none = arena.raw(), arena.raw()
    assert (cut.body, cut.reset, none.head, none.reset) == (whole[:2000], True, "", True)
    assert [(hit.status, hit.sent, hit.inner) for hit in arena.seen("store")] == [(200, 2000, 200), (None, 0, 200)]


def test_drip_comes_whole_and_slowly_and_stops_when_the_client_goes(arena: Arena, whole: bytes) -> None:
    arena.spoil({"fault": "drip", "bytes_per_second": len(whole) * 2})
    begun = time.monotonic()
    assert arena.get().content == whole
    assert 0.4 < time.monotonic() - begun < 5
    arena.spoil({"fault": "drip", "bytes_per_second": 200})
    with requests.get(arena.store, stream=True, timeout=20) as answer:
        next(answer.iter_content(1))
    assert 0 < arena.seen("store")[0].sent < 1000


def test_no_answer_is_silent_until_its_time_or_the_client_is_gone(arena: Arena) -> None:
    arena.spoil({"fault": "no-answer", "at": "GetCompetition", "times": 1}, {"fault": "no-answer", "at": "GetCompetition", "seconds": 0.2})
    with pytest.raises(requests.exceptions.ReadTimeout):
        requests.post(f"{arena.client.url}/api/v1/competitions.CompetitionApiService/GetCompetition", json={}, timeout=0.3)
    with pytest.raises(requests.exceptions.ConnectionError):
        arena.client.call("GetCompetition", competitionName=SLUG)
    assert [(hit.status, hit.inner) for hit in arena.seen("GetCompetition")] == [(None, None)] * 2


def test_wrong_length(arena: Arena, whole: bytes) -> None:
    arena.spoil({"fault": "wrong-length", "by": 50, "times": 1}, {"fault": "wrong-length", "by": -50})
    for got, by in ((arena.raw(), 50), (arena.raw(), -50)):
        assert (got.header("content-length"), got.body) == (str(len(whole) + by), whole)


def test_no_length_chunked_and_plain(arena: Arena, whole: bytes) -> None:
    arena.spoil({"fault": "no-length", "bytes": 3000, "times": 1}, {"fault": "no-length", "bytes": 3000, "chunked": False, "times": 1},
                {"fault": "no-length", "bytes": len(whole), "times": 1})
    with pytest.raises(CUT):
        arena.get()
    short, full = arena.get(), arena.get()
    assert (short.content, short.headers.get("Content-Length"), short.headers.get("Transfer-Encoding")) == (whole[:3000], None, None)
    assert (full.content, full.headers.get("Content-Length")) == (whole, None)


def test_gzip_packs_for_the_way(arena: Arena, whole: bytes) -> None:
    arena.spoil({"fault": "gzip"})
    got = arena.raw("Range: bytes=10-", "Accept-Encoding: identity")
    assert (got.header("content-encoding"), got.header("content-length"), got.header("accept-ranges")) == ("gzip", str(len(got.body)), "")
    assert gzip.decompress(got.body) == whole


def test_changed_is_another_valid_object_from_then_on(arena: Arena, whole: bytes, tmp_path: Path) -> None:
    arena.spoil({"fault": "truncate", "bytes": 1000, "times": 1}, {"fault": "changed", "after": 1})
    first = arena.raw()
    second = arena.get(**{"Range": "bytes=1000-", "If-Range": first.header("etag")})
    assert (first.body, second.status_code) == (whole[:1000], 200)
    assert second.content[:1000] != whole[:1000]
    assert second.headers["ETag"] != first.header("etag") and second.headers["Last-Modified"] != first.header("last-modified")
    assert members(second.content) == members(whole)
    part = arena.get(**{"Range": "bytes=-500", "If-Range": second.headers["ETag"]})
    assert (part.status_code, part.content, part.headers["Content-Range"]) == (
        206, second.content[-500:], f"bytes {len(second.content) - 500}-{len(second.content) - 1}/{len(second.content)}")
    assert arena.get(Range=f"bytes={len(second.content)}-").status_code == 416
    (tmp_path / "other.zip").write_bytes(b"quite another")
    arena.spoil({"fault": "changed", "file": str(tmp_path / "other.zip")})
    assert arena.get().content == b"quite another"


def test_damage_is_one_byte_under_the_same_validators(arena: Arena, whole: bytes) -> None:
    good = arena.get()
    arena.spoil({"fault": "damage", "offset": 70})
    bad = arena.get()
    assert bad.content == whole[:70] + bytes([whole[70] ^ 0xFF]) + whole[71:]
    assert all(bad.headers[name] == good.headers[name] for name in ("ETag", "Last-Modified", "Content-Length"))


def members(body: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist()}


def test_corrupt_member(arena: Arena, whole: bytes) -> None:
    arena.spoil({"fault": "corrupt-member", "member": "test.csv"})
    with zipfile.ZipFile(io.BytesIO(arena.get().content)) as archive:
        assert archive.testzip() == "test.csv"
        assert archive.read("train.csv") == members(whole)["train.csv"]


def test_escape_and_link_members_can_be_had_together(arena: Arena, whole: bytes) -> None:
    arena.spoil({"fault": "escape-member"}, {"fault": "link-member", "name": "in", "to": "/tmp", "behind": "x.txt"})
    got = arena.get()
    assert got.content == arena.get().content
    with zipfile.ZipFile(io.BytesIO(got.content)) as archive:
        assert set(archive.namelist()) == {*members(whole), "../evil.txt", "in", "in/x.txt"}
        assert archive.getinfo("in").external_attr >> 16 == 0o120777
        assert (archive.read("in"), archive.testzip()) == (b"/tmp", None)
    assert arena.seen("store")[-1].faults == ("escape-member", "link-member")


def test_bomb_unpacks_to_far_more_than_it_weighs(arena: Arena, whole: bytes) -> None:
    arena.spoil({"fault": "bomb", "bytes": 20_000_001})
    got = arena.get().content
    assert len(got) < len(whole) + 30_000
    with zipfile.ZipFile(io.BytesIO(got)) as archive:
        assert archive.getinfo("bomb.csv").file_size == 20_000_001
        assert archive.testzip() is None
    # What is no zip stays as it is.
    assert arena.client.call("DownloadDataFile", competitionName=SLUG, fileName="test.csv").content == members(whole)["test.csv"]


def test_a_lost_answer_was_carried_out_once(arena: Arena) -> None:
    arena.spoil({"fault": "lost-answer"})
    token, earlier = arena.uploaded(), total(arena)
    with pytest.raises(requests.exceptions.ConnectionError):
        arena.client.call("CreateSubmission", competitionName=SLUG, blobFileTokens=token, submissionDescription="tag")
    assert total(arena) == earlier + 1
    assert [(hit.status, hit.inner, hit.sent) for hit in arena.seen("CreateSubmission")] == [(None, 200, 0)]


def test_pending_for_ever(arena: Arena) -> None:
    ref = arena.client.call("CreateSubmission", competitionName=SLUG, blobFileTokens=arena.uploaded()).json()["ref"]
    assert arena.client.wait(ref)["status"] == "ERROR"
    arena.spoil({"fault": "pending"})
    listed = arena.client.call("ListSubmissions", competitionName=SLUG).json()["submissions"]
    for told in (arena.client.call("GetSubmission", ref=ref).json(), listed[0]):
        assert (told["ref"], told["status"], told["publicScore"], told["errorDescription"]) == (ref, "PENDING", "", "")


def test_the_daily_limit_refuses_and_creates_nothing(arena: Arena) -> None:
    arena.spoil({"fault": "daily-limit"})
    earlier = total(arena)
    answer = arena.client.call("CreateSubmission", competitionName=SLUG, blobFileTokens=arena.uploaded())
    assert (answer.status_code, answer.json()["code"]) == (400, 400) and "daily limit" in answer.json()["message"]
    assert total(arena) == earlier


def test_an_expired_token_is_refused_by_all_calls_and_not_by_the_store(arena: Arena) -> None:
    url = arena.store
    arena.spoil({"fault": "expired-token"})
    assert {arena.client.call(method, competitionName=SLUG).status_code for method in ("GetCompetition", "ListSubmissions")} == {401}
    assert requests.get(url, timeout=20).status_code == 200


def test_many_submissions_lie_behind_the_real_ones(arena: Arena) -> None:
    arena.client.call("CreateSubmission", competitionName=SLUG, blobFileTokens=arena.uploaded(), submissionDescription="mine")
    arena.spoil({"fault": "many-submissions", "pages": 2})
    told, pages = {"nextPageToken": ""}, []
    while told["nextPageToken"] or not pages:
        told = arena.client.call("ListSubmissions", competitionName=SLUG, pageSize=50, pageToken=told["nextPageToken"]).json()
        pages.append(told["submissions"])
    assert pages[0][0]["description"] == "mine"
    assert [len(page) for page in pages[-2:]] == [50, 50]
    dates = [one["date"] for page in pages for one in page]
    assert dates == sorted(dates, reverse=True) and len({one["ref"] for page in pages for one in page}) == len(dates)


def test_absolute_targets_have_places_too(arena: Arena) -> None:
    arena.spoil({"fault": "status", "at": "store", "code": 500})
    assert requests.get(arena.store, proxies={"http": arena.client.url}, timeout=20).status_code == 500
    assert arena.seen("store")[0].target == f"/store/{SLUG}/archive.zip"


def test_a_fault_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="'trunkate'; known are bomb, changed"):
        write_faults(tmp_path / "faults.json", [{"fault": "trunkate"}])
    assert not (tmp_path / "faults.json").exists()


SERVER = """
import pathlib, sys, time
from kagglekit.practice.server import Embedded
with Embedded(pathlib.Path(sys.argv[1])) as server:
    print(server.url, flush=True)
    time.sleep(60)
"""


def test_counts_and_bytes_hold_when_the_process_is_killed_on_the_way(running: Arena, tmp_path: Path) -> None:
    file, other, path = tmp_path / "faults.json", tmp_path / "other.zip", urlsplit(running.store)
    other.write_bytes(os.urandom(3 * MIB))
    # As a person would write it, without the number that write_faults gives.
    file.write_text(json.dumps([{"fault": "changed", "file": str(other)}, {"fault": "drip", "bytes_per_second": 6 * MIB, "times": 1}]))
    command, environment = [sys.executable, "-c", SERVER, str(running.home)], {**os.environ, FLAG: str(file), "PYTHONPATH": str(ROOT)}
    for kill in (True, False):
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        try:
            url = f"{server.stdout.readline().strip()}{path.path}?{path.query}"
            with requests.get(url, stream=True, timeout=20) as answer:
                got = answer.raw.read(MIB if kill else None)
        finally:
            server.kill()
            server.wait()
            server.stdout.close()
        assert other.read_bytes().startswith(got)
    first, second = hits(file)
    assert (first.faults, first.ended) == (("changed", "drip"), False) and MIB * 3 / 4 <= first.sent < 3 * MIB
    assert (second.faults, second.sent) == (("changed",), 3 * MIB)


def test_several_servers_share_the_counts(running: Arena, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, path = tmp_path / "faults.json", urlsplit(running.store)
    monkeypatch.setenv(FLAG, str(file))
    write_faults(file, [{"fault": "status", "at": "store", "times": 5}])
    with Embedded(running.home) as one, Embedded(running.home) as other, ThreadPoolExecutor(8) as pool:
        urls = [f"{server.url}{path.path}?{path.query}" for server in (one, other) * 10]
        codes = [answer.status_code for answer in pool.map(lambda url: requests.get(url, timeout=20), urls)]
    assert sorted(codes) == [200] * 15 + [503] * 5


@pytest.mark.parametrize("rule", [{"fault": "truncate", "bytes": 3000, "times": 1}, {"fault": "reset", "bytes": 3000, "times": 1},
                                  {"fault": "status", "at": "store", "code": 200, "html": True, "times": 1}], ids=lambda rule: rule["fault"])
def test_join_meets_the_faults(rule: dict, workspace: Path, small_arena: Path, monkeypatch: pytest.MonkeyPatch, kk: Callable) -> None:
    file = workspace.parent / "faults.json"
    copied(small_arena, workspace / "arena")
    monkeypatch.setenv(FLAG, str(file))
    write_faults(file, [rule])
    ran = kk("join", SLUG, "--practice", "--json")
    assert ran.code == 0, ran.err
    raw, files = workspace / "competitions" / SLUG / "data" / "raw", small_arena / SLUG / "files"
    assert all((raw / one.name).read_bytes() == one.read_bytes() for one in files.iterdir())
    seen = [hit for hit in hits(file) if hit.at == "store"]
    assert seen[0].faults == (rule["fault"],) and len(seen) > 1
