"""Balance: folds of very different size, and folds that follow the order of the rows."""

import numpy as np

from kagglekit.audit.case import Case, Told, check
from kagglekit.audit.sharing import codes_of

UNEVEN = 1.2
UNEVEN_TIME = 3.0  # equal lengths of time hold as many rows as they hold
UNLIKELY = 1e-5


@check("fold-sizes")
def fold_sizes(case: Case) -> Told | None:
    """The largest fold against the smallest; folds by time are equal in time, folds that are groups as large as these."""
    most, least = int(case.sizes.argmax()), int(case.sizes.argmin())
    large, small = int(case.sizes[most]), int(case.sizes[least])
    by_nature = case.folds.rule in ("before", "purged") or case.folds.splitter == "leave-one-group-out"
    if large - small <= 1 or large <= (UNEVEN_TIME if by_nature else UNEVEN) * small:
        return None
    says = f"{case.called(most)} has {large:,} rows, {case.called(least)} {small:,}: "
    if by_nature:
        return "note", says + "the mean score weighs them equally, so read the scores of the folds one by one"
    largest = int(np.bincount(codes_of(case.groups)).max()) if case.groups is not None else 0
    if largest > case.folds.rows / case.folds.n:
        return "warn", says + f"the largest group alone has {largest:,} rows, more than 1/{case.folds.n} of the table; use fewer folds"
    return "warn", says + "small folds give noisy scores; use a splitter that balances sizes (random, stratified, group)"


@check("row-order")
def row_order(case: Case) -> Told | None:
    """Folds that are blocks of the table: how much of the variance of row numbers lies between folds, against chance.

    The correlation ratio (Fisher) does not care how the blocks are numbered; under a shuffled assignment (n - 1) eta^2 is about chi-square
    with folds - 1 degrees of freedom, where n counts the groups if rows move by group.
    """
    folds = case.folds
    if folds.rule != "rest" or len(case.sizes) < 2 * len(case.repeats) or folds.splitter == "leave-one-group-out":
        return None
    from scipy.stats import chi2

    rows = folds.row.astype(np.float64)
    means = np.bincount(case.index, weights=rows, minlength=len(case.sizes)) / case.sizes
    worst = 0.0
    for repeat in case.repeats:
        own, spread = np.array([key[0] == repeat for key in folds.keys]), float(rows[folds.repeat == repeat].var())
        centre = np.average(means[own], weights=case.sizes[own])
        worst = max(worst, float(np.average((means[own] - centre) ** 2, weights=case.sizes[own])) / max(spread, 1e-12))
    units = int(codes_of(case.groups).max()) + 1 if case.groups is not None else case.scored
    if worst <= 0.01 + chi2.isf(UNLIKELY, folds.n - 1) / max(units - 1, 1):
        return None
    return "warn", (f"the folds follow the order of the rows (correlation ratio {np.sqrt(worst):.2f}, by chance about "
                    f"{np.sqrt((folds.n - 1) / max(units - 1, 1)):.2f}): if the table is sorted they differ in kind; use a splitter that "
                    "shuffles, or --split time if the order is time")
