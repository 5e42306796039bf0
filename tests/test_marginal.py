"""What each model adds to a blend: against a blend that is made again without it."""

import numpy as np
import pytest

import kagglekit.marginal as module
from kagglekit.blenders import REGISTRY, blend
from kagglekit.blenders.case import View
from kagglekit.marginal import Others, marginal
from kagglekit.metrics import check_metric

METHODS = {"rmse": ("mean", "greedy", "convex", "ridge", "stack", "median"), "auc": ("rank-mean", "stack", "convex"),
           "logloss": ("convex", "logit-mean", "greedy"), "mlogloss": ("convex", "stack"), "accuracy": ("mean", "convex"),
           "mae": ("median", "greedy"), "rmsle": ("convex", "mean")}


def models(metric: str, rows: int = 300, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """y, oof of four models, folds."""
    random = np.random.default_rng(seed)
    latent = random.normal(size=rows)
    seen = latent + np.array([[0.4], [0.5], [0.7], [3.0]]) * random.normal(size=(4, rows))
    folds = random.permutation(rows) % 5
    if check_metric(metric).needs == "value":
        return np.exp(latent / 3), np.exp(seen / 3), folds
    y, p = (latent + 0.5 * random.normal(size=rows) > 0).astype(int), 1 / (1 + np.exp(-seen))
    return y, np.stack([1 - p, p], axis=2) if metric == "mlogloss" else p, folds


@pytest.mark.parametrize(("metric", "method"), [(metric, method) for metric, methods in METHODS.items() for method in methods])
def test_a_value_is_the_score_of_all_less_that_of_a_blend_without_it(metric: str, method: str) -> None:
    y, oof, folds = models(metric)
    whole, found = blend(y, oof, folds, metric, method), marginal(y, oof, folds, metric, method)
    for one in found[1:3]:
        without = blend(y, np.delete(oof, one.index, axis=0), folds, metric, method)
        assert one.value == pytest.approx(check_metric(metric).sign * (whole.nested - without.nested), abs=1e-6)
        assert one.low <= one.value <= one.high and one.se == pytest.approx((one.high - one.value) / 1.96)


def test_keep_what_helps_drop_what_harms_and_know_where_nothing_changes() -> None:
    y, oof, folds = models("rmse", 3000)
    found = marginal(y, oof, folds, "rmse", "mean")
    assert [one.verdict for one in found] == ["keep", "keep", "keep", "drop"] and found[3].high < 0
    unused = marginal(y, oof, folds, "rmse", "greedy")[3]
    assert (unused.value, unused.se, unused.verdict) == (0.0, 0.0, "undecided")


def test_of_near_copies_only_the_weaker_ones_are_dropped() -> None:
    y, oof, folds = models("rmse", 1000)
    random = np.random.default_rng(1)
    copied = np.concatenate([oof, oof[:1] + 1e-9 * random.normal(size=(2, 1000))])
    size = ((copied - y) ** 2).mean(axis=1)
    found = marginal(y, copied, folds, "rmse", "greedy")
    best = min((0, 4, 5), key=lambda model: size[model])
    assert [found[model].verdict == "drop" for model in (0, 4, 5)] == [model != best for model in (0, 4, 5)]


def test_rows_of_one_group_count_together() -> None:
    y, oof, folds = models("rmse", 400)
    many = [np.repeat(values, 5, axis=-1) for values in (y, oof, folds)]
    groups = np.repeat(np.arange(400), 5)
    alone, together = marginal(*many, "rmse", "mean"), marginal(*many, "rmse", "mean", groups=groups)
    assert together[0].se == pytest.approx(alone[0].se * np.sqrt(5), rel=1e-6)
    assert together[0].value == pytest.approx(alone[0].value)


def test_weights_fitted_on_few_rows_give_nearly_the_same_values(monkeypatch: pytest.MonkeyPatch) -> None:
    y, oof, folds = models("auc", 6000)
    exact = marginal(y, oof, folds, "auc", "greedy")
    without = [blend(y, np.delete(oof, model, axis=0), folds, "auc", "greedy").nested for model in range(4)]
    gaps = blend(y, oof, folds, "auc", "greedy").nested - np.array(without)
    assert [one.value for one in exact] == pytest.approx(gaps, abs=0.2 * max(one.se for one in exact))
    monkeypatch.setattr(module, "FIT_ROWS", 2000)
    quick = marginal(y, oof, folds, "auc", "greedy")
    assert [one.value for one in quick] == pytest.approx([one.value for one in exact], abs=3 * max(one.se for one in exact))
    assert [one.verdict for one in quick] == [one.verdict for one in exact]
    y, oof, folds = models("rmse", 6000)
    by_sums = marginal(y, oof, folds, "rmse", "convex")
    monkeypatch.setattr(module, "FIT_ROWS", 10**9)
    assert by_sums == marginal(y, oof, folds, "rmse", "convex")


def test_one_model_alone_is_not_judged_and_auto_chooses_a_blender() -> None:
    y, oof, folds = models("rmse")
    assert [one.verdict for one in marginal(y, oof[:1], folds, "rmse", "mean")] == ["undecided"]
    assert len(marginal(y, oof[:3], folds, "rmse")) == 3


def test_others_are_what_a_copy_would_be() -> None:
    oof = np.random.default_rng(0).random((5, 30, 3))
    kept, rows = np.array([0, 2, 4]), np.array([3, 9, 27])
    view, copy = View(Others(oof, kept), rows), oof[kept][:, rows]
    assert np.array_equal(np.asarray(view), copy)
    assert np.array_equal(view[1], copy[1]) and np.array_equal(view[np.array([0, 2]), 1:], copy[[0, 2], 1:])
    assert np.array_equal(np.stack(list(Others(oof, kept))), oof[kept])


def test_every_blender_can_leave_out_a_model() -> None:
    y, oof, folds = models("logloss")
    names = [name for name in REGISTRY.names() if "chance" in REGISTRY.get(name).kinds and not name.startswith("test")]
    for name in names:
        metric = "auc" if "rank" in REGISTRY.get(name).metrics else "logloss"
        assert len(marginal(y, oof, folds, metric, name)) == 4, name


def test_of_several_targets_a_model_that_errs_more_adds_nothing() -> None:
    random = np.random.default_rng(0)
    y = np.exp(random.normal(size=(600, 2)))
    oof = y * np.exp(np.array([0.2, 0.2, 2.0])[:, None, None] * random.normal(size=(3, 600, 2)))
    found = marginal(y, oof, np.arange(600) % 5, "mcrmsle", "convex")
    assert [one.verdict for one in found[:2]] == ["keep", "keep"] and found[2].value < found[0].value / 10
    whole, without = (blend(y, one, np.arange(600) % 5, "mcrmsle", "convex").nested for one in (oof, oof[1:]))
    assert found[0].value == pytest.approx(without - whole)
