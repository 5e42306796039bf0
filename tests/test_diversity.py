"""Correlations of errors, and the identities behind ambiguity."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kagglekit.diversity.report as report
import kagglekit.diversity.sums as sums
from kagglekit.diversity import error_correlation, helps, log_ambiguity, pair_labels, second_weight, squared_ambiguity
from kagglekit.diversity.next_model import next_model
from kagglekit.errors import KKError
from kagglekit.metrics import check_metric

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


def test_the_numbers_of_models_of_equal_correlation_are_exact() -> None:
    basis = np.linalg.qr(np.random.default_rng(0).normal(size=(12, 12)))[0]
    basis = np.linalg.qr(np.column_stack([np.ones(12), basis[:, :11]]))[0][:, 1:]  # 11 directions without a mean
    found = error_correlation(np.zeros(12), (np.sqrt(0.5) * basis[:, :1] + np.sqrt(0.5) * basis[:, 1:]).T, "rmse")
    assert found.matrix[~np.eye(10, dtype=bool)] == pytest.approx(0.5)
    assert (found.participation_ratio, found.n_eff) == pytest.approx((3.0769, 1.8182), abs=1e-4)
    assert found.directions == pytest.approx(9.0)


def test_noise_of_the_target_moves_the_errors_but_not_the_directions() -> None:
    random = np.random.default_rng(0)
    signal, own = random.normal(size=4000), random.normal(size=(3, 4000))
    quiet, loud = (error_correlation(signal + noise * random.normal(size=4000), signal + 0.3 * own, "rmse") for noise in (0.0, 2.0))
    assert quiet.matrix[0, 1] < 0.05 and loud.matrix[0, 1] > 0.97
    assert quiet.directions == pytest.approx(loud.directions) == pytest.approx(2.0, abs=0.01)
    assert quiet.ambiguity == pytest.approx(loud.ambiguity, abs=1e-9)


@settings(max_examples=30, deadline=None)
@given(seed=SEEDS, models=st.integers(2, 5), equal=st.booleans())
def test_a_candidate_gets_a_weight_exactly_where_its_correlation_is_below_the_limit(seed: int, models: int, equal: bool) -> None:
    random = np.random.default_rng(seed)
    errors = random.normal(size=(models, 60)) + random.normal(size=60)
    weights = None if equal else random.dirichlet(np.ones(models))
    for one in helps(errors @ errors.T / 60, weights):
        share = np.ones(models) if weights is None else weights.copy()
        share[one.index] = 0
        rest = share @ errors / share.sum()
        assert (one.weight > 0) == (one.rho < one.limit)
        first, second = np.sqrt((rest**2).mean()), np.sqrt((errors[one.index] ** 2).mean())
        assert one.rho == pytest.approx((rest * errors[one.index]).mean() / first / second)
        assert one.weight == pytest.approx(second_weight(first, second, one.rho))
        best = np.sqrt((((1 - one.weight) * rest + one.weight * errors[one.index]) ** 2).mean())
        assert one.gain == pytest.approx(1 - best / first if one.weight > 0 else 0.0, abs=1e-9)


def test_a_candidate_that_has_all_the_weight_is_compared_with_the_plain_mean_of_the_others() -> None:
    errors = np.random.default_rng(0).normal(size=(3, 50))
    found = helps(errors @ errors.T / 50, np.array([1.0, 0.0, 0.0]))[0]
    rest = errors[1:].mean(axis=0)
    assert found.rho == pytest.approx((rest * errors[0]).mean() / np.sqrt((rest**2).mean() * (errors[0] ** 2).mean()))


@pytest.mark.parametrize("metric", FORMS)
def test_blocks_of_rows_and_memory_maps_change_nothing(metric: str, monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    y, oof = forms(metric, np.random.default_rng(0), 900)
    whole = error_correlation(y, oof, metric)
    np.save(f"{tmp_path}/oof.npy", oof)
    monkeypatch.setattr(sums, "BLOCK_CELLS", 1)  # blocks are of 256 rows
    found = error_correlation(y, np.load(f"{tmp_path}/oof.npy", mmap_mode="r"), metric)
    assert found.matrix == pytest.approx(whole.matrix, abs=1e-12)
    assert (found.ambiguity, found.directions) == pytest.approx((whole.ambiguity, whole.directions), abs=1e-9)


def test_single_precision_is_enough_and_no_copy_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    import tracemalloc

    random = np.random.default_rng(0)
    y = 200_000 + 50_000 * random.normal(size=60_000)
    oof = (y + 5_000 * random.normal(size=60_000) + 3_000 * random.normal(size=(10, 60_000))).astype(np.float32)
    exact = error_correlation(y, oof.astype(np.float64), "rmse")
    monkeypatch.setattr(sums, "DOUBLE_CELLS", 0)
    monkeypatch.setattr(sums, "BLOCK_CELLS", 40_000)
    tracemalloc.start()
    found = error_correlation(y, oof, "rmse")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.matrix == pytest.approx(exact.matrix, abs=1e-5)
    assert peak < 0.6 * oof.nbytes


def test_ranks_of_many_rows_are_taken_of_a_sample_and_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    y, oof = forms("auc", np.random.default_rng(0), 6000)
    whole = error_correlation(y, oof, "auc")
    monkeypatch.setattr(report, "WHOLE_CELLS", 0)
    monkeypatch.setattr(report, "LEAST_ROWS", 2000)
    found = error_correlation(y, oof, "auc")
    assert (whole.rows, found.rows, found.rows_of) == (6000, 2000, 6000)
    assert found.matrix == pytest.approx(whole.matrix, abs=0.08) and found.near_copies == whole.near_copies


def test_pairs_of_labels_stand_in_matrices() -> None:
    y, labels = forms("accuracy", np.random.default_rng(0))
    found = error_correlation(y, labels, "accuracy")
    for i, j in ((0, 1), (1, 3)):
        pair = pair_labels(labels[i] != y, labels[j] != y)
        assert [found.details[name][i, j] for name in ("Q", "double_fault", "disagreement")] == pytest.approx(
            [pair.Q, pair.double_fault, pair.disagreement])
        assert found.matrix[i, j] == pytest.approx(pair.phi)
    words = np.array(["no", "yes"])
    assert np.array_equal(error_correlation(words[y], words[labels], "accuracy").matrix, found.matrix)
    assert found.ambiguity == pytest.approx(np.mean([(labels[i] != labels[j]).mean() for i in range(4) for j in range(4) if i != j]))


def test_more_matrices_of_probabilities() -> None:
    y, p = forms("logloss", np.random.default_rng(0))
    found = error_correlation(y, p, "logloss", more=True).details
    assert found["residuals"] == pytest.approx(np.corrcoef(p - y))
    logit = np.log(p / (1 - p))
    for label in (0, 1):
        logit[:, y == label] -= logit[:, y == label].mean(axis=1, keepdims=True)
    assert found["logits within class"] == pytest.approx(np.corrcoef(logit), abs=1e-6)
    classes = error_correlation(y, np.stack([1 - p, p], axis=2), "mlogloss", more=True).details
    assert classes["class 1"] == pytest.approx(np.corrcoef(p - y))
    assert error_correlation(y, p, "logloss").details == {}


def test_several_targets_count_the_same_whatever_their_units() -> None:
    random = np.random.default_rng(0)
    y = random.normal(size=(500, 2))
    oof = y + random.normal(size=(3, 500, 2))
    found = error_correlation(y, oof, "mcrmse")
    scale = np.array([1.0, 1000.0])
    assert error_correlation(y * scale, oof * scale, "mcrmse").matrix == pytest.approx(found.matrix)
    assert found.matrix == pytest.approx(np.mean([np.corrcoef(oof[:, :, one] - y[:, one]) for one in range(2)], axis=0), abs=0.01)


def test_lists_are_compared_by_the_loss_of_each_query() -> None:
    random = np.random.default_rng(0)
    y = random.integers(0, 6, 300)
    scores = np.eye(6)[y] + random.normal(size=(3, 300, 6))
    scores = np.concatenate([scores, scores[2:] + 1e-6])
    metric = check_metric("map@3")
    found = error_correlation(y, scores, metric)
    lists = np.argsort(-scores, axis=2, kind="stable")[:, :, :3]
    losses = np.stack([metric.influence(y, one) for one in lists])
    assert found.measure == "losses by query" and found.matrix == pytest.approx(np.corrcoef(losses))
    assert found.near_copies == [(2, 3)]
    codes = error_correlation(y, lists, metric)
    assert codes.matrix == pytest.approx(found.matrix) and codes.ambiguity is None


def test_scores_of_order_against_numbers_leave_out_the_order_of_the_truth() -> None:
    random = np.random.default_rng(0)
    y, own = random.normal(size=3000), random.normal(size=(2, 3000))
    found = error_correlation(y, y + 0.7 * own, "spearman")
    assert abs(found.matrix[0, 1]) < 0.06
    assert error_correlation(y, np.exp(y + 0.7 * own), "spearman").matrix == pytest.approx(found.matrix)


def test_kinds_have_a_medoid_and_a_best_member() -> None:
    random = np.random.default_rng(0)
    shared = random.normal(size=(2, 3000))
    oof = np.concatenate([shared[0] + np.array([[0.3], [0.1], [0.3]]) * random.normal(size=(3, 3000)), shared[1:]])
    found = error_correlation(np.zeros(3000), oof, "rmse")
    assert found.kinds == [[0, 1, 2], [3]]
    assert (found.medoids, found.best) == ([1, 3], [1, 3])


@pytest.mark.parametrize(("families", "kind"), [
    (["lgbm", "lgbm", "linear", "linear"], "family"), (["lgbm"] * 4, "family"), (["lgbm", "linear", "lgbm", "linear"], "any"), ([""] * 4, "any"),
])
def test_the_next_kind_of_model_follows_from_families(families: list[str], kind: str) -> None:
    random = np.random.default_rng(0)
    shared = random.normal(size=(2, 3000))
    oof = shared[[0, 0, 1, 1]] + 0.3 * random.normal(size=(4, 3000))
    assert next_model(error_correlation(np.zeros(3000), oof, "rmse"), families).kind == kind


def test_more_seeds_save_no_more_than_the_spread_between_them() -> None:
    random = np.random.default_rng(0)
    oof = random.normal(size=40_000) + 0.05 * random.normal(size=(3, 40_000))
    found = next_model(error_correlation(np.zeros(40_000), oof, "rmse"), ["lgbm"] * 3)
    assert found.seed_gain == pytest.approx(0.0025 / 3 / 1.0025, rel=0.05)
    assert next_model(error_correlation(np.zeros(40_000), oof, "rmse"), ["lgbm", "linear", "tree"]).seed_gain is None


def test_shapes_that_do_not_fit_and_models_without_common_rows_are_refused() -> None:
    with pytest.raises(KKError, match=r"oof has the shape \(4, 3\).*models x rows"):
        error_correlation(np.zeros(4), np.zeros((4, 3)), "rmse")
    oof = np.array([[1.0, np.nan], [np.nan, 1.0]])
    with pytest.raises(KKError, match="no row has a prediction of every model"):
        error_correlation(np.zeros(2), oof, "rmse")
