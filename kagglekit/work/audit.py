"""The audit of a fold assignment: what leaks, what is out of balance; stable codes, fatal, warn or note."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from kagglekit.fold import Data
from kagglekit.folds import Folds

Array = np.ndarray


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing the audit found: a stable code, its severity and a sentence."""

    code: str
    severity: str
    says: str


def audit(folds: Folds, data: Data, groups: Array | None, order: Array | None) -> list[Finding]:
    """Every finding on the folds: `groups` and `order` (time as numbers) are what the split declares, else None."""
    checks: tuple[Callable[..., Iterator[Finding]], ...] = (_groups, _time, _sizes, _classes, _row_order, _coverage)
    return [finding for check in checks for finding in check(folds, data, groups, order)]


def _groups(folds: Folds, data: Data, groups: Array | None, order: Array | None) -> Iterator[Finding]:
    if groups is None:
        known = data.groups
        if known is not None and folds.rule == "rest":
            share = np.mean(_straddling(folds, known))
            if share > 0:
                yield Finding("group-shared", "warn", f"{share:.0%} of the groups have rows in more than one fold, and test has new groups "
                              "only: scores will flatter models that know them by heart")
        return
    straddling = _straddling(folds, groups)
    if straddling.any():
        yield Finding("group-in-two-folds", "fatal", f"{int(straddling.sum())} groups have rows in more than one fold")


def _straddling(folds: Folds, groups: Array) -> Array:
    """For each group: whether its validated rows lie in more than one fold of a repeat."""
    _, codes = np.unique(groups.astype(str), return_inverse=True)
    bad = np.zeros(codes.max() + 1, dtype=bool)
    for repeat in sorted(set(folds.repeat.tolist())):
        vector = folds.vector(repeat)
        rows = vector >= 0
        low, high = np.full(len(bad), 32767), np.full(len(bad), -1)
        np.minimum.at(low, codes[rows], vector[rows])
        np.maximum.at(high, codes[rows], vector[rows])
        bad |= high > np.minimum(low, high)
    return bad


def _time(folds: Folds, data: Data, groups: Array | None, order: Array | None) -> Iterator[Finding]:
    if order is None:
        return
    vector = folds.vector(0)
    for fold in folds:
        earlier = vector < fold.fold if folds.splitter == "predefined" else np.isin(np.arange(folds.rows), fold.train)
        if earlier.any() and order[earlier].max() >= order[fold.valid].min():
            yield Finding("time-order", "fatal", f"fold {fold.fold} trains on rows that are not earlier than what it validates")
            return
    empty = [fold.fold for fold in folds if not len(fold.train)]
    if empty:
        yield Finding("no-training-rows", "fatal", f"fold {empty[0]} has no earlier rows to train on")


def _sizes(folds: Folds, data: Data, groups: Array | None, order: Array | None) -> Iterator[Finding]:
    sizes = folds.sizes
    if len(sizes) > 1 and max(sizes) > 1.2 * min(sizes):
        yield Finding("fold-sizes", "warn", f"the largest fold has {max(sizes):,} rows, the smallest {min(sizes):,}")


def _classes(folds: Folds, data: Data, groups: Array | None, order: Array | None) -> Iterator[Finding]:
    if not data.classes:
        return
    shares = np.bincount(data.target.astype(int), minlength=len(data.classes)) / len(data.target)
    for fold in folds:
        counts = np.bincount(data.target[fold.valid].astype(int), minlength=len(data.classes))
        if (counts == 0).any():
            missing = data.classes[int(np.flatnonzero(counts == 0)[0])]
            yield Finding("empty-class", "warn", f"fold {fold.fold} has no row of class {missing!r}")
            return
        error = np.sqrt(shares * (1 - shares) / len(fold.valid))
        off = np.abs(counts / len(fold.valid) - shares) > 3 * np.maximum(error, 1e-12)
        if off.any():
            worst = int(np.argmax(np.abs(counts / len(fold.valid) - shares) / np.maximum(error, 1e-12)))
            yield Finding("class-share", "warn", f"fold {fold.fold} has {counts[worst] / len(fold.valid):.1%} of class "
                          f"{data.classes[worst]!r}, the table {shares[worst]:.1%}")
            return


def _row_order(folds: Folds, data: Data, groups: Array | None, order: Array | None) -> Iterator[Finding]:
    if folds.rule != "rest" or len(folds) < 2:
        return
    vector = folds.vector(0)
    rows = np.flatnonzero(vector >= 0)
    if vector[rows].std() == 0:
        return
    correlation = float(np.corrcoef(rows, vector[rows])[0, 1])
    if abs(correlation) > 0.1 + 4 / np.sqrt(len(rows)):
        yield Finding("row-order", "warn", f"the fold number follows the order of rows (correlation {correlation:.2f}): was the table shuffled?")


def _coverage(folds: Folds, data: Data, groups: Array | None, order: Array | None) -> Iterator[Finding]:
    if folds.scored_rows < folds.rows:
        yield Finding("coverage", "note", f"{folds.scored_rows:,} of {folds.rows:,} rows are validated; scores use these")
