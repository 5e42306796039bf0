"""kk submissions: every submission with its scores, brought up to date from the server."""

from dataclasses import dataclass

from kagglekit.errors import RemoteError
from kagglekit.remote import connect
from kagglekit.run import now
from kagglekit.store import Store, open_store, write_text
from kagglekit.work.upload import sync as sync_all


@dataclass(frozen=True, slots=True)
class Submissions:
    """Rows of submissions, newest first."""

    rows: tuple[dict[str, object], ...]
    warnings: tuple[str, ...]
    next: str


def submissions(*, sync: bool = True, competition: object = None) -> Submissions:
    """All submissions, those made elsewhere too; with `sync` their states and scores are asked for, and the board is kept.

    Offline the rows on disk are shown with a warning.

        >>> kk.submissions().rows[0]["public"]  # doctest: +SKIP
    """
    store = open_store(competition)
    warnings: list[str] = []
    if sync:
        try:
            with connect(store.competition.server) as remote:
                sync_all(store, remote, warnings.append)
                board = remote.leaderboard(store.competition.slug, most=100)
                _snapshot(store, board)
        except RemoteError as error:
            warnings.append(f"not brought up to date: {error}")
    runs = {run.id: run for run in store.all_runs()}
    rows = []
    for record in reversed(store.all_submissions()):
        run = runs.get(record.run)
        rows.append({"ref": record.ref, "run": record.run, "name": run.name if run else record.file, "recipe": record.recipe,
                     "status": record.status, "reason": record.reason, "cv": run.score.mean if run else None, "folds": run.folds if run else "",
                     "cv_se": run.score.se if run else None, "public": record.public, "private": record.private, "error": record.error,
                     "date": record.date, "file": record.file, "tag": record.tag})
    waiting = any(row["status"] == "pending" for row in rows)
    return Submissions(tuple(rows), tuple(warnings), "kk submissions" if waiting else "kk lbcheck")


def _snapshot(store: Store, board: list[tuple[str, str]]) -> None:
    """Keep the leaderboard's first places under the moment of the sync."""
    lines = ["rank,team,score", *(f'{rank},"{team}",{score}' for rank, (team, score) in enumerate(board, start=1))]
    write_text(store.leaderboard / f"{now().replace(':', '')}.csv", "\n".join(lines) + "\n")
