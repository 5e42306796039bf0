"""lbcheck's statistics against the figures that were computed by hand or simulated."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kagglekit import agreement
from kagglekit.errors import KKError
from kagglekit.metrics import REGISTRY
from kagglekit.noise import qn

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


def test_kendall_has_an_interval_from_15_models_that_covers() -> None:
    assert agreement.kendall_interval(0.9, 14) == (None, None)
    random, inside, true = np.random.default_rng(0), [], 2 / math.pi * math.asin(0.9)
    for _ in range(400):
        a, b = random.multivariate_normal([0, 0], [[1, 0.9], [0.9, 1]], 20).T
        low, high = agreement.kendall_interval(agreement.kendall_exact(a, b)[0], 20)
        inside.append(low <= true <= high)
    assert np.mean(inside) == pytest.approx(0.94, abs=0.035)


@given(st.integers(10, 60), st.floats(0.01, 100), st.integers(0, 1000))
def test_qn_is_a_standard_deviation_that_four_in_ten_broken_values_do_not_break(count: int, size: float, seed: int) -> None:
    values = np.random.default_rng(seed).normal(size=count) * size
    assert qn(values * 3 + 7) == pytest.approx(3 * qn(values)) and 0.4 * size < qn(values) < 2.2 * size
    values[: int(0.4 * count)] = 1e6 * size
    assert qn(values) < 20 * size


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


def test_lookup_scales_and_refuses_unknown_metrics() -> None:
    assert agreement.lookup_se("auc", 8000) == pytest.approx((0.0045 * math.sqrt(10000 / 8000), 0.0016 * math.sqrt(10000 / 8000)))
    with pytest.raises(KKError, match="no table of standard errors for 'map@3'.*Add the runs with their OOF"):
        agreement.lookup_se("map@3", 1000)


def test_three_of_five_at_the_ceiling_are_no_evidence() -> None:
    cv, lb = [0.90, 0.95, 0.980, 0.985, 0.990], [0.91, 0.95, 1.0, 1.0, 1.0]
    found = agreement.verdict(np.array(cv), np.array(lb), 0.001, 0.001, 4, rounding=1e-5)
    assert (found.state, found.why) == ("cannot-tell", "tied")
    apart = agreement.verdict(np.array(cv), np.array([0.91, 0.95, 0.98, 0.99, 1.0]), 0.001, 0.001, 4, rounding=1e-5)
    assert apart.state == "tracks"


def test_with_ties_the_rest_must_be_in_order_beyond_chance() -> None:
    cv = np.array([0.0, 1, 2, 3, 4, 5])
    tied_pair = agreement.verdict(cv, np.array([0.0, 1, 2, 3, 4, 4]), 0.1, 0.2, 4, rounding=0.01)
    pairwise = agreement.verdict(cv, np.array([0.0, 0, 2, 2, 2, 2]), 0.1, 0.2, 4, rounding=0.01)
    assert [tied_pair.state, pairwise.state] == ["tracks", "cannot-tell"]


@settings(max_examples=30, deadline=None)
@given(seed=SEEDS, step=st.sampled_from([0.5, 1.0, 2.0]))
def test_no_verdict_tracks_on_fewer_than_four_levels(seed: int, step: float) -> None:
    random = np.random.default_rng(seed)
    cv = np.sort(random.normal(size=6))
    lb = np.round((cv + 0.1 * random.normal(size=6)) / step) * step
    found = agreement.verdict(cv, lb, 0.01, 0.01, 4, rounding=step)
    assert found.state != "tracks" or agreement.levels(lb, step) >= 4


def test_ties_hold_for_large_scores_too() -> None:
    assert agreement.tied(np.array([12345.67891, 12345.67892]), 1e-5)[0, 1]
    assert not agreement.tied(np.array([12345.67891, 12345.67893]), 1e-5)[0, 1]


def test_leave_one_out_range_shows_what_hangs_on_one_model() -> None:
    found = agreement.spearman(np.array([1, 2, 3, 4, 9.0]), np.array([2, 1, 4, 3, 9.0]))
    assert (found.loo_low, found.loo_high) == (pytest.approx(0.6), pytest.approx(0.8))


def test_a_constant_offset_is_no_misfit_and_noise_beyond_it_is() -> None:
    random = np.random.default_rng(0)
    cv = random.normal(size=8) * 5
    noise = agreement.cv_se(random.normal(size=(8, 5)), 1 / 4)
    fits = agreement.gap_model(cv, cv + 7 + 0.3 * random.normal(size=8), noise.se, 0.5, noise.df)
    strays = agreement.gap_model(cv, cv + 7 + 8 * random.normal(size=8), noise.se, 0.5, noise.df)
    assert fits.p > 0.05 > strays.p
    assert fits.offset.value == pytest.approx(7, abs=4 * fits.offset.se)
    assert (fits.explained, fits.tau2) == (1.0, 0.0)
    assert strays.explained < 0.5
    assert 10 < strays.tau2 < 200
    assert agreement.gap_model(cv[:2], cv[:2], 1.0, 1.0).q is None


def test_fit_with_known_noise_is_chi_squared() -> None:
    from scipy.stats import chi2
    cv, lb = np.zeros(6), np.array([1.0, -1, 0.5, 2, 0, -0.7])
    found = agreement.gap_model(cv, lb, 0.0, 1.0, draws=20000)
    gap = lb - lb.mean()
    assert found.q == pytest.approx(2 * float(gap @ gap), rel=1e-3)  # paired SE 1: variance 1/2 each
    assert found.p == pytest.approx(chi2.sf(found.q, 5), abs=0.01)


def test_fit_keeps_its_size_with_five_folds_and_many_models() -> None:
    random, wrong = np.random.default_rng(0), 0
    for _ in range(100):
        quality = random.normal(size=12) * 3
        noise = agreement.cv_se(random.normal(size=(12, 5)) / 0.95, 1 / 4)
        cv, lb = quality + random.normal(size=12) / 2**0.5, quality + 0.2 * random.normal(size=12)
        wrong += agreement.gap_model(cv, lb, noise.se, 0.2 * 2**0.5, noise.df, draws=99).p <= 0.05
    assert wrong <= 0.11 * 100


def test_a_leaking_model_is_found_among_its_own_kind_only() -> None:
    cv = np.array([0.70, 0.71, 0.72, 0.73, 0.90, 0.74])
    lb = np.array([0.70, 0.71, 0.72, 0.73, 0.75, 0.80])
    kinds = ["refit"] * 5 + ["fold_mean"]
    found = agreement.outliers(cv, lb, 0.01, 0.01, 4, inference=kinds)
    assert [(one.model, one.readings[0]) for one in found] == [(4, "leak")]
    bonus = agreement.outliers(cv[:4], lb[:4] + np.array([0, 0, 0.1, 0]), 0.01, 0.01, 4, inference=["fold_mean"] * 4)
    assert [(one.model, one.readings[0]) for one in bonus] == [(2, "bagging bonus")]


def test_slope_of_deming_is_not_flattened_by_noise_in_cv() -> None:
    random, slopes, flat = np.random.default_rng(0), [], []
    for _ in range(100):
        quality = random.normal(size=20) * 3
        cv, lb = quality + random.normal(size=20), quality + 0.5 * random.normal(size=20)
        found = agreement.slope(cv, lb, 2**0.5, 2**0.5 / 2)
        slopes += [found.value] if found else []
        flat.append(np.polyfit(cv, lb, 1)[0])
    assert np.median(slopes) == pytest.approx(1, abs=0.05)
    assert np.median(flat) < 0.93
    assert agreement.slope(cv[:4], lb[:4], 1.0, 1.0) is None
    assert agreement.slope(cv, lb, 9.0, 1.0) is None


def test_drift_needs_ten_submissions_and_sees_a_fitted_public_part() -> None:
    random = np.random.default_rng(0)
    cv = random.normal(size=25)
    lb = cv + 0.3 * np.arange(25) + random.normal(size=25)
    assert agreement.drift(cv[:9], lb[:9]) is None
    assert agreement.drift(cv, lb).p < 0.01
    assert agreement.drift(cv, lb, order=np.arange(25)[::-1]).p > 0.99


def test_inflation_is_the_best_of_many_and_less_where_models_differ() -> None:
    random = np.random.default_rng(0)
    equal, spread = [], []
    for _ in range(300):
        noise, true = random.normal(size=20), random.normal(size=20)
        equal.append(noise.max())
        spread.append(noise[np.argmax(true + noise)])
    assert agreement.inflation(np.zeros(20), 2**0.5).value == pytest.approx(np.mean(equal), rel=0.06)
    likely = np.quantile(random.normal(size=5000) * 2**0.5, np.linspace(0.025, 0.975, 20))
    assert agreement.inflation(likely, 2**0.5).value == pytest.approx(np.mean(spread), rel=0.12)
    assert agreement.inflation(np.zeros(20), 1.0, submissions=200).submissions == 200


def test_chance_that_the_order_holds_is_calibrated() -> None:
    random, said, seen = np.random.default_rng(0), [], []
    for _ in range(1500):
        true = random.normal(size=2)
        cv, lb, private = true + random.normal(size=2), true + random.normal(size=2), true + random.normal(size=2) / 2
        said.append(agreement.p_order(cv, lb, 2**0.5, 2**0.5, n_public=1000, n_private=4000)[0, 1])
        seen.append((lb[0] > lb[1]) == (private[0] > private[1]))
    said, seen = np.array(said), np.array(seen)
    for low, high in ((0.2, 0.6), (0.6, 0.85), (0.85, 1)):
        rows = (said >= low) & (said < high)
        assert seen[rows].mean() == pytest.approx(said[rows].mean(), abs=0.09)


def test_order_of_ties_is_a_coin_and_bad_rows_are_refused() -> None:
    chance = agreement.p_order(None, np.array([0.8, 0.8, 0.7]), 0.0, 0.01, n_public=100, n_private=300)
    assert (chance[0, 1], chance[0, 0]) == (0.5, 1.0)
    assert chance[0, 2] > 0.9
    with pytest.raises(KKError, match="0 private rows give no forecast"):
        agreement.p_order(None, np.arange(2.0), 0.0, 1.0, n_public=10, n_private=0)


def test_a_dense_board_is_noise_and_a_wide_one_is_not() -> None:
    random = np.random.default_rng(0)
    dense = agreement.board_forecast(0.8 + 0.001 * random.normal(size=300), 0.004, n_public=1000, n_private=3000, own=0.8, draws=100)
    wide = agreement.board_forecast(0.8 + 0.05 * random.normal(size=300), 0.004, n_public=1000, n_private=3000, own=0.8, draws=100)
    assert dense.tau < 0.4 < 0.9 < wide.tau
    assert dense.high - dense.low > 3 * (wide.high - wide.low)
    assert dense.near > wide.near
    assert dense.noise_share > 0.3 > wide.noise_share


def test_one_fold_takes_its_noise_from_rows() -> None:
    random = np.random.default_rng(0)
    y = random.normal(size=500)
    oof = y + random.normal(size=(2, 500))
    oof[0, :100] = np.nan
    found = agreement.one_fold_se(y, oof, REGISTRY.get("mae"))
    assert found.se == pytest.approx(agreement.lb_se(y, oof, REGISTRY.get("mae"), 400).se)
    assert math.isinf(found.df)
    with pytest.raises(KKError, match="no row has a prediction of every model"):
        agreement.one_fold_se(y, np.full((2, 500), np.nan), REGISTRY.get("mae"))


def test_a_typed_in_table_of_few_models_may_not_track() -> None:
    random = np.random.default_rng(0)
    cv = np.linspace(0.7, 0.8, 12)
    lb = cv + 0.004 * random.normal(size=12)
    few, many = agreement.table_noise(cv[:7], lb[:7], "auc", 2000), agreement.table_noise(cv + 0.02 * random.normal(size=12), lb, "auc", 2000)
    typed = agreement.table_noise(cv[:4], lb[:4], "auc", 2000, cv_se=np.full(4, 0.005))
    assert [few.may_track, many.may_track, typed.may_track] == [False, True, True]
    assert 0.01 < many.se_cv[0, 0] < 0.04
    assert typed.se_cv[0, 1] < 0.005 == pytest.approx(typed.se_cv[0, 0])
