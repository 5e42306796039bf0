"""kk submissions: sorting, csv, the own place over time, and joining a submission made elsewhere to its run."""

import csv
import io
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from kagglekit.ledger import open_ledger, rebuild
from kagglekit.practice.state import State
from kagglekit.store import open_store
from tests.bare_client import Client
from tests.conftest import Ran

Kk = Callable[..., Ran]


@pytest.fixture
def three(small: Path, kk: Kk) -> Path:
    """Zeros and two models, submitted."""
    kk("submit-zeros")
    kk("cv", "-n", 3)
    for model in ("constant", "linear"):
        assert kk("train", model).code == 0
        assert kk("submit", model).code == 0
    return small


def test_rows_are_sorted_by_any_score_best_first(three: Path, kk: Kk) -> None:
    rows = kk("submissions", "--json").json["rows"]
    assert [row["name"] for row in rows] == ["linear", "constant", "zeros"]
    public = [row["public"] for row in kk("submissions", "--sort", "public", "--no-sync", "--json").json["rows"]]
    assert public == sorted(public, reverse=True)
    by_cv = [row["name"] for row in kk("submissions", "--sort", "cv", "--no-sync", "--json").json["rows"]]
    assert by_cv == ["linear", "constant", "zeros"], "what has no local score comes last"
    linear = rows[0]
    assert linear["gap"] == pytest.approx(linear["public"] - linear["cv"])
    assert "submissions cannot be sorted by 'pubic'. Did you mean public" in kk("submissions", "--sort", "pubic").error


def test_csv_is_nothing_but_rows(three: Path, kk: Kk) -> None:
    out = kk("submissions", "--csv", "--no-sync").out
    rows = list(csv.DictReader(io.StringIO(out)))
    assert len(rows) == 3 and rows[0]["name"] == "linear" and "next:" not in out
    assert pd.read_csv(io.StringIO(out))["public"].notna().all()


def test_the_own_place_is_kept_and_drawn(three: Path, workspace: Path, kk: Kk) -> None:
    from kagglekit.remote import _arena

    first = kk("submissions", "--plot", "--json").json
    assert first["rank"] == 1 and first["teams"] == 2 and first["plot"] == ""
    assert "there is no picture yet" in first["warnings"][0]
    other = Client(_arena(str(workspace / "arena")), "other")
    solution = pd.read_csv(workspace / "arena" / "small-auc" / "solution.csv")
    other.scored(solution[["id", "y"]].to_csv(index=False), "small-auc")
    second = kk("submissions", "--plot", "--json").json
    assert (second["rank"], second["teams"]) == (2, 3)
    picture = Path(second["plot"])
    assert picture.read_bytes().startswith(b"\x89PNG") and picture.stat().st_size > 5000
    assert "place 2 of 3" in kk("submissions", "--no-sync").out


def test_a_submission_made_in_the_browser_is_joined_to_its_run(three: Path, workspace: Path, kk: Kk) -> None:
    from kagglekit.remote import _arena

    browser = Client(_arena(str(workspace / "arena")), "practice")
    content = next((three / "submissions").glob("*-r3.csv")).read_text()
    ref = str(browser.scored(content, "small-auc")["ref"])
    kk("submissions")
    before = {row["ref"]: row for row in kk("submissions", "--no-sync", "--json").json["rows"]}
    assert before[ref]["run"] == "" and list((three / "submissions").glob("*-browser.json"))
    linked = kk("submissions", "link", ref, "linear", "--json").json
    assert linked["run"] == "r3" and linked["recipe"]
    after = {row["ref"]: row for row in kk("submissions", "--json").json["rows"]}
    assert after[ref]["run"] == "r3" and after[ref]["public"] == before[ref]["public"] and len(after) == len(before)
    assert not list((three / "submissions").glob("*-browser.json"))
    store = open_store("small-auc")
    kept = open_ledger(store).dump()
    assert rebuild(store).dump() == kept
    assert "no submission has the ref '999'" in kk("submissions", "link", "999", "linear").error
    assert "no run is called 'nope'" in kk("submissions", "link", ref, "nope").error
    assert State(workspace / "arena").count("small-auc") == 4, "nothing is sent by linking"
