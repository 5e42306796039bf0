"""The nested score: a fold is predicted by a blend, and decided by cuts, that were fitted without it."""

from dataclasses import dataclass, field

import numpy as np

from kagglekit.blenders.averages import equal
from kagglekit.blenders.base import Blender, Fit, weighted
from kagglekit.blenders.case import Case, Rows, View
from kagglekit.blenders.decision import Decider
from kagglekit.metrics import Metric
from kagglekit.noise import bootstrap, paired_row_se

Array = np.ndarray


@dataclass(frozen=True)
class Nested:
    """A blender over the parts: `blended` float64[rows, ...] and `said` what the metric took, both made without a row's own part.

    Only rows of parts that are judged hold something. scores: float64[judged parts]; weights: one array a judged part, None where the blend
    has none.
    """

    blender: Blender
    blended: Array
    said: Array
    scores: Array
    weights: list[Array | None] = field(default_factory=list)

    @property
    def score(self) -> float:
        """Mean over the parts that are judged."""
        return float(self.scores.mean())


def nested(rows: Rows, blender: Blender, decider: Decider) -> Nested:
    """Fit and decide on the other parts; where parts are ordered by time on the earlier ones, so that the first is not judged."""
    found = [predicted(rows, blender, decider, rows.without(number), number) for number in rows.judged]
    return gathered(rows, blender, [one[:2] for one in found], [one[2] for one in found])


def predicted(rows: Rows, blender: Blender, decider: Decider, case: Case, number: int) -> tuple[Array, Array, Array | None]:
    """(blended, what the metric takes, weights) of a part by the fit on a case."""
    fit = fit_for(rows, blender, case)
    blended = np.asarray(fit.predict(View(rows.oof, rows.parts[number])), dtype=np.float64)
    return blended, decided(rows, decider, case, fit, blended), fit.weights


def decided(rows: Rows, decider: Decider, case: Case, fit: Fit, blended: Array) -> Array:
    """What the metric takes, by cuts that are fitted on the rows that the blend was fitted on."""
    from kagglekit.blenders.decision import as_is

    if decider is as_is:
        return blended
    seen = np.asarray(fit.predict(case.oof), dtype=np.float64)
    return np.asarray(decider(seen, case.truth, rows.metric).labels(blended))


def gathered(rows: Rows, blender: Blender, parts: list[tuple[Array, Array]], weights: list[Array | None]) -> Nested:
    """The parts' predictions as one Nested."""
    blended = np.full((len(rows.y), *parts[0][0].shape[1:]), np.nan)
    said = np.zeros((len(rows.y), *parts[0][1].shape[1:]), dtype=np.result_type(*(one[1] for one in parts)))
    for number, (values, told) in zip(rows.judged, parts, strict=True):
        blended[rows.parts[number]], said[rows.parts[number]] = values, told
    return Nested(blender, blended, said, part_scores(rows, said), weights)


def fit_for(rows: Rows, blender: Blender, case: Case) -> Fit:
    """The blend for a part, fitted on what it may see; equal weights where too little lies before it."""
    if rows.earlier and case.n < blender.rows * case.models:
        return weighted(case, equal(case))
    return blender.fit(case)


def said_by(rows: Rows, blended: Array, decider: Decider) -> Array:
    """What the metric takes of predictions that were not fitted (a single model): each part decided by what its blend may see."""
    from kagglekit.blenders.decision import as_is

    if decider is as_is:
        return blended
    told = []
    for number in rows.judged:
        seen = rows.without(number).rows
        told.append(np.asarray(decider(blended[seen], rows.truth[seen], rows.metric).labels(blended[rows.parts[number]])))
    found = np.zeros((len(rows.y), *told[0].shape[1:]), dtype=np.result_type(*told))
    for number, one in zip(rows.judged, told, strict=True):
        found[rows.parts[number]] = one
    return found


def part_scores(rows: Rows, said: Array) -> Array:
    """float64[judged parts]: the score of each part."""
    return np.array([rows.metric(rows.truth[part], said[part]) for part in (rows.parts[number] for number in rows.judged)])


def chosen_single(metric: Metric, singles: Array) -> float | None:
    """What the best single model is worth where the other parts choose it; singles are models x parts, None where there is one part."""
    if singles.shape[1] < 2:
        return None
    table = metric.sign * singles
    others = (table.sum(axis=1, keepdims=True) - table) / (table.shape[1] - 1)  # models that are fixed: nothing was fitted on a part
    return float(np.mean(singles[np.argmax(others, axis=0), np.arange(singles.shape[1])]))


def contributions(rows: Rows, said: Array) -> Array:
    """float64[rows]: each row's share in the error of the mean score, by its influence; sums of squares are variances."""
    shares = np.zeros(len(rows.y))
    for part in (rows.parts[number] for number in rows.judged):
        shares[part] = rows.metric.influence(rows.truth[part], said[part]) / (len(part) * len(rows.judged))
    return shares


def gap_se(rows: Rows, one: Array, other: Array) -> float:
    """Standard error of the gap between two mean scores over fixed predictions, paired by row (by group, where that is larger)."""
    if rows.metric.influence is None:
        draws = _drawn(rows, np.stack([one, other]))
        return float((draws[0] - draws[1]).std(ddof=1))
    return paired_row_se(contributions(rows, one) - contributions(rows, other), rows.groups)


def own_se(rows: Rows, said: Array) -> float:
    """Standard error of one mean score over fixed predictions, by row or group."""
    if rows.metric.influence is None:
        return float(_drawn(rows, said[None]).std(ddof=1))
    return paired_row_se(contributions(rows, said), rows.groups)


def _drawn(rows: Rows, said: Array) -> Array:
    judged = np.concatenate([rows.parts[number] for number in rows.judged])
    groups = None if rows.groups is None else rows.groups[judged]
    return bootstrap(rows.truth[judged], said[:, judged], rows.metric, groups=groups)
