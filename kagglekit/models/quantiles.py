"""Quantiles by group, and estimators that learn a quantile: linear ones, and trees and forests by what their leaves hold."""

import numpy as np

Array = np.ndarray
STEPS, CLOSE = 60, 1e-6


def quantile_by_group(codes: Array, values: Array, groups: int, quantile: float, weights: Array | None = None) -> Array:
    """float64[groups]: the (weighted) quantile of the values of each group, one of them; NaN for a group without rows. One sort.

    >>> quantile_by_group(np.array([0, 0, 0, 1]), np.array([1.0, 9.0, 2.0, 5.0]), 3, 0.5).tolist()
    [2.0, 5.0, nan]
    """
    order = np.lexsort((values, codes))
    heavy = np.ones(len(codes)) if weights is None else weights[order]
    sizes = np.bincount(codes, minlength=groups)
    ends = np.cumsum(sizes)
    total = np.concatenate([[0.0], np.cumsum(heavy)])
    before, whole = total[ends - sizes], total[ends] - total[ends - sizes]
    place = np.searchsorted(total[1:], before + quantile * whole * (1 - 1e-12), side="left")
    place = np.clip(place, ends - sizes, np.maximum(ends - 1, 0))
    return np.where(sizes > 0, values[order][np.minimum(place, len(values) - 1)], np.nan)


class QuantileRidge:
    """A linear quantile with a ridge penalty, by majorising the loss with squares (Hunter & Lange 2000)."""

    def __init__(self, quantile: float, alpha: float) -> None:
        self._quantile, self._alpha = quantile, alpha

    def fit(self, X: Array, y: Array, sample_weight: Array | None = None) -> "QuantileRidge":
        """Fit; columns have mean 0 and variance 1."""
        whole = np.column_stack([X, np.ones(len(X))])
        given = np.ones(len(y)) if sample_weight is None else sample_weight
        rest = np.zeros(whole.shape[1])
        rest[-1] = np.quantile(y, self._quantile)
        spread = max(float(np.mean(np.abs(y - rest[-1]))), 1e-12)
        penalty = np.full(whole.shape[1], self._alpha / spread)
        penalty[-1] = 1e-12
        tilt = (2 * self._quantile - 1) * (whole * given[:, None]).sum(axis=0)
        for _ in range(STEPS):
            weights = given / (np.abs(y - whole @ rest) + 1e-3 * spread)
            scaled = whole * weights[:, None]
            found = np.linalg.solve(whole.T @ scaled + np.diag(penalty + 1e-10 * weights.sum()), scaled.T @ y + tilt)
            moved, rest = np.abs(found - rest).max(), found
            if moved < CLOSE * spread:
                break
        self._rest = rest
        return self

    def predict(self, X: Array) -> Array:
        """Values a row."""
        return X @ self._rest[:-1] + self._rest[-1]


class LeafQuantile:
    """One tree that is grown on squared error and says a quantile of its leaf's rows."""

    def __init__(self, tree: object, quantile: float) -> None:
        self._tree, self._quantile = tree, quantile

    def fit(self, X: Array, y: Array, sample_weight: Array | None = None) -> "LeafQuantile":
        """Fit the tree, then its leaves."""
        self._tree.fit(X, y, sample_weight=sample_weight)
        self._said = quantile_by_group(self._tree.apply(X), y, self._tree.tree_.node_count, self._quantile, sample_weight)
        return self

    def predict(self, X: Array) -> Array:
        """Values a row."""
        return self._said[self._tree.apply(X)]


class ForestQuantile:
    """A forest that is grown on squared error and says a quantile of what its leaves hold: one training row of each leaf, drawn by weight,
    stands for it (Meinshausen 2006 keeps all; one is what the R packages quantregForest and ranger keep)."""

    def __init__(self, forest: object, quantile: float, seed: int) -> None:
        self._forest, self._quantile, self._seed = forest, quantile, seed
        self.n_jobs = forest.n_jobs

    def fit(self, X: Array, y: Array, sample_weight: Array | None = None) -> "ForestQuantile":
        """Fit the forest, then draw a row for each leaf."""
        self._forest.fit(X, y, sample_weight=sample_weight)
        random, leaves = np.random.default_rng(self._seed), self._forest.apply(X)
        weights = np.ones(len(y)) if sample_weight is None else np.maximum(sample_weight, 1e-300)
        self._said = []
        for place, tree in enumerate(self._forest.estimators_):
            order = np.argsort(np.log(random.random(len(y))) / weights, kind="stable")  # the heaviest come last, and win
            said = np.zeros(tree.tree_.node_count)
            said[leaves[order, place]] = y[order]
            self._said.append(said)
        return self

    def predict(self, X: Array) -> Array:
        """Values a row."""
        leaves = self._forest.apply(X)
        return np.quantile(np.column_stack([said[leaves[:, place]] for place, said in enumerate(self._said)]), self._quantile, axis=1)
