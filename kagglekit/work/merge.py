"""Taking over runs, folds and submissions from another copy of a competition: by uid, so that nothing comes twice."""

import dataclasses
import functools
import json
import os
import platform
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kagglekit.competition import FILE, read_competition
from kagglekit.errors import KKError
from kagglekit.progress import task
from kagglekit.run import Run, Submission
from kagglekit.store import Store, write_text
from kagglekit.work.save import alive


@dataclass(frozen=True, slots=True)
class Taken:
    """What came over: old id -> new id of runs, names of folds, numbers of submissions; `warnings` say what stayed there."""

    runs: Mapping[str, str]
    folds: tuple[str, ...]
    submissions: tuple[int, ...]
    warnings: tuple[str, ...]


def other_store(given: Path, slug: str) -> Store:
    """The Store of a competition's folder, or of the one called `slug` in a workspace; raises KKError where it is another competition."""
    for folder in (given, given / "competitions" / slug, given / slug):
        if (folder / FILE).exists():
            known = read_competition(folder)
            if known.slug != slug:
                raise KKError(f"{folder} is of {known.slug}, not of {slug}", f"Name it: kk merge {given} -c {known.slug}")
            return Store(known)
    raise KKError(f"there is no {slug} in {given}", f"Give a workspace or a folder that holds {FILE}")


def take_over(store: Store, other: Store) -> Taken:
    """Copy what is not here yet; a kill leaves whole records only, and the next call goes on."""
    warnings: list[str] = []
    names, folds = _folds(store, other)
    known = {run.uid: run for run in store.all_runs()}
    ids: dict[str, str] = {}
    taken: dict[str, str] = {}
    runs = other.all_runs()
    with task("taking over", total=len(runs), unit="runs") as work:
        for run in runs:
            mine = known.get(run.uid)
            if mine is not None and (mine.status == "done" or run.status != "done" or alive(mine)):
                ids[run.id] = mine.id
            elif run.status != "done":
                warnings.append(f"{run.id} {run.name} is not finished there ({run.status}): it stays")
            else:
                ids[run.id] = taken[run.id] = _run(store, other, run, mine, _Names(ids, names))
            work.advance()
    return Taken(taken, tuple(folds), tuple(_submissions(store, other, ids)), tuple(warnings))


def _folds(store: Store, other: Store) -> tuple[dict[str, str], list[str]]:
    """Folds by fingerprint: the same ones keep the name that they have here, others of a name that is taken get a new one."""
    mine = {store.folds_record(name)["fingerprint"]: name for name in store.folds_names()}
    names, taken = {}, []
    for name in other.folds_names():
        record = other.folds_record(name)
        if record["fingerprint"] in mine:
            names[name] = mine[record["fingerprint"]]
            continue
        fresh, number = name, 2
        while fresh in store.folds_names():
            fresh, number = f"{name}-{number}", number + 1
        (parquet, text), (theirs, _) = store.folds_files(fresh), other.folds_files(name)
        _copy(theirs, parquet)
        if other.folds_train(name).exists():
            _copy(other.folds_train(name), store.folds_train(fresh))
        write_text(text, json.dumps({**record, "name": fresh}, indent=1, ensure_ascii=False) + "\n")
        names[name] = fresh
        taken.append(fresh)
    return names, taken


@dataclass(frozen=True, slots=True)
class _Names:
    """How runs and folds of the other copy are called here."""

    ids: Mapping[str, str]
    folds: Mapping[str, str]

    def of(self, run: Run, number: str) -> Run:
        """The run as it is called here, with parents and folds by their names here; not finished before its files are there."""
        return dataclasses.replace(
            run, id=number, status="started", process={"pid": os.getpid(), "host": platform.node()}, folds=self.folds.get(run.folds, run.folds),
            parents=tuple(self.ids.get(parent, parent) for parent in run.parents),
            weights={self.ids.get(parent, parent): weight for parent, weight in run.weights.items()})


def _run(store: Store, other: Store, run: Run, mine: Run | None, names: _Names) -> str:
    """One run with its files under the next free number, or under that of `mine`, which an earlier call left half copied."""
    fresh = store.new_run(functools.partial(names.of, run)) if mine is None else names.of(run, mine.id)
    for path in sorted(other.run_folder(run).rglob("*")):
        if path.is_file() and path.name != "run.json" and not path.is_symlink():
            _copy(path, store.run_folder(fresh) / path.relative_to(other.run_folder(run)))
    store.write_run(dataclasses.replace(fresh, status="done", process=run.process))
    return fresh.id


def _submissions(store: Store, other: Store, ids: Mapping[str, str]) -> list[int]:
    """Submissions that are not here, by ref and by tag, each with its csv; a csv that an earlier call did not reach is copied, too."""
    known = {mark: record for record in store.all_submissions() for mark in (record.ref, record.tag) if mark}
    taken = []
    for record in other.all_submissions():
        mine = next((known[mark] for mark in (record.ref, record.tag) if mark in known), None)
        fresh = mine or store.new_submission(functools.partial(_renumbered, record, ids.get(record.run, "")))
        csv = other.submission_csv(record)
        if csv.exists() and not store.submission_csv(fresh).exists():
            _copy(csv, store.submission_csv(fresh))
            fresh = dataclasses.replace(fresh, file=store.submission_csv(fresh).name)
            store.write_submission(fresh)
        if mine is None:
            taken.append(fresh.n)
    return taken


def _copy(source: Path, target: Path) -> None:
    """A file whole or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    hidden = target.with_name(f".{target.name}.{os.getpid()}.part")
    shutil.copyfile(source, hidden)
    os.replace(hidden, target)


def _renumbered(record: Submission, run: str, number: int) -> Submission:
    return dataclasses.replace(record, n=number, run=run)
