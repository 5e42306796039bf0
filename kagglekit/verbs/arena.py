"""kk arena: practice competitions offline: list, create, serve, move the clock, see the board."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kagglekit.competition import arena_home, find_workspace
from kagglekit.credentials import PRACTICE_USER
from kagglekit.errors import KKError
from kagglekit.registry import near_names


@dataclass(frozen=True, slots=True)
class ArenaList:
    """The competitions of the arena: slug, title, metric, days_left, teams, teaches."""

    rows: tuple[dict[str, object], ...]
    now: str
    next: str


@dataclass(frozen=True, slots=True)
class ArenaCreated:
    """A competition made from a folder."""

    slug: str
    metric: str
    files: tuple[str, ...]
    public_fraction: float
    deadline: str
    next: str


@dataclass(frozen=True, slots=True)
class ArenaServed:
    """Where the arena answers, and the lines that point the official client to it."""

    url: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ArenaAdvanced:
    """The arena's clock after it was moved."""

    now: str
    days: float
    next: str


@dataclass(frozen=True, slots=True)
class ArenaBoard:
    """The leaderboard of a practice competition: rank, team, score."""

    slug: str
    final: bool
    rows: tuple[dict[str, object], ...]
    next: str


def _state():  # type: ignore[no-untyped-def]
    from kagglekit.practice.contest import ensure_built_ins
    from kagglekit.practice.state import State

    home = arena_home(find_workspace())
    home.mkdir(parents=True, exist_ok=True)
    state = State(home)
    ensure_built_ins(home, state.now())
    return state


def arena_list() -> ArenaList:
    """Every practice competition with its metric and days left."""
    from kagglekit.practice.contest import contests

    state = _state()
    now = state.now()
    rows = [{"slug": contest.slug, "title": contest.title, "metric": contest.metric, "teaches": contest.teaches,
             "days_left": round((contest.deadline - now).total_seconds() / 86400, 1),
             "teams": len({row["team"] for row in state.submissions(contest.slug)})} for contest in contests(state.home)]
    return ArenaList(tuple(rows), now.isoformat(timespec="seconds"), "kk join practice-clinics --practice")


def arena_create(name: str, *, source: str | Path | None = None, metric: str | None = None, public: float = 0.3, days: float = 30,
                 daily_limit: int = 5) -> ArenaCreated:
    """Make a practice competition from a folder with files/ and solution.csv."""
    from kagglekit.practice.contest import create

    if source is None:
        raise KKError("there is nothing to make a competition from", "Give a folder: kk arena create NAME --from FOLDER --metric rmse")
    state = _state()
    contest = create(state.home, name, source=Path(source), metric=metric, public=public, days=days, daily_limit=daily_limit, now=state.now())
    return ArenaCreated(contest.slug, contest.metric, tuple(contest.file_paths()), contest.public,
                        contest.deadline.isoformat(timespec="seconds"), f"kk join {name} --practice")


def arena_serve(*, port: int = 7777, host: str = "127.0.0.1", on_ready: Callable[[ArenaServed], None] | None = None) -> ArenaServed:
    """Serve the arena until Ctrl-C; `on_ready` gets the lines to paste as soon as it answers."""
    from kagglekit.practice.server import serve

    served: list[ArenaServed] = []

    def ready(url: str) -> None:
        lines = ("export KAGGLE_API_ENVIRONMENT=LOCALHOST", f"export http_proxy={url}", f"export KAGGLE_USERNAME={PRACTICE_USER}",
                 f"export KAGGLE_KEY={PRACTICE_USER}", "unset no_proxy NO_PROXY KAGGLE_API_TOKEN")
        served.append(ArenaServed(url, lines))
        if on_ready is not None:
            on_ready(served[0])

    serve(arena_home(find_workspace()), host, port, ready)
    return served[0]


def arena_advance(*, days: float) -> ArenaAdvanced:
    """Move the arena's clock on, so that daily limits and deadlines can be rehearsed."""
    if days <= 0:
        raise KKError(f"the clock cannot be moved by {days} days", "Give a number above 0: kk arena advance --days 1")
    now = _state().advance(days)
    return ArenaAdvanced(now.isoformat(timespec="seconds"), days, "kk submissions")


def arena_board(name: str) -> ArenaBoard:
    """The leaderboard of a practice competition."""
    from kagglekit.practice.contest import contests, find_contest
    from kagglekit.practice.protocol import board

    state = _state()
    contest = find_contest(state.home, name)
    if contest is None:
        near = near_names(name, [one.slug for one in contests(state.home)])
        raise KKError(f"the arena has no competition called {name!r}", f"{near}See them: kk arena list")
    rows = [{"rank": rank, "team": team, "date": date, "score": float(score)} for rank, (team, date, score) in
            enumerate(board(state, contest), start=1)]
    return ArenaBoard(name, state.now() > contest.deadline, tuple(rows), f"kk join {name} --practice")
