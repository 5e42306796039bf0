"""Fitting: a model over folds and seeds, with checkpoints that outlive a kill, and the refit on all rows."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from kagglekit.errors import KKError
from kagglekit.fold import Data, Fold
from kagglekit.models.family import Staged
from kagglekit.progress import Task, task
from kagglekit.work.clock import Clock
from kagglekit.work.growth import Growth
from kagglekit.work.pace import Pace
from kagglekit.work.parallel import Job, cores, spread
from kagglekit.work.plan import Array, Checkpoints, Fitted, Key, Plan, check_folds, checked, checked_test
from kagglekit.work.rounds import reach
from kagglekit.work.score import said_for, truth_for
from kagglekit.work.smoke import look_at

__all__ = ["Checkpoints", "Fitted", "Plan", "fit", "prepare"]


def fit(plan: Plan, data: Data, clock: Clock, checkpoints: Checkpoints, prepared: object = None, look: bool = False) -> Fitted:
    """Fit every fold of the plan (finished ones are read back), then the test model; seeds are averaged.

    `prepared` is what `prepare` gave for the same data, rows and bin settings: a search passes it to share the bins over its trials.
    `look` has a look at the first fold that is done (`smoke.look_at`), which tells of zeros and of classes in another order.
    Raises KKError for folds that cannot be scored and for predictions of the wrong shape.
    """
    check_folds(plan, data)
    total = len(plan.seeds) * (len(plan.keys) + int(plan.refit))
    with clock.running(), task(f"training {plan.model.name}", total=total, unit="folds") as work:
        prepared = prepared or prepare(plan, data, clock)
        fitting = Fitting(plan, data, clock, checkpoints, work, prepared, look)
        by_seed = [fitting.one_seed(seed) for seed in plan.seeds]
    parts = {key: np.mean([fitted.parts[key] for fitted in by_seed], axis=0) for key in plan.keys}
    test = np.mean([fitted.test for fitted in by_seed], axis=0)
    return Fitted(parts, test, _rounds([fitted.rounds for fitted in by_seed]), getattr(prepared, "shared", ()))


def _rounds(by_seed: Sequence[dict[str, object]]) -> dict[str, object]:
    """The rounds that were used; of several seeds that chose them a list each."""
    if len(by_seed) == 1 or "per_fold" not in by_seed[0]:
        return by_seed[0]
    return {**by_seed[0], **{key: [rounds[key] for rounds in by_seed] for key in ("per_fold", "test")}}


def prepare(plan: Plan, data: Data, clock: Clock) -> object:
    """What folds and seeds of a family may share (LightGBM: the table, binned once), or None where the family shares nothing.

    A family offers it as `prepare(problem, params, data, used, clock, folds, threads)` on its stage function; the answer is called
    like that function, in `workers` threads at once, each of which calls `quiet()` first, and has `shared`, the names of what is shared.
    """
    make = getattr(plan.model.stage, "prepare", None)
    if make is None:
        return None
    return make(plan.problem, plan.params, data, plan.used, clock, folds=len(plan.keys), threads=cores())


@dataclass(slots=True)
class Fitting:
    """A plan at work."""

    plan: Plan
    data: Data
    clock: Clock
    checkpoints: Checkpoints
    work: Task
    prepared: object
    look: bool = False
    pace: Pace = field(init=False)

    def __post_init__(self) -> None:
        self.pace = self._paced(len(self.plan.keys))

    def one_seed(self, seed: int) -> Fitted:
        """Every fold with one seed."""
        if self.plan.model.stage and self.plan.model.rounds not in self.plan.params:
            growth = Growth(self.plan, self.data, seed, self._make(seed), self._workers(), self.checkpoints, self.work, self._begin(),
                            self._look)
            return growth.fitted()
        return self._plain(seed)

    def _make(self, seed: int) -> Callable[..., Staged]:
        stage = self.prepared or self.plan.model.stage

        def make(fold: Fold, saved: str = "") -> Staged:
            return stage(self.plan.problem, self.plan.params, seed, fold, self.clock, saved)

        return make

    def _workers(self) -> int:
        """Threads that work on folds at once: boosting frees Python's lock; a person's own code is never run in threads."""
        return self.prepared.workers if self.prepared else 0

    def _begin(self) -> Callable[[], None]:
        return self.prepared.quiet if self.prepared else lambda: None

    def _plain(self, seed: int) -> Fitted:
        """Models without rounds to find: fold by fold, each kept as soon as it is done."""
        fitted, tests, plan = Fitted(), {}, self.plan
        self.pace = self._paced(len(plan.keys))
        for number, done in spread([self._job(key, seed) for key in plan.keys], self._workers(), lambda: self.pace.tell(), self._begin()):
            key = plan.keys[number]
            self._look(done["valid"], key)
            fitted.parts[key], tests[key] = plan.spread_out(key, done["valid"]), done["test"]
            self.work.advance(note=self._running(fitted))
        if plan.refit:
            self.pace = self._paced(1)
            test = self._once(plan.whole(self.data), seed)[1]
            tests = {(-1, -1): checked_test(test, len(self.data.X_test), plan, "the model of all rows")}
            self.work.advance()
        fitted.test = np.mean([tests[key] for key in sorted(tests)], axis=0)
        if plan.model.rounds in plan.params:
            fitted.rounds = {"fixed": plan.params[plan.model.rounds]}
        return fitted

    def _job(self, key: Key, seed: int) -> Job:
        def job(stop: threading.Event) -> dict[str, Array]:
            name = f"fold-{seed}-{key[0]}-{key[1]}"
            done = self.checkpoints.load(name)
            if done is None:
                fold = self.plan.fold(self.data, key)
                valid, test = self._once(fold, seed, stop)
                done = {"valid": checked(valid, len(fold.valid), self.plan, f"fold {key[1]}"),
                        "test": checked_test(test, len(self.data.X_test), self.plan, f"fold {key[1]}")}
                self.checkpoints.save(name, **done)
            return done

        return job

    def _once(self, fold: Fold, seed: int, stop: threading.Event | None = None) -> tuple[Array, Array]:
        plan = self.plan
        if plan.model.stage:
            rounds, key = int(plan.params[plan.model.rounds]), (fold.repeat, fold.fold)
            stage = self._make(seed)(fold)
            self.pace.watch(key, stage)
            reach(stage, rounds, stop, self.pace.tick if stop is None or self._workers() < 1 else lambda: None)
            self.pace.leave(key)
            return stage.predict(rounds, rounds)
        return plan.model.fit_predict(plan.problem, plan.params, seed, fold, self.clock)

    def _paced(self, folds: int) -> Pace:
        return Pace(self.work, folds, int(self.plan.params.get(self.plan.model.rounds) or 0))

    def _look(self, values: Array, key: Key) -> None:
        """The first fold that is done is looked at."""
        if self.look:
            self.look = False
            look_at(values, self.data.target[self.plan.fold(self.data, key).valid], self.plan, f"fold {key[1]}")

    def _running(self, fitted: Fitted) -> str:
        """The score so far, for the progress line."""
        metric = self.plan.problem.metric
        truth, scores = truth_for(metric, self.data, self.plan.problem), []
        for key, values in fitted.parts.items():
            rows = self.plan.folds.one(*key).valid
            keep = self.plan.used[rows]
            try:
                scores.append(metric(truth[rows[keep]], said_for(metric, values[keep], self.plan.problem)))
            except KKError:
                return ""
        return f"{metric.name} {np.mean(scores):.5f}"
