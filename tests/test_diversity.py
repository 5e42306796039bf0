"""Correlations of errors, and the identities behind ambiguity."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kagglekit.diversity import error_correlation, log_ambiguity, pair_labels, second_weight, squared_ambiguity

SEEDS = st.integers(0, 2**31)


def equicorrelated(models: int, rho: float, rows: int = 20000) -> np.ndarray:
    random = np.random.default_rng(0)
    return rho**0.5 * random.normal(size=rows) + (1 - rho) ** 0.5 * random.normal(size=(models, rows))


@pytest.mark.parametrize(("rho", "ratio", "n_eff"), [(0.5, 3.08, 1.82), (0.8, 1.48, 1.22), (0.9, 1.21, 1.10)])
def test_effective_number_of_equally_correlated_models(rho: float, ratio: float, n_eff: float) -> None:
    found = error_correlation(np.zeros(20000), equicorrelated(10, rho), "rmse")
    assert (found.participation_ratio, found.n_eff) == pytest.approx((ratio, n_eff), abs=0.04)


@settings(max_examples=20, deadline=None)
@given(seed=SEEDS, models=st.integers(2, 6))
def test_squared_error_of_the_mean_is_the_average_less_ambiguity(seed: int, models: int) -> None:
    random = np.random.default_rng(seed)
    y, p, weights = random.normal(size=50), random.normal(size=(models, 50)), random.dirichlet(np.ones(models))
    average = weights @ ((p - y) ** 2).mean(axis=1)
    assert ((weights @ p - y) ** 2).mean() == pytest.approx(average - squared_ambiguity(p, weights), abs=1e-12)


@settings(max_examples=20, deadline=None)
@given(seed=SEEDS, models=st.integers(2, 6))
def test_log_loss_of_the_geometric_mean_is_the_average_less_divergence(seed: int, models: int) -> None:
    random = np.random.default_rng(seed)
    y, p = random.integers(0, 3, 40), random.dirichlet(np.ones(3), size=(models, 40))
    centre = np.exp(np.log(p).mean(axis=0))
    centre /= centre.sum(axis=1, keepdims=True)
    divergence = (centre * np.log(centre / p)).sum(axis=2).mean()
    average = -np.log(p[:, np.arange(40), y]).mean()
    assert log_ambiguity(p) == pytest.approx(divergence, abs=1e-12)
    assert -np.log(centre[np.arange(40), y]).mean() == pytest.approx(average - log_ambiguity(p), abs=1e-12)


@pytest.mark.parametrize(("rho", "weight"), [(0.95, -0.375), (0.88, 0.117)])
def test_second_weight_of_a_worse_model(rho: float, weight: float) -> None:
    assert second_weight(1, 1.1, rho) == pytest.approx(weight, abs=2e-3)


def test_labels_that_are_wrong_together() -> None:
    random = np.random.default_rng(0)
    shared = equicorrelated(2, 0.8, 40000)
    found = pair_labels(shared[0] > 0.8416, shared[1] > 0.8416)
    assert (found.phi, found.Q, found.double_fault, found.disagreement) == pytest.approx((0.56, 0.90, 0.13, 0.14), abs=0.02)
    independent = pair_labels(random.random(9999) < 0.2, random.random(9999) < 0.2)
    assert abs(independent.phi) < 0.03


FORMS = {
    "rmse": "residuals", "rmsle": "log residuals", "mae": "ranked residuals", "auc": "rank residuals",
    "logloss": "deviance residuals", "accuracy": "phi of wrong", "mlogloss": "class residuals",
}


def forms(metric: str, random: np.random.Generator, rows: int = 400) -> tuple[np.ndarray, np.ndarray]:
    y = random.integers(0, 2, rows)
    noisy = y + random.normal(scale=0.7, size=(4, rows))
    noisy[3] = noisy[2] + random.normal(scale=0.001, size=rows)
    if metric == "accuracy":
        return y, (noisy > 0.5).astype(int)
    p = 1 / (1 + np.exp(-3 * (noisy - 0.5)))
    return y, np.stack([1 - p, p], axis=2) if metric == "mlogloss" else p


@pytest.mark.parametrize("metric", FORMS)
def test_each_metric_has_its_measure_and_finds_the_copy(metric: str) -> None:
    found = error_correlation(*forms(metric, np.random.default_rng(0)), metric)
    assert found.measure == FORMS[metric]
    assert found.near_copies == [(2, 3)]
    assert found.clusters == [[0], [1], [2, 3]]
    assert found.ambiguity > 0 or metric == "mae"  # absolute error gains nothing where all models err to the same side


@pytest.mark.parametrize("metric", FORMS)
@settings(max_examples=8, deadline=None)
@given(seed=SEEDS)
def test_rows_may_be_permuted_and_models_permute_the_answer(metric: str, seed: int) -> None:
    random = np.random.default_rng(seed)
    y, oof = forms(metric, random, 120)
    rows, models = random.permutation(120), random.permutation(4)
    before, after = error_correlation(y, oof, metric), error_correlation(y[rows], oof[:, rows][models], metric)
    assert after.matrix == pytest.approx(before.matrix[np.ix_(models, models)], abs=1e-9)
    assert (after.n_eff, after.ambiguity) == pytest.approx((before.n_eff, before.ambiguity), abs=1e-9)


def test_common_noise_of_the_target_makes_no_copies() -> None:
    random = np.random.default_rng(0)
    signal = random.normal(size=5000)
    y, oof = signal + 4 * random.normal(size=5000), signal + 0.3 * random.normal(size=(3, 5000))
    found = error_correlation(y, oof, "rmse")
    assert found.matrix[0, 1] > 0.99
    assert found.near_copies == []


def test_rows_without_a_prediction_are_left_out() -> None:
    y, oof = forms("rmse", np.random.default_rng(0))
    missing = oof.copy()
    missing[1, :100] = np.nan
    assert np.array_equal(error_correlation(y, missing, "rmse").matrix, error_correlation(y[100:], oof[:, 100:], "rmse").matrix)


def test_one_model_is_one_cluster() -> None:
    found = error_correlation(np.arange(9.0), np.zeros((1, 9)), "rmse")
    assert (found.clusters, found.near_copies, found.n_eff) == ([[0]], [], 1.0)
