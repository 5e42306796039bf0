"""Submissions as tables: the sample's exact form, the preflight beside the arena's own verdict, exact csv files, make.py."""

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kagglekit.errors import KKError
from kagglekit.ledger import open_ledger
from kagglekit.metrics import check_metric
from kagglekit.practice.contest import Contest
from kagglekit.practice.create import create
from kagglekit.practice.reading import Malformed
from kagglekit.practice.scoring import score_file
from kagglekit.practice.state import State
from kagglekit.run import Run, Submission, now
from kagglekit.store import Store, open_store
from kagglekit.tables.submission import labels_of, preflight, rle_decode, rle_encode, same_file, top_k, write_csv
from kagglekit.tables.submission.check import Preflight
from kagglekit.verbs.join import join
from kagglekit.verbs.submit import submit
from kagglekit.verbs.submit_zeros import submit_zeros
from kagglekit.work.upload import checked_table

ROWS = 12
TEXT_IDS = [f"{number:03d}" for number in range(ROWS)]
# What preflight refuses although the arena takes it, by its words: Kaggle refuses these, or the score would be worth nothing.
STRICTER = ("that the sample lacks", "twice", "is not one of the target's", "of which no score can be made", "too large for a label")
# What preflight warns of although the arena refuses it.
WARNED = "values below 0"


def contest(home: Path, name: str, metric: str, hidden: dict[str, list], sample: dict[str, object], ids: list | None = None) -> Contest:
    """A contest of the arena with these answers, half of them public; train is the same rows with other ids."""
    folder = home.parent / f"source-{name}"
    (folder / "files").mkdir(parents=True)
    rows = len(next(iter(hidden.values())))
    table = pd.DataFrame({"id": ids or list(range(100, 100 + rows)), "size": np.arange(rows) / 7, **hidden})
    target = next(iter(hidden)) if len(hidden) == 1 else "kind"
    train = table[["size"]].assign(**{target: table[target] if len(hidden) == 1 else [list(hidden)[number % len(hidden)] for number in range(rows)]})
    train.insert(0, "id", [f"t{identity}" for identity in table["id"]] if ids else np.arange(rows))
    train.to_csv(folder / "files" / "train.csv", index=False)
    table[["id", "size"]].to_csv(folder / "files" / "test.csv", index=False)
    table[["id"]].assign(**sample).to_csv(folder / "files" / "sample_submission.csv", index=False)
    usage = np.where(np.arange(rows) % 4 < 2, "Public", "Private")
    table[["id", *hidden]].assign(Usage=usage).to_csv(folder / "solution.csv", index=False)
    return create(home, name, source=folder, metric=metric, now=State(home).now(), daily_limit=50)


@pytest.fixture(scope="module")
def contests(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Contest, pd.DataFrame, tuple]]:
    """Contest, sample as written and classes by name: labels (numbers, text), probabilities (one and three columns), values."""
    home = tmp_path_factory.mktemp("arena") / "home"
    home.mkdir()
    truth = [number % 2 for number in range(ROWS)]
    three = {name: [int(number % 3 == code) for number in range(ROWS)] for code, name in enumerate("abc")}
    plain, text = list(range(100, 100 + ROWS)), TEXT_IDS
    made = {
        "number-labels": ("accuracy", {"y": [number % 3 for number in range(ROWS)]}, {"y": 0}, None, (0, 1, 2)),
        "unknown-labels": ("qwk", {"y": [number % 3 for number in range(ROWS)]}, {"y": 0}, text, ()),
        "text-labels": ("accuracy", {"y": ["cat" if one else "dog, small" for one in truth]}, {"y": "cat"}, text, ("cat", "dog, small")),
        "one-proba": ("logloss", {"y": truth}, {"y": 0.5}, text, (0, 1)),
        "rank": ("auc", {"y": truth}, {"y": 0}, None, (0, 1)),
        "three-proba": ("mlogloss", three, {"a": 0.4, "b": 0.3, "c": 0.3}, None, ("a", "b", "c")),
        "rmse": ("rmse", {"y": [number / 3 for number in range(ROWS)]}, {"y": 0.0}, text, ()),
        "rmsle": ("rmsle", {"y": [number / 3 for number in range(ROWS)]}, {"y": 0}, None, ()),
    }
    return {name: (contest(home, name, metric, hidden, sample, ids),
                   pd.DataFrame({"id": ids or plain}).assign(**sample), classes) for name, (metric, hidden, sample, ids, classes) in made.items()}


# The property: preflight and the arena agree

def values_of(classes: tuple, name: str) -> st.SearchStrategy:
    """A column of predictions: good ones most of the time, else of numbers, text, truth values or gaps."""
    good = st.sampled_from(classes) if classes and "label" in name else st.floats(0, 1)
    whole = st.integers(-3, 5)
    words = st.sampled_from(["", "cat", "NA", " 1", "2.0", "True", "1e400", "x\ny", 'a "b", c'])
    odd = st.one_of(st.floats(), words, st.booleans(), st.none(), whole)
    kinds = [whole, st.floats(-2, 3), st.sampled_from([0.0, 1.0, 2.0]), st.booleans(), st.floats(allow_nan=False, allow_infinity=False)]
    several = st.lists(good, min_size=ROWS, max_size=ROWS)
    spoilt = st.tuples(several, st.integers(0, ROWS - 1), odd).map(lambda told: [*told[0][:told[1]], told[2], *told[0][told[1] + 1:]])
    others = [st.lists(kind, min_size=ROWS, max_size=ROWS) for kind in kinds]
    return st.integers(0, 11).flatmap(lambda draw: ([*others, spoilt, spoilt] + [several] * 5)[draw])


@st.composite
def tables(draw: st.DrawFn, sample: pd.DataFrame, classes: tuple, name: str) -> pd.DataFrame:
    """A submission: the sample's ids with drawn values, and often something done to its rows, ids or columns."""
    values = {column: draw(values_of(classes, name)) for column in sample.columns[1:]}
    table = sample[["id"]].assign(**{column: pd.Series(cells) for column, cells in values.items()})
    done = draw(st.sampled_from(["nothing"] * 6 + ["shuffled", "columns", "short", "doubled", "strange", "extra", "renamed", "spaces", "floats",
                                                  "empty", "longer"]))
    row = draw(st.integers(0, ROWS - 1))
    return {
        "nothing": lambda: table, "shuffled": lambda: table.iloc[draw(st.permutations(range(ROWS)))], "columns": lambda: table[table.columns[::-1]],
        "short": lambda: table.drop(index=row), "doubled": lambda: table.assign(id=table["id"].where(table.index != row, table["id"].iloc[row - 1])),
        "strange": lambda: table.assign(id=table["id"].where(table.index != row, 999)), "extra": lambda: table.assign(more=1),
        "renamed": lambda: table.rename(columns={sample.columns[-1]: "other"}), "spaces": lambda: table.rename(columns=lambda name: f" {name}"),
        "floats": lambda: table.assign(id=table["id"].astype(float)), "empty": lambda: table.iloc[:0],
        "longer": lambda: pd.concat([table, table.iloc[[row]]]),
    }[done]()


def verdict(place: Contest, path: Path) -> str:
    """What the arena says of a file: '' where it is scored."""
    try:
        with np.errstate(all="ignore"):
            score_file(place, path)
    except Malformed as error:
        return str(error)
    return ""


@pytest.mark.parametrize("name", ["number-labels", "unknown-labels", "text-labels", "one-proba", "rank", "three-proba", "rmse", "rmsle"])
def test_what_preflight_accepts_the_arena_scores_and_what_it_refuses_the_arena_refuses(contests: dict, tmp_path: Path, name: str) -> None:
    place, sample, classes = contests[name]
    seen = {"accepted": 0, "refused": 0}

    @settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(tables(sample, classes, name))
    def agree(table: pd.DataFrame) -> None:
        path = tmp_path / "submission.csv"
        try:
            ready: Preflight | None = preflight(table, sample, ["id"], place.scorer, classes)
            reason = ""
        except KKError as error:
            ready, reason = None, str(error)
        if ready is None:
            table.to_csv(path, index=False)
            assert verdict(place, path) or any(words in reason for words in STRICTER), reason
            seen["refused"] += 1
            return
        write_csv(ready.table, path)
        said = verdict(place, path)
        assert not said or any(WARNED in warning for warning in ready.warnings), (said, ready)
        assert [line[0] for line in csv.reader(path.open(newline=""))][1:] == sample["id"].astype(str).tolist()
        seen["accepted"] += 1

    agree()
    assert min(seen.values()) > 3, seen


# What is refused, with row and column

SAMPLE = pd.DataFrame({"id": TEXT_IDS[:4], "y": [0.0] * 4})


@pytest.mark.parametrize(("change", "says"), [
    (lambda t: t.assign(y=[0.1, np.nan, 0.3, np.nan]), r"no value \(NaN\) in column 'y', row 1 \(2 in all\)\. Fill every row"),
    (lambda t: t.assign(y=[0.1, 0.2, np.inf, 0.3]), r"column 'y' holds infinite values, the first in row 2\. Replace them"),
    (lambda t: t.assign(y=[0.1, 0.2, 0.3, "many"]), r"column 'y' holds text such as 'many', the sample holds numbers\. Send numbers; look at row 3"),
    (lambda t: t.assign(y=pd.Timestamp("2024-01-01")), r"column 'y' holds dates such as 2024-01-01"),
    (lambda t: t.assign(y=[0.1, -1e200, 0.3, 0.4]), r"column 'y' holds -1e\+200 in row 1, of which no score can be made\. Clip"),
    (lambda t: t.assign(id=["000", "001", "001", "003"]), r"has the id '1' more than once, again in row 2\. Give one row per id"),
    (lambda t: t.assign(id=["000", "001", "a7", "003"]), r"has 1 ids that the table does not have, such as 'a7' in row 2\. .* look like '000'"),
    (lambda t: t.assign(id=["000", None, "002", "003"]), r"the submission has no id in column 'id', row 1\. Give every row its id"),
    (lambda t: t.iloc[:3], r"the submission lacks 1 of 4 ids, such as '3'\. Give one row per id of the sample"),
    (lambda t: t.iloc[:0], r"the submission is empty\. Give one row for each of the sample's 4"),
    (lambda t: t.assign(**{"Unnamed: 0": 1}), r"has the column 'Unnamed: 0' that the sample lacks\. Write it without the index: to_csv\(path, index"),
    (lambda t: pd.concat([t, t[["y"]]], axis=1), r"the submission has the column 'y' twice\. Leave one out"),
    (lambda t: t.rename(columns={"y": "Y1"}), r"has no column 'y' \(it has id, Y1\)\."),
])
def test_a_refusal_names_the_row_the_column_and_the_way_out(change: Callable, says: str) -> None:
    with pytest.raises(KKError, match=says):
        preflight(change(SAMPLE.assign(y=[0.1, 0.2, 0.3, 0.4])), SAMPLE, ["id"], check_metric("rmse"), ())


def test_rows_are_named_as_they_were_given_also_where_they_are_in_another_order() -> None:
    with pytest.raises(KKError, match="column 'y', row 0"):
        preflight(SAMPLE.iloc[::-1].assign(y=[np.nan, 1, 2, 3]), SAMPLE, ["id"], None, ())


def test_a_file_over_the_limit_is_refused_and_not_kept(tmp_path: Path) -> None:
    table = pd.DataFrame({"id": range(200_000), "y": np.random.default_rng(0).normal(size=200_000)})
    with pytest.raises(KKError, match=r"s\.csv would have about 5 MB, Kaggle takes 1\. Round the predictions"):
        write_csv(table, tmp_path / "s.csv", limit=1_000_000)
    assert list(tmp_path.glob("*s.csv*")) == [] and list(tmp_path.glob(".*")) == []


# What is mended

@pytest.mark.parametrize(("change", "said"), [
    (lambda t: t.iloc[[2, 0, 3, 1]], ("rows put into the sample's order",)),
    (lambda t: t[["y", "id"]], ("columns put into the sample's order",)),
    (lambda t: t.assign(id=[0, 1, 2, 3]), ("ids written as the sample writes them",)),
    (lambda t: t.assign(id=[0.0, 1.0, 2.0, 3.0]), ("ids written as the sample writes them",)),
    (lambda t: t.assign(y=t["y"].astype(str)), ("text in column 'y' read as numbers",)),
    (lambda t: t.rename(columns={"y": " y "}), ("spaces left out around the name of column 'y'",)),
    (lambda t: t.set_index("id"), ("the index became the column 'id'",)),
    (lambda t: t, ()),
])
def test_what_is_safe_is_mended_and_said(change: Callable, said: tuple) -> None:
    right = SAMPLE.assign(y=[0.1, 0.2, 0.3, 0.4])
    ready = preflight(change(right), SAMPLE, ["id"], check_metric("rmse"), ())
    pd.testing.assert_frame_equal(ready.table, right)
    assert ready.mended == said


@pytest.mark.parametrize(("sample", "classes", "given_values", "sent"), [
    (0, (0, 1), [1.0, 0.0, 1.0, 1.0], ["1", "0", "1", "1"]),
    (0, (), [1.0, 0.0, 1.0, 1.0], ["1", "0", "1", "1"]),
    (0, (0, 1), [True, False, True, True], ["1", "0", "1", "1"]),
    (False, (False, True), [1, 0, 1, 1], ["True", "False", "True", "True"]),
    ("false", (False, True), [True, False, True, True], ["true", "false", "true", "true"]),
    ("no", ("no", "yes"), ["yes", "no", "yes", "yes"], ["yes", "no", "yes", "yes"]),
])
def test_labels_are_sent_as_the_sample_writes_them(tmp_path: Path, sample: object, classes: tuple, given_values: list, sent: list[str]) -> None:
    ready = preflight(SAMPLE.assign(y=given_values), SAMPLE.assign(y=sample), ["id"], check_metric("accuracy"), classes)
    write_csv(ready.table, tmp_path / "s.csv")
    assert [line.split(",") for line in (tmp_path / "s.csv").read_text().split()[1:]] == [list(pair) for pair in zip(TEXT_IDS, sent, strict=False)]


# What is warned of

@pytest.mark.parametrize(("metric", "values", "says"), [
    ("rmse", {"y": [2.5] * 4}, ["every row has the same prediction"]),
    ("rmse", {"y": [1, 2, 3, 4]}, []),
    ("logloss", {"y": [0.1, 1.2, 0.3, 0.4]}, ["some probabilities are outside 0 to 1: column 'y' goes from 0.1 to 1.2"]),
    ("rmsle", {"y": [1, 2, -0.5, 3]}, ["column 'y' has values below 0 (the first in row 2), of which rmsle makes no score: clip them at 0"]),
    ("mlogloss", {"a": [0.1, 0.5, 0.5, 0.5], "b": [0.9, 0.5, 0.7, 0.5]}, ["probabilities do not sum to 1 in every row: in row 2 to 1.2"]),
    ("mlogloss", {"a": [0.1, 0.5, 0.3, 0.5], "b": [0.9, 0.5, 0.7, 0.5]}, []),
])
def test_odd_values_are_warned_of_and_not_blocked(metric: str, values: dict, says: list[str]) -> None:
    sample = SAMPLE[["id"]].assign(**dict.fromkeys(values, 0.5))
    assert preflight(sample.assign(**values), sample, ["id"], check_metric(metric), ()).warnings == tuple(says)


@pytest.mark.parametrize("rows", [300, 30_000])
def test_a_near_copy_of_an_earlier_submission_is_told_with_its_name(tmp_path: Path, rows: int) -> None:
    random = np.random.default_rng(1)
    sample = pd.DataFrame({"id": [f"x{number}" for number in range(rows)], "y": 0.0})
    first, other = (sample.assign(y=random.normal(size=rows)) for _ in range(2))
    earlier = {f"{number:03d}-r{number}.csv": tmp_path / f"{number}.csv" for number in range(1, 4)}
    for path, table in zip(earlier.values(), (first, other, first.assign(y=first["y"] + 2e-2 * random.normal(size=rows))), strict=True):
        write_csv(table, path)
    warned = preflight(first.iloc[::-1], sample, ["id"], None, (), {**earlier, "gone.csv": tmp_path / "gone.csv"}).warnings
    assert [text.split(" in the ")[0].split(", row by row")[0] for text in warned] == [
        "these are the predictions of 001-r1.csv", warned[1].split(" in the ")[0]]
    assert warned[1].startswith("a near copy of 003-r3.csv: correlation 0.999") and len(warned) == 2
    assert ("rows compared" in warned[0]) == (rows > 1000)
    assert preflight(sample.assign(y=random.normal(size=rows)), sample, ["id"], None, (), earlier).warnings == ()


# The csv

def test_every_float_comes_back_with_the_same_bits(tmp_path: Path) -> None:
    drawn = np.random.default_rng(0).integers(0, 2**64, 60_000, dtype=np.uint64).view(np.float64)
    hard = [5e-324, np.finfo(float).tiny, np.finfo(float).max, -np.finfo(float).max, -0.0, 0.0, 0.1 + 0.2, 2.0**53 + 2, 1 / 3, 123456789012345680.0]
    values = np.concatenate([drawn[np.isfinite(drawn)], 10.0 ** np.arange(-323, 309), hard])
    write_csv(pd.DataFrame({"id": np.arange(len(values)), "y": values}), tmp_path / "s.csv")
    lines = (tmp_path / "s.csv").read_text().split()
    assert lines[0] == "id,y" and len(lines) == len(values) + 1
    back = np.array([float(line.split(",")[1]) for line in lines[1:]])
    assert (back.view(np.uint64) == values.view(np.uint64)).all()
    assert all(_digits(line.split(",")[1]) == _digits(repr(value)) for line, value in zip(lines[1:], values.tolist(), strict=True))


def _digits(text: str) -> str:
    """The digits that count."""
    return text.partition("e")[0].replace(".", "").strip("-0")


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.text(st.sampled_from('ab ",\n\r\'é;'), max_size=5), st.one_of(st.none(), st.floats(allow_nan=False)), st.booleans()),
                min_size=1, max_size=5), st.text(st.sampled_from('ab ",'), min_size=1, max_size=4))
def test_any_text_is_quoted_where_it_must_be_and_read_back(tmp_path: Path, rows: list, name: str) -> None:
    table = pd.DataFrame(rows, columns=[name, "number", "truth"])
    path = tmp_path / "s.csv"
    write_csv(table, path)
    header, *lines = list(csv.reader(path.open(newline="", encoding="utf-8")))
    assert header == [name, "number", "truth"]
    assert [(text, float(number) if number else None, truth) for text, number, truth in lines] == [
        (text, number, str(truth)) for text, number, truth in rows]
    assert same_file(table, path) and not same_file(table.assign(truth=1), path)
    if not any(letter in name + "".join(row[0] for row in rows) for letter in '",\r\n'):
        assert '"' not in path.read_text()


def test_large_tables_keep_their_order(tmp_path: Path) -> None:
    table = pd.DataFrame({"id": [f"{number:07d}" for number in range(300_000)], "y": np.float32(0.1)})
    write_csv(table, tmp_path / "s.csv")
    assert (tmp_path / "s.csv").read_text() == "id,y\n" + "".join(f"{number:07d},0.1\n" for number in range(300_000))


# Through the front: zeros in the sample's exact form, and make.py

@pytest.fixture
def enter(workspace: Path) -> Callable[..., Store]:
    """Makes a contest with a sample of these lines, joins it in practice mode and gives its Store."""
    (workspace / "arena").mkdir()

    def entered(metric: str, hidden: dict[str, list], sample: str, ids: list) -> Store:
        place = contest(workspace / "arena", "tiny", metric, hidden, dict.fromkeys(hidden, 0), ids)
        place.sample_path().write_text(sample)
        join("tiny", practice=True)
        return open_store("tiny")

    return entered


def a_run(store: Store, test: np.ndarray) -> Run:
    """A finished run with these test predictions."""
    run = store.new_run(lambda number: Run(id=number, name="mine", kind="add", recipe="mine", status="done", created=now()))
    store.write_array(run, "test", test)
    open_ledger(store).save_run(run)
    return run


@pytest.mark.parametrize(("metric", "truth", "written", "zero"), [
    ("rmse", [0.5, 1.5], "0.50", "0"),
    ("accuracy", [3, 4], "3", "0"),
    ("accuracy", ["yes", "no"], "yes", "no"),
    ("accuracy", ["TRUE", "FALSE"], "TRUE", "FALSE"),
    ("accuracy", [True, False], "True", "False"),
])
def test_zeros_have_the_samples_ids_to_the_letter_and_its_nothing(enter: Callable, metric: str, truth: list, written: str, zero: str) -> None:
    ids = [f"{number:04d}.50" for number in range(60)]
    lines = "id,y\n" + "".join(f"{identity},{written}\n" for identity in ids)
    enter(metric, {"y": truth * 30}, lines, ids)
    sent = submit_zeros()
    assert Path(sent.file).read_text() == "id,y\n" + "".join(f"{identity},{zero}\n" for identity in ids)
    assert sent.status == "complete"
    told = [text for text in sent.warnings if text.startswith(f"column 'y' gets {zero!r}")]
    assert len(told) == (zero in ("no", "FALSE"))


def test_zeros_fill_every_column_and_whole_numbers_stay_whole(enter: Callable) -> None:
    ids = [f"{number:02d}" for number in range(60)]
    lines = "id,b,a\n" + "".join(f"{identity},0.5,1\n" for identity in ids)
    enter("rmse", {"b": [0.5] * 60, "a": [1, 2] * 30}, lines, ids)
    assert Path(submit_zeros(dry_run=True).file).read_text() == "id,b,a\n" + "".join(f"{identity},0,0\n" for identity in ids)
    again = Path(submit_zeros(dry_run=True, value="sample").file).read_text()
    assert again == lines


@pytest.fixture
def flowers(enter: Callable) -> Store:
    """A joined contest of three labels, ids with leading zeros."""
    ids = [f"{number:02d}" for number in range(60)]
    return enter("accuracy", {"y": ["aster", "rose", "tulip"] * 20}, "id,y\n" + "".join(f"{identity},rose\n" for identity in ids), ids)


def test_make_py_turns_predictions_into_the_samples_form_and_is_checked(flowers: Store) -> None:
    (flowers.folder / "make.py").write_text(
        "from kagglekit.tables.submission import labels_of\n\n"
        "def make(predictions, sample):\n"
        "    values = predictions[['aster', 'rose', 'tulip']]\n"
        "    return sample.assign(y=labels_of(-values, values.columns)).iloc[::-1]\n")
    shares = np.random.default_rng(0).dirichlet(np.ones(3), 60)
    a_run(flowers, shares)
    sent = submit("mine")
    worst = labels_of(-shares, ["aster", "rose", "tulip"])
    assert Path(sent.file).read_text() == "id,y\n" + "".join(f"{number:02d},{label}\n" for number, label in enumerate(worst))
    assert sent.status == "complete" and "rows put into the sample's order" in sent.warnings


def test_make_py_writes_several_rows_an_id(workspace: Path) -> None:
    source, months, random = workspace / "source", ("jan", "feb"), np.random.default_rng(0)
    (source / "files").mkdir(parents=True)
    (workspace / "arena").mkdir()
    train, test = (pd.DataFrame({"plot": np.arange(start, start + 40), "rain": random.normal(size=40).round(3)}) for start in (1, 101))
    train.assign(jan=train["rain"] * 2, feb=train["rain"] + 1).to_csv(source / "files" / "train.csv", index=False)
    test.to_csv(source / "files" / "test.csv", index=False)
    sample = pd.DataFrame({"plot_month": [f"{plot}_{month}" for plot in test["plot"] for month in months], "value": 0.0})
    sample.to_csv(source / "files" / "sample_submission.csv", index=False)
    sample.assign(value=1.5).to_csv(source / "solution.csv", index=False)
    create(workspace / "arena", "plots", source=source, metric="rmse", now=State(workspace / "arena").now())
    join("plots", practice=True)
    store = open_store("plots")
    (store.folder / "make.py").write_text(
        "from kagglekit.tables.submission import long_form\n\n"
        "def make(predictions, sample):\n"
        "    named = predictions.set_axis(['plot', 'jan', 'feb'], axis=1)\n"
        "    return long_form(named, ['plot'], names=['plot_month', 'value'])\n")
    assert store.competition.unit == ("plot",)
    values = random.normal(size=(40, 2))
    a_run(store, values)
    sent = submit("mine")
    assert pd.read_csv(sent.file)["value"].tolist() == values.ravel().tolist() and sent.status == "complete"
    assert pd.read_csv(sent.file)["plot_month"].tolist() == sample["plot_month"].tolist()


@pytest.mark.parametrize(("code", "says"), [
    ("def make(predictions, sample):\n    return sample.assign(y='weed')\n", "the label 'weed' in column 'y' is not one of the target's: aster,"),
    ("def make(predictions, sample):\n    return sample['y']\n", "gave Series, not a table. Return a DataFrame with the sample's columns"),
    ("def make(predictions, sample):\n    wrong = 1\n    return predictions['rsoe']\n", "Error: make.py, line 3: KeyError: 'rsoe'"),
    ("def male(predictions, sample):\n    return sample\n", "has no 'make'. Did you mean male?"),
])
def test_an_error_of_make_py_is_one_line_and_nothing_is_sent(flowers: Store, kk: Callable, code: str, says: str) -> None:
    (flowers.folder / "make.py").write_text(code)
    a_run(flowers, np.full((60, 3), 1 / 3))
    ran = kk("submit", "mine")
    assert ran.code == 1 and says in ran.error, ran.error
    assert flowers.all_submissions() == []


def test_a_copy_of_what_was_sent_is_told_with_its_score(flowers: Store) -> None:
    a_run(flowers, np.random.default_rng(0).dirichlet(np.ones(3), 60))
    first = submit("mine")
    again = submit("mine")
    assert first.warnings == ()
    assert again.warnings == (f"these are the predictions of 001-r1.csv (public {first.public:.6g}), row by row",)
    flowers.write_submission(Submission(n=9, file="by-hand.csv", ref="77", public=0.5))
    assert checked_table(flowers, pd.read_csv(first.file, dtype=str), None).warnings[0].startswith("these are the predictions of 002-r1.csv")


# Helpers for make.py

@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(1, 7), st.integers(1, 7), st.data())
def test_masks_come_back_from_their_run_lengths(rows: int, columns: int, data: st.DataObject) -> None:
    mask = np.array(data.draw(st.lists(st.integers(0, 1), min_size=rows * columns, max_size=rows * columns))).reshape(rows, columns)
    text = rle_encode(mask)
    assert (rle_decode(text, (rows, columns)) == mask).all()
    starts = np.array(text.split(), dtype=int)[::2]
    assert (mask.ravel(order="F")[starts - 1] == 1).all()


def test_run_lengths_and_lists_that_do_not_fit_are_refused() -> None:
    for text in ("1", "0 2", "3 9", "2 0"):
        with pytest.raises(ValueError, match="no run lengths of a mask of 2 x 3"):
            rle_decode(text, (2, 3))
    assert rle_decode(float("nan"), (2, 3)).sum() == 0
    with pytest.raises(ValueError, match="do not fit 2 classes"):
        top_k(np.ones((4, 3)), ["a", "b"])
