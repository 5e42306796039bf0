"""The order of rows: whether neighbours belong together although no column says so, and whether test goes on where train ends."""

import numpy as np
import pandas as pd

from kagglekit.advice.case import Case, Choice

Array = np.ndarray
LAGS = 30
SURE = 6.0  # standard errors of the dependence at the best of 30 lags
FEW_VALUES = 50
BLOCKS = 20  # so many blocks of neighbours: four a fold
FEWEST = 200


def look_at_order(case: Case) -> Choice | None:
    """A split by blocks of neighbouring ids, where the target depends on the order of rows and test's ids lie beyond train's.

    Such tables were collected one thing (writer, machine, session) after the other. Says what it saw only where there is a dependence.
    """
    ids = _numbers(case)
    if case.y is None or ids is None or len(ids) < FEWEST:
        return None
    lag, error = dependence(case.y[np.argsort(ids, kind="stable")])
    if error < SURE:
        return None
    name = case.competition.id[0]
    size = max(len(ids) // BLOCKS, 2 * lag)
    spec = f"{name}:block={size}"
    says = f"in the order of {name}, targets {lag} rows apart depend on each other ({error:.0f} standard errors): rows were collected in runs"
    beyond = _beyond(case, ids)
    if not beyond:
        case.evidence.append(f"{says}; test's lie among train's, so single rows are validated as in test")
        case.also(case.by_group, "neighbouring rows stay together: pessimistic where test's lie among train's", group=spec)
        return None
    case.evidence.append(f"{says}, and test's {name} lie {beyond} train's: blocks of {size} neighbours stay together")
    plain = "stratified" if case.by_group == "stratified-group" else "random"
    case.ruled_out.append(f"{plain}: a row's neighbours, which belong to the same run, would train")
    case.also(plain, "for comparison: what it scores better is memory of the runs")
    return Choice(case.by_group, {"group": spec}, BLOCKS, (name,))


def dependence(y: Array) -> tuple[int, float]:
    """(lag, standard errors) of the strongest dependence of y [rows, columns] on itself some rows before, over 30 lags.

    Few values: how often both are equal against chance. Many: the correlation of ranks.

    >>> dependence(np.tile([0.0, 1.0, 2.0, 3.0], 100)[:, None])[0] % 4
    0
    """
    keys = pd.factorize(pd.MultiIndex.from_arrays(list(y.T)) if y.shape[1] > 1 else y[:, 0])[0]
    lags = range(1, min(LAGS, len(y) // 4) + 1)
    if keys.max() < FEW_VALUES:
        shares = np.bincount(keys[keys >= 0]) / len(keys)
        chance = float((shares**2).sum())
        spread = np.sqrt(max(chance * (1 - chance), 1e-12))
        errors = [(np.mean(keys[lag:] == keys[:-lag]) - chance) / spread * np.sqrt(len(y) - lag) for lag in lags]
    else:
        ranks = pd.Series(y[:, 0]).rank().to_numpy()
        ranks = (ranks - ranks.mean()) / ranks.std()
        errors = [float(np.mean(ranks[lag:] * ranks[:-lag])) * np.sqrt(len(y) - lag) for lag in lags]
    best = int(np.argmax(np.abs(errors)))
    return lags[best], float(abs(errors[best]))


def _numbers(case: Case) -> Array | None:
    """The single id as numbers, where it is whole numbers (also as text such as 0042) and never repeats."""
    names = case.competition.id
    return _as_numbers(case.train[names[0]]) if len(names) == 1 and names[0] in case.train.columns else None


def _as_numbers(column: pd.Series) -> Array | None:
    if column.isna().any() or not column.is_unique:
        return None
    if column.dtype.kind in "iu":
        return column.to_numpy(dtype=np.float64)
    return column.astype(float).to_numpy() if column.dtype.kind not in "fMmb" and column.astype(str).str.fullmatch(r"\d{1,15}").all() else None


def _beyond(case: Case, ids: Array) -> str:
    """after or before, where all of test's ids lie there; "" where they lie among train's or are not known."""
    name = case.competition.id[0]
    asked = _as_numbers(case.test[name]) if case.test is not None and name in case.test.columns else None
    if asked is None or not len(asked):
        return ""
    return "after" if asked.min() > ids.max() else "before" if asked.max() < ids.min() else ""
