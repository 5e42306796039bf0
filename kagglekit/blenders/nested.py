"""The nested score: a fold is predicted by a blend, and decided by cuts, that were fitted without it."""

from dataclasses import dataclass, field

import numpy as np

from kagglekit.blenders.averages import equal
from kagglekit.blenders.base import Blender, Fit, weighted
from kagglekit.blenders.case import Case, Rows, View
from kagglekit.blenders.decision import Decider
from kagglekit.noise import bootstrap, paired_row_se

Array = np.ndarray


@dataclass(frozen=True)
class Nested:
    """A blender over the parts: `blended` float64[rows, ...] and `said` what the metric took, both made without a row's own part.

    scores: float64[parts], the score of each; weights: one array a part, None where the blend has none.
    """

    blender: Blender
    blended: Array
    said: Array
    scores: Array
    weights: list[Array | None] = field(default_factory=list)

    @property
    def score(self) -> float:
        """Mean over the parts."""
        return float(self.scores.mean())


def nested(rows: Rows, blender: Blender, decider: Decider) -> Nested:
    """Fit and decide on the other parts: the earlier ones where these are ordered by time, with equal weights while these are too few."""
    blended: Array | None = None
    said: Array | None = None
    scores, weights = np.empty(len(rows.parts)), []
    for number, part in enumerate(rows.parts):
        case = rows.without(number)
        fit = fit_for(rows, blender, case)
        one = np.asarray(fit.predict(View(rows.oof, part)), dtype=np.float64)
        told = decide(case, fit, decider, rows)(one)
        if blended is None or said is None:
            blended, said = np.empty((len(rows.y), *one.shape[1:])), np.empty((len(rows.y), *told.shape[1:]), dtype=told.dtype)
        if told.dtype != said.dtype:
            said = said.astype(np.result_type(told, said))
        blended[part], said[part] = one, told
        scores[number] = rows.metric(rows.truth[part], told)
        weights.append(fit.weights)
    assert blended is not None and said is not None
    return Nested(blender, blended, said, scores, weights)


def fit_for(rows: Rows, blender: Blender, case: Case) -> Fit:
    """The blend for a part: fitted on what it may see, or equal weights where too little lies before it."""
    early = not case.seen or (rows.earlier and case.n < blender.rows * case.models)
    return first(rows) if early else blender.fit(case)


def first(rows: Rows) -> Fit:
    """Equal weights, for a part that too little lies before."""
    case = Case(rows, (0,))
    return weighted(case, equal(case))


def decide(case: Case, fit: Fit, decider: Decider, rows: Rows) -> object:
    """The labels' function fitted on the rows that the blend was fitted on; of the first part in time on its own shares of labels."""
    from kagglekit.blenders.decision import as_is

    if decider is as_is:
        return np.asarray
    seen = case if case.seen else Case(rows, (0,))
    return decider(np.asarray(fit.predict(seen.oof), dtype=np.float64), seen.truth, rows.metric).labels


def said_by(rows: Rows, blended: Array, decider: Decider) -> Array:
    """What the metric takes of predictions that were not fitted (a single model): decided on each part by the others."""
    from kagglekit.blenders.decision import as_is

    if decider is as_is:
        return blended
    found: Array | None = None
    for number, part in enumerate(rows.parts):
        seen = rows.without(number).rows if rows.without(number).seen else part
        told = decider(blended[seen], rows.truth[seen], rows.metric).labels(blended[part])
        found = np.empty((len(rows.y), *told.shape[1:]), dtype=told.dtype) if found is None else found
        found[part] = told
    assert found is not None
    return found


def part_scores(rows: Rows, said: Array) -> Array:
    """float64[parts]: the score of each part."""
    return np.array([rows.metric(rows.truth[part], said[part]) for part in rows.parts])


def contributions(rows: Rows, said: Array) -> Array:
    """float64[rows]: each row's share in the error of the mean score, by its influence; sums of squares are variances."""
    shares = np.empty(len(rows.y))
    for part in rows.parts:
        shares[part] = rows.metric.influence(rows.truth[part], said[part]) / (len(part) * len(rows.parts))
    return shares


def gap_se(rows: Rows, one: Array, other: Array) -> float:
    """Standard error of the gap between two mean scores over fixed predictions, paired by row (by group, where that is larger)."""
    if rows.metric.influence is None:
        draws = bootstrap(rows.truth, np.stack([one, other]), rows.metric, groups=rows.groups)
        return float((draws[0] - draws[1]).std(ddof=1))
    return paired_row_se(contributions(rows, one) - contributions(rows, other), rows.groups)


def own_se(rows: Rows, said: Array) -> float:
    """Standard error of one mean score over fixed predictions, by row or group."""
    if rows.metric.influence is None:
        return float(bootstrap(rows.truth, said[None], rows.metric, groups=rows.groups).std(ddof=1))
    return paired_row_se(contributions(rows, said), rows.groups)
