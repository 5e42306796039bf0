"""kk explore: many models on a sample, ranked with what may be believed, used again, resumed, and confirmed on all rows."""

import os
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

import kagglekit
from kagglekit.errors import KKError
from kagglekit.run import Run, Score
from kagglekit.store import open_store
from kagglekit.work import exploring, one_model
from kagglekit.work.confirming import order_of
from kagglekit.work.exploration import chosen
from kagglekit.work.exploring import share_of
from kagglekit.work.forecast import forecast
from kagglekit.work.live_table import watching
from kagglekit.work.side_by_side import SideBySide
from kagglekit.work.time_limit import TimeLimit
from tests.conftest import Ran

CHEAP = "linear,tree,constant"


@pytest.fixture
def folds(small: Path) -> str:
    return kagglekit.cv(split="stratified", n=4).folds


def test_models_are_ranked_and_each_is_a_run_that_is_used_again(folds: str, kk: Callable[..., Ran]) -> None:
    record = kk("explore", "--models", CHEAP, "--json").json
    rows = record["rows"]
    assert [row["model"] for row in rows] == ["linear", "tree", "constant"] and record["best"] == rows[0]["run"]
    assert rows[0]["gap"] == 0 and rows[2]["gap"] == pytest.approx(0.5 - rows[0]["score"]) and rows[2]["gap_se"] > 0 and not rows[2]["tied"]
    assert record["sample"] == 1 and record["rows_used"] == 240 and rows[0]["forecast"] is None and record["order"] is None
    assert record["next"] == "kk tune linear, then kk ensemble" and record["luck"]["tried"] == 3
    run = open_store().run(rows[0]["run"])
    assert run.kind == "train" and run.notes["by"] == "explore" and run.status == "done"
    again = kk("explore", "--models", CHEAP, "--json").json
    assert [(row["run"], row["status"]) for row in again["rows"]] == [(row["run"], "again") for row in rows]
    assert len(open_store().all_runs()) == 3
    assert kk("explore", "--models", "linear", "--fresh", "--json").json["rows"][0]["run"] == "r4"


def test_the_table_fits_the_screen_and_says_how_far_to_believe_it(folds: str, kk: Callable[..., Ran]) -> None:
    ran = kk("explore", "--models", CHEAP)
    assert max(map(len, ran.out.splitlines())) <= 80
    assert "best of 3" in ran.out and "240 rows say little" in ran.out and ran.out.splitlines()[-1] == "next: kk tune linear, then kk ensemble"


def test_a_model_that_fails_is_a_row_and_stops_no_other(folds: str, workspace: Path, kk: Callable[..., Ran]) -> None:
    (workspace / "mine.py").write_text("def broken(fold):\n    raise ValueError('no such luck')\n"
                                       "def leaves(fold):\n    raise SystemExit(3)\n")
    record = kk("explore", "--models", "mine.py:broken,mine.py:leaves,linear", "--json").json
    assert [row["status"] for row in record["rows"]] == ["done", "failed", "failed"]
    assert "no such luck" in record["rows"][1]["why"] and any("mine.py:broken failed" in line for line in record["warnings"])
    error = kk("explore", "--models", "mine.py:broken").error
    assert error.startswith("Error: none of 1 models could be trained (mine.py:broken: mine.py:2")


@pytest.mark.parametrize(("args", "message"), [
    (["--models", "linear,lgmb"], "Error: no model is called 'lgmb'. Did you mean"),
    (["--models", ","], "Error: --models names none."),
    (["--sample", "0"], "Error: --sample 0.0 is not a share of the rows."),
    (["--confirm", "-1"], "Error: --confirm -1 trains nothing."),
    (["--budget", "soon"], "Error: 'soon' is no time. Write it as --budget 10m"),
    (["--folds", "stratifed4"], "Error: no folds are called 'stratifed4'"),
    (["--models", "linear", "--budget", "0.001s"], "Error: none of 1 models could be trained (linear: its forecast does not fit"),
])
def test_bad_wishes_are_one_line(folds: str, kk: Callable[..., Ran], args: list[str], message: str) -> None:
    ran = kk("explore", *args)
    assert ran.code == 1 and ran.error.startswith(message)
    assert not open_store().all_runs()


def test_the_best_are_confirmed_on_all_rows_and_the_order_is_judged(folds: str, monkeypatch: pytest.MonkeyPatch, kk: Callable[..., Ran]) -> None:
    monkeypatch.setattr(one_model, "SMALLEST", 20)
    record = kk("explore", "--models", CHEAP, "--sample", "0.8", "--confirm", "2", "--json").json
    best, second, last = record["rows"]
    assert record["rows_used"] == 192 and open_store().run(best["run"]).sample == 0.8
    assert best["full"]["score"] == kagglekit.train("linear").score.mean and last["full"] is None
    cost = best["forecast"]
    assert cost["rows"] == 240 and 0 < cost["low"] <= cost["seconds"] <= cost["high"] and cost["power"] is not None
    assert best["full"]["missed"] == pytest.approx(best["full"]["seconds"] / cost["seconds"])
    assert best["rising"] is not None and len(open_store().run(best["run"]).notes["cost"]) == 2
    order = record["order"]
    assert (order["m"], order["tau"], order["chance"], order["regret"]) == (2, 1.0, 0.5, 0.0)
    assert "unrelated orders agree as well in 50% of cases, so it says little" in order["says"]
    shown = kk("explore", "--models", CHEAP, "--sample", "0.8").out
    assert "all rows" in shown and shown.splitlines()[-1] == "next: kk explore --models linear,tree,constant --sample 0.8 --confirm 3"
    both = {open_store().run(row["full"]["run"]).sample for row in (best, second)}
    assert both == {1.0}


def test_processes_give_what_one_after_the_other_gives(folds: str, workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (workspace / "mine.py").write_text("import os, sys\nprint('loaded')\n"
                                       "def dies(fold):\n    print('noise'); sys.stdout.flush(); os._exit(9)\n")
    monkeypatch.setattr(exploring, "processes", lambda *given: 0)
    alone = kagglekit.explore(models="linear,tree")
    monkeypatch.setattr(exploring, "processes", lambda *given: 2)
    seen: list[list[str]] = []
    with watching(lambda rows: seen.append([row.state for row in rows])):
        beside = kagglekit.explore(models="linear,mine.py:dies,tree", fresh=True)
    assert [(row.model, row.score) for row in beside.rows[:2]] == [(row.model, row.score) for row in alone.rows]
    assert beside.rows[2].status == "failed" and "ended its process" in beside.rows[2].why
    assert seen[-1] == ["done", "failed", "done"] and seen[0].count("training") == 1
    store = open_store()
    for one, other in zip(alone.rows, beside.rows, strict=False):
        assert np.array_equal(store.array(store.run(one.run), "oof"), store.array(store.run(other.run), "oof"))


SLOW = ("import time\nfrom pathlib import Path\nfrom sklearn.linear_model import LogisticRegression\n"
        "def fit_predict(fold):\n"
        "    marks = Path('marks'); marks.mkdir(exist_ok=True); (marks / f'{fold.fold}-{time.time_ns()}').touch()\n"
        "    if len(list(marks.iterdir())) == 3: time.sleep(60)\n"
        "    model = LogisticRegression().fit(fold.X_train[['x']], fold.y_train)\n"
        "    return model.predict_proba(fold.X_valid[['x']])[:, 1], model.predict_proba(fold.X_test[['x']])[:, 1]\n")


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_stopped_exploration_goes_on_where_it_was(folds: str, workspace: Path, kk: Callable[..., Ran], kk_process, how: int) -> None:
    (workspace / "slow.py").write_text(SLOW)
    process = kk_process("explore", "--models", "tree,slow.py:fit_predict")
    for _ in range(900):
        if (workspace / "marks").exists() and len(list((workspace / "marks").iterdir())) >= 3:
            break
        time.sleep(0.05)
    time.sleep(0.2)
    os.kill(process.pid, how)
    _, said = process.communicate(timeout=30)
    if how == signal.SIGINT:
        assert process.returncode == 130 and "Error: stopped. Run the same command to go on" in said
    record = kk("explore", "--models", "tree,slow.py:fit_predict", "--json").json
    assert {row["model"]: (row["run"], row["status"]) for row in record["rows"]} == {
        "tree": ("r1", "again"), "slow.py:fit_predict": ("r2", "done")}
    assert len(list((workspace / "marks").iterdir())) == 5  # two folds, the one that was stopped, and the two that were left


def test_estimators_from_a_notebook_are_models_too(folds: str) -> None:
    from sklearn.linear_model import LogisticRegression

    found = kagglekit.explore(models=[LogisticRegression(), "tree"])
    assert [row.model for row in found.rows] == ["logisticregression", "tree"] and found.processes == 0


def test_what_is_not_here_and_what_has_nothing_to_learn_from_is_left_out(folds: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exploring, "known", lambda: ("constant", "group-mean", "tree", "text-linear", "linear"))
    monkeypatch.setattr("kagglekit.models.family.Model.missing", lambda self: "treelib" if self.name == "tree" else "")
    found = kagglekit.explore()
    assert [row.model for row in found.rows] == ["linear"]
    assert {one["model"]: one["why"] for one in found.left_out} == {"tree": "treelib is not installed", "text-linear": "no column of text"}


@given(some.integers(1, 3_000_000), some.integers(1, 2000))
def test_samples_are_all_of_small_tables_and_20_to_50_thousand_rows_of_large_ones(rows: int, columns: int) -> None:
    used = share_of(rows, columns) * rows
    assert used == rows if rows <= 20_000 else 18_900 <= used <= 52_600
    assert share_of(rows, columns) <= 1


@given(some.floats(0.001, 1e4), some.floats(1.0, 4.0), some.integers(2, 500))
def test_a_cost_that_grows_by_a_power_is_forecast_and_the_range_holds_it(cost: float, growth: float, times: int) -> None:
    found = forecast([(1000, cost), (2000, cost * growth)], 2000 * times)
    assert 0 < found.low <= found.seconds <= found.high
    power = np.log2(growth)
    assert found.power == pytest.approx(power, abs=1e-6) and (growth < 2 or found.seconds == pytest.approx(cost * growth * times**power))
    fixed = max(2 * cost - cost * growth, 0.0)  # what the rows do not change
    assert growth > 2 or found.seconds == pytest.approx(fixed + (cost * growth - fixed) * times)
    assert found.holds(found.seconds) and found.missed(2 * found.seconds) == pytest.approx(2)


def beside(scores: list[float], se: float, prefix: str) -> SideBySide:
    """Runs with these scores, the highest first, and one standard error for every gap."""
    runs = [Run(id=f"{prefix}{number}", name="any", kind="train", score=Score(mean=score)) for number, score in enumerate(scores)]
    ordered = sorted(runs, key=lambda run: -run.score.mean)
    gaps = np.array([run.score.mean - ordered[0].score.mean for run in ordered])
    none = (None,) * len(runs)
    return SideBySide(tuple(ordered), gaps, np.full((len(runs), len(runs)), se), 1e9, np.zeros(len(runs)), none, none, (), None)


@pytest.mark.parametrize(("whole", "tau", "chance", "kept", "regret", "said"), [
    ([0.9, 0.8, 0.7, 0.6], 1.0, 1 / 24, 6, 0.0, "order held on all rows"),
    ([0.6, 0.7, 0.8, 0.9], -1.0, 1.0, 0, -0.3, "was turned round"),
    ([0.8, 0.9, 0.7, 0.6], 2 / 3, 4 / 24, 5, -0.1, "held in part"),
])
def test_the_order_on_all_rows_is_judged_by_tau_and_what_choosing_by_the_sample_costs(whole, tau, chance, kept, regret, said) -> None:
    pairs = [(f"m{number}", f"a{number}", f"b{number}") for number in range(4)]
    found = order_of(beside([0.9, 0.8, 0.7, 0.6], 0.01, "a"), beside(whole, 0.01, "b"), pairs, 1)
    assert (found.tau, found.chance) == (pytest.approx(tau), pytest.approx(chance)) and found.m == 4
    assert (found.resolved, found.kept, found.regret) == (6, kept, pytest.approx(regret)) and said in found.says
    dull = order_of(beside([0.9, 0.8, 0.7, 0.6], 9.0, "a"), beside(whole, 9.0, "b"), pairs, 1)
    assert dull.resolved == 0 and "none of the 6 pairs was clear" in dull.says


def test_near_copies_are_not_confirmed_twice() -> None:
    side = replace(beside([0.9, 0.8, 0.7, 0.6], 0.01, "a"), copies=((0, 1), (1, 2)))
    assert chosen(side, 2) == [0, 2] and chosen(side, 9) == [0, 2, 3]


def test_a_time_limit_knows_units_and_what_fits() -> None:
    assert [TimeLimit(text).seconds for text in ("90s", "10m", "1.5h", 7)] == [90, 600, 5400, 7]
    with pytest.raises(KKError, match="is no time"):
        TimeLimit("0m")


def test_one_fold_is_ranked_by_its_rows(small: Path) -> None:
    kagglekit.cv(split="holdout", name="one")
    found = kagglekit.explore(models=CHEAP, folds="one")
    assert found.rows[2].gap_se is not None and found.rows[2].gap_se > 0
