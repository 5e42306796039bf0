"""Products: sums over rows of many models' numbers, from which every correlation follows; rows are read a block at a time."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

Array = np.ndarray
BLOCK_CELLS = 2_000_000
DOUBLE_CELLS = 20_000_000  # up to so many numbers double precision costs nothing that is felt


@dataclass(frozen=True, slots=True)
class Products:
    """Sums over n numbers of M models: sums float64[M], products float64[M, M] of x_i x_j; those of disjoint rows may be added."""

    sums: Array
    products: Array
    n: int

    def __add__(self, other: "Products") -> "Products":
        return Products(self.sums + other.sums, self.products + other.products, self.n + other.n)

    def scaled(self, factor: float) -> "Products":
        """The same of numbers that are sqrt(factor) times as large."""
        return Products(self.sums * np.sqrt(factor), self.products * factor, self.n)

    @property
    def covariance(self) -> Array:
        """float64[M, M]: mean products of the numbers less their means."""
        means = self.sums / self.n
        with np.errstate(over="ignore", invalid="ignore"):  # a model that failed may predict anything
            found = self.products / self.n - means[:, None] * means
            # What is smaller than the rounding of the products is nothing: a constant model has no spread.
            own = np.sqrt(np.diag(self.products) / self.n)
            found[np.abs(found) < 1e-14 * own[:, None] * own] = 0.0
        return found

    @property
    def correlation(self) -> Array:
        """float64[M, M]: Pearson correlation; 0 with a model whose numbers are all the same."""
        return as_correlation(self.covariance)

    def between(self) -> Array:
        """float64[M, M]: covariance of the numbers less the models' mean in each row; what all models share is gone."""
        covariance = self.covariance
        return covariance - covariance.mean(axis=0) - covariance.mean(axis=1)[:, None] + covariance.mean()


class Running:
    """Products while blocks of rows go by; taken less the first block's means, so that little is lost in single precision."""

    def __init__(self, models: int) -> None:
        self.sums, self.products, self.n = np.zeros(models), np.zeros((models, models)), 0
        self.shift: Array | None = None

    def take(self, block: Array) -> None:
        """Add models x numbers."""
        if not block.shape[1]:
            return
        if self.shift is None:
            self.shift = block.mean(axis=1, dtype=np.float64)
        moved = np.ascontiguousarray(block - self.shift.astype(block.dtype)[:, None])
        self.sums += moved.sum(axis=1, dtype=np.float64)
        self.products += moved @ moved.T
        self.n += block.shape[1]

    def done(self) -> Products:
        """The sums, of the numbers as they were given."""
        shift = np.zeros(len(self.sums)) if self.shift is None else self.shift.astype(np.float64)
        crossed = np.outer(self.sums, shift)
        return Products(self.sums + self.n * shift, self.products + crossed + crossed.T + self.n * np.outer(shift, shift), self.n)


def blocks(oof: Array, rows: Array | None, column: int | None = None) -> Iterator[tuple[slice | Array, Array]]:
    """(row numbers, models x rows [x classes] as floats) of the rows named (None: all), a few at a time; `column` picks one target."""
    count = oof.shape[1] if rows is None else len(rows)
    width = 1 if column is not None else int(np.prod(oof.shape[2:], dtype=np.int64))
    kind = np.float64 if len(oof) * count * width <= DOUBLE_CELLS else np.float32
    step = max(BLOCK_CELLS // max(len(oof) * width, 1), 256)
    for start in range(0, count, step):
        picked = slice(start, min(start + step, count)) if rows is None else rows[start:start + step]
        block = oof[:, picked] if column is None else oof[:, picked, column]
        numbers = np.issubdtype(block.dtype, np.number) or block.dtype == bool
        yield picked, np.array(block, dtype=kind, order="C") if numbers else block


def as_correlation(covariance: Array) -> Array:
    """A covariance as correlation, 0 with what does not vary.

    >>> as_correlation(np.array([[4.0, 2.0], [2.0, 4.0]])).tolist()
    [[1.0, 0.5], [0.5, 1.0]]
    """
    size = np.sqrt(np.maximum(np.diag(covariance), 0))
    product = size[:, None] * size
    matrix = np.divide(covariance, product, out=np.zeros_like(covariance), where=product > 0)
    np.fill_diagonal(matrix, 1.0)
    return np.clip(matrix, -1, 1)


def correlation(errors: Array) -> Array:
    """Pearson correlation of the rows; a constant row correlates with nothing.

    >>> correlation(np.array([[1.0, 2, 3], [2, 4, 6], [5, 5, 5]])).round(6).tolist()
    [[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    """
    running = Running(len(errors))
    running.take(np.asarray(errors))
    return running.done().correlation
