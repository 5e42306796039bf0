"""Evidence for lbcheck: the scored models of one split, anchors apart, and the noise of both sides from their own folds and rows."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from kagglekit import agreement
from kagglekit.folds import Folds
from kagglekit.run import Run, Submission
from kagglekit.store import Store
from kagglekit.work.kept import forced_note, load_folds
from kagglekit.work.load import load_data, metric_of, problem_of, read_table
from kagglekit.work.readings import reading_notes, solved_rows
from kagglekit.work.scored import (
    HISTORY,
    HOW,
    Evidence,
    Group,
    ScoredModel,
    asked_runs,
    board,
    group_of,
    groups_of,
    is_constant,
    scored_runs,
)
from kagglekit.work.shared_rows import SharedRows
from kagglekit.work.typed import from_table, typed_evidence

__all__ = ["Evidence", "ScoredModel", "from_table", "gather", "public_rows"]
Array = np.ndarray
ASSUMED_FRACTION = 0.3
STUB_ROWS = 1_000  # taken where the visible test is a stub: the careful end


def public_rows(store: Store, given: int | None, submissions: Sequence[Submission]) -> tuple[float, str]:
    """Rows of the public part and where the number comes from: the person, the score lattice if one count fits, the page, or an assumption."""
    if given:
        return float(given), "given"
    if store.competition.test_is_stub:
        return float(STUB_ROWS), f"unknown, the visible test is a stub: {STUB_ROWS:,} taken; give --n-public"
    rows = len(read_table(store, "sample"))
    fraction = store.competition.public_fraction
    solved = solved_rows(store, submissions)
    if solved is not None and solved.unique:
        return float(solved.unique), "score lattice"
    if fraction:
        return round(rows * fraction), f"the page says {fraction:.0%}"
    return round(rows * ASSUMED_FRACTION), f"assumed to be {ASSUMED_FRACTION:.0%} of test; give --n-public"


def gather(store: Store, folds_name: str | None, wanted: Sequence[str], n_public: int | None) -> Evidence:
    """The evidence of one split: its runs whose own or whose recipe's submission has a public score.

    folds_name: default the latest folds, or the typed-in history where these have fewer than two scored runs. Only runs whose test
    predictions were made in the same way are in one line: the largest such group, or the one that `wanted` (ids, names) is of.
    Raises KKError where the runs that were named are on different folds.
    """
    scored, notes = board(store)
    found = scored_runs(store, scored)
    ids, asked = asked_runs(store, wanted, folds_name)
    if wanted:
        found = {run: pair for run, pair in found.items() if run in ids}
    groups = groups_of(found)
    name = asked or _default(store, groups)
    if name == HISTORY and name not in store.folds_names():
        return _typed_in(store, found, scored, groups, n_public, notes)
    return _on_folds(store, load_folds(name, store), found, scored, groups, n_public, notes)


def _default(store: Store, groups: Sequence[Group]) -> str:
    typed = group_of(groups, "")
    if not store.folds_names() and typed:
        return HISTORY
    latest = store.latest_folds()
    here = group_of(groups, store.folds_record(latest)["fingerprint"])
    return HISTORY if typed and len(typed.runs) > 1 and (here is None or len(here.runs) < 2) else latest


def _typed_in(store: Store, found: dict[str, tuple[Run, ScoredModel]], scored: Sequence[Submission], groups: Sequence[Group],
              n_public: int | None, notes: Sequence[str]) -> Evidence:
    models = [model for run, model in found.values() if run.kind == "table"]
    rows, source = public_rows(store, n_public, scored)
    unknown = store.competition.test_is_stub and not n_public
    evidence = typed_evidence(metric_of(store.competition), models, None if unknown else rows, source, HISTORY, (*notes, *_doubts(store)))
    evidence = replace(evidence, submissions=len(scored), elsewhere=tuple(group for group in groups if group.fingerprint))
    return replace(evidence, anchors=(*evidence.anchors, *_zeros(store, scored)))


def _on_folds(store: Store, folds: Folds, found: dict[str, tuple[Run, ScoredModel]], scored: Sequence[Submission], groups: Sequence[Group],
              n_public: int | None, notes: Sequence[str]) -> Evidence:
    problem, data = problem_of(store.competition), load_data(store)
    group = group_of(groups, folds.fingerprint)
    rows, source = public_rows(store, n_public, scored)
    said = (*filter(None, (forced_note(store, folds.name),)), *notes, *reading_notes(scored))
    elsewhere = tuple(one for one in groups if one is not group)
    here = [pair for pair in found.values() if pair[0].folds_fingerprint == folds.fingerprint]
    chosen = [pair for pair in here if is_constant(pair[0]) or (group and pair[0].id in group.runs)]
    anchors = _zeros(store, scored)
    if not chosen:
        empty = np.zeros((0, 0))
        return Evidence(problem.metric, (), tuple(anchors), empty, empty, np.inf, None, rows, source, folds.name, True, said, len(scored),
                        elsewhere=elsewhere)
    rows_of = SharedRows(store, folds, problem, data, [run for run, _ in chosen], anchors)
    kept = {run.id for run in rows_of.runs}
    models = [model for run, model in chosen if run.id in kept]
    evidence = rows_of.evidence(models, anchors, rows, source)
    told = (*said, *rows_of.notes, *evidence.notes, *_doubts(store), *_other_ways(groups, group, folds))
    evidence = replace(evidence, notes=tuple(dict.fromkeys(told)), submissions=len(scored), elsewhere=elsewhere)
    if store.competition.test_is_stub and not n_public:
        evidence = replace(evidence, others=(_at_rows(evidence, float(agreement.TABLE_ROWS[1])),))
    return evidence


def _other_ways(groups: Sequence[Group], group: Group | None, folds: Folds) -> list[str]:
    """Runs on the same folds whose test predictions were made in another way."""
    return [f"not in this line: {len(one.runs)} ({HOW[one.inference]}); see them with kk lbcheck {' '.join(one.runs[:6])}"
            for one in groups if one is not group and one.fingerprint == folds.fingerprint]


def _at_rows(evidence: Evidence, rows: float) -> Evidence:
    return replace(evidence, se_lb=evidence.se_lb * np.sqrt(evidence.n_public / rows), n_public=rows,
                   n_source=f"if the public part has {rows:,.0f} rows")


def _doubts(store: Store) -> list[str]:
    """Where the noise of the public part may be larger than rows drawn at random would have it."""
    said = []
    if store.competition.test_is_stub:
        said.append("the visible test is a stub: nothing is read from it, so the noise of public gaps may be too large for means of fold models")
    if store.competition.time:
        said.append(f"if the public part was split off by time ({store.competition.time}), the SEs of public scores are lower bounds")
    return said


def _zeros(store: Store, scored: Sequence[Submission]) -> list[ScoredModel]:
    """Zeros and constants that were submitted: they anchor metric, direction and offset."""
    zeros = {run.id: run for run in store.all_runs() if run.kind == "zeros"}
    latest = {record.run: record for record in scored if record.run in zeros}
    return [ScoredModel(run, zeros[run].name, record.recipe, None, None, float(record.public or 0.0), record.shown or str(record.public), False,
                        "other", True, record.n) for run, record in latest.items()]
