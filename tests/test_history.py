"""Histories: scores typed over become runs of kind table, once; and what came from elsewhere is merged whole."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import kagglekit
from kagglekit.errors import KKError
from kagglekit.ledger import open_ledger, rebuild
from kagglekit.store import Store, open_store
from kagglekit.work.history import read_history
from tests.conftest import SHARED, Ran

Kk = Callable[..., Ran]
TABLE = "model,CV score,Public LB,Private,date\nlogistic,0.81,0.8050,0.79,2026-01-02\nforest v2,0.84,0.8300,,\nnever sent,0.80,,,\n"


@pytest.fixture
def table(small: Path, tmp_path: Path) -> Path:
    (tmp_path / "history.csv").write_text(TABLE, encoding="utf-8")
    return tmp_path / "history.csv"


def test_each_line_becomes_a_run_with_its_submission(table: Path, kk: Kk) -> None:
    told = kk("add", "notebook", "--table", table, "--json").json
    assert told["added"] == ["r1", "r2", "r3"] and told["same"] == 0 and told["kind"] == "table" and told["next"] == "kk lbcheck"
    store = open_store()
    runs, sent = {run.name: run for run in store.all_runs()}, {record.run: record for record in store.all_submissions()}
    first = runs["logistic"]
    assert (first.kind, first.status, first.score.mean, first.folds, first.recipe) == ("table", "done", 0.81, "", "logistic")
    assert (sent["r1"].public, sent["r1"].private, sent["r1"].shown, sent["r1"].status) == (0.805, 0.79, "0.8050", "complete")
    assert runs["forest-v2"].notes["title"] == "forest v2" and set(sent) == {"r1", "r2"}
    rows = kk("runs", "--kind", "table", "--json").json["rows"]
    assert [(row["name"], row["public"], row["borrowed"]) for row in rows] == [
        ("forest-v2", 0.83, False), ("logistic", 0.805, False), ("never-sent", None, False)]
    kept = open_ledger(store).dump()
    assert rebuild(store).dump() == kept
    assert kk("submissions").code == 0 and kk("status").code == 0


def test_only_new_lines_are_taken_and_scores_are_completed(table: Path, kk: Kk) -> None:
    kk("add", "notebook", "--table", table)
    table.write_text(TABLE.replace("never sent,0.80,,,", "never sent,0.80,0.79,,").replace("0.8300,,", "0.8300,0.82,") + "new,0.9,0.88,,\n")
    told = kk("add", "notebook", "--table", table, "--json").json
    assert told["added"] == ["r4"] and told["completed"] == ["r2", "r3"] and told["same"] == 1
    again = kk("add", "notebook", "--table", table)
    assert "0 runs came from the table, 0 were completed, 4 lines were there already" in " ".join(again.out.split())
    sent = {record.run: record for record in open_store().all_submissions()}
    assert len(open_store().all_submissions()) == 4 and sent["r2"].private == 0.82 and sent["r3"].public == 0.79
    table.write_text(TABLE.replace("0.8050", "0.8060"))
    assert kk("add", "notebook", "--table", table, "--json").json["added"] == ["r5"], "another score is another submission"


def test_a_run_with_predictions_borrows_the_score_of_the_line_of_its_name(table: Path) -> None:
    kagglekit.add("notebook", table=pd.read_csv(table))
    kagglekit.cv(split="stratified", n=3)
    kagglekit.add("logistic", oof=np.random.default_rng(0).uniform(size=240))
    row = next(row for row in kagglekit.runs(kind="add").rows)
    assert row["public"] == 0.805 and row["borrowed"]


@pytest.mark.parametrize(("text", "message"), [
    ("model,cv,public\na,0.8,0.79\nb,\"0,81\",0.8\n", "line 3: cv is '0,81', a decimal comma. Write it with a point: 0.81"),
    ("model;cv;public\na;0.8;0,79\n", "line 2: public is '0,79', a decimal comma"),
    ("model,cv,public\n\na,0.8,79%\n", "line 3: public is '79%'. Write it as the competition shows it"),
    ("model,cv,public\na,0.8 (5 folds),0.7\n", "line 2: cv is '0.8 (5 folds)', which is no number"),
    ("model,cv,public\na,inf,0.7\n", "line 2: cv is 'inf'"),
    ("model,cv,public\n,0.8,0.7\n", "line 2: the model has no name"),
    ("model,cv,public\na,,\n", "line 2: a has neither a cv nor a public score"),
    ("model,cv,public,date\na,0.8,0.7,yesterday\n", "line 2: the date is 'yesterday'. Write it as 2026-01-31"),
    ("model,cv,cv se\na,0.8,-1\n", "line 2: the standard error is -1"),
    ("what,cv,public\na,0.8,0.7\n", "history.csv has no column for model (it has what, cv, public)"),
    ("model,score\na,0.8\n", "has no column for cv or public"),
    ("model,cv,public\n", "has no line below its header"),
    ("", "has no column for model"),
])
def test_what_cannot_be_meant_is_refused_with_its_line(table: Path, kk: Kk, text: str, message: str) -> None:
    table.write_text(text, encoding="utf-8")
    ran = kk("add", "notebook", "--table", table)
    assert ran.code == 1 and message in ran.error
    assert not open_store().all_runs()


def test_odd_but_clear_tables_are_read(small: Path, tmp_path: Path) -> None:
    (tmp_path / "odd.csv").write_text("\ufeffExperiment;Local CV;LB;std\nné;0.8;0.79;0.01\n;;;\nb;-;0.5;0.02\n", encoding="utf-8")
    lines, warnings = read_history(tmp_path / "odd.csv")
    assert [(line.model, line.cv, line.public, line.number) for line in lines] == [("né", 0.8, 0.79, 2), ("b", None, 0.5, 4)]
    assert "'std' is not read: a spread over folds is no standard error" in warnings[0]
    (tmp_path / "sheet.xlsx").write_bytes(b"")
    with pytest.raises(KKError, match="sheet.xlsx is no csv. Save the sheet as csv"):
        read_history(tmp_path / "sheet.xlsx")


@pytest.mark.parametrize("between", [";", "\t"])
def test_decimal_commas_are_read_where_no_comma_stands_between_columns(between: str, small: Path, tmp_path: Path) -> None:
    rows = ["model;cv;public;cv se", "a,b;0,812;0,79;,01", "c;1;-0,5;-"]
    (tmp_path / "sheet.csv").write_text("\n".join(rows).replace(";", between), encoding="utf-8")
    lines, _ = read_history(tmp_path / "sheet.csv")
    assert [(line.model, line.cv, line.public, line.shown, line.cv_se) for line in lines] == [
        ("a,b", 0.812, 0.79, "0.79", 0.01), ("c", 1.0, -0.5, "-0.5", None)]


def test_the_metric_may_be_told_where_the_competition_names_none(table: Path, small: Path, kk: Kk) -> None:
    assert "--metric is logloss, competition.toml says auc" in kk("add", "n", "--table", table, "--metric", "logloss").error
    toml = small / "competition.toml"
    toml.write_text(toml.read_text().replace('name = "auc"', 'name = ""'))
    assert kk("add", "n", "--table", table).code == 1
    told = kk("add", "n", "--table", table, "--metric", "logloss", "--json").json
    assert told["metric"] == "logloss" and not told["greater_is_better"] and not open_store().all_runs()[0].greater_is_better


@pytest.mark.skipif(not (SHARED / "lb").is_dir(), reason="needs the tables of real competitors beside the project")
def test_histories_of_real_competitors_are_read() -> None:
    for path in (SHARED / "lb").glob("*.csv"):
        if "thresholds" not in path.name:
            lines, _ = read_history(path)
            assert len(lines) >= 5 and all(line.model for line in lines), path.name


@pytest.fixture
def desk(table: Path, small: Path, tmp_path: Path) -> Path:
    """A copy of the competition elsewhere, with a history and an added run that are not here."""
    kagglekit.cv(split="stratified", n=3)
    other = tmp_path / "desk" / "small-auc"
    shutil.copytree(small, other)
    kagglekit.add("notebook", table=table)
    kagglekit.add("mine", oof=np.random.default_rng(0).uniform(size=240), test=np.linspace(0, 1, 120))
    shutil.rmtree(other)
    shutil.copytree(small, other)
    for folder in ("runs", "submissions"):
        shutil.rmtree(small / folder)
    rebuild(open_store())
    return other


def test_a_history_is_merged_once(desk: Path, kk: Kk) -> None:
    told = kk("merge", desk, "--json").json
    assert len(told["runs"]) == 4 and len(told["submissions"]) == 2
    again = kk("merge", desk, "--json").json
    assert again["runs"] == {} and again["submissions"] == [] and len(open_store().all_submissions()) == 2


def test_a_merge_that_was_killed_goes_on(desk: Path, small: Path, kk: Kk) -> None:
    kk("merge", desk)
    store = open_store()
    run = store.run("mine")
    path = store.run_folder(run) / "run.json"
    facts = json.loads(path.read_text())
    path.write_text(json.dumps({**facts, "status": "started", "process": {"pid": 2**22 - 1, "host": __import__("platform").node()}}))
    (store.run_folder(run) / "oof.npy").unlink()
    told = kk("merge", desk, "--json").json
    assert told["runs"] == {run.id: run.id}
    again = Store(store.competition).run("mine")
    assert again.status == "done" and again.uid == run.uid
    assert np.array_equal(store.array(again, "oof"), np.load(desk / "runs" / run.folder / "oof.npy"))
    assert rebuild(store).dump() == open_ledger(store).dump()
