"""Sending a submission: preflight before, a unique tag, one upload, and a wait for the score; nothing is ever sent twice."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import pandas as pd

from kagglekit.errors import KKError, RemoteError, SubmissionFailed
from kagglekit.ledger import open_ledger
from kagglekit.metrics import REGISTRY, check_metric
from kagglekit.predictions import decide
from kagglekit.progress import say
from kagglekit.remote import Remote, RemoteSubmission, connect
from kagglekit.run import Run, Submission, now
from kagglekit.store import Store
from kagglekit.tables.submission import Preflight, fill_sample, preflight, write_csv
from kagglekit.work.load import read_table

FIRST_PAUSE, LONGEST_PAUSE, LOOKS_FOR_LOST = 0.2, 10.0, 5


@dataclass(frozen=True, slots=True)
class Message:
    """What goes with a file: the run it was made from and the person's words."""

    run: str
    recipe: str
    text: str


def checked_table(store: Store, table: pd.DataFrame) -> Preflight:
    """Preflight of a table against the sample."""
    competition = store.competition
    known = competition.metric in REGISTRY or ".py:" in competition.metric
    metric = check_metric(competition.metric, competition.greater_is_better) if known else None
    return preflight(table, read_table(store, "sample"), competition.id, metric, competition.classes)


def table_of_run(store: Store, run: Run) -> Preflight:
    """A run's test predictions in the sample's form, checked."""
    if run.status != "done":
        raise KKError(f"{run.id} {run.name} is not finished (status {run.status})", f"Train it to the end: kk train {run.model}")
    values = store.array(run, "test")
    if values is None:
        raise KKError(f"{run.id} {run.name} has no test predictions", "Add it again with --test FILE")
    competition = store.competition
    metric = check_metric(competition.metric, competition.greater_is_better) if competition.metric else None
    said = decide(values, metric.needs if metric else "value", competition.classes)
    return checked_table(store, fill_sample(read_table(store, "sample"), competition.id, said, read_table(store, "test")))


def send(store: Store, table: pd.DataFrame, message: Message, *, wait: bool, timeout: float) -> Submission:
    """Write the csv, upload it and wait for the score; every state is kept in the submission's json and the ledger.

    Raises RemoteError where it was never accepted, SubmissionFailed where Kaggle ended it with an error.
    """
    tag = f"kk-{secrets.token_hex(4)}"
    record = store.new_submission(lambda n: Submission(n=n, run=message.run, recipe=message.recipe, tag=tag, message=message.text,
                                                       rows=len(table), date=now(), reason="not sent yet"))
    record = replace(record, file=str(store.submission_csv(record)))
    write_csv(table, store.submission_csv(record))
    _keep(store, record)
    try:
        with connect(store.competition.server) as remote:
            record = _sent(store, remote, record)
            return _waited(store, remote, record, timeout) if wait else record
    except RemoteError as error:
        if record.status is None:
            _keep(store, replace(record, reason=error.cause, error=error.what))
        raise


def _sent(store: Store, remote: Remote, record: Submission) -> Submission:
    """Limits first, then upload and create; a lost answer is looked for by the tag."""
    slug = store.competition.slug
    allowed, today = remote.limits(slug)
    if allowed < 1:
        advice = "rehearse the next day with: kk arena advance --days 1" if remote.server == "practice" else "the next day begins at midnight UTC"
        raise RemoteError(f"no submission is left today ({today} were made)", f"Wait: {advice}", cause="limit")
    say(f"sending {record.stem}.csv ({record.rows:,} rows), one of {allowed} submissions left today")
    token = remote.upload(slug, store.submission_csv(record))
    text = f"{record.message} [{record.tag}]"
    try:
        ref = remote.create_submission(slug, token, text)
    except RemoteError as error:
        if error.cause not in ("offline", "server"):
            raise
        ref = _found_again(remote, slug, record.tag, error)
    return _keep(store, replace(record, ref=ref, status="pending", reason=""))


def _found_again(remote: Remote, slug: str, tag: str, error: RemoteError) -> str:
    """The ref of a submission whose answer was lost; the error where it never arrived."""
    say("the answer was lost: looking for the submission by its tag")
    for look in range(LOOKS_FOR_LOST):
        time.sleep(0.3 * 2**look)
        try:
            found = [one for one in remote.submissions(slug) if tag in one.message]
        except RemoteError as again:
            if again.cause not in ("offline", "server"):
                raise
            continue
        if found:
            return found[0].ref
    raise error


def _waited(store: Store, remote: Remote, record: Submission, timeout: float) -> Submission:
    """Poll with growing pauses until the score is there or `timeout` seconds are over (then it stays pending)."""
    deadline, pause = time.monotonic() + timeout, FIRST_PAUSE
    while True:
        record = _keep(store, merged(record, remote.submission(record.ref)))
        if record.status == "error":
            raise SubmissionFailed(f"Kaggle ended submission {record.ref} with an error: {record.error or 'no reason given'}",
                                   f"Look at {record.stem}.csv, mend it and submit again", record)
        if record.status == "complete" or time.monotonic() >= deadline:
            return record
        time.sleep(min(pause, max(deadline - time.monotonic(), 0.05)))
        pause = min(pause * 1.6, LONGEST_PAUSE)


def merged(record: Submission, told: RemoteSubmission) -> Submission:
    """A submission with what the server says of it now."""
    return replace(record, ref=told.ref, status=told.status, public=_number(told.public), private=_number(told.private), shown=told.public,
                   error=told.error, reason="" if told.status != "error" else "error")


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _keep(store: Store, record: Submission) -> Submission:
    store.write_submission(record)
    open_ledger(store).save_submission(record)
    return record


def sync(store: Store, remote: Remote, tell: Callable[[str], None]) -> None:
    """Bring every submission up to date, all pages; those made elsewhere are added."""
    mine = store.all_submissions()
    by_ref = {record.ref: record for record in mine if record.ref}
    by_tag = {record.tag: record for record in mine if record.tag}
    for told in reversed(remote.submissions(store.competition.slug)):
        tagged = next((record for tag, record in by_tag.items() if f"[{tag}]" in told.message), None)
        record = by_ref.get(told.ref) or tagged
        if record is None:
            date = told.date.isoformat(timespec="seconds") if told.date else now()
            record = store.new_submission(lambda n, told=told, date=date: Submission(n=n, message=told.message, file=told.file, date=date))
            tell(f"{told.ref} {told.file} was submitted elsewhere")
        if record != merged(record, told):
            _keep(store, merged(record, told))
