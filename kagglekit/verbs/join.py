"""kk join: a competition's facts, data, typed tables and schema in one folder."""

import datetime
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kagglekit.competition import FILE, Competition, competition_text, joined, read_competition, require_workspace
from kagglekit.errors import KKError, RemoteError
from kagglekit.ledger import open_ledger
from kagglekit.progress import say
from kagglekit.remote import Contest, Remote, connect
from kagglekit.store import Store, competition_folder, remember_last, write_text
from kagglekit.work.describe import first_guess, full_guess, make_tables
from kagglekit.work.fetch import fetch_archive, manifest, unpack, write_manifest

POLL_SECONDS = 5.0


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
    days_left: float | None
    days_since_start: float | None
    teams: int
    daily_limit: int
    code_only: bool
    test_is_stub: bool
    rows: Mapping[str, int]
    files: tuple[Mapping[str, object], ...]
    guesses: Mapping[str, Mapping[str, object]]
    downloaded_bytes: int
    resumed_bytes: int
    warnings: tuple[str, ...]
    next: str


def join(slug: str, *, practice: bool = False, source: str | Path | None = None, only: str | None = None, download: bool = True,
         wait: bool = False, keep_archive: bool = False, update: bool = False) -> Joined:
    """Join a competition (slug or kaggle.com URL): facts, data, typed tables, schema with reasons.

    `practice` uses the embedded arena; `source` is a folder whose data is used in place. A second call downloads nothing and
    says what changed; competition.toml is written once and then belongs to the person. Raises KKError naming the cause.

        >>> kk.join("practice-clinics", practice=True).metric["name"]  # doctest: +SKIP
        'rmse'
    """
    workspace, slug = require_workspace(), slug_of(slug)
    known = read_competition(workspace / "competitions" / slug) if slug in joined(workspace) else None
    server = "practice" if practice else known.server if known else "kaggle"
    with connect(server) as remote:
        contest = remote.competition(slug)
        pages = remote.pages(slug)
        folder = competition_folder(slug)
        competition, warnings = (known, []) if known else first_guess(slug, folder, contest, remote.server, pages)
        store = Store(competition)
        got = _data(store, remote, source, only, download, wait, keep_archive, update, warnings)
    return _described(store, contest, known, got, warnings)


def slug_of(text: str) -> str:
    """The slug in a slug or a kaggle.com URL.

    >>> slug_of("https://www.kaggle.com/competitions/titanic/data")
    'titanic'
    """
    found = re.search(r"kaggle\.com/(?:competitions|c)/([^/?#\s]+)", text)
    slug = (found.group(1) if found else text).strip().lower()
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", slug):
        raise KKError(f"{text!r} is no competition's name", "Take it from the URL: kaggle.com/competitions/NAME")
    return slug


def _data(store: Store, remote: Remote, source: str | Path | None, only: str | None, download: bool, wait: bool, keep_archive: bool,
          update: bool, warnings: list[str]) -> tuple[int, int]:
    """Bring the data; gives (downloaded, resumed) bytes."""
    if source is not None:
        _linked(store, Path(source))
        return 0, 0
    here = manifest(store)
    if here and not update:
        warnings += _changes(store, remote, here)
        return 0, 0
    if not download:
        return 0, 0
    fetched = _patient(lambda: fetch_archive(store, remote), wait)
    unpack(store, fetched, only, keep_archive)
    return fetched.downloaded, fetched.resumed


def _patient(fetch, wait: bool):  # type: ignore[no-untyped-def]
    """Fetch; with `wait`, ask again until the rules are accepted."""
    said = False
    while True:
        try:
            return fetch()
        except RemoteError as error:
            if not wait or error.cause != "rules":
                raise
            if not said:
                say(f"{error.what}. {error.do} (waiting)")
                said = True
            time.sleep(POLL_SECONDS)


def _linked(store: Store, source: Path) -> None:
    if not source.is_dir():
        raise KKError(f"no folder {source}", "Give the folder that holds the competition's files")
    if store.raw.is_symlink():
        store.raw.unlink()
    elif store.raw.exists():
        raise KKError(f"{store.raw} holds downloaded data already", "Remove it first, or join without --from")
    store.raw.parent.mkdir(parents=True, exist_ok=True)
    store.raw.symlink_to(source.resolve(), target_is_directory=True)
    write_manifest(store, None)


def _changes(store: Store, remote: Remote, here: Mapping) -> list[str]:
    """What is different on the server now; a difference in the archive's packing is none."""
    if store.raw.is_symlink():
        return []
    mine = {entry["name"]: entry["bytes"] for entry in here["files"]}
    theirs = {file.name: file.bytes for file in remote.files(store.competition.slug)}
    new = sorted(set(theirs) - set(mine))
    other = sorted(name for name in set(theirs) & set(mine) if theirs[name] != mine[name])
    said = [f"{name} is new on the server" for name in new] + [f"{name} has changed on the server" for name in other]
    return [f"{line}: fetch it with kk join {store.competition.slug} --update" for line in said[:5]]


def _described(store: Store, contest: Contest, known: Competition | None, got: tuple[int, int],
               warnings: list[str]) -> Joined:
    from kagglekit.tables.schema import guess_roles

    names = [entry["name"] for entry in (manifest(store) or {"files": []})["files"]]
    competition = store.competition
    tables = [name for name in names if name.endswith((".csv", ".csv.gz", ".tsv"))]
    roles = {role: getattr(competition, role) for role in ("train", "test", "sample")} if known else guess_roles(tables)
    missing = [name for name in tables if not store.table(name).exists()]
    if names and (missing or got[0] or not known):
        warnings += make_tables(store, names, roles)
    if not known:
        if names:
            competition, more = full_guess(competition, store, roles)
            warnings += more
        competition.folder.mkdir(parents=True, exist_ok=True)
        write_text(competition.folder / FILE, competition_text(competition))
        store = Store(competition)
    remember_last(competition.slug)
    open_ledger(store).runs()
    return _shown(store, contest, roles, names, got, warnings)


def _shown(store: Store, contest: Contest, roles: Mapping[str, str], names: list[str], got: tuple[int, int],
           warnings: list[str]) -> Joined:
    competition, now = store.competition, datetime.datetime.now(datetime.UTC)
    files = [_file(store, entry, roles) for entry in (manifest(store) or {"files": []})["files"]]
    rows = {entry["role"]: entry["rows"] for entry in files if entry["role"] in ("train", "test")}
    guesses = {name: {"value": getattr(competition, name), "why": why} for name, why in competition.why.items()}
    since = (now - contest.started).total_seconds() / 86400 if contest.started else None
    return Joined(
        slug=competition.slug, title=contest.title, server=competition.server, folder=str(store.folder), task=competition.task,
        metric={"name": competition.metric, "greater_is_better": competition.greater_is_better, "kaggle_name": competition.kaggle_metric},
        id=competition.id, target=competition.target, prediction=competition.prediction, deadline=competition.deadline,
        days_left=competition.days_left(now), days_since_start=round(since, 1) if since is not None else None, teams=contest.teams,
        daily_limit=contest.daily_limit, code_only=competition.code_only, test_is_stub=competition.test_is_stub, rows=rows, files=tuple(files),
        guesses=guesses, downloaded_bytes=got[0], resumed_bytes=got[1], warnings=tuple(warnings),
        next="kk submit-zeros" if names else f"kk join {competition.slug}")


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
