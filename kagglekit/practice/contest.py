"""A contest of the arena: what its folder says, and the folders of an arena."""

import dataclasses
import datetime
import json
import os
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from kagglekit.errors import KKError
from kagglekit.metrics import Metric, check_metric
from kagglekit.registry import is_path_reference

FILE = "contest.toml"
OWN_METRIC = "metric.py"
SLUG = re.compile(r"^[a-z0-9][a-z0-9-]{1,63}$")


@dataclass(frozen=True, slots=True)
class Contest:
    """The facts of a contest; `created` is the arena's time of its start, `folder` holds files/ (served) and solution.csv (never).

    `metric` is a registered name, or metric.py:score of the folder (then `greater_is_better` says its direction). `closed` is
    when the host ended it early; `entry_days` after the start nobody new may enter (0: until the end).
    """

    slug: str
    folder: Path
    title: str = ""
    metric: str = ""
    greater_is_better: bool | None = None
    created: str = ""
    days: float = 30
    closed: str = ""
    entry_days: float = 0
    daily_limit: int = 5
    public: float = 0.3
    code_only: bool = False
    rules_required: bool = False
    description: str = ""
    evaluation: str = ""
    rules: str = ""
    teaches: str = ""
    built_in: bool = False
    seed: int = 0
    scoring_seconds: float = 600

    @property
    def start(self) -> datetime.datetime:
        """When it began."""
        return datetime.datetime.fromisoformat(self.created)

    @property
    def deadline(self) -> datetime.datetime:
        """When it ends."""
        planned = self.start + datetime.timedelta(days=self.days)
        return min(planned, datetime.datetime.fromisoformat(self.closed)) if self.closed else planned

    @property
    def entry_deadline(self) -> datetime.datetime:
        """Until when one may enter."""
        return min(self.deadline, self.start + datetime.timedelta(days=self.entry_days)) if self.entry_days else self.deadline

    @property
    def files(self) -> Path:
        """What participants get."""
        return self.folder / "files"

    @property
    def own_metric(self) -> bool:
        """Whether the host's metric.py scores it."""
        return is_path_reference(self.metric)

    @property
    def scorer(self) -> Metric:
        """The registered metric that scores it."""
        return check_metric(self.metric)

    @property
    def better(self) -> bool:
        """Whether higher scores are better; the host's code is not run for that."""
        return bool(self.greater_is_better) if self.own_metric else self.scorer.greater_is_better

    @property
    def sign(self) -> int:
        """+1 where more is better, -1 where less is."""
        return 1 if self.better else -1

    @property
    def display_metric(self) -> str:
        """The metric's name as Kaggle would show it."""
        return self.metric.rpartition(":")[2] if self.own_metric else next(iter(self.scorer.kaggle_names), self.metric)

    def file_paths(self) -> list[str]:
        """Names of the public files with their folders, sorted."""
        return sorted(str(path.relative_to(self.files)) for path in self.files.rglob("*") if path.is_file() and not path.is_symlink())

    def public_file(self, name: str) -> Path | None:
        """The public file of that name; None for anything else: path tricks, links, what is outside files/."""
        path, root = self.files / name, self.files.resolve()
        try:
            inside = path.is_file() and path.resolve() == root / name and not Path(name).is_absolute() and ".." not in Path(name).parts
        except (OSError, ValueError):  # a name that is too long, or has a NUL
            return None
        return path if inside else None

    def sample_path(self) -> Path:
        """The sample submission, whose columns a submission must have."""
        return find_sample(self.files)

    def pages(self, over: bool = False) -> dict[str, str]:
        """Description, evaluation and rules; after the end also what it teaches."""
        better = "Higher is better." if self.better else "Lower is better."
        evaluation = (f"Submissions are scored by {self.display_metric}. {better} The public leaderboard is calculated with "
                      f"approximately {self.public:.0%} of the test data; the final one with the rest.")
        rules = f"At most {self.daily_limit} submissions a day (UTC). Late submissions are scored."
        pages = {"description": self.description or self.title, "evaluation": f"{evaluation}\n\n{self.evaluation}".strip(),
                 "rules": f"{rules}\n\n{self.rules}".strip()}
        return {**pages, "what-this-teaches": self.teaches} if over and self.teaches else pages


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
    lines = [f"{key} = {_toml(value)}" for key, value in facts.items() if key not in ("slug", "folder") and value is not None]
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
        from kagglekit.practice.generate import generate

        generate(contest)
    return contest


def close_contest(contest: Contest, now: datetime.datetime) -> Contest:
    """End it now: the private leaderboard is final from here on. Raises KKError where it is over already."""
    if contest.deadline <= now:
        raise KKError(f"{contest.slug} ended on {contest.deadline:%Y-%m-%d %H:%M} UTC", f"See the final standing: kk arena board {contest.slug}")
    closed = dataclasses.replace(contest, closed=now.isoformat())
    write_contest(closed)
    return closed
