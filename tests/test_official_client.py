"""The unmodified official kaggle command against `kk arena serve`, with the lines it prints."""

import csv
import io
import json
import os
import re
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
import requests

from kagglekit.practice.contest import close_contest, read_contest
from kagglekit.practice.create import create
from kagglekit.practice.forum import Comment, Forum, Notebook, Topic, write_forum
from kagglekit.practice.state import State
from tests.conftest import small_tables, write_contest

KAGGLE = Path(sys.executable).with_name("kaggle")
FORUM = Forum((
    Topic("Is accuracy right here?", "ann", "A **bold** claim: it is.", votes=3, comments=(
    Comment("bob", "It is not.", votes=2, replies=(Comment("ann", "Why?"),)), Comment("eve", "Show it."))),
    Topic("Welcome", "host", "Read the rules.", sticky=True)), (Notebook("sample-submission", "All zeros", "ann", votes=7),))


@dataclass(frozen=True)
class Official:
    """The official command in an environment made from the printed lines; `folder` is where it runs."""

    folder: Path
    home: Path
    environment: dict[str, str]

    def __call__(self, *args: object, fails: bool = False) -> str:
        ran = subprocess.run([KAGGLE, *map(str, args)], capture_output=True, text=True, env=self.environment, timeout=60, cwd=self.folder)
        assert (ran.returncode != 0) == fails, ran.stdout + ran.stderr
        return ran.stdout + ran.stderr if fails else ran.stdout

    def rows(self, *args: object) -> list[dict[str, str]]:
        """What it prints as csv; a token of a next page may stand before."""
        text = self(*args, "--csv")
        lines = [line for line in text.splitlines() if line and not line.startswith("Next Page Token")]
        return list(csv.DictReader(io.StringIO("\n".join(lines))))

    def scored(self, slug: str) -> list[dict[str, str]]:
        for _ in range(60):
            rows = self.rows("competitions", "submissions", slug)
            if all("PENDING" not in row["status"] for row in rows):
                return rows
            time.sleep(0.2)
        raise AssertionError("still pending")


@pytest.fixture(scope="module")
def kaggle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Official]:
    """The command, and an arena of its own: `small` with folders and a forum, `coded` of notebooks only."""
    if not KAGGLE.exists():
        pytest.skip("the official kaggle command is not installed beside this Python")
    workspace = tmp_path_factory.mktemp("official")
    for name in ("configs", "competitions", "arena"):
        (workspace / name).mkdir()
    source = write_contest(workspace / "source", small_tables())
    (source / "files" / "deep").mkdir()
    (source / "files" / "deep" / "meta info.csv").write_text("a,b\n1,2\n")
    home = workspace / "arena"
    for name in ("small", "coded"):
        create(home, name, source=source, metric="accuracy", now=State(home).now(), daily_limit=40, code_only=name == "coded")
        write_forum(home / name, FORUM)
    given = {key: value for key, value in os.environ.items() if not key.startswith("KAGGLE_") and "proxy" not in key.lower()}
    given |= {"HOME": str(workspace), "KK_ARENA_HOME": str(home)}
    server = subprocess.Popen([sys.executable, "-m", "kagglekit", "arena", "serve", "--port", "0"], stdout=subprocess.PIPE, text=True,
                              cwd=workspace, env={**given, "PYTHONPATH": str(Path(__file__).parents[1])})
    lines = [server.stdout.readline().strip() for _ in range(5)]
    assert lines[4] == "unset no_proxy NO_PROXY KAGGLE_API_TOKEN"
    printed = dict(re.fullmatch(r"export (\w+)=(.*)", line).groups() for line in lines if line.startswith("export"))
    yield Official(workspace, home, {**given, **printed})
    server.send_signal(2)
    server.wait(timeout=10)
    server.stdout.close()


def test_competitions_are_listed_searched_and_sorted(kaggle: Official) -> None:
    refs = [row["ref"] for row in kaggle.rows("competitions", "list")]
    assert {"https://www.kaggle.com/competitions/small", "https://www.kaggle.com/competitions/practice-clinics"} <= set(refs)
    assert [row["ref"].rsplit("/", 1)[1] for row in kaggle.rows("competitions", "list", "-s", "clinics")] == ["practice-clinics"]
    pages = [row["ref"] for page in (1, 2) for row in kaggle.rows("competitions", "list", "--page-size", 2, "-p", page)]
    assert len(set(pages)) == 4
    assert kaggle("competitions", "list", "--group", "hosted").strip() == "No competitions found"


def test_files_are_listed_in_pages_and_downloaded_whole_or_one_by_one(kaggle: Official) -> None:
    names = [row["name"] for row in kaggle.rows("competitions", "files", "small")]
    assert names == ["deep/meta info.csv", "sample_submission.csv", "test.csv", "train.csv"]
    first = kaggle("competitions", "files", "small", "--page-size", 3)
    token = re.search(r"Next Page Token = (\S+)", first)[1]
    assert "train.csv" in kaggle("competitions", "files", "small", "--page-size", 3, "--page-token", token)
    kaggle("competitions", "download", "small", "-q")
    with zipfile.ZipFile(kaggle.folder / "small.zip") as archive:
        assert archive.testzip() is None and sorted(archive.namelist()) == names
    before = (kaggle.folder / "small.zip").stat()
    assert "Skipping" in kaggle("competitions", "download", "small"), "Last-Modified and the length tell that it is here"
    assert (kaggle.folder / "small.zip").stat().st_mtime_ns == before.st_mtime_ns
    kaggle("competitions", "download", "small", "-f", "test.csv", "-q")
    assert len(pd.read_csv(kaggle.folder / "test.csv")) == 120
    kaggle("competitions", "download", "small", "-f", "deep/meta info.csv", "-q")
    # The client keeps the name as it stands in the URL.
    assert (kaggle.folder / "deep" / "meta%20info.csv").read_text() == "a,b\n1,2\n"
    assert "NotFound" in kaggle("competitions", "download", "small", "-f", "solution.csv", fails=True)


def test_a_download_that_was_cut_goes_on_where_it_stopped(kaggle: Official) -> None:
    kaggle("competitions", "download", "small", "-q", "-o")
    path = kaggle.folder / "small.zip"
    whole = path.read_bytes()
    path.write_bytes(whole[:100])
    url = kaggle.environment["http_proxy"] + "/api/v1/competitions.CompetitionApiService/DownloadDataFiles"
    tag = requests.post(url, json={"competitionName": "small"}, auth=("practice", "practice"), timeout=10).headers["ETag"]
    (kaggle.folder / "small.zip.kaggle-partial").write_text(json.dumps({"validator": tag, "size": len(whole)}))
    kaggle("competitions", "download", "small", "-q")
    assert path.read_bytes() == whole


def test_submissions_are_scored_listed_in_pages_and_counted(kaggle: Official) -> None:
    zeros = pd.read_csv(kaggle.home / "small" / "files" / "sample_submission.csv")
    zeros.to_csv(kaggle.folder / "zeros.csv", index=False)
    zeros.iloc[1:].to_csv(kaggle.folder / "short.csv", index=False)
    said = kaggle("competitions", "submit", "small", "-f", "zeros.csv", "-m", "all zeros")
    assert "Successfully submitted to small" in said and "39 submissions remaining today" in said
    for number in range(3):
        kaggle("competitions", "submit", "small", "-f", "zeros.csv", "-m", f"again {number}", "-q")
    kaggle("competitions", "submit", "small", "-f", "short.csv", "-m", "short", "-q")
    rows = kaggle.scored("small")
    solution = pd.read_csv(kaggle.home / "small" / "solution.csv")
    public = (solution[solution.Usage == "Public"].y == 0).mean()
    assert [row["description"] for row in rows] == ["short", "again 2", "again 1", "again 0", "all zeros"]
    assert [row["status"] for row in rows] == ["SubmissionStatus.ERROR"] + ["SubmissionStatus.COMPLETE"] * 4
    assert {row["publicScore"] for row in rows[1:]} == {f"{public:.5f}"} and {row["privateScore"] for row in rows} == {""}
    # The command does not print the next page's token; the arena's is the number of rows before it.
    paged = [row["description"] for token in ("0", "2", "4")
             for row in kaggle.rows("competitions", "submissions", "small", "--page-size", 2, "--page-token", token)]
    assert paged == [row["description"] for row in rows]
    limits = kaggle("competitions", "submission-limits", "small")
    assert re.search(r"\b36\b", limits), limits
    board = kaggle("competitions", "leaderboard", "small", "--show")
    assert "practice" in board and "sample submission" in board and f"{public:.5f}" in board
    kaggle("competitions", "leaderboard", "small", "--download", "-q")
    with zipfile.ZipFile(kaggle.folder / "small.zip") as archive:
        table = pd.read_csv(archive.open(archive.namelist()[0]))
    assert list(table["TeamName"]) == ["practice", "sample submission"] and table["SubmissionCount"].tolist() == [4, 0]
    team = kaggle.rows("competitions", "team-submissions", int(table["TeamId"][0]))
    assert len(team) == 4 and {row["publicScore"] for row in team} == {f"{public:.5f}"}


def test_a_notebooks_only_contest_takes_notebooks_and_no_files(kaggle: Official) -> None:
    pd.read_csv(kaggle.home / "coded" / "files" / "sample_submission.csv").to_csv(kaggle.folder / "zeros.csv", index=False)
    refused = kaggle("competitions", "submit", "coded", "-f", "zeros.csv", "-m", "x", fails=True)
    assert "only accepts Submissions from Notebooks" in refused
    kaggle("competitions", "submit", "coded", "-k", "ann/sample-submission", "-v", "1", "-f", "submission.csv", "-m", "notebook")
    row, = kaggle.scored("coded")
    assert row["status"] == "SubmissionStatus.COMPLETE" and row["publicScore"]
    assert "knows none called" in kaggle("competitions", "submit", "coded", "-k", "ann/other", "-v", "1", "-f", "a.csv", "-m", "x", fails=True)


def test_pages_topics_messages_and_notebooks_are_read(kaggle: Official) -> None:
    pages = kaggle("competitions", "pages", "-c", "small", "--content")
    assert "description" in pages and "Higher is better" in pages and "At most 40 submissions a day" in pages
    topics = kaggle.rows("competitions", "topics", "list", "small")
    assert [row["title"] for row in topics] == ["Welcome", "Is accuracy right here?"] and topics[1]["commentCount"] == "3"
    shown = kaggle("competitions", "topics", "show", topics[1]["id"])
    assert all(word in shown for word in ("bold", "It is not.", "Why?", "Show it.")), shown
    messages = kaggle("competitions", "topic-messages", "small", topics[1]["id"])
    assert "It is not." in messages
    notebook, = kaggle.rows("kernels", "list", "--competition", "small")
    assert notebook["ref"] == "ann/sample-submission" and notebook["totalVotes"] == "7"


def test_wrong_names_and_logins_are_told(kaggle: Official) -> None:
    assert "NotFound" in kaggle("competitions", "files", "smal", fails=True)
    nobody = Official(kaggle.folder, kaggle.home, {**kaggle.environment, "KAGGLE_USERNAME": "", "KAGGLE_KEY": ""})
    nobody("competitions", "list", fails=True)
    token = State(kaggle.home).new_token("gamma")
    bearer = {key: value for key, value in kaggle.environment.items() if key not in ("KAGGLE_USERNAME", "KAGGLE_KEY")}
    by_token = Official(kaggle.folder, kaggle.home, {**bearer, "KAGGLE_API_TOKEN": token})
    by_token("competitions", "submit", "small", "-f", kaggle.home / "small" / "files" / "sample_submission.csv", "-m", "by token", "-q")
    assert State(kaggle.home).submissions("small")[0]["team"] == "gamma"


def test_after_the_end_the_private_scores_and_the_final_board_are_open(kaggle: Official) -> None:
    state = State(kaggle.home)
    create(kaggle.home, "ended", source=kaggle.folder / "source", metric="accuracy", now=state.now())
    kaggle("competitions", "submit", "ended", "-f", kaggle.home / "ended" / "files" / "sample_submission.csv", "-m", "zeros", "-q")
    assert kaggle.scored("ended")[0]["privateScore"] == ""
    close_contest(read_contest(kaggle.home / "ended"), state.now())
    row, = kaggle.rows("competitions", "submissions", "ended")
    solution = pd.read_csv(kaggle.home / "ended" / "solution.csv")
    private = f"{(solution[solution.Usage == 'Private'].y == 0).mean():.5f}"
    assert row["privateScore"] == private and private in kaggle("competitions", "leaderboard", "ended", "--show")
