"""What a server told, as records: contests, files and submissions; the client's own objects end here."""

import datetime
from dataclasses import dataclass
from urllib.parse import urljoin


@dataclass(frozen=True, slots=True)
class Contest:
    """A competition as the server tells it; dates in UTC, None where there is none; `rank` 0: no place on the board."""

    slug: str
    title: str
    url: str
    metric: str
    deadline: datetime.datetime | None
    started: datetime.datetime | None
    daily_limit: int
    teams: int
    entered: bool
    code_only: bool
    rank: int = 0
    entry_deadline: datetime.datetime | None = None
    merger_deadline: datetime.datetime | None = None
    reward: str = ""
    category: str = ""


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file that can be downloaded: its path and its size in bytes."""

    name: str
    bytes: int


@dataclass(frozen=True, slots=True)
class RemoteTopic:
    """A discussion: its address, and how much it was liked and answered."""

    title: str
    url: str
    author: str
    votes: int
    comments: int


@dataclass(frozen=True, slots=True)
class RemoteSubmission:
    """A submission as the server tells it; scores as the text that is shown, '' while hidden."""

    ref: str
    message: str
    status: str
    public: str
    private: str
    error: str
    date: datetime.datetime | None
    file: str


def contest_of(found: object) -> Contest:
    """The Contest of the client's object."""
    slug = str(found.ref or found.url or "").rstrip("/").rsplit("/", 1)[-1]
    return Contest(slug=slug, title=found.title or slug, url=found.url or f"https://www.kaggle.com/competitions/{slug}",
                   metric=found.evaluation_metric or "", deadline=_utc(found.deadline), started=_utc(found.enabled_date),
                   daily_limit=int(found.max_daily_submissions or 0), teams=int(found.team_count or 0),
                   entered=bool(found.user_has_entered), code_only=bool(found.is_kernels_submissions_only),
                   rank=int(found.user_rank or 0), entry_deadline=_utc(found.new_entrant_deadline),
                   merger_deadline=_utc(found.merger_deadline), reward=found.reward or "", category=found.category or "")


def topic_of(found: object) -> RemoteTopic:
    """The RemoteTopic of the client's object."""
    return RemoteTopic(title=found.title or "", url=urljoin("https://www.kaggle.com", found.topic_url or ""), author=found.author_name or "",
                       votes=int(found.votes or 0), comments=int(found.comment_count or 0))


def submission_of(found: object) -> RemoteSubmission:
    """The RemoteSubmission of the client's object."""
    return RemoteSubmission(ref=str(found.ref), message=found.description or "", status=str(found.status.name).lower(),
                            public=str(found.public_score or ""), private=str(found.private_score or ""),
                            error=found.error_description or "", date=_utc(found.date), file=found.file_name or "")


def _utc(moment: datetime.datetime | None) -> datetime.datetime | None:
    """The client gives naive dates in UTC, sometimes aware ones."""
    if moment is None:
        return None
    return moment.replace(tzinfo=datetime.UTC) if moment.tzinfo is None else moment.astimezone(datetime.UTC)
