"""Table encoding: every family survives every kind of column, nothing is fitted on validated rows, and plain numbers are not touched."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kagglekit.errors import KKError
from kagglekit.fold import Data, Fold
from kagglekit.metrics import check_metric
from kagglekit.models import family
from kagglekit.models.columns import kinds_of
from kagglekit.models.encoders import ENCODINGS, encoded, is_shared
from kagglekit.models.family import Problem
from kagglekit.testing import NoClock, fitted

ROWS, TEST = 240, 40


def odd_columns(seed: int = 0) -> dict[str, pd.Series]:
    """Columns as contests have them, train's rows first; some values are only in test."""
    random, total = np.random.default_rng(seed), ROWS + TEST
    labels = random.choice(["red", "green", "blue"], total).astype(object)
    labels[::9], labels[ROWS::3] = None, "violet"
    day = pd.Series(pd.Timestamp("2024-12-01") + pd.to_timedelta(random.integers(0, 9000, total), unit="h"))
    mixed = pd.Series([1.5, "a", None, True, 7] * (total // 5), dtype=object)
    return {
        "number": pd.Series(random.normal(size=total)), "gaps": pd.Series(np.where(np.arange(total) % 3, random.normal(size=total), np.nan)),
        "gaps only in test": pd.Series(np.where(np.arange(total) < ROWS, 1.5, np.nan)), "label": pd.Series(labels, dtype="str"),
        "object label": pd.Series(labels, dtype=object), "pandas category": pd.Series(labels).astype("category"),
        "number category": pd.Series(pd.Categorical(random.integers(0, 4, total))), "many": pd.Series(random.integers(0, 60, total).astype(str)),
        "text": pd.Series([f"word {k} of {random.integers(0, 9)}" for k in range(total)]), "empty text": pd.Series([" "] * (total - 1) + [None]),
        "bool": pd.Series(random.random(total) > 0.5), "bool gaps": pd.Series([True, None, False, True] * (total // 4), dtype=object),
        "boolean": pd.Series(pd.array([True, None, False, True] * (total // 4), dtype="boolean")),
        "Int64": pd.Series(pd.array([2**60 + 1, None, 3, 4] * (total // 4), dtype="Int64")),
        "huge": pd.Series(random.integers(2**61, 2**63 - 1, total)), "uint64": pd.Series(random.integers(2**62, 2**63, total).astype("uint64") * 2),
        "beyond float32": pd.Series(random.normal(size=total) * 1e300), "infinite": pd.Series([np.inf, -np.inf, 1.0, 2.0] * (total // 4)),
        "nothing": pd.Series([None] * total, dtype=object), "nan": pd.Series([np.nan] * total), "constant": pd.Series([0.1] * total),
        "constant label": pd.Series(["same"] * total), "mixed": mixed, "day": day, "day with gaps": day.where(np.arange(total) % 5 > 0),
        "day with zone": day.dt.tz_localize("Europe/Vienna", ambiguous="NaT", nonexistent="NaT"),
        "date objects": pd.Series(day.dt.date, dtype=object),
        "period": pd.Series(day.dt.to_period("D")), "duration": pd.Series(pd.to_timedelta(random.integers(0, 900, total), unit="min")),
        "lists": pd.Series([[k % 3] for k in range(total)]), 'name with [ ] { } " , :': pd.Series(random.normal(size=total)),
    }


COLUMNS = odd_columns()
NUMBERS = {"number", "gaps", "huge", "beyond float32"}


def problem_with(columns: dict[str, pd.Series], task: str = "binary") -> tuple[Problem, Fold]:
    table = pd.DataFrame(columns)
    random = np.random.default_rng(1)
    target = {"binary": random.integers(0, 2, ROWS), "multiclass": random.integers(0, 3, ROWS), "regression": random.normal(size=ROWS)}[task]
    classes = {"binary": (0, 1), "multiclass": (0, 1, 2), "regression": ()}[task]
    data = Data(table.iloc[:ROWS], target, target, table.iloc[ROWS:].reset_index(drop=True), classes)
    rows = np.arange(ROWS)
    metric = {"binary": "logloss", "multiclass": "mlogloss", "regression": "rmse"}[task]
    return Problem(task, classes, check_metric(metric)), Fold(0, 0, rows[rows % 4 > 0], rows[rows % 4 == 0], data)


def test_one_infinite_cell_does_not_drown_a_column() -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=ROWS + 8)
    target = x[:ROWS] + 0.1 * random.normal(size=ROWS)
    x[[1, 4]] = np.inf, -np.inf  # a training and a validated row
    table = pd.DataFrame({"x": x})
    data = Data(table.iloc[:ROWS], target, target, table.iloc[ROWS:].reset_index(drop=True), ())
    rows = np.arange(ROWS)
    fold = Fold(0, 0, rows[rows % 4 > 0], rows[rows % 4 == 0], data)
    valid, _ = fitted(family.check_model("linear"), Problem("regression", (), check_metric("rmse")), fold)
    known = np.isfinite(x[:ROWS][rows % 4 == 0])
    truth = target[rows % 4 == 0]
    assert np.sqrt(np.mean((valid - truth)[known] ** 2)) < 0.5 * truth.std() and np.abs(valid).max() < 10


@pytest.mark.parametrize("name", family.REGISTRY.names())
def test_every_family_survives_every_kind_of_column_alone_and_together(name: str) -> None:
    model = family.check_model(name)
    for column in COLUMNS if name in ("linear", "tree") else ():
        problem, fold = problem_with({column: COLUMNS[column]})
        valid, test = fitted(model, problem, fold)
        assert np.isfinite(valid).all() and np.isfinite(test).all() and len(test) == TEST, column
    for task in ("binary",) if name == "forest" else ("binary", "multiclass", "regression"):
        problem, fold = problem_with(COLUMNS, task)
        valid, test = fitted(model, problem, fold)
        assert np.isfinite(valid).all() and np.isfinite(test).all() and len(valid) == len(fold.valid)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_validated_rows_and_their_targets_change_nothing_that_is_fitted(encoding: str) -> None:
    _, fold = problem_with({name: COLUMNS[name] for name in ("number", "gaps", "many", "text", "label")})
    other = fold.data.X.copy()
    other.loc[fold.valid, ["number", "gaps"]] = 1e6
    target = fold.data.target.copy()
    target[fold.valid] = 1 - target[fold.valid]
    changed = Fold(0, 0, fold.train, fold.valid, replace(fold.data, X=other, target=target, y=target))
    one, two = (encoded(each, encoding, NoClock()) for each in (fold, changed))
    assert pd.DataFrame(one.train).equals(pd.DataFrame(two.train)) and pd.DataFrame(one.test).equals(pd.DataFrame(two.test))


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1000), names=st.sets(st.sampled_from(sorted(set(COLUMNS) - {"text", "many"})), min_size=1, max_size=5))
def test_what_is_shared_is_the_same_whichever_rows_train(seed: int, names: set[str]) -> None:
    _, fold = problem_with({name: COLUMNS[name] for name in names})
    assert is_shared(fold.data.X)
    rows = np.random.default_rng(seed).permutation(ROWS)
    part, whole = Fold(0, 0, rows[:60], rows[60:90], fold.data), Fold(-1, -1, np.arange(ROWS), rows[:0], fold.data)
    some, every = encoded(part, "categories", NoClock()), encoded(whole, "categories", NoClock())
    pd.testing.assert_frame_equal(some.train, every.train.iloc[rows[:60]])
    pd.testing.assert_frame_equal(some.valid, every.train.iloc[rows[60:90]])
    pd.testing.assert_frame_equal(some.test, every.test)


def test_text_is_not_shared_and_kinds_are_told() -> None:
    assert not is_shared(pd.DataFrame({"text": COLUMNS["text"]}))
    kinds = {name: kind.name for name, kind in kinds_of(pd.DataFrame(COLUMNS)).items()}
    assert {name for name, kind in kinds.items() if kind == "date"} == {"day", "day with gaps", "day with zone", "date objects", "period"}
    assert kinds["mixed"] == kinds["lists"] == kinds["number category"] == "category" and kinds["text"] == "text"
    assert all(kinds[name] == "number" for name in ("bool gaps", "boolean", "Int64", "uint64", "nothing", "nan", "huge"))


def test_a_table_of_numbers_is_taken_as_it_is() -> None:
    _, fold = problem_with({name: COLUMNS[name] for name in NUMBERS} | {"float32": COLUMNS["number"].astype("float32")})
    whole = Fold(-1, -1, np.arange(ROWS), np.arange(0), fold.data)
    parts = encoded(whole, "categories", NoClock())
    assert parts.test is not fold.data.X and all(np.shares_memory(parts.test[name], fold.data.X_test[name]) for name in ("number", "huge"))
    trees = encoded(fold, "trees", NoClock()).train
    assert trees.dtype == np.float32 and np.isnan(trees[:, list(fold.X).index("gaps")]).any() and np.isfinite(trees).sum() > 0


def test_linear_models_get_scaled_columns_with_marks_of_gaps() -> None:
    _, fold = problem_with({"gaps": COLUMNS["gaps"], "label": COLUMNS["label"], "constant": COLUMNS["constant"]})
    parts = encoded(fold, "numbers", NoClock())
    assert np.allclose(parts.train.mean(axis=0), 0) and set(parts.train.std(axis=0).round(6)) <= {0.0, 1.0}
    gaps = fold.X_train["gaps"].isna().to_numpy()
    assert np.ptp(parts.train[gaps, 0]) == 0 and any(np.array_equal(column > 0, gaps) for column in parts.train.T)


@pytest.mark.parametrize("encoding", ["numbers", "trees"])
def test_means_of_the_target_tell_no_row_its_own_target(encoding: str) -> None:
    """Noise targets and few rows a level: means that held the row's own target would correlate with it by about .3."""
    random = np.random.default_rng(0)
    n = 4000
    X = pd.DataFrame({"shop": random.integers(0, 380, n).astype(str), "x": random.normal(size=n)})
    y = random.normal(size=n)
    fold = Fold(0, 0, np.arange(0, 3900), np.arange(3900, n), Data(X, y, y, X.iloc[:5]))
    train = encoded(fold, encoding, NoClock()).train
    assert max(abs(np.corrcoef(column, y[:3900])[0, 1]) for column in train.T) < 0.08


def test_ids_alone_are_no_features() -> None:
    problem, fold = problem_with({"id": pd.Series(np.arange(ROWS + TEST))})
    bare = Fold(0, 0, fold.train, fold.valid, replace(fold.data, ids_only=True))
    with pytest.raises(KKError, match="share no column that can be a feature"):
        fitted(family.check_model("linear"), problem, bare)
    assert len(fitted(family.check_model("constant"), problem, bare)[1]) == TEST
