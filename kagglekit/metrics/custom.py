"""A metric from whatever a person gives: a name, Kaggle's name, metric.py:score, a function of arrays or of Kaggle's tables."""

import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kagglekit.errors import KKError
from kagglekit.metrics.base import REGISTRY, Metric
from kagglekit.metrics.kaggle_names import kaggle_metric
from kagglekit.registry import is_path_reference, load_reference, near_names

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray
OWN = "--metric metric.py:score"
BETTER = {True: "higher is better", False: "lower is better", None: "its direction depends on the competition"}


def check_metric(given: object, greater_is_better: bool | None = None, folder: Path | None = None, columns: Sequence[str] = ()) -> Metric:
    """The Metric that a name, Kaggle's name, 'metric.py:score' (of `folder`, else from here) or a function stands for.

    A function takes (y, p), or has Kaggle's own signature score(solution, submission, row_id_column_name): its tables are named by
    `columns`, the sample's (the id first; default: id, value, value_1, ...). Raises KKError for a name that is not known, or is known
    but not built in; it says the direction where it is known.

    >>> check_metric("Root Mean Squared Logarithmic Error").name, check_metric("MAP@12").name
    ('rmsle', 'map@12')
    """
    if isinstance(given, Metric):
        return given
    if callable(given):
        return Metric(name=getattr(given, "__name__", "custom"), function=_as_arrays(given, columns), needs="value", own=True,
                      greater_is_better=direction(given, greater_is_better))
    text = str(given)
    if is_path_reference(text):
        return check_metric(load_reference(_nearest(text, folder), folder), greater_is_better, columns=columns)
    if text in REGISTRY or REGISTRY.family(text) is not None:
        return REGISTRY.get(text)
    raise _unknown(text)


def _nearest(text: str, folder: Path | None) -> str:
    """The reference as it is, or that of the file in `folder` where it has one: another of that name may lie here."""
    if folder is None or not (folder / text.rpartition(":")[0]).is_file():
        return text
    path = folder / text
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def _unknown(text: str) -> KKError:
    row = kaggle_metric(text)
    if row is not None and row.name == "custom":
        return KKError(f"{text!r} is a metric of the competition's own, which is not built in", f"Give it as a function: {OWN}")
    if row is None:
        return KKError(f"no metric is called {text!r}", f"{near_names(text, REGISTRY.names())}Built in: {', '.join(REGISTRY.names())}; "
                       f"anything else: {OWN}")
    if row.name in REGISTRY or REGISTRY.family(row.name) is not None:
        return KKError(f"no metric is called {text!r}", f"Did you mean {row.name}? Anything else: {OWN}")
    like = f"; {row.like} puts submissions in the same order" if row.like in REGISTRY else ""
    return KKError(f"{row.name} is not built in ({BETTER[row.greater_is_better]}{like})", f"Give a function of your own: {OWN}")


def takes_tables(function: Callable) -> bool:
    """Whether it has the signature of Kaggle's metric notebooks, score(solution, submission, row_id_column_name)."""
    return list(inspect.signature(function).parameters)[:3] == ["solution", "submission", "row_id_column_name"]


def _as_arrays(function: Callable, columns: Sequence[str]) -> Callable[[Array, Array], float]:
    """A metric of arrays from one with Kaggle's signature, which takes tables with an id column."""
    if not takes_tables(function):
        return function
    ids, *names = columns or ("id",)

    def score(y: Array, p: Array) -> float:
        truth, said = _one_column_a_class(y, p, len(names))
        return function(_table(truth, ids, names), _table(said, ids, names), ids)

    return score


def _one_column_a_class(y: Array, p: Array, width: int) -> tuple[Array, Array]:
    """Class codes and probabilities as a column a class, where a submission has as many columns as there are classes."""
    if width < 2 or y.ndim != 1 or y.dtype.kind not in "iu":
        return y, p
    p = np.column_stack([1 - p, p]) if p.ndim == 1 and width == 2 else p
    return (np.eye(width, dtype=np.int64)[y], p) if p.ndim == 2 and p.shape[1] == width > y.max() else (y, p)


def _table(values: Array, ids: str, names: Sequence[str]) -> "pd.DataFrame":
    import pandas as pd

    columns = values.reshape(len(values), -1)
    if len(names) != columns.shape[1]:
        names = [f"value_{k}" if k else "value" for k in range(columns.shape[1])]
    return pd.DataFrame({ids: np.arange(len(columns)), **{name: columns[:, k] for k, name in enumerate(names)}})


def direction(function: Callable, greater_is_better: bool | None, do: str = "Set score.greater_is_better = True (or False) in metric.py") -> bool:
    """Whether higher is better: what the function itself says, else what is given; raises KKError where neither does."""
    known = getattr(function, "greater_is_better", greater_is_better)
    if known is None:
        raise KKError(f"the direction of {getattr(function, '__name__', 'the metric')} is not known", do)
    return bool(known)
