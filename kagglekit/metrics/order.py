"""Rows in the order of a score, tied rows together: one sort, from which ranks, counts below and areas follow."""

from dataclasses import dataclass

import numpy as np

from kagglekit.errors import KKError

Array = np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class Order:
    """`order` sorts the rows upwards; `starts` and `ends` bound the groups of tied rows in it.

    >>> Order.of(np.array([10, 20, 10])).starts.tolist()
    [0, 2]
    """

    order: Array
    starts: Array
    ends: Array

    @classmethod
    def of(cls, score: Array) -> "Order":
        """Sort the rows of a score; raises KKError where it has several columns."""
        score = np.asarray(score)
        if score.ndim != 1:
            raise KKError(f"a score whose order counts has one column, this has the shape {score.shape}",
                          "Score the columns one by one, as mcauc does")
        order = np.argsort(score)
        ordered = score[order]
        starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
        return cls(order, starts, np.append(starts[1:], len(score)))

    @property
    def tied(self) -> bool:
        """Whether any two rows have the same score."""
        return len(self.starts) < len(self.order)

    def sums(self, values: Array) -> Array:
        """Sum of `values` over each group of tied rows."""
        ordered = values[self.order]
        return np.add.reduceat(ordered, self.starts) if self.tied else ordered

    def rows(self, of_group: Array) -> Array:
        """One number a row from one a group."""
        out = np.empty(len(self.order), dtype=of_group.dtype)
        out[self.order] = np.repeat(of_group, self.ends - self.starts) if self.tied else of_group
        return out

    def below(self, values: Array) -> Array:
        """For each row the sum of `values` over rows with a smaller score, and half of that over rows with the same."""
        sums = self.sums(values)
        return self.rows(np.cumsum(sums) - sums / 2)

    @property
    def ranks(self) -> Array:
        """Ranks 1..n as float64[rows]; ties get their mean rank."""
        return self.rows((self.starts + self.ends + 1) / 2)


def tied_ranks(values: Array) -> Array:
    """Ranks 1..n, ties get their mean rank.

    >>> tied_ranks(np.array([10, 20, 10])).tolist()
    [1.5, 3.0, 1.5]
    """
    return Order.of(values).ranks
