"""The whole loop on practice competitions: the verdicts, borrowed scores, the ensemble, the ledger, the lesson on another seed."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import kagglekit
from kagglekit.ledger import open_ledger, rebuild
from kagglekit.practice.builtin.registry import REGISTRY
from kagglekit.store import open_store
from tests.conftest import SHARED, Ran, write_contest

FAST = (("constant", "constant", {}), ("linear", "linear", {}), ("tree", "tree-shallow", {"max_depth": 2}), ("tree", "tree-deep", {"max_depth": 0}),
        ("forest", "forest", {"n_estimators": 60}), ("lgbm", "lgbm", {"n_estimators": 100}))


def train_all(folds: str) -> list[str]:
    return [kagglekit.train(model, name=name, params=params, refit=True, folds=folds).run for model, name, params in FAST]


@pytest.fixture
def played(clinics: Path) -> Path:
    """Clinics with zeros and six models on the random split, all submitted over two days, and the same recipes on the group split."""
    kagglekit.submit_zeros()
    runs = train_all(kagglekit.cv(split="random").folds)
    for number, run in enumerate(runs):
        if number == 4:
            kagglekit.arena_advance(days=1)
        kagglekit.submit(run)
    train_all(kagglekit.cv(split="group").folds)
    return clinics


@pytest.mark.slow
def test_the_random_split_does_not_track_and_the_group_split_does_with_borrowed_scores(played: Path, kk: Callable[..., Ran]) -> None:
    no, yes = kk("lbcheck", "--folds", "random5", "--json").json, kk("lbcheck", "--splits", "random5,group5", "--json").json
    assert (no["verdict"], yes["verdict"]) == ("does-not-track", "tracks")
    assert no["m"] == yes["m"] == 5 and yes["direction"] == "same" and yes["kendall"]["value"] == 1.0
    assert yes["kendall"]["p"] == pytest.approx(1 / 120)
    assert all(one["borrowed"] for one in yes["models"] if not one["anchor"]) and not any(one["borrowed"] for one in no["models"])
    assert {one["name"] for one in yes["models"] if one["anchor"]} == {"zeros", "constant"}
    assert yes["n_pub"] == {"value": 4800.0, "source": "the page says 30%"}
    assert [one["split"] for one in yes["splits"]] == ["group5", "random5"]
    text = kk("lbcheck", "--folds", "random5").out.splitlines()
    assert text[0].startswith("can say:    random5 does not track the leaderboard") and text[-1].startswith("next: ")
    assert max(map(len, kk("lbcheck", "--all").out.splitlines())) <= 80
    _ensemble_is_honest_and_the_ledger_is_an_index(kk)


def _ensemble_is_honest_and_the_ledger_is_an_index(kk: Callable[..., Ran]) -> None:
    record = kk("ensemble", "--json").json
    assert {"nested", "nested_se", "in_sample", "best_single", "best_single_run", "equal_weights", "gain", "gain_se"} <= set(record["score"])
    assert any(record["weights"].values()) and record["score"]["in_sample"] <= record["score"]["nested"]
    size = len(record["errors"]["runs"])
    assert np.shape(record["errors"]["matrix"]) == (size, size) and size == 5
    sent = kagglekit.submit(record["run"])
    assert sent.status == "complete" and sent.private is None
    kagglekit.arena_advance(days=60)
    assert all(row["private"] is not None for row in kk("submissions", "--json").json["rows"])
    store = open_store()
    before = open_ledger(store).dump()
    store.ledger.unlink()
    assert rebuild(store).dump() == before and len(before["submissions"]) == 8 and len(before["runs"]) == 14
    assert kk("status").code == 0 and "best of group5" in kk("status").out
    with pytest.raises(kagglekit.KKError, match="is on the folds random5, the others on group5"):
        kagglekit.ensemble(["r3", record["run"]], folds="group5")


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1])
def test_the_lesson_of_clinics_is_true_on_another_seed(seed: int, workspace: Path, tmp_path: Path) -> None:
    tables = REGISTRY.get("practice-clinics").function(seed)
    kagglekit.arena_create(f"clinics-{seed}", source=write_contest(tmp_path / "made", tables), metric="rmse", daily_limit=20)
    kagglekit.join(f"clinics-{seed}", practice=True)
    for run in train_all(kagglekit.cv(split="random").folds):
        kagglekit.submit(run)
    train_all(kagglekit.cv(split="group").folds)
    assert kagglekit.lbcheck(folds="random5").verdict == "does-not-track"
    assert kagglekit.lbcheck(folds="group5").verdict == "tracks"


def test_two_models_are_told_their_direction_and_never_a_verdict(small: Path) -> None:
    kagglekit.cv(split="stratified")
    for model in ("linear", "tree"):
        kagglekit.submit(kagglekit.train(model, refit=True).run)
    found = kagglekit.lbcheck(n_public=60)
    assert found.verdict == "cannot-tell" and found.m == 2 and found.direction in ("same", "opposite", "mixed")
    assert found.n_pub == {"value": 60.0, "source": "given"}
    assert found.needed["models"] == 3 and any("no constant was submitted" in line for line in found.advice)
    assert found.spearman["low"] is None and found.pearson["low"] is None


def test_a_run_of_one_fold_is_compared_on_the_rows_that_all_have(small: Path) -> None:
    kagglekit.cv(split="group")
    for model, fold in (("linear", None), ("tree", None), ("forest", 0)):
        kagglekit.submit(kagglekit.train(model, fold=fold, params={"n_estimators": 20} if model == "forest" else None).run)
    found = kagglekit.lbcheck()
    assert found.m + len(found.anchors) == 2 and found.elsewhere == ("1 on group5, models of one fold",)


def test_without_public_scores_it_says_what_to_do(small: Path, kk: Callable[..., Ran]) -> None:
    kagglekit.cv(split="stratified")
    kagglekit.train("linear")
    found = kk("lbcheck", "--json").json
    assert found["verdict"] == "cannot-tell" and found["can_say"].startswith("Nothing yet") and found["m"] == 0


def test_a_history_kept_elsewhere_is_checked_outside_a_competition(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kk: Callable[..., Ran]) -> None:
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    quality = np.linspace(0.80, 0.90, 10)
    public = (quality + 0.001 * random.normal(size=10)).round(5)
    pd.DataFrame({"model": [f"m{k}" for k in range(10)], "cv": quality, "public": public}).to_csv("h.csv")
    assert kk("lbcheck", "--table", "h.csv", "--metric", "auc", "--n-public", "20000", "--json").json["verdict"] == "tracks"
    pd.read_csv("h.csv").assign(public=lambda t: t["public"].to_numpy()[::-1]).to_csv("r.csv")
    assert kk("lbcheck", "--table", "r.csv", "--metric", "auc", "--n-public", "20000", "--json").json["verdict"] == "does-not-track"
    assert "Name it: kk lbcheck --table FILE --metric auc" in kk("lbcheck", "--table", "h.csv").error
    assert "no file gone.csv" in kk("lbcheck", "--table", "gone.csv", "--metric", "auc").error
    pd.read_csv("h.csv").head(5).to_csv("five.csv")
    assert kk("lbcheck", "--table", "five.csv", "--metric", "auc", "--n-public", "20000", "--json").json["verdict"] != "tracks"


def test_an_ensemble_needs_two_runs_on_the_same_folds(small: Path, kk: Callable[..., Ran]) -> None:
    kagglekit.cv(split="stratified")
    kagglekit.train("linear")
    assert "a blend needs two" in kk("ensemble").error
    kagglekit.train("tree")
    assert kk("ensemble", "--blend", "mean", "--json").json["blender"] == "mean"
    assert "Did you mean greedy" in kk("ensemble", "--blend", "greddy").error


def test_a_full_disk_is_one_line_and_leaves_nothing_half_written(small: Path, kk: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch) -> None:
    import errno
    import os

    kagglekit.cv(split="stratified", name="before")
    real = os.replace

    def full(source: object, target: object) -> None:
        if str(target).endswith(".npy"):
            raise OSError(errno.ENOSPC, "No space left on device")
        real(source, target)

    monkeypatch.setattr(os, "replace", full)
    ran = kk("train", "linear")
    assert ran.code == 1 and "No space left on device" in ran.error and "Free some space" in ran.error and "Traceback" not in ran.err
    monkeypatch.setattr(os, "replace", real)
    assert not list(small.rglob("*.part")) and not list(small.rglob("oof.npy"))
    assert kk("train", "linear").code == 0


def test_an_unknown_error_is_one_line_too_and_json_holds_it(small: Path, kk: Callable[..., Ran]) -> None:
    (small / "competition.toml").write_text("slug = [")
    ran = kk("cv", "--json")
    assert ran.code == 1 and "cannot be read" in ran.json["error"]["what"] and ran.json["error"]["do"]
    assert ran.error.startswith("Error: ") and len(ran.err.strip().splitlines()) == 1


def test_output_fits_80_columns_and_ends_with_the_next_step(small: Path, kk: Callable[..., Ran]) -> None:
    kk("submit-zeros")
    kk("cv")
    kk("train", "linear", "--name", "a-model-with-quite-a-long-name-that-nobody-would-type")
    for command in (["runs"], ["submissions"], ["status"], ["arena", "list"], ["join", "small-auc"]):
        lines = kk(*command).out.splitlines()
        assert max(map(len, lines)) <= 80 or command[0] == "join", lines
        assert lines[-1].startswith("next: kk ")


@pytest.mark.slow
def test_kk_demo_tells_the_story_and_leaves_a_workspace_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kk: Callable[..., Ran]) -> None:
    monkeypatch.chdir(tmp_path)
    out = kk("demo").out
    assert out.index("does not track the leaderboard") < out.index("group5 tracks the leaderboard")
    assert "the split random5  forest" in out and (tmp_path / "demo" / "competitions" / "practice-clinics" / "ledger.db").exists()
    (tmp_path / "demo-2").mkdir()
    monkeypatch.chdir(tmp_path / "demo")
    assert "best of group5" in kk("status").out


ZEROS = {"titanic": ("accuracy", 0.64593, 0.59809), "bike-sharing-demand": ("rmsle", 4.76189, 4.76189)}


@pytest.mark.slow
@pytest.mark.parametrize("slug", ZEROS)
def test_a_past_competition_goes_through_the_loop_and_zeros_score_what_they_did(slug: str, workspace: Path, kk: Callable[..., Ran]) -> None:
    if not (SHARED / "data" / slug).exists():
        pytest.skip("the past competitions are not beside the project")
    metric, public, private = ZEROS[slug]
    assert kk("arena", "create", slug, "--from", SHARED / "data" / slug, "--metric", metric).code == 0
    assert kk("join", slug, "--practice").code == 0
    assert kk("submit-zeros", "--json").json["public"] == public
    kk("cv", "--split", "random")
    for model in ("linear", "lgbm"):
        assert kk("train", model, "--refit").code == 0 and kk("submit", model).code == 0
    assert kk("submit", kk("ensemble", "--json").json["run"]).code == 0
    kagglekit.arena_advance(days=40)
    rows = {row["name"]: row for row in kk("submissions", "--json").json["rows"]}
    assert rows["zeros"]["private"] == private
    assert all(row["private"] is not None for row in rows.values())
