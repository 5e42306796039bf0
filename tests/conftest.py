"""Fixtures: workspaces, practice competitions and the kk command, with real files and a real socket."""

import json
import os

# Two test processes share two cores: threads that wait for each other at barriers would take many times as long.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import contextlib
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"


@dataclass(frozen=True)
class Ran:
    """What a kk command did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict:
        """The one JSON document on stdout."""
        return json.loads(self.out)

    @property
    def error(self) -> str:
        """The last line of stderr."""
        return self.err.strip().splitlines()[-1] if self.err.strip() else ""


@pytest.fixture(autouse=True)
def no_person(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test reads the credentials, proxies or arena of the person who runs it."""
    for name in list(os.environ):
        if name.startswith(("KAGGLE_", "KK_")) or name.lower() in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
            monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty workspace that is the cwd."""
    folder = tmp_path / "ws"
    (folder / "configs").mkdir(parents=True)
    (folder / "competitions").mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def kk() -> Callable[..., Ran]:
    """The kk command in this process: kk("train", "linear")."""
    from click.testing import CliRunner

    from kagglekit.cli import main

    def call(*args: object) -> Ran:
        result = CliRunner().invoke(main, [str(arg) for arg in args])
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Ran(result.exit_code, result.stdout, result.stderr)

    return call


@pytest.fixture
def kk_process() -> Callable[..., subprocess.Popen]:
    """The kk command as a process of its own."""

    def start(*args: object, **options: object) -> subprocess.Popen:
        return subprocess.Popen([sys.executable, "-m", "kagglekit", *map(str, args)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}, **options)  # type: ignore[call-overload]

    return start


def small_tables(rows: int = 240, seed: int = 0) -> dict[str, pd.DataFrame]:
    """A small binary contest: numbers, a category with gaps, a group that test does not share, dates."""
    random = np.random.default_rng(seed)
    total = rows + rows // 2
    x = random.normal(size=total)
    who = np.arange(total) // 4
    label = (x + 0.5 * random.normal(size=total) > 0.3).astype(int)
    table = pd.DataFrame({"id": np.arange(1000, 1000 + total), "x": x.round(4), "noise": random.normal(size=total).round(4),
                          "colour": random.choice(["red", "green", "blue"], total), "site": [f"S{number:03d}" for number in who],
                          "day": pd.Timestamp("2025-01-01") + pd.to_timedelta(np.arange(total), unit="D")})
    table.loc[::17, "colour"] = None
    table.loc[::13, "noise"] = np.nan
    train, test = table.iloc[:rows].assign(y=label[:rows]), table.iloc[rows:].reset_index(drop=True)
    solution = test[["id"]].assign(y=label[rows:], Usage=np.where(np.arange(len(test)) % 2, "Public", "Private"))
    return {"train": train, "test": test, "sample_submission": test[["id"]].assign(y=0), "solution": solution}


def write_contest(folder: Path, tables: dict[str, pd.DataFrame]) -> Path:
    """A folder that `kk arena create --from` takes."""
    (folder / "files").mkdir(parents=True)
    for name, table in tables.items():
        table.to_csv((folder if name == "solution" else folder / "files") / f"{name}.csv", index=False)
    return folder


@pytest.fixture(scope="session")
def small_arena(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An arena home with the small contest under the metrics accuracy, auc and logloss."""
    from kagglekit.practice.create import create
    from kagglekit.practice.state import State

    home = tmp_path_factory.mktemp("arena")
    source = write_contest(tmp_path_factory.mktemp("source") / "small", small_tables())
    state = State(home)
    for metric in ("accuracy", "auc", "logloss"):
        create(home, f"small-{metric}", source=source, metric=metric, now=state.now(), days=3000)
    return home


def copied(source: Path, target: Path) -> None:
    """A copy of a folder; databases are copied by SQLite, since a connection to them may just be closing."""
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("*.db", "*.db-wal", "*.db-shm"), dirs_exist_ok=True)
    for database in source.rglob("*.db"):
        there = target / database.relative_to(source)
        with contextlib.closing(sqlite3.connect(database)) as old, contextlib.closing(sqlite3.connect(there)) as new:
            old.backup(new)


@pytest.fixture
def small(workspace: Path, small_arena: Path) -> Iterator[Path]:
    """A workspace where small-auc is joined; gives the competition's folder."""
    from kagglekit.verbs.join import join

    copied(small_arena, workspace / "arena")
    join("small-auc", practice=True)
    yield workspace / "competitions" / "small-auc"


@pytest.fixture(scope="session")
def clinics_arena(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An arena home in which the tables of practice-clinics are made."""
    from kagglekit.practice.contest import find_contest
    from kagglekit.practice.generate import ensure_built_ins
    from kagglekit.practice.state import State

    home = tmp_path_factory.mktemp("clinics")
    state = State(home)
    ensure_built_ins(home, state.now())
    find_contest(home, "practice-clinics")
    return home


@pytest.fixture
def clinics(workspace: Path, clinics_arena: Path) -> Path:
    """A workspace where practice-clinics is joined; gives the competition's folder."""
    from kagglekit.verbs.join import join

    copied(clinics_arena, workspace / "arena")
    join("practice-clinics", practice=True)
    return workspace / "competitions" / "practice-clinics"
