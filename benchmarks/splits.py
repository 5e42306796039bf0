"""Splitters: processor seconds, memory and evenness of one fold vector against scikit-learn and iterative-stratification.

    python benchmarks/splits.py [--quick] [--repeats 3] [--seed 0]

1,000,000 rows (`--quick`: 100,000) and 5 folds: 5 classes of 40 to 5 %, groups of Pareto sizes (about 80,000 that have rows), 20 labels of
30 to 1 % that come together. A peer's time includes what its `split` yields, as one cannot have the folds otherwise. Memory is the peak that
tracemalloc sees, in a run of its own on a tenth of the rows for all, and on all rows for kk. Deviations are the worst over folds:
of size (share of the rows - 1/5), of class shares in a fold, of label counts relative to an even deal. Goals: CPU ratio 50 for
stratified-group, 30 for multilabel (at most 1.5 times the deviation), 3 for group and stratified; the rest is shown for what it is.
"""

import argparse
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from kagglekit import splitters

ROWS, QUICK_ROWS, FOLDS, LABELS = 1_000_000, 100_000, 5, 20
CLASSES = [0.4, 0.3, 0.15, 0.1, 0.05]
Array = np.ndarray
Columns = dict[str, Array]


@dataclass(frozen=True)
class Pair:
    """Our splitter, its peer as a function of the columns, and what is measured of the folds."""

    name: str
    needs: tuple[str, ...]
    peer: str
    other: Callable[[Columns], Array]
    goal: float = 0.0


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--repeats", type=int, default=3, help="of ours; the least processor time counts")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    rows = QUICK_ROWS if given.quick else ROWS
    columns, small = made(rows, given.seed), made(rows // 10, given.seed)
    print(f"{rows:,} rows, {FOLDS} folds, {len(np.unique(columns['groups'])):,} groups, {len(CLASSES)} classes, {LABELS} labels")
    for pair in PAIRS:
        shown(pair, columns, small, given.repeats)


def made(rows: int, seed: int) -> Columns:
    """The columns that are split."""
    random = np.random.default_rng(seed)
    chance = random.pareto(1.5, rows * 9 // 100) + 0.2
    topic = random.random((rows, 4)) < 0.3  # labels of one topic come together
    rate = np.geomspace(0.3, 0.01, LABELS)
    labels = random.random((rows, LABELS)) < np.where(topic[:, np.arange(LABELS) % 4], 2 * rate, 0.5 * rate)
    return {"y": random.choice(len(CLASSES), rows, p=CLASSES), "groups": random.choice(len(chance), rows, p=chance / chance.sum()),
            "labels": labels.astype(np.int64), "time": random.permutation(rows).astype(float), "value": random.lognormal(size=rows)}


def shown(pair: Pair, columns: Columns, small: Columns, repeats: int) -> None:
    """One line for each of the two, and the ratio."""
    def ours(these: Columns) -> Array:
        return np.asarray(splitters.REGISTRY.get(pair.name)(*[these[need] for need in pair.needs], n=FOLDS, seed=0))

    print(f"\n{pair.name}" + (f" (goal: {pair.goal:g} times less)" if pair.goal else ""))
    seconds, folds = min((timed(ours, columns) for _ in range(repeats)), key=lambda one: one[0])
    rows = len(columns["y"])
    print(f"  {'kk':>28}: {seconds:8.3f} s of processor, {peak(ours, small) / len(small['y']):4.0f} bytes a row on a tenth, "
          f"{peak(ours, columns) / rows:4.0f} on all; {evenness(pair, columns, folds)}")
    try:
        pair.other(made(1000, 0))  # the import is no part of the split
    except ImportError:
        print(f"  {pair.peer:>28}: not installed (pip install iterative-stratification)")
        return
    theirs, other = timed(pair.other, columns)
    print(f"  {pair.peer:>28}: {theirs:8.3f} s of processor, {peak(pair.other, small) / len(small['y']):4.0f} bytes a row on a tenth; "
          f"{evenness(pair, columns, other)}")
    print(f"  {'ratio':>28}: {theirs / seconds:8.1f}")


def timed(split: Callable[[Columns], Array], columns: Columns) -> tuple[float, Array]:
    """(processor seconds, folds)."""
    start = time.process_time()
    folds = split(columns)
    return time.process_time() - start, folds


def peak(split: Callable[[Columns], Array], columns: Columns) -> int:
    """The most bytes that were held at a time, beside the columns."""
    tracemalloc.start()
    split(columns)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most


def evenness(pair: Pair, columns: Columns, folds: Array) -> str:
    """What the folds are like, worst fold first."""
    rows = len(folds)
    sizes = np.bincount(folds[folds >= 0], minlength=FOLDS)
    says = f"size {np.abs(sizes / rows - 1 / FOLDS).max():.1e}" if (folds >= 0).all() else f"sizes {sizes.min()} to {sizes.max()}"
    if "labels" in pair.needs:
        counts = np.stack([columns["labels"][folds == fold].sum(axis=0) for fold in range(FOLDS)])
        return f"{says}, label counts {np.abs(counts / counts.mean(axis=0) - 1).max():.1e}"
    if "y" in pair.needs:
        counts = np.bincount(folds * len(CLASSES) + columns["y"], minlength=FOLDS * len(CLASSES)).reshape(FOLDS, -1)
        says += f", class shares {np.abs(counts / sizes[:, None] - counts.sum(axis=0) / rows).max():.1e}"
    if "groups" in pair.needs:
        says += f", {len(np.unique(columns['groups'] * FOLDS + folds)) - len(np.unique(columns['groups']))} groups in two folds"
    return says


def sklearn(name: str, *needs: str, **options: object) -> Callable[[Columns], Array]:
    """A scikit-learn splitter as one fold vector."""
    def split(columns: Columns) -> Array:
        from sklearn import model_selection

        return vector(getattr(model_selection, name)(FOLDS, **options), columns, *needs)

    return split


def iterative(columns: Columns) -> Array:
    """MultilabelStratifiedKFold as one fold vector."""
    from iterstrat.ml_stratifiers import MultilabelStratifiedKFold

    return vector(MultilabelStratifiedKFold(FOLDS, shuffle=True, random_state=0), columns, "labels")


def vector(splitter: object, columns: Columns, *needs: str) -> Array:
    """The fold of each row, -1 where it is never validated."""
    folds = np.full(len(columns["y"]), -1)
    given = [columns[need] for need in needs] if needs[0] in ("y", "labels") else [columns["y"], columns["groups"]]
    for number, (_, valid) in enumerate(splitter.split(folds[:, None], *given)):
        folds[valid] = number
    return folds


SHUFFLED = {"shuffle": True, "random_state": 0}
PAIRS = [
    Pair("random", ("value",), "KFold", sklearn("KFold", "y", **SHUFFLED)),
    Pair("stratified", ("y",), "StratifiedKFold", sklearn("StratifiedKFold", "y", **SHUFFLED), 3),
    Pair("group", ("groups",), "GroupKFold", sklearn("GroupKFold", "groups"), 3),
    Pair("multilabel", ("labels",), "MultilabelStratifiedKFold", iterative, 30),
    Pair("stratified-group", ("y", "groups"), "StratifiedGroupKFold", sklearn("StratifiedGroupKFold", "y", "groups", **SHUFFLED), 50),
    Pair("time", ("time",), "TimeSeriesSplit (sorted rows)", sklearn("TimeSeriesSplit", "y")),
]

if __name__ == "__main__":
    main()
