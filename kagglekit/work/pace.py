"""Pace: what models that grow in rounds say while they grow: loss, rounds, rounds a second, and what is left of a long first fold."""

import time
from dataclasses import dataclass, field

import numpy as np

from kagglekit.models.family import Staged
from kagglekit.progress import Task

EVERY = 0.5   # seconds between two looks
SHOWN = 6     # folds whose rounds are shown


@dataclass(slots=True)
class Pace:
    """Rounds of the `folds` models at work. Each grows to `most` rounds; with `patience` it may stop after so many without a better loss."""

    work: Task
    folds: int
    most: int
    patience: int | None = None
    _stages: dict[object, Staged] = field(default_factory=dict)
    _before: int = 0
    _ended: int = 0
    _began: float = field(default_factory=time.monotonic)
    _looked: float = 0.0

    def watch(self, name: object, stage: Staged) -> None:
        """Count this model's rounds from here on."""
        self._before += len(stage.curve)
        self._stages[name] = stage

    def tick(self) -> None:
        """A round is done: tell the progress, twice a second at most. For the thread that shows it."""
        now = time.monotonic()
        if now - self._looked >= EVERY:
            self._looked = now
            self.tell()

    def tell(self) -> None:
        """Tell the progress."""
        self.work.advance(0, note=self.note())

    def ended(self) -> None:
        """One of the models has its rounds."""
        self._ended += 1

    def leave(self, name: object) -> None:
        """As `ended`, and the model is let go."""
        self._before -= len(self._stages.pop(name).curve)
        self.ended()

    def note(self) -> str:
        """The time left, how fast rounds grow, the mean of the best losses so far and each fold's rounds; empty before the first round."""
        curves = [curve for curve in (list(stage.curve) for stage in self._stages.copy().values()) if curve]
        if not curves:
            return ""
        best = [min(curve) for curve in curves]
        loss = f"loss {np.mean(best):.5f} " if np.isfinite(best).all() else ""
        rounds = ", ".join(str(len(curve)) for curve in curves[:SHOWN]) + (", ..." if len(curves) > SHOWN else "")
        rate = (sum(map(len, curves)) - self._before) / max(time.monotonic() - self._began, 1e-9)
        speed = f"{self._left(curves, rate)}{rate:.3g} rounds/s, " if rate > 0 else ""  # first: a narrow terminal cuts the end
        return f"{speed}{loss}after {rounds} rounds"

    def _left(self, curves: list[list[float]], rate: float) -> str:
        """The time left, while no fold is done by which it could be told: exact for fixed rounds, else between two bounds."""
        if self._ended:
            return ""
        most = sum(self.most - len(curve) for curve in curves) + self.most * max(self.folds - len(curves), 0)
        if self.patience is None:
            return f"{_clock(most / rate)} left, "
        wait = [max(int(np.argmin(curve)) + 1 + self.patience - len(curve), 0) for curve in curves]
        least = min(sum(wait) + (self.patience + 1) * max(self.folds - len(curves), 0), most)
        return f"{_clock(least / rate)} to {_clock(most / rate)} left, "


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
