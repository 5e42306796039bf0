"""The splitters: what folds must never do, how even they are, and what is refused."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn import model_selection as sk

from kagglekit import splitters, testing
from kagglekit.errors import KKError
from kagglekit.folds import Folds, from_assignment
from kagglekit.splitters import REGISTRY, Explicit, balance, check_splitter

Array = np.ndarray
NAMES = ["adversarial", "group", "holdout", "leave-one-group-out", "mixed", "multilabel", "predefined", "purged", "random", "stratified",
         "stratified-group", "stratified-regression", "time", "time-group"]
FEW = settings(max_examples=15, deadline=None)


def columns(rows: int, seed: int, labels: int = 0) -> dict[str, Array]:
    """Columns of every kind, in no order; time with ties, groups of uneven sizes that appear one after another."""
    random = np.random.default_rng(seed)
    time = random.permutation(rows) // random.integers(1, 4)
    return {"y": random.integers(0, 2, (rows, labels) if labels else rows), "time": time * random.choice([1.0, 0.1, 1e12]),
            "groups": (time // random.integers(2, 6) + random.integers(0, 3, rows)) ** 2, "likeness": random.random(rows).round(2),
            "column": random.integers(-1, 4, rows)}


def made(name: str, known: dict[str, Array], n: int, seed: int, **options: object) -> Array:
    splitter = REGISTRY.get(name)
    return splitter(*[known[need] for need in splitter.needs], n=n, seed=seed, **options)


def folds_of(answer: object, rows: int, **facts: object) -> Folds:
    return from_assignment("made", answer, "ids", rows, **facts)


def worst(folds: Array, classes: Array, n: int) -> tuple[float, float]:
    """How far fold sizes and class shares are off at worst."""
    counts = np.zeros((n, classes.max() + 1))
    np.add.at(counts, (folds, classes), 1)
    sizes = counts.sum(axis=1)
    shares = counts / np.maximum(sizes, 1)[:, None] - counts.sum(axis=0) / len(folds)
    return float(np.abs(sizes / len(folds) - 1 / n).max()), float(np.abs(shares).max())


def by_sklearn(splitter: object, y: Array, groups: Array | None = None) -> Array:
    folds = np.empty(len(y), dtype=int)
    for number, (_, valid) in enumerate(splitter.split(y, y, groups)):
        folds[valid] = number
    return folds


def test_these_are_all() -> None:
    assert REGISTRY.names() == NAMES
    assert all(callable(getattr(splitters, name.replace("-", "_"))) for name in NAMES)
    assert REGISTRY.get("purged").options == ("horizon", "embargo", "gap")


@pytest.mark.parametrize("name", NAMES)
@FEW
@given(rows=st.integers(40, 150), n=st.integers(2, 5), seed=st.integers(0, 10**6))
def test_each_validated_row_has_one_fold_and_each_fold_has_rows(name: str, rows: int, n: int, seed: int) -> None:
    known = columns(rows, seed, labels=4 if name == "multilabel" else 0)
    before = {need: values.copy() for need, values in known.items()}
    try:
        numbers = made(name, known, n, seed)
    except KKError as error:
        assume("no new group" not in error.what and "nothing is left" not in error.what)
        raise
    assert numbers.dtype == np.int16 and numbers.shape == (rows,)
    assert numbers.tobytes() == made(name, known, n, seed).tobytes()
    assert all(np.array_equal(known[need], before[need]) for need in known)
    assert set(numbers) - {-1} == set(range(n if REGISTRY.get(name).counted else numbers.max() + 1))
    if "groups" in REGISTRY.get(name).needs and name not in ("mixed", "time-group"):
        assert len(set(zip(known["groups"], numbers, strict=True))) == len(set(known["groups"]))


@pytest.mark.parametrize("name", ["time", "time-group", "purged"])
@FEW
@given(rows=st.integers(60, 200), n=st.integers(2, 4), seed=st.integers(0, 10**6), gap=st.integers(0, 6), data=st.data())
def test_nothing_trains_on_the_future_and_the_lengths_are_respected(name: str, rows: int, n: int, seed: int, gap: int, data: st.DataObject) -> None:
    known = columns(rows, seed)
    time = known["time"]
    unit = np.diff(np.unique(time)).min()
    names = ("gap", "horizon", "embargo") if name == "purged" else ("gap", "window")
    lengths = {"gap": gap * unit, **{key: data.draw(st.integers(0, 5)) * unit for key in names[1:]}}
    if lengths.get("window"):
        lengths["window"] += rows * unit / 4
    try:
        numbers = made(name, known, n, seed, **lengths)
    except KKError as error:
        assume(not any(part in error.what for part in ("no new group", "nothing is left", "nothing to train")))
        raise
    horizon, embargo, window = (lengths.get(key, 0.0) for key in ("horizon", "embargo", "window"))
    for fold in folds_of(numbers, rows, rule=REGISTRY.get(name).rule, order=time, **lengths):
        first, last, slack = time[fold.valid].min(), time[fold.valid].max(), unit / 100
        assert len(fold.train)
        earlier, later = time[fold.train] < first, time[fold.train] > last
        assert (earlier | later).all() and (name == "purged" or earlier.all())
        assert (time[fold.train][earlier] + horizon + lengths["gap"] <= first + slack).all()
        assert (time[fold.train][later] > last + horizon + embargo - slack).all()
        assert not window or (time[fold.train] >= first - lengths["gap"] - window - slack).all()
        assert name != "time-group" or not set(known["groups"][time < first]) & set(known["groups"][fold.valid])


@FEW
@given(rows=st.integers(40, 150), n=st.integers(2, 5), seed=st.integers(0, 10**6), name=st.sampled_from(["time", "purged"]))
def test_moments_stay_together_in_order_whatever_the_order_of_rows(rows: int, n: int, seed: int, name: str) -> None:
    time = columns(rows, seed)["time"]
    order = np.argsort(time, kind="stable")
    numbers = made(name, {"time": time}, n, seed)
    assert (np.diff(numbers[order]) >= 0).all()
    assert len(set(zip(time, numbers, strict=True))) == len(set(time))
    assert np.array_equal(made(name, {"time": time[order]}, n, seed), numbers[order])
    assert np.ptp(np.bincount(numbers[numbers >= 0])) <= 2 * np.unique(time, return_counts=True)[1].max()


def test_blocks_have_the_length_of_the_test_period() -> None:
    days = np.datetime64("2024-01-01") + np.arange(100).repeat(3)
    week = 7 * 86400e9
    numbers = splitters.time(days, n=4, test_size=week, gap=2 * 86400e9)
    assert [len(set(days[numbers == fold])) for fold in range(4)] == [7, 7, 7, 7]
    assert days[numbers == 3].max() == days.max() and (numbers == -1).sum() == 3 * (100 - 28)
    tenths = np.arange(50) / 10
    assert np.bincount(splitters.time(tenths, n=3, test_size=0.7) + 1).tolist() == [29, 7, 7, 7]


def test_one_stray_early_row_does_not_empty_a_block() -> None:
    time = np.append(-1e9, np.arange(99.0))
    assert np.bincount(splitters.time(time, n=4) + 1).tolist() == [20, 20, 20, 20, 20]


def test_time_group_validates_new_groups_only() -> None:
    groups, time = np.array([1, 2, 1, 3, 2, 4, 3, 5]), np.arange(8)
    assert splitters.time_group(groups, time, n=2, test_size=2).tolist() == [-1, -1, -1, -1, -1, 0, -1, 1]


@FEW
@given(rows=st.integers(30, 300), n=st.integers(2, 6), classes=st.integers(2, 6), seed=st.integers(0, 10**6))
def test_stratified_deals_classes_and_sizes_to_one_row(rows: int, n: int, classes: int, seed: int) -> None:
    y = np.random.default_rng(seed).integers(0, classes, rows)
    numbers = splitters.stratified(y.astype(str), n=n, seed=seed)
    counts = np.stack([np.bincount(y[numbers == fold], minlength=classes) for fold in range(n)])
    assert np.ptp(counts, axis=0).max() <= 1 and np.ptp(counts.sum(axis=1)) <= 1
    assume(counts.sum(axis=0).min() >= n)  # scikit-learn warns
    assert worst(numbers, y, n)[1] <= worst(by_sklearn(sk.StratifiedKFold(n, shuffle=True, random_state=seed), y), y, n)[1] + 1.5 * n / rows


@FEW
@given(groups=st.lists(st.integers(0, 12), min_size=15, max_size=200), n=st.integers(2, 5), seed=st.integers(0, 99))
def test_group_is_as_even_as_largest_first_one_by_one(groups: list[int], n: int, seed: int) -> None:
    assume(len(set(groups)) >= n)
    sizes = np.bincount(splitters.group(np.array(groups), n=n, seed=seed), minlength=n)
    loads = [0] * n
    for size in sorted(np.unique(groups, return_counts=True)[1], reverse=True):
        loads[int(np.argmin(loads))] += int(size)
    assert sorted(sizes) == sorted(loads)


def uneven(seed: int) -> tuple[Array, Array, int]:
    random = np.random.default_rng(seed)
    chance = random.pareto(1.5, 60) + 0.2
    y = random.integers(0, 3, 300) if seed % 2 else random.choice(4, 300, p=[0.6, 0.2, 0.15, 0.05])
    return np.unique(y, return_inverse=True)[1], random.choice(60, 300, p=chance / chance.sum()), 2 + seed % 4


def test_stratified_group_is_no_less_even_than_scikit_learn() -> None:
    off = []
    for seed in range(24):
        y, groups, n = uneven(seed)
        theirs = by_sklearn(sk.StratifiedGroupKFold(n, shuffle=True, random_state=0), y, groups)
        off.append([*worst(splitters.stratified_group(y, groups, n=n), y, n), *worst(theirs, y, n)])
    size, share, their_size, their_share = np.mean(off, axis=0)
    assert size <= their_size and share <= their_share


@pytest.mark.parametrize("steps", [10**6, 200])
def test_many_small_groups_are_dealt_to_a_row_also_where_most_go_in_strips(monkeypatch: pytest.MonkeyPatch, steps: int) -> None:
    monkeypatch.setattr(balance, "STEPS", steps)
    random = np.random.default_rng(0)
    groups, y = random.integers(0, 4000, 20_000), random.choice(5, 20_000, p=[0.4, 0.3, 0.15, 0.1, 0.05])
    numbers = splitters.stratified_group(y, groups)
    counts = np.stack([np.bincount(y[numbers == fold]) for fold in range(5)])
    assert np.ptp(counts, axis=0).max() <= 3 and np.ptp(counts.sum(axis=1)) <= 3


def test_stratified_group_takes_numbers_by_quantiles_and_many_classes_as_classes() -> None:
    random = np.random.default_rng(0)
    groups, value = random.integers(0, 300, 2000), random.lognormal(size=2000)
    bins = np.searchsorted(np.quantile(value, np.arange(1, 10) / 10), value)
    assert max(worst(splitters.stratified_group(value, groups), bins, 5)) < 0.005
    codes = random.permutation(np.arange(2000) % 200)
    counts = [np.bincount(codes[splitters.stratified_group(codes, np.arange(2000)) == fold], minlength=200) for fold in range(5)]
    assert np.ptp(counts, axis=0).max() == 0


@FEW
@given(rows=st.integers(100, 400), labels=st.sampled_from([2, 8, 20, 70]), n=st.integers(2, 5), seed=st.integers(0, 10**6))
def test_multilabel_deals_each_label_to_a_few_rows(rows: int, labels: int, n: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    y = random.random((rows, labels)) < np.geomspace(0.4, 0.02, labels)
    numbers = splitters.multilabel(y.astype(float), n=n, seed=seed)
    counts = np.stack([y[numbers == fold].sum(axis=0) for fold in range(n)])
    off = np.abs(counts - counts.mean(axis=0))
    assert np.ptp(np.bincount(numbers)) <= 2 + labels // 10
    assert off.max() <= 3 or labels == 70
    by_chance = splitters.random(y, n=n, seed=seed)
    chance = np.stack([y[by_chance == fold].sum(axis=0) for fold in range(n)])
    assert off.mean() <= 0.6 * np.abs(chance - chance.mean(axis=0)).mean() or labels < 8


def spread(folds: Array, value: Array) -> float:
    return float(np.std([value[folds == fold].mean() for fold in range(4)]))


def test_stratified_regression_has_like_quantiles_also_with_heavy_ties() -> None:
    random = np.random.default_rng(0)
    value = np.where(random.random(400) < 0.7, 0.0, random.lognormal(size=400))
    numbers = splitters.stratified_regression(value, n=4)
    assert np.ptp([(value[numbers == fold] == 0).sum() for fold in range(4)]) <= 1
    assert np.mean([spread(splitters.stratified_regression(value, n=4, seed=seed), value) for seed in range(20)]) \
        < np.mean([spread(splitters.random(value, n=4, seed=seed), value) for seed in range(20)])
    assert np.bincount(splitters.stratified_regression(np.array([1.0, 2.0, 3.0, 4.0]), n=2)).tolist() == [2, 2]


@FEW
@given(rows=st.integers(60, 300), known=st.sampled_from([0.0, 0.2, 0.5, 0.75]), n=st.integers(2, 5), seed=st.integers(0, 10**6))
def test_mixed_has_the_wished_share_of_known_groups_in_each_fold(rows: int, known: float, n: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    groups = random.permutation(np.repeat(np.arange(rows // 3), 3))
    folds = folds_of(splitters.mixed(groups, n=n, seed=seed, known=known), len(groups))
    shares = [np.isin(groups[fold.valid], groups[fold.train]).mean() for fold in folds]
    assert abs(np.average(shares, weights=folds.sizes) - known) <= 3 / len(groups)
    assert np.ptp(shares) <= 8 / min(folds.sizes)


def test_mixed_knows_as_many_as_it_can() -> None:
    groups = np.array([0] * 4 + [1] * 4 + [2, 3])
    folds = folds_of(splitters.mixed(groups, n=5, known=1.0), 10)
    assert sum(np.isin(groups[fold.valid], groups[fold.train]).sum() for fold in folds) == 8


def test_leave_one_group_out_and_predefined_number_values_in_order() -> None:
    assert splitters.leave_one_group_out(np.array(["b", "a", "c"], dtype=object)).tolist() == [1, 0, 2]
    assert splitters.predefined(np.array(["y", None, "x"], dtype=object)).tolist() == [1, -1, 0]
    assert splitters.predefined(np.array([7, -1, 3, 7])).tolist() == [1, -1, 0, 1]
    assert splitters.predefined(np.array([True, False, True])).tolist() == [1, 0, 1]


def test_holdout_is_a_stratified_share() -> None:
    y = np.array([0] * 270 + [1] * 30)
    folds = splitters.holdout(y, share=0.1, seed=3)
    assert (folds == 0).sum() == 30 and (folds[y == 1] == 0).sum() == 3 and set(folds) == {-1, 0}
    assert (splitters.holdout(np.zeros((50, 2)), n=5) == 0).sum() == 10
    value = np.random.default_rng(0).lognormal(size=1000)
    assert abs((splitters.holdout(value) == 0)[value > np.quantile(value, 0.9)].sum() - 20) <= 1


@FEW
@given(rows=st.integers(30, 200), n=st.integers(2, 5), share=st.sampled_from([0.3, 0.5, 1.0]), seed=st.integers(0, 99))
def test_adversarial_validates_the_rows_most_like_test_in_like_folds(rows: int, n: int, share: float, seed: int) -> None:
    likeness = np.random.default_rng(seed).random(rows).round(1)
    folds = splitters.adversarial(likeness, n=n, seed=seed, share=share)
    assert (folds >= 0).sum() == round(share * rows) and np.ptp(np.bincount(folds[folds >= 0])) <= 1
    assert likeness[folds >= 0].min() >= likeness[folds < 0].max(initial=0)


def foreign() -> list[object]:
    drawn = np.random.RandomState(0)
    return [sk.KFold(4), sk.KFold(3, shuffle=True), sk.StratifiedKFold(4, shuffle=True, random_state=1), sk.GroupKFold(3), sk.LeaveOneOut(),
            sk.StratifiedGroupKFold(3), sk.LeaveOneGroupOut(), sk.LeavePGroupsOut(2), sk.GroupShuffleSplit(3), sk.ShuffleSplit(4, test_size=0.2),
            sk.ShuffleSplit(4, train_size=0.5, test_size=0.2), sk.RepeatedKFold(n_splits=3, n_repeats=2), sk.PredefinedSplit(np.arange(60) % 3 - 1),
            sk.RepeatedStratifiedKFold(n_splits=3, n_repeats=2, random_state=drawn), sk.TimeSeriesSplit(4, gap=2)]


@pytest.mark.parametrize("number", range(len(foreign())), ids=lambda number: f"{number}-{type(foreign()[number]).__name__}")
def test_scikit_learn_splitters_keep_their_own_rows(number: int) -> None:
    given, same, random = foreign()[number], foreign()[number], np.random.default_rng(0)
    y, groups = random.integers(0, 2, 60), random.integers(0, 6, 60)
    splitter = check_splitter(given)
    assert splitter.needs == (("y", "groups") if "Group" in type(given).__name__ else ("y",))
    if getattr(same, "random_state", 0) is None:
        same.random_state = 5
    answer = splitter(*[{"y": y, "groups": groups}[need] for need in splitter.needs], seed=5)
    folds = folds_of(answer, 60)
    pairs = same.split(y, y, *([groups] if "groups" in splitter.needs else []))
    expected = [(sorted(train), sorted(valid)) for train, valid in pairs]
    assert [(sorted(train), sorted(valid)) for train, valid in folds.split()] == expected
    assert isinstance(answer, Explicit) == any(len(train) + len(valid) < 60 for train, valid in expected)
    testing.check_splitter(given, rows=60)


@pytest.mark.parametrize(("splitter", "shape", "says"), [
    (sk.KFold(50), 20, "KFold cannot split these 20 rows: "), (sk.StratifiedKFold(3), (20, 2), "multilabel"),
    (sk.PredefinedSplit(np.arange(30) % 2), 20, "PredefinedSplit cannot split"), (sk.PredefinedSplit(np.full(9, -1)), 9, "gives no fold"),
])
def test_scikit_learn_splitters_that_fail_are_told(splitter: object, shape: int | tuple, says: str) -> None:
    with pytest.raises(KKError, match=says):
        check_splitter(splitter)(np.zeros(shape))


def test_a_class_or_anything_else_is_no_splitter() -> None:
    with pytest.raises(KKError, match=r"KFold is a class. Give one made of it: KFold\(\)"):
        check_splitter(sk.KFold)
    with pytest.raises(KKError, match="5 is no splitter"):
        check_splitter(5)
    with pytest.raises(KKError, match="no splitter is called 'gruop'. Did you mean group"):
        check_splitter("gruop")


def test_a_splitter_of_ones_own_needs_what_its_parameters_are_called(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text("""
def swapped(seed=0, n=5, *, groups, y):
    assert sorted(set(y)) == [7, 8]
    return groups % n

def plain(target, n=5, seed=0):
    return target % n

def late(time, n=5, seed=0):
    return (time > 5) - 1

def near(likeness, column, n=5, seed=0):
    return (likeness > column) * 1

def anytime(time, n=5, seed=0):
    return time % n

anytime.rule = "purged"

class cv:
    def get_n_splits(self): return 1
    def split(self, X): yield [True] * 4 + [False] * 2, [5, 4]

folds = cv()
""", encoding="utf-8")
    names = ("swapped", "plain", "late", "near", "anytime", "folds")
    swapped, plain, late, near, anytime, folds = (check_splitter(f"{path}:{name}") for name in names)
    assert (swapped.needs, plain.needs, late.needs, near.needs) == (("y", "groups"), ("y",), ("time",), ("likeness", "column"))
    assert (swapped.rule, late.rule, anytime.rule) == ("rest", "before", "purged")
    assert swapped(np.array([7, 8, 7]), np.array([0, 1, 5])).tolist() == [0, 1, 0]
    assert plain(np.array([1, 2]), n=2).tolist() == [1, 0] and check_splitter(swapped) is swapped
    assert near(np.array([1, 5]), np.array([2, 2])).tolist() == [0, 1]
    assert folds(np.zeros(6)).tolist() == [-1, -1, -1, -1, 0, 0]


GAPPY, SHORT, NONE = np.array([1.0, np.nan, 2.0, 3.0]), np.arange(6.0), np.array([None, "a", "b"], dtype=object)


@pytest.mark.parametrize(("name", "arrays", "options", "says"), [
    ("random", [SHORT], {"n": 1}, "1 folds are too few to validate. Give at least 2: kk cv -n 2"),
    ("random", [SHORT], {"n": 7}, "7 folds are more than the 6 rows. Give fewer: kk cv -n 6"),
    ("random", [SHORT], {"n": 2.5}, "2.5 is no number of folds"),
    ("random", [SHORT[:0]], {"n": 2}, "2 folds are more than the 0 rows. Choose another split"),
    ("stratified", [np.ones(9)], {"n": 3}, "y is 1.0 in all rows: there is nothing to stratify. Check the target"),
    ("stratified", [GAPPY], {"n": 2}, r"y: 1 of 4 values are missing \(NaN\), the first in row 1"),
    ("stratified", [np.zeros((9, 2))], {"n": 3}, r"y has the shape \(9, 2\).*kk cv --split multilabel"),
    ("stratified", [np.arange(500) / 7], {"n": 3}, "500 values in 500 rows, too many classes.*stratified-regression"),
    ("stratified-regression", [np.full(9, 3)], {"n": 3}, "y is 3 in all rows"),
    ("stratified-regression", [GAPPY], {"n": 2}, "y: 1 of . values are missing"),
    ("stratified-regression", [np.array(["a", "b", "c"])], {"n": 2}, "y holds 'a', which is no number"),
    ("stratified-regression", [SHORT], {"n": 2, "bins": 0}, "0 bins hold no row"),
    ("group", [np.array([1, 1, 2, 2])], {"n": 3}, "3 folds are more than the 2 groups. Give fewer: kk cv -n 2"),
    ("group", [NONE], {"n": 2}, "groups: 1 of . values are missing"),
    ("stratified-group", [np.array([1, 0, 1, 0]), GAPPY], {"n": 2}, "groups: 1 of . values are missing"),
    ("stratified-group", [np.array([1, 0]), np.array([1, 2, 3])], {"n": 2}, "y has 2 rows, groups have 3"),
    ("stratified-group", [np.array(["x", "x", "x"]), np.array([1, 2, 3])], {"n": 2}, "y is x in all rows"),
    ("stratified-group", [np.arange(500).astype(str), np.arange(500)], {"n": 2}, "too many classes"),
    ("multilabel", [np.array([0, 1, 0])], {"n": 2}, r"y has the shape \(3,\), and rows x labels is needed"),
    ("multilabel", [np.array([[0, 1], [2, 0]])], {"n": 2}, "y is 2 in row 1 of label 0, neither 0 nor 1"),
    ("multilabel", [np.array([[0, 1], [0, np.nan]])], {"n": 2}, "y is nan in row 1 of label 1"),
    ("leave-one-group-out", [np.arange(300)], {}, "leaving out one of 300 groups at a time makes 300 folds.*kk cv --split group"),
    ("leave-one-group-out", [np.ones(9)], {}, "all rows are of one group"),
    ("mixed", [SHORT], {"n": 2, "known": 1.5}, "known is 1.5, which is no share"),
    ("mixed", [np.zeros(5)], {"n": 2, "known": 0.0}, "2 folds are more than the 1"),
    ("holdout", [SHORT], {"share": 1.0}, "a share of 1 of 6 rows leaves nothing"),
    ("holdout", [SHORT], {"share": 0.01}, "a share of 0.01 of 6 rows leaves nothing"),
    ("adversarial", [GAPPY], {"n": 2}, "likeness: 1 of . values are missing"),
    ("adversarial", [SHORT], {"n": 4}, "4 folds are more than the 3 rows that are most like test"),
    ("adversarial", [SHORT], {"n": 2, "share": 0}, "share is 0"),
    ("predefined", [np.array([np.nan, -1.0])], {}, "gaps or negative numbers only"),
    ("predefined", [np.ones(5)], {}, "the column is 1.0 in all rows"),
    ("predefined", [np.arange(300)], {}, "300 values, too many to be folds"),
    ("time", [np.ones(5)], {"n": 2}, "2 folds are more than the 0 different times"),
    ("time", [GAPPY], {"n": 2}, r"time: 1 of 4 values are missing \(NaN or infinite\), the first in row 1"),
    ("time", [np.array(["2024", "soon"])], {"n": 2}, "time holds '2024', which is no number|holds 'soon'"),
    ("time", [np.array(["2024-01-01", "NaT", "2024-01-03"], dtype="M8[D]")], {"n": 2}, "time: 1 of . values are missing"),
    ("time", [SHORT], {"n": 2, "gap": 50}, "2 blocks and the gap take 11 times the time that the data spans.*smaller --gap"),
    ("time", [SHORT], {"n": 5, "test_size": 1, "gap": 2}, "nothing is left to train"),
    ("time", [SHORT], {"n": 2, "gap": -1}, "the gap is -1. Give a length of time that is not negative"),
    ("time", [SHORT], {"n": 2, "test_size": np.nan}, "the test_size is nan"),
    ("time", [np.array([0, 1, 2, 90, 91, 99.0])], {"n": 3, "test_size": 4}, "no row lies in block 2 of 3"),
    ("time-group", [np.array([1, 1, 1, 2, 1, 1]), SHORT], {"n": 2, "test_size": 1}, "no new group lies in block 1 of 2"),
    ("purged", [SHORT], {"n": 7}, "7 folds are more than the 6 different times"),
    ("purged", [SHORT], {"n": 2, "horizon": 9}, "leave nothing to train for block 1 of 2"),
    ("purged", [SHORT], {"n": 2, "embargo": -1}, "the embargo is -1"),
])
def test_what_cannot_be_split_is_told_with_what_to_type(name: str, arrays: list[Array], options: dict, says: str) -> None:
    with pytest.raises(KKError, match=says) as told:
        REGISTRY.get(name)(*arrays, **options)
    assert told.value.do


@pytest.mark.parametrize(("name", "labels"), [("stratified-group", 0), ("group", 0), ("stratified", 0), ("multilabel", 20)])
def test_memory_grows_with_the_rows_only(name: str, labels: int) -> None:
    random, rows = np.random.default_rng(0), 100_000
    known = {"y": (random.random((rows, labels)) < 0.1) if labels else random.integers(0, 5, rows), "groups": random.integers(0, rows // 10, rows)}
    made(name, {key: values[:100] for key, values in known.items()}, 5, 0)
    tracemalloc.start()
    made(name, known, 5, 0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 400 * rows
