"""A contest of the arena: what its folder says, its public files, its hidden answers, and how it came to be."""

import dataclasses
import datetime
import json
import os
import re
import shutil
import tempfile
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kagglekit.errors import KKError
from kagglekit.metrics import Metric, check_metric

if TYPE_CHECKING:
    import pandas as pd

FILE = "contest.toml"
SLUG = re.compile(r"^[a-z0-9][a-z0-9-]{1,63}$")


@dataclass(frozen=True, slots=True)
class Contest:
    """The facts of a contest; `created` is the arena's time of its start, `folder` holds files/ (served) and solution.csv (never)."""

    slug: str
    folder: Path
    title: str = ""
    metric: str = ""
    created: str = ""
    days: float = 30
    daily_limit: int = 5
    public: float = 0.3
    code_only: bool = False
    rules_required: bool = False
    description: str = ""
    teaches: str = ""
    built_in: bool = False
    seed: int = 0

    @property
    def start(self) -> datetime.datetime:
        """When it began."""
        return datetime.datetime.fromisoformat(self.created)

    @property
    def deadline(self) -> datetime.datetime:
        """When it ends."""
        return self.start + datetime.timedelta(days=self.days)

    @property
    def files(self) -> Path:
        """What participants get."""
        return self.folder / "files"

    @property
    def scorer(self) -> Metric:
        """The metric that scores it."""
        return check_metric(self.metric)

    @property
    def display_metric(self) -> str:
        """The metric's name as Kaggle would show it."""
        return next(iter(self.scorer.kaggle_names), self.metric)

    def file_paths(self) -> list[str]:
        """Names of the public files with their folders, sorted."""
        return sorted(str(path.relative_to(self.files)) for path in self.files.rglob("*") if path.is_file() and not path.is_symlink())

    def sample_path(self) -> Path:
        """The sample submission, whose columns a submission must have."""
        return find_sample(self.files)

    def pages(self) -> dict[str, str]:
        """Description, evaluation and rules."""
        better = "Higher is better." if self.scorer.greater_is_better else "Lower is better."
        evaluation = (f"Submissions are scored by {self.display_metric}. {better} The public leaderboard is calculated with "
                      f"approximately {self.public:.0%} of the test data; the final one with the rest.")
        rules = f"At most {self.daily_limit} submissions a day (UTC). Late submissions are scored."
        return {"description": self.description or self.title, "evaluation": evaluation, "rules": rules}


def find_sample(files: Path) -> Path:
    """The sample submission below `files`: a csv whose name says submission, else sample."""
    tables = sorted(path for path in files.glob("*.csv") if path.is_file())
    for word in ("submission", "sample"):
        for path in tables:
            if word in path.name.lower():
                return path
    raise KKError(f"{files} has no sample submission", "Put a sample_submission.csv beside test.csv")


def read_contest(folder: Path) -> Contest:
    """The Contest of a folder of the arena."""
    content = tomllib.loads((folder / FILE).read_text(encoding="utf-8"))
    names = {field.name for field in dataclasses.fields(Contest)}
    return Contest(slug=folder.name, folder=folder, **{key: value for key, value in content.items() if key in names - {"slug", "folder"}})


def write_contest(contest: Contest) -> None:
    """Write contest.toml, whole or not at all."""
    facts = dataclasses.asdict(contest)
    lines = [f"{key} = {_toml(value)}" for key, value in facts.items() if key not in ("slug", "folder")]
    contest.folder.mkdir(parents=True, exist_ok=True)
    hidden = contest.folder / f".{FILE}.{os.getpid()}"
    hidden.write_text("\n".join(lines) + "\n", encoding="utf-8")
    os.replace(hidden, contest.folder / FILE)


def _toml(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else json.dumps(value, ensure_ascii=False)


def contests(home: Path) -> list[Contest]:
    """All contests of an arena, by slug."""
    return [read_contest(path.parent) for path in sorted(home.glob(f"*/{FILE}"))]


def find_contest(home: Path, slug: str) -> Contest | None:
    """The contest called `slug`, with its files made if it is built in; None for anything else, path tricks too."""
    if not SLUG.match(slug) or not (home / slug / FILE).exists():
        return None
    contest = read_contest(home / slug)
    if contest.built_in and not (contest.folder / "solution.csv").exists():
        _generate(contest)
    return contest


def ensure_built_ins(home: Path, now: datetime.datetime) -> None:
    """Announce the built-in competitions (their data is made at first need)."""
    from kagglekit.practice.builtin.registry import REGISTRY

    for name in REGISTRY.names():
        if not (home / name / FILE).exists():
            part = REGISTRY.get(name)
            write_contest(Contest(slug=name, folder=home / name, title=part.title, metric=part.metric, created=now.isoformat(),
                                  description=part.description, teaches=part.teaches, built_in=True))


def _generate(contest: Contest) -> None:
    """Make the tables of a built-in competition under a hidden name, solution last."""
    from kagglekit.practice.builtin.registry import REGISTRY

    tables = REGISTRY.get(contest.slug).function(contest.seed)
    with tempfile.TemporaryDirectory(dir=contest.folder, prefix=".making-") as made:
        for name in ("train", "test", "sample_submission"):
            tables[name].to_csv(Path(made) / f"{name}.csv", index=False)
        tables["solution"].to_csv(Path(made) / "solution.csv", index=False)
        contest.files.mkdir(exist_ok=True)
        for path in sorted(Path(made).glob("*.csv"), key=lambda path: path.name == "solution.csv"):
            target = contest.folder if path.name == "solution.csv" else contest.files
            os.replace(path, target / path.name)


def create(home: Path, name: str, *, source: Path, metric: str | None = None, public: float = 0.3, days: float = 30,
           daily_limit: int = 5, now: datetime.datetime) -> Contest:
    """Make a contest from a folder that has files/ (or the csv files themselves) and solution.csv.

    Raises KKError where the name is taken, a file is missing, the metric is unknown or ids differ; nothing is left then.
    """
    if not SLUG.match(name):
        raise KKError(f"{name!r} is no name for a competition", "Use small letters, digits and hyphens: my-competition")
    if (home / name).exists():
        raise KKError(f"the arena has a competition called {name} already", "Choose another name")
    facts = _facts(source)
    metric = metric or str(facts.get("metric") or "")
    _check_numbers(public, days, daily_limit)
    if not metric:
        raise KKError(f"no metric is known for {name}", "Name it: kk arena create NAME --from FOLDER --metric rmse")
    needs = check_metric(metric).needs
    home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home, prefix=".making-") as made:
        staged = Path(made) / name
        _copy(source, staged / "files")
        share = _solution(source, staged, public, needs)
        write_contest(Contest(slug=name, folder=staged, title=str(facts.get("title") or name), metric=metric, created=now.isoformat(),
                              days=days, daily_limit=daily_limit, public=share, description=str(facts.get("description") or ""),
                              code_only=facts.get("code_only") is True, rules_required=facts.get("rules_required") is True))
        os.replace(staged, home / name)
    return read_contest(home / name)


def _check_numbers(public: float, days: float, daily_limit: int) -> None:
    if not 0 < public <= 1:
        raise KKError(f"the public share cannot be {public}", "Give a share above 0 and at most 1: --public 0.3")
    if days <= 0:
        raise KKError(f"a competition cannot last {days} days", "Give a number above 0: --days 30")
    if daily_limit < 1:
        raise KKError(f"the daily limit cannot be {daily_limit}", "Give at least 1: --daily-limit 5")


def _facts(source: Path) -> dict:
    if not source.is_dir():
        raise KKError(f"no folder {source}", "Give a folder with files/ and solution.csv")
    path = source / "competition.toml"
    if not path.exists():
        return {}
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise KKError(f"{path} cannot be read: {error}", "Mend that line, or take the file away and give --metric") from error
    metric = content.get("metric")
    return {**content, "metric": metric.get("name") if isinstance(metric, dict) else metric}


def _copy(source: Path, target: Path) -> None:
    inside = source / "files"
    target.mkdir(parents=True)
    for path in _public_files(source, inside):
        place = target / path.relative_to(inside if inside.is_dir() else source)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, place)
    find_sample(target)


def _public_files(source: Path, inside: Path) -> Iterator[Path]:
    about = {"competition.toml", "SOURCE.md"}
    for path in sorted((inside if inside.is_dir() else source).rglob("*")):
        # The answers stay hidden even where someone left a copy among the files.
        secret = path.name == "solution.csv" or (not inside.is_dir() and (path.name in about or path.name.startswith("leaderboard")))
        if path.is_file() and not path.is_symlink() and not secret:
            yield path


def _solution(source: Path, staged: Path, public: float, needs: str) -> float:
    """Copy the solution (with a seeded Usage where it has none); gives the public share of its rows."""
    import numpy as np
    import pandas as pd

    path = source / "solution.csv"
    if not path.exists():
        raise KKError(f"{source} has no solution.csv", "Give the hidden answers: id, the sample's columns, Usage")
    solution = pd.read_csv(path, dtype=str, keep_default_na=False)
    sample = pd.read_csv(find_sample(staged / "files"), dtype=str, keep_default_na=False)
    missing = [column for column in sample.columns if column not in solution.columns]
    if missing:
        raise KKError(f"solution.csv has no column {missing[0]!r} of the sample", f"It has: {', '.join(solution.columns)}")
    ids = sample.columns[0]
    if set(sample[ids]) != set(solution[ids]):
        odd = next(iter(set(sample[ids]) ^ set(solution[ids])))
        raise KKError(f"solution.csv and the sample differ in their ids, such as {odd!r}", "Give one row per id of the sample")
    if solution[ids].duplicated().any():
        twice = solution.loc[solution[ids].duplicated(), ids].iloc[0]
        raise KKError(f"solution.csv has the id {twice!r} more than once", "Give one row per id of the sample")
    if needs != "label":
        _check_answers(solution, list(sample.columns[1:]))
    if "Usage" not in solution.columns:
        open_rows = np.random.default_rng(0).permutation(len(solution)) < round(public * len(solution))
        solution["Usage"] = np.where(open_rows, "Public", "Private")
    if not (solution["Usage"] == "Public").any():
        raise KKError("solution.csv has no row whose Usage is Public", "Mark some rows Public, or leave the column out")
    solution.to_csv(staged / "solution.csv", index=False)
    return round(float((solution["Usage"] == "Public").mean()), 4)


def _check_answers(solution: "pd.DataFrame", columns: list[str]) -> None:
    import numpy as np
    import pandas as pd

    for column in columns:
        values = pd.to_numeric(solution[column], errors="coerce").to_numpy(dtype=np.float64)
        if not np.isfinite(values).all():
            odd = solution[column].iloc[int(np.flatnonzero(~np.isfinite(values))[0])]
            raise KKError(f"solution.csv has {odd!r} in {column!r}, the metric needs numbers", "Code the classes as 0, 1, ...")
