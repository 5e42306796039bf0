"""Competition: one contest's facts, read from competition.toml and found by walking up from the current folder."""

import dataclasses
import datetime
import json
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kagglekit.errors import KKError
from kagglekit.registry import near_names

FILE = "competition.toml"
SECTIONS = {
    "": ("slug", "title", "server", "url"),
    "schema": ("task", "id", "sample_id", "unit", "id_form", "target", "prediction", "classes", "test_is_stub"),
    "metric": ("metric", "greater_is_better", "kaggle_metric", "metric_known_as"),
    "files": ("train", "test", "sample", "labels", "train_parts", "test_parts", "others", "folders"),
    "columns": ("group", "time", "ignore", "image", "text"),
    "contest": ("deadline", "daily_limit", "public_fraction", "code_only"),
}
TASKS = ("binary", "multiclass", "multilabel", "regression", "multitarget", "other")
PREDICTIONS = ("label", "proba", "value", "rank", "list", "mask", "boxes", "text", "other")
LISTS = ("id", "target", "group", "ignore", "unit", "train_parts", "test_parts", "others", "folders", "image", "text")
# Left out of competition.toml where they are empty.
OPTIONAL = ("sample_id", "unit", "id_form", "metric_known_as", "labels", "train_parts", "test_parts", "others", "folders", "image", "text")


@dataclass(frozen=True, slots=True)
class Competition:
    """What a person (or `kk join`'s guess) says of a contest.

    `folder` holds competition.toml; `classes` are the labels in the order of probability columns; `greater_is_better` is None
    where it is not known; `public_fraction` is the public leaderboard's share of the test rows, 0 where it is not known.
    `sample_id` is the sample's column that names its rows where test has no such column (rows go by order); `unit` are columns of
    test that several rows of the sample (or one row of several in test) belong to, `id_form` how the sample's id is written from
    columns; `metric_known_as` is Kaggle's metric where it is not built in; `labels` is a file that holds the targets of train;
    `folders` are patterns of files, with {column} where a column of a table names them.
    """

    slug: str
    folder: Path
    title: str = ""
    server: str = "kaggle"
    url: str = ""
    task: str = ""
    id: tuple[str, ...] = ()
    target: tuple[str, ...] = ()
    prediction: str = ""
    classes: tuple[object, ...] = ()
    test_is_stub: bool = False
    metric: str = ""
    greater_is_better: bool | None = None
    kaggle_metric: str = ""
    train: str = ""
    test: str = ""
    sample: str = ""
    group: tuple[str, ...] = ()
    time: str = ""
    ignore: tuple[str, ...] = ()
    deadline: str = ""
    daily_limit: int = 0
    public_fraction: float = 0.0
    code_only: bool = False
    sample_id: str = ""
    unit: tuple[str, ...] = ()
    id_form: str = ""
    metric_known_as: str = ""
    labels: str = ""
    train_parts: tuple[str, ...] = ()
    test_parts: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    image: tuple[str, ...] = ()
    text: tuple[str, ...] = ()
    why: Mapping[str, str] = field(default_factory=dict, compare=False)

    @property
    def sample_ids(self) -> tuple[str, ...]:
        """The columns of the sample that name its rows and hold no prediction."""
        return self.id or ((self.sample_id,) if self.sample_id else ())

    @property
    def deadline_at(self) -> datetime.datetime | None:
        """The deadline in UTC, None where there is none."""
        return datetime.datetime.fromisoformat(self.deadline) if self.deadline else None

    def days_left(self, now: datetime.datetime) -> float | None:
        """Days until the deadline, negative after it."""
        end = self.deadline_at
        return None if end is None else round((end - now).total_seconds() / 86400, 2)


def read_competition(folder: Path) -> Competition:
    """The Competition that `folder/competition.toml` describes; raises KKError naming the line to edit."""
    path = folder / FILE
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise KKError(f"{folder.name} is not joined: there is no {path}", f"Join it first: kk join {folder.name}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise KKError(f"{path} cannot be read: {error}", "Mend that line, or move the file away and join again") from error
    facts: dict[str, object] = {}
    for section, names in SECTIONS.items():
        table = content if not section else content.get(section, {})
        for name in names:
            written = _written_name(section, name)
            if written in table:
                facts[name] = tuple(table[written]) if isinstance(table[written], list) else table[written]
    competition = Competition(folder=folder, **{"slug": folder.name, **facts})
    return _validated(competition, path)


def _written_name(section: str, name: str) -> str:
    """In [metric] the keys are name, kaggle_name and known_as."""
    return {"metric": "name", "kaggle_metric": "kaggle_name", "metric_known_as": "known_as"}.get(name, name) if section == "metric" else name


def _validated(competition: Competition, path: Path) -> Competition:
    for name, allowed in (("task", TASKS), ("prediction", PREDICTIONS)):
        value = getattr(competition, name)
        if value and value not in allowed:
            raise KKError(f"{path} says {name} = {value!r}", f"{near_names(value, allowed)}Write one of: {', '.join(allowed)}")
    listed = {name: getattr(competition, name) for name in LISTS}
    wrong = [name for name, value in listed.items() if isinstance(value, str)]
    if wrong:
        fixed = {name: (listed[name],) if listed[name] else () for name in wrong}
        return dataclasses.replace(competition, **fixed)
    return competition


def competition_text(competition: Competition) -> str:
    """The text of competition.toml: every fact, and behind each guess its reason as a comment."""
    lines = ["# Written once by `kk join`; from now on it is yours: edit what is wrong, nothing overwrites it."]
    for section, names in SECTIONS.items():
        if section:
            lines += ["", f"[{section}]"]
        for name in names:
            value = getattr(competition, name)
            if value is None or (not value and name in OPTIONAL):
                continue
            reason = competition.why.get(name, "")
            comment = "  # " + "".join(letter if letter.isprintable() else " " for letter in reason) if reason else ""
            lines.append(f"{_written_name(section, name)} = {_toml_value(value)}{comment}")
    return "\n".join(lines) + "\n"


def _toml_value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (tuple, list)):
        return "[" + ", ".join(_toml_value(item) for item in value) + "]"
    if isinstance(value, (int, float)):
        return repr(value)
    return json.dumps(str(value), ensure_ascii=False)


def find_workspace(start: Path | None = None) -> Path | None:
    """The nearest folder at or above `start` (default: the cwd) that holds configs/ and competitions/."""
    start = (start or Path.cwd()).resolve()
    for folder in (start, *start.parents):
        if (folder / "configs").is_dir() and (folder / "competitions").is_dir():
            return folder
    return None


def require_workspace() -> Path:
    """As find_workspace, but raises KKError where there is none."""
    workspace = find_workspace()
    if workspace is None:
        raise KKError(f"{Path.cwd()} is not in a workspace (a folder with configs/ and competitions/)",
                      "Make one: kk init . (or go into yours)")
    return workspace


def joined(workspace: Path) -> list[str]:
    """Slugs of the competitions that have a competition.toml."""
    return sorted(path.parent.name for path in workspace.glob(f"competitions/*/{FILE}"))


def find_competition(given: object = None) -> Competition:
    """The Competition meant: as given (slug or Competition), else the folder that the cwd is in, else the last joined."""
    if isinstance(given, Competition):
        return given
    workspace = require_workspace()
    slug = str(given) if given else _current(workspace) or _last(workspace)
    if not slug:
        raise KKError("no competition was named and none is joined here", "Join one: kk join practice-clinics --practice")
    if slug not in joined(workspace):
        near = near_names(slug, joined(workspace))
        raise KKError(f"{slug} is not joined in {workspace}", f"{near}Join it: kk join {slug}")
    return read_competition(workspace / "competitions" / slug)


def _current(workspace: Path) -> str | None:
    here, home = Path.cwd().resolve(), (workspace / "competitions").resolve()
    return here.relative_to(home).parts[0] if here != home and here.is_relative_to(home) else None


def _last(workspace: Path) -> str | None:
    try:
        return (workspace / ".kk" / "last").read_text(encoding="utf-8").strip() or None
    except FileNotFoundError:
        return None


def arena_home(workspace: Path | None) -> Path:
    """Where the practice server keeps its competitions: KK_ARENA_HOME, else arena/ in the workspace."""
    override = os.environ.get("KK_ARENA_HOME")
    if override:
        return Path(override)
    if workspace is None:
        raise KKError(f"{Path.cwd()} is not in a workspace, so there is no arena", "Make one: kk init .")
    return workspace / "arena"
