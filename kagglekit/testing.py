"""Contract checks for plug-in authors: what a metric, splitter, model or blender must hold, as plain assertions.

Each takes the loose forms that the commands take (a name, a function, "path.py:name"), returns nothing and raises
AssertionError, with what it saw, where the contract is broken. In a test of your own:

    from kagglekit.testing import check_splitter

    def test_my_splitter():
        check_splitter(my_splitter)
"""

import contextlib
import inspect
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from kagglekit import blenders, metrics, splitters
from kagglekit.blenders import Blender
from kagglekit.fold import Data, Fold
from kagglekit.folds import from_assignment
from kagglekit.metrics import Metric
from kagglekit.models import family
from kagglekit.models.family import Model, Problem

Array = np.ndarray
ROUNDS = 30
GAP = 3.0
LABELS = ("low", "middle", "high")


class NoClock:
    """A clock that measures nothing."""

    @contextlib.contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Do nothing around the block."""
        yield


def check_metric(given: Metric | Callable | str) -> None:
    """Nothing beats perfect predictions, row order is nothing, every name resolves, no constant beats the best constant.

    Where the metric has an influence function, it gives one number a row with mean 0.

    >>> check_metric("rmse")
    """
    metric = metrics.check_metric(given)
    y, perfect, good = example(metric)
    order = np.random.default_rng(1).permutation(len(y))
    best, usual, shuffled = metric(y, perfect), metric(y, good), metric(y, good[order])
    assert np.isfinite([best, usual]).all(), f"{metric.name} gives {best} and {usual}"
    assert metric.sign * best >= metric.sign * usual, f"{metric.name}: perfect scores {best}, good {usual}: check the direction"
    assert metric.sign * usual > metric.sign * shuffled, f"{metric.name}: good predictions score {usual}, shuffled {shuffled}"
    assert np.isclose(usual, metric(y[order], good[order])), f"{metric.name} depends on the order of the rows"
    for name in (metric.name, *metric.kaggle_names) if metric.name in metrics.REGISTRY else ():
        assert metrics.check_metric(name).name == metric.name, f"{name!r} is not {metric.name}"
    if metric.constant is not None:
        optimal = np.asarray(metric.constant(y))
        mine = metric(y, _constant(optimal, len(y)))
        for other in _other_constants(metric, y, optimal):
            score = metric(y, _constant(other, len(y)))
            worse = metric.sign * mine < metric.sign * score - 1e-9
            assert not worse, f"{metric.name}: the constant {other} scores {score}, its best one only {mine}"
    if metric.influence is not None:
        influence = np.asarray(metric.influence(y, good))
        assert influence.shape == y.shape, f"{metric.name}: influence has shape {influence.shape} for {y.shape}"
        assert abs(influence.mean()) < 1e-9, f"{metric.name}: influence has mean {influence.mean()}"


def check_splitter(given: splitters.Splitter | Callable | str, rows: int = 120, n: int = 4, seed: int = 0) -> None:
    """Same seed, same bytes; no fold empty; no row twice in a repeat; no group in two folds; nothing trains on the future.

    >>> check_splitter("group")
    """
    splitter = splitters.check_splitter(given)
    random = np.random.default_rng(seed)
    groups, time = random.integers(0, rows // 4, rows), random.permutation(rows).astype(float) // 2
    known = {"y": random.integers(0, 2, rows), "groups": groups, "time": time}
    gap = {"gap": GAP} if splitter.rule == "before" and "gap" in inspect.signature(splitter.function).parameters else {}

    def answer() -> object:
        return splitter(*[known[need].copy() for need in splitter.needs], n=n, seed=seed, **gap)

    first = answer()
    assert _bytes(first) == _bytes(answer()), f"{splitter.name} gives other folds for the same seed"
    folds = from_assignment("checked", first, "ids", rows, rule=splitter.rule, order=time, **gap)
    # Only three arrays (row, repeat, fold) can say that there are more, as in repeats.
    fits = len(folds) >= n if isinstance(first, tuple) else len(folds) == n
    assert fits, f"{splitter.name} gives {len(folds)} folds, not {n}"
    for fold in folds:
        where = f"{splitter.name}, repeat {fold.repeat}, fold {fold.fold}"
        assert len(fold.valid) and len(fold.train), f"{where}: {len(fold.train)} rows train, {len(fold.valid)} are validated"
        assert not set(fold.train) & set(fold.valid), f"{where} trains on rows that it validates"
        shared = set(groups[fold.train]) & set(groups[fold.valid]) if "groups" in splitter.needs else set()
        assert not shared, f"{where}: groups {sorted(shared)[:3]} are on both sides"
        if "time" in splitter.needs:
            late, early = time[fold.train].max(), time[fold.valid].min()
            assert late < early - gap.get("gap", 0.0), f"{where} trains up to {late} and validates from {early}"


def check_model(given: Model | Callable | str, task: str) -> None:
    """Predictions of both parts have the right shape, are finite, come again byte for byte, and are no worse than chance.

    The targets of validated rows have no say in them, and a fold without such rows (the refit on all) works. `task` is binary,
    multiclass or regression. A function fit_predict(fold) gives both parts, (valid, test).

    >>> check_model("linear", "regression")
    """
    model = family.check_model(given)
    problem, data = small_problem(task)
    rows = np.arange(len(data.y))
    fold = Fold(0, 0, rows[rows % 3 != 0], rows[rows % 3 == 0], data)
    valid, test = fitted(model, problem, fold)
    width = (len(data.classes),) if task == "multiclass" else ()
    for part, count in ((valid, len(fold.valid)), (test, len(data.X_test))):
        assert part.shape == (count, *width), f"{model.name} predicts the shape {part.shape}, not {(count, *width)}"
        assert np.isfinite(part).all(), f"{model.name} predicts {(~np.isfinite(part)).sum()} values that are not finite"
        if problem.classifies:
            assert part.min() >= 0 and part.max() <= 1, f"{model.name} predicts probabilities from {part.min()} to {part.max()}"
        if task == "multiclass":
            assert np.allclose(part.sum(axis=1), 1, atol=1e-5), f"{model.name}: probabilities do not add up to 1"
    assert _bytes((valid, test)) == _bytes(fitted(model, problem, fold)), f"{model.name} gives other bytes the second time"
    unseen = Fold(0, 0, fold.train, fold.valid, _other_targets(data, fold.valid))
    assert _bytes((valid, test)) == _bytes(fitted(model, problem, unseen)), f"{model.name} looks at the targets of validated rows"
    _check_chance(model, problem, fold, valid)
    refit = fitted(model, problem, Fold(-1, 0, rows, rows[:0], data))[1]
    assert refit.shape == test.shape and np.isfinite(refit).all(), f"{model.name} cannot be refitted on all rows"


def check_blender(given: Blender | str, seed: int = 0) -> None:
    """Weights are shares, the same ones each time; permuting models permutes them.

    >>> check_blender("mean")
    """
    blender = blenders.REGISTRY.get(given) if isinstance(given, str) else given
    random = np.random.default_rng(seed)
    hidden = random.normal(size=400)
    oof = np.stack([hidden + spread * random.normal(size=400) for spread in (0.5, 1.0, 2.0)])
    for name, y, shown in (("rmse", hidden, oof), ("auc", (hidden > 0).astype(int), 1 / (1 + np.exp(-oof)))):
        metric = metrics.check_metric(name)
        weights = np.asarray(blender.function(y, shown, metric))
        assert weights.shape == (3,), f"{blender.name} gives weights of shape {weights.shape} for 3 models"
        assert (weights >= 0).all() and np.isclose(weights.sum(), 1), f"{blender.name} gives the weights {weights}"
        assert np.array_equal(weights, blender.function(y, shown, metric)), f"{blender.name} gives other weights again"
        for order in ([2, 0, 1], [1, 0, 2]):
            again = np.asarray(blender.function(y, shown[order], metric))
            assert np.allclose(again, weights[order]), f"{blender.name}: permuted models weigh {again}, not {weights[order]}"


def example(metric: Metric, rows: int = 200, seed: int = 0) -> tuple[Array, Array, Array]:
    """(truth, perfect predictions, good predictions) in the form that a metric takes."""
    random = np.random.default_rng(seed)
    if metric.needs == "value":
        y = random.gamma(2.0, 2.0, rows)
        return y, y, y * random.uniform(0.8, 1.2, rows)
    if metric.classes == "multiclass":
        y = random.integers(0, 3, rows)
        sure = np.eye(3)[y]
        return y, sure, (sure + random.dirichlet(np.ones(3), rows)) / 2
    y = random.integers(0, 2 if metric.classes == "binary" or metric.needs != "label" else 4, rows)
    if metric.needs == "label":
        return y, y, np.where(random.uniform(size=rows) < 0.8, y, random.permutation(y))
    return y, y.astype(float), np.clip(y * 0.4 + random.uniform(0, 0.6, rows), 0.01, 0.99)


def small_problem(task: str, rows: int = 150, seed: int = 0) -> tuple[Problem, Data]:
    """A small mixed table (numbers, categories, dates, gaps; one category only in test) with a target of that task."""
    random = np.random.default_rng(seed)
    total = rows + 40
    x = random.normal(size=total)
    table = pd.DataFrame({"x": x, "gap": np.where(random.uniform(size=total) < 0.2, np.nan, random.normal(size=total)),
                          "colour": random.choice(["red", "green", "blue"], total), "flag": random.integers(0, 2, total),
                          "day": pd.Timestamp("2025-01-01") + pd.to_timedelta(random.integers(0, 300, total), unit="D")})
    table.loc[::9, "colour"] = None
    table.loc[rows::7, "colour"] = "violet"
    if task == "regression":
        target = 3 * x + 10 + random.normal(size=total)
        labels, classes = target, ()
    else:
        target = np.digitize(x + 0.3 * random.normal(size=total), [0.0] if task == "binary" else [-0.5, 0.5])
        classes = LABELS if task == "multiclass" else (0, 1)
        labels = np.array(classes)[target]
    metric = {"binary": "logloss", "multiclass": "mlogloss", "regression": "rmse"}[task]
    data = Data(X=table.iloc[:rows], y=labels[:rows], target=target[:rows], X_test=table.iloc[rows:].reset_index(drop=True),
                classes=classes)
    return Problem(task, classes, metrics.check_metric(metric)), data


def fitted(model: Model, problem: Problem, fold: Fold) -> tuple[Array, Array]:
    """Predictions of the validated and the test rows with the preset parameters; a model that grows gets 30 rounds."""
    params = family.merged(model.name, {model.rounds: ROUNDS} if model.rounds else {}, model.rounds)
    if model.stage is None:
        return model.fit_predict(problem, params, 0, fold, NoClock())
    stage = model.stage(problem, params, 0, fold, NoClock())
    stage.advance(ROUNDS)
    return stage.predict(ROUNDS)


def _check_chance(model: Model, problem: Problem, fold: Fold, valid: Array) -> None:
    """By hits, not by log loss: one tree grown out is surer than it should be, which log loss would call worse than a coin."""
    truth = fold.data.target[fold.valid]
    if problem.classifies:
        said = valid.argmax(axis=1) if valid.ndim == 2 else (valid > 0.5).astype(int)
        hits, chance = (said == truth).mean(), np.bincount(truth).max() / len(truth)
        # A constant may say the class that is the most frequent one among the training rows only.
        assert hits >= chance - 0.15, f"{model.name} is right in {hits:.0%} of the rows, always the same class in {chance:.0%}"
    else:
        error, chance = np.sqrt(np.mean((truth - valid) ** 2)), truth.std()
        assert error <= 1.15 * chance, f"{model.name} has an RMSE of {error:.3g}, the mean {chance:.3g}"


def _other_targets(data: Data, rows: Array) -> Data:
    target, y = data.target.copy(), data.y.copy()
    target[rows] = (target[rows] + 1) % len(data.classes) if data.classes else -5 * target[rows] - 100
    y[rows] = np.array(data.classes)[target[rows]] if data.classes else target[rows]
    return replace(data, target=target, y=y)


def _constant(value: Array, rows: int) -> Array:
    return np.tile(value, (rows, *(1,) * np.ndim(value)))


def _other_constants(metric: Metric, y: Array, optimal: Array) -> list[Array]:
    """Constants near the best one and far from it, twenty of each where there are so many."""
    random = np.random.default_rng(2)
    if metric.needs == "label":
        return list(np.unique(y))
    if metric.needs == "value":
        return [*(optimal * random.uniform(0.9, 1.1, 20)), *random.choice(y, 20)]
    far = random.dirichlet(np.ones(3), 20) if optimal.ndim else random.uniform(0.02, 0.98, 20)
    return [*(0.95 * optimal + 0.05 * far), *far]


def _bytes(answer: object) -> list[bytes]:
    return [np.asarray(part).tobytes() for part in (answer if isinstance(answer, tuple) else (answer,))]
