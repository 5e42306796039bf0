"""Groups: what must not lie on both sides of a fold, or lies there on purpose."""

import numpy as np
import pandas as pd

from kagglekit.audit.case import Case, Told, check
from kagglekit.audit.sharing import codes_of, trained_with
from kagglekit.fold import Data

Array = np.ndarray
KNOWN = 0.95  # of test's rows: with so many known groups a split by group would answer a question that test does not ask


@check("group-in-two-folds")
def group_in_two_folds(case: Case) -> Told | None:
    """Declared groups that train a fold which validates them."""
    if case.groups is None or case.folds.splitter == "mixed":
        return None
    codes = codes_of(case.groups)
    shared = trained_with(case, codes)
    if not shared.any():
        return None
    several = len(np.unique(codes[case.folds.row[shared]]))
    return "fatal", (f"{several:,} of {int(codes.max()) + 1:,} groups have rows on both sides of a fold ({shared.mean():.1%} of the validated "
                     "rows are trained with their own group): keep groups whole with --split group or stratified-group")


@check("group-shared")
def group_shared(case: Case) -> Told | None:
    """Known groups that a split which declares none cuts through, where test brings new ones."""
    known = case.data.groups
    if case.groups is not None or known is None or case.folds.rule != "rest" or case.folds.splitter == "mixed":
        return None
    shared = trained_with(case, codes_of(known)).mean()
    in_test = known_in_test(case.data)
    if not shared or (in_test is not None and in_test >= min(KNOWN, shared)):
        return None
    test = "if test has new groups" if in_test is None else f"of test's rows only {in_test:.0%}"
    return "warn", (f"{shared:.0%} of the validated rows are trained with their own group, {test}: scores will flatter models that know the "
                    "groups by heart; try --split group")


def known_in_test(data: Data) -> float | None:
    """The share of test's rows whose group has rows in train; None where no feature column holds the groups."""
    groups = data.groups
    for name in data.X.columns if groups is not None else ():
        column = data.X[name]
        if name in data.X_test and _same(column.iloc[:100], groups[:100]) and _same(column, groups):
            return float(data.X_test[name].isin(pd.unique(column)).mean())
    return None


def _same(column: pd.Series, groups: Array) -> bool:
    return pd.Series(column.to_numpy()).equals(pd.Series(groups))


@check("known-share")
def known_share(case: Case) -> Told | None:
    """A mixed split lets a share of the validated rows train with their group on purpose: whether each fold has that share."""
    wanted = case.folds.params.get("known")
    if case.groups is None or case.folds.splitter != "mixed" or not isinstance(wanted, (int, float)):
        return None
    shared = trained_with(case, codes_of(case.groups))
    shares = np.bincount(case.index, weights=shared, minlength=len(case.sizes)) / case.sizes
    worst = int(np.abs(shares - wanted).argmax())
    if abs(shares[worst] - wanted) <= max(0.02, 3 * np.sqrt(wanted * (1 - wanted) / case.sizes[worst])):
        return None
    return "warn", (f"in {case.called(worst)} {shares[worst]:.1%} of the rows are trained with their own group, wanted are {wanted:.1%}: "
                    "the groups are too large or too small for that share; use fewer folds, or --split group")
