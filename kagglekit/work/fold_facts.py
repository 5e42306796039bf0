"""What a picture of folds shows: who trains and is validated when, shares of classes, spread of the target, rows and groups."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from kagglekit.audit.case import Case
from kagglekit.audit.target import classes_of, values_of
from kagglekit.fold import Data
from kagglekit.folds import Folds

Array = np.ndarray
NOTHING, UNUSED, TRAINS, VALIDATED, BOTH = range(5)
QUARTILES = (0.0, 0.25, 0.5, 0.75, 1.0)
TAIL = 0.005
DECADES = 50  # a positive target that spans more is drawn on a scale of logarithms


@dataclass(frozen=True, slots=True)
class Shares:
    """Shares of classes: of each fold float[F, C] and of the table float[C], and how many binomial standard errors a fold is off.

    `whole`: whether the shares of a fold add up to one (labels of a multilabel target do not).
    """

    names: tuple[str, ...]
    by_fold: Array
    table: Array
    off: Array
    whole: bool

    def worst(self, fold: int) -> int:
        """The class that is furthest off in a fold."""
        return int(np.abs(self.off[fold]).argmax())


@dataclass(frozen=True, slots=True)
class Spread:
    """Minimum, quartiles and maximum of the target: of each fold float[F, 5] and of the table float[5].

    `low` to `high` is worth drawing, on a scale of logarithms where `logs`.
    """

    by_fold: Array
    table: Array
    low: float
    high: float
    logs: bool

    def at(self, values: Array) -> Array:
        """Places between 0 (low) and 1 (high); what lies beyond is put to the edge."""
        low, high, values = (np.log(np.maximum(part, 1e-300)) if self.logs else part for part in (self.low, self.high, values))
        return np.clip((values - low) / (high - low), 0.0, 1.0)


def told_value(value: float) -> str:
    """A number in few signs: 21,761 or 0.1235 or 5.176e+09."""
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e7 else f"{value:.4g}"


def fold_names(folds: Folds) -> list[str]:
    """A short name for each fold: "fold 3", or "3 of r1" where there are repeats."""
    return [f"{fold} of r{repeat}" if folds.repeats > 1 else f"fold {fold}" for repeat, fold in folds.keys]


def states(folds: Folds, order: Array, bins: int) -> Array:
    """int8[F, bins]: what the rows of each of `bins` equal lengths of time do in each fold; NOTHING where there are no rows for long."""
    low, high = float(order.min()), float(order.max())
    width = max(high - low, 1e-300) / bins
    place = np.minimum(((order - low) / width).astype(np.int64), bins - 1)
    there = np.bincount(place, minlength=bins) > 0
    before = _held(there, _step(order) / width)
    found = np.zeros((len(folds), bins), dtype=np.int8)
    for line, fold in zip(found, folds, strict=True):
        trains, valid = (np.bincount(place[rows], minlength=bins) > 0 for rows in (fold.train, fold.valid))
        line[there] = UNUSED
        line[trains], line[valid], line[trains & valid] = TRAINS, VALIDATED, BOTH
        line[:] = line[before]
    return found


def _step(order: Array) -> float:
    """The distance that nine of ten moments keep to the next."""
    moments = np.unique(order)
    return float(np.quantile(np.diff(moments), 0.9)) if len(moments) > 1 else 0.0


def _held(there: Array, step: float) -> Array:
    """int64[bins]: the bin whose state each shows: its own, or the last one with rows where the hole is no longer than two steps."""
    bins = np.arange(len(there))
    last = np.maximum.accumulate(np.where(there, bins, 0))
    following = np.minimum.accumulate(np.where(there, bins, len(there))[::-1])[::-1]
    return np.where(following - last - 1 <= np.ceil(2 * step), last, bins)


def shares_of(folds: Folds, data: Data) -> Shares | None:
    """The shares of classes or labels, None where the target holds values."""
    case = Case(folds, data)
    classes = classes_of(case)
    if classes is None:
        return None
    table = classes.table / folds.rows
    by_fold = classes.by_fold / case.sizes[:, None]
    errors = np.sqrt(np.maximum(table * (1 - table), 1e-12) / case.sizes[:, None])
    return Shares(tuple(map(str, classes.names)), by_fold, table, (by_fold - table) / errors, data.target.ndim == 1)


def spread_of(folds: Folds, data: Data) -> Spread | None:
    """The spread of the (first) target, None where it holds no values; a long tail is left out of `low` to `high`."""
    case = Case(folds, data)
    values = values_of(case)
    if values is None:
        return None
    values = values[:, 0]
    table = np.quantile(values, QUARTILES)
    low, high = np.quantile(values, [TAIL, 1 - TAIL])
    logs = bool(table[0] > 0 and high > DECADES * low)
    reach = 0.0 if logs else 0.25 * (high - low)
    low, high = max(table[0], low - reach), min(table[-1], high + reach)
    by_fold = np.array([np.quantile(values[folds.row[lines]], QUARTILES) for lines in case.lines])
    return Spread(by_fold, table, float(low), float(high if high > low else low + 1), logs)


def groups_in(folds: Folds, data: Data) -> Array | None:
    """int64[F]: how many groups a fold validates, None where no groups are known."""
    if data.groups is None:
        return None
    codes = pd.factorize(np.asarray(data.groups))[0]
    return np.array([len(np.unique(codes[folds.row[lines]])) for lines in Case(folds, data).lines], dtype=np.int64)
