"""lbcheck's statistics against the figures that were computed by hand or simulated."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kagglekit import agreement
from kagglekit.errors import KKError
from kagglekit.metrics import REGISTRY

SEEDS = st.integers(0, 2**31)
RISING = np.array([0.0, 2, 4, 6, 8])


def verdict(cv: object, lb: object) -> agreement.Verdict:
    return agreement.verdict(np.array(cv, float), np.array(lb, float), 0.5, 1.0, 4)


@pytest.mark.parametrize("models", [2, 3, 4, 5, 6, 7, 8, 10])
def test_smallest_p_of_kendall_is_one_in_all_orders(models: int) -> None:
    tau, p = agreement.kendall_exact(np.arange(models), np.arange(models))
    assert (tau, p) == (pytest.approx(1.0), pytest.approx(1 / math.factorial(models)))


@pytest.mark.parametrize(("swaps", "tau", "p"), [([1, 0, 2, 3, 4], 0.8, 0.042), ([1, 0, 3, 2, 4, 5], 0.733, 0.028)])
def test_kendall_p_follows_the_count_of_inversions(swaps: list[int], tau: float, p: float) -> None:
    found = agreement.kendall_exact(np.arange(len(swaps)), np.array(swaps))
    assert found == (pytest.approx(tau, abs=1e-3), pytest.approx(p, abs=1e-3))


def test_kendall_keeps_ties_and_knows_no_order_of_equals() -> None:
    tau, p = agreement.kendall_exact(np.array([1, 1, 2, 3]), np.array([1, 2, 3, 4]))
    assert (tau, p) == (pytest.approx(5 / math.sqrt(30)), pytest.approx(2 / 24))
    assert all(math.isnan(one) for one in agreement.kendall_exact(np.ones(4), np.arange(4)))


def test_nadeau_bengio_standard_error() -> None:
    noise = agreement.cv_se(np.array([[1, 2, 3, 4, 5], [0, 0, 0, 0, 0]]), 1 / 4)
    assert (noise.se[0, 1], noise.df) == (pytest.approx(1.0607, abs=1e-4), 4)


@pytest.mark.parametrize(("repeats", "factor"), [(1, 0.671), (2, 0.592), (5, 0.539), (10, 0.520)])
def test_nadeau_bengio_factor_with_repeats(repeats: int, factor: float) -> None:
    scores = np.random.default_rng(0).normal(size=(1, 5 * repeats))
    noise = agreement.cv_se(scores, 1 / 4, repeats)
    assert noise.se[0, 0] / scores.std(ddof=1) == pytest.approx(factor, abs=5e-4)


def test_cv_se_refuses_one_fold() -> None:
    with pytest.raises(KKError, match="1 fold scores a model are not 1 repeats of at least 2 folds.*Train on all folds"):
        agreement.cv_se(np.array([[0.8], [0.7]]), 0.25)


def test_perfect_order_of_five_tracks() -> None:
    found = verdict(RISING, RISING)
    assert (found.state, found.G, found.p_plus) == ("tracks", pytest.approx(1), pytest.approx(1 / 120))


def test_reversed_order_of_five_does_not_track() -> None:
    found = verdict(RISING, -RISING)
    assert (found.state, found.p_minus) == ("does-not-track", pytest.approx(1 / 120))


def test_perfect_order_of_four_tracks() -> None:
    found = verdict(RISING[:4], RISING[:4])
    assert (found.state, round(found.p_plus, 4)) == ("tracks", 0.0417)


def test_one_small_inversion_still_tracks() -> None:
    found = verdict(RISING, [0, 2, 4.3, 4.0, 8])
    assert (found.state, round(found.G, 4), round(found.p_plus, 4)) == ("tracks", 0.9488, 0.0167)


def test_two_models_cannot_tell_unless_opposite_and_resolved() -> None:
    same, opposite, noise = verdict([0, 3], [0, 3]), verdict([0, 3], [3, 0]), verdict([0, 0.2], [0.3, 0])
    assert [one.state for one in (same, opposite, noise)] == ["cannot-tell", "does-not-track", "cannot-tell"]
    assert (same.why, round(opposite.p_adj, 4), round(noise.p_adj, 2)) == ("too few", 0.0019, 0.38)
    assert agreement.direction(np.array([0, 3]), np.array([3, 0])) == "opposite"


def test_gaps_inside_the_noise_are_said_to_be_so() -> None:
    found = verdict(RISING / 50, [0.1, 0, 0.12, 0.02, 0.05])
    assert (found.state, found.why) == ("cannot-tell", "noise-limited")


@settings(max_examples=30, deadline=None)
@given(seed=SEEDS, models=st.integers(2, 6))
def test_verdict_does_not_depend_on_the_order_of_models(seed: int, models: int) -> None:
    random = np.random.default_rng(seed)
    cv, lb, order = random.normal(size=models), random.normal(size=models), random.permutation(models)
    one, other = (agreement.verdict(a, b, 0.5, 0.7, 4) for a, b in ((cv, lb), (cv[order], lb[order])))
    assert (one.state, one.why) == (other.state, other.why)
    assert (one.G, one.p_plus, one.p_adj) == pytest.approx((other.G, other.p_plus, other.p_adj))


@settings(max_examples=30, deadline=None)
@given(seed=SEEDS, models=st.integers(2, 6))
def test_verdict_only_depends_on_gaps_in_the_same_direction(seed: int, models: int) -> None:
    cv, lb = np.random.default_rng(seed).normal(size=(2, models))
    one, flipped = agreement.verdict(cv, lb, 0.5, 0.7, 4), agreement.verdict(3 - cv, 1 - lb, 0.5, 0.7, 4)
    assert (one.state, one.G, one.p_plus) == (flipped.state, pytest.approx(flipped.G), pytest.approx(flipped.p_plus))


def test_false_verdicts_are_rare_with_estimated_standard_errors() -> None:
    random = np.random.default_rng(3)
    wrong_yes = wrong_no = 0
    for _ in range(200):
        quality, other = random.normal(scale=4, size=(2, 5))
        noise = agreement.cv_se(random.normal(size=(5, 5)) * 0.5 / math.sqrt(0.45), 1 / 4)
        cv, lb = quality + random.normal(scale=0.35, size=5), random.normal(scale=0.7, size=5)
        wrong_yes += agreement.verdict(cv, lb + other, noise.se, 1.0, noise.df).state == "tracks"
        wrong_no += agreement.verdict(cv, lb + quality, noise.se, 1.0, noise.df).state == "does-not-track"
    assert wrong_yes <= 0.1 * 200
    assert wrong_no <= 0.02 * 200


def test_power_grows_with_spacing_as_simulated() -> None:
    power = [agreement.power_to_track(np.arange(5) * spacing, 0.5, 1.0, 4) for spacing in (0.25, 0.5, 1, 1.5)]
    # The table is for noise in CV and public alike at SE_cv = .5 SE_lb: .15 .47 .91 1.0
    assert power == pytest.approx([0.15, 0.47, 0.91, 1.0], abs=0.12)
    assert agreement.power_to_track(np.arange(3) * 9.0, 0.5, 1.0, 4) == 0.0


def test_pairs_tie_within_the_rounding_step_and_explain_small_disagreements() -> None:
    cv, lb = np.array([0.0, 0.4, 3.0]), np.array([0.5, 0.2, 0.5 + 1e-12])
    found = {(pair.i, pair.j): pair for pair in agreement.pairs(cv, lb, 0.5, 1.0, rounding=0.01)}
    assert [found[key].agree for key in ((0, 1), (0, 2), (1, 2))] == [-1, 0, 1]
    assert found[0, 1].explained_by_noise
    assert found[0, 1].public_se == pytest.approx(math.sqrt(1 + 0.01**2 / 6))


def test_rounding_is_read_from_the_scores_as_shown() -> None:
    assert agreement.rounding_step(["0.8", "0.81234"]) == pytest.approx(1e-5)
    assert agreement.public_decimals(["12", "13"]) == 0


def test_local_models_and_scale() -> None:
    lb = np.array([0.5, 0.80, 0.81, 0.82])
    assert agreement.local_models(lb, 0.01) == [1, 2, 3]
    assert agreement.smallest_resolved_gap(lb, lb, 0.001, 0.01) == pytest.approx(0.02)
    assert agreement.smallest_resolved_gap(lb, lb, 1, 1) is None


@pytest.mark.parametrize(("n", "expected"), [(5, 1.16), (10, 1.54), (20, 1.87), (50, 2.25), (100, 2.51), (200, 2.75)])
def test_best_of_equal_models(n: int, expected: float) -> None:
    assert agreement.best_of(n) == pytest.approx(expected, abs=5e-3)


def test_intervals_only_where_they_mean_something() -> None:
    x = np.arange(12.0) + np.sin(np.arange(12))
    assert agreement.pearson(x[:4], x[:4] ** 2).low is None
    assert agreement.spearman(x[:7], np.cos(x[:7])).low is None
    assert agreement.spearman(x, np.cos(x)).low < agreement.spearman(x, np.cos(x)).value


def test_public_se_of_auc_is_delong_and_scales_with_rows() -> None:
    random = np.random.default_rng(0)
    y = random.random(4000) < 0.3
    oof = y + random.normal(size=(2, 4000))
    few, many = (agreement.lb_se(y.astype(int), oof, REGISTRY.get("auc"), n) for n in (1000, 4000))
    assert few.method == "DeLong"
    assert few.se == pytest.approx(2 * many.se)


def test_groups_make_the_public_se_larger() -> None:
    random = np.random.default_rng(0)
    groups = np.repeat(np.arange(200), 10)
    error = (random.normal(size=200) * 0.6**0.5)[groups] + random.normal(size=2000) * 0.4**0.5
    by_row, by_group = (agreement.lb_se(np.zeros(2000), np.abs(error)[None], REGISTRY.get("mae"), 1000, groups=g).single[0]
                        for g in (None, groups))
    assert 1.2 < by_group / by_row < 2.2


def test_bootstrap_agrees_with_influence_where_there_is_one() -> None:
    from dataclasses import replace
    random, metric = np.random.default_rng(0), REGISTRY.get("rmse")
    y = random.normal(size=800)
    oof = y + random.normal(size=(2, 800))
    by_influence = agreement.lb_se(y, oof, metric, 400)
    by_bootstrap = agreement.lb_se(y, oof, replace(metric, influence=None), 400)
    assert by_bootstrap.method == "bootstrap"
    assert by_bootstrap.se == pytest.approx(by_influence.se, rel=0.12)


def test_accuracy_scores_give_away_the_public_rows() -> None:
    random = np.random.default_rng(0)
    shown = [f"{hits / 1003:.5f}" for hits in random.integers(700, 900, 3)]
    assert agreement.solve_public_rows(shown, 985, 1015) == [1003]


def test_offset_weighs_by_the_covariance() -> None:
    found = agreement.offset(np.zeros(2), np.array([1.0, 5.0]), np.diag([1.0, 1e6]))
    assert (found.value, found.se) == (pytest.approx(1.0, abs=1e-3), pytest.approx(1.0, abs=1e-3))


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


def test_lookup_scales_and_refuses_unknown_metrics() -> None:
    assert agreement.lookup_se("auc", 8000) == pytest.approx((0.0045 * math.sqrt(10000 / 8000), 0.0016 * math.sqrt(10000 / 8000)))
    with pytest.raises(KKError, match="no table of standard errors for 'map@3'.*Add the runs with their OOF"):
        agreement.lookup_se("map@3", 1000)


def test_final_picks_hedge_where_it_is_not_known_which_score_is_right() -> None:
    cv, public = np.array([0.90, 0.85, 0.84, 0.80, 0.70]), np.array([0.70, 0.85, 0.84, 0.88, 0.60])
    assert set(agreement.final_picks(cv, public, True)) != set(np.argsort(-public)[:2])
    assert set(agreement.final_picks(cv, public, True)) != set(np.argsort(-cv)[:2])
