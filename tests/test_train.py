"""kk train: honest rounds, refusals, and runs that outlive a kill byte for byte."""

import hashlib
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import kagglekit
from kagglekit.errors import KKError
from kagglekit.fold import Fold
from kagglekit.store import open_store
from kagglekit.work.load import load_data
from kagglekit.work.rounds import chosen_rounds
from tests.conftest import Ran


@pytest.fixture
def folds(small: Path) -> str:
    return kagglekit.cv(split="stratified", n=4).folds


def digest(run: str) -> dict[str, str]:
    store = open_store()
    folder = store.run_folder(store.run(run))
    return {name: hashlib.sha256((folder / f"{name}.npy").read_bytes()).hexdigest() for name in ("oof", "test")}


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
    assert half.rows_scored == 120
    assert kagglekit.train("linear", refit=True).inference == "refit"
    assert kagglekit.train("linear", seeds=2).score.mean == pytest.approx(kagglekit.train("linear").score.mean)


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


def slow_model(folder: Path) -> str:
    """A model that takes a while for each fold, and says that it has begun."""
    (folder / "slow.py").write_text(
        "import time\nfrom pathlib import Path\n"
        "from sklearn.linear_model import LogisticRegression\n"
        "def fit_predict(fold):\n"
        "    marks = Path('marks'); marks.mkdir(exist_ok=True); (marks / f'{fold.fold}-{time.time_ns()}').touch()\n"
        "    if len(list(marks.iterdir())) == 3: time.sleep(60)\n"
        "    model = LogisticRegression().fit(fold.X_train[['x']], fold.y_train)\n"
        "    return model.predict_proba(fold.X_valid[['x']])[:, 1], model.predict_proba(fold.X_test[['x']])[:, 1]\n")
    return "slow.py:fit_predict"


def wait_for_marks(folder: Path, count: int) -> None:
    for _ in range(600):
        if (folder / "marks").exists() and len(list((folder / "marks").iterdir())) >= count:
            return
        time.sleep(0.05)
    raise AssertionError("the training did not get that far")


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_stopped_run_goes_on_from_its_finished_folds(folds: str, workspace: Path, kk: Callable[..., Ran], kk_process, how) -> None:
    model = slow_model(workspace)
    process = kk_process("train", model)
    wait_for_marks(workspace, 3)
    time.sleep(0.2)
    os.kill(process.pid, how)
    _, said = process.communicate(timeout=20)
    if how == signal.SIGINT:
        assert process.returncode == 130 and "Error: stopped. Run the same command to go on" in said
    assert open_store().run("r1").status == "started"
    assert "r1 fit_predict is unfinished" in kk("status").out
    ran = kk("train", model, "--json")
    assert "r1 fit_predict was left unfinished with 2 of 4 folds done: going on from there" in ran.err
    assert ran.json["run"] == "r1" and ran.json["resumed"]
    assert len(list((workspace / "marks").iterdir())) == 5  # two folds, the one that was stopped, and the two that were left
    unbroken = kk("train", model, "--json").json
    assert unbroken["run"] == "r2" and digest("r1") == digest("r2")
    assert not (open_store().run_folder(open_store().run("r1")) / ".work").exists()


def test_a_killed_boosted_run_equals_an_unbroken_one(folds: str) -> None:
    """The curves of finished folds are read back; those that must grow on are grown again from the first round."""
    from kagglekit.work import save
    from kagglekit.work.fit import Checkpoints

    whole = kagglekit.train("lgbm")
    store = open_store()
    run = store.run(whole.run)
    gone = {"pid": 2**22 + 5, "host": run.process["host"]}
    copy = store.new_run(lambda number: save.replace(run, id=number, uid="other", status="started", process=gone))
    again = kagglekit.train("lgbm")
    assert again.run == copy.id and again.resumed and digest(copy.id) == digest(whole.run)
    assert Checkpoints(store.run_folder(copy) / ".work").count() == 0


def test_time_folds_never_train_on_the_future_and_say_what_is_not_scored(small: Path) -> None:
    kagglekit.cv(split="time", time="day", n=3, gap="5d", name="bytime")
    the_folds = kagglekit.load_folds("bytime")
    order = the_folds.order
    for fold in the_folds:
        assert order[fold.train].max() < order[fold.valid].min() - 5 * 86400 * 1e9
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
