"""The daily gate: can this submission teach anything, and is a new best more than one step of the ladder? It tells, and never blocks.

A step is one paired standard error of the public score: gains below it are not counted (Blum & Hardt 2015, the ladder).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kagglekit import agreement
from kagglekit.competition import arena_home, find_workspace
from kagglekit.credentials import PRACTICE_USER
from kagglekit.errors import KKError
from kagglekit.practice.state import State
from kagglekit.remote import server_now
from kagglekit.run import Run, Submission
from kagglekit.store import Store
from kagglekit.work.evidence import public_rows
from kagglekit.work.finals import COPIES, correlation_of_tests
from kagglekit.work.load import learnt, metric_of, problem_of, read_table, with_labels
from kagglekit.work.score import said_for
from kagglekit.work.scored import is_constant
from kagglekit.work.tables import open_table

Array = np.ndarray
ROWS = 20_000  # OOF rows that the paired noise is told from: its error is then below 2 %
NEAREST = 3  # submitted runs, the nearest by local score, that a run is compared with
UNTOLD = (KKError, ValueError, TypeError, LookupError, ArithmeticError, OSError)  # what only advises must never keep a submission back
LITTLE, PLAIN = 1.0, 2.8  # paired SE: below the first nothing is learnt, from the second on a gap shows in 4 of 5 cases


@dataclass(frozen=True, slots=True)
class Gate:
    """What is said before and after. `gap` is the expected public gap to `against` (positive is better), `se` its paired standard error.

    left_today: submissions that are left by the records here, None where the daily limit is not known.
    """

    before: str
    after: str = ""
    against: str = ""
    gap: float | None = None
    se: float | None = None
    left_today: int | None = None


def look(store: Store, run: Run) -> Gate | None:
    """Before the upload: what this run's public score can tell beside those that are there; None where nothing can be said."""
    try:
        return _look(store, run)
    except UNTOLD:
        return None


def _look(store: Store, run: Run) -> Gate | None:
    left = left_today(store)
    many = "" if left is None else f"; {left} left today" if left else "; none is left today"
    again = next((one for one in _scored(store) if one.recipe and one.recipe == run.recipe), None)
    if again is not None:
        return Gate(f"{again.run} of the same recipe has the public score {again.public:.6g} already: nothing new can be learnt{many}",
                    against=again.run, left_today=left)
    near = _nearest(store, run)
    if not near:
        return None
    alike = correlation_of_tests(store, [run, *near])[0, 1:]
    if alike.max() > COPIES:
        other = near[int(np.argmax(alike))]
        return Gate(f"{run.id} is a near copy of {other.id} {other.name} (correlation {alike.max():.5f}): its public score will teach nothing{many}",
                    against=other.id, left_today=left)
    se, sign = paired_se(store, [run, *near]), metric_of(store.competition).sign
    if se is None:
        return None
    gaps = sign * np.array([_mean(run) - _mean(one) for one in near])
    closest = int(np.argmin(np.abs(gaps) / np.maximum(se[0, 1:], 1e-300)))
    return _gate(near[closest], float(gaps[closest]), float(se[0, 1 + closest]), left, many)


def _gate(other: Run, gap: float, se: float, left: int | None, many: str) -> Gate:
    apart = abs(gap) / se if se > 0 else np.inf
    way = "ahead of" if gap > 0 else "behind"
    head = f"expected {abs(gap):.2g} {way} {other.id} {other.name}, {apart:.1f} paired SE of the public score"
    if apart < LITTLE:
        told = "inside its noise, it can hardly teach anything"
    else:
        told = "it will show whether local gaps hold" if apart >= PLAIN else "it may show whether local gaps hold"
    return Gate(f"{head}: {told}{many}", against=other.id, gap=gap, se=se, left_today=left)


def step_after(store: Store, run: Run, record: Submission) -> str:
    """After the score: whether a new best is more than the ladder's step; '' where it is no new best or nothing can be said."""
    try:
        return _step_after(store, run, record)
    except UNTOLD:
        return ""


def _step_after(store: Store, run: Run, record: Submission) -> str:
    before = [one for one in _scored(store) if one.n != record.n]
    if record.public is None or not before:
        return ""
    sign = metric_of(store.competition).sign
    best = max(before, key=lambda one: sign * _public(one))
    gain = sign * (record.public - _public(best))
    if gain <= 0:
        return ""
    runs = {one.id: one for one in store.all_runs()}
    other = runs.get(best.run)
    se = None if other is None else paired_se(store, [run, other]) if _has_oof(store, other) else None
    step = float(se[0, 1]) if se is not None else _typical(store)
    if not step:
        return ""
    name = f"{other.id} {other.name}" if other else best.ref
    if gain < step:
        return f"new best by {gain:.2g}, {gain / step:.1f} paired SE: less than a step of the ladder, so a tie with {name} that local scores decide"
    return f"new best by {gain:.2g}, {gain / step:.1f} paired SE over {name}: more than a step of the ladder"


def left_today(store: Store) -> int | None:
    """Submissions left today by the records here, None where the daily limit is not known."""
    limit = store.competition.daily_limit
    if not limit:
        return None
    if store.competition.server == "practice":
        made = State(arena_home(find_workspace())).made_today(store.competition.slug, PRACTICE_USER)  # its clock can be moved
    else:
        today = server_now(store.competition.server).date().isoformat()
        made = sum(one.date[:10] == today and bool(one.ref) for one in store.all_submissions())
    return max(limit - made, 0)


def _public(record: Submission) -> float:
    assert record.public is not None
    return record.public


def _mean(run: Run) -> float:
    assert run.score.mean is not None
    return run.score.mean


def _scored(store: Store) -> list[Submission]:
    return [one for one in store.all_submissions() if one.status == "complete" and one.public is not None]


def _has_oof(store: Store, run: Run) -> bool:
    return (store.run_folder(run) / "oof.npy").exists()


def _nearest(store: Store, run: Run) -> list[Run]:
    """Submitted runs with a public score on the same folds, the nearest by local score."""
    sent = {one.run for one in _scored(store)}
    if run.score.mean is None or not run.folds_fingerprint or not _has_oof(store, run):
        return []
    mean = run.score.mean
    found = [one for one in store.all_runs() if one.id in sent and one.id != run.id and one.folds_fingerprint == run.folds_fingerprint
             and one.score.mean is not None and not is_constant(one) and _has_oof(store, one)]
    return sorted(found, key=lambda one: abs(_mean(one) - mean))[:NEAREST]


def paired_se(store: Store, runs: Sequence[Run]) -> Array | None:
    """Paired standard errors of the runs' public scores, runs x runs, from some of the OOF rows that all have; None where they do not tell."""
    problem = problem_of(store.competition)
    metric = problem.metric
    oofs = [store.array(run, "oof", mapped=True) for run in runs]
    if metric.influence is None or any(oof is None or np.shape(oof) != np.shape(oofs[0]) for oof in oofs):
        return None
    have = [oof for oof in oofs if oof is not None]
    rows = np.arange(len(have[0]))
    if len(rows) > ROWS:
        rows = np.sort(np.random.default_rng(0).choice(rows, ROWS, replace=False))
    values = np.stack([np.asarray(oof[rows], dtype=np.float64) for oof in have])
    known = ~np.isnan(values.reshape(len(values), len(rows), -1)).any(axis=(0, 2))
    if known.sum() < 3:
        return None
    truth, groups = _truth(store, rows[known])
    said = np.stack([said_for(metric, one[known], problem) for one in values])
    scored = _scored(store)
    se = agreement.lb_se(truth, said, metric, public_rows(store, None, scored)[0], groups=groups).se
    return se * _of_means(store, runs, values[:, known])


def _truth(store: Store, rows: Array) -> tuple[Array, Array | None]:
    """The target of these rows in the metric's form, and their groups; no other column is read."""
    competition, problem = store.competition, problem_of(store.competition)
    there = open_table(store, competition.train).footer.columns
    wanted = [name for name in dict.fromkeys((*competition.id, *competition.target, *competition.group[:1])) if name in there]
    table = with_labels(store, read_table(store, "train", wanted)).iloc[rows].reset_index(drop=True)
    y, target = learnt(table, competition, problem)
    grouped = competition.group and competition.group[0] in table.columns
    truth = y if problem.metric.needs == "label" else target
    return truth, table[competition.group[0]].to_numpy() if grouped else None


def _of_means(store: Store, runs: Sequence[Run], oof: Array) -> Array:
    """Submissions that average fold models differ less than their OOF rows do."""
    tests = [store.array(run, "test", mapped=True) for run in runs]
    stub = store.competition.test_is_stub or any(run.inference != "fold_mean" for run in runs)
    if stub or any(test is None or len(test) != len(tests[0] if tests[0] is not None else ()) for test in tests):
        return np.ones((len(runs), len(runs)))
    some = [np.asarray(test[:ROWS], dtype=np.float64) for test in tests if test is not None]
    return agreement.average_correction(np.stack(some), oof)


def _typical(store: Store) -> float | None:
    """A typical paired standard error where there are no rows to take it from; None for metrics in the target's unit."""
    name = metric_of(store.competition).name
    if name.partition("@")[0] in ("rmse", "mae", "rmsle", "mcrmse", "mcrmsle", "pinball"):
        return None
    return agreement.lookup_se(name, public_rows(store, None, _scored(store))[0])[1]
