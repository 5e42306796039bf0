"""Near copies: whether a submission says what an earlier one said, from all of a small file and from blocks of a large one."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kagglekit.tables.submission.text import joined, slices

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray
WHOLE, BLOCKS, BLOCK, LOOK = 1 << 18, 32, 1 << 12, 1 << 20
CORRELATION, SHARE, TOLD = 0.999, 0.995, 3


def near_copies(table: "pd.DataFrame", ids: Sequence[str], columns: Sequence[str], earlier: Mapping[str, Path]) -> list[str]:
    """One sentence for each earlier csv of the same form that is (nearly) the same, the closest first, three at most."""
    import pandas as pd

    found = {name: rows for name, path in earlier.items() if (rows := _sampled(path, list(map(str, table.columns)), ids, len(table))) is not None}
    if not found:
        return []
    keys = {name: pd.Index(joined(rows, ids).to_pandas() if ids else np.arange(len(rows))) for name, rows in found.items()}
    everywhere = keys[next(iter(keys))].append([keys[name] for name in list(keys)[1:]]).unique()
    place = pd.Series(_places(table, ids, everywhere), index=everywhere)
    told = []
    for name, rows in found.items():
        position = place.loc[keys[name]].to_numpy()
        known = position >= 0
        if known.sum() > 1:
            told.append(_compared(name, table.iloc[position[known]], rows[known], columns, len(table)))
    return [says for closeness, says in sorted(told, reverse=True) if closeness > 0][:TOLD]


def _sampled(path: Path, names: list[str], ids: Sequence[str], rows: int) -> "pd.DataFrame | None":
    """Rows from all over an earlier csv; None where it has other columns, cannot be read, or says nothing of which rows it holds."""
    import pandas as pd

    try:
        size = path.stat().st_size
        with path.open("rb") as source:
            content = source.read() if size <= WHOLE else b"" if not ids else source.readline() + b"".join(_blocks(source, size))
        table = pd.read_csv(io.BytesIO(content), dtype=dict.fromkeys(ids, str), keep_default_na=False, na_values=[])
    except (OSError, ValueError, pd.errors.ParserError, pd.errors.EmptyDataError):
        return None
    return table if list(table.columns) == names and (ids or len(table) == rows) else None


def _blocks(source: io.BufferedReader, size: int) -> "list[bytes]":
    """Whole lines from blocks all over the file."""
    blocks = []
    for start in np.linspace(source.tell(), size - BLOCK, BLOCKS).astype(int).tolist():
        source.seek(start - 1)
        source.readline()
        block = source.read(BLOCK)
        blocks.append(block[: block.rfind(b"\n") + 1])
    return blocks


def _places(table: "pd.DataFrame", ids: Sequence[str], wanted: "pd.Index") -> Array:
    """Row of the table for each id, -1 where it has none."""
    if not ids:
        return np.arange(len(wanted))
    import pyarrow
    import pyarrow.compute as pc

    place, known = np.full(len(wanted), -1), pyarrow.array(wanted, pyarrow.large_string())
    whole = len(ids) == 1 and table[ids[0]].dtype.kind == "i"
    known = known.cast(pyarrow.int64()) if whole and pc.all(pc.match_substring_regex(known, "^-?[0-9]{1,18}$")).as_py() else known
    for rows in slices(len(table), LOOK):
        part = table.iloc[rows]
        keys = pyarrow.array(part[ids[0]]).cast(pyarrow.int64()) if known.type == pyarrow.int64() else joined(part, ids)
        found = pc.index_in(keys, value_set=known)
        here = np.flatnonzero(pc.is_valid(found).to_numpy(zero_copy_only=False))
        place[found.drop_null().to_numpy()] = here + rows.start
    return place


def _compared(name: str, mine: "pd.DataFrame", theirs: "pd.DataFrame", columns: Sequence[str], rows: int) -> tuple[float, str]:
    """How close the two are (0: not), and the sentence."""
    part = "" if len(mine) == rows else f" in the {len(mine):,} rows compared"
    same = np.ones(len(mine), dtype=bool)
    closeness = 1.0
    for column in columns:
        left, right = mine[column].to_numpy(), theirs[column].to_numpy()
        if mine[column].dtype.kind in "iuf" and theirs[column].dtype.kind in "iufb":
            left, right = left.astype(np.float64), right.astype(np.float64)
            closeness = min(closeness, _correlation(left, right))
        else:
            left, right = left.astype(str), right.astype(str)
            closeness = 0.0
        same &= left == right
    if same.all():
        return 2.0, f"these are the predictions of {name}{part or ', row by row'}"
    if same.mean() >= SHARE:
        return 1 + same.mean(), f"a near copy of {name}: {same.mean():.2%} of the rows are the same{part}"
    if closeness >= CORRELATION:
        return closeness, f"a near copy of {name}: correlation {closeness:.5f}{part}"
    return 0.0, ""


def _correlation(left: Array, right: Array) -> float:
    """Pearson's correlation, 0 where one side is constant or of whole numbers that are labels."""
    if len(np.unique(left)) <= 20 or not (np.ptp(left) and np.ptp(right)):
        return 1.0 if np.array_equal(left, right) else 0.0
    return float(np.corrcoef(left, right)[0, 1])
