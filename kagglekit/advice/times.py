"""Times: where test lies in time (later, in blocks between train's rows, among them), and columns that are times without saying so."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from kagglekit.advice.derive import as_dates, derived
from kagglekit.competition import Competition
from kagglekit.errors import KKError
from kagglekit.tables.moments import as_moments, is_dated, told_length
from kagglekit.tables.profile.findings import percent
from kagglekit.tables.schema.columns import TIME_NAME

Array = np.ndarray
LATE = 0.01        # of train's rows may lie after test's first
OVERLAP = 0.05     # of test's rows may lie before train's last
FAR, TIMES_FARTHER = 0.5, 2.0
FOLDS = 5
PARTS = (1 / 2, 2 / 3, 1, 3 / 2, 2)  # of the length of test's blocks
DATE_TEXT = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}|\d{1,2}[ -][A-Za-z]{3}|[A-Za-z]{3,9} \d{1,2}")
CALENDAR = ("year", "month", "day", "hour")
SEEN, FEWEST, MOST = 200, 3, 20


@dataclass(frozen=True, slots=True)
class Span:
    """Where test lies by one time. Lengths are in the unit of as_moments: nanoseconds where `dated`.

    `relation` is later, earlier, turns (test takes turns with train, in blocks of `length`), partly (some of test is later), same, alone
    (no test) or gaps (train has rows without a time). `length` and `gap`: of the test period, and from train's end to its start. The
    medians of the distance to the nearest row that trains: `far` of test's rows, `far_random` of rows validated at random, `far_block`
    of rows validated by blocks of `block`. `inside` is the share of test's rows in train's range, `runs` how many blocks test has.
    """

    spec: str
    dated: bool
    relation: str
    says: str
    span: float = 0.0
    length: float = 0.0
    gap: float = 0.0
    inside: float = 1.0
    runs: int = 0
    far: float = 0.0
    far_random: float = 0.0
    block: str = ""
    far_block: float = 0.0

    def told(self, length: float) -> str:
        """A length as a person would type it, rounded to what can be read."""
        return rounded(length, self.dated)


def rounded(length: float, dated: bool) -> str:
    """A length with two or three digits, in a unit in which it is two or more.

    >>> rounded(11.4 * 86400e9, dated=True), rounded(90 * 60e9, dated=True), rounded(2.96296, dated=False)
    ('11d', '90min', '2.96')
    """
    if not length or not dated:
        return f"{length:.3g}" if length < 1000 else f"{length:.0f}"
    unit = next((size for size in (86400e9, 3600e9, 60e9) if length >= 2 * size), 1e9)
    return told_length(round(length / unit) * unit, dated=True)


def period_of_test(train: Array, test: Array) -> tuple[float, float]:
    """(length, gap) of the test set in the unit of time: what a validated block should imitate; gap 0 where nothing lies between.

    The ordinary distance between neighbouring moments belongs to the length, not to the gap.

    >>> period_of_test(np.arange(10.0), np.arange(12.0, 15.0))
    (3.0, 3.0)
    >>> period_of_test(np.arange(10.0), np.arange(10.0, 13.0))
    (3.0, 0.0)
    """
    step, last = _step(np.unique(train)), float(train.max())
    between = float(test.min() - last)
    return float(test.max() - max(test.min(), last + step) + step), between if between > 1.5 * step else 0.0


def span_of(train: pd.DataFrame, test: pd.DataFrame | None, spec: str) -> Span:
    """Where test lies by the time `spec`; raises KKError where that is no time."""
    column = derived(train, spec)
    dated = is_dated(column)
    if column.isna().any():
        return Span(spec, dated, "gaps", f"{spec} has no value in {int(column.isna().sum())} rows of train: no split by it")
    ours = as_moments(column, spec)
    theirs = as_moments(derived(test, spec).dropna(), spec) if test is not None and _has(test, spec) else ours[:0]
    if not len(theirs) or not len(ours):
        return Span(spec, dated, "alone", f"{spec}: only train has this time", span=float(np.ptp(ours)) if len(ours) else 0.0)
    return _beside(spec, dated, ours, theirs)


def _has(test: pd.DataFrame, spec: str) -> bool:
    try:
        derived(test.iloc[:0], spec.split(":")[0])
    except KKError:
        return False
    return True


def _beside(spec: str, dated: bool, ours: Array, theirs: Array) -> Span:
    span, last = float(np.ptp(ours)) + _step(np.unique(ours)), ours.max()
    inside = float(((theirs >= ours.min()) & (theirs <= last)).mean())
    after = float((ours >= theirs.min()).mean())
    if after <= LATE or ((theirs <= last).mean() < OVERLAP and np.median(theirs) > last):
        length, gap = period_of_test(ours, theirs)
        between = f", {rounded(gap, dated)} after train's last" if gap else ""
        says = (f"by {spec} test is later than train: it takes {rounded(length, dated)}{between}; train takes {rounded(span, dated)}, "
                f"{percent(after)} of its rows lie after test's first")
        return Span(spec, dated, "later", says, span, length, gap, inside)
    if (ours <= theirs.max()).mean() <= LATE:
        return Span(spec, dated, "earlier", f"by {spec} test is earlier than train: no split by time imitates that", span, inside=inside)
    return _among(spec, dated, ours, theirs, inside)


def _among(spec: str, dated: bool, ours: Array, theirs: Array, inside: float) -> Span:
    """Test inside train's span: in blocks of its own, or among train's rows as a random split would have it."""
    values, place = np.unique(ours, return_inverse=True)
    far = _nearest(values, theirs)
    rng = np.random.default_rng(0)
    far_random = _validated(values, place, rng.integers(0, FOLDS, len(ours)))
    middle, middle_random = float(np.median(far)), float(np.median(far_random))
    farther = float((far > np.quantile(far_random, 0.95)).mean())
    facts = (f"by {spec} {percent(inside)} of test's rows lie within train's span, by the median {rounded(middle, dated)} from the nearest "
             f"row of train ({rounded(middle_random, dated)} in a random split)")
    if farther < FAR or middle <= TIMES_FARTHER * middle_random:
        if inside < 1 - 4 * OVERLAP and (theirs > ours.max()).mean() > 2 * OVERLAP:
            says = f"{facts}; {percent(float((theirs > ours.max()).mean()))} of test is later than all of train"
            return Span(spec, dated, "partly", says, float(np.ptp(ours)), inside=inside, far=middle, far_random=middle_random)
        return Span(spec, dated, "same", f"{facts}: not a split by time", float(np.ptp(ours)), inside=inside, far=middle, far_random=middle_random)
    length, runs = _runs(values, theirs)
    block, far_block = _block(spec, dated, values, place, length, middle)
    says = (f"{facts}: test takes turns with train, in {runs} block{'s' * (runs > 1)} of {rounded(length, dated)}; rows validated by {block} are "
            f"{rounded(far_block, dated)} away")
    return Span(spec, dated, "turns", says, float(np.ptp(ours)), length, 0.0, inside, runs, middle, middle_random, block, far_block)


def _step(values: Array) -> float:
    return float(np.median(np.diff(values))) if len(values) > 1 else 0.0


def _nearest(values: Array, moments: Array) -> Array:
    """float64: the distance of each moment to the nearest of the sorted `values`."""
    right = np.searchsorted(values, moments)
    after = np.abs(values[np.minimum(right, len(values) - 1)] - moments)
    return np.minimum(after, np.abs(moments - values[np.maximum(right - 1, 0)]))


def _validated(values: Array, place: Array, fold: Array) -> Array:
    """float64[rows, by fold]: how far each row is from the nearest row of another fold."""
    found = []
    for number in np.unique(fold):
        mine = fold == number
        others = values[np.bincount(place[~mine], minlength=len(values)) > 0]
        if len(others):
            found.append(_nearest(others, values[place[mine]]))
    return np.concatenate(found) if found else np.zeros(1)


def _runs(values: Array, theirs: Array) -> tuple[float, int]:
    """The length of test's blocks (the median over its rows) and how many there are: moments that no moment of train interrupts."""
    moments, rows = np.unique(theirs, return_counts=True)
    step = _step(np.union1d(values, moments))
    between = np.searchsorted(values, moments) * 2 + np.isin(moments, values)
    starts = np.flatnonzero(np.append(True, np.diff(between) != 0))
    weight = np.add.reduceat(rows, starts)
    lengths = moments[np.append(starts[1:], len(moments)) - 1] - moments[starts] + step
    order = np.argsort(lengths)
    middle = np.searchsorted(np.cumsum(weight[order]), weight.sum() / 2)
    return float(lengths[order[middle]]), len(starts)


def _block(spec: str, dated: bool, values: Array, place: Array, length: float, far: float) -> tuple[str, float]:
    """The group of rows to validate together so that they are as far from the others as test is: (spec, their median distance).

    Tried are the moment itself and blocks of a half to two times the length of test's, as long as there are two for each fold.
    """
    found = []
    for size in (0.0, *(length * part for part in PARTS)):
        text = rounded(size, dated)
        width = size and float(pd.Timedelta(text.replace("d", "D")).value if dated else text)
        blocks = np.floor(values / width) if width else values
        codes, count = np.unique(blocks, return_inverse=True)[1], len(np.unique(blocks))
        if count < 2 * FOLDS or (not width and length > 1.5 * _step(values)):
            continue
        fold = np.random.default_rng(0).permutation(count) % FOLDS
        away = float(np.median(_validated(values, place, fold[codes][place])))
        found.append((abs(np.log((away + 1e-9 * length) / (far + 1e-9 * length))), f"{spec}:block={text}" if width else spec, away))
    if not found:
        return spec, 0.0
    return min(found)[1:]


# Columns of time

def times(train: pd.DataFrame, test: pd.DataFrame | None, competition: Competition) -> Iterator[str]:
    """Specs of time: the competition's own, then what other columns hold: dates as text or numbers, and year, month, day apart."""
    if competition.time:
        yield competition.time
    skipped = {competition.time, *competition.target, *competition.image, *competition.text}
    names = [name for name in train.columns if name not in skipped and (test is None or name in test.columns)]
    joint = [list(members) for members in _calendars(train, names)]
    yield from ("+".join(members) for members in joint)
    taken = {name for members in joint for name in members}
    hidden = (_hidden(train[name], name) for name in names if name not in taken and name not in competition.id)
    yield from [spec for spec in hidden if spec][:MOST]


def _calendars(train: pd.DataFrame, names: list[str]) -> Iterator[list[str]]:
    """Columns such as year_sold and month_sold: the same name but for the period in it."""
    parts: dict[str, dict[str, str]] = {}
    for name in names:
        found = re.search(r"(?:^|_|(?<=[a-z]))(year|month|day|hour)(?:$|_|(?=[A-Z]))", name, re.IGNORECASE)
        if found and train[name].dtype.kind in "iuf":
            parts.setdefault((name[:found.start(1)] + name[found.end(1):]).strip("_").lower(), {})[found.group(1).lower()] = name
    for members in parts.values():
        chosen = [members[period] for period in CALENDAR[:1 + max(map(CALENDAR.index, members))] if period in members]
        if "year" in members and "month" in members and len(chosen) == 1 + max(map(CALENDAR.index, members)):
            column = derived(train.head(SEEN), "+".join(chosen))
            if column.dtype.kind == "M" and column.notna().any():
                yield chosen


def _hidden(column: pd.Series, name: str) -> str:
    """The spec by which a column is a time, "" for none. Plain columns of dates are the competition's to name."""
    if column.dtype.kind == "M" or column.dtype.kind in "bmcf":
        return ""
    known = column.dropna()
    some = known.iloc[:: -(-len(known) // SEEN) or 1]
    if len(some) < FEWEST or some.nunique() < FEWEST:
        return ""
    if column.dtype.kind in "iu":
        dated = as_dates(some)
        seconds = dated is not None and some.iloc[0] > 3e8
        if dated is not None and (not seconds or TIME_NAME.search(name)) and as_dates(column) is not None:
            return f"{name}:date"
        return name if TIME_NAME.search(name) and not known.is_unique else ""
    texts = some.astype(str)
    if not texts.str.match(DATE_TEXT).all() or as_dates(some) is None or as_dates(column) is None:
        return ""
    return name if texts.str.match(r"\d{4}-").all() else f"{name}:date"
