"""Nearest neighbours on scaled numbers: means, class shares or quantiles of the nearest training rows."""

import numpy as np

from kagglekit.errors import KKError
from kagglekit.models.family import family, unknown_parameter
from kagglekit.models.presets import whole
from kagglekit.models.problem import Problem

Array = np.ndarray
KNOWN = ["n_neighbors", "weights"]
FEW_COLUMNS = 8  # up to which a tree of the rows finds neighbours faster than looking at all of them
BLOCK = 4096     # rows that are answered at once


class Nearest:
    """The mean (or a quantile) of the y of the nearest rows; near ones weigh more with `weights` = distance."""

    takes_several = True

    def __init__(self, problem: Problem, neighbours: int, weights: str) -> None:
        self._problem, self._neighbours, self._by_distance = problem, neighbours, weights == "distance"

    def fit(self, X: Array, y: Array, sample_weight: Array | None = None) -> "Nearest":
        """Keep the rows; y is rows, or rows x targets."""
        from sklearn.neighbors import NearestNeighbors

        method = "kd_tree" if X.shape[1] <= FEW_COLUMNS else "brute"
        self._index = NearestNeighbors(n_neighbors=min(self._neighbours, len(X)), algorithm=method).fit(X)
        self._given = sample_weight
        self.classes_ = [np.array([0, 1])] * y.shape[1] if y.ndim == 2 else np.unique(y)
        several = self._problem.classifies and y.ndim == 1
        self._y = (y[:, None] == self.classes_).astype(np.float64) if several else np.asarray(y, dtype=np.float64).reshape(len(y), -1)
        self._flat = y.ndim == 1 and not several
        return self

    def predict(self, X: Array) -> Array:
        """Values: rows, or rows x targets."""
        said = self._said(X)
        return said[:, 0] if self._flat else said

    def predict_proba(self, X: Array) -> Array | list[Array]:
        """Class shares; of several labels a list of rows x (not, is)."""
        said = self._said(X)
        return [np.column_stack([1 - one, one]) for one in said.T] if isinstance(self.classes_, list) else said

    def _said(self, X: Array) -> Array:
        parts = [self._block(X[start:start + BLOCK]) for start in range(0, len(X), BLOCK)]
        return np.concatenate(parts) if parts else np.empty((0, self._y.shape[1]))

    def _block(self, X: Array) -> Array:
        far, near = self._index.kneighbors(X)
        weights = 1 / (far + 1e-9 + 1e-3 * far.mean()) if self._by_distance else np.ones_like(far)
        weights = weights if self._given is None else weights * np.maximum(self._given.reshape(len(self._given), -1)[near].mean(axis=2), 1e-12)
        loss = self._problem.loss
        if loss.is_quantile:
            return np.stack([_quantile(self._y[near, place], weights, loss.quantile) for place in range(self._y.shape[1])], axis=1)
        said = np.einsum("rk,rkt->rt", weights / weights.sum(axis=1, keepdims=True), self._y[near])
        return np.clip(said, 0.0, 1.0) if self._problem.classifies else said


def _quantile(values: Array, weights: Array, quantile: float) -> Array:
    """The weighted quantile of each row."""
    order = np.argsort(values, axis=1, kind="stable")
    values, weights = np.take_along_axis(values, order, axis=1), np.take_along_axis(weights, order, axis=1)
    total = np.cumsum(weights, axis=1)
    place = (total < quantile * total[:, -1:] * (1 - 1e-12)).sum(axis=1)
    return np.take_along_axis(values, np.minimum(place, values.shape[1] - 1)[:, None], axis=1)[:, 0]


@family("knn", encoding="numbers", renames={"k": "n_neighbors", "neighbors": "n_neighbors"})
def knn(problem: Problem, params: dict, seed: int) -> object:
    """Nearest neighbours in the encoded columns; fewer rows than neighbours: all rows."""
    for key in params:
        if key not in KNOWN:
            raise unknown_parameter("knn", key, KNOWN)
    weights = params.get("weights", "distance")
    if weights not in ("distance", "uniform"):
        raise KKError(f"knn: weights = {weights!r}", "Write distance or uniform")
    return Nearest(problem, whole("n_neighbors", params.get("n_neighbors", 25)), weights)
