"""kk check: the pipeline on few rows, what changed since it last worked, and exit status 1 when it breaks."""

from collections.abc import Callable
from pathlib import Path

import pytest

import kagglekit
from kagglekit.store import open_store
from tests.conftest import Ran

MODEL = """from helper import columns
from sklearn.linear_model import LogisticRegression

def fit_predict(fold):
    model = LogisticRegression(C=1.0).fit(fold.X_train[columns], fold.y_train)
    return model.predict_proba(fold.X_valid[columns])[:, 1], model.predict_proba(fold.X_test[columns])[:, 1]
"""


@pytest.fixture
def mine(small: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """models/mine.py with a helper module beside it, and folds."""
    kagglekit.cv(split="stratified", n=3)
    (workspace / "mine.py").write_text(MODEL)
    (workspace / "helper.py").write_text("columns = ['x']\n")
    monkeypatch.syspath_prepend(str(workspace))
    monkeypatch.delitem(__import__("sys").modules, "helper", raising=False)
    return workspace


def test_a_pipeline_that_works_is_kept_and_nothing_is_recorded_as_a_run(mine: Path, kk: Callable[..., Ran]) -> None:
    record = kk("check", "mine.py:fit_predict", "--json").json
    assert record["first"] and record["rows"] == 240 and record["score"]["mean"] > 0.9 and record["next"] == "kk train mine.py:fit_predict"
    assert record["shapes"] == {"features": [240, 4], "test": [120]} and {"read", "fit"} <= set(record["seconds"])
    assert open_store().all_runs() == []
    shown = kk("check").out  # the one checked last
    assert "mine.py:fit_predict works on 240 rows" in shown and "nothing changed since the last check that worked" in shown


def test_code_scores_and_parameters_that_changed_are_told(mine: Path, kk: Callable[..., Ran]) -> None:
    kk("check", "mine.py:fit_predict")
    (mine / "mine.py").write_text(MODEL.replace("C=1.0", "C=0.001").replace("columns]", "['noise']].fillna(0)"))
    record = kk("check", "--json").json
    assert record["changes"][0] == "mine.py: 2 lines new, 2 gone" and any(one.startswith("score 0.9") for one in record["changes"])
    assert any(line.startswith("+") and "C=0.001" in line for line in record["diff"])
    kk("check", "linear")
    assert kk("check", "linear", "--set", "alpha=3", "--json").json["changes"][0] == "alpha: 1.0 -> 3"


def test_one_that_breaks_says_where_and_what_changed_since_it_worked(mine: Path, kk: Callable[..., Ran]) -> None:
    kk("check", "mine.py:fit_predict")
    (mine / "mine.py").write_text(MODEL.replace("predict_proba(fold.X_valid", "predict_probs(fold.X_valid"))
    ran = kk("check", "mine.py:fit_predict")
    assert ran.code == 1 and "Error: mine.py:6: return model.predict_probs(" in ran.error and "reports/traceback.txt" in ran.error
    assert "mine.py: 1 line new, 1 gone" in ran.err and "+     return model.predict_probs" in ran.err
    document = kk("check", "mine.py:fit_predict", "--json").json
    assert document["error"]["what"] == document["broke"] and document["changes"] == ["mine.py: 1 line new, 1 gone"]
    (mine / "mine.py").write_text(MODEL)
    assert "nothing changed since the last check that worked" in kk("check").out


def test_a_helper_module_of_the_person_is_one_of_the_files(mine: Path, kk: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch) -> None:
    kk("check", "mine.py:fit_predict")
    (mine / "helper.py").write_text("columns = ['x', 'id2'][:1]\n")
    assert kk("check", "--json").json["changes"] == ["helper.py: 1 line new, 1 gone"]


def test_a_hundredth_of_a_large_table_holds_some_of_every_class_in_every_fold(mine: Path) -> None:
    import numpy as np
    import pandas as pd

    from kagglekit.fold import Data
    from kagglekit.folds import from_assignment
    from kagglekit.metrics import check_metric
    from kagglekit.models.family import Problem, check_model
    from kagglekit.verbs.check import _rows
    from kagglekit.work.plan import Plan

    rows = 100_000
    y = (np.arange(rows) % 5000 == 0).astype(np.int64)  # 20 of 100,000
    X = pd.DataFrame({"x": np.zeros(rows)})
    folds = from_assignment("some", (np.arange(rows) // 5000 % 4).astype(np.int16), "", rows)
    plan = Plan(check_model("constant"), Problem("binary", (0, 1), check_metric("auc")), {}, folds, tuple(folds.keys), (0,),
                np.ones(rows, dtype=bool), False)
    used = _rows(plan, Data(X=X, y=y, target=y, X_test=X.head(5), classes=(0, 1)))
    assert 1000 <= used.sum() <= 1015
    assert all(y[fold.valid[used[fold.valid]]].sum() >= 3 for fold in folds)


def test_without_anything_to_check_the_remedy_is_said(small: Path, kk: Callable[..., Ran]) -> None:
    kagglekit.cv(split="stratified", n=3)
    assert kk("check").error == ("Error: no model of small-auc was checked or trained yet. Name one: kk check models/mine.py:fit_predict")
    kagglekit.train("linear")
    assert "linear works on" in kk("check").out
