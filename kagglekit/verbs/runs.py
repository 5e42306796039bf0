"""kk runs: every run with its score, what it may be believed, and its public score; and two runs beside each other."""

import csv as csv_format
import datetime
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kagglekit.errors import KKError
from kagglekit.ledger import open_ledger
from kagglekit.registry import near_names
from kagglekit.run import KINDS
from kagglekit.store import Store, open_store, write_text
from kagglekit.work.luck import Luck, luck_of_folds

if TYPE_CHECKING:
    from kagglekit.work.compare import Compared


@dataclass(frozen=True, slots=True)
class Runs:
    """Rows of the ledger, best first within each folds.

    `tried` counts the scored runs of each folds, `best` says of the best one how far luck alone would put it ahead (amounts in the
    competition's own units); both are of all runs on the folds, not of the rows shown. `compared` is the paired difference of two.
    """

    rows: tuple[dict[str, object], ...]
    tried: dict[str, int]
    best: dict[str, Luck]
    compared: "Compared | None"
    file: str
    next: str


def runs(names: Sequence[str] = (), *, folds: str | None = None, kind: str | None = None, model: str | None = None, since: str | None = None,
         best: int | None = None, csv: str | Path | None = None, competition: object = None) -> Runs:
    """The runs of a competition, best first within each folds: all, or those with these `names` (ids, names).

    Two names compare: the paired gap with its standard error (Nadeau & Bengio 2003 over folds; over rows where there is one
    fold), fold by fold. `since` is a date or a span such as 7d, `best` shows that many of each folds, `csv` writes the rows to a
    file. Beside the best score stands what the best of so many runs on the same folds would be ahead by luck alone.

        >>> kk.runs(["r3", "r7"]).compared.says  # doctest: +SKIP
        'r3 is better than r7 by 0.0004, 0.4 SE: too small to tell'
    """
    store = open_store(competition)
    if folds:
        store.folds_record(folds)
    if kind and kind not in KINDS:
        raise KKError(f"no run is of kind {kind!r}", f"{near_names(kind, KINDS)}Known: {', '.join(KINDS)}")
    if best is not None and best < 1:
        raise KKError(f"the best {best} runs are none", "Give a number of at least 1: kk runs --best 5")
    names = [names] if isinstance(names, str) else list(names)
    chosen = [store.run(name).id for name in names]
    start, better = _moment(since) if since else "", _more_is_better(store)
    rows = [row for row in _rows(store) if (not names or row["run"] in chosen) and (not folds or row["folds"] == folds)
            and (not kind or row["kind"] == kind) and (not model or model in (row["model"], row["name"])) and str(row["created"]) >= start]
    rows.sort(key=lambda row: (row["folds"] or "~", row["sample"] < 1, row["score"] is None, -(row["score"] or 0) if better else row["score"] or 0))
    rows = _best(rows, best) if best else rows
    found = luck_of_folds(store, {str(row["folds"]) for row in rows if row["folds"]}, 1 if better else -1)
    compared = _compared(store, chosen) if len(set(chosen)) == 2 else None
    file = _written(csv, rows) if csv else ""
    return Runs(tuple(rows), {name: one.tried for name, one in found.items()}, found, compared, file, _next(store, rows))


def _more_is_better(store: Store) -> bool:
    from kagglekit.metrics import REGISTRY

    name = store.competition.metric
    return REGISTRY.get(name).greater_is_better if name in REGISTRY else store.competition.greater_is_better is not False


def _compared(store: Store, chosen: Sequence[str]) -> "Compared":
    from kagglekit.work.compare import compare

    return compare(store, *chosen)


def _rows(store: Store) -> list[dict]:
    """The ledger's runs with the public score of their own submission, else of one of the same recipe (borrowed)."""
    ledger, samples = open_ledger(store), {run.id: run.sample for run in store.all_runs()}
    scored = [row for row in ledger.submissions() if row["public"] is not None]
    own, by_recipe = ({row[key]: row for row in scored} for key in ("run", "recipe"))
    rows = []
    for row in ledger.runs():
        sent = own.get(row["id"]) or by_recipe.get(row["recipe"]) or {}
        rows.append({"run": row["id"], "name": row["name"], "kind": row["kind"], "model": row["model"], "folds": row["folds"],
                     "recipe": row["recipe"], "status": row["status"], "score": row["score"], "se": row["se"],
                     "public": sent.get("public"), "private": sent.get("private"), "borrowed": bool(sent) and row["id"] not in own,
                     "sample": samples.get(row["id"], 1.0), "inference": row["inference"], "seconds": row["seconds"], "created": row["created"]})
    return rows


def _best(rows: Sequence[dict], count: int) -> list[dict]:
    """The first rows of each folds."""
    kept: dict[str, list[dict]] = {}
    for row in rows:
        kept.setdefault(row["folds"] or "", []).append(row)
    return [row for group in kept.values() for row in group[:count]]


def _moment(given: str) -> str:
    """The start of a span as the ledger writes moments: 2026-01-31, or 7d (days), 12h, 2w before now, in UTC."""
    span = re.fullmatch(r"(\d+)([hdw])", given)
    if span:
        hours = int(span[1]) * {"h": 1, "d": 24, "w": 168}[span[2]]
        return (datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=hours)).isoformat(timespec="seconds")
    try:
        return datetime.datetime.fromisoformat(given).isoformat(timespec="seconds")
    except ValueError:
        raise KKError(f"{given!r} is neither a date nor a span", "Write it as 2026-01-31, 7d, 12h or 2w") from None


def _written(path: str | Path, rows: Sequence[dict]) -> str:
    text = io.StringIO()
    names = list(rows[0]) if rows else ["run"]
    table = csv_format.DictWriter(text, names, lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    write_text(Path(path), text.getvalue())
    return str(path)


def _next(store: Store, rows: Sequence[dict]) -> str:
    if any(row["public"] is not None for row in rows):
        return "kk lbcheck"
    ready = (row for row in rows if row["status"] == "done" and (store.runs / f"{row['run']}-{row['name']}" / "test.npy").exists())
    return f"kk submit {run['run']}" if (run := next(ready, None)) else "kk train lgbm"
