"""Blending: processor seconds and scores of kk's kernels beside AutoGluon's EnsembleSelection and hillclimbers, in one run.

    python benchmarks/blend.py [--only auc,rmse,logloss,small,correlation,scale] [--scale-models 1000] [--scale-rows 1000000]

Generated out-of-fold predictions: a latent truth, six families of shared errors, private errors; `held` is the score on as many fresh
rows (at most 100,000). Peers come from what is installed
(`pip install hillclimbers autogluon.core autogluon.features`); one that is missing is named.
A peer that would take minutes is timed on some of its metric calls and multiplied out ("extrapolated"). Goals: AUC 50 x 100k 20 times
AutoGluon and 500 times hillclimbers, 200 x 200k 50 times; five classes 50 times; RMSE 4 times; 10 x 10k under 50 ms; correlations of
200 x 1M under 10 s; nested greedy and convex of 1,000 models x 1M rows from disk under 10 minutes and 8 GB.
"""

import argparse
import resource
import shutil
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from kagglekit.blenders.base import REGISTRY
from kagglekit.blenders.decision import as_is
from kagglekit.blenders.nested import nested
from kagglekit.blenders.prepare import prepare
from kagglekit.diversity import error_correlation
from kagglekit.kernels import auc, gram, logistic, logloss
from kagglekit.metrics import check_metric

Array = np.ndarray
STEPS, BUDGET = 25, 30.0
HILL_WEIGHTS = 50  # hillclimbers tries so many weights a model and step


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="auc,rmse,logloss,small,correlation,scale")
    parser.add_argument("--scale-models", type=int, default=1000)
    parser.add_argument("--scale-rows", type=int, default=1_000_000)
    given = parser.parse_args()
    parts: dict[str, Callable[[], None]] = {
        "small": small, "auc": of_auc, "rmse": of_rmse, "logloss": of_logloss, "correlation": correlation,
        "scale": lambda: scale(given.scale_models, given.scale_rows)}
    for name in given.only.split(","):
        parts[name]()


def made(models: int, rows: int, seed: int = 0, kind: str = "chance") -> tuple[Array, Array, Array, Array]:
    """(truth, oof, truth held, oof held), predictions as float32."""
    rng = np.random.default_rng(seed)
    held = min(rows, 100_000)
    total = rows + held
    signal = rng.normal(size=total).astype(np.float32)
    shared = rng.normal(size=(6, total)).astype(np.float32)
    noise = signal + rng.normal(size=total).astype(np.float32)
    y = noise if kind == "value" else (noise > 0.8).astype(np.int64)
    oof = np.empty((models, total), dtype=np.float32)
    for model in range(models):
        oof[model] = signal + 0.7 * shared[model % 6] + np.float32(rng.uniform(0.3, 1.2)) * rng.normal(size=total).astype(np.float32)
        if kind == "chance":
            oof[model] = 1 / (1 + np.exp(-(1.2 * oof[model] - 1)))
    return y[:rows], oof[:, :rows], y[rows:], oof[:, rows:]


def timed(function: Callable[[], object]) -> tuple[float, float, object]:
    """(CPU seconds, wall seconds, answer)."""
    cpu, wall = time.process_time(), time.perf_counter()
    answer = function()
    return time.process_time() - cpu, time.perf_counter() - wall, answer


def selection(name: str, problem: str) -> Callable[[Array, Array, int], Array] | None:
    """AutoGluon's EnsembleSelection as a function (oof, y, steps) -> weights; None where it is not installed."""
    try:
        from autogluon.core import metrics
        from autogluon.core.models.greedy_ensemble.ensemble_selection import EnsembleSelection
    except ImportError:
        return None

    def fitted(oof: Array, y: Array, steps: int) -> Array:
        found = EnsembleSelection(steps, problem_type=problem, metric=getattr(metrics, name), random_state=np.random.RandomState(0))
        found.fit(list(oof), y)
        return np.asarray(found.weights_)

    return fitted


def against_selection(label: str, ours: tuple[float, float, float, float], peer: Callable | None, oof: Array, y: Array, goal: float,
                      score: Callable[[Array], tuple[float, float]]) -> None:
    """One line: kk against AutoGluon; the peer is timed on fewer steps where it would take long."""
    cpu, wall, fit, held = ours
    line = f"{label:32} kk {cpu:8.3f} s CPU {wall:7.3f} wall, fit {fit:.5f} held {held:.5f}"
    if peer is None:
        print(f"{line} | AutoGluon is not installed")
        return
    steps, known = 1, timed(lambda: peer(oof, y, 1))[0]
    if known * STEPS < 4 * BUDGET:
        theirs, _, weights = timed(lambda: peer(oof, y, STEPS))
        told = "fit {:.5f} held {:.5f}".format(*score(weights))
        print(f"{line} | AutoGluon {theirs:8.2f} s CPU, {told} | ratio {theirs / cpu:7.1f} (goal {goal:g})")
        return
    theirs = known * STEPS / steps
    print(f"{line} | AutoGluon {theirs:8.1f} s CPU (extrapolated from {steps} of {STEPS} steps) | ratio {theirs / cpu:7.1f} (goal {goal:g})")


def hill_cost(oof: Array, y: Array, metric: Callable[[Array, Array], float]) -> float:
    """CPU seconds that hillclimbers needs: its calls, multiplied by what one takes (it ends after about as many steps as models / 4)."""
    blend = oof[0].astype(np.float64)

    def some() -> None:
        for model in oof[:10]:
            metric(y, 0.9 * blend + 0.1 * model)

    one = timed(some)[0] / min(len(oof), 10)
    steps = max(len(oof) // 4, 2)
    return one * HILL_WEIGHTS * sum(len(oof) - step for step in range(1, steps + 1))


def both_auc(oof: Array, y: Array, held: Array, y_held: Array, weights: Array) -> tuple[float, float]:
    """AUC on the rows of the fit and on fresh ones."""
    return auc.auc_of(weights @ oof, y), auc.auc_of(weights @ held, y_held)


def both_rmse(oof: Array, y: Array, held: Array, y_held: Array, weights: Array) -> tuple[float, float]:
    """RMSE on the rows of the fit and on fresh ones."""
    return float(np.sqrt(np.mean((weights @ oof - y) ** 2))), float(np.sqrt(np.mean((weights @ held - y_held) ** 2)))


def stacked(oof: Array, y: Array) -> tuple[Array, float]:
    """The logistic stack."""
    return logistic.logistic(logistic.logits(oof), y)


def on_gram(fit: Callable[[gram.Gram], Array], oof: Array, y: Array) -> Array:
    """A fit on the Gram matrix, which is taken too."""
    return fit(gram.grams(oof, y)[0])


def of_auc() -> None:
    """AUC: greedy selection by counting; the logistic stack for comparison."""
    from sklearn.metrics import roc_auc_score

    for models, rows, goal in ((50, 100_000, 20.0), (200, 200_000, 50.0)):
        y, oof, y_held, held = made(models, rows)
        score = partial(both_auc, oof, y, held, y_held)
        cpu, wall, weights = timed(partial(auc.greedy_auc, oof, y, STEPS))
        against_selection(f"AUC greedy {models} x {rows:,}", (cpu, wall, *score(weights)), selection("roc_auc", "binary"), oof, y, goal, score)
        theirs = hill_cost(oof, y, roc_auc_score)
        print(f"{'':32} hillclimbers {theirs:.0f} s CPU (extrapolated from 10 metric calls) | ratio {theirs / cpu:.0f} (goal 500)")
        cpu, wall, (stack, _) = timed(partial(stacked, oof, y))
        print(f"{'':32} logistic stack {cpu:.3f} s CPU {wall:.3f} wall, fit {auc.auc_of(stack @ logistic.logits(oof), y):.5f} "
              f"held {auc.auc_of(stack @ logistic.logits(held), y_held):.5f}")


def of_rmse() -> None:
    """RMSE: greedy and convex on a Gram matrix."""
    for models, rows, goal in ((50, 100_000, 4.0), (200, 200_000, 1.5), (100, 1_000_000, 4.0)):
        y, oof, y_held, held = made(models, rows, kind="value")
        score = partial(both_rmse, oof, y, held, y_held)
        cpu, wall, weights = timed(partial(on_gram, gram.greedy, oof, y))
        against_selection(f"RMSE greedy {models} x {rows:,}", (cpu, wall, *score(weights)), selection("root_mean_squared_error", "regression"),
                          oof, y, goal, score)
        cpu, wall, weights = timed(partial(on_gram, gram.convex, oof, y))
        print("{:32} convex {:.3f} s CPU {:.3f} wall, fit {:.5f} held {:.5f}".format("", cpu, wall, *score(weights)))


def of_logloss() -> None:
    """Log loss of five classes: convex by mixSQP and greedy, on true-class probabilities."""
    models, rows, classes = 50, 100_000, 5
    rng = np.random.default_rng(0)
    y = rng.integers(0, classes, rows)
    base = 1.3 * np.eye(classes, dtype=np.float32)[y] + rng.normal(size=(rows, classes)).astype(np.float32)
    shared = rng.normal(size=(6, rows, classes)).astype(np.float32)
    oof = np.empty((models, rows, classes), dtype=np.float32)
    for model in range(models):
        scores = base + 0.5 * shared[model % 6] + np.float32(rng.uniform(0.3, 1.2)) * rng.normal(size=(rows, classes)).astype(np.float32)
        np.exp(scores, out=scores)
        oof[model] = scores / scores.sum(axis=1, keepdims=True)

    def score(weights: Array) -> tuple[float, float]:
        pooled = np.tensordot(weights, oof, 1)
        return float(-np.log(pooled[np.arange(rows), y]).mean()), float("nan")

    for label, fit in (("greedy", logloss.greedy_logloss), ("convex", logloss.convex_logloss)):
        cpu, wall, weights = timed(lambda fit=fit: fit(logloss.true_class(oof, y)))
        peer = selection("log_loss", "multiclass") if label == "greedy" else None
        if label == "greedy":
            against_selection(f"5 classes {label} {models} x {rows:,}", (cpu, wall, *score(weights)), peer, oof, y, 50.0, score)
        else:
            print("{:32} kk {:8.3f} s CPU {:7.3f} wall, fit {:.5f}".format(f"5 classes {label} {models} x {rows:,}", cpu, wall, score(weights)[0]))


def small() -> None:
    """Ten models of 10,000 rows: milliseconds."""
    y, oof, _, _ = made(10, 10_000)
    numbers, values, _, _ = made(10, 10_000, kind="value")
    for label, fit in (("AUC greedy", lambda: auc.greedy_auc(oof, y)),
                       ("log loss convex", lambda: logloss.convex_logloss(logloss.true_class(oof, y))),
                       ("logistic stack", lambda: logistic.logistic(logistic.logits(oof), y)),
                       ("RMSE greedy", lambda: gram.greedy(gram.grams(values, numbers)[0])),
                       ("RMSE convex", lambda: gram.convex(gram.grams(values, numbers)[0]))):
        fit()
        print(f"{label + ' 10 x 10,000':32} kk {1000 * min(timed(fit)[0] for _ in range(5)):8.1f} ms CPU (goal 50)")


def correlation() -> None:
    """Error correlations of 200 models x 1M rows."""
    y, oof, _, _ = made(200, 1_000_000, kind="value")
    cpu, wall, found = timed(lambda: error_correlation(y, oof, "rmse"))
    print(f"{'error correlation 200 x 1,000,000':32} kk {cpu:.2f} s CPU {wall:.2f} wall (goal 10), n_eff {found.n_eff:.2f}")


def scale(models: int, rows: int) -> None:
    """Nested greedy and convex of many models from a memory-mapped file, for RMSE and AUC, and the correlation report."""
    folder = Path(tempfile.mkdtemp(prefix="blend-"))
    try:
        free = shutil.disk_usage(folder).free
        while models * rows * 4 > 0.8 * free:
            rows //= 2
        rng = np.random.default_rng(0)
        signal, shared = rng.normal(size=rows).astype(np.float32), rng.normal(size=(6, rows)).astype(np.float32)
        y = signal + rng.normal(size=rows).astype(np.float32)
        oof = np.lib.format.open_memmap(folder / "oof.npy", mode="w+", dtype=np.float32, shape=(models, rows))
        for model in range(models):
            oof[model] = signal + 0.7 * shared[model % 6] + np.float32(rng.uniform(0.3, 1.2)) * rng.standard_normal(rows, dtype=np.float32)
        oof.flush()
        del oof
        whole = 0.0
        for metric, truth in (("rmse", y), ("auc", (y > 0.8).astype(np.int64))):
            data = prepare(truth, np.load(folder / "oof.npy", mmap_mode="r"), np.arange(rows) % 5, check_metric(metric))
            for name in ("greedy", "convex"):
                cpu, wall, found = timed(lambda data=data, name=name: nested(data, REGISTRY.get(name), as_is))
                whole += wall
                print(f"{f'{metric} nested {name} {models:,} x {rows:,}':42} {wall:7.1f} s wall {cpu:7.1f} CPU, nested {found.score:.5f}", flush=True)
            cpu, wall, shown = timed(lambda data=data, metric=metric: error_correlation(data.truth, data.oof, metric))
            whole += wall
            print(f"{f'{metric} error correlation':42} {wall:7.1f} s wall {cpu:7.1f} CPU, n_eff {shown.n_eff:.2f}", flush=True)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        print(f"{'all of it':42} {whole:7.1f} s wall (goal 600), peak {peak:.1f} GB (goal 8), OOFs {models * rows * 4 / 2**30:.1f} GB")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
