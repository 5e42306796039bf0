"""A search over LightGBM's parameters: kk against the loop that people write; and what pruning saves and loses, by rule.

    python benchmarks/tune.py [--quick] [--case short|middle|long] [--trials 10] [--pruning]

The loop: Optuna, an LGBMClassifier for each fold with early_stopping(50) on the validated rows, StratifiedKFold, the mean AUC. kk: one table
binned for all trials and folds, rounds by the other folds, predictions kept for the optimism, trials in SQLite. Both get the same
parameters in the same order and prune nothing. short and middle: 40,000 x 60 and at most 30 and 60 trees, where making Datasets counts.
long: 20,000 x 30 with hundreds of trees, where training is all there is. kk keeps the boosters of all folds until their rounds are chosen,
which takes memory. Every way is a process of its own: seconds, processor seconds, peak memory above the table's. Ratios below 1 mean that kk
is faster or smaller.

--pruning: fold scores of 60 random trials on real tables (scikit-learn's, and a generated one), put in many orders: the folds that each rule
saves, how often the best trial is lost, and what the best of those left is behind it, in standard deviations of the trials' scores.
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
import warnings
from pathlib import Path
from types import SimpleNamespace

import numpy as np

# rows, columns, most trees
CASES = {"short": (40_000, 60, 30), "middle": (40_000, 60, 60), "long": (20_000, 30, 1000)}
QUICK = {"short": (8_000, 40, 20), "middle": (8_000, 40, 40), "long": (3_000, 15, 400)}
FOLDS, PATIENCE, ORDERS, CONFIGS = 5, 50, 100, 60
SPACE = {"learning_rate": (0.03, 0.3), "num_leaves": (8, 128), "min_data_in_leaf": (5, 200), "feature_fraction": (0.3, 1.0),
         "lambda_l2": (0.001, 10.0)}
USUAL = {"learning_rate": 0.1, "num_leaves": 31, "min_data_in_leaf": 20, "feature_fraction": 0.8, "bagging_fraction": 0.8, "bagging_freq": 1,
         "lambda_l2": 1.0}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--case", choices=CASES, action="append")
    parser.add_argument("--trials", type=int, default=10)
    parser.add_argument("--pruning", action="store_true")
    parser.add_argument("--way", default="", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.way:
        print(json.dumps(WAYS[given.way]((QUICK if given.quick else CASES)[given.case[0]], given.trials)))
    elif given.pruning:
        _pruning(given.quick)
    else:
        _speed(given)


def _speed(given: argparse.Namespace) -> None:
    print(f"load of the machine before: {os.getloadavg()[0]:.1f}")
    for case in given.case or CASES:
        rows, columns, trees = (QUICK if given.quick else CASES)[case]
        print(f"{case}: {rows:,} x {columns}, at most {trees} trees, {given.trials} trials and the defaults, {FOLDS} folds, one thread each")
        found = {}
        for way in WAYS:
            command = [sys.executable, __file__, "--way", way, "--case", case, "--trials", str(given.trials), *(["--quick"] if given.quick else [])]
            ran = subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
            found[way] = json.loads(ran.stdout)
            one = found[way]
            print(f"  {way:>5}: {one['seconds']:6.1f} s, {one['cpu']:6.1f} s of processor, {one['mb']:5,.0f} MB, best AUC {one['best']:.5f}, "
                  f"defaults {one['first']:.5f}")
        kk, loop = found["kk"], found["loop"]
        cpu = kk["cpu"] / loop["cpu"]
        verdict = "better than the 1.5 times less that was wished" if cpu <= 1 / 1.5 else "WORSE than the 1.5 times less that was wished"
        print(f"  kk / loop: {kk['seconds'] / loop['seconds']:.2f} of the seconds, {cpu:.2f} of the processor's ({1 / cpu:.2f} times less: "
              f"{verdict}), {kk['mb'] / loop['mb']:.2f} of the memory; best AUC {kk['best'] - loop['best']:+.5f}")


def _table(rows: int, columns: int) -> tuple:
    import pandas as pd

    random = np.random.default_rng(7)
    X = random.normal(size=(rows, columns))
    signal = X[:, :10] @ np.linspace(0.6, 0.1, 10) + 0.5 * X[:, 0] * X[:, 11] + 0.4 * np.abs(X[:, 12])
    return pd.DataFrame(X).add_prefix("f"), (signal + 1.5 * random.normal(size=rows) > 0.3).astype(np.int64)


def _draws(number: int, seed: int = 3) -> list[dict]:
    """Parameters at random, those of wide ranges on a log scale."""
    random, found = np.random.default_rng(seed), []
    for _ in range(number):
        one: dict = {}
        for name, (low, high) in SPACE.items():
            value = random.uniform(low, high) if high / low < 5 else float(np.exp(random.uniform(np.log(low), np.log(high))))
            one[name] = round(value) if isinstance(low, int) else value
        found.append(one)
    return found


def _loop(case: tuple, trials: int) -> dict:
    import lightgbm
    import optuna
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore")  # eval_set is called deprecated, and is what people write
    X, y = _table(*case[:2])
    start = _start()

    def objective(trial: optuna.Trial) -> float:
        params = {**USUAL, **{name: trial.suggest_int(name, *edges) if isinstance(edges[0], int) else trial.suggest_float(name, *edges)
                              for name, edges in SPACE.items()}}
        scores = []
        for train, valid in StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(X, y):
            model = lightgbm.LGBMClassifier(n_estimators=case[2], n_jobs=1, random_state=0, verbosity=-1, **params)
            model.fit(X.iloc[train], y[train], eval_set=[(X.iloc[valid], y[valid])], callbacks=[lightgbm.early_stopping(PATIENCE, verbose=False)])
            scores.append(roc_auc_score(y[valid], model.predict_proba(X.iloc[valid])[:, 1]))
        return float(np.mean(scores))

    study = optuna.create_study(direction="maximize")
    for params in [{name: USUAL[name] for name in SPACE}, *_draws(trials)]:
        study.enqueue_trial(params)
    study.optimize(objective, n_trials=trials + 1)
    return _end(start, [trial.value for trial in study.trials])


def _kk(case: tuple, trials: int) -> dict:
    for library in ("lightgbm", "skrub", "sqlalchemy", "alembic", "sklearn.metrics", "sklearn.model_selection", "optuna"):
        importlib.import_module(library)  # both begin with their libraries loaded

    from kagglekit.work.study import open_study
    from kagglekit.work.time_limit import TimeLimit
    from kagglekit.work.trial import Ground
    from kagglekit.work.tuning import Search, Wish

    X, y = _table(*case[:2])
    plan, data, space = _plan("lgbm", X, y, {**USUAL, "max_rounds": case[2], "patience": PATIENCE})
    start = _start()
    with tempfile.TemporaryDirectory() as folder:
        facts = dict.fromkeys(("competition", "metric", "data", "folds", "sample", "model", "features", "parameters"), "")
        study = open_study(SimpleNamespace(studies=Path(folder) / "tune"), "bench", None, facts, space, plan.params, 1)
        for params in _draws(trials):
            study.optuna.enqueue_trial(params)
        Search(study, Ground(plan, data, _clock()), space, {}, Wish(trials + 1, TimeLimit(None), prune=False)).run()
        return _end(start, [trial.value for trial in study.trials()])


def _plan(model: str, X: object, y: np.ndarray, params: dict) -> tuple:
    """Plan, data and space of a table with stratified folds."""
    from sklearn.model_selection import KFold, StratifiedKFold

    from kagglekit.fold import Data
    from kagglekit.folds import from_assignment
    from kagglekit.metrics import check_metric
    from kagglekit.models.family import Problem, check_model
    from kagglekit.work.plan import Plan
    from kagglekit.work.space import space_of

    binary, fold = len(np.unique(y)) == 2, np.empty(len(y), dtype=np.int16)
    splitter = StratifiedKFold if binary else KFold
    for number, (_, valid) in enumerate(splitter(FOLDS, shuffle=True, random_state=0).split(X, y)):
        fold[valid] = number
    folds = from_assignment("bench", fold, "", len(y))
    data = Data(X=X, y=y, target=y, X_test=X.iloc[:10], classes=(0, 1) if binary else ())  # type: ignore[attr-defined]
    problem = Problem("binary", (0, 1), check_metric("auc")) if binary else Problem("regression", (), check_metric("rmse"))
    plan = Plan(check_model(model), problem, params, folds, tuple(folds.keys), (0,), np.ones(len(y), dtype=bool), False)
    return plan, data, space_of({name: {"low": low, "high": high} for name, (low, high) in SPACE.items()}, {}, "bench")


def _clock() -> object:
    from kagglekit.work.clock import Clock

    return Clock()


def _start() -> tuple[float, float, float]:
    return time.perf_counter(), time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _end(start: tuple, scores: list[float]) -> dict:
    seconds, cpu, peak = (after - before for after, before in zip(_start(), start, strict=True))
    return {"seconds": seconds, "cpu": cpu, "mb": peak, "best": max(scores), "first": scores[0]}


WAYS = {"loop": _loop, "kk": _kk}


# Pruning


def _pruning(quick: bool) -> None:
    for name, (X, y) in _real_tables().items():
        table = _fold_scores(X, y, 20 if quick else CONFIGS)
        final = table.mean(axis=1)
        print(f"{name}: {len(table)} trials, sd of their scores {final.std():.5f}, sd of a gap to the best from fold to fold "
              f"{np.median((table - table[final.argmax()]).std(axis=1)):.5f}")
        for rule in ("none", "median", "quarter", "wilcoxon", "kk 1 %", "kk 5 %", "kk 20 %"):
            found = [_replay(table[np.random.default_rng(order).permutation(len(table))], rule) for order in range(20 if quick else ORDERS)]
            used, lost, behind = np.mean(found, axis=0)
            print(f"  {rule:>9}: {used:4.0%} of the folds, the best trial is lost in {lost:4.0%} of orders, "
                  f"what is left is {behind:.3f} sd behind it")


def _real_tables() -> dict[str, tuple]:
    import pandas as pd
    from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits

    tables = {"generated, AUC": _table(2000, 20)}
    for name, load in (("breast cancer, AUC", load_breast_cancer), ("diabetes, rmse", load_diabetes), ("digits 0-4 or 5-9, AUC", load_digits)):
        X, y = load(return_X_y=True, as_frame=True)
        y = y.to_numpy()
        X = pd.DataFrame(X.to_numpy(), columns=[f"c{number}" for number in range(X.shape[1])])
        tables[name] = X, (y > 4).astype(int) if "digits" in name else y
    return tables


def _fold_scores(X: object, y: np.ndarray, trials: int) -> np.ndarray:
    """trials x folds, higher is better: what each trial is watched by."""
    from kagglekit.work.plan import Checkpoints
    from kagglekit.work.trial import Ground

    plan, data, _ = _plan("lgbm", X, y, {**USUAL, "max_rounds": 300, "patience": 20})
    ground = Ground(plan, data, _clock())
    sign = plan.problem.metric.sign
    return np.array([[sign * one for one in ground.run({**plan.params, **params}, Checkpoints(None), lambda scores: None).early]
                     for params in _draws(trials)])


def _replay(table: np.ndarray, rule: str) -> tuple[float, float, float]:
    """(share of folds, best lost, sd behind) of a search that meets the trials in this order."""
    used, ended = 0, []
    study = _study(rule)
    for scores in table:
        stop = _stops(rule, scores, table, ended, study)
        used += stop
        if stop == len(scores):
            ended.append(scores)
    final = table.mean(axis=1)
    best = max(scores.mean() for scores in ended)
    return used / table.size, float(best < final.max()), float((final.max() - best) / final.std())


def _study(rule: str) -> object:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore")
    pruners = {"median": optuna.pruners.MedianPruner(), "quarter": optuna.pruners.PercentilePruner(25.0),
               "wilcoxon": optuna.pruners.WilcoxonPruner(p_threshold=0.1)}
    return optuna.create_study(direction="maximize", pruner=pruners[rule]) if rule in pruners else None


def _stops(rule: str, scores: np.ndarray, table: np.ndarray, ended: list, study: object) -> int:
    """After how many folds the rule stops a trial: all of them where it does not."""
    if study is not None:
        return _optuna_stops(rule, scores, study)
    if rule == "none" or not ended:
        return len(scores)
    from kagglekit.work.pruning import chance, rival_of

    rival = rival_of(ended, int(np.argmax([one.mean() for one in ended])))
    least = float(rule.split()[1]) / 100
    return next((known for known in range(1, len(scores)) if chance(scores[:known], rival) < least), len(scores))


def _optuna_stops(rule: str, scores: np.ndarray, study: object) -> int:
    trial = study.ask()  # type: ignore[attr-defined]
    for known in range(1, len(scores)):
        # Wilcoxon's compares fold by fold, the others compare means so far.
        trial.report(scores[known - 1] if rule == "wilcoxon" else scores[:known].mean(), known - 1)
        if trial.should_prune():
            study.tell(trial, state=importlib.import_module("optuna").trial.TrialState.PRUNED)  # type: ignore[attr-defined]
            return known
    trial.report(scores[-1] if rule == "wilcoxon" else scores.mean(), len(scores) - 1)
    study.tell(trial, scores.mean())  # type: ignore[attr-defined]
    return len(scores)


if __name__ == "__main__":
    main()
