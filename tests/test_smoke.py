"""Smoke: what would break after hours breaks on a few rows first, and what will take long or not fit is said before."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import kagglekit
from kagglekit.errors import KKError
from kagglekit.fold import Data, Fold
from kagglekit.folds import from_assignment
from kagglekit.metrics import check_metric
from kagglekit.models.family import Problem, check_model
from kagglekit.models.presets import merged
from kagglekit.progress import listening
from kagglekit.work import smoke
from kagglekit.work.plan import Plan
from kagglekit.work.smoke import Trial, forecast, smoke_test
from tests.conftest import Ran

ROWS, CLASSES = 8000, ("cat", "dog", "fox")


class Said:
    """A listener that keeps what was said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, text: str) -> None:
        self.lines.append(text)

    def update(self, task: object) -> None:
        """Progress is not looked at."""


def planned(model: object, rows: int = ROWS, **params: object) -> tuple[Plan, Data]:
    """Three classes that two columns tell apart, five random folds."""
    random = np.random.default_rng(1)
    target = random.integers(0, 3, rows)
    X = pd.DataFrame({"a": (target == 1) + random.normal(0, 0.4, rows), "b": (target == 2) + random.normal(0, 0.4, rows)})
    data = Data(X=X, y=np.array(CLASSES)[target], target=target, X_test=X.head(900), classes=CLASSES)
    folds = from_assignment("some", random.integers(0, 5, rows).astype(np.int16), "", rows)
    chosen = check_model(model)
    return Plan(chosen, Problem("multiclass", CLASSES, check_metric("logloss")), merged(chosen.name, params, chosen.rounds), folds,
                tuple(folds.keys), (0,), np.ones(rows, dtype=bool), False), data


def right(fold: Fold, order: tuple[int, ...] = (0, 1, 2)) -> tuple[np.ndarray, np.ndarray]:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression().fit(fold.X_train, fold.target_train)
    return model.predict_proba(fold.X_valid)[:, list(order)], model.predict_proba(fold.X_test)[:, list(order)]


def test_models_that_work_pass_within_seconds_and_a_small_run_is_its_own_trial() -> None:
    for model in (right, "linear", "lgbm"):
        assert smoke_test(*planned(model)) is not None
    assert smoke_test(*planned(right, rows=900)) is None


@pytest.mark.parametrize(("change", "message"), [
    (lambda valid, test: (valid[:, [0, 2, 1]], test), r"'dog' follows 'fox', 'fox' follows 'dog' \(fold 0 in a trial on \d+ rows\)"),
    (lambda valid, test: (valid[:, :2], test), r"shape \(\d+, 2\) for fold 0 in a trial on \d+ rows, expected"),
    (lambda valid, test: (valid * np.nan, test), "predicts NaN or infinity for fold 0 in a trial"),
    (lambda valid, test: (valid * 0, test), "predicts 0 for every row of fold 0"),
    (lambda valid, test: (valid, test[:-1]), r"shape \(899, 3\) for the test rows of fold 0 in a trial"),
    (lambda valid, test: (valid, np.where(np.arange(900)[:, None] == 7, np.nan, test)), "NaN or infinity for the test rows of fold 0 .* row 7"),
])
def test_what_is_wrong_with_predictions_is_told_before_the_run(change: Callable, message: str) -> None:
    def wrong(fold: Fold) -> tuple:
        return change(*right(fold))

    with pytest.raises(KKError, match=message):
        smoke_test(*planned(wrong))


def test_the_probability_of_the_wrong_class_of_two_is_told() -> None:
    plan, data = planned(lambda fold: (1 - right(fold, (0, 1))[0][:, 1], np.full(900, 0.5)))
    target = (data.target == 1).astype(np.int64)
    data = Data(X=data.X, y=target, target=target, X_test=data.X_test, classes=(0, 1))
    plan = Plan(plan.model, Problem("binary", (0, 1), check_metric("auc")), {}, plan.folds, plan.keys, (0,), plan.used, False)
    with pytest.raises(KKError, match="0 follows 1, 1 follows 0"):
        smoke_test(plan, data)


def test_a_constant_is_said_and_does_not_stop_the_run() -> None:
    said = Said()
    with listening(said):
        assert smoke_test(*planned(lambda fold: (np.full((len(fold.valid), 3), 1 / 3), np.full((900, 3), 1 / 3))))
    assert any("predicts the same for every row" in line for line in said.lines)


def test_a_model_that_learns_nothing_is_not_accused_of_swapped_classes() -> None:
    random, (plan, _) = np.random.default_rng(0), planned(right, rows=100)
    said = Said()
    with listening(said):
        for _ in range(200):
            smoke.look_at(random.dirichlet([1, 1, 1], 400), random.integers(0, 3, 400), plan, "fold 0")
    assert said.lines == []
    swapped = np.eye(3)[(np.arange(400) + 1) % 3] * 0.8 + 0.2 / 3
    with pytest.raises(KKError, match="order"):
        smoke.look_at(swapped, np.arange(400) % 3, plan, "fold 0")


def test_the_forecast_is_linear_in_the_rows_and_steeper_where_trials_say_so() -> None:
    plan, data = planned(right)  # five folds that train on 6,400 rows each
    assert forecast(plan, data, [Trial(500, 0.2, 0, 0), Trial(2000, 0.5, 0, 0)]).seconds == pytest.approx(5 * (0.5 + 4400 * 0.3 / 1500), rel=0.03)
    assert forecast(plan, data, [Trial(500, 0.1, 0, 0), Trial(2000, 1.6, 0, 0)]).seconds == pytest.approx(5 * 1.6 * 3.2**2, rel=0.03)
    boosted, _ = planned("lgbm", n_estimators=200, num_threads=1)
    assert forecast(boosted, data, [Trial(2000, 0.1, 0.01, 0)]).seconds > 5 * 3.2 * 2.0 / 2
    assert forecast(plan, data, [Trial(500, 0.1, 0, 40), Trial(2000, 0.1, 0, 160)]).mb == pytest.approx(160 * 3.2, rel=0.03)


def test_a_long_run_is_said_and_one_that_will_not_fit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    said = Said()
    monkeypatch.setattr(smoke, "WORTH_SAYING", 0.0)
    with listening(said):
        smoke_test(*planned("lgbm"))
    assert "forecast: about" in said.lines[0] and "if it grows 300 rounds and" in said.lines[0]
    monkeypatch.setattr(smoke, "free_mb", lambda: 0.05)
    with pytest.raises(KKError, match=r"will need about \d+ MB on 8,000 rows, and 0 MB are free.*--no-smoke"):
        smoke_test(*planned(right))


def test_memory_that_a_trial_takes_is_seen() -> None:
    def greedy(fold: Fold) -> tuple[np.ndarray, np.ndarray]:
        held = np.ones((len(fold.train), 50_000))  # 0.4 MB a row
        return right(fold)[0] * held[0, 0], right(fold)[1]

    found = smoke_test(*planned(greedy))
    assert found is not None and 1000 < found.mb < 6000


def test_kk_train_tries_first_and_no_smoke_leaves_it_out(small: Path, workspace: Path, kk: Callable[..., Ran],
                                                         monkeypatch: pytest.MonkeyPatch) -> None:
    kagglekit.cv(split="stratified", n=4)
    (workspace / "mine.py").write_text("import numpy as np\ndef zeros(fold):\n    open('calls', 'a').write(f'{len(fold.train)} ')\n"
                                       "    return np.zeros(len(fold.valid)), np.zeros(len(fold.X_test))\n")
    monkeypatch.setattr(smoke, "SMALL_RUN", 100)
    monkeypatch.setattr(smoke, "FIRST", 50)
    ran = kk("train", "mine.py:zeros")
    assert ran.code == 1 and "zeros predicts 0 for every row of fold 0 in a trial on 50 rows" in ran.error
    assert (workspace / "calls").read_text() == "50 "
    assert kk("train", "mine.py:zeros", "--no-smoke").code == 0
    assert (workspace / "calls").read_text() == "50 180 180 180 180 "


def test_the_first_fold_of_a_small_run_is_looked_at(small: Path, workspace: Path, kk: Callable[..., Ran]) -> None:
    kagglekit.cv(split="stratified", n=4)
    (workspace / "mine.py").write_text(
        "import numpy as np\nfrom sklearn.linear_model import LogisticRegression\n"
        "def zeros(fold):\n    open('calls', 'a').write('.')\n    return np.zeros(len(fold.valid)), np.zeros(len(fold.X_test))\n"
        "def turned(fold):\n    model = LogisticRegression().fit(fold.X_train[['x']], fold.y_train)\n"
        "    return model.predict_proba(fold.X_valid[['x']])[:, 0], model.predict_proba(fold.X_test[['x']])[:, 0]\n")
    for _ in range(2):  # a fold that was kept is looked at again
        assert "zeros predicts 0 for every row of fold 0. Return" in kk("train", "mine.py:zeros").error
    assert (workspace / "calls").read_text() == "."
    assert kk("train", "mine.py:zeros", "--no-smoke", "--json").json["resumed"] and (workspace / "calls").read_text() == "...."
    assert "0 follows 1, 1 follows 0 (fold 0)" in kk("train", "mine.py:turned").error
