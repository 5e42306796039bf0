"""LightGBM over five folds with early stopping, out-of-fold and test predictions: kk against the loop that people write.

    python benchmarks/lgbm_cv.py [--quick] [--repeats 1] [--case wide|long]

The loop: LGBMClassifier a fold, early_stopping(50) on the validated rows, predict_proba of them and of the test rows, with all
processors and, since threads that wait for each other waste them on a busy machine, with one. kk: one table binned for all folds, the
folds in threads, rounds chosen by the other folds. wide: 200,000 x 100, at most 60 trees. long: 20,000 x 30 with many hundred trees,
where training is all there is. Every way runs as a process of its own and is measured whole: seconds, processor seconds, peak memory
above the table's (ru_maxrss). Prints ratios; below 1 means that kk is faster or smaller. The loop's out-of-fold score is flattered:
its rounds were chosen on the rows that it scores; the test rows tell what is true of both.
"""

import argparse
import importlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

# rows, test rows, columns, most trees, learning rate
CASES = {"wide": (200_000, 50_000, 100, 60, 0.1), "long": (20_000, 5_000, 30, 3000, 0.02)}
QUICK = {"wide": (40_000, 10_000, 40, 40, 0.1), "long": (5_000, 1_000, 15, 1000, 0.03)}
FOLDS, PATIENCE = 5, 50


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--case", choices=CASES, action="append")
    parser.add_argument("--way", default="", help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.way:
        print(json.dumps(WAYS[given.way]((QUICK if given.quick else CASES)[given.case[0]], given.file)))
        return
    print(f"{_cores()} processors; loads of the machine before: {os.getloadavg()[0]:.1f}")
    for case in given.case or CASES:
        rows, test, columns, trees, rate = (QUICK if given.quick else CASES)[case]
        print(f"{case}: {rows:,} x {columns}, {test:,} test rows, at most {trees} trees at {rate}")
        found: dict[str, list[dict]] = {way: [] for way in WAYS if way != "make"}
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "table.npy"
            _measured(given, case, "make", file)  # in a process of its own: its peak memory is nobody's
            for _ in range(given.repeats):
                for way in found:
                    found[way].append(_measured(given, case, way, file))
        best = {way: min(ones, key=lambda one: one["seconds"]) for way, ones in found.items()}
        for way, one in best.items():
            print(f"  {way:>18}: {one['seconds']:6.1f} s, {one['cpu']:6.1f} s of processor, {one['mb']:5,.0f} MB, rounds {one['rounds']}, "
                  f"OOF AUC {one['auc']:.6f}, test AUC {one['test_auc']:.6f}")
        kk = best["kk"]
        for way, one in best.items():
            if way != "kk":
                print(f"  kk / {way}: {kk['seconds'] / one['seconds']:.2f} of the seconds, {kk['cpu'] / one['cpu']:.2f} of the processor's, "
                      f"{kk['mb'] / one['mb']:.2f} of the memory, AUC {kk['auc'] - one['auc']:+.6f}")


def _measured(given: argparse.Namespace, case: str, way: str, file: Path) -> dict:
    command = [sys.executable, __file__, "--way", way, "--file", str(file), "--case", case, *(["--quick"] if given.quick else [])]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _make(case: tuple, file: Path) -> dict:
    """Write the table: features, target last."""
    rows, test, columns, *_ = case
    random = np.random.default_rng(7)
    X = random.normal(size=(rows + test, columns))
    signal = X[:, :10] @ np.linspace(0.6, 0.1, 10) + 0.5 * X[:, 0] * X[:, 11] + 0.4 * np.abs(X[:, 12])
    y = signal + 1.5 * random.normal(size=len(X)) > 0.3
    np.save(file, np.asfortranarray(np.column_stack([X, y])))
    return {}


def _tables(case: tuple, file: Path) -> tuple:
    """Features of train and test as frames, targets of both, fold of each row."""
    import pandas as pd

    table, rows = np.load(file, mmap_mode="r"), case[0]
    X, X_test = (pd.DataFrame(np.asfortranarray(part), copy=False).add_prefix("f") for part in (table[:rows, :-1], table[rows:, :-1]))
    y = table[:, -1].astype(np.int64)
    return X, X_test, y[:rows], y[rows:], np.random.default_rng(7).permutation(rows) % FOLDS


def _params(case: tuple) -> dict:
    return {"learning_rate": case[4], "num_leaves": 31, "feature_fraction": 0.8, "bagging_fraction": 0.8, "bagging_freq": 1, "lambda_l2": 1.0}


def _loop(case: tuple, file: Path, threads: int = 0) -> dict:
    import lightgbm

    X, X_test, y, y_test, fold = _tables(case, file)
    start = _start()
    oof, test, rounds = np.empty(len(X)), np.zeros(len(X_test)), []
    for number in range(FOLDS):
        train, valid = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        model = lightgbm.LGBMClassifier(n_estimators=case[3], n_jobs=threads or _cores(), random_state=0, verbosity=-1, **_params(case))
        model.fit(X.iloc[train], y[train], eval_set=[(X.iloc[valid], y[valid])], callbacks=[lightgbm.early_stopping(PATIENCE, verbose=False)])
        oof[valid] = model.predict_proba(X.iloc[valid])[:, 1]
        test += model.predict_proba(X_test)[:, 1] / FOLDS
        rounds.append(int(model.best_iteration_ or case[3]))
    return _end(start, oof, test, y, y_test, rounds)


def _loop_in_one_thread(case: tuple, file: Path) -> dict:
    return _loop(case, file, threads=1)


def _kk(case: tuple, file: Path) -> dict:
    for library in ("lightgbm", "skrub"):  # all ways begin with their libraries loaded
        importlib.import_module(library)

    from kagglekit.fold import Data
    from kagglekit.folds import from_assignment
    from kagglekit.metrics import check_metric
    from kagglekit.models.family import Problem, check_model
    from kagglekit.work.clock import Clock
    from kagglekit.work.fit import Checkpoints, Plan, fit
    from kagglekit.work.score import average

    X, X_test, y, y_test, fold = _tables(case, file)
    model = check_model("lgbm")
    folds = from_assignment("bench", fold.astype(np.int16), "", len(X))
    data = Data(X=X, y=y, target=y, X_test=X_test, classes=(0, 1))
    plan = Plan(model, Problem("binary", (0, 1), check_metric("auc")), {**_params(case), "max_rounds": case[3], "patience": PATIENCE}, folds,
                tuple(folds.keys), (0,), np.ones(len(X), dtype=bool), False)
    start = _start()
    fitted = fit(plan, data, Clock(), Checkpoints(None))
    oof = average(folds, fitted.parts, plan.used, 1)
    return _end(start, oof, fitted.test, y, y_test, fitted.rounds["per_fold"])


def _start() -> tuple[float, float, float]:
    return time.perf_counter(), time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _end(start: tuple, oof: np.ndarray, test: np.ndarray, y: np.ndarray, y_test: np.ndarray, rounds: list[int]) -> dict:
    from kagglekit.metrics import auc

    seconds, cpu, peak = (after - before for after, before in zip(_start(), start, strict=True))
    return {"seconds": seconds, "cpu": cpu, "mb": peak, "auc": auc(y, oof), "test_auc": auc(y_test, test), "rounds": rounds}


WAYS = {"make": _make, "loop": _loop, "loop in one thread": _loop_in_one_thread, "kk": _kk}

if __name__ == "__main__":
    main()
