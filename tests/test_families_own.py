"""A person's own models: files that import their neighbours, seeds and parameters by name, and answers that are no predictions."""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import kagglekit
from kagglekit.errors import KKError
from kagglekit.fold import Fold
from kagglekit.metrics import check_metric
from kagglekit.models.family import check_model
from kagglekit.models.problem import Problem
from kagglekit.testing import NoClock, small_problem
from tests.conftest import Ran

PROBLEM, DATA = small_problem("binary", rows=60)
ROWS = np.arange(60)
FOLD = Fold(0, 0, ROWS[ROWS % 3 > 0], ROWS[ROWS % 3 == 0], DATA)


def answer(model: object, seed: int = 0, folder: Path | None = None, **params: object) -> tuple:
    return check_model(model, folder).fit_predict(PROBLEM, params, seed, FOLD, NoClock())


def test_a_file_may_import_its_neighbour_define_dataclasses_and_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "tools.py").write_text("LEVEL = 0.25\n")
    (tmp_path / "models" / "late.py").write_text("MORE = 0.125\n")
    (tmp_path / "models" / "mine.py").write_text(
        "from __future__ import annotations\nimport dataclasses\nimport tools\n\n@dataclasses.dataclass\nclass Level:\n    value: float = 0.0\n\n"
        "def fit_predict(fold):\n    import late\n    level = Level(tools.LEVEL + late.MORE).value\n"
        "    return [level] * len(fold.valid), [level] * len(fold.X_test)\n")
    assert answer("models/mine.py:fit_predict")[0][0] == 0.375
    (tmp_path / "models" / "tools.py").write_text("LEVEL = 0.75\n")  # of the same size, within the same second
    assert answer("models/mine.py:fit_predict")[0][0] == 0.875
    assert not list(tmp_path.rglob("*.pyc")) and str(tmp_path / "models") not in sys.path
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "tools.py").write_text("LEVEL = 0.5\n")
    (tmp_path / "other" / "mine.py").write_text("import tools\ndef fit_predict(fold):\n    return [tools.LEVEL] * len(fold.valid)\n")
    assert answer("mine.py:fit_predict", folder=tmp_path / "other")[0][0] == 0.5


@pytest.mark.parametrize(("text", "says"), [
    ("def fit_predict(fold:\n    return 1\n", r"mine.py:1: def fit_predict\(fold: \('\(' was never closed"),
    ("x = 1\ny = x + nothing\n", r"mine.py:2 \(NameError"), ("import no_such_thing_at_all\n", r"mine.py:1 \(ModuleNotFoundError"),
])
def test_a_file_that_cannot_be_run_names_its_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, says: str) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(text)
    with pytest.raises(KKError, match=says):
        check_model("mine.py:fit_predict")


def test_a_file_without_a_name_and_a_function_of_a_family_s_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("bad.py").write_text("def lgbm(fold):\n    return fold.valid * 0.0\n")
    with pytest.raises(KKError, match="Add :fit_predict, as in bad.py:fit_predict"):
        check_model("bad.py")
    assert check_model("bad.py:lgbm").name == "my-lgbm"


@pytest.mark.parametrize(("function", "says"), [
    (lambda fold: None, "gives nothing"), (lambda fold: (1, 2, 3), "gives 3 things"), (lambda fold: "yes", "which is no array of numbers"),
    (lambda: 1, "takes nothing; it is called with a fold"), (lambda X, y, X_test: 1, "takes X, y, X_test; it is called with a fold"),
])
def test_answers_and_signatures_that_do_not_fit_are_told(function: Callable, says: str) -> None:
    with pytest.raises(KKError, match=says):
        answer(function)


def test_parameters_and_seeds_reach_a_function_by_name_or_are_refused() -> None:
    def mine(fold: Fold, seed: int = 0, level: float = 0.5) -> np.ndarray:
        return np.full(len(fold.valid), level + seed)

    assert answer(mine, seed=2, level=0.25)[0][0] == 2.25 and check_model(mine).seeded
    with pytest.raises(KKError, match=r"mine takes no 'levle'. Add it: def mine\(fold, levle=1\)"):
        answer(mine, levle=1)
    model = check_model(lambda fold: fold.valid * 0.0)
    with pytest.raises(KKError, match="takes no seed: 3 seeds would train the same model 3 times"):
        model.check_seeds(3)
    model.check_seeds(1)


def test_the_seed_is_the_random_state_of_an_estimator_that_leaves_it_open() -> None:
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression, SGDClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    piped = make_pipeline(StandardScaler(), RandomForestClassifier(n_estimators=5))
    first, again, other = answer(piped, 0)[0], answer(piped, 0)[0], answer(piped, 1)[0]
    assert first.tobytes() == again.tobytes() != other.tobytes()
    fixed = RandomForestClassifier(n_estimators=5, random_state=7)
    assert answer(fixed, 0)[0].tobytes() == answer(fixed, 1)[0].tobytes() and not check_model(fixed).seeded
    with pytest.raises(KKError, match="LogisticRegression has no parameter 'max_itr'. Did you mean max_iter"):
        answer(LogisticRegression(), max_itr=2)
    with pytest.raises(KKError, match="SGDClassifier gives no probabilities"):
        answer(SGDClassifier())
    assert check_model(LogisticRegression()).says(Problem("regression", (), check_metric("mae"))) == ""


def test_a_preset_trains_from_the_command_line(small: Path, kk: Callable[..., Ran]) -> None:
    kagglekit.cv(split="stratified", n=3)
    record = kk("train", "lgbm-goss", "--set", "num_iterations=10", "--json").json
    assert record["model"] == "lgbm-goss" and record["rounds"] == {"fixed": 10}
    ran = kk("train", "lgbm", "--set", "num_leafs=63")
    assert ran.code == 1 and "Did you mean num_leaves" in ran.error and "Traceback" not in ran.err
