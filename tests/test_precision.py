"""How many repeats a standard error takes: the arithmetic, simulated figures, and the measurement through kk cv --se."""

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kagglekit.errors import KKError
from kagglekit.precision import folds_for_se
from kagglekit.store import open_store
from kagglekit.work import precision
from kagglekit.work.kept import load_folds
from tests.conftest import Ran

CV = np.array([[0.70, 0.80], [0.76, 0.78], [0.69, 0.73]])  # means .75, .77, .71; mean variance within a repeat .002


def test_the_two_parts_of_the_noise() -> None:
    found = folds_for_se(CV, 0.02)
    split = np.var([0.75, 0.77, 0.71], ddof=1)
    assert found.sd_split == pytest.approx(np.sqrt(split)) and found.sd_data == pytest.approx(np.sqrt(0.002 - 2 * split))
    assert found.repeats == int(np.ceil(split / 0.02**2)) == 3 and found.n == 2 and found.feasible
    assert found.se == pytest.approx(np.sqrt(found.sd_data**2 + split / 3))
    assert f"3 repeats of 2 folds give a standard error of {found.se:.2g}" in found.says and "same folds for all" in found.says


def test_what_no_repeat_can_reach_is_refused() -> None:
    found = folds_for_se(CV, 0.011)
    assert not found.feasible and "only more data helps" in found.says
    unstable = folds_for_se(np.array([[0.5, 0.5], [0.7, 0.7], [0.9, 0.9]]), 0.02)
    assert not unstable.feasible and unstable.repeats == 10 and "10 repeats still leave 0.063" in unstable.says


def test_a_stable_model_gains_nothing_by_repeats_and_a_fixed_split_has_none() -> None:
    found = folds_for_se(CV - CV.mean(axis=1, keepdims=True), 0.05)
    assert found.repeats == 1 and found.sd_split == pytest.approx(0) and "repeats hardly help here" in found.says
    alone = folds_for_se(CV[:1], 0.1)
    assert alone.repeats == 1 and alone.sd_split == 0 and "the same for every seed" in alone.says


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**31), repeats=st.integers(3, 8), n=st.integers(2, 10), target=st.floats(1e-3, 10), factor=st.floats(0.1, 10))
def test_the_unit_of_the_metric_does_not_matter(seed: int, repeats: int, n: int, target: float, factor: float) -> None:
    cv = np.random.default_rng(seed).normal(size=(repeats, n)) + 3
    one, other = folds_for_se(cv, target), folds_for_se(cv * factor, target * factor)
    assert one.feasible == other.feasible and one.repeats == other.repeats and other.se == pytest.approx(one.se * factor)
    assert folds_for_se(cv, target * factor, scale=factor).repeats == one.repeats
    assert not one.feasible or one.se <= np.sqrt(2) * target * (1 + 1e-9)


@pytest.mark.parametrize(("cv", "target", "says"), [
    (CV, 0.0, "0 is no standard error"), (CV, float("nan"), "nan is no standard error"), (CV[:2], 0.1, "2 repeats tell too little"),
    (CV[:, :1], 0.1, "one fold tells nothing"), (CV[0], 0.1, "scores of the shape"), (np.full((3, 2), np.nan), 0.1, "6 gaps"),
])
def test_what_tells_nothing_is_refused(cv: np.ndarray, target: float, says: str) -> None:
    with pytest.raises(KKError, match=says):
        folds_for_se(cv, target)


def simulated(make: Callable[[], object], rows: int, tables: int, repeats: int) -> np.ndarray:
    """logloss[tables, repeats, 5] over shuffled folds of tables with ten columns, five of which tell something."""
    rng, scores = np.random.default_rng(0), np.empty((tables, repeats, 5))
    for table in range(tables):
        X = rng.normal(size=(rows, 10))
        y = rng.random(rows) < 1 / (1 + np.exp(-X[:, :5] @ [1, 0.8, 0.6, 0.4, 0.2]))
        for repeat in range(repeats):
            fold = rng.permutation(np.arange(rows) % 5)
            for number in range(5):
                model = make().fit(X[fold != number], y[fold != number])
                p = np.clip(model.predict_proba(X[fold == number])[:, 1], 1e-15, 1 - 1e-15)
                scores[table, repeat, number] = -np.mean(np.where(y[fold == number], np.log(p), np.log(1 - p)))
    return scores


@pytest.mark.slow
def test_the_parts_are_those_of_a_simulation() -> None:
    """Logit of 300 rows: the split adds about .008, the data leave about .031; what one table tells agrees with many tables."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.tree import DecisionTreeClassifier

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logit = simulated(LogisticRegression, 300, 80, 3)
        tree = simulated(lambda: DecisionTreeClassifier(max_depth=4, random_state=0), 300, 40, 3)
    means = logit.mean(axis=2)
    sd_split = np.sqrt(means.var(axis=1, ddof=1).mean())
    sd_data = np.sqrt(means.mean(axis=1).var(ddof=1) - sd_split**2 / 3)
    assert 0.006 < sd_split < 0.012 and 0.023 < sd_data < 0.037
    told = [folds_for_se(scores, 0.05) for scores in logit]
    assert np.median([one.sd_split for one in told]) == pytest.approx(sd_split, rel=0.3)
    assert np.median([one.sd_data for one in told]) == pytest.approx(sd_data, rel=0.3)
    assert all(one.repeats == 1 for one in told) and np.mean([one.feasible for one in told]) > 0.9
    unstable = [folds_for_se(scores, 0.3) for scores in tree]
    assert np.median([one.sd_split for one in unstable]) > 10 * sd_split and np.mean([one.repeats > 1 for one in unstable]) > 0.5


def test_the_command_measures_with_a_quick_model_and_saves_nothing(small: Path, kk: Callable[..., Ran]) -> None:
    told = kk("cv", "--split", "stratified", "--se", "0.08", "--json").json["precision"]
    assert told["model"] == "linear" and told["n"] == 5 and told["rows"] == 240 and told["seconds"] > 0
    assert 0 < told["sd_split"] < told["sd_data"] < 0.08 and told["feasible"] and told["repeats"] == 1
    said = kk("cv", "--split", "stratified", "--se", "0.0001")
    assert "only more data helps" in " ".join(said.out.split()) and said.code == 0 and max(map(len, said.out.splitlines())) <= 80
    assert not list(small.glob("folds/*")) and not list(small.glob("runs/*"))


def test_splits_by_time_have_no_luck_and_repeats_at_hand_are_used(small: Path, kk: Callable[..., Ran]) -> None:
    told = kk("cv", "--split", "time", "--time", "day", "-n", "3", "--se", "0.2", "--json").json["precision"]
    assert told["sd_split"] == 0 and told["repeats"] == 1 and "the same for every seed" in told["says"]
    kk("cv", "--split", "random", "-n", "2", "--repeats", "4", "--name", "four")
    folds = load_folds("four")
    found = precision.measure(open_store(), folds, 0.1)
    assert (found.n, found.rows) == (2, 240) and found.next.startswith("kk cv --split random -n 2")
    sampled = precision.measure(open_store(), folds, 0.1, most=120)
    assert sampled.rows < 240 and "of 240 rows, scaled to all" in sampled.says


def test_a_person_s_splitter_is_repeated_by_hand(small: Path, workspace: Path, kk: Callable[..., Ran]) -> None:
    (workspace / "mine.py").write_text("import numpy as np\ndef halves(y, n=2, seed=0):\n"
                                       "    return np.random.default_rng(seed).integers(0, n, len(y))\n")
    assert "--repeats 3 --se SE" in kk("cv", "--split", "mine.py:halves", "-n", "2", "--se", "0.1").error
    assert kk("cv", "--split", "mine.py:halves", "-n", "2", "--repeats", "3", "--se", "0.1", "--json").json["precision"]["n"] == 2
    assert "one fold tells nothing" in kk("cv", "--split", "holdout", "--se", "0.1").error
    assert "is no standard error" in kk("cv", "--split", "random", "--se", "-1").error
