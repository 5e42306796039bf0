"""Rows where all models are wrong, and the slices of the table that single them out: what new features must explain."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kagglekit.metrics import Metric, tied_ranks
from kagglekit.work.slices import Slice, slices

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray
HARDEST = 0.1  # of numbers, which are never quite right, this share of the rows
LISTED = 20
WRONG = "share wrong"


@dataclass(frozen=True, slots=True)
class HardRows:
    """`what` says what makes a row hard, `share` how many are, `rows` numbers the hardest (20 at most, the hardest first).

    errors: what the error of a slice is a mean of.
    """

    what: str
    errors: str
    share: float
    rows: tuple[int, ...]
    slices: tuple[Slice, ...]


@dataclass(frozen=True, slots=True)
class Hardness:
    """By row: whether all models are wrong, how far the nearest one is from the truth, and the models' mean error."""

    what: str
    errors: str
    hard: Array
    depth: Array
    error: Array


def hard_rows(y: Array, oof: Array, X: "pd.DataFrame | None", metric: Metric, groups: Array | None = None) -> HardRows:
    """Rows where all models are wrong, sliced by the columns of X that single them out.

    y: class codes or numbers (rows [x targets]), oof: models x rows [x classes or targets]. Wrong is a likeliest class that is not the true
    one; of two classes the wrong side of the cut that calls as many rows positive as there are. Numbers are never right: of these the
    tenth of the rows that even the nearest model misses most, all models to the same side.

    >>> import pandas as pd
    >>> from kagglekit.metrics import check_metric
    >>> x = np.arange(1000) % 10
    >>> oof = np.where(x == 3, 5.0, 0.1 * (-1) ** np.arange(1000))[None]
    >>> found = hard_rows(np.zeros(1000), oof, pd.DataFrame({"x": x}), check_metric("rmse"))
    >>> [(one.where, one.share, one.hard, round(one.hard_overall, 2)) for one in found.slices]
    [('x = 3', 0.1, 1.0, 0.1)]
    """
    found = hardness(np.asarray(y), oof, metric)
    order = np.lexsort((-found.depth, ~found.hard))[:LISTED]
    rows = tuple(int(row) for row in order if found.hard[row])
    some = X is not None and 0 < int(found.hard.sum()) < len(found.hard)
    return HardRows(found.what, found.errors, float(found.hard.mean()), rows,
                    slices(X, found.hard.astype(np.float64), found.error, groups) if some else ())


def hardness(y: Array, oof: Array, metric: Metric) -> Hardness:
    """How hard each row is; models are read one at a time.

    >>> from kagglekit.metrics import check_metric
    >>> hardness(np.array([0, 1]), np.array([[0.4, 0.3], [0.1, 0.8]]), check_metric("auc")).hard.tolist()
    [False, False]
    """
    if metric.needs == "list":
        return _all_wrong("no run puts a right one first", _lists(y.reshape(len(y), -1), oof), len(oof))
    if oof.ndim == 3 and y.ndim == 1 and metric.columns != "quantiles":
        return _classes(y.astype(np.int64), oof)
    if oof.ndim == 2 and metric.needs in ("rank", "proba", "label") and np.isin(y, (0, 1)).all():
        return _all_wrong("every run puts them on the wrong side", _sides(y, oof), len(oof))
    return _missed(y, oof, metric)


def _classes(codes: Array, oof: Array) -> Hardness:
    rows = np.arange(len(codes))
    found = ((one.argmax(axis=1) != codes, 1.0 - one[rows, codes]) for one in oof)
    return _all_wrong("every run gives another class the largest probability", found, len(oof))


def _lists(codes: Array, oof: Array) -> Iterator[tuple[Array, Array]]:
    """First of each list against the right codes of its row; oof holds codes, the best first, or a score for each class."""
    for one in oof:
        top = one[:, 0] if np.issubdtype(one.dtype, np.integer) else one.argmax(axis=1)
        wrong = ~(codes == top[:, None]).any(axis=1)
        yield wrong, wrong.astype(np.float64)


def _sides(y: Array, oof: Array) -> Iterator[tuple[Array, Array]]:
    positive = y == 1
    for one in oof:
        place = tied_ranks(one) / len(y)
        yield (place > 1 - positive.mean()) != positive, np.where(positive, 1 - place, place)


def _all_wrong(what: str, found: Iterator[tuple[Array, Array]], models: int) -> Hardness:
    """All wrong, the least distance from the truth, the share of the models that are wrong."""
    hard, depth = next(found)
    error = hard.astype(np.float64)
    for wrong, far in found:
        hard, depth, error = hard & wrong, np.minimum(depth, far), error + wrong
    return Hardness(what, WRONG, hard, np.asarray(depth, dtype=np.float64), error / models)


def _missed(y: Array, oof: Array, metric: Metric) -> Hardness:
    """Numbers: the least error where all models err to the same side; of several targets, which count alike, the mean over them."""
    logs = metric.trains_on == "log1p"
    truth = np.log1p(np.maximum(y, 0)) if logs else y.astype(np.float64)
    least, total, over, under = None, 0.0, True, True
    for one in oof:
        miss = (np.log1p(np.maximum(one, 0)) if logs else one) - (truth[:, None] if one.ndim > truth.ndim else truth)
        far = np.abs(miss)
        least, total = far if least is None else np.minimum(least, far), total + far
        over, under = over & (miss > 0), under & (miss < 0)
    assert least is not None
    least = np.where(over | under, least, 0.0)
    error = total / len(oof)
    if least.ndim == 2:
        scale = np.maximum(error.mean(axis=0), 1e-300)
        least, error = (least / scale).mean(axis=1), (error / scale).mean(axis=1)
    cut = float(np.quantile(least, 1 - HARDEST))
    words = f"even the nearest run misses them by {cut:.4g}{' in log1p' if logs else ''} or more, all to the same side"
    return Hardness(words, "mean absolute error" + (" of log1p" if logs else ""), (least >= cut) & (least > 0), least, np.asarray(error))
