"""The arena's state: its own SQLite with uploads, submissions and the clock; any number of processes share it."""

import contextlib
import datetime
import secrets
import sqlite3
from collections.abc import Iterator
from pathlib import Path

SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT);
CREATE TABLE IF NOT EXISTS uploads (token TEXT PRIMARY KEY, team TEXT, file TEXT, done INTEGER DEFAULT 0);
CREATE TABLE IF NOT EXISTS submissions (ref INTEGER PRIMARY KEY AUTOINCREMENT, contest TEXT, team TEXT, token TEXT UNIQUE, file TEXT,
    bytes INTEGER, message TEXT, date TEXT, status TEXT, public REAL, private REAL, error TEXT);
CREATE INDEX IF NOT EXISTS by_team ON submissions (contest, team, date);
"""


class State:
    """The database below `home`."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.uploads = home / ".uploads"
        self.uploads.mkdir(parents=True, exist_ok=True)
        with self.open() as db:
            db.execute("PRAGMA journal_mode=WAL")
            db.executescript(SCHEMA)
            db.execute("INSERT OR IGNORE INTO meta VALUES ('secret', ?)", (secrets.token_hex(16),))
            db.execute("INSERT OR IGNORE INTO meta VALUES ('days', '0')")

    @contextlib.contextmanager
    def open(self) -> Iterator[sqlite3.Connection]:
        """A connection whose changes are committed at the end of the block."""
        db = sqlite3.connect(self.home / "state.db", timeout=30)
        db.row_factory = sqlite3.Row
        try:
            with db:
                yield db
        finally:
            db.close()

    def meta(self, key: str) -> str:
        """A stored fact."""
        with self.open() as db:
            return str(db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()[0])

    def now(self) -> datetime.datetime:
        """The arena's time: the real one plus the days it was advanced."""
        return datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=float(self.meta("days")))

    def advance(self, days: float) -> datetime.datetime:
        """Move the clock on."""
        with self.open() as db:
            db.execute("UPDATE meta SET value = CAST(value AS REAL) + ? WHERE key = 'days'", (days,))
        return self.now()

    def new_upload(self, team: str, file: str) -> str:
        """A token for a file that is to come."""
        token = secrets.token_hex(12)
        with self.open() as db:
            db.execute("INSERT INTO uploads (token, team, file) VALUES (?, ?, ?)", (token, team, Path(file).name[:200]))
        return token

    def upload(self, token: str) -> sqlite3.Row | None:
        """The upload of a token."""
        with self.open() as db:
            return db.execute("SELECT * FROM uploads WHERE token = ?", (token,)).fetchone()

    def finish_upload(self, token: str) -> None:
        """Mark an upload as complete."""
        with self.open() as db:
            db.execute("UPDATE uploads SET done = 1 WHERE token = ?", (token,))

    def made_today(self, db: sqlite3.Connection, contest: str, team: str) -> int:
        """Valid submissions of a team since the beginning of the day (UTC) of the arena's clock."""
        today = self.now().date().isoformat()
        return int(db.execute("SELECT count(*) FROM submissions WHERE contest = ? AND team = ? AND date >= ? AND status != 'ERROR'",
                              (contest, team, today)).fetchone()[0])

    def submit(self, contest: str, team: str, token: str, message: str, limit: int) -> int | None:
        """The ref of a new pending submission, None where the daily limit is reached; one transaction, so that no two slip through."""
        upload = self.upload(token)
        assert upload is not None
        size = (self.uploads / token).stat().st_size
        now = self.now().isoformat(timespec="milliseconds")
        with self.open() as db:
            db.execute("BEGIN IMMEDIATE")
            if self.made_today(db, contest, team) >= limit:
                return None
            row = (contest, team, token, upload["file"], size, message, now)
            return int(db.execute("INSERT INTO submissions (contest, team, token, file, bytes, message, date, status) "
                                  "VALUES (?, ?, ?, ?, ?, ?, ?, 'PENDING')", row).lastrowid or 0)

    def submissions(self, contest: str, team: str | None = None) -> list[sqlite3.Row]:
        """Submissions to a contest, newest first."""
        with self.open() as db:
            if team is None:
                return db.execute("SELECT * FROM submissions WHERE contest = ? ORDER BY ref DESC", (contest,)).fetchall()
            return db.execute("SELECT * FROM submissions WHERE contest = ? AND team = ? ORDER BY ref DESC", (contest, team)).fetchall()

    def submission(self, ref: int) -> sqlite3.Row | None:
        """One submission."""
        with self.open() as db:
            return db.execute("SELECT * FROM submissions WHERE ref = ?", (ref,)).fetchone()

    def pending(self) -> sqlite3.Row | None:
        """The oldest submission that waits for its score."""
        with self.open() as db:
            return db.execute("SELECT * FROM submissions WHERE status = 'PENDING' ORDER BY ref LIMIT 1").fetchone()

    def scored(self, ref: int, public: float | None, private: float | None, error: str) -> None:
        """Record a score, or the reason why there is none."""
        with self.open() as db:
            db.execute("UPDATE submissions SET status = ?, public = ?, private = ?, error = ? WHERE ref = ?",
                       ("ERROR" if error else "COMPLETE", public, private, error, ref))
