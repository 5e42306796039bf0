"""Taking over runs, folds and submissions from another copy of a competition: by uid, so that nothing comes twice."""

import dataclasses
import functools
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kagglekit.competition import FILE, read_competition
from kagglekit.errors import KKError
from kagglekit.run import Run, Submission
from kagglekit.store import Store, write_text


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
    known = {run.uid: run.id for run in store.all_runs()}
    ids: dict[str, str] = {}
    taken: dict[str, str] = {}
    for run in other.all_runs():
        if run.uid in known:
            ids[run.id] = known[run.uid]
        elif run.status != "done":
            warnings.append(f"{run.id} {run.name} is not finished there ({run.status}): it stays")
        else:
            ids[run.id] = taken[run.id] = _run(store, other, run, ids, names)
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
        parquet.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(theirs, parquet)
        write_text(text, json.dumps({**record, "name": fresh}, indent=1, ensure_ascii=False) + "\n")
        names[name] = fresh
        taken.append(fresh)
    return names, taken


def _run(store: Store, other: Store, run: Run, ids: Mapping[str, str], names: Mapping[str, str]) -> str:
    """One run with its files under the next free number; parents and folds by the names that they have here."""
    def renamed(number: str) -> Run:
        return dataclasses.replace(run, id=number, status="started", folds=names.get(run.folds, run.folds),
                                   parents=tuple(ids.get(parent, parent) for parent in run.parents),
                                   weights={ids.get(parent, parent): weight for parent, weight in run.weights.items()})

    fresh = store.new_run(renamed)
    for path in sorted(other.run_folder(run).rglob("*")):
        if path.is_file() and path.name != "run.json" and not path.is_symlink():
            target = store.run_folder(fresh) / path.relative_to(other.run_folder(run))
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
    store.write_run(dataclasses.replace(fresh, status="done"))
    return fresh.id


def _submissions(store: Store, other: Store, ids: Mapping[str, str]) -> list[int]:
    """Submissions that are not here, by ref and by tag, each with its csv."""
    known = {mark for record in store.all_submissions() for mark in (record.ref, record.tag) if mark}
    taken = []
    for record in other.all_submissions():
        if {record.ref, record.tag} & known:
            continue
        csv, run = other.submission_csv(record), ids.get(record.run, "")
        fresh = store.new_submission(functools.partial(_renumbered, record, run))
        if csv.exists():
            shutil.copyfile(csv, store.submission_csv(fresh))
            fresh = dataclasses.replace(fresh, file=store.submission_csv(fresh).name)
            store.write_submission(fresh)
        taken.append(fresh.n)
    return taken


def _renumbered(record: Submission, run: str, number: int) -> Submission:
    return dataclasses.replace(record, n=number, run=run)
