"""A contest for the tests of the final choice, the look back and the gate: runs of known quality, submitted to the arena."""

import atexit
import contextlib
import functools
import shutil
import tempfile
from pathlib import Path

import numpy as np

import kagglekit
from kagglekit.practice.create import create
from kagglekit.practice.forum import Forum, Topic, write_forum
from kagglekit.practice.state import State
from kagglekit.store import Store, open_store
from tests.conftest import copied, small_tables, write_contest

ROWS = 600
TOPICS = (Topic("1st place solution", "ann", "how", votes=40), Topic("Is the cut random?", "bob", "is it", votes=90, sticky=True),
          Topic("Write-up: place 7", "cy", "so", votes=55), Topic("Thanks", "di", "all", votes=3))


@functools.cache
def _joined() -> Path:
    """A workspace where the contest `duel` is joined and has folds; made once, then copied."""
    folder = Path(tempfile.mkdtemp(prefix="duel-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    workspace = folder / "ws"
    for name in ("configs", "competitions", "arena"):
        (workspace / name).mkdir(parents=True)
    source, home = write_contest(folder / "duel", small_tables(ROWS)), workspace / "arena"
    create(home, "duel", source=source, metric="auc", now=State(home).now(), daily_limit=50)
    write_forum(home / "duel", Forum(TOPICS))
    with contextlib.chdir(workspace):
        kagglekit.join("duel", practice=True)
        kagglekit.cv(split="random", seed=1)
    return workspace


class Played:
    """A joined contest, scored by auc, whose runs predict the truth with as much noise as is asked for."""

    def __init__(self, workspace: Path) -> None:
        copied(_joined(), workspace)
        tables = small_tables(ROWS)
        self.truth, self.hidden = tables["train"]["y"].to_numpy(), tables["solution"]["y"].to_numpy()
        self.store: Store = open_store("duel")

    def add(self, name: str, noise: float, *, seed: int = 0, like: float = 0.0) -> str:
        """A run whose error is `noise` large; `like`: only so much of it is drawn with `seed`, the rest is shared."""
        random, shared = np.random.default_rng(seed), np.random.default_rng(99)
        values = []
        for y in (self.truth, self.hidden):
            own, common = random.normal(size=len(y)), shared.normal(size=len(y))
            values.append(1 / (1 + np.exp(-(2 * y - 1) - noise * (common + like * own if like else own))))
        return kagglekit.add(name, oof=values[0], test=values[1], folds=self.store.latest_folds()).run

    def submit(self, *runs: str) -> None:
        """Submit them."""
        for run in runs:
            kagglekit.submit(run)
