"""Rows that repeat: within train, within test, across both, and with another target. Found by hashes of all rows, so a copy is never missed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from kagglekit.tables.profile.source import Source, batches
from kagglekit.tables.profile.values import as_arrow, numbers

if TYPE_CHECKING:
    import pyarrow

KEPT_ROWS = 5_000_000
FACTOR = np.uint64(0xD6E8FEB86659FD93)
MISSING = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True)
class Duplicates:
    """Counts of rows that are the same in all `columns`: copies of an earlier row in train and in test, rows of test that train
    has, and rows of train whose copy has another target. `looked_at` is the share of rows that were compared: of very long tables a
    part, chosen by content, so that copies stay together."""

    columns: tuple[str, ...]
    train: int
    test: int | None
    across: int | None
    conflicting: int | None
    train_rows: int
    test_rows: int | None
    looked_at: float


def find_duplicates(train: Source, test: Source | None, names: Sequence[str], target: Sequence[str]) -> Duplicates | None:
    """Compare rows by the columns `names`; None without any."""
    if not names or not train.rows:
        return None
    longest = max(source.rows for source in (train, test) if source is not None)
    share = min(1.0, KEPT_ROWS / longest)
    keys, answers = _keys(train, names, target, share)
    ordered = np.sort(keys)
    copies = _copies(ordered)
    conflicting = _conflicting(keys, answers, ordered) if target else None
    if test is None or not test.rows:
        return Duplicates(tuple(names), copies, None, None, conflicting, len(keys), None, share)
    others = np.sort(_keys(test, names, (), share)[0])
    return Duplicates(tuple(names), copies, _copies(others), int(_among(others, ordered).sum()), conflicting, len(keys), len(others), share)


def _copies(ordered: np.ndarray) -> int:
    return int((ordered[1:] == ordered[:-1]).sum())


def _among(values: np.ndarray, ordered: np.ndarray) -> np.ndarray:
    """Which values are in a sorted array."""
    if not len(ordered):
        return np.zeros(len(values), bool)
    return ordered[np.minimum(np.searchsorted(ordered, values), len(ordered) - 1)] == values


def _keys(source: Source, names: Sequence[str], target: Sequence[str], share: float) -> tuple[np.ndarray, np.ndarray]:
    """A number for each row's features and one for its target; of the rows whose key is in the lowest `share` of all keys."""
    found: list[tuple[np.ndarray, np.ndarray]] = []
    for batch in batches(source.path, [*names, *target]):
        keys = _combined([batch.column(name) for name in names])
        answers = _combined([batch.column(name) for name in target]) if target else keys
        keep = slice(None) if share >= 1 else (keys >> np.uint64(32)) < share * 2**32
        found.append((keys[keep], answers[keep]))
    if not found:
        return np.empty(0, np.uint64), np.empty(0, np.uint64)
    return np.concatenate([one for one, _ in found]), np.concatenate([other for _, other in found])


def _combined(columns: "Sequence[pyarrow.Array]") -> np.ndarray:
    total = np.zeros(len(columns[0]), np.uint64)
    for column in columns:
        total ^= value_hashes(column)
        total *= FACTOR
        total ^= total >> np.uint64(32)
    return _mixed(total)


def value_hashes(column: object) -> np.ndarray:
    """64 bits for every value: the number itself, or a hash of the text; the same for equal values of any table."""
    import pyarrow

    chunked = as_arrow(column)
    if pyarrow.types.is_string(chunked.type):
        encoded = chunked.combine_chunks().dictionary_encode()
        if isinstance(encoded, pyarrow.ChunkedArray):
            encoded = encoded.combine_chunks()
        known = pd.util.hash_array(encoded.dictionary.to_numpy(zero_copy_only=False), categorize=False) if len(encoded.dictionary) else []
        hashes = np.append(np.asarray(known, np.uint64), MISSING)
        return hashes[encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)]
    values = numbers(chunked) + 0.0
    return np.where(np.isnan(values), MISSING, values.view(np.uint64))


def _mixed(values: np.ndarray) -> np.ndarray:
    """The finalizer of splitmix64: near numbers get far hashes."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _conflicting(keys: np.ndarray, answers: np.ndarray, ordered: np.ndarray) -> int:
    """Rows whose features come with more than one target."""
    twice = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    chosen = _among(keys, twice)
    group, answers = np.searchsorted(twice, keys[chosen]), answers[chosen]
    first = np.zeros(len(twice), np.uint64)
    first[group] = answers
    mixed = np.zeros(len(twice), bool)
    mixed[group[answers != first[group]]] = True
    return int(mixed[group].sum())
