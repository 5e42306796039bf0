"""The splitters: one decorated function each; a row's fold number, -1 where it is never validated."""

import heapq
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from kagglekit.errors import KKError
from kagglekit.registry import Registry, is_path_reference, load_reference

Array = np.ndarray


@dataclass(frozen=True, slots=True)
class Splitter:
    """A splitter, what it needs of `y, groups, time` (passed in that order) and the rule that says what trains."""

    name: str
    function: Callable[..., object]
    needs: tuple[str, ...]
    rule: str = "rest"

    def __call__(self, *given: Array, **params: object) -> object:
        """Fold of each row as int16[rows], or (row, repeat, fold)."""
        return self.function(*given, **params)


REGISTRY: Registry[Splitter] = Registry("splitter", make=Splitter, home="kagglekit.splitters", group="kagglekit.splitters")
splitter = REGISTRY.register


def check_splitter(given: object) -> Splitter:
    """The Splitter that a name, 'path.py:function' or a function of y stands for."""
    if isinstance(given, Splitter):
        return given
    if callable(given):
        return Splitter(name=getattr(given, "__name__", "custom"), function=given, needs=("y",))
    if is_path_reference(str(given)):
        return check_splitter(load_reference(str(given)))
    return REGISTRY.get(str(given))


def _check_n(n: int, most: int, unit: str) -> None:
    if n < 2:
        raise KKError(f"{n} folds are too few to validate", "Give at least two: kk cv -n 2")
    if n > most:
        raise KKError(f"{n} folds are more than the {most} {unit}", f"Give fewer: kk cv -n {max(most, 2)}")


def _dealt(count: int, n: int, rng: np.random.Generator) -> Array:
    """Fold numbers for `count` rows, as even as can be, shuffled."""
    numbers = np.arange(count, dtype=np.int16) % n
    rng.shuffle(numbers)
    return numbers


@splitter("random", needs=("y",))
def random(y: Array, n: int = 5, seed: int = 0) -> Array:
    """Every row into one of n folds at random, sizes equal to one row.

    >>> sorted(np.bincount(random(np.zeros(10), n=3)).tolist())
    [3, 3, 4]
    """
    _check_n(n, len(y), "rows")
    return _dealt(len(y), n, np.random.default_rng(seed))


@splitter("stratified", needs=("y",))
def stratified(y: Array, n: int = 5, seed: int = 0) -> Array:
    """Each class spread evenly over n folds; a class with fewer members than folds is dealt as far as it goes.

    >>> folds = stratified(np.array([0] * 90 + [1] * 10), n=5)
    >>> [int((folds[90:] == fold).sum()) for fold in range(5)]
    [2, 2, 2, 2, 2]
    """
    y = np.asarray(y)
    _check_n(n, len(y), "rows")
    values, codes = np.unique(y, return_inverse=True)
    if len(values) > max(100, len(y) // 4):
        raise KKError(f"the target has {len(values)} values in {len(y)} rows, too many classes to stratify",
                      "Split at random: kk cv --split random")
    # Shuffled within each class and dealt on across the classes, so that fold sizes differ by one row at most.
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(y))
    order = order[np.argsort(codes[order], kind="stable")]
    folds = np.empty(len(y), dtype=np.int16)
    folds[order] = np.arange(len(y)) % n
    return rng.permutation(n).astype(np.int16)[folds]


@splitter("group", needs=("groups",))
def group(groups: Array, n: int = 5, seed: int = 0) -> Array:
    """Whole groups into n folds of about equal size: largest first, each to the smallest fold.

    >>> folds = group(np.array(["a", "a", "b", "c", "c", "d"]), n=2)
    >>> bool(folds[0] == folds[1] and folds[3] == folds[4])
    True
    """
    _, codes, counts = np.unique(np.asarray(groups), return_inverse=True, return_counts=True)
    _check_n(n, len(counts), "groups")
    shuffled = np.random.default_rng(seed).permutation(len(counts))
    largest_first = shuffled[np.argsort(-counts[shuffled], kind="stable")]
    heap = [(0, fold) for fold in range(n)]
    fold_of_group = np.empty(len(counts), dtype=np.int16)
    for number in largest_first.tolist():
        size, fold = heapq.heappop(heap)
        fold_of_group[number] = fold
        heapq.heappush(heap, (size + int(counts[number]), fold))
    return fold_of_group[codes]


@splitter("time", needs=("time",), rule="before")
def time(time: Array, n: int = 5, seed: int = 0, test_size: float | None = None, gap: float = 0.0) -> Array:
    """The last n blocks of time, each validated by what came before it; earlier rows are only trained on (-1).

    `test_size` is one block's length in the unit of `time` (default: an equal part of n+1), `gap` what lies unused between
    training and validation.

    >>> time(np.arange(12), n=3).tolist()
    [-1, -1, -1, 0, 0, 0, 1, 1, 1, 2, 2, 2]
    """
    moments = np.asarray(time, dtype=np.float64)
    _check_n(n, len(np.unique(moments)), "different times")
    first, last = moments.min(), moments.max()
    length = float(test_size) if test_size else (last - first) / (n + 1)
    if last - n * length - gap < first:
        raise KKError(f"{n} blocks of {length:g} and a gap of {gap:g} are longer than the data ({last - first:g})",
                      "Give fewer folds, a shorter --test-size or a smaller --gap")
    edges = last - length * np.arange(n, -1, -1)
    folds = np.searchsorted(edges, moments, side="left") - 1
    return np.minimum(folds, n - 1).astype(np.int16)
