"""The arena: Kaggle's protocol over a real socket, scoring, limits, the clock, and answers that never leak."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pytest
import requests

from kagglekit.errors import KKError
from kagglekit.practice.create import create
from kagglekit.practice.server import Embedded
from kagglekit.practice.state import State
from tests.bare_client import SERVICE as C
from tests.bare_client import Client
from tests.conftest import small_tables, write_contest


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "arena"
    home.mkdir()
    source = write_contest(tmp_path / "source", small_tables())
    create(home, "small", source=source, metric="accuracy", now=State(home).now(), daily_limit=5)
    return home


@pytest.fixture
def client(home: Path) -> Iterator[Client]:
    with Embedded(home) as server:
        yield Client(server.url)


def sample(home: Path) -> pd.DataFrame:
    return pd.read_csv(home / "small" / "files" / "sample_submission.csv")


def truth(home: Path) -> pd.DataFrame:
    return pd.read_csv(home / "small" / "solution.csv")


def test_a_submission_is_scored_on_the_public_part_and_the_private_score_stays_hidden(home: Path, client: Client) -> None:
    answers = truth(home)
    public = answers[answers.Usage == "Public"]
    scored = client.scored(sample(home).to_csv(index=False))
    assert scored["status"] == "COMPLETE"
    assert float(scored["publicScore"]) == pytest.approx((public.y == 0).mean(), abs=1e-5)
    assert scored["privateScore"] == ""
    State(home).advance(31)
    over = client.call("GetSubmission", ref=scored["ref"]).json()
    private = answers[answers.Usage == "Private"]
    assert float(over["privateScore"]) == pytest.approx((private.y == 0).mean(), abs=1e-5)


def test_rows_may_come_in_any_order(home: Path, client: Client) -> None:
    perfect = truth(home)[["id", "y"]].sample(frac=1, random_state=3)
    assert client.scored(perfect.to_csv(index=False))["publicScore"] == "1.00000"


@pytest.mark.parametrize(("spoil", "reason"), [
    (lambda t: t.iloc[1:], "Submission must have 120 rows, it has 119"),
    (lambda t: t.rename(columns={"y": "z"}), "Column 'y' is missing"),
    (lambda t: t.assign(id=t["id"].where(t.index != 2, 999999)), "Row 3: id 999999 is not in the test set"),
    (lambda t: t.assign(id=t["id"].where(t.index != 2, t["id"][0])), "Row 3: id 1240 is there more than once"),
    (lambda t: t.assign(y="yes"), "Row 1: 'yes' in column 'y' is not a number"),
    (lambda t: t.assign(y=0.5), "Row 1: '0.5' in column 'y' is no label"),
], ids=["short", "column", "unknown id", "twice", "text", "probability"])
def test_a_malformed_file_ends_in_an_error_that_names_row_or_column(home: Path, client: Client, spoil, reason: str) -> None:
    answer = client.scored(spoil(sample(home)).to_csv(index=False))
    assert (answer["status"], answer["errorDescription"]) == ("ERROR", reason)


def test_bytes_that_are_no_csv_are_an_error_not_a_crash(client: Client) -> None:
    assert client.scored(b"\xff\xfe\x00\x01" * 100)["status"] == "ERROR"
    assert client.scored(b"")["status"] == "ERROR"


def test_the_daily_limit_holds_under_parallel_submissions_and_ends_with_the_day(home: Path, client: Client) -> None:
    content = sample(home).to_csv(index=False)
    with ThreadPoolExecutor(8) as pool:
        codes = [answer.status_code for answer in pool.map(lambda _: client.submit(content), range(8))]
    assert sorted(codes) == [200] * 5 + [400] * 3
    refused = client.submit(content).json()
    assert refused["code"] == 400 and "limit" in refused["message"]
    assert client.call("GetSubmissionLimits", competitionName="small").json()["numAllowedNow"] == 0
    State(home).advance(1)
    assert client.submit(content).status_code == 200


def test_state_survives_a_restart_and_what_was_pending_is_scored(home: Path) -> None:
    state = State(home)
    token = state.new_upload("team", "a.csv")
    (state.uploads / token).write_text(sample(home).to_csv(index=False))
    state.finish_upload(token)
    ref = state.submit("small", "team", token, "left", 5)
    with Embedded(home) as server:
        for _ in range(200):
            answer = Client(server.url).call("GetSubmission", ref=ref).json()
            if answer["status"] != "PENDING":
                break
            time.sleep(0.02)
        assert answer["status"] == "COMPLETE"


@pytest.mark.parametrize("path", ["/solution.csv", "/store/small/solution.csv", "/store/small/file/solution.csv", "/store/small/file/../solution.csv",
                                  "/store/small/file/..%2Fsolution.csv", "/store/small/file/%2e%2e/solution.csv", "/store/small/archive.zip",
                                  "/store/../small/solution.csv", "/store/small/file/contest.toml", "/upload/../small/solution.csv"])
def test_hidden_answers_are_served_by_no_path(client: Client, path: str) -> None:
    import http.client

    host = client.url.removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=10)
    connection.request("GET", path)
    answer = connection.getresponse()
    assert answer.status in (403, 404, 405) and b"Usage" not in answer.read()


def test_a_file_name_with_path_tricks_is_not_found(client: Client) -> None:
    for name in ("../solution.csv", "/etc/passwd", "../../state.db", ""):
        assert client.call("DownloadDataFile", competitionName="small", fileName=name).status_code == 404
    assert client.call("GetCompetition", competitionName="../small").status_code in (200, 404)
    assert client.call("GetCompetition", competitionName="nope").json() == {"code": 404, "message": "NotFound"}


def test_downloads_resume_with_range_and_if_range(client: Client) -> None:
    whole = client.call("DownloadDataFiles", competitionName="small")
    url, tag = whole.url, whole.headers["ETag"]
    part = requests.get(url, headers={"Range": "bytes=100-", "If-Range": tag}, timeout=10)
    assert part.status_code == 206 and part.content == whole.content[100:]
    changed = requests.get(url, headers={"Range": "bytes=100-", "If-Range": '"other"'}, timeout=10)
    assert changed.status_code == 200 and changed.content == whole.content


def test_no_login_is_refused_and_bad_json_too(client: Client) -> None:
    assert requests.post(f"{client.url}/api/v1/{C}/ListCompetitions", json={}, timeout=10).status_code == 401
    bad = requests.post(f"{client.url}/v1/{C}/ListCompetitions", data=b"{", headers=client.head, timeout=10)
    assert bad.status_code == 400


def test_submissions_come_in_pages_newest_first(home: Path, client: Client) -> None:
    refs = [client.submit(sample(home).to_csv(index=False)).json()["ref"] for _ in range(3)]
    first = client.call("ListSubmissions", competitionName="small", pageSize=2).json()
    rest = client.call("ListSubmissions", competitionName="small", pageSize=2, pageToken=first["nextPageToken"]).json()
    assert [one["ref"] for one in first["submissions"] + rest["submissions"]] == refs[::-1]
    assert rest["nextPageToken"] == ""


def test_built_in_tables_are_the_same_bytes_for_the_same_seed() -> None:
    from kagglekit.practice.builtin.registry import REGISTRY

    make = REGISTRY.get("practice-clinics").function
    one, other, third = make(0), make(0), make(1)
    assert all(one[name].equals(other[name]) for name in one)
    assert not one["train"].equals(third["train"])
    assert not set(one["train"]["patient"]) & set(one["test"]["patient"])


@pytest.mark.parametrize(("spoil", "message"), [
    (lambda folder: (folder / "solution.csv").unlink(), "has no solution.csv"),
    (lambda folder: (folder / "files" / "sample_submission.csv").unlink(), "has no sample submission"),
    (lambda folder: (folder / "solution.csv").write_text("id,y\n1,0\n"), "differ in their ids"),
    (lambda folder: (folder / "solution.csv").write_text("id,z\n1,0\n"), "has no column 'y' of the sample"),
])
def test_create_refuses_what_cannot_be_scored_and_leaves_nothing(tmp_path: Path, home: Path, spoil, message: str) -> None:
    source = write_contest(tmp_path / "spoilt", small_tables())
    spoil(source)
    with pytest.raises(KKError, match=message):
        create(home, "spoilt", source=source, metric="accuracy", now=State(home).now())
    assert not (home / "spoilt").exists() and not list(home.glob(".making-*"))


def test_create_refuses_taken_names_unknown_metrics_and_odd_names(tmp_path: Path, home: Path) -> None:
    source, now = tmp_path / "source", State(home).now()
    with pytest.raises(KKError, match="has a competition called small already"):
        create(home, "small", source=source, metric="accuracy", now=now)
    with pytest.raises(KKError, match="no metric is called 'acuracy'.*accuracy"):
        create(home, "other", source=source, metric="acuracy", now=now)
    with pytest.raises(KKError, match="is no name for a competition"):
        create(home, "../evil", source=source, metric="accuracy", now=now)


def test_a_taken_port_is_an_error_with_the_remedy(home: Path, workspace: Path, client: Client, kk) -> None:
    port = client.url.rsplit(":", 1)[1]
    ran = kk("arena", "serve", "--port", port)
    assert ran.code == 1 and ran.error == f"Error: port {port} is taken. Choose another: kk arena serve --port {int(port) + 1}"


def test_parallel_first_downloads_all_get_the_archive(client: Client) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: client.call("DownloadDataFiles", competitionName="small"), range(8)))
    assert {answer.status_code for answer in answers} == {200} and len({answer.content for answer in answers}) == 1


def test_answers_left_among_the_files_are_never_copied(tmp_path: Path, home: Path) -> None:
    source = write_contest(tmp_path / "careless", small_tables())
    (source / "files" / "solution.csv").write_bytes((source / "solution.csv").read_bytes())
    contest = create(home, "careless", source=source, metric="accuracy", now=State(home).now())
    assert contest.file_paths() == ["sample_submission.csv", "test.csv", "train.csv"]


def test_text_answers_of_a_metric_of_numbers_are_refused_at_creation(tmp_path: Path, home: Path) -> None:
    tables = small_tables()
    tables["solution"]["y"] = tables["solution"]["y"].map({0: "No", 1: "Yes"})
    with pytest.raises(KKError, match=r"solution\.csv has '(No|Yes)' in 'y', the metric needs numbers"):
        create(home, "texts", source=write_contest(tmp_path / "texts", tables), metric="auc", now=State(home).now())


def test_an_unreadable_contest_does_not_stop_the_scoring_of_others(tmp_path: Path, home: Path, client: Client) -> None:
    create(home, "other", source=tmp_path / "source", metric="accuracy", now=State(home).now())
    content = sample(home).to_csv(index=False)
    place = client.call("StartSubmissionUpload", competitionName="other", fileName="a.csv", contentLength=1).json()
    requests.put(place["createUrl"], data=content, timeout=20).raise_for_status()
    State(home).submit("other", "team", place["token"], "spoilt", 5)
    (home / "other" / "contest.toml").write_text("metric = [")
    assert client.scored(content)["status"] == "COMPLETE"
