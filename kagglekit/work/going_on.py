"""Going on: which run that was left unfinished a new one may take up; finished folds are used only where nothing about them has changed."""

import hashlib
import json
from importlib import metadata
from pathlib import Path

from kagglekit.fold import Data
from kagglekit.progress import say
from kagglekit.registry import is_path_reference
from kagglekit.run import Run
from kagglekit.store import Store
from kagglekit.work.plan import Checkpoints
from kagglekit.work.save import claim, data_sha256, unfinished

LIBRARIES = ("kagglekit", "numpy", "pandas", "scikit-learn", "skrub", "lightgbm", "xgboost", "catboost", "torch")
GROUND = ("file_sha256", "inputs_sha256")


def inputs_of(store: Store, data: Data) -> str:
    """A hash of what a fold's predictions depend on beside the recipe and the folds: twelve hex digits.

    It covers the data files, the columns with their types, the target's values, classes, groups, the metric with its code, and the versions
    of the libraries that models come from.
    """
    competition = store.competition
    columns = [[(str(name), str(kind)) for name, kind in table.dtypes.items()] for table in (data.X, data.X_test)]
    facts = [data_sha256(store), columns, len(data.X), len(data.X_test), competition.target, data.classes, competition.group, competition.metric,
             competition.greater_is_better, file_sha256(competition.metric, store), hashlib.sha256(data.target.tobytes()).hexdigest(), _versions()]
    return hashlib.sha256(json.dumps(facts, default=str).encode()).hexdigest()[:12]


def file_sha256(given: object, store: Store) -> str:
    """Hash of the file that path.py:name names, so that a changed helper in it is seen; empty for any other name."""
    if not isinstance(given, str) or not is_path_reference(given):
        return ""
    path = Path(given.rpartition(":")[0])
    path = path if path.exists() else store.folder / path
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else ""


def left_to_finish(store: Store, like: Run, pieces: int) -> Run | None:
    """The run, killed or failed, that has the recipe, folds and inputs of `like` and finished folds to go on from, taken for this process.

    A killed one is taken without finished folds too. `pieces` is how many folds times seeds there will be.
    """
    failed = [run for run in store.all_runs() if run.status == "failed" and _finished(store, run)]
    alike = [run for run in (*unfinished(store), *reversed(failed)) if run.kind == like.kind and _same_work(run, like)]
    for left in (run for run in alike if _same_ground(run, like)):
        mine = claim(store, left)
        if mine is not None:
            how = "failed" if left.status == "failed" else "was left unfinished"
            say(f"{left.id} {left.name} {how} with {_finished(store, left)} of {pieces} folds done: going on from there")
            return mine
    if alike:
        say(f"{alike[-1].id} {alike[-1].name} is not finished, but data, columns, target, metric, code or versions of libraries are others now: "
            "a new run begins")
    return None


def same_finished(store: Store, run: Run) -> Run | None:
    """The last finished run of the same recipe on the same folds and inputs, None where there is none."""
    found = (one for one in reversed(store.all_runs()) if one.status == "done" and one.score.mean is not None and one.id != run.id)
    return next((one for one in found if _same_work(one, run) and _same_ground(one, run)), None)


def _same_work(one: Run, other: Run) -> bool:
    """Whether both are the same recipe on the same folds."""
    folds = one.folds_fingerprint == other.folds_fingerprint and one.notes.get("fold") == other.notes.get("fold")
    return folds and one.recipe == other.recipe


def _same_ground(one: Run, other: Run) -> bool:
    """Whether nothing else has changed that predictions depend on."""
    return all(one.notes.get(key) == other.notes.get(key) for key in GROUND)


def _finished(store: Store, run: Run) -> int:
    return Checkpoints(store.run_folder(run) / ".work").count()


def _versions() -> dict[str, str]:
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
