"""Reading a constant's score: what the public score of zeros (or of the best constant) says about the hidden answers."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from kagglekit.metrics import Metric
from kagglekit.noise import paired_row_se

Array = np.ndarray


@dataclass(frozen=True, slots=True)
class Reading:
    """One thing that a constant's score says, the number, and what it was read from."""

    says: str
    value: float | None
    evidence: str


def read_constant(metric: Metric, constant: object, score: float, y: Array, rows: int, groups: Array | None = None) -> list[Reading]:
    """What `score`, the public score of one constant for all rows, says about the public answers; y is train's target.

    `rows` is the size of the public part (or a guess of it), for the noise of the comparison; rows of one of `groups` are not
    independent.
    """
    here = _score_in_train(metric, constant, y)
    readings = []
    special = SPECIAL.get(metric.name)
    if special:
        readings.append(special(constant, score, y))
    if here is not None:
        readings.append(_compared(metric, constant, score, here, y, rows, groups))
    return readings or [Reading(f"the constant scores {score:.5f}", score, "no rule reads more from this metric")]


def _score_in_train(metric: Metric, constant: object, y: Array) -> float | None:
    try:
        return metric(y, _spread(constant, len(y)))
    except (ValueError, TypeError, ArithmeticError, IndexError):
        return None


def _spread(constant: object, rows: int) -> Array:
    value = np.asarray(constant)
    return np.tile(value, (rows, 1)) if value.ndim else np.full(rows, constant)


def _compared(metric: Metric, constant: object, score: float, here: float, y: Array, rows: int,
              groups: Array | None) -> Reading:
    """Target shift: the same constant on train's own targets, with the noise of train's rows and of the public ones."""
    noise = None
    if metric.influence is not None:
        influence = metric.influence(y, _spread(constant, len(y)))
        noise = paired_row_se(influence / len(y), groups) * np.sqrt(len(y) / max(rows, 1) + 1)
    evidence = f"the same constant scores {here:.5f} on train's targets, {score:.5f} on the public part"
    if not noise:
        agree = abs(score - here) < 1e-6
        return Reading("metric and form are confirmed" if agree else f"the public part differs from train by {score - here:+.5f}",
                       score - here, evidence)
    gap = (score - here) / noise
    evidence += f", {abs(gap):.1f} standard errors apart ({rows} rows)"
    if abs(gap) > 4 and abs(score - here) > 0.3 * abs(here):
        return Reading("the public answers are far from train's: another metric than thought, or a shifted target", score - here, evidence)
    if abs(gap) > 3:
        return Reading("the target is shifted between train and the public part", score - here, evidence)
    return Reading("no shift of the target can be seen; metric, direction and form are confirmed", score - here, evidence)


def _mean_square(constant: object, score: float, y: Array) -> Reading:
    train = float(np.mean((y.astype(float) - np.asarray(constant, float)) ** 2))
    return Reading(f"the mean of (target - constant)² is {score**2:.6g} in the public part, {train:.6g} in train", score**2, f"{score}²")


def _mean_square_log(constant: object, score: float, y: Array) -> Reading:
    train = float(np.mean((np.log1p(y.astype(float)) - np.log1p(float(np.asarray(constant)))) ** 2))
    return Reading(f"the mean of (log(1+target) - log(1+constant))² is {score**2:.6g} in the public part, {train:.6g} in train",
                   score**2, f"{score}²")


def _mean_absolute(constant: object, score: float, y: Array) -> Reading:
    train = float(np.mean(np.abs(y.astype(float) - float(np.asarray(constant)))))
    return Reading(f"the mean distance from {constant} is {score:.6g} in the public part, {train:.6g} in train", score, "MAE itself")


def _share(constant: object, score: float, y: Array) -> Reading:
    train = float(np.mean(y == constant))
    return Reading(f"{score:.2%} of the public answers are {constant!r}, {train:.2%} of train's", score, "accuracy itself")


def _prior(constant: object, score: float, y: Array) -> Reading:
    """-p log q - (1-p) log(1-q) = score, solved for the share p of class 1."""
    q = float(np.clip(np.asarray(constant, float), 1e-15, 1 - 1e-15))
    if abs(np.log(q) - np.log1p(-q)) < 1e-9:
        return Reading("a constant of 0.5 says nothing of the class share", None, "log loss of 0.5 is log 2 for every share")
    share = (-score - np.log1p(-q)) / (np.log(q) - np.log1p(-q))
    return Reading(f"{share:.2%} of the public answers are class 1, {float(np.mean(y == 1)):.2%} of train's", float(share),
                   f"solved from the log loss of {q:.4g}")


def _half(constant: object, score: float, y: Array) -> Reading:
    ok = abs(score - 0.5) < 1e-6
    return Reading("AUC of a constant is 0.5: metric confirmed" if ok else f"AUC of a constant should be 0.5, not {score:.5f}",
                   score, "ties count half")


SPECIAL: dict[str, Callable[[object, float, Array], Reading]] = {
    "rmse": _mean_square, "rmsle": _mean_square_log, "mae": _mean_absolute, "accuracy": _share, "logloss": _prior, "auc": _half}
