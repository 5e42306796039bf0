"""Several targets, labels in their own table, and contests without features: loaded, learnt and scored from real files."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import kagglekit
from kagglekit.competition import FILE, Competition, competition_text
from kagglekit.errors import KKError
from kagglekit.fold import Fold
from kagglekit.metrics import check_metric
from kagglekit.models import family
from kagglekit.models.family import Problem
from kagglekit.store import Store
from kagglekit.testing import fitted
from kagglekit.work.load import forms, load_data, problem_of

ROWS, TEST = 160, 30
RANDOM = np.random.default_rng(0)
X = pd.DataFrame({"id": np.arange(ROWS + TEST), "a": RANDOM.normal(size=ROWS + TEST), "b": RANDOM.choice(["u", "v", None], ROWS + TEST)})
VALUES = pd.DataFrame({"wind": 3 * X["a"] + 10 + 0.1 * RANDOM.normal(size=len(X)), "sun": np.exp(X["a"])})
LABELS = pd.DataFrame({"wet": (X["a"] > 0).astype(int), "cold": (X["b"] == "u").astype(int), "rare": (X["id"] == 4).astype(int)})


def contest(workspace: Path, targets: pd.DataFrame, *, features: bool = True, labels: bool = False, **facts: object) -> Store:
    """A joined competition with these targets, one row an id."""
    folder = workspace / "competitions" / "odd"
    table = X if features else X[["id"]]
    train, test = table.iloc[:ROWS], table.iloc[ROWS:].reset_index(drop=True)
    answers = targets.iloc[:ROWS]
    sample = test[["id"]].assign(**dict.fromkeys(facts.pop("columns", targets.columns), 0.5))
    tables = {"train": train if labels else pd.concat([train, answers], axis=1), "test": test, "sample": sample}
    if labels:
        tables["labels"] = pd.concat([train[["id"]], answers], axis=1).sample(frac=1, random_state=0)
    about = {"id": ("id",), "target": tuple(targets.columns), "prediction": "value", **facts}
    competition = Competition("odd", folder, **{name: f"{name}.csv" for name in tables}, **about)
    store = Store(competition)
    for name, content in tables.items():
        store.tables.mkdir(parents=True, exist_ok=True)
        content.reset_index(drop=True).to_parquet(store.table(f"{name}.csv"))
    (folder / FILE).write_text(competition_text(competition), encoding="utf-8")
    return store


def one_fold(store: Store) -> Fold:
    rows = np.arange(ROWS)
    return Fold(0, 0, rows[rows % 4 > 0], rows[rows % 4 == 0], load_data(store))


@pytest.mark.parametrize("name", family.REGISTRY.names())
@pytest.mark.parametrize("task", ["multitarget", "multilabel"])
def test_every_family_learns_several_targets_or_says_that_it_does_not(workspace: Path, name: str, task: str) -> None:
    targets, metric = (LABELS, "mclogloss") if task == "multilabel" else (VALUES, "mcrmse")
    store = contest(workspace, targets, task=task, metric=metric)
    problem, fold = problem_of(store.competition), one_fold(store)
    assert problem.targets == tuple(targets.columns) and problem.width == targets.shape[1] and fold.y.shape == (ROWS, problem.width)
    try:
        valid, test = fitted(family.check_model(name), problem, fold)
    except KKError as error:
        assert name == "text-linear" and "no column of text" in str(error)
        return
    assert valid.shape == (len(fold.valid), problem.width) and test.shape == (TEST, problem.width)
    truth = fold.y_valid
    if name != "constant":
        usual = fold.target_train.mean(axis=0)
        assert (((valid - truth) ** 2).mean(axis=0)[:2] < 0.5 * ((usual - truth) ** 2).mean(axis=0)[:2]).all()
    if task == "multilabel":
        assert valid.min() >= 0 and valid.max() <= 1 and valid[:, 2].max() < 0.5


def test_an_estimator_that_learns_one_target_is_fitted_once_a_column(workspace: Path) -> None:
    from sklearn.linear_model import SGDClassifier
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.svm import SVR

    store = contest(workspace, LABELS, task="multilabel", metric="mclogloss")
    fold, problem = one_fold(store), problem_of(store.competition)
    valid, _ = fitted(family.check_model(KNeighborsClassifier()), problem, fold)
    assert valid.shape == (40, 3) and (np.abs(valid[:, 0] - fold.y_valid[:, 0]) < 0.5).mean() > 0.8
    regression = Problem("regression", (), check_metric("mcrmse"), ("wet", "cold", "rare"))
    assert fitted(family.check_model(SVR()), regression, fold)[1].shape == (TEST, 3)
    with pytest.raises(KKError, match="SGDClassifier gives no probabilities"):
        fitted(family.check_model(SGDClassifier()), problem, fold)


def test_several_targets_go_through_folds_training_and_a_loop_of_ones_own(workspace: Path) -> None:
    store = contest(workspace, VALUES, task="multitarget", metric="mcrmse")
    names = kagglekit.cv(split="random", n=4, competition="odd").folds
    record = kagglekit.train("linear", folds=names, competition="odd")
    oof, test = store.array(store.run(record.run), "oof"), store.array(store.run(record.run), "test")
    assert oof.shape == (ROWS, 2) and test.shape == (TEST, 2) and record.rows_scored == ROWS
    y = load_data(store).y
    each = [np.sqrt(((y[fold.valid] - oof[fold.valid]) ** 2).mean(axis=0)).mean() for fold in kagglekit.load_folds(names, competition="odd")]
    assert record.score.per_fold == pytest.approx(each)
    for fold in kagglekit.load_folds(names, competition="odd"):
        assert fold.y.shape == (ROWS, 2) and fold.y_train.shape == (len(fold.train), 2) and len(fold.X_test) == TEST
        assert np.array_equal(fold.y[fold.valid], fold.y_valid) and fold.X.iloc[fold.train].equals(fold.X_train)


def test_predictions_of_several_targets_have_their_columns_in_their_order(workspace: Path) -> None:
    store = contest(workspace, VALUES, task="multitarget", metric="mcrmse")
    oof, test = forms(store)
    assert oof.columns == test.columns == ("wind", "sun") and oof.widths == (2,) and oof.classes == ()


def test_targets_in_another_order_than_the_sample_are_refused(workspace: Path) -> None:
    store = contest(workspace, VALUES, task="multitarget", metric="mcrmse", columns=["sun", "wind"])
    with pytest.raises(KKError, match=r'target lists wind, sun, the sample has them as sun, wind. Write target = \["sun", "wind"\]'):
        load_data(store)


def test_labels_in_a_table_of_their_own_are_joined_by_id(workspace: Path) -> None:
    store = contest(workspace, VALUES[["wind"]], labels=True, task="regression", metric="rmse")
    data = load_data(store)
    assert np.array_equal(data.target, VALUES["wind"].iloc[:ROWS]) and list(data.X) == ["a", "b"]
    table = pd.read_parquet(store.table("labels.csv"))
    pd.concat([table, table.head(1)]).to_parquet(store.table("labels.csv"))
    with pytest.raises(KKError, match=r"labels.csv has the id \[\d+\] more than once"):
        load_data(store)


def test_one_column_of_labels_with_blanks_is_rows_by_labels(workspace: Path) -> None:
    words = pd.DataFrame({"tags": [" ".join(name for name in LABELS if row[name]) for _, row in LABELS.iterrows()]})
    store = contest(workspace, words, task="multilabel", metric="mclogloss", classes=("wet", "cold", "rare"))
    data = load_data(store)
    assert np.array_equal(data.target, LABELS.iloc[:ROWS]) and problem_of(store.competition).targets == ("wet", "cold", "rare")
    assert data.classes == ()


def test_a_contest_of_ids_and_labels_loads_and_only_models_of_features_refuse_it(workspace: Path) -> None:
    store = contest(workspace, VALUES[["wind"]], features=False, task="regression", metric="rmse")
    fold, problem = one_fold(store), problem_of(store.competition)
    assert fold.data.ids_only and list(fold.X) == ["id"]
    for name in family.REGISTRY.names():
        if name == "constant":
            assert len(fitted(family.check_model(name), problem, fold)[1]) == TEST
            continue
        with pytest.raises(KKError, match="share no column that can be a feature"):
            fitted(family.check_model(name), problem, fold)
    mine = family.check_model(lambda fold: (fold.X_valid["id"] * 1.0, fold.X_test["id"] * 1.0))
    assert fitted(mine, problem, fold)[1].tolist() == list(range(ROWS, ROWS + TEST))


def test_without_a_test_table_the_samples_ids_are_its_rows(workspace: Path) -> None:
    store = contest(workspace, VALUES[["wind"]], features=False, task="regression", metric="rmse")
    path = store.folder / FILE
    path.write_text(path.read_text(encoding="utf-8").replace('test = "test.csv"', 'test = ""'), encoding="utf-8")
    from kagglekit.store import open_store

    data = load_data(open_store("odd"))
    assert data.ids_only and data.X_test["id"].tolist() == list(range(ROWS, ROWS + TEST))


@pytest.mark.parametrize(("change", "message"), [
    ({"wet": 0.5}, "the target 'wet' holds 0.5, labels are 0 or 1"),
    ({"wet": "yes"}, "the target 'wet' holds text such as 'yes', a multilabel needs numbers"),
    ({"cold": np.nan}, r"the target 'cold' has no value \(NaN\) in 160 rows of train, the first is row 0"),
])
def test_targets_that_cannot_be_learnt_are_refused(workspace: Path, change: dict, message: str) -> None:
    store = contest(workspace, LABELS.assign(**change), task="multilabel", metric="mclogloss")
    with pytest.raises(KKError, match=message):
        load_data(store)
    with pytest.raises(KKError, match="odd has one target .task other., which models here do not learn"):
        problem_of(contest(workspace, VALUES[["wind"]], task="other", metric="rmse").competition)
