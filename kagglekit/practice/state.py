"""The arena's state: its own SQLite with teams, uploads, submissions, picks and the clock; any number of processes share it."""

import contextlib
import datetime
import hashlib
import secrets
import sqlite3
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from kagglekit.practice.claims import is_stale

MIGRATIONS = (
    """
    CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT);
    CREATE TABLE IF NOT EXISTS uploads (token TEXT PRIMARY KEY, team TEXT, file TEXT, done INTEGER DEFAULT 0);
    CREATE TABLE IF NOT EXISTS submissions (ref INTEGER PRIMARY KEY AUTOINCREMENT, contest TEXT, team TEXT, token TEXT UNIQUE, file TEXT,
        bytes INTEGER, message TEXT, date TEXT, status TEXT, public REAL, private REAL, error TEXT);
    CREATE INDEX IF NOT EXISTS by_team ON submissions (contest, team, date);
    """,
    """
    ALTER TABLE submissions ADD COLUMN user TEXT;
    ALTER TABLE submissions ADD COLUMN claim TEXT;
    ALTER TABLE submissions ADD COLUMN claimed REAL DEFAULT 0;
    CREATE INDEX waiting ON submissions (ref) WHERE status = 'PENDING';
    CREATE TABLE picks (contest TEXT, team TEXT, ref INTEGER, PRIMARY KEY (contest, team, ref));
    CREATE TABLE teams (name TEXT PRIMARY KEY, digest TEXT UNIQUE, made TEXT);
    CREATE TABLE entered (contest TEXT, team TEXT, date TEXT, PRIMARY KEY (contest, team));
    """,
)


class State:
    """The database below `home`."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.uploads = home / ".uploads"
        self.uploads.mkdir(parents=True, exist_ok=True)
        with self.open() as db:
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("BEGIN IMMEDIATE")
            done = int(db.execute("PRAGMA user_version").fetchone()[0])
            for statement in ";".join(MIGRATIONS[done:]).split(";"):
                db.execute(statement)
            db.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
            db.execute("INSERT OR IGNORE INTO meta VALUES ('secret', ?)", (secrets.token_hex(16),))
            db.execute("INSERT OR IGNORE INTO meta VALUES ('days', '0')")

    @contextlib.contextmanager
    def open(self) -> Iterator[sqlite3.Connection]:
        """A connection whose changes are committed at the end of the block."""
        db = sqlite3.connect(self.home / "state.db", timeout=60)
        db.row_factory = sqlite3.Row
        db.execute("PRAGMA synchronous=NORMAL")  # with WAL a killed process loses nothing
        try:
            with db:
                yield db
        finally:
            db.close()

    def meta(self, key: str) -> str:
        """A stored fact."""
        with self.open() as db:
            return str(db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()[0])

    # The clock

    def now(self) -> datetime.datetime:
        """The arena's time: the real one plus the days it was advanced."""
        return datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=float(self.meta("days")))

    def advance(self, days: float) -> datetime.datetime:
        """Move the clock on."""
        with self.open() as db:
            db.execute("UPDATE meta SET value = CAST(value AS REAL) + ? WHERE key = 'days'", (days,))
        return self.now()

    # Teams

    def new_token(self, team: str) -> str:
        """A new login token of a team; an older one is no longer good. Only its hash is kept."""
        token = f"kk_{secrets.token_hex(20)}"
        with self.open() as db:
            db.execute("INSERT OR REPLACE INTO teams VALUES (?, ?, ?)", (team, _digest(token), self.now().isoformat(timespec="seconds")))
        return token

    def teams(self) -> list[sqlite3.Row]:
        """Teams with a token, by name."""
        with self.open() as db:
            return db.execute("SELECT name, made FROM teams ORDER BY name").fetchall()

    def team_of(self, token: str) -> str | None:
        """The team whose token it is."""
        with self.open() as db:
            row = db.execute("SELECT name FROM teams WHERE digest = ?", (_digest(token),)).fetchone()
        return None if row is None else str(row["name"])

    def enter(self, contest: str, team: str) -> None:
        """The team accepts the rules of a contest."""
        with self.open() as db:
            db.execute("INSERT OR IGNORE INTO entered VALUES (?, ?, ?)", (contest, team, self.now().isoformat(timespec="seconds")))

    def has_entered(self, contest: str, team: str) -> bool:
        """Whether the team accepted the rules."""
        with self.open() as db:
            return db.execute("SELECT 1 FROM entered WHERE contest = ? AND team = ?", (contest, team)).fetchone() is not None

    # Submissions

    def new_upload(self, team: str, file: str) -> str:
        """A token for a file that is to come."""
        token = secrets.token_hex(12)
        name = "".join(letter if letter.isprintable() else "_" for letter in Path(file).name[:200])
        with self.open() as db:
            db.execute("INSERT INTO uploads (token, team, file) VALUES (?, ?, ?)", (token, team, name))
        return token

    def upload(self, token: str) -> sqlite3.Row | None:
        """The upload of a token."""
        with self.open() as db:
            return db.execute("SELECT * FROM uploads WHERE token = ?", (token,)).fetchone()

    def finish_upload(self, token: str) -> None:
        """Mark an upload as complete."""
        with self.open() as db:
            db.execute("UPDATE uploads SET done = 1 WHERE token = ?", (token,))

    def made_today(self, contest: str, team: str, db: sqlite3.Connection | None = None) -> int:
        """Valid submissions of a team since the beginning of the day (UTC) of the arena's clock."""
        today = self.now().date().isoformat()
        with contextlib.nullcontext(db) if db is not None else self.open() as one:
            return int(one.execute("SELECT count(*) FROM submissions WHERE contest = ? AND team = ? AND date >= ? AND status != 'ERROR'",
                                   (contest, team, today)).fetchone()[0])

    def submit(self, contest: str, team: str, token: str, message: str, limit: int, user: str = "") -> int | None:
        """The ref of a new pending submission, None where the daily limit is reached; one transaction, so that no two slip through."""
        upload = self.upload(token)
        assert upload is not None
        size = (self.uploads / token).stat().st_size
        now = self.now().isoformat(timespec="milliseconds")
        with self.open() as db:
            db.execute("BEGIN IMMEDIATE")
            if self.made_today(contest, team, db) >= limit:
                return None
            row = (contest, team, user or team, token, upload["file"], size, message, now)
            return int(db.execute("INSERT INTO submissions (contest, team, user, token, file, bytes, message, date, status) "
                                  "VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'PENDING')", row).lastrowid or 0)

    def submissions(self, contest: str, team: str | None = None, complete: bool = False) -> list[sqlite3.Row]:
        """Submissions to a contest, newest first."""
        also = " AND status = 'COMPLETE'" if complete else ""
        with self.open() as db:
            if team is None:
                return db.execute(f"SELECT * FROM submissions WHERE contest = ?{also} ORDER BY ref DESC", (contest,)).fetchall()
            return db.execute(f"SELECT * FROM submissions WHERE contest = ? AND team = ?{also} ORDER BY ref DESC", (contest, team)).fetchall()

    def submission(self, ref: int) -> sqlite3.Row | None:
        """One submission."""
        with self.open() as db:
            return db.execute("SELECT * FROM submissions WHERE ref = ?", (ref,)).fetchone()

    def pick(self, contest: str, team: str, refs: Iterable[int]) -> None:
        """The submissions that a team's final score is the best of."""
        with self.open() as db:
            db.execute("DELETE FROM picks WHERE contest = ? AND team = ?", (contest, team))
            db.executemany("INSERT OR IGNORE INTO picks VALUES (?, ?, ?)", [(contest, team, ref) for ref in refs])

    def picks(self, contest: str) -> dict[str, set[int]]:
        """The refs that each team picked."""
        picked: dict[str, set[int]] = {}
        with self.open() as db:
            for row in db.execute("SELECT team, ref FROM picks WHERE contest = ?", (contest,)):
                picked.setdefault(row["team"], set()).add(row["ref"])
        return picked

    # Scoring

    def claim(self, owner: str, seconds: float, at_least: int = 1) -> sqlite3.Row | None:
        """The oldest submission that waits for its score, now the owner's to score for `seconds`.

        None where fewer than `at_least` wait. What a dead process claimed is free again.
        """
        with self.open() as db:
            if db.execute("SELECT 1 FROM submissions WHERE status = 'PENDING' LIMIT 1").fetchone() is None:
                return None
            db.execute("BEGIN IMMEDIATE")
            waiting = db.execute("SELECT * FROM submissions WHERE status = 'PENDING' ORDER BY ref LIMIT 64").fetchall()
            free = [row for row in waiting if is_stale(row["claim"], row["claimed"], owner)]
            if len(free) < at_least:
                return None
            db.execute("UPDATE submissions SET claim = ?, claimed = ? WHERE ref = ?", (owner, time.time() + seconds, free[0]["ref"]))
            return free[0]

    def release(self, ref: int) -> None:
        """Give a claim back: anyone may score it."""
        with self.open() as db:
            db.execute("UPDATE submissions SET claim = NULL WHERE ref = ?", (ref,))

    def count(self, contest: str, team: str | None = None) -> int:
        """Submissions to a contest, or those of a team."""
        with self.open() as db:
            if team is None:
                return int(db.execute("SELECT count(*) FROM submissions WHERE contest = ?", (contest,)).fetchone()[0])
            return int(db.execute("SELECT count(*) FROM submissions WHERE contest = ? AND team = ?", (contest, team)).fetchone()[0])

    def team_names(self, contest: str) -> list[str]:
        """Teams that submitted, in the order of their first submissions."""
        with self.open() as db:
            rows = db.execute("SELECT team FROM submissions WHERE contest = ? GROUP BY team ORDER BY min(ref)", (contest,)).fetchall()
        return [str(row["team"]) for row in rows]

    def scored(self, ref: int, public: float | None, private: float | None, error: str) -> None:
        """Record a score, or the reason why there is none."""
        with self.open() as db:
            db.execute("UPDATE submissions SET status = ?, public = ?, private = ?, error = ?, claim = NULL WHERE ref = ?",
                       ("ERROR" if error else "COMPLETE", public, private, error, ref))


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
