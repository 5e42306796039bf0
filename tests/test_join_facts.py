"""What joining says: how early one is, who may enter, where the login comes from; and data that is here without Kaggle."""

import shutil
import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from kagglekit.practice.server import Embedded
from kagglekit.practice.state import State
from kagglekit.verbs import join as joining
from tests.conftest import Ran, small_tables, write_contest

Kk = Callable[..., Ran]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_contest(tmp_path / "source", small_tables())


def test_how_early_one_is_and_what_is_due_when(source: Path, workspace: Path, kk: Kk) -> None:
    kk("arena", "create", "early", "--from", source, "--metric", "auc", "--days", 20, "--entry-days", 12)
    kk("arena", "advance", "--days", 2)
    record = kk("join", "early", "--practice", "--json").json
    assert record["days_since_start"] == pytest.approx(2, abs=0.1) and record["days_left"] == pytest.approx(18, abs=0.1)
    assert record["entry_deadline"] < record["deadline"] and record["merger_deadline"] == record["entry_deadline"]
    shown = kk("join", "early").out
    assert "2 days since the start, 18 days left, 1 team, 5 submissions a day" in shown
    assert f"enter until {record['entry_deadline'][:16].replace('T', ' ')} UTC; merge teams until" in " ".join(shown.split())


def test_after_the_entry_deadline_nobody_is_told_to_accept_rules_or_waits(source: Path, workspace: Path, kk: Kk) -> None:
    kk("arena", "create", "late", "--from", source, "--metric", "auc", "--entry-days", 3, "--rules-required")
    refused = kk("join", "late", "--practice")
    assert refused.code == 1 and refused.error.endswith("/competitions/late/rules")
    assert "the rules of late are not accepted yet. Accept them with: kk arena accept late" in refused.error
    kk("arena", "advance", "--days", 4)
    begin = time.monotonic()
    closed = kk("join", "late", "--practice", "--wait")
    assert closed.code == 1 and "the entry deadline of late passed on" in closed.error and "kk competitions" in closed.error
    assert time.monotonic() - begin < 5


def test_waiting_goes_on_by_itself_once_the_rules_are_accepted(source: Path, workspace: Path, kk: Kk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joining, "POLL_SECONDS", 0.1)
    kk("arena", "create", "ruled", "--from", source, "--metric", "auc", "--rules-required")
    threading.Timer(1.0, State(workspace / "arena").enter, ["ruled", "practice"]).start()
    ran = kk("join", "ruled", "--practice", "--wait", "--json")
    assert ran.code == 0 and ran.json["rows"]["train"] == 240 and "(waiting)" in ran.err


def test_notebooks_only_and_a_stub_are_explained(workspace: Path, kk: Kk) -> None:
    ran = kk("join", "practice-notebook", "--practice")
    text = " ".join(ran.out.split())
    assert ran.code == 0 and "submissions come from notebooks on Kaggle only" in text and "the visible test set is a stub" in text
    refused = kk("submit-zeros")
    assert refused.code == 1 and "notebooks only" in refused.error
    assert "stub" in " ".join(kk("cv").out.split())


def test_a_folder_of_data_needs_no_kaggle_and_says_what_is_open(source: Path, workspace: Path, kk: Kk) -> None:
    ran = kk("join", "elsewhere", "--from", source / "files", "--json")
    assert ran.code == 0, ran.err
    assert ran.json["rows"] == {"train": 240, "test": 120} and ran.json["downloaded_bytes"] == 0 and ran.json["metric"]["name"] == ""
    assert any("Kaggle was not asked (no Kaggle credentials were found" in warning for warning in ran.json["warnings"])
    raw = workspace / "competitions" / "elsewhere" / "data" / "raw"
    assert raw.is_symlink() and (source / "files" / "train.csv").exists()


def test_a_notebook_on_kaggle_uses_its_input_folder(source: Path, workspace: Path, tmp_path: Path, kk: Kk, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(source / "files", tmp_path / "input" / "there")
    monkeypatch.setattr(joining, "KAGGLE_INPUT", (tmp_path / "input" / "competitions", tmp_path / "input"))
    ran = kk("join", "there", "--json")
    assert ran.code == 0 and (workspace / "competitions" / "there" / "data" / "raw").resolve() == tmp_path / "input" / "there"
    assert kk("join", "there", "--json").json["rows"]["train"] == 240
    assert kk("join", "notthere").code == 1


def test_a_bad_token_that_hides_a_good_file_is_named(source: Path, workspace: Path, kk: Kk, monkeypatch: pytest.MonkeyPatch) -> None:
    kk("arena", "create", "small", "--from", source, "--metric", "auc")
    folder = Path("~/.kaggle").expanduser()
    folder.mkdir()
    token = State(workspace / "arena").new_token("me")
    (folder / "kaggle.json").write_text(f'{{"username": "me", "key": "{token}"}}')
    (folder / "kaggle.json").chmod(0o600)
    monkeypatch.setattr("kagglekit.practice.server.make_app", _with_tokens)
    with Embedded(workspace / "arena") as server:
        monkeypatch.setenv("KK_KAGGLE_ENDPOINT", server.url)
        monkeypatch.setenv("KAGGLE_API_TOKEN", "expired-secret")
        ran = kk("join", "small")
        assert ran.code == 1 and "refused the login: token from KAGGLE_API_TOKEN; it hides" in ran.error and "kaggle.json" in ran.error
        assert "expired-secret" not in ran.err and token not in ran.err
        monkeypatch.delenv("KAGGLE_API_TOKEN")
        assert kk("join", "small").code == 0


def _with_tokens(state: State, wake: Callable, tokens: bool = False) -> Callable:
    from kagglekit.practice import app

    return app.make_app(state, wake, True)


def test_competitions_come_newest_first_with_what_one_can_do(source: Path, workspace: Path, kk: Kk) -> None:
    kk("arena", "create", "first", "--from", source, "--metric", "auc", "--days", 5)
    kk("arena", "advance", "--days", 20)
    kk("arena", "create", "second", "--from", source, "--metric", "auc", "--rules-required", "--entry-days", 2)
    kk("arena", "advance", "--days", 3)
    kk("arena", "create", "third", "--from", source, "--metric", "auc")
    kk("join", "third", "--practice")
    rows = {row["slug"]: row for row in kk("competitions", "--practice", "--json").json["rows"]}
    assert next(iter(rows)) == "third" and "first" not in rows and rows["third"]["joined"]
    assert rows["second"]["can_enter"] is False and rows["second"]["entered"] is False
    assert rows["second"]["days_since_start"] == pytest.approx(3, abs=0.1)
    new = kk("competitions", "--practice", "--new", "--json").json
    assert [row["slug"] for row in new["rows"]] == ["third", "second"] and new["next"] == "kk join SLUG --practice"
    assert "first" in [row["slug"] for row in kk("competitions", "--practice", "--ended", "--json").json["rows"]]
    assert [row["slug"] for row in kk("competitions", "clinics", "--practice", "--json").json["rows"]] == ["practice-clinics"]
    lines = kk("competitions", "--practice").out.splitlines()
    assert max(map(len, lines)) <= 80 and "closed" in next(line for line in lines if line.startswith("second"))


def test_a_pattern_may_fit_inside_an_archive_of_the_host(source: Path, workspace: Path, kk: Kk) -> None:
    with zipfile.ZipFile(source / "files" / "pictures.zip", "w") as archive:
        archive.writestr("a.png", b"one")
        archive.writestr("b.txt", b"two")
    kk("arena", "create", "packed", "--from", source, "--metric", "auc")
    ran = kk("join", "packed", "--practice", "--only", "*.png", "--json")
    assert [one["name"] for one in ran.json["files"]] == ["pictures/a.png"] and "looking for it inside pictures.zip" in ran.err
    whole = kk("join", "packed", "--update", "--json").json
    assert {"pictures/a.png", "pictures/b.txt", "train.csv"} <= {one["name"] for one in whole["files"]}
    assert kk("join", "packed", "--json").json["warnings"] == [], "what was unpacked is not called new"


def test_what_a_guess_leaves_open_is_settled_by_a_flag(source: Path, workspace: Path, kk: Kk) -> None:
    train = source / "files" / "train.csv"
    lines = train.read_text().splitlines()
    train.write_text("\n".join([f"{lines[0].removesuffix('y')}w,z", *(f"{line},1" for line in lines[1:])]) + "\n")
    sample = source / "files" / "sample_submission.csv"
    sample.write_text(sample.read_text().replace("id,y", "id,prediction"))
    open_ = kk("join", "unsure", "--from", source / "files", "--json").json
    assert open_["target"] == [] and any("--target" in warning for warning in open_["warnings"])
    settled = kk("join", "sure", "--from", source / "files", "--target", "w", "--metric", "auc", "--direction", "higher", "--json").json
    assert settled["target"] == ["w"] and settled["metric"] == {"name": "auc", "greater_is_better": True, "kaggle_name": ""}
    assert settled["guesses"]["target"]["why"] == "you said so"
    assert kk("cv").code == 0 and kk("train", "constant").code == 0
    assert "has no 'ww'. Did you mean" in kk("join", "wrong", "--from", source / "files", "--target", "ww").error
    assert "the direction cannot be 'up'" in kk("join", "wrong", "--from", source / "files", "--direction", "up").error
    toml = workspace / "competitions" / "sure" / "competition.toml"
    toml.write_text(toml.read_text() + "# mine\n")
    assert "target stays as competition.toml says: edit it there" in kk("join", "sure", "--from", source / "files", "--target", "z",
                                                                        "--json").json["warnings"]


def test_a_train_table_without_rows_is_told(source: Path, workspace: Path, kk: Kk) -> None:
    train = source / "files" / "train.csv"
    train.write_text(train.read_text().splitlines()[0] + "\n")
    warnings = kk("join", "headless", "--from", source / "files", "--json").json["warnings"]
    assert any(warning.startswith("train.csv has a header and no rows") for warning in warnings)
    refused = kk("cv", "-c", "headless")
    assert refused.code == 1 and "Traceback" not in refused.err
