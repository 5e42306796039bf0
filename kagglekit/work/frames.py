"""A competition's tables in a notebook: lazy and by column, as pandas."""

from collections.abc import Sequence

import pandas as pd

from kagglekit.competition import Competition
from kagglekit.errors import KKError
from kagglekit.registry import near_names
from kagglekit.store import open_store
from kagglekit.work.load import read_table
from kagglekit.work.tables import open_table
from kagglekit.work.unpack import manifest


def load_competition(competition: object = None) -> "LoadedCompetition":
    """A joined competition's tables: a slug, or None for that of the folder, else the last joined.

        >>> kk.load_competition("titanic").train.shape  # doctest: +SKIP
        (891, 12)
    """
    return LoadedCompetition(competition)


class LoadedCompetition:
    """A joined competition; nothing is read before it is asked for, and of a table only the columns that are.

        >>> comp = kk.load_competition("titanic")  # doctest: +SKIP
        >>> comp.train(columns=["Age", "Survived"]).shape  # doctest: +SKIP
        (891, 2)
        >>> comp.test.shape  # doctest: +SKIP
        (418, 11)
    """

    def __init__(self, competition: object = None) -> None:
        self._store = open_store(competition)

    @property
    def facts(self) -> Competition:
        """What competition.toml says."""
        return self._store.competition

    @property
    def files(self) -> list[str]:
        """Paths of all files below data/raw."""
        return [str(entry["name"]) for entry in (manifest(self._store) or {"files": []})["files"]]

    @property
    def train(self) -> "Table":
        """The training table."""
        return Table(self, self.facts.train, "train")

    @property
    def test(self) -> "Table":
        """The test table."""
        return Table(self, self.facts.test, "test")

    @property
    def sample(self) -> "Table":
        """The sample submission."""
        return Table(self, self.facts.sample, "sample")

    def table(self, name: str) -> "Table":
        """Any other table by its file's path; raises KKError with near names."""
        if name not in self.files:
            raise KKError(f"{self.facts.slug} has no file {name!r}", near_names(name, self.files) or f"It has: {', '.join(self.files[:8])}")
        return Table(self, name, "")

    def __repr__(self) -> str:
        return f"<{self.facts.slug}: {len(self.files)} files>"


class Table:
    """One table: `shape` and `columns` come from its footer; call it, with `columns` or not, for a pandas DataFrame."""

    def __init__(self, owner: LoadedCompetition, name: str, role: str) -> None:
        self.name, self._store, self._role = name, owner._store, role

    @property
    def shape(self) -> tuple[int | None, int]:
        """Rows (None for a raw file that was never counted) and columns."""
        found = open_table(self._store, self.name).footer
        return found.rows, len(found.columns)

    @property
    def columns(self) -> list[str]:
        """Names of the columns."""
        return list(open_table(self._store, self.name).footer.columns)

    def __call__(self, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """The rows in the file's order; raises KKError for a column that is not there."""
        if self._role:
            return read_table(self._store, self._role, columns)
        return open_table(self._store, self.name).read(columns)

    def __repr__(self) -> str:
        rows, columns = self.shape
        return f"<{self.name}: {'?' if rows is None else f'{rows:,}'} rows x {columns} columns>"
