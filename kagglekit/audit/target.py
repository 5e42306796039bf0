"""The target over the folds: shares of classes, means, and folds without a class or without any difference."""

from dataclasses import dataclass

import numpy as np

from kagglekit.audit.case import Case, Told, check
from kagglekit.audit.sharing import codes_of

Array = np.ndarray
WILD = 0.0027  # two-sided, 3 standard errors of a normal; over all comparisons together (Bonferroni)


@dataclass(frozen=True, slots=True)
class Classes:
    """Rows of each class (or with each label) by fold: int64[F, C], over the table int64[C], and the names."""

    by_fold: Array
    table: Array
    names: tuple[object, ...]


def classes_of(case: Case) -> Classes | None:
    """The classes, or the labels of a rows x labels target of 0 and 1; None where the target holds values."""
    target, folds, row = case.data.target, len(case.sizes), case.folds.row
    if target is None or not len(target):
        return None
    if target.ndim == 1 and case.data.classes:
        wide, codes = len(case.data.classes), target.astype(np.int64)
        by_fold = np.bincount(case.index * wide + codes[row], minlength=folds * wide).reshape(folds, wide)
        return Classes(by_fold, np.bincount(codes, minlength=wide), case.data.classes)
    if target.ndim == 2 and np.isin(target, (0, 1)).all():
        labels = case.data.classes if len(case.data.classes) == target.shape[1] else tuple(f"label {number}" for number in range(target.shape[1]))
        by_fold = np.stack([np.bincount(case.index, weights=column[row], minlength=folds) for column in target.T], axis=1)
        return Classes(by_fold.astype(np.int64), target.sum(axis=0).astype(np.int64), labels)
    return None


def values_of(case: Case) -> Array | None:
    """float64[rows, targets] where the target holds values."""
    target = case.data.target
    if target is None or not len(target) or classes_of(case) is not None:
        return None
    return np.asarray(target, dtype=np.float64).reshape(len(target), -1)


def _remedy(case: Case, plain: str, grouped: str) -> str:
    if case.folds.rule != "rest":
        return "the target changes with time: read the scores of the folds one by one, or validate longer blocks with --test-size"
    return f"use --split {grouped if case.groups is not None else plain}"


@check("class-share")
def class_share(case: Case) -> Told | None:
    """The worst share of a class in a fold, where it is beyond 3 binomial standard errors and beyond chance over all folds and classes."""
    classes = classes_of(case)
    if classes is None:
        return None
    from scipy.stats import binom

    shares = classes.table / case.folds.rows
    sizes = np.broadcast_to(case.sizes[:, None], classes.by_fold.shape)
    errors = np.sqrt(np.maximum(shares * (1 - shares), 1e-300) / sizes)
    off = np.abs(classes.by_fold / sizes - shares) / errors
    tails = 2 * np.minimum(binom.cdf(classes.by_fold, sizes, shares), binom.sf(classes.by_fold - 1, sizes, shares))
    off[(off <= 3) | (tails * tails.size >= WILD)] = 0
    if not off.any():
        return None
    fold, number = np.unravel_index(int(off.argmax()), off.shape)
    share = classes.by_fold[fold, number] / case.sizes[fold]
    return "warn", (f"{case.called(int(fold))} has {share:.2%} of class {classes.names[number]!r}, the table {shares[number]:.2%}: "
                    f"{off[fold, number]:.1f} binomial standard errors, beyond chance for {off.size:,} comparisons; "
                    f"{_remedy(case, 'stratified', 'stratified-group')}")


@check("empty-class")
def empty_class(case: Case) -> Told | None:
    """A class that a fold does not validate, or that nothing trains."""
    classes = classes_of(case)
    if classes is None:
        return None
    trained = _untrained(case, classes)
    if trained is not None:
        return "warn", trained
    empty = np.argwhere((classes.by_fold == 0) & (classes.table > 0))
    if not len(empty):
        return None
    fold, number = (int(part) for part in empty[0])
    members = int(classes.table[number])
    more = f" (and {len(empty) - 1} more such gaps)" if len(empty) > 1 else ""
    do = (f"the class has {members} rows in all; use at most {max(members, 2)} folds" if members < case.folds.n
          else _remedy(case, "stratified", "stratified-group"))
    return "warn", f"{case.called(fold)} has no row of class {classes.names[number]!r}{more}: {do}"


def _untrained(case: Case, classes: Classes) -> str | None:
    """A class that a fold validates and never trains on, as a sentence."""
    if case.data.target.ndim != 1:
        return None
    if case.folds.rule == "rest":
        trains = classes.table - classes.by_fold
    else:
        codes = case.data.target.astype(np.int64)
        trains = np.stack([np.bincount(codes[fold.train], minlength=len(classes.table)) for fold in case.folds])
    missing = np.argwhere((trains == 0) & (classes.by_fold > 0) & (case.training_rows[:, None] > 0))
    if not len(missing):
        return None
    fold, number = (int(part) for part in missing[0])
    return (f"{case.called(fold)} validates {classes.by_fold[fold, number]:,} rows of class {classes.names[number]!r} and trains on none: "
            f"{_remedy(case, 'stratified', 'stratified-group')}")


def _by_whole_groups(case: Case, centred: Array) -> Array:
    """float64[F, columns]: standard error of a fold's mean where whole groups are drawn; 0 where none are declared."""
    if case.groups is None:
        return np.zeros((len(case.sizes), centred.shape[1]))
    codes = codes_of(case.groups)
    squares = np.array([float((np.bincount(codes, weights=column) ** 2).sum()) for column in centred.T])
    share = case.sizes[:, None] / case.folds.rows
    return np.sqrt(squares[None, :] * share * (1 - share)) / case.sizes[:, None]


@check("target-mean")
def target_mean(case: Case) -> Told | None:
    """The worst mean of the target in a fold, where it is beyond 3 standard errors and beyond chance over all folds."""
    values = values_of(case)
    if values is None:
        return None
    from scipy.special import ndtri

    sums = np.stack([np.bincount(case.index, weights=column[case.folds.row], minlength=len(case.sizes)) for column in values.T], axis=1)
    means, errors = sums / case.sizes[:, None], np.maximum(values.std(axis=0), 1e-300) / np.sqrt(case.sizes[:, None])
    errors = np.maximum(errors, _by_whole_groups(case, values - values.mean(axis=0)))
    off = np.abs(means - values.mean(axis=0)) / errors
    if off.max() <= max(3.0, -ndtri(WILD / 2 / off.size)) or not values.std():
        return None
    fold, number = np.unravel_index(int(off.argmax()), off.shape)
    return "warn", (f"{case.called(int(fold))} has a mean target of {means[fold, number]:,.6g}, the table {values[:, number].mean():,.6g}: "
                    f"{off[fold, number]:.1f} standard errors, beyond chance for {off.size:,} comparisons; "
                    f"{_remedy(case, 'stratified-regression', 'stratified-group')}")


@check("constant-target")
def constant_target(case: Case) -> Told | None:
    """A fold (or a table) whose target has one value: many metrics are not defined there, and none can tell models apart."""
    target = case.data.target
    if target is None or not len(target) or target.ndim != 1:
        return None
    if (target == target[0]).all():
        return "warn", f"the target has the one value {case.data.y[0]!s} in all rows: nothing can be learnt; check target in competition.toml"
    lines = [target[case.folds.row[lines]] for lines in case.lines]
    alone = [number for number, values in enumerate(lines) if (values == values[0]).all()]
    if not alone or case.sizes[alone[0]] < 2:
        return None
    value = case.data.y[case.folds.row[case.lines[alone[0]][0]]]
    more = f" (and {len(alone) - 1} more folds)" if len(alone) > 1 else ""
    return "warn", (f"{case.called(alone[0])} has the one target value {value!s} in all its rows{more}: metrics such as AUC or R2 are not "
                    f"defined there; {_remedy(case, 'stratified', 'stratified-group')}")
