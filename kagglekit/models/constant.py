"""The constant: the one prediction that is best for all rows; what every model must beat."""

import numpy as np

from kagglekit.constants import mean
from kagglekit.errors import KKError
from kagglekit.models.family import family
from kagglekit.models.problem import Problem

Array = np.ndarray


def _told(problem: object) -> str:
    return f"says the best constant for {problem.metric.name}" if problem.metric.constant and not problem.classifies else ""


@family("constant", whole=True, tells=_told)
def constant(problem, params, seed, fold, clock):  # type: ignore[no-untyped-def]
    """Class shares (where labels are judged the best of them alone), or the metric's best value of each target, from the training rows."""
    if params:
        raise KKError(f"constant takes no parameters, and there is {next(iter(params))!r}", "Leave --set out")
    target = fold.target_train
    if problem.task == "multilabel":
        value = np.asarray(target.mean(axis=0))
    elif problem.classifies:
        value = _of_classes(problem, target.astype(np.int64))
    else:
        best = np.asarray((problem.metric.constant or mean)(target), dtype=np.float64)
        value = np.broadcast_to(best, target.shape[1:]) if best.ndim == 0 else best
    shape = (1,) * value.ndim
    return np.tile(value, (len(fold.valid), *shape)), np.tile(value, (len(fold.X_test), *shape))


def _of_classes(problem: Problem, codes: Array) -> Array:
    """Class shares; all of the label that scores best alone where labels are judged and that is not the most frequent one (f1)."""
    shares = np.bincount(codes, minlength=len(problem.classes)) / len(codes)
    if problem.metric.needs == "label" and problem.metric.constant and (best := problem.metric.constant(codes)) != shares.argmax():
        shares = (np.arange(len(shares)) == best).astype(np.float64)
    return shares if problem.task == "multiclass" else np.asarray(shares[1])
