"""Case: what the rules look at, and what each of them adds to the advice."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from kagglekit.competition import Competition

Array = np.ndarray
CLASSES = ("binary", "multiclass")


@dataclass(frozen=True, slots=True)
class Choice:
    """A splitter by name, with its params as `kk cv` takes them; `leaves_out` are columns that this split already accounts for."""

    splitter: str
    params: Mapping[str, object] = field(default_factory=dict)
    groups: int | None = None
    leaves_out: tuple[str, ...] = ()


@dataclass(slots=True)
class Case:
    """Train, test (None where none is to be looked at), the target as float64[rows, columns], and what the rules have said so far."""

    train: pd.DataFrame
    test: pd.DataFrame | None
    competition: Competition
    y: Array | None
    evidence: list[str] = field(default_factory=list)
    ruled_out: list[str] = field(default_factory=list)
    runners_up: list[Mapping[str, object]] = field(default_factory=list)

    @property
    def by_group(self) -> str:
        """The splitter that keeps groups whole: with like class shares where the target is classes."""
        return "stratified-group" if self.competition.task in CLASSES else "group"

    def also(self, splitter: str, why: str, **params: object) -> None:
        """Name a split worth a test; the same one only once."""
        one = {"splitter": splitter, "params": params, "why": why}
        if all((other["splitter"], other["params"]) != (splitter, params) for other in self.runners_up):
            self.runners_up.append(one)


def plain_names(table: pd.DataFrame) -> pd.DataFrame:
    """The table with its column names as text, the first column of each name.

    >>> plain_names(pd.DataFrame([[1, 2, 3]], columns=["a", 5, "a"])).columns.tolist()
    ['a', '5']
    """
    names = table.columns.astype(str)
    return table if names.is_unique and names.equals(table.columns) else table.set_axis(names, axis=1).loc[:, ~names.duplicated()]


def shared_features(train: pd.DataFrame, test: pd.DataFrame | None, competition: Competition) -> list[str]:
    """Columns of both tables (of train where test is None) that tell of a row: no ids (but dates), targets, image files and ignored ones."""
    left_out = {*competition.target, *competition.ignore, *competition.image}
    left_out |= {name for name in competition.id if name in train and train[name].dtype.kind != "M"}
    return [name for name in train.columns if name not in left_out and (test is None or name in test.columns)]
