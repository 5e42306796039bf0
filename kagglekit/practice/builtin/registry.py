"""What a built-in competition is: a function of a seed that gives its tables, with what it teaches."""

from collections.abc import Callable
from dataclasses import dataclass

from kagglekit.practice.forum import Notebook, Topic
from kagglekit.registry import Registry


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """function(seed) gives a dict: the tables train, test, sample_submission and solution (with a Usage column).

    It may also hold "baselines": {team: table in the sample's form}, teams of the board that anyone can beat, and bytes under
    a path with a folder ("images/train/0001.png"), which are public files. `evaluation` and `rules` are added to those pages;
    `teaches` is shown after the end.
    """

    name: str
    function: Callable[[int], dict]
    title: str
    metric: str
    description: str
    teaches: str
    evaluation: str = ""
    rules: str = ""
    topics: tuple[Topic, ...] = ()
    notebooks: tuple[Notebook, ...] = ()
    code_only: bool = False
    days: float = 30
    daily_limit: int = 5


REGISTRY: Registry[BuiltIn] = Registry("practice competition", make=BuiltIn, home="kagglekit.practice.builtin", group="kagglekit.practice")
built_in = REGISTRY.register
