"""Folds: the train rules, partial coverage, training rows that no rule can say, and scikit-learn's cv protocol."""

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kagglekit.errors import KKError
from kagglekit.folds import Folds, Stacked, from_assignment, stacked

TIME = np.arange(12.0)
BLOCKS = np.array([-1] * 3 + [0] * 3 + [1] * 3 + [2] * 3, dtype=np.int16)


def by_time(rule: str = "before", **lengths: float) -> Folds:
    return from_assignment("blocks", BLOCKS, "ids", 12, rule=rule, order=TIME, **lengths)


@pytest.mark.parametrize(("lengths", "train"), [
    ({}, [0, 1, 2, 3, 4, 5]),
    ({"gap": 2.0}, [0, 1, 2, 3, 4]),  # 6 - 4 is a gap of 2
    ({"window": 2.0}, [4, 5]),
    ({"gap": 2.0, "window": 1.0}, [3, 4]),
])
def test_what_trains_before_a_block(lengths: dict, train: list[int]) -> None:
    fold = by_time(**lengths).one(0, 1)
    assert fold.valid.tolist() == [6, 7, 8] and fold.train.tolist() == train


@pytest.mark.parametrize(("lengths", "train"), [
    ({}, [0, 1, 2, 9, 10, 11]),
    ({"horizon": 1.0}, [0, 1, 10, 11]),  # the label of 2 is known at 3, that of 5 at 6: rows 3 to 5 are validated
    ({"embargo": 2.0}, [0, 1, 2, 11]),
    ({"horizon": 1.0, "embargo": 2.0, "gap": 1.0}, [0]),
])
def test_purging_drops_rows_whose_labels_overlap(lengths: dict, train: list[int]) -> None:
    vector = np.full(12, -1, dtype=np.int16)
    vector[3:9] = 0
    folds = from_assignment("purged", vector, "ids", 12, rule="purged", order=TIME, **lengths)
    assert folds.one(0, 0).train.tolist() == train


def test_a_gap_in_dates_is_not_lost_to_rounding() -> None:
    day = 86400e9
    order = 1.7e18 + day * np.arange(12)
    fold = from_assignment("days", BLOCKS, "ids", 12, rule="before", order=order, gap=2 * day).one(0, 1)
    assert fold.train.tolist() == [0, 1, 2, 3, 4]


def test_rules_and_lengths_have_their_own_fingerprints() -> None:
    made = [by_time(), by_time(gap=1.0), by_time(window=1.0), by_time("purged"), by_time("purged", horizon=1.0),
            by_time("purged", embargo=1.0), from_assignment("blocks", BLOCKS, "other", 12, rule="before", order=TIME)]
    assert len({folds.fingerprint for folds in made}) == len(made)
    assert by_time().fingerprint == by_time().fingerprint


def test_given_training_rows_are_kept_only_where_no_rule_says_them() -> None:
    lines = (np.array([0, 1, 2, 3]), np.zeros(4, int), np.array([0, 0, 1, 1]))
    rest = from_assignment("rest", Stacked(*lines, (np.array([2, 3]), np.array([0, 1]))), "ids", 4)
    assert rest.rule == "rest" and rest.given is None
    odd = from_assignment("odd", Stacked(*lines, (np.array([2]), np.array([0, 1]))), "ids", 4)
    assert odd.rule == "given" and odd.one(0, 0).train.tolist() == [2] and odd.fingerprint != rest.fingerprint
    assert [train.tolist() for train, _ in odd.split()] == [[2], [0, 1]]
    with pytest.raises(KKError, match="fold 0 of bad trains on rows that it validates"):
        from_assignment("bad", Stacked(*lines, (np.array([0, 2]), np.array([0, 1]))), "ids", 4)


def test_several_answers_are_numbered_through_as_repeats() -> None:
    vector = np.array([0, 1, -1, 0], dtype=np.int16)
    folds = from_assignment("many", stacked([vector, vector[::-1]], 4), "ids", 4)
    assert folds.repeats == 2 and folds.n == 2 and folds.sizes == [2, 1, 2, 1] and folds.scored_rows == 4
    assert folds.vector(0).tolist() == [0, 1, -1, 0] and folds.vector(1).tolist() == [0, -1, 1, 0]


@pytest.mark.parametrize(("assignment", "says"), [
    (np.zeros(3, dtype=np.int16), r"shape \(3,\) for 4 rows"),
    (np.full(4, -1, dtype=np.int16), "validate no row"),
    ((np.array([0, 0]), np.zeros(2, int), np.array([0, 1])), "validate a row twice in one repeat"),
    ((np.array([0, 7]), np.zeros(2, int), np.array([0, 1])), "validate row 7 of 4"),
])
def test_answers_that_are_no_folds(assignment: object, says: str) -> None:
    with pytest.raises(KKError, match=says):
        from_assignment("bad", assignment, "ids", 4)


def test_an_unknown_fold_names_those_that_there_are() -> None:
    with pytest.raises(KKError, match="blocks has no fold 7") as caught:
        by_time().one(0, 7)
    assert "0, 1, 2" in caught.value.do


@settings(deadline=None, max_examples=50)
@given(st.lists(st.integers(-1, 3), min_size=4, max_size=40).filter(lambda one: max(one) >= 0))
def test_parts_are_what_the_vector_says(vector: list[int]) -> None:
    numbers = np.array(vector, dtype=np.int16)
    folds = from_assignment("any", numbers, "ids", len(numbers))
    for fold in folds:
        assert fold.valid.tolist() == np.flatnonzero(numbers == fold.fold).tolist()
        assert sorted([*fold.train, *fold.valid]) == list(range(len(numbers)))
    assert sum(folds.sizes) == folds.scored_rows == int((numbers >= 0).sum())


def test_scikit_learn_takes_folds_as_cv() -> None:
    from sklearn.linear_model import Ridge
    from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_val_score

    random = np.random.default_rng(0)
    X, y = random.normal(size=(60, 3)), random.normal(size=60)
    folds = from_assignment("five", (np.arange(60) % 5).astype(np.int16), "ids", 60)
    predicted = cross_val_predict(Ridge(), X, y, cv=folds)
    for fold in folds:
        assert np.allclose(predicted[fold.valid], Ridge().fit(X[fold.train], y[fold.train]).predict(X[fold.valid]))
    search = GridSearchCV(Ridge(), {"alpha": [0.1, 10.0]}, cv=folds).fit(X, y)
    assert search.n_splits_ == 5
    partial = from_assignment("last", BLOCKS, "ids", 12, rule="before", order=TIME)
    assert len(cross_val_score(Ridge(), X[:12], y[:12], cv=partial)) == 3
    with pytest.raises(KKError, match="X has 12 rows, the folds five are made for 60"):
        cross_val_score(Ridge(), X[:12], y[:12], cv=folds, error_score="raise")


def test_folds_are_copied_and_pickled_without_their_tables() -> None:
    folds = by_time(gap=1.0)
    again = pickle.loads(pickle.dumps(folds))
    assert again.fingerprint == folds.fingerprint and [fold.train.tolist() for fold in again] == [fold.train.tolist() for fold in folds]
    assert copy.deepcopy(folds) is folds
