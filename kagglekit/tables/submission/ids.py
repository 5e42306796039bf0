"""Ids as a set: rows in the sample's order, or a refusal that names what is missing, extra or doubled."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from kagglekit.errors import KKError
from kagglekit.tables.submission.text import joined, same_text, slices, texts, writable

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow

Array = np.ndarray


def positions(wanted: "pd.DataFrame", given: "pd.DataFrame", ids: Sequence[str], what: str) -> Array | None:
    """Row of `given` for each row of `wanted`, None where they stand in the same order; refuses ids that differ as sets.

    Ids are compared by their text first; where that does not fit, 7, 7.0 and '007' are one id as long as all of them are whole numbers.
    """
    if all(same_text(wanted[name], given[name]) for name in ids):
        return None
    found = _lookup_near(wanted[ids[0]], given[ids[0]]) if len(ids) == 1 and len(wanted) == len(given) else None
    if found is None:
        found = _lookup(joined(wanted, ids), joined(given, ids))
    if found is None:
        found = _by_number(wanted, given, ids)
    if found is None:
        raise _difference(wanted, given, ids, what)
    return found


def _by_number(wanted: "pd.DataFrame", given: "pd.DataFrame", ids: Sequence[str]) -> Array | None:
    left = {name: _numbers(wanted[name]) for name in ids}
    right = {name: _numbers(given[name]) for name in ids}
    both = [name for name in ids if left[name] is not None and right[name] is not None]
    if not both:
        return None
    return _lookup(joined(wanted[list(ids)].assign(**{name: left[name] for name in both}), ids),
                   joined(given[list(ids)].assign(**{name: right[name] for name in both}), ids))


def _numbers(column: "pd.Series") -> Array | None:
    """Ids as whole numbers, None where one is none."""
    import pyarrow

    values = texts(column)
    if values.null_count:
        return None
    try:
        return values.cast(pyarrow.int64()).to_numpy(zero_copy_only=False)
    except pyarrow.ArrowInvalid:
        pass
    try:
        numbers = values.cast(pyarrow.float64()).to_numpy(zero_copy_only=False)
    except pyarrow.ArrowInvalid:
        return None
    return numbers.astype(np.int64) if (np.abs(numbers) < 2**53).all() and (numbers % 1 == 0).all() else None


def _lookup(wanted: "pyarrow.Array", given: "pyarrow.Array") -> Array | None:
    """Where each of `wanted` stands in `given`; None unless one is the other in another order, without repeats."""
    import pyarrow.compute as pc

    if len(wanted) != len(given):
        return None
    place = pc.index_in(wanted, value_set=given)
    return None if place.null_count else _permutation(place.to_numpy())


def _permutation(found: Array) -> Array | None:
    seen = np.zeros(len(found), dtype=bool)
    seen[found] = True
    return found if seen.all() else None


def _lookup_near(wanted: "pd.Series", given: "pd.Series") -> Array | None:
    """As _lookup where ids are numbers close together, behind one word or none (id_0017): a table instead of a search, else None."""
    if (wanted.dtype.kind in "iu") != (given.dtype.kind in "iu") or not len(given):
        return None
    word = "" if wanted.dtype.kind in "iu" else _common_word(wanted)
    ends = [(part.min(), part.max()) if part is not None else None for part in _number_parts(given, word)]
    if None in ends:
        return None
    low, high = int(min(end[0] for end in ends)), int(max(end[1] for end in ends))
    if high - low > 2 * len(given) + 1000:
        return None
    place, found = np.full(high - low + 1, -1, dtype=np.int32), np.empty(len(wanted), dtype=np.int32)
    for rows, part in zip(slices(len(given)), _number_parts(given, word), strict=True):
        place[part - low] = np.arange(rows.start, rows.stop, dtype=np.int32)
    for rows, part in zip(slices(len(wanted)), _number_parts(wanted, word), strict=True):
        if part is None or part.min() < low or part.max() > high:
            return None
        found[rows] = place[part - low]
    return None if found.min() < 0 else _permutation(found)


def _common_word(column: "pd.Series") -> str:
    some = [str(column.iloc[row]) for row in np.linspace(0, len(column) - 1, 20).astype(int).tolist()]
    low, high = min(some), max(some)
    alike = next((place for place, (one, other) in enumerate(zip(low, high, strict=False)) if one != other), min(len(low), len(high)))
    return low[:alike].rstrip("0123456789")


def _number_parts(column: "pd.Series", word: str) -> Iterator[Array | None]:
    """The numbers behind the word, some rows at a time; None for rows where there is something else."""
    import pyarrow
    import pyarrow.compute as pc

    for rows in slices(len(column)):
        part = texts(column.iloc[rows]) if column.dtype.kind not in "iu" else writable(column.iloc[rows])
        try:
            if part.null_count or (word and not pc.all(pc.starts_with(part, word)).as_py()):
                yield None
            else:
                yield (pc.utf8_slice_codeunits(part, len(word)) if word else part).cast(pyarrow.int64()).to_numpy(zero_copy_only=False)
        except pyarrow.ArrowInvalid:
            yield None


def _difference(wanted: "pd.DataFrame", given: "pd.DataFrame", ids: Sequence[str], what: str) -> KKError:
    """What differs, with the first row that does."""
    import pandas as pd

    for name in ids:
        gap = given[name].isna().to_numpy()
        if gap.any():
            return KKError(f"{what} has no id in column {name!r}, row {int(np.flatnonzero(gap)[0])}", "Give every row its id")
    left, right = (pd.Index(shown) for shown in _shown(wanted, given, ids))
    twice = right.duplicated()
    if twice.any():
        row = int(np.flatnonzero(twice)[0])
        return KKError(f"{what} has the id {right[row]!r} more than once, again in row {row}", "Give one row per id")
    if left.has_duplicates:
        return KKError(f"the sample's ids {', '.join(ids)} repeat, so they cannot align {what}", "Keep its order, or mend id in competition.toml")
    extra = ~right.isin(left)
    if extra.any():
        row = int(np.flatnonzero(extra)[0])
        return KKError(f"{what} has {int(extra.sum())} ids that the table does not have, such as {right[row]!r} in row {row}",
                       f"Leave them out; the sample's look like {left[0]!r}")
    missing = ~left.isin(right)
    first = left[int(np.flatnonzero(missing)[0])] if missing.any() else ""
    return KKError(f"{what} lacks {int(missing.sum())} of {len(left)} ids, such as {first!r}", "Give one row per id of the sample")


def _shown(wanted: "pd.DataFrame", given: "pd.DataFrame", ids: Sequence[str]) -> tuple[list[str], list[str]]:
    """Ids of both tables as text; as numbers where both are whole numbers."""
    sides: tuple[list, list] = ([], [])
    for name in ids:
        numbers = _numbers(wanted[name]), _numbers(given[name])
        for side, table, number in zip(sides, (wanted, given), numbers, strict=True):
            plain = numbers[0] is None or numbers[1] is None
            side.append(texts(table[name]).to_pylist() if plain else list(map(str, number.tolist())))
    left, right = ([", ".join(map(str, row)) for row in zip(*side, strict=True)] for side in sides)
    return left, right
