"""Smoke: before a long run the model is tried on a few hundred rows of one fold; what would break after hours breaks in a second."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from kagglekit.errors import KKError
from kagglekit.fold import Data, Fold
from kagglekit.models.family import Staged
from kagglekit.progress import say
from kagglekit.work.clock import Clock
from kagglekit.work.hours import spoken
from kagglekit.work.parallel import cores
from kagglekit.work.plan import Array, Plan, checked, checked_test
from kagglekit.work.rounds import MAX_ROUNDS, reach

SMALL_RUN = 2000          # rows up to which the run itself is the trial
FIRST, STEP = 500, 4      # rows of the first trial (run twice: libraries are loaded in the first), times as many in the next one
LOOKED_AT = 400           # validated rows of a trial
ROUNDS, USUAL_ROUNDS = 10, 300
BUDGET = 0.6              # seconds: no further trial where it would go beyond
STEEP, CLEAR = 1.3, 0.1   # power and seconds from which a cost is taken to grow faster than the rows
WORTH_SAYING, WORTH_MEASURING = 10.0, 30.0  # seconds of a forecast, MB of a trial's memory
HERE = "; --no-smoke trains all the same"


@dataclass(frozen=True, slots=True)
class Trial:
    """A model trained on `rows`: seconds before its first round, seconds a round (0 where it has none), MB that it added."""

    rows: int
    seconds: float
    a_round: float
    mb: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """What the whole run will take: seconds, MB at once; `rounds` were assumed for a model that grows (0: it does not)."""

    seconds: float
    mb: float
    rounds: int


def smoke_test(plan: Plan, data: Data) -> Forecast | None:
    """Try the plan's model on a few rows of its first fold; None where the whole run is small.

    Raises KKError for predictions of a wrong shape, NaN, zeros only, columns of classes in another order than competition.toml's,
    and for a forecast that needs more memory than is free. A forecast of over ten seconds is said.
    """
    rows = int(plan.used.sum())
    if is_small(plan):
        return None
    trials = [_tried(plan, data, FIRST)]
    if _cost(trials[0]) < 3 * BUDGET:
        trials = [_tried(plan, data, FIRST)]
    spent = _cost(trials[0])
    while trials[-1].rows * STEP * STEP <= rows and spent + STEP * _cost(trials[-1]) < BUDGET:
        trials.append(_tried(plan, data, trials[-1].rows * STEP))
        spent += _cost(trials[-1])
    found = forecast(plan, data, trials)
    free = free_mb()
    if found.seconds > WORTH_SAYING:
        assumed = f" if it grows {found.rounds} rounds" if found.rounds else ""
        say(f"forecast: about {spoken(found.seconds)}{assumed} and {found.mb:,.0f} MB of {free:,.0f} MB free")
    if found.mb > free:
        raise KKError(f"{plan.model.name} will need about {found.mb:,.0f} MB on {rows:,} rows, and {free:,.0f} MB are free",
                      f"Take fewer rows (--sample 0.1) or columns{HERE}")
    return found


def is_small(plan: Plan) -> bool:
    """Whether the run has so few rows that it is its own trial."""
    return int(plan.used.sum()) <= SMALL_RUN


def forecast(plan: Plan, data: Data, trials: list[Trial]) -> Forecast:
    """Seconds and MB of the whole run from trials on few rows: linear in the rows, steeper where two trials say so."""
    fixed = plan.params.get(plan.model.rounds) if plan.model.rounds else None
    rounds = int(fixed or min(USUAL_ROUNDS, int(plan.params.get("max_rounds", MAX_ROUNDS)))) if plan.model.stage else 0
    sizes = [len(plan.fold(data, key).train) for key in plan.keys] + [int(plan.used.sum())] * int(plan.refit)
    times = [(trial.rows, trial.seconds + rounds * trial.a_round) for trial in trials]
    workers = min(cores(), len(plan.keys)) if hasattr(plan.model.stage, "prepare") else 1
    seconds = sum(_extended(times, size) for size in sizes) * len(plan.seeds) / workers
    measured = [(trial.rows, trial.mb) for trial in trials]
    grew = trials[-1].mb - (trials[-2].mb if len(trials) > 1 else 0.0) > WORTH_MEASURING
    table = float(data.X.memory_usage(deep=False).sum()) / 2**20 / max(len(data.X), 1)
    mb = max(_extended(measured, max(sizes)) if grew else 0.0, table * max(sizes))
    return Forecast(seconds, mb, 0 if fixed else rounds)


def free_mb() -> float:
    """Memory that may still be taken, in MB: of the system, or of the container where that is less; infinite where neither says."""
    free = [np.inf]
    for line in _lines("/proc/meminfo"):
        if line.startswith("MemAvailable:"):
            free.append(int(line.split()[1]) / 1024)
    most, now = _lines("/sys/fs/cgroup/memory.max"), _lines("/sys/fs/cgroup/memory.current")
    if most and now and most[0].isdigit():
        free.append((int(most[0]) - int(now[0])) / 2**20)
    return float(min(free))


def _extended(points: list[tuple[int, float]], rows: int) -> float:
    """A cost at `rows` from costs at fewer: by the line through the last two points, or by their power where that is clearly steep."""
    size, cost = points[-1]
    if len(points) < 2:
        return cost * rows / size
    before, cheaper = points[-2]
    power = np.log(cost / cheaper) / np.log(size / before) if cost > cheaper > 0 else 0.0
    if power > STEEP and cost > CLEAR:
        return float(cost * (rows / size) ** min(power, 2.0))
    return cost + max((cost - cheaper) / (size - before), 0.0) * (rows - size)


def _cost(trial: Trial) -> float:
    return trial.seconds + ROUNDS * trial.a_round


def _tried(plan: Plan, data: Data, rows: int) -> Trial:
    """Train on so many rows, and look at what comes out."""
    fold = _part(plan, data, rows)
    clock = _clock(plan)
    start = clock()
    with _watched() as peak:
        if plan.model.stage:
            stage = plan.model.stage(plan.problem, plan.params, plan.seeds[0], fold, Clock())
            moments = [_grown(stage, rounds, clock) for rounds in range(1, ROUNDS + 1)]
            a_round = float(np.median(np.diff(moments)))
            valid, test = stage.predict(ROUNDS, ROUNDS)
        else:
            a_round = 0.0
            valid, test = plan.model.fit_predict(plan.problem, plan.params, plan.seeds[0], fold, Clock())
    seconds = clock() - start
    seconds = max(seconds - ROUNDS * a_round, 0.0) if plan.model.stage else seconds
    where = f"fold {fold.fold} in a trial on {len(fold.train)} rows"
    valid = checked(valid, len(fold.valid), plan, where)
    checked_test(test, len(fold.X_test), plan, where)
    look_at(valid, fold.data.target[fold.valid], plan, where)
    return Trial(len(fold.train), seconds, a_round, peak[0])


def _clock(plan: Plan) -> Callable[[], float]:
    """Seconds of a person's code (it may wait for disks or a GPU), processor seconds of our families: milliseconds on a busy machine are noise."""
    return time.perf_counter if plan.model.code else time.process_time


def _grown(stage: Staged, rounds: int, clock: Callable[[], float]) -> float:
    reach(stage, rounds)
    return clock()


def _part(plan: Plan, data: Data, rows: int) -> Fold:
    """The first fold with fewer rows. A person's code sees the whole table all the same: its own arrays may go by row numbers."""
    whole = plan.fold(data, plan.keys[0])
    random = np.random.default_rng(0)
    train, valid = (np.sort(some_rows(part, data, plan, count, random)) for part, count in ((whole.train, rows), (whole.valid, LOOKED_AT)))
    if plan.model.code or data.fitted is not None:
        return Fold(whole.repeat, whole.fold, train, valid, data)
    both = np.concatenate([train, valid])
    test = np.sort(random.permutation(len(data.X_test))[:LOOKED_AT])
    parts = {name: None if part is None else part[both] for name, part in (("groups", data.groups), ("time", data.time))}
    small = replace(data, X=data.X.iloc[both].reset_index(drop=True), y=data.y[both], target=data.target[both],
                    X_test=data.X_test.iloc[test].reset_index(drop=True), **parts)
    return Fold(whole.repeat, whole.fold, np.arange(len(train)), np.arange(len(train), len(both)), small)


def some_rows(rows: Array, data: Data, plan: Plan, count: int, random: np.random.Generator) -> Array:
    """So many of the rows at random, and three of every class at least (where it has them)."""
    mixed = random.permutation(rows)
    if not plan.problem.classifies or plan.problem.targets:
        return mixed[:count]
    codes = data.target[mixed]
    order = np.argsort(codes, kind="stable")
    place = np.arange(len(codes)) - np.searchsorted(codes[order], codes[order])
    few = order[place < 3]
    return mixed[np.unique(np.concatenate([np.arange(min(count, len(mixed))), few]))]


def look_at(values: Array, target: Array, plan: Plan, where: str) -> None:
    """Raise KKError for predictions that are all 0 or follow the classes in another order; constants are said."""
    name = plan.model.name
    if not values.any() and target.any():
        raise KKError(f"{name} predicts 0 for every row of {where}", f"Return the predictions that you made{HERE}")
    if name != "constant" and len(values) > 1 and (values == values[0]).all():
        say(f"{name} predicts the same for every row of {where}: nothing was learnt from so few rows")
    if plan.problem.targets or not plan.problem.classifies or len(values) < 30:
        return
    swapped = _swapped(values, target.astype(np.int64), len(plan.problem.classes))
    if swapped:
        pairs = ", ".join(f"{plan.problem.classes[i]!r} follows {plan.problem.classes[j]!r}" for i, j in swapped)
        raise KKError(f"the classes of {name} are in another order than in competition.toml: the prediction of {pairs} ({where})",
                      f"Return the columns in the order {list(plan.problem.classes)}{HERE}")


def _swapped(values: Array, target: Array, classes: int) -> list[tuple[int, int]]:
    """Pairs (i, j): column i follows the class j, beyond five standard errors of a correlation."""
    noise = 1 / np.sqrt(len(values))
    columns = np.column_stack([1 - values, values]) if values.ndim == 1 else values
    both = np.column_stack([columns, np.eye(classes)[target]])
    spread = both.std(axis=0)
    centred = (both - both.mean(axis=0)) / np.where(spread > 0, spread, np.inf)
    follows = centred[:, :classes].T @ centred[:, classes:] / len(values)
    from scipy.optimize import linear_sum_assignment

    _, best = linear_sum_assignment(-follows)
    moved = np.flatnonzero(best != np.arange(classes))
    if not len(moved):
        return []
    assigned, own = follows[moved, best[moved]], follows[moved, moved]
    sure = assigned.min() > 3 * noise and (assigned - own).mean() > 5 * noise
    return [(int(i), int(best[i])) for i in moved] if sure else []


@contextmanager
def _watched() -> Iterator[list[float]]:
    """The most MB that the block adds to this process, looked at every few milliseconds."""
    before, peak, done = _resident_mb(), [0.0], threading.Event()

    def watch() -> None:
        while not done.wait(0.005):
            peak[0] = max(peak[0], _resident_mb() - before)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        done.set()
        thread.join()


def _resident_mb() -> float:
    lines = _lines("/proc/self/statm")
    return int(lines[0].split()[1]) * 4096 / 2**20 if lines else 0.0


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text(encoding="ascii").splitlines()
    except (OSError, ValueError):
        return []
