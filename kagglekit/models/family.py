"""Model families: what a family is, how loose forms become one, and how a fold's predictions are made from it."""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from kagglekit.competition import find_workspace
from kagglekit.errors import KKError
from kagglekit.fold import Fold
from kagglekit.metrics import Metric
from kagglekit.registry import Registry, is_path_reference, load_reference, near_names

Array = np.ndarray


@dataclass(frozen=True, slots=True)
class Problem:
    """What is to be learnt: task (binary, multiclass, multilabel, regression), classes in order, the metric that judges, and targets.

    `targets` names the columns of y where there are several (of 0 and 1 when the task is multilabel); it is empty for one.
    """

    task: str
    classes: tuple[object, ...]
    metric: Metric
    targets: tuple[str, ...] = ()

    @property
    def classifies(self) -> bool:
        """Whether models give probabilities."""
        return self.task in ("binary", "multiclass", "multilabel")

    @property
    def width(self) -> int:
        """Numbers that models predict for one row: one a class where there are several, one a target where there are several."""
        return len(self.classes) if self.task == "multiclass" else max(len(self.targets), 1)

    def to_scale(self, target: Array) -> Array:
        """The target on the scale that models learn."""
        return np.log1p(np.maximum(target, 0)) if self.metric.trains_on == "log1p" and not self.classifies else target

    def from_scale(self, values: Array) -> Array:
        """Predictions back on the target's scale."""
        return np.maximum(np.expm1(values), 0.0) if self.metric.trains_on == "log1p" and not self.classifies else values

    def predict(self, estimator: object, X: object) -> Array:
        """Probabilities or values from a scikit-learn estimator: rows, or rows x classes in the order of `classes`, or rows x targets."""
        if not self.classifies:
            return self.from_scale(np.asarray(estimator.predict(X), dtype=np.float64))
        probabilities = estimator.predict_proba(X)
        if self.task == "multilabel":
            return np.column_stack([_of_one(part, known) for part, known in zip(probabilities, estimator.classes_, strict=True)])
        full = np.zeros((len(probabilities), len(self.classes)))
        full[:, np.asarray(estimator.classes_, dtype=np.int64)] = probabilities
        return full[:, 1] if self.task == "binary" else full


def _of_one(probabilities: Array, known: Array) -> Array:
    """Probability of 1 from those of the values that were seen in training; of 0 alone it is nothing."""
    ones = np.flatnonzero(np.asarray(known) == 1)
    return np.asarray(probabilities)[:, ones[0]] if len(ones) else np.zeros(len(probabilities))


class Staged(Protocol):
    """A model that grows in rounds: `curve` holds its loss on the validated rows after each."""

    curve: list[float]

    def advance(self, rounds: int) -> None: ...

    def predict(self, rounds: int, test_rounds: int | None = None) -> tuple[Array, Array | None]: ...

    def dump(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Model:
    """A model as the fitting code sees it.

    One of the two is set: fit_predict(problem, params, seed, fold, clock) -> (valid, test), or
    stage(problem, params, seed, fold, clock, saved) -> Staged. `rounds` names the parameter that fixes the rounds of a staged model.
    """

    name: str
    fit_predict: Callable[..., tuple[Array, Array]] | None = None
    stage: Callable[..., Staged] | None = None
    rounds: str = ""
    code: str = ""


def _make(name: str, function: Callable, encoding: str = "", staged: bool = False, rounds: str = "") -> Model:
    if staged:
        return Model(name=name, stage=function, rounds=rounds)
    return Model(name=name, fit_predict=_estimating(function, encoding) if encoding else function)


REGISTRY: Registry[Model] = Registry("model", make=_make, home="kagglekit.models", group="kagglekit.models")
family = REGISTRY.register


def _estimating(build: Callable, encoding: str) -> Callable[..., tuple[Array, Array]]:
    """fit_predict of a family that only builds a scikit-learn estimator: encoded and fitted inside the fold."""

    def fit_predict(problem: Problem, params: Mapping, seed: int, fold: Fold, clock: object) -> tuple[Array, Array]:
        from kagglekit.models.encoders import encoded
        from kagglekit.models.several import for_targets

        estimator = for_targets(build(problem, dict(params), seed), problem)
        parts = encoded(fold, encoding, clock)
        with clock.stage("fit"):
            estimator.fit(parts.train, problem.to_scale(fold.target_train))
        if getattr(estimator, "n_jobs", None):
            estimator.n_jobs = 1  # threads add up a forest's trees in any order: the last bits would differ from run to run
        with clock.stage("predict"):
            valid = problem.predict(estimator, parts.valid) if len(fold.valid) else np.empty(0)
            return valid, problem.predict(estimator, parts.test)

    return fit_predict


def check_model(given: object, folder: Path | None = None) -> Model:
    """The Model that a name, 'path.py:name', a fit_predict function or a scikit-learn estimator stands for."""
    if isinstance(given, Model):
        return given
    if isinstance(given, str):
        if is_path_reference(given):
            loaded = load_reference(given, folder)
            return _named(check_model(loaded), given.rpartition(":")[2])
        return REGISTRY.get(given)
    if isinstance(given, type):
        raise KKError(f"{given.__name__} is a class", f"Pass an instance: {given.__name__}()")
    if hasattr(given, "fit") and hasattr(given, "predict"):
        return _from_estimator(given)
    if callable(given):
        return Model(name=given.__name__, fit_predict=_from_function(given), code=_source(given))
    raise KKError(f"{given!r} is no model", f"Give a name ({', '.join(REGISTRY.names())}) or models/mine.py:fit_predict")


def _named(model: Model, name: str) -> Model:
    from dataclasses import replace

    return replace(model, name=name if model.name in ("estimator", "<lambda>") else model.name)


def _from_estimator(estimator: object) -> Model:
    def build(problem: Problem, params: dict, seed: int) -> object:
        from sklearn.base import clone

        fresh = clone(estimator)
        return fresh.set_params(**params) if params else fresh

    return Model(name=type(estimator).__name__.lower(), fit_predict=_estimating(build, "numbers"), code=repr(estimator))


def _from_function(function: Callable) -> Callable[..., tuple[Array, Array]]:
    """A person's fit_predict(fold) gives (valid, test) or valid alone; the values are checked, not believed."""

    def fit_predict(problem: Problem, params: Mapping, seed: int, fold: Fold, clock: object) -> tuple[Array, Array]:
        with clock.stage("fit"):
            answer = function(fold)
        valid, test = answer if isinstance(answer, tuple) else (answer, np.full(len(fold.X_test), np.nan))
        return np.asarray(valid, dtype=np.float64), np.asarray(test, dtype=np.float64)

    return fit_predict


def _source(function: Callable) -> str:
    import inspect

    try:
        return inspect.getsource(function)
    except (OSError, TypeError):
        return function.__name__


def presets(name: str) -> dict[str, object]:
    """Default parameters of a model: [defaults] of configs/<name>.toml in the workspace, else of the one shipped with the product."""
    shipped = Path(__file__).resolve().parent.parent
    places = [shipped / "configs", shipped.parent / "configs"]
    workspace = find_workspace()
    for folder in ([workspace / "configs"] if workspace else []) + places:
        path = folder / f"{name}.toml"
        if path.exists():
            try:
                return dict(tomllib.loads(path.read_text(encoding="utf-8")).get("defaults", {}))
            except tomllib.TOMLDecodeError as error:
                raise KKError(f"{path} cannot be read: {error}", "Mend that line") from error
    return {}


def merged(name: str, given: Mapping[str, object], rounds: str = "") -> dict[str, object]:
    """Presets with the given parameters over them; a parameter that is unknown to the presets must be known to the model."""
    params = presets(name)
    if rounds and rounds not in given:
        params.pop(rounds, None)
    return {**params, **given}


def unknown_parameter(name: str, error: Exception, given: Mapping[str, object]) -> KKError:
    """What a person should know when a model refuses a parameter."""
    wrong = next((key for key in given if key in str(error)), "")
    known = sorted(presets(name))
    return KKError(f"{name} does not take the parameter {wrong!r}" if wrong else f"{name} refuses its parameters: {error}",
                   f"{near_names(wrong, known)}Presets: {', '.join(known)}")
