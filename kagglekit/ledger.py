"""The ledger: an embedded SQLite index of folds, runs, submissions and time; the only module with SQL for it."""

import contextlib
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path

from kagglekit.errors import KKError
from kagglekit.run import Run, Submission
from kagglekit.store import Store


def _m001_first(db: sqlite3.Connection) -> None:
    db.executescript("""
        CREATE TABLE folds (name TEXT PRIMARY KEY, splitter TEXT, n INTEGER, repeats INTEGER, rows INTEGER, scored_rows INTEGER,
            rule TEXT, fingerprint TEXT, fatal INTEGER, forced INTEGER, created TEXT);
        CREATE TABLE runs (id TEXT PRIMARY KEY, uid TEXT UNIQUE, name TEXT, kind TEXT, status TEXT, model TEXT, recipe TEXT,
            folds TEXT, fingerprint TEXT, metric TEXT, score REAL, se REAL, pooled REAL, rows_scored INTEGER, inference TEXT,
            seconds REAL, created TEXT);
        CREATE TABLE fold_scores (run TEXT, fold INTEGER, score REAL, PRIMARY KEY (run, fold));
        CREATE TABLE parents (run TEXT, parent TEXT, weight REAL, PRIMARY KEY (run, parent));
        CREATE TABLE submissions (n INTEGER PRIMARY KEY, run TEXT, recipe TEXT, tag TEXT, ref TEXT, status TEXT, reason TEXT,
            public REAL, private REAL, error TEXT, date TEXT, file TEXT);
        CREATE TABLE time_spent (run TEXT, stage TEXT, seconds REAL, PRIMARY KEY (run, stage));
    """)


MIGRATIONS = (_m001_first,)


class Ledger:
    """The index of one competition; files are the truth, `rebuild` makes it again from them."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            db = sqlite3.connect(self.path, timeout=30)
        except sqlite3.OperationalError as error:
            raise KKError(f"cannot open {self.path}: {error}", "Check the folder's rights and free space") from error
        try:
            db.row_factory = sqlite3.Row
            db.execute("PRAGMA journal_mode=WAL")
            _migrate(db)
            with db:
                yield db
        except sqlite3.DatabaseError as error:
            raise KKError(f"the ledger {self.path} cannot be used: {error}", "Make it again from the files: kk rebuild") from error
        finally:
            db.close()

    def save_folds(self, record: Mapping[str, object]) -> None:
        """Index folds from their json."""
        with self._open() as db:
            _insert(db, "folds", _folds_row(record))

    def save_run(self, run: Run) -> None:
        """Index a run, its fold scores, parents and stage times."""
        with self._open() as db:
            _insert_run(db, run)

    def save_submission(self, submission: Submission) -> None:
        """Index a submission."""
        with self._open() as db:
            _insert(db, "submissions", _submission_row(submission))

    def runs(self) -> list[dict]:
        """Rows of all runs, by number."""
        with self._open() as db:
            rows = db.execute("SELECT * FROM runs").fetchall()
        return sorted((dict(row) for row in rows), key=lambda row: int(row["id"][1:]))

    def submissions(self) -> list[dict]:
        """Rows of all submissions, by number."""
        with self._open() as db:
            return [dict(row) for row in db.execute("SELECT * FROM submissions ORDER BY n")]

    def folds(self) -> list[dict]:
        """Rows of all folds, oldest first."""
        with self._open() as db:
            return [dict(row) for row in db.execute("SELECT * FROM folds ORDER BY created, name")]

    def dump(self) -> dict[str, list[tuple]]:
        """Every row of every table, sorted: two ledgers are equal if and only if their dumps are."""
        with self._open() as db:
            names = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type='table' ORDER BY name")]
            return {name: sorted((tuple(row) for row in db.execute(f"SELECT * FROM {name}")), key=repr) for name in names}


def open_ledger(store: Store) -> Ledger:
    """The ledger of a competition."""
    return Ledger(store.ledger)


def rebuild(store: Store) -> Ledger:
    """Make ledger.db again from the files alone; the old one is replaced only when the new one is complete."""
    fresh = store.ledger.with_name(".ledger.rebuilt.db")
    for leftover in fresh.parent.glob(fresh.name + "*"):
        leftover.unlink()
    ledger = Ledger(fresh)
    with ledger._open() as db:
        for name in store.folds_names():
            _insert(db, "folds", _folds_row(store.folds_record(name)))
        for run in store.all_runs():
            _insert_run(db, run)
        for submission in store.all_submissions():
            _insert(db, "submissions", _submission_row(submission))
    with contextlib.closing(sqlite3.connect(fresh)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.execute("PRAGMA journal_mode=DELETE")
    for leftover in store.ledger.parent.glob("ledger.db-*"):
        leftover.unlink()
    fresh.replace(store.ledger)
    return Ledger(store.ledger)


def _migrate(db: sqlite3.Connection) -> None:
    """Apply each numbered migration once, recorded in user_version."""
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version >= len(MIGRATIONS):
        return
    db.execute("BEGIN IMMEDIATE")
    version = db.execute("PRAGMA user_version").fetchone()[0]
    db.execute("COMMIT")
    for number, migration in enumerate(MIGRATIONS[version:], start=version + 1):
        migration(db)
        db.execute(f"PRAGMA user_version = {number}")


def _insert(db: sqlite3.Connection, table: str, row: Mapping[str, object]) -> None:
    names, marks = ", ".join(row), ", ".join("?" for _ in row)
    db.execute(f"INSERT OR REPLACE INTO {table} ({names}) VALUES ({marks})", tuple(row.values()))


def _insert_run(db: sqlite3.Connection, run: Run) -> None:
    score = run.score
    _insert(db, "runs", {
        "id": run.id, "uid": run.uid, "name": run.name, "kind": run.kind, "status": run.status, "model": run.model,
        "recipe": run.recipe, "folds": run.folds, "fingerprint": run.folds_fingerprint, "metric": run.metric,
        "score": score.mean, "se": score.se, "pooled": score.pooled, "rows_scored": run.rows_scored, "inference": run.inference,
        "seconds": sum(run.seconds.values()), "created": run.created})
    for table in ("fold_scores", "parents", "time_spent"):
        db.execute(f"DELETE FROM {table} WHERE run = ?", (run.id,))
    for fold, value in enumerate(score.per_fold):
        _insert(db, "fold_scores", {"run": run.id, "fold": fold, "score": value})
    for parent in run.parents:
        _insert(db, "parents", {"run": run.id, "parent": parent, "weight": run.weights.get(parent)})
    for stage, seconds in run.seconds.items():
        _insert(db, "time_spent", {"run": run.id, "stage": stage, "seconds": seconds})


def _folds_row(record: Mapping[str, object]) -> dict[str, object]:
    names = ("name", "splitter", "n", "repeats", "rows", "scored_rows", "rule", "fingerprint", "created")
    audit = record.get("audit") or []
    fatal = sum(finding.get("severity") == "fatal" for finding in audit)  # type: ignore[union-attr]
    return {**{name: record.get(name) for name in names}, "fatal": fatal, "forced": int(bool(record.get("forced")))}


def _submission_row(submission: Submission) -> dict[str, object]:
    names = ("n", "run", "recipe", "tag", "ref", "status", "reason", "public", "private", "error", "date", "file")
    return {name: getattr(submission, name) for name in names}
