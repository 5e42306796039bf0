"""Ids: which column(s) name a row of the submission, and how its rows belong to those of test: one each, several, or by order."""

import re
from collections.abc import Sequence

import pandas as pd

from kagglekit.tables.schema.notes import Notes, listed
from kagglekit.tables.schema.peek import Peek, is_empty

LOOKED = 2000
JOINTS = ("_", "-", ":", " ", "")
ID_NAME = re.compile(r"(^|_)(id|key|code|uid|index|row_?id)$|id$|^id", re.IGNORECASE)


def find_ids(train: Peek | None, test: Peek | None, sample: Peek | None, notes: Notes) -> None:
    """Note id; and where rows of the sample and of test are not one to one, unit and id_form."""
    if sample is None:
        _without_sample(train, test, notes)
        return
    if test is None:
        _without_test(train, sample, notes)
        return
    said = notes.said("id", [*test.columns, *sample.columns], "test")
    if said:
        notes.set("id", said, "")
        _several(list(said), test, sample, notes)
        _compared(list(said), test, sample, notes)
        return
    last = sample.columns[-1:]
    ids = [column for column in sample.columns if column in test and column not in last and not is_empty(test, column)]
    ids = ids or [column for column in sample.columns[:1] if column in test and len(sample.columns) == 1]
    if ids:
        ids = _completed(ids, sample)
        notes.set("id", tuple(ids), _why(ids, train, test))
        _several(ids, test, sample, notes)
        _compared(ids, test, sample, notes)
    else:
        _by_order_or_form(train, test, sample, notes)


def _completed(ids: list[str], sample: Peek) -> list[str]:
    """The ids with the next columns of the sample, as far as they are needed to tell its rows apart."""
    if sample.frame(ids).duplicated().any():
        for column in [column for column in sample.columns[1:-1] if column not in ids]:
            ids = [*ids, column]
            if not sample.frame(ids).duplicated().any():
                return ids
    return ids


def _why(ids: Sequence[str], train: Peek | None, test: Peek) -> str:
    why = "columns of the sample submission that test has too" if len(ids) > 1 else "the column of the sample submission that test has too"
    missing = [column for column in ids if train is not None and column not in train]
    if missing:
        return f"{why}; train has no {listed(missing)}: its rows are counted"
    if train is not None and len(ids) == 1 and train.kind(ids[0]) == "integer" and train.rows and test.rows:
        first = train.sample(ids[0]).iloc[0], test.sample(ids[0]).iloc[0]
        if first[0] == first[1] and not train.sample(ids[0]).duplicated().any():
            return f"{why}; both tables begin with {first[0]}: an id names a row within its table only"
    return why


def _several(ids: list[str], test: Peek, sample: Peek, notes: Notes) -> None:
    """Several rows of the sample for a row of test, or of test for a row of the sample."""
    shared = [column for column in ids if column in test]
    more = [column for column in ids if column not in test]
    if more and shared:
        rows = f"{sample.rows / max(test.rows, 1):.3g} rows for each row of test"
        notes.set("unit", tuple(shared), f"the sample has {rows}, told apart by {listed(more)}")
        return
    if shared and test.rows > sample.rows and test.frame(shared).duplicated().any():
        notes.set("unit", tuple(shared), f"test has {test.rows / max(sample.rows, 1):.3g} rows for each row of the sample")
        notes.warn(f"test has several rows for each {listed(shared)}, the sample one: predictions are for a {shared[0]}, not for a row")


def _compared(ids: list[str], test: Peek, sample: Peek, notes: Notes) -> None:
    """Say where the sample asks for ids that test does not have, or leaves some out."""
    shared = [column for column in ids if column in test and column in sample]
    if len(shared) != 1 or not (test.exact and sample.exact):
        return
    asked, known = (set(table.sample(shared[0]).astype(str)) for table in (sample, test))
    unknown, left = asked - known, known - asked
    if unknown:
        notes.warn(f"{len(unknown)} of the sample's {len(asked)} {shared[0]} are not in test, such as {sorted(unknown)[0]}: "
                   "look which test and sample belong together")
    elif left:
        notes.warn(f"the sample leaves out {len(left)} of test's {len(known)} {shared[0]}, such as {sorted(left)[0]}")


def _without_sample(train: Peek | None, test: Peek | None, notes: Notes) -> None:
    if train is None or test is None:
        return
    shared = [column for column in test.columns if column in train]
    unique = [column for column in shared if ID_NAME.search(column) and not train.sample(column).duplicated().any()
              and not test.sample(column).duplicated().any()]
    why = "a column of both tables whose values do not repeat" if unique else "no column looks like an id: rows go by order"
    notes.set("id", tuple(unique[:1]), f"no sample; {why}")
    notes.ask("id", f"there is no sample submission, so the id is not sure ({listed(unique[:1]) or 'none'} is taken)", (*unique, "COL")[0])


def _without_test(train: Peek | None, sample: Peek, notes: Notes) -> None:
    first = sample.columns[0]
    if train is not None and first in train:
        notes.set("id", (first,), "the sample's first column, which train has too; there is no test table")
    elif train is not None and len(sample.columns) > 1 and (form := _joined(sample, train)):
        notes.set("id", (first,), "the sample's first column; there is no test table")
        notes.set("id_form", form, f"{first} is written so from train's columns")
    else:
        notes.set("id", sample_ids(sample), "the sample's first column; there is no test table, and train does not have it")


def sample_ids(sample: Peek) -> tuple[str, ...]:
    """The sample's first column, unless it is the only one."""
    return tuple(sample.columns[:1]) if len(sample.columns) > 1 else ()


def _by_order_or_form(train: Peek | None, test: Peek, sample: Peek, notes: Notes) -> None:
    """No column of the sample is in test: another name, a running number, or an id made from test's columns."""
    first = sample.columns[0]
    twin = _same_values(sample, test)
    if sample.rows == test.rows and len(sample.columns) > 1:
        notes.set("sample_id", first, "the sample's own name of a row; test does not have it")
    if twin:
        notes.set("id", (), f"test calls it {twin}, the sample {first}, with the same values in the same order: rows go by order")
        return
    form = _joined(sample, test) if sample.rows == test.rows else ""
    if form:
        notes.set("id", (), f"{first} is made from test's columns, in test's order: rows go by order")
        notes.set("id_form", form, f"so test's columns make the sample's {first}")
        return
    if sample.rows == test.rows:
        start = _counts(sample.sample(first)) if sample.exact else None
        why = f"test has no column of the sample; {first} counts its rows from {start}" if start is not None else "test has no column of the sample"
        notes.set("id", (), f"{why}: rows go by order")
        if start is None and len(sample.columns) > 1:
            notes.ask("id", f"the sample's {first} is no column of test: rows are taken by order", "COL")
        return
    _per_unit(train, test, sample, notes)


def _same_values(sample: Peek, test: Peek) -> str:
    """The column of test that holds the sample's first column under another name."""
    if sample.rows != test.rows or len(sample.columns) < 2:
        return ""
    wanted = sample.sample(sample.columns[0]).astype(str).reset_index(drop=True)
    near = sorted(test.columns, key=lambda name: name.lower() != sample.columns[0].lower())[:20]
    return next((name for name in near if test.kind(name) == sample.kind(sample.columns[0])
                 and test.sample(name).astype(str).reset_index(drop=True).equals(wanted)), "")


def _counts(values: pd.Series) -> int | None:
    """Where the numbers 0, 1, 2 ... or 1, 2, 3 ... begin."""
    if values.dtype.kind not in "iu" or not len(values):
        return None
    first = int(values.iloc[0])
    return first if first in (0, 1) and (values.to_numpy() == range(first, first + len(values))).all() else None


def _joined(sample: Peek, test: Peek) -> str:
    """The form {a}_{b} in which columns of test make the sample's first column, '' where they do not."""
    if sample.kind(sample.columns[0]) != "text" or not sample.rows:
        return ""
    wanted = sample.sample(sample.columns[0]).astype(str).head(LOOKED).reset_index(drop=True)
    columns = [name for name in test.columns[:60] if test.kind(name) in ("integer", "text", "time")]
    text = {name: _as_text(test.sample(name).head(LOOKED)) for name in columns}

    def follow(done: pd.Series, form: str, depth: int) -> str:
        if done.equals(wanted):
            return form
        for joint in JOINTS if depth and depth < 4 else ("",):
            for name, values in text.items():
                longer = done + joint + values if depth else values
                if f"{{{name}}}" not in form and all(full.startswith(part) for full, part in zip(wanted[:50], longer[:50], strict=False)):
                    found = follow(longer, form + (joint if depth else "") + f"{{{name}}}", depth + 1)
                    if found:
                        return found
        return ""

    found = follow(pd.Series([""] * len(wanted)), "", 0)
    return found if found.count("{") > 1 else ""


def _as_text(values: pd.Series) -> pd.Series:
    if values.dtype.kind == "M":
        days = (values == values.dt.normalize()).all()
        return values.dt.strftime("%Y-%m-%d" if days else "%Y-%m-%d %H:%M:%S").reset_index(drop=True)
    return values.astype(str).reset_index(drop=True)


def _per_unit(train: Peek | None, test: Peek, sample: Peek, notes: Notes) -> None:
    """Several rows of the sample for one of test: its id is test's id with a number or a column's name behind it."""
    first = sample.columns[0]
    ids = sample.sample(first).astype(str)
    rows = f"the sample has {sample.rows / max(test.rows, 1):.3g} rows for each row of test"
    for column in [name for name in test.columns[:60] if test.kind(name) in ("integer", "text")]:
        known = set(test.sample(column).astype(str))
        for joint in ("_", "-", ":", " "):
            cut = ids.str.rsplit(joint, n=1)
            heads, tails = cut.str[0], cut.str[1]
            if tails.notna().all() and heads.isin(known).mean() > 0.95:
                _note_unit(column, joint, tails, train, first, rows, notes)
                return
            heads, tails = ids.str.split(joint, n=1).str[0], ids.str.split(joint, n=1).str[1]
            if tails.notna().all() and heads.isin(known).mean() > 0.95:
                _note_unit(column, joint, tails, train, first, rows, notes)
                return
    notes.set("id", (first,), f"the sample's first column, though test does not have it; the sample has {sample.rows} rows, test {test.rows}")
    notes.ask("id", f"the sample has {sample.rows} rows and test {test.rows}, and no column of test is found in its {first}", "COL")


def _note_unit(column: str, joint: str, tails: pd.Series, train: Peek | None, first: str, rows: str, notes: Notes) -> None:
    kinds = sorted(set(tails))
    columns = [name for name in kinds if train is not None and name in train]
    word = "column" if columns and len(columns) == len(kinds) else "number" if all(tail.isdigit() for tail in kinds) else "part"
    notes.set("id", (first,), f"the sample's first column: test's {column} and a {word}")
    notes.set("unit", (column,), rows)
    notes.set("id_form", f"{{{column}}}{joint}{{{word}}}", f"such as {listed(kinds)} behind each {column}")
    if word == "column":
        notes.set("target", tuple(dict.fromkeys(tails)), f"the columns of train that stand in the sample's {first}")
    notes.warn(f"{rows}, its {first} is {column}{joint}{word}: predictions of test's rows must be spread over them")
