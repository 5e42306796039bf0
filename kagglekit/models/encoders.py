"""Table encoding, fitted inside the fold: dates, categories, text and missing values into what a family can learn from.

Categories of many levels are means of the target in linear models and forests, where that does far better than codes or text. LightGBM takes
them as they are, so that all folds share one binned table; means would help it a little (benchmarks/encoding.py shows both).
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from kagglekit.errors import KKError
from kagglekit.fold import Fold
from kagglekit.models.columns import CYCLES, Kind, Memory, kinds_of, prepared
from kagglekit.models.parts import MOST_TARGETS, Levels, Means, codes_of, fit_texts

Array = np.ndarray
FEW = 30       # levels up to which one-hot columns and codes do as well as means of the target
LARGE = 1e100  # squares of larger numbers are infinite
FLOAT32 = 1e30  # sums of larger ones are infinite in float32
MEMORY = Memory()


@dataclass(frozen=True, slots=True)
class Encoded:
    """The three parts of a fold, encoded by what was fitted on the first; `valid` is None for the refit on all rows."""

    train: object
    valid: object
    test: object


@dataclass(frozen=True, slots=True)
class Known:
    """What an encoding may fit on: kinds of the columns, and the targets of the training rows, rows x targets (or classes)."""

    kinds: dict[str, Kind]
    targets: Array


def encoded(fold: Fold, encoding: str, clock: object) -> Encoded:
    """Encode a fold: `numbers` (imputed, scaled, one-hot: linear models), `trees` (codes, missing kept) or `categories` (LightGBM).

    What a column is and which levels it has is read from the whole train table without looking at targets; medians, scales, rare
    levels, means of the target and text are fitted on the training rows. `numbers` and `trees` are arrays, `categories` is a
    DataFrame. Raises KKError where there is no column that can be a feature.
    """
    with clock.stage("encode"):
        train, valid, test, kinds = tables_of(fold)
        encoder = ENCODINGS[encoding]()
        first = encoder.fit_transform(train, Known(kinds, targets_of(fold)))
        return Encoded(first, encoder.transform(valid) if len(fold.valid) else None, encoder.transform(test))


def is_shared(X: pd.DataFrame) -> bool:
    """Whether `categories` encodes a row of X alike whichever rows train: only text is fitted. Then LightGBM may bin all rows once.

    It is said of raw columns; features that are fitted inside the fold (Data.fitted) are never shared.

    >>> is_shared(pd.DataFrame({"size": [1.0, None], "colour": ["red", "blue"]}))
    True
    """
    return all(kind.name != "text" for kind in kinds_of(X).values())


def tables_of(fold: Fold) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, dict[str, Kind]]:
    """The training, validated and test rows as numbers, categories and text, and the kinds of the columns; nothing is fitted.

    Raises KKError where there is no column that can be a feature.
    """
    if fold.data is not None and fold.data.ids_only:
        raise KKError("train and test share no column that can be a feature (the ids are none)",
                      "Make some in features.py, train your own models/mine.py:fit_predict, or check ignore and id in competition.toml")
    view = fold.view
    if view is not None:
        kinds = kinds_of(view.train)
        return prepared(view.train, kinds), prepared(view.valid, kinds), prepared(view.test, kinds), kinds
    whole, test, kinds = MEMORY.whole(fold.X, fold.X_test)
    return whole.iloc[fold.train], whole.iloc[fold.valid], test, kinds


def targets_of(fold: Fold) -> Array:
    """float64[training rows, targets]: what means are taken of: each target, of several classes a column of 0 and 1 each."""
    target, classes = fold.target_train, fold.data.classes
    if len(classes) > 2 and target.ndim == 1:
        return (target[:, None] == np.arange(len(classes))).astype(np.float64)
    return np.asarray(target, dtype=np.float64).reshape(len(target), -1)


def _many(table: pd.DataFrame, known: Known) -> list[str]:
    """Categories that are encoded by means of the target."""
    kinds = table.dtypes
    many = [name for name in table.columns if isinstance(kinds[name], pd.CategoricalDtype) and len(kinds[name].categories) > FEW]
    return many if known.targets.shape[1] <= MOST_TARGETS else []


class Categories:
    """A DataFrame of numbers, pandas categories and the parts of text; for LightGBM."""

    def fit_transform(self, table: pd.DataFrame, known: Known) -> pd.DataFrame:
        """Fit the text columns, and encode the training rows."""
        self._texts = fit_texts(table)
        return self.transform(table)

    def transform(self, table: pd.DataFrame) -> pd.DataFrame:
        """The table with each text column replaced by its parts."""
        if not self._texts:
            return table
        parts = [text.transform(table) for text in self._texts]
        return pd.concat([table.drop(columns=[text.name for text in self._texts]), *parts], axis=1)


class Trees:
    """float32[rows, columns]: numbers with gaps as NaN, categories as codes (-1: missing, unseen) or means of the target, parts of text."""

    def fit_transform(self, table: pd.DataFrame, known: Known) -> Array:
        """Fit means and text, and encode the training rows."""
        self._tables, self._many = Categories(), _many(table, known)
        self._means = Means(self._many)
        return self._array(self._tables.fit_transform(table, known), self._means.fit_transform(table, known.targets))

    def transform(self, table: pd.DataFrame) -> Array:
        """Encode other rows."""
        return self._array(self._tables.transform(table), self._means.transform(table))

    def _array(self, table: pd.DataFrame, means: Array) -> Array:
        """Numbers beyond what float32 can add up become the largest of those."""
        names = [name for name in table.columns if name not in set(self._many)]
        out = np.empty((len(table), len(names) + means.shape[1]), dtype=np.float32)
        with np.errstate(over="ignore"):
            for place, name in enumerate(names):
                out[:, place] = codes_of(table[name]) if isinstance(table[name].dtype, pd.CategoricalDtype) else table[name].to_numpy()
            out[:, len(names):] = means
        return np.clip(out, -FLOAT32, FLOAT32, out=out)


class Numbers:
    """float64[rows, columns] of mean 0 and variance 1: gaps filled with medians and marked, levels one-hot or means of the target."""

    def fit_transform(self, table: pd.DataFrame, known: Known) -> Array:
        """Fit all, and encode the training rows."""
        cycles = {f"{name}.{part}" for name, kind in known.kinds.items() if kind.name == "date" for part in CYCLES} & set(table.columns)
        many = _many(table, known)
        labels = [name for name in table.columns if name in cycles or isinstance(table[name].dtype, pd.CategoricalDtype)]
        self._levels = [Levels(table, name) for name in labels if name not in many]
        self._texts, self._means = fit_texts(table), Means(many)
        left = {*labels, *(text.name for text in self._texts)}
        self._names = [name for name in table.columns if name not in left]
        values = self._values(table)
        gaps = np.isnan(values)
        self._gaps = np.flatnonzero(gaps.any(axis=0))
        self._medians = [_median(values[~gaps[:, place], place]) for place in self._gaps]
        whole = self._whole(table, values, self._means.fit_transform(table, known.targets))
        self._mean, spread = whole.mean(axis=0), whole.std(axis=0)
        self._spread = np.where(spread > np.abs(self._mean) * 1e-12, spread, 1.0)  # below that a constant's rounding
        return self._scaled(whole)

    def transform(self, table: pd.DataFrame) -> Array:
        """Encode other rows."""
        return self._scaled(self._whole(table, self._values(table), self._means.transform(table)))

    def _scaled(self, whole: Array) -> Array:
        whole -= self._mean
        whole /= self._spread
        return whole

    def _values(self, table: pd.DataFrame) -> Array:
        values = np.empty((len(table), len(self._names)))
        for place, name in enumerate(self._names):
            values[:, place] = table[name].to_numpy()
        values[np.isinf(values)] = np.nan  # a gap: as a number it would outweigh all others
        return np.clip(values, -LARGE, LARGE, out=values)

    def _whole(self, table: pd.DataFrame, values: Array, means: Array) -> Array:
        """Numbers with their gaps filled, marks of gaps, means, levels and texts side by side."""
        marks = np.isnan(values[:, self._gaps])
        for place, median in zip(self._gaps, self._medians, strict=True):
            values[np.isnan(values[:, place]), place] = median
        np.nan_to_num(values, copy=False)  # gaps in columns that have none among the training rows: 0 is no worse than another guess
        parts = [marks, means, *(levels.transform(table) for levels in self._levels), *(text.transform(table).to_numpy() for text in self._texts)]
        parts = [part for part in parts if part.shape[1]]
        return np.column_stack([values, *parts]) if parts else values


ENCODINGS = {"categories": Categories, "trees": Trees, "numbers": Numbers}


def _median(values: Array) -> float:
    return float(np.median(values)) if len(values) else 0.0
