"""What a check of folds looks at, what it answers, and the registry of checks."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from kagglekit.fold import Data
from kagglekit.folds import Folds
from kagglekit.registry import Registry

Array = np.ndarray
SEVERITIES = ("fatal", "warn", "note")
Told = tuple[str, str]  # severity and sentence


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing the audit found: a stable code, its severity (fatal, warn, note) and a sentence with the number and what to do."""

    code: str
    severity: str
    says: str


@dataclass(frozen=True)
class Case:
    """Folds under audit with the data they split; what several checks need is found once.

    A line is one time that a row is validated: an entry of folds.row, folds.repeat, folds.fold. Folds are counted 0..F-1 in the order of
    folds.keys.
    """

    folds: Folds
    data: Data
    groups: Array | None = None
    order: Array | None = None
    test_gap: float | None = None
    X: pd.DataFrame | None = None

    @cached_property
    def sizes(self) -> Array:
        """int64[F], validated rows of each fold."""
        return np.asarray(self.folds.sizes, dtype=np.int64)

    @cached_property
    def index(self) -> Array:
        """int64[lines], the fold of each line, counted through the repeats."""
        repeat, fold = self.folds.repeat.astype(np.int64), self.folds.fold.astype(np.int64)
        width = int(fold.max(initial=0)) + 1
        known = np.array([key[0] * width + key[1] for key in self.folds.keys], dtype=np.int64)
        return np.searchsorted(known, repeat * width + fold)

    @cached_property
    def lines(self) -> list[Array]:
        """The lines of each fold, its rows in order."""
        return np.split(np.argsort(self.index, kind="stable"), np.cumsum(self.sizes)[:-1])

    @cached_property
    def training_rows(self) -> Array:
        """int64[F], how many rows train each fold."""
        if self.folds.rule == "rest":
            return self.folds.rows - self.sizes
        return np.array([len(fold.train) for fold in self.folds], dtype=np.int64)

    @cached_property
    def repeats(self) -> list[int]:
        """The numbers of the repeats."""
        return sorted({repeat for repeat, _ in self.folds.keys})

    @cached_property
    def scored(self) -> int:
        """How many rows are validated at least once."""
        seen = np.zeros(self.folds.rows, dtype=bool)
        seen[self.folds.row] = True
        return int(seen.sum())

    def called(self, fold: int) -> str:
        """A fold's name in a sentence: "fold 3", with its repeat where there are several."""
        repeat, number = self.folds.keys[fold]
        return f"fold {number}" + (f" of repeat {repeat}" if len(self.repeats) > 1 else "")


@dataclass(frozen=True, slots=True)
class Check:
    """A check of folds by its code: of a Case it gives a Finding, or None where nothing is wrong.

    `follows`: whether what it finds is often a consequence of other findings of its severity, to be told after them.
    """

    name: str
    function: Callable[[Case], Told | None]
    follows: bool = False

    def __call__(self, case: Case) -> Finding | None:
        """The finding on a case."""
        told = self.function(case)
        return None if told is None else Finding(self.name, *told)


REGISTRY: Registry[Check] = Registry("audit check", make=Check, home="kagglekit.audit", group="kagglekit.audit")
check = REGISTRY.register
