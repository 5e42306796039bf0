"""kk submissions: every submission with its scores, brought up to date from the server; and joining one to its run."""

import dataclasses
from dataclasses import dataclass

from kagglekit.errors import KKError, RemoteError
from kagglekit.ledger import open_ledger
from kagglekit.registry import near_names
from kagglekit.remote import connect
from kagglekit.run import Run, Submission
from kagglekit.store import Store, open_store
from kagglekit.work.standing import keep_standing, plot_standing, standing_history
from kagglekit.work.upload import file_of, known_metric
from kagglekit.work.upload import sync as sync_all
from kagglekit.work.zeros import with_reading

SORTS = ("date", "public", "private", "cv", "gap")


@dataclass(frozen=True, slots=True)
class Submissions:
    """Rows of submissions; `rank` of `teams` is the own place (0: none is known), `plot` the picture of its history."""

    rows: tuple[dict[str, object], ...]
    rank: int
    teams: int
    plot: str
    warnings: tuple[str, ...]
    next: str


@dataclass(frozen=True, slots=True)
class Linked:
    """A submission that now belongs to a run."""

    ref: str
    run: str
    recipe: str
    file: str
    next: str


def submissions(*, sort: str = "date", sync: bool = True, plot: bool = False, competition: object = None) -> Submissions:
    """All submissions, those made elsewhere too; with `sync` their states and scores are asked for, and the board is kept.

    `sort`: date (newest first), or public, private, cv (best first), gap (largest first). Where the server does not answer, the
    rows on disk are shown with a warning. `plot` draws the own rank over time to reports/rank.png.

        >>> kk.submissions().rows[0]["public"]  # doctest: +SKIP
        0.81234
    """
    if sort not in SORTS:
        raise KKError(f"submissions cannot be sorted by {sort!r}", f"{near_names(sort, SORTS)}Known: {', '.join(SORTS)}")
    store = open_store(competition)
    warnings: list[str] = []
    if sync:
        try:
            with connect(store.competition.server) as remote:
                sync_all(store, remote, warnings.append)
                keep_standing(store, remote)
        except RemoteError as error:
            warnings.append(f"not brought up to date: {error}")
    runs = {run.id: run for run in store.all_runs()}
    records = [with_reading(store, record) if sync and record.run in runs else record for record in store.all_submissions()]
    rows = _sorted(store, [_row(store, record, runs.get(record.run)) for record in reversed(records)], sort)
    place = (standing_history(store) or [{"rank": 0, "teams": 0}])[-1]
    picture = plot_standing(store) if plot else None
    if plot and picture is None:
        warnings.append("there is no picture yet: the own place was not seen to change")
    return Submissions(tuple(rows), int(str(place["rank"])), int(str(place["teams"])), str(picture or ""), tuple(warnings), _next(rows))


def _row(store: Store, record: Submission, run: Run | None) -> dict[str, object]:
    cv = run.score.mean if run else None
    gap = record.public - cv if record.public is not None and cv is not None else None
    return {"ref": record.ref, "run": record.run, "name": run.name if run else record.file, "recipe": record.recipe,
            "folds": run.folds if run else "", "cv": cv, "cv_se": run.score.se if run else None, "gap": gap,
            "status": record.status, "reason": record.reason, "public": record.public, "private": record.private,
            "error": record.error, "date": record.date, "file": file_of(store, record), "tag": record.tag}


def _sorted(store: Store, rows: list[dict[str, object]], sort: str) -> list[dict[str, object]]:
    if sort == "date":
        return rows
    metric = known_metric(store.competition)
    better = metric.greater_is_better if metric is not None else store.competition.greater_is_better is not False
    sign = -1 if better and sort != "gap" else 1

    def key(row: dict[str, object]) -> tuple:
        value = row[sort]
        return (value is None, 0 if value is None else -abs(value) if sort == "gap" else sign * value)  # type: ignore[arg-type,operator]

    return sorted(rows, key=key)


def _next(rows: list[dict[str, object]]) -> str:
    if any(row["status"] == "pending" for row in rows):
        return "kk submissions"
    return "kk lbcheck" if any(row["public"] is not None for row in rows) else "kk submit-zeros"


def submissions_link(ref: str, run: str, *, competition: object = None) -> Linked:
    """Join a submission (made in a browser, or by an older tool) to a run, so that its public score counts for the run's recipe.

        >>> kk.submissions_link("4711", "r7").recipe  # doctest: +SKIP
    """
    store = open_store(competition)
    records = {record.ref: record for record in store.all_submissions() if record.ref}
    if str(ref) not in records:
        raise KKError(f"no submission has the ref {ref!r}", f"{near_names(str(ref), records)}Bring the list up to date: kk submissions")
    old, mine = records[str(ref)], store.run(run)
    linked = dataclasses.replace(old, run=mine.id, recipe=mine.recipe)
    store.write_submission(linked)
    if linked.stem != old.stem:
        (store.submissions / f"{old.stem}.json").unlink(missing_ok=True)
    open_ledger(store).save_submission(linked)
    return Linked(linked.ref, linked.run, linked.recipe, linked.file, "kk lbcheck")
