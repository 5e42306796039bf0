"""Precision: how many repeats of the folds a wanted standard error takes, and when only more data would help."""

from dataclasses import dataclass, replace

import numpy as np

from kagglekit.errors import KKError

Array = np.ndarray
MOST_REPEATS = 10
FEWEST_REPEATS = 3
STABLE = 0.3  # of the data's noise: a split's noise below it changes the standard error by less than 5 %


@dataclass(frozen=True, slots=True)
class Precision:
    """What it takes to know a score to `target`.

    `sd_split` is the standard deviation that the luck of one split adds (repeats average it out), `sd_data` what the data at hand leaves
    (no repeat lowers it), `se` the standard error that `repeats` x `n` folds give. `feasible`: whether neither part is above the target.
    Scores as the metric shows them. `model`, `rows` and `seconds` (what `repeats` cost on the whole table) are set where they were measured.
    """

    target: float
    repeats: int
    n: int
    sd_split: float
    sd_data: float
    se: float
    feasible: bool
    says: str
    model: str = ""
    rows: int = 0
    seconds: float = 0.0
    next: str = ""


def folds_for_se(cv: Array, target: float, *, ratio: float | None = None, scale: float = 1.0) -> Precision:
    """The repeats that reach the standard error `target`, from the scores cv[R, K] of R repeats of K folds.

    Var(mean) = sd_data^2 + sd_split^2 / R. sd_split is the deviation between the repeats' means. sd_data is what the correction of Nadeau &
    Bengio (2003) leaves for R without end, s^2 * n_test / n_train with s^2 between the folds of a repeat, without the part of s^2 that
    is the split's (K sd_split^2). `ratio` is n_test / n_train (default 1 / (K - 1)); `scale` turns scores of a sample into those of the
    whole table. Repeats are ceil((sd_split / target)^2), 10 at most; one repeat stands for a split that is the same for every seed.
    Raises KKError for a target that is no standard error, two repeats, or one fold.

    >>> found = folds_for_se(np.array([[0.70, 0.80], [0.76, 0.78], [0.69, 0.73]]), target=0.02)
    >>> found.repeats, round(found.sd_split, 4), round(found.sd_data, 4), found.feasible
    (3, 0.0306, 0.0115, True)
    """
    cv = np.asarray(cv, dtype=np.float64)
    _check(cv, target)
    repeats, n = cv.shape
    split = float(cv.mean(axis=1).var(ddof=1)) if repeats > 1 else 0.0
    between = max(float(cv.var(axis=1, ddof=1).mean()) - n * split, 0.0)
    sd_split, sd_data = scale * float(np.sqrt(split)), scale * float(np.sqrt(between * (1 / (n - 1) if ratio is None else ratio)))
    wanted = min(MOST_REPEATS, max(1, int(np.ceil((sd_split / target) ** 2 - 1e-9))))
    feasible = bool(sd_data <= target and sd_split <= target * np.sqrt(wanted) * (1 + 1e-9))
    se = float(np.sqrt(sd_data**2 + sd_split**2 / wanted))
    found = Precision(float(target), wanted, n, sd_split, sd_data, se, feasible, "")
    return _told(found, fixed=repeats == 1)


def _check(cv: Array, target: float) -> None:
    if not 0 < target < np.inf:
        raise KKError(f"{target:g} is no standard error", "Give a number above 0 in the unit of the metric: kk cv --se 0.002")
    if cv.ndim != 2 or not np.isfinite(cv).all():
        raise KKError(f"scores of the shape {cv.shape} with {int((~np.isfinite(cv)).sum())} gaps tell no spread",
                      "Give one row a repeat, one column a fold")
    if cv.shape[1] < 2:
        raise KKError("one fold tells nothing of the spread between folds", "Use two folds or more: kk cv -n 5 --se SE")
    if cv.shape[0] != 1 and cv.shape[0] < FEWEST_REPEATS:
        raise KKError(f"{cv.shape[0]} repeats tell too little of the luck of a split",
                      f"Give {FEWEST_REPEATS}: kk cv --repeats {FEWEST_REPEATS} --se SE")


def _told(found: Precision, fixed: bool) -> Precision:
    """The same with its sentence."""
    parts = (f"a score over {found.n} folds carries {found.sd_data:.2g} of noise from the data at hand"
             + (" (the split is the same for every seed)" if fixed else f" and {found.sd_split:.2g} from the luck of the split"))
    if found.sd_data > found.target:
        answer = f"a standard error of {found.target:g} is out of reach: only more data helps, no number of repeats"
    elif not found.feasible:
        answer = (f"{found.repeats} repeats still leave {found.sd_split / np.sqrt(found.repeats):.2g} of the split's, above {found.target:g}: "
                  "average over seeds or take a stabler model")
    else:
        answer = f"{found.repeats} repeat{'s' if found.repeats > 1 else ''} of {found.n} folds give a standard error of {found.se:.2g}"
    stable = "; repeats hardly help here" if found.feasible and not fixed and found.sd_split < STABLE * found.sd_data else ""
    pairs = "To compare models, the same folds for all of them matter more: the noise that they share cancels"
    return replace(found, says=f"{parts}: {answer}{stable}. {pairs}.")
