"""Splitting: a splitter and a person's wishes over a competition's train table become Folds."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from kagglekit.errors import KKError
from kagglekit.folds import Folds, Stacked, from_assignment, ids_hash, stacked
from kagglekit.splitters import Splitter
from kagglekit.store import Store
from kagglekit.work.columns import features_of, groups_of, order_of, target_of, time_of
from kagglekit.work.load import id_table, load_data, read_table

Array = np.ndarray
RULE_LENGTHS = {"before": ("gap", "window"), "purged": ("gap", "horizon", "embargo")}


@dataclass(frozen=True, slots=True)
class Wish:
    """What folds are asked for: a splitter, the columns it looks at, and its options (lengths in the unit of the time column)."""

    splitter: Splitter
    n: int = 5
    seed: int = 0
    repeats: int = 1
    group: str = ""
    time: str = ""
    column: str = ""
    duplicates: bool = False
    options: Mapping[str, float] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The name that folds get by default: the splitter and n, or the column they come from."""
        return self.column or f"{self.splitter.name}{self.n if self.splitter.counted else ''}"

    @property
    def params(self) -> dict[str, object]:
        """What the folds' json keeps."""
        needs = self.splitter.needs
        named = {"group": self.group if "groups" in needs else "", "time": self.time if "time" in needs else "", "column": self.column}
        return {"n": self.n, "seed": self.seed, "repeats": self.repeats, **{key: value for key, value in named.items() if value},
                **({"duplicates": True} if self.duplicates else {}), **self.options}


def make_folds(store: Store, train: pd.DataFrame, wish: Wish, name: str) -> Folds:
    """The folds that a wish describes: a splitter sees rows in the order of their ids, so the file's order has no say."""
    ids = id_table(store, "train")
    order = order_of(ids)
    looks = _Looks(store, train, wish)
    arrays = [looks.at(need)[order] for need in wish.splitter.needs]
    options = _accepted(wish.splitter.function, {"n": wish.n, **wish.options})
    parts = [_in_table_order(wish.splitter(*arrays, **options, **_accepted(wish.splitter.function, {"seed": wish.seed + repeat})), order)
             for repeat in range(wish.repeats)]
    if wish.repeats > 1 and _same(parts[0], parts[1]):
        raise KKError(f"the split {wish.splitter.name} gives the same folds for every seed: {wish.repeats} repeats tell nothing new",
                      "Leave --repeats out")
    rule = wish.splitter.rule
    lengths = {key: wish.options[key] for key in RULE_LENGTHS.get(rule, ()) if key in wish.options}
    folds = from_assignment(name, stacked(parts, len(ids)), ids_hash(ids), len(ids), rule=rule, splitter=wish.splitter.name,
                            order=looks.at("time") if rule in RULE_LENGTHS else None, params=wish.params, **lengths)
    return folds


class _Looks:
    """The arrays that a splitter may need, made when they are asked for."""

    def __init__(self, store: Store, train: pd.DataFrame, wish: Wish) -> None:
        self._store, self._train, self._wish = store, train, wish

    def at(self, need: str) -> Array:
        """The array called y, groups, time, likeness or column."""
        makers: dict[str, Callable[[], Array]] = {"y": self._y, "groups": self._groups, "likeness": self._likeness,
                                                  "time": lambda: time_of(self._train, self._wish.time),
                                                  "column": lambda: self._train[self._wish.column].to_numpy()}
        return makers[need]()

    def _y(self) -> Array:
        y = target_of(self._train, self._store.competition)
        if y is not None:
            return y
        if self._wish.splitter.name in ("random", "holdout"):
            return np.zeros(len(self._train))
        raise KKError(f"the split {self._wish.splitter.name} needs a target and train has none", "Split without it: kk cv --split random")

    def _groups(self) -> Array:
        known = groups_of(self._train, self._wish.group) if self._wish.group else None
        if not self._wish.duplicates:
            assert known is not None
            return known
        from kagglekit.advice.duplicates import merge_groups, near_duplicates

        same = near_duplicates(features_of(self._store, "train", self._train)).groups
        return same if known is None else merge_groups(known, same)

    def _likeness(self) -> Array:
        from kagglekit.advice.shift import adversarial

        if self._store.competition.test_is_stub:
            raise KKError("the visible test is a stub: which rows of train are like the real one cannot be known",
                          "Choose another split: kk cv")
        data = load_data(self._store)
        order = order_of(id_table(self._store, "train"))
        likeness = np.empty(len(order))
        likeness[order] = adversarial(data.X.iloc[order], data.X_test, seed=self._wish.seed).likeness
        return likeness


def known_share(store: Store, train: pd.DataFrame, group: str) -> float:
    """The share of test's rows whose group has rows in train; raises KKError where test cannot tell."""
    from kagglekit.advice.derive import derived

    if store.competition.test_is_stub:
        raise KKError("the visible test is a stub: its share of known groups is not known", "Say it: kk cv --split mixed --known 0.5")
    asked = derived(read_table(store, "test"), group)
    return float(asked.isin(derived(train, group)).mean())


def _accepted(function: Callable, options: Mapping[str, object]) -> dict[str, object]:
    parameters = inspect.signature(function).parameters
    if any(one.kind is inspect.Parameter.VAR_KEYWORD for one in parameters.values()):
        return dict(options)
    return {key: value for key, value in options.items() if key in parameters}


def _in_table_order(answer: object, order: Array) -> object:
    """The splitter's answer over sorted rows, said of the rows as they lie in the table."""
    if isinstance(answer, tuple):
        row, repeat, fold = answer
        return order[np.asarray(row, dtype=np.int64)], repeat, fold
    if hasattr(answer, "row"):
        train = getattr(answer, "train", None)
        return Stacked(order[answer.row], np.asarray(answer.repeat), np.asarray(answer.fold),
                       None if train is None else tuple(order[rows] for rows in train))
    vector = np.asarray(answer)
    if vector.shape != order.shape:
        return vector  # from_assignment says what is wrong with it
    back = np.empty_like(vector)
    back[order] = vector
    return back


def _same(one: object, other: object) -> bool:
    return isinstance(one, np.ndarray) and isinstance(other, np.ndarray) and np.array_equal(one, other)
