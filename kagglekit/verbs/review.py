"""kk review: what a competition taught, once its private scores are known."""

from collections.abc import Collection
from dataclasses import asdict, dataclass
from itertools import combinations

from kagglekit.errors import KKError, RemoteError
from kagglekit.remote import Remote, connect, server_now
from kagglekit.replies import Contest, RemoteSubmission
from kagglekit.run import Submission
from kagglekit.store import Store, open_store
from kagglekit.work.lookback import lesson, links_of, picked, verdict_on_split
from kagglekit.work.standing import standing_history
from kagglekit.work.upload import known_metric
from kagglekit.work.upload import sync as sync_all

PAGE = "what-this-teaches"


@dataclass(frozen=True, slots=True)
class Review:
    """The end of a competition.

    `rows`, best private score first: ref, run, name, cv, public, private, final, late. `choices` says what would have come of
    choosing one by a score: by (public, local, final), run, private, lost (to the best of all, 0 or more); `picks` the same of sets as
    they are judged: by (chosen, kk_final, by_public, by_local), runs, private, lost. `orders` says in how many pairs of submissions
    a score put the same one first as the private score: by, same, pairs. `verdict`: what kk lbcheck says of the split, and whether it
    was right. `lesson` has at most three lines, `links` kind, title, url, votes. public_rank: the last place seen before the end, 0 for none.
    """

    slug: str
    rank: int
    teams: int
    public_rank: int
    rows: tuple[dict[str, object], ...]
    choices: tuple[dict[str, object], ...]
    picks: tuple[dict[str, object], ...]
    orders: tuple[dict[str, object], ...]
    verdict: dict[str, object] | None
    lesson: tuple[str, ...]
    links: tuple[dict[str, object], ...]
    teaches: str
    warnings: tuple[str, ...]
    next: str


@dataclass(frozen=True, slots=True)
class _Told:
    """What the server tells after the end."""

    contest: Contest
    final: set[str]
    late: set[str]
    teaches: str
    links: list[dict[str, object]]


def review(*, competition: object = None) -> Review:
    """What was chosen, what would have been best, which score told it, and what the competition teaches.

    What kk final would have chosen is told from local and public scores alone. Submissions after the deadline count in no choice.
    Raises KKError before the deadline: private scores are hidden until then.

        >>> kk.review().choices[0]["lost"]  # doctest: +SKIP
        0.0104
    """
    store = open_store(competition)
    known = store.competition
    warnings: list[str] = []
    with connect(known.server) as remote:
        told = _told(store, remote, warnings)
    metric = known_metric(known)
    better = metric.greater_is_better if metric is not None else known.greater_is_better is not False
    rows = _rows(store, told.final, told.late, better)
    if not rows:
        warnings.append("no submission has a private score")
    private = {one.n: one.private for one in store.all_submissions() if one.private is not None and one.ref not in told.late}
    final = [one.n for one in store.all_submissions() if one.ref in told.final]
    ways, case = picked(store, private, final, told.late, better)
    verdict, orders = verdict_on_split(store, private, case), _orders(rows, better)
    lines = lesson(orders, ways, verdict, case, private, known.metric) if ways else []
    return Review(known.slug, told.contest.rank, told.contest.teams, _public_rank(store, told.contest), rows, _choices(rows, better), tuple(ways),
                  orders, None if verdict is None else {**asdict(verdict), "says": verdict.words}, tuple(lines), tuple(told.links), told.teaches,
                  tuple(warnings), "kk arena list" if known.server == "practice" else "kk runs")


def _told(store: Store, remote: Remote, warnings: list[str]) -> _Told:
    """Sync the scores and ask for all else; raises KKError before the end."""
    known = store.competition
    contest, now = remote.competition(known.slug), server_now(known.server)
    if contest.deadline is None or now <= contest.deadline:
        left = f" ({(contest.deadline - now).total_seconds() / 86400:.1f} days left)" if contest.deadline else ""
        raise KKError(f"{known.slug} is not over{left}: its private scores are hidden",
                      f"To rehearse its end: kk arena close {known.slug}" if known.server == "practice" else "Until then: kk status")
    sync_all(store, remote, warnings.append)
    final = {one.ref for one in remote.submissions(known.slug, selected=True)}
    late = {one.ref for one in remote.submissions(known.slug) if _is_late(one, contest)}
    return _Told(contest, final, late, remote.pages(known.slug).get(PAGE, ""), _links(remote, known.slug, contest))


def _is_late(one: RemoteSubmission, contest: Contest) -> bool:
    return one.date is not None and contest.deadline is not None and one.date > contest.deadline


def _links(remote: Remote, slug: str, contest: Contest) -> list[dict[str, object]]:
    """Write-ups and discussions; the page of all where the server does not list them."""
    try:
        topics = remote.topics(slug)
    except RemoteError:
        topics = []
    return links_of(topics, contest.url)


def _public_rank(store: Store, contest: Contest) -> int:
    """The last place that was seen before the end."""
    end = contest.deadline.isoformat(timespec="seconds") if contest.deadline else ""
    places = [line for line in standing_history(store) if str(line["date"]) <= end]
    return int(str(places[-1]["rank"])) if places else 0


def _rows(store: Store, final: Collection[str], late: Collection[str], better: bool) -> tuple[dict[str, object], ...]:
    runs = {run.id: run for run in store.all_runs()}

    def row(record: Submission) -> dict[str, object]:
        run = runs.get(record.run)
        return {"ref": record.ref, "run": record.run, "name": run.name if run else record.file, "cv": run.score.mean if run and run.score else None,
                "public": record.public, "private": record.private, "final": record.ref in final, "late": record.ref in late}

    rows = [row(record) for record in store.all_submissions() if record.private is not None]
    return tuple(sorted(rows, key=lambda one: one["private"], reverse=better))  # type: ignore[arg-type,return-value]


def _choices(rows: tuple[dict[str, object], ...], better: bool) -> tuple[dict[str, object], ...]:
    rows = tuple(row for row in rows if not row["late"])
    choose = max if better else min
    found = []
    for by, key in (("final", "private"), ("public", "public"), ("local", "cv")):
        among = [row for row in rows if row[key] is not None and (by != "final" or row["final"])]
        if among:
            chosen = choose(among, key=lambda row: row[key])
            found.append({"by": by, "ref": chosen["ref"], "run": chosen["run"], "name": chosen["name"], "private": chosen["private"],
                          "lost": round(abs(chosen["private"] - rows[0]["private"]), 10)})
    return tuple(found)


def _orders(rows: tuple[dict[str, object], ...], better: bool) -> tuple[dict[str, object], ...]:
    found = []
    rows = tuple(row for row in rows if not row["late"])
    for by, key in (("public", "public"), ("local", "cv")):
        pairs = [(a, b) for a, b in combinations([row for row in rows if row[key] is not None], 2) if a["private"] != b["private"]]
        same = sum(a[key] != b[key] and (a[key] > b[key]) == better for a, b in pairs)  # the first of a pair has the better private score
        if pairs:
            found.append({"by": by, "same": same, "pairs": len(pairs)})
    return tuple(found)
