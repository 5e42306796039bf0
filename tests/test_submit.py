"""Submitting: zeros and runs against the arena on a real socket, and what is refused, lost, late or made elsewhere."""

import dataclasses
import http.client
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pandas as pd
import pytest

from kagglekit.errors import KKError, RemoteError, SubmissionFailed
from kagglekit.ledger import open_ledger, rebuild
from kagglekit.metrics import check_metric
from kagglekit.practice.contest import read_contest, write_contest
from kagglekit.practice.create import create
from kagglekit.practice.server import Embedded
from kagglekit.practice.state import State
from kagglekit.run import Run, now
from kagglekit.store import Store, open_store
from kagglekit.verbs.join import join
from kagglekit.verbs.submissions import submissions
from kagglekit.verbs.submit import submit
from kagglekit.verbs.submit_zeros import submit_zeros
from kagglekit.work.upload import checked_table, known_metric

ROWS = 90


def make_contest(home: Path, metric: str, target: object, sample: dict[str, object], **facts: object) -> None:
    """A contest `tiny` of the arena: train and test with two features, the last ROWS of `target` hidden."""
    random, folder, values = np.random.default_rng(3), home.parent / "source", np.asarray(target)
    folder.mkdir()
    table = pd.DataFrame({"id": np.arange(2 * ROWS), "size": random.normal(size=2 * ROWS), "age": random.integers(1, 80, 2 * ROWS)})
    table[:ROWS].assign(target=values[:ROWS]).to_csv(folder / "train.csv", index=False)
    table[ROWS:].to_csv(folder / "test.csv", index=False)
    ids = table[["id"]][ROWS:]
    ids.assign(**sample).to_csv(folder / "sample_submission.csv", index=False)
    hidden = {name: (values[ROWS:] == name).astype(int) for name in sample} if len(sample) > 1 else {"target": values[ROWS:]}
    ids.assign(**hidden).to_csv(folder / "solution.csv", index=False)
    create(home, "tiny", source=folder, metric=metric, now=State(home).now(), **facts)


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("configs", "competitions", "arena"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path)
    for name, value in {"KAGGLE_USERNAME": "ada", "KAGGLE_KEY": "not-a-real-key", "KAGGLE_CONFIG_DIR": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("KAGGLE_API_TOKEN", raising=False)
    return tmp_path


@pytest.fixture
def arena(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with Embedded(workspace / "arena") as server:
        monkeypatch.setenv("KK_KAGGLE_ENDPOINT", server.url)
        yield server.url


@pytest.fixture
def amounts(arena: str, workspace: Path) -> Store:
    """A joined competition with amounts as target, scored by rmsle, which a value below -1 breaks."""
    make_contest(workspace / "arena", "rmsle", np.random.default_rng(0).gamma(2.0, 30.0, 2 * ROWS).round(2), {"target": 1.5}, daily_limit=3)
    join("tiny")
    return open_store("tiny")


def a_run(store: Store, test: object, name: str = "mine", status: str = "done") -> Run:
    """A finished run with these test predictions (None: without)."""
    run = store.new_run(lambda number: Run(id=number, name=name, kind="add", recipe=name, status=status, created=now()))
    if test is not None:
        store.write_array(run, "test", np.asarray(test))
    open_ledger(store).save_run(run)
    return run


def received(workspace: Path) -> list[sqlite3.Row]:
    """What the arena has, oldest first."""
    return list(reversed(State(workspace / "arena").submissions("tiny")))


@contextmanager
def proxy(target: str, lose: list[str], refuse: list[str]) -> Iterator[str]:
    """A server between us and the arena: calls in `lose` are passed on and their answers dropped, calls in `refuse` are not passed on."""

    class Between(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content, call = self.rfile.read(int(self.headers.get("Content-Length") or 0)), self.path.rsplit("/", 1)[-1]
            self.close_connection = True
            if call in refuse:
                return
            onward = http.client.HTTPConnection(urlsplit(target).netloc)
            onward.request(self.command, self.path, content, {name: value for name, value in self.headers.items() if name != "Host"})
            answer = onward.getresponse()
            body = answer.read()
            onward.close()
            if call in lose:
                lose.remove(call)
                return
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.headers["Content-Type"])
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Between)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


# Zeros

def test_zeros_are_scored_and_their_score_says_something_of_the_hidden_answers(amounts: Store, workspace: Path) -> None:
    sent = submit_zeros()
    hidden = pd.read_csv(workspace / "arena" / "tiny" / "solution.csv")
    public = hidden.loc[hidden["Usage"] == "Public", "target"].to_numpy()
    assert (sent.status, sent.rows, sent.columns, sent.value) == ("complete", ROWS, ("id", "target"), 0)
    assert sent.public == pytest.approx(check_metric("rmsle")(public, np.zeros(len(public))), abs=1e-5)
    assert sent.private is None
    assert sent.reading[0]["value"] == pytest.approx(np.mean(np.log1p(public) ** 2), rel=1e-4)
    assert Path(sent.file).read_text().splitlines()[:2] == ["id,target", f"{ROWS},0"]
    assert sent.next == "kk cv"


def test_no_shift_is_claimed_where_only_groups_make_the_scores_differ(arena: str) -> None:
    join("practice-clinics")
    assert submit_zeros().reading[-1]["says"].startswith("no shift of the target can be seen")


def test_the_same_zeros_are_one_run_without_folds_or_score(amounts: Store) -> None:
    first, second, other = submit_zeros(), submit_zeros(), submit_zeros(value="constant")
    runs = amounts.all_runs()
    assert (first.run, second.run, other.run) == ("r1", "r1", "r2")
    assert [(run.name, run.kind, run.status, run.folds, run.score.mean) for run in runs] == [
        ("zeros", "zeros", "done", "", None), ("constant", "zeros", "done", "", None)]
    assert runs[0].recipe != runs[1].recipe
    assert np.ptp(amounts.array(runs[1], "test")) == 0
    assert amounts.array(runs[1], "oof") is None


def test_the_constant_is_the_metrics_best_and_scores_better_than_zeros(amounts: Store) -> None:
    train = pd.read_parquet(amounts.table("train.csv"))["target"].to_numpy()
    sent = submit_zeros(value="constant")
    assert sent.value == pytest.approx(np.expm1(np.log1p(train).mean()))
    assert sent.public < submit_zeros().public


def test_a_dry_run_writes_the_file_and_sends_nothing(amounts: Store, workspace: Path) -> None:
    dry = submit_zeros(dry_run=True)
    assert (dry.status, dry.ref, dry.run, dry.reading) == (None, "", "", ())
    assert (pd.read_csv(dry.file)["target"] == 0).all()
    assert received(workspace) == [] and amounts.all_submissions() == [] and amounts.all_runs() == []


def test_an_unknown_constant_is_an_error_with_the_near_name(amounts: Store) -> None:
    with pytest.raises(KKError, match=r"'zeroes' is no constant\. Did you mean zeros\? Give one of: zeros, constant, sample"):
        submit_zeros(value="zeroes")


def test_zeros_and_shares_fill_every_class_column(arena: str, workspace: Path) -> None:
    colours = np.random.default_rng(1).choice(["blue", "green", "red"], 2 * ROWS, p=[0.6, 0.3, 0.1])
    make_contest(workspace / "arena", "mlogloss", colours, {"blue": 0.4, "green": 0.3, "red": 0.3})
    join("tiny")
    zeros, constant = submit_zeros(), submit_zeros(value="constant")
    assert zeros.public == pytest.approx(np.log(3), abs=1e-4)
    assert (pd.read_csv(zeros.file)[["blue", "green", "red"]] == 0).all(axis=None)
    assert pd.read_csv(constant.file).loc[0, "blue"] == pytest.approx((colours[:ROWS] == "blue").mean())
    assert constant.public < zeros.public
    assert zeros.reading and constant.reading


def test_zeros_are_sent_as_zeros_where_zero_is_no_label(arena: str, workspace: Path) -> None:
    make_contest(workspace / "arena", "accuracy", np.random.default_rng(1).integers(1, 5, 2 * ROWS), {"target": 1})
    join("tiny")
    zeros, constant = submit_zeros(), submit_zeros(value="constant")
    assert zeros.public == 0 and constant.public > 0
    assert pd.read_csv(constant.file)["target"].dtype == np.int64
    again = submit("constant")
    assert Path(again.file).read_text() == Path(constant.file).read_text()


# What is refused before anything is sent

def _renamed(table: pd.DataFrame) -> pd.DataFrame:
    return table.rename(columns={"target": "price"})


def _other_ids(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(id=table["id"] + 1)


def _too_short(table: pd.DataFrame) -> pd.DataFrame:
    return table.iloc[1:]


def _with_text(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(target="many")


@pytest.mark.parametrize(("spoil", "says"), [
    (_renamed, r"the submission has no column 'target' \(it has id, price\)"),
    (_other_ids, r"the submission has 1 ids that the table does not have, such as '180'"),
    (_too_short, r"the submission lacks 1 of 90 ids, such as '90'"),
    (_with_text, r"column 'target' holds text such as 'many', the sample holds numbers\. Send numbers"),
])
def test_a_table_that_the_server_would_refuse_is_refused_here(amounts: Store, spoil: object, says: str) -> None:
    sample = pd.read_parquet(amounts.table("sample_submission.csv"))
    with pytest.raises(KKError, match=says):
        checked_table(amounts, spoil(sample), known_metric(amounts.competition))


def test_rows_and_columns_in_another_order_are_mended_and_told(amounts: Store) -> None:
    sample = pd.read_parquet(amounts.table("sample_submission.csv")).assign(target=np.arange(ROWS))
    ready = checked_table(amounts, sample.iloc[::-1][["target", "id"]], None)
    assert ready.table.equals(sample) and len(ready.mended) == 2


@pytest.mark.parametrize(("test", "status", "says"), [
    (np.r_[np.nan, np.ones(ROWS - 1)], "done", r"no value \(NaN\) in column 'target', row 0"),
    (np.ones(ROWS - 1), "done", r"89 test predictions, the sample has 90 rows"),
    (None, "done", r"r1 mine has no test predictions\. Add them: kk add mine"),
    (np.ones(ROWS), "started", r"r1 mine is not finished \(status started\)\. Run its command again; see: kk runs"),
])
def test_a_run_that_cannot_be_submitted_is_refused_and_nothing_is_sent(
        amounts: Store, workspace: Path, test: object, status: str, says: str) -> None:
    a_run(amounts, test, status=status)
    with pytest.raises(KKError, match=says):
        submit("mine")
    assert received(workspace) == [] and amounts.all_submissions() == []


def test_labels_that_the_target_does_not_have_are_refused(arena: str, workspace: Path) -> None:
    make_contest(workspace / "arena", "accuracy", np.random.default_rng(1).choice(["cat", "dog"], 2 * ROWS), {"target": "cat"})
    join("tiny")
    store = open_store("tiny")
    sample = pd.read_parquet(store.table("sample_submission.csv"))
    with pytest.raises(KKError, match=r"the label 'cow' in column 'target' is not one of the target's: cat, dog\. Send labels"):
        checked_table(store, sample.assign(target="cow"), known_metric(store.competition))


def test_probabilities_become_labels_where_the_metric_needs_them(arena: str, workspace: Path) -> None:
    make_contest(workspace / "arena", "accuracy", np.random.default_rng(1).choice(["cat", "dog"], 2 * ROWS), {"target": "cat"})
    join("tiny")
    a_run(open_store("tiny"), np.linspace(0, 1, ROWS))
    sent = submit("mine")
    assert pd.read_csv(sent.file)["target"].tolist() == ["cat"] * (ROWS // 2) + ["dog"] * (ROWS // 2)


def test_a_notebooks_only_competition_is_refused_with_the_reason_on_record(amounts: Store, workspace: Path) -> None:
    amounts.toml.write_text(amounts.toml.read_text().replace("code_only = false", "code_only = true"))
    a_run(amounts, np.ones(ROWS))
    with pytest.raises(SubmissionFailed, match=r"tiny takes submissions from notebooks only\. Submit the notebook on Kaggle"):
        submit("mine")
    assert [(row["status"], row["reason"]) for row in submissions(sync=False).rows] == [(None, "notebooks-only")]
    assert received(workspace) == []


# What the server says

def test_a_runs_predictions_reach_the_server_exactly(amounts: Store, workspace: Path) -> None:
    values = np.random.default_rng(5).gamma(2.0, 30.0, ROWS)
    a_run(amounts, values)
    sent = submit("mine", message="first try")
    there = received(workspace)[0]
    assert (sent.status, sent.ref, sent.run, sent.error) == ("complete", str(there["ref"]), "r1", "")
    lines = (workspace / "arena" / ".uploads" / there["token"]).read_text().splitlines()[1:]
    assert [float(line.split(",")[1]) for line in lines] == values.tolist()
    assert there["message"] == f"first try [{amounts.all_submissions()[0].tag}]"
    assert sent.public == pytest.approx(there["public"], abs=1e-5)


def test_an_error_on_the_server_is_an_error_here_with_its_reason(amounts: Store) -> None:
    a_run(amounts, np.full(ROWS, -5.0))
    with pytest.raises(SubmissionFailed, match=r"submission 1 ended in an error: .*-5.*Mend 001-r1\.csv and submit again"):
        submit("mine")
    row = submissions(sync=False).rows[0]
    assert (row["ref"], row["status"], row["public"], row["reason"]) == ("1", "error", None, "error")
    assert "-5" in row["error"]
    assert open_ledger(amounts).submissions()[0]["error"] == row["error"]


def test_a_refused_submission_is_an_error_without_a_status(amounts: Store, workspace: Path) -> None:
    folder = workspace / "arena" / "tiny"
    write_contest(dataclasses.replace(read_contest(folder), code_only=True))
    a_run(amounts, np.ones(ROWS))
    with pytest.raises(RemoteError, match="only accepts Submissions from Notebooks"):
        submit("mine")
    row = submissions(sync=False).rows[0]
    assert (row["status"], row["reason"], row["ref"]) == (None, "notebooks-only", "")


def test_the_daily_limit_is_an_error_and_nothing_is_sent(amounts: Store, workspace: Path) -> None:
    a_run(amounts, np.ones(ROWS))
    for _ in range(3):
        submit("mine")
    with pytest.raises(RemoteError, match=r"no submission is left today \(3 made\)\. Nothing was sent; the next day begins at") as error:
        submit("mine")
    assert error.value.cause == "limit" and len(received(workspace)) == 3
    row = submissions(sync=False).rows[0]
    assert (row["status"], row["reason"], row["file"]) == (None, "limit", "")
    assert not (amounts.submissions / "004-r1.csv").exists()


def test_a_submission_that_is_not_waited_for_is_pending_and_scored_later(amounts: Store) -> None:
    sent = submit_zeros(wait=False)
    assert (sent.status, sent.public, sent.next) == ("pending", None, "kk submissions")
    for _ in range(100):
        row = submissions().rows[0]
        if row["status"] == "complete":
            break
    assert row["public"] is not None and row["ref"] == sent.ref
    assert amounts.all_submissions()[0].reading


def test_a_lost_answer_is_found_by_its_tag_and_nothing_is_sent_twice(amounts: Store, workspace: Path, arena: str,
                                                                     monkeypatch: pytest.MonkeyPatch) -> None:
    a_run(amounts, np.ones(ROWS))
    lose = ["CreateSubmission"]
    with proxy(arena, lose, []) as between:
        monkeypatch.setenv("KK_KAGGLE_ENDPOINT", between)
        sent = submit("mine")
    assert lose == [] and sent.status == "complete" and sent.ref == "1"
    assert len(received(workspace)) == 1


def test_a_lost_answer_that_cannot_be_looked_for_is_taken_up_by_the_next_call(amounts: Store, workspace: Path, arena: str,
                                                                              monkeypatch: pytest.MonkeyPatch) -> None:
    a_run(amounts, np.ones(ROWS))
    monkeypatch.setattr("kagglekit.work.upload.LOOKS", 1)
    with proxy(arena, ["CreateSubmission"], ["ListSubmissions"]) as between:
        monkeypatch.setenv("KK_KAGGLE_ENDPOINT", between)
        with pytest.raises(RemoteError, match=r"the answer to 001-r1\.csv was lost .* Look again: kk submissions"):
            submit("mine")
    assert [(row["status"], row["reason"]) for row in submissions(sync=False).rows] == [(None, "offline")]
    monkeypatch.setenv("KK_KAGGLE_ENDPOINT", arena)
    sent = submit("mine")
    assert (sent.status, sent.ref, sent.public is None) == ("complete", "1", False)
    assert len(received(workspace)) == 1 and len(amounts.all_submissions()) == 1


def test_a_submission_that_never_arrived_is_sent_by_the_next_call_under_its_tag(amounts: Store, workspace: Path, arena: str,
                                                                               monkeypatch: pytest.MonkeyPatch) -> None:
    a_run(amounts, np.ones(ROWS))
    monkeypatch.setattr("kagglekit.work.upload.LOOKS", 2)
    with proxy(arena, [], ["CreateSubmission"]) as between:
        monkeypatch.setenv("KK_KAGGLE_ENDPOINT", between)
        with pytest.raises(RemoteError, match="was lost and the server does not list it yet"):
            submit("mine")
    assert received(workspace) == []
    tag = amounts.all_submissions()[0].tag
    monkeypatch.setenv("KK_KAGGLE_ENDPOINT", arena)
    assert submit("mine").status == "complete"
    assert [row["message"] for row in received(workspace)] == [f"mine [{tag}]"]


def test_scores_are_asked_for_again_while_the_server_is_away(amounts: Store, arena: str, monkeypatch: pytest.MonkeyPatch) -> None:
    a_run(amounts, np.ones(ROWS))
    with proxy(arena, [], ["GetSubmission"]) as between:
        monkeypatch.setenv("KK_KAGGLE_ENDPOINT", between)
        sent = submit("mine", timeout=0.5)
    assert (sent.status, sent.ref, sent.next) == ("pending", "1", "kk submissions")


# Bringing up to date

def test_private_scores_are_there_after_the_deadline(amounts: Store, workspace: Path) -> None:
    submit_zeros()
    assert submissions().rows[0]["private"] is None
    State(workspace / "arena").advance(31)
    row = submissions().rows[0]
    assert row["private"] == pytest.approx(received(workspace)[0]["private"], abs=1e-5)
    assert open_ledger(amounts).submissions()[0]["private"] == row["private"]


def test_submissions_made_elsewhere_are_added_once_from_all_pages(amounts: Store, workspace: Path) -> None:
    state = State(workspace / "arena")
    with state.open() as db:  # scored from the start, so that the arena's own scoring has nothing to do with them
        db.executemany("INSERT INTO submissions (contest, team, token, file, bytes, message, date, status, public, private, error) "
                       "VALUES ('tiny', 'ada', ?, ?, 9, 'by hand', ?, 'COMPLETE', ?, 0.4, '')",
                       [(f"t{number}", f"notebook-{number}.csv", state.now().isoformat(), 0.5 + number) for number in range(105)])
    rows = submissions().rows
    assert [(row["file"], row["run"], row["public"]) for row in rows] == [
        (f"notebook-{number}.csv", "", 0.5 + number) for number in reversed(range(105))]
    assert len(submissions().rows) == 105


def test_the_board_is_kept_at_every_sync(amounts: Store) -> None:
    sent = submit_zeros()
    submissions()
    board = pd.read_csv(max(amounts.leaderboard.glob("*.csv")))
    assert {row["team"]: row["score"] for row in board.to_dict("records")}["ada"] == sent.public
    assert list(board.columns) == ["rank", "team", "score"] and board["rank"].tolist() == [1, 2]


def test_without_a_server_the_rows_on_disk_are_listed_with_a_warning(amounts: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = submit_zeros()
    monkeypatch.setenv("KK_KAGGLE_ENDPOINT", "http://127.0.0.1:9")
    listed = submissions()
    assert [(row["ref"], row["public"]) for row in listed.rows] == [(sent.ref, sent.public)]
    assert listed.warnings[0].startswith("not brought up to date: http://127.0.0.1:9 cannot be reached")


def test_the_ledger_of_submissions_is_what_the_files_say(amounts: Store, workspace: Path) -> None:
    submit_zeros()
    a_run(amounts, np.full(ROWS, -5.0))
    with pytest.raises(SubmissionFailed, match="ended in an error"):
        submit("mine")
    State(workspace / "arena").advance(31)
    submissions()
    before = open_ledger(amounts).dump()
    assert len(before["submissions"]) == 2 and len(before["runs"]) == 2
    assert rebuild(amounts).dump() == before
