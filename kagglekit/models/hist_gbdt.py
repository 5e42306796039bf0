"""scikit-learn's boosted trees on histograms; the rounds of a fold are chosen by a tenth of its own training rows."""

import numpy as np

from kagglekit.models.family import built, family
from kagglekit.models.presets import whole
from kagglekit.models.problem import Problem
from kagglekit.models.sized import Sized

Array = np.ndarray
ENOUGH, A_CLASS = 500, 20  # rows, and rows of each class, from which a tenth says when to stop
SHORT = 100                # most rounds where no part can be spared


@family("hist-gbdt", encoding="trees", renames={"n_estimators": "max_iter"})
def hist_gbdt(problem: Problem, params: dict, seed: int) -> object:
    """HistGradientBoosting on the loss that the metric asks for."""
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    fixed = "early_stopping" in params
    rounds = whole("max_iter", params.pop("max_iter", 400))
    kind = HistGradientBoostingClassifier if problem.classifies else HistGradientBoostingRegressor
    loss = {} if problem.classifies else {"absolute": {"loss": "absolute_error"}, "squared": {"loss": "squared_error"}}.get(
        problem.loss.kind, {"loss": "quantile", "quantile": problem.loss.quantile})
    params = {"n_iter_no_change": 20, **loss, **params}
    built("hist-gbdt", kind, params, ("max_iter",), random_state=seed, max_iter=rounds)

    def make(X: object, y: Array) -> object:
        enough = len(y) >= ENOUGH and (not problem.classifies or np.unique(y, return_counts=True)[1].min() >= A_CLASS)
        most = rounds if fixed or enough else min(rounds, SHORT)
        return built("hist-gbdt", kind, {"early_stopping": bool(enough), **params}, random_state=seed, max_iter=most)

    return Boosted(make)


class Boosted(Sized):
    """Columns that are gaps in all training rows are taken as 0: the library cannot bin them."""

    def fit(self, X: Array, y: Array, sample_weight: Array | None = None) -> "Boosted":
        """Fit."""
        super().fit(np.where(np.isnan(X).all(axis=0), np.float32(0), X), y, sample_weight)
        return self
