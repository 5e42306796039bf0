"""One model of many: trained on a sample (a finished run is used again), with what it cost at two sizes, and never an exception."""

import time
from dataclasses import dataclass, replace

import numpy as np

from kagglekit.errors import KKError
from kagglekit.models.family import Model, check_model
from kagglekit.run import Run
from kagglekit.store import Store
from kagglekit.work.clock import Clock
from kagglekit.work.failure import explained
from kagglekit.work.features import Features
from kagglekit.work.fit import fit
from kagglekit.work.going_on import file_sha256, inputs_of, same_finished
from kagglekit.work.kept import load_folds
from kagglekit.work.plan import Checkpoints, Plan
from kagglekit.work.score import fold_scores
from kagglekit.work.smoke import is_small, smoke_test
from kagglekit.work.training import make_plan, recipe_for, train_run

QUARTER, SMALLEST = 0.25, 500  # share of the sample that tells how cost and score grow, and the fewest rows of it


@dataclass(frozen=True, slots=True)
class Job:
    """A model to be trained on a share of the rows; `fresh`: also where a run of the same recipe is there, `left`: seconds that it may take.

    expected: what it takes as far as it is known before (None: a trial on few rows tells). quarter: a quarter of the sample is trained
    first. beside: cores of a machine on which other models train at the same time, so that not the clock but the processor tells what it
    costs; 0: it runs alone.
    """

    model: object
    sample: float
    fresh: bool = False
    quarter: bool = False
    left: float | None = None
    expected: float | None = None
    beside: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a Job: status done, again (a finished run was there), failed or left out, with `why` and what to `do`.

    points: (rows, seconds) of the quarter and of the sample, as far as is known what they take alone; rising: what the score gained from
    the quarter to the sample (as the competition shows scores). `expected` is the forecast of what was left out.
    """

    status: str
    run: str = ""
    why: str = ""
    do: str = ""
    seconds: float = 0.0
    points: tuple[tuple[int, float], ...] = ()
    rising: float | None = None
    expected: float | None = None


class Bench:
    """The place where models of one competition are trained, one after the other: folds and features are read once."""

    def __init__(self, store: Store, folds: str | None) -> None:
        self.store = store
        self.folds = load_folds(folds, store)
        self.looks = Features(store)
        self.data = self.looks.data()

    def do(self, job: Job) -> Outcome:
        """Train the job's model, or say why not."""
        try:
            model = check_model(job.model, self.store.folder)
            plan = make_plan(self.store, model, self.folds, {}, sample=job.sample)
            there = None if job.fresh else self.there(job, plan)
            return _again(there) if there is not None else self._trained(job, model, plan)
        except KKError as error:
            return Outcome("failed", why=error.what, do=error.do)
        except (Exception, SystemExit) as error:
            told = explained(error, str(job.model))
            return Outcome("failed", why=told.what, do=told.do)

    def there(self, job: Job, plan: Plan) -> Run | None:
        """The finished run of the same recipe, folds, sample and data, with its predictions."""
        notes = {"fold": None, "file_sha256": file_sha256(job.model, self.store), "inputs_sha256": inputs_of(self.store, self.data)}
        recipe = recipe_for(plan, sample=job.sample, features=self.looks)
        like = Run(id="", name="", kind="train", recipe=recipe, folds_fingerprint=self.folds.fingerprint, notes=notes)
        found = same_finished(self.store, like)
        return found if found is not None and (self.store.run_folder(found) / "oof.npy").exists() else None

    def _trained(self, job: Job, model: Model, plan: Plan) -> Outcome:
        began = time.perf_counter()
        trial = None if is_small(plan) else smoke_test(plan, self.data)
        expected = job.expected if job.expected is not None else trial.seconds if trial else 0.0
        if _beyond(job, expected, began):
            return Outcome("left out", expected=expected)
        small = self._quarter(job, model) if job.quarter else None
        if small is not None and _beyond(job, small[0].wall / QUARTER, began):
            return Outcome("left out", expected=small[0].wall / QUARTER)
        start, notes = Timer(), {"by": "explore"}
        run, resumed = train_run(self.store, model, self.folds, self.looks, self.data, sample=job.sample, given=job.model,
                                 smoke=is_small(plan), notes=notes)
        points = () if resumed else _points(job, plan, None if small is None else small[0], start.spent())
        rising = None if small is None or run.score.mean is None else run.score.mean - small[1]
        self.store.write_run(replace(run, notes={**run.notes, **notes, "cost": points, "rising": rising}))
        return Outcome("done", run.id, seconds=time.perf_counter() - began, points=points, rising=rising)

    def _quarter(self, job: Job, model: Model) -> tuple["Spent", float] | None:
        """What a quarter of the sample takes, and its score; None where that is too little to train on."""
        share = job.sample * QUARTER
        if share * self.folds.rows < SMALLEST:
            return None
        try:
            plan, start = make_plan(self.store, model, self.folds, {}, sample=share), Timer()
            fitted = fit(plan, self.data, Clock(), Checkpoints(None))
            score = fold_scores(plan.problem, self.data, self.folds, fitted.parts, plan.used)
        except Exception:  # the sample itself will tell what is wrong
            return None
        return start.spent(), float(score.mean or 0.0)


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds on the clock and of the processor."""

    wall: float
    processor: float


class Timer:
    """Time since it was made."""

    def __init__(self) -> None:
        self._wall, self._processor = time.perf_counter(), time.process_time()

    def spent(self) -> Spent:
        """Until now."""
        return Spent(time.perf_counter() - self._wall, time.process_time() - self._processor)


def _points(job: Job, plan: Plan, quarter: Spent | None, whole: Spent) -> tuple[tuple[int, float], ...]:
    """(rows, seconds) of the quarter, where there was one, and of the whole sample.

    How the cost grows is told by the processor (on a busy machine the clock is noise; a person's code may wait, so there it is the clock), its
    size by the clock where the model ran alone, else by the processor and the folds that it can fit at once.
    """
    rows = int(plan.used.sum())
    folds_at_once = min(job.beside, len(plan.keys)) if hasattr(plan.model.stage, "prepare") else 1
    seconds = whole.processor / folds_at_once if job.beside else whole.wall
    if quarter is None:
        return ((rows, seconds),)
    growth = quarter.wall / whole.wall if plan.model.code else quarter.processor / max(whole.processor, 1e-9)
    return (round(rows * QUARTER), seconds * growth), (rows, seconds)


def _beyond(job: Job, seconds: float, began: float) -> bool:
    """Whether the time that is left is over, or something that takes so long does not fit into it."""
    left = np.inf if job.left is None else job.left - (time.perf_counter() - began)
    return left <= 0 or seconds > left


def _again(run: Run) -> Outcome:
    points = tuple((int(rows), float(seconds)) for rows, seconds in run.notes.get("cost") or ())
    if not points and run.seconds:
        points = ((run.rows_scored, sum(run.seconds.values())),)
    rising = run.notes.get("rising")
    return Outcome("again", run.id, seconds=0.0, points=points, rising=None if rising is None else float(str(rising)))
