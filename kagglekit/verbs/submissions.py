"""kk submissions: every submission with its scores, brought up to date from the server."""

import csv
import io
from dataclasses import dataclass

from kagglekit.errors import RemoteError
from kagglekit.remote import Remote, connect
from kagglekit.run import Run, Submission, now
from kagglekit.store import Store, open_store, write_text
from kagglekit.work.upload import file_of
from kagglekit.work.upload import sync as sync_all
from kagglekit.work.zeros import with_reading

PLACES = 100


@dataclass(frozen=True, slots=True)
class Submissions:
    """Rows of submissions, newest first."""

    rows: tuple[dict[str, object], ...]
    warnings: tuple[str, ...]
    next: str


def submissions(*, sync: bool = True, competition: object = None) -> Submissions:
    """All submissions, those made elsewhere too; with `sync` their states and scores are asked for, and the board is kept.

    Where the server does not answer, the rows on disk are shown with a warning.

        >>> kk.submissions().rows[0]["public"]  # doctest: +SKIP
        0.81234
    """
    store = open_store(competition)
    warnings: list[str] = []
    if sync:
        try:
            with connect(store.competition.server) as remote:
                sync_all(store, remote, warnings.append)
                _keep_board(store, remote)
        except RemoteError as error:
            warnings.append(f"not brought up to date: {error}")
    runs = {run.id: run for run in store.all_runs()}
    records = [with_reading(store, record) if sync and record.run in runs else record for record in store.all_submissions()]
    rows = tuple(_row(store, record, runs.get(record.run)) for record in reversed(records))
    return Submissions(rows, tuple(warnings), _next(rows))


def _row(store: Store, record: Submission, run: Run | None) -> dict[str, object]:
    return {"ref": record.ref, "run": record.run, "name": run.name if run else record.file, "recipe": record.recipe,
            "folds": run.folds if run else "", "cv": run.score.mean if run else None, "cv_se": run.score.se if run else None,
            "status": record.status, "reason": record.reason, "public": record.public, "private": record.private,
            "error": record.error, "date": record.date, "file": file_of(store, record), "tag": record.tag}


def _next(rows: tuple[dict[str, object], ...]) -> str:
    if any(row["status"] == "pending" for row in rows):
        return "kk submissions"
    return "kk lbcheck" if any(row["public"] is not None for row in rows) else "kk submit-zeros"


def _keep_board(store: Store, remote: Remote) -> None:
    """Keep the leaderboard's first places under the moment of the sync."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["rank", "team", "score"])
    table.writerows((rank, *place) for rank, place in enumerate(remote.leaderboard(store.competition.slug, most=PLACES), start=1))
    write_text(store.leaderboard / f"{now()[:19].replace(':', '')}Z.csv", text.getvalue())
