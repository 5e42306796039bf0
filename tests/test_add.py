"""kk add: predictions from elsewhere, aligned or refused with the fix, and what only looks wrong is said."""

import gzip
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kagglekit
from kagglekit.errors import KKError
from kagglekit.predictions import Form, read_predictions
from kagglekit.store import open_store
from kagglekit.verbs.join import join
from kagglekit.work.load import load_data, read_table
from tests.conftest import ROOT, Ran, copied, write_contest

Kk = Callable[..., Ran]


@pytest.fixture
def oof(small: Path) -> pd.DataFrame:
    """Good predictions with ids, in another order."""
    kagglekit.cv(split="stratified", n=4)
    store = open_store()
    random = np.random.default_rng(7)
    values = np.clip(load_data(store).target * 0.6 + 0.2 + 0.1 * random.normal(size=240), 0.01, 0.99)
    return read_table(store, "train")[["id"]].assign(y=values).sample(frac=1, random_state=1)


@pytest.fixture
def on_test(oof: pd.DataFrame) -> pd.DataFrame:
    return read_table(open_store(), "test")[["id"]].assign(y=np.linspace(0.1, 0.9, 120))


@pytest.fixture
def values(oof: pd.DataFrame) -> np.ndarray:
    """The predictions in the order of train."""
    return oof.sort_values("id")["y"].to_numpy().copy()


def use_metric(name: str) -> None:
    toml = open_store().toml
    toml.write_text(toml.read_text().replace('name = "auc"', f'name = "{name}"'))


def three_classes(rows: int = 240) -> dict[str, pd.DataFrame]:
    """A contest with the classes cat, dog and eel, told apart by one column."""
    random = np.random.default_rng(0)
    code = random.integers(0, 3, rows + 60)
    table = pd.DataFrame({"id": [f"{number:04d}" for number in range(rows + 60)], "x": code + 0.3 * random.normal(size=rows + 60)})
    label = np.array(["cat", "dog", "eel"])[code]
    train, test = table.iloc[:rows].assign(animal=label[:rows]), table.iloc[rows:].reset_index(drop=True)
    return {"train": train, "test": test, "sample_submission": test[["id"]].assign(animal="cat"),
            "solution": test[["id"]].assign(animal=label[rows:], Usage="Public")}


def prices(rows: int = 200) -> dict[str, pd.DataFrame]:
    """A contest of prices."""
    random = np.random.default_rng(0)
    x = random.normal(size=rows + 50)
    table = pd.DataFrame({"id": np.arange(rows + 50), "x": x, "price": np.exp(5 + x + 0.1 * random.normal(size=rows + 50)).round(2)})
    test = table.iloc[rows:].reset_index(drop=True)
    return {"train": table.iloc[:rows], "test": test[["id", "x"]], "sample_submission": test[["id"]].assign(price=0.0),
            "solution": test[["id", "price"]].assign(Usage="Public")}


@pytest.fixture(scope="module")
def other_arena(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from kagglekit.practice.create import create
    from kagglekit.practice.state import State

    home = tmp_path_factory.mktemp("others")
    state = State(home)
    for name, tables, metric in (("animals", three_classes(), "accuracy"), ("prices", prices(), "rmsle")):
        source = write_contest(tmp_path_factory.mktemp("source") / name, tables)
        create(home, name, source=source, metric=metric, now=state.now(), days=3000)
    return home


@pytest.fixture
def joined(workspace: Path, other_arena: Path) -> Iterator[Callable[[str], np.ndarray]]:
    """Join animals or prices and make four folds; gives the target as models learn it."""
    copied(other_arena, workspace / "arena")

    def one(name: str) -> np.ndarray:
        join(name, practice=True)
        kagglekit.cv(split="random", n=4)
        return load_data(open_store()).target

    yield one


@pytest.mark.parametrize("suffix", ["csv", "parquet", "tsv", "csv.gz"])
def test_tables_are_aligned_by_id_in_any_order(oof: pd.DataFrame, on_test: pd.DataFrame, suffix: str, tmp_path: Path, kk: Kk) -> None:
    paths = tmp_path / f"oof.{suffix}", tmp_path / f"test.{suffix}"
    for table, path in ((oof, paths[0]), (on_test.iloc[::-1], paths[1])):
        table.to_parquet(path) if suffix == "parquet" else table.to_csv(path, index=False, sep="\t" if suffix == "tsv" else ",")
    record = kk("add", "mine", "--oof", paths[0], "--test", paths[1], "--json").json
    assert record["aligned_by"] == "id" and record["score"]["mean"] > 0.99 and record["kind"] == "add" and record["warnings"] == []
    store = open_store()
    run = store.run("mine")
    assert store.array(run, "oof") == pytest.approx(oof.sort_values("id")["y"].to_numpy(), abs=1e-6)
    assert store.array(run, "test") == pytest.approx(on_test["y"].to_numpy(), abs=1e-6)


class Foreign:
    """A frame of another library, which has columns of its own kind and turns into pandas."""

    def __init__(self, table: pd.DataFrame) -> None:
        self.table, self.columns = table, list(table.columns)

    def to_pandas(self) -> pd.DataFrame:
        return self.table


class Tensor:
    """An array on a device and in a graph, as torch has it: numpy gets it only after detach and cpu."""

    def __init__(self, values: np.ndarray, free: int = 0) -> None:
        self.values, self.free = values, free

    def detach(self) -> "Tensor":
        return Tensor(self.values, self.free + 1)

    cpu = detach

    def __array__(self, dtype: object = None, copy: object = None) -> np.ndarray:
        if self.free < 2:
            raise RuntimeError("Can't call numpy() on Tensor that requires grad")
        return self.values


def test_every_form_gives_the_same_run(oof: pd.DataFrame, values: np.ndarray, tmp_path: Path) -> None:
    np.save(tmp_path / "oof.npy", values)
    np.savez(tmp_path / "ids.npz", id=oof["id"].to_numpy(), preds=oof["y"].to_numpy())
    np.savetxt(tmp_path / "bare.csv", values)
    with gzip.open(tmp_path / "semicolon.csv.gz", "wt") as file:
        oof.rename(columns={"y": "oof_preds"}).assign(note="x").to_csv(file, index=False, sep=";")
    forms = {"array": values, "list": values.tolist(), "npy": tmp_path / "oof.npy", "npz": tmp_path / "ids.npz", "bare": tmp_path / "bare.csv",
             "gz": tmp_path / "semicolon.csv.gz", "frame": oof, "index": oof.set_index("id"), "series": oof.set_index("id")["y"],
             "unnamed": oof.set_index("id")["y"].rename_axis(None).rename(None), "polars": Foreign(oof), "torch": Tensor(values),
             "two": np.column_stack([1 - values, values]), "float": values.astype(np.float32)}
    by_order = {"array", "list", "npy", "bare", "torch", "two", "float"}
    first = None
    for name, form in forms.items():
        record = kagglekit.add(name, oof=form)
        first = first or record
        assert record.aligned_by == ("order" if name in by_order else "id"), name
        assert record.score.mean == pytest.approx(first.score.mean, abs=1e-6), name
        assert record is first or first.run in record.near_copies, name
        assert any("aligned by row order" in line for line in record.warnings) == (name in by_order)


def test_a_frame_with_row_numbers_out_of_order_goes_by_them(oof: pd.DataFrame, values: np.ndarray, tmp_path: Path) -> None:
    """As predict_proba_oof() of AutoGluon comes: a column a class, the index that train had."""
    frame = pd.DataFrame({"1": values, "0": 1 - values}).sample(frac=1, random_state=3)
    straight = kagglekit.add("straight", oof=values)
    frame.to_csv(tmp_path / "oof.csv")
    for name in ("frame", "csv"):
        record = kagglekit.add(name, oof=frame if name == "frame" else tmp_path / "oof.csv")
        assert record.score == straight.score and record.aligned_by == "index"
        assert any("put in the order of the classes: 0, 1" in line for line in record.warnings)
    stacked = pd.concat([frame.iloc[:120].reset_index(drop=True), frame.iloc[120:].reset_index(drop=True)])
    with pytest.raises(KKError, match=r"repeats \(0 is there twice\), as when folds are stacked.*Add the column id"):
        kagglekit.add("stacked", oof=stacked)


@pytest.mark.parametrize(("spoil", "message"), [
    (lambda t: t.iloc[1:], "lack a value for 1 of 240 ids, such as '1228'"),
    (lambda t: pd.concat([t, t.iloc[:1]]), "the id '1228' is more than once in the OOF predictions"),
    (lambda t: pd.concat([t, pd.DataFrame({"id": [5], "y": [0.5]})]), "1 ids in the OOF predictions are not in the table, such as '5'"),
    (lambda t: t.assign(y=t["y"].where(t.index != 3)), "lack a value for 1 of 240 ids, such as '1003'"),
    (lambda t: t.assign(y="high"), "hold text that is no number"),
    (lambda t: t.rename(columns={"y": "z"}).assign(w=1), "have no column 'y'"),
    (lambda t: t.assign(y=np.nan), "lack a value for 240 of 240 ids, such as '1000'"),
    (lambda t: t.iloc[:0], "hold no rows"),
])
def test_tables_that_do_not_fit_are_refused_and_nothing_is_kept(oof: pd.DataFrame, spoil: Callable, message: str, tmp_path: Path, kk: Kk) -> None:
    spoil(oof).to_csv(tmp_path / "oof.csv", index=False)
    ran = kk("add", "bad", "--oof", tmp_path / "oof.csv")
    assert ran.code == 1 and message in ran.error
    assert not open_store().all_runs()


@pytest.mark.parametrize(("array", "message"), [
    (np.zeros(239), "have 239 rows, the table has 240"),
    (np.zeros((240, 3)), "have the shape (240, 3)"),
    (np.zeros((240, 2, 2)), "have the shape (240, 2, 2)"),
    (np.full((240, 2), 0.7), "the probabilities of row 0 sum to 1.4, not 1"),
    (np.full(240, np.inf), "infinite"),
    (np.full(240, np.nan), "have no value (NaN) in 240 of 240 rows"),
    (np.array([{}] * 240), "it holds Python objects"),
])
def test_arrays_that_do_not_fit_are_refused(oof: pd.DataFrame, array: np.ndarray, message: str, tmp_path: Path, kk: Kk) -> None:
    np.save(tmp_path / "oof.npy", array)
    ran = kk("add", "bad", "--oof", tmp_path / "oof.npy")
    assert ran.code == 1 and message in ran.error


def test_probabilities_must_be_some_where_the_metric_needs_them(oof: pd.DataFrame, values: np.ndarray) -> None:
    assert any("labels (only 0 and 1)" in line for line in kagglekit.add("labels", oof=(values > 0.75).astype(int)).warnings)
    assert kagglekit.add("scores", oof=values * 100).score.mean > 0.99
    use_metric("logloss")
    with pytest.raises(KKError, match=r"reach from .* to .*, probabilities lie in 0 to 1"):
        kagglekit.add("scores", oof=values * 5)
    with pytest.raises(KKError, match="are labels .* needs probabilities. Add predict_proba"):
        kagglekit.add("labels", oof=(values > 0.5).astype(int))
    with pytest.raises(KKError, match="the test predictions reach from"):
        kagglekit.add("test", oof=values, test=np.linspace(0, 3, 120))


def test_swapped_files_are_seen_by_their_lengths(oof: pd.DataFrame, on_test: pd.DataFrame, values: np.ndarray) -> None:
    for first, second in ((on_test, oof), (on_test["y"].to_numpy(), values), (on_test["y"].to_numpy(), None)):
        with pytest.raises(KKError, match="the other way round"):
            kagglekit.add("swapped", oof=first, test=second)


def test_folds_may_be_missing_as_a_whole_and_not_in_part(oof: pd.DataFrame, values: np.ndarray) -> None:
    folds = kagglekit.load_folds()
    left_out = folds.one(0, 3).valid
    rows = np.setdiff1d(np.arange(240), left_out)
    values[left_out] = np.nan
    by_nan = kagglekit.add("gaps", oof=values)
    by_id = kagglekit.add("ids", oof=oof.sort_values("id").iloc[rows].sample(frac=1, random_state=0))
    assert by_nan.rows_scored == by_id.rows_scored == 180 and by_nan.score == by_id.score and len(by_nan.score.per_fold) == 3
    assert any("3 of 4 folds are predicted" in line for line in by_id.warnings)
    values[left_out[0]] = 0.5
    with pytest.raises(KKError, match="have no value .NaN. in 59 of 240 rows"):
        kagglekit.add("part", oof=values)
    with pytest.raises(KKError, match="lack a value for 1 of 240 ids"):
        kagglekit.add("part", oof=oof.sort_values("id").iloc[rows[1:]])


def test_the_files_own_folds_must_agree(oof: pd.DataFrame) -> None:
    folds = kagglekit.load_folds()
    mine = pd.Series(folds.vector(), index=read_table(open_store(), "train")["id"])
    good = oof.assign(fold=oof["id"].map(mine).map({0: 4, 1: 1, 2: 2, 3: 3}))
    assert kagglekit.add("same", oof=good).aligned_by == "id"
    good.loc[good["id"].isin([1007, 1030]), "fold"] = 9
    with pytest.raises(KKError, match=r"disagrees with stratified4 in 2 rows: 1007 \(fold 9 there, \d in stratified4\), 1030"):
        kagglekit.add("other", oof=good)
    with pytest.raises(KKError, match="Did you mean stratified4"):
        kagglekit.add("unknown", oof=good, folds="stratifed4")


def test_classes_are_told_by_their_names_or_doubted(joined: Callable) -> None:
    target = joined("animals")
    random = np.random.default_rng(0)
    shares = (np.eye(3)[target] + 1.2 * random.dirichlet(np.ones(3), 240)) / 2.2
    straight, ids = kagglekit.add("straight", oof=shares), read_table(open_store(), "train")[["id"]]
    turned = ids.assign(proba_eel=shares[:, 2], proba_cat=shares[:, 0], proba_dog=shares[:, 1])
    record = kagglekit.add("named", oof=turned)
    assert record.score == straight.score and "order of the classes: proba_cat, proba_dog, proba_eel" in record.warnings[0]
    counted = kagglekit.add("counted", oof=ids.assign(p2=shares[:, 2], p0=shares[:, 0], p1=shares[:, 1]))
    assert counted.score == straight.score and "p0, p1, p2 are taken as the classes cat, dog, eel" in counted.warnings[0]
    doubted = kagglekit.add("unnamed", oof=shares[:, [2, 0, 1]])
    assert any("are right if they are eel, cat, dog" in line for line in doubted.warnings)
    assert not any("another order" in line for line in straight.warnings)
    labels = np.array(["cat", "dog", "eel"])[shares.argmax(axis=1)]
    assert kagglekit.add("labels", oof=ids.assign(animal=labels)).score.mean == pytest.approx(straight.score.mean)
    assert any("every label is right" in line for line in kagglekit.add("truth", oof=np.array(["cat", "dog", "eel"])[target]).warnings)


def test_probabilities_of_the_wrong_class_and_constants_are_said(oof: pd.DataFrame, values: np.ndarray) -> None:
    assert any("are these probabilities of 0? Then give 1 - predictions" in line for line in kagglekit.add("turned", oof=1 - values).warnings)
    assert any("the OOF predictions are the same number in every row" in line for line in kagglekit.add("flat", oof=np.full(240, 0.3)).warnings)
    record = kagglekit.add("flat-test", oof=values, test=np.full(120, 0.3))
    assert any("the test predictions are the same number" in line for line in record.warnings)


def test_logarithms_the_target_itself_and_other_scales_are_seen(joined: Callable) -> None:
    target = joined("prices")
    good = target * np.exp(0.2 * np.random.default_rng(0).normal(size=200))
    assert not any("log1p" in line for line in kagglekit.add("good", oof=good).warnings)
    assert any("np.expm1" in line for line in kagglekit.add("logs", oof=np.log1p(good)).warnings)
    with pytest.raises(KKError, match="are the target itself, in every row"):
        kagglekit.add("truth", oof=target)
    far = kagglekit.add("far", oof=good, test=np.log1p(good[:50]) + 1e5)
    assert any("on the same scale?" in line for line in far.warnings)
    assert kagglekit.add("close", oof=good + 1e-3).near_copies == ("r1", "r3")
    assert kagglekit.add("another", oof=target * np.exp(0.01 * np.random.default_rng(1).normal(size=200))).near_copies == ()


def test_what_cannot_be_read_is_said(oof: pd.DataFrame, tmp_path: Path, kk: Kk) -> None:
    assert "no file gone.csv" in kk("add", "x", "--oof", "gone.csv").error
    (tmp_path / "oof.txt").write_text("1")
    assert "Give one of: .csv, .csv.gz, .tsv, .parquet, .npy, .npz" in kk("add", "x", "--oof", tmp_path / "oof.txt").error
    oof.to_pickle(tmp_path / "oof.pkl")
    refused = kk("add", "x", "--oof", tmp_path / "oof.pkl").error
    assert "is a pickle: opening one can run any code, so it is not read. Save the values instead" in refused
    (tmp_path / "broken.npz").write_bytes(b"PK\x03\x04")
    assert "cannot be read as .npz" in kk("add", "x", "--oof", tmp_path / "broken.npz").error
    np.savez(tmp_path / "two.npz", a=np.zeros(240), b=np.zeros(240))
    assert 'holds 2 arrays: a, b. Call the one that is meant "oof"' in kk("add", "x", "--oof", tmp_path / "two.npz").error
    ran = kk("add", "x")
    assert ran.code == 1 and "there is nothing to add as x. Give --oof FILE [--test FILE], or --table FILE" in ran.error
    with pytest.raises(KKError, match="the OOF predictions are dict, not one value a row"):
        kagglekit.add("x", oof={"a": 1})


def test_a_single_number_and_decimal_commas(oof: pd.DataFrame, values: np.ndarray, tmp_path: Path, kk: Kk) -> None:
    np.save(tmp_path / "one.npy", np.array(0.5))
    assert "the OOF predictions are a single number, not one value a row" in kk("add", "one", "--oof", tmp_path / "one.npy").error
    with pytest.raises(KKError, match="the test predictions are a single number"):
        kagglekit.add("one", oof=values, test=np.array(0.5))
    oof.to_csv(tmp_path / "sheet.csv", index=False, sep=";", decimal=",")
    assert ";0," in (tmp_path / "sheet.csv").read_text()
    told = kk("add", "sheet", "--oof", tmp_path / "sheet.csv", "--json").json
    assert told["score"]["mean"] == kagglekit.add("same", oof=oof).score.mean and told["aligned_by"] == "id"


def test_a_folder_gives_its_models_or_the_commands_to_type(oof: pd.DataFrame, values: np.ndarray, tmp_path: Path, kk: Kk) -> None:
    zoo, test = tmp_path / "zoo", np.linspace(0.1, 0.9, 120)
    (zoo / "nn").mkdir(parents=True)
    np.save(zoo / "oof_lgb_v2.npy", values)
    np.save(zoo / "test_lgb_v2.npy", test)
    np.save(zoo / "xgb-oof.npy", values**2)
    np.save(zoo / "nn" / "oof_preds.npy", values**3)
    np.savez(zoo / "cat.npz", oof=values**4, test_preds=test)
    np.save(zoo / "oof_short.npy", values[:-1])
    error = kk("add", "all", "--oof", zoo).error
    assert "holds 5 models: " in error and f"kk add lgb_v2 --oof {zoo}/oof_lgb_v2.npy --test {zoo}/test_lgb_v2.npy" in error
    assert kk("add", "xgb", "--oof", zoo, "--json").json["score"]["mean"] > 0.99
    many = kk("add", "zoo", "--oof", zoo, "--every", "--json").json
    assert {row["name"] for row in many["rows"]} == {"zoo-lgb_v2", "zoo-xgb", "zoo-nn", "zoo-cat"}
    assert many["refused"] == [{"name": "zoo-short", "what": "the OOF predictions have 239 rows, the table has 240",
                                "do": "Give one row per row of the table, or a csv with the id column"}]
    store = open_store()
    assert {run.name for run in store.all_runs() if store.array(run, "test") is not None} == {"zoo-lgb_v2", "zoo-cat"}
    told = kk("add", "again", "--oof", zoo, "--every").out
    assert "again-short was left out" in told and max(map(len, told.splitlines())) <= 80


def test_folders_of_pickles_and_empty_ones_are_told(oof: pd.DataFrame, tmp_path: Path, kk: Kk) -> None:
    for name in ("empty", "ag"):
        (tmp_path / name).mkdir()
    assert "holds no out-of-fold predictions. Call the files oof_NAME and test_NAME" in kk("add", "x", "--oof", tmp_path / "empty").error
    (tmp_path / "ag" / "predictor.pkl").write_bytes(b"")
    assert 'Export them: predictor.predict_proba_oof().to_csv("oof.csv")' in kk("add", "x", "--oof", tmp_path / "ag").error


FORM = Form("the OOF predictions", pd.DataFrame({"id": [f"{number:03d}" for number in range(30)]}), ("y",), (1,))
PARTS = [np.arange(part, 30, 3) for part in range(3)]


@settings(max_examples=50, deadline=None)
@given(st.permutations(range(30)), st.sets(st.integers(0, 2), min_size=1), st.booleans())
def test_aligning_a_permuted_table_gives_the_values_back(order: list[int], parts: set[int], as_index: bool) -> None:
    truth = np.full(30, np.nan)
    for part in parts:
        truth[PARTS[part]] = PARTS[part] / 7
    table = FORM.ids.assign(y=truth).iloc[order].dropna()
    table = table.set_index("id") if as_index else table
    assert np.array_equal(read_predictions(table, FORM, PARTS).values, truth, equal_nan=True)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 60), min_size=1, max_size=60).filter(lambda ids: sorted(ids) != list(range(30))))
def test_other_ids_are_always_refused(ids: list[int]) -> None:
    table = pd.DataFrame({"id": [f"{number:03d}" for number in ids], "y": np.arange(len(ids), dtype=float)})
    with pytest.raises(KKError):
        read_predictions(table, FORM)


def test_several_targets_go_by_their_names_and_numbers_by_their_values() -> None:
    form = Form("the OOF predictions", pd.DataFrame({"id": [1, 2, 3]}), ("width", "height"), (2,))
    table = pd.DataFrame({"height": [6.0, 5.0, 4.0], "id": [3.0, 2.0, 1.0], "width": [3.0, 2.0, 1.0]})
    assert read_predictions(table, form).values.tolist() == [[1, 4], [2, 5], [3, 6]]
    with pytest.raises(KKError, match=r"have the shape \(3,\), expected 3 x 2"):
        read_predictions(np.zeros(3), form)


def test_the_score_does_not_depend_on_the_order_of_rows(oof: pd.DataFrame) -> None:
    scores = {kagglekit.add(f"shuffled-{seed}", oof=oof.sample(frac=1, random_state=seed)).score for seed in range(4)}
    assert len(scores) == 1


def blocks() -> list[tuple[str, str]]:
    """(language, text) of the page's code, in order."""
    text = (ROOT / "docs" / "bring-your-own.md").read_text(encoding="utf-8")
    return re.findall(r"```(sh|python|diff)\n(.*?)```", text, re.DOTALL)


def side(diff: str, sign: str) -> str:
    """The text before (-) or after (+) a diff."""
    return "".join(line[1:] or "\n" for line in diff.splitlines(keepends=True) if line[:1] in (" ", sign, "\n"))


def test_every_block_of_the_page_works_and_the_diff_turns_the_loop_into_a_run(workspace: Path, kk: Kk, capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, object] = {}
    plain = next(text for language, text in blocks() if language == "python")
    diff = next(text for language, text in blocks() if language == "diff")
    assert side(diff, "-").split() == plain.split()
    for language, text in blocks():
        if language == "sh":
            for line in filter(None, text.splitlines()):
                ran = kk(*shlex.split(line)[1:])
                assert ran.code == 0, f"{line}\n{ran.err}"
        else:
            exec(side(text, "+") if language == "diff" else text, names)
    printed = float(capsys.readouterr().out.splitlines()[0])
    store = open_store()
    run = store.run("forest")
    assert run.score.mean == pytest.approx(printed, abs=0.01) and np.array_equal(store.array(run, "oof"), np.float32(names["oof"]))
    assert [run.kind for run in store.all_runs()].count("table") == 2
