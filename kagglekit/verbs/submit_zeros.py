"""kk submit-zeros: zeros (or the best constant) in the sample's exact form, and what their score says."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from kagglekit.errors import KKError
from kagglekit.registry import near_names
from kagglekit.run import Submission
from kagglekit.store import Store, open_store
from kagglekit.tables.submission import Preflight, value_columns, write_csv
from kagglekit.work.load import relative
from kagglekit.work.upload import checked_table, file_of, known_metric, refuse_notebooks_only, send
from kagglekit.work.zeros import VALUES, constant_and_table, plain, run_of_constant, with_reading


@dataclass(frozen=True, slots=True)
class Zeros:
    """The first submission as `kk submit-zeros` shows it; `columns` are the file's."""

    run: str
    value: object
    file: str
    rows: int
    columns: tuple[str, ...]
    ref: str
    status: str | None
    public: float | None
    private: float | None
    reading: tuple[Mapping[str, object], ...]
    seconds: float
    warnings: tuple[str, ...]
    next: str


def submit_zeros(*, value: str = "zeros", dry_run: bool = False, wait: bool = True, timeout: float = 600.0,
                 competition: object = None) -> Zeros:
    """Submit zeros, the metric's best `constant` or the `sample` as it is, so that the mechanics work before any model.

    Spends one of today's submissions; `dry_run` writes and checks the file only. Once the score is there, `reading` says what it
    reveals of the hidden answers.

        >>> kk.submit_zeros(dry_run=True).rows  # doctest: +SKIP
        16000
    """
    if value not in VALUES:
        raise KKError(f"{value!r} is no constant", f"{near_names(value, VALUES)}Give one of: {', '.join(VALUES)}")
    started, store = time.monotonic(), open_store(competition)
    constant, table = constant_and_table(store, value)
    ready = checked_table(store, table, known_metric(store.competition) if value == "constant" else None)
    record = _written(store, ready, value) if dry_run else _sent(store, ready, value, constant, wait, timeout)
    following = {None: "kk submit-zeros", "complete": "kk cv"}.get(record.status, "kk submissions")
    return Zeros(run=record.run, value=plain(constant), file=file_of(store, record), rows=len(ready.table), ref=record.ref,
                 columns=tuple(map(str, ready.table.columns)), status=record.status, public=record.public, private=record.private,
                 reading=record.reading, seconds=round(time.monotonic() - started, 2), warnings=ready.mended, next=following)


def _written(store: Store, ready: Preflight, value: str) -> Submission:
    """The csv alone: nothing is sent, and no record is kept."""
    path = store.submissions / f"dry-run-{value}.csv"
    write_csv(ready.table, path)
    return Submission(n=0, file=relative(path))


def _sent(store: Store, ready: Preflight, value: str, constant: object, wait: bool, timeout: float) -> Submission:
    run = run_of_constant(store, value, constant, ready.table[value_columns(ready.table, store.competition.sample_ids)])
    refuse_notebooks_only(store, run)
    record = send(store, ready.table, run=run.id, recipe=run.recipe, message=run.name, wait=wait, timeout=timeout)
    return with_reading(store, record)
