"""blend: weights for predictions out of fold, and the score that they are worth."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from kagglekit.blenders.averages import equal
from kagglekit.blenders.base import REGISTRY, Blender, Fit, weighted
from kagglekit.blenders.case import Rows
from kagglekit.blenders.decision import Decider, Decision, decider_of
from kagglekit.blenders.nested import Nested, chosen_single, gap_se, gathered, nested, own_se, part_scores, predicted, said_by
from kagglekit.blenders.prepare import prepare
from kagglekit.blenders.several import blend_columns, by_column
from kagglekit.errors import KKError
from kagglekit.kernels.auc import rank01
from kagglekit.metrics import Metric, check_metric
from kagglekit.noise import cv_se
from kagglekit.progress import task

Array = np.ndarray
CLOSE = 0.1  # a simpler blender wins within so many standard errors over rows


@dataclass(frozen=True, slots=True)
class Blend:
    """A blend and what it is worth. Scores are means of fold scores, in the metric's own direction.

    `nested` is the score: weights, cuts and, with auto, the choice of the blender for a fold come from the other folds. `in_sample` is
    what the same rows say about the final weights, too good by construction; `optimism` is how much. gain (positive is better) is nested
    against the best single model, with gain_se paired by row or group; best_single was chosen on these rows, `best_single_nested` is
    what choosing it on the other folds gives. By time the first fold only serves to fit. None: not nested. `oof` has NaN where not
    scored; `dropped` rows lacked a prediction. `tried`: the nested score of each blender. `details`: what else was fitted (intercept,
    temperature, cuts).
    """

    weights: Array | None
    nested: float | None
    nested_se: float | None
    in_sample: float
    optimism: float | None
    blender: str
    oof: Array
    per_fold: list[float]
    best_single: float
    best_single_index: int
    best_single_nested: float | None
    equal_weights: float
    gain: float | None
    gain_se: float | None
    dropped: int
    tried: Mapping[str, float] = field(default_factory=dict)
    details: Mapping[str, object] = field(default_factory=dict)
    fit: Fit | None = None
    decision: Decision | None = None
    models: int = 0
    ranked: bool = False

    def predict(self, test: Array) -> Array:
        """The blend of models x rows [x classes]: probabilities or numbers, before labels are decided.

        Raises KKError for predictions of another form than those that were blended, and for gaps.
        """
        assert self.fit is not None
        test = np.asarray(test)
        if test.ndim != self.oof.ndim + 1 or len(test) != self.models or test.shape[2:] != self.oof.shape[1:]:
            raise KKError(f"the blend is of {self.models} models and predictions of the shape {test.shape} were given",
                          "Give the same models in the same order, models x rows [x classes]")
        if np.isnan(test).any():
            raise KKError(f"{int(np.isnan(test).any(axis=tuple(range(1, test.ndim))).sum())} models have gaps (NaN) in their predictions",
                          "Fill them, or blend without these models")
        return np.asarray(self.fit.predict(rank01(test) if self.ranked else test))

    def labels(self, blended: Array) -> Array:
        """What the metric takes of blended predictions, by the cuts that were fitted on all rows."""
        assert self.decision is not None
        return np.asarray(self.decision.labels(blended))


# Outside code calls it with these names; hence so many parameters.
def blend(y: Array, oof: Array, folds: Array | None, metric: Metric | str = "auc", method: str = "auto", nested: bool = True,
          groups: Array | None = None, *, decide: Callable[[Array], Array] | None = None, classes: Sequence[object] = (),
          earlier: bool = False, names: Sequence[str] = ()) -> Blend:
    """The weights of a blend, and its nested score; oof is models x rows [x classes], folds one fold a row (-1: not scored).

    y: class codes 0.., or labels (of `classes`, default: in order), or numbers; `names` are the models' in errors. "auto" tries every
    blender that suits and takes the one with the best nested score, a simpler one within 0.1 standard error. `earlier`: folds are blocks
    of time, weights see earlier ones only. `decide` turns blended numbers into labels where the fitted cuts are not wanted. Of several
    targets (y is rows x targets, oof models x rows x targets) or quantiles each column has its own weights. Raises KKError for what
    cannot be blended.

    >>> random = np.random.default_rng(0)
    >>> y = random.normal(size=1000)
    >>> found = blend(y, y + random.normal(size=(3, 1000)), np.arange(1000) % 5, "rmse", method="convex")
    >>> round(found.nested, 2), found.gain > 5 * found.gain_se
    (0.58, True)
    """
    known = check_metric(metric)
    if by_column(known, y, oof):
        vector = np.zeros(len(y), int) if folds is None else np.asarray(folds)
        return blend_columns(blend, np.asarray(y), np.asarray(oof), vector, known, method, nested, groups, earlier, names)
    rows = prepare(y, oof, folds, metric, groups=groups, classes=classes, earlier=earlier, names=names)
    decider = _fixed(decide) if decide is not None else decider_of(rows.metric, rows.kind, classes, rows.truth)
    if not nested:
        return _report(rows, REGISTRY.get("greedy" if method == "auto" else method), None, decider, {})
    tried = try_all(rows, candidates(method, rows), decider)
    chosen = choose(rows, tried)
    return _report(rows, chosen.blender, as_chosen(rows, tried, decider), decider, {one.blender.name: one.score for one in tried})


def _fixed(decide: Callable[[Array], Array]) -> Decider:
    return lambda blended, truth, metric: Decision(decide)


def candidates(method: str, rows: Rows) -> list[Blender]:
    """The blenders that a method stands for, the simple ones first."""
    if method != "auto":
        return [REGISTRY.get(method)]
    known = (REGISTRY.get(name) for name in REGISTRY.names())
    last = len(rows.parts) - 1
    case = rows.without(last) if rows.earlier or last < 2 else rows.apart_from(last, last - 1)  # the smallest that a choice is fitted on
    found = sorted((one for one in known if one.is_tried(case)), key=lambda one: one.order)
    return found[:1] if len(rows.oof) == 1 else found


def try_all(rows: Rows, blenders: Sequence[Blender], decider: Decider) -> list[Nested]:
    """The nested blend of each."""
    found = []
    with task("blending", total=len(blenders), unit="blenders") as work:
        for one in blenders:
            found.append(nested(rows, one, decider))
            work.advance(note=one.name)
    return found


def choose(rows: Rows, tried: Sequence[Nested]) -> Nested:
    """The best nested score; a simpler blender where it is within 0.1 standard error."""
    scores = np.array([rows.metric.sign * one.score for one in tried])
    best = int(np.argmax(scores))
    for one, score in zip(tried[:best], scores[:best], strict=True):
        if scores[best] - score <= CLOSE * gap_se(rows, tried[best].said, one.said):
            return one
    return tried[best]


def as_chosen(rows: Rows, tried: Sequence[Nested], decider: Decider) -> Nested:
    """The blend as it would have been chosen without a part's labels: each part from the blender that is best on the others.

    The scores that choose for part k come from fits that have seen neither k nor the part that they are scored on: a fit on k's labels
    does well elsewhere where the luck of both parts agrees, and would do well on k for the same reason (as in nested cross-validation,
    Varma & Simon 2006). By time the earlier parts' scores are such by themselves. With two parts nothing is left to choose on, and the
    simplest is taken.
    """
    if len(tried) == 1:
        return tried[0]
    sign, places = rows.metric.sign, range(len(rows.judged))
    own = sign * np.stack([one.scores for one in tried])
    if rows.earlier:
        picks = [int(np.argmax(own[:, :place].mean(axis=1))) if place else 0 for place in places]
    elif len(rows.parts) < 3:
        picks = [0] * len(rows.parts)
    else:
        without = sign * np.stack([_scores_apart(rows, one.blender, decider) for one in tried])  # blenders x part left out x part scored
        picks = [int(np.argmax(np.delete(without[:, place], place, axis=1).mean(axis=1))) for place in places]
    parts = [(tried[pick].blended[rows.parts[number]], tried[pick].said[rows.parts[number]])
             for pick, number in zip(picks, rows.judged, strict=True)]
    return gathered(rows, tried[picks[0]].blender, parts, [tried[pick].weights[place] for pick, place in zip(picks, places, strict=True)])


def _scores_apart(rows: Rows, blender: Blender, decider: Decider) -> Array:
    """float64[parts, parts]: at [k, j] the score on part j of the fit that has seen neither k nor j."""
    count = len(rows.parts)
    found = np.zeros((count, count))
    for k in range(count):
        for j in range(k):
            case = rows.apart_from(k, j)
            for left, scored in ((k, j), (j, k)):
                said = predicted(rows, blender, decider, case, scored)[1]
                found[left, scored] = rows.metric(rows.truth[rows.parts[scored]], said)
    return found


def _report(rows: Rows, blender: Blender, judged: Nested | None, decider: Decider, tried: Mapping[str, float]) -> Blend:
    case = rows.whole()
    fit = blender.fit(case)
    fitted = np.asarray(fit.predict(case.oof), dtype=np.float64)
    decision = decider(fitted, rows.truth, rows.metric)
    in_sample = float(part_scores(rows, np.asarray(decision.labels(fitted))).mean())
    singles, best_said = _singles(rows, decider)
    best = int(np.argmax(rows.metric.sign * singles.mean(axis=1)))
    averaged = said_by(rows, np.asarray(weighted(case, equal(case)).predict(case.oof), dtype=np.float64), decider)
    score = None if judged is None else judged.score
    whole = np.full((rows.total, *fitted.shape[1:]), np.nan)
    whole[rows.kept] = fitted if judged is None else judged.blended
    sign, scores = rows.metric.sign, part_scores(rows, np.asarray(decision.labels(fitted))) if judged is None else judged.scores
    return Blend(
        weights=fit.weights, nested=score, nested_se=None if judged is None else _score_se(rows, judged), in_sample=in_sample,
        optimism=None if score is None else sign * (in_sample - score), blender=blender.name, oof=whole, per_fold=scores.tolist(),
        best_single=float(singles[best].mean()), best_single_index=best, best_single_nested=chosen_single(rows.metric, singles),
        equal_weights=float(part_scores(rows, averaged).mean()), gain=None if score is None else sign * (score - float(singles[best].mean())),
        gain_se=None if judged is None else gap_se(rows, judged.said, best_said(best)), dropped=rows.dropped, tried=tried,
        details={**fit.details, **decision.details}, fit=fit, decision=decision, models=len(rows.oof), ranked=rows.ranked)


def _singles(rows: Rows, decider: Decider) -> tuple[Array, Callable[[int], Array]]:
    """Scores of each model alone, models x parts, and a way to what it said."""

    def said(model: int) -> Array:
        return said_by(rows, np.asarray(rows.oof[model], dtype=np.float64), decider)

    return np.stack([part_scores(rows, said(model)) for model in range(len(rows.oof))]), said


def _score_se(rows: Rows, judged: Nested) -> float:
    if rows.one_fold or len(judged.scores) < 2:
        return own_se(rows, judged.said)
    return float(cv_se(judged.scores, 1 / (len(judged.scores) - 1)).se[0, 0])
