"""Growth: staged models over the folds of a plan: every fold's curve first, then each fold at the rounds that the others chose."""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from kagglekit.fold import Data, Fold
from kagglekit.models.family import Staged
from kagglekit.progress import Task
from kagglekit.work.pace import Pace
from kagglekit.work.parallel import Job, spread
from kagglekit.work.plan import Array, Checkpoints, Fitted, Key, Plan, checked, checked_test
from kagglekit.work.rounds import MAX_ROUNDS, PATIENCE, chosen_rounds, grow, inner_fold, inner_rounds, reach

Make = Callable[..., Staged]


@dataclass(slots=True)
class Growth:
    """One seed's models. `make(fold, saved)` gives a stage; `workers` threads grow folds at once (0: one by one right here)."""

    plan: Plan
    data: Data
    seed: int
    make: Make
    workers: int
    checkpoints: Checkpoints
    work: Task
    begin: Callable[[], None]
    look: Callable[[Array, Key], None] = lambda values, key: None
    stages: dict[Key, Staged] = field(default_factory=dict)
    pace: Pace = field(init=False)

    def __post_init__(self) -> None:
        self.pace = Pace(self.work, len(self.plan.keys), *self._limits())

    def fitted(self) -> Fitted:
        """Grow, choose the rounds and predict; finished folds are read back, and grown again only where they must grow further."""
        for number, stage in self._each([self._grown(key) for key in self.plan.keys]):
            self.stages[self.plan.keys[number]] = stage
            self.pace.ended()
            self.work.advance(note=self.pace.note())
        longest = max(len(stage.curve) for stage in self.stages.values())
        short = [key for key in self.plan.keys if len(self.stages[key].curve) < longest]
        for _ in self._each([self._level(key, longest) for key in short]):
            pass
        curves = [self.stages[key].curve[:longest] for key in self.plan.keys]
        chosen, for_test = chosen_rounds(curves, self.plan.folds.rule, [repeat for repeat, _ in self.plan.keys])
        return self._predicted(chosen, for_test if len(curves) > 1 else None)

    def _each(self, jobs: Sequence[Job]) -> Iterator[tuple[int, Any]]:
        return spread(jobs, self.workers, lambda: self.pace.tell(), self.begin)

    def _tick(self) -> None:
        """After each round of folds that grow right here; those in threads are looked at from outside."""
        if self.workers < 1:
            self.pace.tick()

    def _grown(self, key: Key) -> Job:
        def job(stop: threading.Event) -> Staged:
            saved = self.checkpoints.load(self._name(key))
            stage = self.make(self.plan.fold(self.data, key), saved["stage"].tobytes().decode() if saved else "")
            self.pace.watch(key, stage)
            if not saved:
                grow(stage, *self._limits(), stop, self._tick)
                self._keep(key, stage)
            return stage

        return job

    def _level(self, key: Key, rounds: int) -> Job:
        def job(stop: threading.Event) -> None:
            reach(self.stages[key], rounds, stop, self._tick)
            self._keep(key, self.stages[key])

        return job

    def _predicted(self, chosen: Sequence[int | None], for_test: int | None) -> Fitted:
        fitted, used, tests = Fitted(), {}, {}
        self.pace = Pace(self.work, chosen.count(None), *self._limits())  # and the models of the last phase are let go
        jobs = [self._prediction(key, rounds, for_test) for key, rounds in zip(self.plan.keys, chosen, strict=True)]
        for number, (rounds, valid, test) in self._each(jobs):
            key = self.plan.keys[number]
            self.look(valid, key)
            fitted.parts[key], tests[key], used[key] = self.plan.spread_out(key, valid), test, rounds
        per_fold = [used[key] for key in self.plan.keys]
        final = for_test or per_fold[0]
        if self.plan.refit:
            whole = self.make(self.plan.whole(self.data))
            self.pace = Pace(self.work, 1, final)
            self.pace.watch(None, whole)
            reach(whole, final, tick=self.pace.tick)
            tests = {(-1, -1): whole.predict(final, final)[1]}
            self.work.advance()
        fitted.test = np.mean([tests[key] for key in sorted(tests)], axis=0)
        how = "earlier folds" if self.plan.folds.rule == "before" else "the other folds' mean curve"
        fitted.rounds = {"per_fold": per_fold, "test": final, "chosen_by": how if for_test else "an inner part of the training rows"}
        return fitted

    def _prediction(self, key: Key, chosen: int | None, for_test: int | None) -> Job:
        """The fold's predictions after the chosen rounds; its model is let go afterwards."""
        def job(stop: threading.Event) -> tuple[int, Array, Array | None]:
            fold = self.plan.fold(self.data, key)
            rounds = chosen or self._inner_rounds(fold, stop)
            stage = self.stages[key]
            reach(stage, rounds, stop)
            valid, test = stage.predict(rounds, 0 if self.plan.refit else for_test or rounds)
            del self.stages[key], stage
            where = f"fold {key[1]}"
            valid = checked(valid, len(fold.valid), self.plan, where)
            return rounds, valid, None if self.plan.refit else checked_test(test, len(fold.X_test), self.plan, where)

        return job

    def _inner_rounds(self, fold: Fold, stop: threading.Event) -> int:
        """The rounds that an inner part of the fold's training rows chooses."""
        key = (fold.repeat, fold.fold)

        def make(inner: Fold) -> Staged:
            stage = self.make(inner)
            self.pace.watch(key, stage)
            return stage

        rounds = inner_rounds(make, inner_fold(fold, self.plan.folds, self.seed), *self._limits(), stop, self._tick)
        self.pace.leave(key)
        return rounds

    def _limits(self) -> tuple[int, int]:
        """Most rounds, and how many without a better loss before a fold stops."""
        return int(self.plan.params.get("max_rounds", MAX_ROUNDS)), int(self.plan.params.get("patience", PATIENCE))

    def _name(self, key: Key) -> str:
        return f"fold-{self.seed}-{key[0]}-{key[1]}"

    def _keep(self, key: Key, stage: Staged) -> None:
        self.checkpoints.save(self._name(key), stage=np.frombuffer(stage.dump().encode(), dtype=np.uint8))
