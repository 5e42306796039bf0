"""Grades from numbers: a model of numbers answers where classes are grades and the metric is quadratic kappa.

Cuts are put where as many rows get a grade as have it in training ("rate-matched"). They look at predictions, never at the targets of
the rows that are cut.
"""

import numpy as np

Array = np.ndarray
ENOUGH = 500  # rows whose own predictions are enough to cut them by


def grades(values: Array, others: Array, target: Array, classes: int) -> Array:
    """float64[rows, classes]: each row's weight on the two grades next to it, the nearer one has more; its mean is the row's number.

    `values` are predictions of grades 0, 1, ...; `others` those of more rows that the model was not trained on, for the cuts where
    `values` are few; `target` the grades of the training rows.

    >>> grades(np.array([0.9, 1.0, 1.1, 1.2]), np.empty(0), np.array([0, 0, 1, 2]), 3).argmax(axis=1).tolist()
    [0, 0, 1, 2]
    """
    known = values if len(values) >= ENOUGH or not len(others) else np.concatenate([values, others])
    shares = np.cumsum(np.bincount(np.asarray(target).astype(np.int64), minlength=classes) / max(len(target), 1))[:-1]
    if not len(values):
        return np.empty((0, classes))
    cuts = np.quantile(known, np.clip(shares, 0, 1), method="inverted_cdf" if len(known) < 50 else "linear")
    low, high = min(known.min(), values.min()) - 1e-9, max(known.max(), values.max()) + 1e-9
    place = np.clip(np.searchsorted(cuts, values, side="left"), 0, classes - 1)  # the grade
    edges = np.concatenate([[low], cuts, [high]])
    width = edges[place + 1] - edges[place]
    inside = np.divide(values - edges[place], width, out=np.full(len(values), 0.5), where=width > 0)
    inside = np.where(place == 0, inside / 2 + 0.5, np.where(place == classes - 1, inside / 2, inside))
    number = place + np.clip(inside, 1e-6, 1 - 1e-6) - 0.5  # from half a grade below to half a grade above, ends at the ends
    below = np.clip(np.floor(number), 0, classes - 2).astype(np.int64)
    out, rows = np.zeros((len(values), classes)), np.arange(len(values))
    upper = np.clip(number - below, 0.0, 1.0)
    out[rows, below], out[rows, below + 1] = 1 - upper, upper
    return out
