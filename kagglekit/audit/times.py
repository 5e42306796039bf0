"""Time: what trains on the future, leaves too short a gap, or knows labels that were not settled yet."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from kagglekit.audit.case import Case, Told, check
from kagglekit.tables.moments import told_length

DATED = 1e17  # nanoseconds since 1970: from 1973 on


@dataclass(frozen=True, slots=True)
class Span:
    """A fold in time: the first and last moment that it validates and the moments of the rows that train it."""

    number: int
    first: float
    last: float
    trains: np.ndarray


def spans(case: Case) -> Iterator[Span]:
    """The folds in time, one at a time."""
    order = case.order
    if order is not None:
        for number, fold in enumerate(case.folds):
            moments = order[fold.valid]
            yield Span(number, float(moments.min()), float(moments.max()), order[fold.train])


def told_moment(moment: float) -> str:
    """A moment as a person reads it: a date where it is nanoseconds, else the number.

    >>> told_moment(1735689600e9), told_moment(12.0)
    ('2025-01-01', '12')
    """
    if abs(moment) < DATED:
        return f"{moment:,.10g}"
    return str(np.datetime64(round(moment), "ns").astype("datetime64[s]")).replace("T00:00:00", "").replace("T", " ")


def _length(case: Case, length: float) -> str:
    assert case.order is not None
    dated = bool(np.abs(case.order).max() >= DATED)
    return told_length(length, dated) if not dated or length < 86400e9 else f"{length / 86400e9:.4g}d"


def _purges(case: Case) -> bool:
    return case.folds.rule == "purged" or case.folds.horizon > 0 or case.folds.embargo > 0


@check("time-order")
def time_order(case: Case) -> Told | None:
    """A fold that trains on rows not earlier (by the gap) than what it validates; purged folds may train on what is far later."""
    if case.order is None or _purges(case):
        return None
    if case.folds.splitter == "predefined" and case.folds.rule == "before":
        return _numbered(case)
    for span in spans(case):
        slack = 4 * np.spacing(max(abs(span.first), abs(span.last)))
        late = span.trains > span.first - case.folds.gap + slack if case.folds.gap else span.trains >= span.first
        if late.any():
            by = f" by {_length(case, case.folds.gap)}" if case.folds.gap else ""
            return "fatal", (f"{case.called(span.number)} validates from {told_moment(span.first)} on and {late.mean():.1%} of the rows that train "
                             f"it are not earlier{by} (up to {told_moment(span.trains.max())}): split by time with --split time")
    return None


def _numbered(case: Case) -> Told | None:
    """Someone's folds by time are numbered in order of time: what has a lower number trains."""
    reach, by, repeat = -np.inf, 0, -1
    for number, (key, lines) in enumerate(zip(case.folds.keys, case.lines, strict=True)):
        moments = case.order[case.folds.row[lines]]
        if key[0] != repeat:
            reach, repeat = -np.inf, key[0]
        if reach >= moments.min():
            return "fatal", (f"{case.called(number)} validates from {told_moment(moments.min())} on, and {case.called(by)}, which trains it, "
                             f"reaches {told_moment(reach)}: number the folds by time, or make them with --split time")
        if moments.max() > reach:
            reach, by = moments.max(), number
    return None


@check("gap-short")
def gap_short(case: Case) -> Told | None:
    """Training that ends closer to the validated rows than train ends before test."""
    if not case.test_gap or case.folds.rule == "rest":
        return None
    gaps = [(span.first - span.trains[span.trains < span.first].max(), span.number) for span in spans(case) if (span.trains < span.first).any()]
    gap, number = min(gaps, default=(np.inf, 0))
    if gap >= case.test_gap * (1 - 1e-9):
        return None
    return "warn", (f"train ends {_length(case, case.test_gap)} before test starts, training ends {_length(case, gap)} before {case.called(number)}: "
                    f"scores flatter models that look back a short time; give --gap {_length(case, case.test_gap)}")


@check("label-horizon")
def label_horizon(case: Case) -> Told | None:
    """Training rows whose label, known `horizon` later, looks into what is validated, or the other way round."""
    horizon = case.folds.horizon
    if not horizon:
        says = "no --horizon is given, so that rows are purged only where their time is that of a validated row: say how far ahead a label looks"
        return ("note", says) if case.folds.rule == "purged" else None
    for span in spans(case):
        overlap = (span.trains + horizon >= span.first) & (span.trains <= span.last + horizon)
        if overlap.any():
            return "fatal", (f"{int(overlap.sum()):,} rows that train {case.called(span.number)} have labels that overlap with those it validates "
                             f"(a label looks {_length(case, horizon)} ahead): use --split purged --horizon {_length(case, horizon)}")
    return None
