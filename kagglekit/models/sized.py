"""An estimator that is made when its rows are seen: how many neighbours, whether there are enough rows to stop early by."""

from collections.abc import Callable

import numpy as np

Array = np.ndarray


class Sized:
    """The estimator that `make(X, y)` gives for the training rows."""

    def __init__(self, make: Callable[[object, Array], object]) -> None:
        self._make = make

    def fit(self, X: object, y: Array, sample_weight: Array | None = None) -> "Sized":
        """Make it and fit it."""
        self._fitted = self._make(X, y)
        self._fitted.fit(X, y, **({} if sample_weight is None else {"sample_weight": sample_weight}))
        self.classes_ = getattr(self._fitted, "classes_", None)
        return self

    def predict(self, X: object) -> Array:
        """Values a row."""
        return self._fitted.predict(X)

    def predict_proba(self, X: object) -> Array:
        """Probabilities in the order of `classes_`."""
        return self._fitted.predict_proba(X)
