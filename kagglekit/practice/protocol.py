"""How a call of Kaggle's participant protocol is answered: from the request's fields to the answer's; the calls are in calls/."""

import datetime
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from kagglekit.practice.contest import Contest, find_contest
from kagglekit.practice.state import State

Answer = dict[str, object]
SITE = "https://www.kaggle.com/competitions"


class Refused(Exception):
    """An error answer: {"code": ..., "message": ...} with that status."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


@dataclass(frozen=True, slots=True)
class Redirect:
    """The call is answered with a 302 to a path of the store."""

    path: str


@dataclass(frozen=True, slots=True)
class Download:
    """The call is answered with these bytes."""

    content: bytes
    name: str


@dataclass(frozen=True, slots=True)
class Login:
    """Who asks: a person of a team."""

    team: str
    user: str


@dataclass(frozen=True, slots=True)
class Call:
    """One request: the arena's state, who asks, the fields, the server's own address and how to wake the scoring."""

    state: State
    login: Login
    fields: Mapping[str, object]
    base: str
    wake: Callable[[], None]

    @property
    def team(self) -> str:
        """The team that asks."""
        return self.login.team

    def text(self, name: str) -> str:
        """A text field, '' where it is absent."""
        return str(self.fields.get(name) or "")

    def whole(self, name: str, otherwise: int = 0) -> int:
        """A field as a number from 0 to 2^62, `otherwise` where it is none."""
        return whole(self.fields.get(name), otherwise)

    def contest(self) -> Contest:
        """The contest of competitionName."""
        found = find_contest(self.state.home, self.text("competitionName").rstrip("/").rsplit("/", 1)[-1])
        if found is None:
            raise Refused(404, "NotFound")
        return found

    def entered(self, contest: Contest) -> bool:
        """Whether the team may take part: where rules are to be accepted, it did so."""
        return not contest.rules_required or self.state.has_entered(contest.slug, self.team)

    def contest_with_rules(self) -> Contest:
        """The contest, where the team may take part in it."""
        contest = self.contest()
        if not self.entered(contest):
            raise Refused(403, "You must accept this competition's rules before you'll be able to download files.")
        return contest

    def page(self, items: list, size: int = 20) -> tuple[list, str]:
        """The page that pageToken, page and pageSize ask for, and the next token."""
        size = min(max(self.whole("pageSize", size), 1), 200)
        start = whole(self.text("pageToken") or None, max(self.whole("page", 1), 1) * size - size)
        return items[start:start + size], str(start + size) if start + size < len(items) else ""


CALLS: dict[str, Callable[[Call], Answer | Redirect | Download]] = {}


def call(name: str) -> Callable[[Callable], Callable]:
    """Register the answer to <Service>/<Method>."""

    def decorate(function: Callable) -> Callable:
        CALLS[name] = function
        return function

    return decorate


LARGEST = 2**62  # SQLite's integers end a little above


def whole(value: object, otherwise: int) -> int:
    """A number from 0 to LARGEST, `otherwise` for anything else."""
    try:
        return min(max(int(str(value)), 0), LARGEST)
    except ValueError:
        return otherwise


def moment(when: datetime.datetime) -> str:
    """A date as Kaggle writes it: UTC, milliseconds, Z."""
    return when.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{when.microsecond // 1000:03d}Z"


def shown(score: float | None) -> str:
    """A score as the board shows it: five decimals."""
    return "" if score is None else f"{score:.5f}"


def number_of(name: str) -> int:
    """The same whole number for the same name, as an id."""
    return zlib.crc32(name.encode()) + 1
