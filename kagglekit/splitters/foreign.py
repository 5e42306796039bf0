"""check_splitter: names, functions, path.py:function and scikit-learn's splitters become a Splitter."""

import copy
import functools
import inspect
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from kagglekit.errors import KKError
from kagglekit.registry import is_path_reference, load_reference
from kagglekit.splitters.base import NEEDS, REGISTRY, Explicit, Splitter
from kagglekit.splitters.looks import MOST_FOLDS, check_n

Array = np.ndarray


def check_splitter(given: object) -> Splitter:
    """The Splitter that a name, a function, 'path.py:function' or an object with scikit-learn's `split` stands for.

    A function needs those of y, groups, time, likeness and column that its parameters are called, else y as the first. It may have an
    attribute `rule`; without one, a function of time is validated by what came before. A scikit-learn splitter keeps its own number
    of folds and its own training rows. Raises KKError for anything else.

    >>> check_splitter(lambda groups, n=5, seed=0: groups % n).needs
    ('groups',)
    """
    if isinstance(given, Splitter):
        return given
    if isinstance(given, type):
        raise KKError(f"{given.__name__} is a class", f"Give one made of it: {given.__name__}()")
    if hasattr(given, "split") and hasattr(given, "get_n_splits"):
        return _of_sklearn(given)
    if callable(given):
        return _of_function(given)
    if not isinstance(given, str):
        raise KKError(f"{given!r} is no splitter", "Give a name, a function, path.py:function or a scikit-learn splitter")
    if is_path_reference(given):
        return check_splitter(load_reference(given))
    return REGISTRY.get(given)


def _of_function(function: Callable) -> Splitter:
    parameters = inspect.signature(function).parameters
    needs = tuple(need for need in NEEDS if need in parameters)
    rule = getattr(function, "rule", "before" if "time" in needs else "rest")
    name = getattr(function, "__name__", type(function).__name__)

    @functools.wraps(function)
    def by_name(*given: Array, **params: object) -> object:
        return function(**dict(zip(needs, given, strict=True)), **params)

    return Splitter(name=name, function=by_name if needs else function, needs=needs or ("y",), rule=rule)


def _of_sklearn(given: object) -> Splitter:
    name, needs = type(given).__name__, ("y", "groups") if _needs_groups(given) else ("y",)

    def split(*arrays: Array, n: int = 5, seed: int = 0) -> object:
        known = dict(zip(needs, arrays, strict=True))
        try:
            return _answer(_pairs(given, known, seed), len(known["y"]), name)
        except (ValueError, TypeError, IndexError) as error:
            raise KKError(f"{name} cannot split these {len(known['y'])} rows: {error}", "Change its options, or choose another: kk cv") from error

    return Splitter(name=name, function=split, needs=needs, counted=False)


def _needs_groups(given: object) -> bool:
    """Whether scikit-learn's metadata routing, or else the name, says that `split` takes groups."""
    try:
        wanted = given.get_metadata_routing().split.requests.get("groups")
    except AttributeError:
        wanted = None
    consumes = any(base.__name__ == "GroupsConsumerMixin" for base in type(given).__mro__)
    return wanted is True or consumes or "Group" in type(given).__name__


def _pairs(given: object, known: dict[str, Array], seed: int) -> Iterator[tuple[Array, Array]]:
    """The (train, valid) pairs of a copy that starts anew, with `seed` where it would draw another one each time."""
    fresh, rows = copy.deepcopy(given), len(known["y"])
    if getattr(fresh, "random_state", 0) is None:
        fresh.random_state = seed
    parameters = inspect.signature(fresh.split).parameters
    taken = {key: values for key, values in known.items() if key in parameters}
    for train, valid in fresh.split(np.zeros((rows, 1), dtype=np.int8), **taken):
        yield _numbers(train, rows), _numbers(valid, rows)


def _numbers(rows: object, count: int) -> Array:
    """Sorted row numbers, also where a mask was given."""
    rows = np.asarray(rows)
    return np.flatnonzero(rows) if rows.dtype == bool and len(rows) == count else np.unique(rows.astype(np.int64))


def _answer(pairs: Iterable[tuple[Array, Array]], rows: int, name: str) -> object:
    """The pairs as a fold of each row, as three arrays, or with their training rows where one has others than the rest.

    A new repeat begins where a row comes a second time. Training rows that are the rest are not kept: leave-one-out has rows x rows.
    """
    lines, trains, seen, repeat, fold = [], [], np.zeros(rows, dtype=bool), 0, 0
    for train, valid in pairs:
        if not len(valid):
            raise KKError(f"{name} validates no row in fold {fold}", "Change its options, or choose another: kk cv")
        if seen[valid].any():
            seen[:], repeat, fold = False, repeat + 1, 0
        seen[valid] = True
        lines.append((valid, np.full(len(valid), repeat), np.full(len(valid), fold)))
        trains.append(None if _is_rest(train, valid, rows) else train)
        fold += 1
        check_n(fold, MOST_FOLDS, "that are numbered", least=1)
    if not lines:
        raise KKError(f"{name} gives no fold", "Change its options, or choose another: kk cv")
    row, repeats, folds = (np.concatenate(part) for part in zip(*lines, strict=True))
    if any(train is not None for train in trains):
        known = (np.setdiff1d(np.arange(rows), line[0]) if train is None else train for line, train in zip(lines, trains, strict=True))
        return Explicit(row, repeats, folds, tuple(known))
    if repeat:
        return row, repeats, folds
    vector = np.full(rows, -1, dtype=np.int16)
    vector[row] = folds
    return vector


def _is_rest(train: Array, valid: Array, rows: int) -> bool:
    if len(train) + len(valid) != rows:
        return False
    mask = np.zeros(rows, dtype=bool)
    mask[train] = mask[valid] = True
    return bool(mask.all())
