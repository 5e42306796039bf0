"""Random forest: many deep trees on resampled rows."""

from collections.abc import Callable

from kagglekit.models.family import built, family
from kagglekit.models.presets import whole
from kagglekit.models.problem import Problem
from kagglekit.models.quantiles import ForestQuantile
from kagglekit.models.tree import told


@family("forest", encoding="trees", tells=told)
def forest(problem: Problem, params: dict, seed: int) -> object:
    """A random forest on all cores."""
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    return trees("forest", RandomForestClassifier if problem.classifies else RandomForestRegressor, problem, params, seed)


def trees(name: str, kind: Callable, problem: Problem, params: dict, seed: int) -> object:
    """A forest of that class; one that says quantiles where the metric wants these."""
    if "n_estimators" in params:
        params["n_estimators"] = whole("n_estimators", params["n_estimators"])
    made = built(name, kind, {"n_jobs": -1, **params}, random_state=seed)
    return ForestQuantile(made, problem.loss.quantile, seed) if problem.loss.is_quantile else made
