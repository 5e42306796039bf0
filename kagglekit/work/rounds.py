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


def grow(stage: Staged, most: int = MAX_ROUNDS, patience: int = PATIENCE, stop: threading.Event | None = None) -> None:
    """Grow until the curve has had no better loss for `patience` rounds; raises Stopped when `stop` is set."""
    best, where = np.inf, -1
    for number, loss in enumerate(stage.curve):
        if loss < best:
            best, where = loss, number
    while len(stage.curve) < most and (where < 0 or len(stage.curve) - 1 - where < patience):
        reach(stage, len(stage.curve) + 1, stop)
        if stage.curve[-1] < best:
            best, where = stage.curve[-1], len(stage.curve) - 1


def reach(stage: Staged, rounds: int, stop: threading.Event | None = None) -> None:
    """Grow to `rounds` in all, round by round so that it can be stopped."""
    while len(stage.curve) < rounds:
        if stop is not None and stop.is_set():
            raise Stopped
        stage.advance(len(stage.curve) + 1)


def chosen_rounds(curves: Sequence[Sequence[float]], rule: str) -> tuple[list[int | None], int]:
    """Rounds for each fold and for the test model, from curves of equal length.

    rest: fold k takes the best round of the other folds' mean curve; before (time): of the earlier folds'. None: there is no other
    fold, an inner part must tell.

    >>> chosen_rounds([[3, 1, 2], [3, 2, 1], [3, 2, 1]], "rest")
    ([3, 2, 2], 3)
    """
    table = np.asarray(curves, dtype=np.float64)
    chosen: list[int | None] = []
    for k in range(len(table)):
        others = table[:k] if rule == "before" else np.delete(table, k, axis=0)
        chosen.append(int(np.argmin(others.mean(axis=0))) + 1 if len(others) else None)
    return chosen, int(np.argmin(table.mean(axis=0))) + 1


def inner_fold(fold: Fold, folds: Folds, seed: int) -> Fold:
    """A part of the fold's training rows cut by the same rule: the last fifth of time, or one of five folds of the same splitter."""
    rows = fold.train
    if folds.rule in ("before", "purged") and folds.order is not None:
        moments = folds.order[rows]
        edge = np.quantile(moments, 0.8)
        late = moments > edge
        return Fold(fold.repeat, fold.fold, rows[moments < edge - folds.gap - getattr(folds, "horizon", 0.0)], rows[late], fold.data)
    numbers = _same_splitter(fold, folds, rows, seed)
    return Fold(fold.repeat, fold.fold, rows[numbers != 0], rows[numbers == 0], fold.data)


def _same_splitter(fold: Fold, folds: Folds, rows: np.ndarray, seed: int) -> np.ndarray:
    assert fold.data is not None
    given = {"y": fold.data.y, "groups": fold.data.groups, "time": fold.data.time}
    name = folds.splitter if folds.splitter in REGISTRY else "group" if fold.data.groups is not None else "random"
    splitter = REGISTRY.get(name)
    if any(given.get(need) is None for need in splitter.needs) or splitter.rule != "rest":
        splitter = REGISTRY.get("random")
    arrays = [given[need][rows] for need in splitter.needs]
    return np.asarray(splitter(*arrays, n=5, seed=seed))


def inner_rounds(make: Callable[[Fold], Staged], inner: Fold, most: int, patience: int, stop: threading.Event | None = None) -> int:
    """The best round of a model trained on the inner part."""
    stage = make(inner)
    grow(stage, most, patience, stop)
    return int(np.argmin(stage.curve)) + 1
