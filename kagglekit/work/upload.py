"""Sending a submission: preflight before, a unique tag, one upload, and a wait for the score; nothing is ever sent twice."""

import math
import secrets
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from kagglekit.blenders.decision import decided_again
from kagglekit.competition import Competition
from kagglekit.errors import KKError, RemoteError, SubmissionFailed
from kagglekit.ledger import open_ledger
from kagglekit.metrics import REGISTRY, Metric, check_metric
from kagglekit.predictions import decide
from kagglekit.progress import say
from kagglekit.registry import is_path_reference
from kagglekit.remote import Remote, connect
from kagglekit.replies import RemoteSubmission
from kagglekit.run import Run, Submission, now
from kagglekit.store import Store
from kagglekit.tables.submission import MAKE, Preflight, as_written, fill_sample, made_table, preflight, same_file, write_csv
from kagglekit.work.load import ROW, id_table, metric_of, read_table, relative

FIRST_PAUSE, LONGEST_PAUSE = 0.3, 10.0
LOOKS, LOOKING_SECONDS = 5, 60.0
MAX_MESSAGE = 400
COMPARED = 20  # earlier submissions
UNANSWERED = ("sending", "offline", "server")
PASSING = ("offline", "server", "rate")


def known_metric(competition: Competition) -> Metric | None:
    """The competition's Metric, None where its name stands for none."""
    if is_path_reference(competition.metric):
        return metric_of(competition)
    return check_metric(competition.metric, competition.greater_is_better) if competition.metric in REGISTRY else None


def checked_table(store: Store, table: pd.DataFrame, metric: Metric | None, sample: pd.DataFrame | None = None) -> Preflight:
    """Preflight of a table against the sample and the last submissions; without a metric any label of the right kind passes."""
    sample = sample_table(store) if sample is None else sample
    return preflight(table, sample, store.competition.sample_ids, metric, store.competition.classes, _earlier(store))


def sample_table(store: Store) -> pd.DataFrame:
    """The sample submission, its ids and labels as they stand in its file."""
    competition = store.competition
    return as_written(read_table(store, "sample"), store.raw / competition.sample, competition.sample_ids)


def _units(store: Store) -> pd.DataFrame:
    """The columns that name the rows of test: what several rows of the sample belong to, else the ids, else the row's number."""
    test, unit = id_table(store, "test"), list(store.competition.unit)
    return read_table(store, "test", unit) if unit and list(test.columns) == [ROW] else test


def _earlier(store: Store) -> dict[str, Path]:
    """The csv files sent last, by the names to call them, newest first."""
    sent = [record for record in reversed(store.all_submissions()) if record.ref and record.tag and record.file and record.status != "error"]
    scored = {record.n: f" (public {record.public:.6g})" if record.public is not None else "" for record in sent}
    return {f"{record.file}{scored[record.n]}": store.submission_csv(record) for record in sent[:COMPARED]}


def csv_of_run(store: Store, run: Run) -> Preflight:
    """A run's test predictions in the sample's form, checked; raises KKError for what the server would refuse."""
    if run.status != "done":
        raise KKError(f"{run.id} {run.name} is not finished (status {run.status})", "Run its command again; see: kk runs")
    values = store.array(run, "test")
    if values is None:
        raise KKError(f"{run.id} {run.name} has no test predictions", f"Add them: kk add {run.name} --oof FILE --test FILE")
    competition, sample = store.competition, sample_table(store)
    metric = known_metric(competition)
    ids, make = competition.sample_ids, competition.folder / MAKE
    if make.exists():
        names = competition.classes or competition.target
        return checked_table(store, made_table(make, sample, ids, values, _units(store), names), metric, sample)
    said = decided_again(run.notes.get("decision") or {}, values, competition.classes)
    if said is None:
        said = _decided(values, metric, competition)
    return checked_table(store, fill_sample(sample, ids, said, id_table(store, "test")), metric, sample)


def _decided(values: np.ndarray, metric: Metric | None, competition: Competition) -> np.ndarray:
    """What the sample's columns hold: labels, values, or of a list metric the labels of a row's best classes with spaces between."""
    if metric is None or metric.needs != "list":
        return decide(values, metric.form if metric else competition.prediction, competition.classes)
    codes, labels = decide(values, "list", competition.classes, metric.parameter), np.array([str(label) for label in competition.classes])
    return np.array([" ".join(labels[row[row >= 0]]) for row in codes])


def refuse_notebooks_only(store: Store, run: Run) -> None:
    """Raise SubmissionFailed, and record why, where the competition takes submissions from notebooks only."""
    if not store.competition.code_only:
        return
    record = _keep(store, replace(_opened(store, run.id, run.recipe, run.name, 0), reason="notebooks-only"))
    raise SubmissionFailed(f"{store.competition.slug} takes submissions from notebooks only",
                           "Submit the notebook on Kaggle, then: kk submissions", record)


def send(store: Store, table: pd.DataFrame, *, run: str, recipe: str, message: str, wait: bool, timeout: float) -> Submission:
    """Write the csv, upload it and wait for the score; every state is kept in the submission's json and the ledger.

    A file whose answer was lost in an earlier call is looked for first and sent only if the server does not have it. Raises
    RemoteError where it was not accepted (its cause is the record's reason), SubmissionFailed where the server ended it with
    an error.
    """
    record = _unanswered(store, run, table) or _opened(store, run, recipe, message, len(table))
    try:
        with connect(store.competition.server) as remote:
            ref = _ref_of(remote, store.competition.slug, record.tag) if record.file else ""
            ref = ref or _sent(store, remote, record, table)
            record = _keep(store, replace(_latest(store, record), ref=ref, status="pending", reason="", error=""))
            return _waited(store, remote, record, timeout) if wait else record
    except KKError as error:
        last = _latest(store, record)
        if last.status is None:
            _keep(store, replace(last, reason=getattr(error, "cause", "not sent"), error=error.what))
        raise


def file_of(store: Store, record: Submission) -> str:
    """A submission's csv as a person would type it from here; of one made elsewhere the name it had."""
    path = store.submissions / record.file
    return relative(path) if record.tag and record.file else record.file


def _opened(store: Store, run: str, recipe: str, message: str, rows: int) -> Submission:
    """A new record with its tag, on disk before anything is sent."""
    tag = f"kk-{secrets.token_hex(4)}"
    return _keep(store, store.new_submission(lambda number: Submission(
        n=number, run=run, recipe=recipe, tag=tag, message=message[:MAX_MESSAGE], rows=rows, date=now(), reason="not sent")))


def _unanswered(store: Store, run: str, table: pd.DataFrame) -> Submission | None:
    """The last record of the same run and the same bytes of which nobody knows whether the server has it."""
    for record in reversed(store.all_submissions()):
        unanswered = record.run == run and not record.ref and record.file and record.reason in UNANSWERED
        if unanswered and same_file(table, store.submission_csv(record)):
            return record
    return None


def _latest(store: Store, record: Submission) -> Submission:
    return next((other for other in store.all_submissions() if other.n == record.n), record)


def _keep(store: Store, record: Submission) -> Submission:
    store.write_submission(record)
    open_ledger(store).save_submission(record)
    return record


def _sent(store: Store, remote: Remote, record: Submission, table: pd.DataFrame) -> str:
    """Limits first, then the csv, the upload and the submission itself; a lost answer is looked for by the tag. Gives the ref."""
    slug = store.competition.slug
    allowed, today = remote.limits(slug)
    if allowed < 1:
        practice = remote.server == "practice"
        later = "rehearse the next day: kk arena advance --days 1" if practice else "the next day begins at 00:00 UTC"
        raise RemoteError(f"no submission is left today ({today} made)", f"Nothing was sent; {later}", cause="limit")
    path = store.submission_csv(record)
    write_csv(table, path)
    record = _keep(store, replace(record, file=path.name, reason="sending", error=""))
    say(f"sending {path.name} ({len(table):,} rows): one of {allowed} submissions left today")
    token = remote.upload(slug, path)
    try:
        return remote.create_submission(slug, token, f"{record.message} [{record.tag}]")
    except RemoteError as error:
        if error.cause not in ("offline", "server"):
            raise
        return _found_again(remote, slug, record, error)


def _found_again(remote: Remote, slug: str, record: Submission, error: RemoteError) -> str:
    """The ref of a submission whose answer was lost; the error where it did not arrive within a minute."""
    say("the answer was lost: looking for the submission by its tag")
    deadline = time.monotonic() + LOOKING_SECONDS
    for look in range(LOOKS):
        time.sleep(FIRST_PAUSE * 2**look)
        try:
            ref = _ref_of(remote, slug, record.tag)
        except RemoteError as again:
            if again.cause not in PASSING:
                raise
            ref = ""
        if ref:
            return ref
        if time.monotonic() > deadline:
            break
    raise RemoteError(f"the answer to {record.stem}.csv was lost and the server does not list it yet ({error.what})",
                      f"Look again: kk submissions; or kk submit {record.run}, which sends it only if it did not arrive",
                      cause=error.cause) from error


def _ref_of(remote: Remote, slug: str, tag: str) -> str:
    """The ref of the submission whose message holds the tag, '' where there is none."""
    return next((told.ref for told in remote.submissions(slug) if f"[{tag}]" in told.message), "")


def _waited(store: Store, remote: Remote, record: Submission, timeout: float) -> Submission:
    """Poll with growing pauses until the score is there or `timeout` seconds are over (then it stays pending)."""
    deadline, pause, said = time.monotonic() + timeout, FIRST_PAUSE, False
    while True:
        try:
            record = _updated(store, record, remote.submission(record.ref))
        except RemoteError as error:
            if error.cause not in PASSING:
                raise
            if not said:
                say(f"{error.what}; submission {record.ref} was accepted, asking for its score again")
                said = True
        if record.status == "error":
            raise SubmissionFailed(f"submission {record.ref} ended in an error: {record.error or 'no reason was given'}",
                                   f"Mend {record.file} and submit again", record)
        left = deadline - time.monotonic()
        if record.status == "complete" or left <= 0:
            return record
        time.sleep(min(pause, left))
        pause = min(pause * 1.6, LONGEST_PAUSE)


def _updated(store: Store, record: Submission, told: RemoteSubmission) -> Submission:
    """The record with what the server says of it now; written only where something changed."""
    fresh = replace(record, ref=told.ref, status=told.status, public=_number(told.public), private=_number(told.private),
                    shown=told.public, error=told.error, reason="error" if told.status == "error" else "")
    return _keep(store, fresh) if fresh != record else record


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def sync(store: Store, remote: Remote, tell: Callable[[str], None]) -> None:
    """Bring every submission up to date, all pages; those made elsewhere are added."""
    mine = store.all_submissions()
    by_ref = {record.ref: record for record in mine if record.ref}
    unsent = [record for record in mine if record.tag and not record.ref]
    for told in reversed(remote.submissions(store.competition.slug)):
        record = by_ref.get(told.ref) or next((one for one in unsent if f"[{one.tag}]" in told.message), None)
        if record is None:
            date = told.date.isoformat(timespec="seconds") if told.date else now()
            record = store.new_submission(lambda number, told=told, date=date: Submission(
                n=number, message=told.message, file=told.file, ref=told.ref, date=date))
            tell(f"submission {told.ref} ({told.file}) was made elsewhere")
        _updated(store, record, told)
