"""Paths and atomic writing; the only module that knows the folder layout of a competition."""

import contextlib
import io
import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from kagglekit.competition import FILE, Competition, find_competition, joined, require_workspace
from kagglekit.errors import KKError
from kagglekit.registry import near_names
from kagglekit.run import Run, Submission, run_from_json, submission_from_json, to_json

if TYPE_CHECKING:
    import numpy as np


class Store:
    """The files of one competition."""

    def __init__(self, competition: Competition) -> None:
        self.competition = competition
        self.folder = competition.folder
        self.raw = self.folder / "data" / "raw"
        self.manifest = self.folder / "data" / "manifest.json"
        self.tables = self.folder / "data" / "tables"
        self.folds = self.folder / "folds"
        self.runs = self.folder / "runs"
        self.studies = self.folder / "tune"
        self.submissions = self.folder / "submissions"
        self.leaderboard = self.folder / "leaderboard"
        self.reports = self.folder / "reports"
        self.ledger = self.folder / "ledger.db"
        self.toml = self.folder / FILE

    # Tables

    def table(self, name: str) -> Path:
        """The typed Parquet of the raw file `name`."""
        return self.tables / (table_stem(name) + ".parquet")

    # Folds

    def folds_files(self, name: str) -> tuple[Path, Path]:
        """Parquet and json of the folds called `name`."""
        return self.folds / f"{name}.parquet", self.folds / f"{name}.json"

    def folds_train(self, name: str) -> Path:
        """Where training rows are kept that no rule can say."""
        return self.folds / f"{name}.train.npz"

    def folds_names(self) -> list[str]:
        """Names of the saved folds, oldest first."""
        paths = sorted(self.folds.glob("*.json"), key=lambda path: (path.stat().st_mtime_ns, path.name))
        return [path.stem for path in paths if self.folds_files(path.stem)[0].exists()]

    def folds_record(self, name: str) -> dict:
        """The json of the folds called `name`; raises KKError with near names."""
        path = self.folds_files(name)[1]
        if not path.exists():
            known = self.folds_names()
            do = f"{near_names(name, known)}Known: {', '.join(known)}" if known else "Make them: kk cv"
            raise KKError(f"no folds are called {name!r} in {self.competition.slug}", do)
        return json.loads(path.read_text(encoding="utf-8"))

    def latest_folds(self) -> str:
        """Name of the folds made last; raises KKError where there are none."""
        names = self.folds_names()
        if not names:
            raise KKError(f"{self.competition.slug} has no folds yet", "Make them: kk cv")
        return max(names, key=lambda name: (str(self.folds_record(name).get("created", "")), names.index(name)))

    # Runs

    def new_run(self, make: Callable[[str], Run]) -> Run:
        """The run that `make(id)` gives for the next free id, with its folder and run.json on disk."""
        self.runs.mkdir(parents=True, exist_ok=True)
        with self._number(self.runs, lambda: self._last(self.runs, r"r(\d+)-")) as number:
            run = make(f"r{number}")
            (self.runs / run.folder).mkdir()
            self.write_run(run)
        return run

    def run_folder(self, run: Run) -> Path:
        """The folder of a run."""
        return self.runs / run.folder

    def write_run(self, run: Run) -> None:
        """Write run.json."""
        write_text(self.run_folder(run) / "run.json", to_json(run))

    def all_runs(self) -> list[Run]:
        """Every run with a run.json, in the order of their numbers."""
        runs = [run_from_json(path.read_text(encoding="utf-8")) for path in self.runs.glob("r*-*/run.json")]
        return sorted(runs, key=lambda run: int(run.id[1:]))

    def run(self, given: str) -> Run:
        """The run with that id ("r12"), name or uid; of equal names the last. Raises KKError with near names."""
        runs = self.all_runs()
        found = [run for run in runs if given in (run.id, run.uid)] or [run for run in runs if run.name == given]
        if not found:
            known = [name for run in runs for name in (run.id, run.name)]
            do = f"{near_names(given, known)}See them: kk runs" if known else "Make one: kk train lgbm"
            raise KKError(f"no run is called {given!r} in {self.competition.slug}", do)
        return found[-1]

    def array(self, run: Run, name: str, mapped: bool = False) -> "np.ndarray | None":
        """oof or test of a run, None where it has none; `mapped`: read from disk as it is used."""
        import numpy as np

        path = self.run_folder(run) / f"{name}.npy"
        return np.load(path, allow_pickle=False, mmap_mode="r" if mapped else None) if path.exists() else None

    def write_array(self, run: Run, name: str, values: "np.ndarray") -> None:
        """Save oof or test of a run."""
        import numpy as np

        buffer = io.BytesIO()
        np.save(buffer, values, allow_pickle=False)
        write_bytes(self.run_folder(run) / f"{name}.npy", buffer.getvalue())

    # Submissions

    def new_submission(self, make: Callable[[int], Submission]) -> Submission:
        """The submission that `make(n)` gives for the next free number, with its json on disk."""
        self.submissions.mkdir(parents=True, exist_ok=True)
        with self._number(self.submissions, lambda: self._last(self.submissions, r"(\d+)-")) as number:
            submission = make(number)
            self.write_submission(submission)
        return submission

    def submission_csv(self, submission: Submission) -> Path:
        """The csv of a submission."""
        return self.submissions / f"{submission.stem}.csv"

    def write_submission(self, submission: Submission) -> None:
        """Write the json of a submission."""
        write_text(self.submissions / f"{submission.stem}.json", to_json(submission))

    def all_submissions(self) -> list[Submission]:
        """Every submission on disk, in the order of their numbers."""
        paths = self.submissions.glob("[0-9]*.json")
        return sorted((submission_from_json(path.read_text(encoding="utf-8")) for path in paths), key=lambda record: record.n)

    # Numbers

    @staticmethod
    def _last(folder: Path, pattern: str) -> int:
        numbers = (re.match(pattern, path.name) for path in folder.iterdir())
        return max((int(found.group(1)) for found in numbers if found), default=0)

    @staticmethod
    @contextlib.contextmanager
    def _number(folder: Path, last: Callable[[], int]) -> Iterator[int]:
        """The next free number, held by a file that only one process can create while it is being used."""
        number = last() + 1
        while True:
            holder = folder / f".{number}.taken"
            try:
                os.close(os.open(holder, os.O_CREAT | os.O_EXCL))
            except FileExistsError:
                number += 1
                continue
            try:
                if last() < number:
                    yield number
                    return
                number = last() + 1
            finally:
                holder.unlink(missing_ok=True)


def open_store(competition: object = None) -> Store:
    """The Store of the competition meant (slug, Competition, or None: of this folder or the last joined)."""
    return Store(find_competition(competition))


def competition_folder(slug: str) -> Path:
    """Where a competition lives in this workspace, whether it is joined or not."""
    return require_workspace() / "competitions" / slug


def joined_slugs() -> list[str]:
    """Slugs of the competitions joined in this workspace."""
    return joined(require_workspace())


def remember_last(slug: str) -> None:
    """Make `slug` the competition meant where none is named."""
    write_text(require_workspace() / ".kk" / "last", slug + "\n")


def table_stem(name: str) -> str:
    """The name of a raw file's table: folders joined by __, without suffixes such as .csv and .csv.gz.

    >>> table_stem("extra/meta info.csv")
    'extra__meta info'
    """
    stem = re.sub(r"\.(csv|tsv|parquet|feather|json|jsonl|xlsx)(\.(gz|bz2|zst|xz|zip))?$", "", name)
    return stem.replace("/", "__")


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file whole or not at all: under a hidden name first, then os.replace. A full disk is a KKError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    hidden = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        hidden.write_bytes(content)
        os.replace(hidden, path)
    except OSError as error:
        hidden.unlink(missing_ok=True)
        raise disk_error(path, error) from error


def write_text(path: Path, text: str) -> None:
    """As write_bytes, in UTF-8."""
    write_bytes(path, text.encode("utf-8"))


def disk_error(path: Path, error: OSError) -> KKError:
    """What a person should know of a failed write."""
    free = f"Free some space on {path.anchor or path.parent} and run the command again; nothing half written was kept"
    do = free if error.errno in (28, 122) else "Check the folder's rights and run the command again"
    return KKError(f"cannot write {path}: {error.strerror or error}", do)
