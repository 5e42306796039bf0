"""Sharing: which validated rows have a row of their own group among the rows that train."""

import numpy as np
import pandas as pd

from kagglekit.audit.case import Case

Array = np.ndarray


def codes_of(groups: Array) -> Array:
    """int64[rows], a code from 0 for each group; a row without a group is a group of its own."""
    codes = pd.factorize(np.asarray(groups))[0].astype(np.int64)
    alone = codes < 0
    codes[alone] = codes.max(initial=-1) + 1 + np.arange(int(alone.sum()))
    return codes


def trained_with(case: Case, codes: Array) -> Array:
    """bool[lines]: whether another row with the line's code (int64[rows], from 0) may train when it is validated.

    With the rule `rest` that is so where the code's rows lie in several folds of the repeat, or some of them in none: one pass, whatever
    the number of folds.
    """
    folds, most = case.folds, int(codes.max(initial=-1)) + 1
    shared = np.zeros(len(folds.row), dtype=bool)
    if folds.rule != "rest":
        for fold, lines in zip(folds, case.lines, strict=True):
            trains = np.zeros(most, dtype=bool)
            trains[codes[fold.train]] = True
            shared[lines] = trains[codes[folds.row[lines]]]
        return shared
    for repeat in case.repeats:
        vector = folds.vector(repeat)
        low, high = np.full(most, np.iinfo(np.int16).max, dtype=np.int16), np.full(most, -1, dtype=np.int16)
        np.minimum.at(low, codes, vector)
        np.maximum.at(high, codes, vector)
        lines = np.flatnonzero(folds.repeat == repeat)
        shared[lines] = (low < high)[codes[folds.row[lines]]]
    return shared
