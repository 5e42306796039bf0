"""features.py: named sets, cached by code and data, fitted inside the fold where they look at targets; refusals name the line."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import kagglekit
from kagglekit.errors import KKError
from kagglekit.fold import Fold
from kagglekit.models.family import check_model
from kagglekit.models.presets import merged
from kagglekit.progress import listening
from kagglekit.store import open_store
from kagglekit.work.clock import Clock
from kagglekit.work.features import Features
from kagglekit.work.load import load_data, problem_of

DOCS = Path(__file__).resolve().parent.parent / "docs" / "features.md"
HEAD = "import numpy as np\nimport pandas as pd\nfrom pathlib import Path\n"
MADE = HEAD + ("def features(train, test):\n    calls = Path('calls'); calls.write_text(calls.read_text() + 'x' if calls.exists() else 'x')\n"
               "    return [part.assign(twice=part['x'] * 2) for part in (train, test)]\n")


class Told:
    """What was said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, text: str) -> None:
        self.lines.append(text)

    def update(self, task: object) -> None:
        pass


@pytest.fixture
def told() -> Iterator[Told]:
    listener = Told()
    with listening(listener):
        yield listener


@pytest.fixture
def write(small: Path) -> Callable[[str], Path]:
    """Writes features.py of the joined competition."""

    def put(text: str, name: str = "features.py") -> Path:
        (small / name).write_text(text, encoding="utf-8")
        return small / name

    return put


def test_the_example_of_the_docs_trains_in_every_combination(write: Callable[[str], Path]) -> None:
    write(re.search(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL).group(1))
    store, names = open_store(), kagglekit.cv(split="stratified", n=3).folds
    fold = next(iter(kagglekit.load_folds(names)))
    made = {"x", "noise", "colour", "day", "x_by_colour"}
    for asked, columns, more in ((None, made, 10), ("features,month_mean", {*made, "month_mean"}, 0), ("month_mean", {"month_mean"}, 0),
                                 ("raw,month_mean", {"x", "noise", "colour", "day", "month_mean"}, 0)):
        mine = Features(store, asked).fold(fold)
        assert columns <= set(mine.X_train) and len(mine.X_train) == len(mine.target_train) == len(fold.train) + more
        assert list(mine.X_train) == list(mine.X_valid) == list(mine.X_test) and len(mine.X_valid) == len(fold.valid)
        for name in ("linear",) if asked else ("linear", "lgbm"):
            model = check_model(name)
            params = merged(name, {"n_estimators": 20} if model.rounds else {}, model.rounds)
            if model.stage:
                stage = model.stage(problem_of(store.competition), params, 0, mine, Clock())
                stage.advance(20)
                valid, test = stage.predict(20)
            else:
                valid, test = model.fit_predict(problem_of(store.competition), params, 0, mine, Clock())
            assert len(valid) == len(fold.valid) and len(test) == 120 and np.isfinite(valid).all()


def test_without_a_file_the_raw_columns_are_used_and_the_recipe_holds_no_code(small: Path) -> None:
    features = Features(open_store())
    assert features.names == ("raw",) and features.code == "" and features.data() is load_data(open_store())


def test_sets_are_computed_once_until_code_or_data_change(write: Callable[..., Path], told: Told) -> None:
    write(MADE)
    store, calls = open_store(), Path("calls")
    first, again = Features(store).frame()[0], Features(store).frame()[0]
    assert calls.read_text() == "x" and first.equals(again) and first["twice"].equals(first["x"] * 2) and "id" not in first
    assert any("as computed before" in line for line in told.lines) and any("id, site left out" in line for line in told.lines)
    kept = list((store.folder / "data" / "features").iterdir())
    assert len(kept) == 1 and kept[0].name.startswith("features-")
    code = Features(store).code
    write(MADE + "# another word\n")
    assert Features(store).code != code and Features(store).frame() and calls.read_text() == "xx"
    table = store.table("test.csv")
    pd.read_parquet(table).assign(x=1.0).to_parquet(table)
    assert (Features(store).frame()[1]["twice"] == 2.0).all() and calls.read_text() == "xxx"
    assert len(list((store.folder / "data" / "features").iterdir())) == 1


def test_the_hash_knows_the_persons_own_modules(write: Callable[..., Path]) -> None:
    write("FACTOR = 2\n", "helper.py")
    write("from helper import FACTOR\ndef features(train, test):\n    return [part[['x']] * FACTOR for part in (train, test)]\n")
    store = open_store()
    before = Features(store)
    assert np.allclose(before.frame()[1]["x"], 2 * load_data(store).X_test["x"])
    write("FACTOR = 30\n", "helper.py")
    after = Features(store)
    assert after.code != before.code and np.allclose(after.frame()[1]["x"], 30 * load_data(store).X_test["x"])


def test_no_set_sees_a_target_that_is_validated(write: Callable[..., Path]) -> None:
    write(HEAD + "def seen(train, test):\n    assert list(train) == list(test) and 'y' not in train\n    return train[['x']], test[['x']]\n"
          "def peek(fold):\n    return fold.y_valid\n"
          "def mean(fold):\n    value = float(fold.y_train.mean())\n"
          "    return [pd.DataFrame({'mean': value}, index=X.index) for X in (fold.X_train, fold.X_valid, fold.X_test)]\n")
    store, names = open_store(), kagglekit.cv(split="stratified", n=3).folds
    fold = next(iter(kagglekit.load_folds(names)))
    assert list(Features(store, "seen").frame()[0]) == ["x"]
    with pytest.raises(KKError, match="asks for fold.y_valid, which holds targets of validated rows. Use fold.y_train"):
        _ = Features(store, "peek").fold(fold).X_train
    mine = Features(store, "raw,mean").fold(fold)
    assert mine.X_valid["mean"].iloc[0] == mine.X_test["mean"].iloc[0] == fold.y_train.mean()
    assert list(mine.X) == list(load_data(store).X) and mine.y is load_data(store).y


def test_extra_rows_train_and_are_nothing_else(write: Callable[..., Path], told: Told) -> None:
    write(HEAD + "def extra(fold):\n    return pd.DataFrame({'x': [9.0, 8.0, 7.0]}), np.array([1, 1, 0])\n"
          "def count(fold):\n    n = len(fold.X_train)\n    assert n == len(fold.y_train)\n"
          "    return [np.full((len(X), 1), n) for X in (fold.X_train, fold.X_valid, fold.X_test)]\n")
    store, names = open_store(), kagglekit.cv(split="stratified", n=3).folds
    for fold in kagglekit.load_folds(names):
        mine = Features(store, "raw,extra,count").fold(fold)
        assert mine.X_train["x"].tolist()[-3:] == [9.0, 8.0, 7.0] and mine.target_train.tolist()[-3:] == [1, 1, 0]
        assert mine.X_train["noise"].isna().iloc[-3:].all() and len(mine.y_train) == len(fold.train) + 3
        assert len(mine.X_valid) == len(fold.valid) and set(mine.X_test["count_0"]) == {len(fold.train) + 3}
        assert mine.X_train["x"].tolist()[:-3] == fold.X_train["x"].tolist()
    assert any("its rows have no noise" in line for line in told.lines)
    write("import pandas as pd\ndef extra(fold):\n    return fold.X_test.head(1), ['maybe']\n")
    with pytest.raises(KKError, match="the target 'y' holds 'maybe', which is not among classes"):
        _ = Features(store).fold(fold).X_train


BROKEN = [
    ("    return train.dropna(), test\n", r"features in features.py gives \d+ rows for the 240 of train"),
    ("    return train.sort_values('x'), test\n", "gives the rows of train in another order"),
    ("    return train, test.sort_values('x').reset_index(drop=True)\n", "gives the rows of test in another order"),
    ("    return train.assign(y=1), test\n", "gives the target 'y' as a feature"),
    ("    return train.assign(new=1), test\n", "makes the column 'new' in train, not in all other tables"),
    ("    return train, test.assign(new=1)\n", "makes the column 'new' in another table, not in train"),
    ("    return pd.concat([train, train[['x']]], axis=1), test\n", "gives the column 'x' twice"),
    ("    return train.assign(x='a'), test\n", "makes the column 'x' of str in train and of float64 in test"),
    ("    return train\n", r"gives DataFrame, not 2. End it with: return train, test"),
    ("    return train[['nix']], test\n", r"features.py:5: features: KeyError: .*nix.*Mend line 5"),
    ("    return 1 / 0, test\n", r"features.py:5: features: ZeroDivisionError: division by zero"),
    ("    return train, test)\n", r"features.py:5: its import: unmatched '\)'"),
    ("    return 'a', 'b'\n", "gives a str for train. Return DataFrames"),
]


def test_what_breaks_a_rule_is_refused_with_the_line(write: Callable[..., Path]) -> None:
    for body, message in BROKEN:
        write(HEAD + "def features(train, test):\n" + body)
        with pytest.raises(KKError, match=message):
            Features(open_store()).frame()


def test_infinite_values_are_said_and_missing(write: Callable[..., Path], told: Told) -> None:
    write(HEAD + "def features(train, test):\n    return [pd.DataFrame({'x': part['x'], 'ratio': 1 / (part['x'] * 0)}) for part in (train, test)]\n")
    train, test = Features(open_store()).frame()
    assert train["ratio"].isna().all() and test["ratio"].isna().all() and not train["x"].isna().any()
    assert any("infinite values are taken as missing: ratio (240)" in line for line in told.lines)


@pytest.mark.parametrize(("cell", "kind"), [("{'a': 1}", "dict"), ("[1, 2]", "list"), ("np.zeros(2)", "ndarray"), ("(1, 2)", "tuple")])
def test_cells_that_hold_several_things_are_refused_by_their_column(write: Callable[..., Path], cell: str, kind: str) -> None:
    write(HEAD + f"def features(train, test):\n    return [part[['x']].assign(odd=[None] + [{cell}] * (len(part) - 1)) for part in (train, test)]\n")
    with pytest.raises(KKError, match=f"features in features.py gives a {kind} in each cell of the column 'odd'. Give a column for each part"):
        Features(open_store()).frame()
    write(HEAD + "def each(fold):\n    parts = fold.X_train, fold.X_valid, fold.X_test\n"
          f"    return [part[['x']].assign(odd=[{cell}] * len(part)) for part in parts]\n")
    fold = Fold(0, 0, np.arange(120), np.arange(120, 240), load_data(open_store()))
    with pytest.raises(KKError, match=f"each in features.py gives a {kind} in each cell of the column 'odd'"):
        _ = Features(open_store(), "each").fold(fold).X_train


@pytest.mark.parametrize(("written", "names", "says"), [
    ("features(a, b, c)", None, r"features.py:4: features\(a, b, c\) is no set of features.*def features\(train, test\), or def features\(fold\)"),
    ("features(df)", None, r"features\(df\) is no set"), ("extra(train, test)", None, r"Write def extra\(fold\)"),
    ("ratios(train)", "raw,ratios", r"ratios\(train\) is no set of features.*def ratios\(train, test\)")])
def test_other_parameters_than_a_sets_are_named(write: Callable[..., Path], written: str, names: str | None, says: str) -> None:
    write(HEAD + f"def {written}:\n    return 1\n")
    with pytest.raises(KKError, match=says):
        Features(open_store(), names)


def test_names_are_found_or_near(write: Callable[..., Path]) -> None:
    write(HEAD + "from textwrap import dedent\ndef base(train, test):\n    return train[['x']], test[['x']]\n"
          "def ratios(train, test, power=2):\n    return train[['x']] ** power, test[['x']] ** power\n"
          "def _hidden(train, test):\n    return 1\ndef helper(a):\n    return a\n")
    store = open_store()
    assert Features(store).names == ("raw",) and Features(store, "base, raw").names == ("base", "raw")
    with pytest.raises(KKError, match="no features are called 'bsae'. Did you mean base. Known: raw, base, ratios"):
        Features(store, "bsae")
    with pytest.raises(KKError, match="the features base and ratios both have a column 'x' with other values"):
        Features(store, "base,ratios").frame()
    assert list(Features(store, "raw,base").frame()[0]) == list(load_data(store).X)
