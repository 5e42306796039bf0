"""The blenders, one decorated function each, and the nested score of a blend."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from kagglekit.diversity import error_correlation
from kagglekit.errors import KKError
from kagglekit.greedy import greedy_weights
from kagglekit.metrics import Metric, check_metric, tied_ranks
from kagglekit.noise import bootstrap, cv_se, missing_rows, paired_row_se
from kagglekit.registry import Registry

Array = np.ndarray

PARTS = 5  # a single fold is cut in so many parts, or no row would be left to fit weights on


@dataclass(frozen=True, slots=True)
class Blender:
    """`function(y, oof, metric)` gives one weight a model (at least 0, sum 1) from oof as models x rows [x classes].

    `order` is its place from simple to involved; `ranks`: it averages ranks; `needs`: the metrics it is tried for ("" all).
    """

    name: str
    function: Callable[[Array, Array, Metric], Array]
    order: int
    ranks: bool = False
    needs: str = ""


REGISTRY: Registry[Blender] = Registry("blender", make=Blender, home="kagglekit.blenders", group="kagglekit.blenders")


@REGISTRY.register("mean", order=0)
def mean(y: Array, oof: Array, metric: Metric) -> Array:
    """Equal weights.

    >>> mean(np.zeros(1), np.zeros((4, 1)), check_metric("rmse")).tolist()
    [0.25, 0.25, 0.25, 0.25]
    """
    return np.full(len(oof), 1 / len(oof))


@REGISTRY.register("rank-mean", order=1, ranks=True, needs="rank")
def rank_mean(y: Array, oof: Array, metric: Metric) -> Array:
    """Equal weights on ranks, for scores of different scales."""
    return mean(y, oof, metric)


@REGISTRY.register("greedy", order=2)
def greedy(y: Array, oof: Array, metric: Metric) -> Array:
    """Caruana's greedy selection with replacement."""
    return greedy_weights(y, oof, metric)


@dataclass(frozen=True, slots=True)
class Blend:
    """A blend and what it is worth. Scores are means of fold scores, in the metric's own direction.

    `nested` is the score: the weights for a fold are fitted on the rows of the other folds. `in_sample` is what the same rows say
    about the final weights, too good by construction. gain (positive is better) is nested against the best single model, with
    gain_se paired by row or group. None: not nested. `oof` has NaN where not scored; `dropped` rows lacked a prediction.
    """

    weights: Array
    nested: float | None
    nested_se: float | None
    in_sample: float
    blender: str
    oof: Array
    per_fold: list[float]
    best_single: float
    best_single_index: int
    equal_weights: float
    gain: float | None
    gain_se: float | None
    dropped: int
    space: str

    def predict(self, test: Array) -> Array:
        """The blend of models x rows [x classes]."""
        return _combine(self.weights, np.asarray(test), self.space)


@dataclass(frozen=True, slots=True)
class Marginal:
    """What model `index` adds to the nested blend (positive is better), with a 95 % interval: keep, drop or undecided."""

    index: int
    value: float
    low: float
    high: float
    verdict: str


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows that are scored: a fold is `parts[k]`, row numbers in y and oof; `kept` are their numbers outside."""

    y: Array
    oof: Array
    metric: Metric
    parts: list[Array]
    groups: Array | None
    kept: Array
    total: int
    dropped: int
    one_fold: bool


SPACES: dict[str, tuple[Callable[[Array], Array], Callable[[Array], Array]]] = {
    "value": (np.asarray, np.asarray),
    "log": (np.log1p, np.expm1),  # squared error of the logarithm is least for the mean of the logarithms
    # Rounded, so that equal sums of ranks stay ties in any order of the models.
    "rank": (lambda oof: np.stack([tied_ranks(one) / len(one) for one in oof]), lambda blended: np.round(blended, 12)),
}


def space_of(metric: Metric, ranks: bool = False) -> str:
    """Where predictions are averaged: their values, their logarithms or their ranks."""
    return "rank" if ranks else "log" if metric.name == "rmsle" else "value"


def combine(weights: Array, predictions: Array, metric: Metric | str, *, ranks: bool = False) -> Array:
    """Weighted mean of models x rows [x classes]; of log1p for RMSLE, of ranks where asked for.

    >>> combine([0.5, 0.5], np.array([[1.0, 3.0], [3.0, 5.0]]), "rmse").tolist()
    [2.0, 4.0]
    """
    return _combine(np.asarray(weights, float), np.asarray(predictions), space_of(check_metric(metric), ranks))


def _combine(weights: Array, predictions: Array, space: str) -> Array:
    if len(weights) != len(predictions):
        raise KKError(f"there are {len(weights)} weights and predictions of {len(predictions)} models",
                      "Give the same models in the same order")
    used, (there, back) = np.flatnonzero(weights), SPACES[space]
    return back(np.tensordot(weights[used], there(predictions[used]), 1))


# Outside code calls it with these names; hence eight parameters.
def blend(y: Array, oof: Array, folds: Array | None, metric: Metric | str = "auc", method: str = "auto", nested: bool = True,
          groups: Array | None = None, *, decide: Callable[[Array], Array] | None = None) -> Blend:
    """The weights of a blend, and its nested score; oof is models x rows [x classes], folds one fold a row (-1: not scored).

    `decide` turns blended probabilities or values into what the metric takes (labels), after blending. "auto" takes the blender
    with the best nested score, a simpler one where it is within 0.1 SE over rows.

    >>> random = np.random.default_rng(0)
    >>> y = random.normal(size=1000)
    >>> found = blend(y, y + random.normal(size=(3, 1000)), np.arange(1000) % 5, "rmse")
    >>> round(found.nested, 2), found.gain > 5 * found.gain_se
    (0.58, True)
    """
    rows = prepare(y, oof, folds, metric, groups=groups, decide=decide)
    if not nested:
        blender = REGISTRY.get("greedy" if method == "auto" else method)
        return _report(rows, blender, None)
    tried = [(blender, nested_blend(rows, blender)[0]) for blender in candidates(method, rows.metric)]
    return _report(rows, *_choose(rows, tried))


def candidates(method: str, metric: Metric) -> list[Blender]:
    """The blenders that a method stands for, the simple ones first."""
    if method != "auto":
        return [REGISTRY.get(method)]
    known = (REGISTRY.get(name) for name in REGISTRY.names())
    return sorted((one for one in known if one.needs in ("", metric.needs)), key=lambda one: one.order)


def prepare(y: Array, oof: Array, folds: Array | None, metric: Metric | str, *, groups: Array | None = None,
            decide: Callable[[Array], Array] | None = None) -> Rows:
    """Checked rows: those of a fold for which every model has a prediction."""
    y, oof = np.asarray(y), np.asarray(oof)
    oof = oof if np.issubdtype(oof.dtype, np.floating) else oof.astype(float)
    folds = np.zeros(len(y), int) if folds is None else np.asarray(folds)
    if oof.ndim < 2 or oof.shape[1] != len(y) or folds.shape != (len(y),):
        raise KKError(f"y has {len(y)} rows, oof has the shape {oof.shape}, folds {folds.shape}",
                      "Give oof as models x rows [x classes] and one fold a row")
    missing = missing_rows(oof)
    kept = np.flatnonzero((folds >= 0) & ~missing)
    if not len(kept):
        raise KKError("no row has a prediction of every model", "Blend runs of the same folds")
    metric = decided(check_metric(metric), y[kept], oof, decide)
    groups = None if groups is None else np.asarray(groups)[kept]
    used = folds[kept]
    one_fold = len(np.unique(used)) == 1
    if one_fold:
        used = _cut(len(kept), groups)
    parts = [np.flatnonzero(used == fold) for fold in np.unique(used)]
    everything = len(kept) == len(y)
    return Rows(y[kept], oof if everything else oof[:, kept], metric, parts, groups, kept, len(y),
                int(((folds >= 0) & missing).sum()), one_fold)


def _cut(count: int, groups: Array | None) -> Array:
    code = np.arange(count) if groups is None else np.unique(groups, return_inverse=True)[1]
    return (np.random.default_rng(0).permutation(int(code.max()) + 1) % PARTS)[code]


def decided(metric: Metric, y: Array, oof: Array, decide: Callable[[Array], Array] | None) -> Metric:
    """The metric of undecided predictions: for labels the largest class, above one half, or the nearest grade of y."""
    if decide is None:
        if metric.needs != "label":
            return metric
        decide = default_decision(y, oof.ndim == 3)
    return replace(metric, function=lambda truth, p: metric.function(truth, decide(p)),
                   influence=metric.influence and (lambda truth, p: metric.influence(truth, decide(p))))


def default_decision(y: Array, by_class: bool) -> Callable[[Array], Array]:
    """What turns blended numbers into labels where nothing else is said."""
    if by_class:
        return lambda p: p.argmax(axis=1)
    if not np.issubdtype(y.dtype, np.number) and y.dtype != bool:
        raise KKError("text labels cannot be averaged", "Give the labels as codes 0, 1, ... and the probabilities of each class")
    if set(np.unique(y).tolist()) <= {0, 1}:
        return lambda p: (p > 0.5).astype(int)
    low, high = y.min(), y.max()
    return lambda p: np.clip(np.rint(p), low, high)


def nested_blend(rows: Rows, blender: Blender) -> tuple[Array, Array]:
    """The blend of each fold with weights from the rows of all other folds, and these weights (folds x models)."""
    space, blended, by_fold = space_of(rows.metric, blender.ranks), None, []
    for part in rows.parts:
        others = np.ones(len(rows.y), bool)
        others[part] = False
        by_fold.append(_fit(blender, rows.y[others], rows.oof[:, others], rows.metric))
        one = _combine(by_fold[-1], rows.oof[:, part], space)
        if blended is None:
            blended = np.empty((len(rows.y), *one.shape[1:]))
        blended[part] = one
    return blended, np.array(by_fold)


def _fit(blender: Blender, y: Array, oof: Array, metric: Metric) -> Array:
    if space_of(metric) == "value":
        return blender.function(y, oof, metric)
    there, back = SPACES[space_of(metric)]
    if metric is check_metric(metric.name):
        inside = check_metric("rmse")  # which is what RMSLE is there
    else:  # a decision comes in between
        inside = replace(metric, function=lambda truth, p: metric.function(back(truth), back(p)))
    return blender.function(there(y), there(oof), inside)


def fold_scores(rows: Rows, blended: Array) -> Array:
    """Score of each fold."""
    return np.array([rows.metric(rows.y[part], blended[part]) for part in rows.parts])


def gap_se(rows: Rows, one: Array, other: Array) -> float:
    """Standard error of the gap of two blends' fold-mean scores, paired by row or group."""
    if rows.metric.influence is None:
        draws = bootstrap(rows.y, np.stack([one, other]), rows.metric, groups=rows.groups)
        return float((draws[0] - draws[1]).std(ddof=1))
    return paired_row_se(contributions(rows, one) - contributions(rows, other), rows.groups)


def contributions(rows: Rows, blended: Array) -> Array:
    """Each row's share in the error of the fold-mean score, by its influence."""
    shares = np.empty(len(rows.y))
    for part in rows.parts:
        shares[part] = rows.metric.influence(rows.y[part], blended[part]) / (len(part) * len(rows.parts))
    return shares


def _choose(rows: Rows, tried: list[tuple[Blender, Array]]) -> tuple[Blender, Array]:
    scores = [rows.metric.sign * fold_scores(rows, blended).mean() for _, blended in tried]
    best = int(np.argmax(scores))
    for place, (blender, blended) in enumerate(tried[:best]):
        if scores[best] - scores[place] <= 0.1 * gap_se(rows, tried[best][1], blended):
            return blender, blended
    return tried[best]


def _report(rows: Rows, blender: Blender, nested: Array | None) -> Blend:
    weights = _fit(blender, rows.y, rows.oof, rows.metric)
    space = space_of(rows.metric, blender.ranks)
    fitted = np.empty(rows.oof.shape[1:])
    for part in rows.parts:
        fitted[part] = _combine(weights, rows.oof[:, part], space)
    singles = np.array([fold_scores(rows, one).mean() for one in rows.oof])
    best = int(np.argmax(rows.metric.sign * singles))
    equal = REGISTRY.get("mean")
    averaged = _combine(equal.function(rows.y, rows.oof, rows.metric), rows.oof, space_of(rows.metric))
    blended = fitted if nested is None else nested
    scores = fold_scores(rows, blended)
    score = None if nested is None else float(scores.mean())
    whole = np.full((rows.total, *blended.shape[1:]), np.nan)
    whole[rows.kept] = blended
    return Blend(
        weights=weights, nested=score, nested_se=None if nested is None else _score_se(rows, blended, scores),
        in_sample=float(fold_scores(rows, fitted).mean()), blender=blender.name, oof=whole, per_fold=scores.tolist(),
        best_single=float(singles[best]), best_single_index=best, equal_weights=float(fold_scores(rows, averaged).mean()),
        gain=None if score is None else float(rows.metric.sign * (score - singles[best])),
        gain_se=None if score is None else gap_se(rows, nested, rows.oof[best]), dropped=rows.dropped, space=space)


def _score_se(rows: Rows, blended: Array, scores: Array) -> float:
    if not rows.one_fold:
        return float(cv_se(scores, 1 / (len(scores) - 1)).se[0, 0])
    if rows.metric.influence is None:
        return float(bootstrap(rows.y, blended[None], rows.metric, groups=rows.groups).std(ddof=1))
    return paired_row_se(contributions(rows, blended), rows.groups)


def marginal(y: Array, oof: Array, folds: Array, metric: Metric | str, method: str = "auto", *, groups: Array | None = None,
             decide: Callable[[Array], Array] | None = None) -> list[Marginal]:
    """What each model adds to the nested blend: its score minus that of the blend without it, weights refitted.

    The interval is paired by row (group): for fixed predictions it is, to first order, that of the paired bootstrap.

    >>> random = np.random.default_rng(0)
    >>> y = random.normal(size=500)
    >>> oof = y + np.array([[0.5], [0.5], [9.0]]) * random.normal(size=(3, 500))
    >>> [one.verdict for one in marginal(y, oof, np.arange(500) % 5, "rmse", "mean")]
    ['keep', 'keep', 'drop']
    """
    rows = prepare(y, oof, folds, metric, groups=groups, decide=decide)
    tried = candidates(method, rows.metric)
    nested = {one.name: nested_blend(rows, one) for one in tried}
    blender, everything = _choose(rows, [(one, nested[one.name][0]) for one in tried])
    used = nested[blender.name][1].any(axis=0)
    score = fold_scores(rows, everything).mean()
    copies = {model for pair in _near_copies(rows) for model in pair}
    if len(rows.oof) == 1:
        return [Marginal(0, float("nan"), float("nan"), float("nan"), "undecided")]
    found = []
    for model in range(len(rows.oof)):
        value, se = 0.0, 0.0  # of a model that no fold gives a weight: the blend without it is the same
        if used[model]:
            without, _ = nested_blend(replace(rows, oof=np.delete(rows.oof, model, axis=0)), blender)
            value = float(rows.metric.sign * (score - fold_scores(rows, without).mean()))
            se = gap_se(rows, everything, without)
        found.append(Marginal(model, value, value - 1.96 * se, value + 1.96 * se, _keep(value, se, model in copies)))
    return found


def _near_copies(rows: Rows) -> list[tuple[int, int]]:
    if rows.metric.needs == "label":  # by the probabilities or values behind the labels
        return error_correlation(rows.y, rows.oof, "mlogloss" if rows.oof.ndim == 3 else "rmse").near_copies
    return error_correlation(rows.y, rows.oof, rows.metric).near_copies


def _keep(value: float, se: float, has_copy: bool) -> str:
    if value - 1.96 * se > 0:
        return "keep"
    if value + 1.96 * se < 0 or (has_copy and abs(value) <= se / 4):
        return "drop"
    return "undecided"
