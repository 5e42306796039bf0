"""kk join: a competition's facts, data, typed tables and schema in one folder."""

import contextlib
import datetime
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from kagglekit.competition import FILE, Competition, arena_home, competition_text, joined, read_competition, require_workspace
from kagglekit.errors import KKError, RemoteError
from kagglekit.ledger import open_ledger
from kagglekit.progress import say
from kagglekit.refusal import closed
from kagglekit.remote import Remote, connect, server_now
from kagglekit.replies import Contest
from kagglekit.store import Store, competition_folder, remember_last, write_text
from kagglekit.tables.form import is_table
from kagglekit.tables.schema import guess_roles
from kagglekit.work.describe import first_guess, full_guess
from kagglekit.work.fetch import Fetched, fetch, matches
from kagglekit.work.tables import make_tables
from kagglekit.work.unpack import clear, manifest, unpack, write_manifest

if TYPE_CHECKING:
    from kagglekit.practice.contest import Contest as Hosted

OWN_METRIC = "metric.py"
KAGGLE_INPUT = (Path("/kaggle/input/competitions"), Path("/kaggle/input"))
POLL_SECONDS = 3.0
MOST_COMPARED = 5000  # the server lists a hundred files a call: beyond this, looking for changes takes longer than it helps


@dataclass(frozen=True, slots=True)
class Joined:
    """A joined competition as `kk join` shows it."""

    slug: str
    title: str
    server: str
    folder: str
    task: str
    metric: Mapping[str, object]
    id: tuple[str, ...]
    target: tuple[str, ...]
    prediction: str
    deadline: str
    entry_deadline: str
    merger_deadline: str
    days_left: float | None
    days_since_start: float | None
    teams: int
    daily_limit: int
    code_only: bool
    test_is_stub: bool
    rows: Mapping[str, int | None]
    files: tuple[Mapping[str, object], ...]
    guesses: Mapping[str, Mapping[str, object]]
    downloaded_bytes: int
    resumed_bytes: int
    warnings: tuple[str, ...]
    next: str


@dataclass(frozen=True, slots=True)
class _How:
    """How the data is to be brought."""

    only: str | None
    download: bool
    wait: bool
    keep_archive: bool
    update: bool
    allow_large: bool
    tables: bool


def join(slug: str, *, practice: bool = False, source: str | Path | None = None, only: str | None = None, download: bool = True,
         wait: bool = False, keep_archive: bool = False, update: bool = False, allow_large: bool = False, tables: bool = True,
         train: str = "", test: str = "", sample: str = "", id: Sequence[str] = (), target: Sequence[str] = (), metric: str = "",
         direction: str = "") -> Joined:
    """Join a competition (slug or kaggle.com URL): facts, data, typed tables, schema with reasons.

    `train` to `direction` (higher or lower) say what a guess would leave open; they win over guesses, and a competition.toml
    that belongs to the person wins over them. `practice` uses the embedded arena; `source` is a folder whose data is used in
    place, as is Kaggle's own input folder in a notebook there. `tables=False` leaves the files as they are. A second call
    downloads nothing and says what changed; competition.toml is written once and then belongs to the person. Where the embedded
    arena scores by a metric.py, a copy comes along, unless the folder has one. Raises KKError naming the cause.

        >>> kk.join("practice-clinics", practice=True).metric["name"]  # doctest: +SKIP
        'rmse'
    """
    workspace, slug = require_workspace(), slug_of(slug)
    known = read_competition(workspace / "competitions" / slug) if slug in joined(workspace) else None
    server = "practice" if practice else known.server if known else "kaggle"
    given = Path(source).expanduser() if source is not None else None if server == "practice" else _kaggle_input(slug)
    how = _How(only, download, wait, keep_archive, update, allow_large, tables)
    said = _said(train=train, test=test, sample=sample, id=id, target=target, metric=metric, direction=direction)
    own = _own_metric(workspace, slug, said) if server == "practice" else None
    facts = {"metric": own.metric, "greater_is_better": own.better, **said} if own else said
    with contextlib.ExitStack() as stack:
        remote, contest, pages, warnings = _asked(stack, server, slug, given is not None)
        fresh, more = first_guess(slug, competition_folder(slug), contest, remote.server if remote else server, pages,
                                  scores=_board(remote, slug), given=facts)
        if own:
            fresh = replace(fresh, why={**fresh.why, "metric": "the arena scores by it", "greater_is_better": "the arena says so"})
        # A file that was written before there was any data (--no-download) and not touched since may still be completed.
        if known and (known.folder / FILE).read_text(encoding="utf-8") != competition_text(fresh):
            fresh = known
            warnings += [f"{name} stays as competition.toml says: edit it there" for name in said]
        else:
            known, warnings = None, warnings + more
        store = Store(fresh)
        if given is not None or remote is None:
            _link(store, given or store.raw)
            got = (0, 0)
        else:
            got = _bring(store, remote, contest, how, warnings)
    if own and not known:
        warnings += _copied(own.folder / OWN_METRIC, store.folder)
    return _described(store, contest, known, got, warnings, facts, how.tables)


def _own_metric(workspace: Path, slug: str, said: Mapping[str, object]) -> "Hosted | None":
    """The embedded arena's contest where a metric.py of its host scores it, None where not or where another metric was said."""
    from kagglekit.practice.contest import find_contest

    found = find_contest(arena_home(workspace), slug)
    return found if found is not None and found.own_metric and said.get("metric") in (None, found.metric) else None


def _copied(own: Path, folder: Path) -> list[str]:
    """Copy the arena's metric.py into the competition's folder; one that is there stays, which is said where it differs."""
    target = folder / own.name
    if target.exists():
        return [] if target.read_bytes() == own.read_bytes() else [f"{own.name} was here and stays; the arena scores by {own}"]
    folder.mkdir(parents=True, exist_ok=True)
    write_text(target, own.read_text(encoding="utf-8"))
    return []


def _said(*, direction: str, **given: object) -> dict[str, object]:
    """What a person said, by the fields of competition.toml."""
    if direction not in ("", "higher", "lower"):
        raise KKError(f"the direction cannot be {direction!r}", "Say --direction higher or --direction lower")
    said = {name: tuple(value) if isinstance(value, (list, tuple)) else value for name, value in given.items() if value}
    return {**said, **({"greater_is_better": direction == "higher"} if direction else {})}


def _board(remote: Remote | None, slug: str) -> list[str]:
    """The first scores of the leaderboard, best first: they tell the metric's direction. Nothing where they cannot be had."""
    if remote is None:
        return []
    try:
        return [score for _, score in remote.leaderboard(slug)]
    except RemoteError:
        return []


def _kaggle_input(slug: str) -> Path | None:
    """Where a notebook on Kaggle has the competition's files, None elsewhere."""
    return next((folder / slug for folder in KAGGLE_INPUT if (folder / slug).is_dir()), None)


def _asked(stack: contextlib.ExitStack, server: str, slug: str, has_data: bool) -> tuple[Remote | None, Contest, Mapping[str, str], list[str]]:
    """The connection, the contest's facts and its pages. Data that is here needs no Kaggle: without it the facts stay open."""
    try:
        remote = stack.enter_context(connect(server))
        return remote, remote.competition(slug), remote.pages(slug), []
    except RemoteError as error:
        if not has_data or error.cause not in ("credentials", "offline"):
            raise
        unknown = Contest(slug=slug, title=slug, url="", metric="", deadline=None, started=None, daily_limit=0, teams=0, entered=True,
                          code_only=False)
        return None, unknown, {}, [f"Kaggle was not asked ({error.what}): metric, deadline and daily limit are yours to fill in"]


def slug_of(text: str) -> str:
    """The slug in a slug or a kaggle.com URL.

    >>> slug_of("https://www.kaggle.com/competitions/titanic/data")
    'titanic'
    """
    if re.search(r"kaggle\.com/t/", text):
        raise KKError(f"{text!r} is an invitation",
                      "Open it in a browser, accept it, and take the name from the URL there: kaggle.com/competitions/NAME")
    found = re.search(r"kaggle\.com/(?:competitions|c)/([^/?#\s]+)", text)
    slug = (found.group(1) if found else text).strip().lower()
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", slug):
        raise KKError(f"{text!r} is no competition's name", "Take it from the URL: kaggle.com/competitions/NAME")
    return slug


def _bring(store: Store, remote: Remote, contest: Contest, how: _How, warnings: list[str]) -> tuple[int, int]:
    """Bring the data unless it is here; gives (downloaded, resumed) bytes."""
    here = manifest(store)
    if here and not how.update:
        if not store.toml.exists():
            say("the data of an earlier join that did not finish is here: going on with the tables")
        warnings += _changes(store, remote, here)
        return 0, 0
    if not how.download:
        return 0, 0
    fetched = _patient(lambda: fetch(store, remote, how.only), remote, contest, how.wait)
    warnings += unpack(store, fetched, only=how.only, keep_archive=how.keep_archive, allow_large=how.allow_large)
    return sum(one.downloaded for one in fetched), sum(one.resumed for one in fetched)


def _patient(bring: Callable[[], list[Fetched]], remote: Remote, contest: Contest, wait: bool) -> list[Fetched]:
    """Fetch; with `wait`, ask again until the rules are accepted. Nobody waits for a competition that cannot be entered any more."""
    said = False
    while True:
        try:
            return bring()
        except RemoteError as error:
            now, entry = server_now(remote.server), contest.entry_deadline
            if error.cause == "rules" and entry and entry < now and (contest.deadline is None or now < contest.deadline):
                raise closed(remote.asked(contest.slug), entry) from error
            if not wait or error.cause not in ("rules", "verification"):
                raise
            if not said:
                say(f"{error.what}. {error.do} (waiting)")
                said = True
            time.sleep(POLL_SECONDS)


def _link(store: Store, source: Path) -> None:
    """Use a folder as data/raw in place."""
    source = source.resolve()
    if not source.is_dir() or not any(path.is_file() for path in source.rglob("*")):
        raise KKError(f"no folder with files at {source}", f"Name the one that holds them: kk join {store.competition.slug} --from PATH")
    if store.raw.exists() and not store.raw.is_symlink():
        if source != store.raw.resolve():
            raise KKError(f"{store.raw} holds downloaded data already", "Remove it first, or join without --from")
        return
    if store.raw.is_symlink() and store.raw.resolve() == source and manifest(store):
        return
    clear(store)
    store.raw.parent.mkdir(parents=True, exist_ok=True)
    store.raw.symlink_to(source, target_is_directory=True)
    write_manifest(store)


def _changes(store: Store, remote: Remote, here: Mapping) -> list[str]:
    """What is different on the server now; a difference in the archive's packing is none."""
    slug, only = store.competition.slug, here.get("only")
    if store.raw.is_symlink() or len(here["files"]) > MOST_COMPARED:
        return []
    mine = {entry["name"]: entry["bytes"] for entry in (*here["files"], *here.get("packed", ())) if not entry.get("within")}
    archive = here.get("archive") or {}
    mine.setdefault(archive.get("name"), archive.get("bytes"))  # the only file of a competition, packed, is its own archive
    theirs = {file.name: file.bytes for file in remote.files(slug)}
    new = sorted(name for name in set(theirs) - set(mine) if matches(name, only))
    other = sorted(name for name in set(theirs) & set(mine) if theirs[name] != mine[name])
    said = [f"{name} is new on the server" for name in new] + [f"{name} has changed on the server" for name in other]
    said += [f"only {only!r} was unpacked of {len(theirs)} files"] if only else []
    return [f"{line}: fetch it with kk join {slug} --update" for line in said[:5]]


def _described(store: Store, contest: Contest, known: Competition | None, got: tuple[int, int], warnings: list[str],
               said: Mapping[str, object], typed: bool) -> Joined:
    names = [str(entry["name"]) for entry in (manifest(store) or {"files": []})["files"]]
    competition, tables = store.competition, [name for name in names if is_table(name)]
    roles = {role: getattr(competition, role) for role in ("train", "test", "sample")} if known else {
        **guess_roles(tables), **{role: str(said[role]) for role in ("train", "test", "sample") if role in said}}
    warnings += make_tables(store, tables, roles, tables=typed)
    if not known:
        if names:
            competition, more = full_guess(competition, store, roles, files=names, given=said)
            warnings += more
        competition.folder.mkdir(parents=True, exist_ok=True)
        write_text(competition.folder / FILE, competition_text(competition))
        store = Store(competition)
    remember_last(competition.slug)
    open_ledger(store).runs()
    return _shown(store, contest, {role: getattr(competition, role) for role in ("train", "test", "sample")}, names, got, warnings)


def _shown(store: Store, contest: Contest, roles: Mapping[str, str], names: list[str], got: tuple[int, int],
           warnings: list[str]) -> Joined:
    competition, now = store.competition, server_now(store.competition.server)
    files = [_file(store, entry, roles) for entry in (manifest(store) or {"files": []})["files"]]
    rows = {role: next((entry["rows"] for entry in files if entry["role"] == role), None) for role in ("train", "test")}
    guesses = {name: {"value": getattr(competition, name), "why": why} for name, why in competition.why.items()}
    since = (now - contest.started).total_seconds() / 86400 if contest.started else None
    return Joined(
        slug=competition.slug, title=contest.title, server=competition.server, folder=str(store.folder), task=competition.task,
        metric={"name": competition.metric, "greater_is_better": competition.greater_is_better, "kaggle_name": competition.kaggle_metric},
        id=competition.id, target=competition.target, prediction=competition.prediction, deadline=competition.deadline,
        entry_deadline=_moment(contest.entry_deadline), merger_deadline=_moment(contest.merger_deadline),
        days_left=competition.days_left(now), days_since_start=round(since, 1) if since is not None else None, teams=contest.teams,
        daily_limit=contest.daily_limit, code_only=competition.code_only, test_is_stub=competition.test_is_stub, rows=rows, files=tuple(files),
        guesses=guesses, downloaded_bytes=got[0], resumed_bytes=got[1], warnings=tuple(warnings),
        next="kk submit-zeros" if names else f"kk join {competition.slug}")


def _moment(when: datetime.datetime | None) -> str:
    return when.isoformat(timespec="seconds") if when else ""


def _file(store: Store, entry: Mapping[str, object], roles: Mapping[str, str]) -> dict[str, object]:
    """A file with its role and, where it became a table, rows and columns (from the footer, without reading data)."""
    name = str(entry["name"])
    role = next((role for role, wanted in roles.items() if wanted == name), "other")
    rows = columns = None
    path = store.table(name)
    if path.exists():
        from pyarrow import parquet

        footer = parquet.read_metadata(path)
        rows, columns = footer.num_rows, footer.num_columns
    return {**entry, "rows": rows, "columns": columns, "role": role}
