"""Rows: validated twice, never, or by a fold that nothing trains."""

import numpy as np

from kagglekit.audit.case import Case, Told, check


@check("row-twice")
def row_twice(case: Case) -> Told | None:
    """A row that is validated in several folds of one repeat."""
    folds = case.folds
    lines = np.sort(folds.repeat.astype(np.int64) * folds.rows + folds.row)
    again = lines[1:][lines[1:] == lines[:-1]]
    if not len(again):
        return None
    return "fatal", (f"{len(np.unique(again)):,} rows lie in several folds of one repeat, the first is row {int(again[0] % folds.rows)}: give each "
                     "row one fold a repeat")


@check("no-training-rows", follows=True)
def no_training_rows(case: Case) -> Told | None:
    """A fold whose rule leaves nothing to train on."""
    empty = np.flatnonzero(case.training_rows == 0)
    if not len(empty):
        return None
    others = f" (and {len(empty) - 1} more folds)" if len(empty) > 1 else ""
    if case.folds.rule == "rest":
        what, do = "no other rows", "use two folds or more"
    elif case.folds.splitter == "predefined":
        what, do = "no rows earlier than it", "give a block that only trains the fold -1"
    else:
        what, do = "no rows by its rule of time", "use fewer folds, a smaller --gap or a shorter --test-size"
    return "fatal", f"{case.called(int(empty[0]))} has {what} to train on{others}: {do}"


@check("coverage")
def coverage(case: Case) -> Told | None:
    """Rows that are never validated."""
    scored, rows = case.scored, case.folds.rows
    return ("note", f"{scored:,} of {rows:,} rows are validated ({scored / rows:.1%}); scores use these") if scored < rows else None


@check("forced")
def forced(case: Case) -> Told | None:
    """Folds that were kept in spite of a fatal finding."""
    return ("note", "these folds were kept with --force; what is fatal stays so") if case.folds.forced else None
