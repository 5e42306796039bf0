"""kk cv: folds in long form with a rule, a fingerprint and an audit; advice with evidence."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import kagglekit
from kagglekit.errors import KKError
from kagglekit.store import open_store
from kagglekit.work.load import read_table
from tests.conftest import Ran


def test_folds_are_saved_in_long_form_with_their_fingerprint(small: Path, kk: Callable[..., Ran]) -> None:
    record = kk("cv", "--split", "stratified", "--json").json
    long = pd.read_parquet(small / "folds" / "stratified5.parquet")
    assert list(long.columns) == ["id", "repeat", "fold"] and long["fold"].dtype == np.int16 and len(long) == 240
    assert record["fingerprint"] == kagglekit.load_folds("stratified5").fingerprint
    assert record["rows"] == record["scored_rows"] == 240 and sum(record["sizes"]) == 240
    assert {"splitter", "params", "evidence"} <= set(record["recommendation"])


def test_the_advice_finds_the_groups_that_test_does_not_share(small: Path, kk: Callable[..., Ran]) -> None:
    record = kk("cv", "--json").json
    assert record["recommendation"]["splitter"] == "time"  # the small contest's test is later than train
    store = open_store()
    store.toml.write_text(store.toml.read_text().replace('time = "day"', 'time = ""'))
    record = kk("cv", "--json").json
    assert record["splitter"] == "stratified-group" and record["recommendation"]["params"] == {"group": "site"}
    assert any("0% of test's are known from train" in line for line in record["recommendation"]["evidence"])


def test_a_random_split_over_groups_is_warned_of(small: Path) -> None:
    found = {finding.code: finding for finding in kagglekit.cv(split="random").audit}
    assert found["group-shared"].severity == "warn"
    assert "group-shared" not in {finding.code for finding in kagglekit.cv(split="group").audit}


def test_a_foreign_file_is_audited_against_the_declared_group_and_time(small: Path, tmp_path: Path, kk: Callable[..., Ran]) -> None:
    train = read_table(open_store(), "train")
    path = tmp_path / "mine.csv"
    train[["id"]].assign(fold=np.arange(240) % 5).sample(frac=1, random_state=0).to_csv(path, index=False)
    ran = kk("cv", "--audit", path, "--group", "site")
    assert ran.code == 1 and "group-in-two-folds" in ran.error
    told = kk("cv", "--audit", path, "--group", "site", "--json")
    assert told.code == 1 and told.json["audit"][0]["severity"] == "fatal" and "group-in-two-folds" in told.json["error"]["what"]
    assert "time-order" in kk("cv", "--audit", path, "--split", "time", "--time", "day").error
    codes = pd.factorize(train["site"])[0]
    train[["id"]].assign(fold=codes % 5).to_csv(path, index=False)
    assert kk("cv", "--audit", path, "--group", "site", "--json").code == 0
    train[["id"]].assign(fold=1, id=7).to_csv(path, index=False)
    assert "more than once" in kk("cv", "--audit", path).error


def test_changed_rows_or_folds_are_noticed(small: Path) -> None:
    kagglekit.cv(split="random")
    store = open_store()
    parquet = store.folds_files("random5")[0]
    long = pd.read_parquet(parquet)
    long.assign(fold=long["fold"].to_numpy()[::-1]).to_parquet(parquet)
    with pytest.raises(KKError, match="the folds random5 were changed since they were made"):
        kagglekit.load_folds("random5")
    kagglekit.cv(split="random")
    train = read_table(store, "train")
    train.iloc[::-1].to_parquet(store.table("train.csv"))
    with pytest.raises(KKError, match="were made for other rows"):
        kagglekit.load_folds("random5")


def test_repeats_have_their_own_seeds_and_average_over_rows(small: Path) -> None:
    folds = kagglekit.cv(split="stratified", n=3, repeats=2)
    the_folds = kagglekit.load_folds(folds.folds)
    assert folds.repeats == 2 and len(the_folds) == 6 and (the_folds.vector(0) != the_folds.vector(1)).any()
    assert len(kagglekit.train("linear").score.per_fold) == 6


@pytest.mark.parametrize(("args", "message"), [
    (["--split", "stratifed"], "no splitter is called 'stratifed'. Did you mean stratified"),
    (["--split", "group", "--group", "sites"], "train has no column 'sites'. Did you mean site"),
    (["--split", "random", "-n", "1"], "1 folds are too few"),
    (["--split", "random", "-n", "999"], "999 folds are more than the 240 rows"),
    (["--split", "group", "-n", "99"], "99 folds are more than the 60 groups"),
    (["--split", "time", "--time", "colour"], "the time column 'colour' has"),
    (["--split", "time", "--gap", "900d"], "times the time that the data spans"),
    (["--split", "time", "--gap", "soon"], "'soon' is no length of time"),
    (["--split", "group", "--group", "colour"], "the group column 'colour' has"),
    (["--audit", "nope"], "no folds are called 'nope'"),
    (["--audit", "nope.csv"], "no file nope.csv"),
])
def test_bad_input_is_one_line_with_the_remedy(small: Path, args: list[str], message: str, kk: Callable[..., Ran]) -> None:
    ran = kk("cv", *args)
    assert ran.code == 1 and message in ran.error, ran.err


def test_a_person_s_splitter_and_force_are_kept(small: Path, workspace: Path, kk: Callable[..., Ran]) -> None:
    (workspace / "mine.py").write_text("import numpy as np\ndef halves(y, n=2, seed=0):\n    return np.arange(len(y)) % n\n")
    assert kk("cv", "--split", "mine.py:halves", "-n", "2", "--json").json["sizes"] == [120, 120]
    assert "group-in-two-folds" in kk("cv", "--split", "mine.py:halves", "--group", "site").error
    record = kk("cv", "--split", "mine.py:halves", "--group", "site", "--force", "--json").json
    assert record["forced"]
    assert "--force" in kk("train", "linear").out and "--force" in kk("status").out


def test_folds_do_not_depend_on_the_order_of_rows(small: Path, kk: Callable[..., Ran]) -> None:
    store = open_store()
    train = read_table(store, "train")

    def by_id(split: str) -> dict:
        kk("cv", "--split", split, "--force")
        long = pd.read_parquet(small / "folds" / f"{split}5.parquet")
        return dict(zip(long["id"], long["fold"], strict=True))

    splits = ("random", "stratified", "stratified-group", "time", "adversarial")
    before = {split: by_id(split) for split in splits}
    train.sample(frac=1, random_state=1).reset_index(drop=True).to_parquet(store.table("train.csv"))
    assert {split: by_id(split) for split in splits} == before


def test_every_splitter_is_made_audited_saved_and_read_back(small: Path, kk: Callable[..., Ran]) -> None:
    from kagglekit.splitters import REGISTRY

    for name in REGISTRY.names():
        given = {"multilabel": None, "predefined": ["--from", "site"], "leave-one-group-out": ["--group", "site"]}.get(name, ["--split", name])
        if given is None:
            continue
        ran = kk("cv", *given, *(["--split", name] if name == "leave-one-group-out" else []), "--name", "one", "--force", "--json")
        assert ran.code == 0, (name, ran.err)
        folds = kagglekit.load_folds("one")
        assert folds.fingerprint == ran.json["fingerprint"] and folds.sizes == ran.json["sizes"], name
        assert all(len(fold.valid) and not set(fold.train) & set(fold.valid) for fold in folds)
        assert (small / "reports" / "folds-one.png").read_bytes()[:4] == b"\x89PNG"


def test_time_folds_imitate_the_test_period_and_keep_gap_and_window(small: Path, kk: Callable[..., Ran]) -> None:
    record = kk("cv", "--split", "time", "-n", "2", "--gap", "3d", "--window", "20d", "--json").json
    folds = kagglekit.load_folds(record["folds"])
    day = 86400e9
    for fold in folds:
        distance = folds.order[fold.valid].min() - folds.order[fold.train]
        assert distance.min() >= 3 * day and distance.max() <= 23 * day
    purged = kk("cv", "--split", "purged", "--horizon", "2d", "--embargo", "1d", "--json").json
    folds = kagglekit.load_folds(purged["folds"])
    for fold in folds:
        first, last = folds.order[fold.valid].min(), folds.order[fold.valid].max()
        inside = (folds.order[fold.train] + 2 * day >= first) & (folds.order[fold.train] <= last + 3 * day)
        assert not inside.any()


def test_without_a_time_column_rows_are_the_time(small: Path, kk: Callable[..., Ran]) -> None:
    store = open_store()
    store.toml.write_text(store.toml.read_text().replace('time = "day"', 'time = ""'))
    record = kk("cv", "--split", "time", "-n", "3", "--gap", "10", "--json").json
    assert record["params"]["time"] == "row" and record["params"]["gap"] == 10
    fold = kagglekit.load_folds(record["folds"]).one(0, 0)
    assert fold.valid.min() - fold.train.max() == 10


def test_folds_go_out_to_a_file_and_come_back(small: Path, workspace: Path, kk: Callable[..., Ran]) -> None:
    made = kk("cv", "--split", "random", "--repeats", "2", "--export", "folds.csv", "--json").json
    table = pd.read_csv("folds.csv")
    assert list(table.columns) == ["id", "repeat", "fold"] and len(table) == 480
    table.sample(frac=1, random_state=0).rename(columns={"fold": "kfold"}).to_csv("mine.csv", index=False)
    back = kk("cv", "--from", "mine.csv", "--json").json
    assert back["folds"] == "mine" and back["fingerprint"] == made["fingerprint"]
    table[table["fold"] < 2].to_csv("part.csv", index=False)
    partial = kk("cv", "--from", "part.csv", "--json").json
    assert partial["scored_rows"] < 240 and {finding["code"] for finding in partial["audit"]} >= {"coverage"}
    table.assign(id=table["id"] + 10_000).to_csv("other.csv", index=False)
    assert "240 ids in other.csv are not in the table" in kk("cv", "--from", "other.csv").error
    table.assign(fold=0.5).to_csv("half.csv", index=False)
    assert "0.5, which is no whole number" in kk("cv", "--from", "half.csv").error
    assert "neither a column of train nor a csv" in kk("cv", "--from", "sight").error


def test_scikit_learn_splitters_keep_their_own_training_rows(small: Path) -> None:
    from sklearn.model_selection import KFold, TimeSeriesSplit

    made = kagglekit.cv(split=TimeSeriesSplit(4, max_train_size=50), name="series")
    folds = kagglekit.load_folds("series")
    assert folds.rule == "given" and len(folds) == 4 and all(len(fold.train) <= 50 for fold in folds)
    assert folds.fingerprint == made.fingerprint and (small / "folds" / "series.train.npz").exists()
    assert kagglekit.train("linear", folds="series").rows_scored == made.scored_rows
    (small / "folds" / "series.train.npz").unlink()
    with pytest.raises(KKError, match="the training rows of series are gone"):
        kagglekit.load_folds("series")
    assert kagglekit.load_folds(kagglekit.cv(split=KFold(3, shuffle=True), name="plain").folds).rule == "rest"


def test_copies_are_kept_together(small: Path, kk: Callable[..., Ran]) -> None:
    store = open_store()
    train = read_table(store, "train")
    copies = pd.concat([train, train.iloc[:40].assign(id=range(9000, 9040))], ignore_index=True)
    copies.to_parquet(store.table("train.csv"))
    store.toml.write_text(store.toml.read_text().replace('time = "day"', 'time = ""').replace('group = ["site"]', "group = []"))
    ran = kk("cv", "--split", "random", "--json")
    assert ran.code == 1 and any(finding["code"] == "near-duplicates" and finding["severity"] == "fatal" for finding in ran.json["audit"])
    record = kk("cv", "--split", "random", "--duplicates", "--json").json
    assert record["splitter"] == "group" and record["params"]["duplicates"]
    vector = kagglekit.load_folds(record["folds"]).vector()
    assert (vector[:40] == vector[240:]).all()
    assert any("of train's rows have a (near) copy in train" in line for line in kk("cv", "--json").json["recommendation"]["evidence"])
    assert "cannot keep duplicates together" in kk("cv", "--split", "purged", "--duplicates").error


def test_how_many_folds_and_repeats_a_standard_error_takes(small: Path, kk: Callable[..., Ran]) -> None:
    record = kk("cv", "--split", "stratified", "--se", "0.001", "--json").json
    assert record["precision"]["sd_data"] > 0.001 and not record["precision"]["feasible"] and record["file"] == ""
    assert not (small / "folds" / "stratified5.json").exists()
    assert "only more data" in kk("cv", "--split", "stratified", "--se", "0.001").out
    assert kk("cv", "--split", "stratified", "--se", "0.5", "--json").json["precision"]["feasible"]


@pytest.mark.parametrize(("args", "message"), [
    (["--split", "random", "--gap", "3d"], "--gap means nothing to the split random"),
    (["--split", "mixed", "--group", "site", "--known", "1.5"], "--known 1.5 is no share"),
    (["--split", "time", "--repeats", "2"], "gives the same folds for every seed"),
    (["--split", "time", "--test-size=-3d"], "'-3d' is no length of time"),
    (["--split", "group", "--group", "site:prefx"], "prefx"),
    (["--export", "folds.txt", "--split", "random"], "folds.txt is neither csv nor parquet"),
    (["--split", "random", "--se", "-1"], "-1 is no standard error"),
])
def test_more_bad_input_is_one_line_with_the_remedy(small: Path, args: list[str], message: str, kk: Callable[..., Ran]) -> None:
    ran = kk("cv", *args)
    assert ran.code == 1 and message in ran.error, ran.err
