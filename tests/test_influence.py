"""The influence of a metric gives its standard error, and the metrics equal scikit-learn's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sklearn_metrics

from kagglekit.metrics import REGISTRY, Metric
from kagglekit.noise import bootstrap, lb_se

SEEDS = st.integers(0, 2**31)


def example(metric: Metric, rows: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Truth and predictions in the form that the metric takes."""
    random = np.random.default_rng(seed)
    signal = random.normal(size=rows)
    said = signal + random.normal(scale=0.8, size=rows)
    y = (signal + random.normal(scale=0.5, size=rows) > 0.5).astype(int)
    y[:2] = 0, 1
    if metric.needs == "value":
        return np.exp(signal / 2), np.exp(said / 2)
    if metric.classes == "multiclass":
        codes = np.digitize(signal, [-0.5, 0.5])
        odds = np.exp(-np.abs(said[:, None] - np.array([-1, 0, 1])))
        return codes, odds / odds.sum(axis=1, keepdims=True)
    if metric.name == "qwk":
        return np.digitize(signal, [-1, 0, 1]), np.digitize(said, [-1, 0, 1])
    if metric.needs == "label":
        return y, (said > 0.5).astype(int)
    return y, 1 / (1 + np.exp(-2 * (said - 0.5)))


WITH_INFLUENCE = [name for name in REGISTRY.names() if REGISTRY.get(name).influence is not None]


@pytest.mark.parametrize("name", WITH_INFLUENCE)
def test_influence_gives_the_standard_error_of_a_bootstrap(name: str) -> None:
    metric = REGISTRY.get(name)
    y, p = example(metric, 2000)
    by_influence = metric.influence(y, p).std(ddof=1) / np.sqrt(len(y))
    by_bootstrap = bootstrap(y, p[None], metric, seed=1, draws=800).std(ddof=1)
    assert by_influence == pytest.approx(by_bootstrap, rel=0.15)


@pytest.mark.parametrize("name", WITH_INFLUENCE)
def test_influence_of_a_gap_gives_the_standard_error_of_a_paired_bootstrap(name: str) -> None:
    metric = REGISTRY.get(name)
    y, p = example(metric, 2000)
    other = np.random.default_rng(5).permutation(2000)[:400]
    q = p.copy()
    q[np.sort(other)] = p[other]
    draws = bootstrap(y, np.stack([p, q]), metric, seed=2, draws=800)
    assert lb_se(y, np.stack([p, q]), metric, 2000).se[0, 1] == pytest.approx((draws[0] - draws[1]).std(ddof=1), rel=0.15)


@pytest.mark.parametrize("name", WITH_INFLUENCE)
def test_influence_has_mean_zero(name: str) -> None:
    metric = REGISTRY.get(name)
    influence = metric.influence(*example(metric, 500))
    assert abs(influence.mean()) < 1e-9 * (1 + influence.std())


THEIRS = {
    "accuracy": sklearn_metrics.accuracy_score,
    "auc": sklearn_metrics.roc_auc_score,
    "logloss": sklearn_metrics.log_loss,
    "mlogloss": lambda y, p: sklearn_metrics.log_loss(y, p, labels=range(p.shape[1])),
    "rmse": sklearn_metrics.root_mean_squared_error,
    "rmsle": sklearn_metrics.root_mean_squared_log_error,
    "mae": sklearn_metrics.mean_absolute_error,
    "f1": sklearn_metrics.f1_score,
    "qwk": lambda y, p: sklearn_metrics.cohen_kappa_score(y, p, weights="quadratic", labels=range(4)),
    "mcc": sklearn_metrics.matthews_corrcoef,
    "r2": sklearn_metrics.r2_score,
}


@pytest.mark.parametrize("name", THEIRS)
@settings(max_examples=25, deadline=None)
@given(seed=SEEDS, rows=st.integers(12, 300))
def test_metrics_equal_scikit_learn(name: str, seed: int, rows: int) -> None:
    metric = REGISTRY.get(name)
    y, p = example(metric, rows, seed)
    assert metric(y, p) == pytest.approx(THEIRS[name](y, p), rel=1e-9, abs=1e-12)


@settings(max_examples=25, deadline=None)
@given(seed=SEEDS)
def test_auc_counts_ties_half_as_scikit_learn_does(seed: int) -> None:
    y, p = example(REGISTRY.get("auc"), 60, seed)
    assert REGISTRY.get("auc")(y, p.round(1)) == pytest.approx(sklearn_metrics.roc_auc_score(y, p.round(1)))
