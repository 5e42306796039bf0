"""kk submit: send a run's test predictions and wait for the score."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

from kagglekit.progress import say
from kagglekit.run import Submission
from kagglekit.store import Store, open_store
from kagglekit.work.gate import Gate, look, step_after
from kagglekit.work.upload import csv_of_run, file_of, refuse_notebooks_only, send


@dataclass(frozen=True, slots=True)
class Submitted:
    """A submission as `kk submit` shows it, with the run's own score beside.

    `gate`: what could be said of it before (before, against, gap, se, left_today) and of a new best after; None where nothing could.
    """

    ref: str
    run: str
    name: str
    file: str
    status: str | None
    public: float | None
    private: float | None
    error: str
    cv: float | None
    cv_se: float | None
    warnings: tuple[str, ...]
    gate: Mapping[str, object] | None
    next: str


def submit(run: str, *, message: str = "", wait: bool = True, timeout: float = 600.0, competition: object = None) -> Submitted:
    """Submit the test predictions of `run` (id or name), checked before anything is sent.

    Raises KKError for what the server would refuse, RemoteError (limit, refused, offline ...) and SubmissionFailed with the
    server's reason. Still pending after `timeout` seconds is no error: `kk submissions` brings the score later. What the score can teach is
    said before it is sent, and whether a new best is beyond noise after it; neither keeps anything back.

        >>> kk.submit("r3").public  # doctest: +SKIP
        0.81234
    """
    store = open_store(competition)
    chosen = store.run(run)
    refuse_notebooks_only(store, chosen)
    ready = csv_of_run(store, chosen)
    gate = look(store, chosen)
    if gate is not None:
        say(gate.before)
    record = send(store, ready.table, run=chosen.id, recipe=chosen.recipe, message=message or chosen.name, wait=wait,
                  timeout=timeout)
    after = step_after(store, chosen, record)
    gate = replace(gate or Gate(""), after=after) if gate or after else None
    return Submitted(ref=record.ref, run=chosen.id, name=chosen.name, file=file_of(store, record), status=record.status,
                     public=record.public, private=record.private, error=record.error, cv=chosen.score.mean,
                     cv_se=chosen.score.se, warnings=ready.mended + ready.warnings + chosen.warnings, gate=asdict(gate) if gate else None,
                     next=_next(store, record))


def _next(store: Store, record: Submission) -> str:
    if record.status == "pending":
        return "kk submissions"
    kinds = {run.id: run.kind for run in store.all_runs()}
    scored = {one.recipe for one in store.all_submissions() if one.public is not None and kinds.get(one.run, "zeros") != "zeros"}
    return "kk lbcheck" if len(scored) > 1 else "kk train lgbm"
