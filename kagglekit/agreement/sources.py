"""Noise where the usual source lacks: one fold, or a typed-in table without fold scores and rows."""

import math
from dataclasses import dataclass

import numpy as np

from kagglekit.errors import KKError
from kagglekit.metrics import Metric
from kagglekit.noise import CvNoise, lb_se, lookup_se

Array = np.ndarray

TABLE_ROWS = (1_000, 10_000)  # public rows to answer for where their number is not known
FEWEST_TYPED = 8  # models of a table without cv_se below which it is never said to track
FLOOR = 0.5  # of the public noise: the least that the moments of a small table may leave to CV


@dataclass(frozen=True, slots=True)
class TableNoise:
    """Paired standard errors (single ones on the diagonal) of a typed-in table; `may_track`: a "tracks" may rest on them."""

    se_cv: Array
    se_lb: Array
    df: float
    may_track: bool
    source: str


def one_fold_se(y: Array, oof: Array, metric: Metric, groups: Array | None = None) -> CvNoise:
    """Standard errors of local scores over the scored rows, where folds are too few to tell: a lower bound, for it leaves out training.

    y, oof (models x rows [x classes]), metric and groups as lb_se takes them.

    >>> from kagglekit.metrics import check_metric
    >>> y = np.tile([0.0, 1.0], 50)
    >>> noise = one_fold_se(y, np.stack([y * 0.9, y * 0.8]), check_metric("mae"))
    >>> round(float(noise.se[0, 1]), 4), noise.df
    (0.005, inf)
    """
    scored = len(np.asarray(y)) - int(_missing(oof).sum())
    if scored == 0:
        raise KKError("no row has a prediction of every model", "Compare runs of the same folds")
    return CvNoise(lb_se(y, oof, metric, scored, groups=groups).se, math.inf)


def _missing(oof: Array) -> Array:
    from kagglekit.noise import missing_rows
    return missing_rows(np.asarray(oof))


def table_noise(cv: Array, lb: Array, metric: str, n_public: float, cv_se: Array | None = None, spread: float = 1.0) -> TableNoise:
    """Noise of a table: public from typical values at n_public rows, CV as given (`cv_se`, single), by moments or as the public one.

    Moments: var(cv) - cov(cv, lb), from 8 models, at least half the public noise. `spread` as in lookup_se. Below 8 models without
    cv_se the verdict is never "tracks". Where n_public is not known, answer for each of TABLE_ROWS.

    >>> noise = table_noise(np.array([0.80, 0.81, 0.82]), np.array([0.79, 0.80, 0.82]), "auc", 2000)
    >>> noise.may_track, float(noise.se_lb[0, 1]), float(noise.se_cv[0, 1])
    (False, 0.0037, 0.0037)
    """
    cv, lb = np.asarray(cv, float), np.asarray(lb, float)
    single, paired = lookup_se(metric, n_public, spread)
    se_lb = _grid(len(cv), paired, single)
    if cv_se is not None and np.isfinite(cv_se).all():
        own = np.asarray(cv_se, float)
        # Models share folds: a gap is less noisy than two scores by what their public noise shares.
        shared = max(0.0, 1 - (paired / single) ** 2 / 2)
        se_cv = np.sqrt(np.maximum(own[:, None] ** 2 + own**2 - 2 * shared * own[:, None] * own, 0))
        np.fill_diagonal(se_cv, own)
        return TableNoise(se_cv, se_lb, math.inf, True, "cv_se of the table; public noise from typical values")
    if len(cv) >= FEWEST_TYPED:
        moment = max(float(np.var(cv, ddof=1) - np.cov(cv, lb)[0, 1]), (FLOOR * paired) ** 2 / 2)
        return TableNoise(_grid(len(cv), math.sqrt(2 * moment), math.sqrt(moment)), se_lb, math.inf, True,
                          "noise of CV by moments; public noise from typical values")
    return TableNoise(se_lb.copy(), se_lb, math.inf, False, "noise of CV taken as large as the public one, from typical values")


def _grid(models: int, paired: float, single: float) -> Array:
    matrix = np.full((models, models), paired)
    np.fill_diagonal(matrix, single)
    return matrix
