"""kk final: which submissions to be judged by, what they are expected to lose, and what the private board may do."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path

from kagglekit import agreement
from kagglekit.errors import RemoteError
from kagglekit.remote import connect, server_now
from kagglekit.store import Store, open_store
from kagglekit.work.finals import (
    Case,
    board_outlook,
    board_scores,
    case_of,
    case_of_table,
    choose,
    copies_of_picks,
    order_chances,
    reasons,
)
from kagglekit.work.load import relative
from kagglekit.work.plot_final import picture
from kagglekit.work.standing import PLACES, keep_standing, standing_history
from kagglekit.work.typed import check_rows, options_of
from kagglekit.work.upload import sync as sync_all

MOST_PAIRS = 30  # submissions, the best by public score, of which every pair is told


@dataclass(frozen=True, slots=True)
class Final:
    """The choice. Scores as the competition shows them; losses are positive, in the metric's unit.

    `picks`: run, ref, name, cv, public, why; the most valuable first. `regret`: expected loss of their better private score to the best
    of all; regret_of: that of by_public, by_cv, one_of_each; p_best: P(the best is among the picks); None where nothing tells.
    `p_order`: a (the better public one), b and p, P(same order in private). `board`: the forecast of the fetched board, None without one.
    """

    picks: tuple[Mapping[str, object], ...]
    regret: float | None
    regret_of: Mapping[str, float]
    p_best: float | None
    p_order: tuple[Mapping[str, object], ...]
    runners_up: tuple[Mapping[str, object], ...]
    candidates: tuple[Mapping[str, object], ...]
    board: Mapping[str, object] | None
    metric: str
    split: str
    n_pub: Mapping[str, object]
    select: str
    picture: str
    warnings: tuple[str, ...]
    next: str


def final(*, n: int = 2, folds: str | None = None, table: str | Path | None = None, metric: str | None = None, direction: str | None = None,
          n_public: int | None = None, sync: bool = True, competition: object = None) -> Final:
    """Pick the `n` submissions whose best one is expected to do best in private, from local and public scores with their noise.

    Local scores are those on `folds` (default: as kk lbcheck takes them). `table` is a csv (model, cv, public[, cv_se]) kept elsewhere,
    with its `metric` (and `direction`, higher or lower, where it is not built in); its private column is not looked at. `sync` asks the
    server for scores and the board first. Near copies are never picked together. Raises KKError where nothing has a public score.

        >>> kk.final().picks[0]["run"]  # doctest: +SKIP
        'r7'
    """
    check_rows(n_public)
    if table is not None:
        case = case_of_table(Path(table), metric, n_public, direction)
        following = f"kk lbcheck {options_of(Path(table), metric, direction)}"
        return _told(case, n, None, "mark them on the competition's page, under My Submissions", "", (), following)
    store = open_store(competition)
    warnings: list[str] = []
    over = _synced(store, warnings) if sync else (store.competition.days_left(server_now(store.competition.server)) or 0) < 0
    if over:
        warnings.append("the deadline is over, what is selected stands")
    return _in_competition(store, case_of(store, folds, n_public), n, warnings, over)


def _synced(store: Store, warnings: list[str]) -> bool:
    """Bring scores and board up to date; gives whether the competition is over."""
    known = store.competition
    end, now = known.deadline_at, server_now(known.server)
    try:
        with connect(known.server) as remote:
            sync_all(store, remote, warnings.append)
            end = remote.competition(known.slug).deadline
            if end is None or now <= end:
                keep_standing(store, remote)
    except RemoteError as error:
        warnings.append(f"not brought up to date: {error}")
    return end is not None and now > end


def _in_competition(store: Store, case: Case, n: int, warnings: list[str], over: bool) -> Final:
    known = store.competition
    scores = board_scores(store)
    board = board_outlook(case, scores)
    place = (standing_history(store) or [{"teams": len(scores)}])[-1]
    about = None if board is None else {**asdict(board), "all_teams": int(str(place["teams"])), "first_only": len(scores) >= PLACES}
    found = choose(case, n)
    refs = [case.candidates[pick].ref for pick in found.picks if case.candidates[pick].ref]
    path = store.reports / "final.png"
    picture(case, found, path, scores=scores, board=board)
    if known.server == "practice" and refs:
        command = f"kk arena pick {known.slug} {' '.join(refs)}"
        return _told(case, n, about, command, relative(path), warnings, "kk review" if over else command, found)
    page = known.url or f"https://www.kaggle.com/competitions/{known.slug}"
    return _told(case, n, about, f"open {page}/submissions and tick {' and '.join(refs) or 'them'} as final", relative(path), warnings,
                 "kk review" if over else "kk submissions", found)


def _told(case: Case, n: int, board: Mapping[str, object] | None, select: str, shown: str, warnings: tuple[str, ...] | list[str], following: str,
          found: agreement.Finals | None = None) -> Final:
    found = found or choose(case, n)
    chances = order_chances(case)
    rows = [{"run": one.run, "ref": one.ref, "name": one.name, "cv": one.cv, "cv_se": one.cv_se, "public": one.public} for one in case.candidates]
    picks = tuple({**rows[pick], "why": why} for pick, why in zip(found.picks, reasons(case, found, chances), strict=True))
    order = sorted(range(len(rows)), key=lambda one: (one not in found.picks, -case.sign * case.candidates[one].public))
    p_order = () if chances is None else _p_order(case, chances)
    said = [*warnings, *case.notes, *copies_of_picks(case, found.picks)]
    if len(rows) < n:
        said.append(f"only {len(rows)} of {n} can be picked: no other submission has a public score")
    elif len(found.picks) < n:
        said.append(f"only {len(found.picks)} of {n} picked: the others are near copies")
    if found.regret is None and len(rows) > 1:
        said.append("what the picks may lose is not known: fewer than three gaps between local and public scores differ, and none has its error")
    if chances is None:
        said.append("the noise of public scores is not known: no forecast of the order; kk lbcheck says what it takes")
    runners = tuple({"runs": [case.candidates[one].run or case.candidates[one].ref for one in pair], "lost": lost} for pair, lost in found.runners_up)
    return Final(picks, found.regret, found.regret_of, found.p_best, p_order, runners, tuple(rows[one] for one in order), board, case.metric,
                 case.split, {"value": case.n_public, "source": case.n_source}, select, shown, tuple(said), following)


def _p_order(case: Case, chances: object) -> tuple[Mapping[str, object], ...]:
    """Every pair of the best by public score, the nearer ones first."""
    best = sorted(range(len(case.candidates)), key=lambda one: -case.sign * case.candidates[one].public)[:MOST_PAIRS]
    pairs = [{"a": case.candidates[a].run or case.candidates[a].ref, "b": case.candidates[b].run or case.candidates[b].ref,
              "p": float(chances[a, b])} for a, b in combinations(best, 2)]
    return tuple(pairs)
