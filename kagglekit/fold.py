"""Data and Fold: what folds look at, and one fold with its training and validated rows."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kagglekit.errors import KKError

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray


@dataclass(frozen=True, slots=True)
class Data:
    """What the folds of a competition look at: features and target of train, features of test, in table order.

    y holds the target as in the table; `target` what models learn: class codes 0.. of `classes`, or floats.
    """

    X: "pd.DataFrame"
    y: Array
    target: Array
    X_test: "pd.DataFrame"
    classes: tuple[object, ...] = ()
    groups: Array | None = None
    time: Array | None = None


@dataclass(frozen=True, slots=True)
class Fold:
    """One fold: `train` and `valid` are row numbers of the train table; X and y are the whole table, never copied.

    `X_train`, `y_train`, `X_valid`, `y_valid` and `X_test` are the parts; `repeat` is -1 and `valid` empty for the refit on all rows.
    """

    repeat: int
    fold: int
    train: Array
    valid: Array
    data: Data | None = None

    @property
    def X(self) -> "pd.DataFrame":
        """Features of all train rows."""
        return self._data().X

    @property
    def y(self) -> Array:
        """Target of all train rows, as in the table."""
        return self._data().y

    @property
    def X_train(self) -> "pd.DataFrame":
        """Features of the rows that may train."""
        return self._data().X.iloc[self.train]

    @property
    def y_train(self) -> Array:
        """Target of the rows that may train, as in the table."""
        return self._data().y[self.train]

    @property
    def X_valid(self) -> "pd.DataFrame":
        """Features of the validated rows."""
        return self._data().X.iloc[self.valid]

    @property
    def y_valid(self) -> Array:
        """Target of the validated rows, as in the table."""
        return self._data().y[self.valid]

    @property
    def X_test(self) -> "pd.DataFrame":
        """Features of the test rows."""
        return self._data().X_test

    def _data(self) -> Data:
        if self.data is None:
            raise KKError("these folds are not tied to a competition's tables", "Load them with: kk.load_folds(name)")
        return self.data
