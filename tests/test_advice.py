"""The advice: tables made so that one rule must fire, tables of noise where none may, and real ones."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kagglekit.advice import Recommendation, derived, likeness, recommend
from kagglekit.advice.groups import expected_shared, intraclass
from kagglekit.advice.sizes import blocks_for, folds_for
from kagglekit.advice.targets import by_target
from kagglekit.competition import Competition
from kagglekit.errors import KKError
from kagglekit.practice.builtin.registry import REGISTRY
from tests.conftest import SHARED, Ran

RNG = np.random.default_rng


def contest(task: str = "regression", **facts: object) -> Competition:
    return Competition("made", Path("."), task=task, id=("id",), target=("y",), **facts)


def table(rows: int, seed: int = 0, **columns: object) -> pd.DataFrame:
    """Ids, three columns of noise and a target of noise beside what is given."""
    rng = RNG(seed)
    noise = {name: rng.normal(size=rows) for name in "xzy"}
    return pd.DataFrame({"id": rng.permutation(rows), "k": rng.integers(0, 50, rows), **noise, **columns})


def parted(whole: pd.DataFrame, asked: np.ndarray) -> tuple[pd.DataFrame, pd.DataFrame]:
    return whole[~asked].reset_index(drop=True), whole[asked].drop(columns="y").reset_index(drop=True)


def advised(whole: pd.DataFrame, asked: np.ndarray, competition: Competition, **options: object) -> Recommendation:
    return recommend(*parted(whole, asked), competition, **{"measure": False, **options})


def names(found: Recommendation) -> list[object]:
    return [one["splitter"] for one in found.runners_up]


# Time

def test_a_later_test_asks_for_blocks_of_its_length_and_gap() -> None:
    day = np.repeat(np.arange(220), 4)
    when = pd.Timestamp("2024-01-01") + pd.to_timedelta(day, unit="D")
    whole = table(len(day), when=when)
    kept = (day < 200) | (day >= 206)
    found = advised(whole[kept], day[kept] >= 206, contest(time="when"))
    assert (found.splitter, found.params) == ("time", {"time": "when", "gap": "7d", "test_size": "14d"})
    assert any(line.startswith("random:") for line in found.ruled_out)
    long = advised(whole[kept], day[kept] >= 140, contest(time="when"))
    assert long.params == {"time": "when"} and any("do not fit" in line for line in long.evidence)
    assert {"splitter": "time", "params": {"time": "when", "test_size": "80d", "n": 1}}.items() <= long.runners_up[0].items()


def test_a_few_early_rows_of_test_do_not_hide_that_it_is_later() -> None:
    step = np.arange(1000)
    asked = step >= 800
    asked[795:798] = True
    assert advised(table(1000, t=step), asked, contest(time="t")).splitter == "time"
    assert advised(table(1000, t=step), step % 4 == 0, contest(time="t")).splitter == "stratified-regression"


def test_test_periods_between_those_of_train_ask_for_blocks_as_far_from_training_rows() -> None:
    when = pd.Series(pd.date_range("2011-01-01", "2012-12-31 21:00", freq="3h"))
    found = advised(table(len(when), when=when), (when.dt.day >= 20).to_numpy(), contest(time="when"))
    group = str(found.params["group"])
    assert found.splitter == "group" and group.startswith("when:block=") and "time" in names(found) and "random" in names(found)
    assert 5 <= int(group.removeprefix("when:block=").removesuffix("d")) <= 12
    assert any("takes turns with train, in 24 blocks" in line for line in found.evidence)
    assert any(line.startswith("random: rows validated at random have neighbours 3h away") for line in found.ruled_out)


def test_whole_days_held_out_at_random_ask_for_whole_days() -> None:
    day = np.repeat(np.arange(200), 10)
    asked = np.isin(day, RNG(1).permutation(200)[:50])
    found = advised(table(2000, when=pd.Timestamp("2020-01-01") + pd.to_timedelta(day, unit="D")), asked, contest(time="when"))
    assert (found.splitter, found.params) == ("group", {"group": "when"})


@pytest.mark.parametrize(("columns", "spec"), [
    (lambda day: {"d": day.dt.strftime("%d/%m/%Y")}, "d:date"),
    (lambda day: {"d": day.dt.strftime("%Y-%m-%d")}, "d"),
    (lambda day: {"d": day.dt.strftime("%Y%m%d").astype(int)}, "d:date"),
    (lambda day: {"d": day.dt.strftime("%Y%m").astype(int)}, "d:date"),
    (lambda day: {"unix_time": day.astype("int64") // 10**9 if day.dtype == "M8[ns]" else day.astype("M8[s]").astype("int64")}, "unix_time:date"),
    (lambda day: {"year_sold": day.dt.year, "month_sold": day.dt.month}, "year_sold+month_sold"),
    (lambda day: {"week": (day - day.min()).dt.days // 7}, "week"),
])
def test_times_that_do_not_say_so_are_found(columns: Callable, spec: str) -> None:
    day = pd.Series(pd.Timestamp("2022-01-01") + pd.to_timedelta(np.repeat(np.arange(600), 3), unit="D"))
    found = advised(table(len(day), **columns(day)), (day >= "2023-05-01").to_numpy(), contest())
    assert found.splitter == "time" and found.params["time"] == spec
    mixed = advised(table(len(day), **columns(day)), RNG(0).random(len(day)) < 0.3, contest())
    assert mixed.splitter == "stratified-regression"


def test_dates_that_the_person_does_not_call_time_are_a_runner_up() -> None:
    when = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(400), unit="D")
    found = advised(table(400, when=when), np.arange(400) >= 300, contest())
    assert found.splitter == "stratified-regression" and names(found) == ["time"]


# Groups

def grouped(rows: int = 1200, each: int = 6, strength: float = 2.0, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    rng = RNG(seed)
    who = rng.permutation(np.repeat(np.arange(rows // each), each))
    level = rng.normal(size=rows // each)
    return table(rows, seed, who=[f"W{number:04d}" for number in who], y=rng.normal(size=rows) + strength * level[who]), who


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize(("task", "splitter"), [("regression", "group"), ("binary", "stratified-group")])
def test_groups_that_test_does_not_share_stay_whole(named: bool, task: str, splitter: str) -> None:
    whole, who = grouped()
    whole["y"] = whole["y"] if task == "regression" else (whole["y"] > 0).astype(int)
    found = advised(whole, who >= 150, contest(task, group=("who",) if named else ()))
    assert (found.splitter, found.params) == (splitter, {"group": "who"})
    line = next(line for line in found.evidence if line.startswith("who"))
    assert "150 groups of 6.0 rows, 0% of test's are known from train" in line and "would show models the answers" in line
    assert any("alike" in line for line in found.ruled_out) and names(found) == ["random" if task == "regression" else "stratified"]


def test_groups_shared_as_by_drawing_rows_are_no_reason_however_alike() -> None:
    whole, _ = grouped(each=3)
    found = advised(whole, RNG(5).random(len(whole)) < 0.6, contest(group=("who",)))
    assert found.splitter == "stratified-regression"
    assert any("if rows were drawn at random" in line and "not held out" in line for line in found.evidence)
    assert any(line.startswith("group by who") for line in found.ruled_out)


def test_known_and_new_groups_ask_for_a_mixture_of_the_same_share() -> None:
    whole, who = grouped()
    asked = (who >= 170) | ((who < 60) & (RNG(2).random(len(who)) < 0.5))
    train, test = parted(whole, asked)
    found = recommend(train, test, contest(), measure=False)
    assert found.splitter == "mixed" and found.params["group"] == "who" and names(found) == ["group"]
    assert found.params["known"] == pytest.approx(test["who"].isin(train["who"]).mean(), abs=1e-4)


def test_groups_hidden_in_ids_and_numbers_are_found_and_a_colour_is_not_one() -> None:
    whole, who = grouped()
    asked = who >= 150
    colour = np.array(["red", "green", "blue"])[who % 3]
    ids = [f"{number:04d}_{place:02d}" for place, number in enumerate(who)]
    found = advised(whole.drop(columns="who").assign(id=ids, colour=colour), asked, contest())
    assert found.params == {"group": "id:prefix"}
    shuffled = RNG(3).permutation(200)
    held = np.isin(who, RNG(4).permutation(200)[:50])
    assert advised(whole.drop(columns="who").assign(number=shuffled[who], colour=colour), held, contest()).params == {"group": "number"}
    assert not advised(whole.drop(columns="who").assign(colour=colour), held, contest()).params


def test_few_groups_are_validated_one_by_one() -> None:
    whole, _ = grouped()
    site = np.arange(len(whole)) % 4
    found = advised(whole.drop(columns="who").assign(site=[f"S{one}" for one in site]), site == 3, contest(group=("site",)))
    assert (found.splitter, found.params, found.folds) == ("leave-one-group-out", {"group": "site"}, 3)


def test_later_and_new_groups_are_validated_as_such() -> None:
    rng = RNG(0)
    day = np.sort(rng.integers(0, 300, 6000))
    born = np.sort(rng.integers(0, 300, 300))
    who = np.array([rng.integers(max(np.searchsorted(born, one) - 150, 0), max(np.searchsorted(born, one), 1)) for one in day])
    train, test = parted(table(6000, day=day, who=[f"W{one}" for one in who]), day >= 270)
    found = recommend(train, test[~test["who"].isin(train["who"])], contest(time="day", group=("who",)), measure=False)
    assert found.splitter == "time-group" and found.params["group"] == "who" and found.params["time"] == "day"
    known = recommend(train, test[test["who"].isin(train["who"])], contest(time="day", group=("who",)), measure=False)
    assert known.splitter == "time" and "group" not in known.params


# Stub, copies, shift

def test_a_stub_is_not_looked_at_and_groups_are_the_safer_assumption() -> None:
    whole, who = grouped()
    stub = contest(test_is_stub=True)
    found = advised(whole, who == 0, stub)
    assert found.params == {"group": "who"} and any("safer assumption" in line for line in found.evidence) and "stub" in found.evidence[0]
    train, test = parted(whole, who == 0)
    assert recommend(train, test.assign(who="new", x=99.0, more=1), stub) == recommend(train, test.iloc[:0], stub) == recommend(train, test, stub)
    loose, _ = grouped(strength=0.0)
    assert advised(loose, who == 0, stub).splitter == "stratified-regression"


def test_near_duplicates_stay_together_unless_the_split_holds_them_already() -> None:
    whole, who = grouped()
    copies = pd.concat([whole, whole.iloc[:120]], ignore_index=True).assign(id=range(1320))
    asked = RNG(1).random(1320) < 0.2
    found = advised(copies.drop(columns="who"), asked, contest(), measure=True)
    assert (found.splitter, found.params) == ("stratified-regression", {"duplicates": True})
    assert any("copies stay in one fold" in line for line in found.evidence)
    assert found.runners_up[0]["params"] == {} and "as in test" in str(found.runners_up[0]["why"])
    held = advised(copies, np.append(who, who[:120]) >= 150, contest(group=("who",), ignore=("who",)), measure=True)
    assert held.params == {"group": "who"} and any("keeps them together already" in line for line in held.evidence)
    assert not advised(whole, who % 4 == 0, contest(), measure=True).params.get("duplicates")


def test_a_shift_names_its_column_and_new_groups_are_no_shift() -> None:
    whole = table(1500)
    asked = RNG(0).random(1500) < 0.4
    assert any(line.startswith("adversarial") for line in advised(whole, asked, contest(), measure=True).ruled_out)
    moved = advised(whole.assign(x=whole["x"] + 2 * asked), asked, contest(), measure=True)
    assert names(moved) == ["adversarial"] and any("most by x" in line for line in moved.evidence)
    likely = likeness(*parted(whole.assign(x=whole["x"] + 2 * asked), asked), contest())
    assert likely.shape == (int((~asked).sum()),) and np.corrcoef(likely, whole["x"][~asked])[0, 1] > 0.7
    people, who = grouped(each=8)
    own = RNG(1).normal(size=(150, 4))[who]
    steady = people.assign(**{f"own{place}": own[:, place] for place in range(4)})
    assert "adversarial" not in names(advised(steady, who >= 80, contest(group=("who",), ignore=("who",)), measure=True))


# Target and sizes

@pytest.mark.parametrize(("y", "task", "splitter", "word"), [
    (np.arange(300) % 3, "multiclass", "stratified", "3 classes, the rarest has 100 rows"),
    (np.where(np.arange(300) < 2, "rare", "usual"), "binary", "stratified", "rare is dealt as far as the rows go"),
    (np.zeros(300), "binary", "random", "one class only"),
    (RNG(0).normal(size=300), "regression", "stratified-regression", "keep its quantiles"),
    (RNG(0).normal(size=6000), "regression", "random", "tails are light"),
    (RNG(0).lognormal(sigma=1.5, size=6000), "regression", "stratified-regression", "tails are heavy"),
    (np.full(300, 7.0), "regression", "random", "constant"),
    (["a b", "b", "a"] * 100, "multilabel", "multilabel", "share of each"),
    (["1 2 3"] * 300, "other", "random", "not stratified by"),
])
def test_the_target_decides_where_nothing_else_does(y: object, task: str, splitter: str, word: str) -> None:
    found, says = by_target(pd.DataFrame({"y": y}), contest(task))
    assert found == splitter and word in says
    assert by_target(pd.DataFrame({"x": [1]}), contest(task))[0] == "random"


@given(st.integers(2, 10**7), st.none() | st.integers(2, 50))
def test_folds_are_few_for_many_rows_and_never_more_than_groups(rows: int, groups: int | None) -> None:
    n = folds_for(rows, groups)[0]
    assert 2 <= n <= (groups or 10) and n >= folds_for(rows + 1, groups)[0]


@given(st.floats(1, 1e6), st.floats(0.01, 1e6), st.floats(0, 1e5))
def test_blocks_leave_time_to_train(span: float, length: float, gap: float) -> None:
    n = blocks_for(span, length, gap)
    assert 0 <= n <= 5 and (n == 0 or n * length + gap <= 0.8 * span * (1 + 1e-9))


# What stands behind the rules

@given(st.integers(0, 10**6))
@settings(max_examples=12, deadline=None)
def test_noise_drawn_by_rows_asks_for_no_time_and_no_group(seed: int) -> None:
    rng = RNG(seed)
    rows = int(rng.integers(60, 900))
    whole = table(rows, seed, user=[f"U{one}" for one in rng.integers(0, max(rows // 4, 2), rows)], code=rng.integers(0, rows // 2 + 1, rows),
                  when=pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 500, rows), unit="D"))
    asked = rng.random(rows) < rng.uniform(0.2, 0.7)
    asked[:2] = [True, False]
    assert advised(whole, asked, contest(time="when")).splitter == "stratified-regression"


def test_intraclass_correlation_is_that_of_the_simulation() -> None:
    whole, who = grouped(6000, 6, strength=1.0)
    y = whole["y"].to_numpy()
    assert intraclass(who, y) == pytest.approx(0.5, abs=0.05) == intraclass(who, 3 * y - 7)
    assert abs(intraclass(RNG(1).permutation(who), y)) < 0.03
    assert intraclass(np.where(who < 500, who, -1), y) == pytest.approx(0.5, abs=0.06)
    assert intraclass(np.arange(len(y)), y) == 0 == intraclass(np.zeros(len(y), int), y) == intraclass(who, np.ones(len(y)))


def test_what_rows_drawn_at_random_would_share_is_what_they_share() -> None:
    rng = RNG(0)
    sizes = rng.integers(1, 9, 400)
    who = np.repeat(np.arange(400), sizes)
    drawn = []
    for _ in range(200):
        asked = rng.permutation(len(who)) < 0.3 * len(who)
        drawn.append(np.isin(np.unique(who[asked]), who[~asked]).mean())
    mean, sd = expected_shared(sizes, 0.3)
    assert mean == pytest.approx(np.mean(drawn), abs=0.01) and sd == pytest.approx(np.std(drawn), rel=0.5)


# Derived columns

@given(st.lists(st.tuples(st.integers(0, 999), st.integers(0, 99)), min_size=1, max_size=20), st.sampled_from("_-.:#/|"))
def test_prefix_and_suffix_undo_joining(pairs: list[tuple[int, int]], separator: str) -> None:
    frame = pd.DataFrame({"id": [f"G{one}{separator}{two}" for one, two in pairs]})
    assert derived(frame, "id:prefix").tolist() == [f"G{one}" for one, _ in pairs]
    assert derived(frame, "id:suffix").tolist() == [str(two) for _, two in pairs]


def test_parts_of_dates_and_numbers() -> None:
    when = pd.to_datetime(["2024-02-29 23:30", "2024-03-03 00:00", None])
    frame = pd.DataFrame({"when": when, "n": [5, 149, 150], "year": [2024, 2024, 2025], "month": [2, 3, 1], "a:b": ["u_1", "v_1", None],
                          "shop": ["S1", "S2", None], "gap": pd.array([2024, None, 2025], dtype="Int64")})
    told = {part: derived(frame, f"when:{part}").dt.strftime("%m-%d %H").tolist()[:2] for part in ("hour", "day", "week", "month", "year")}
    assert told == {"hour": ["02-29 23", "03-03 00"], "day": ["02-29 00", "03-03 00"], "week": ["02-26 00", "02-26 00"],
                    "month": ["02-01 00", "03-01 00"], "year": ["01-01 00", "01-01 00"]}
    assert derived(frame, "when:week").isna().tolist() == [False, False, True] == derived(frame, "when:block=9d").isna().tolist()
    assert derived(frame, "n:block=50").tolist() == [0, 2, 3]
    assert derived(frame, "a:b").tolist()[:2] == ["u_1", "v_1"] and derived(frame, "a:b:prefix").tolist()[:2] == ["u", "v"]
    assert derived(frame, "shop+n").tolist()[:2] == ["S1+5", "S2+149"] and derived(frame, "shop+n").isna().tolist() == [False, False, True]
    assert derived(frame, "gap+month").isna().tolist() == [False, True, False]
    assert derived(frame, "year+month:month").dt.month.tolist() == [2, 3, 1]
    days = pd.DataFrame({"d": ["03/02/2024", "31/01/2024", None], "n": [20240203, 20240131, 20240131]})
    assert derived(days, "d:date").tolist()[:2] == derived(days, "n:date").tolist()[:2] == [pd.Timestamp("2024-02-03"), pd.Timestamp("2024-01-31")]


@pytest.mark.parametrize(("spec", "message"), [
    ("sites", "train has no column 'sites'. Did you mean site"), ("site+dya", "train has no column 'dya'. Did you mean day"),
    ("day:weak", "asks for the part 'weak' of day. Did you mean week"), ("x:prefix", "the column 'x' has no prefix"),
    ("colour:day", "needs dates, and the column 'colour' holds 'red'"), ("day:block=soon", "'soon' is no length of time"),
    ("x:block=0", "asks for blocks of no length"), ("day:block=0d", "asks for blocks of no length"), ("x:month", "needs dates"),
])
def test_bad_specs_are_told_with_the_remedy(spec: str, message: str) -> None:
    frame = pd.DataFrame({"site": ["a", "b"], "day": pd.to_datetime(["2024-01-01", "2024-01-02"]), "colour": ["red", "blue"], "x": [0.5, 1.5]})
    with pytest.raises(KKError, match=message.replace("(", r"\(")):
        derived(frame, spec)


# Through the front, and real tables

def test_kk_cv_shows_the_advice_with_its_evidence(small: Path, kk: Callable[..., Ran]) -> None:
    record = kk("cv", "--json").json["recommendation"]
    assert record["splitter"] == "time" and record["params"]["time"] == "day" and record["folds"] == 10
    assert len(record["evidence"]) >= 5 and all({"splitter", "params", "why"} <= set(one) for one in record["runners_up"])
    assert "likeness" not in record
    cheap = kk("cv", "--split", "random", "--json").json["recommendation"]
    assert cheap["splitter"] == "time" and any("not looked for" in line for line in cheap["evidence"])


@pytest.mark.parametrize(("name", "facts", "splitter", "params"), [
    ("practice-clinics", {"target": ("pain_score",), "group": ("patient",)}, "group", {"group": "patient"}),
    ("practice-demand", {"target": ("sales",), "time": "date"}, "time", {"time": "date"}),
    ("practice-churn", {"target": ("churned",), "id": ("customer_id",), "time": "signed_up", "task": "binary"}, "stratified", {}),
    ("practice-notebook", {"target": ("minutes_left",), "test_is_stub": True}, "group", {"group": "tool"}),
])
def test_practice_competitions_get_the_split_that_they_were_made_for(name: str, facts: dict, splitter: str, params: dict) -> None:
    tables = REGISTRY.get(name).function(0)
    found = recommend(tables["train"], tables["test"], Competition(name, Path("."), **{"task": "regression", "id": ("id",), **facts}), measure=False)
    assert (found.splitter, found.params) == (splitter, params)


@pytest.mark.parametrize(("name", "facts", "splitter", "params"), [
    ("bike-sharing-demand", {"task": "regression", "id": ("datetime",), "target": ("count",), "time": "datetime"},
     "group", {"group": "datetime:block=8d"}),
    ("titanic", {"task": "binary", "id": ("PassengerId",), "target": ("Survived",)}, "stratified", {}),
    ("nomad2018-predict-transparent-conductors", {"task": "multitarget", "id": ("id",), "target": ("formation_energy_ev_natom", "bandgap_energy_ev")},
     "random", {"duplicates": True}),
    ("spooky-author-identification", {"task": "multiclass", "id": ("id",), "target": ("author",), "text": ("text",)}, "stratified", {}),
    ("playground-series-s3e3", {"task": "binary", "id": ("id",), "target": ("Attrition",)}, "stratified", {}),
])
def test_real_competitions_get_the_split_that_their_test_was_drawn_by(name: str, facts: dict, splitter: str, params: dict) -> None:
    folder = SHARED / "data" / name / "files"
    if not folder.is_dir():
        pytest.skip(f"{folder} is not here: the tables of real competitions are not part of the project")
    train, test = (pd.read_csv(folder / f"{part}.csv") for part in ("train", "test"))
    found = recommend(train, test, Competition(name, folder, **facts))
    assert (found.splitter, found.params) == (splitter, params)


@pytest.mark.parametrize(("runs", "test_after", "expected"), [(True, True, "stratified-group"), (True, False, "stratified"),
                                                              (False, True, "stratified")])
def test_rows_collected_in_runs_are_found_by_their_order(runs: bool, test_after: bool, expected: str) -> None:
    rng = np.random.default_rng(0)
    y = (np.arange(900) // 7) % 3 if runs else rng.integers(0, 3, 900)
    table = pd.DataFrame({"id": [f"{number:05d}" for number in range(900)], "x": rng.normal(size=900), "y": y})
    split = np.arange(900) < 600 if test_after else rng.uniform(size=900) < 0.66
    train = table[split].sample(frac=1, random_state=1).reset_index(drop=True)
    contest = Competition("c", Path("."), task="multiclass", target=("y",), id=("id",), classes=(0, 1, 2))
    found = recommend(train, table[~split].drop(columns="y"), contest, measure=False)
    assert found.splitter == expected, found.evidence
    assert any("collected in runs" in line for line in found.evidence) == runs
    assert ("group" in found.params) == (expected == "stratified-group")
