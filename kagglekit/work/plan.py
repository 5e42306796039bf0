"""Plan and Fitted: what is to be fitted, what came of it, and the finished pieces that outlive a kill."""

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from kagglekit.errors import KKError
from kagglekit.fold import Data, Fold
from kagglekit.folds import Folds
from kagglekit.models.family import Model, Problem
from kagglekit.store import write_bytes
from kagglekit.work.doubts import no_probabilities

Array = np.ndarray
Key = tuple[int, int]
PROBABILITIES = "Return predict_proba, not predict or decision_function; scores become probabilities by scipy.special.expit or softmax"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be fitted: a model with parameters and seeds, on these folds (or one of them), on the rows marked in `used`."""

    model: Model
    problem: Problem
    params: Mapping[str, object]
    folds: Folds
    keys: tuple[Key, ...]
    seeds: tuple[int, ...]
    used: Array
    refit: bool

    def fold(self, data: Data, key: Key) -> Fold:
        """The fold of that repeat and number, on the rows in use."""
        whole = self.folds.one(*key)
        return Fold(*key, whole.train[self.used[whole.train]], whole.valid[self.used[whole.valid]], data)

    def whole(self, data: Data) -> Fold:
        """All rows in use as one training set, nothing validated."""
        return Fold(-1, -1, np.flatnonzero(self.used), np.empty(0, dtype=np.int64), data)

    def spread_out(self, key: Key, values: Array) -> Array:
        """Predictions of a fold's rows in use as those of all that it validates, NaN elsewhere."""
        valid = self.folds.one(*key).valid
        full = np.full((len(valid), *values.shape[1:]), np.nan)
        full[self.used[valid]] = values
        return full


@dataclass(slots=True)
class Fitted:
    """Predictions of the validated rows by (repeat, fold), of the test rows, the rounds that were used, and what folds shared."""

    parts: dict[Key, Array] = field(default_factory=dict)
    test: Array | None = None
    rounds: dict[str, object] = field(default_factory=dict)
    shared: tuple[str, ...] = ()


class Checkpoints:
    """Finished pieces of a run in its hidden folder; each is whole or not there. None keeps nothing."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder

    def count(self) -> int:
        """How many folds are finished."""
        return len(list(self.folder.glob("fold-*.npz"))) if self.folder else 0

    def load(self, name: str) -> dict[str, Array] | None:
        """What was saved under `name`, or None."""
        path = self.folder / f"{name}.npz" if self.folder else None
        if path is None or not path.exists():
            return None
        with np.load(path, allow_pickle=False) as archive:
            return {key: archive[key] for key in archive.files}

    def save(self, name: str, **arrays: Array) -> None:
        """Keep arrays under `name`."""
        if self.folder is None:
            return
        buffer = io.BytesIO()
        np.savez(buffer, **arrays)
        write_bytes(self.folder / f"{name}.npz", buffer.getvalue())

    def clear(self) -> None:
        """Remove all pieces."""
        if self.folder is None or not self.folder.exists():
            return
        for path in self.folder.glob("*"):
            path.unlink()
        self.folder.rmdir()


def checked(values: Array, rows: int, plan: Plan, where: str) -> Array:
    """Predictions of a model as float64 in the expected shape, finite, and probabilities where it must be, or a KKError that says what is wrong."""
    given = np.asarray(values, dtype=np.float64)
    values = _shaped(given, rows, plan, where)
    if not np.isfinite(values).all():
        row = int(np.flatnonzero(~np.isfinite(values.reshape(rows, -1)).all(axis=1))[0])
        raise KKError(f"{plan.model.name} predicts NaN or infinity for {where}, first in its row {row}",
                      "Fill missing values inside the model")
    odd = no_probabilities(given if given.shape == (rows, 2) and plan.problem.task == "binary" else values, plan.problem)
    if odd and not values.any():
        raise KKError(f"{plan.model.name} predicts 0 for every row of {where}", "Return the predictions that you made, one probability a class")
    if odd:
        raise KKError(f"the predictions of {plan.model.name} for {where} {odd}", PROBABILITIES)
    return values


def checked_test(values: Array, rows: int, plan: Plan, where: str) -> Array:
    """As `checked`, for test rows: predictions that are all NaN mean that there are none."""
    values = np.asarray(values, dtype=np.float64)
    if np.isnan(values).all():
        return np.full((rows, *_shape(plan.problem)), np.nan)
    return checked(values, rows, plan, f"the test rows of {where}")


def _shaped(values: Array, rows: int, plan: Plan, where: str) -> Array:
    if plan.problem.task == "binary" and values.ndim == 2 and values.shape[1] == 2:
        values = values[:, 1]
    expected = (rows, *_shape(plan.problem))
    if values.shape == (rows, 1) and len(expected) == 1:
        values = values[:, 0]
    if values.shape != expected:
        raise KKError(f"{plan.model.name} gave predictions of the shape {values.shape} for {where}, expected {expected}",
                      "Return one value a row (of several classes or targets: one column each, in the order of competition.toml)")
    return values


def _shape(problem: Problem) -> tuple[int, ...]:
    return (problem.width,) if problem.width > 1 or problem.targets else ()


def check_folds(plan: Plan, data: Data) -> None:
    """Raise KKError where a fold has no row to train on or to validate, trains on one class, or validates one where the metric needs both."""
    for key in plan.keys:
        fold = plan.folds.one(*key)
        for verb, rows in (("trains on", fold.train), ("validates", fold.valid)):
            target = data.target[rows[plan.used[rows]]]
            if not len(target):
                raise KKError(f"fold {key[1]} of {plan.folds.name} {verb} none of the rows in use", "Use more rows (--sample) or other folds: kk cv")
            if plan.problem.classifies and target.ndim == 1 and (verb == "trains on" or plan.problem.metric.needs == "rank"):
                _check_classes(plan, f"fold {key[1]} of {plan.folds.name} {verb}", target)


def _check_classes(plan: Plan, what: str, target: Array) -> None:
    if target.min() == target.max():
        raise KKError(f"{what} one class only: all {len(target)} rows are {plan.problem.classes[int(target[0])]!r}",
                      "Deal the classes evenly: kk cv --split stratified (or stratified-group), or use more rows")
