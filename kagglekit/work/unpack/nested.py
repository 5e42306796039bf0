"""Archives inside an archive: unpacked each on its own, so that a bad one stays packed and spoils nothing."""

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from kagglekit.progress import task
from kagglekit.work.fetch import matches
from kagglekit.work.unpack.budget import Budget
from kagglekit.work.unpack.journal import Entry, Journal
from kagglekit.work.unpack.kinds import is_archive, kind_of, read, without_suffix
from kagglekit.work.unpack.layout import JUNK, check_free, folder_of, move, path_in
from kagglekit.work.unpack.refusals import Unusable
from kagglekit.work.unpack.target import Progress, Target

DEPTH = 3


@dataclass(frozen=True, slots=True)
class Inner:
    """A nested archive: its path below data/raw, how deep it lies, whether all of it is wanted, what is around it."""

    name: str
    depth: int
    wanted: bool
    around: Budget


class Nested:
    """Opens what is packed inside; `files` holds the members of the outer archive, `staging` is for those of the inner ones."""

    def __init__(self, making: Path, journal: Journal, only: str | None, keep: bool) -> None:
        self.files, self.staging = making / "files", making / "nested"
        self.journal, self.only, self.keep = journal, only, keep
        self.warnings: list[str] = []

    def open_all(self, budget: Budget) -> None:
        """Open every archive among the members, then those inside these, and so on."""
        level = self._inside("", 1, budget, False)
        while level:
            sizes = {one.name: self._size(one.name) for one in level}
            deeper: list[Inner] = []
            with task("unpacking the archives inside", total=sum(sizes.values()) or 1, unit="B") as work:
                for one in level:
                    own = Budget(sizes[one.name], budget.allow_large, one.around)
                    self._open(one, own, work)
                    if one.name in self.journal.opened:
                        deeper += self._inside(one.name, one.depth + 1, own, one.wanted)
            level = deeper

    def listing(self) -> tuple[list[Entry], list[Entry]]:
        """The manifest's entries of the files and of the archives that were opened."""
        entries = {}
        for archive, name in self._all():
            within = {"within": archive} if archive else {}
            entries[self.place(archive, name)] = {**self.journal.members[archive][name], **within}
        files = [{"name": name, **entries[name]} for name in sorted(entries) if not self.is_gone(name)]
        packed = [{"name": name, **entries[name], "files": self.journal.opened[name]} for name in sorted(self.journal.opened)]
        return files, packed

    def is_gone(self, name: str) -> bool:
        """Whether a member was an archive that is not kept."""
        return name in self.journal.dropped or (name in self.journal.opened and not self.keep)

    def place(self, archive: str, name: str) -> str:
        """The path below data/raw of an archive's member."""
        return path_in(self.journal.placed[archive], name) if archive else name

    def stage(self, archive: str) -> Path:
        """Where a nested archive is unpacked before it is known to be sound."""
        return self.staging / hashlib.sha256(archive.encode("utf-8")).hexdigest()[:24]

    def settle(self, archive: str) -> None:
        """Move a verified archive's members to their place, then remove it."""
        files = len(self.journal.members[archive])
        move(self.stage(archive), self.files / self.journal.placed[archive])
        self.journal.opens(archive, files)
        if not self.keep:
            (self.files / archive).unlink(missing_ok=True)

    def _all(self) -> list[tuple[str, str]]:
        return [(archive, name) for archive in ("", *self.journal.opened) for name in self.journal.members.get(archive, ())]

    def _inside(self, archive: str, depth: int, around: Budget, wanted: bool) -> list[Inner]:
        names = sorted(self.place(archive, name) for name in self.journal.members[archive])
        return [Inner(name, depth, wanted or matches(name, self.only), around) for name in names if is_archive(name)]

    def _size(self, name: str) -> int:
        path = self.files / name
        return path.stat().st_size if path.exists() else 0

    def _open(self, one: Inner, budget: Budget, work: Progress) -> None:
        if one.name in self.journal.opened:
            budget.count(sum(int(str(entry["bytes"])) for entry in self.journal.members[one.name].values()))
        if one.name in self.journal.opened or one.name in self.journal.dropped:
            return
        target = Target(self.stage(one.name), one.name, self.journal, budget, lambda name: self._wanted(one, name))
        target.start(work)
        try:
            self._read(one, target)
        except Unusable as error:
            self._leave(one, budget, error.reason)
        else:
            self.warnings += [f"{one.name} {warning}" for warning in target.warnings]
        target.ended(self._size(one.name))

    def _read(self, one: Inner, target: Target) -> None:
        """Unpack beside, look at it as a whole, move it to its place."""
        if one.depth > DEPTH:
            raise Unusable(f"lies in more than {DEPTH} archives", "")
        path = self.files / one.name
        kind = kind_of(path, one.name)
        if not kind.format:
            raise Unusable("is no archive by its first bytes", "")
        read(path, kind, PurePosixPath(without_suffix(one.name)).name, target)
        names = {name for name in target.names if not name.startswith(JUNK)}
        if not names:
            raise Unusable("holds no file", "")
        if not target.done:
            self._drop(one)
            return
        folder = folder_of(one.name, names)
        for child in target.folder.iterdir():
            check_free(child, self.files / folder / child.name)
        self.journal.places(one.name, folder)
        self.settle(one.name)

    def _wanted(self, one: Inner, name: str) -> bool:
        if name.startswith(JUNK):
            return False
        paths = (name, f"{without_suffix(one.name)}/{name}", path_in("/".join(one.name.split("/")[:-1]), name))
        return one.wanted or is_archive(name) or any(matches(path, self.only) for path in paths)

    def _leave(self, one: Inner, budget: Budget, reason: str) -> None:
        """Keep it packed, or leave it out where it was only searched."""
        shutil.rmtree(self.stage(one.name), ignore_errors=True)
        budget.count(-budget.spent)
        if one.wanted:
            self.journal.forgets(one.name)
            self.warnings.append(f"{one.name} stays as it is: it {reason}")
        else:
            self._drop(one)
            self.warnings.append(f"{one.name} was not searched: it {reason}")

    def _drop(self, one: Inner) -> None:
        self.journal.drops(one.name)
        shutil.rmtree(self.stage(one.name), ignore_errors=True)
        (self.files / one.name).unlink(missing_ok=True)
