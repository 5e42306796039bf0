"""The baseline ladder: which rungs there are, how many rows they take, and what their order and the classes say."""

from collections.abc import Sequence

import numpy as np

from kagglekit.errors import KKError
from kagglekit.ledger import open_ledger
from kagglekit.models.family import Model, check_model
from kagglekit.store import Store
from kagglekit.work.rungs import ZEROS, Case

Array = np.ndarray
LADDER = (ZEROS, "constant", "group-mean", "linear", "forest", "lgbm", "mlp", "text-linear")
NET = "mlp"
NO_COLUMNS = (ZEROS, "constant")     # rungs that look at no column
PLAIN = {"constant", "group-mean", "linear", "ridge", "logistic", "tree", "knn"}  # models that are baselines themselves
MOST_ROWS, MOST_CELLS, FEWEST_ROWS = 100_000, 5_000_000, 20_000
NET_ROWS = 10_000                    # rows beyond which a net takes longer than all other rungs together
LOOKED_AT = 20_000                   # rows that tell whether there is text
UNBALANCED = 0.7                     # share of one class from which a score is easy to misread


def rungs_to_make(case: Case, asked: str | Sequence[str] | None) -> list[tuple[str, Model | None]]:
    """(name, model; None for zeros) from the bottom up: those asked for, else the ladder as far as its families are here and have columns.

    Raises KKError for unknown models, and for one asked for that cannot run here.
    """
    if asked is not None:
        names = [name.strip() for name in (asked.split(",") if isinstance(asked, str) else asked)]
        chosen = list(dict.fromkeys(name for name in names if name))
        if not chosen:
            raise KKError("no model is named", f"Name some: kk baseline --models {','.join(LADDER[:4])}")
        chosen.sort(key=lambda name: LADDER.index(name) if name in LADDER else len(LADDER))
        return [(name, None if name == ZEROS else check_model(name, case.store.folder)) for name in chosen]
    return [(name, model) for name in LADDER if (model := _usual(case, name)) is not None or name == ZEROS]


def _usual(case: Case, name: str) -> Model | None:
    """The model of a usual rung, None where its family is not here or finds nothing to learn from."""
    if name == ZEROS or (case.data.ids_only and name not in NO_COLUMNS):
        return None
    text, others = text_and_others(case) if name in ("text-linear", "group-mean") else (True, True)
    if (name == "text-linear" and not text) or (name == "group-mean" and not others) or (name == NET and case.used.sum() > NET_ROWS):
        return None
    try:
        model = check_model(name)
    except KKError:
        return None
    return model if model.is_here() else None


def about_columns(case: Case, chosen: Sequence[tuple[str, Model | None]]) -> list[str]:
    """Why rungs are left out of a usual ladder: no column to learn from, or too many rows for a net."""
    if case.data.ids_only:
        return ["there are no columns to learn from, only ids: write features.py, or bring a model of your own (kk train models/mine.py:fit_predict)"]
    if case.used.sum() > NET_ROWS and NET not in [name for name, _ in chosen] and check_model(NET).is_here():
        return [f"a net would take longer than the whole ladder on so many rows and is left out; with it: kk train {NET}"]
    return []


def text_and_others(case: Case) -> tuple[bool, bool]:
    """Whether there are columns of text (by the first rows), and whether there are others."""
    from kagglekit.models.columns import kinds_of

    kinds = {kind.name for kind in kinds_of(case.data.X.head(LOOKED_AT)).values()}
    return "text" in kinds, bool(kinds - {"text"})


def share_of_rows(rows: int, columns: int) -> float:
    """The share of a table that a ladder takes: about 100,000 rows, fewer of a wide one.

    >>> share_of_rows(50_000, 20), share_of_rows(1_000_000, 20), share_of_rows(1_000_000, 200)
    (1.0, 0.1, 0.025)
    """
    most = max(FEWEST_ROWS, min(MOST_ROWS, MOST_CELLS // max(columns, 1)))
    return 1.0 if rows <= most else float(f"{most / rows:.2g}")


def about_classes(case: Case) -> list[str]:
    """What always saying one class would score, where one has most rows, and the best class to say where that is another."""
    problem, metric = case.problem, case.problem.metric
    if not problem.classifies or problem.targets:
        return []
    counts = np.bincount(case.data.target[case.used].astype(np.int64), minlength=len(problem.classes))
    most, share = int(np.argmax(counts)), float(counts.max() / counts.sum())
    said = []
    if share >= min(UNBALANCED, 2.5 / len(problem.classes)):
        scored = f" and scores {metric.name} {_always(case, most):.5f}" if metric.needs == "label" else ""
        said.append(f"{share:.1%} of the rows are {problem.classes[most]!r}: always saying so is right that often{scored}")
    best = _best_class(case)
    if best not in (None, most):
        said.append(f"always saying {problem.classes[best]!r} scores {metric.name} {_always(case, best):.5f}: what labels must beat")
    return said


def _best_class(case: Case) -> int | None:
    """The code of the label that the metric likes best for all rows (f1: the positive one), None where it asks for no label."""
    metric = case.problem.metric
    if metric.needs != "label" or metric.constant is None:
        return None
    label = str(metric.constant(case.data.y[case.used]))
    known = [str(one) for one in case.problem.classes]
    return known.index(label) if label in known else None


def _always(case: Case, code: int) -> float:
    row = np.float64(code) if case.problem.width == 1 else np.eye(case.problem.width)[code]
    return float(case.scored(row).mean or 0.0)  # type: ignore[arg-type]


def no_baseline(store: Store, model: Model | str) -> str:
    """One line for who trains an elaborate model before any baseline; empty where there is one, or the model is one."""
    name = str(getattr(model, "name", model))
    if name in PLAIN:
        return ""
    rows = open_ledger(store).runs() if store.ledger.exists() else []
    if any(row["status"] == "done" and row["folds"] and row["model"] in PLAIN for row in rows):
        return ""
    return f"no baseline is on the ledger yet: kk baseline says what {name} must beat"
