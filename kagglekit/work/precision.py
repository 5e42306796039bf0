"""The measurement behind `kk cv --se`: a quick model over repeats of the folds says how far a score can be known."""

import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from kagglekit.errors import KKError
from kagglekit.fold import Data
from kagglekit.folds import Folds
from kagglekit.models.family import check_model
from kagglekit.models.presets import merged
from kagglekit.precision import FEWEST_REPEATS, Precision, folds_for_se
from kagglekit.splitters import REGISTRY
from kagglekit.store import Store
from kagglekit.work.clock import Clock
from kagglekit.work.fit import Checkpoints, Plan, fit
from kagglekit.work.load import load_data, problem_of, read_table
from kagglekit.work.score import fold_scores
from kagglekit.work.splitting import Wish, make_folds

Array = np.ndarray
MOST_ROWS = 20_000
FIXED = ("predefined", "leave-one-group-out", "adversarial")  # beside the splits by time: no seed changes them
NAMED = ("n", "seed", "repeats", "group", "time", "column", "duplicates")


def measure(store: Store, folds: Folds, target: float, model: object = "linear", *, most: int = MOST_ROWS, seed: int = 0) -> Precision:
    """How many repeats of the folds reach the standard error `target` (in the metric's unit), what they cost and what is out of reach.

    Trains `model` on three repeats of the folds' splitter (on folds that already have three: on these), of a long table on `most` rows
    (whole groups where they are known): noise then shrinks with the square root of the rows. Nothing is saved.
    Raises KKError for unknown models, one fold, and splitters that only the person has, unless they were repeated three times.
    """
    chosen, problem, data = check_model(model, store.folder), problem_of(store.competition), load_data(store)
    folds_for_se(np.zeros((FEWEST_REPEATS, max(folds.n, 1))), target)  # refuses a wish that makes no sense before anything is trained
    repeated = _repeated(store, folds)
    used = _sample(data, folds.rows, most, seed)
    plan = Plan(chosen, problem, merged(chosen.name, {}, chosen.rounds), repeated, tuple(repeated.keys), (0,), used, False)
    started = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="kk-precision-") as folder:
        parts = fit(plan, data, Clock(), Checkpoints(Path(folder))).parts
    seconds = time.perf_counter() - started
    scores = np.array(fold_scores(problem, data, repeated, parts, used).per_fold)
    share = float(used.mean())
    found = folds_for_se(scores.reshape(repeated.repeats, -1), target, ratio=_ratio(repeated, used), scale=float(np.sqrt(share)))
    cost = seconds / len(repeated) / share * found.repeats * found.n
    sampled = f" on {int(used.sum()):,} of {folds.rows:,} rows, scaled to all" if share < 1 else ""
    says = (f"{problem.metric.name} of {chosen.name}{sampled}: {found.says} "
            f"That run takes about {_told(cost)} with {chosen.name}.")
    return replace(found, says=says, model=chosen.name, rows=int(used.sum()), seconds=round(cost, 3), next=_next(folds, found))


def _repeated(store: Store, folds: Folds) -> Folds:
    """The folds with enough repeats, or as they are where no seed changes them."""
    if folds.repeats >= FEWEST_REPEATS or folds.rule != "rest" or folds.splitter in FIXED:
        return folds
    if folds.splitter not in REGISTRY:
        raise KKError(f"the split {folds.splitter} can only be repeated where it is made",
                      f"Repeat it yourself: kk cv --split FILE.py:{folds.splitter} --repeats {FEWEST_REPEATS} --se SE")
    params = folds.params
    wish = Wish(REGISTRY.get(folds.splitter), n=int(params.get("n", folds.n)), seed=int(params.get("seed", 0)), repeats=FEWEST_REPEATS,
                group=str(params.get("group") or ""), time=str(params.get("time") or ""), column=str(params.get("column") or ""),
                duplicates=bool(params.get("duplicates")), options={key: value for key, value in params.items() if key not in NAMED})
    return make_folds(store, read_table(store, "train"), wish, folds.name)


def _sample(data: Data, rows: int, most: int, seed: int) -> Array:
    """bool[rows]: the rows in use, about `most`; whole groups where they are known."""
    if rows <= most:
        return np.ones(rows, dtype=bool)
    random = np.random.default_rng(seed)
    if data.groups is None:
        return random.permutation(rows) < most
    _, codes = np.unique(np.asarray(data.groups).astype(str), return_inverse=True)
    chosen = random.permutation(codes.max() + 1)
    return chosen[codes] < max(2, round(most / rows * len(chosen)))


def _ratio(folds: Folds, used: Array) -> float:
    """Validated rows over training rows, the mean over the folds."""
    return float(np.mean([used[fold.valid].sum() / max(int(used[fold.train].sum()), 1) for fold in folds]))


def _told(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 100 else f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def _next(folds: Folds, found: Precision) -> str:
    """What to type: the folds with as many repeats, where they reach the wish."""
    if folds.splitter not in REGISTRY or folds.splitter == "predefined":
        return "kk cv"
    named = "".join(f" --{key} {folds.params[key]}" for key in ("group", "time") if folds.params.get(key))
    repeats = f" --repeats {found.repeats}" if found.feasible and found.repeats > 1 else ""
    return f"kk cv --split {folds.splitter}{named} -n {found.n}{repeats}"
