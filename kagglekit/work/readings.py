"""What a constant's public score says, with everything that the workspace knows; and the public rows that all scores together allow."""

from collections.abc import Iterator, Sequence

import numpy as np

from kagglekit.errors import KKError
from kagglekit.metrics import Metric
from kagglekit.run import Run, Submission
from kagglekit.store import Store
from kagglekit.tables.reading import Bounds, Case, Lattice, Reading, constant_bounds, hits, read_constant, solve, span, step_of
from kagglekit.tables.submission import value_columns
from kagglekit.work.load import metric_of, read_table

WIDER = 0.015
NOT_KNOWN_ROWS = 0.3
MOST_ROWS = 400_000


def readings(store: Store, run: Run, record: Submission) -> list[Reading]:
    """What the score of a constant says; where no more can be read, that the file was accepted."""
    accepted = Reading(f"the file was accepted and scores {record.shown or record.public}", record.public, "the server's own score")
    try:
        case = case_of(store, run, record)
        if case is None:
            return [accepted]
        records = [one for one in store.all_submissions() if one.public is not None and one.n != record.n]
        return read_constant(case, _spans(store)[0], list(_bounds(store, records)), list(_cases(store, records)),
                             trusted=bool(store.competition.public_fraction))
    except (KKError, ValueError, TypeError, ArithmeticError, LookupError) as error:
        return [Reading(accepted.says, record.public, f"the server's own score; no more can be read: {getattr(error, 'what', error)}")]


def case_of(store: Store, run: Run, record: Submission) -> Case | None:
    """The constant of a run, its score and train's target; None where the file is no constant."""
    constant = run.notes.get("constant")
    if constant is None:
        constant = _constant_in(store.array(run, "test"))
    if constant is None or record.public is None:
        return None
    competition = store.competition
    try:
        scorer: Metric | None = metric_of(competition)
    except KKError:
        scorer = None
    target, groups = _target(store)
    sample = read_table(store, "sample")
    rows = round((record.rows or len(sample)) * (competition.public_fraction or NOT_KNOWN_ROWS))
    shown = [one.shown for one in store.all_submissions() if one.public is not None]
    return Case(metric=scorer.name if scorer else competition.metric or competition.metric_known_as, scorer=scorer,
                constant=np.asarray(constant) if isinstance(constant, list) else constant, score=float(record.public), target=target,
                classes=tuple(competition.classes) if target.ndim == 1 else (), rows=max(rows, 1), groups=groups,
                columns=len(value_columns(sample, competition.sample_ids)), step=step_of(shown), by_time=bool(competition.time))


def _constant_in(test: np.ndarray | None) -> object:
    """The one value (a column) that a file holds, None where it holds several."""
    if test is None or not len(test) or np.ptp(test, axis=0).any():
        return None
    return test[0].tolist()


def _target(store: Store) -> tuple[np.ndarray, np.ndarray | None]:
    """Train's target (rows, or rows x columns) without its gaps, and the groups of these rows."""
    competition = store.competition
    if not competition.target:
        raise KKError("the target is not known", 'Write target = ["COLUMN"] in competition.toml')
    role, names = ("labels" if competition.labels else "train"), list(competition.target)
    grouped = list(competition.group[:1]) if role == "train" else []
    table = read_table(store, role, [*names, *grouped]).dropna(subset=names)
    groups = table[grouped[0]].astype(str).to_numpy() if grouped else None
    kept = _some_rows(len(table), groups)
    target = table[names].to_numpy() if len(names) > 1 else table[names[0]].to_numpy()
    return target[kept], None if groups is None else groups[kept]


def _some_rows(rows: int, groups: np.ndarray | None) -> np.ndarray | slice:
    """All rows, or of very many a random part (whole groups) that says as much as is needed."""
    if rows <= MOST_ROWS:
        return slice(None)
    unit = np.arange(rows) if groups is None else np.unique(groups, return_inverse=True)[1]
    chosen = np.random.default_rng(0).random(int(unit.max()) + 1) < MOST_ROWS / rows
    return chosen[unit]


def _spans(store: Store) -> tuple[tuple[int, int], ...]:
    """The counts of public rows that the page's share allows, and wider ones in case it is rounded more."""
    rows, fraction = len(read_table(store, "sample")), store.competition.public_fraction
    return (span(rows, fraction), span(rows, fraction, WIDER)) if fraction else (span(rows, 0.0),)


def _bounds(store: Store, records: Sequence[Submission]) -> Iterator[Bounds]:
    """What each score says of a public mean of whole numbers: hits for accuracy, else constants only."""
    try:
        name = metric_of(store.competition).name
    except KKError:
        name = store.competition.metric or store.competition.metric_known_as
    if name == "accuracy" and len(store.competition.target) == 1:
        step = step_of([record.shown for record in records])
        yield from (hits(float(record.public), step) for record in records if 0 <= float(record.public) <= 1)
        return
    found = (constant_bounds(case) for case in _cases(store, records))
    yield from (bounds for bounds in found if bounds is not None)


def _cases(store: Store, records: Sequence[Submission]) -> Iterator[Case]:
    """The constants among these submissions, each once."""
    constants = {run.id: run for run in store.all_runs() if run.kind == "zeros"}
    for record in {record.run: record for record in records if record.run in constants}.values():
        case = case_of(store, constants[record.run], record)
        if case is not None:
            yield case


def solved_rows(store: Store, records: Sequence[Submission]) -> Lattice | None:
    """The public rows that fit all scores together; None where the scores say nothing of them."""
    try:
        bounds = list(_bounds(store, records))
    except (KKError, ValueError, TypeError, ArithmeticError, LookupError):
        return None
    found, trusted = None, bool(store.competition.public_fraction)
    for number, (first, last) in enumerate(_spans(store) if bounds else ()):
        found = solve(bounds, first, last, trusted and number == 0)
        if found.counts:
            return found
    return found


def reading_notes(records: Sequence[Submission]) -> tuple[str, ...]:
    """What the constants' readings warn of: a contradicted metric, a shifted target. The latest reading of each kind."""
    latest: dict[str, str] = {}
    for record in records:
        for reading in record.reading:
            kind, state = str(reading.get("kind", "")), reading.get("state")
            if kind in ("metric", "shift") and state:
                latest[kind] = str(reading["says"]) if state in ("contradicted", "shifted", "far") else ""
    return tuple(f"a constant's score says: {says}" for says in latest.values() if says)
