"""Which kind of model to add next: another family, more seeds, or features."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kagglekit.diversity.report import ErrorCorrelation

Array = np.ndarray
APART = 0.02  # families err differently where their members correlate so much more among themselves


@dataclass(frozen=True, slots=True)
class Next:
    """`kind` is family, any or seeds; `within` and `between`: mean correlation inside and across families, None where there is none.

    seed_gain: the most that more seeds of the near copies of one family can save of their mean square error, as a share of it.
    """

    kind: str
    why: str
    within: float | None
    between: float | None
    seed_gain: float | None


def next_model(errors: ErrorCorrelation, families: Sequence[str]) -> Next:
    """What to add, from the families of the models ("" where it is not known).

    Another family where there is one only, or where families err alike inside and differently across (by more than 0.02); else any model
    that errs differently. Seeds only remove the spread of one model around its own mean: of k near copies whose errors differ by d, mean
    d^2 / 2 of variance, averaging forever saves that over k.

    >>> from kagglekit.diversity import error_correlation
    >>> random = np.random.default_rng(0)
    >>> shared = random.normal(size=(2, 4000))
    >>> oof = shared[[0, 0, 1]] + 0.3 * random.normal(size=(3, 4000))
    >>> next_model(error_correlation(np.zeros(4000), oof, "rmse"), ["lgbm", "lgbm", "linear"]).kind
    'family'
    """
    known = [model for model, family in enumerate(families) if family]
    names = {families[model] for model in known}
    same, other = _pairs(errors.matrix, families, known)
    within, between = (float(np.mean(found)) if found else None for found in (same, other))
    seeds = _seed_gain(errors, families)
    if len(names) == 1 and len(known) > 1:
        return Next("family", f"all are {names.pop()}", within, between, seeds)
    if within is not None and between is not None and within > between + APART:
        return Next("family", f"errors correlate {within:.3f} within a family, {between:.3f} across", within, between, seeds)
    if within is not None and between is not None:
        return Next("any", f"errors correlate as much across families ({between:.3f}) as within ({within:.3f})", within, between, seeds)
    return Next("any", "", within, between, seeds)


def _pairs(matrix: Array, families: Sequence[str], known: Sequence[int]) -> tuple[list[float], list[float]]:
    same, other = [], []
    for place, i in enumerate(known):
        for j in known[place + 1:]:
            (same if families[i] == families[j] else other).append(float(matrix[i, j]))
    return same, other


def _seed_gain(errors: ErrorCorrelation, families: Sequence[str]) -> float | None:
    """Of the largest cluster of near copies of one family; None where the measure has no mean square error, or there is none."""
    clusters = [cluster for cluster in errors.clusters if len(cluster) > 1 and len({families[one] for one in cluster} - {""}) == 1]
    if not clusters or not errors.measure.endswith("residuals") or errors.measure.startswith("rank"):
        return None
    cluster = max(clusters, key=len)
    inside = errors.products[np.ix_(cluster, cluster)]
    own = float(np.trace(inside)) / len(cluster)
    cross = (float(inside.sum()) - own * len(cluster)) / (len(cluster) * (len(cluster) - 1))
    return max(own - cross, 0.0) / len(cluster) / own if own > 0 else None
