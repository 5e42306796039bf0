"""kk check: the whole pipeline on a hundredth of the rows, and what changed since it last worked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from kagglekit.errors import KKError
from kagglekit.fold import Data
from kagglekit.models.family import check_model
from kagglekit.run import Score
from kagglekit.store import Store, open_store
from kagglekit.work.changes import differences, files_used, keep_check, last_check
from kagglekit.work.clock import Clock
from kagglekit.work.failure import explained, post_mortem
from kagglekit.work.features import Features
from kagglekit.work.fit import fit
from kagglekit.work.hours import spending
from kagglekit.work.kept import load_folds
from kagglekit.work.plan import Checkpoints, Plan
from kagglekit.work.save import data_sha256
from kagglekit.work.score import fold_scores
from kagglekit.work.smoke import look_at, some_rows
from kagglekit.work.training import make_plan, sampled

SHARE, LEAST_ROWS, ROUNDS = 0.01, 400, 30


@dataclass(frozen=True, slots=True)
class Checked:
    """A pipeline that works, or one that broke (`broke` says how): score on few rows, shapes, seconds, and what changed."""

    model: str
    folds: str
    metric: str
    rows: int
    score: Score
    shapes: Mapping[str, list[int]]
    seconds: Mapping[str, float]
    changes: tuple[str, ...]
    diff: tuple[str, ...]
    first: bool
    broke: str
    next: str


def check(model: object = None, *, folds: str | None = None, params: Mapping[str, object] | None = None,
          features: str | Sequence[str] | None = None, pdb: bool = False, competition: object = None) -> Checked:
    """Run the pipeline on 1 % of the rows (400 at least) and say what changed since it last worked; nothing is recorded as a run.

    `model` and `features` are as for `kk train` (default: the model checked or trained last). Scores, shapes, seconds and the person's files are kept
    in reports/check.json. Raises KKError when it breaks, with the lines that changed in `record`.

        >>> kk.check("models/mine.py:fit_predict").changes  # doctest: +SKIP
        ('models/mine.py: 2 lines new, 1 gone', 'score 0.81234 -> 0.82345')
    """
    store, clock = open_store(competition), Clock()
    given = model if model is not None else _last(store)
    name = given if isinstance(given, str) else getattr(given, "__name__", type(given).__name__.lower())
    before = last_check(store).get("models", {}).get(name)
    try:
        with spending(store, "check") as spent:
            spent["what"] = name
            facts = _checked(store, given, folds, dict(params or {}), features, clock)
    except KKError as error:
        raise KKError(error.what, error.do, record=_broken(name, error, before, files_used(given, store))) from error
    except (Exception, SystemExit) as error:
        if pdb:
            post_mortem(error)
        told = explained(error, name, store.reports / "traceback.txt")
        raise KKError(told.what, told.do, record=_broken(name, told, before, files_used(given, store))) from error
    facts["files"] = files_used(given, store)
    changes, diff = _changed(before, facts) if before else ([], [])
    keep_check(store, name, facts)
    return Checked(name, facts["folds"], facts["metric"], facts["rows"], Score(mean=facts["score"], se=facts["se"]), facts["shapes"],
                   facts["seconds"], tuple(changes), tuple(diff), before is None, "", f"kk train {name}")


def _last(store: Store) -> str:
    """The model that was checked last, else the one that was trained last."""
    found = last_check(store).get("last")
    runs = [run for run in store.all_runs() if run.kind == "train"]
    if not found and not runs:
        raise KKError(f"no model of {store.competition.slug} was checked or trained yet", "Name one: kk check models/mine.py:fit_predict")
    return str(found or runs[-1].notes.get("given") or runs[-1].model)


def _checked(store: Store, given: object, folds: str | None, params: dict, features: str | Sequence[str] | None, clock: Clock) -> dict:
    model = check_model(given, store.folder)
    with clock.stage("read"):
        the_folds, data = load_folds(folds, store), Features(store, features).data()
    plan = make_plan(store, model, the_folds, params)
    plan = replace(plan, used=_rows(plan, data))
    if model.stage and model.rounds not in params:
        plan = replace(plan, params={**plan.params, "max_rounds": min(ROUNDS, int(plan.params.get("max_rounds", ROUNDS)))})
    fitted = fit(plan, data, clock, Checkpoints(None))
    for key, values in fitted.parts.items():
        fold = plan.fold(data, key)
        look_at(values[plan.used[plan.folds.one(*key).valid]], data.target[fold.valid], plan, f"fold {key[1]}")
    score = fold_scores(plan.problem, data, the_folds, fitted.parts, plan.used)
    return {"folds": the_folds.name, "fingerprint": the_folds.fingerprint, "metric": plan.problem.metric.name, "rows": int(plan.used.sum()),
            "score": score.mean, "se": score.se, "params": {key: str(value) for key, value in plan.params.items()},
            "shapes": {"features": list(data.X.shape), "test": list(np.shape(fitted.test))}, "seconds": clock.seconds(),
            "data": data_sha256(store)}


def _rows(plan: Plan, data: Data) -> np.ndarray:
    """The rows of a check: its share of what each fold of the first repeat validates, with some of each class, and of all other rows."""
    share = min(max(SHARE, LEAST_ROWS / plan.folds.rows), 1.0)
    used, random = sampled(plan.folds.rows, share), np.random.default_rng(0)
    for key in plan.keys:
        if key[0] == plan.keys[0][0]:
            valid = plan.folds.one(*key).valid
            used[valid] = False
            used[some_rows(valid, data, plan, max(round(share * len(valid)), 1), random)] = True
    return used


def _broken(name: str, error: KKError, before: dict | None, files: dict[str, str]) -> Checked:
    """What is known of a check that broke: what changed in the person's files since one worked."""
    changes, diff = differences(before["files"], files) if before else ([], [])
    return Checked(name, "", "", 0, Score(), {}, {}, tuple(changes), tuple(diff), before is None, error.what, f"kk check {name} --pdb")


def _changed(before: dict, now: dict) -> tuple[list[str], list[str]]:
    """Sentences on what is different from the last check that worked, and the lines of code."""
    changes, diff = differences(before["files"], now["files"])
    for key, what in (("data", "the data files"), ("fingerprint", f"the folds ({before['folds']} -> {now['folds']})")):
        if before[key] != now[key]:
            changes.append(f"{what} are others")
    for key in sorted({*before["params"], *now["params"]}):
        if before["params"].get(key) != now["params"].get(key):
            changes.append(f"{key}: {before['params'].get(key, 'unset')} -> {now['params'].get(key, 'unset')}")
    for key, shape in now["shapes"].items():
        if before["shapes"].get(key) != shape:
            changes.append(f"{key}: {_by(before['shapes'].get(key))} -> {_by(shape)}")
    if before["metric"] == now["metric"] and before["score"] != now["score"]:
        changes.append(f"score {before['score']:.5f} -> {now['score']:.5f}")
    for stage, seconds in now["seconds"].items():
        was = before["seconds"].get(stage, 0.0)
        if abs(seconds - was) > 1 and not 0.67 < seconds / max(was, 1e-9) < 1.5:
            changes.append(f"{stage}: {was:.1f} s -> {seconds:.1f} s")
    return changes, diff


def _by(shape: list[int] | None) -> str:
    return " x ".join(f"{size:,}" for size in shape or []) or "none"
