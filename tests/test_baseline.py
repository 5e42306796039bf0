"""kk baseline: the ladder's scores and gains, what its order says, runs that are used again, and what it does with odd targets."""

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as hypothesis

import kagglekit
from kagglekit.competition import find_competition
from kagglekit.errors import KKError
from kagglekit.fold import Data
from kagglekit.folds import from_assignment
from kagglekit.metrics import check_metric
from kagglekit.models.family import Problem
from kagglekit.progress import listening
from kagglekit.store import open_store
from kagglekit.work.features import Features
from kagglekit.work.ladder import NET_ROWS, about_classes, no_baseline, rungs_to_make, share_of_rows
from kagglekit.work.ladder_flags import with_flags
from kagglekit.work.load import problem_of
from kagglekit.work.plot_ladder import chart
from kagglekit.work.rungs import Case, Rung, with_gains
from tests.conftest import Ran, copied

QUICK = "zeros,constant,linear"


@pytest.fixture
def folds(small: Path) -> str:
    return kagglekit.cv(split="stratified", n=4).folds


class Ear:
    """Keeps what is said."""

    def __init__(self, stop_at: str = "") -> None:
        self.lines: list[str] = []
        self.stop_at = stop_at

    def say(self, text: str) -> None:
        self.lines.append(text)
        if self.stop_at and self.stop_at in text:
            raise KeyboardInterrupt

    def update(self, task: object) -> None:
        """Progress is of no interest here."""


def table(y: np.ndarray, folds: np.ndarray, metric: str, classes: tuple = (), rule: str = "rest") -> Case:
    """A case without files: a target, its folds and a metric; models' scores are given by hand."""
    task = ("binary" if len(classes) == 2 else "multiclass") if classes else "regression"
    data = Data(pd.DataFrame({"x": np.zeros(len(y))}), y, y.astype(float), pd.DataFrame({"x": [0.0]}), classes)
    made = from_assignment("f", folds.astype(np.int16), "", len(y), rule=rule, order=np.arange(len(y), dtype=float) if rule != "rest" else None)
    return Case(None, Problem(task, classes, check_metric(metric)), data, None, made, 1.0)  # type: ignore[arg-type]


def rung(model: str, scores: list[float]) -> Rung:
    return Rung(model, f"r-{model}", float(np.mean(scores)), 0.01, tuple(scores))


def codes(case: Case, **scores: float) -> dict[str, list[str]]:
    """Flags of rungs whose fold scores lie a little around the given means, each in its own way."""
    shake = np.random.default_rng(0).normal(size=(20, len(case.folds))) * 1e-3
    rungs = [rung(name.replace("_", "-"), list(value + shake[number])) for number, (name, value) in enumerate(scores.items())]
    return {one.model: [flag.code for flag in one.flags] for one in with_flags(case, with_gains(case, rungs)) if one.flags}


def plain(metric: str, target: str = "normal", rule: str = "rest") -> Case:
    random = np.random.default_rng(0)
    y = random.normal(10, 1, 100) if target == "normal" else np.exp(random.normal(0, 1.5, 100))
    folds = np.arange(100) // 20 - (1 if rule == "before" else 0) if rule != "rest" else np.arange(100) % 5
    return table(y, folds, metric, rule=rule)


def test_the_ladder_climbs_and_every_model_is_a_run(folds: str, kk: Callable[..., Ran]) -> None:
    wanted = ["zeros", "constant", "group-mean", "linear", "forest", "lgbm"]
    record = kk("baseline", "--models", ",".join(wanted[::-1]), "--json").json  # any order is climbed from the bottom
    assert [one["model"] for one in record["rungs"]] == wanted
    assert record["folds"] == folds and record["metric"] == "auc"
    by_name = {one["model"]: one for one in record["rungs"]}
    assert by_name["zeros"]["run"] is None and by_name["zeros"]["score"] == by_name["constant"]["score"] == pytest.approx(0.5)
    assert by_name["constant"]["gain"] == 0 and by_name["constant"]["gain_se"] == 0
    assert by_name["linear"]["score"] > 0.8 and by_name["group-mean"]["gain"] > 2 * by_name["group-mean"]["gain_se"] > 0
    assert by_name["linear"]["gain"] == pytest.approx(by_name["linear"]["score"] - by_name["group-mean"]["score"])
    for one in record["rungs"][1:]:
        run = open_store().run(one["run"])
        assert run.kind == "train" and run.status == "done" and run.notes["by"] == "baseline" and run.score.mean == one["score"]
        assert {"seconds", "gain_se", "flags"} <= set(one)
    assert Path(record["picture"]).read_bytes()[:4] == b"\x89PNG"
    assert by_name["group-mean"]["built"].startswith("x: ")
    text = kk("baseline", "--models", ",".join(wanted)).out
    assert max(map(len, text.splitlines())) <= 80 and text.splitlines()[-1].startswith("next: kk ")
    assert "used again: r1" in text and len(open_store().all_runs()) == len(record["rungs"]) - 1


def test_a_gain_is_the_paired_difference_of_two_runs(folds: str) -> None:
    kagglekit.baseline(models="constant,linear,lgbm")
    found = kagglekit.baseline(models="linear,lgbm")
    compared = kagglekit.runs([found.rungs[1].run, found.rungs[0].run]).compared
    assert found.rungs[1].over == "linear"
    assert found.rungs[1].gain == pytest.approx(compared.gap) and found.rungs[1].gain_se == pytest.approx(compared.se)


def test_gains_are_positive_where_less_is_better(clinics: Path) -> None:
    kagglekit.cv(split="group", group="patient", n=3)
    record = kagglekit.baseline(models=QUICK, sample=0.3)
    zeros, constant, linear = record.rungs
    assert not record.greater_is_better and zeros.score > constant.score > linear.score
    assert constant.gain == pytest.approx(zeros.score - constant.score) and linear.gain > 2 * linear.gain_se > 0
    assert record.best == "linear" and record.rows < 4800 and any("sample" in text for text in record.says)


def test_a_stopped_ladder_keeps_its_rungs_and_goes_on(folds: str) -> None:
    ear = Ear(stop_at="linear")
    with listening(ear), pytest.raises(KeyboardInterrupt):
        kagglekit.baseline(models="constant,linear,tree")
    assert "2 of 3 rungs are kept; the same command goes on from there" in ear.lines[-1]
    record = kagglekit.baseline(models="constant,linear,tree")
    assert [one.reused for one in record.rungs] == [True, True, False]
    again = kagglekit.baseline(models="constant,linear,tree", fresh=True)
    assert not any(one.reused for one in again.rungs) and again.rungs[1].run != record.rungs[1].run
    assert [one.score for one in again.rungs] == [one.score for one in record.rungs]


def test_a_run_of_kk_train_is_a_rung_and_other_rows_are_none(folds: str) -> None:
    trained = kagglekit.train("linear").run
    assert kagglekit.baseline(models="linear").rungs[0].run == trained
    assert kagglekit.baseline(models="linear", sample=0.5).rungs[0].run != trained
    other = kagglekit.cv(split="random", n=3).folds
    assert kagglekit.baseline(models="linear", folds=other).rungs[0].run != trained
    path = open_store().table("train.csv")
    pd.read_parquet(path).drop(columns="noise").to_parquet(path)
    assert kagglekit.baseline(models="linear", folds=folds).rungs[0].run != trained


def test_a_rung_that_fails_says_why_and_does_not_stop_the_others(folds: str, kk: Callable[..., Ran]) -> None:
    Path("bad.py").write_text("def fit_predict(fold):\n    raise ValueError('no such luck')\n", encoding="utf-8")
    text = kk("baseline", "--models", "constant,bad.py:fit_predict,linear").out
    assert "no such luck" in text
    rows = kk("baseline", "--models", "constant,bad.py:fit_predict,linear", "--json").json["rungs"]
    assert [row["model"] for row in rows] == ["constant", "linear", "bad.py:fit_predict"]
    assert rows[2]["score"] is None and "no such luck" in rows[2]["failed"] and rows[1]["score"] > 0.8


@pytest.mark.parametrize(("words", "says"), [
    (["--models", "linnear"], "linear"), (["--models", ","], "no model is named"), (["--folds", "gruop5"], "gruop5"), (["--sample", "2"], "2"),
])
def test_bad_input_is_one_line(folds: str, words: list[str], says: str, kk: Callable[..., Ran]) -> None:
    ran = kk("baseline", *words)
    assert ran.code == 1 and ran.error.startswith("Error: ") and says in ran.error and "Traceback" not in ran.err


def test_without_folds_it_says_how_to_make_them(small: Path, kk: Callable[..., Ran]) -> None:
    assert "kk cv" in kk("baseline").error


def test_labels_of_unbalanced_classes_are_told_what_always_one_scores(workspace: Path, small_arena: Path) -> None:
    copied(small_arena, workspace / "arena")
    kagglekit.join("small-accuracy", practice=True)
    path = open_store().table("train.csv")
    train = pd.read_parquet(path)
    train["y"] = (np.arange(len(train)) % 10 == 0).astype(int)
    train.to_parquet(path)
    kagglekit.cv(split="stratified", n=4)
    record = kagglekit.baseline(models="zeros,constant,tree")
    assert any("90.0% of the rows are" in text and "accuracy 0.90" in text for text in record.says)
    assert record.rungs[1].score == pytest.approx(0.9)
    assert any(flag.code == "nothing-learnt" for one in record.rungs for flag in one.flags) and record.next == "kk data"


def test_labels_that_never_cross_the_cut_are_no_missing_signal() -> None:
    y = (np.arange(100) % 10 == 0).astype(int)
    f1 = table(y, np.arange(100) // 10 % 5, "f1", classes=(0, 1))
    rungs = [rung("constant", [0.0] * 5), rung("group-mean", [0.0] * 5), rung("linear", [0.4, 0.41, 0.42, 0.43, 0.4])]
    made = with_flags(f1, with_gains(f1, rungs))
    assert [flag.code for flag in made[1].flags] == ["same-label"] and made[1].gain == made[1].gain_se == 0.0
    assert any("always saying 1 scores f1 0.18182" in text for text in about_classes(f1))


def test_several_targets_and_a_single_holdout(folds: str) -> None:
    holdout = kagglekit.cv(split="holdout").folds
    record = kagglekit.baseline(models=QUICK, folds=holdout)
    assert record.n == 1 and record.rungs[2].gain_se > 0
    path = find_competition("small-auc").folder / "competition.toml"
    text = path.read_text(encoding="utf-8").replace('task = "binary"', 'task = "clustering"')
    path.write_text(text, encoding="utf-8")
    with pytest.raises(KKError, match="task"):
        kagglekit.baseline(models=QUICK, folds=folds)


def test_an_elaborate_model_without_a_baseline_is_told_once_there_is_none(folds: str) -> None:
    store = open_store()
    assert "kk baseline" in no_baseline(store, "lgbm") and no_baseline(store, "linear") == ""
    kagglekit.baseline(models="constant")
    assert no_baseline(store, "lgbm") == ""


def test_a_broken_order_is_flagged() -> None:
    rmse = plain("rmse")
    healthy = {"zeros": 10.0, "constant": 1.0, "group_mean": 0.9, "linear": 0.8, "forest": 0.7, "lgbm": 0.65}
    assert codes(rmse, **healthy) == {}
    assert codes(rmse, **{**healthy, "zeros": 0.95}) == {"constant": ["constant-loses"]}
    assert codes(rmse, **{**healthy, "group_mean": 1.0}) == {"group-mean": ["no-column"]}
    assert [*codes(rmse, zeros=10, constant=1.0, group_mean=1.0, linear=1.0, forest=1.01, lgbm=1.01).values()] == [["nothing-learnt"]]
    assert codes(rmse, **{**healthy, "linear": 0.95}) == {"linear": ["linear-loses"]}
    assert codes(plain("rmse", "skewed"), **{**healthy, "linear": 0.95}) == {"linear": ["needs-log"]}
    assert codes(plain("rmsle", "skewed"), **{**healthy, "linear": 0.95}) == {"linear": ["linear-loses"]}
    assert codes(rmse, **{**healthy, "linear": 0.6}) == {"lgbm": ["linear-wins"]}
    assert codes(plain("rmse", rule="before"), **{**healthy, "linear": 0.6}) == {"lgbm": ["trend"]}
    assert codes(rmse, **{**healthy, "forest": 0.6}) == {"lgbm": ["forest-wins"]}
    assert codes(rmse, **{**healthy, "lgbm": 0.4}) == {"lgbm": ["jump"]}
    assert codes(rmse, **{**healthy, "linear": 0.45, "forest": 0.6, "lgbm": 0.4}) == {}
    assert codes(rmse, **{**healthy, "forest": 1.1}) == {"forest": ["below-constant"]}
    assert codes(rmse, constant=1.0, group_mean=0.7, forest=0.85, lgbm=0.8) == {"lgbm": ["trees-lose"]}
    assert codes(rmse, **{**healthy, "group_mean": 0.2, "linear": 0.19, "forest": 0.18, "lgbm": 0.17}) == {"group-mean": ["leak"]}
    assert codes(rmse, **{**healthy, "forest": 0.09, "lgbm": 0.085}) == {"forest": ["perfect"]}


def test_flags_follow_the_direction_of_the_metric() -> None:
    y = np.arange(100) % 2
    auc = table(y, np.arange(100) // 2 % 5, "auc", classes=("no", "yes"))
    assert codes(auc, zeros=0.5, constant=0.5, group_mean=0.7, linear=0.75, forest=0.8, lgbm=0.82) == {}
    assert codes(auc, zeros=0.5, constant=0.5, group_mean=0.7, linear=0.85, forest=0.8, lgbm=0.82) == {"lgbm": ["linear-wins"]}
    assert codes(auc, zeros=0.5, constant=0.5, group_mean=0.7, linear=0.995, forest=0.996, lgbm=0.997) == {"linear": ["perfect"]}
    assert codes(auc, zeros=0.5, constant=0.5, group_mean=0.98, linear=0.981, forest=0.982, lgbm=0.985) == {"group-mean": ["leak"]}
    rare = table((np.arange(100) == 0).astype(int), np.arange(100) // 2 % 5, "accuracy", classes=("no", "yes"))
    assert "perfect" not in str(codes(rare, zeros=0.992, constant=0.992, linear=0.9945, forest=0.9955))


@settings(max_examples=60, deadline=None)
@given(hypothesis.lists(hypothesis.floats(-100, 100), min_size=2, max_size=7), hypothesis.sampled_from([1, -1]))
def test_bars_fit_and_grow_with_the_score(scores: list[float], sign: int) -> None:
    names = ["zeros", "constant", "group-mean", "linear", "forest", "lgbm", "mlp"][:len(scores)]
    lines = chart([Rung(name, score=score, se=1.0) for name, score in zip(names, scores, strict=True)], "m", sign)
    assert len(lines) == len(scores) + 1 and max(map(len, lines)) <= 78
    filled = [line.count("█") + line.count("▒") for line in lines[1:]]
    order = np.argsort(sign * np.array(scores), kind="stable")
    assert all(filled[one] <= filled[other] for one, other in pairwise(order))


def test_the_usual_ladder_has_the_rungs_that_are_here(folds: str) -> None:
    store, looks = open_store(), Features(open_store())
    case = Case(store, problem_of(store.competition), looks.data(), looks, kagglekit.load_folds(), 1.0)
    names = [name for name, _ in rungs_to_make(case, None)]
    assert [name for name in names if name != "mlp"] == ["zeros", "constant", "group-mean", "linear", "forest", "lgbm"]
    case.data = replace(case.data, X=case.data.X.assign(words=[f"word {row} of many" for row in range(240)]))
    assert [name for name, _ in rungs_to_make(case, None)][-1] == "text-linear"
    case.data = replace(case.data, X=case.data.X[["words"]])
    assert "group-mean" not in [name for name, _ in rungs_to_make(case, None)]
    case.data = replace(case.data, ids_only=True)
    assert [name for name, _ in rungs_to_make(case, None)] == ["zeros", "constant"]
    case.used = np.ones(NET_ROWS + 1, dtype=bool)
    case.data = replace(case.data, ids_only=False)
    assert "mlp" not in [name for name, _ in rungs_to_make(case, None)]


def test_zeros_alone_are_a_ladder_and_only_failures_are_an_error(folds: str) -> None:
    assert [one.model for one in kagglekit.baseline(models="zeros").rungs] == ["zeros"]
    Path("bad.py").write_text("def fit_predict(fold):\n    raise ValueError('no such luck')\n", encoding="utf-8")
    with pytest.raises(KKError, match="no such luck"):
        kagglekit.baseline(models="zeros,bad.py:fit_predict")


def test_only_long_tables_are_sampled() -> None:
    assert share_of_rows(100_000, 10) == 1.0 and share_of_rows(20_000, 10_000) == 1.0
    assert share_of_rows(1_000_000, 10) == pytest.approx(0.1) and share_of_rows(1_000_000, 1_000) == pytest.approx(0.02)
    assert json.dumps(share_of_rows(123_456_789, 7)) == "0.00081"
