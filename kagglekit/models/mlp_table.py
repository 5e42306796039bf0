"""What a net sees of a table: numbers as normal scores with marks of gaps, categories as places of embeddings; fitted on the training rows."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from kagglekit.fold import Fold
from kagglekit.models.columns import kinds_of, safe_names
from kagglekit.models.encoders import MEMORY
from kagglekit.models.parts import codes_of

Array = np.ndarray
QUANTILES, ROWS = 1000, 100_000  # points of a column's distribution, and the rows that are looked at to find them
EDGE = 1e-3  # shares below and above which a number is as far out as can be: about 3.1 standard deviations
SEEN = 3     # rows that a level needs for an embedding of its own
LARGE = 1e100


class Table:
    """The encoding of one fold: `waved` numbers as scores, then marks of their gaps, then parts of text, which keep their proportions.

    `sizes` are the embeddings that each category needs; place 0 stands for rare, unseen and missing levels. `texts` names the parts of
    each text column.

    >>> train = pd.DataFrame({"size": [1.0, 2.0, None, 4.0], "colour": pd.Categorical(["red", "red", "blue", "red"])})
    >>> numbers, codes = Table(train).transform(train)
    >>> numbers.shape, codes.ravel().tolist()
    ((4, 2), [1, 1, 0, 1])
    """

    def __init__(self, train: pd.DataFrame, texts: Sequence[Sequence[str]] = ()) -> None:
        labels = {name for name in train.columns if isinstance(train[name].dtype, pd.CategoricalDtype)}
        parts = {name for text in texts for name in text}
        self._labels = [name for name in train.columns if name in labels]
        self._numbers = [name for name in train.columns if name not in labels | parts]
        self._places = [_places(codes_of(train[name])) for name in self._labels]
        self._scores = [Score(_values(train[name])) for name in self._numbers]
        self._gaps = [name for name, score in zip(self._numbers, self._scores, strict=True) if score.has_gaps]
        self._texts = [(list(text), float(train[list(text)].std().max()) or 1.0) for text in texts if text]
        self.sizes, self.waved = tuple(int(places.max()) + 1 for places in self._places), len(self._numbers)
        self.width = self.waved + len(self._gaps) + sum(len(text) for text, _ in self._texts)

    def transform(self, table: pd.DataFrame) -> tuple[Array, Array]:
        """float32[rows, numbers, marks of gaps and parts of text] and int64[rows, categories]."""
        numbers, codes = np.empty((len(table), self.width), dtype=np.float32), np.empty((len(table), len(self._labels)), dtype=np.int64)
        for place, (name, places) in enumerate(zip(self._labels, self._places, strict=True)):
            codes[:, place] = places[np.minimum(codes_of(table[name]) + 1, len(places) - 1)]
        for place, (name, score) in enumerate(zip(self._numbers, self._scores, strict=True)):
            numbers[:, place] = score(_values(table[name]))
        for place, name in enumerate(self._gaps, self.waved):
            numbers[:, place] = np.isnan(_values(table[name]))
        place = self.waved + len(self._gaps)
        for text, spread in self._texts:
            numbers[:, place:place + len(text)] = table[text].to_numpy(dtype=np.float32) / spread
            place += len(text)
        return numbers, codes


def texts_of(fold: Fold, names: Sequence[str]) -> list[list[str]]:
    """Among the encoded columns those that are parts of text, by text column."""
    kinds = MEMORY.whole(fold.X, fold.X_test)[2] if fold.view is None else kinds_of(fold.view.train)
    texts = [safe_names([name])[0] for name, kind in kinds.items() if kind.name == "text"]
    return [[name for name in names if name.rpartition("_")[0] == text and name.rpartition("_")[2].isdigit()] for text in texts]


class Score:
    """A column's numbers as normal scores of mean 0 and variance 1 (ties share one); gaps become 0.

    >>> Score(np.array([1.0, 10.0, 1000.0]))(np.array([1.0, 10.0, 5000.0, np.nan])).astype(float).round(2).tolist()
    [-1.22, 0.0, 1.22, 0.0]
    """

    def __init__(self, values: Array) -> None:
        known = values[~np.isnan(values)]
        self.has_gaps = len(known) < len(values)
        step = -(-len(known) // ROWS) if len(known) else 1
        ordered = np.sort(known[::step])
        if len(ordered) > QUANTILES:
            ordered = ordered[np.linspace(0, len(ordered) - 1, QUANTILES).round().astype(np.int64)]
        self._points, first, counts = np.unique(ordered, return_index=True, return_counts=True)
        self._shares = (first + counts / 2) / max(len(ordered), 1)
        self._mean, self._spread = 0.0, 1.0
        if len(known):
            scores = self(known).astype(np.float64)
            self._mean, self._spread = scores.mean(), scores.std() if len(self._points) > 1 else 1.0

    def __call__(self, values: Array) -> Array:
        """float32[rows]."""
        from scipy.special import ndtri

        if not len(self._points):
            return np.zeros(len(values), dtype=np.float32)
        scores = (ndtri(np.clip(np.interp(values, self._points, self._shares), EDGE, 1 - EDGE)) - self._mean) / self._spread
        return np.nan_to_num(scores, nan=0.0).astype(np.float32)


def _values(column: pd.Series) -> Array:
    return np.clip(column.to_numpy(dtype=np.float64, na_value=np.nan), -LARGE, LARGE)


def _places(codes: Array) -> Array:
    """int64[levels + 2]: the embedding of each level by its code + 1; the last entry is for codes beyond those of the training rows."""
    counts = np.bincount(codes + 1)
    frequent = counts >= SEEN
    frequent[0] = False
    return np.append(np.where(frequent, np.cumsum(frequent), 0), 0)
