"""Several targets, several quantiles and grades for families that learn one number or one set of classes: one model for each.

An estimator that learns one target is fitted once a column (EachTarget); a whole family is called once a part (Adapted).
"""

import copy
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from kagglekit.errors import KKError
from kagglekit.fold import Data, Fold
from kagglekit.models.ordinal import grades
from kagglekit.models.problem import Problem

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
    native = _takes_several(estimator) and not problem.loss.power
    return EachTarget(estimator, problem.classifies) if problem.targets and not native else estimator


def _takes_several(estimator: object) -> bool:
    tags = getattr(estimator, "__sklearn_tags__", None)
    return getattr(estimator, "takes_several", False) or (tags is not None and bool(tags().target_tags.multi_output))


class EachTarget:
    """One copy of an estimator for each column of y; a column that holds one value only is that value.

    `classes_` and predict_proba are lists, one entry a column, as scikit-learn's own multi-output classifiers have them.
    """

    def __init__(self, estimator: object, classifies: bool) -> None:
        self._estimator, self._classifies = estimator, classifies

    def fit(self, X: object, y: Array, sample_weight: Array | None = None) -> "EachTarget":
        """Fit all columns; weights are rows x columns."""
        self._fitted: list = []
        for place, column in enumerate(np.asarray(y).T):
            weights = {} if sample_weight is None else {"sample_weight": sample_weight[:, place]}
            self._fitted.append((copy.deepcopy(self._estimator) if np.ptp(column) else self._constant()).fit(X, column, **weights))
        self.classes_ = [getattr(one, "classes_", None) for one in self._fitted]
        return self

    def predict(self, X: object) -> Array:
        """Values: rows x targets."""
        return np.column_stack([one.predict(X) for one in self._fitted])

    def predict_proba(self, X: object) -> list[Array]:
        """Probabilities of the values of each target."""
        return [one.predict_proba(X) for one in self._fitted]

    def _constant(self) -> object:
        from sklearn.dummy import DummyClassifier, DummyRegressor

        return DummyClassifier() if self._classifies else DummyRegressor()


@dataclass(frozen=True, slots=True)
class Part:
    """One of the models that an answer is made of: what it learns, and how its data is got from the whole."""

    problem: Problem
    target: int = -1  # the column of the targets, -1: the one target as it is
    classes: tuple[object, ...] = ()

    def data(self, data: Data) -> Data:
        """The competition's data with this part's target."""
        if self.target < 0:
            return replace(data, target=data.target.astype(np.float64), classes=self.classes)
        return replace(data, y=data.y[:, self.target], target=self._column(data.target), classes=self.classes)

    def fold(self, fold: Fold) -> Fold:
        """The fold with this part's target; features fitted inside it are made once for all parts."""
        view = fold.view
        if view is not None:
            y = view.y if self.target < 0 else view.y[:, self.target]
            view = replace(view, y=y, target=view.target.astype(np.float64) if self.target < 0 else self._column(view.target))
        return Fold(fold.repeat, fold.fold, fold.train, fold.valid, self.data(fold.data), view)

    def _column(self, target: Array) -> Array:
        return target[:, self.target].astype(np.int64 if self.classes else np.float64)


def parts_of(problem: Problem, takes_several: bool) -> tuple[Part, ...]:
    """The models that a family is called for; empty where it learns the problem as it is."""
    if problem.ordinal:
        return (Part(problem.grades()),)
    if problem.targets and not takes_several:
        one = problem.one_target()
        return tuple(Part(one, place, one.classes) for place in range(len(problem.targets)))
    return tuple(Part(problem.one_quantile(quantile)) for quantile in problem.quantiles)


def joined(problem: Problem, values: Sequence[Array], others: Sequence[Array], target: Array) -> Array:
    """The parts' predictions side by side: targets, quantiles in rising order, or grades (`others`: predictions of more rows)."""
    if problem.ordinal:
        return grades(values[0], others[0], target, len(problem.classes))
    table = np.column_stack(values)
    return np.sort(table, axis=1) if problem.quantiles and list(problem.quantiles) == sorted(problem.quantiles) else table


class AdaptedFit:
    """fit_predict of a family, called for each part of a problem that it does not learn as a whole."""

    def __init__(self, function: Callable, takes_several: bool) -> None:
        self._function, self._several = function, takes_several

    def __call__(self, problem: Problem, params: Mapping, seed: int, fold: Fold, clock: object) -> tuple[Array, Array]:
        """Predictions of the validated and the test rows."""
        parts = parts_of(problem, self._several)
        if not parts:
            return self._function(problem, params, seed, fold, clock)
        answers = [self._one(part, params, seed, part.fold(fold), clock) for part in parts]
        valid, test = [one for one, _ in answers], [other for _, other in answers]
        target = fold.target_train
        said = joined(problem, valid, test, target) if len(fold.valid) else np.empty((0, problem.width))
        return said, joined(problem, test, valid, target)

    def _one(self, part: Part, params: Mapping, seed: int, fold: Fold, clock: object) -> tuple[Array, Array]:
        target = fold.target_train
        if len(target) and np.ptp(target) == 0:  # one value: libraries stumble over that
            return np.full(len(fold.valid), float(target[0])), np.full(len(fold.X_test), float(target[0]))
        return self._function(part.problem, params, seed, fold, clock)


class AdaptedStage:
    """The stage function of a family, called for each part. It has `prepare` where the family's own has it."""

    def __init__(self, function: Callable, takes_several: bool) -> None:
        self._function, self._several = function, takes_several

    def __call__(self, problem: Problem, params: Mapping, seed: int, fold: Fold, clock: object, saved: str = "") -> object:
        """The stage of one fold."""
        parts = parts_of(problem, self._several)
        if not parts:
            return self._function(problem, params, seed, fold, clock, saved)
        return Stages(problem, [(part, self._function) for part in parts], params, seed, fold, clock, saved)

    def __getattr__(self, name: str) -> object:
        if name == "prepare" and hasattr(self._function, "prepare"):
            return self._prepare
        raise AttributeError(name)

    def _prepare(self, problem: Problem, params: Mapping, data: Data, used: Array, clock: object, *, folds: int, threads: int) -> object:
        make, parts = self._function.prepare, parts_of(problem, self._several)
        if not parts:
            return make(problem, params, data, used, clock, folds=folds, threads=threads)
        first = make(parts[0].problem, params, parts[0].data(data), used, clock, folds=folds, threads=threads)
        again = getattr(first, "relearning", None)
        rest = [again(part.problem, part.data(data)) if again else
                make(part.problem, params, part.data(data), used, clock, folds=folds, threads=threads) for part in parts[1:]]
        return PreparedParts(problem, parts, [first, *rest])


class PreparedParts:
    """What folds share, for each part; the family's `relearning(problem, data)` gives the same for another target, where it has it."""

    def __init__(self, problem: Problem, parts: Sequence[Part], prepared: Sequence) -> None:
        self._problem, self._makers = problem, list(zip(parts, prepared, strict=True))
        self.workers, self.shared, self.quiet = prepared[0].workers, prepared[0].shared, prepared[0].quiet

    def __call__(self, problem: Problem, params: Mapping, seed: int, fold: Fold, clock: object, saved: str = "") -> "Stages":
        """The stage of one fold."""
        return Stages(self._problem, self._makers, params, seed, fold, clock, saved)


class Stages:
    """A stage for each part, grown together. Its curve is the mean of the parts' losses, each relative to its first round."""

    def __init__(self, problem: Problem, makers: Sequence[tuple[Part, Callable]], params: Mapping, seed: int, fold: Fold, clock: object,
                 saved: str) -> None:
        self._problem, self._fold = problem, fold
        kept = json.loads(saved) if saved else [""] * len(makers)
        self._stages = []
        for (part, make), text in zip(makers, kept, strict=True):
            own = part.fold(fold)
            flat = len(own.target_train) > 0 and np.ptp(own.target_train) == 0
            self._stages.append(Flat(own, text) if flat else make(part.problem, params, seed, own, clock, text))

    @property
    def curve(self) -> list[float]:
        """Loss on the validated rows after each round."""
        if len(self._stages) == 1:
            return self._stages[0].curve
        parts = [list(stage.curve) for stage in self._stages]
        shortest = min(map(len, parts))  # while they grow, some stand a few rounds ahead
        curves = np.array([part[:shortest] for part in parts], dtype=np.float64).reshape(len(parts), -1)
        if not curves.size:
            return []
        first = np.abs(curves[:, :1])
        return (curves / np.where(first > 0, first, 1.0)).mean(axis=0).tolist()

    def advance(self, rounds: int) -> None:
        """Grow each to `rounds` in all."""
        for stage in self._stages:
            stage.advance(rounds)

    def predict(self, rounds: int, test_rounds: int | None = None) -> tuple[Array, Array | None]:
        """Predictions of the validated rows after `rounds` and of the test rows after `test_rounds` (None: as many; 0: None is given)."""
        wanted = test_rounds if test_rounds != 0 or not self._problem.ordinal else None
        answers = [stage.predict(rounds, wanted) for stage in self._stages]
        valid, test, target = [one for one, _ in answers], [other for _, other in answers], self._fold.target_train
        others = [np.empty(0)] * len(valid) if test[0] is None else test
        said = joined(self._problem, valid, others, target) if len(self._fold.valid) else np.empty((0, self._problem.width))
        return said, joined(self._problem, test, valid, target) if test_rounds != 0 else None

    def dump(self) -> str:
        """All stages as text."""
        return json.dumps([stage.dump() for stage in self._stages])


class Flat:
    """The stage of a target that holds one value in all training rows: it says that value."""

    def __init__(self, fold: Fold, saved: str) -> None:
        self._fold, self.curve = fold, json.loads(saved) if saved else []

    def advance(self, rounds: int) -> None:
        """Grow to `rounds` in all."""
        self.curve += [0.0] * (rounds - len(self.curve))

    def predict(self, rounds: int, test_rounds: int | None = None) -> tuple[Array, Array | None]:
        """The value, for each row."""
        value = float(self._fold.target_train[0])
        return np.full(len(self._fold.valid), value), None if test_rounds == 0 else np.full(len(self._fold.X_test), value)

    def dump(self) -> str:
        """Its curve as text."""
        return json.dumps(self.curve)
