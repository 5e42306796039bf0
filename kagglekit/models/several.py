"""Several targets: an estimator that learns one is fitted once a column."""

import numpy as np

from kagglekit.errors import KKError
from kagglekit.models.family import Problem

Array = np.ndarray


def for_targets(estimator: object, problem: Problem) -> object:
    """The estimator, or one of it for each target where there are several and it learns one only.

    Raises KKError where probabilities are asked for and it has none.

    >>> from sklearn.linear_model import LogisticRegression
    >>> from kagglekit.metrics import check_metric
    >>> labels = Problem("multilabel", (), check_metric("logloss"), ("wet", "cold"))
    >>> fitted = for_targets(LogisticRegression(), labels).fit(np.array([[0.0], [1.0], [2.0]]), np.array([[0, 0], [1, 0], [1, 0]]))
    >>> labels.predict(fitted, np.array([[5.0]])).round(2).tolist()
    [[0.97, 0.0]]
    """
    if problem.classifies and not hasattr(estimator, "predict_proba"):
        raise KKError(f"{type(estimator).__name__} gives no probabilities (it has no predict_proba)",
                      "Take a classifier that does, or wrap it: CalibratedClassifierCV(...)")
    return EachTarget(estimator) if problem.targets and not _takes_several(estimator) else estimator


def _takes_several(estimator: object) -> bool:
    tags = getattr(estimator, "__sklearn_tags__", None)
    return tags is not None and bool(tags().target_tags.multi_output)


class EachTarget:
    """One clone of an estimator for each column of y; a column that holds one value only is that value.

    `classes_` and predict_proba are lists, one entry a column, as scikit-learn's own multi-output classifiers have them.
    """

    def __init__(self, estimator: object) -> None:
        self._estimator = estimator

    def fit(self, X: object, y: Array) -> "EachTarget":
        """Fit all columns."""
        from sklearn.base import clone

        self._fitted = [clone(self._estimator if np.ptp(column) else self._constant()).fit(X, column) for column in np.asarray(y).T]
        self.classes_ = [getattr(one, "classes_", None) for one in self._fitted]
        return self

    def predict(self, X: object) -> Array:
        """Values: rows x targets."""
        return np.column_stack([one.predict(X) for one in self._fitted])

    def predict_proba(self, X: object) -> list[Array]:
        """Probabilities of the values of each target."""
        return [one.predict_proba(X) for one in self._fitted]

    def _constant(self) -> object:
        from sklearn.base import is_classifier
        from sklearn.dummy import DummyClassifier, DummyRegressor

        return DummyClassifier() if is_classifier(self._estimator) else DummyRegressor()
