"""Saving a run: started on disk before the first second of work, arrays next, done last, then the ledger's row."""

import os
import platform
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib import metadata

import numpy as np

from kagglekit.folds import Folds
from kagglekit.ledger import open_ledger
from kagglekit.processes import is_alive
from kagglekit.run import Run, Score, now
from kagglekit.store import Store

Array = np.ndarray
PACKAGES = ("kagglekit", "numpy", "pandas", "scikit-learn", "skrub", "lightgbm", "scipy")


@dataclass(frozen=True, slots=True)
class Result:
    """What a finished run holds: predictions, score and how it came about."""

    oof: Array | None
    test: Array | None
    score: Score
    rows_scored: int
    rounds: Mapping[str, object]
    seconds: Mapping[str, float]
    warnings: tuple[str, ...] = ()


def begin(store: Store, *, name: str, kind: str, folds: Folds | None = None, **facts: object) -> Run:
    """A new run with status started, its run.json on disk."""
    about = {"folds": folds.name, "folds_fingerprint": folds.fingerprint} if folds else {}
    warned = ("these folds were made with --force although the audit found something fatal",) if folds and folds.forced else ()
    return store.new_run(lambda number: Run(
        id=number, name=safe_name(name), kind=kind, created=now(), process={"pid": os.getpid(), "host": platform.node()},
        versions=_versions(), git=_git(), warnings=warned, **about, **facts))


def finish(store: Store, run: Run, result: Result) -> Run:
    """Write the arrays, then run.json as done, then the ledger's row."""
    if result.oof is not None:
        store.write_array(run, "oof", _typed(result.oof, run))
    if result.test is not None and not np.isnan(result.test).all():
        store.write_array(run, "test", _typed(result.test, run))
    done = replace(run, status="done", score=result.score, rows_scored=result.rows_scored, rounds=dict(result.rounds),
                   seconds=dict(result.seconds), warnings=run.warnings + result.warnings)
    store.write_run(done)
    open_ledger(store).save_run(done)
    return done


def fail(store: Store, run: Run, error: Exception) -> None:
    """Record that a run ended in an error; its finished folds stay."""
    store.write_run(replace(run, status="failed", notes={**run.notes, "error": str(error)}))


def unfinished(store: Store) -> list[Run]:
    """Runs that were started by a process that is gone."""
    return [run for run in store.all_runs() if run.status == "started" and not alive(run)]


def alive(run: Run) -> bool:
    """Whether the process that started a run is still there (unknown on another machine: yes)."""
    if run.process.get("host") != platform.node():
        return True
    pid = int(str(run.process.get("pid") or 0))
    return pid != os.getpid() and is_alive(pid)


def safe_name(name: str) -> str:
    """A name that can be a folder's."""
    return "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in name).strip("-.")[:60] or "run"


def _typed(values: Array, run: Run) -> Array:
    """float32 for probabilities, float64 for values."""
    return values.astype(np.float32 if run.classes else np.float64)


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def _git() -> dict[str, object]:
    """Commit and whether the work tree was changed; empty outside a repository."""
    try:
        commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, timeout=5, check=True).stdout.strip()
        changed = subprocess.run(["git", "status", "--porcelain"], capture_output=True, text=True, timeout=5, check=True).stdout.strip()
        return {"commit": commit, "dirty": bool(changed)}
    except (OSError, subprocess.SubprocessError):
        return {}
