"""kk arena: practice competitions offline: list, create, serve, move the clock, see the board."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kagglekit.competition import arena_home, find_workspace
from kagglekit.credentials import PRACTICE_USER
from kagglekit.errors import KKError
from kagglekit.registry import near_names

if TYPE_CHECKING:
    from kagglekit.practice.board import Standing
    from kagglekit.practice.contest import Contest
    from kagglekit.practice.create import Settings
    from kagglekit.practice.state import State


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
    """The leaderboard of a practice competition: rank, team, score, entries, date, baseline; `total` counts its lines."""

    slug: str
    metric: str
    final: bool
    deadline: str
    total: int
    rows: tuple[dict[str, object], ...]
    next: str


@dataclass(frozen=True, slots=True)
class ArenaClosed:
    """A competition that its host ended; the three best of the final standing."""

    slug: str
    deadline: str
    winners: tuple[dict[str, object], ...]
    next: str


@dataclass(frozen=True, slots=True)
class ArenaTeams:
    """Teams of the arena: name, when its token was made, and the token itself where it is new (it is shown once)."""

    rows: tuple[dict[str, object], ...]
    next: str


@dataclass(frozen=True, slots=True)
class ArenaPicked:
    """The submissions that a team's final score is the best of."""

    slug: str
    team: str
    refs: tuple[int, ...]
    next: str


@dataclass(frozen=True, slots=True)
class ArenaAccepted:
    """A team that accepted the rules."""

    slug: str
    team: str
    next: str


def _state() -> "State":
    from kagglekit.practice.generate import ensure_built_ins
    from kagglekit.practice.state import State

    home = arena_home(find_workspace())
    home.mkdir(parents=True, exist_ok=True)
    state = State(home)
    ensure_built_ins(home, state.now())
    return state


def _contest(state: "State", name: str) -> "Contest":
    from kagglekit.practice.contest import contests, find_contest

    contest = find_contest(state.home, name)
    if contest is None:
        near = near_names(name, [one.slug for one in contests(state.home)])
        raise KKError(f"the arena has no competition called {name!r}", f"{near}See them: kk arena list")
    return contest


def arena_list() -> ArenaList:
    """Every practice competition with its metric and days left."""
    from kagglekit.practice.contest import contests

    state = _state()
    now = state.now()
    rows = [{"slug": contest.slug, "title": contest.title, "metric": contest.metric, "teaches": contest.teaches,
             "days_left": round((contest.deadline - now).total_seconds() / 86400, 1),
             "teams": len(state.team_names(contest.slug))} for contest in contests(state.home)]
    return ArenaList(tuple(rows), now.isoformat(timespec="seconds"), "kk join practice-clinics --practice")


def arena_create(name: str, *, source: str | Path | None = None, train: str | Path | None = None, target: str | Sequence[str] = (),
                 metric: str | None = None, test_by: str = "random", test_size: float = 0.25, id_column: str = "",
                 drop: Sequence[str] = (), public: float = 0.3,
                 days: float = 30, entry_days: float = 0, daily_limit: int = 5, higher_is_better: bool | None = None,
                 rules_required: bool = False, seed: int = 0) -> ArenaCreated:
    """Make a practice competition: from a folder with files/ and solution.csv, or from any table with a target.

    Of a table (`train`, without the columns in `drop`), the part `test_by` (random, group:COLUMN or time:COLUMN) of `test_size`
    is held back. A metric.py:score of one's own says its direction by `higher_is_better`.
    """
    from kagglekit.practice.create import Settings, create

    if (source is None) == (train is None):
        raise KKError("a competition is made from a folder or from a table" if source is None else "both a folder and a table are given",
                      "Give one: kk arena create NAME --from FOLDER --metric rmse, or --train FILE --target COLUMN --metric rmse")
    state = _state()
    settings = Settings(metric or "", higher_is_better, public, days, entry_days, daily_limit, rules_required)
    if source is not None:
        contest = create(state.home, name, source=Path(source), now=state.now(), settings=settings)
    else:
        contest = _from_table(state, name, Path(str(train)), target, test_by, test_size, id_column, drop, seed, settings)
    return ArenaCreated(contest.slug, contest.metric, tuple(contest.file_paths()), contest.public,
                        contest.deadline.isoformat(timespec="seconds"), f"kk join {name} --practice")


def _from_table(state: "State", name: str, train: Path, target: str | Sequence[str], test_by: str, test_size: float, id_column: str,
                drop: Sequence[str], seed: int, settings: "Settings") -> "Contest":
    from kagglekit.practice.holdout import check_cut, create_from_table

    targets = [target] if isinstance(target, str) else list(target)
    if not targets:
        raise KKError(f"what is to be predicted in {train} is not said", "Name the column: --target COLUMN")
    return create_from_table(state.home, name, train=train, target=targets, cut=check_cut(test_by, test_size), settings=settings,
                             id_column=id_column, drop=list(drop), seed=seed, now=state.now())


def arena_serve(*, port: int = 7777, host: str = "127.0.0.1", on_ready: Callable[[ArenaServed], None] | None = None) -> ArenaServed:
    """Serve the arena until Ctrl-C; `on_ready` gets the lines to paste as soon as it answers.

    On another host than loopback every team needs a token (`arena_teams`).
    """
    from kagglekit.practice.server import LOOPBACK, serve

    served: list[ArenaServed] = []
    user, key = (PRACTICE_USER, PRACTICE_USER) if host in LOOPBACK else ("NAME", "TOKEN")

    def ready(url: str) -> None:
        lines = ("export KAGGLE_API_ENVIRONMENT=LOCALHOST", f"export http_proxy={url}", f"export KAGGLE_USERNAME={user}",
                 f"export KAGGLE_KEY={key}", "unset no_proxy NO_PROXY KAGGLE_API_TOKEN")
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


def arena_board(name: str, *, top: int = 50) -> ArenaBoard:
    """The leaderboard of a practice competition, its first `top` lines (0: all): private and final after the deadline."""
    from kagglekit.practice.board import board, is_over

    state = _state()
    contest = _contest(state, name)
    lines = _ranked(board(state, contest))
    final = is_over(state, contest)
    return ArenaBoard(name, contest.display_metric, final, contest.deadline.isoformat(timespec="seconds"), len(lines), lines[:top] if top else lines,
                      "kk review" if final else f"kk join {name} --practice")


def _ranked(lines: "Sequence[Standing]") -> tuple[dict[str, object], ...]:
    return tuple({"rank": rank, "team": line.team, "score": round(line.score, 5), "entries": line.entries, "date": line.date,
                  "baseline": line.baseline} for rank, line in enumerate(lines, start=1))


def arena_close(name: str) -> ArenaClosed:
    """End a competition now: its final standing, by the private part, is open from here on."""
    from kagglekit.practice.board import board
    from kagglekit.practice.contest import close_contest

    state = _state()
    contest = close_contest(_contest(state, name), state.now())
    return ArenaClosed(name, contest.deadline.isoformat(timespec="seconds"), _ranked(board(state, contest, final=True))[:3],
                       f"kk arena board {name}")


def arena_teams(names: Sequence[str] = (), *, renew: bool = False) -> ArenaTeams:
    """Make login tokens for the named teams, or list the teams. A token is shown once; `renew` makes a new one and ends the old."""
    state = _state()
    known = {row["name"] for row in state.teams()}
    for name in names:
        if not name.strip() or len(name) > 60 or not name.isprintable():
            raise KKError(f"{name!r} is no name for a team", "Use up to 60 printable letters")
        if name in known and not renew:
            raise KKError(f"{name} has a token already, and it is shown only once", f"Make a new one: kk arena teams {name} --renew")
    tokens = {name: state.new_token(name) for name in dict.fromkeys(names)}
    rows = tuple({"team": row["name"], "token": tokens.get(row["name"], ""), "made": row["made"]} for row in state.teams()
                 if not names or row["name"] in tokens)
    return ArenaTeams(rows, "kk arena serve --host 0.0.0.0" if rows else "kk arena teams alpha beta")


def arena_pick(name: str, refs: Sequence[int], *, team: str = PRACTICE_USER) -> ArenaPicked:
    """Choose at most two submissions as final: the better private score of them counts. Without a pick the best public ones are taken."""
    from kagglekit.practice.board import pick

    state = _state()
    return ArenaPicked(name, team, tuple(pick(state, _contest(state, name), team, [int(ref) for ref in refs])), f"kk arena board {name}")


def arena_accept(name: str, *, team: str = PRACTICE_USER) -> ArenaAccepted:
    """Accept the rules of a practice competition that asks for it."""
    state = _state()
    contest = _contest(state, name)
    if state.now() > contest.entry_deadline:
        raise KKError(f"the entry deadline of {name} was {contest.entry_deadline:%Y-%m-%d %H:%M} UTC", "Choose another: kk arena list")
    state.enter(name, team)
    return ArenaAccepted(name, team, f"kk join {name} --practice")
