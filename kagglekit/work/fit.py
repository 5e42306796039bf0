"""Fitting: a model over folds and seeds, with checkpoints that outlive a kill, and the refit on all rows."""

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from kagglekit.errors import KKError
from kagglekit.fold import Data, Fold
from kagglekit.folds import Folds
from kagglekit.models.family import Model, Problem
from kagglekit.progress import task
from kagglekit.store import write_bytes
from kagglekit.work.clock import Clock
from kagglekit.work.rounds import MAX_ROUNDS, PATIENCE, chosen_rounds, grow, inner_rounds
from kagglekit.work.score import said_for, truth_for

Array = np.ndarray
Key = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be fitted: a model with parameters and seeds, on these folds (or one of them), on these rows."""

    model: Model
    problem: Problem
    params: Mapping[str, object]
    folds: Folds
    keys: tuple[Key, ...]
    seeds: tuple[int, ...]
    used: Array
    refit: bool


@dataclass(slots=True)
class Fitted:
    """Predictions of the validated rows by (repeat, fold), of the test rows, and the rounds that were used."""

    parts: dict[Key, Array] = field(default_factory=dict)
    test: Array | None = None
    rounds: dict[str, object] = field(default_factory=dict)


class Checkpoints:
    """Finished pieces of a run in its hidden folder; each is whole or not there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def count(self) -> int:
        """How many folds are finished."""
        return len(list(self.folder.glob("fold-*.npz")))

    def load(self, name: str) -> dict[str, Array] | None:
        """What was saved under `name`, or None."""
        path = self.folder / f"{name}.npz"
        if not path.exists():
            return None
        with np.load(path, allow_pickle=False) as archive:
            return {key: archive[key] for key in archive.files}

    def save(self, name: str, **arrays: Array) -> None:
        """Keep arrays under `name`."""
        buffer = io.BytesIO()
        np.savez(buffer, **arrays)
        write_bytes(self.folder / f"{name}.npz", buffer.getvalue())

    def clear(self) -> None:
        """Remove all pieces."""
        for path in self.folder.glob("*"):
            path.unlink()
        if self.folder.exists():
            self.folder.rmdir()


def fit(plan: Plan, data: Data, clock: Clock, checkpoints: Checkpoints) -> Fitted:
    """Fit every fold of the plan (finished ones are read back), then the test model; seeds are averaged."""
    by_seed = []
    total = len(plan.seeds) * (len(plan.keys) + int(plan.refit))
    with task(f"training {plan.model.name}", total=total, unit="folds") as work:
        for seed in plan.seeds:
            one = _staged if plan.model.stage and plan.model.rounds not in plan.params else _plain
            by_seed.append(one(plan, data, seed, clock, checkpoints, work))
    parts = {key: np.mean([fitted.parts[key] for fitted in by_seed], axis=0) for key in plan.keys}
    return Fitted(parts, np.mean([fitted.test for fitted in by_seed], axis=0), by_seed[0].rounds)


def _fold(plan: Plan, data: Data, key: Key) -> Fold:
    """The fold, on the rows in use."""
    fold = plan.folds.one(*key)
    valid = fold.valid
    return Fold(*key, fold.train[plan.used[fold.train]], valid, data)


def _whole(plan: Plan, data: Data) -> Fold:
    return Fold(-1, -1, np.flatnonzero(plan.used), np.empty(0, dtype=np.int64), data)


def _plain(plan: Plan, data: Data, seed: int, clock: Clock, checkpoints: Checkpoints, work: object) -> Fitted:
    """Models without rounds to find: fold by fold, each kept as soon as it is done."""
    fitted, tests = Fitted(), []
    for key in plan.keys:
        name = f"fold-{seed}-{key[0]}-{key[1]}"
        done = checkpoints.load(name)
        if done is None:
            fold = _fold(plan, data, key)
            valid, test = _once(plan, fold, seed, clock)
            done = {"valid": checked(valid, len(fold.valid), plan, f"fold {key[1]}"), "test": test}
            checkpoints.save(name, **done)
        fitted.parts[key] = done["valid"]
        tests.append(done["test"])
        work.advance(note=_running(plan, data, fitted))
    if plan.refit:
        tests = [_once(plan, _whole(plan, data), seed, clock)[1]]
        work.advance()
    fitted.test = np.mean(tests, axis=0)
    if plan.model.rounds in plan.params:
        fitted.rounds = {"fixed": plan.params[plan.model.rounds]}
    return fitted


def _once(plan: Plan, fold: Fold, seed: int, clock: Clock) -> tuple[Array, Array]:
    if plan.model.stage:
        rounds = int(plan.params[plan.model.rounds])
        stage = plan.model.stage(plan.problem, plan.params, seed, fold, clock)
        stage.advance(rounds)
        return stage.predict(rounds)
    return plan.model.fit_predict(plan.problem, plan.params, seed, fold, clock)


def _staged(plan: Plan, data: Data, seed: int, clock: Clock, checkpoints: Checkpoints, work: object) -> Fitted:
    """Models that grow: every fold's curve first, then each fold at the rounds that the others chose."""
    most, patience = int(plan.params.get("max_rounds", MAX_ROUNDS)), int(plan.params.get("patience", PATIENCE))

    def make(fold: Fold, saved: str = "") -> object:
        return plan.model.stage(plan.problem, plan.params, seed, fold, clock, saved)

    stages = {}
    for key in plan.keys:
        name = f"fold-{seed}-{key[0]}-{key[1]}"
        saved = checkpoints.load(name)
        stages[key] = make(_fold(plan, data, key), str(saved["stage"]) if saved else "")
        if not saved:
            grow(stages[key], most, patience)
            checkpoints.save(name, stage=np.array(stages[key].dump()))
        work.advance()
    longest = max(len(stage.curve) for stage in stages.values())
    for stage in stages.values():
        stage.advance(longest)
    chosen, for_test = chosen_rounds([stage.curve[:longest] for stage in stages.values()], plan.folds.rule)
    fitted, tests, used = Fitted(), [], []
    for (key, stage), rounds in zip(stages.items(), chosen, strict=True):
        rounds = rounds or inner_rounds(make, _fold(plan, data, key), plan.folds, seed, most, patience)
        stage.advance(rounds)
        valid, _ = stage.predict(rounds)
        fitted.parts[key] = checked(valid, len(plan.folds.one(*key).valid), plan, f"fold {key[1]}")
        used.append(rounds)
        tests.append(None if plan.refit else stage.predict(for_test if len(stages) > 1 else rounds)[1])
    if plan.refit:
        whole = make(_whole(plan, data))
        whole.advance(for_test if len(stages) > 1 else used[0])
        tests = [whole.predict(for_test if len(stages) > 1 else used[0])[1]]
        work.advance()
    fitted.test = np.mean(tests, axis=0)
    fitted.rounds = {"per_fold": used, "test": for_test if len(stages) > 1 else used[0],
                     "chosen_by": "earlier folds" if plan.folds.rule == "before" else "the other folds' mean curve"
                     if len(stages) > 1 else "an inner part of the training rows"}
    return fitted


def checked(values: Array, rows: int, plan: Plan, where: str) -> Array:
    """Predictions of a model in the expected shape, finite, or a KKError that says what is wrong."""
    values = np.asarray(values, dtype=np.float64)
    if plan.problem.task == "binary" and values.ndim == 2 and values.shape[1] == 2:
        values = values[:, 1]
    expected = (rows, len(plan.problem.classes)) if plan.problem.task == "multiclass" else (rows,)
    if values.shape != expected:
        raise KKError(f"{plan.model.name} gave predictions of the shape {values.shape} for {where}, expected {expected}",
                      "Return one value a row (of several classes: one column a class, in the order of competition.toml)")
    if not np.isfinite(values).all():
        row = int(np.flatnonzero(~np.isfinite(values.reshape(rows, -1)).all(axis=1))[0])
        raise KKError(f"{plan.model.name} predicts NaN or infinity for {where}, first in its row {row}",
                      "Fill missing values inside the model")
    return values


def _running(plan: Plan, data: Data, fitted: Fitted) -> str:
    """The score so far, for the progress line."""
    truth = truth_for(plan.problem.metric, data, plan.problem)
    scores = []
    for key, values in fitted.parts.items():
        rows = plan.folds.one(*key).valid
        keep = plan.used[rows]
        try:
            scores.append(plan.problem.metric(truth[rows[keep]], said_for(plan.problem.metric, values[keep], plan.problem)))
        except KKError:
            return ""
    return f"{plan.problem.metric.name} {np.mean(scores):.5f}"
