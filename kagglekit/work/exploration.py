"""An exploration from the wish to the rows: the sample, every model on it, who is confirmed on all rows, and what each says of the others."""

import dataclasses
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from kagglekit.errors import KKError
from kagglekit.folds import Folds
from kagglekit.metrics import Metric
from kagglekit.models.presets import about, known
from kagglekit.run import Run
from kagglekit.store import Store
from kagglekit.work.confirming import Order, order_of
from kagglekit.work.exploring import candidates, name_of, processes, share_of, trained
from kagglekit.work.forecast import Cost, forecast
from kagglekit.work.load import problem_of
from kagglekit.work.luck import Luck
from kagglekit.work.one_model import Bench, Job, Outcome
from kagglekit.work.side_by_side import SideBySide, side_by_side
from kagglekit.work.time_limit import TimeLimit
from kagglekit.work.training import sampled

NO_TIME = "its forecast does not fit into the time that is left"


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the person wants: models (empty: all), folds, share of the rows (None: by their number), how many to confirm, time, nothing used again."""

    models: Sequence[object] = ()
    folds: str | None = None
    sample: float | None = None
    confirm: int = 0
    budget: str | float | None = None
    fresh: bool = False


@dataclass(slots=True)
class Exploration:
    """What came of it. `rows` are facts by name, ranked, then those without a score; `costs` the forecasts by model."""

    folds: Folds
    metric: Metric
    sample: float
    rows_used: int
    limit: TimeLimit
    wishes: Wishes
    rows: list[dict[str, object]] = field(default_factory=list)
    costs: dict[str, Cost] = field(default_factory=dict)
    left_out: list[dict[str, str]] = field(default_factory=list)
    side: SideBySide | None = None
    order: Order | None = None
    processes: int = 0
    seconds: float = 0.0

    @property
    def confirm(self) -> int:
        """How many are trained on all rows."""
        return self.wishes.confirm

    @property
    def luck(self) -> Luck | None:
        """What luck alone would put the best ahead."""
        return self.side.luck if self.side else None


def explored(store: Store, wishes: Wishes) -> Exploration:
    """Explore as wished; raises KKError for wishes that make no sense, and where no model could be trained."""
    began, limit = time.monotonic(), TimeLimit(wishes.budget)
    _check(wishes)
    bench = Bench(store, wishes.folds)
    names, left = candidates(bench, wishes.models)
    sample = share_of(bench.folds.rows, bench.data.X.shape[1]) if wishes.sample is None else wishes.sample
    used = sampled(bench.folds.rows, sample)
    found = Exploration(bench.folds, problem_of(store.competition).metric, sample, int(used.sum()), limit, wishes, left_out=left)
    jobs = [Job(name, sample, wishes.fresh, quarter=sample < 1) for name in names]
    found.processes = processes(jobs, bench.data, found.rows_used)
    outcomes = dict(zip((name_of(name, store.folder) for name in names), trained(bench, jobs, limit), strict=True))
    _rank(found, bench, outcomes, used)
    if wishes.confirm and sample < 1:
        _confirm(found, bench, {name_of(name, store.folder): name for name in names}, wishes.fresh)
    found.seconds = time.monotonic() - began
    return found


def _check(wishes: Wishes) -> None:
    if wishes.confirm < 0:
        raise KKError(f"--confirm {wishes.confirm} trains nothing", "Give how many of the best to train on all rows: --confirm 3")
    if wishes.sample is not None and not 0 < wishes.sample <= 1:
        raise KKError(f"--sample {wishes.sample} is not a share of the rows", "Give a number above 0 and up to 1: --sample 0.05")


def _rank(found: Exploration, bench: Bench, outcomes: dict[str, Outcome], used: object) -> None:
    """Put the outcomes into rows, the best first; raises KKError where none has a score."""
    runs = {bench.store.run(one.run).id: name for name, one in outcomes.items() if one.run}
    if not runs:
        why = "; ".join(f"{name}: {one.why or NO_TIME}" for name, one in outcomes.items())
        do = next((one.do for one in outcomes.values() if one.do), "Give more time (--budget 20m) or take fewer rows (--sample)")
        raise KKError(f"none of {len(outcomes)} models could be trained ({why})", do)
    problem = problem_of(bench.store.competition)
    side = found.side = side_by_side(bench.store, [bench.store.run(run) for run in runs], bench.folds, problem, bench.data, used)
    for place, run in enumerate(side.runs):
        name = runs[run.id]
        if found.sample < 1 and outcomes[name].points:
            found.costs[name] = forecast(outcomes[name].points, bench.folds.rows)
        found.rows.append({**_facts(name, outcomes[name], run, found.costs.get(name)), **_standing(side, place)})
    found.rows += [_facts(name, one, None, None) for name, one in outcomes.items() if not one.run]


def _facts(name: str, outcome: Outcome, run: Run | None, cost: Cost | None) -> dict[str, object]:
    why = outcome.why or (NO_TIME if outcome.status == "left out" else "")
    return {"model": name, "about": about(name) if name in known() else "", "run": outcome.run, "status": outcome.status, "why": why,
            "do": outcome.do, "score": run.score.mean if run else None, "se": run.score.se if run else None, "gap": None, "gap_se": None,
            "p": None, "tied": False, "correlation": None, "helps": None, "rising": outcome.rising, "full": None,
            "seconds": round(sum(run.seconds.values()) if run else outcome.seconds, 3),
            "forecast": dataclasses.asdict(cost) if cost else None}


def _standing(side: SideBySide, place: int) -> dict[str, object]:
    """What a run is beside the best one."""
    first = place == 0
    return {"gap": float(side.gaps[place]), "gap_se": None if first or side.se is None else float(side.se[0, place]),
            "p": None if first or side.se is None else float(side.p[place]), "tied": side.tied(place),
            "correlation": None if first else side.alike[place], "helps": None if first else side.helps[place]}


def chosen(side: SideBySide, count: int) -> list[int]:
    """Places of the best `count` that are no near copies of a better one that is chosen."""
    taken: list[int] = []
    for place in range(len(side.runs)):
        if len(taken) < count and not any((other, place) in side.copies for other in taken):
            taken.append(place)
    return taken


def _confirm(found: Exploration, bench: Bench, given: dict[str, object], fresh: bool) -> None:
    """Train the best on all rows, with the machine for each alone, and compare the orders."""
    assert found.side is not None
    rows = [found.rows[place] for place in chosen(found.side, found.confirm)]
    expected = {str(row["model"]): found.costs[str(row["model"])].seconds if str(row["model"]) in found.costs else None for row in rows}
    jobs = [Job(given[name], 1.0, fresh, expected=seconds) for name, seconds in expected.items()]
    done = []
    for row, outcome in zip(rows, trained(bench, jobs, found.limit, "confirming", alone=True), strict=True):
        run = bench.store.run(outcome.run) if outcome.run else None
        row["full"] = _full(outcome, run, found.costs.get(str(row["model"])))
        done += [(str(row["model"]), str(row["run"]), run)] if run else []
    if not done:
        return
    whole = side_by_side(bench.store, [run for *_, run in done], bench.folds, problem_of(bench.store.competition), bench.data,
                         sampled(bench.folds.rows, 1.0))
    found.order = order_of(found.side, whole, [(name, before, run.id) for name, before, run in done], found.metric.sign)


def _full(outcome: Outcome, run: Run | None, cost: Cost | None) -> dict[str, object]:
    """The model on all rows: score, seconds, and how far the forecast was off (2: it took twice as long); nothing where it is not known."""
    took = outcome.points[-1][1] if outcome.points else None
    known = cost is not None and took is not None
    return {"status": outcome.status, "run": outcome.run, "why": outcome.why or ("" if run else NO_TIME),
            "score": run.score.mean if run else None, "se": run.score.se if run else None, "seconds": took,
            "missed": cost.missed(took) if known else None, "within": cost.holds(took) if known else None}
