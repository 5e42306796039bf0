"""Every registered part holds its contract; a new one is covered the moment it is registered."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kagglekit import blenders, metrics, splitters, testing
from kagglekit.folds import from_assignment
from kagglekit.models import family
from kagglekit.practice.builtin.registry import REGISTRY as PRACTICE


@pytest.mark.parametrize("name", metrics.REGISTRY.names())
def test_metric(name: str) -> None:
    testing.check_metric(metrics.REGISTRY.get(name))


@pytest.mark.parametrize("name", splitters.REGISTRY.names())
@pytest.mark.parametrize("seed", range(4))
def test_splitter(name: str, seed: int) -> None:
    testing.check_splitter(splitters.REGISTRY.get(name), seed=seed)


@pytest.mark.parametrize("task", testing.METRICS)
@pytest.mark.parametrize("name", family.REGISTRY.names())
def test_model(name: str, task: str) -> None:
    model = family.REGISTRY.get(name)
    if not model.is_here():
        pytest.skip(f"{model.missing()} is not installed")
    testing.check_model(model, task)


@pytest.mark.parametrize("name", blenders.REGISTRY.names())
def test_blender(name: str) -> None:
    testing.check_blender(blenders.REGISTRY.get(name))


@pytest.mark.parametrize("name", PRACTICE.names())
def test_practice_competition(name: str) -> None:
    part = PRACTICE.get(name)
    tables = part.function(0)
    sample, solution, test = tables["sample_submission"], tables["solution"], tables["test"]
    assert list(solution.columns) == [*sample.columns, "Usage"]
    stub = part.code_only  # there the visible sample is a few rows, and the hidden test set is another
    assert list(solution.iloc[:, 0]) == list(sample.iloc[:, 0]) or stub
    assert set(solution["Usage"]) == {"Public", "Private"} and len(test) == len(sample) and (len(solution) > len(sample)) == stub
    assert not set(sample.columns[1:]) & set(test.columns) and set(test.columns) < set(tables["train"].columns)
    assert part.teaches and part.description


@settings(max_examples=30, deadline=None)
@given(rows=st.integers(20, 200), n=st.integers(2, 6), seed=st.integers(0, 5), name=st.sampled_from(["random", "stratified", "group"]))
def test_splitters_cover_each_row_once_in_even_folds(rows: int, n: int, seed: int, name: str) -> None:
    random = np.random.default_rng(seed)
    values = random.integers(0, 2, rows) if name != "group" else random.integers(0, max(rows // 2, n), rows)
    if name == "group" and len(np.unique(values)) < n:
        return
    numbers = np.asarray(splitters.REGISTRY.get(name)(values, n=n, seed=seed))
    assert set(numbers) == set(range(n))
    largest = np.bincount(values).max() if name == "group" else 1
    assert np.ptp(np.bincount(numbers)) <= largest


@settings(max_examples=30, deadline=None)
@given(rows=st.integers(60, 400), n=st.integers(2, 5), gap=st.floats(0, 3), seed=st.integers(0, 5))
def test_time_folds_respect_the_gap(rows: int, n: int, gap: float, seed: int) -> None:
    time = np.random.default_rng(seed).permutation(rows).astype(float) // 2  # two rows at each moment
    numbers = splitters.REGISTRY.get("time")(time, n=n, gap=gap)
    folds = from_assignment("t", numbers, "ids", rows, rule="before", gap=gap, order=time)
    for fold in folds:
        apart = time[fold.valid].min() - time[fold.train].max()
        assert apart > 0 and apart >= gap - 1e-9


def test_the_fingerprint_changes_with_ids_folds_and_rule() -> None:
    numbers = np.arange(12) % 3
    base = from_assignment("a", numbers, "ids", 12)
    assert base.fingerprint == from_assignment("b", numbers, "ids", 12).fingerprint
    others = [from_assignment("a", numbers, "other", 12), from_assignment("a", np.roll(numbers, 1), "ids", 12),
              from_assignment("a", numbers, "ids", 12, rule="before", order=np.arange(12.0))]
    assert len({one.fingerprint for one in (base, *others)}) == 4
