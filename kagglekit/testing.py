"""Contract checks for plug-in authors: what a metric, splitter, model or blender must hold, as plain assertions."""

import contextlib
from collections.abc import Iterator

import numpy as np
import pandas as pd

from kagglekit.blenders import Blender
from kagglekit.folds import Data, Fold, from_assignment
from kagglekit.metrics import Metric, check_metric
from kagglekit.models.family import Model, Problem, merged
from kagglekit.splitters import Splitter

Array = np.ndarray


class NoClock:
    """A clock that measures nothing."""

    @contextlib.contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Do nothing around the block."""
        yield


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
    y = random.integers(0, 4 if metric.name == "qwk" else 2, rows)
    if metric.needs == "label":
        return y, y, np.where(random.uniform(size=rows) < 0.8, y, random.permutation(y))
    return y, y.astype(float), np.clip(y * 0.5 + random.uniform(0, 0.5, rows), 0.01, 0.99)


def check_metric_part(metric: Metric) -> None:
    """Perfect is best, row order is nothing, every name resolves, the best constant beats other constants."""
    y, perfect, good = example(metric)
    order = np.random.default_rng(1).permutation(len(y))
    assert metric.sign * metric(y, perfect) >= metric.sign * metric(y, good)
    assert np.isclose(metric(y, good), metric(y[order], good[order]))
    for name in (metric.name, *metric.kaggle_names):
        assert check_metric(name).name == metric.name
    if metric.constant is not None:
        best = metric.constant(y)
        mine = metric.sign * metric(y, np.tile(best, (len(y), *(1,) * np.ndim(best))))
        for other in (y[:20] if metric.needs in ("value", "label") else np.linspace(0.05, 0.95, 10)):
            shape = np.array([other, (1 - other) / 2, (1 - other) / 2]) if metric.classes == "multiclass" else other
            assert mine >= metric.sign * metric(y, np.tile(shape, (len(y), *(1,) * np.ndim(shape)))) - 1e-9


def check_splitter_part(splitter: Splitter, rows: int = 120, n: int = 4, seed: int = 0) -> None:
    """Same seed, same bytes; no row twice; no group in two folds; nothing trains on the future."""
    random = np.random.default_rng(seed)
    given = {"y": random.integers(0, 2, rows), "groups": random.integers(0, rows // 4, rows), "time": random.permutation(rows).astype(float)}
    arrays = [given[need] for need in splitter.needs]
    first, again = np.asarray(splitter(*arrays, n=n, seed=seed)), np.asarray(splitter(*arrays, n=n, seed=seed))
    assert first.tobytes() == again.tobytes()
    folds = from_assignment("checked", first, "ids", rows, rule=splitter.rule, order=given["time"])
    assert len(folds) == n and min(folds.sizes) > 0
    for fold in folds:
        assert not set(fold.train) & set(fold.valid)
        if "groups" in splitter.needs:
            assert not set(given["groups"][fold.train]) & set(given["groups"][fold.valid])
        if splitter.rule == "before":
            assert given["time"][fold.train].max() < given["time"][fold.valid].min()


def small_problem(task: str, rows: int = 150, seed: int = 0) -> tuple[Problem, Data]:
    """A small mixed table (numbers, a category, dates, gaps) with a target of that task."""
    random = np.random.default_rng(seed)
    total = rows + 40
    x = random.normal(size=total)
    table = pd.DataFrame({"x": x, "gap": np.where(random.uniform(size=total) < 0.2, np.nan, random.normal(size=total)),
                          "colour": random.choice(["red", "green", "blue"], total), "flag": random.integers(0, 2, total),
                          "day": pd.Timestamp("2025-01-01") + pd.to_timedelta(random.integers(0, 300, total), unit="D")})
    table.loc[::9, "colour"] = None
    if task == "regression":
        y = 3 * x + 10 + random.normal(size=total)
        classes: tuple[object, ...] = ()
    else:
        y = np.digitize(x + 0.3 * random.normal(size=total), [0.0] if task == "binary" else [-0.5, 0.5])
        classes = tuple(range(2 if task == "binary" else 3))
    metric = {"binary": "logloss", "multiclass": "mlogloss", "regression": "rmse"}[task]
    data = Data(X=table.iloc[:rows], y=y[:rows], target=y[:rows], X_test=table.iloc[rows:], classes=classes)
    return Problem(task, classes, check_metric(metric)), data


def check_model_part(model: Model, task: str) -> None:
    """Predictions have the right shape, are finite, come again byte for byte, and know more than a coin."""
    problem, data = small_problem(task)
    rows = np.arange(len(data.y))
    fold = Fold(0, 0, rows[rows % 3 != 0], rows[rows % 3 == 0], data)
    params = merged(model.name, {model.rounds: 30} if model.rounds else {}, model.rounds)

    def fitted() -> tuple[Array, Array]:
        if model.stage:
            stage = model.stage(problem, params, 0, fold, NoClock())
            stage.advance(30)
            return stage.predict(30)
        return model.fit_predict(problem, params, 0, fold, NoClock())

    valid, test = fitted()
    width = (len(data.classes),) if task == "multiclass" else ()
    assert valid.shape == (len(fold.valid), *width) and test.shape == (len(data.X_test), *width)
    assert np.isfinite(valid).all() and np.isfinite(test).all()
    if task == "multiclass":
        assert np.allclose(valid.sum(axis=1), 1, atol=1e-5)
    again = fitted()
    assert valid.tobytes() == again[0].tobytes() and test.tobytes() == again[1].tobytes()
    best = problem.metric.constant(data.target[fold.train])
    constant = np.tile(best, (len(fold.valid), *(1,) * np.ndim(best)))
    truth = data.target[fold.valid]
    # One deep tree is surer than it should be, which log loss punishes below the constant: it need only rank better than chance.
    here, there = problem.metric(truth, valid), problem.metric(truth, constant)
    assert problem.metric.sign * (here - there) >= -1e-6 or (problem.classifies and model.name == "tree")


def check_blender_part(blender: Blender, seed: int = 0) -> None:
    """Weights are shares; permuting models permutes them."""
    random = np.random.default_rng(seed)
    y = random.normal(size=400)
    oof = np.stack([y + spread * random.normal(size=400) for spread in (0.5, 1.0, 2.0)])
    metric = check_metric("rmse")
    weights = np.asarray(blender.function(y, oof, metric))
    assert weights.shape == (3,) and (weights >= 0).all() and np.isclose(weights.sum(), 1)
    order = np.array([2, 0, 1])
    assert np.allclose(np.asarray(blender.function(y, oof[order], metric)), weights[order])
