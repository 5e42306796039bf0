"""Honest rounds: a fold's number of boosting rounds is chosen by the other folds' mean curve; what is scored has no vote."""

import threading
from collections.abc import Callable, Sequence

import numpy as np

from kagglekit.fold import Fold
from kagglekit.folds import Folds
from kagglekit.models.family import Staged
from kagglekit.splitters import REGISTRY
from kagglekit.work.parallel import Stopped

MAX_ROUNDS, PATIENCE = 3000, 50


def grow(stage: Staged, most: int = MAX_ROUNDS, patience: int = PATIENCE, stop: threading.Event | None = None,
         tick: Callable[[], None] = lambda: None) -> None:
    """Grow until the curve has had no better loss for `patience` rounds; raises Stopped when `stop` is set. `tick` is called each round."""
    best, where = np.inf, -1
    for number, loss in enumerate(stage.curve):
        if loss < best:
            best, where = loss, number
    while len(stage.curve) < most and (where < 0 or len(stage.curve) - 1 - where < patience):
        reach(stage, len(stage.curve) + 1, stop, tick)
        if stage.curve[-1] < best:
            best, where = stage.curve[-1], len(stage.curve) - 1


def reach(stage: Staged, rounds: int, stop: threading.Event | None = None, tick: Callable[[], None] = lambda: None) -> None:
    """Grow to `rounds` in all, round by round so that it can be stopped; `tick` is called after each."""
    while len(stage.curve) < rounds:
        if stop is not None and stop.is_set():
            raise Stopped
        stage.advance(len(stage.curve) + 1)
        tick()


def chosen_rounds(curves: Sequence[Sequence[float]], rule: str, repeats: Sequence[int] | None = None) -> tuple[list[int | None], int]:
    """Rounds for each fold and for the test model, from curves of equal length.

    rest: fold k takes the best round of the mean curve of the other folds of its repeat (`repeats`, one number a fold; the folds of
    other repeats hold its rows); before (time): of the earlier ones. None: there is no such fold, an inner part must tell.

    >>> chosen_rounds([[3, 1, 2], [3, 2, 1], [3, 2, 1]], "rest")
    ([3, 2, 2], 3)
    >>> chosen_rounds([[3, 1, 2], [3, 2, 1], [3, 2, 1], [3, 2, 1]], "rest", repeats=[0, 0, 1, 1])
    ([3, 2, 3, 3], 3)
    """
    table, repeat = np.asarray(curves, dtype=np.float64), np.zeros(len(curves)) if repeats is None else np.asarray(repeats)
    chosen: list[int | None] = []
    for k in range(len(table)):
        others = repeat == repeat[k]
        others[k:] = others[k:] & (rule != "before")
        others[k] = False
        chosen.append(int(np.argmin(table[others].mean(axis=0))) + 1 if others.any() else None)
    return chosen, int(np.argmin(table.mean(axis=0))) + 1


def inner_fold(fold: Fold, folds: Folds, seed: int) -> Fold:
    """A part of the fold's training rows cut by the same rule: the last fifth of time, or whole folds among the others."""
    rows = fold.train
    if folds.rule in ("before", "purged") and folds.order is not None:
        moments = folds.order[rows]
        edge = np.quantile(moments, 0.8)
        late = moments > edge
        return Fold(fold.repeat, fold.fold, rows[moments < edge - folds.gap - folds.horizon], rows[late], fold.data)
    held = _held(fold, folds, seed)
    return Fold(fold.repeat, fold.fold, rows[~held], rows[held], fold.data)


def _held(fold: Fold, folds: Folds, seed: int) -> np.ndarray:
    """bool[training rows]: those of about a fifth of the other folds; where fewer than two others train, whole groups or rows at random."""
    numbers = folds.vector(fold.repeat)[fold.train]
    others = np.unique(numbers[numbers >= 0])
    if len(others) > 1:
        return np.isin(numbers, others[: max(len(others) // 5, 1)])
    groups = fold.data.groups if fold.data is not None else None
    splitter = REGISTRY.get("random" if groups is None else "group")
    return np.asarray(splitter(np.zeros(len(numbers)) if groups is None else groups[fold.train], n=5, seed=seed)) == 0


def inner_rounds(make: Callable[[Fold], Staged], inner: Fold, most: int, patience: int, stop: threading.Event | None = None,
                 tick: Callable[[], None] = lambda: None) -> int:
    """The best round of a model trained on the inner part."""
    stage = make(inner)
    grow(stage, most, patience, stop, tick)
    return int(np.argmin(stage.curve)) + 1
