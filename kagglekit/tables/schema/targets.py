"""Targets: which column(s) of train, or of a file of labels, are to be predicted."""

import re

from kagglekit.tables.schema.notes import USUAL, Notes, listed
from kagglekit.tables.schema.peek import Peek, is_empty

MASK_NAME = re.compile(r"rle|encoded|mask|pixels|segmentation|annotation", re.IGNORECASE)
MOST_SHOWN = 6


def find_targets(train: Peek | None, test: Peek | None, sample: Peek | None, labels: Peek | None, notes: Notes) -> None:
    """Note target, with the way it was found; asks where none or several fit."""
    if notes.names("target") and notes.fields.get("unit"):
        return
    if train is None:
        return
    values = value_names(sample, notes)
    where, place = (labels, f" in {notes.fields.get('labels')}") if labels is not None else (train, "")
    if notes.said("target", where.columns, "train"):
        notes.set("target", (), "")
        return
    found = _by_name(where, test, values, notes) or _by_classes(where, test, values, notes) or _by_values(where, test, sample, values, notes)
    if found:
        notes.set("target", found[0], found[1] + place)
    else:
        _by_what_test_lacks(where, test, sample, values, notes, place)
    if labels is not None:
        keys = listed(column for column in labels.columns if column in train) or "the order of the rows"
        notes.warn(f"the targets are not in train but in {notes.fields['labels']}: join them by {keys} before training")


def value_names(sample: Peek | None, notes: Notes) -> list[str]:
    """The sample's columns that hold predictions."""
    ids = (*notes.names("id"), *notes.names("sample_id"))
    return [] if sample is None else [column for column in sample.columns if column not in ids]


Found = tuple[tuple[str, ...], str] | None


def _by_name(train: Peek, test: Peek | None, values: list[str], notes: Notes) -> Found:
    ids = notes.names("id")
    known = [column for column in values if column in train and (test is None or column not in test or is_empty(test, column))]
    if known:
        odd = [column for column in values if column not in train]
        if odd:
            notes.warn(f"the sample's {listed(odd)} {'is' if len(odd) == 1 else 'are'} not in train")
        return tuple(known), "value columns of the sample that train has"
    plain = {column.lower().replace("_", ""): column for column in train.columns if column not in ids}
    near = [plain[name] for column in values if column not in train and (name := column.lower().replace("_", "")) in plain]
    return (tuple(near), f"the sample's {listed(values)} but for capitals") if near else None


def _extra(train: Peek, test: Peek | None, ids: tuple[str, ...]) -> list[str]:
    """Columns that test does not have."""
    return [column for column in train.columns if column not in ids and (test is None or column not in test)]


def _by_classes(train: Peek, test: Peek | None, values: list[str], notes: Notes) -> Found:
    """A column whose values are the sample's columns, also behind a common beginning: Status_C, Status_D."""
    if len(values) < 2:
        return None
    for column in _extra(train, test, notes.names("id")):
        if train.kind(column) not in ("text", "integer", "bool"):
            continue
        found = train.distinct(column, len(values) + 1)
        labels = {str(label) for label in found or ()}
        for start in (f"{column}_", _common(values), ""):
            if labels and labels == {name.removeprefix(start) for name in values}:
                return (column,), f"its values are the sample's columns {listed(values)}"
    return None


def _common(values: list[str]) -> str:
    """The beginning up to the last _ that all names share."""
    first, last = min(values), max(values)
    same = next((place for place, (one, other) in enumerate(zip(first, last, strict=False)) if one != other), len(first))
    return first[:first.rfind("_", 0, same) + 1]


def _by_values(train: Peek, test: Peek | None, sample: Peek | None, values: list[str], notes: Notes) -> Found:
    """A column of train in which the words of a text sample occur, or whose name says mask as the sample's does."""
    if sample is None or len(values) != 1 or not sample.rows or values[0] not in sample:
        return None
    extra = [column for column in _extra(train, test, notes.names("id")) if train.kind(column) == "text"]
    shown = sample.sample(values[0]).dropna().astype(str)
    if sample.kind(values[0]) == "text":
        words = {word for text in shown.head(50) for word in (text, *text.split())}
        fits = [column for column in extra if words & set(train.sample(column).dropna().astype(str).head(100_000))]
        if len(fits) == 1:
            return (fits[0],), f"values of the sample's {values[0]} occur in it"
    masks = [column for column in extra if MASK_NAME.search(column) and _runs(train, column)]
    return ((masks[0],), "it holds run lengths") if len(masks) == 1 else None


def _runs(train: Peek, column: str) -> bool:
    shown = train.sample(column).dropna().astype(str).head(20)
    return bool(len(shown)) and bool(shown.str.fullmatch(r"-?\d+(?: \d+)*").all())


def _by_what_test_lacks(train: Peek, test: Peek | None, sample: Peek | None, values: list[str], notes: Notes, place: str) -> None:
    extra = _extra(train, test, notes.names("id"))
    usual = [column for column in extra if USUAL.match(column)]
    why = "the only column that test lacks" if test is not None else "the only column beside the id"
    if len(extra) == 1:
        notes.set("target", (extra[0],), why + place)
        return
    if len(usual) == 1:
        notes.set("target", (usual[0],), f"of the {len(extra)} columns that test lacks, the one with a target's name{place}")
        return
    notes.set("target", (), "unsure")
    lacks = f"{listed(extra, MOST_SHOWN)} that test lacks" if test is not None else f"{listed(extra, MOST_SHOWN)} beside the id"
    wide = f", and the sample's {len(values)} columns {listed(values)} are none of train's" if len(values) > 1 else ""
    notes.ask("target", f"the target is not clear: train has {lacks if extra else 'no column that test lacks'}{wide}", "COL")
