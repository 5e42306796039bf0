"""kk add: predictions from elsewhere, aligned by id or refused with the fix."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import kagglekit
from kagglekit.store import open_store
from kagglekit.work.load import load_data, read_table
from tests.conftest import Ran


@pytest.fixture
def oof(small: Path) -> pd.DataFrame:
    """Good predictions with ids, in another order."""
    kagglekit.cv(split="stratified", n=4)
    store = open_store()
    random = np.random.default_rng(0)
    values = np.clip(load_data(store).target * 0.6 + 0.2 + 0.1 * random.normal(size=240), 0, 1)
    return read_table(store, "train")[["id"]].assign(y=values).sample(frac=1, random_state=1)


@pytest.fixture
def on_test(oof: pd.DataFrame) -> pd.DataFrame:
    return read_table(open_store(), "test")[["id"]].assign(y=np.linspace(0, 1, 120))


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_tables_are_aligned_by_id_in_any_order(oof: pd.DataFrame, on_test: pd.DataFrame, suffix: str, tmp_path: Path,
                                                kk: Callable[..., Ran]) -> None:
    paths = tmp_path / f"oof.{suffix}", tmp_path / f"test.{suffix}"
    for table, path in ((oof, paths[0]), (on_test.iloc[::-1], paths[1])):
        table.to_csv(path, index=False) if suffix == "csv" else table.to_parquet(path)
    record = kk("add", "mine", "--oof", paths[0], "--test", paths[1], "--json").json
    assert record["aligned_by"] == "id" and record["score"]["mean"] > 0.99 and record["kind"] == "add"
    store = open_store()
    run = store.run("mine")
    assert store.array(run, "oof") == pytest.approx(oof.sort_values("id")["y"].to_numpy(), abs=1e-6)
    assert store.array(run, "test") == pytest.approx(on_test["y"].to_numpy(), abs=1e-6)


def test_arrays_go_by_order_and_equal_the_table(oof: pd.DataFrame) -> None:
    by_order = kagglekit.add("array", oof=oof.sort_values("id")["y"].to_numpy())
    by_id = kagglekit.add("table", oof=oof)
    assert by_order.aligned_by == "order" and by_order.score == by_id.score
    assert by_id.near_copies == (by_order.run,)
    assert any("aligned by row order" in line for line in by_order.warnings)


def test_two_columns_of_probabilities_are_the_second_class(oof: pd.DataFrame) -> None:
    values = oof.sort_values("id")["y"].to_numpy()
    assert kagglekit.add("two", oof=np.column_stack([1 - values, values])).score == kagglekit.add("one", oof=values).score


@pytest.mark.parametrize(("spoil", "message"), [
    (lambda t: t.iloc[1:], "lacks 1 of 240 ids"),
    (lambda t: pd.concat([t, t.iloc[:1]]), "more than once"),
    (lambda t: pd.concat([t, pd.DataFrame({"id": [5], "y": [0.5]})]), "has 1 ids that the table does not have, such as '5'"),
    (lambda t: t.assign(y=t["y"].where(t.index != 3)), "has no value (NaN) in 1 rows"),
    (lambda t: t.assign(y=t["y"] * 5), "probabilities lie in 0 to 1"),
    (lambda t: t.assign(y="high"), "holds text that is no number"),
    (lambda t: t.rename(columns={"y": "z"}).assign(w=1), "has no column 'y'"),
])
def test_tables_that_do_not_fit_are_refused_and_nothing_is_kept(oof: pd.DataFrame, spoil, message: str, tmp_path: Path, kk: Callable[..., Ran],
                                                                request: pytest.FixtureRequest) -> None:
    store = open_store()
    store_metric = store.toml.read_text().replace('name = "auc"', 'name = "logloss"')
    if "lie in 0 to 1" in message:
        store.toml.write_text(store_metric)
    spoil(oof).to_csv(tmp_path / "oof.csv", index=False)
    ran = kk("add", "bad", "--oof", tmp_path / "oof.csv")
    assert ran.code == 1 and message in ran.error
    assert not open_store().all_runs()


@pytest.mark.parametrize(("array", "message"), [
    (np.zeros(239), "has 239 rows, the table has 240"),
    (np.zeros((240, 3)), "has the shape (240, 3)"),
    (np.full((240, 2), 0.7), "the probabilities of row 0 sum to 1.4, not 1"),
    (np.full(240, np.inf), "infinite"),
    (np.full(240, np.nan), "has no value (NaN) in 240 rows"),
])
def test_arrays_that_do_not_fit_are_refused(oof: pd.DataFrame, array: np.ndarray, message: str, tmp_path: Path, kk: Callable[..., Ran]) -> None:
    np.save(tmp_path / "oof.npy", array)
    ran = kk("add", "bad", "--oof", tmp_path / "oof.npy")
    assert ran.code == 1 and message in ran.error


def test_predictions_of_some_folds_are_scored_on_those(oof: pd.DataFrame) -> None:
    folds = kagglekit.load_folds()
    values = oof.sort_values("id")["y"].to_numpy().copy()
    values[folds.one(0, 3).valid] = np.nan
    record = kagglekit.add("partial", oof=values)
    assert record.rows_scored == 180 and len(record.score.per_fold) == 3


def test_a_missing_file_and_a_strange_one_are_said(oof: pd.DataFrame, tmp_path: Path, kk: Callable[..., Ran]) -> None:
    assert "no file gone.csv" in kk("add", "x", "--oof", "gone.csv").error
    (tmp_path / "oof.txt").write_text("1")
    assert "Give one of: .csv, .parquet, .npy, .npz" in kk("add", "x", "--oof", tmp_path / "oof.txt").error
    assert kk("add", "x").code == 2
