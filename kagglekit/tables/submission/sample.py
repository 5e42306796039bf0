"""The sample submission in its exact form, and tables in that form: predictions, zeros, constants."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kagglekit.errors import KKError
from kagglekit.tables.submission.ids import positions
from kagglekit.tables.submission.text import is_text, same_text

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow.csv

Array = np.ndarray
# Labels that say that there is nothing, the clearest first.
NOTHING = ("nothing", "none", "no", "0", "false", "f", "n", "negative", "absent", "background", "healthy", "normal", "neutral", "unknown", "other")
SAID = "said"


def value_columns(sample: "pd.DataFrame", ids: Sequence[str]) -> list[str]:
    """Columns of the sample that hold predictions."""
    columns = [str(column) for column in sample.columns if column not in ids]
    return columns or [str(sample.columns[-1])]


def as_written(table: "pd.DataFrame", path: Path, ids: Sequence[str]) -> "pd.DataFrame":
    """The typed sample with ids and labels in the text of its file, where typing changed it: 007, 1.50, true, None.

    A file that is no plain csv of the same rows leaves the table as it is.
    """
    import pyarrow

    names = [str(name) for name in table.columns if name in ids or table[name].dtype.kind not in "iuf"]
    try:
        changed = _changed(table, path, names) if names else []
        if not changed:
            return table
        with _batches(path, changed) as source:
            raw = source.read_all().to_pandas()
    except (pyarrow.ArrowInvalid, pyarrow.ArrowKeyError, OSError):
        return table
    return table.assign(**{name: raw[name].set_axis(table.index) for name in changed})


def _changed(table: "pd.DataFrame", path: Path, names: Sequence[str]) -> list[str]:
    """Columns whose text in the file is another than would be written; none where the file has other rows."""
    import pandas as pd

    changed, start = set(), 0
    with _batches(path, names) as source:
        for batch in source:
            rows = slice(start, start + batch.num_rows)
            for name in (name for name in names if name not in changed):
                changed |= set() if same_text(table[name].iloc[rows], pd.Series(batch[name].to_pandas())) else {name}
            start = rows.stop
    return [name for name in names if name in changed] if start == len(table) else []


def _batches(path: Path, names: Sequence[str]) -> "pyarrow.csv.CSVStreamingReader":
    """Columns of a csv as text, some rows at a time."""
    import pyarrow
    from pyarrow import csv

    wanted = csv.ConvertOptions(column_types=dict.fromkeys(names, pyarrow.string()), include_columns=list(names), strings_can_be_null=False)
    return csv.open_csv(path, parse_options=csv.ParseOptions(newlines_in_values=True), convert_options=wanted)


def fill_sample(sample: "pd.DataFrame", ids: Sequence[str], values: Array, test_ids: "pd.DataFrame | None") -> "pd.DataFrame":
    """The sample with `values` (rows of the test table) in its value columns, matched by id where there is one."""
    columns = value_columns(sample, ids)
    table = values.reshape(len(values), -1)
    if table.shape[1] != len(columns):
        if table.shape[1] == 1 and len(columns) == 2:
            table = np.column_stack([1 - table[:, 0], table[:, 0]])
        else:
            raise KKError(f"the predictions have {table.shape[1]} columns, the sample has {len(columns)}: {', '.join(columns[:5])}",
                          "Write make.py for this form, or mend target and classes in competition.toml")
    if test_ids is not None and ids and set(ids) <= set(test_ids.columns) and len(test_ids) == len(table):
        order = positions(sample, test_ids, ids, "the test table")
        table = table if order is None else table[order]
    if len(table) != len(sample):
        raise KKError(f"there are {len(table)} test predictions, the sample has {len(sample)} rows",
                      "Several rows an id need make.py; check test and sample in competition.toml")
    return sample.assign(**{column: table[:, number] for number, column in enumerate(columns)})


def predictions_table(test_ids: "pd.DataFrame", values: Array, columns: Sequence[str], classes: Sequence[object]) -> "pd.DataFrame":
    """Ids of test and values as columns: named as in the sample where it has as many, else by class.

    >>> import pandas as pd
    >>> predictions_table(pd.DataFrame({"id": [7, 8]}), np.array([[0.2, 0.8], [1.0, 0.0]]), ["label"], ["cat", "dog"]).columns.tolist()
    ['id', 'cat', 'dog']
    """
    table = values.reshape(len(values), -1)
    width = table.shape[1]
    names = list(columns) if width == len(columns) else [str(label) for label in classes]
    if width != len(names):
        names = [f"value_{number}" for number in range(width)] if width > 1 else list(columns[:1])
    if len(test_ids) != len(table):
        raise KKError(f"there are {len(table)} test predictions, the test table has {len(test_ids)} rows", "Add the run again, or train it again")
    return test_ids.assign(**{name: table[:, number] for number, name in enumerate(names)})


def constant_table(sample: "pd.DataFrame", ids: Sequence[str], value: object, classes: Sequence[object]) -> "pd.DataFrame":
    """The sample with one value in every row; class shares go one to a column; 0 is what counts as nothing in each column.

    Which label a column of text got, and why, goes along for preflight to say.
    """
    columns, said, filled = value_columns(sample, ids), [], {}
    shares = np.atleast_1d(np.asarray(value)) if not isinstance(value, str) else None
    zero = not isinstance(value, str) and np.ndim(value) == 0 and value == 0
    for number, column in enumerate(columns):
        if shares is not None and len(shares) == len(columns) > 1:
            filled[column] = shares[number].item()
        elif zero:
            filled[column], why = nothing(sample[column], classes if len(columns) == 1 else ())
            said += [f"column {column!r} gets {filled[column]!r}: {why}"] if why else []
        else:
            filled[column] = value
    table = sample.assign(**filled)
    table.attrs[SAID] = tuple(said)
    return table


def nothing(column: "pd.Series", classes: Sequence[object]) -> tuple[object, str]:
    """What counts as zero in a column, and why where that was a choice: 0 for numbers, False for truth values, a label for text.

    >>> import pandas as pd
    >>> nothing(pd.Series(["yes", "yes"]), ["yes", "no"])
    ('no', "the label nearest to nothing of 'yes', 'no'")
    """
    if column.dtype.kind in "iuf":
        return 0, ""
    if column.dtype.kind == "b":
        return False, ""
    labels = _labels(column, classes)
    if "" in labels or (not classes and (column.fillna("") == "").any()):
        return "", "the sample leaves rows empty, which is its nothing"
    shown = ", ".join(map(repr, labels[:6]))
    low = [label.strip().lower() for label in labels]
    for word in NOTHING:
        if word in low:
            return labels[low.index(word)], f"the label nearest to nothing of {shown}"
    return labels[0], f"none of the labels means nothing, this is the first of {shown}"


def _labels(column: "pd.Series", classes: Sequence[object]) -> list[str]:
    """Labels that a column of text may hold: the classes, else those of the sample; truth words in the sample's spelling."""
    found = sorted(column.fillna("").astype(str).unique().tolist()) if is_text(column) else []
    if found and {label.lower() for label in found} <= {"true", "false"}:
        return [spelled(False, found[0]), spelled(True, found[0])]
    return [str(label) for label in classes] or found or [""]


def spelled(truth: bool, like: str) -> str:
    """A truth value in the spelling of another.

    >>> spelled(False, "TRUE"), spelled(True, "false")
    ('FALSE', 'true')
    """
    return str(truth).upper() if like.isupper() else str(truth).lower() if like.islower() else str(truth)
