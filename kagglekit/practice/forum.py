"""What people say around a contest of the arena: topics with their comments, and public notebooks."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

FILE = "forum.json"


@dataclass(frozen=True, slots=True)
class Comment:
    """An answer in a topic; `day` counts from the contest's start, `replies` answer it in turn."""

    author: str
    text: str
    day: float = 0.0
    votes: int = 0
    replies: tuple["Comment", ...] = ()


@dataclass(frozen=True, slots=True)
class Topic:
    """A discussion; `text` is markdown."""

    title: str
    author: str
    text: str
    day: float = 0.0
    votes: int = 0
    comments: tuple[Comment, ...] = ()
    sticky: bool = False


@dataclass(frozen=True, slots=True)
class Notebook:
    """A public notebook; where a baseline has the same `slug`, a submission of the notebook is scored with its predictions."""

    slug: str
    title: str
    author: str
    day: float = 0.0
    votes: int = 0
    language: str = "Python"


@dataclass(frozen=True, slots=True)
class Forum:
    """All that is said around one contest."""

    topics: tuple[Topic, ...] = ()
    notebooks: tuple[Notebook, ...] = ()


def write_forum(folder: Path, forum: Forum) -> None:
    """Keep it as forum.json."""
    (folder / FILE).write_text(json.dumps(asdict(forum), ensure_ascii=False, indent=1), encoding="utf-8")


def read_forum(folder: Path) -> Forum:
    """What forum.json says; an empty Forum where there is none."""
    if not (folder / FILE).exists():
        return Forum()
    content = json.loads((folder / FILE).read_text(encoding="utf-8"))
    topics = tuple(Topic(**{**topic, "comments": _comments(topic.get("comments", ()))}) for topic in content.get("topics", ()))
    return Forum(topics, tuple(Notebook(**notebook) for notebook in content.get("notebooks", ())))


def _comments(given: list[dict]) -> tuple[Comment, ...]:
    return tuple(Comment(**{**comment, "replies": _comments(comment.get("replies", ()))}) for comment in given)
