"""What a host does: contests of tables and folders, baselines, picks, the end, rules to accept, and a class room with tokens."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import requests

import kagglekit
from kagglekit.practice.contest import find_contest, read_contest
from kagglekit.practice.create import create
from kagglekit.practice.server import Embedded
from kagglekit.practice.state import State
from tests.bare_client import Client
from tests.conftest import Ran, small_tables, write_contest

Kk = Callable[..., Ran]


@pytest.fixture
def cars(workspace: Path) -> Path:
    """A table sorted by its target, with text, gaps, leading zeros, makers and years."""
    random = np.random.default_rng(0)
    rows = 400
    price = np.sort(random.lognormal(9, 0.6, rows)).round(2)
    table = pd.DataFrame({"plate": [f"{number:05d}" for number in random.permutation(rows)],
                          "maker": random.choice([f"M{k}" for k in range(25)], rows),
                          "year": random.integers(1990, 2020, rows), "km": random.integers(0, 300_000, rows), "price": price})
    table.loc[::11, "km"] = np.nan
    table["dear"] = np.where(table["price"] > 9000, "yes", "no")
    table["size"] = random.choice(["small", "middle", "large"], rows)
    table.loc[5, "price"] = np.nan
    table.to_csv(workspace / "cars.csv", index=False)
    return workspace / "cars.csv"


@pytest.fixture
def worn_cars(cars: Path) -> Path:
    """The same table, with the price falling by the distance driven."""
    table = pd.read_csv(cars, dtype={"plate": str})
    table["km"] = 400_000 / np.log10(table["price"])
    table.to_csv(cars, index=False)
    return cars


def parts(workspace: Path, name: str) -> dict[str, pd.DataFrame]:
    folder = workspace / "arena" / name
    tables = {one: pd.read_csv(folder / "files" / f"{one}.csv", dtype=str, keep_default_na=False) for one in ("train", "test", "sample_submission")}
    return {**tables, "solution": pd.read_csv(folder / "solution.csv", dtype=str, keep_default_na=False)}


def test_a_table_becomes_a_contest_that_loses_and_tells_nothing(cars: Path, workspace: Path, kk: Kk) -> None:
    made = kk("arena", "create", "cars", "--train", cars, "--target", "price", "--metric", "rmsle", "--drop", "dear", "--json")
    assert made.code == 0, made.err
    tables = parts(workspace, "cars")
    assert list(tables["test"].columns) == ["id", "plate", "maker", "year", "km", "size"] and len(tables["test"]) == 100
    assert set(tables["train"].columns) == {*tables["test"].columns, "price"} and len(tables["train"]) == 299
    whole = pd.read_csv(cars, dtype=str, keep_default_na=False)
    answered = tables["test"].assign(price=tables["solution"]["price"])
    both = pd.concat([tables["train"], answered])[["plate", "maker", "year", "km", "price", "size"]].sort_values("plate", ignore_index=True)
    expected = whole[whole.price != ""].drop(columns="dear").sort_values("plate", ignore_index=True)
    pd.testing.assert_frame_equal(both, expected)
    assert (tables["solution"]["Usage"] == "Public").sum() == 30
    order = pd.to_numeric(answered["price"]).reset_index(drop=True)
    assert abs(order.corr(pd.Series(range(len(order))), method="spearman")) < 0.3, "the table was sorted by its target"
    said = kk("arena", "board", "cars", "--json").json
    assert [row["team"] for row in said["rows"]] == ["best constant", "sample submission"] and said["metric"] == "Root Mean Squared Logarithmic Error"
    description = read_contest(workspace / "arena" / "cars").description
    assert "299 rows with the target" in description and "1 rows of cars.csv without a target were left out" in description


def test_the_test_part_is_cut_by_groups_or_by_time(cars: Path, workspace: Path, kk: Kk) -> None:
    assert kk("arena", "create", "by-maker", "--train", cars, "--target", "price", "--metric", "rmsle", "--test-by", "group:maker").code == 0
    tables = parts(workspace, "by-maker")
    maker = tables["test"]["maker"]
    assert not set(maker) & set(tables["train"]["maker"]) and 60 < len(maker) < 140
    public = tables["solution"]["Usage"] == "Public"
    assert not set(maker[public]) & set(maker[~public])
    assert kk("arena", "create", "by-year", "--train", cars, "--target", "price", "--metric", "rmsle", "--test-by", "time:year").code == 0
    tables = parts(workspace, "by-year")
    year = pd.to_numeric(tables["test"]["year"])
    assert year.min() > pd.to_numeric(tables["train"]["year"]).max() and 60 < len(year) < 140
    public = tables["solution"]["Usage"] == "Public"
    assert year[public].max() < year[~public].min()


def test_text_classes_become_probabilities_of_the_second_or_one_column_each(cars: Path, workspace: Path, kk: Kk) -> None:
    assert kk("arena", "create", "dear", "--train", cars, "--target", "dear", "--metric", "auc", "--id-column", "plate").code == 0
    tables = parts(workspace, "dear")
    assert set(tables["train"]["dear"]) == {"0", "1"} == set(tables["solution"]["dear"])
    assert list(tables["sample_submission"].columns) == ["plate", "dear"]
    assert "0 is no, 1 is yes" in read_contest(workspace / "arena" / "dear").description
    assert kk("arena", "create", "size", "--train", cars, "--target", "size", "--metric", "mlogloss").code == 0
    tables = parts(workspace, "size")
    assert list(tables["solution"].columns) == ["id", "large", "middle", "small", "Usage"]
    assert (tables["solution"][["large", "middle", "small"]].astype(int).sum(axis=1) == 1).all()
    joined = kk("join", "size", "--practice", "--json").json
    assert joined["task"] == "multiclass" and joined["target"] == ["size"]
    assert kk("submit-zeros", "--value", "constant", "--json").json["public"] == pytest.approx(
        next(row["score"] for row in kk("arena", "board", "size", "--json").json["rows"] if row["team"] == "best constant"), abs=1e-5)


def test_quantiles_are_a_column_each_and_scored_as_one(worn_cars: Path, workspace: Path, kk: Kk) -> None:
    made = kk("arena", "create", "ranges", "--train", worn_cars, "--target", "price", "--metric", "pinball@0.1,0.9")
    assert made.code == 0, made.err
    tables = parts(workspace, "ranges")
    assert list(tables["sample_submission"].columns)[1:] == ["price_q0.1", "price_q0.9"]
    assert (tables["solution"]["price_q0.1"] == tables["solution"]["price_q0.9"]).all()
    assert kk("join", "ranges", "--practice", "--json").json["target"] == ["price"]
    best = next(row["score"] for row in kk("arena", "board", "ranges", "--json").json["rows"] if row["team"] == "best constant")
    assert kk("submit-zeros", "--value", "constant", "--json").json["public"] == pytest.approx(best, abs=1e-5)
    assert kk("cv", "--quiet").code == 0
    trained = kk("train", "ridge", "--json", "--quiet")
    assert trained.code == 0, trained.err
    sent = kk("submit", trained.json["run"], "--json")
    assert sent.code == 0, sent.err
    assert sent.json["public"] < best


def test_a_class_that_only_the_test_part_has_is_a_column_all_the_same(cars: Path, workspace: Path, kk: Kk) -> None:
    table = pd.read_csv(cars)
    table.loc[len(table) - 1, "size"] = "vast"
    table.assign(row=np.arange(len(table))).to_csv(cars, index=False)
    made = kk("arena", "create", "rare", "--train", cars, "--target", "size", "--metric", "mlogloss", "--test-by", "time:row")
    assert made.code == 0, made.err
    assert list(parts(workspace, "rare")["sample_submission"].columns)[1:] == ["large", "middle", "small", "vast"]


@pytest.mark.parametrize("metric", ["spearman", "ngini"])
def test_an_order_of_numbers_needs_no_classes(worn_cars: Path, kk: Kk, metric: str) -> None:
    made = kk("arena", "create", "ordered", "--train", worn_cars, "--target", "price", "--metric", metric)
    assert made.code == 0, made.err
    assert kk("join", "ordered", "--practice", "--json").json["task"] == "regression"
    assert kk("cv", "--quiet").code == 0
    trained = kk("train", "ridge", "--json", "--quiet")
    assert trained.code == 0, trained.err
    assert trained.json["score"]["mean"] > 0.3


@pytest.mark.parametrize(("words", "message"), [
    (("--target", "pric", "--metric", "rmse"), "has no column 'pric'. Did you mean price"),
    (("--metric", "rmse"), "what is to be predicted in .* is not said. Name the column: --target COLUMN"),
    (("--target", "price"), "no metric is known for other"),
    (("--target", "price", "--metric", "rmse", "--test-by", "groups:maker"), "cannot be cut by 'groups:maker'"),
    (("--target", "price", "--metric", "rmse", "--test-by", "time:maker"), "row 1 has 'M.*' in 'maker', which is no time"),
    (("--target", "size", "--metric", "auc"), "auc needs two classes, 'size' has 3 values"),
    (("--target", "size", "--metric", "rmse"), "solution.csv has '.*' in 'size', the metric needs numbers"),
    (("--target", "price", "--metric", "rmse", "--id-column", "maker"), "'maker' is no id"),
    (("--target", "size", "--metric", "f1"), "f1 is of two classes, the target has 3. Choose another metric: --metric macro_f1 or accuracy"),
    (("--target", "size", "--metric", "Mean F-Score"), "mean_f1 is of several labels a row, the target is one column"),
    (("--target", "size", "--metric", "qwk"), "qwk compares grades, which are numbers, the target holds"),
    (("--target", "size", "--target", "dear", "--metric", "macro_f1"), "macro_f1 is of one label a row, there are 2 target columns"),
    (("--target", "size", "--target", "dear", "--metric", "map@3"), "map@3 is of one list a row, there are 2 target columns"),
    (("--target", "price", "--metric", "accuracy"), "accuracy cannot score the best constant: .* is no label"),
    (("--target", "price", "--metric", "rmse", "--test-size", "1.5"), "cannot be 1.5 of the rows"),
    (("--target", "price", "--metric", "rmse", "--public", "0"), "the public share cannot be 0.0"),
])
def test_what_cannot_be_made_is_told_and_leaves_nothing(cars: Path, workspace: Path, kk: Kk, words: tuple, message: str) -> None:
    ran = kk("arena", "create", "other", "--train", cars, *words)
    assert ran.code == 1
    assert re.search(message, ran.error), ran.error
    assert not (workspace / "arena" / "other").exists() and not list((workspace / "arena").glob(".making-*"))


AREA = """
import sklearn.metrics

def score(solution, submission, row_id_column_name):
    del solution[row_id_column_name]
    return sklearn.metrics.roc_auc_score(solution["dear"], submission["dear"])
"""


def test_a_metric_of_ones_own_goes_from_the_arena_to_the_scores(cars: Path, workspace: Path, kk: Kk) -> None:
    (workspace / "metric.py").write_text(AREA)
    table = pd.read_csv(cars)
    table.assign(dear=(table["price"] > 9000).astype(int)).drop(columns="price").to_csv(cars, index=False)
    made = ("arena", "create", "own", "--train", cars, "--target", "dear", "--metric", "metric.py:score", "--higher-is-better")
    assert kk(*made).code == 0
    (workspace / "metric.py").write_text("def score(y, p):\n    return 1 / 0\n")  # another one, which is not meant
    joined = kk("join", "own", "--practice", "--json").json
    assert joined["metric"] == {"name": "metric.py:score", "greater_is_better": True, "kaggle_name": "score"} and joined["prediction"] == "proba"
    assert not any("not built in" in warning for warning in joined["warnings"])
    assert kk("cv", "--split", "stratified", "-n", "3").code == 0
    ran = kk("train", "constant", "--json").json
    assert ran["score"]["mean"] == 0.5 and ran["metric"] == "score"
    assert kk("submit", "r1", "--json").json["public"] == 0.5
    own = workspace / "competitions" / "own" / "metric.py"
    assert own.read_text() == AREA
    own.write_text("def score(solution, submission, row_id_column_name)\n    return 0.0\n")
    assert re.search(r"^Error: \S*metric.py:1: def score\(.*expected ':'", kk("train", "constant").error)
    (own.parent / "competition.toml").unlink()
    assert any("metric.py was here and stays" in line for line in kk("join", "own", "--practice", "--json").json["warnings"])
    assert "SyntaxError" not in kk("join", "own", "--practice").err and own.read_text() != AREA


@pytest.mark.parametrize(("target", "metric", "cell"), [
    ("size", "map@2", "large middle"), ("maker", "ndcg@3", "M0 M1 M10"), ("half", "map@2", "0 1")])
def test_lists_of_labels_are_scored_and_joined(cars: Path, workspace: Path, kk: Kk, target: str, metric: str, cell: str) -> None:
    pd.read_csv(cars).assign(half=np.arange(400) % 2).to_csv(cars, index=False)
    assert kk("arena", "create", "lists", "--train", cars, "--target", target, "--metric", metric, "--drop", "price").code == 0
    tables = parts(workspace, "lists")
    assert set(tables["sample_submission"][target]) == {cell}
    board = {row["team"]: row["score"] for row in kk("arena", "board", "lists", "--json").json["rows"]}
    truth = tables["solution"].query("Usage == 'Public'")[target]
    discounts = (1 / np.arange(1, 4) if metric == "map@2" else 1 / np.log2(np.arange(2, 5)))[:int(metric[-1])]
    shares = np.array([(truth == word).mean() for word in cell.split()])
    assert board["sample submission"] == pytest.approx(shares @ discounts, abs=1e-5) and board["best constant"] >= board["sample submission"] - 0.1
    joined = kk("join", "lists", "--practice", "--json").json
    assert not any("not clear" in warning for warning in joined["warnings"])
    assert (joined["task"], joined["prediction"], joined["metric"]["name"]) == ("multiclass", "list", metric)
    assert kk("submit-zeros", "--value", "constant", "--json").json["public"] == pytest.approx(board["best constant"], abs=1e-5)
    kk("cv", "--split", "stratified", "-n", 3)
    assert kk("train", "tree").code == 0 and kk("submit", "tree").code == 0 and kk("train", "constant").code == 0
    constant = next(row["score"] for row in kk("runs", "--json").json["rows"] if row["name"] == "constant" and row["kind"] == "train")
    sent = next(row["cv"] for row in kk("lbcheck", "--json").json["models"] if row["name"] == "constant")
    assert sent == pytest.approx(constant, abs=0.02), "the list that was sent, not the first classes"


def test_a_folder_with_lists_of_right_labels_is_scored(workspace: Path, tmp_path: Path, kk: Kk) -> None:
    tables = small_tables()
    rows = len(tables["solution"])
    tables["solution"]["y"], tables["sample_submission"]["y"] = ["cat", "dog cat"] * (rows // 2), "dog eel"
    write_contest(tmp_path / "lists", tables)
    assert kk("arena", "create", "lists", "--from", tmp_path / "lists", "--metric", "map@2").code == 0
    board = kk("arena", "board", "lists", "--json").json["rows"]
    assert board[0]["score"] == 0.5  # the public rows are the second of each two: dog first is one of two right ones
    assert "f1 is of two classes" not in kk("arena", "create", "sums", "--from", tmp_path / "lists", "--metric", "f1").error
    tables["solution"]["y"] = np.arange(rows) % 3
    assert "f1 is of two classes, the target has 3" in kk(
        "arena", "create", "three", "--from", write_contest(tmp_path / "three", tables), "--metric", "f1").error


def test_a_metric_that_cannot_score_the_target_stops_before_any_work(cars: Path, workspace: Path, kk: Kk) -> None:
    assert kk("arena", "create", "size", "--train", cars, "--target", "size", "--metric", "macro_f1").code == 0
    kk("join", "size", "--practice")
    toml = workspace / "competitions" / "size" / "competition.toml"
    toml.write_text(toml.read_text().replace('name = "macro_f1"', 'name = "f1"'))
    told = kk("cv", "--split", "random", "-n", "2").error
    assert "f1 is of two classes, the target has 3. Write [metric] name = \"macro_f1\" (or accuracy) in " in told


def test_neither_or_both_sources_are_refused(cars: Path, kk: Kk) -> None:
    assert "made from a folder or from a table" in kk("arena", "create", "other", "--metric", "rmse").error
    assert "both a folder and a table" in kk("arena", "create", "other", "--metric", "rmse", "--train", cars, "--from", ".").error


@pytest.fixture
def contest(workspace: Path, tmp_path: Path) -> Path:
    """The arena's home with a contest `small` of ten submissions a day, and a board of the past."""
    source = write_contest(tmp_path / "source", small_tables())
    for side, scores in (("public", (1.0, 0.8)), ("private", (0.95, 0.7))):
        pd.DataFrame({"rank": [1, 2], "score": scores}).to_csv(source / f"leaderboard_{side}.csv", index=False)
    (source / "competition.toml").write_text('metric = "accuracy"\nteaches = "That a small test set tells little."\nrules = "Be kind."\n')
    home = workspace / "arena"
    create(home, "small", source=source, now=State(home).now(), daily_limit=10)
    return home


def answers(home: Path, wrong_public: int, wrong_private: int) -> str:
    """The true labels but for some in each part."""
    solution = pd.read_csv(home / "small" / "solution.csv")
    for part, wrong in (("Public", wrong_public), ("Private", wrong_private)):
        rows = solution.index[solution.Usage == part][:wrong]
        solution.loc[rows, "y"] = 1 - solution.loc[rows, "y"]
    return solution.drop(columns="Usage").to_csv(index=False)


def test_the_final_standing_counts_two_picks_or_the_two_best_public_ones(contest: Path, workspace: Path, kk: Kk) -> None:
    with Embedded(contest) as server:
        one, other = Client(server.url, "one"), Client(server.url, "other")
        refs = [one.scored(answers(contest, *wrong))["ref"] for wrong in ((10, 40), (12, 35), (20, 1))]
        other.scored(answers(contest, 11, 30))
        board = kk("arena", "board", "small", "--json").json
        assert [(row["team"], row["score"], row["baseline"]) for row in board["rows"][:4]] == [
            ("past rank 1", 1.0, True), ("one", 0.83333, False), ("other", 0.81667, False), ("past rank 2", 0.8, True)]
        assert one.call("ListSubmissions", competitionName="small", group="SUBMISSION_GROUP_SELECTED").json()["submissions"][0]["ref"] == refs[0]
        refused = kk("arena", "pick", "small", *refs, "--team", "one")
        assert refused.error == "Error: 3 submissions cannot be final. Name at most 2"
        assert "4 is no scored submission of one" in kk("arena", "pick", "small", 4, "--team", "one").error
        assert kk("arena", "close", "small", "--json").json["winners"][1] == {
            "rank": 2, "team": "past rank 2", "score": 0.7, "entries": 0, "date": "", "baseline": True}
        final = {row["team"]: row["score"] for row in kk("arena", "board", "small", "--json").json["rows"]}
        assert final["one"] == pytest.approx(25 / 60, abs=1e-5) and final["other"] == 0.5, "the two best public ones count without a pick"
        assert "is over" in kk("arena", "pick", "small", refs[2], "--team", "one").error
        assert one.call("GetLeaderboard", competitionName="small", overridePublic=True).json()["submissions"][0]["score"] == "1.00000"
        assert one.call("GetCompetition", competitionName="small").json()["userRank"] == 5


def test_picks_can_be_made_over_the_wire(contest: Path) -> None:
    with Embedded(contest) as server:
        client = Client(server.url, "one")
        refs = [client.scored(answers(contest, *wrong))["ref"] for wrong in ((10, 40), (12, 35), (20, 1))]
        url = f"{server.url}/api/v1/arena.ArenaApiService/SelectSubmissions"
        picked = requests.post(url, json={"competitionName": "small", "refs": [refs[2]]}, headers=client.head, timeout=10)
        assert picked.json() == {"refs": [refs[2]]}
        bad = requests.post(url, json={"competitionName": "small", "refs": [999]}, headers=client.head, timeout=10)
        assert bad.status_code == 400 and "999 is no scored submission" in bad.json()["message"]
        chosen = client.call("ListSubmissions", competitionName="small", group="SUBMISSION_GROUP_SELECTED").json()["submissions"]
        assert [row["ref"] for row in chosen] == [refs[2], refs[0]], "one pick is filled up by the best public one"
        from kagglekit.practice.board import board

        state, one = State(contest), find_contest(contest, "small")
        final = {line.team: line.score for line in board(state, one, final=True)}
        assert final["one"] == pytest.approx(59 / 60)


def test_review_waits_for_the_end_and_then_tells_what_each_choice_gave(contest: Path, workspace: Path, kk: Kk) -> None:
    kk("join", "small", "--practice")
    kk("submit-zeros")
    kk("cv")
    kk("train", "linear")
    kk("submit", "linear")
    early = kk("review")
    assert early.code == 1 and early.error == ("Error: small is not over (30.0 days left): its private scores are hidden. "
                                               "To rehearse its end: kk arena close small")
    kk("arena", "close", "small")
    told = kk("review", "--json").json
    assert told["teaches"] == "That a small test set tells little." and told["teams"] == 4
    assert [row["name"] for row in told["rows"]] == ["linear", "zeros"] and all(row["final"] for row in told["rows"])
    assert [choice["by"] for choice in told["choices"]] == ["final", "public", "local"] and told["choices"][0]["lost"] == 0
    assert told["orders"] == [{"by": "public", "same": 1, "pairs": 1}]
    shown = kk("review").out
    assert "what this teaches" in shown and "That a small test set tells little." in shown


def test_rules_are_accepted_on_a_page_or_by_the_host_until_the_entry_deadline(workspace: Path, tmp_path: Path, kk: Kk) -> None:
    source = write_contest(tmp_path / "source", small_tables())
    for name in ("strict", "later"):
        made = kk("arena", "create", name, "--from", source, "--metric", "accuracy", "--rules-required", "--entry-days", 5)
        assert made.code == 0, made.err
    with Embedded(workspace / "arena") as server:
        client = Client(server.url, "practice")
        assert client.call("DownloadDataFiles", competitionName="strict").status_code == 403
        assert client.call("GetCompetition", competitionName="strict").json()["userHasEntered"] is False
        page = requests.get(f"{server.url}/competitions/strict/rules", timeout=10)
        assert page.status_code == 200 and "I understand and accept" in page.text
        assert requests.post(f"{server.url}/competitions/strict/rules", data={"team": "practice"}, timeout=10).status_code == 200
        assert client.call("DownloadDataFiles", competitionName="strict").status_code == 200
        assert Client(server.url, "else").call("DownloadDataFiles", competitionName="strict").status_code == 403
        entered = [one["title"] for one in client.call("ListCompetitions", group="COMPETITION_LIST_TAB_ENTERED").json()["competitions"]]
        assert "strict" in entered and "later" not in entered
    kk("arena", "advance", "--days", 6)
    assert "the entry deadline of later was" in kk("arena", "accept", "later").error
    assert kk("join", "strict", "--practice").code == 0


def test_off_loopback_every_call_needs_a_teams_token(contest: Path, workspace: Path, kk: Kk, kk_process: Callable) -> None:
    ran = kk("arena", "serve", "--host", "0.0.0.0", "--port", "0")
    assert ran.code == 1 and "while no team has a token. Make tokens first: kk arena teams alpha beta" in ran.error
    made = {row["team"]: row["token"] for row in kk("arena", "teams", "alpha", "beta", "--json").json["rows"]}
    assert set(made) == {"alpha", "beta"} and all(len(token) > 30 for token in made.values())
    assert [row["token"] for row in kk("arena", "teams", "--json").json["rows"]] == ["", ""], "a token is shown once"
    assert "has a token already" in kk("arena", "teams", "alpha").error
    assert made["alpha"].encode() not in b"".join(path.read_bytes() for path in contest.glob("state.db*"))
    server = kk_process("arena", "serve", "--host", "0.0.0.0", "--port", "0")
    lines = [server.stdout.readline().strip() for _ in range(5)]
    port = lines[1].rsplit(":", 1)[1]
    assert lines[3] == "export KAGGLE_KEY=TOKEN"
    try:
        url = f"http://127.0.0.1:{port}"
        for head in ({}, Client(url, "alpha", "guess").head, {"Authorization": "Bearer nonsense"}):
            answer = requests.post(f"{url}/api/v1/competitions.CompetitionApiService/ListCompetitions", json={}, headers=head, timeout=10)
            assert answer.status_code == 401, head
        person = Client(url, "ann", made["alpha"])
        person.scored((contest / "small" / "files" / "sample_submission.csv").read_text())
        row = person.call("ListSubmissions", competitionName="small").json()["submissions"][0]
        assert (row["teamName"], row["submittedBy"]) == ("alpha", "ann")
        head = {"Authorization": f"Bearer {made['beta']}"}
        told = requests.post(f"{url}/api/v1/security.OAuthService/IntrospectToken", json={"token": made["beta"]}, headers=head, timeout=10).json()
        assert told["active"] and told["username"] == "beta"
        assert "alpha" in requests.get(f"{url}/competitions/small/leaderboard", timeout=10).text
    finally:
        server.send_signal(2)
        server.wait(timeout=10)


def test_kk_takes_part_in_a_class_room(contest: Path, workspace: Path, kk: Kk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kagglekit.practice.server.make_app", _with_tokens)
    token = kk("arena", "teams", "gamma", "--json").json["rows"][0]["token"]
    with Embedded(contest) as server:
        monkeypatch.setenv("KK_KAGGLE_ENDPOINT", server.url)
        monkeypatch.setenv("KAGGLE_USERNAME", "ann")
        monkeypatch.setenv("KAGGLE_KEY", "wrong")
        assert "refused the login" in kk("join", "small").error
        monkeypatch.setenv("KAGGLE_KEY", token)
        assert kk("join", "small").code == 0
        assert kk("submit-zeros", "--json").json["status"] == "complete"
        assert "gamma" in [row["team"] for row in kk("arena", "board", "small", "--json").json["rows"]]


def _with_tokens(state: State, wake: Callable, tokens: bool = False) -> Callable:
    from kagglekit.practice import app

    return app.make_app(state, wake, True)


def test_an_address_that_is_not_ours_is_told(contest: Path, kk: Kk) -> None:
    kk("arena", "teams", "alpha")
    ran = kk("arena", "serve", "--host", "192.0.2.7", "--port", "0")
    assert ran.code == 1 and "cannot listen on 192.0.2.7 port 0" in ran.error


def test_closing_twice_and_unknown_names_are_told(contest: Path, kk: Kk) -> None:
    assert kk("arena", "close", "small").code == 0
    assert "small ended on" in kk("arena", "close", "small").error
    assert "the arena has no competition called 'smal'. Did you mean small?" in kk("arena", "close", "smal").error


def test_arena_functions_serve_a_notebook(cars: Path, workspace: Path) -> None:
    made = kagglekit.arena_create("cars", train=cars, target="price", metric="rmsle")
    assert made.files == ("sample_submission.csv", "test.csv", "train.csv")
    assert kagglekit.arena_board("cars").total == 2 and json.dumps(kagglekit.arena_board("cars").rows)
