"""The audit of folds: what leaks, what is out of balance, what a score over them would hide.

One check is one decorated function in a file of this package; other packages announce theirs in the entry-point group `kagglekit.audit`.
"""

import numpy as np
import pandas as pd

from kagglekit.audit.case import REGISTRY, SEVERITIES, Case, Check, Finding, check
from kagglekit.fold import Data
from kagglekit.folds import Folds
from kagglekit.progress import task

Array = np.ndarray
__all__ = ["Case", "Check", "Finding", "audit", "check"]


def audit(folds: Folds, data: Data, groups: Array | None = None, order: Array | None = None, *, test_gap: float | None = None,
          X: pd.DataFrame | None = None) -> list[Finding]:
    """Every finding on the folds, the worst first.

    `groups` (any values, [rows]) and `order` (time as numbers, [rows]) are what the split declares: the folds are held to them.
    `test_gap` is the time between train's end and test's start, in the unit of `order`. The columns of X, where it is given, are searched for
    near duplicates across folds and for columns that give the target away; this reads the whole table, all other checks take milliseconds.

    >>> from kagglekit.folds import from_assignment
    >>> data = Data(X=pd.DataFrame(), y=np.arange(6), target=np.arange(6.0), X_test=pd.DataFrame())
    >>> folds = from_assignment("mine", np.array([0, 1, 0, 1, 0, 1]), "", 6)
    >>> [(finding.code, finding.severity) for finding in audit(folds, data, groups=np.array(list("aabbcc")))]
    [('group-in-two-folds', 'fatal')]
    """
    case = Case(folds, data, groups, order, test_gap, X)
    found = []
    checks = sorted(map(REGISTRY.get, REGISTRY.names()), key=lambda one: one.follows)
    with task(f"auditing {folds.name}", total=len(checks), unit="checks") as work:
        for one in checks:
            found.append(one(case))
            work.advance()
    return sorted((finding for finding in found if finding is not None), key=lambda finding: SEVERITIES.index(finding.severity))
