"""kk train: honest rounds, models of every form, one table binned for all folds, and failures that say which line it was."""

import json
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as hypothesis

import kagglekit
from kagglekit.cli.train import render
from kagglekit.errors import KKError
from kagglekit.fold import Data, Fold
from kagglekit.folds import from_assignment
from kagglekit.metrics import check_metric
from kagglekit.models.family import Model, Problem, check_model
from kagglekit.models.presets import merged
from kagglekit.progress import Task, listening
from kagglekit.store import open_store
from kagglekit.work import pace
from kagglekit.work.clock import Clock
from kagglekit.work.fit import fit, prepare
from kagglekit.work.load import load_data
from kagglekit.work.plan import Checkpoints, Fitted, Plan, checked
from kagglekit.work.rounds import chosen_rounds
from kagglekit.work.score import average
from kagglekit.work.training import make_plan
from tests.conftest import Ran
from tests.test_lbcheck import score_it
from tests.test_resume import digest
from tests.test_targets import LABELS, ROWS, contest


@pytest.fixture
def folds(small: Path) -> str:
    return kagglekit.cv(split="stratified", n=4).folds


@pytest.mark.parametrize("model", ["constant", "linear", "tree", "forest", "lgbm"])
def test_every_family_trains_scores_and_predicts_the_test_set(folds: str, model: str, kk: Callable[..., Ran]) -> None:
    record = kk("train", model, "--json").json
    store = open_store()
    run = store.run(record["run"])
    oof, test = store.array(run, "oof"), store.array(run, "test")
    assert oof.shape == (240,) and oof.dtype == np.float32 and test.shape == (120,)
    assert np.isfinite(oof).all() and np.isfinite(test).all()
    assert record["rows_scored"] == 240 and len(record["score"]["per_fold"]) == 4 and record["kind"] == "train"
    assert record["score"]["mean"] == pytest.approx(0.5) if model == "constant" else record["score"]["mean"] > 0.8


def test_the_score_is_that_of_the_oof_rows_fold_by_fold(folds: str) -> None:
    from sklearn.metrics import roc_auc_score

    record = kagglekit.train("linear")
    store = open_store()
    oof, y = store.array(store.run(record.run), "oof"), load_data(store).target
    mine = [roc_auc_score(y[fold.valid], oof[fold.valid]) for fold in kagglekit.load_folds()]
    assert record.score.per_fold == pytest.approx(mine, abs=1e-6)
    assert record.score.mean == pytest.approx(np.mean(mine), abs=1e-6)


def test_the_same_command_gives_the_same_bytes(folds: str) -> None:
    for model in ("linear", "lgbm", "forest"):
        assert digest(kagglekit.train(model).run) == digest(kagglekit.train(model).run)


def test_rounds_of_a_fold_are_chosen_by_the_other_folds_only(folds: str) -> None:
    rounds = kagglekit.train("lgbm").rounds
    assert rounds["chosen_by"] == "the other folds' mean curve" and len(rounds["per_fold"]) == 4
    curves = np.random.default_rng(0).normal(size=(4, 30)).cumsum(axis=1)
    chosen, _ = chosen_rounds(curves.tolist(), "rest")
    curves[2] = np.linspace(100, 0, 30)
    assert chosen_rounds(curves.tolist(), "rest")[0][2] == chosen[2]
    assert chosen_rounds(curves.tolist(), "before")[0][0] is None
    repeats = [0] * len(curves) + [1] * len(curves)
    both = chosen_rounds([*curves.tolist(), *curves[::-1].tolist()], "rest", repeats)[0]
    other = chosen_rounds([*curves.tolist(), *(-curves).tolist()], "rest", repeats)[0]
    assert both[: len(curves)] == other[: len(curves)]  # the folds of another repeat hold rows of this fold


def test_noise_targets_score_at_chance_with_early_stopping_on(small: Path, workspace: Path) -> None:
    store, scores = open_store(), []
    for seed in range(4):
        train = pd.read_parquet(store.table("train.csv"))
        train["y"] = np.random.default_rng(seed).integers(0, 2, len(train))
        train.to_parquet(store.table("train.csv"))
        kagglekit.cv(split="stratified", name=f"noise{seed}")
        scores.append(kagglekit.train("lgbm", folds=f"noise{seed}").score.mean)
    assert abs(np.mean(scores) - 0.5) < 3 * 0.037 / np.sqrt(4)  # 0.037: SE of an AUC of 240 rows at chance


def test_fixed_rounds_one_fold_sample_and_refit_are_recorded(folds: str) -> None:
    assert kagglekit.train("lgbm", params={"n_estimators": 20}).rounds == {"fixed": 20}
    one = kagglekit.train("lgbm", fold=1)
    assert one.inference == "single_fold" and one.rows_scored == 60 and one.rounds["chosen_by"].startswith("an inner part")
    half = kagglekit.train("linear", sample=0.5)
    assert half.rows_scored == 120 and half.warnings == ("trained and scored on a sample of 120 of 240 rows",)
    assert kagglekit.train("linear", refit=True).inference == "refit"
    assert kagglekit.train("linear", seeds=2).score.mean == pytest.approx(kagglekit.train("linear").score.mean)


def test_rounds_of_every_seed_are_kept_and_shown(folds: str, kk: Callable[..., Ran]) -> None:
    ran = kk("train", "lgbm", "--seeds", 2, "--set", "max_rounds=8", "--set", "feature_fraction=0.5", "--no-smoke")
    assert "rounds of seed 0: " in ran.out and "rounds of seed 1: " in ran.out and max(map(len, ran.out.splitlines())) <= 80
    run = open_store().run("r1")
    alone = kagglekit.train("lgbm", params={"max_rounds": 8, "feature_fraction": 0.5}).rounds
    assert len(run.rounds["per_fold"]) == 2 == len(run.rounds["test"]) and run.rounds["per_fold"][0] == alone["per_fold"]


def test_the_same_recipe_twice_is_said_and_a_lacking_baseline_too(folds: str, workspace: Path, kk: Callable[..., Ran]) -> None:
    first = kk("train", "lgbm", "--set", "n_estimators=5")
    assert "- no baseline is on the ledger yet: kk baseline" in first.out and "same recipe" not in first.err
    again = kk("train", "lgbm", "--set", "n_estimators=5", "--name", "again")
    assert "r1 lgbm is the same recipe on the same folds and data, auc 0." in again.err and open_store().run("r2").status == "done"
    assert kagglekit.train("tree").notes == () == kagglekit.train("lgbm", params={"n_estimators": 5}).notes


def test_what_a_family_chose_is_kept_and_shown(folds: str, kk: Callable[..., Ran]) -> None:
    model = replace(check_model("tree"), chosen=lambda problem, params, fold: f"x, of {len(fold.train)} rows")
    record = kagglekit.train(model)
    assert record.chosen == "x, of 240 rows" == open_store().run(record.run).notes["chosen"]
    assert any(line == "chosen: x, of 240 rows" for line in render(record))


class Slow:
    """A staged model that gets better for 20 rounds."""

    def __init__(self, fold: Fold) -> None:
        self.curve, self._fold = [], fold

    def advance(self, rounds: int) -> None:
        while len(self.curve) < rounds:
            time.sleep(0.002)
            self.curve.append(abs(20 - len(self.curve)) / 20)

    def predict(self, rounds: int, test_rounds: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        return np.full(len(self._fold.valid), 0.5), np.full(len(self._fold.X_test), 0.5)

    def dump(self) -> str:
        return ""


class Notes:
    """A listener that keeps the notes of progress."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def say(self, text: str) -> None:
        """Narration is not looked at."""

    def update(self, task: Task) -> None:
        self.notes.append(task.note)


@pytest.mark.parametrize(("params", "pattern"), [
    ({"max_rounds": 60, "patience": 10}, r"\d:\d\d to \d:\d\d left, [\d.]+ rounds/s, loss [\d.]+ after \d+ rounds"),
    ({"rounds": 30}, r"\d:\d\d left, [\d.]+ rounds/s, loss [\d.]+ after \d+ rounds"),
])
def test_a_long_first_fold_shows_its_rounds_a_second_and_the_time_left(params: dict, pattern: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "EVERY", 0.0)
    model = Model("slow", stage=lambda problem, params, seed, fold, clock, saved="": Slow(fold), rounds="rounds")
    plan, data = plan_of(40, (np.arange(40) % 2).astype(np.int16), model, params=params)
    heard = Notes()
    with listening(heard):
        fitted(replace(plan, keys=plan.keys[:1]), data)
    assert any(re.fullmatch(pattern, note) for note in heard.notes), heard.notes


def test_a_recipe_knows_parameters_but_not_folds(folds: str) -> None:
    kagglekit.cv(split="random", name="other")
    first, second = kagglekit.train("linear", folds=folds), kagglekit.train("linear", folds="other")
    assert first.recipe == second.recipe
    assert kagglekit.train("linear", params={"alpha": 9.0}).recipe != first.recipe
    assert kagglekit.train("linear", refit=True).recipe != first.recipe


def test_a_function_of_a_fold_and_an_estimator_are_models(folds: str, workspace: Path, kk: Callable[..., Ran]) -> None:
    (workspace / "mine.py").write_text(
        "from sklearn.linear_model import LogisticRegression\n"
        "def fit_predict(fold):\n"
        "    model = LogisticRegression().fit(fold.X_train[['x']], fold.y_train)\n"
        "    return model.predict_proba(fold.X_valid[['x']])[:, 1], model.predict_proba(fold.X_test[['x']])[:, 1]\n"
        "def broken(fold):\n    return [1.0, 2.0]\n"
        "def hollow(fold):\n    return fold.X_valid['x'] * float('nan')\n"
        "estimator = LogisticRegression()\n")
    assert kk("train", "mine.py:fit_predict", "--json").json["score"]["mean"] > 0.9
    assert kk("train", "mine.py:estimator", "--json").json["score"]["mean"] > 0.8
    assert "broken gave predictions of the shape (2,) for fold 0, expected (60,)" in kk("train", "mine.py:broken").error
    assert "hollow predicts NaN or infinity for fold 0" in kk("train", "mine.py:hollow").error
    assert "mine.py has no 'fit_predct'. Did you mean fit_predict?" in kk("train", "mine.py:fit_predct").error
    assert "no file gone.py" in kk("train", "gone.py:f").error


def test_time_folds_never_train_on_the_future_and_say_what_is_not_scored(small: Path) -> None:
    kagglekit.cv(split="time", time="day", n=3, gap="5d", name="bytime")
    the_folds = kagglekit.load_folds("bytime")
    order = the_folds.order
    for fold in the_folds:
        assert order[fold.train].max() <= order[fold.valid].min() - 5 * 86400 * 1e9
    record = kagglekit.train("lgbm", folds="bytime")
    assert record.rows_scored < 240 and record.rounds["chosen_by"] == "earlier folds"
    store = open_store()
    assert np.isnan(store.array(store.run(record.run), "oof")).sum() == 240 - record.rows_scored
    assert any("of 240 rows" in line for line in record.warnings)


def test_folds_can_be_iterated_in_an_existing_loop_and_given_to_scikit_learn(folds: str) -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_predict

    the_folds = kagglekit.load_folds(folds)
    oof, test = np.zeros(240), np.zeros(120)
    for fold in the_folds:
        assert isinstance(fold, Fold)
        model = LogisticRegression().fit(fold.X.iloc[fold.train][["x"]], fold.y[fold.train])
        oof[fold.valid] = model.predict_proba(fold.X_valid[["x"]])[:, 1]
        test += model.predict_proba(fold.X_test[["x"]])[:, 1] / len(the_folds)
    record = kagglekit.add("loop", oof=oof, test=test, folds=folds)
    assert record.score.mean > 0.9 and record.rows_scored == 240
    data = load_data(open_store())
    other = cross_val_predict(LogisticRegression(), data.X[["x"]], data.y, cv=the_folds, method="predict_proba")[:, 1]
    assert other == pytest.approx(oof)


@pytest.mark.parametrize(("args", "message"), [
    (["lgmb"], "Error: no model is called 'lgmb'. Did you mean lgbm?"),
    (["lgbm", "--folds", "stratifed4"], "Error: no folds are called 'stratifed4' in small-auc. Did you mean stratified4?"),
    (["lgbm", "--fold", "9"], "Error: stratified4 has no fold 9. It has: 0, 1, 2, 3"),
    (["lgbm", "--sample", "2"], "Error: --sample 2.0 is not a share of the rows."),
    (["linear", "--set", "penalti=3"], "penalti"),
    (["tree", "--set", "max_dept=3"], "max_dept"),
])
def test_bad_input_is_one_line_with_the_remedy(folds: str, args: list[str], message: str, kk: Callable[..., Ran]) -> None:
    ran = kk("train", *args)
    assert ran.code == 1 and ran.error.startswith("Error: ") and message in ran.error and "Traceback" not in ran.err


@pytest.mark.parametrize(("args", "message"), [
    (["lgbm", "--sample", "most"], "'most' is no number. Write it as --sample 0.1"),
    (["lgbm", "--seeds", "2.5"], "'2.5' is no whole number. Write it as --seeds 3"),
    (["lgbm", "--fold", "first"], "'first' is no whole number. Write it as --fold 0"),
    (["lgbm", "--set", "alpha"], "'alpha' is not key=value"),
])
def test_what_is_no_number_is_a_usage_error_with_what_to_type(args: list[str], message: str, kk: Callable[..., Ran]) -> None:
    ran = kk("train", *args)
    assert ran.code == 2 and message in ran.error


def test_predictions_that_are_no_probabilities_are_refused_where_they_must_be(workspace: Path) -> None:
    margins, single, doubled = np.linspace(-3, 4, 20), np.full(20, 0.4), np.full((20, 2), 0.9)
    plan, _ = plan_of(40, np.repeat([0, 1], 20).astype(np.int16), "linear")
    for metric in ("logloss", "accuracy"):
        judged = replace(plan, problem=replace(plan.problem, metric=check_metric(metric)))
        with pytest.raises(KKError, match=r"the predictions of linear for fold 1 reach from -3 to 4, .*predict_proba"):
            checked(margins, 20, judged, "fold 1")
    ranked = replace(plan, problem=replace(plan.problem, metric=check_metric("auc")))
    assert checked(margins, 20, ranked, "fold 1") is not None and (checked(single, 20, plan, "fold 1") == 0.4).all()
    with pytest.raises(KKError, match="sum to 1.8 over the classes in row 0, not to 1"):
        checked(doubled, 20, plan, "fold 1")
    assert (checked(np.column_stack([1 - single, single]), 20, plan, "fold 1") == 0.4).all()
    values = replace(plan, problem=Problem("regression", (), check_metric("rmse")))
    assert checked(margins, 20, values, "fold 1").tolist() == margins.tolist()


def test_metrics_of_one_target_are_refused_where_there_are_several(workspace: Path) -> None:
    folds = from_assignment("some", (np.arange(ROWS) % 4).astype(np.int16), "", ROWS)
    for metric, other in (("accuracy", "mean_f1"), ("macro_f1", "hamming"), ("auc", "mcauc"), ("mlogloss", "mclogloss"), ("map@3", "mean_f1")):
        store = contest(workspace, LABELS, task="multilabel", metric=metric)
        with pytest.raises(KKError, match=f"{metric} (is|judges) .* 3.*{other}"):
            make_plan(store, check_model("linear"), folds, {})
    assert make_plan(contest(workspace, LABELS, task="multilabel", metric="mclogloss"), check_model("linear"), folds, {}).problem.width == 3


def test_a_target_with_gaps_is_refused_with_the_row(small: Path, kk: Callable[..., Ran]) -> None:
    store = open_store()
    train = pd.read_parquet(store.table("train.csv"))
    train.assign(y=train["y"].where(train.index != 7)).to_parquet(store.table("train.csv"))
    ran = kk("cv")
    assert ran.code == 1 and "the target 'y' has no value (NaN) in 1 rows of train, the first is row 7" in ran.error


def test_without_folds_the_remedy_is_said(small: Path, kk: Callable[..., Ran]) -> None:
    assert kk("train", "lgbm").error == "Error: small-auc has no folds yet. Make them: kk cv"
    with pytest.raises(KKError, match="no run is called 'r9'"):
        kagglekit.submit("r9")


def plan_of(rows: int, assignment: np.ndarray, model: object, *, used: np.ndarray | None = None, params: dict | None = None,
            seeds: tuple[int, ...] = (0,), refit: bool = False) -> tuple[Plan, Data]:
    """A small binary task on the given folds, without files."""
    random = np.random.default_rng(rows)
    X = pd.DataFrame({"x": random.normal(size=rows), "row": np.arange(rows, dtype=float), "colour": random.choice(["red", "green"], rows)})
    y = ((X["x"] + random.normal(size=rows) > 0).to_numpy()).astype(np.int64)
    y[:2] = 0, 1
    data = Data(X=X, y=y, target=y, X_test=X.head(7), classes=(0, 1))
    folds = from_assignment("some", assignment, "", rows)
    chosen = check_model(model)
    problem = Problem("binary", (0, 1), check_metric("logloss"))
    used = np.ones(rows, dtype=bool) if used is None else used
    return Plan(chosen, problem, merged(chosen.name, params or {}, chosen.rounds), folds, tuple(folds.keys), seeds, used, refit), data


def fitted(plan: Plan, data: Data) -> Fitted:
    return fit(plan, data, Clock(), Checkpoints(None))


@settings(max_examples=30, deadline=None)
@given(hypothesis.data())
def test_every_scored_row_was_predicted_by_a_model_that_saw_neither_it_nor_its_group(draws: hypothesis.DataObject) -> None:
    rows, groups, n = 60, draws.draw(hypothesis.integers(4, 12)), draws.draw(hypothesis.integers(2, 4))
    random = np.random.default_rng(draws.draw(hypothesis.integers(0, 10_000)))
    group = random.integers(0, groups, rows)
    share = draws.draw(hypothesis.sampled_from([1.0, 0.8]))
    seen: list[set[int]] = []

    def spy(fold: Fold) -> tuple[np.ndarray, np.ndarray]:
        seen.append(set(fold.X_train["row"].astype(int)))
        return np.full(len(fold.valid), len(seen) / 64), np.zeros(len(fold.X_test))

    plan, data = plan_of(rows, (np.arange(groups) % n)[group].astype(np.int16), spy, used=random.random(rows) < share)
    try:
        oof = average(plan.folds, fitted(plan, data).parts, plan.used, 1)
    except KKError as error:
        assert "one class only" in error.what or "none of the rows" in error.what
        return
    assert np.array_equal(np.isnan(oof), ~plan.used)
    for row in np.flatnonzero(plan.used):
        trained = seen[int(oof[row] * 64) - 1]
        assert row not in trained and not set(group[list(trained)]) & {group[row]} and trained <= set(np.flatnonzero(plan.used))


@pytest.mark.parametrize("more", [{}, {"params": {"n_estimators": 15}}, {"seeds": (0, 1), "refit": True}])
def test_folds_in_threads_give_the_same_bytes_as_one_after_the_other(more: dict) -> None:
    answers = []
    for threads in (1, 3):
        params = {"max_rounds": 40, **more.get("params", {}), "num_threads": threads}
        plan, data = plan_of(900, (np.arange(900) % 5).astype(np.int16), "lgbm", **{**more, "params": params})
        found = fitted(plan, data)
        assert prepare(plan, data, Clock()).workers == threads and found.shared == ("category codes", "histogram bin edges")
        answers.append((average(plan.folds, found.parts, plan.used, 1).tobytes(), found.test.tobytes(), found.rounds))
    assert answers[0] == answers[1]


def test_the_table_is_binned_once_for_folds_and_seeds_unless_an_encoder_learns_from_its_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    import lightgbm

    binned = []
    monkeypatch.setattr(lightgbm.Dataset, "_Dataset__init_from_np2d", counting(lightgbm.Dataset._Dataset__init_from_np2d, binned))
    plan, data = plan_of(600, (np.arange(600) % 4).astype(np.int16), "lgbm", params={"n_estimators": 5}, seeds=(0, 1))
    assert fitted(plan, data).shared and len(binned) == 1
    words = np.random.default_rng(0).choice(["sun", "rain", "wind", "snow", "hail"], (600, 4))
    text = replace(data, X=data.X.assign(said=[f"{' '.join(one)} {number}" for number, one in enumerate(words)]),
                   X_test=data.X_test.assign(said="sun rain wind snow"))
    binned.clear()
    assert fitted(plan, text).shared == () and len(binned) == 2 * 4 * 2  # training and validated rows of each fold, for each seed


def counting(function: Callable, calls: list) -> Callable:
    def counted(*args: object, **named: object) -> object:
        calls.append(1)
        return function(*args, **named)

    return counted


def test_what_a_booster_kept_while_it_grew_is_what_it_predicts() -> None:
    plan, data = plan_of(500, (np.arange(500) % 2).astype(np.int16), "lgbm")
    stage = prepare(plan, data, Clock())(plan.problem, plan.params, 0, plan.fold(data, (0, 0)), Clock())
    stage.advance(12)
    kept = stage.predict(12, 0)
    stage.advance(20)
    assert kept[1] is None and kept[0].tobytes() == stage.predict(12, 0)[0].tobytes()


def test_code_that_raises_says_its_line_and_keeps_the_traceback(folds: str, workspace: Path, kk: Callable[..., Ran]) -> None:
    (workspace / "mine.py").write_text("def fit_predict(fold):\n    half = len(fold.train) / 2\n    return fold.y_train[half]\n")
    ran = kk("train", "mine.py:fit_predict")
    assert ran.code == 1 and "Traceback" not in ran.err
    assert "mine.py:3: return fold.y_train[half] (IndexError: only integers" in ran.error and "r1-fit_predict/traceback.txt" in ran.error
    run = open_store().run("r1")
    text = (open_store().run_folder(run) / "traceback.txt").read_text()
    assert run.status == "failed" and "mine.py\", line 3" in text and "IndexError" in text


def test_pdb_opens_at_the_persons_line(folds: str, workspace: Path, kk_process) -> None:
    (workspace / "mine.py").write_text("def fit_predict(fold):\n    secret = 41 + 1\n    return fold.X_train['nope']\n")
    process = kk_process("train", "mine.py:fit_predict", "--pdb", stdin=subprocess.PIPE)
    said, told = process.communicate("p secret\nq\n", timeout=60)
    assert "return fold.X_train['nope']" in said and "\n(Pdb) 42\n" in said
    assert process.returncode == 1 and told.strip().splitlines()[-1].startswith("Error: mine.py:3")


@pytest.mark.parametrize("verb", ["trains on", "validates"])
def test_a_fold_of_one_class_is_refused_before_anything_is_trained(verb: str) -> None:
    plan, data = plan_of(40, np.repeat([0, 1], 20).astype(np.int16), lambda fold: pytest.fail("it was trained"))
    y = np.repeat([0, 1], 20)
    metric = check_metric("auc") if verb == "validates" else plan.problem.metric
    y = np.where(np.arange(40) % 2, y, 0) if verb == "validates" else y
    plan = replace(plan, problem=replace(plan.problem, metric=metric))
    with pytest.raises(KKError, match=f"{verb} one class only"):
        fit(plan, replace(data, y=y, target=y), Clock(), Checkpoints(None))


def test_a_run_says_where_it_came_from(folds: str, workspace: Path) -> None:
    for words in (["init", "-q"], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "--allow-empty", "-m", "x"]):
        subprocess.run(["git", *words], cwd=workspace, check=True)
    (workspace / "kept.txt").write_text("1")
    record = kagglekit.train("lgbm", params={"n_estimators": 5})
    facts = json.loads((open_store().run_folder(open_store().run(record.run)) / "run.json").read_text())
    assert len(facts["git"]["commit"]) == 40 and facts["git"]["dirty"] and len(facts["git"]["diff_sha256"]) == 64
    assert facts["notes"]["shared"] == ["category codes", "histogram bin edges"] and len(facts["notes"]["data_sha256"]) == 64
    assert {"read", "encode", "bin", "fit", "predict"} <= set(facts["seconds"]) and " took " in facts["notes"]["bottleneck"]
    assert facts["seeds"] == [0] and "lightgbm" in facts["versions"] and facts["folds_fingerprint"] == kagglekit.load_folds().fingerprint


def test_a_model_tells_how_long_it_waited_for_data_and_how_long_it_computed(folds: str) -> None:
    def net(fold: Fold) -> np.ndarray:
        for _ in kagglekit.batches(slowly(3)):
            pass
        with kagglekit.stage("predict"):
            return np.zeros(len(fold.valid)) + 0.5

    record = kagglekit.train(net)
    assert record.seconds["wait"] > 0.1 > record.seconds["compute"]
    assert record.bottleneck.startswith("wait took") and "loader" in record.bottleneck
    assert any("no test predictions" in one for one in record.warnings) and record.next == "kk runs"


def slowly(count: int) -> Iterator[int]:
    for number in range(count):
        time.sleep(0.015)
        yield number


def test_features_of_the_persons_own_are_part_of_the_recipe_and_fitted_ones_share_no_bins(folds: str, small: Path) -> None:
    plain = kagglekit.train("lgbm", params={"n_estimators": 5})
    (small / "features.py").write_text(
        "def ratios(train, test):\n    return train[['x']] * 2, test[['x']] * 2\n"
        "def mean(fold):\n    m = fold.y_train.mean()\n    return [t[['x']].assign(m=m) for t in (fold.X_train, fold.X_valid, fold.X_test)]\n")
    made = kagglekit.train("lgbm", params={"n_estimators": 5}, features="ratios")
    fitted_inside = kagglekit.train("lgbm", params={"n_estimators": 5}, features=["raw", "mean"])
    assert len({plain.recipe, made.recipe, fitted_inside.recipe}) == 3 and made.shared and not fitted_inside.shared
    assert kagglekit.train("lgbm", params={"n_estimators": 5}, features="raw").recipe == plain.recipe
    assert open_store().run(made.run).notes["features"] == ["ratios"]


def test_splits_are_tried_with_the_features_of_the_runs(folds: str, small: Path) -> None:
    (small / "features.py").write_text("def ratios(train, test):\n    return train[['x']] * 2, test[['x']] * 2\n")
    for number, model in enumerate(("linear", "tree"), start=1):
        score_it(kagglekit.train(model, features="ratios").run, 0.9 - 0.1 * number, number)
    found = kagglekit.lbcheck(splits=f"{folds},group")
    assert all(one["models"] == 2 for one in found.splits)
    runs = open_store().all_runs()
    assert [run.notes["features"] for run in runs] == [["ratios"]] * 4 and [run.recipe for run in runs[2:]] == [run.recipe for run in runs[:2]]
