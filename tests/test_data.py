"""kk data: every finding by a defect that was planted, drift beside chance, samples that say so, one screen, one picture."""

import datetime
import decimal
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from kagglekit.errors import KKError
from kagglekit.tables.profile import column_drift
from kagglekit.tables.profile.drift import design_effect
from kagglekit.verbs.data import Data, data
from tests.conftest import Ran

FACTS = {"schema": {"task": "binary", "id": ["id"], "target": ["y"], "test_is_stub": False}, "columns": {"group": [], "time": "", "ignore": []}}


def tables(rows: int = 600, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Train and test of one population, in which nothing is wrong."""
    random = np.random.default_rng(seed)
    total = rows + rows // 2
    table = pd.DataFrame({"id": np.arange(total), "a": random.normal(size=total), "b": random.normal(size=total),
                          "colour": random.choice(["red", "green", "blue"], total), "size": random.integers(1, 6, total)})
    table["y"] = (table["a"] + random.normal(size=total) > 0).astype(int)
    return table.iloc[:rows].copy(), table.iloc[rows:].drop(columns="y").reset_index(drop=True)


def join_by_hand(workspace: Path, train: pd.DataFrame, test: pd.DataFrame | None, **facts: object) -> Path:
    """A competition's folder as `kk join` leaves it."""
    folder = workspace / "competitions" / "planted"
    (folder / "data" / "tables").mkdir(parents=True, exist_ok=True)
    for role, table in (("train", train), ("test", test)):
        if table is not None:
            table.to_parquet(folder / "data" / "tables" / f"{role}.parquet", index=False)
    lines = ['slug = "planted"', '[files]', 'train = "train.csv"', f'test = "{"test.csv" if test is not None else ""}"']
    for section, known in FACTS.items():
        lines += [f"[{section}]", *(f"{name} = {json.dumps(facts.get(name, value))}" for name, value in known.items())]
    (folder / "competition.toml").write_text("\n".join(lines), encoding="utf-8")
    return folder


def look(workspace: Path, train: pd.DataFrame, test: pd.DataFrame | None, *, rows: int = 200_000, all_rows: bool = False, **facts: object) -> Data:
    join_by_hand(workspace, train, test, **facts)
    return data(competition="planted", plot=False, rows=rows, all_rows=all_rows)


def codes(record: Data) -> set[str]:
    return {finding.code for finding in record.findings}


def column(record: Data, name: str) -> dict:
    return next(dict(one) for one in record.columns if one["name"] == name)


Tables = tuple[pd.DataFrame, pd.DataFrame | None, dict]


def shifted(train: pd.DataFrame, test: pd.DataFrame) -> Tables:
    return train, test.assign(a=test["a"] + 1), {}


def slightly_shifted(train: pd.DataFrame, test: pd.DataFrame) -> Tables:
    train, test = tables(60_000)
    return train, test.assign(a=test["a"] + 0.05), {}


def new_colour(train: pd.DataFrame, test: pd.DataFrame) -> Tables:
    return train, test.assign(colour=test["colour"].replace("red", "violet")), {}


def gaps_in_test(train: pd.DataFrame, test: pd.DataFrame) -> Tables:
    return train, test.assign(b=test["b"].where(np.arange(len(test)) % 2 == 0)), {}


def leaking(train: pd.DataFrame, test: pd.DataFrame) -> Tables:
    noise = np.random.default_rng(1).normal(size=len(train))
    return train.assign(b=10 * ((train["y"] * 2 - 1) ** 2 + train["y"]) + noise), test.assign(b=15.0 + test["b"]), {}


def leaking_values(train: pd.DataFrame, test: pd.DataFrame) -> Tables:
    return train.assign(y=np.exp(3 * train["b"])), test, {"task": "regression"}


def leaking_category(train: pd.DataFrame, test: pd.DataFrame) -> Tables:
    return train.assign(colour=np.where(train["y"] == 1, "red", "blue")), test, {}


def sorted_by_target(train: pd.DataFrame, test: pd.DataFrame) -> Tables:
    return train.sort_values("y").assign(id=np.arange(len(train))), test, {}


def across(train: pd.DataFrame, test: pd.DataFrame) -> Tables:
    return train, pd.concat([test, train.iloc[:9].drop(columns="y").assign(id=range(5000, 5009))], ignore_index=True), {}


def twins(train: pd.DataFrame, test: pd.DataFrame) -> Tables:
    return pd.concat([train, train.iloc[:9].assign(id=range(5000, 5009))], ignore_index=True), test, {}


def conflict(train: pd.DataFrame, test: pd.DataFrame) -> Tables:
    return pd.concat([train, train.iloc[:9].assign(id=range(5000, 5009), y=1 - train["y"].iloc[:9])], ignore_index=True), test, {}


def twins_in_test(train: pd.DataFrame, test: pd.DataFrame) -> Tables:
    return train, pd.concat([test, test.iloc[:9].assign(id=range(5000, 5009))], ignore_index=True), {}


def rare(train: pd.DataFrame, test: pd.DataFrame) -> Tables:
    return train.assign(y=np.where(np.arange(len(train)) < 4, 2, train["y"])), test, {"task": "multiclass"}


def one_answer(train: pd.DataFrame, test: pd.DataFrame) -> Tables:
    return train.assign(y=1), test, {}


def no_answers(train: pd.DataFrame, test: pd.DataFrame) -> Tables:
    return train.assign(y=train["y"].astype("Int64").where(train.index > 3)), test, {}


def long_tail(train: pd.DataFrame, test: pd.DataFrame) -> Tables:
    return train.assign(y=np.exp(np.random.default_rng(2).normal(4, 1, len(train)))), test, {"task": "regression"}


def with_column(**of: Callable[[int], object]) -> Callable[[pd.DataFrame, pd.DataFrame], Tables]:
    return lambda train, test: (train.assign(**{name: make(len(train)) for name, make in of.items()}),
                                test.assign(**{name: make(len(test)) for name, make in of.items()}), {})


def later(train: pd.DataFrame, test: pd.DataFrame) -> Tables:
    start = pd.Timestamp("2025-01-01")
    return (train.assign(day=start + pd.to_timedelta(np.arange(len(train)), unit="D")),
            test.assign(day=start + pd.to_timedelta(len(train) + np.arange(len(test)), unit="D")), {})


def taking_turns(train: pd.DataFrame, test: pd.DataFrame) -> Tables:
    hours = pd.Timestamp("2025-01-01") + pd.to_timedelta(np.arange(len(train) + len(test)), unit="h")
    late = pd.Series(np.arange(len(hours)) % 90 >= 60)
    return train.assign(hour=hours[~late]), test.assign(hour=hours[late]), {}


def new_groups(train: pd.DataFrame, test: pd.DataFrame) -> Tables:
    return train.assign(who=np.arange(len(train)) // 6), test.assign(who=1000 + np.arange(len(test)) // 6), {"group": ["who"], "ignore": ["who"]}


PLANTED = [
    ("drift", "a", "chance stays below", shifted), ("small-drift", "a", "below 0.05", slightly_shifted),
    ("drift", "colour", "a value that train has not", new_colour), ("drift", "b", "differs", gaps_in_test),
    ("leak", "b", "AUC", leaking), ("leak", "b", "R2", leaking_values), ("leak", "colour", "AUC", leaking_category),
    ("leak", "id", "in the order of the target", sorted_by_target),
    ("rows-across", "", "9 of 309 rows", across), ("rows-repeat-train", "", "9 of 609 rows", twins),
    ("conflicting-rows", "", "18 of 609 rows", conflict), ("rows-repeat-test", "", "9 of 309 rows", twins_in_test),
    ("rare-class", "y", "class 2 of y has 4 rows", rare), ("target-constant", "y", "only one value", one_answer),
    ("target-missing", "y", "4 of 600 rows", no_answers), ("skewed-target", "y", "log1p", long_tail),
    ("no-target", "", "no target is known", lambda train, test: (train, test, {"target": []})),
    ("no-target", "z", "the target z is not in train", lambda train, test: (train, test, {"target": ["z"]})),
    ("one-table", "extra", "test lacks it", lambda train, test: (train.assign(extra=1.5 * train["b"]), test, {})),
    ("one-table", "more", "train lacks it", lambda train, test: (train, test.assign(more=1), {})),
    ("empty-in-test", "b", "no value at all in test", lambda train, test: (train, test.assign(b=np.nan), {})),
    ("infinite", "b", "1 infinite", lambda train, test: (train.assign(b=np.append(np.inf, train["b"][1:])), test, {})),
    ("constant", "same", "one value only", with_column(same=lambda n: np.full(n, 3))),
    ("constant", "void", "one value only", with_column(void=lambda n: pd.Series([None] * n, dtype="float64"))),
    ("near-constant", "odd", "nearly always", with_column(odd=lambda n: (np.arange(n) == 5).astype(int))),
    ("id-like", "number", "another value in every row", with_column(number=lambda n: np.random.default_rng(n).permutation(n) + 70)),
    ("id-like", "code", "another value in every row", with_column(code=lambda n: [f"u{k * 7919 % 10007:05d}" for k in range(n)])),
    ("equal-columns", "copy", "are equal", lambda train, test: (train.assign(copy=train["a"]), test.assign(copy=test["a"]), {})),
    ("one-to-one", "inches", "determine each other",
     lambda train, test: (train.assign(inches=-2.54 * train["a"]), test.assign(inches=-2.54 * test["a"]), {})),
    ("one-to-one", "farbe", "determine each other",
     lambda train, test: (train.assign(farbe=train["colour"].str.upper()), test.assign(farbe=test["colour"].str.upper()), {})),
    ("mostly-missing", "few", "mostly missing", with_column(few=lambda n: np.where(np.arange(n) % 5 == 0, np.arange(n) % 7, np.nan))),
    ("time", "day", "test is later than train by day", later), ("time", "hour", "blocks of test between", taking_turns),
    ("groups", "who", "train has 0%", new_groups),
    ("stub", "", "the visible test is a stub (300 rows)", lambda train, test: (train, test, {"test_is_stub": True})),
    ("no-test", "", "no test table", lambda train, test: (train, None, {})),
    ("no-test", "", "has no rows", lambda train, test: (train, test.iloc[:0], {})),
]


def test_nothing_is_found_where_nothing_is_wrong(workspace: Path) -> None:
    for seed in range(5):
        assert look(workspace, *tables(seed=seed)).findings == ()


@pytest.mark.parametrize(("code", "name", "says", "plant"), PLANTED, ids=[f"{code}-{name}" for code, name, _, _ in PLANTED])
def test_a_planted_defect_is_found(workspace: Path, code: str, name: str, says: str, plant: Callable) -> None:
    train, test, facts = plant(*tables())
    found = [finding for finding in look(workspace, train, test, **facts).findings if finding.code == code]
    assert any(says in finding.says for finding in found), found
    assert not name or any(name in finding.columns for finding in found)


def test_what_cannot_be_compared_is_not(workspace: Path) -> None:
    train, test, _ = shifted(*tables())
    record = look(workspace, train, test, test_is_stub=True)
    assert all(one["drift"] is None for one in record.columns) and record.duplicates["across"] is None
    assert codes(record) == {"stub"} and column(record, "a")["missing_test"] == 0
    assert codes(look(workspace, train, None)) == {"no-test"}


def test_the_worst_comes_first(workspace: Path) -> None:
    train, test, _ = shifted(*tables())
    gaps = {"b": train["b"].where(train.index > 400), "y": train["y"].astype("Int64").where(train.index > 3)}
    record = look(workspace, train.assign(**gaps), test)
    assert [finding.severity for finding in record.findings] == ["fatal", "warn", "warn", "note"]
    assert record.findings[0].code == "target-missing" and record.columns[0]["name"] == "b"
    assert record.columns[-1]["role"] != "feature"


# Drift


def test_drift_of_numbers_is_the_ks_distance(workspace: Path) -> None:
    from scipy.stats import ks_2samp

    random = np.random.default_rng(0)
    for values in (random.normal(size=700), random.integers(0, 90, 700).astype(float)):
        one, other = values[:400], values[400:] * 1.2
        drift = column_drift(one, other)
        assert drift.measure == "ks" and drift.value == pytest.approx(ks_2samp(one, other).statistic)


def test_drift_of_categories_is_the_total_variation_and_counts_new_values() -> None:
    drift = column_drift(pd.Series(["a"] * 60 + ["b"] * 30 + [None] * 10), pd.Series(["a"] * 20 + ["c"] * 20))
    assert drift.measure == "tv" and drift.value == pytest.approx(0.5) and drift.unseen == pytest.approx(0.5) and drift.beyond


@pytest.mark.parametrize("draw", [
    lambda random, n: random.normal(size=n), lambda random, n: random.integers(0, 3, n), lambda random, n: random.random(n) < 0.1,
    lambda random, n: random.integers(0, 300, n).astype(str), lambda random, n: np.floor(random.pareto(1, n) * 5).astype(int).astype(str),
    lambda random, n: random.integers(0, 10**9, n).astype(str),
], ids=["numbers", "few", "truth", "categories", "long tail of categories", "ids"])
def test_chance_alone_stays_below_its_level(draw: Callable) -> None:
    random = np.random.default_rng(0)
    drifts = [column_drift(draw(random, 150), draw(random, 80), alpha=0.05) for _ in range(200)]
    assert sum(drift.beyond for drift in drifts) <= 0.05 * 200 + 7
    assert np.mean([drift.value / drift.chance for drift in drifts]) > 0.2


def test_drift_beyond_chance_is_seen() -> None:
    random = np.random.default_rng(0)
    assert column_drift(random.random(2000) < 0.1, random.random(1000) < 0.2).beyond
    assert column_drift(random.normal(size=2000), random.normal(0.25, size=1000)).beyond
    words = random.integers(0, 40, 3000)
    assert column_drift(words[:2000].astype(str), np.where(words[2000:] < 8, 7, words[2000:]).astype(str)).beyond


def test_rows_of_a_group_count_as_one_where_they_are_alike(workspace: Path) -> None:
    random = np.random.default_rng(3)
    assert design_effect(np.repeat(random.normal(size=50), 10), np.repeat(np.arange(50), 10)) == pytest.approx(10, rel=0.6)
    assert design_effect(random.normal(size=500), np.repeat(np.arange(50), 10)) < 2
    cried = 0
    for seed in range(10):
        train, test = tables(seed=seed)
        random = np.random.default_rng(seed)
        people = [pd.DataFrame({"who": np.arange(len(table)) // 20 + start, "age": np.repeat(random.normal(size=len(table) // 20), 20)})
                  for table, start in ((train, 0), (test, 1000))]
        record = look(workspace, train.join(people[0]), test.join(people[1]), group=["who"])
        assert record.columns and column(record, "age")["drift"]["measure"] == "ks"
        cried += "drift" in codes(record)
        if seed == 0:
            plain = column_drift(people[0]["age"], people[1]["age"], alpha=0.01 / 8)
            assert column(record, "age")["drift"]["chance"] > 2 * plain.chance
    assert cried == 0


def test_another_id_in_every_row_is_no_drift(workspace: Path) -> None:
    train, test = tables()
    record = look(workspace, train.assign(file=[f"a{k}.png" for k in range(600)]), test.assign(file=[f"b{k}.png" for k in range(300)]))
    assert codes(record) == {"id-like"} and not column(record, "file")["drift"]["beyond"]


def test_drift_without_values_is_none() -> None:
    assert column_drift([], [1.0]) is None and column_drift([None], pd.Series([np.nan])) is None


# Samples


def test_a_sample_is_always_the_same_and_says_so(workspace: Path, kk: Callable[..., Ran]) -> None:
    train, test = tables(4000)
    train.loc[:9, "b"] = np.nan
    train = pd.concat([train, train.iloc[-5:].assign(id=range(90_000, 90_005))], ignore_index=True)
    join_by_hand(workspace, train, test)
    first, second = (kk("data", "-c", "planted", "--no-plot", "--rows", 1000) for _ in range(2))
    assert first.out == second.out and "a sample of 1,000 rows is looked at" in " ".join(first.out.split())
    record = data(competition="planted", plot=False, rows=1000)
    assert (record.train["rows"], record.train["looked_at"]) == (4005, 1000)
    assert column(record, "b")["missing_train"] == pytest.approx(10 / 4005)  # counted in all rows
    assert record.duplicates["train"] == 5 and "5 of 4,005 rows" in next(one.says for one in record.findings if one.code == "rows-repeat-train")
    assert data(competition="planted", plot=False, rows=1000, all_rows=True).train["looked_at"] == 4005


def test_very_long_tables_are_compared_in_part_and_keep_copies_together(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kagglekit.tables.profile.rows.KEPT_ROWS", 2000)
    train, test = tables(4000)
    record = look(workspace, pd.concat([train, train.assign(id=train["id"] + 90_000)], ignore_index=True), test)
    found = record.duplicates
    assert 0.2 < found["looked_at"] < 0.3 and found["train"] == found["train_rows"] / 2 > 500


def test_too_small_a_sample_is_refused(workspace: Path, kk: Callable[..., Ran]) -> None:
    join_by_hand(workspace, *tables())
    ran = kk("data", "-c", "planted", "--rows", 5)
    assert ran.code == 1 and ran.error.startswith("Error: 5 rows say too little")


# What is shown


def test_the_picture_and_the_screen_of_a_joined_competition(small: Path, kk: Callable[..., Ran]) -> None:
    ran = kk("data")
    lines = ran.out.splitlines()
    assert ran.code == 0 and lines[-1] == "next: kk cv" and max(map(len, lines)) <= 80 and len(lines) <= 42
    assert "site: 60 groups of 4.0 rows in train, 30 in test, of which train has 0%" in " ".join(ran.out.split())
    assert "test is later than train by day" in ran.out and "target y: 2 classes" in ran.out
    assert (small / "reports" / "data.png").read_bytes()[:4] == b"\x89PNG"
    found = kk("data", "--json", "--no-plot").json
    assert found["picture"] is None and found["train"]["rows"] == 240 and found["others"][0]["file"] == "sample_submission.csv"
    assert {"name", "kind", "missing_train", "missing_test", "distinct", "drift", "signal", "flags"} <= set(found["columns"][0])


def test_a_wide_table_fits_the_screen(workspace: Path, kk: Callable[..., Ran]) -> None:
    train, test = tables()
    random = np.random.default_rng(9)
    more = {f"a_rather_long_name_of_column_{k}": random.normal(size=900) for k in range(300)}
    wide = pd.DataFrame({name: values[:600] for name, values in more.items()}), pd.DataFrame({name: values[600:] for name, values in more.items()})
    wide[1]["a_rather_long_name_of_column_123"] += 1
    join_by_hand(workspace, train.join(wide[0]), test.join(wide[1]))
    lines = kk("data", "-c", "planted", "--no-plot").out.splitlines()
    assert len(lines) <= 42 and max(map(len, lines)) <= 80 and any("more columns, none drifts" in line for line in lines)
    first = lines[next(number for number, line in enumerate(lines) if line.startswith("column ")) + 2]
    assert "0.4" in first or "0.3" in first
    record = data(competition="planted", plot=False)
    assert [finding.columns for finding in record.findings] == [("a_rather_long_name_of_column_123",)]


def test_columns_of_any_type_and_name(workspace: Path) -> None:
    train, test = tables()

    def odd(table: pd.DataFrame) -> pd.DataFrame:
        n = len(table)
        return table.assign(**{
            "x.1": table["a"], "pri$e $x_{": table["b"] * 2e7, "日本": ["さくら", "うめ"] * (n // 2), "two\nlines": table["a"] > 0,
            "x" * 90: 1.5 * table["b"], "big": [2**63 + k for k in range(n)], "exact": [decimal.Decimal(k % 9) / 4 for k in range(n)],
            "day": [datetime.date(2024, 1, 1 + k % 28) for k in range(n)],
            "at": [datetime.time(k % 24) for k in range(n)], "list": [[k % 3] for k in range(n)], "kind": pd.Categorical(["u", "v"] * (n // 2)),
            "story": [f"once upon a time there was number {k}" for k in range(n)], "empty": [None] * n})
    join_by_hand(workspace, odd(train), odd(test))
    record = data(competition="planted")
    kinds = {str(one["name"]): one["kind"] for one in record.columns}
    assert kinds["day"] == "date" and kinds["kind"] == kinds["日本"] == "category" and kinds["story"] == "text" and kinds["two\nlines"] == "bool"
    assert kinds["exact"] == "number" and kinds["empty"] == "empty" and column(record, "story")["length"] > 30
    assert Path(str(record.picture)).stat().st_size > 10_000


def test_targets_of_values_of_words_and_of_several_columns(workspace: Path) -> None:
    train, test = tables()
    record = look(workspace, train.assign(y=np.arange(600) % 100), test, task="regression")
    assert record.targets[0]["quantiles"]["0.5"] == pytest.approx(49.5) and record.targets[0]["zeros"] == pytest.approx(0.01)
    record = look(workspace, train.assign(y=np.resize(["cat", "dog", "dog"], 600)), test, task="multiclass")
    assert record.targets[0]["classes"][0] == {"value": "dog", "count": 400, "share": pytest.approx(2 / 3)}
    assert record.targets[0]["rarest"]["value"] == "cat"
    record = look(workspace, train.assign(z=train["a"] * 3), test, task="multitarget", target=["y", "z"])
    assert [one["name"] for one in record.targets] == ["y", "z"] and record.targets[1]["quantiles"]


def test_images_and_other_tables_are_counted(workspace: Path, kk: Callable[..., Ran]) -> None:
    folder = join_by_hand(workspace, *tables())
    tables()[0].to_parquet(folder / "data" / "tables" / "stores.parquet")
    names = ["stores.csv", *(f"photos/{k}.JPG" for k in range(12)), "photos/readme.txt"]
    (folder / "data" / "manifest.json").write_text(json.dumps({"files": [{"name": name, "bytes": 1} for name in names]}), encoding="utf-8")
    out = kk("data", "-c", "planted", "--no-plot").out
    assert "images 12 in photos" in out and "other  stores.csv (600 x 6)" in out


def test_without_a_train_table_it_says_what_to_do(workspace: Path) -> None:
    folder = join_by_hand(workspace, *tables())
    (folder / "data" / "tables" / "train.parquet").unlink()
    with pytest.raises(KKError, match="Fetch it again: kk join planted"):
        data(competition="planted")
