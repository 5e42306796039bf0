"""Exploring: which models, on how many rows, in how many processes; each is trained in turn, and what they hold beside each other."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from kagglekit.fold import Data
from kagglekit.models.columns import kinds_of
from kagglekit.models.family import Model, check_model
from kagglekit.models.presets import known
from kagglekit.progress import task
from kagglekit.work.hands import in_processes
from kagglekit.work.live_table import LiveRow, show
from kagglekit.work.one_model import Bench, Job, Outcome
from kagglekit.work.parallel import cores
from kagglekit.work.smoke import free_mb
from kagglekit.work.time_limit import TimeLimit

BASELINES = ("constant", "group-mean")  # what kk baseline is for
FAST_FIRST = ("linear", "tree", "text-linear", "knn", "hist-gbdt", "lgbm", "extra-trees", "forest", "xgboost")
SMALL, SHARE, MOST, WIDE = 20_000, 0.05, 50_000, 400  # rows of a sample: 5 % within these bounds; of a table with more columns the least
LOOKED_AT = 20_000  # rows that tell whether there is text
MANY, LONG = 6, 2_000  # models, or rows in use, from which processes save more than the three seconds that starting one costs


def share_of(rows: int, columns: int) -> float:
    """The share of the rows to explore on: all of 50,000 (20,000 where the table is wide), else 5 % within these bounds.

    >>> share_of(40_000, 30), share_of(1_000_000, 30), share_of(200_000, 30), share_of(40_000, 900)
    (1.0, 0.05, 0.1, 0.5)
    """
    most = SMALL if columns > WIDE else MOST
    if rows <= most:
        return 1.0
    return float(f"{min(max(SHARE * rows, SMALL), most) / rows:.2g}")


def candidates(bench: Bench, asked: Sequence[object] = ()) -> tuple[list[object], list[dict[str, str]]]:
    """The models to explore, cheap ones first, and those that are left out with the reason.

    All families and presets but the baselines that can run here and have something to learn from, or those asked for. Raises KKError for
    unknown names.
    """
    given = list(dict.fromkeys(asked)) or sorted((name for name in known() if name not in BASELINES), key=_rank)
    reasons = {one: _obstacle(check_model(one, bench.store.folder), bench) for one in given}
    if asked:
        return given, []
    return [one for one in given if not reasons[one]], [{"model": str(one), "why": why} for one, why in reasons.items() if why]


def _rank(name: str) -> tuple[int, str]:
    """Fast families first; presets behind all families."""
    return (FAST_FIRST.index(name) if name in FAST_FIRST else len(FAST_FIRST), name)


def _obstacle(model: Model, bench: Bench) -> str:
    """Why a model is not tried where nobody asked for it, empty where it is."""
    if not model.is_here():
        return f"{model.missing()} is not installed"
    if model.name == "text-linear" and not any(kind.name == "text" for kind in kinds_of(bench.data.X.head(LOOKED_AT)).values()):
        return "no column of text"
    return ""


def name_of(model: object, folder: object = None) -> str:
    """What a model is called in tables."""
    return model if isinstance(model, str) else check_model(model, folder).name


def processes(jobs: Sequence[Job], data: Data, used: int) -> int:
    """How many processes to train in: one a core, where models are names, they are worth it, and memory holds as many tables; else 0."""
    if len(jobs) < 2 or cores() < 2 or (len(jobs) < MANY and used < LONG) or not all(isinstance(job.model, str) for job in jobs):
        return 0
    table = float(data.X.memory_usage(deep=False).sum() + data.X_test.memory_usage(deep=False).sum()) / 2**20
    fitting = int(free_mb() / 2 / max(3 * table, 300)) if np.isfinite(free_mb()) else cores()
    count = min(cores(), len(jobs), fitting)
    return count if count > 1 else 0


def trained(bench: Bench, jobs: Sequence[Job], limit: TimeLimit, title: str = "exploring", alone: bool = False) -> list[Outcome]:
    """The outcome of each job, in their order; what does not fit into the limit is not started. `alone`: one after the other, right here."""
    rows = [LiveRow(name_of(job.model, bench.store.folder)) for job in jobs]
    outcomes: dict[int, Outcome] = {}
    count = 0 if alone or not jobs else processes(jobs, bench.data, int(jobs[0].sample * bench.folds.rows))
    with task(title, total=max(len(jobs), 1), unit="models") as work:
        for number, outcome in _streams(bench, jobs, limit, rows, count):
            if outcome is None:
                _stands(rows, number, state="training")
                continue
            outcomes[number] = outcome
            run = bench.store.run(outcome.run) if outcome.run else None
            _stands(rows, number, state=outcome.status, run=outcome.run, note=outcome.why, seconds=outcome.seconds,
                    score=run.score.mean if run else None, se=run.score.se if run else None)
            said = f" {run.metric} {run.score.mean:.5f}" if run and run.score.mean is not None else f" {outcome.status}"
            work.advance(note=rows[number].name + said)
    return [outcomes[number] for number in range(len(jobs))]


def _streams(bench: Bench, jobs: Sequence[Job], limit: TimeLimit, rows: list[LiveRow], count: int):  # type: ignore[no-untyped-def]
    """(number, None) as a job begins, then (number, outcome); jobs carry what the limit leaves them."""
    if count:
        timed = _Timed(jobs, limit, cores())
        yield from in_processes(bench.store, bench.folds.name, timed, count, max(cores() // count, 1),
                                lambda number, text: _stands(rows, number, note=text))
        return
    for number, job in enumerate(jobs):
        yield number, None
        yield number, bench.do(_within(job, limit))


def _stands(rows: list[LiveRow], number: int, **facts: object) -> None:
    for key, value in facts.items():
        setattr(rows[number], key, value)
    show(rows)


def _within(job: Job, limit: TimeLimit) -> Job:
    return job if limit.left == np.inf else replace(job, left=limit.left)


class _Timed(Sequence):
    """Jobs that are told, when they are handed out, how much time is left."""

    def __init__(self, jobs: Sequence[Job], limit: TimeLimit, beside: int) -> None:
        self._jobs, self._limit, self._beside = jobs, limit, beside

    def __len__(self) -> int:
        return len(self._jobs)

    def __getitem__(self, number: int) -> Job:  # type: ignore[override]
        return replace(_within(self._jobs[number], self._limit), beside=self._beside)
