"""kk lbcheck on runs and submissions: which may stand in one line, what is anchored, left out or said, and splits that are tried."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import kagglekit
from kagglekit.run import Submission
from kagglekit.store import Store, open_store
from kagglekit.work.evidence import gather
from tests.conftest import Ran

Kk = Callable[..., Ran]
MODELS = (("linear", {}), ("tree", {"max_depth": 2}), ("forest", {"n_estimators": 10}))


def score_it(run: str, public: float | None, number: int, status: str = "complete") -> None:
    """A public score for a run, as if it had been submitted."""
    store = open_store()
    made = store.run(run)
    shown = "" if public is None else f"{public:.5f}"
    store.write_submission(Submission(n=number, run=made.id, recipe=made.recipe, status=status, public=public, shown=shown, tag=f"t{number}"))


def add(name: str, noise: float, seed: int = 0, rows: object = slice(None)) -> str:
    """A run brought from elsewhere: the truth with noise over it, on some rows."""
    store = open_store()
    y = pd.read_parquet(store.table(store.competition.train))["y"].to_numpy()
    random = np.random.default_rng(seed)
    oof = np.full(len(y), np.nan)
    oof[rows] = (1 / (1 + np.exp(-(y - 0.5) * 2 + noise * random.normal(size=len(y)))))[rows]
    return kagglekit.add(name, oof=oof, test=random.uniform(size=120)).run


@pytest.fixture
def ladder(small: Path) -> Path:
    """Five added runs from good to bad, scored in the same order, with zeros scored one half."""
    kagglekit.cv(split="stratified")
    for number, noise in enumerate((0.3, 0.8, 1.5, 2.5, 4.0), start=1):
        score_it(add(f"m{number}", noise, number), round(0.95 - 0.06 * number, 5), number)
    return small


def test_a_ladder_tracks_and_is_drawn(ladder: Path, kk: Kk) -> None:
    told = kk("lbcheck", "--all", "--n-public", 5000)
    found = kk("lbcheck", "--json", "--n-public", 5000).json
    assert found["verdict"] == "tracks" and found["order"] == "the same order in both; chance does this once in 120"
    assert (found["m"], found["direction"], found["kendall"]["p"]) == (5, "same", pytest.approx(1 / 120))
    assert max(map(len, told.out.splitlines())) <= 80 and max(map(len, found["chart"])) <= 78
    assert all(line in told.out for line in found["chart"])
    image = ladder / "reports" / "lbcheck-stratified5.png"
    assert found["picture"].endswith("reports/lbcheck-stratified5.png") and image.read_bytes().startswith(b"\x89PNG")
    short = kk("lbcheck", "--n-public", 5000).out.splitlines()
    assert len(short) <= 9 and short[-1] == "next: kk ensemble"


def test_anchors_are_no_evidence_and_stand_at_the_edge(ladder: Path) -> None:
    before = kagglekit.lbcheck(n_public=5000)
    kagglekit.submit_zeros()
    after = kagglekit.lbcheck(n_public=5000)
    assert after.anchors == ("r6",) and (after.m, after.verdict, after.p) == (before.m, before.verdict, before.p)
    assert next(one for one in after.models if one.anchor).cv == 0.5
    assert any("zeros (anchor" in line for line in after.chart)


def test_runs_made_in_different_ways_are_not_in_one_line(small: Path, kk: Kk) -> None:
    kagglekit.cv(split="stratified")
    means = [kagglekit.train(model, params=params).run for model, params in MODELS]
    refitted = [kagglekit.train(model, params=params, refit=True, name=f"{model}-all").run for model, params in MODELS[:2]]
    for number, run in enumerate([*means, *refitted], start=1):
        score_it(run, 0.9 - 0.02 * number, number)
    found = kk("lbcheck", "--json").json
    assert [one["run"] for one in found["models"]] == means and found["elsewhere"] == ["2 on stratified5, refitted on all rows"]
    assert any(line == f"not in this line: 2 (refitted on all rows); see them with kk lbcheck {' '.join(refitted)}" for line in found["advice"])
    named = kk("lbcheck", *refitted, "--json").json
    assert [one["run"] for one in named["models"]] == refitted and named["m"] == 2 and named["next"] == "kk train lgbm --folds stratified5 --refit"


def test_runs_on_different_folds_are_refused_and_a_recipe_borrows(small: Path, kk: Kk) -> None:
    kagglekit.cv(split="stratified")
    own = kagglekit.train("linear", refit=True).run
    score_it(own, 0.8, 1)
    kagglekit.cv(split="group", group="site")
    same = kagglekit.train("linear", refit=True).run
    found = kagglekit.lbcheck()
    assert [(one.run, one.borrowed, one.public) for one in found.models] == [(same, True, 0.8)]
    ran = kk("lbcheck", own, same)
    assert ran.code == 1 and f"{same} is on the folds {open_store().latest_folds()}, not on stratified5" in ran.error
    assert kk("lbcheck", own, "--json").json["models"][0]["borrowed"] is False


def test_a_run_that_covers_part_of_the_rows_brings_all_to_these_rows(ladder: Path) -> None:
    three = np.isin(kagglekit.load_folds("stratified5").row, np.concatenate([fold.valid for fold in kagglekit.load_folds("stratified5")][:3]))
    score_it(add("part", 1.0, 9, three), 0.6, 9)
    found = kagglekit.lbcheck()
    assert any("covers 60% of the rows: all are compared on the 144 rows that all have" in line for line in found.advice)
    assert any("the noise of CV is over rows, a lower bound" in line for line in found.advice)
    assert found.m + len(found.anchors) == 6
    recorded = {run.id: run.score.mean for run in open_store().all_runs()}
    assert any(one.cv != recorded[one.run] for one in found.models if not one.anchor)


def test_a_near_copy_counts_once(ladder: Path) -> None:
    store = open_store()
    oof = store.array(store.run("m1"), "oof")
    copy = kagglekit.add("m1-again", oof=np.asarray(oof, float), test=np.asarray(store.array(store.run("m1"), "test"), float))
    score_it(copy.run, 0.89, 7)
    found = kagglekit.lbcheck(n_public=5000)
    assert (found.m, found.m_distinct) == (6, 5) and found.order.endswith("once in 120")


def test_one_model_and_none_are_told_what_to_submit_next(small: Path, kk: Kk) -> None:
    kagglekit.cv(split="stratified")
    first = kagglekit.train("linear", refit=True).run
    none = kk("lbcheck", "--json").json
    assert none["can_say"].startswith("Nothing yet") and none["next"] == f"kk submit {first}"
    score_it(first, 0.8, 1)
    assert kk("lbcheck", "--json").json["next"] == "kk train tree --folds stratified5 --refit"
    near = kagglekit.train("linear", params={"alpha": 1.01}, refit=True).run
    far = kagglekit.train("tree", params={"max_depth": 1}, refit=True).run
    one = kk("lbcheck", "--json").json
    assert one["can_say"].startswith("One model of stratified5") and one["next"] == f"kk submit {far}" and far != near


def test_pending_failed_and_hidden_submissions_are_told(ladder: Path) -> None:
    run = open_store().run("m1").id
    score_it(run, None, 20, status="pending")
    score_it(run, None, 21, status="error")
    score_it(run, None, 22)
    told = " / ".join(kagglekit.lbcheck().advice)
    assert "1 submission is still pending" in told and "1 submission failed, not counted" in told
    assert "1 submission is complete without a public score: some are hidden" in told


def test_a_hidden_board_leaves_cv_alone(small: Path) -> None:
    kagglekit.cv(split="stratified")
    score_it(add("one", 1.0), None, 1)
    found = kagglekit.lbcheck()
    assert found.verdict == "cannot-tell" and any("the board is hidden until the end" in line for line in found.advice)


def edit(small: Path, old: str, new: str) -> None:
    toml = small / "competition.toml"
    text = toml.read_text(encoding="utf-8")
    assert old in text
    toml.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_a_stub_is_not_looked_at_and_both_sizes_are_answered(ladder: Path) -> None:
    edit(ladder, "test_is_stub = false", "test_is_stub = true")
    found = kagglekit.lbcheck()
    assert found.n_pub["value"] == 1000 and "stub" in str(found.n_pub["source"]) and found.otherwise[0]["n_pub"] == 10_000
    assert any("the visible test is a stub: nothing is read from it" in line for line in found.advice)


def test_a_public_part_split_by_time_makes_lower_bounds(ladder: Path) -> None:
    said = "split off by time (day), the SEs of public scores are lower bounds"
    assert any(said in line for line in kagglekit.lbcheck().advice)
    edit(ladder, 'time = "day"', 'time = ""')
    assert not any("by time" in line for line in kagglekit.lbcheck().advice)


def test_folds_kept_with_force_are_said_on_the_first_screen(ladder: Path, kk: Kk) -> None:
    path = open_store().folds_files("stratified5")[1]
    record = json.loads(path.read_text(encoding="utf-8"))
    audit = [{"code": "kk001", "severity": "fatal", "says": "the target leaks"}]
    path.write_text(json.dumps({**record, "forced": True, "audit": audit}), encoding="utf-8")
    assert "! stratified5 was kept with --force although the target leaks" in kk("lbcheck").out


def test_a_typed_in_history_is_a_line_of_its_own(ladder: Path, kk: Kk) -> None:
    assert kk("lbcheck", "--json").json["split"] == "stratified5"
    rows = [(f"old {k}", 0.7 + 0.02 * k, f"{0.68 + 0.02 * k:.5f}") for k in range(9)]
    kagglekit.add("notebook", table=pd.DataFrame(rows, columns=["model", "cv", "public"]))
    here, typed = kk("lbcheck", "--json").json, kk("lbcheck", "--folds", "history", "--n-public", 5000, "--json").json
    assert here["split"] == "stratified5" and here["elsewhere"] == ["9 typed in"]
    assert (typed["m"], typed["verdict"], typed["models"][0]["name"]) == (9, "tracks", "old 0") and typed["picture"].endswith("lbcheck-history.png")


def test_a_history_alone_needs_no_folds(small: Path, kk: Kk) -> None:
    kagglekit.add("notebook", table=pd.DataFrame({"model": ["a", "b"], "cv": [0.8, 0.9], "public": [0.79, 0.88]}))
    found = kk("lbcheck", "--json").json
    assert (found["split"], found["m"], found["direction"]) == ("history", 2, "same") and found["next"] == "kk cv"
    assert kk("lbcheck", "--all").code == 0


# Splits

@pytest.fixture
def submitted(small: Path) -> Path:
    """Three models submitted, trained on the stratified folds."""
    kagglekit.cv(split="stratified", n=3)
    for number, (model, params) in enumerate(MODELS, start=1):
        score_it(kagglekit.train(model, params=params, refit=True, smoke=False).run, 0.9 - 0.03 * number, number)
    return small


def test_splits_are_made_trained_ranked_and_used_again(submitted: Path, kk: Kk) -> None:
    ran = kk("lbcheck", "--splits", "stratified3,group", "--json")
    found = ran.json
    assert {one["split"] for one in found["splits"]} == {"stratified3", "group5"} and all(one["models"] == 3 for one in found["splits"])
    assert [one["loo_rmse"] for one in found["splits"]] == sorted(one["loo_rmse"] for one in found["splits"])
    assert found["splits"][0]["p_best"] is None and found["choice"]["tentative"]
    assert "3 runs to train, 3 are there" in ran.err and len(open_store().all_runs()) == 6
    assert open_store().latest_folds() == "stratified3", "trying a split does not make it the default"
    again = kk("lbcheck", "--splits", "stratified3,group5")
    assert "to train" not in again.err and len(open_store().all_runs()) == 6 and max(map(len, again.out.splitlines())) <= 80
    borrowed = kagglekit.lbcheck(folds="group5")
    assert borrowed.m + len(borrowed.anchors) == 3 and all(one.borrowed for one in borrowed.models)


def test_use_makes_the_winner_the_default(submitted: Path, kk: Kk) -> None:
    found = kagglekit.lbcheck(splits=["stratified3", "group"], use=True)
    assert open_store().latest_folds() == found.choice["split"] == found.split
    other = next(str(one["split"]) for one in found.splits if one["split"] != found.split)
    assert kagglekit.lbcheck(splits=f"{other},{found.split}").next == found.next
    assert "--use needs splits" in kk("lbcheck", "--use").error


def test_a_sample_is_compared_on_the_sample_and_lends_nothing(submitted: Path) -> None:
    found = kagglekit.lbcheck(splits="stratified3,group", sample=0.5)
    runs = open_store().all_runs()
    assert len(runs) == 9 and {run.sample for run in runs[3:]} == {0.5} and found.splits[0]["models"] == 3
    kagglekit.lbcheck(splits="stratified3,group5", sample=0.5)
    assert len(open_store().all_runs()) == 9 and found.split == "stratified3"


def test_a_killed_trial_goes_on(submitted: Path) -> None:
    kagglekit.lbcheck(splits="stratified3,group")
    store = open_store()
    last = store.all_runs()[-1]
    store.write_run(replace(last, status="started", process={**last.process, "pid": 2**22 + 1}))
    kagglekit.lbcheck(splits="stratified3,group5")
    assert [run.status for run in store.all_runs()] == ["done"] * 6


def test_what_cannot_be_trained_again_is_left_out_with_the_way_out(submitted: Path, kk: Kk) -> None:
    mine = add("mine", 1.0)
    score_it(mine, 0.7, 8)
    model = submitted / "models" / "own.py"
    model.parent.mkdir(exist_ok=True)
    model.write_text("import numpy as np\n\n\ndef fit_predict(fold):\n    return np.full(len(fold.valid), 0.5), np.full(len(fold.X_test), 0.5)\n")
    own = kagglekit.train("models/own.py:fit_predict", refit=True).run
    score_it(own, 0.6, 9)
    model.write_text(model.read_text().replace("0.5)", "0.4)"))
    found = kagglekit.lbcheck(splits="stratified3,group")
    assert f"{mine}: left out, not made like the others (refitted on all rows)" in found.warnings
    assert any(line.startswith(f"{own}: changed since it was submitted") for line in found.warnings)
    assert all(one["models"] == 3 for one in found.splits)


def test_added_runs_are_trained_by_their_owner_and_then_counted(ladder: Path, kk: Kk) -> None:
    ran = kk("lbcheck", "--splits", "stratified5,group")
    assert ran.code == 1 and "r1, r2, r3, r4, r5: added, so the owner trains it there: kk cv --audit" in ran.error
    new = next(name for name in open_store().folds_names() if name != "stratified5")
    store = open_store()
    for name in ("m1", "m2", "m3"):
        run = store.run(name)
        kagglekit.add(name, oof=np.asarray(store.array(run, "oof"), float), test=np.asarray(store.array(run, "test"), float), folds=new)
    found = kagglekit.lbcheck(splits=f"stratified5,{new}")
    assert all(one["models"] == 3 for one in found.splits) and "r4, r5: added" in " ".join(found.warnings)


@pytest.mark.parametrize(("splits", "message"), [
    ("stratified3", "Give at least two: kk lbcheck --splits random5,group5"),
    ("stratified3,grup", "neither folds nor a splitter. Did you mean group"),
    ("stratified3,random", "submitted models can be trained on all of these splits"),
])
def test_wrong_splits_are_told(splits: str, message: str, small: Path, kk: Kk) -> None:
    kagglekit.cv(split="stratified", n=3)
    ran = kk("lbcheck", "--splits", splits)
    assert ran.code == 1 and message in ran.error


def test_the_evidence_keeps_its_shapes(ladder: Path) -> None:
    store: Store = open_store()
    evidence = gather(store, None, (), 400)
    assert evidence.se_cv.shape == evidence.se_lb.shape == (5, 5) and evidence.df == 4 and evidence.submissions == 5
    half = gather(store, None, (), 1600)
    assert np.allclose(half.se_lb * 2, evidence.se_lb)
