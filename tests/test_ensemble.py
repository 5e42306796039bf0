"""kk ensemble: members, the nested score beside what it must beat, runs that nothing verifies, and a blend made again."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import kagglekit
from kagglekit.errors import KKError
from kagglekit.store import open_store
from kagglekit.work.load import read_table
from tests.conftest import Ran


@pytest.fixture
def four(small: Path) -> Path:
    """The small competition with four runs on stratified folds."""
    kagglekit.cv(split="stratified", force=True)
    for model in ("linear", "tree", "constant"):
        kagglekit.train(model)
    kagglekit.train("linear", params={"alpha": 300.0}, name="flat")
    return small


def test_a_blend_is_a_run_with_weights_members_and_the_nested_score(four: Path, kk: Callable[..., Ran]) -> None:
    record = kk("ensemble", "--json").json
    store = open_store()
    run = store.run(record["run"])
    assert set(record["weights"]) == set(run.parents) == {"r1", "r2", "r4"}  # a constant adds nothing
    assert any("r3 constant knows nothing of the rows: left out" in line for line in record["warnings"])
    score = record["score"]
    assert score["nested"] == pytest.approx(run.score.mean) and score["gain"] == pytest.approx(score["nested"] - score["best_single"])
    assert {"in_sample", "optimism", "best_single_run", "best_single_nested", "equal_weights", "gain_se"} <= set(score)
    assert record["tried"] and record["errors"]["n_eff"] >= 1 and len(record["errors"]["matrix"]) == 3
    assert len(store.array(run, "oof")) == 240 and np.isfinite(store.array(run, "test")).all()
    assert Path(record["picture"]).exists() and kk("submit", record["run"]).code == 0
    again = kk("ensemble", record["run"], "r2", "--json").json  # a blend of a blend
    assert set(again["weights"]) == {record["run"], "r2"} and again["marginal"]
    assert any(f"{record['run']} is a blend of r2: they count twice" in line for line in again["warnings"])


def test_output_fits_80_columns(four: Path, kk: Callable[..., Ran]) -> None:
    out = kk("ensemble").out
    assert all(len(line) <= 80 for line in out.splitlines()) and out.splitlines()[-1].startswith("next: kk submit")
    assert "nested" in out and "in sample" in out and "runs have used stratified5" in out


def test_a_blend_is_made_again_from_the_newest_runs(four: Path, kk: Callable[..., Ran]) -> None:
    first = kk("ensemble", "r1", "r2", "--blend", "mean", "--json").json
    newer = kagglekit.train("linear").run
    again = kk("ensemble", "--again", first["run"], "--json").json
    assert set(again["weights"]) == {newer, "r2"} and again["blender"] == "mean" and again["recipe"] == first["recipe"]
    assert f"made again with {newer} in place of r1" in again["says"]
    tried = kk("ensemble", newer, "r2", "--json").json
    once_more = kk("ensemble", "--again", tried["run"], "--json").json
    assert set(once_more["tried"]) == set(tried["tried"]) and len(tried["tried"]) > 1  # auto stays auto
    assert any("the same blend" in line for line in once_more["says"])
    assert "r1 linear is no blend" in kk("ensemble", "--again", "r1").error


def test_runs_without_ids_are_averaged_unless_vouched_for(four: Path, kk: Callable[..., Ran]) -> None:
    store = open_store()
    target = kagglekit.load_folds("stratified5").one(0, 0).data.target
    rng = np.random.default_rng(0)
    oof = np.clip(target * 0.4 + rng.uniform(0, 0.6, 240), 0.01, 0.99)
    test = rng.uniform(0.1, 0.9, len(read_table(store, "test")))
    added = kagglekit.add("mine", oof=oof, test=test, folds="stratified5").run
    record = kk("ensemble", "r1", added, "--json").json
    assert record["blender"] == "mean" and any("came by row order" in line for line in record["warnings"])
    assert "came by row order without ids: convex would fit" in kk("ensemble", "r1", added, "--blend", "convex").error
    assert kk("ensemble", "r1", added, "--blend", "convex", "--allow-unverified", "--json").json["blender"] == "convex"
    assert kk("ensemble", record["run"], "r2", "--json").json["blender"] == "mean"  # a blend of such a run is no better
    ids = read_table(store, "train")[["id"]]
    pd.DataFrame({"id": ids["id"], read_table(store, "sample").columns[1]: oof}).to_csv("oof.csv", index=False)
    named = kk("add", "named", "--oof", "oof.csv", "--folds", "stratified5", "--json").json["run"]
    blend = kk("ensemble", "r1", named, "--blend", "convex", "--json").json
    assert blend["blender"] == "convex" and any("no test predictions" in line for line in blend["warnings"])


def test_bad_members_are_refused_with_the_remedy(four: Path, kk: Callable[..., Ran]) -> None:
    assert "1 run on stratified5 can be blended, a blend needs two" in kk("ensemble", "r1", "r1").error
    kagglekit.cv(split="random", force=True)
    other = kagglekit.train("tree", folds="random5").run
    assert f"{other} tree is on the folds random5" in kk("ensemble", "r1", other, "--folds", "stratified5").error
    assert "'r99'" in kk("ensemble", "r1", "r99", "--folds", "stratified5").error
    assert "no blender is called 'greddy'. Did you mean greedy" in kk("ensemble", "--blend", "greddy", "--folds", "stratified5").error
    store = open_store()
    (store.run_folder(store.run("r2")) / "oof.npy").unlink()
    assert "OOF predictions of r2 tree are gone" in kk("ensemble", "r1", "r2", "--folds", "stratified5").error


def test_copies_are_left_out_and_said(four: Path, kk: Callable[..., Ran]) -> None:
    store = open_store()
    copy = kagglekit.train("linear", name="copy").run
    record = kk("ensemble", "--json").json
    assert copy not in record["weights"] and any(f"{copy} copy is a copy of r1: left out" in line for line in record["warnings"])
    assert store.run(record["run"]).status == "done"


def test_only_common_rows_are_blended_and_counted(four: Path) -> None:
    half = kagglekit.train("tree", fold=0, name="half").run
    found = kagglekit.ensemble(["r1", half], folds="stratified5", blend="mean")
    assert any(f"{half} half was scored on 48 of 240 rows: left out" in line for line in kagglekit.ensemble(folds="stratified5").warnings)
    assert found.rows_scored == 48 and any("192 rows lack a prediction of some run" in line for line in found.warnings)


def test_folds_kept_with_force_are_said_in_the_blend(small: Path) -> None:
    rows = read_table(open_store(), "train")
    rows[["id"]].assign(fold=np.arange(240) % 4).to_csv("mine.csv", index=False)
    kagglekit.cv(source="mine.csv", group="site", force=True)
    for model in ("linear", "tree"):
        kagglekit.train(model)
    assert any("was kept with --force although" in line for line in kagglekit.ensemble().warnings)


def test_blending_is_for_a_metric_with_probabilities_in_range(four: Path) -> None:
    store = open_store()
    run = store.run("r2")
    store.write_array(run, "oof", store.array(run, "oof") * 3)
    text = store.toml.read_text().replace('name = "auc"', 'name = "logloss"')
    store.toml.write_text(text.replace("greater_is_better = true", "greater_is_better = false"))
    with pytest.raises(KKError, match="r2 tree predicts .* probabilities lie in 0 to 1"):
        kagglekit.ensemble(["r1", "r2"], folds="stratified5")
