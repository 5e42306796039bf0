"""Advice: which split the data asks for, with an evidence line for each rule; the first rule that fits wins."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from kagglekit.competition import Competition
from kagglekit.models.family import Problem

LATE, UNSHARED, SHARED, ROWS_A_GROUP = 0.99, 0.05, 0.95, 1.5


@dataclass(frozen=True, slots=True)
class Recommendation:
    """A splitter with its parameters and what speaks for it."""

    splitter: str
    params: Mapping[str, object]
    evidence: tuple[str, ...]


@dataclass(slots=True)
class _Evidence:
    lines: list[str] = field(default_factory=list)

    def say(self, line: str) -> None:
        self.lines.append(line)


def recommend(train: pd.DataFrame, test: pd.DataFrame, competition: Competition, problem: Problem) -> Recommendation:
    """The split that imitates how test differs from train; a stub test set is not looked at."""
    evidence = _Evidence()
    if competition.test_is_stub:
        evidence.say("the visible test is a stub: it says nothing of the split")
    else:
        by_time = _time(train, test, competition, evidence)
        if by_time:
            return Recommendation("time", {"time": by_time}, tuple(evidence.lines))
        by_group = _group(train, test, competition, evidence)
        if by_group:
            return Recommendation("group", {"group": by_group}, tuple(evidence.lines))
    if problem.classifies:
        counts = train[competition.target[0]].value_counts()
        evidence.say(f"{len(counts)} classes, the rarest has {int(counts.min())} rows: keep its share in every fold")
        return Recommendation("stratified", {}, tuple(evidence.lines))
    evidence.say("neither time nor groups separate train from test: rows at random")
    return Recommendation("random", {}, tuple(evidence.lines))


def _time(train: pd.DataFrame, test: pd.DataFrame, competition: Competition, evidence: _Evidence) -> str:
    name = competition.time
    if not name or name not in test.columns or not len(test):
        evidence.say("no column of time in both tables")
        return ""
    later = (train[name] >= test[name].min()).mean()
    if later <= 1 - LATE:
        evidence.say(f"test is later than train: {test[name].min()} and after, train ends {train[name].max()}")
        return name
    evidence.say(f"by {name}, train and test overlap ({later:.0%} of train lies after test's first): not a split by time")
    return ""


def _group(train: pd.DataFrame, test: pd.DataFrame, competition: Competition, evidence: _Evidence) -> str:
    for name in competition.group:
        if name not in train.columns or name not in test.columns:
            continue
        known, asked = set(train[name].dropna()), set(test[name].dropna())
        shared, size = len(known & asked) / max(len(asked), 1), len(train) / max(len(known), 1)
        if shared <= UNSHARED and size >= ROWS_A_GROUP:
            evidence.say(f"{name}: {size:.1f} rows each, and {shared:.0%} of test's are known from train: test asks for new ones")
            correlation = intraclass(train, name, competition)
            if correlation is not None:
                evidence.say(f"rows of one {name} are alike (intra-class correlation of the target {correlation:.2f}): "
                             "a random split shows models the answers")
            return name
        evidence.say(f"{name}: {shared:.0%} of test's are in train, {size:.1f} rows each: no reason to group by it")
    if not competition.group:
        evidence.say("no column names groups that test does not share")
    return ""


def intraclass(train: pd.DataFrame, group: str, competition: Competition) -> float | None:
    """Intra-class correlation of a numeric target (one-way analysis of variance), None for other targets."""
    y = train[competition.target[0]]
    if y.dtype.kind not in "iufb":
        return None
    parts = y.astype(float).groupby(train[group])
    sizes, count = parts.size(), len(y)
    groups = len(sizes)
    if groups < 2 or count <= groups:
        return None
    within = float(((y - parts.transform("mean")) ** 2).sum() / (count - groups))
    between = float((sizes * (parts.mean() - y.mean()) ** 2).sum() / (groups - 1))
    size = (count - (sizes**2).sum() / count) / (groups - 1)
    total = between + (size - 1) * within
    return float(np.clip((between - within) / total, -1, 1)) if total else None
