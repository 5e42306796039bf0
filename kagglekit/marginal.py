"""Marginal value: what each model adds to a nested blend, with an interval, and a verdict: keep, drop or undecided."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from kagglekit.blenders.base import REGISTRY, Blender
from kagglekit.blenders.blending import blend, candidates, choose, try_all
from kagglekit.blenders.case import Rows, View
from kagglekit.blenders.decision import Decider, decider_of
from kagglekit.blenders.nested import Nested, decided, fit_for, gap_se, gathered, own_se
from kagglekit.blenders.prepare import prepare
from kagglekit.blenders.several import by_column, columns_gap_se
from kagglekit.diversity import error_correlation
from kagglekit.metrics import Metric, check_metric
from kagglekit.progress import task

Array = np.ndarray
Z = 1.96
FIT_ROWS = 20_000  # weights that sums over rows cannot give are fitted on so many rows
NOTHING = 0.25  # a change of less than so many of its standard errors is none,
TRIFLE = 0.01  # as is one of less than so many of the score's


@dataclass(frozen=True, slots=True)
class Marginal:
    """What model `index` adds to the nested blend (positive is better), with a 95 % interval: keep, drop or undecided."""

    index: int
    value: float
    low: float
    high: float
    verdict: str

    @property
    def se(self) -> float:
        """Standard error of the value, paired by row or group."""
        return (self.high - self.low) / (2 * Z)


def marginal(y: Array, oof: Array, folds: Array | None, metric: Metric | str, method: str = "auto", *, groups: Array | None = None,
             classes: Sequence[object] = (), earlier: bool = False) -> list[Marginal]:
    """What each model adds to the nested blend: its score minus that of the blend without it, weights refitted.

    The interval is paired by row (group): for fixed predictions it is, to first order, that of the paired bootstrap. Keep: the interval
    lies above 0. Drop: it lies below, or the model is a near copy of one with less error and changes nothing (less than a quarter of its
    standard error, or a hundredth of the score's). For squared error leaving out a model strikes a row and a column from one matrix; where
    such sums over rows are not enough, weights are fitted on 20,000 rows at most (with the model and without it), and judged on all. Of several
    targets (y is rows x targets) the columns are blended anew without the model.

    >>> random = np.random.default_rng(0)
    >>> y = random.normal(size=500)
    >>> oof = y + np.array([[0.5], [0.5], [9.0]]) * random.normal(size=(3, 500))
    >>> [one.verdict for one in marginal(y, oof, np.arange(500) % 5, "rmse", "mean")]
    ['keep', 'keep', 'drop']
    """
    if by_column(check_metric(metric), y, oof):
        return _of_columns(np.asarray(y), np.asarray(oof), folds, check_metric(metric), method, groups, earlier)
    rows = prepare(y, oof, folds, metric, groups=groups, classes=classes, earlier=earlier)
    if len(rows.oof) == 1:
        return [Marginal(0, float("nan"), float("nan"), float("nan"), "undecided")]
    decider = decider_of(rows.metric, rows.kind, classes, rows.truth)
    blender = choose(rows, try_all(rows, candidates(method, rows), decider)).blender if method == "auto" else REGISTRY.get(method)
    return _each(rows, blender, decider)


def _of_columns(y: Array, oof: Array, folds: Array | None, metric: Metric, method: str, groups: Array | None, earlier: bool) -> list[Marginal]:
    """Several targets: the blend of all columns, made again without each model."""
    vector = np.zeros(len(y), int) if folds is None else np.asarray(folds)
    if len(oof) == 1:
        return [Marginal(0, float("nan"), float("nan"), float("nan"), "undecided")]
    everything, found = blend(y, oof, vector, metric, method, groups=groups, earlier=earlier), []
    with task("leaving out each model", total=len(oof), unit="models") as work:
        for model in range(len(oof)):
            without = blend(y, np.delete(oof, model, axis=0), vector, metric, method, groups=groups, earlier=earlier)
            assert everything.nested is not None and without.nested is not None
            value = metric.sign * (everything.nested - without.nested)
            se = columns_gap_se(metric, y, everything.oof, without.oof, vector, groups)
            found.append(Marginal(model, value, value - Z * se, value + Z * se, _verdict(value, se, None, 0.0)))
            work.advance()
    return found


def _each(rows: Rows, blender: Blender, decider: Decider) -> list[Marginal]:
    fitted = _fitted(rows, blender)
    everything, copies, found = judged(rows, fitted, blender, decider), near_copies(rows), []
    noise = own_se(rows, everything.said) if copies else 0.0
    with task("leaving out each model", total=len(rows.oof), unit="models") as work:
        for model in range(len(rows.oof)):
            value, se = 0.0, 0.0  # of a model that no fold gives a weight: the blend without it is the same
            if any(_counts(one, model) for one in everything.weights):
                without = judged(_without(rows, model), _without(fitted, model), blender, decider, everything, model)
                value = float(rows.metric.sign * (everything.score - without.score))
                se = gap_se(rows, everything.said, without.said)
            found.append(Marginal(model, value, value - Z * se, value + Z * se, _verdict(value, se, copies.get(model), noise)))
            work.advance()
    return found


def _fitted(rows: Rows, blender: Blender) -> Rows:
    """The rows that weights are fitted on: all of them where sums over rows are all that the blender needs."""
    few = _sampled(rows)
    if few is not rows:
        blender.fit(few.without(len(few.parts) - 1))
    return rows if "grams" in few.__dict__ else few


def judged(rows: Rows, fitted: Rows, blender: Blender, decider: Decider, known: Nested | None = None, model: int = -1) -> Nested:
    """The nested blend of `rows`, its weights and cuts fitted on `fitted`: the same parts, maybe fewer rows of each.

    A part is taken from `known`, the blend with `model`, where that gave the model no weight.
    """
    found, weights = [], []
    for place, number in enumerate(rows.judged):
        part = rows.parts[number]
        if known is not None and not _counts(known.weights[place], model):
            found.append((known.blended[part], known.said[part]))
            weights.append(known.weights[place])
            continue
        case = fitted.without(number)
        fit = fit_for(fitted, blender, case)
        one = np.asarray(fit.predict(View(rows.oof, part)), dtype=np.float64)
        found.append((one, decided(fitted, decider, case, fit, one)))
        weights.append(fit.weights)
    return gathered(rows, blender, found, weights)


def _counts(weights: Array | None, model: int) -> bool:
    return weights is None or bool(np.any(np.asarray(weights)[model]))


def _sampled(rows: Rows) -> Rows:
    """At most 20,000 of the rows, in the same parts; of two classes whose order counts as many of each, if there are."""
    if len(rows.y) <= FIT_ROWS:
        return rows
    random, code = np.random.default_rng(0), np.zeros(len(rows.y), dtype=np.int64)
    if rows.metric.needs == "rank" and rows.kind == "chance" and np.isin(rows.y, (0, 1)).all():
        code = rows.y.astype(np.int64)
    kinds = [np.flatnonzero(code == kind) for kind in np.unique(code)]
    picked = np.sort(np.concatenate([random.choice(one, min(len(one), FIT_ROWS // len(kinds)), replace=False) for one in kinds]))
    parts = [np.flatnonzero(np.isin(picked, part)) for part in rows.parts]
    if not all(len(part) for part in parts):
        return rows
    return replace(rows, y=rows.y[picked], truth=rows.truth[picked], oof=rows.oof[:, picked], parts=parts, kept=rows.kept[picked],
                   groups=None if rows.groups is None else rows.groups[picked])


class Others:
    """Models x rows [x classes] without some of the models, and without a copy of the rest."""

    def __init__(self, oof: Array, models: Array) -> None:
        self._oof, self._models = oof, models
        self.shape = (len(models), *oof.shape[1:])
        self.ndim, self.dtype = len(self.shape), np.dtype(getattr(oof, "dtype", np.float64))

    def __len__(self) -> int:
        return self.shape[0]

    def __iter__(self) -> Iterator[Array]:
        return (self._oof[model] for model in self._models)

    def __getitem__(self, key: object) -> Array:
        model, rows = key if isinstance(key, tuple) else (key, slice(None))
        picked = self._models[model]
        if np.ndim(picked) == 1 and not isinstance(rows, slice):
            picked = picked[:, None]
        return np.asarray(self._oof[picked, rows])


def _without(rows: Rows, model: int) -> Rows:
    """The rows without a model; sums that were taken are kept where a model can be struck out of them."""
    others = np.delete(np.arange(len(rows.oof)), model)
    fewer = replace(rows, oof=Others(rows.oof, others))
    kept = {"grams": lambda found: [one.of(others) for one in found], "chances": lambda found: Others(found, others)}
    for name, strike in kept.items():
        if name in rows.__dict__:
            fewer.__dict__[name] = strike(rows.__dict__[name])
    if rows.__dict__.get("bounded"):
        fewer.__dict__["bounded"] = True
    return fewer


def near_copies(rows: Rows) -> dict[int, bool]:
    """Models that have near copies, and whether one of these has less error; by the probabilities or values behind labels."""
    by: Metric | str = rows.metric
    if rows.metric.needs == "label":
        by = {"classes": "mlogloss", "chance": "logloss", "value": "rmse"}[rows.kind]
    found = error_correlation(rows.y, rows.oof, by)
    size = np.diag(found.products)
    return {model: model != min(cluster, key=lambda one: (size[one], one)) for cluster in found.clusters if len(cluster) > 1 for model in cluster}


def _verdict(value: float, se: float, spare: bool | None, noise: float) -> str:
    """`spare`: whether a near copy is better (None: there is no copy); noise: standard error of the blend's score."""
    if spare is not None and abs(value) <= max(NOTHING * se, TRIFLE * noise):
        return "drop" if spare else "undecided"
    return "keep" if value - Z * se > 0 else "drop" if value + Z * se < 0 else "undecided"
