"""kk lbcheck on scores typed in: the verdict of three states, the noise that is not known, and tables that cannot be checked."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import kagglekit
from kagglekit.errors import KKError
from kagglekit.verbs.lbcheck import Checked
from tests.conftest import SHARED, Ran

Kk = Callable[..., Ran]
LADDER = [0.70123, 0.74011, 0.78207, 0.82145, 0.86033, 0.90118, 0.92101, 0.95012]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def check(cv: list[float], public: list[object], metric: str = "auc", n_public: int | None = 20_000, **more: object) -> Checked:
    columns = {key: more.pop(key) for key in ("cv_se", "model") if key in more}
    pd.DataFrame({"model": [f"m{number}" for number in range(len(cv))], "cv": cv, "public": public, **columns}).to_csv("h.csv", index=False)
    return kagglekit.lbcheck(table="h.csv", metric=metric, n_public=n_public, **more)


def test_the_order_comes_first_then_the_verdict_then_its_scale() -> None:
    found = check(LADDER, [score - 0.01 for score in LADDER])
    assert (found.verdict, found.direction, found.m, found.m_distinct) == ("tracks", "same", 8, 8)
    assert found.order == "the same order in both; chance does this practically never"
    assert found.can_say.startswith("h.csv tracks the leaderboard, for gaps of at least 0.01983 auc")
    assert found.offset["value"] == pytest.approx(-0.01) and found.gap["explained"] == 1.0 and found.outliers == ()
    assert found.kendall == {"value": 1.0, "p": pytest.approx(1 / 40320), "low": None, "high": None} and found.picture == ""
    assert len(found.chart) > 10 and max(map(len, found.chart)) <= 78
    assert {row["agree"] for row in found.pairs} == {1} and len(found.pairs) == 28


def test_a_reversed_order_does_not_track_and_lower_is_better_turns_nothing_round() -> None:
    assert check(LADDER, LADDER[::-1]).verdict == "does-not-track"
    worse = [1 - score for score in LADDER]
    found = check(worse, [score + 0.01 for score in worse], metric="logloss")
    assert found.verdict == "tracks" and found.offset["value"] == pytest.approx(0.01)
    assert found.pairs[0]["cv_gap"] * found.pairs[0]["public_gap"] > 0
    assert found.inflation is not None and found.inflation["corrected"] >= min(worse) + 0.01


@pytest.mark.parametrize(("cv", "public", "state", "says"), [
    ([0.80, 0.90], [0.79, 0.89], "cannot-tell", "the same order in both; a coin does this half of the time (at most 2:1 for the split): go on"),
    ([0.80, 0.90], [0.89, 0.79], "does-not-track", "the opposite order in both"),
    ([0.80012, 0.80101], [0.80101, 0.80012], "cannot-tell", "half of the time, but inside the noise: no action"),
    ([0.80, 0.90], [0.85, 0.85], "cannot-tell", "2 models of h.csv: a tie"),
    ([0.70, 0.80, 0.90], [0.70, 0.80, 0.90], "cannot-tell", "the same order in both; chance does this once in 6: go on"),
])
def test_two_or_three_models_are_told_what_they_can_say(cv: list[float], public: list[float], state: str, says: str) -> None:
    found = check(cv, public, cv_se=[0.001] * len(cv))
    assert found.verdict == state and says in found.can_say
    assert found.spearman["low"] is None and found.pearson["low"] is None and found.slope["value"] is None


def test_without_cv_se_fewer_than_eight_never_track_and_with_it_they_may() -> None:
    five = LADDER[:5]
    assert check(five, five).verdict == "cannot-tell" and "give cv_se" in check(five, five).cannot_say
    assert "write cv_se into the table; or 3 more models" in check(five, five).do_next and "write cv_se" in check(LADDER[:7], LADDER[:7]).do_next
    assert check(five, five, cv_se=[0.001] * 5).verdict == "tracks"


def test_unknown_public_rows_are_answered_for_few_and_for_many() -> None:
    found = check([0.80011, 0.80621], [0.80621, 0.80011], n_public=None)
    assert found.n_pub["value"] == 1000 and "unknown" in str(found.n_pub["source"])
    assert found.verdict == "cannot-tell" and found.otherwise == ({"n_pub": 10_000, "verdict": "does-not-track"},)
    assert "1,000 taken; with 10,000 it does not track" in found.cannot_say
    assert "1,000 taken; with 10,000 it is the same" in check(LADDER, LADDER, n_public=None).cannot_say


def test_constants_are_anchors_by_name_and_by_score_and_change_nothing() -> None:
    plain = check([0.8, 0.81, 0.82], [0.8, 0.81, 0.82], metric="accuracy", cv_se=[0.0001] * 3)
    named = check([0.5, 0.5, 0.8, 0.81, 0.82], [0.5, 0.5, 0.8, 0.81, 0.82], metric="accuracy", cv_se=[0.0001] * 5,
                  model=["zeros", "sample_submission.csv", "a", "b", "c"])
    assert (plain.verdict, plain.m) == (named.verdict, named.m) == ("cannot-tell", 3)
    assert named.anchors == ("zeros", "sample_submission.csv") and named.p == plain.p
    assert check([0.5, 0.51, 0.8, 0.9], [0.5, 0.501, 0.8, 0.9]).anchors == ("m0", "m1"), "an AUC of one half is what a constant has"


def test_the_same_line_twice_counts_once_and_ties_are_no_evidence() -> None:
    twice = [*LADDER[:3], LADDER[2], LADDER[2]]
    assert check(twice, twice, cv_se=[0.001] * 5).m_distinct == 3
    equal = check(LADDER, [0.9] * 8)
    assert equal.verdict == "cannot-tell" and equal.order == "all pairs tied" and equal.kendall["value"] is None
    assert check([0.9] * 8, LADDER).verdict == "cannot-tell"


def test_the_rounding_of_a_score_with_few_decimals_is_noise() -> None:
    cv = [0.80, 0.801, 0.82, 0.83]
    Path("h.csv").write_text("model,cv,public\n" + "".join(f"m{k},{score},{text}\n" for k, (score, text) in enumerate(
        zip(cv, ["0.81234", "0.81", "0.82222", "0.83333"], strict=True))), encoding="utf-8")
    found = kagglekit.lbcheck(table="h.csv", metric="auc", n_public=5000)
    assert any("1 public score is written with few decimals" in line for line in found.advice)
    noise = {frozenset((row["a"], row["b"])): row["public_se"] for row in found.pairs}
    assert noise[frozenset(("m0", "m1"))] == pytest.approx(np.hypot(noise[frozenset(("m0", "m2"))], 0.01 / np.sqrt(12)), rel=1e-3)


def test_an_outlier_is_named_with_what_may_have_made_it_and_drift_from_ten() -> None:
    leaks = check([*LADDER, 0.99], [*LADDER, 0.80])
    assert [one["run"] for one in leaks.outliers] == ["m8"] and leaks.outliers[0]["readings"] == ("leak",)
    cv = [0.80 + 0.001 * (number % 5) for number in range(12)]
    running = check(cv, [score + 0.004 * number for number, score in enumerate(cv)])
    assert running.drift is not None and running.drift["p"] < 0.01 and check(cv[:9], cv[:9]).drift is None


def test_a_metric_that_is_not_built_in_asks_for_its_direction(kk: Kk) -> None:
    pd.DataFrame({"model": list("abcdefgh"), "cv": LADDER, "public": [score + 0.001 * (k % 2) for k, score in enumerate(LADDER)]}).to_csv("h.csv")
    refused = kk("lbcheck", "--table", "h.csv", "--metric", "house").error
    assert "say which is better: kk lbcheck --table FILE --metric house --direction higher" in refused
    told = kk("lbcheck", "--table", "h.csv", "--metric", "house", "--direction", "higher", "--json").json
    assert told["verdict"] == "tracks" and told["n_pub"]["value"] is None and any("taken from the gaps" in line for line in told["advice"])
    turned = kk("lbcheck", "--table", "h.csv", "--metric", "house", "--direction", "lower", "--json").json
    assert turned["verdict"] == "tracks" and turned["inflation"]["best"] == "a"
    assert "Say which is better" in kk("lbcheck", "--table", "h.csv", "--metric", "house", "--direction", "up").error


@pytest.mark.parametrize(("text", "message"), [
    ("model,cv,public\na,0.8,0.79\n", "h.csv has 1 rows with both cv and public. Give at least two models"),
    ("model,cv,public\na,0.8,\nb,,0.8\n", "h.csv has 0 rows with both cv and public"),
    ("model,cv\na,0.8\nb,0.9\n", "h.csv has 0 rows with both cv and public"),
    ("model,cv,public\na,zero,0.79\n", "line 2: cv is 'zero', which is no number"),
])
def test_tables_that_cannot_be_checked_are_refused_in_one_line(text: str, message: str, kk: Kk) -> None:
    Path("h.csv").write_text(text, encoding="utf-8")
    ran = kk("lbcheck", "--table", "h.csv", "--metric", "auc", "--n-public", 1000)
    assert ran.code == 1 and message in ran.error and "Traceback" not in ran.err
    with pytest.raises(KKError, match="no number of rows"):
        kagglekit.lbcheck(table="h.csv", metric="auc", n_public=0)


def test_a_private_column_or_none_makes_no_difference() -> None:
    alone = check(LADDER, LADDER)
    pd.read_csv("h.csv").assign(private=[0.5] * 8).to_csv("h.csv", index=False)
    assert kagglekit.lbcheck(table="h.csv", metric="auc", n_public=20_000) == alone


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(scores=st.lists(st.tuples(st.integers(0, 10**5), st.integers(0, 10**5)), min_size=2, max_size=7),
       metric=st.sampled_from(["auc", "logloss", "rmse"]))
def test_whatever_the_scores_the_answer_fits_the_screen_and_three_lines_come_first(scores: list[tuple[int, int]], metric: str, kk: Kk) -> None:
    pd.DataFrame([(f"model number {k}", cv / 1e5, lb / 1e5) for k, (cv, lb) in enumerate(scores)], columns=["model", "cv", "public"]).to_csv("h.csv")
    ran = kk("lbcheck", "--table", "h.csv", "--metric", metric, "--n-public", 3000, "--all")
    lines = ran.out.splitlines()
    assert ran.code == 0 and max(map(len, lines)) <= 80 and lines[-1].startswith("next: kk ")
    starts = [line for line in lines[:12] if line.startswith(("can say:", "cannot say:", "do next:"))]
    assert [line.split(":")[0] for line in starts] == ["can say", "cannot say", "do next"]
    short = kk("lbcheck", "--table", "h.csv", "--metric", metric, "--n-public", 3000).out.splitlines()
    assert short[:-1] == lines[:len(short) - 1] and len(short) <= 14
    record = kk("lbcheck", "--table", "h.csv", "--metric", metric, "--n-public", 3000, "--json").json
    assert record["verdict"] in ("tracks", "cannot-tell", "does-not-track")
    assert record["verdict"] != "tracks", "fewer than eight models without cv_se"


TABLES = {"aptos2019-blindness-detection": "qwk", "linking-writing-processes-to-writing-quality": "rmse", "playground-series-s4e7": "auc",
          "playground-series-s5e11": "auc", "spooky-author-identification": "mlogloss", "ventilator-pressure-prediction": "mae"}


@pytest.mark.parametrize("slug", TABLES)
def test_a_real_history_is_answered(slug: str, kk: Kk) -> None:
    path = SHARED / "lb" / f"{slug}.csv"
    if not path.exists():
        pytest.skip("the histories of past competitions are not beside the project")
    pd.read_csv(path, dtype=str).head(40).to_csv("h.csv", index=False)
    found = kk("lbcheck", "--table", "h.csv", "--metric", TABLES[slug], "--n-public", 2000, "--json").json
    assert found["m"] >= 2 and np.isfinite(found["offset"]["value"]) and found["verdict"] in ("tracks", "cannot-tell", "does-not-track")
