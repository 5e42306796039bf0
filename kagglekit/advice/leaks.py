"""Single-column leaks: columns that alone tell the target, by their values, by where they are missing, or by the order of the rows."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from kagglekit.advice.features import NUMERIC, Feature, check_rows, features
from kagglekit.progress import task as task_of
from kagglekit.tables.profile.signal import Aim, column_signal
from kagglekit.tables.profile.values import as_arrow, numbers

Array = np.ndarray
SUSPICIOUS, LEAK = "suspicious", "leak until explained"
# Of two normal variables, |Spearman| .95 splits the target at its median with AUC .97, .98 with AUC .99 (simulated); ordinary
# features of a regression come near .95 more often than an AUC of .95 is met.
LEVELS = {"auc": ((0.99, LEAK), (0.95, SUSPICIOUS)), "spearman": ((0.98, LEAK), (0.95, SUSPICIOUS))}
MOST_ROWS = 250_000
MOST_CLASSES = 20
FEWEST_OF_A_CLASS = 5
FEWEST_ROWS = 20
ORDER = "the order of the rows"


@dataclass(frozen=True, slots=True)
class Leak:
    """What one column alone says of the target.

    `by` is values, gaps (where it is missing) or order (of the rows; `column` is then a phrase). `measure` is auc (of one class
    against the rest, the best class, never below .5) or spearman (absolute); `bound` is what the best of all columns reaches by
    chance. `level` is "suspicious", "leak until explained" or "". `rows` is how many rows were looked at.
    """

    column: str
    by: str
    measure: str
    value: float
    bound: float
    level: str
    rows: int
    says: str


@dataclass(frozen=True, slots=True)
class _Goal:
    """The target: 0/1 float64[rows] for each class, or its ranks; and what column_signal needs of it."""

    measure: str
    columns: tuple[Array, ...]
    aims: tuple[Aim, ...]


def single_column_leaks(train: pd.DataFrame, y: Array, task: str, *, seed: int = 0) -> list[Leak]:
    """The columns (and gaps, and the order of the rows) that are too good to be true, the best first; often none.

    See column_tells for the measures. AUC and |Spearman| are suspicious from .95, a leak until explained from .99 (|Spearman|:
    .98), and always above `bound`. `task` is binary, multiclass or regression; leave ids in: a leak may sit in them. Raises KKError
    where y has another length.

    >>> y = np.arange(400) % 2
    >>> table = pd.DataFrame({"good": np.random.default_rng(0).normal(size=400), "told": y + 0.1})
    >>> [(leak.column, leak.value, leak.level) for leak in single_column_leaks(table, y, "binary")]
    [('told', 1.0, 'leak until explained')]
    """
    return [leak for leak in column_tells(train, y, task, seed=seed) if leak.level]


def column_tells(train: pd.DataFrame, y: Array, task: str, *, seed: int = 0) -> list[Leak]:
    """What every column alone says of the target, the best first; of long tables on 250,000 rows drawn with `seed`.

    Numbers by their order: AUC (one class against the rest, the most told of the 20 most frequent) or |Spearman| over the rows that
    have a value. Categories, and numbers once more in 64 bins (a leak need not be monotone), by target means of one half of the rows
    on the other half, so that an id of many values is no leak by itself (see column_signal). `bound` is .5 + z * sd for AUC with
    sd = sqrt((n1 + n0 + 1) / (12 n1 n0)) (Mann & Whitney 1947), z / sqrt(n - 1) for Spearman, z = sqrt(2 ln 2p) for p looks.
    """
    check_rows(train, y)
    target = pd.Series(np.asarray(y)).reset_index(drop=True)
    rows = _drawn(target, seed)
    goal = _goal(target.iloc[rows], task)
    if goal is None:
        return []
    looks = 2 * (2 * train.shape[1] + 1) * len(goal.columns)
    found = []
    with task_of("looking for columns that tell the target", total=train.shape[1], unit="columns") as work:
        for feature in features(train.iloc[rows]):
            found += list(_of_column(feature, goal, looks))
            work.advance()
    order = Feature(ORDER, "integer", as_arrow(rows.astype(np.float64)))
    found += list(_of_column(order, goal, looks))
    return sorted(found, key=lambda one: (-one.value, one.column))


def _drawn(target: pd.Series, seed: int) -> Array:
    known = np.flatnonzero(target.notna().to_numpy())
    if len(known) <= MOST_ROWS:
        return known
    return np.sort(np.random.default_rng(seed).choice(known, MOST_ROWS, replace=False))


def _goal(target: pd.Series, task: str) -> _Goal | None:
    if len(target) < FEWEST_ROWS or target.nunique() < 2:
        return None
    # Rows were drawn: every one of them is used (step 1).
    if task == "regression":
        ranks = target.astype(float).rank().to_numpy()
        return _Goal("spearman", (ranks,), (Aim("r2", (ranks / len(ranks),), 1),))
    counts = target.value_counts()
    chosen = list(counts[counts >= FEWEST_OF_A_CLASS].index[:MOST_CLASSES])
    chosen = chosen[-1:] if len(counts) == 2 else chosen
    columns = tuple((target == label).to_numpy(dtype=np.float64) for label in chosen)
    return _Goal("auc", columns, tuple(Aim("auc", (column,), 1) for column in columns)) if columns else None


def _of_column(feature: Feature, goal: _Goal, looks: int) -> Iterator[Leak]:
    """The look at a column's values and, where some are missing, at its gaps."""
    rows = len(feature.train)
    if feature.kind in NUMERIC:
        values = numbers(feature.train)
        known = ~np.isnan(values)
    else:
        values, known = np.empty(0), feature.train.is_valid().to_numpy().astype(bool)
    by = "order" if feature.name == ORDER else "values"
    yield from _told(feature.name, by, [*_ordered(values, known, goal, looks), *_binned(feature, goal, looks)], goal, int(known.sum()))
    if 0 < known.sum() < rows:
        yield from _told(feature.name, "gaps", _ordered((~known).astype(np.float64), np.ones(rows, bool), goal, looks), goal, rows)


def _ordered(values: Array, known: Array, goal: _Goal, looks: int) -> list[tuple[float, float]]:
    """(value, bound) for each class: by the order of the numbers."""
    if not len(values) or known.sum() < FEWEST_ROWS or np.ptp(values[known]) == 0:
        return []
    ranks = _ranks(values[known])
    return [(_correlation(ranks, column[known]), _bound(column[known], goal.measure, looks)) if goal.measure == "spearman"
            else (_auc(ranks, column[known]), _bound(column[known], goal.measure, looks)) for column in goal.columns]


def _binned(feature: Feature, goal: _Goal, looks: int) -> list[tuple[float, float]]:
    """(value, bound) for each class: by means of the target, learnt on one half of the rows and measured on the other."""
    found = []
    for aim, column in zip(goal.aims, goal.columns):
        signal = column_signal(feature.train, aim)
        if signal is not None:
            found.append((math.sqrt(signal.value) if goal.measure == "spearman" else signal.value, _bound(column, goal.measure, looks)))
    return found


def _told(name: str, by: str, found: Sequence[tuple[float, float]], goal: _Goal, rows: int) -> Iterator[Leak]:
    """The best of what was found, where there is any."""
    if not found:
        return
    value, bound = max(found, key=lambda one: (one[0] > one[1], one[0]))
    level = next((word for least, word in LEVELS[goal.measure] if value >= least and value > bound), "")
    what = {"values": f"{name} alone", "gaps": f"where {name} is missing", "order": f"{name} alone"}[by]
    word = "AUC" if goal.measure == "auc" else "|Spearman|"
    tail = f": {level}" if level else f" (by chance up to {bound:.3f})"
    yield Leak(name, by, goal.measure, value, bound, level, rows, f"{what} tells the target with {word} {value:.3f}{tail}")


def _bound(column: Array, measure: str, looks: int) -> float:
    """What the best of `looks` columns without any signal reaches."""
    z = math.sqrt(2 * math.log(max(looks, 2)))
    if measure == "spearman":
        return z / math.sqrt(max(len(column) - 1, 1))
    yes = float(column.sum())
    no = len(column) - yes
    return 0.5 + z * math.sqrt((yes + no + 1) / (12 * yes * no)) if yes and no else math.inf


def _ranks(values: Array) -> Array:
    """Mid-ranks from 1."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[place]


def _auc(ranks: Array, hits: Array) -> float:
    """Area under the ROC curve, never below .5; .5 without both classes."""
    yes = hits.sum()
    no = len(hits) - yes
    if not yes or not no:
        return 0.5
    area = (ranks[hits > 0].sum() - yes * (yes + 1) / 2) / (yes * no)
    return float(max(area, 1 - area))


def _correlation(ranks: Array, target: Array) -> float:
    """|Spearman| of values by their ranks and of a target."""
    other = _ranks(target)
    if np.ptp(other) == 0:
        return 0.0
    return abs(float(np.corrcoef(ranks, other)[0, 1]))
