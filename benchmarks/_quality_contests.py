"""The competitions of quality.py: real past ones with their hidden answers, and the built-in ones; how a submission does there.

Everybody is scored by the arena's own scorer. The standard errors are those of kagglekit.noise over the private rows.
"""

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from _quality_peers import is_date  # noqa: E402

from kagglekit.competition import arena_home  # noqa: E402
from kagglekit.metrics import check_metric  # noqa: E402
from kagglekit.noise import lb_se  # noqa: E402
from kagglekit.practice.contest import Contest, find_contest  # noqa: E402
from kagglekit.practice.create import create  # noqa: E402
from kagglekit.practice.generate import ensure_built_ins  # noqa: E402
from kagglekit.practice.scoring import score_file  # noqa: E402
from kagglekit.practice.state import State  # noqa: E402

LEFT_OUT = {"practice-digits": "its content is images beside a table without features", "practice-notebook": "notebooks are judged, on hidden rows"}
BUILT_IN = ("practice-cancer", "practice-houses", "practice-clinics", "practice-demand", "practice-churn")


@dataclass(frozen=True, slots=True)
class Board:
    """What is known of the real leaderboard: its lines (gold, silver, bronze, median), private scores, and whether the test rows differ."""

    lines: Mapping[str, float]
    scores: np.ndarray
    split_anew: bool

    def place(self, score: float, sign: int) -> str:
        """Place and medal that a private score would have had; `sign` is +1 where more is better.

        >>> Board({"gold": 0.9, "median": 0.5}, np.array([0.9, 0.7, 0.5]), True).place(0.8, 1)
        '~2 of 3, above median'
        """
        if not len(self.scores):
            return ""
        rank = 1 + int((sign * (self.scores - score) > 1e-9).sum())
        reached = [name for name in ("gold", "silver", "bronze") if name in self.lines and sign * (score - self.lines[name]) >= 0]
        median = self.lines.get("median")
        words = reached[0] if reached else "" if median is None else "above median" if sign * (score - median) >= 0 else "below median"
        return f"{'~' if self.split_anew else ''}{rank:,} of {len(self.scores):,}{', ' if words else ''}{words}"


def real_contests(data: Path) -> dict[str, Path]:
    """The folders below `data` that hold files/ and solution.csv, by name."""
    return {path.parent.name: path.parent for path in sorted(data.glob("*/solution.csv")) if (path.parent / "files").is_dir()}


def made(workspace: Path, slug: str, source: Path | None) -> Contest:
    """The contest in a new workspace with an arena of its own."""
    for name in ("configs", "competitions"):
        (workspace / name).mkdir(parents=True, exist_ok=True)
    home = arena_home(workspace)
    home.mkdir(exist_ok=True)
    now = State(home).now()
    if source is None:
        ensure_built_ins(home, now)
    elif not (home / slug).exists():
        create(home, slug, source=source, metric=_metric_of(source), now=now)
    contest = find_contest(home, slug)
    assert contest is not None
    return contest


def _metric_of(source: Path) -> str | None:
    """The metric that the table of the README beside a competition's folder names; its own competition.toml comes first."""
    readme = source.parent / "README.md"
    if (source / "competition.toml").exists() or not readme.exists():
        return None
    cells = [[cell.strip() for cell in line.strip("| ").split("|")] for line in readme.read_text(encoding="utf-8").splitlines() if "|" in line]
    column = next((row.index("metric") for row in cells if "metric" in row), 0)
    return next((check_metric(row[column]).name for row in cells if row[0] == source.name and column < len(row)), None)


def task_of(contest: Contest, minutes: float, cores: int) -> dict:
    """The competition as the peers see it (the fields of _quality_peers.Task)."""
    files = {part: contest.files / f"{part}.csv" for part in ("train", "test")}
    train, test, sample = (pd.read_csv(path, low_memory=False) for path in (*files.values(), contest.sample_path()))
    identity, *columns = sample.columns
    targets = [column for column in columns if column in train]
    wide: list[str] = []
    if not targets:
        names = {column for column in train if column not in test and set(map(str, train[column].dropna().unique())) == set(columns)}
        targets, wide = sorted(names)[:1], columns
    features = [column for column in test if column in train and column not in targets and (column != identity or is_date(test[column]))]
    return {**{part: str(path) for part, path in files.items()}, "sample": str(contest.sample_path()), "id": identity, "targets": targets,
            "features": features, "wide": wide, "metric": contest.scorer.name, "needs": contest.scorer.needs, "seconds": 60 * minutes, "cores": cores}


def board_of(source: Path | None) -> Board:
    """The real leaderboard and its lines, from leaderboard_private.csv and SOURCE.md."""
    if source is None or not (source / "leaderboard_private.csv").exists():
        return Board({}, np.array([]), False)
    about = (source / "SOURCE.md").read_text(encoding="utf-8") if (source / "SOURCE.md").exists() else ""
    said = next((line for line in about.splitlines() if "private-LB" in line), "")
    lines = {name: float(value) for name, value in re.findall(r"\b(gold|silver|bronze|median) (-?\d+(?:\.\d+)?)", said)}
    scores = pd.to_numeric(pd.read_csv(source / "leaderboard_private.csv")["score"], errors="coerce").dropna().to_numpy()
    return Board(lines, scores, "SYNTHETIC" in about or "RE-SPLIT" in about)


def scores_of(contest: Contest, files: Mapping[str, Path]) -> dict[str, tuple[float, float]]:
    """(public, private) score of each submission."""
    return {way: score_file(contest, path) for way, path in files.items()}


def private_noise(contest: Contest, files: Mapping[str, Path]) -> dict[str, dict[str, float]]:
    """Standard errors over the private rows: [a][b] of the gap between two submissions, [a][a] of the score of one."""
    truth, said = _aligned(contest, files)
    se = lb_se(truth, said, contest.scorer, len(truth)).se
    return {one: {other: float(se[row, column]) for column, other in enumerate(files)} for row, one in enumerate(files)}


def _aligned(contest: Contest, files: Mapping[str, Path]) -> tuple[np.ndarray, np.ndarray]:
    """Truth and submissions on the private rows (all rows where there are none), in the form that the metric takes."""
    identity, *columns = pd.read_csv(contest.sample_path(), nrows=0).columns
    as_text = {identity: str}  # "00412" stays what it is
    solution = pd.read_csv(contest.folder / "solution.csv", dtype=as_text)
    private = solution["Usage"] == "Private"
    solution = solution[private if private.any() else ~private].set_index(identity)[columns]
    tables = [pd.read_csv(path, dtype=as_text).set_index(identity).loc[solution.index, columns] for path in files.values()]
    if contest.scorer.columns == "classes":
        return solution.to_numpy().argmax(axis=1), np.stack([np.clip(table.to_numpy(float), 1e-15, None) for table in tables])
    if not all(pd.api.types.is_numeric_dtype(kind) for kind in solution.dtypes):
        codes = {label: code for code, label in enumerate(pd.unique(solution.astype(str).to_numpy().ravel()))}
        solution, *tables = [table.astype(str).map(lambda text: codes.get(text, -1)) for table in (solution, *tables)]
    parts = [table.to_numpy(float)[:, 0] if len(columns) == 1 else table.to_numpy(float) for table in (solution, *tables)]
    return parts[0], np.stack(parts[1:])
