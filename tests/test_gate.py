"""The gate of kk submit: what a submission can teach before it is sent, and whether a new best is more than a step after it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import kagglekit
from kagglekit.metrics import check_metric
from kagglekit.noise import lb_se
from kagglekit.run import Submission
from kagglekit.work.gate import left_today, look, paired_se, step_after
from tests.conftest import Ran
from tests.duel import Played

Kk = Callable[..., Ran]


@pytest.fixture
def played(workspace: Path) -> Played:
    return Played(workspace)


def test_it_is_silent_without_a_run_to_compare_with(played: Played, kk: Kk) -> None:
    ran = kk("submit", played.add("first", 1.5), "--json")
    assert ran.code == 0 and ran.json["gate"] is None and "paired SE" not in ran.err


def test_it_says_before_what_can_be_learnt_and_after_what_a_new_best_is(played: Played, kk: Kk) -> None:
    played.submit(played.add("first", 2.0, seed=1))
    far = kk("submit", played.add("far", 0.8, seed=2))
    assert far.code == 0 and "ahead of r1 first" in far.err and "it will show whether local gaps hold; 49 left today" in far.err
    assert far.err.index("whether local gaps hold") < far.err.index("sending ") and "more than a step of the ladder" in far.out
    near = kk("submit", played.add("near", 0.8, seed=5, like=0.35), "--json").json["gate"]
    assert near["against"] == "r2" and near["left_today"] == 48
    assert "the public score" in near["before"] and near["se"] > 0


def test_a_gap_inside_the_noise_teaches_little_and_is_a_tie(played: Played) -> None:
    played.submit(played.add("first", 1.5, seed=1))
    runs = [played.add(f"m{seed}", 1.5, seed=seed) for seed in range(2, 5)]
    told = {run: look(played.store, played.store.run(run)) for run in runs}
    for gate in told.values():
        assert gate is not None and gate.se and gate.gap is not None
        assert ("can hardly teach anything" in gate.before) == (abs(gate.gap) < gate.se)
    sent = [kagglekit.submit(run).gate for run in runs]
    after = [str(gate["after"]) for gate in sent if gate is not None and gate["after"]]
    assert all("less than a step of the ladder, so a tie with" in text or "more than a step" in text for text in after)


def test_copies_and_the_same_recipe_teach_nothing_and_are_sent_all_the_same(played: Played, kk: Kk) -> None:
    first = played.add("first", 1.5)
    played.submit(first)
    copy = kk("submit", played.add("copy", 1.5001), "--json")
    assert copy.code == 0 and "near copy of r1 first" in copy.json["gate"]["before"] and copy.json["public"] is not None
    again = kk("submit", first, "--json")
    assert again.code == 0 and "r1 of the same recipe has the public score" in again.json["gate"]["before"]


def test_what_it_cannot_read_keeps_nothing_back(played: Played) -> None:
    first, second = played.add("first", 1.5, seed=1), played.add("second", 1.0, seed=2)
    played.submit(first)
    (played.store.run_folder(played.store.run(first)) / "oof.npy").write_bytes(b"no array")
    assert look(played.store, played.store.run(second)) is None
    assert kagglekit.submit(second).status == "complete"


def test_a_new_best_within_one_step_is_a_tie(played: Played) -> None:
    first, second = (played.store.run(played.add(f"m{seed}", 1.5, seed=seed, like=0.2)) for seed in (1, 2))
    one, other = (Submission(n, run=run.id, status="complete", public=public) for n, run, public in ((1, first, 0.8), (2, second, 0.8001)))
    played.store.new_submission(lambda number: one)
    assert "less than a step of the ladder, so a tie with r1 m1" in step_after(played.store, second, other)
    assert "more than a step of the ladder" in step_after(played.store, second, replace(other, public=0.99))
    assert step_after(played.store, second, replace(other, public=0.7)) == step_after(played.store, second, replace(other, public=None)) == ""


def test_its_step_is_the_paired_standard_error_of_the_public_rows(played: Played) -> None:
    runs = [played.store.run(played.add(name, noise, seed=int(noise * 10))) for name, noise in (("a", 1.0), ("b", 1.4))]
    found = paired_se(played.store, runs)
    oof = np.stack([played.store.array(run, "oof") for run in runs])
    assert found is not None
    assert found[0, 1] == pytest.approx(lb_se(played.truth, oof, check_metric("auc"), round(0.5 * len(played.hidden))).se[0, 1], rel=0.5)


def test_the_days_left_are_those_of_the_arenas_clock(played: Played) -> None:
    played.submit(played.add("first", 1.5))
    assert left_today(played.store) == 49
    kagglekit.arena_advance(days=1)
    assert left_today(played.store) == 50
