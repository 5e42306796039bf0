"""Special forms: several rows an id, top-K lists, run-length masks, one-hot columns; for a person's make.py."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray


def long_form(predictions: "pd.DataFrame", ids: Sequence[str], *, form: str = "{id}_{column}",
              names: Sequence[str] = ("id", "value")) -> "pd.DataFrame":
    """One row for each id and value column, in that order; `form` writes the new id from the id column(s) and {column}.

    `{id}` stands for the first id column whatever its name.

    >>> import pandas as pd
    >>> long_form(pd.DataFrame({"plot": [7, 8], "jan": [0.1, 0.2], "feb": [0.3, 0.4]}), ["plot"]).values.tolist()
    [['7_jan', 0.1], ['7_feb', 0.3], ['8_jan', 0.2], ['8_feb', 0.4]]
    """
    import pandas as pd

    columns = [str(column) for column in predictions.columns if column not in ids]
    keys = predictions[list(ids)].astype(str).to_dict("records")
    written = [form.format(**{"id": key[ids[0]], **key, "column": column}) for key in keys for column in columns]
    return pd.DataFrame({names[0]: written, names[1]: predictions[columns].to_numpy().ravel()})


def top_k(values: "Array | pd.DataFrame", classes: Sequence[object], k: int = 3, joint: str = " ") -> list[str]:
    """The k classes of the largest values of each row, best first, as one text; of equal values the earlier class comes first.

    >>> top_k(np.array([[0.1, 0.7, 0.2], [0.5, 0.0, 0.5]]), ["cat", "dog", "eel"], k=2)
    ['dog eel', 'cat eel']
    """
    table, names = np.asarray(values), np.array([str(label) for label in classes], dtype=object)
    if table.ndim != 2 or table.shape[1] != len(names):
        raise ValueError(f"values of the shape {table.shape} do not fit {len(names)} classes")
    best = np.argsort(-table, axis=1, kind="stable")[:, :k]
    return [joint.join(row) for row in names[best]]


def rle_encode(mask: Array) -> str:
    """A mask as Kaggle's run lengths: start and length of each run, counted from 1 down the columns; '' for an empty one.

    >>> rle_encode(np.array([[1, 0, 0], [1, 1, 0]]))
    '1 2 4 1'
    """
    flat = np.concatenate([[False], np.asarray(mask).astype(bool).ravel(order="F"), [False]])
    edges = np.flatnonzero(flat[1:] != flat[:-1])
    starts, ends = edges[::2], edges[1::2]
    return " ".join(map(str, np.column_stack([starts + 1, ends - starts]).ravel().tolist()))


def rle_decode(text: str, shape: tuple[int, int]) -> Array:
    """The mask (rows, columns) of 0 and 1 that run lengths stand for.

    >>> rle_decode("1 2 4 1", (2, 3)).tolist()
    [[1, 0, 0], [1, 1, 0]]
    """
    numbers = np.array(str(text).split(), dtype=np.int64) if isinstance(text, str) else np.zeros(0, dtype=np.int64)
    starts, lengths = numbers[::2] - 1, numbers[1::2]
    if len(starts) != len(lengths) or (starts < 0).any() or (lengths < 1).any() or (starts + lengths > shape[0] * shape[1]).any():
        raise ValueError(f"{text[:60]!r} are no run lengths of a mask of {shape[0]} x {shape[1]}")
    flat = np.zeros(shape[0] * shape[1], dtype=np.uint8)
    for start, length in zip(starts.tolist(), lengths.tolist(), strict=True):
        flat[start:start + length] = 1
    return flat.reshape(shape, order="F")


def one_hot(labels: Sequence[object], classes: Sequence[object]) -> "pd.DataFrame":
    """Labels as one column of 0 and 1 a class.

    >>> one_hot(["dog", "cat"], ["cat", "dog"]).to_dict("list")
    {'cat': [0, 1], 'dog': [1, 0]}
    """
    import pandas as pd

    names = [str(label) for label in classes]
    codes = pd.Index(names).get_indexer([str(label) for label in labels])
    if (codes < 0).any():
        raise ValueError(f"{list(labels)[int((codes < 0).argmax())]!r} is not among the classes {names}")
    return pd.DataFrame(np.eye(len(names), dtype=np.int64)[codes], columns=names)


def labels_of(values: "Array | pd.DataFrame", classes: Sequence[object]) -> list[object]:
    """The class of the largest value of each row; of equal values the earlier class.

    >>> labels_of(np.array([[0.2, 0.8], [1.0, 0.0]]), ["cat", "dog"])
    ['dog', 'cat']
    """
    labels = list(classes)
    return [labels[code] for code in np.asarray(values).argmax(axis=1)]
