"""Choices between splits and between finals: what is picked, what it is expected to lose, and that both hold up in simulation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kagglekit import agreement
from kagglekit.choice import choose_finals, expected_maximum
from kagglekit.errors import KKError

SEEDS = st.integers(0, 2**31)
RULES = {"public": lambda cv, lb: np.argsort(-lb)[:2], "cv": lambda cv, lb: np.argsort(-cv)[:2],
         "each": lambda cv, lb: [int(np.argmax(lb)), int(np.argmax(cv))]}


def test_final_picks_ignore_direction_and_follow_the_surer_side() -> None:
    cv, public = np.array([0.80, 0.84, 0.82, 0.70]), np.array([0.80, 0.78, 0.83, 0.71])
    trust_public = agreement.final_picks(cv, public, True, n=1, se_cv=0.1, se_public=0.001)
    trust_cv = agreement.final_picks(cv, public, True, n=1, se_cv=0.03, se_public=0.5)
    assert (trust_public, trust_cv) == ([2], [1])
    assert agreement.final_picks(-cv, -public, False) == agreement.final_picks(cv, public, True)


def test_final_picks_lose_little_where_scores_are_noisy() -> None:
    random, regret = np.random.default_rng(0), []
    for _ in range(200):
        true = random.normal(size=20)
        # noises of 1 in one score are paired standard errors of sqrt 2
        cv, public = true + random.normal(size=(2, 20))
        picks = agreement.final_picks(cv, public, True, se_cv=2**0.5, se_public=2**0.5)
        regret.append(true.max() - true[picks].max())
    assert np.mean(regret) < 0.30


def test_three_finals_are_distinct() -> None:
    cv = np.random.default_rng(0).normal(size=8)
    assert len(set(agreement.final_picks(cv, cv[::-1], True, n=3, families=list("aabbccdd")))) == 3


@pytest.mark.parametrize("scores", [[0.8, 0.8], [0.8, 0.8, 0.8], [0.0, 0.0, 0.0]])
def test_equal_scores_are_one_submission_and_tell_no_noise(scores: list[float]) -> None:
    found = choose_finals(scores, scores, True)
    assert len(found.picks) == 1 and (found.regret, found.p_best, found.regret_of) == (None, None, {})
    told = choose_finals([0.81, 0.8, 0.79], [0.7, 0.72, 0.735], True)
    assert told.regret is not None and 0 < told.p_best < 1


def test_final_picks_hedge_where_it_is_not_known_which_score_is_right() -> None:
    cv, public = np.array([0.90, 0.85, 0.84, 0.80, 0.70]), np.array([0.70, 0.85, 0.84, 0.88, 0.60])
    assert set(agreement.final_picks(cv, public, True)) != set(np.argsort(-public)[:2])
    assert set(agreement.final_picks(cv, public, True)) != set(np.argsort(-cv)[:2])


def test_the_split_that_foretells_is_picked() -> None:
    random, wins = np.random.default_rng(0), 0
    for _ in range(200):
        quality = random.normal(size=5)
        cv = quality + np.array([[0.2], [0.5], [0.8], [1.2], [2]]) * random.normal(size=(5, 5))
        wins += agreement.compare_splits(cv, quality + 0.2 * random.normal(size=5), draws=20)[0].split == 0
    assert wins / 200 == pytest.approx(0.86, abs=0.08)


def test_p_best_is_only_given_from_five_models() -> None:
    cv = np.random.default_rng(0).normal(size=(2, 5))
    assert agreement.compare_splits(cv[:, :4], np.arange(4.0))[0].p_best is None
    assert sum(fit.p_best for fit in agreement.compare_splits(cv, np.arange(5.0))) == pytest.approx(1)


def test_clark_has_the_expected_maximum_of_two() -> None:
    random = np.random.default_rng(0)
    covariance = np.array([[1.0, 0.3], [0.3, 2.0]])
    drawn = random.multivariate_normal([0.2, 0.5], covariance, 200_000).max(axis=1).mean()
    assert expected_maximum(np.array([0.2, 0.5]), covariance)[0, 1] == pytest.approx(drawn, abs=0.01)


def test_final_picks_lose_less_than_by_public_by_cv_and_one_of_each() -> None:
    random, noises = np.random.default_rng(0), [(1.0, 1.0), (0.5, 1.5), (1.5, 0.5)]
    lost = {name: np.zeros((3, 120)) for name in (*RULES, "final")}
    for case, (noise_cv, noise_lb) in enumerate(noises):
        se = [np.full((15, 15), noise * 2**0.5) for noise in (noise_cv, noise_lb)]
        for draw in range(120):
            true = random.normal(size=15)
            cv, lb = true + noise_cv * random.normal(size=15), true + noise_lb * random.normal(size=15)
            picks = {name: rule(cv, lb) for name, rule in RULES.items()}
            picks["final"] = agreement.final_picks(cv, lb, True, se_cv=se[0], se_public=se[1])
            for name, rows in picks.items():
                lost[name][case, draw] = true.max() - true[list(rows)].max()
    means = {name: one.mean(axis=1) for name, one in lost.items()}
    assert (means["final"] <= np.min([means[name] for name in RULES], axis=0) + 0.05).all()
    assert means["final"].mean() < 0.7 * min(means[name].mean() for name in RULES)


def test_expected_regret_is_what_is_lost() -> None:
    random, said, seen, contains = np.random.default_rng(0), [], [], []
    for _ in range(120):
        true = random.normal(size=12)
        cv, lb = true + random.normal(size=(2, 12))
        found = choose_finals(cv, lb, True, se_cv=2**0.5, se_public=2**0.5)
        said.append((found.regret, found.p_best))
        seen.append(true.max() - true[list(found.picks)].max())
        contains.append(int(np.argmax(true)) in found.picks)
    assert np.mean([one[0] for one in said]) == pytest.approx(np.mean(seen), abs=0.1)
    assert np.mean([one[1] for one in said]) == pytest.approx(np.mean(contains), abs=0.13)


def test_two_copies_are_never_picked_together() -> None:
    cv, public = np.array([0.90, 0.901, 0.85, 0.80]), np.array([0.90, 0.899, 0.86, 0.80])
    alike = np.eye(4)
    alike[0, 1] = alike[1, 0] = 0.9999
    picks = agreement.final_picks(cv, public, True, se_cv=0.001, se_public=0.001, correlation=alike)
    assert 2 in picks
    assert {0, 1} == set(agreement.final_picks(cv, public, True, se_cv=0.001, se_public=0.001))
    equal = agreement.final_picks(np.array([0.9, 0.9, 0.8]), np.array([0.9, 0.9, 0.8]), True)
    assert 2 in equal


def test_families_that_shift_together_are_hedged() -> None:
    random, lost = np.random.default_rng(0), {True: [], False: []}
    for _ in range(200):
        family = np.repeat([0, 1, 2], 5)
        true = random.normal(size=15)
        private = true + 2 * random.normal(size=3)[family]
        cv, lb = true + 2 * random.normal(size=3)[family] + 0.3 * random.normal(size=15), true + 0.3 * random.normal(size=15)
        for told in lost:
            rows = agreement.final_picks(cv, lb, True, se_cv=0.4, se_public=0.4, families=family.astype(str).tolist() if told else None)
            lost[told].append(private.max() - private[rows].max())
    assert np.mean(lost[True]) < np.mean(lost[False])


def test_a_submission_without_cv_or_public_score_is_judged_by_the_other() -> None:
    cv, public = np.array([np.nan, 0.80, 0.81, 0.95]), np.array([0.90, 0.80, 0.81, np.nan])
    found = choose_finals(cv, public, True, se_cv=0.01, se_public=0.01)
    assert set(found.picks) == {0, 3}
    assert agreement.final_picks(np.full(3, np.nan), np.array([0.1, 0.3, 0.2]), False) == [0, 2]


def test_runner_up_pairs_lose_little() -> None:
    cv = np.array([0.80, 0.8001, 0.7999, 0.70])
    found = choose_finals(cv, cv, True, se_cv=0.01, se_public=0.01)
    assert found.runners_up
    assert all(set(pair) <= {0, 1, 2} and loss >= -1e-12 for pair, loss in found.runners_up)


@settings(max_examples=20, deadline=None)
@given(seed=SEEDS, n=st.integers(1, 4))
def test_picks_do_not_depend_on_order_or_direction(seed: int, n: int) -> None:
    random = np.random.default_rng(seed)
    cv, lb, order = random.normal(size=9), random.normal(size=9), random.permutation(9)
    if n > 2:
        order = np.arange(9)
    picks = agreement.final_picks(cv, lb, True, n=n)
    assert len(set(picks)) == n
    assert set(order[agreement.final_picks(cv[order], lb[order], True, n=n)]) == set(picks)
    assert agreement.final_picks(-cv, -lb, False, n=n) == picks


def test_bad_input_is_told() -> None:
    with pytest.raises(KKError, match="there are 2 local scores and 3 public ones"):
        agreement.final_picks(np.zeros(2), np.zeros(3), True)
    with pytest.raises(KKError, match="0 submissions cannot be picked"):
        agreement.final_picks(np.zeros(2), np.zeros(2), True, n=0)
    assert agreement.final_picks(np.array([]), np.array([]), True) == []
    with pytest.raises(KKError, match="a score is missing"):
        agreement.compare_splits(np.array([[1.0, np.nan]]), np.zeros(2))


def test_unrelated_splits_are_rarely_said_to_correlate() -> None:
    random, false, naive = np.random.default_rng(0), 0, 0
    for _ in range(200):
        shared = random.normal(size=5)
        fits = agreement.compare_splits(shared + 0.5 * random.normal(size=(5, 5)), random.normal(size=5), draws=5)
        false += min(fit.p_max_t for fit in fits) <= 0.05
        naive += max(fit.tau for fit in fits) >= 0.8
    assert false <= 0.09 * 200
    assert naive > false


def test_sign_flip_sees_the_better_of_two_and_not_before_five_models() -> None:
    random = np.random.default_rng(0)
    lb = random.normal(size=14)
    good, bad = lb + 0.05 * random.normal(size=14), lb + 2 * random.normal(size=14)
    assert agreement.sign_flip(good, bad, lb) < 0.05 < 0.5 < agreement.sign_flip(bad, good, lb)
    assert agreement.sign_flip(good[:4], bad[:4], lb[:4]) >= 1 / 16


def test_ties_between_splits_go_to_the_evidence_then_the_offset_then_the_cost() -> None:
    fit = agreement.SplitFit(0, 0.10, 0.9, 0.9, 0.02, 0.5, 0.01, True)
    from dataclasses import replace
    fits = [fit, replace(fit, split=1, loo_rmse=0.11, offset=0.02), replace(fit, split=2, loo_rmse=0.30, offset=0.0, tied=False)]
    assert agreement.choose_split(fits, evidence=[2, 1]) == agreement.SplitChoice(1, "evidence", True)
    assert agreement.choose_split(fits, cost=[9.0, 1.0, 0.0]) == agreement.SplitChoice(1, "cost", True)
    assert agreement.choose_split([fit, replace(fits[1], offset=-0.5)]).why == "offset"
    assert agreement.choose_split([fit, fits[2]]) == agreement.SplitChoice(0, "error", False)
