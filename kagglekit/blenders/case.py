"""Rows and Case: what is blended, and the part of it that one fit may see; sums over rows are taken once for all fits."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from kagglekit.blenders.space import SPACES, space_of
from kagglekit.kernels.gram import Gram, grams
from kagglekit.kernels.logloss import true_class
from kagglekit.metrics import Metric

Array = np.ndarray


class View:
    """Some rows of models x rows [x classes], without a copy: slices are taken, and transformed, when they are asked for."""

    def __init__(self, oof: Array, rows: Array | None = None, function: Callable[[Array], Array] | None = None) -> None:
        self._oof, self._rows, self._function = oof, rows, function
        self.shape = (len(oof), oof.shape[1] if rows is None else len(rows), *oof.shape[2:])
        self.ndim = len(self.shape)
        self.dtype = np.dtype(getattr(oof, "dtype", np.float64))

    def __len__(self) -> int:
        return self.shape[0]

    def __iter__(self) -> Iterator[Array]:
        return (self[model] for model in range(len(self)))

    def __getitem__(self, key: object) -> Array:
        model, rows = key if isinstance(key, tuple) else (key, slice(None))
        picked = rows if self._rows is None else self._rows[rows]
        if isinstance(model, (int, np.integer, slice)):
            found = np.asarray(self._oof[model, picked])
        else:
            found = np.asarray(self._oof[np.asarray(model)[:, None], picked] if not isinstance(picked, slice) else self._oof[model, picked])
        return found if self._function is None else self._function(found)

    def __array__(self, dtype: object = None, copy: object = None) -> Array:
        return np.asarray(self[:, :], dtype=dtype)


@dataclass(frozen=True)
class Rows:
    """The rows that are blended: a fold is `parts[k]`, row numbers in y and oof; `kept` are their numbers outside.

    y: codes or numbers that weights are fitted to, `truth` what the metric takes; oof: models x rows [x classes], where NaN is not.
    kind: value (numbers), chance (one probability or score a row) or classes. `earlier`: a fold's weights may see earlier parts only,
    so the first part is not scored. `ranked`: oof holds ranks, as scores of unlike scales are blended by these.
    """

    y: Array
    truth: Array
    oof: Array
    metric: Metric
    kind: str
    parts: list[Array]
    groups: Array | None
    kept: Array
    total: int
    dropped: int
    one_fold: bool
    earlier: bool = False
    ranked: bool = False

    def whole(self) -> "Case":
        """All rows."""
        return Case(self, tuple(range(len(self.parts))))

    def without(self, part: int) -> "Case":
        """What the fit for a part may see: all other parts, or the earlier ones."""
        return Case(self, tuple(other for other in range(len(self.parts)) if (other < part if self.earlier else other != part)))

    def apart_from(self, one: int, other: int) -> "Case":
        """All parts but two: what a fit may see whose score on one of them chooses the blender for the other."""
        return Case(self, tuple(part for part in range(len(self.parts)) if part not in (one, other)))

    @property
    def judged(self) -> range:
        """Numbers of the parts that are scored."""
        return range(1 if self.earlier else 0, len(self.parts))

    @property
    def space(self) -> str:
        """Where the metric wants predictions averaged."""
        return space_of(self.metric)

    @cached_property
    def bounded(self) -> bool:
        """Whether every prediction lies in 0 to 1, so that logits can be taken."""
        return all(float(np.min(one)) >= 0 and float(np.max(one)) <= 1 for one in self.oof)

    @cached_property
    def grams(self) -> list[Gram]:
        """The Gram of each part, in the metric's space."""
        there = SPACES[self.space][0]
        y = np.asarray(there(self.y.astype(np.float64)))
        return grams(self.oof if self.space == "value" else View(self.oof, None, there), y, self.parts)

    @cached_property
    def chances(self) -> Array:
        """float32[models, rows]: probabilities of the true class."""
        return true_class(self.oof, self.y)


@dataclass(frozen=True)
class Case:
    """The parts of Rows that one fit may see."""

    rows_of: Rows
    seen: tuple[int, ...]
    _cache: dict = field(default_factory=dict)

    @property
    def metric(self) -> Metric:
        """The metric that judges."""
        return self.rows_of.metric

    @property
    def kind(self) -> str:
        """value, chance or classes."""
        return self.rows_of.kind

    @property
    def space(self) -> str:
        """Where the metric wants predictions averaged."""
        return self.rows_of.space

    @property
    def bounded(self) -> bool:
        """Whether every prediction lies in 0 to 1."""
        return self.rows_of.bounded

    @property
    def models(self) -> int:
        """How many models there are."""
        return len(self.rows_of.oof)

    @property
    def n(self) -> int:
        """How many rows are seen."""
        return sum(len(self.rows_of.parts[part]) for part in self.seen)

    @cached_property
    def rows(self) -> Array:
        """Numbers of the rows that are seen, sorted."""
        return np.sort(np.concatenate([self.rows_of.parts[part] for part in self.seen]))

    @cached_property
    def y(self) -> Array:
        """What weights are fitted to."""
        return self.rows_of.y[self.rows]

    @property
    def truth(self) -> Array:
        """What the metric takes."""
        return self.rows_of.truth[self.rows]

    @property
    def oof(self) -> View:
        """Predictions of the rows that are seen."""
        return self.view()

    def view(self, function: Callable[[Array], Array] | None = None) -> View:
        """The same, transformed as they are read."""
        everything = len(self.rows) == len(self.rows_of.y)
        return View(self.rows_of.oof, None if everything else self.rows, function)

    @cached_property
    def gram(self) -> Gram:
        """The Gram of the rows that are seen, in the metric's space."""
        found = [self.rows_of.grams[part] for part in self.seen]
        total = found[0]
        for one in found[1:]:
            total = total + one
        return total

    @property
    def chances(self) -> Array:
        """float32[models, rows seen]: probabilities of the true class."""
        whole = self.rows_of.chances
        return whole if len(self.rows) == whole.shape[1] else whole[:, self.rows]

    def inner(self) -> Iterator[tuple["Case", "Case"]]:
        """(fitted on, judged on) for each part that is seen: the inner cross-validation of a blender's own settings."""
        for part in self.seen if len(self.seen) > 1 else ():
            others = tuple(other for other in self.seen if (other < part if self.rows_of.earlier else other != part))
            if others:
                yield Case(self.rows_of, others), Case(self.rows_of, (part,))
