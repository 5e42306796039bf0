"""Honesty of blends: is the nested score what fresh rows give, and is auto at least as good there as what people use?

    python benchmarks/honesty.py [--repeats 12] [--only rmse,auc,logloss,classes,qwk,f1,mae] [--quick]

10 real models with shared errors and 20 or 200 models of pure noise, on 500 to 10,000 rows in five folds; 40,000 fresh rows are the
truth. For each blender: nested - truth in standard errors of the nested score, and how much the in-sample score flatters. For auto:
the score on fresh rows against equal weights, the best single model, greedy selection of 25 steps (AutoGluon's EnsembleSelection restated) and
hill climbing by 0.01 without negative weights (hillclimbers restated), each with its Monte-Carlo error over the repeats. Positive
gains are good whatever the metric.
"""

import argparse
from collections import defaultdict
from collections.abc import Callable

import numpy as np

from kagglekit.blenders import REGISTRY, Blend, blend
from kagglekit.errors import KKError
from kagglekit.metrics import Metric, check_metric

Array = np.ndarray
FRESH, REAL, FOLDS = 40_000, 10, 5
SIZES = ((500, 20), (500, 200), (2000, 20), (2000, 200), (10_000, 20))
METRICS = {"rmse": "rmse", "auc": "auc", "logloss": "logloss", "classes": "mlogloss", "qwk": "qwk", "f1": "f1", "mae": "mae"}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=12)
    parser.add_argument("--only", default=",".join(METRICS))
    parser.add_argument("--quick", action="store_true", help="500 and 2,000 rows with 20 noise models only")
    given = parser.parse_args()
    sizes = [size for size in SIZES if size[1] == 20 and size[0] <= 2000] if given.quick else SIZES
    for task in given.only.split(","):
        for rows, noise in sizes:
            shown(task, rows, noise, given.repeats)


def made(task: str, rows: int, noise: int, seed: int) -> tuple[Array, Array, Array]:
    """(truth, oof, folds) of rows + FRESH rows: ten models with shared and private errors, then models that know nothing."""
    rng = np.random.default_rng(seed)
    total = rows + FRESH
    signal = rng.normal(size=total)
    shared = rng.normal(size=(3, total))
    seen = np.stack([signal + 0.5 * shared[k % 3] + (0.4 + 0.15 * k) * rng.normal(size=total) for k in range(REAL)])
    blind = rng.normal(size=(noise, total))
    seen = np.concatenate([0.6 * seen, 0.6 * blind])
    truth = signal + 0.8 * rng.normal(size=total)
    folds = rng.permutation(rows) % FOLDS
    if task in ("rmse", "mae"):
        return truth, seen, folds
    if task == "qwk":
        return np.clip(np.rint(2 + truth), 0, 4), 2 + seen, folds
    if task == "classes":
        y = np.digitize(truth, [-1.0, -0.3, 0.3, 1.0])
        centres = np.array([-1.5, -0.6, 0.0, 0.6, 1.5])
        scores = -((seen[:, :, None] - centres) ** 2)
        chances = np.exp(scores)
        return y, chances / chances.sum(axis=2, keepdims=True), folds
    return (truth > 0.7).astype(int), 1 / (1 + np.exp(-(1.5 * seen - 0.8))), folds


def shown(task: str, rows: int, noise: int, repeats: int) -> None:
    """One table."""
    metric = check_metric(METRICS[task])
    gaps, flattery, gains = defaultdict(list), defaultdict(list), defaultdict(list)
    for seed in range(repeats):
        y, oof, folds = made(task, rows, noise, seed)
        once(metric, y, oof, folds, rows, (gaps, flattery, gains))
    print(f"\n{task}: {rows:,} rows, {REAL} real + {noise} noise models, {repeats} repeats")
    print(f"  {'blender':12} {'(nested - truth)/SE':>22} {'in sample - truth, SE':>24}")
    for name in sorted(gaps):
        mean, error = mean_of(gaps[name])
        print(f"  {name:12} {mean:+10.2f} ± {error:.2f} {'ok' if abs(mean) <= 1 else 'OFF':>6} {np.mean(flattery[name]):+18.2f}")
    for name, values in gains.items():
        mean, error = mean_of(values)
        print(f"  auto on fresh rows against {name:14} {mean:+.5f} ± {error:.5f} {'ok' if mean >= -2 * error else 'WORSE'}")


def mean_of(values: list[float]) -> tuple[float, float]:
    """Mean and its Monte-Carlo error."""
    return float(np.mean(values)), float(np.std(values, ddof=1) / np.sqrt(len(values))) if len(values) > 1 else float("nan")


def once(metric: Metric, y: Array, oof: Array, folds: Array, rows: int, tables: tuple) -> None:
    """One data set: every blender, auto, and the rivals."""
    gaps, flattery, gains = tables
    ours, fresh = oof[:, :rows], oof[:, rows:]
    worth = {}
    for name in (*REGISTRY.names(), "auto"):
        try:
            found = blend(y[:rows], ours, folds, metric, method=name)
        except KKError:
            continue
        said = found.predict(fresh)
        truth = metric(y[rows:], found.labels(said) if metric.needs == "label" else said)
        se = max(found.nested_se, 1e-12)
        gaps[name].append(metric.sign * (found.nested - truth) / se)
        flattery[name].append(metric.sign * (found.in_sample - truth) / se)
        worth[name] = (truth, found)
    auto, found = worth["auto"]
    for name, blended in rivals(metric, y[:rows], ours, fresh, found).items():
        gains[name].append(metric.sign * (auto - blended(metric, y[rows:])))


def rivals(metric: Metric, y: Array, oof: Array, fresh: Array, found: Blend) -> dict:
    """What people use, as functions (metric, truth) -> score on fresh rows; labels are decided by kk's cuts for all."""

    def scored(weights: Array) -> Callable[[Metric, Array], float]:
        said = np.tensordot(weights, fresh, 1)
        return lambda judge, truth: judge(truth, found.labels(said) if judge.needs == "label" else said)

    def score(blended: Array) -> float:
        return metric.sign * metric(y, found.labels(blended) if metric.needs == "label" else blended)

    best = np.eye(len(oof))[found.best_single_index]
    return {"equal weights": scored(np.full(len(oof), 1 / len(oof))), "best single": scored(best),
            "AutoGluon's": scored(selection(oof, score)), "hillclimbers'": scored(climbed(oof, score))}


def selection(oof: Array, score: Callable[[Array], float], steps: int = 25) -> Array:
    """Greedy selection with replacement, the best of 25 steps."""
    total, taken, best, kept = np.zeros(oof.shape[1:]), np.zeros(len(oof)), -np.inf, None
    for step in range(1, steps + 1):
        scores = [score((total + one) / step) for one in oof]
        pick = int(np.argmax(scores))
        total, taken[pick] = total + oof[pick], taken[pick] + 1
        if scores[pick] > best:
            best, kept = scores[pick], taken / step
    return kept


def climbed(oof: Array, score: Callable[[Array], float], precision: float = 0.05) -> Array:
    """Hill climbing from the best model: a share of up to one half of an unused model, while the score rises."""
    scores = [score(one) for one in oof]
    order = list(np.argsort(scores)[::-1])
    weights = np.eye(len(oof))[order.pop(0)]
    blended, best = np.tensordot(weights, oof, 1), max(scores)
    while order:
        found = max(((score((1 - share) * blended + share * oof[model]), model, share)
                     for model in order[:40] for share in np.arange(precision, 0.51, precision)), key=lambda one: one[0])
        if found[0] <= best:
            break
        best, model, share = found
        weights = (1 - share) * weights
        weights[model] += share
        blended = np.tensordot(weights, oof, 1)
        order.remove(model)
    return weights


if __name__ == "__main__":
    main()
