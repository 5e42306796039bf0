"""Histories: a table of models with local and public scores, typed over from a notebook, as runs of kind table.

Each line becomes a run without folds and predictions (its score is what was written) and, where it has a public or private
score, a submission of that run. So `kk runs` and `kk lbcheck` know what was tried before the product was there.
"""

import csv
import datetime
import hashlib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from kagglekit.errors import KKError
from kagglekit.ledger import open_ledger
from kagglekit.metrics import Metric
from kagglekit.registry import normalise
from kagglekit.run import Run, Score, Submission, now
from kagglekit.store import Store
from kagglekit.work.save import safe_name

TITLES = {
    "model": ("model", "modelname", "name", "run", "experiment", "exp", "notebook", "submission", "description"),
    "cv": ("cv", "cvscore", "localcv", "local", "localscore", "oof", "oofscore", "val", "valscore", "validation", "validationscore", "meancv",
           "cvmean"),
    "public": ("public", "publiclb", "publicscore", "lb", "lbscore", "publicleaderboard", "leaderboard", "plb"),
    "private": ("private", "privatelb", "privatescore", "privateleaderboard"),
    "cv_se": ("cvse", "se", "secv", "cvstandarderror", "standarderror"),
    "date": ("date", "day", "when", "submitted", "submittedon"),
}
SPREADS = ("std", "cvstd", "sd", "cvsd", "stddev")
NONE = ("", "-", "nan", "na", "n/a", "none", "null", "?")
SCORES = ("public", "private")
COMMA, POINT = re.compile(r"[+-]?\d*,\d+"), re.compile(r"[+-]?\d*\.\d+")
TAG = "table-"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a history; `number` is its line in the file, `shown` the public score as written."""

    number: int
    model: str
    cv: float | None
    public: float | None
    private: float | None
    cv_se: float | None
    date: str
    shown: str


@dataclass(frozen=True, slots=True)
class Taken:
    """Runs that came from a history: new ones, and known ones whose scores were completed; `same` counts lines that were there."""

    added: tuple[Run, ...]
    completed: tuple[Run, ...]
    same: int
    warnings: tuple[str, ...]


def read_history(given: object, what: str = "the table") -> tuple[list[Line], tuple[str, ...]]:
    """The lines of a csv or tsv file or of a DataFrame, with what is to be said of its columns.

    Needs a model and a cv or public column; spellings such as "CV score" and "Public LB" are known. Decimal commas are read where
    semicolons or tabs stand between the columns and no score has a point. Any other number with a comma, a percent sign or words is
    refused with its line, for nobody can say what was meant.

    >>> import pandas as pd
    >>> lines, _ = read_history(pd.DataFrame({"Model": ["a"], "CV score": [0.8], "LB": ["0.790"]}))
    >>> lines[0].cv, lines[0].shown
    (0.8, '0.790')
    """
    titles, rows = _cells_of_file(Path(given)) if isinstance(given, (str, Path)) else _cells_of_frame(given)
    what = Path(given).name if isinstance(given, (str, Path)) else what
    place, warnings = _columns(titles, what)
    lines = [_line(number, {key: cells[column].strip() if column < len(cells) else "" for key, column in place.items()}, what)
             for number, cells in rows if any(cell.strip() for cell in cells)]
    if not lines:
        raise KKError(f"{what} has no line below its header", "Give a line for each model: model,cv,public")
    return lines, warnings


def _cells_of_file(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    if not path.exists():
        raise KKError(f"no file {path}", "Give the path from here")
    if path.suffix.lower() not in (".csv", ".tsv", ".txt"):
        raise KKError(f"{path.name} is no csv", "Save the sheet as csv (comma, semicolon or tab): model,cv,public")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise KKError(f"{path.name} is not in UTF-8: {error}", "Save it as csv in UTF-8") from error
    header = next((line for line in text.splitlines() if line.strip()), "")
    separator = max(",;\t", key=header.count)
    reader = csv.reader(text.splitlines(), delimiter=separator)
    found = [(reader.line_num, cells) for cells in reader if any(cell.strip() for cell in cells)]
    return (found[0][1], found[1:] if separator == "," else _with_points(found[1:])) if found else ([], [])


def _with_points(rows: list[tuple[int, list[str]]]) -> list[tuple[int, list[str]]]:
    """The cells with points for decimal commas, where no number has a point: one with both would be a thousand, or a slip."""
    if any(POINT.fullmatch(cell.strip()) for _, cells in rows for cell in cells):
        return rows
    return [(number, [cell.replace(",", ".") if COMMA.fullmatch(cell.strip()) else cell for cell in cells]) for number, cells in rows]


def _cells_of_frame(given: object) -> tuple[list[str], list[tuple[int, list[str]]]]:
    table = given.to_pandas() if hasattr(given, "to_pandas") else given
    if not hasattr(table, "columns"):
        raise KKError(f"a history is a table, not {type(given).__name__}", "Give a csv or a DataFrame with model, cv, public")
    cells = table.astype(object).where(table.notna(), "").astype(str).to_numpy().tolist()
    return [str(name) for name in table.columns], list(enumerate(cells, start=2))


def _columns(titles: Sequence[str], what: str) -> tuple[dict[str, int], tuple[str, ...]]:
    """Which column holds what: of several that fit, the one whose title stands first in the list of known ones."""
    known = [normalise(title) for title in titles]
    place = {key: known.index(name) for key, names in TITLES.items() for name in reversed(names) if name in known}
    if "model" not in place or not {"cv", "public"} & set(place):
        lacking = "model" if "model" not in place else "cv or public"
        raise KKError(f"{what} has no column for {lacking} (it has {', '.join(titles[:6])})", "Name them model, cv, public, private, cv_se, date")
    spread = [title for title, name in zip(titles, known, strict=True) if name in SPREADS]
    said = f"{spread[0]!r} is not read: a spread over folds is no standard error (that would be cv_se)" if spread else ""
    return place, (said,) if said else ()


def _line(number: int, cells: Mapping[str, str], what: str) -> Line:
    def value(key: str) -> float | None:
        return _number(cells.get(key, ""), f"{what}, line {number}: {key}")

    if not cells["model"]:
        raise KKError(f"{what}, line {number}: the model has no name", "Name it, or remove the line")
    found = Line(number, cells["model"], value("cv"), value("public"), value("private"), value("cv_se"), cells.get("date", ""),
                 "" if cells.get("public", "").lower() in NONE else cells["public"])
    if found.cv is None and found.public is None and found.private is None:
        raise KKError(f"{what}, line {number}: {found.model} has neither a cv nor a public score", "Write one, or remove the line")
    if found.cv_se is not None and found.cv_se < 0:
        raise KKError(f"{what}, line {number}: the standard error is {found.cv_se:g}", "Write it without sign")
    if found.date:
        _check_date(found.date, f"{what}, line {number}")
    return found


def _number(text: str, where: str) -> float | None:
    if text.lower() in NONE:
        return None
    if COMMA.fullmatch(text):
        raise KKError(f"{where} is {text!r}, a decimal comma", f"Write it with a point: {text.replace(',', '.')}")
    if text.endswith("%"):
        raise KKError(f"{where} is {text!r}", "Write it as the competition shows it, without a percent sign")
    try:
        value = float(text)
    except ValueError:
        raise KKError(f"{where} is {text!r}, which is no number", "Write the number alone, or leave the cell empty") from None
    if not math.isfinite(value):
        raise KKError(f"{where} is {text!r}", "Write a number, or leave the cell empty")
    return value


def _check_date(text: str, where: str) -> None:
    try:
        datetime.datetime.fromisoformat(text)
    except ValueError:
        raise KKError(f"{where}: the date is {text!r}", "Write it as 2026-01-31") from None


def add_history(store: Store, name: str, given: object, metric: Metric) -> Taken:
    """Take over a history as runs of kind table; a line that is there already (its model and values) is left alone.

    A known model with the same cv whose public or private score was not known yet is completed, not added once more.
    """
    lines, warnings = read_history(given)
    runs = {run.id: run for run in store.all_runs() if run.kind == "table"}
    sent = {record.run: record for record in store.all_submissions() if record.run in runs}
    known: dict[tuple, list[tuple[Run, Submission | None]]] = {}
    for run in runs.values():
        known.setdefault((run.notes.get("title"), run.score.mean), []).append((run, sent.get(run.id)))
    added, completed, same = [], [], 0
    for line in lines:
        alike = known.get((line.model, line.cv), [])
        match = next((pair for pair in alike if _fits(pair[1], line)), None)
        if match is None:
            added.append(_new(store, name, line, metric))
            continue
        alike.remove(match)
        if all(getattr(line, key) in (None, getattr(match[1], key, None)) for key in SCORES):
            same += 1
        else:
            completed.append(_completed(store, *match, line))
    return Taken(tuple(added), tuple(completed), same, warnings)


def _fits(record: Submission | None, line: Line) -> bool:
    """Whether no score of a submission says otherwise than the line."""
    pairs = ((getattr(record, key, None), getattr(line, key)) for key in SCORES)
    return all(old is None or new is None or old == new for old, new in pairs)


def _new(store: Store, name: str, line: Line, metric: Metric) -> Run:
    """The run and, where it has a public or private score, the submission of a line."""
    short = safe_name(line.model)
    run = store.new_run(lambda number: Run(
        id=number, name=short, kind="table", status="done", model=short, recipe=short, metric=metric.name,
        greater_is_better=metric.greater_is_better, score=Score(mean=line.cv, se=line.cv_se), inference="other", created=line.date or now(),
        notes={"table": name, "title": line.model, "line": line.number}))
    open_ledger(store).save_run(run)
    if line.public is not None or line.private is not None:
        _submission(store, run, line)
    return run


def _submission(store: Store, run: Run, line: Line) -> None:
    record = store.new_submission(lambda number: Submission(
        n=number, run=run.id, recipe=run.recipe, tag=TAG + hashlib.sha256(run.uid.encode()).hexdigest()[:8], status="complete",
        message=f"typed over from {run.notes['table']}", public=line.public, private=line.private, shown=line.shown, date=line.date))
    open_ledger(store).save_submission(record)


def _completed(store: Store, run: Run, record: Submission | None, line: Line) -> Run:
    """The run with the scores that its line has got since."""
    if record is None:
        _submission(store, run, line)
        return run
    full = replace(record, public=line.public if line.public is not None else record.public, shown=line.shown or record.shown,
                   private=line.private if line.private is not None else record.private)
    store.write_submission(full)
    open_ledger(store).save_submission(full)
    return run
