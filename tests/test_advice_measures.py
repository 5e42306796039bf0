"""What the data shows before a split is chosen: copies, shift and columns that tell the target, and that none is seen where there is none."""

import datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kagglekit.advice.duplicates import merge_groups, near_duplicates
from kagglekit.advice.leaks import column_tells, single_column_leaks
from kagglekit.advice.shift import adversarial
from kagglekit.errors import KKError

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
CODES = st.lists(st.integers(0, 6), min_size=1, max_size=30)


def normal(rows: int, columns: int = 5, seed: int = 0) -> pd.DataFrame:
    return pd.DataFrame(np.random.default_rng(seed).normal(size=(rows, columns))).add_prefix("x")


def copied(table: pd.DataFrame, share: float, seed: int = 1) -> tuple[pd.DataFrame, list[set[int]]]:
    """The table with copies in random places, and the pairs of rows that are copies."""
    half = int(share * len(table) / 2)
    chosen, source = np.random.default_rng(seed).permutation(len(table)), np.arange(len(table))
    source[chosen[:half]] = chosen[half:2 * half]
    return table.iloc[source].reset_index(drop=True), [{int(a), int(b)} for a, b in zip(chosen[:half], chosen[half:2 * half])]


def odd(rows: int, seed: int = 0) -> pd.DataFrame:
    """Columns of every type."""
    rng = np.random.default_rng(seed)
    words = ["To be", "or not", "that is", "the question"]
    return pd.DataFrame({
        "whole": pd.Series(rng.integers(0, 9, rows), dtype="Int64").mask(rng.random(rows) < 0.2),
        "flag": pd.Series(rng.random(rows) < 0.5, dtype="boolean").mask(rng.random(rows) < 0.1),
        "kind": pd.Categorical(rng.choice(["a", "b", None], rows)),
        "day": pd.Timestamp("2024-02-28") + pd.to_timedelta(rng.integers(0, 90, rows), unit="D"),
        "zone": pd.date_range("2024-01-01", periods=rows, tz="Asia/Tokyo"),
        "date": [datetime.date(2024, 1, 1 + int(day)) for day in rng.integers(0, 28, rows)],
        "money": [Decimal(int(cents)) / 100 for cents in rng.integers(0, 10**6, rows)],
        "lasts": pd.to_timedelta(rng.integers(0, 9, rows), unit="h"),
        "text": [" ".join(rng.choice(words, 6)) for _ in range(rows)],
        "mixed": [value if value % 2 else str(value) for value in rng.integers(0, 5, rows).tolist()],
        "list": [[int(one)] for one in rng.integers(0, 5, rows)],
        "empty": None, "constant": 1,
        "infinite": np.where(rng.random(rows) < 0.05, np.inf, rng.normal(size=rows)), 7: rng.normal(size=rows)})


def chance(kind: str) -> pd.DataFrame:
    """1,000 rows of which many are equal, and none is a copy."""
    rng = np.random.default_rng(0)
    if kind == "few values":
        table = rng.integers(0, 5, (1000, 3))
    elif kind == "few dependent values":
        table = np.floor(rng.normal(size=(1000, 1)) + 0.5 * rng.normal(size=(1000, 4)))
    elif kind == "mostly zeros":
        table = rng.poisson(np.exp(rng.normal(size=(1000, 1)) - 3.5), (1000, 30))
    elif kind == "mostly missing":
        table = np.where(rng.random((1000, 5)) < 0.6, np.nan, rng.normal(size=(1000, 5)))
    elif kind == "groups by day":
        table = np.column_stack([rng.normal(size=(50, 5))[rng.integers(0, 50, 1000)], rng.integers(0, 7, 1000)])
    elif kind == "groups and a rare flag":
        table = np.column_stack([rng.normal(size=(50, 5))[rng.integers(0, 50, 1000)], rng.random(1000) < 0.1])
    else:
        item = rng.integers(0, 300, 1000)
        table = np.column_stack([item, item % 50, rng.integers(0, 9, 1000)])
    return pd.DataFrame(table).add_prefix("c")


# copies


@pytest.mark.parametrize("share", [0.01, 0.02, 0.05, 0.10])
def test_planted_copies_are_found_and_nothing_else(share: float) -> None:
    table, sets = copied(normal(2000).assign(kind=np.random.default_rng(3).choice(list("abc"), 2000)), share)
    found = near_duplicates(table)
    assert found.share == pytest.approx(share)
    sizes = np.bincount(found.groups)
    assert sorted(map(sorted, sets)) == sorted(np.flatnonzero(found.groups == code).tolist() for code in np.flatnonzero(sizes > 1))


@pytest.mark.parametrize("kind", ["few values", "few dependent values", "mostly zeros", "mostly missing", "groups by day", "groups and a rare flag",
                                  "hierarchy"])
def test_equal_rows_that_chance_or_groups_explain_are_no_copies(kind: str) -> None:
    found = near_duplicates(chance(kind))
    assert found.repeated > 0.01
    assert (found.share, len(np.unique(found.groups))) == (0.0, 1000)
    assert "no copies" in found.says


@pytest.mark.parametrize("kind", ["mostly missing", "groups by day"])
def test_copies_are_found_beside_rows_that_chance_or_groups_repeat(kind: str) -> None:
    table = chance(kind)
    rich = pd.DataFrame(np.random.default_rng(7).normal(size=(1000, table.shape[1])), columns=table.columns)
    rich, sets = copied(rich.round({"c5": 0}), 0.06)
    found = near_duplicates(pd.concat([rich, table], ignore_index=True))
    assert all(found.groups[first] == found.groups[second] for first, second in sets)
    assert found.share == pytest.approx(0.03, abs=0.002)


@pytest.mark.parametrize("rows", [200, 3000])
def test_random_tables_have_no_copies(rows: int) -> None:
    for columns in (3, 40):
        for table in (normal(rows, columns), np.exp(2 * normal(rows, columns))):
            assert near_duplicates(table).share == 0


def test_near_rows_are_found_among_the_numbers_where_all_else_is_equal() -> None:
    table, _ = copied(normal(1500, 8).assign(kind=np.random.default_rng(3).choice(list("abc"), 1500)), 0.06)
    numbers = [name for name in table if name != "kind"]
    shaken = table.copy()
    shaken[numbers] += 1e-5 * np.random.default_rng(5).normal(size=(1500, 8))
    found = near_duplicates(shaken)
    assert (found.equal, found.share) == (0.0, pytest.approx(0.06, abs=0.003))
    shaken["kind"] = np.random.default_rng(6).permutation(shaken["kind"])
    assert near_duplicates(shaken).share < 0.04


@pytest.mark.parametrize("noise", [1e-12, 1e-9, 1e-6])
@pytest.mark.parametrize("columns", [3, 20])
def test_copies_that_rounding_tears_apart_are_found(noise: float, columns: int) -> None:
    table, _ = copied(normal(400, columns), 0.05)
    shaken = table * (1 + noise * np.random.default_rng(5).normal(size=table.shape))
    assert near_duplicates(shaken).share == pytest.approx(0.05, abs=0.006)


def test_near_rows_are_found_in_wide_tables_too() -> None:
    table, _ = copied(normal(600, 70), 0.06)
    assert near_duplicates(table + 1e-6 * normal(600, 70, seed=5)).share == pytest.approx(0.06, abs=0.004)


def test_dense_places_are_no_copies() -> None:
    cluster = np.random.default_rng(0).integers(0, 5, 2000)
    table = 5 * normal(5, 4).iloc[cluster].reset_index(drop=True) + normal(2000, 4, seed=2).mul(10.0 ** -cluster, axis=0)
    assert near_duplicates(table).share == 0


def test_rounding_case_and_spaces_do_not_hide_a_copy() -> None:
    table = normal(300, 3).assign(text=[f"row {row} of the table" for row in range(300)])
    other = table.iloc[:30].assign(x0=lambda one: one["x0"].astype("float32"), text=lambda one: "  " + one["text"].str.upper().str.replace(" ", "  "))
    assert near_duplicates(pd.concat([table, other])).share == pytest.approx(60 / 330)


def test_rows_of_test_with_a_copy_in_train_and_copies_with_another_target_are_counted() -> None:
    train, _ = copied(normal(1000), 0.1)
    test = pd.concat([train.iloc[:50], normal(150, seed=9)])
    y = np.random.default_rng(0).integers(0, 2, 1000)
    found = near_duplicates(train, test, y=y)
    assert (found.test_share, found.share) == (pytest.approx(0.25), pytest.approx(0.1))
    assert found.disagree == pytest.approx(0.5, abs=0.2)
    assert near_duplicates(train, test, y=train["x0"].to_numpy()).disagree == 0.0


def test_one_column_has_no_copies_except_of_text() -> None:
    assert near_duplicates(pd.DataFrame({"x": np.arange(100) % 7, "constant": 1})).share == 0
    texts = [f"this is sentence {number} of a long story" for number in range(90)]
    assert near_duplicates(pd.DataFrame({"text": [*texts, *texts[:10]]})).share == 0.2
    assert near_duplicates(pd.DataFrame({"text": [*texts, *["What is it?"] * 10]})).share == 0.0


@given(CODES, st.integers(0, 2**31))
@settings(max_examples=40, deadline=None)
def test_merged_groups_are_the_smallest_that_hold_both(codes: list[int], seed: int) -> None:
    a = np.array(codes)
    b = np.random.default_rng(seed).integers(0, 8, len(a))
    merged = merge_groups(a, b)
    assert all(len(set(merged[one == code])) == 1 for one in (a, b) for code in np.unique(one))
    reached = {int(row): {int(row)} for row in range(len(a))}
    for _ in a:
        reached = {row: rows | {other for other in range(len(a)) if any(a[other] == a[one] or b[other] == b[one] for one in rows)}
                   for row, rows in reached.items()}
    assert all((merged[row] == merged[other]) == (other in reached[row]) for row in reached for other in range(len(a)))


# shift


@pytest.mark.parametrize("kind", ["normal", "odd types", "an id"])
def test_no_shift_is_seen_where_rows_are_dealt_at_random(kind: str) -> None:
    names = [f"n{row}" for row in np.random.default_rng(0).permutation(1200)]
    table = {"normal": normal(1200, 20), "odd types": odd(1200).drop(columns="zone"), "an id": pd.DataFrame({"name": names, "x": 1.0})}[kind]
    table = table.sample(frac=1, random_state=3)
    found = adversarial(table.iloc[:900], table.iloc[900:])
    assert (found.state, found.columns) == ("none", ())
    assert found.auc < 0.5 + 3 * found.sd
    assert found.ess > 0.9


@pytest.mark.parametrize(("by", "state"), [(0.0, "none"), (0.8, "look"), (1.5, "shifted"), (4.0, "different population")])
def test_a_shifted_column_is_named_and_the_state_follows_the_auc(by: float, state: str) -> None:
    found = adversarial(normal(2000, 8), normal(1500, 8, seed=1).assign(x3=lambda table: table["x3"] + by))
    assert found.state == state
    if by:
        assert (found.columns[0].column, found.says.count("x3")) == ("x3", 1)
        assert found.columns[0].auc > 0.62
    assert found.ess == pytest.approx({0.0: 0.97, 0.8: 0.5, 1.5: 0.2, 4.0: 0.1}[by], abs=0.15)


@pytest.mark.parametrize("column", ["kind", "day", "text", "whole"])
def test_a_shift_is_seen_in_any_type(column: str) -> None:
    train, test = (odd(700, seed).drop(columns="zone") for seed in (0, 1))
    other = {"kind": "c", "day": pd.Timestamp("2025-01-01"), "text": "a short one", "whole": 30}[column]
    changed = test[column].astype(object).where(np.arange(700) % 2 == 0, other)
    found = adversarial(train, test.assign(**{column: changed}))
    assert found.state in ("look", "shifted") and found.columns[0].column == column


def test_every_row_of_train_gets_a_likeness_from_models_that_did_not_see_it() -> None:
    train, test = normal(6000, 4), normal(500, 4, seed=1).assign(x0=lambda table: table["x0"] + 2)
    found = adversarial(train, test, rows=800)
    assert found.rows == (800, 500) and found.likeness.shape == (6000,)
    far, near = found.likeness[train["x0"] < 0].mean(), found.likeness[train["x0"] > 1.5].mean()
    assert far < 0.3 < 0.6 < near
    random = adversarial(normal(300, 3), normal(300, 3, seed=1))
    assert np.std(random.likeness) < 0.1  # a model that had seen its rows would know them


def test_measures_are_the_same_twice_and_follow_the_seed() -> None:
    train, test = normal(3000, 4), normal(3000, 4, seed=1).assign(x0=lambda table: table["x0"] + 0.4)
    one, two, other = (adversarial(train, test, rows=500, seed=seed) for seed in (0, 0, 1))
    assert one.likeness.tobytes() == two.likeness.tobytes() and (one.auc, one.columns) == (two.auc, two.columns)
    assert one.auc != other.auc
    leaks = [column_tells(train, test["x0"].to_numpy(), "regression") for _ in range(2)]
    assert leaks[0] == leaks[1]


def test_too_few_rows_and_no_shared_column_say_nothing_of_a_shift() -> None:
    assert adversarial(normal(100), normal(10)).state == "unknown"
    assert "no column" in adversarial(normal(100), normal(100).add_prefix("y")).says


# leaks


@pytest.mark.parametrize(("told", "by"), [
    (lambda y, rng: y * 3.0 + 1, "values"),
    (lambda y, rng: np.where(y, "yes", "no"), "values"),
    (lambda y, rng: np.where(y, rng.choice([-3, 3], len(y)), 0.0) + 0.1 * rng.normal(size=len(y)), "values"),
    (lambda y, rng: np.where(y, np.nan, rng.normal(size=len(y))), "gaps"),
], ids=["number", "category", "not monotone", "gaps"])
def test_a_column_that_tells_the_class_is_a_leak(told: object, by: str) -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 800)
    leaks = single_column_leaks(normal(800).assign(told=told(y, rng)), y, "binary")
    assert {(leak.column, leak.level) for leak in leaks} == {("told", "leak until explained")}
    assert by in {leak.by for leak in leaks}


def test_an_id_of_many_values_is_no_leak_but_rows_in_the_order_of_the_target_are() -> None:
    y = np.random.default_rng(0).integers(0, 3, 600)
    table = normal(600).assign(name=[f"n{row}" for row in range(600)])
    assert single_column_leaks(table, y, "multiclass") == []
    (leak,) = single_column_leaks(table, np.sort(y), "multiclass")
    assert (leak.by, leak.value, leak.says) == ("order", 1.0, "the order of the rows alone tells the target with AUC 1.000: leak until explained")


@pytest.mark.parametrize(("noise", "level"), [(0.05, "leak until explained"), (0.27, "suspicious"), (0.6, "")])
def test_a_column_that_follows_a_number_is_told_by_rank_correlation(noise: float, level: str) -> None:
    y = np.random.default_rng(0).normal(size=2000)
    best = column_tells(normal(2000, seed=1).assign(told=np.exp(-y - noise * np.random.default_rng(2).normal(size=2000))), y, "regression")[0]
    assert (best.column, best.measure, best.level) == ("told", "spearman", level)


@pytest.mark.parametrize("rows", [200, 2000])
@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_columns_without_signal_stay_near_their_bound(rows: int, task: str) -> None:
    rng = np.random.default_rng(rows)
    y = rng.normal(size=rows) if task == "regression" else rng.integers(0, {"binary": 2, "multiclass": 5}[task], rows)
    table = normal(rows, 60).assign(name=[f"n{row}" for row in rng.permutation(rows)], kind=rng.choice(list("abc"), rows))
    best = column_tells(table, y, task)[0]
    assert best.value < best.bound + 1 / np.sqrt(rows) and not best.level


def test_few_rows_of_a_class_are_no_leak_by_luck() -> None:
    y = np.zeros(300, int)
    y[:3] = 1
    table = normal(300, 300).assign(told=y)
    assert single_column_leaks(table.sample(frac=1, random_state=1), pd.Series(y).sample(frac=1, random_state=1).to_numpy(), "binary") == []


# all


def test_every_type_of_column_is_taken() -> None:
    table = odd(400)
    y = np.random.default_rng(0).integers(0, 2, 400)
    assert near_duplicates(table, odd(200, 1), y=y).share == 0
    assert adversarial(table.drop(columns=["zone"]), odd(200, 1)).rows == (400, 200)
    assert {leak.column for leak in column_tells(table, y, "binary")} >= {"text", "7", "day", "list", "whole"}


@pytest.mark.parametrize("table", [pd.DataFrame(), pd.DataFrame({"x": []}), pd.DataFrame({"x": [1.0]}), pd.DataFrame({"x": [None, None]}), normal(3)],
                         ids=["nothing", "no rows", "one row", "no values", "three rows"])
def test_tables_of_next_to_nothing_give_no_finding(table: pd.DataFrame) -> None:
    y = np.arange(len(table)) % 2
    assert near_duplicates(table, table.iloc[:0], y=y).share == 0
    assert near_duplicates(table).groups.tolist() == list(range(len(table)))
    assert adversarial(table, table).state == "unknown"
    assert single_column_leaks(table, y, "binary") == []


def test_a_target_of_another_length_is_refused() -> None:
    with pytest.raises(KKError, match=r"the target has 9 values, train has 10 rows\. Give one value"):
        single_column_leaks(normal(10), np.arange(9), "regression")
    with pytest.raises(KKError, match=r"the target has 9 values"):
        near_duplicates(normal(10), y=np.arange(9))


@pytest.mark.skipif(not DATA.is_dir(), reason="the real competitions are not beside the project")
@pytest.mark.parametrize(("folder", "id_column", "share"), [("titanic", "PassengerId", 0.0), ("bike-sharing-demand", "datetime", 0.0),
                                                            ("nomad2018-predict-transparent-conductors", "id", 0.651)])
def test_copies_in_real_competitions(folder: str, id_column: str, share: float) -> None:
    train, test = (pd.read_csv(DATA / folder / "files" / f"{name}.csv") for name in ("train", "test"))
    names = [name for name in test if name != id_column]
    assert near_duplicates(train[names], test[names]).share == pytest.approx(share, abs=1e-3)
    if folder == "titanic":  # families share a ticket: groups, no copies
        assert near_duplicates(train[names].drop(columns="Name")).share == 0
