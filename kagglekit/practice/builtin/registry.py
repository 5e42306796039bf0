"""What a built-in competition is: a function of a seed that gives its tables, with what it teaches."""

from collections.abc import Callable
from dataclasses import dataclass

from kagglekit.registry import Registry


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """function(seed) gives the tables train, test, sample_submission and solution."""

    name: str
    function: Callable[[int], dict]
    title: str
    metric: str
    description: str
    teaches: str


REGISTRY: Registry[BuiltIn] = Registry("practice competition", make=BuiltIn, home="kagglekit.practice.builtin", group="kagglekit.practice")
built_in = REGISTRY.register
