"""Task, classes and what a prediction is: from the metric, the target's values and the sample's."""

import re
from collections.abc import Sequence

import pandas as pd

from kagglekit.errors import KKError
from kagglekit.metrics import REGISTRY, misfit
from kagglekit.metrics.kaggle_names import METRICS, KaggleMetric
from kagglekit.registry import is_path_reference
from kagglekit.tables.schema.metric import Found, for_columns, note_metric
from kagglekit.tables.schema.notes import Notes, listed
from kagglekit.tables.schema.peek import Peek, kind_of
from kagglekit.tables.schema.targets import MASK_NAME, value_names

FEW, MOST_CLASSES, MOST_WORDS = 20, 2000, 200
OTHERS = ("mask", "boxes", "text", "list", "other")
STRANGE = {(seen, kind) for seen in ("value", "proba") for kind in ("mask", "boxes", "text")} | {("mask", "list"), ("boxes", "list")}
WANTS = {"label": "a label", "proba": "a probability", "value": "a number", "rank": "a score whose order counts", "list": "a list, best first",
         "mask": "a run-length encoded mask", "boxes": "boxes", "text": "text", "other": "something of its own"}


def find_task(train: Peek | None, sample: Peek | None, metric: KaggleMetric | None, kaggle_name: str, notes: Notes) -> None:
    """Note task, classes and prediction; `train` is the table that has the targets. A metric of one column may become that of several.

    Raises KKError where a person said a metric that cannot score the target; of one that was found, a warning says so.
    """
    targets = [name for name in notes.names("target") if train is not None and name in train]
    values = value_names(sample, notes)
    labels = _labels(train, targets[0]) if train is not None and len(targets) == 1 else None
    words = _words(train, targets[0], labels, values) if train is not None and labels and train.kind(targets[0]) == "text" else []
    metric = _for_columns(metric, targets, None if words else labels, values, kaggle_name, notes)
    kind = metric.kind if metric and metric.name != "custom" else ""
    shape = _shape(sample, values)
    _prediction(kind, shape, metric, labels, notes)
    kind = str(notes.fields["prediction"])
    if kind in ("mask", "boxes", "text"):
        notes.set("task", "other", f"a prediction is {WANTS[kind]}: models here do not make it")
    elif train is None or not targets:
        notes.set("task", "", "no target is known")
    elif len(targets) > 1:
        _several(train, targets, kind, notes)
    else:
        _single(train, targets[0], labels, metric, kind, values, notes)
    _check_fit(metric, len(targets), notes)


def _check_fit(metric: KaggleMetric | None, targets: int, notes: Notes) -> None:
    if metric is None or metric.name not in REGISTRY:
        return
    several, classes = notes.fields["task"] == "multilabel" and targets == 1, notes.names("classes")
    found = misfit(REGISTRY.get(metric.name), targets, () if several else classes, several)
    if found and notes.given.get("metric"):
        raise KKError(found[0], f"Say another: kk join {notes.slug} --metric {' or '.join(found[1])}")
    if found:
        notes.ask("metric", found[0], found[1][0])


def _for_columns(metric: KaggleMetric | None, targets: list[str], labels: list | None, values: list[str], kaggle_name: str,
                 notes: Notes) -> KaggleMetric | None:
    name, why = for_columns(metric, len(targets), len(labels or ()), len(values))
    if not name or notes.given.get("metric") or metric is None:
        return metric
    row = METRICS[name]
    note_metric(Found(row, f"Kaggle names it {kaggle_name!r}, and {why}", greater_is_better=row.greater_is_better,
                      direction_why=f"{name}'s own direction"), kaggle_name, notes)
    return row


def _labels(train: Peek, target: str) -> list | None:
    """The target's values in order, None where there are more than can be classes."""
    found = train.distinct(target, MOST_CLASSES)
    try:
        return None if found is None else sorted(found, key=lambda label: (isinstance(label, str), label))
    except TypeError:  # values such as lists, which have no order
        return None


# Prediction

def _shape(sample: Peek | None, values: Sequence[str]) -> tuple[str, str]:
    """What the sample's values are, where that can be seen: mask, boxes, list, text, proba, label; and the evidence."""
    if sample is None or len(values) == 0 or not sample.rows or values[0] not in sample:
        return "", ""
    column = sample.sample(values[0])
    shown = column.dropna()
    if len(values) == 1 and kind_of(column) in ("text", "empty"):
        return _shape_of_text(values[0], shown.astype(str).head(500))
    if all(kind_of(sample.sample(name)) in ("number", "integer") for name in values[:200]):
        table = sample.frame(list(values[:200]))
        inside = bool(((table >= 0) & (table <= 1)).all(axis=None))
        if inside and ((table > 0) & (table < 1)).any(axis=None):
            return "proba", f"the sample holds numbers between 0 and 1, such as {float(table.iloc[0, 0]):g}"
        return ("value", f"the sample holds numbers such as {float(table.iloc[0, 0]):g}") if not inside else ("", "")
    return ("label", f"the sample holds labels such as {shown.iloc[0]!r}") if len(shown) else ("", "")


def _shape_of_text(name: str, shown: pd.Series) -> tuple[str, str]:
    first = shown.iloc[0] if len(shown) else ""
    words = shown.str.split()
    if MASK_NAME.search(name) and (not first or shown.str.fullmatch(r"-?\d+( \d+)*").all()):
        return "mask", f"the sample's {name} holds run lengths" if first else f"the sample's {name} is empty, and its name says a mask"
    if not len(shown):
        return "", ""
    count = words.str.len()
    numbers = shown.str.fullmatch(r"(?:\S+ )?(?:-?[\d.]+ ?){4,}").all()
    boxes = re.search(r"predictionstring|box", name, re.IGNORECASE) or (count.min() >= 5 and shown.str.contains(r"\d\.\d").all())
    if numbers and boxes:
        return "boxes", f"the sample's {name} holds classes, confidences or corners, such as {first[:40]!r}"
    if count.min() > 1 and count.nunique() == 1 and count.iloc[0] <= FEW and not shown.str.contains(r"[.,!?]\s").any():
        return "list", f"the sample's {name} holds {int(count.iloc[0])} words, such as {first[:60]!r}"
    if count.mean() > 4:
        return "text", f"the sample's {name} holds text, such as {first[:40]!r}"
    return "label", f"the sample holds labels such as {first[:40]!r}"


def _prediction(kind: str, shape: tuple[str, str], metric: KaggleMetric | None, labels: list | None, notes: Notes) -> None:
    """The metric says what a prediction is; where none is known, the sample and the target do; where they differ, that is said."""
    seen, evidence = shape
    if kind and metric:
        notes.set("prediction", kind, f"{metric.name} needs it")
        if {seen, kind} == {"mask", "boxes"}:
            notes.set("prediction", seen, evidence)
            return
        several = kind == "label" and seen in ("list", "text")
        strange = (seen in OTHERS and kind not in OTHERS and not several) or (seen, kind) in STRANGE
        if strange:
            notes.ask("metric", f"{metric.name} needs {WANTS[kind]}, but {evidence}", "NAME")
            notes.set("prediction", seen, evidence)
        return
    if seen:
        notes.set("prediction", seen, evidence)
        if seen not in OTHERS:
            notes.why["prediction"] += "; no metric is known"
        return
    if is_path_reference(str(notes.given.get("metric", ""))) and labels is not None and len(labels) == 2:
        notes.set("prediction", "proba", "unsure: a metric of its own does not tell")
        notes.warn("a prediction is taken for a probability: where metric.py compares labels, write prediction = \"label\" in competition.toml")
        return
    guess = "label" if labels is not None and len(labels) <= FEW else "value"
    notes.set("prediction", guess, "unsure: no metric is known, and the sample's values do not tell")
    notes.ask("metric", f"whether a prediction is a label, a probability or a number is not clear ({guess} is taken)", "NAME")


# Task

def _several(train: Peek, targets: list[str], kind: str, notes: Notes) -> None:
    table = train.frame(targets)
    whole = all(kind_of(table[name]) in ("integer", "number", "bool") for name in targets)
    if whole and bool(table.dropna().isin([0, 1]).all(axis=None)) and kind != "value":
        single = bool((table.dropna().sum(axis=1) == 1).all())
        notes.set("task", "multilabel", f"{len(targets)} target columns of 0 and 1" + (", exactly one 1 in each row" if single else ""))
        return
    text = [name for name in targets if kind_of(table[name]) == "text"]
    notes.set("task", "multitarget", f"{len(targets)} target columns" + (f", labels in {listed(text)}" if text else " of numbers" if whole else ""))


def _single(train: Peek, target: str, labels: list | None, metric: KaggleMetric | None, kind: str, values: list[str], notes: Notes) -> None:
    name, text = metric.name if metric else "", train.kind(target) == "text"
    if text and (words := _words(train, target, labels, values)):
        notes.set("task", "multilabel", f"{target} holds several of {len(words)} labels, with blanks between")
        notes.set("classes", tuple(words), "the labels that stand in the target")
        return
    if text and labels is not None and len(labels) > FEW and kind == "value":
        notes.set("task", "other", f"{target} holds text, and the metric wants numbers")
        return
    by_columns = len(values) > 1 and labels is not None and len(labels) == len(values)
    if kind == "value" and metric and not text:
        notes.set("task", "regression", f"{name} scores values")
    elif labels is not None and len(labels) == 2 and kind != "list" and name not in ("spearman", "pearson"):
        notes.set("task", "binary", f"{target} has two values: {labels[0]} and {labels[1]}")
        notes.set("classes", tuple(labels), "values of the target in order; predictions are the second's probability")
    elif _classifies(text, labels, metric, kind, by_columns):
        _multiclass(target, labels, values if by_columns else [], notes)
    else:
        count = "more than 2000" if labels is None else str(len(labels))
        notes.set("task", "regression", f"{target} has {count} values")
        if name in ("auc", "w_auc"):
            between = f" between {labels[0]} and {labels[-1]}" if labels else ""
            notes.warn(f"{name} needs two classes, but {target} has {count} values{between}: the evaluation page "
                       "must say where they are cut")


def _classifies(text: bool, labels: list | None, metric: KaggleMetric | None, kind: str, by_columns: bool) -> bool:
    if text or by_columns:
        return True
    whole = labels is not None and all(not isinstance(label, float) or label.is_integer() for label in labels)
    if metric and metric.kind in ("label", "proba", "list"):
        return whole or labels is None or metric.name not in REGISTRY
    return whole and len(labels) <= FEW and kind in ("label", "proba", "list", "")


def _multiclass(target: str, labels: list | None, values: list[str], notes: Notes) -> None:
    if labels is None:
        notes.set("task", "multiclass", f"{target} has more than {MOST_CLASSES} values")
        notes.set("classes", (), f"more than {MOST_CLASSES}: not listed")
        return
    notes.set("task", "multiclass", f"{target} has {len(labels)} values")
    if values:
        labels = sorted(labels, key=lambda label: _place(label, values))
    notes.set("classes", tuple(labels), "as the sample's columns" if values else "values of the target in order")


def _place(label: object, values: list[str]) -> int:
    """The number of the sample's column for a label: its name, or an end of it."""
    exact = [number for number, name in enumerate(values) if name == str(label)]
    return (exact or [number for number, name in enumerate(values) if name.endswith(f"_{label}")] or [len(values)])[0]


def _words(train: Peek, target: str, labels: list | None, values: list[str]) -> list[str]:
    """The labels of a text target that holds several in a row, [] where it does not."""
    shown = train.sample(target).dropna().astype(str)
    for joint in (" ", "|", ";", ","):
        parts = shown.str.split(joint, regex=False).explode().str.strip()
        words = sorted(set(parts.unique()) - {""})
        joined = shown[shown.str.contains(joint, regex=False)]
        mixed = len(joined) and 2 <= len(words) <= MOST_WORDS and len(words) < shown.nunique() and len(shown) >= 3 * len(words)
        if mixed and (joint == "|" or set(words) & set(shown.unique())):
            return words
    return []
