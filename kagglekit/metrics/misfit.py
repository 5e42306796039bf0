"""Targets that a metric cannot score: too many classes, words for grades, one column where it wants several, or the other way round."""

from collections.abc import Sequence

from kagglekit.metrics.base import Metric

Misfit = tuple[str, tuple[str, ...]]


def misfit(metric: Metric, targets: int, classes: Sequence[object] = (), several: bool = False) -> Misfit | None:
    """Why a metric cannot score a target, and names of metrics that can; None where it can, and for a person's own.

    `targets` counts the target's columns, `classes` are the labels of a single one (empty: numbers, or not known), `several` says that
    each row of a single column holds several labels.

    >>> from kagglekit.metrics import REGISTRY
    >>> misfit(REGISTRY.get("f1"), 1, ["cat", "dog", "eel"])
    ('f1 is of two classes, the target has 3', ('macro_f1', 'accuracy'))
    """
    if metric.own or not targets or metric.needs not in ("label", "list"):
        return None
    held = f"there are {targets} target columns" if targets > 1 else "each row of the target holds several"
    of_truths = metric.name == "hamming" and {str(label) for label in classes} <= {"0", "1"}
    if metric.columns == "targets" and targets == 1 and not several and not of_truths:
        instead = ("f1", "accuracy") if len(classes) == 2 else ("accuracy", "macro_f1")
        return f"{metric.name} is of several labels a row, the target is one column", instead
    if metric.columns != "targets" and (targets > 1 or several):
        return f"{metric.name} is of one {'list' if metric.needs == 'list' else 'label'} a row, {held}", ("mean_f1", "hamming")
    if metric.classes == "binary" and len(classes) > 2:
        return f"{metric.name} is of two classes, the target has {len(classes)}", ("macro_f1", "accuracy")
    words = [label for label in classes if not _is_number(label)]
    if metric.name == "qwk" and words:
        return f"qwk compares grades, which are numbers, the target holds {words[0]!r}", ("kappa", "accuracy")
    return None


def _is_number(label: object) -> bool:
    try:
        float(str(label))
    except ValueError:
        return isinstance(label, bool)
    return True
