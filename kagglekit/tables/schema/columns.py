"""Columns: candidates for groups and time, free text, and columns that cannot help, each with its reason."""

import re

import pandas as pd

from kagglekit.tables.schema.notes import Notes, listed
from kagglekit.tables.schema.peek import Peek, kind_of

TIME_NAME = re.compile(r"date|time|year|month|week|day|timestamp|(^|_)(ts|dt)$|TransactionDT", re.IGNORECASE)
GROUP_NAME = re.compile(r"(^|_)(id|ids|code|nbr|user|patient|subject|customer|client|session|player|group|site|tool|device|study|series|scene"
                        r"|prompt|essay|author|speaker|driver|store|shop|item|location|station|household|team|card|account)(_|$)|id$", re.IGNORECASE)
LATE, SHARED, FEWEST, ROWS_EACH, MOST_VALUES = 0.99, 0.05, 20, 1.5, 3_000_000
LETTERS, WORDS, DISTINCT = 40, 5, 0.5


def find_columns(train: Peek, test: Peek | None, stub: bool, notes: Notes) -> None:
    """Note group, time, ignore and text. A stub test set is not compared with."""
    skipped = {*notes.names("target"), *notes.names("image")}
    other = None if stub else test
    shared = [column for column in train.columns if (test is None or column in test) and column not in skipped]
    kinds = {column: train.kind(column) for column in shared}
    train.load([column for column in shared if kinds[column] in ("integer", "text", "time")])
    kinds.update({column: "time" for column in shared if kinds[column] == "text" and _is_date(train, column)})
    _times(shared, kinds, train, other, notes)
    _groups([column for column in shared if kinds[column] in ("integer", "text") and column not in notes.names("id")], train, other, stub, notes)
    texts = [column for column in shared if kinds[column] == "text" and _is_text(train, column)]
    if texts:
        notes.set("text", tuple(texts), "long strings of many words, hardly any twice")


# Time

def _times(shared: list[str], kinds: dict[str, str], train: Peek, test: Peek | None, notes: Notes) -> None:
    dates = [column for column in shared if kinds[column] == "time"]
    numbers = [column for column in shared if kinds[column] == "integer" and TIME_NAME.search(column)]
    later = [column for column in (*dates, *numbers) if test is not None and test.rows and train.rows and _later(train, test, column)]
    if not later and not dates:
        notes.set("time", "", "no column of dates")
        return
    chosen = (later or dates)[0]
    reason = "test is later than train" if later else "the only column of dates" if len(dates) == 1 else "the first column of dates"
    more = [column for column in dict.fromkeys((*later, *dates)) if column != chosen]
    notes.set("time", chosen, reason + (f"; candidates too: {listed(more)}" if more else ""))


def _later(train: Peek, test: Peek, column: str) -> bool:
    if test.kind(column) != train.kind(column):
        return False
    known, asked = _moments(train.sample(column)), _moments(test.sample(column))
    return bool(len(known) and len(asked)) and bool(asked.min() >= known.quantile(LATE)) and bool(asked.max() > known.min())


def _moments(column: pd.Series) -> pd.Series:
    """A column of time without gaps; ISO dates that are text become dates."""
    known = column.dropna()
    return pd.to_datetime(known, errors="coerce", format="ISO8601").dropna() if kind_of(known) == "text" else known


def _is_date(train: Peek, column: str) -> bool:
    shown = train.sample(column).dropna().astype(str).head(200)
    return bool(len(shown)) and bool(shown.str.fullmatch(r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d.*)?").all())


# Groups

def _groups(columns: list[str], train: Peek, test: Peek | None, stub: bool, notes: Notes) -> None:
    repeated = [column for column in columns if _repeats(train, column)]
    if test is not None:
        test.load(repeated)
    new = [column for column in repeated if test is not None and _is_new(train, test, column) and column != notes.fields.get("time")]
    if new:
        sizes = listed(f"{column} {train.rows / max(train.sample(column).nunique(), 1):.3g}" for column in new) if train.exact else ""
        notes.set("group", tuple(new), "several rows each, and no value is shared by train and test" + (f" (rows: {sizes})" if sizes else ""))
        notes.set("ignore", tuple(new), "names of groups that test does not share: no feature")
        return
    likely = [column for column in repeated if GROUP_NAME.search(column) or _begins_id(train, column, notes)]
    if not likely:
        notes.set("group", (), "no column names groups that test does not share")
        return
    stub_says = "the visible test is a stub, so nobody knows whether test shares them"
    known = stub_says if stub else "test shares their values" if test is not None else "there is no test table"
    notes.set("group", (), f"none is sure; candidates: {listed(likely, 6)} (several rows each; {known}): kk cv --split group --group {likely[0]}")


def _repeats(train: Peek, column: str) -> bool:
    count = train.sample(column).nunique()
    return FEWEST <= count <= len(train.sample(column)) / ROWS_EACH


def _is_new(train: Peek, test: Peek, column: str) -> bool:
    """Whether test has values that train has not, as far as can be seen in parts, and then in the whole columns."""
    asked = set(test.sample(column).dropna().unique().tolist())
    known = set(train.sample(column).dropna().unique().tolist())
    if not asked or len(asked & known) > SHARED * len(asked):
        return False
    if train.exact and test.exact:
        return True
    whole = train.distinct(column, MOST_VALUES)
    return whole is not None and len(asked & whole) <= SHARED * len(asked)


def _begins_id(train: Peek, column: str, notes: Notes) -> bool:
    """Whether every id begins with this column's value: T0001-07 of the tool T0001."""
    ids = [name for name in notes.names("id") if name in train]
    if len(ids) != 1 or train.kind(ids[0]) != "text":
        return False
    rows = train.frame([ids[0], column]).head(500).astype(str)
    return bool(len(rows)) and all(name.startswith(value) and name != value for name, value in rows.itertuples(index=False))


# Text

def _is_text(train: Peek, column: str) -> bool:
    shown = train.sample(column).dropna().astype(str).head(2000)
    if not len(shown) or shown.nunique() < DISTINCT * len(shown):
        return False
    return bool(shown.str.len().mean() >= LETTERS and shown.str.count(r"\s").mean() >= WORDS - 1)
