"""kk status: where one stands in every joined competition, at once."""

from dataclasses import dataclass

from kagglekit.competition import Competition, read_competition, require_workspace
from kagglekit.ledger import open_ledger
from kagglekit.remote import server_now
from kagglekit.store import Store, joined_slugs, open_store


@dataclass(frozen=True, slots=True)
class Status:
    """One row a competition: days left, folds, runs, best score, submissions, what is unfinished."""

    workspace: str
    rows: tuple[dict[str, object], ...]
    next: str


def status(*, competition: object = None) -> Status:
    """The daily view: of one competition, or of all that are joined. Reads the ledgers only.

        >>> kk.status().rows  # doctest: +SKIP
    """
    workspace = require_workspace()
    slugs = [open_store(competition).competition.slug] if competition is not None else joined_slugs()
    rows = tuple(_row(read_competition(workspace / "competitions" / slug)) for slug in slugs)
    if not rows:
        return Status(str(workspace), (), "kk join practice-clinics --practice")
    return Status(str(workspace), rows, str(rows[0]["next"]))


def _row(competition: Competition) -> dict[str, object]:
    store, now = Store(competition), server_now(competition.server)
    ledger = open_ledger(store)
    folds, runs = ledger.folds(), ledger.runs()
    sent = [row for row in ledger.submissions() if row["ref"]]
    better = competition.greater_is_better is not False
    scored = [run for run in runs if run["score"] is not None and folds and run["folds"] == folds[-1]["name"]]
    best = (max if better else min)(scored, key=lambda run: run["score"], default=None)
    public = [row["public"] for row in sent if row["public"] is not None]
    today = now.date().isoformat()
    left = [f"{run['id']} {run['name']}" for run in _started(store)]
    return {"slug": competition.slug, "days_left": competition.days_left(now), "metric": competition.metric, "folds": [row["name"] for row in folds],
            "forced": [row["name"] for row in folds if row["forced"]], "runs": len(runs), "best_run": best["id"] if best else "",
            "best_name": best["name"] if best else "", "best_folds": best["folds"] if best else "", "best": best["score"] if best else None,
            "best_se": best["se"] if best else None, "submissions": len(sent), "submitted_today": sum(row["date"][:10] == today for row in sent),
            "best_public": (max if better else min)(public, default=None), "pending": sum(row["status"] == "pending" for row in sent),
            "unfinished": left, "next": _next(store, folds, runs, sent)}


def _started(store: Store) -> list[dict]:
    """Runs that have begun and are not in the ledger: still at work, or killed."""
    return [{"id": run.id, "name": run.name} for run in store.all_runs() if run.status == "started"]


def _next(store: Store, folds: list, runs: list, sent: list) -> str:
    if not store.manifest.exists():
        return f"kk join {store.competition.slug}"
    if not sent:
        return "kk submit-zeros"
    if any(row["status"] == "pending" for row in sent):
        return "kk submissions"
    if not folds:
        return "kk cv"
    trained = [run for run in runs if run["kind"] in ("train", "add")]
    if not trained:
        return "kk baseline"
    scored = {row["recipe"] for row in sent if row["public"] is not None and row["recipe"]} & {run["recipe"] for run in trained}
    return "kk submit " + str(trained[-1]["id"]) if not scored else "kk lbcheck" if len(scored) < 5 else "kk ensemble"
