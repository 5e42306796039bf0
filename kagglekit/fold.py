"""Data and Fold: what folds look at, and one fold with its training and validated rows."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from kagglekit.errors import KKError

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray


@dataclass(frozen=True, slots=True)
class View:
    """What is made anew for one fold: features of its training rows (then of rows that only train), validated and test rows.

    `y` and `target` belong to the rows of `train`, row by row.
    """

    train: "pd.DataFrame"
    valid: "pd.DataFrame"
    test: "pd.DataFrame"
    y: Array
    target: Array


@dataclass(frozen=True, slots=True)
class Data:
    """What the folds of a competition look at: features and target of train, features of test, in table order.

    y holds the target as in the table (rows, or rows x targets); `target` what models learn: class codes 0.. of `classes`, or floats.
    `ids_only` says that X holds no column that can be a feature. `fitted` makes what is fitted inside each fold, where there is such.
    """

    X: "pd.DataFrame"
    y: Array
    target: Array
    X_test: "pd.DataFrame"
    classes: tuple[object, ...] = ()
    groups: Array | None = None
    time: Array | None = None
    ids_only: bool = False
    fitted: "Callable[[Fold], View] | None" = None


@dataclass(frozen=True, slots=True)
class Fold:
    """One fold: `train` and `valid` are row numbers of the train table; X and y are the whole table, never copied.

    `X_train`, `y_train`, `X_valid`, `y_valid` and `X_test` are the parts; `target_train` is y_train as models learn it. Where features
    are fitted inside the fold, these are the fitted ones, made at the first look; where rows are added that only train, `X_train`,
    `y_train` and `target_train` end with them. `repeat` is -1 and `valid` empty for the refit on all rows.

    >>> import pandas as pd
    >>> data = Data(pd.DataFrame({"x": [1, 2, 3]}), np.array(["no", "yes", "no"]), np.array([0, 1, 0]), pd.DataFrame({"x": [4]}), ("no", "yes"))
    >>> fold = Fold(0, 0, train=np.array([0, 2]), valid=np.array([1]), data=data)
    >>> fold.X_train["x"].tolist(), fold.y_valid.tolist(), fold.target_train.tolist()
    ([1, 3], ['yes'], [0, 0])
    """

    repeat: int
    fold: int
    train: Array
    valid: Array
    data: Data | None = None
    _view: View | None = field(default=None, compare=False, repr=False)

    @property
    def X(self) -> "pd.DataFrame":
        """Features of all train rows, without what is fitted inside the fold."""
        return self._data().X

    @property
    def y(self) -> Array:
        """Target of all train rows, as in the table."""
        return self._data().y

    @property
    def X_train(self) -> "pd.DataFrame":
        """Features of the rows that may train."""
        view = self.view
        return view.train if view else self._data().X.iloc[self.train]

    @property
    def y_train(self) -> Array:
        """Target of the rows of X_train, as in the table."""
        view = self.view
        return view.y if view else self._data().y[self.train]

    @property
    def target_train(self) -> Array:
        """Target of the rows of X_train, as models learn it: class codes or floats."""
        view = self.view
        return view.target if view else self._data().target[self.train]

    @property
    def X_valid(self) -> "pd.DataFrame":
        """Features of the validated rows."""
        view = self.view
        return view.valid if view else self._data().X.iloc[self.valid]

    @property
    def y_valid(self) -> Array:
        """Target of the validated rows, as in the table."""
        return self._data().y[self.valid]

    @property
    def X_test(self) -> "pd.DataFrame":
        """Features of the test rows."""
        view = self.view
        return view.test if view else self._data().X_test

    @property
    def view(self) -> View | None:
        """What is fitted inside this fold, made once; None where nothing is."""
        data = self._data()
        if data.fitted is not None and self._view is None:
            object.__setattr__(self, "_view", data.fitted(self))
        return self._view

    def _data(self) -> Data:
        if self.data is None:
            raise KKError("these folds are not tied to a competition's tables", "Load them with: kk.load_folds(name)")
        return self.data
