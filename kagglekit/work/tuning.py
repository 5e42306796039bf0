"""A search over parameters: the trials of a study, one after the other, until there are enough or the time is up."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from kagglekit.errors import KKError
from kagglekit.progress import Task, say, task
from kagglekit.work.failure import explained
from kagglekit.work.plan import Array, Checkpoints, Plan
from kagglekit.work.pruning import Rival, is_behind, rival_of
from kagglekit.work.space import Parameter, suggested, told_as_default
from kagglekit.work.study import Study, early_of, result_of, value_of
from kagglekit.work.time_limit import TimeLimit
from kagglekit.work.trial import Ground, Outcome, fingerprint

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial, Trial

IN_A_ROW = 3      # failed trials after which a search gives up
FINAL = 1.3       # a final training takes so many usual trials: it also predicts the test rows


class Behind(Exception):
    """A trial that will hardly end ahead of the best one."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a search is asked for: trials in all (None: as many as fit), a limit of time, the sampler's seed, and whether trials are pruned."""

    trials: int | None
    limit: TimeLimit
    seed: int = 0
    prune: bool = True
    keep: float = FINAL  # usual trials' worth of time kept for the final training


@dataclass(slots=True)
class Search:
    """A study at work. `defaults` are the model's parameters as they are without a search, with what is set; `fixed` is what is set."""

    study: Study
    ground: Ground
    space: Sequence[Parameter]
    fixed: Mapping[str, object]
    wish: Wish
    _failed: int = 0
    _usual: list[float] = field(default_factory=list)

    @property
    def plan(self) -> Plan:
        """The plan of the defaults."""
        return self.ground.plan

    def run(self) -> None:
        """Trials until there are enough; those of other processes on the same study count, and are waited for at the end.

        Raises KKError where the defaults fail, the first trial of others does, or three trials in a row.
        """
        left = self.study.clear_left()
        if left:
            say(f"{left} {'trial was' if left == 1 else 'trials were'} left unfinished by a process that is gone: run again")
        self._usual = [float(result_of(one)["seconds"]) for one in self.study.complete()]  # type: ignore[arg-type]
        total, unit = (self.wish.limit.seconds, "s") if self.wish.trials is None else (self.wish.trials, "trials")
        done = 0 if self.wish.trials is None else self._finished()
        with task(f"tuning {self.plan.model.name}", total=total, unit=unit, done=done) as work:
            while self._more():
                began = time.monotonic()
                self._one()
                # Trials of other processes count too, and seconds where time is the limit.
                amount = time.monotonic() - began if self.wish.trials is None else self._finished() - work.done
                work.advance(amount, note=self._note())
            self._wait(work)

    def _finished(self) -> int:
        return self.study.count("COMPLETE", "PRUNED")

    def _more(self) -> bool:
        if self.wish.trials is not None and self._finished() + len(self.study.at_work()) >= self.wish.trials:
            return False
        usual = float(np.median(self._usual)) if self._usual else 0.0
        return self.study.best() is None or self.wish.limit.fits(usual * (1 + self.wish.keep))

    def _wait(self, work: Task) -> None:
        """Until other processes' trials have ended: one of them may be the best."""
        said = False
        while self.study.at_work() and self.wish.limit.left > 0:
            if not said:
                say(f"waiting for {len(self.study.at_work())} trials of other processes on this study")
                said = True
            time.sleep(0.3)
            work.advance(max(self._finished() - work.done, 0) if self.wish.trials is not None else 0, note=self._note())

    def _one(self) -> None:
        """One trial, whatever comes of it. A stop (Ctrl-C) hands it back, so that it is run again."""
        trial = self.study.ask(self.wish.seed)
        try:
            default = bool(trial.user_attrs.get("defaults"))
            if default:
                told_as_default(trial, self.space, self.plan.params)
            given = {} if default else suggested(trial, self.space, self.plan.params)
            self._scored(trial, {**self.plan.params, **given}, given)
            self._failed = 0
        except Exception as error:  # one set of parameters that cannot be trained does not end a search
            self.study.end(trial, "fail")
            self._refused(error, bool(trial.user_attrs.get("defaults")))
        except BaseException:
            self.study.give_back(trial)
            raise

    def _scored(self, trial: "Trial", params: Mapping[str, object], given: Mapping[str, object]) -> None:
        began = time.monotonic()
        self.study.note(trial, given=dict(given))
        twin = next((one for one in self.study.complete() if {**self.plan.params, **one.user_attrs["given"]} == params), None)
        if twin is not None:
            return self._as(trial, twin)
        checkpoints, rival = Checkpoints(self.study.folder / ".work" / fingerprint(params)), self._rival(len(self.plan.keys))
        try:
            outcome = self.ground.run(params, checkpoints, lambda scores: self._watch(trial, scores, rival))
        except Behind:
            self.study.end(trial, "pruned")
        else:
            self._keep(trial, outcome, time.monotonic() - began)
        checkpoints.clear()
        return None

    def _keep(self, trial: "Trial", outcome: Outcome, seconds: float) -> None:
        score = outcome.score
        if score.mean is None or not np.isfinite(score.mean):
            raise KKError(f"the score is {score.mean}", "Look at the parameters of this trial")
        self.study.save_oof(trial.number, self.values_of(outcome))
        self.study.note(trial, result={"folds": score.per_fold, "early": outcome.early, "se": score.se, "rounds": outcome.rounds, "seconds": seconds})
        self.study.end(trial, "complete", score.mean)
        self._usual.append(seconds)

    def _as(self, trial: "Trial", twin: "FrozenTrial") -> None:
        """Parameters that were tried before are not tried again."""
        values = self.study.oof(twin.number)
        if values is not None:
            self.study.save_oof(trial.number, values)
        self.study.note(trial, result=result_of(twin), twin=twin.number)
        self.study.end(trial, "complete", value_of(twin))

    def values_of(self, outcome: Outcome) -> Array:
        """A trial's predictions of the validated rows in use, fold by fold in the plan's order."""
        return np.concatenate([outcome.parts[key][self.plan.used[self.plan.folds.one(*key).valid]] for key in self.plan.keys])

    def _watch(self, trial: "Trial", scores: list[float], rival: Rival | None) -> None:
        if rival is None or len(scores) >= len(self.plan.keys):
            return
        signed = [self.study.sign * score for score in scores]
        gap = float(np.mean(np.asarray(signed) - rival.scores[: len(signed)]))
        self.study.report(trial, self.study.sign * (float(rival.scores.mean()) + gap), len(scores))
        if self.wish.prune and not trial.user_attrs.get("defaults") and is_behind(signed, rival):
            raise Behind

    def _rival(self, folds: int) -> Rival | None:
        """The best complete trial by the scores that trials are watched by."""
        best = self.study.best()
        finished = [one for one in self.study.complete() if len(early_of(one)) == folds and "twin" not in one.user_attrs]
        if best is None or best not in finished:
            return None
        table = [[self.study.sign * score for score in early_of(one)] for one in finished]
        return rival_of(table, finished.index(best))

    def _refused(self, error: Exception, default: bool) -> None:
        """Go on after a trial that failed, unless it shows that none will work."""
        self._failed += 1
        told = error if isinstance(error, KKError) else explained(error, self.plan.model.name, self.study.folder / "traceback.txt")
        if default:
            raise told from error
        others = [one for one in self.study.complete() if not one.user_attrs.get("defaults")]
        if not others or self._failed >= IN_A_ROW:
            which = "the first trial beside the defaults failed" if not others else f"{self._failed} trials in a row failed"
            raise KKError(f"{which}: {told.what}", f"{told.do}. Mend the space, then begin another study: --study NAME") from error
        say(f"a trial failed and is left out: {told.what}")

    def _note(self) -> str:
        best, default, metric = self.study.best(), self.study.defaults(), self.plan.problem.metric.name
        if best is None:
            return ""
        beside = f", defaults {value_of(default):.5f}" if default is not None and default.number != best.number else ""
        return f"best {metric} {value_of(best):.5f} (trial {best.number}){beside}"
