"""Blends: nested scores that can be believed, and the weights behind them."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kagglekit.blenders import REGISTRY, blend, combine
from kagglekit.errors import KKError
from kagglekit.marginal import marginal
from kagglekit.metrics import REGISTRY as METRICS
from kagglekit.metrics import check_metric

SEEDS = st.integers(0, 2**31)


def examples(metric: str, rows: int = 600, models: int = 4, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """y, oof in the richest form, folds."""
    random = np.random.default_rng(seed)
    signal = random.normal(size=rows)
    seen = signal + np.linspace(0.4, 1.2, models)[:, None] * random.normal(size=(models, rows))
    found, folds = METRICS.get(metric), random.permutation(rows) % 5
    if found.needs == "value":
        return np.exp(signal / 2), np.exp(seen / 2), folds
    if metric == "qwk":
        return np.clip(np.rint(2 + signal), 0, 4), 2 + seen, folds
    p = 1 / (1 + np.exp(-seen))
    y = (signal + 0.3 * random.normal(size=rows) > 0).astype(int)
    return y, np.stack([1 - p, p], axis=2) if metric == "mlogloss" else p, folds


BLENDED = ("accuracy", "auc", "f1", "logloss", "mae", "mcc", "mlogloss", "qwk", "r2", "rmse", "rmsle", "smape")


@pytest.mark.parametrize("metric", BLENDED)
def test_every_metric_can_be_blended(metric: str) -> None:
    y, oof, folds = examples(metric)
    found = blend(y, oof, folds, metric)
    sign = METRICS.get(metric).sign
    assert found.nested == pytest.approx(np.mean(found.per_fold)) and found.optimism == pytest.approx(sign * (found.in_sample - found.nested))
    assert found.gain == pytest.approx(sign * (found.nested - found.best_single))
    assert found.nested_se > 0 and found.gain_se >= 0 and len(found.tried) >= 8
    # auto is judged by what the other folds would have chosen, so it may lie below the best of all tried
    assert sign * found.nested <= max(sign * score for score in found.tried.values()) + 1e-12
    assert found.predict(oof).shape == found.oof.shape == oof.shape[1:]


@pytest.mark.parametrize("name", REGISTRY.names())
@pytest.mark.parametrize("metric", ["rmse", "logloss", "mlogloss", "auc"])
def test_the_held_fold_has_no_vote_in_any_blender(name: str, metric: str) -> None:
    y, oof, folds = examples(metric)
    blender = REGISTRY.get(name)
    kind = {"rmse": "value", "mlogloss": "classes"}.get(metric, "chance")
    if kind not in blender.kinds or (blender.metrics and METRICS.get(metric).needs not in blender.metrics):
        with pytest.raises(KKError, match=f"{name} (cannot blend|is not made for)"):
            blend(y, oof, folds, metric, method=name)
        return
    rng = np.random.default_rng(1)
    changed = y.copy()
    changed[folds == 2] = rng.permutation(-y[folds == 2]) if metric == "rmse" else 1 - y[folds == 2]
    before, after = (blend(truth, oof, folds, metric, method=name).oof for truth in (y, changed))
    assert before[folds == 2] == pytest.approx(after[folds == 2], abs=1e-5)


def test_by_time_weights_see_earlier_blocks_only() -> None:
    y, oof, _ = examples("rmse")
    folds = np.arange(600) // 120
    changed = np.where(folds >= 3, -y, y)
    before, after = (blend(truth, oof, folds, "rmse", method="convex", earlier=True).oof for truth in (y, changed))
    assert np.array_equal(before[folds <= 3], after[folds <= 3], equal_nan=True) and not np.array_equal(before[folds == 4], after[folds == 4])
    assert np.isnan(before[folds == 0]).all() and np.isfinite(before[folds > 0]).all()  # the first block only serves to fit
    found = blend(y, oof, folds, "rmse", method="convex", earlier=True)
    assert len(found.per_fold) == 4 and found.best_single == pytest.approx(min(
        np.mean([METRICS.get("rmse")(y[folds == k], one[folds == k]) for k in range(1, 5)]) for one in oof))


def test_cuts_of_labels_are_fitted_on_other_folds_and_kept() -> None:
    y, oof, folds = examples("qwk", rows=3000)
    found = blend(y, oof, folds, "qwk", method="mean")
    assert len(found.details["cuts"]) == 4
    assert METRICS.get("qwk")(y, found.labels(found.predict(oof))) == pytest.approx(found.in_sample, abs=0.02)
    plain = np.mean([METRICS.get("qwk")(y[folds == k], np.clip(np.rint(oof.mean(axis=0)[folds == k]), 0, 4)) for k in range(5)])
    assert found.nested > plain
    rare, p, folds = examples("f1", rows=3000)
    cut = blend(rare, p**3, folds, "f1", method="mean")
    plain = blend(rare, p**3, folds, "f1", method="mean", decide=lambda q: (q > 0.5).astype(int))
    assert cut.details["threshold"] < 0.4 and cut.nested > plain.nested


def test_text_labels_are_blended_by_their_classes() -> None:
    codes, p, folds = examples("accuracy")
    names = np.array(["no", "yes"])[codes]
    found = blend(names, p, folds, "accuracy", method="mean", classes=("no", "yes"))
    assert found.nested == pytest.approx(blend(codes, p, folds, "accuracy", method="mean").nested)
    assert set(found.labels(found.predict(p))) <= {"no", "yes"}


@pytest.mark.parametrize("name", ["hill", "lgbm-stack"])
def test_too_few_rows_for_free_weights_are_refused_with_what_works(name: str) -> None:
    y, oof, folds = examples("rmse", rows=200, models=12)
    with pytest.raises(KKError, match=f"{name} with 12 models needs 240 rows, there are 160.*--blend ridge"):
        blend(y, oof, folds, "rmse", method=name)
    assert name not in blend(y, oof, folds, "rmse").tried


@pytest.mark.slow
def test_choosing_among_noise_is_worth_a_coin() -> None:
    """The choice of the blender peeks where a fit on part k helps to choose for part k: then this is .519."""
    nested, best = [], []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        found = blend(rng.integers(0, 2, 150), rng.random((5, 150)), np.arange(150) % 3, "auc")
        nested.append(found.nested)
        best.append(max(found.tried.values()))
    assert np.mean(best) > 0.53 and abs(np.mean(nested) - 0.5) < 2 * np.std(nested) / np.sqrt(60)


def test_labels_may_be_written_in_any_way() -> None:
    y, p, folds = examples("auc")
    plain = blend(y, p, folds, "auc", method="stack")
    for labels in (y + 1, 2 * y - 1, np.array(["no", "yes"])[y], y == 1):
        assert blend(labels, p, folds, "auc", method="stack").nested == pytest.approx(plain.nested)
    codes, several, folds = examples("mlogloss")
    names = np.array(["left", "right"])[codes]
    by_code, by_name = (blend(labels, several, folds, "mlogloss", method="greedy").nested for labels in (codes, names))
    assert by_name == pytest.approx(by_code)
    with pytest.raises(KKError, match="y holds 'right', which is not among the classes left, up"):
        blend(names, several, folds, "mlogloss", classes=["left", "up"])
    with pytest.raises(KKError, match="y holds 3 classes .*the predictions are of 2"):
        blend(np.array(["a", "b", "c"] * 200), several, folds, "mlogloss")


def test_cuts_by_time_never_see_the_block_they_decide() -> None:
    scores = []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        found = blend((rng.random(1000) < 0.1).astype(int), rng.random((2, 1000)), np.arange(1000) // 200, "mcc", method="mean", earlier=True)
        assert len(found.per_fold) == 4
        scores.append(found.nested)
    assert abs(np.mean(scores)) < 3 * np.std(scores) / np.sqrt(12) + 0.005


def test_nested_is_near_the_truth_and_in_sample_too_good() -> None:
    """Data of pure noise around one level: every fitted weight is luck."""
    in_sample, nested, truth = [], [], []
    for seed in range(12):
        random = np.random.default_rng(seed)
        signal = random.normal(size=21000)
        y, p = signal + random.normal(size=21000), 0.7 * signal + 0.7 * random.normal(size=(40, 21000))
        found = blend(y[:1000], p[:, :1000], np.arange(1000) % 5, "rmse", method="greedy")
        in_sample.append(found.in_sample)
        nested.append(found.nested)
        truth.append(check_metric("rmse")(y[1000:], found.predict(p[:, 1000:])))
    assert np.mean(in_sample) < np.mean(nested)
    assert abs(np.mean(nested) - np.mean(truth)) < abs(np.mean(in_sample) - np.mean(truth))
    assert np.mean(nested) == pytest.approx(np.mean(truth), abs=0.03)


@pytest.mark.parametrize("metric", ["auc", "rmse", "logloss", "accuracy"])
@settings(max_examples=6, deadline=None)
@given(seed=SEEDS)
def test_rows_may_be_permuted_and_models_permute_the_weights(metric: str, seed: int) -> None:
    y, oof, folds = examples(metric, seed=seed)
    random = np.random.default_rng(seed)
    rows, models = random.permutation(len(y)), random.permutation(len(oof))
    before = blend(y, oof, folds, metric, method="greedy")
    assert blend(y[rows], oof[:, rows], folds[rows], metric, method="greedy").weights == pytest.approx(before.weights)
    if metric in ("rmse", "logloss"):  # scores that count rows have ties, which the order of models breaks
        permuted = blend(y, oof[models], folds, metric, method="greedy")
        assert permuted.weights == pytest.approx(before.weights[models])
        assert permuted.nested == pytest.approx(before.nested)


@settings(max_examples=2, deadline=None)
@given(seed=SEEDS)
def test_direction_is_the_metrics_business(seed: int) -> None:
    y, oof, folds = examples("mae", seed=seed)
    mae = check_metric("mae")
    flipped = replace(mae, name="flipped", function=lambda truth, p: -mae.function(truth, p), greater_is_better=True,
                      influence=lambda truth, p: -mae.influence(truth, p))
    one, other = blend(y, oof, folds, mae), blend(y, oof, folds, flipped)
    assert (other.blender, other.gain, other.best_single_index) == (one.blender, pytest.approx(one.gain), one.best_single_index)
    assert np.array_equal(one.weights, other.weights)


def test_several_quantiles_are_blended_a_column_each() -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=600)
    y, spread = x + random.normal(size=600), np.array([-1.28, 0.0, 1.28])
    oof = np.stack([(x + noise * random.normal(size=600))[:, None] + spread for noise in (0.3, 0.6, 1.0)])
    found = blend(y, oof, np.arange(600) % 5, "pinball@0.1,0.5,0.9")
    assert found.weights.shape == (3, 3) and found.nested < found.best_single + found.gain_se and found.predict(oof).shape == (600, 3)
    values = [one.value for one in marginal(y, oof, np.arange(600) % 5, "pinball@0.1,0.5,0.9", "mean")]
    assert values[0] > values[2]


def test_rmsle_averages_logarithms() -> None:
    assert combine([0.5, 0.5], np.array([[0.0], [3.0]]), "rmsle")[0] == pytest.approx(1.0)
    y, oof, folds = examples("rmsle")
    found = blend(y, oof, folds, "rmsle", method="convex")
    assert found.predict(oof) == pytest.approx(np.expm1(found.weights @ np.log1p(oof)))


def test_ranks_are_averaged_where_scales_differ() -> None:
    y, oof, folds = examples("auc", rows=3000)
    stretched = oof * np.array([[1.0], [1000], [1e-3], [50]])
    found = blend(y, stretched, folds, "auc")
    assert found.nested > METRICS.get("auc")(y, stretched.mean(axis=0)) and found.ranked
    assert found.equal_weights == pytest.approx(found.tried["mean"]) and found.tried["mean"] > METRICS.get("auc")(y, stretched.mean(axis=0)) + 0.01
    assert METRICS.get("auc")(y, found.predict(stretched)) == pytest.approx(METRICS.get("auc")(y, found.predict(stretched * 7)))


def test_rows_without_a_prediction_are_dropped_for_all_and_counted() -> None:
    y, oof, folds = examples("rmse")
    oof[1, :30] = np.nan
    folds[:50] = -1
    found = blend(y, oof, np.where(np.arange(600) < 20, 0, folds), "rmse")
    assert found.dropped == 20
    assert np.isnan(found.oof[:50]).all() and np.isfinite(found.oof[50:]).all()


def test_groups_widen_the_standard_error_of_a_gain() -> None:
    random = np.random.default_rng(0)
    groups = np.repeat(np.arange(100), 10)
    y = np.zeros(1000)
    oof = random.normal(size=(3, 100))[:, groups] + 0.1 * random.normal(size=(3, 1000))
    alone, grouped = (blend(y, oof, groups % 5, "rmse", groups=g) for g in (None, groups))
    assert grouped.gain_se > 2 * alone.gain_se


def test_labels_are_decided_after_blending() -> None:
    y, oof, folds = examples("f1")
    found = blend(y, oof, folds, "f1", method="mean", decide=lambda p: (p > 0.3).astype(int))
    expected = np.mean([METRICS.get("f1")(y[folds == k], (oof.mean(axis=0)[folds == k] > 0.3).astype(int)) for k in range(5)])
    assert found.nested == pytest.approx(expected)


def test_one_fold_is_cut_so_that_weights_are_still_nested() -> None:
    y, oof, folds = examples("rmse")
    found = blend(y, oof, np.where(folds == 0, 0, -1), "rmse", method="greedy")
    assert len(found.per_fold) == 5
    assert found.nested_se > 0


def test_one_fit_is_not_called_nested() -> None:
    y, oof, folds = examples("rmse")
    found = blend(y, oof, folds, "rmse", nested=False)
    assert (found.nested, found.gain, found.blender) == (None, None, "greedy")


def test_marginal_values_keep_the_good_and_drop_the_noise() -> None:
    random = np.random.default_rng(0)
    y = random.normal(size=2000)
    oof = y + np.array([[0.5], [0.5], [8.0]]) * random.normal(size=(3, 2000))
    assert [one.verdict for one in marginal(y, oof, np.arange(2000) % 5, "rmse", "mean")] == ["keep", "keep", "drop"]
    assert marginal(y, oof, np.arange(2000) % 5, "rmse", "greedy")[2].value == 0.0


def test_marginal_drops_one_of_two_copies_only_when_nothing_is_lost() -> None:
    y, oof, folds = examples("rmse", models=3)
    copied = np.concatenate([oof, oof[:1] + 1e-9])
    found = marginal(y, copied, folds, "rmse", "greedy")
    assert "drop" in (found[0].verdict, found[3].verdict)
    assert found[1].verdict != "drop"


def test_shapes_that_do_not_fit_are_refused() -> None:
    y, oof, folds = examples("rmse")
    with pytest.raises(KKError, match=r"y has 600 rows, oof has the shape \(600, 4\).*models x rows"):
        blend(y, oof.T, folds, "rmse")
    with pytest.raises(KKError, match="text labels cannot be averaged.*codes 0, 1"):
        blend(np.array(["a", "b", "c"] * 200), oof, folds, "accuracy")
    with pytest.raises(KKError, match="the blend is of 4 models and predictions of the shape .3, 600. were given.*same order"):
        blend(y, oof, folds, "rmse", method="convex").predict(oof[:3])
    with pytest.raises(KKError, match="1 models have gaps"):
        blend(y, oof, folds, "rmse", method="convex").predict(np.where((np.arange(4)[:, None] == 1) & (np.arange(600) == 5), np.nan, oof))
    with pytest.raises(KKError, match="folds hold a"):
        blend(y, oof, np.array(["a"] * 600), "rmse")
    with pytest.raises(KKError, match=r"groups of the shape \(599,\)"):
        blend(y, oof, folds, "rmse", groups=np.zeros(599))
    with pytest.raises(KKError, match="2 rows have a prediction of every model and a fold: too few"):
        blend(y[:2], oof[:, :2], folds[:2], "rmse")
    with pytest.raises(KKError, match="linear predicts -0.9.* to .*probabilities lie in 0 to 1"):
        blend((y > 1).astype(int), oof - 1 - oof.min(), folds, "logloss", names=["linear", "b", "c", "d"])
    with pytest.raises(KKError, match="model 1 predicts infinity in 1 rows"):
        blend(y, np.where((np.arange(4)[:, None] == 1) & (np.arange(600) == 5), np.inf, oof), folds, "rmse")


@pytest.mark.parametrize("metric", ["mcauc", "mclogloss", "mcrmse"])
def test_several_targets_have_their_own_weights(metric: str) -> None:
    rng = np.random.default_rng(0)
    y = (rng.random((1000, 2)) < 0.3).astype(int)
    good = np.clip(y * 0.4 + rng.random((1000, 2)) * 0.6, 0.01, 0.99)
    noise = rng.random((1000, 2))
    oof = np.stack([np.stack([good[:, 0], noise[:, 1]], axis=1), np.stack([noise[:, 0], good[:, 1]], axis=1)])
    found = blend(y.astype(float) if metric == "mcrmse" else y, oof, np.arange(1000) % 5, metric, method="convex")
    assert found.weights[0, 0] > 0.8 and found.weights[1, 1] > 0.8 and found.gain > 3 * found.gain_se
    assert found.predict(oof).shape == (1000, 2) and found.nested == pytest.approx(np.mean(found.per_fold))


def test_lists_are_made_of_blended_scores() -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 6, 600)
    scores = np.exp(2 * np.eye(6)[y] + np.array([1.0, 2.0])[:, None, None] * rng.normal(size=(2, 600, 6)))
    found = blend(y, scores / scores.sum(axis=2, keepdims=True), np.arange(600) % 5, "map@3", method="greedy")
    assert found.labels(found.predict(scores)).shape == (600, 3) and found.nested > 0.8
