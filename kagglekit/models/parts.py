"""Columns that are fitted inside the fold: one-hot levels, means of the target by level, the parts of text."""

import numpy as np
import pandas as pd

Array = np.ndarray
SEEN = 5        # rows that a level needs for a column of its own
PARTS = 20      # columns that stand for one column of text
TEXTS = 50_000  # different texts that are looked at to fit one column's parts
INNER = 5       # inner folds of target means
MOST_TARGETS = 30


def codes_of(column: pd.Series) -> Array:
    """int64[rows]: the place of a category's level, or a small whole number itself; -1 where it is missing or unseen."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return column.cat.codes.to_numpy().astype(np.int64)
    return np.nan_to_num(column.to_numpy(), nan=-1.0).astype(np.int64)


class Levels:
    """One-hot columns of the frequent levels of one column, and one for all others: rare, unseen, and missing where that is rare."""

    def __init__(self, table: pd.DataFrame, name: str) -> None:
        self._name = name
        counts = np.bincount(codes_of(table[name]) + 1)
        frequent = np.flatnonzero(counts >= SEEN)
        self._place = np.full(len(counts) + 1, len(frequent))
        self._place[frequent] = np.arange(len(frequent))

    def transform(self, table: pd.DataFrame) -> Array:
        """float32[rows, frequent levels + 1]."""
        place = self._place[np.minimum(codes_of(table[self._name]) + 1, len(self._place) - 1)]
        out = np.zeros((len(table), int(self._place[-1]) + 1), dtype=np.float32)
        out[np.arange(len(table)), place] = 1.0
        return out


class Means:
    """Smoothed means of the target by level, of each target and class (Micci-Barreca 2001; scikit-learn's TargetEncoder).

    A training row gets the means of inner folds that do not hold it, so that a model cannot read its target from them.
    """

    def __init__(self, names: list[str]) -> None:
        self._names = names

    def fit_transform(self, table: pd.DataFrame, targets: Array) -> Array:
        """float64[rows, columns x targets] of the training rows."""
        from sklearn.model_selection import KFold
        from sklearn.preprocessing import TargetEncoder

        if not self._names:
            return np.empty((len(table), 0))
        codes, inner = self._codes(table), KFold(max(2, min(INNER, len(table))), shuffle=True, random_state=0)
        self._encoders = [TargetEncoder(target_type="continuous", cv=inner) for _ in range(targets.shape[1])]
        return np.column_stack([encoder.fit_transform(codes, target) for encoder, target in zip(self._encoders, targets.T, strict=True)])

    def transform(self, table: pd.DataFrame) -> Array:
        """float64[rows, columns x targets] of any other rows: the means over all training rows."""
        if not self._names:
            return np.empty((len(table), 0))
        codes = self._codes(table)
        return np.column_stack([encoder.transform(codes) for encoder in self._encoders])

    def _codes(self, table: pd.DataFrame) -> Array:
        return np.column_stack([codes_of(table[name]) for name in self._names])


class Text:
    """One column of text as the leading parts of its n-grams (skrub's StringEncoder), fitted on its different values."""

    def __init__(self, table: pd.DataFrame, name: str) -> None:
        from skrub import StringEncoder

        self.name = name
        texts = _different(table[name].dropna())
        self._encoder = None
        if texts.str.strip().str.len().gt(0).any():
            self._encoder = StringEncoder(n_components=PARTS, random_state=0)
            self._encoder.fit_transform(texts.sample(TEXTS, random_state=0) if len(texts) > TEXTS else texts)

    def transform(self, table: pd.DataFrame) -> pd.DataFrame:
        """float32 parts, all 0 where the text is missing."""
        if self._encoder is None or not len(table):
            return pd.DataFrame(index=table.index)
        codes, texts = pd.factorize(table[self.name])
        known = self._encoder.transform(pd.Series([*texts, ""], dtype="str", name="text")).to_numpy(dtype=np.float32)
        known[-1] = 0.0
        return pd.DataFrame(known[codes], index=table.index, columns=[f"{self.name}_{number}" for number in range(known.shape[1])])


def _different(texts: pd.Series) -> pd.Series:
    return pd.Series(texts.unique(), dtype="str", name="text")


def fit_texts(table: pd.DataFrame) -> list[Text]:
    """A fitted Text for each text column."""
    kinds = table.dtypes
    return [Text(table, name) for name in table.columns if not isinstance(kinds[name], pd.CategoricalDtype) and kinds[name].kind not in "iuf"]
