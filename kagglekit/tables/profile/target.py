"""The target's distribution: classes with their shares, or quantiles, skew, zeros and whether a logarithm would help."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kagglekit.tables.profile.values import as_arrow, codes, kind_of, label, numbers

if TYPE_CHECKING:
    import pyarrow

LEVELS = (0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0)
SHOWN = 50
FEW = 20
SKEWED = 1.0


@dataclass(frozen=True, slots=True)
class Target:
    """One target column; `classes` (value, count, share; the most frequent first, at most 50) where it holds classes, else the
    quantiles and moments of its values."""

    name: str
    rows: int
    missing: int
    distinct: int
    classes: tuple[dict, ...] = ()
    rarest: dict | None = None
    quantiles: dict[str, float] | None = None
    mean: float | None = None
    sd: float | None = None
    skew: float | None = None
    zeros: float | None = None
    skew_log: float | None = None

    @property
    def log_helps(self) -> bool:
        """Whether log1p takes most of the skew away."""
        return self.skew is not None and self.skew_log is not None and self.skew > SKEWED and abs(self.skew_log) < self.skew / 2


def is_classes(column: "pyarrow.ChunkedArray", task: str) -> bool:
    """Whether a target holds classes, by the task or, where none is known, by its values."""
    kind = kind_of(column)
    if kind in ("category", "bool", "text") or task in ("binary", "multiclass"):
        return True
    return task != "regression" and len(codes(column)[1]) <= FEW


def describe_target(name: str, given: object, task: str) -> Target:
    """The distribution of a target column."""
    column = as_arrow(given)
    if is_classes(column, task):
        return _classes(name, column)
    values = numbers(column)
    known = values[np.isfinite(values)]
    missing = int(np.isnan(values).sum())
    if not len(known):
        return Target(name, len(values), missing, 0)
    levels = {f"{level:g}": float(value) for level, value in zip(LEVELS, np.quantile(known, LEVELS))}
    return Target(name, len(values), missing, len(np.unique(known)), quantiles=levels, mean=float(known.mean()), sd=float(known.std()),
                  skew=_skew(known), zeros=float((known == 0).mean()), skew_log=_skew(np.log1p(known)) if known.min() >= 0 else None)


def _classes(name: str, column: "pyarrow.ChunkedArray") -> Target:
    (found,), values = codes(column)
    counts = np.bincount(found[found >= 0], minlength=len(values))
    kind, total = kind_of(column), max(1, int(counts.sum()))
    order = np.argsort(-counts, kind="stable")
    listed = [{"value": _shown(values[int(code)], kind), "count": int(counts[code]), "share": float(counts[code] / total)} for code in order]
    return Target(name, len(column), int((found < 0).sum()), len(values), classes=tuple(listed[:SHOWN]), rarest=listed[-1] if listed else None)


def _shown(value: object, kind: str) -> object:
    return bool(label(value)) if kind == "bool" else label(value)


def _skew(values: np.ndarray) -> float:
    spread = values.std()
    return round(float((((values - values.mean()) / spread) ** 3).mean()), 4) if spread > 1e-12 * max(1.0, abs(values.mean())) else 0.0
