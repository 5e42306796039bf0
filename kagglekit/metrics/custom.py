"""A metric from whatever a person gives: a name, Kaggle's name, metric.py:score, a function of arrays or of Kaggle's tables."""

import inspect
from collections.abc import Callable
from pathlib import Path

import numpy as np

from kagglekit.errors import KKError
from kagglekit.metrics.base import REGISTRY, Metric
from kagglekit.metrics.kaggle_names import kaggle_metric
from kagglekit.registry import is_path_reference, load_reference, near_names

Array = np.ndarray
OWN = "--metric metric.py:score"
BETTER = {True: "higher is better", False: "lower is better", None: "its direction depends on the competition"}


def check_metric(given: object, greater_is_better: bool | None = None, folder: Path | None = None) -> Metric:
    """The Metric that a name, Kaggle's name, 'metric.py:score' (from here, or from `folder`) or a function stands for.

    A function takes (y, p), or has Kaggle's own signature score(solution, submission, row_id_column_name). Raises KKError for a name
    that is not known, or is known but not built in; it says the direction where it is known.

    >>> check_metric("Root Mean Squared Logarithmic Error").name, check_metric("MAP@12").name
    ('rmsle', 'map@12')
    """
    if isinstance(given, Metric):
        return given
    if callable(given):
        return Metric(name=getattr(given, "__name__", "custom"), function=_as_arrays(given), needs="value", own=True,
                      greater_is_better=direction(given, greater_is_better))
    text = str(given)
    if is_path_reference(text):
        return check_metric(load_reference(text, folder), greater_is_better)
    if text in REGISTRY or REGISTRY.family(text) is not None:
        return REGISTRY.get(text)
    raise _unknown(text)


def _unknown(text: str) -> KKError:
    row = kaggle_metric(text)
    if row is None or row.name == "custom":
        return KKError(f"no metric is called {text!r}", f"{near_names(text, REGISTRY.names())}Built in: {', '.join(REGISTRY.names())}; "
                       f"anything else: {OWN}")
    if row.name in REGISTRY or REGISTRY.family(row.name) is not None:
        return KKError(f"no metric is called {text!r}", f"Did you mean {row.name}? Anything else: {OWN}")
    like = f"; {row.like} puts submissions in the same order" if row.like in REGISTRY else ""
    return KKError(f"{row.name} is not built in ({BETTER[row.greater_is_better]}{like})", f"Give a function of your own: {OWN}")


def takes_tables(function: Callable) -> bool:
    """Whether it has the signature of Kaggle's metric notebooks, score(solution, submission, row_id_column_name)."""
    return list(inspect.signature(function).parameters)[:3] == ["solution", "submission", "row_id_column_name"]


def _as_arrays(function: Callable) -> Callable[[Array, Array], float]:
    """A metric of arrays from one with Kaggle's signature, which takes tables with an id column."""
    if not takes_tables(function):
        return function

    def score(y: Array, p: Array) -> float:
        import pandas as pd

        def table(values: Array) -> "pd.DataFrame":
            columns = np.asarray(values).reshape(len(values), -1)
            return pd.DataFrame({"id": np.arange(len(columns)), **{f"value_{k}" if k else "value": columns[:, k] for k in range(columns.shape[1])}})

        return function(table(y), table(p), "id")

    return score


def direction(function: Callable, greater_is_better: bool | None, do: str = "Set score.greater_is_better = True (or False) in metric.py") -> bool:
    """Whether higher is better: what the function itself says, else what is given; raises KKError where neither does."""
    known = getattr(function, "greater_is_better", greater_is_better)
    if known is None:
        raise KKError(f"the direction of {getattr(function, '__name__', 'the metric')} is not known", do)
    return bool(known)
