"""Flags of the baseline ladder: where its order is broken beyond the noise, and what to look at."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from kagglekit.metrics import Metric
from kagglekit.work.rungs import ZEROS, Case, Flag, Rung, gain_over

CLEAR = 2.0        # standard errors beyond which an order counts
PERFECT = 0.99     # of a score whose best is 1, or of the squared error explained
BEST_OF = 3.0      # the same for the best of several models against the constant: one in so many is ahead by luck
ONE_COLUMN = 0.95  # of what there is to explain, by one column alone (an AUC of .975)
SKEWED = 1.0       # a target whose log is worth a trial
JUMP = 0.8         # lgbm's error over that of the best rung below it
ROOTS = ("rmse", "rmsle", "rmspe", "mcrmse", "mcrmsle")
TREES = ("forest", "lgbm")
SAYS = {
    "constant-loses": "zeros beat the best constant: check the metric, its direction and the target's scale in competition.toml{by_time}",
    "nothing-learnt": "no model beats the constant by 3 SE, as the best of several must: look whether columns and target belong to the same rows, "
                      "and whether so few rows can show a gain (kk cv --se)",
    "no-column": "no single column beats the constant by 2 SE: what there is to learn is in several columns together, or in columns that are not "
                 "read as they should be (kk data)",
    "same-label": "its labels are the constant's: one column's shares never cross the cut at 0.5, though they may say something all the same",
    "needs-log": "a linear model loses to {floor} and the target is skewed ({skew:.1f}): predict its log (a TransformedTargetRegressor of yours is "
                 "a model, too)",
    "linear-loses": "a linear model loses to {floor}: look at outliers and scales of the columns, and at effects that are no straight line",
    "linear-wins": "the linear model beats the trees: the relation is a straight line, the rows are few, or a trend leaves the range of the training "
                   "rows; blend both, or let trees learn what a line leaves",
    "trend": "the linear model beats the trees on folds by time: trees cannot go beyond the values they saw; predict the change since the last "
             "value, or take the trend out first",
    "trees-lose": "{floor} beat the trees: look for columns that mean something else in other folds, such as counters, ids and times",
    "below-constant": "it loses to the constant: what it learns does not hold in other folds (columns that mean something else there), or it is "
                      "trained on another loss than {metric}",
    "forest-wins": "the forest beats boosting: noise or few rows; try fewer leaves, more rows in each and a lower learning rate (kk tune lgbm)",
    "jump": "boosting makes less than 0.8 of the error of all rungs below it at the first try: look for a leak before you believe it (kk data)",
    "leak": "one column alone{column} explains nearly all: is it known when the prediction is made, and as good in test (kk data)?",
    "perfect": "nearly perfect: look for a leak before you believe it, columns made from the target or copies of rows in other folds (kk data)",
}
Found = tuple[str, Flag]


def with_flags(case: Case, rungs: Sequence[Rung]) -> list[Rung]:
    """The rungs with what is wrong about their order; each flag about an order needs more than two standard errors."""
    order = _Order(case, {rung.model: rung for rung in rungs if rung.score is not None})
    told: dict[str, list[Flag]] = {rung.model: [] for rung in rungs}
    learnt = () if order.nothing_learnt else (*_columns(order), *_trees(order), *_too_good(order))
    for model, flag in (*_below(order), *learnt):
        told[model].append(flag)
    return [replace(rung, flags=tuple(told[rung.model])) for rung in rungs]


def skill(metric: Metric, score: float, constant: float) -> float:
    """The share of what the constant leaves to explain that a score explains: 0 for the constant, 1 for a perfect score.

    Of metrics that are roots it is the share of the square: that of rmse is R2.

    >>> from kagglekit.metrics import check_metric
    >>> skill(check_metric("auc"), 0.75, 0.5), skill(check_metric("rmse"), 0.5, 1.0)
    (0.5, 0.75)
    """
    left = 1.0 - constant if metric.greater_is_better else constant
    if left <= 0:
        return 0.0
    if metric.greater_is_better:
        return (score - constant) / left
    return 1.0 - (score / constant) ** (2 if metric.name in ROOTS else 1)


class _Order:
    """Scored rungs, and how far one is ahead of another in standard errors."""

    def __init__(self, case: Case, rungs: dict[str, Rung]) -> None:
        self.case, self.rungs = case, rungs
        self.metric: Metric = case.problem.metric
        self.by_time = case.folds.rule in ("before", "purged")
        self.models = [name for name in rungs if name not in (ZEROS, "constant")]

    def ahead(self, one: str, other: str) -> float:
        """Standard errors by which a rung is better; 0 where one of them is missing."""
        if one not in self.rungs or other not in self.rungs:
            return 0.0
        gain, se = gain_over(self.case, self.rungs[one], self.rungs[other])
        return gain / se if se else float(np.sign(gain)) * np.inf if gain else 0.0

    def best(self, names: Sequence[str]) -> str:
        """The best of the rungs that are there, or nothing."""
        return max((name for name in names if name in self.rungs), key=lambda name: self.case.sign * self.score(name), default="")

    @property
    def nothing_learnt(self) -> bool:
        """Whether no rung that looks at columns is clearly better than the constant."""
        return bool(self.models) and "constant" in self.rungs and all(self.ahead(name, "constant") <= BEST_OF for name in self.models)

    def score(self, name: str) -> float:
        """The score of a rung that has one."""
        return float(self.rungs[name].score or 0.0)


def _flag(code: str, **facts: object) -> Flag:
    return Flag(code, SAYS[code].format(**facts))


def _below(order: _Order) -> Iterator[Found]:
    """The first rungs: the metric, and any signal at all."""
    if order.metric.constant is not None and order.ahead(ZEROS, "constant") > CLEAR:
        yield "constant", _flag("constant-loses", by_time=", and whether its level moves with time" if order.by_time else "")
    if order.nothing_learnt:
        yield order.best(order.models), _flag("nothing-learnt")


def _columns(order: _Order) -> Iterator[Found]:
    """One column alone, and a linear model that loses to it."""
    if {"group-mean", "constant"} <= set(order.rungs) and order.ahead("group-mean", "constant") <= CLEAR:
        alike = order.metric.needs == "label" and order.rungs["group-mean"].per_fold == order.rungs["constant"].per_fold
        yield "group-mean", _flag("same-label" if alike else "no-column")
    floor = "group-mean" if "group-mean" in order.rungs else "constant"
    if order.ahead(floor, "linear") > CLEAR:
        skew, what = _skew(order.case), "one column's means" if floor == "group-mean" else "the constant"
        yield "linear", _flag("needs-log" if skew > SKEWED else "linear-loses", floor=what, skew=skew)


def _skew(case: Case) -> float:
    """Skewness of a target of numbers that are not negative (the largest of several), 0 for any other."""
    target = np.asarray(case.data.target[case.used], dtype=np.float64).reshape(int(case.used.sum()), -1)
    spread = target.std(axis=0)
    if case.problem.classifies or case.problem.metric.trains_on or target.min() < 0 or not spread.any():
        return 0.0
    return float((((target - target.mean(axis=0)) / np.where(spread > 0, spread, 1.0)) ** 3).mean(axis=0).max())


def _trees(order: _Order) -> Iterator[Found]:
    """Trees against the linear model, one column, and each other."""
    best = order.best(TREES)
    if order.ahead("linear", best) > CLEAR:
        yield best, _flag("trend" if order.by_time else "linear-wins")
    elif order.ahead("group-mean", best) > CLEAR:
        yield best, _flag("trees-lose", floor="one column's means")
    for name in order.models:
        if name not in ("group-mean", "linear") and order.ahead("constant", name) > CLEAR:
            yield name, _flag("below-constant", metric=order.metric.name)
    if order.ahead("forest", "lgbm") > CLEAR:
        yield "lgbm", _flag("forest-wins")
    errors = order.metric.needs == "value" and not order.metric.greater_is_better
    below = order.best(("constant", "group-mean", "linear", "forest"))
    if errors and "forest" in order.rungs and order.ahead("lgbm", below) > CLEAR and order.score("lgbm") < JUMP * order.score(below):
        yield "lgbm", _flag("jump")


def _too_good(order: _Order) -> Iterator[Found]:
    """One column that says nearly all, or else the first score that is nearly perfect."""
    if "constant" not in order.rungs or order.metric.own:
        return
    constant = order.score("constant")
    if "group-mean" in order.rungs and skill(order.metric, order.score("group-mean"), constant) >= ONE_COLUMN:
        column = order.rungs["group-mean"].built.partition(":")[0]
        yield "group-mean", _flag("leak", column=f" ({column})" if column else "")
        return
    for name in order.models:
        score = order.score(name)
        share = skill(order.metric, score, constant)
        if share > PERFECT or (order.metric.greater_is_better and score > PERFECT and share > ONE_COLUMN):
            yield name, _flag("perfect")
            return
