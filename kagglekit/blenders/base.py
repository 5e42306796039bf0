"""Blender and Fit: how the parts of blending fit together, and the registry of blenders."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from kagglekit.blenders.case import Case
from kagglekit.blenders.space import combine_in
from kagglekit.errors import KKError
from kagglekit.registry import Registry

Array = np.ndarray


@dataclass(frozen=True, slots=True)
class Fit:
    """A fitted blend: `predict` makes one prediction of models x rows [x classes].

    `weights`: float64[models], shares or free ones, None for a blend that has none; `details` is what else was fitted (json).
    """

    predict: Callable[[Array], Array]
    weights: Array | None = None
    details: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Blender:
    """`function(case)` gives a Fit, or one weight a model, for the mean in the space that the metric asks for.

    order: its place from simple to involved; kinds: what it can blend (value, chance, classes: see Case); metrics: the `needs` of metrics it
    is made for (() all); free: weights may be negative; rows: the fewest rows a model; cells: auto leaves it out above so many
    predictions.
    """

    name: str
    function: Callable[[Case], "Fit | Array"]
    order: int
    kinds: tuple[str, ...] = ("value", "chance", "classes")
    metrics: tuple[str, ...] = ()
    free: bool = False
    rows: int = 0
    cells: float = float("inf")

    def fit(self, case: Case) -> Fit:
        """The blend fitted on a case; raises KKError for too few rows and for what it cannot blend."""
        if case.kind not in self.kinds:
            raise KKError(f"{self.name} cannot blend {WORDS[case.kind]}", "Use --blend auto")
        if self.metrics and case.metric.needs not in self.metrics:
            raise KKError(f"{self.name} is not made for {case.metric.name}", "Use --blend auto")
        if case.n < self.rows * case.models:
            steady = "greedy" if case.kind == "classes" else "ridge"
            raise KKError(f"{self.name} with {case.models} models needs {self.rows * case.models:,} rows, there are {case.n:,}: its weights would "
                          "fit the noise", f"Use --blend {steady}, which does not")
        found = self.function(case)
        return found if isinstance(found, Fit) else weighted(case, np.asarray(found, dtype=np.float64))

    def is_tried(self, case: Case) -> bool:
        """Whether auto tries it here."""
        suits = case.kind in self.kinds and (not self.metrics or case.metric.needs in self.metrics)
        return suits and case.n >= self.rows * case.models and case.models * case.n <= self.cells


FLOOR = 1e-6
WORDS = {"value": "numbers", "chance": "one probability or score a row", "classes": "a probability for each class"}
REGISTRY: Registry[Blender] = Registry("blender", make=Blender, home="kagglekit.blenders", group="kagglekit.blenders")
blender = REGISTRY.register


def weighted(case: Case, weights: Array, space: str = "") -> Fit:
    """The weighted mean, in the metric's own space or the one that is named; probabilities stay in 0 to 1 where weights are negative."""
    inside = space or case.space
    if case.kind == "chance" and case.metric.needs == "proba" and (weights < 0).any():
        return Fit(lambda oof: np.clip(combine_in(weights, oof, inside), FLOOR, 1 - FLOOR), weights)
    return Fit(lambda oof: combine_in(weights, oof, inside), weights)
