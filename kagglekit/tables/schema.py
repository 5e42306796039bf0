"""What is what: which file is train, test and sample, what is id, target, task, group and time; every guess with its reason."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kagglekit.errors import KKError
from kagglekit.metrics import Metric

if TYPE_CHECKING:
    import pandas as pd

TIME_NAME = re.compile(r"date|time|year|month|week|day|timestamp|^ts$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Guess:
    """The guessed fields of a Competition with a reason each, and what could not be guessed."""

    fields: Mapping[str, object]
    why: Mapping[str, str]
    warnings: tuple[str, ...] = ()


@dataclass(slots=True)
class _Notes:
    fields: dict[str, object] = field(default_factory=dict)
    why: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def set(self, name: str, value: object, why: str) -> None:
        self.fields[name], self.why[name] = value, why


def guess_roles(names: Sequence[str]) -> dict[str, str]:
    """Which of the table files is train, test and sample, by their names.

    >>> guess_roles(["test.csv", "train.csv", "sample_submission.csv"])["sample"]
    'sample_submission.csv'
    """
    def best(words: Sequence[str], taken: set[str]) -> str:
        fitting = [name for name in names if name not in taken and any(word in name.lower().rsplit("/", 1)[-1] for word in words)]
        return min(fitting, key=lambda name: (name.count("/"), len(name), name), default="")

    sample = best(("sample", "submission"), set())
    train = best(("train",), {sample})
    return {"train": train, "test": best(("test",), {sample, train}), "sample": sample}


def guess_schema(tables: Mapping[str, "pd.DataFrame"], metric: Metric | None) -> Guess:
    """The schema from the three tables (keys train, test, sample) and the metric; raises KKError where one is missing."""
    for role in ("train", "test", "sample"):
        if role not in tables:
            raise KKError(f"no {role} table was found among the files", f"Write the file's name as {role} in competition.toml")
    train, test, sample = tables["train"], tables["test"], tables["sample"]
    notes = _Notes()
    _id_and_target(train, test, sample, notes)
    _task(train, sample, metric, notes)
    _columns(train, test, notes)
    return Guess(notes.fields, notes.why, tuple(notes.warnings))


def _id_and_target(train: "pd.DataFrame", test: "pd.DataFrame", sample: "pd.DataFrame", notes: _Notes) -> None:
    ids = [column for column in sample.columns if column in test.columns and column not in sample.columns[len(sample.columns) - 1:]]
    if not ids:
        ids = [sample.columns[0]] if sample.columns[0] in test.columns else []
    why = "columns of the sample submission that test has too" if ids else "test has no column of the sample: rows go by order"
    notes.set("id", tuple(ids), why)
    values = [column for column in sample.columns if column not in ids]
    known = [column for column in values if column in train.columns]
    if known:
        notes.set("target", tuple(known), "value columns of the sample that train has")
        return
    extra = [column for column in train.columns if column not in test.columns]
    for column in extra:
        if set(train[column].dropna().astype(str)) == set(map(str, values)):
            notes.set("target", (column,), f"its values are the sample's columns {', '.join(map(str, values[:4]))}")
            return
    if len(extra) == 1:
        notes.set("target", (extra[0],), "the only column that test lacks")
        return
    notes.set("target", (), "unsure")
    notes.warnings.append(f"the target is not clear: train has {', '.join(extra) or 'no column'} that test lacks; write it as "
                          "target in competition.toml")


def _task(train: "pd.DataFrame", sample: "pd.DataFrame", metric: Metric | None, notes: _Notes) -> None:
    targets, ids = notes.fields["target"], notes.fields["id"]
    assert isinstance(targets, tuple) and isinstance(ids, tuple)
    values = [str(column) for column in sample.columns if column not in ids]
    needs = metric.needs if metric else ""
    notes.set("prediction", needs or "value", f"{metric.name} needs it" if metric else "unsure: no metric is known")
    if len(targets) != 1:
        notes.set("task", "multitarget" if targets else "", f"{len(targets)} target columns")
        return
    y = train[targets[0]].dropna()
    labels = sorted(y.unique().tolist(), key=lambda label: (isinstance(label, str), label))
    by_columns = len(values) > 1 and set(map(str, labels)) == set(values)
    if by_columns:
        labels = sorted(labels, key=lambda label: values.index(str(label)))
    if metric and metric.needs == "value":
        notes.set("task", "regression", f"{metric.name} scores values")
    elif len(labels) == 2:
        notes.set("task", "binary", f"{targets[0]} has two values: {labels[0]} and {labels[1]}")
        notes.set("classes", tuple(labels), "values of the target in order; predictions are the second's probability")
    elif (metric and (metric.needs in ("label", "proba") or by_columns)) or (not metric and len(labels) <= 20):
        notes.set("task", "multiclass", f"{targets[0]} has {len(labels)} values")
        notes.set("classes", tuple(labels), "as the sample's columns" if by_columns else "values of the target in order")
    else:
        notes.set("task", "regression", f"{targets[0]} has {len(labels)} values")


def _columns(train: "pd.DataFrame", test: "pd.DataFrame", notes: _Notes) -> None:
    """Group, time and columns that cannot help: ids of things that test never shares with train."""
    ids, targets = notes.fields["id"], notes.fields["target"]
    assert isinstance(ids, tuple) and isinstance(targets, tuple)
    shared = [column for column in train.columns if column in test.columns and column not in targets]
    groups, times = [], []
    for column in shared:
        if _is_time(train[column]):
            times.append(column)
        elif column not in ids and _is_group(train[column], test[column]):
            groups.append(column)
    if groups:
        notes.set("group", tuple(groups), "several rows each, and no value is shared by train and test")
        notes.set("ignore", tuple(groups), "names of groups that test does not share: no feature")
    if times:
        later = [column for column in times if test[column].min() >= train[column].quantile(0.99)]
        reason = "test is later than train" if later else "the only column of dates" if len(times) == 1 else "the first column of dates"
        notes.set("time", (later or times)[0], reason)


def _is_time(column: "pd.Series") -> bool:
    return str(column.dtype).startswith("datetime")


def _is_group(train: "pd.Series", test: "pd.Series") -> bool:
    if train.dtype.kind == "f" or train.dtype.kind == "b" or not len(test):
        return False
    known = set(train.dropna().unique().tolist())
    if not 20 <= len(known) <= len(train) / 1.5:
        return False
    asked = set(test.dropna().unique().tolist())
    return bool(asked) and len(asked & known) / len(asked) <= 0.05


def public_fraction(pages: Mapping[str, str]) -> float:
    """The public leaderboard's share of the test rows as a page says it, 0 where none does.

    >>> public_fraction({"evaluation": "calculated with approximately 30% of the test data"})
    0.3
    """
    for text in pages.values():
        found = re.search(r"(\d{1,3}(?:\.\d+)?)\s*%\s+of\s+the\s+test", text, re.IGNORECASE)
        if found:
            return round(float(found.group(1)) / 100, 4)
    return 0.0
