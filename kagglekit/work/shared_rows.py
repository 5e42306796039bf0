"""Shared rows: what the runs of one split say of the rows that all of them validate, and the noise of their scores."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from kagglekit import agreement
from kagglekit.errors import KKError
from kagglekit.fold import Data
from kagglekit.folds import Folds
from kagglekit.metrics import Metric
from kagglekit.models.family import Problem
from kagglekit.noise import kurtosis_warning
from kagglekit.run import Run, Score
from kagglekit.store import Store
from kagglekit.work.score import fold_scores, said_for, truth_for
from kagglekit.work.scored import Evidence, ScoredModel, is_constant, written_noise
from kagglekit.work.typed import CHANCE

Array = np.ndarray
LOOKED_AT = 200_000  # rows that tell how alike predictions are
SQUARED = ("rmse", "mcrmse")


@dataclass(frozen=True, slots=True)
class _Local:
    """Local scores of the runs over the rows that all have: means, standard errors, models x folds; `whole`: all folds are scored."""

    mean: list[float | None]
    se: list[float | None]
    table: list[tuple[float, ...]]
    whole: bool


class SharedRows:
    """The rows that all runs of a group validate, and what the runs say of them."""

    def __init__(self, store: Store, folds: Folds, problem: Problem, data: Data, runs: Sequence[Run], anchors: Sequence[ScoredModel]) -> None:
        self.store, self.folds, self.problem, self.data = store, folds, problem, data
        self.notes: list[str] = []
        self.runs, self.used = self._covering(runs)
        self.truth = truth_for(problem.metric, data, problem)[self.used]
        self.said = self._said(anchors)
        self.local = self._local()

    def evidence(self, models: Sequence[ScoredModel], anchors: Sequence[ScoredModel], rows: float, source: str) -> Evidence:
        """The evidence with weak models apart."""
        metric, count = self.problem.metric, len(self.runs)
        groups = None if self.data.groups is None else self.data.groups[self.used]
        noise = agreement.lb_se(self.truth, self.said, metric, rows, groups=groups)
        se_cv, df = self._cv_noise(noise.se[:count, :count] * np.sqrt(rows / len(self.truth)))
        step, added, said = written_noise([model.shown for model in models])
        self.notes += [said] if said else []
        self._warn_of_tails(metric)
        scored = [replace(model, cv=mean, cv_se=se) for model, mean, se in zip(models, self.local.mean, self.local.se, strict=True)]
        shown = [replace(anchor, cv=_local_score(metric, self.truth, line)) for anchor, line in zip(anchors, self.said[count:], strict=True)]
        likeness = _correlation(self.said[:count])
        se_lb = np.hypot(noise.se[:count, :count] * self._correction(), added)
        whole = Evidence(metric, tuple(scored), tuple(shown), se_cv, se_lb, df, likeness, rows, source, self.folds.name, True, step=step)
        return _apart(whole, noise.se, [is_constant(run) for run in self.runs])

    def _oof(self, run: Run) -> Array | None:
        return self.store.array(run, "oof", mapped=True)

    def _covering(self, runs: Sequence[Run]) -> tuple[list[Run], Array]:
        """Runs that share rows, those that cover most first to be kept, and the rows that all of them have."""
        masks = {}
        for run in runs:
            oof = self._oof(run)
            if oof is None or len(oof) != self.folds.rows:
                self.notes.append(f"{run.id} has no out-of-fold predictions any more: left out")
                continue
            masks[run.id] = ~np.isnan(oof if oof.ndim == 1 else oof.sum(axis=1))
        used, kept = np.ones(self.folds.rows, dtype=bool), set()
        for run_id in sorted(masks, key=lambda one: -int(masks[one].sum())):
            if (used & masks[run_id]).any():
                used, kept = used & masks[run_id], {*kept, run_id}
            else:
                self.notes.append(f"{run_id} shares no row with the others: left out")
        if not kept:
            raise KKError("none of these runs has out-of-fold predictions", "Add them with theirs: kk add NAME --oof FILE --folds NAME")
        if any((masks[run_id] != used).any() for run_id in kept):
            short = min(kept, key=lambda one: int(masks[one].sum()))
            self.notes.append(f"{short} covers {masks[short].mean():.0%} of the rows: all are compared on the {int(used.sum()):,} rows that all have")
        return [run for run in runs if run.id in kept], used

    def _said(self, anchors: Sequence[ScoredModel]) -> Array:
        """Predictions (models, then anchors) x rows in the metric's form."""
        shape = np.shape(self._oof(self.runs[0]))[1:]

        def form(values: Array) -> Array:
            return said_for(self.problem.metric, values, self.problem)

        lines = [form(np.asarray(self._oof(run))[self.used].astype(np.float64)) for run in self.runs]
        for anchor in anchors:
            run = self.store.run(anchor.run)
            if self.problem.metric.needs == "list" and isinstance(cell := run.notes.get("constant"), str):
                lines.append(np.repeat(_codes_of(cell, self.problem.classes, np.shape(lines[0])[1])[None], len(self.truth), axis=0))
                continue
            value = self.store.array(run, "test", mapped=True)
            first = np.zeros(shape) if value is None or np.shape(value[0]) != shape else np.asarray(value[0], dtype=np.float64)
            lines.append(np.repeat(form(first[None]), len(self.truth), axis=0))
        return np.stack(lines)

    def _local(self) -> _Local:
        """The recorded scores where all runs have all folds and rows, else scores over the rows that all have."""
        scores = [run.score for run in self.runs]
        keys = [(fold.repeat, fold.fold) for fold in self.folds if self.used[fold.valid].any()]
        full = len(keys) == len(self.folds) and all(len(score.per_fold) == len(keys) for score in scores)
        if not full or any("rows that all have" in note for note in self.notes):
            scores = [self._again(run, keys) for run in self.runs]
        return _Local([one.mean for one in scores], [one.se for one in scores], [one.per_fold for one in scores], len(keys) == len(self.folds))

    def _again(self, run: Run, keys: Sequence[tuple[int, int]]) -> Score:
        oof = np.asarray(self._oof(run), dtype=np.float64)
        return fold_scores(self.problem, self.data, self.folds, {key: oof[self.folds.one(*key).valid] for key in keys}, self.used)

    def _cv_noise(self, row_noise: Array) -> tuple[Array, float]:
        """Paired Nadeau-Bengio over folds; over rows (a lower bound) where there is one fold or not all."""
        if self.local.whole and len(self.folds) > 1:
            ratios = [len(fold.valid) / max(len(fold.train), 1) for fold in self.folds]
            noise = agreement.cv_se(np.array(self.local.table), float(np.mean(ratios)), self.folds.repeats)
            return noise.se, noise.df
        self.notes.append("not all runs have all folds: the noise of CV is over rows, a lower bound")
        return row_noise, np.inf

    def _correction(self) -> Array:
        """Fold-averaged submissions differ less than their OOF rows do (one factor a pair, at most 1)."""
        ones = np.ones((len(self.runs), len(self.runs)))
        if self.store.competition.test_is_stub or any(run.inference != "fold_mean" and not is_constant(run) for run in self.runs):
            return ones
        tests = [self.store.array(run, "test", mapped=True) for run in self.runs]
        if any(test is None for test in tests):
            return ones
        oofs = np.stack([np.asarray(self._oof(run)[_some(self.folds.rows, self.used)]) for run in self.runs])
        seen = np.stack([np.asarray(test[_some(len(test))]) for test in tests if test is not None])
        return ones if np.isnan(seen).any() else agreement.average_correction(seen, oofs)

    def _warn_of_tails(self, metric: Metric) -> None:
        if metric.name not in SQUARED:
            return
        warning = kurtosis_warning(self.truth - self.said[0])
        self.notes += [warning] if warning else []


def _some(rows: int, used: Array | None = None) -> Array:
    """Row numbers: all (of `used`), or of very many a seeded part."""
    known = np.arange(rows) if used is None else np.flatnonzero(used)
    return known if len(known) <= LOOKED_AT else np.sort(np.random.default_rng(0).choice(known, LOOKED_AT, replace=False))


def _codes_of(cell: str, classes: Sequence[object], size: int) -> Array:
    """int64[size]: the classes' codes of a list as a cell holds it, -1 where it is shorter.

    >>> _codes_of("b a", ["a", "b", "c"], 3).tolist()
    [1, 0, -1]
    """
    place = {str(label): code for code, label in enumerate(classes)}
    found = [place[word] for word in cell.split() if word in place][:size]
    return np.array([*found, *[-1] * (size - len(found))], dtype=np.int64)


def _local_score(metric: Metric, truth: Array, said: Array) -> float | None:
    try:
        return metric(truth, said)
    except (KKError, ValueError, ArithmeticError):
        return None


def _correlation(said: Array) -> Array | None:
    """Correlation of predictions, for near copies; None for labels as text."""
    if said.dtype.kind not in "iufb":
        return None
    part = said[:, _some(said.shape[1])]
    flat = part.reshape(len(part), -1).astype(np.float64)
    flat -= flat.mean(axis=1, keepdims=True)
    size = np.sqrt((flat**2).sum(axis=1))
    size[size == 0] = np.inf
    flat /= size[:, None]
    return flat @ flat.T


def _apart(evidence: Evidence, se: Array, constant: Sequence[bool]) -> Evidence:
    """Move models that are not better than the best constant by 2 paired SE to the anchors; they are no evidence."""
    metric, count = evidence.metric, len(evidence.models)
    known = [(metric.sign * anchor.public, count + number) for number, anchor in enumerate(evidence.anchors)]
    known += [(metric.sign * model.public, number) for number, model in enumerate(evidence.models) if constant[number]]
    weak, notes = np.array(constant), list(evidence.notes)
    if known:
        best, place = max(known)
        weak |= agreement.is_anchor(evidence.lb, best, se[:count, place])
    elif metric.name in CHANCE:
        notes.append(f"no constant was submitted: {CHANCE[metric.name]:g} is taken for its score")
        weak |= agreement.is_anchor(evidence.lb, metric.sign * CHANCE[metric.name], np.diag(se)[:count])
    else:
        notes.append("no constant was submitted, so it is not known which models beat one: kk submit-zeros --value constant")
    keep = np.flatnonzero(~weak)
    grid = np.ix_(keep, keep)
    moved = tuple(replace(model, anchor=True) for model, is_weak in zip(evidence.models, weak, strict=True) if is_weak)
    return replace(evidence, models=tuple(evidence.models[k] for k in keep), anchors=(*evidence.anchors, *moved), se_cv=evidence.se_cv[grid],
                   se_lb=evidence.se_lb[grid], correlation=None if evidence.correlation is None else evidence.correlation[grid], notes=tuple(notes))
