"""kk merge: runs, folds and submissions from another machine or a team mate."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kagglekit.errors import KKError
from kagglekit.ledger import rebuild
from kagglekit.store import open_store
from kagglekit.work.merge import other_store, take_over


@dataclass(frozen=True, slots=True)
class Merged:
    """What came over: `runs` maps the id there to the id here; folds by name, submissions by number."""

    source: str
    runs: Mapping[str, str]
    folds: tuple[str, ...]
    submissions: tuple[int, ...]
    warnings: tuple[str, ...]
    next: str


def merge(folder: str | Path, *, competition: object = None) -> Merged:
    """Take runs, folds and submissions from another copy of the competition; what is here already (by uid, ref or tag) is left.

    `folder` is that copy's folder or its workspace. Nothing here is changed or overwritten; the ledger is made anew.

        >>> kk.merge("../desk/competitions/titanic").runs  # doctest: +SKIP
        {'r3': 'r12'}
    """
    store = open_store(competition)
    other = other_store(Path(folder).expanduser().resolve(), store.competition.slug)
    if other.folder.resolve() == store.folder.resolve():
        raise KKError(f"{folder} is this very competition", "Name another copy of it: kk merge FOLDER")
    taken = take_over(store, other)
    rebuild(store)
    return Merged(str(other.folder), taken.runs, taken.folds, taken.submissions, taken.warnings, "kk runs")
