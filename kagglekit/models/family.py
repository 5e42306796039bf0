"""Model families: what a family is, how loose forms become one, and how a fold's predictions are made from it."""

import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

import numpy as np

from kagglekit.errors import KKError
from kagglekit.fold import Fold
from kagglekit.models.problem import Problem
from kagglekit.models.several import AdaptedFit, AdaptedStage, for_targets
from kagglekit.registry import Registry, is_path_reference, near_names

Array = np.ndarray
Tells = Callable[[Problem], str]
INSTALL = {"lightgbm": "pip install lightgbm", "xgboost": "pip install 'kagglekit[boost]'", "catboost": "pip install 'kagglekit[boost]'",
           "torch": "pip install 'kagglekit[deep]'"}


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
    `needs` are the modules that it imports, `renames` other names of its parameters. `tells(problem)` is how its loss follows the metric
    where that is not as Problem.loss says; `chosen(problem, params, fold)` what it picks on a fold's training rows, in words (or None).
    `code` is the text of a person's own. `seeded` says whether a seed changes anything.
    """

    name: str
    fit_predict: Callable[..., tuple[Array, Array]] | None = None
    stage: Callable[..., Staged] | None = None
    rounds: str = ""
    code: str = ""
    needs: tuple[str, ...] = ()
    renames: Mapping[str, str] = field(default_factory=dict)
    tells: Tells | None = None
    chosen: Callable[[Problem, Mapping, Fold], str] | None = None
    seeded: bool = True

    def is_here(self) -> bool:
        """Whether the libraries that it needs are installed."""
        return not self.missing()

    def missing(self) -> str:
        """The first module that it needs and that is not installed; empty where all are."""
        return next((name for name in self.needs if not _is_installed(name)), "")

    def says(self, problem: Problem) -> str:
        """One sentence on how its loss follows the metric; empty where there is nothing to say.

        >>> from kagglekit.metrics import check_metric
        >>> check_model("lgbm").says(Problem("regression", (), check_metric("rmsle")))
        'trains on log1p of the target, as rmsle judges'
        """
        if self.code:
            return ""
        if problem.ordinal:
            return "trains on squared error of the grades, and cuts them so that each grade is as frequent as in training, as qwk rewards"
        return problem.loss.says if self.tells is None else self.tells(problem)

    def check_seeds(self, seeds: int) -> None:
        """Raise KKError where several seeds would give the same model several times."""
        if seeds > 1 and not self.seeded:
            raise KKError(f"{self.name} takes no seed: {seeds} seeds would train the same model {seeds} times",
                          f"Add it: def {self.name.removeprefix('my-')}(fold, seed=0), or leave --seeds out")


def _is_installed(name: str) -> bool:
    import sys

    try:
        return sys.modules.get(name, name) is not None and importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def _make(name: str, function: Callable, encoding: str = "", staged: bool = False, rounds: str = "", needs: tuple[str, ...] = (),
          several: bool = False, renames: Mapping[str, str] | None = None, tells: Tells | None = None,
          chosen: Callable[[Problem, Mapping, Fold], str] | None = None, whole: bool = False) -> Model:
    """A registered family. `encoding`: the function builds an estimator; `several`: it learns several targets at once.

    `whole` marks a family that takes every problem as it is, grades and several quantiles too.
    """
    facts = {"needs": needs, "renames": renames or {}, "tells": tells, "chosen": chosen}
    if staged:
        stage = function if whole else AdaptedStage(_guarded(name, function, needs), several)
        return Model(name=name, stage=stage, rounds=rounds, **facts)
    fit = estimating(name, function, encoding) if encoding else function
    return Model(name=name, fit_predict=fit if whole else AdaptedFit(_guarded(name, fit, needs), several or bool(encoding)), **facts)


REGISTRY: Registry[Model] = Registry("model", make=_make, home="kagglekit.models", group="kagglekit.models")
family = REGISTRY.register


class _guarded:
    """A family's function that says what to install where a library is missing."""

    def __init__(self, name: str, function: Callable, needs: tuple[str, ...]) -> None:
        self._name, self._function, self._needs = name, function, needs

    def __call__(self, *args: object, **named: object) -> object:
        lacking = next((one for one in self._needs if not _is_installed(one)), "")
        if lacking:
            raise KKError(f"{lacking} is not installed", INSTALL.get(lacking, f"pip install {lacking}"))
        return self._function(*args, **named)

    def __getattr__(self, name: str) -> object:
        if name == "prepare":
            return getattr(self._function, name)
        raise AttributeError(name)


def estimating(name: str, build: Callable, encoding: str) -> Callable[..., tuple[Array, Array]]:
    """fit_predict of a family that only builds a scikit-learn estimator: encoded and fitted inside the fold."""

    def fit_predict(problem: Problem, params: Mapping, seed: int, fold: Fold, clock: object) -> tuple[Array, Array]:
        from kagglekit.models.encoders import encoded

        estimator = for_targets(build(problem, dict(params), seed), problem)
        parts = encoded(fold, encoding, clock)
        with clock.stage("fit"):
            fit_estimator(name, estimator, problem, parts.train, fold.target_train)
        if getattr(estimator, "n_jobs", None):
            estimator.n_jobs = 1  # threads add up a forest's trees in any order: the last bits would differ from run to run
        with clock.stage("predict"):
            valid = problem.predict(estimator, parts.valid) if len(fold.valid) else np.empty(0)
            return valid, problem.predict(estimator, parts.test)

    return fit_predict


def fit_estimator(name: str, estimator: object, problem: Problem, X: object, target: Array) -> None:
    """Fit on the scale and with the weights that the metric asks for; a value that the library refuses is told in its own words."""
    weights = problem.weights(target)
    named = {} if weights is None or not _takes_weights(estimator) else {"sample_weight": weights}
    try:
        estimator.fit(X, problem.to_scale(target), **named)
    except ValueError as error:
        if type(error).__name__ != "InvalidParameterError":
            raise
        raise KKError(f"{name}: {' '.join(str(error).split())}", "Mend that value of --set") from error


def _takes_weights(estimator: object) -> bool:
    import inspect

    inner = getattr(estimator, "_estimator", estimator)
    return "sample_weight" in inspect.signature(inner.fit).parameters


def check_model(given: object, folder: Path | None = None) -> Model:
    """The Model that a name or preset, 'path.py:name', a fit_predict function or a scikit-learn estimator stands for."""
    from kagglekit.models import own, presets

    if isinstance(given, Model):
        return given
    if isinstance(given, str):
        if is_path_reference(given):
            return own.from_file(given, folder)
        if given.endswith(".py") or given.rpartition(":")[0].endswith(".py"):
            raise KKError(f"{given!r} names a file and nothing in it", f"Add :fit_predict, as in {given.rstrip(':').partition(':')[0]}:fit_predict")
        name = presets.proper(given)
        return replace(REGISTRY.get(presets.model_of(name)), name=name)
    if isinstance(given, type):
        raise KKError(f"{given.__name__} is a class", f"Pass an instance: {given.__name__}()")
    if hasattr(given, "fit") and hasattr(given, "predict"):
        return own.from_estimator(given)
    if callable(given):
        return own.from_function(given)
    raise KKError(f"{given!r} is no model", f"Give a name ({', '.join(REGISTRY.names())}) or models/mine.py:fit_predict")


def unknown_parameter(name: str, wrong: str, known: list[str]) -> KKError:
    """What a person should know when a model has no such parameter."""
    shown = ", ".join(known[:12]) + (" ..." if len(known) > 12 else "")
    return KKError(f"{name} has no parameter {wrong!r}", f"{near_names(wrong, known)}It has: {shown}")


def built(name: str, kind: Callable, params: Mapping[str, object], also: tuple[str, ...] = (), **fixed: object) -> object:
    """An estimator of that class; raises KKError, with near names, for a parameter that it does not have or that is set here; `also` are others
    that the family takes.

    >>> from sklearn.linear_model import Ridge
    >>> built("linear", Ridge, {"alpha": 2.0})
    Ridge(alpha=2.0)
    """
    import inspect

    known = sorted(inspect.signature(kind).parameters)
    for key in params:
        if key in fixed:
            raise KKError(f"{name}: {key} is not for --set", "Leave it out" + ": --seeds K trains other seeds" * (key == "random_state"))
        if key not in known:
            raise unknown_parameter(name, key, sorted({*known, *also} - {one for one in fixed if one not in also}))
    return kind(**params, **fixed)
