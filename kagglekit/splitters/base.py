"""Splitter, the registry of splitters, and the answer that carries its own training rows."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from kagglekit.registry import Registry

Array = np.ndarray
NEEDS = ("y", "groups", "time", "likeness", "column")


@dataclass(frozen=True, slots=True)
class Splitter:
    """A splitter, what it needs of `y, groups, time, likeness, column` (passed in that order) and the rule that says what trains.

    likeness: float[rows], the out-of-fold probability that a row is a test row; column: any values, one a row. The rule is rest,
    before or purged (see Folds). `labels`: whether y is rows x labels; `counted`: whether n says how many folds there are;
    `shares_groups`: whether a group may be on both sides on purpose.

    >>> REGISTRY.get("time").options
    ('test_size', 'gap', 'window')
    """

    name: str
    function: Callable[..., object]
    needs: tuple[str, ...]
    rule: str = "rest"
    labels: bool = False
    counted: bool = True
    shares_groups: bool = False

    def __call__(self, *given: Array, **params: object) -> object:
        """Fold of each row as int16[rows] (-1: never validated), or (row, repeat, fold), or Explicit."""
        return self.function(*given, **params)

    @property
    def options(self) -> tuple[str, ...]:
        """Its keyword options beside n and seed."""
        return tuple(name for name in inspect.signature(self.function).parameters if name not in (*self.needs, "n", "seed"))


@dataclass(frozen=True, slots=True)
class Explicit:
    """Validated rows with training rows that are not simply the rest.

    row, repeat, fold: int arrays, one line for each time a row is validated; train: the row numbers that train, one array for each
    (repeat, fold) in sorted order.
    """

    row: Array
    repeat: Array
    fold: Array
    train: tuple[Array, ...]


REGISTRY: Registry[Splitter] = Registry("splitter", make=Splitter, home="kagglekit.splitters", group="kagglekit.splitters")
splitter = REGISTRY.register
