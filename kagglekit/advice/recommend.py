"""Recommend: which split imitates how test differs from train, by rules of which the first that fits wins."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from kagglekit.advice.case import Case, Choice, plain_names, shared_features
from kagglekit.advice.order import look_at_order
from kagglekit.advice.rules import by_groups, by_time, look_at_groups, look_at_shift, look_at_times, with_copies
from kagglekit.advice.sizes import folds_for
from kagglekit.advice.targets import by_target, target_columns
from kagglekit.competition import Competition
from kagglekit.progress import task

Array = np.ndarray
RULES = 5


@dataclass(frozen=True, slots=True)
class Recommendation:
    """A split with what speaks for it: one line of evidence for each rule, also for those that do not apply.

    `params` are those of `kk cv`: group, time, gap, test_size, known, duplicates. `ruled_out` holds "split: why not"; `runners_up`
    the splits worth a test with `kk lbcheck --splits`, each with splitter, params and why. `folds` is how many are suggested.
    """

    splitter: str
    params: Mapping[str, object]
    evidence: tuple[str, ...]
    ruled_out: tuple[str, ...] = ()
    runners_up: tuple[Mapping[str, object], ...] = ()
    folds: int = 5


def recommend(train: pd.DataFrame, test: pd.DataFrame | None, competition: Competition, *, measure: bool = True, seed: int = 0) -> Recommendation:
    """The split that the data asks for: by time, by groups, by the target; near duplicates stay together.

    Time: test later than train, or in blocks between train's. Groups: test shares fewer than rows drawn at random would. Then classes,
    labels or quantiles of the target. `measure` looks for near duplicates and shift too, which takes most of the time. A stub test set
    (or None) is not looked at.

    >>> from pathlib import Path
    >>> contest = Competition("c", Path("."), task="regression", target=("y",), id=("id",), group=("who",))
    >>> table = pd.DataFrame({"id": range(60), "who": [f"W{row // 4}" for row in range(60)], "y": [float(row // 4) for row in range(60)]})
    >>> found = recommend(table[:40], table[40:].drop(columns="y"), contest, measure=False)
    >>> found.splitter, found.params, found.folds
    ('group', {'group': 'who'}, 10)
    """
    train = plain_names(train)
    seen = None if competition.test_is_stub or test is None or not len(test) else plain_names(test)
    case = Case(train, seen, competition, target_columns(train, competition))
    with task("looking for the split", total=RULES, unit="rules") as work:
        if seen is None:
            case.evidence.append("the visible test is a stub: it says nothing of the split" if competition.test_is_stub else "there is no test")
        spans = look_at_times(case)
        work.advance(note="time")
        found = look_at_groups(case, spans)
        choice = by_time(case, spans, found) or by_groups(case, found) or look_at_order(case)
        work.advance(note="groups")
        splitter, target = by_target(train, competition)
        choice = choice or Choice(splitter)
        if measure:
            choice = with_copies(case, choice, seed)
            work.advance(note="near duplicates")
            look_at_shift(case, choice, found, seed)
            work.advance(note="shift")
        else:
            case.evidence.append("near duplicates and shift were not looked for here: kk cv --split auto does")
        case.evidence.append(target if choice.splitter == splitter else f"{target}, had time and groups not decided")
        folds, why = folds_for(len(train), choice.groups)
        case.evidence.append(why)
        work.advance(note=choice.splitter)
    runners_up = [one for one in case.runners_up if (one["splitter"], one["params"]) != (choice.splitter, dict(choice.params))]
    return Recommendation(choice.splitter, dict(choice.params), tuple(case.evidence), tuple(case.ruled_out), tuple(runners_up), folds)


def likeness(train: pd.DataFrame, test: pd.DataFrame, competition: Competition, *, seed: int = 0) -> Array:
    """float[rows of train]: the probability of being a row of test, by models that did not see the row (see shift.adversarial)."""
    from kagglekit.advice.shift import adversarial

    train, test = plain_names(train), plain_names(test)
    names = shared_features(train, test, competition)
    return adversarial(train[names], test[names], seed=seed).likeness
