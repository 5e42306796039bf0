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
    assert record["splitter"] == "group" and record["recommendation"]["params"] == {"group": "site"}
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
    (["--split", "time", "--gap", "900d"], "are longer than the data"),
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
