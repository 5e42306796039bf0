"""Special forms: the person's make.py, which turns predictions into the sample's form."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kagglekit.errors import KKError
from kagglekit.registry import load_reference
from kagglekit.tables.submission.sample import Array, predictions_table, value_columns

if TYPE_CHECKING:
    import pandas as pd

FILE = "make.py"


def made_table(path: Path, sample: "pd.DataFrame", ids: Sequence[str], values: Array, test_ids: "pd.DataFrame",
               classes: Sequence[object]) -> "pd.DataFrame":
    """What make(predictions, sample) of the person's make.py gives; an error in it is theirs to see, with file and line.

    `predictions` are the ids of test and the run's values, nothing decided yet: columns are named as in the sample where it has
    as many, else by `classes` (or the targets).
    """
    import pandas as pd

    predictions = predictions_table(test_ids, values, value_columns(sample, ids), classes)
    make = load_reference(f"{path}:make")
    if not callable(make):
        raise KKError(f"{path} has no function make", "Write: def make(predictions, sample): ... that returns a table like the sample")
    made = make(predictions, sample.copy())
    if not isinstance(made, pd.DataFrame):
        raise KKError(f"make of {path} gave {type(made).__name__}, not a table", "Return a DataFrame with the sample's columns")
    return made
