"""The audit of folds: each code is told where it holds and not where it does not; honest folds are left in peace; the picture says the same."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kagglekit import splitters
from kagglekit.audit import Finding, audit
from kagglekit.audit.case import REGISTRY
from kagglekit.fold import Data
from kagglekit.folds import Folds, from_assignment
from kagglekit.store import open_store
from kagglekit.work.load import read_table
from kagglekit.work.plot_folds import chart, picture
from tests.conftest import Ran

Array = np.ndarray
ROWS = 200
ORDER = np.arange(float(ROWS))
PAIRS = np.arange(ROWS) // 2  # two rows a group
BLOCKS = np.repeat([-1, 0, 1, 2, 3], ROWS // 5)  # by time
VALUES = np.random.default_rng(0).normal(size=ROWS)
COIN = np.random.default_rng(1).integers(0, 2, ROWS)
RANDOM = splitters.random(VALUES, n=5)


def data(target: Array = VALUES, classes: tuple[object, ...] = (), **facts: object) -> Data:
    empty = pd.DataFrame(index=range(len(target)))
    return Data(**{"X": empty, "y": target, "target": target, "X_test": empty, "classes": classes, **facts})


def folds(assignment: object = RANDOM, **facts: object) -> Folds:
    return from_assignment("mine", assignment, "", ROWS, **facts)


def by_time(assignment: Array = BLOCKS, **facts: object) -> Folds:
    return folds(assignment, **{"rule": "before", "order": ORDER, **facts})


def twice() -> Folds:
    """Folds that validate row 3 in fold 0 and 1: from_assignment refuses them, a file of folds may still hold them."""
    row = np.r_[np.arange(ROWS), 3]
    return Folds("mine", ROWS, row, np.zeros(len(row), dtype=np.int64), np.r_[np.arange(ROWS) % 2, 0], "")


def told(train: Callable[[int], Array], **facts: object) -> Folds:
    """Folds by blocks of time whose training rows are said one by one."""
    made = by_time(**facts)
    return replace(made, rule="given", given={key: train(key[1]) for key in made.keys})


def before(block: int) -> Array:
    return np.flatnonzero(block > BLOCKS)


def everything_else(block: int) -> Array:
    return np.flatnonzero(block != BLOCKS)


def mixed(assignment: Array, known: float) -> Folds:
    return folds(assignment, splitter="mixed", params={"known": known})


def two_tables(shared: bool) -> Data:
    """Groups that test brings anew, or all of which train has, among columns of every kind."""
    site = pd.Series(PAIRS).astype(str)
    table = pd.DataFrame({"day": pd.Timestamp("2025-01-01"), "gaps": pd.array([None] * ROWS, dtype="Int64"), "site": site})
    return data(X=table, X_test=table if shared else table.assign(site="new" + site), groups=site.to_numpy())


WIDE = pd.DataFrame(np.random.default_rng(2).normal(size=(ROWS, 5))).add_prefix("x")
COPIED = pd.concat([WIDE.iloc[:ROWS // 2]] * 2, ignore_index=True)
TOLD = WIDE.assign(told=COIN + 0.01 * VALUES)
SKEWED = np.where(RANDOM == 2, np.arange(ROWS) % 10 > 0, np.arange(ROWS) % 2)
COINS = data(COIN, (0, 1))
HALF = splitters.mixed(PAIRS, n=5, known=0.5)  # half of the rows are trained with their pair
Audited = tuple[Folds, Data, dict]

HOLDS: list[tuple[str, str, Audited]] = [
    ("group-in-two-folds", "fatal", (folds(), data(), {"groups": PAIRS})),
    ("group-in-two-folds", "fatal", (folds(np.where(np.arange(ROWS) < 51, 0, -1)), data(), {"groups": PAIRS})),  # one side is never validated
    ("group-in-two-folds", "fatal", (by_time(), data(), {"groups": PAIRS % 20})),
    ("group-shared", "warn", (folds(), data(groups=PAIRS), {})),
    ("group-shared", "warn", (folds(), two_tables(shared=False), {})),
    ("known-share", "warn", (mixed(HALF, 0.1), data(), {"groups": PAIRS})),
    ("time-order", "fatal", (by_time(np.arange(ROWS) % 5, splitter="predefined"), data(), {"order": ORDER})),
    ("time-order", "fatal", (folds(), data(), {"order": ORDER})),
    ("time-order", "fatal", (told(before, gap=5.0), data(), {"order": ORDER})),
    ("gap-short", "warn", (by_time(gap=5.0), data(), {"order": ORDER, "test_gap": 9.0})),
    ("label-horizon", "fatal", (told(everything_else, horizon=5.0), data(), {"order": ORDER})),
    ("label-horizon", "note", (by_time(rule="purged"), data(), {"order": ORDER})),
    ("row-twice", "fatal", (twice(), data(), {})),
    ("no-training-rows", "fatal", (by_time(gap=45.0), data(), {"order": ORDER})),
    ("no-training-rows", "fatal", (folds(np.zeros(ROWS, dtype=int)), data(), {})),
    ("coverage", "note", (by_time(), data(), {"order": ORDER})),
    ("forced", "note", (replace(folds(), forced=True), data(), {})),
    ("near-duplicates", "fatal", (folds(), data(), {"X": COPIED})),
    ("near-duplicates", "fatal", (by_time(), data(), {"order": ORDER, "X": COPIED})),
    ("near-duplicates", "warn", (folds(), data(), {"X": pd.concat([WIDE.iloc[:-3], WIDE.iloc[:3] + 1e-9], ignore_index=True)})),
    ("column-leak", "warn", (folds(), COINS, {"X": TOLD})),
    ("class-share", "warn", (folds(), data(SKEWED.astype(int), (0, 1)), {})),
    ("class-share", "warn", (folds(), data(np.stack([COIN, SKEWED], axis=1)), {})),  # two labels
    ("empty-class", "warn", (folds(), data(np.where(RANDOM == 2, 0, np.arange(ROWS) % 3), (0, 1, 2)), {})),
    ("empty-class", "warn", (by_time(), data((BLOCKS > 1).astype(int), (0, 1)), {"order": ORDER})),  # validated before it was ever seen
    ("target-mean", "warn", (folds(), data(VALUES + (RANDOM == 3)), {})),
    ("constant-target", "warn", (folds(), data(np.ones(ROWS)), {})),
    ("constant-target", "warn", (folds(), data(np.where(RANDOM == 2, 0.0, VALUES)), {})),
    ("fold-sizes", "warn", (folds(np.maximum(RANDOM, 1)), data(), {})),
    ("fold-sizes", "note", (by_time(np.r_[np.full(100, -1), np.zeros(80, int), np.ones(20, int)]), data(), {"order": ORDER})),
    ("row-order", "warn", (folds(np.repeat([3, 0, 2, 4, 1], ROWS // 5)), data(), {})),
    ("row-order", "warn", (folds(np.sort(RANDOM)), data(), {})),
]

IS_WELL: list[tuple[str, Audited]] = [
    ("group-in-two-folds", (folds(PAIRS % 5), data(), {"groups": PAIRS})),
    ("group-in-two-folds", (mixed(HALF, 0.5), data(), {"groups": PAIRS})),
    ("group-in-two-folds", (by_time(), data(), {"groups": PAIRS})),
    ("group-shared", (folds(PAIRS % 5), data(groups=PAIRS), {})),
    ("group-shared", (folds(), two_tables(shared=True), {})),
    ("known-share", (mixed(HALF, 0.5), data(), {"groups": PAIRS})),
    ("time-order", (by_time(splitter="predefined", gap=5.0), data(), {"order": ORDER})),
    ("time-order", (told(lambda block: before(block)[:-5], gap=5.0), data(), {"order": ORDER})),
    ("time-order", (by_time(rule="purged", horizon=3.0), data(), {"order": ORDER})),
    ("gap-short", (by_time(gap=9.0), data(), {"order": ORDER, "test_gap": 9.0})),
    ("label-horizon", (by_time(rule="purged", horizon=5.0), data(), {"order": ORDER})),
    ("row-twice", (folds((np.tile(np.arange(ROWS), 2), np.repeat([0, 1], ROWS), np.tile(RANDOM, 2))), data(), {})),
    ("no-training-rows", (by_time(gap=5.0), data(), {"order": ORDER})),
    ("coverage", (folds(), data(), {})),
    ("forced", (folds(), data(), {})),
    ("near-duplicates", (folds(np.tile(splitters.random(VALUES[:100], n=5), 2)), data(), {"X": COPIED})),
    ("near-duplicates", (folds(), data(), {"X": WIDE})),
    ("column-leak", (folds(), COINS, {"X": WIDE})),
    ("class-share", (folds(splitters.stratified(SKEWED, n=5)), data(SKEWED.astype(int), (0, 1)), {})),
    ("empty-class", (folds(), COINS, {})),
    ("target-mean", (folds(), data(), {})),
    ("constant-target", (folds(), COINS, {})),
    ("fold-sizes", (folds(np.arange(ROWS) % 23), data(), {})),  # 9 rows or 8
    ("fold-sizes", (by_time(np.r_[np.full(100, -1), np.zeros(60, int), np.ones(40, int)]), data(), {"order": ORDER})),
    ("row-order", (folds(np.repeat([3, 0, 2, 4, 1], ROWS // 5)), data(), {"groups": np.repeat(np.arange(5), ROWS // 5)})),
    ("row-order", (by_time(), data(), {"order": ORDER})),
]


def found(case: Audited) -> dict[str, Finding]:
    the_folds, the_data, declared = case
    return {finding.code: finding for finding in audit(the_folds, the_data, **declared)}


@pytest.mark.parametrize(("code", "severity", "case"), HOLDS, ids=[code for code, *_ in HOLDS])
def test_what_holds_is_told_with_a_number_and_what_to_do(code: str, severity: str, case: Audited) -> None:
    finding = found(case)[code]
    assert finding.severity == severity
    assert any(letter.isdigit() for letter in finding.says) or code == "forced" or severity == "note"
    assert severity == "note" or any(word in finding.says for word in ("--", "use ", "give ", "check ", "number ", "find out")), finding.says


@pytest.mark.parametrize(("code", "case"), IS_WELL, ids=[code for code, _ in IS_WELL])
def test_what_does_not_hold_is_not_told(code: str, case: Audited) -> None:
    assert code not in found(case)


def test_every_check_is_tried_in_both_ways() -> None:
    assert {code for code, *_ in HOLDS} == {code for code, _ in IS_WELL} == set(REGISTRY.names())


def test_the_worst_comes_first() -> None:
    severities = [finding.severity for finding in audit(folds(), data(VALUES + (RANDOM == 3)), groups=PAIRS, order=ORDER)]
    assert severities == sorted(severities, key=["fatal", "warn", "note"].index) and {"fatal", "warn"} <= set(severities)


def test_what_follows_from_another_finding_comes_after_it() -> None:
    codes = [finding.code for finding in audit(by_time(np.arange(ROWS) % 5, splitter="predefined"), data(), order=ORDER)]
    assert codes[:2] == ["time-order", "no-training-rows"]


def test_the_sentence_names_the_fold_its_repeat_and_the_moment() -> None:
    days = np.arange(ROWS) * 86400e9 + 1735689600e9
    says = found((folds(np.arange(ROWS) % 5), data(), {"order": days}))["time-order"].says
    assert "fold 0 validates from 2025-01-01 on" in says and "2025-07-19" in says
    repeated = (np.tile(np.arange(ROWS), 2), np.repeat([0, 1], ROWS), np.r_[RANDOM, np.roll(RANDOM, 1)])
    target = VALUES + 2 * (np.roll(RANDOM, 1) == 4)
    assert "fold 4 of repeat 1 has a mean target of" in found((folds(repeated), data(target), {}))["target-mean"].says
    assert "train ends 31d before test starts, training ends 1d before fold 0" in found(
        (by_time(order=days), data(), {"order": days, "test_gap": 31 * 86400e9}))["gap-short"].says


def test_a_long_table_is_searched_for_copies_in_a_part_that_keeps_them_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kagglekit.audit.copies.MOST_ROWS", 600)
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(2000, 4))).add_prefix("x").assign(colour=rng.choice(["red", "Blue"], 2000))
    table.iloc[1900:] = table.iloc[:100].to_numpy()
    the_folds = from_assignment("mine", np.arange(2000) // 200, "", 2000)
    finding = {one.code: one for one in audit(the_folds, data(rng.normal(size=2000)), X=table)}["near-duplicates"]
    share = float(finding.says.split("%")[0])
    assert 6 < share < 15 and "rows looked at" in finding.says  # 200 of 2000 rows have a copy


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**31), rows=st.integers(60, 600), n=st.integers(2, 8), kind=st.sampled_from(["values", "heavy", "classes"]),
       repeats=st.integers(1, 3), searched=st.booleans())
def test_honest_splits_of_noise_are_left_in_peace(seed: int, rows: int, n: int, kind: str, repeats: int, searched: bool) -> None:
    rng = np.random.default_rng(seed)
    target = {"values": rng.normal(size=rows), "heavy": np.exp(1.5 * rng.normal(size=rows)), "classes": rng.integers(0, 3, rows)}[kind]
    splits = [splitters.stratified(target, n=n, seed=seed + repeat) if kind == "classes" else splitters.random(target, n=n, seed=seed + repeat)
              for repeat in range(repeats)]
    made = from_assignment("noise", (np.tile(np.arange(rows), repeats), np.repeat(np.arange(repeats), rows), np.concatenate(splits)), "", rows)
    table = pd.DataFrame({"a": rng.normal(size=rows), "b": rng.integers(0, 5, rows), "c": rng.choice(["x", "y", None], rows)}) if searched else None
    bad = [one for one in audit(made, data(target, (0, 1, 2) if kind == "classes" else ()), X=table) if one.severity != "note"]
    assert bad == []


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**31), n=st.integers(2, 5), groups=st.integers(20, 60))
def test_groups_are_told_exactly_where_a_row_trains_its_own_group(seed: int, n: int, groups: int) -> None:
    rng = np.random.default_rng(seed)
    of, assignment = rng.integers(0, groups, ROWS), rng.integers(-1, n, ROWS)
    if rng.random() < 0.5:
        assignment = (np.arange(groups) % n)[of]
    made = folds(assignment)
    shared = any(set(of[fold.train]) & set(of[fold.valid]) for fold in made)
    assert ("group-in-two-folds" in found((made, data(), {"groups": of.astype(str)}))) == shared


def test_files_are_audited_through_the_command(small: Path, tmp_path: Path, kk: Callable[..., Ran]) -> None:
    train = read_table(open_store(), "train")
    path = tmp_path / "mine.csv"
    train[["id"]].assign(fold=np.arange(len(train)) * 4 // len(train)).to_csv(path, index=False)
    record = kk("cv", "--audit", path, "--json").json
    assert {finding["code"]: finding["severity"] for finding in record["audit"]}["row-order"] == "warn"
    assert (small / "reports" / "folds-mine.png").read_bytes().startswith(b"\x89PNG")
    shorter = Path("mine.csv")  # as typed from here, so that the lines' length is not that of a long path
    shorter.write_bytes(path.read_bytes())
    said = kk("cv", "--audit", shorter).out
    assert "[row-order]" in said and "classes: █" in said and max(map(len, said.splitlines())) <= 80


PICTURES: dict[str, Audited] = {
    "classes": (folds(), COINS, {}), "groups": (folds(PAIRS % 5), data(groups=PAIRS), {}), "values": (folds(), data(np.exp(3 * VALUES)), {}),
    "constant": (folds(), data(np.zeros(ROWS)), {}), "labels": (folds(), data(np.stack([COIN, SKEWED], axis=1)), {}),
    "time": (by_time(gap=10.0), data(), {"order": ORDER}), "instant": (folds(), data(), {"order": np.zeros(ROWS)}),
    "dates": (by_time(order=ORDER * 86400e9 + 1.7e18), COINS, {"order": ORDER * 86400e9 + 1.7e18}),
    "holdout": (folds(np.where(RANDOM, -1, 0)), COINS, {}),
    "fifty": (folds(splitters.random(VALUES, n=50)), data(np.arange(ROWS) % 40, tuple(range(40))), {}),
    "repeats": (folds((np.tile(np.arange(ROWS), 2), np.repeat([0, 1], ROWS), np.r_[RANDOM, RANDOM])), COINS, {}),
}


@pytest.mark.parametrize("name", PICTURES)
def test_the_chart_fits_a_terminal(name: str) -> None:
    the_folds, the_data, declared = PICTURES[name]
    lines = chart(the_folds, the_data, declared.get("order"))
    assert lines and max(map(len, lines)) <= 78 and len(lines) <= 40
    assert sum(line.startswith(("fold ", "0 of")) for line in lines) >= min(the_folds.n, 12) // the_folds.repeats


def test_the_chart_shows_who_trains_and_the_gap() -> None:
    lines = chart(*PICTURES["time"][:2], ORDER, width=8 + 40)
    assert lines[2] == "fold 1  " + "░" * 15 + "·" + "█" * 8 + "·" * 16  # rows 0-70 train, 80-119 are validated, 5 rows a sign
    assert "0" in lines[5] and lines[5].endswith("199")


def test_the_chart_shows_shares_and_how_far_they_are_off() -> None:
    half = data((np.arange(ROWS) % 2), (0, 1))
    lines = chart(folds((np.arange(ROWS) % 4 > 2).astype(int)), half, None)
    assert lines[3].startswith("fold 1  ▒▒▒") and "0 0.0% (-50.0%, 7.1 SE)" in lines[3]


@pytest.mark.parametrize("name", ["time", "dates", "values", "fifty", "repeats", "labels"])
def test_the_picture_is_written_where_it_is_told(name: str, tmp_path: Path) -> None:
    the_folds, the_data, declared = PICTURES[name]
    picture(the_folds, the_data, declared.get("order"), tmp_path / "deep" / "folds.png")
    assert (tmp_path / "deep" / "folds.png").read_bytes().startswith(b"\x89PNG")
