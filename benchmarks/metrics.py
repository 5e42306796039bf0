"""Metrics against scikit-learn's: python benchmarks/metrics.py [--rows 1000000] [--repeats 3]

Both score the same arrays in one process, one after the other; the best of the repeats counts, in seconds of the processor. Every metric
that scikit-learn has is measured, also those where it is faster. A ratio below 1 means that kk is faster. `off` is the largest
difference of the two scores. Below: what scikit-learn does not have, MAP@K and the influence functions behind the standard errors.
"""

import argparse
import time
import warnings
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec

import numpy as np

from kagglekit.metrics import REGISTRY, Metric

Array = np.ndarray
COLUMNS, CLASSES, ITEMS = 3, 5, 10
FEWER = {"lwlrap": 20_000, "ndcg@5": 100_000}  # scikit-learn goes through the rows one by one
PEERS = {  # scikit-learn's function and its options
    "accuracy": ("accuracy_score", {}), "balanced_accuracy": ("balanced_accuracy_score", {}), "f1": ("f1_score", {}),
    "fbeta@2": ("fbeta_score", {"beta": 2}), "macro_f1": ("f1_score", {"average": "macro"}), "mcc": ("matthews_corrcoef", {}),
    "kappa": ("cohen_kappa_score", {}), "qwk": ("cohen_kappa_score", {"weights": "quadratic"}), "hamming": ("hamming_loss", {}),
    "mean_f1": ("f1_score", {"average": "samples", "zero_division": 0}), "micro_f1": ("f1_score", {"average": "micro"}),
    "auc": ("roc_auc_score", {}), "mcauc": ("roc_auc_score", {"average": "macro"}), "ap": ("average_precision_score", {}),
    "logloss": ("log_loss", {}), "mlogloss": ("log_loss", {}), "lwlrap": ("label_ranking_average_precision_score", {}),
    "rmse": ("root_mean_squared_error", {}), "mse": ("mean_squared_error", {}), "mae": ("mean_absolute_error", {}),
    "medae": ("median_absolute_error", {}), "rmsle": ("root_mean_squared_log_error", {}), "mape": ("mean_absolute_percentage_error", {}),
    "r2": ("r2_score", {}), "mcrmse": ("root_mean_squared_error", {}), "mcrmsle": ("root_mean_squared_log_error", {}),
    "pinball@0.9": ("mean_pinball_loss", {"alpha": 0.9}), "ndcg@5": ("ndcg_score", {"k": 5}), "top_k_err@5": ("top_k_accuracy_score", {"k": 5}),
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    if not find_spec("sklearn"):
        print("scikit-learn is not installed: pip install scikit-learn")
        return
    warnings.simplefilter("ignore")
    print(f"{given.rows:,} rows; {COLUMNS} columns or labels, {CLASSES} classes, lists of 5 of {ITEMS}; processor seconds, best of {given.repeats}")
    print(f"{'metric':>18} {'kk':>8} {'sklearn':>8} {'ratio':>6} {'off':>8}")
    for name in PEERS:
        _beside(REGISTRY.get(name), min(given.rows, FEWER.get(name, given.rows)), given.repeats)
    print("\nwithout a peer there")
    for name in ("map@5", "spearman", "ngini"):
        metric = REGISTRY.get(name)
        y, p, _, _ = _example(metric, given.rows)
        print(f"{name:>18} {_seconds(partial(metric, y, p), given.repeats)[0]:8.4f}")
    for name in ("auc", "ap", "logloss", "qwk", "macro_f1", "spearman", "map@5", "mcrmse"):
        metric = REGISTRY.get(name)
        y, p, _, _ = _example(metric, given.rows)
        print(f"{'influence ' + name:>18} {_seconds(partial(metric.influence, y, p), given.repeats)[0]:8.4f}")


def _beside(metric: Metric, rows: int, repeats: int) -> None:
    from sklearn import metrics as theirs

    name, options = PEERS[metric.name]
    y, p, their_y, their_p = _example(metric, rows)
    mine, score = _seconds(lambda: metric(y, p), repeats)
    other, peer = _seconds(lambda: getattr(theirs, name)(their_y, their_p, **options), repeats)
    peer = 1 - peer if metric.name == "top_k_err@5" else peer
    told = f"  ({rows:,} rows)" if metric.name in FEWER else ""
    print(f"{metric.name:>18} {mine:8.4f} {other:8.4f} {mine / other:6.2f} {abs(score - peer):8.0e}{told}", flush=True)


def _seconds(call: Callable[[], float], repeats: int) -> tuple[float, float]:
    """(seconds of the processor, answer) of the fastest of some calls."""
    taken = []
    for _ in range(repeats):
        start = time.process_time()
        answer = call()
        taken.append(time.process_time() - start)
    return min(taken), answer


def _example(metric: Metric, rows: int) -> tuple[Array, Array, Array, Array]:
    """Truth and predictions in the form that kk takes, and in scikit-learn's where it has another."""
    random = np.random.default_rng(0)
    several = metric.columns == "targets"
    signal = random.normal(size=(rows, COLUMNS) if several else rows)
    said = signal + random.normal(size=signal.shape)
    if metric.needs == "list":
        score, code = random.normal(size=(rows, ITEMS)), random.integers(0, ITEMS, rows)
        score[np.arange(rows), code] += 1
        p = np.argsort(-score, axis=1)[:, :5]
        return code, p, (np.eye(ITEMS)[code] if metric.name.startswith("ndcg") else code), score
    if metric.needs == "value" or metric.name in ("spearman", "ngini"):
        y, p = np.exp(signal / 2), np.exp(said / 2)
    elif metric.columns == "classes":
        odds = np.exp(random.normal(size=(rows, CLASSES)))
        y, p = random.integers(0, CLASSES, rows), odds / odds.sum(axis=1, keepdims=True)
    elif metric.needs == "label" and not several and metric.classes == "any":
        y, p = (np.digitize(values, [-1, 0, 0.5, 1]) for values in (signal, said))
    else:
        y, p = (signal > 0.5).astype(int), 1 / (1 + np.exp(-said))
        p = (p > 0.5).astype(int) if metric.needs == "label" else p
    if metric.name == "lwlrap":
        y = np.eye(COLUMNS, dtype=int)[random.integers(0, COLUMNS, rows)]
    return y, p, y, p


if __name__ == "__main__":
    main()
