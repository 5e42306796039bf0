"""The points of CV against leaderboard, for a terminal and for a PNG: models with their own noise, anchors, the offset line."""

from dataclasses import dataclass

import numpy as np

from kagglekit.work.findings import offset
from kagglekit.work.scored import Evidence, ScoredModel

Array = np.ndarray
BAND = 2.0  # standard errors beside the offset line within which a gap is noise


@dataclass(frozen=True, slots=True)
class Points:
    """Scores as the competition shows them. err_cv, err_lb: one standard error of what a model does not share with the others.

    public = cv + offset within `band` is noise; `inside` marks the models there. `limits` are (low, high) of CV and of public, around
    the models; anchors that lie beyond are drawn at the edge.
    """

    metric: str
    better: str
    split: str
    models: tuple[ScoredModel, ...]
    anchors: tuple[ScoredModel, ...]
    cv: Array
    lb: Array
    err_cv: Array
    err_lb: Array
    offset: float
    band: float
    inside: Array
    limits: tuple[tuple[float, float], tuple[float, float]]

    def at_edge(self, anchor: ScoredModel) -> tuple[float, float, bool]:
        """Where an anchor is drawn, and whether that is the edge; without a local score it stands on the offset line."""
        (left, right), (low, high) = self.limits
        x = anchor.public - self.offset if anchor.cv is None else anchor.cv
        drawn = (float(np.clip(x, left, right)), float(np.clip(anchor.public, low, high)))
        return *drawn, drawn != (x, anchor.public)


def points_of(evidence: Evidence) -> Points | None:
    """The points to draw; None below two models."""
    if len(evidence.models) < 2:
        return None
    sign = evidence.metric.sign
    cv, lb = sign * evidence.cv, sign * evidence.lb
    err_cv, err_lb = _own(evidence.se_cv), _own(np.sqrt(evidence.se_lb**2 + evidence.rounding**2 / 6))
    middle = offset(evidence)["value"]
    middle = float(np.mean(lb - cv)) if middle is None else middle
    noise = np.hypot(err_cv, err_lb)
    limits = (_around(cv, err_cv), _around(lb, err_lb))
    return Points(evidence.metric.name, "higher" if sign > 0 else "lower", evidence.split, evidence.models, evidence.anchors, cv, lb, err_cv, err_lb,
                  middle, BAND * float(np.median(noise)), np.abs(lb - cv - middle) <= BAND * noise, limits)


def _own(se: Array) -> Array:
    """A model's own part of paired standard errors: the typical gap's, over the square root of 2."""
    paired = np.array(se)
    np.fill_diagonal(paired, np.nan)
    return np.nanmedian(paired, axis=1) / np.sqrt(2)


def _around(values: Array, errors: Array) -> tuple[float, float]:
    low, high = float((values - errors).min()), float((values + errors).max())
    room = 0.08 * (high - low) or 0.01 * abs(high) or 0.01
    return low - room, high + room
