"""A person's own models: a function of a fold, an estimator, or one of these in a file of theirs."""

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from kagglekit.errors import KKError
from kagglekit.fold import Fold
from kagglekit.models import presets
from kagglekit.models.family import Model, check_model, estimating, unknown_parameter
from kagglekit.models.problem import Problem
from kagglekit.registry import is_path_reference, load_reference, loading_from

Array = np.ndarray
ANSWER = "Return valid, test (or valid alone): one prediction a row of fold.X_valid and fold.X_test"


def from_file(given: str, folder: Path | None) -> Model:
    """The model that path.py:name stands for; what it imports while it runs is looked for beside the file, too."""
    from dataclasses import replace

    model = check_model(load_reference(given, folder))
    path = Path(given.rpartition(":")[0])
    path = path if path.exists() or folder is None else folder / path
    name = _free(given.rpartition(":")[2]) if model.name in ("estimator", "my-estimator", "<lambda>") else model.name
    return replace(model, name=name, fit_predict=_beside(path.parent, model.fit_predict)) if model.code else model


def _beside(folder: Path, function: Callable) -> Callable:
    def fit_predict(*args: object) -> object:
        with loading_from(folder):
            return function(*args)

    return fit_predict


def from_estimator(estimator: object) -> Model:
    """An estimator: encoded as numbers, fitted inside each fold with the seed as its random_state where that is left open."""

    def build(problem: Problem, params: dict, seed: int) -> object:
        from sklearn.base import clone

        try:
            fresh = clone(estimator)
        except TypeError:  # no scikit-learn estimator: it has fit and predict and nothing else
            import copy

            fresh = copy.deepcopy(estimator)
        known = fresh.get_params() if hasattr(fresh, "get_params") else {}
        for key in params:
            if key not in known:
                raise unknown_parameter(type(estimator).__name__, key, sorted(known))
        open_ = {key: seed for key, value in known.items() if (key == "random_state" or key.endswith("__random_state")) and value is None}
        return fresh.set_params(**{**open_, **params}) if known else fresh

    name = type(estimator).__name__.lower()
    return Model(name=_free(name), fit_predict=estimating(name, build, "numbers"), code=repr(estimator), seeded=_has_seed(estimator))


def _has_seed(estimator: object) -> bool:
    known = estimator.get_params() if hasattr(estimator, "get_params") else {}
    return any((key == "random_state" or key.endswith("__random_state")) and value is None for key, value in known.items())


def from_function(function: Callable) -> Model:
    """fit_predict(fold) of a person's own, which may also take seed= and parameters of --set by their names."""
    name = getattr(function, "__name__", type(function).__name__)
    takes = _keywords(function, name)

    def fit_predict(problem: Problem, params: Mapping, seed: int, fold: Fold, clock: object) -> tuple[Array, Array]:
        given = dict(params)
        for key in given:
            if takes is not None and key not in takes:
                raise KKError(f"{name} takes no {key!r}", f"Add it: def {name}(fold, {key}={given[key]!r}), or leave --set {key} out")
        if (takes is None or "seed" in takes) and "seed" not in given:
            given["seed"] = seed
        with clock.stage("fit"):
            answer = function(fold, **given)
        return _answer(answer, fold, name)

    return Model(name=_free(name), fit_predict=fit_predict, code=_source(function), seeded=takes is None or "seed" in takes)


def _keywords(function: Callable, name: str) -> tuple[str, ...] | None:
    """Names that a function takes beside the fold; None: any. Raises KKError where it cannot be called with a fold."""
    try:
        known = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return ()
    first = next((one for one in known if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD, one.VAR_POSITIONAL)), None)
    rest = [one for one in known if one is not first]
    needed = [one.name for one in rest if one.default is one.empty and one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD) and one.name != "seed"]
    if first is None or needed:
        takes = f"takes {', '.join(one.name for one in known)}" if known else "takes nothing"
        raise KKError(f"{name} {takes}; it is called with a fold", f"Write def {name}(fold): fold.X_train, fold.y_train, fold.X_valid, fold.X_test")
    if any(one.kind is one.VAR_KEYWORD for one in rest):
        return None
    return tuple(one.name for one in rest if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY))


def _answer(answer: object, fold: Fold, name: str) -> tuple[Array, Array]:
    """(valid, test) of what a function gave; the values are checked, not believed."""
    if answer is None:
        raise KKError(f"{name} gives nothing (None)", ANSWER)
    if isinstance(answer, tuple) and len(answer) != 2:
        raise KKError(f"{name} gives {len(answer)} things", ANSWER)
    valid, test = answer if isinstance(answer, tuple) else (answer, None)
    return _numbers(valid, name, "valid"), np.full(len(fold.X_test), np.nan) if test is None else _numbers(test, name, "test")


def _numbers(values: object, name: str, what: str) -> Array:
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        shown = " ".join(repr(values).split())[:60]
        raise KKError(f"{name} gives {what} = {shown}, which is no array of numbers", f"{ANSWER} (of classes their probabilities)") from error


def _free(name: str) -> str:
    """A name that no family or preset has: its defaults would be taken for the person's model."""
    return f"my-{name}" if presets.defaults(name) or name in presets.known() or is_path_reference(name) else name


def _source(function: Callable) -> str:
    try:
        return inspect.getsource(function)
    except (OSError, TypeError):
        return getattr(function, "__name__", repr(type(function)))
