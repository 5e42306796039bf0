"""Groups: rows that belong together (visits of a patient), whether test shares them with train, and how alike their targets are."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from kagglekit.advice.derive import SEPARATORS, as_dates, derived, parse
from kagglekit.advice.features import features
from kagglekit.competition import Competition
from kagglekit.errors import KKError
from kagglekit.tables.profile.findings import percent
from kagglekit.tables.schema.columns import GROUP_NAME

Array = np.ndarray
UNSHARED, SHARED, ROWS_EACH = 0.05, 0.95, 1.5
LEAST_EXPECTED = 0.3       # of test's groups would be known by chance, or their being unknown says nothing
DEVIATIONS = 4.0
FEWEST, SPARE = 20, 1.2
SEEN = 5_000
CODE = r"^[^\s]*\d[^\s]*$"


@dataclass(frozen=True, slots=True, eq=False)
class Key:
    """What one column of groups says: `spec` derived from `column`, `codes` int64[rows of train], -1 where missing.

    `groups` and `rows_each` are of train; `shared` is the share of test's groups that train has and `rows_shared` that of test's rows
    (None where test cannot tell), `expected` what `shared` would be if rows were drawn at random, within `sd`. `icc` is the intra-class
    correlation of the target. `named`: the competition calls it a group. `state`: new (test's are unknown to train), known, random
    (shared as by drawing rows), partly, or untold (no test to look at).
    """

    spec: str
    column: str
    codes: Array
    groups: int
    rows_each: float
    shared: float | None
    rows_shared: float | None
    expected: float
    sd: float
    icc: float
    named: bool
    state: str

    @property
    def pull(self) -> float:
        """ICC * (rows a group - 1): from 1 on, a model that recognises the group gains more than the noise."""
        return self.icc * (self.rows_each - 1)

    @property
    def says(self) -> str:
        """The evidence in one sentence."""
        alike = f"intra-class correlation of the target {self.icc:.2f}"
        begin = f"{self.spec}: {self.groups:,} groups of {self.rows_each:.1f} rows"
        if self.state == "untold":
            return f"{begin}, {alike}: {'a random split would show models the answers' if self.pull >= 1 else 'no reason to group by it'}"
        facts = f"{begin}, {percent(self.shared)} of test's are known from train ({percent(self.expected)} if rows were drawn at random), {alike}"
        if self.state == "new":
            more = ": test asks for new ones"
            return facts + more + ("; a random split would show models the answers" if self.pull >= 1 else "; little is told by other rows of one")
        if self.state == "partly":
            return f"{facts}: test asks for known and new ones, {percent(self.rows_shared)} of its rows are of known ones"
        why = "test's are known" if self.state == "known" else "not held out, test was drawn by rows"
        return f"{facts}: {why}, no reason to group by it"


def intraclass(codes: Array, y: Array) -> float:
    """Intra-class correlation by one-way analysis of variance, between -1 and 1; `y` is float64[rows] or [rows, columns].

    Columns (targets, or 0/1 of each class) are pooled by their sums of squares. Rows of code -1 do not count. 0 where nothing repeats
    or varies. Source: Donner (1986), International Statistical Review 54, for groups of unequal sizes.

    >>> round(intraclass(np.array([0, 0, 1, 1]), np.array([1.0, 1.1, 5.0, 5.1])), 2)
    1.0
    """
    table = np.asarray(y, dtype=np.float64).reshape(len(codes), -1)
    kept = (codes >= 0) & np.isfinite(table).all(axis=1)
    table, codes = table[kept], pd.factorize(codes[kept])[0]
    sizes = np.bincount(codes)
    count, groups = len(codes), len(sizes)
    if groups < 2 or count <= groups:
        return 0.0
    table = table - table.mean(axis=0)
    means = np.column_stack([np.bincount(codes, column) for column in table.T]) / sizes[:, None]
    between = float((sizes[:, None] * means**2).sum())
    within = max(float((table**2).sum()) - between, 0.0) / (count - groups)
    between /= groups - 1
    size = (count - (sizes**2).sum() / count) / (groups - 1)
    total = between + (size - 1) * within
    return float(np.clip((between - within) / total, -1, 1)) if total > 0 else 0.0


def expected_shared(sizes: Array, share: float) -> tuple[float, float]:
    """(the share of test's groups that train would have, its standard deviation) if a `share` of all rows were drawn at random as test.

    `sizes` int64[groups]: rows of each group in both tables.

    >>> expected_shared(np.array([1, 1, 1]), 0.5)[0]
    0.0
    >>> round(expected_shared(np.full(100, 10), 0.5)[0], 3)
    0.999
    """
    kinds, count = np.unique(sizes[sizes > 0], return_counts=True)
    asked = 1 - (1 - share) ** kinds
    both = asked - share**kinds
    total = float((count * asked).sum())
    if not total:
        return 0.0, 0.0
    mean = float((count * both).sum()) / total
    second = both - 2 * mean * both + mean**2 * asked
    variance = float((count * (second - (both - mean * asked) ** 2)).sum())
    return mean, math.sqrt(max(variance, 0.0)) / total


def keys(train: pd.DataFrame, test: pd.DataFrame | None, competition: Competition, y: Array | None) -> list[Key]:
    """The competition's groups and those that columns hold unsaid, one for each way to group the rows; `test` None: none is to be seen.

    Found are names and codes that repeat, and parts of them before or after a separator ("0001_01:prefix"). A number counts only where
    test's values are all new and lie between train's, a category of few levels only where test shares none of them.
    """
    found, seen = [], set()
    for spec, named, loose in _specs(train, test, competition):
        one = key_of(train, test, spec, y, named=named)
        if one is None or not (named or _counts(one, loose)):
            continue
        same = hash(pd.factorize(one.codes)[0].tobytes())
        if same not in seen:
            seen.add(same)
            found.append(one)
    return found


def key_of(train: pd.DataFrame, test: pd.DataFrame | None, spec: str, y: Array | None, *, named: bool = False) -> Key | None:
    """What grouping by `spec` would say; None where train has no value of it. Raises KKError for columns that are not in train."""
    ours, names = derived(train, spec), parse(spec, list(train.columns))[0]
    theirs = derived(test, spec) if test is not None and set(names) <= set(test.columns) else None
    codes, values = pd.factorize(ours if theirs is None else _together(ours, theirs))
    mine, other = codes[:len(ours)], codes[len(ours):]
    sizes = np.bincount(mine[mine >= 0], minlength=len(values))
    groups = int((sizes > 0).sum())
    if not groups:
        return None
    icc = 0.0 if y is None else intraclass(mine, y)
    rows_each = float(sizes.sum() / groups)
    if theirs is None or not (other >= 0).any():
        return Key(spec, names[0], mine, groups, rows_each, None, None, 0.0, 0.0, icc, named, "untold")
    asked = np.bincount(other[other >= 0], minlength=len(values))
    shared, rows_shared = float((sizes[asked > 0] > 0).mean()), float(asked[sizes > 0].sum() / asked.sum())
    expected, sd = expected_shared(sizes + asked, asked.sum() / (asked.sum() + sizes.sum()))
    return Key(spec, names[0], mine, groups, rows_each, shared, rows_shared, expected, sd, icc, named, _state(shared, expected, sd, rows_each))


def _together(ours: pd.Series, theirs: pd.Series) -> pd.Series | Array:
    """The values of both tables in one column: numbers as numbers, of different types as text."""
    if ours.dtype == theirs.dtype:
        return pd.concat([ours, theirs], ignore_index=True)
    if all(column.dtype.kind in "iufb" for column in (ours, theirs)):
        return np.concatenate([column.to_numpy(dtype=np.float64, na_value=np.nan) for column in (ours, theirs)])
    return np.concatenate([column.astype(object).map(str, na_action="ignore").to_numpy(dtype=object) for column in (ours, theirs)])


def _state(shared: float, expected: float, sd: float, rows_each: float) -> str:
    missing = expected - shared > max(DEVIATIONS * sd, 0.05)
    if shared >= SHARED:
        return "known"
    if missing and shared <= UNSHARED and rows_each >= ROWS_EACH and expected >= LEAST_EXPECTED:
        return "new"
    return "partly" if missing and rows_each >= ROWS_EACH else "random"


def _counts(key: Key, loose: bool) -> bool:
    """Whether a key that nobody named is worth a word: `loose` ones (numbers, few levels) only as groups that test does not share."""
    if key.state == "new":
        return key.groups >= 2
    if key.state == "untold":
        return not loose and key.groups >= FEWEST and key.rows_each >= ROWS_EACH
    return not loose and key.groups >= FEWEST and key.rows_each >= SPARE


def _specs(train: pd.DataFrame, test: pd.DataFrame | None, competition: Competition) -> Iterator[tuple[str, bool, bool]]:
    """(spec, whether the competition names it, whether it is a number or has few levels)."""
    for spec in competition.group:
        try:
            parse(spec, list(train.columns))
        except KKError:
            continue
        yield spec, True, False
    skipped = {*competition.group, *competition.target, *competition.text, *competition.image, competition.time}
    hidden = [one for name in train.columns if name not in skipped and (test is None or name in test.columns)
              for one in _of_column(train, test, name, name in competition.id)]
    yield from ((spec, False, loose) for spec, loose in sorted(hidden, key=lambda one: ":" in one[0]))


def _of_column(train: pd.DataFrame, test: pd.DataFrame | None, name: str, is_id: bool) -> Iterator[tuple[str, bool]]:
    some = _some(train[name])
    kind = next(features(some.to_frame())).kind if len(some) else "empty"
    if kind == "number" and not (some % 1).any():
        kind = "integer"
    distinct = some.nunique()
    if kind not in ("integer", "category") or distinct < 2:
        return
    likely = bool(GROUP_NAME.search(name))
    if kind == "integer":
        if not is_id and distinct < len(some) and (likely or (test is not None and _new_between(some, _some(test[name])))):
            yield name, not likely or distinct < FEWEST
        return
    texts = some.astype(str)
    coded = likely or float(texts.str.contains(CODE, regex=True).mean()) > 0.5
    if distinct < len(some):
        yield name, distinct < FEWEST or not coded
    if float(texts.str.contains(SEPARATORS, regex=True).mean()) >= SHARED and not texts.str.contains(r"\s", regex=True).any():
        yield from ((f"{name}:{part}", False) for part in ("prefix", "suffix", "prefix:prefix") if _repeats(some, part))


def _repeats(some: pd.Series, part: str) -> bool:
    """Whether a part of a text (of what is no date) names fewer things than the whole."""
    try:
        distinct = derived(some.to_frame("text"), f"text:{part}").nunique()
    except KKError:
        return False
    return 2 <= distinct < some.nunique() and as_dates(some) is None


def _some(column: pd.Series) -> pd.Series:
    """Values of some rows: the first ones, so that neighbours that belong together are seen together, and others from everywhere."""
    known = column.dropna()
    return known if len(known) <= SEEN else pd.concat([known.iloc[:SEEN // 2], known.iloc[SEEN // 2:: -(-len(known) // SEEN) * 2]])


def _new_between(ours: pd.Series, theirs: pd.Series) -> bool:
    """Whether hardly any of test's numbers is among train's, though they lie in the same range."""
    if not len(theirs) or theirs.dtype.kind not in "iuf":
        return False
    inside = ((theirs >= ours.min()) & (theirs <= ours.max())).mean()
    return bool(inside >= 0.5 and theirs.isin(ours).mean() <= 0.5)
