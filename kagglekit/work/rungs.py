"""Rungs of the baseline ladder: zeros and simple models on the same folds, each a run that is used again, with paired gains."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from kagglekit.errors import KKError
from kagglekit.fold import Data
from kagglekit.folds import Folds
from kagglekit.models.family import Model, Problem
from kagglekit.noise import cv_se, lb_se
from kagglekit.run import Run, Score
from kagglekit.store import Store
from kagglekit.work.features import Features
from kagglekit.work.going_on import file_sha256, inputs_of, same_finished
from kagglekit.work.hours import spending
from kagglekit.work.score import fold_scores, said_for, truth_for
from kagglekit.work.training import make_plan, recipe_for, sampled, train_run

Array = np.ndarray
ZEROS = "zeros"
ROUNDING, NOTHING = 1e-12, 1e-14  # gaps below this share of a score are rounding, and so are amounts below that


@dataclass(frozen=True, slots=True)
class Flag:
    """Where the order of the ladder is broken: a stable code, and one sentence on what to look at."""

    code: str
    says: str


@dataclass(frozen=True, slots=True)
class Rung:
    """One rung: a model's run (None for zeros, which are no model), its score as the competition shows it, and the step that it is.

    `gain` is over the rung `over`, the last one below that has a score, in the metric's unit and positive where this one is better;
    `gain_se` is its standard error (Nadeau-Bengio over the paired folds; over the rows where there is one fold). `built` says what the
    model chose, `reused` that the run was there before, `failed` why there is no score.
    """

    model: str
    run: str | None = None
    score: float | None = None
    se: float | None = None
    per_fold: tuple[float, ...] = ()
    gain: float | None = None
    gain_se: float | None = None
    over: str = ""
    seconds: float = 0.0
    built: str = ""
    reused: bool = False
    failed: str = ""
    flags: tuple[Flag, ...] = ()


@dataclass(slots=True)
class Case:
    """What all rungs share: the problem, the data as models see it, the folds, and the rows in use (`sample` of them)."""

    store: Store
    problem: Problem
    data: Data
    looks: Features
    folds: Folds
    sample: float
    used: Array = field(init=False)
    ratio: float = field(init=False)

    def __post_init__(self) -> None:
        if not 0 < self.sample <= 1:
            raise KKError(f"--sample {self.sample:g} is not a share of the rows", "Give a number above 0 and up to 1: --sample 0.1")
        self.used = sampled(self.folds.rows, self.sample)
        self.ratio = float(np.mean([self.used[fold.valid].sum() / max(int(self.used[fold.train].sum()), 1) for fold in self.folds]))

    @property
    def sign(self) -> int:
        """+1 where more is better, -1 where less is."""
        return self.problem.metric.sign

    def scored(self, row: Array) -> Score:
        """The Score of predicting `row` (a number, or one a class or target) everywhere; raises KKError where the metric has none."""
        parts = {(fold.repeat, fold.fold): np.tile(row, (len(fold.valid), *(1,) * np.ndim(row))) for fold in self.folds}
        return fold_scores(self.problem, self.data, self.folds, parts, self.used)

    def nothing(self) -> Array:
        """A row of zeros, as wide as models predict."""
        return np.zeros(self.problem.width) if self.problem.width > 1 or self.problem.targets else np.float64(0.0)  # type: ignore[return-value]


def rung_of_zeros(case: Case) -> Rung:
    """Zeros, as `kk submit-zeros` sends them: the first class where labels are asked for."""
    start = time.perf_counter()
    try:
        score = case.scored(case.nothing())
    except KKError as error:
        return Rung(ZEROS, failed=error.what)
    return _with_score(Rung(ZEROS, seconds=round(time.perf_counter() - start, 3)), score)


def rung_of(case: Case, model: Model, given: str, *, fresh: bool = False) -> Rung:
    """The rung of a model: its finished run of the same recipe, folds and data where there is one (not with `fresh`), else a new run.

    A model that fails is a rung without a score, with its reason.
    """
    try:
        found = None if fresh else _finished(case, model, given)
        return _of_run(found, given, reused=True) if found else _of_run(_trained(case, model, given), given)
    except KKError as error:
        return Rung(given, failed=str(error))


def _finished(case: Case, model: Model, given: str) -> Run | None:
    plan = make_plan(case.store, model, case.folds, {}, sample=case.sample)
    notes = {"fold": None, "file_sha256": file_sha256(given, case.store), "inputs_sha256": inputs_of(case.store, case.data)}
    like = Run(id="", name=given, kind="train", recipe=recipe_for(plan, sample=case.sample, features=case.looks),
               folds_fingerprint=case.folds.fingerprint, notes=notes)
    return same_finished(case.store, like)


def _trained(case: Case, model: Model, given: str) -> Run:
    with spending(case.store, "baseline") as spent:
        def began(run: Run) -> None:
            spent["what"] = f"{run.id} {run.name}"

        return train_run(case.store, model, case.folds, case.looks, case.data, sample=case.sample, given=given, notes={"by": "baseline"},
                         began=began)[0]


def _of_run(run: Run, given: str, reused: bool = False) -> Rung:
    built = str(run.notes.get("chosen") or "")
    rung = Rung(given, run.id, seconds=round(sum(run.seconds.values()), 3), built=built, reused=reused)
    return _with_score(rung, run.score)


def _with_score(rung: Rung, score: Score) -> Rung:
    if score.mean is None or not np.isfinite(score.mean):
        return replace(rung, failed="the metric has no value for predictions that are all the same")
    return replace(rung, score=score.mean, se=score.se, per_fold=tuple(score.per_fold))


def gain_over(case: Case, rung: Rung, below: Rung) -> tuple[float, float]:
    """(gain, standard error) of a rung over another on the same folds; the gain is positive where `rung` is better."""
    assert rung.score is not None and below.score is not None
    gain = case.sign * (rung.score - below.score)
    rounding = ROUNDING * max(abs(rung.score), abs(below.score)) + NOTHING
    scores = np.array([rung.per_fold, below.per_fold])
    se = float(cv_se(scores, case.ratio).se[0, 1]) if scores.shape[1] > 1 else _row_se(case, rung, below)
    return gain if abs(gain) > rounding else 0.0, se if se > rounding else 0.0


def with_gains(case: Case, rungs: Sequence[Rung]) -> list[Rung]:
    """The rungs, each with its gain over the last one below that has a score."""
    found: list[Rung] = []
    for rung in rungs:
        below = next((one for one in reversed(found) if one.score is not None), None)
        if rung.score is not None and below is not None:
            gain, se = gain_over(case, rung, below)
            rung = replace(rung, gain=gain, gain_se=se, over=below.model)
        found.append(rung)
    return found


def _row_se(case: Case, *rungs: Rung) -> float:
    """Standard error of a gap over the rows of one fold, or over groups where they are known; a lower bound."""
    rows = np.concatenate([fold.valid[case.used[fold.valid]] for fold in case.folds])
    said = np.stack([said_for(case.problem.metric, _predictions(case, rung)[rows], case.problem) for rung in rungs])
    truth = truth_for(case.problem.metric, case.data, case.problem)[rows]
    groups = None if case.data.groups is None else case.data.groups[rows]
    return float(lb_se(truth, said, case.problem.metric, len(rows), groups=groups).se[0, 1])


def _predictions(case: Case, rung: Rung) -> Array:
    if rung.run is None:
        return np.tile(case.nothing(), (case.folds.rows, *(1,) * np.ndim(case.nothing())))
    oof = case.store.array(case.store.run(rung.run), "oof")
    assert oof is not None, f"{rung.run} has no out-of-fold predictions"
    return oof.astype(np.float64)
