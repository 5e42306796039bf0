"""kk data: what the tables hold, on one screen and in one picture."""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from kagglekit.competition import Competition
from kagglekit.errors import KKError
from kagglekit.store import Store, open_store, write_bytes
from kagglekit.tables.convert import is_table
from kagglekit.tables.profile import Drift, Profile, Question, profile_tables
from kagglekit.tables.profile.columns import Column
from kagglekit.tables.profile.findings import Finding, find
from kagglekit.tables.profile.source import ROWS, Source

FEWEST = 100
IMAGES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".gif", ".webp", ".dcm")


@dataclass(frozen=True, slots=True)
class Data:
    """What `kk data` shows. `train` and `test` have file, rows, columns, bytes, memory and looked_at (rows in the sample);
    `columns` come the worst first; `findings` too."""

    slug: str
    task: str
    metric: str
    train: Mapping[str, object]
    test: Mapping[str, object] | None
    others: tuple[Mapping[str, object], ...]
    images: tuple[Mapping[str, object], ...]
    targets: tuple[Mapping[str, object], ...]
    columns: tuple[Mapping[str, object], ...]
    duplicates: Mapping[str, object] | None
    times: tuple[Mapping[str, object], ...]
    groups: tuple[Mapping[str, object], ...]
    alike: tuple[Mapping[str, object], ...]
    findings: tuple[Finding, ...]
    picture: str | None
    next: str


def data(*, competition: object = None, rows: int = ROWS, all_rows: bool = False, plot: bool = True) -> Data:
    """Profile the tables: columns, missing values, drift of train against test, target, rows that repeat, suspect leaks.

    Of longer tables a sample of `rows` rows is looked at, always the same one; what is missing and which rows repeat is counted in
    all rows. `plot` writes reports/data.png.

        >>> kk.data().findings[0].says  # doctest: +SKIP
    """
    store = open_store(competition)
    facts = store.competition
    if rows < FEWEST:
        raise KKError(f"{rows} rows say too little", f"Take {FEWEST} at least: kk data --rows 10000")
    profile = profile_tables(_train(store), _test(store), _question(facts), rows=None if all_rows else rows)
    picture = _draw(store, profile) if plot else None
    return _record(store, profile, picture)


def _train(store: Store) -> Path:
    name = store.competition.train
    if not name:
        raise KKError(f"{store.competition.slug} has no train table", f"Write the file's name as train in {store.toml}")
    path = store.table(name)
    if not path.exists():
        raise KKError(f"the table {path} is not there", f"Fetch it again: kk join {store.competition.slug}")
    return path


def _test(store: Store) -> Path | None:
    name = store.competition.test
    return store.table(name) if name and store.table(name).exists() else None


def _question(facts: Competition) -> Question:
    return Question(id=facts.id, target=facts.target, task=facts.task, group=facts.group, time=facts.time, ignore=facts.ignore,
                    stub=facts.test_is_stub)


def _draw(store: Store, profile: Profile) -> str:
    from kagglekit.work.load import relative
    from kagglekit.work.plot_data import plot_profile

    path = store.reports / "data.png"
    rows = f"{profile.train.rows:,} rows of train" + (f", {profile.test.rows:,} of test" if profile.test is not None else "")
    write_bytes(path, plot_profile(profile, f"{store.competition.slug}: {rows}"))
    return relative(path)


def _record(store: Store, profile: Profile, picture: str | None) -> Data:
    facts = store.competition
    files = json.loads(store.manifest.read_text(encoding="utf-8"))["files"] if store.manifest.exists() else []
    names = [str(entry["name"]) for entry in files]
    return Data(
        slug=facts.slug, task=facts.task, metric=facts.metric, train=_size(facts.train, profile.train),
        test=_size(facts.test, profile.test) if profile.test is not None else None, others=_others(store, names), images=_images(names),
        targets=tuple({**dataclasses.asdict(target), "log_helps": target.log_helps} for target in profile.targets),
        columns=tuple(_column(column) for column in sorted(profile.columns, key=lambda column: column.order)),
        duplicates=dataclasses.asdict(profile.duplicates) if profile.duplicates else None,
        times=tuple(dataclasses.asdict(span) for span in profile.spans), groups=tuple(dataclasses.asdict(group) for group in profile.groups),
        alike=tuple({"equal": equal, "columns": members} for equal, members in profile.alike), findings=find(profile),
        picture=picture, next="kk cv")


def _size(name: str, source: Source) -> dict[str, object]:
    return {"file": name, "rows": source.rows, "columns": len(source.names), "bytes": source.bytes, "memory": source.memory,
            "looked_at": source.taken}


def _column(column: Column) -> dict[str, object]:
    flags = [name for name in ("constant", "nearly_constant", "id_like") if getattr(column, name)]
    kept = {field.name: getattr(column, field.name) for field in dataclasses.fields(column) if field.name not in ("pattern", "id_like")}
    return {**kept, "drift": _drift(column.drift), "signal": dataclasses.asdict(column.signal) if column.signal else None, "flags": flags}


def _drift(drift: Drift | None) -> dict[str, object] | None:
    return {**dataclasses.asdict(drift), "beyond": drift.beyond, "matters": drift.matters} if drift else None


def _others(store: Store, names: list[str]) -> tuple[dict[str, object], ...]:
    """The tables besides train and test, by their footers."""
    from pyarrow import parquet

    found = []
    for name in names:
        path = store.table(name)
        if is_table(name) and name not in (store.competition.train, store.competition.test) and path.exists():
            footer = parquet.read_metadata(path)
            found.append({"file": name, "rows": footer.num_rows, "columns": footer.num_columns, "bytes": path.stat().st_size})
    return tuple(found)


def _images(names: list[str]) -> tuple[dict[str, object], ...]:
    """Folders that hold images, and how many."""
    counts: dict[str, int] = {}
    for name in names:
        if name.lower().endswith(IMAGES):
            folder = str(PurePosixPath(name).parent)
            counts[folder] = counts.get(folder, 0) + 1
    return tuple({"folder": folder, "files": count} for folder, count in sorted(counts.items()))
