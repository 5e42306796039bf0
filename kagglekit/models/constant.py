"""The constant: the one prediction that is best for all rows; what every model must beat."""

import numpy as np

from kagglekit.models.family import family


@family("constant")
def constant(problem, params, seed, fold, clock):  # type: ignore[no-untyped-def]
    """Class shares (for labels and probabilities) or the metric's best value, from the training rows."""
    target = fold.data.target[fold.train]
    if problem.task == "multiclass":
        value = np.bincount(target.astype(int), minlength=len(problem.classes)) / len(target)
    elif problem.task == "binary":
        value = np.asarray(target.mean())
    else:
        value = np.asarray((problem.metric.constant or np.mean)(target), dtype=np.float64)
    shape = (1,) * value.ndim
    return np.tile(value, (len(fold.valid), *shape)), np.tile(value, (len(fold.X_test), *shape))
