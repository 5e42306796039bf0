"""kk review: what a competition taught, once its private scores are known."""

from dataclasses import dataclass
from itertools import combinations

from kagglekit.errors import KKError
from kagglekit.remote import connect, server_now
from kagglekit.run import Submission
from kagglekit.store import Store, open_store
from kagglekit.work.upload import known_metric
from kagglekit.work.upload import sync as sync_all

PAGE = "what-this-teaches"


@dataclass(frozen=True, slots=True)
class Review:
    """The end of a competition.

    `rows`, best private score first: ref, run, name, cv, public, private, final. `choices` says what would have come of
    choosing by a score: by (public, local, final), run, private, lost (to the best of all, 0 or more). `orders` says in how
    many pairs of submissions a score put the same one first as the private score: by, same, pairs.
    """

    slug: str
    rank: int
    teams: int
    rows: tuple[dict[str, object], ...]
    choices: tuple[dict[str, object], ...]
    orders: tuple[dict[str, object], ...]
    teaches: str
    warnings: tuple[str, ...]
    next: str


def review(*, competition: object = None) -> Review:
    """What was chosen, what would have been best, which score told it, and what the competition teaches.

    Raises KKError before the deadline: private scores are hidden until then.

        >>> kk.review().choices[0]["lost"]  # doctest: +SKIP
        0.0104
    """
    store = open_store(competition)
    known = store.competition
    warnings: list[str] = []
    with connect(known.server) as remote:
        contest, now = remote.competition(known.slug), server_now(known.server)
        if contest.deadline is None or now <= contest.deadline:
            left = f" ({(contest.deadline - now).total_seconds() / 86400:.1f} days left)" if contest.deadline else ""
            raise KKError(f"{known.slug} is not over{left}: its private scores are hidden",
                          f"To rehearse its end: kk arena close {known.slug}" if known.server == "practice" else "Until then: kk status")
        sync_all(store, remote, warnings.append)
        final = {one.ref for one in remote.submissions(known.slug, selected=True)}
        teaches = remote.pages(known.slug).get(PAGE, "")
    metric = known_metric(known)
    better = metric.greater_is_better if metric is not None else known.greater_is_better is not False
    rows = _rows(store, final, better)
    if not rows:
        warnings.append("no submission has a private score")
    return Review(known.slug, contest.rank, contest.teams, rows, _choices(rows, better), _orders(rows, better), teaches, tuple(warnings),
                  "kk arena list" if known.server == "practice" else "kk runs")


def _rows(store: Store, final: set[str], better: bool) -> tuple[dict[str, object], ...]:
    runs = {run.id: run for run in store.all_runs()}

    def row(record: Submission) -> dict[str, object]:
        run = runs.get(record.run)
        return {"ref": record.ref, "run": record.run, "name": run.name if run else record.file, "cv": run.score.mean if run and run.score else None,
                "public": record.public, "private": record.private, "final": record.ref in final}

    rows = [row(record) for record in store.all_submissions() if record.private is not None]
    return tuple(sorted(rows, key=lambda one: one["private"], reverse=better))  # type: ignore[arg-type,return-value]


def _choices(rows: tuple[dict[str, object], ...], better: bool) -> tuple[dict[str, object], ...]:
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
    for by, key in (("public", "public"), ("local", "cv")):
        pairs = [(a, b) for a, b in combinations([row for row in rows if row[key] is not None], 2) if a["private"] != b["private"]]
        same = sum(a[key] != b[key] and (a[key] > b[key]) == better for a, b in pairs)  # the first of a pair has the better private score
        if pairs:
            found.append({"by": by, "same": same, "pairs": len(pairs)})
    return tuple(found)
