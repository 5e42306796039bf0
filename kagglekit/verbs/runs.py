"""kk runs: every run with its score, what it may be believed, and its public score."""

from dataclasses import dataclass

from kagglekit.ledger import open_ledger
from kagglekit.store import open_store


@dataclass(frozen=True, slots=True)
class Runs:
    """Rows of the ledger, best first within each folds; `tried` counts the runs on each folds."""

    rows: tuple[dict[str, object], ...]
    tried: dict[str, int]
    best_of: dict[str, float]
    next: str


def runs(*, folds: str | None = None, competition: object = None) -> Runs:
    """The runs of a competition, of one folds or of all, best first.

    `best_of[folds]` is what the best of that many equal runs would be ahead by luck alone, in standard errors of one run.

        >>> kk.runs(folds="group5").rows[0]["run"]  # doctest: +SKIP
        'r4'
    """
    from kagglekit.metrics import REGISTRY

    store = open_store(competition)
    if folds:
        store.folds_record(folds)
    ledger = open_ledger(store)
    public = {row["recipe"]: row for row in ledger.submissions() if row["public"] is not None}
    own = {row["run"]: row for row in ledger.submissions() if row["public"] is not None}
    rows: list[dict] = []
    tried: dict[str, int] = {}
    for row in ledger.runs():
        if folds and row["folds"] != folds:
            continue
        sent = own.get(row["id"]) or public.get(row["recipe"]) or {}
        if row["folds"]:
            tried[row["folds"]] = tried.get(row["folds"], 0) + 1
        rows.append({"run": row["id"], "name": row["name"], "kind": row["kind"], "model": row["model"], "folds": row["folds"],
                     "recipe": row["recipe"], "status": row["status"], "score": row["score"], "se": row["se"],
                     "public": sent.get("public"), "private": sent.get("private"), "borrowed": bool(sent) and row["id"] not in own,
                     "inference": row["inference"], "seconds": row["seconds"], "created": row["created"]})
    name = store.competition.metric
    better = REGISTRY.get(name).greater_is_better if name in REGISTRY else store.competition.greater_is_better is not False
    rows.sort(key=lambda row: (row["folds"] or "~", row["score"] is None, -(row["score"] or 0) if better else row["score"] or 0))
    return Runs(tuple(rows), tried, {name: round(_expected_best(count), 2) for name, count in tried.items() if count > 1},
                "kk lbcheck" if any(row["public"] is not None for row in rows) else "kk submit RUN")


def _expected_best(count: int) -> float:
    from kagglekit.agreement import best_of

    return best_of(count)
