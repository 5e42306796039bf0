"""kk rebuild: make ledger.db again from the files alone."""

from dataclasses import dataclass

from kagglekit.ledger import rebuild as rebuild_ledger
from kagglekit.store import open_store


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """How much the ledger holds now."""

    file: str
    folds: int
    runs: int
    submissions: int
    next: str


def rebuild(*, competition: object = None) -> Rebuilt:
    """Make the ledger again from run.json, the folds' and the submissions' json files.

        >>> kk.rebuild().runs  # doctest: +SKIP
    """
    store = open_store(competition)
    ledger = rebuild_ledger(store)
    return Rebuilt(str(store.ledger), len(ledger.folds()), len(ledger.runs()), len(ledger.submissions()), "kk status")
