"""kk runs: rows, filters, two runs beside each other, and what luck alone would give."""

import csv
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kagglekit
from kagglekit.errors import KKError
from kagglekit.noise import best_of
from kagglekit.run import Run, Score
from kagglekit.store import open_store
from kagglekit.work.compare import correlation
from kagglekit.work.load import load_data
from kagglekit.work.luck import luck, shared_by_folds
from tests.conftest import Ran

Kk = Callable[..., Ran]


@pytest.fixture
def noisy(small: Path) -> Callable[[str, float, int], str]:
    """Adds a run whose predictions are the target plus a common and an own noise; gives its id."""
    kagglekit.cv(split="stratified", n=4)
    target = load_data(open_store()).target
    common = np.random.default_rng(9).normal(size=240)

    def one(name: str, own: float, seed: int, **options: object) -> str:
        score = target + 0.8 * common + own * np.random.default_rng(100 + seed).normal(size=240)
        return kagglekit.add(name, oof=1 / (1 + np.exp(-score)), **options).run

    return one


def test_runs_are_filtered_and_written(noisy: Callable, kk: Kk) -> None:
    for number, own in enumerate((4.0, 0.1, 1.0)):
        noisy(f"m{number}", own, number)
    kagglekit.cv(split="random", n=3)
    noisy("elsewhere", 0.1, 1)
    rows = kk("runs", "--json").json["rows"]
    assert [row["name"] for row in rows] == ["elsewhere", "m1", "m2", "m0"]
    assert [row["name"] for row in kk("runs", "--folds", "stratified4", "--best", 1, "--json").json["rows"]] == ["m1"]
    assert len(kk("runs", "--best", 1, "--json").json["rows"]) == 2
    assert [row["run"] for row in kk("runs", "m2", "r1", "r2", "--json").json["rows"]] == ["r2", "r3", "r1"]
    assert [row["run"] for row in kagglekit.runs(model="m0", kind="add").rows] == ["r1"]
    assert kagglekit.runs(since="2999-01-01").rows == () and len(kagglekit.runs(since="1h").rows) == 4
    ran = kk("runs", "--csv", "runs.csv")
    with Path("runs.csv").open() as file:
        assert [row["name"] for row in csv.DictReader(file)] == ["elsewhere", "m1", "m2", "m0"]
    assert max(map(len, ran.out.splitlines())) <= 80 and "written to runs.csv" in ran.out


@pytest.mark.parametrize(("words", "message"), [
    (["--kind", "trian"], "no run is of kind 'trian'. Did you mean train"),
    (["--since", "tuesday"], "'tuesday' is neither a date nor a span. Write it as 2026-01-31, 7d"),
    (["--best", "0"], "the best 0 runs are none"),
    (["--folds", "stratified5"], "no folds are called 'stratified5' in small-auc. Did you mean stratified4"),
    (["r9"], "no run is called 'r9'"),
])
def test_wrong_words_are_told(noisy: Callable, kk: Kk, words: list[str], message: str) -> None:
    noisy("m", 0.1, 0)
    ran = kk("runs", *words)
    assert ran.code == 1 and message in ran.error


def test_two_runs_are_compared_fold_by_fold(noisy: Callable, kk: Kk) -> None:
    first, second = noisy("good", 0.1, 0), noisy("bad", 3.0, 1)
    told = kk("runs", first, second, "--json").json["compared"]
    runs = {run.id: run for run in open_store().all_runs()}
    gaps = np.subtract(runs[first].score.per_fold, runs[second].score.per_fold)
    assert told["gap"] == pytest.approx(gaps.mean()) and [row["gap"] for row in told["per_fold"]] == pytest.approx(gaps)
    assert told["se"] == pytest.approx(gaps.std(ddof=1) * math.sqrt(1 / 4 + 1 / 3)), "Nadeau & Bengio: 4 folds, 60 rows against 180"
    assert told["z"] == pytest.approx(told["gap"] / told["se"]) and told["better"] == first and told["rows"] == 240
    assert 0 < told["correlation"] < 1 and "more than chance (p = " in told["says"]
    ran = kk("runs", first, second)
    assert f"{first} is better than {second}" in " ".join(ran.out.split()) and max(map(len, ran.out.splitlines())) <= 80
    swapped = kagglekit.runs([second, first]).compared
    assert swapped.gap == -told["gap"] and swapped.better == first and swapped.se == told["se"]


def test_a_small_gap_is_said_to_be_small_and_a_copy_to_be_equal(noisy: Callable) -> None:
    first, second, third = noisy("a", 0.5, 1), noisy("b", 0.5, 4), noisy("c", 0.5, 1)
    told = kagglekit.runs([first, second]).compared
    assert abs(told.z) < 1 and "SE: too small to tell" in told.says
    same = kagglekit.runs([first, third]).compared
    assert same.gap == 0 and same.better == "" and same.correlation == pytest.approx(1) and same.says == f"{first} and {third} have the same score"


def test_lower_is_better_where_the_metric_says_so(noisy: Callable) -> None:
    toml = open_store().toml
    toml.write_text(toml.read_text().replace('name = "auc"', 'name = "logloss"'))
    good, bad = noisy("good", 0.1, 0), noisy("bad", 3.0, 1)
    told = kagglekit.runs([good, bad])
    assert told.compared.gap < 0 and told.compared.better == good and told.best["stratified4"].run == good
    assert [row["run"] for row in told.rows] == [good, bad]


def test_partial_runs_are_compared_on_the_folds_that_both_have(noisy: Callable) -> None:
    folds, target = kagglekit.load_folds(), load_data(open_store()).target
    values = 1 / (1 + np.exp(-(target + np.random.default_rng(5).normal(size=240))))
    full = noisy("full", 0.1, 0)
    values[folds.one(0, 1).valid] = np.nan
    part = kagglekit.add("part", oof=values).run
    told = kagglekit.runs([full, part]).compared
    assert told.rows == 180 and [row["fold"] for row in told.per_fold] == [0, 2, 3]
    values[np.concatenate([folds.one(0, 2).valid, folds.one(0, 3).valid])] = np.nan
    single = kagglekit.runs([full, kagglekit.add("one", oof=values).run]).compared
    assert single.rows == 60 and single.se > 0 and "with one fold in common the SE is a lower bound" in single.says


def test_other_folds_and_runs_without_any_are_refused_with_the_way_out(noisy: Callable, kk: Kk, tmp_path: Path) -> None:
    noisy("a", 0.5, 1)
    kagglekit.cv(split="random", n=3)
    noisy("b", 0.5, 2)
    ran = kk("runs", "a", "b")
    assert ran.code == 1 and "r1 is on the folds stratified4, r2 on random3" in ran.error and "kk train b --folds stratified4" in ran.error
    (tmp_path / "h.csv").write_text("model,cv\nold,0.7\n")
    kk("add", "h", "--table", tmp_path / "h.csv")
    assert "r3 old has no out-of-fold predictions (kind table" in kk("runs", "a", "old").error


def test_luck_is_what_equal_runs_give(noisy: Callable, kk: Kk) -> None:
    """Simulated: equal runs that share a noise; the best is ahead of the mean by SE * sqrt(1 - r) * E[max]."""
    random, gains, said = np.random.default_rng(0), [], []
    for _ in range(400):
        shared, own = random.normal(size=5), random.normal(size=(12, 5))
        table = 0.8 + 0.01 * (shared + 0.5 * own)
        runs = [Run(f"r{k}", "m", "train", status="done", score=Score(float(row.mean()), float(row.std(ddof=1) / math.sqrt(5)), tuple(row)))
                for k, row in enumerate(table)]
        gains.append(table.mean(axis=1).max() - table.mean())
        said.append(luck(runs, 1).ahead)
    assert np.mean(said) == pytest.approx(np.mean(gains), rel=0.08)
    assert np.mean(said) == pytest.approx(0.005 / math.sqrt(5) * best_of(12), rel=0.08)


def test_luck_stands_beside_the_best_score(noisy: Callable, kk: Kk) -> None:
    noisy("alone", 0.5, 0)
    assert "luck" not in kk("runs").out and kagglekit.runs().best["stratified4"].ahead is None
    for seed in range(1, 5):
        noisy(f"m{seed}", 0.5, seed)
    told = kk("runs", "--json").json
    best = told["best"]["stratified4"]
    assert told["tried"] == {"stratified4": 5} and best["tried"] == 5
    assert 0 < best["ahead"] < 2 * best["se"] * best_of(5) and 0 < best["correlation"] <= 1
    assert f"{best['run']} is the best of 5 runs on stratified4: if all were equal" in " ".join(kk("runs", "--best", 1).out.split())


def test_luck_on_one_fold_comes_from_the_rows(noisy: Callable) -> None:
    folds, target = kagglekit.load_folds(), load_data(open_store()).target
    common = np.random.default_rng(9).normal(size=240)
    for seed in range(3):
        values = 1 / (1 + np.exp(-(target + common + 0.3 * np.random.default_rng(seed).normal(size=240))))
        values[np.setdiff1d(np.arange(240), folds.one(0, 0).valid)] = np.nan
        kagglekit.add(f"m{seed}", oof=values)
    best = kagglekit.runs().best["stratified4"]
    assert best.tried == 3 and 0.5 < best.correlation < 1 and 0 < best.ahead < best.se


@settings(max_examples=40, deadline=None)
@given(st.integers(3, 40), st.integers(1, 3), st.integers(0, 5))
def test_correlation_is_symmetric_and_blind_to_scale_and_to_rows_without_values(rows: int, width: int, gaps: int) -> None:
    random = np.random.default_rng(rows * 10 + width)
    a, b = random.normal(size=(rows + gaps, width)), random.normal(size=(rows + gaps, width))
    a[rows:] = np.nan
    assert correlation(a, b) == pytest.approx(correlation(b, a)) and correlation(a, 3 * a + 1) == pytest.approx(1)
    assert correlation(a[:rows], b[:rows]) == pytest.approx(correlation(a, b))
    assert correlation(a, np.ones_like(a)) is None


def test_runs_that_differ_by_a_constant_share_all_of_their_noise() -> None:
    table = np.random.default_rng(0).normal(size=5) + np.arange(4)[:, None]
    assert shared_by_folds(table) == pytest.approx(1)
    assert shared_by_folds(np.ones((3, 4))) is None


def test_an_empty_ledger_says_what_to_do(small: Path, kk: Kk) -> None:
    ran = kk("runs")
    assert ran.code == 0 and "no runs yet" in ran.out and ran.out.strip().endswith("next: kk train lgbm")
    with pytest.raises(KKError, match="no run is called"):
        kagglekit.runs(["r1", "r2"])
