"""One trial of a search: a model with some parameters over the folds, one fold after the other, so that it can be stopped between them."""

import hashlib
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from kagglekit.fold import Data, Fold
from kagglekit.models.family import Staged
from kagglekit.run import Score
from kagglekit.work.clock import Clock
from kagglekit.work.fit import prepare
from kagglekit.work.parallel import Job, spread
from kagglekit.work.plan import Array, Checkpoints, Key, Plan, check_folds, checked
from kagglekit.work.rounds import MAX_ROUNDS, PATIENCE, chosen_rounds, grow, inner_fold, inner_rounds, reach
from kagglekit.work.score import fold_scores, said_for, truth_for
from kagglekit.work.study import as_json

Watch = Callable[[list[float]], None]
KEEP = 5.0  # seconds of a fold from which it is kept for a trial that is run again
PREPARED = 2  # settings of bins whose shared tables are kept at once
# What LightGBM's bins depend on. A family with `prepare` may name its own as `bin_settings` on its stage function.
LIGHTGBM_BINS = ("bin_construct_sample_cnt", "bin_seed", "categorical_feature", "data_random_seed", "data_seed", "enable_bundle",
                 "feature_pre_filter", "forcedbins_filename", "is_enable_sparse", "linear_tree", "linear_trees", "max_bin", "max_bin_by_feature",
                 "max_bins", "min_data_in_bin", "num_threads", "subsample_for_bin", "use_missing", "zero_as_missing")
BINS = {("lightgbm",): LIGHTGBM_BINS}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a trial came to: predictions by (repeat, fold), its Score, rounds, and the fold scores that it was watched by."""

    parts: dict[Key, Array]
    score: Score
    rounds: Mapping[str, object]
    early: list[float]


@dataclass(slots=True)
class Ground:
    """What all trials of a search stand on: data, folds (with what is fitted inside them), and tables binned once for each setting of bins."""

    plan: Plan
    data: Data
    clock: Clock
    _folds: dict[Key, Fold] = field(default_factory=dict)
    _prepared: dict[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_folds(self.plan, self.data)
        needed = bool(self.plan.model.code) or self.plan.problem.ordinal  # a person's code may look at all; grades are cut with test's in sight
        if not needed and len(self.data.X_test) > 1:
            self.data = replace(self.data, X_test=self.data.X_test.iloc[:1])

    def fold(self, key: Key) -> Fold:
        """The fold on the rows in use; what is fitted inside it is fitted once for all trials."""
        if key not in self._folds:
            self._folds[key] = self.plan.fold(self.data, key)
        return self._folds[key]

    def prepared(self, plan: Plan) -> object:
        """What folds share under these parameters (`prepare`), kept for the last settings of bins."""
        names = getattr(plan.model.stage, "bin_settings", BINS.get(plan.model.needs))
        key = as_json({name: value for name, value in plan.params.items() if names is None or name in names})
        if key not in self._prepared:
            while len(self._prepared) >= PREPARED:
                del self._prepared[next(iter(self._prepared))]
            self._prepared[key] = prepare(plan, self.data, self.clock)
        return self._prepared[key]

    def run(self, params: Mapping[str, object], checkpoints: Checkpoints, watch: Watch) -> Outcome:
        """A trial with these parameters (all of them, as the model takes them).

        `watch` is called with the scores of the first 1, 2, ... folds, in order, as they become known, and may raise to stop the trial.
        A boosted model's fold is watched by its score at its own best round; the trial's score goes by the rounds that the other folds
        chose, as in kk train. Raises KKError for predictions of the wrong shape and for what the model refuses.
        """
        plan = replace(self.plan, params=dict(params))
        with self.clock.running():
            trial = _Trial(self, plan, checkpoints, watch, self.prepared(plan))
            parts, rounds = trial.grown() if plan.model.stage and plan.model.rounds not in plan.params else trial.plain()
        return Outcome(parts, fold_scores(plan.problem, self.data, plan.folds, parts, plan.used), rounds, trial.early)


@dataclass(slots=True)
class _Trial:
    """A trial at work."""

    ground: Ground
    plan: Plan
    checkpoints: Checkpoints
    watch: Watch
    prepared: object
    early: list[float] = field(default_factory=list)

    def plain(self) -> tuple[dict[Key, Array], dict[str, object]]:
        """Models without rounds to find."""
        parts = self._watched(self._fitted)
        fixed = {"fixed": self.plan.params[self.plan.model.rounds]} if self.plan.model.rounds in self.plan.params else {}
        return {key: self.plan.spread_out(key, values) for key, values in parts.items()}, fixed

    def grown(self) -> tuple[dict[Key, Array], dict[str, object]]:
        """Models that grow: each fold's curve, then its rounds by the others'."""
        stages: dict[Key, Staged] = self._watched(self._curve)
        longest = max(len(stage.curve) for stage in stages.values())
        keys = self.plan.keys
        for _ in self._each([_reach(stages[key], longest) for key in keys if len(stages[key].curve) < longest]):
            pass
        curves = [stages[key].curve[:longest] for key in keys]
        chosen, for_test = chosen_rounds(curves, self.plan.folds.rule, [repeat for repeat, _ in keys])
        jobs = [self._predicted(key, stages, rounds) for key, rounds in zip(keys, chosen, strict=True)]
        done = dict(self._each(jobs))
        parts = {key: self.plan.spread_out(key, done[number][1]) for number, key in enumerate(keys)}
        return parts, {"per_fold": [done[number][0] for number in range(len(keys))], "test": for_test}

    def _each(self, jobs: list[Job]):  # type: ignore[no-untyped-def]
        begin = self.prepared.quiet if self.prepared else (lambda: None)  # type: ignore[attr-defined]
        return spread(jobs, self.prepared.workers if self.prepared else 0, begin=begin)  # type: ignore[attr-defined]

    def _watched(self, make: Callable[[Key, threading.Event], tuple[object, float]]) -> dict:
        """The answers of `make` for all folds; watched in the order of folds, whichever ends first, so that a trial always ends alike."""
        keys, found, scores = self.plan.keys, {}, {}
        jobs = [lambda stop, key=key: make(key, stop) for key in keys]
        work = self._each(jobs)
        try:
            for number, (answer, score) in work:
                found[keys[number]], scores[number] = answer, score
                while len(self.early) in scores:
                    self.early.append(scores[len(self.early)])
                    self.watch(list(self.early))
        finally:
            work.close()
        return found

    def _curve(self, key: Key, stop: threading.Event) -> tuple[Staged, float]:
        """A fold's model, grown until it gets no better, and its score at its best round."""
        saved, began = self.checkpoints.load(_name(key)), time.perf_counter()
        stage = self._make(self.ground.fold(key), saved["stage"].tobytes().decode() if saved else "")
        if not saved:
            grow(stage, *self._limits(), stop)
            if time.perf_counter() - began > KEEP:
                self.checkpoints.save(_name(key), stage=np.frombuffer(stage.dump().encode(), dtype=np.uint8))
        # With dart the rounds before the last would have to be grown anew.
        rounds = len(stage.curve) if self.plan.params.get("boosting") == "dart" else int(np.argmin(stage.curve)) + 1
        return stage, self._scored(key, stage.predict(rounds, 0)[0])

    def _fitted(self, key: Key, stop: threading.Event) -> tuple[Array, float]:
        """Predictions of a model without rounds to find."""
        saved, began = self.checkpoints.load(_name(key)), time.perf_counter()
        if saved:
            return saved["valid"], self._scored(key, saved["valid"])
        fold, model = self.ground.fold(key), self.plan.model
        if model.stage:
            rounds = int(self.plan.params[model.rounds])  # type: ignore[call-overload]
            stage = self._make(fold)
            reach(stage, rounds, stop)
            values = stage.predict(rounds, 0)[0]
        else:
            assert model.fit_predict is not None
            values = model.fit_predict(self.plan.problem, self.plan.params, self.plan.seeds[0], fold, self.ground.clock)[0]
        valid = checked(values, len(fold.valid), self.plan, f"fold {key[1]}")
        if time.perf_counter() - began > KEEP:
            self.checkpoints.save(_name(key), valid=valid)
        return valid, self._scored(key, valid)

    def _predicted(self, key: Key, stages: dict[Key, Staged], chosen: int | None) -> Job:
        def job(stop: threading.Event) -> tuple[int, Array]:
            fold = self.ground.fold(key)
            inner = None if chosen else inner_fold(fold, self.plan.folds, self.plan.seeds[0])
            rounds = chosen or inner_rounds(self._make, inner, *self._limits(), stop)  # type: ignore[arg-type]
            stage = stages.pop(key)
            reach(stage, rounds, stop)
            return rounds, checked(stage.predict(rounds, 0)[0], len(fold.valid), self.plan, f"fold {key[1]}")

        return job

    def _make(self, fold: Fold, saved: str = "") -> Staged:
        make = self.prepared or self.plan.model.stage
        return make(self.plan.problem, self.plan.params, self.plan.seeds[0], fold, self.ground.clock, saved)  # type: ignore[operator,misc]

    def _limits(self) -> tuple[int, int]:
        return int(self.plan.params.get("max_rounds", MAX_ROUNDS)), int(self.plan.params.get("patience", PATIENCE))  # type: ignore[call-overload]

    def _scored(self, key: Key, values: Array) -> float:
        """The fold's score, as the competition shows it."""
        metric, rows = self.plan.problem.metric, self.ground.fold(key).valid
        values = checked(values, len(rows), self.plan, f"fold {key[1]}")
        return metric(truth_for(metric, self.ground.data, self.plan.problem)[rows], said_for(metric, values, self.plan.problem))


def _reach(stage: Staged, rounds: int) -> Job:
    return lambda stop: reach(stage, rounds, stop)


def _name(key: Key) -> str:
    return f"fold-{key[0]}-{key[1]}"


def fingerprint(params: Mapping[str, object]) -> str:
    """A short name for parameters, under which their finished folds are kept."""
    return hashlib.sha256(as_json(params).encode()).hexdigest()[:12]
