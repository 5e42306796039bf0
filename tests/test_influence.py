"""The influence of a metric gives its standard error, alone and in pairs, whatever form its rows have."""

import numpy as np
import pytest

from kagglekit.metrics import REGISTRY, Metric, check_metric
from kagglekit.noise import bootstrap, kurtosis_warning, lb_se, lookup_se

Array = np.ndarray
ITEMS = 8


def example(metric: Metric, rows: int, seed: int = 0) -> tuple[Array, Array]:
    """Truth and predictions, of a model that is neither bad nor perfect, in the form that the metric takes."""
    random = np.random.default_rng(seed)
    several = metric.columns in ("targets", "list")
    signal = random.normal(size=(rows, 3) if several else rows)
    said = signal + random.normal(scale=0.8, size=signal.shape)
    y = (signal + random.normal(scale=0.5, size=signal.shape) > 0.5).astype(int)
    y[:2] = np.array([0, 1])[:, None] if several else (0, 1)
    if metric.needs == "list":
        score = random.normal(size=(rows, ITEMS)) + 1.5 * np.eye(ITEMS)[code := random.integers(0, ITEMS, rows)]
        return np.column_stack([code, np.where(y[:, 0], (code + 1) % ITEMS, -1)]), np.argsort(-score, axis=1)[:, :5]
    if metric.needs == "value":
        width = np.size(metric.parameter) if metric.columns == "quantiles" else 1
        return np.exp(signal / 2), np.exp(said / 2) if width == 1 else np.exp(said[:, None] / 2 + np.linspace(-0.5, 0.5, width))
    if metric.name == "kld":
        return _shares(signal), _shares(said)
    if metric.columns == "classes":
        return np.digitize(signal, [-0.5, 0.5]), _shares(-np.abs(said[:, None] - np.array([-1, 0, 1])))
    if metric.needs == "label" and metric.classes == "any" and not several:
        return np.digitize(signal, [-1, 0, 1]), np.digitize(said, [-1, 0, 1])
    if metric.needs == "label":
        return y, (said > 0.5).astype(int)
    if metric.name in ("ngini", "pearson", "spearman"):
        return np.exp(signal / 2), said
    return y, 1 / (1 + np.exp(-2 * (said - 0.5)))


def _shares(odds: Array) -> Array:
    return np.exp(odds) / np.exp(odds).sum(axis=1, keepdims=True)


WITH_INFLUENCE = [name for name in (*REGISTRY.names(), "map@3", "ndcg@3", "top_k_err@2")
                  if REGISTRY.get(name).influence is not None and name != "top_k_err"]


@pytest.mark.parametrize("name", WITH_INFLUENCE)
def test_influence_gives_the_standard_error_of_a_bootstrap_alone_and_in_pairs(name: str) -> None:
    metric = REGISTRY.get(name)
    y, p = example(metric, 2000)
    q = p.copy()
    other = np.random.default_rng(5).permutation(2000)[:400]
    q[np.sort(other)] = p[other]
    draws = bootstrap(y, np.stack([p, q]), metric, seed=1, draws=800)
    noise = lb_se(y, np.stack([p, q]), metric, 2000)
    assert noise.single[0] == pytest.approx(draws[0].std(ddof=1), rel=0.1)
    assert noise.se[0, 1] == pytest.approx((draws[0] - draws[1]).std(ddof=1), rel=0.1)


@pytest.mark.parametrize("name", WITH_INFLUENCE)
def test_influence_is_the_change_of_the_score_when_a_row_comes_once_more(name: str) -> None:
    """Exact to the first order; this sees errors of a few rows that a standard error hides."""
    metric = REGISTRY.get(name)
    y, p = example(metric, 1000, seed=3)
    influence, before = metric.influence(y, p), metric(y, p)
    rows = np.argsort(influence)[[0, 1, 500, -2, -1]]
    once_more = [metric(y[more], p[more]) for row in rows for more in [np.append(np.arange(1000), row)]]
    assert (np.array(once_more) - before) * 1001 == pytest.approx(influence[rows], rel=0.15, abs=0.02 * influence.std())


@pytest.mark.parametrize("name", WITH_INFLUENCE)
def test_influence_has_mean_zero(name: str) -> None:
    metric = REGISTRY.get(name)
    influence = metric.influence(*example(metric, 500))
    assert influence.shape == (500,) and abs(influence.mean()) < 1e-9 * (1 + influence.std())


def test_of_tied_scores_too() -> None:
    for name in ("auc", "ap", "spearman", "ngini"):
        metric = REGISTRY.get(name)
        y, p = example(metric, 2000)
        draws = bootstrap(y, p.round(1)[None], metric, seed=1, draws=800)
        assert lb_se(y, p.round(1)[None], metric, 2000).single[0] == pytest.approx(draws[0].std(ddof=1), rel=0.1), name


def test_groups_of_rows_make_the_error_larger_in_several_columns_too() -> None:
    metric, random = REGISTRY.get("mcrmse"), np.random.default_rng(0)
    groups = np.repeat(np.arange(100), 10)
    y = random.normal(size=(1000, 3))
    shared = random.normal(size=(100, 3))[groups]
    oof = np.stack([y + 2 * shared + random.normal(size=y.shape), y + random.normal(size=y.shape)])
    oof[0, :5, 0] = np.nan  # rows without a prediction of some model
    plain, grouped = lb_se(y, oof, metric, 1000), lb_se(y, oof, metric, 1000, groups=groups)
    assert grouped.single[0] > 1.5 * plain.single[0] and grouped.method == "influence"


def test_heavy_tails_are_told() -> None:
    random = np.random.default_rng(0)
    assert kurtosis_warning(random.normal(size=(2000, 2))) is None
    assert "lower bound" in kurtosis_warning(np.column_stack([random.normal(size=2000), random.standard_t(1.5, 2000)]))
    assert kurtosis_warning(np.zeros(10)) is None


def test_the_lookup_knows_metrics_that_are_alike_and_numbers_in_names() -> None:
    assert lookup_se("fbeta@2", 2000) == lookup_se("f1", 2000)
    assert lookup_se("ngini", 2000) == (2 * lookup_se("auc", 2000)[0], 2 * lookup_se("auc", 2000)[1])
    y, p = example(check_metric("auc"), 20_000)
    assert lookup_se("mcauc", 500)[0] > lb_se(y, p[None], check_metric("auc"), 2000).single[0]
