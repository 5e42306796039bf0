"""Saving a run: started on disk before the first second of work, arrays next, done last, then the ledger's row."""

import hashlib
import json
import os
import platform
import shlex
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib import metadata
from pathlib import Path

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
    """What a finished run holds: predictions, score and how it came about; `notes` are added to the run's."""

    oof: Array | None
    test: Array | None
    score: Score
    rows_scored: int
    rounds: Mapping[str, object]
    seconds: Mapping[str, float]
    warnings: tuple[str, ...] = ()
    notes: Mapping[str, object] = field(default_factory=dict)


def begin(store: Store, *, name: str, kind: str, folds: Folds | None = None, notes: Mapping[str, object] | None = None, **facts: object) -> Run:
    """A new run with status started, its run.json on disk: versions, git, the command line and fingerprints of data and folds."""
    about = {"folds": folds.name, "folds_fingerprint": folds.fingerprint} if folds else {}
    warned = ("these folds were made with --force although the audit found something fatal",) if folds and folds.forced else ()
    return store.new_run(lambda number: Run(
        id=number, name=safe_name(name), kind=kind, created=now(), process=_process(),
        versions=_versions(), git=_git(), warnings=warned, notes={"command": _command(), "data_sha256": data_sha256(store), **(notes or {})},
        **about, **facts))


def finish(store: Store, run: Run, result: Result) -> Run:
    """Write the arrays, then run.json as done, then the ledger's row."""
    if result.oof is not None:
        store.write_array(run, "oof", _typed(result.oof, run))
    if result.test is not None and not np.isnan(result.test).all():
        store.write_array(run, "test", _typed(result.test, run))
    done = replace(run, status="done", score=result.score, rows_scored=result.rows_scored, rounds=dict(result.rounds),
                   seconds=dict(result.seconds), warnings=run.warnings + result.warnings, notes={**run.notes, **result.notes})
    store.write_run(done)
    open_ledger(store).save_run(done)
    return done


def fail(store: Store, run: Run, error: Exception) -> None:
    """Record that a run ended in an error; its finished folds stay."""
    store.write_run(replace(run, status="failed", notes={**run.notes, "error": str(error)}))


def claim(store: Store, run: Run) -> Run | None:
    """The run as this process's own, started again; None where another process took it in the meantime."""
    holder = store.run_folder(run) / ".taken"
    try:
        os.close(os.open(holder, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return None
    try:
        now_there = store.run(run.uid)
        if (now_there.status, now_there.process) != (run.status, run.process):
            return None
        notes = {key: value for key, value in run.notes.items() if key != "error"}
        mine = replace(run, status="started", notes=notes, process=_process())
        store.write_run(mine)
        return mine
    finally:
        holder.unlink(missing_ok=True)


def unfinished(store: Store) -> list[Run]:
    """Runs that were started by a process that is gone."""
    return [run for run in store.all_runs() if run.status == "started" and not alive(run)]


def alive(run: Run) -> bool:
    """Whether the process that started a run is still there (unknown on another machine: yes)."""
    if run.process.get("host") != platform.node():
        return True
    pid = int(str(run.process.get("pid") or 0))
    return pid != os.getpid() and is_alive(pid)


def _process() -> dict[str, object]:
    return {"pid": os.getpid(), "host": platform.node()}


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
    """Commit, whether the work tree was changed, and the hash of these changes; empty outside a repository."""
    try:
        changed = _asked("status", "--porcelain")
        diff = hashlib.sha256(_asked("diff", "HEAD").encode()).hexdigest() if changed else ""
        return {"commit": _asked("rev-parse", "HEAD"), "dirty": bool(changed), "diff_sha256": diff}
    except (OSError, subprocess.SubprocessError):
        return {}


def _asked(*words: str) -> str:
    ran = subprocess.run(["git", *words], capture_output=True, text=True, errors="replace", timeout=5, check=True)
    return ran.stdout.strip()


def _command() -> str:
    """The command line as typed, empty in a notebook or script."""
    name = Path(sys.argv[0]).name if sys.argv else ""
    return shlex.join(["kk", *sys.argv[1:]]) if name == "kk" or Path(sys.argv[0]).parent.name == "kagglekit" else ""


def data_sha256(store: Store) -> str:
    """One hash of all data files, from the manifest's; empty where there is no manifest."""
    if not store.manifest.exists():
        return ""
    files = json.loads(store.manifest.read_text(encoding="utf-8")).get("files", [])
    return hashlib.sha256(json.dumps(sorted((str(one.get("name")), str(one.get("sha256"))) for one in files)).encode()).hexdigest()
