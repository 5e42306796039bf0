"""Describing: raw files into typed tables, and the competition's schema with a reason for every guess."""

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from pathlib import Path

from kagglekit.competition import Competition
from kagglekit.errors import KKError
from kagglekit.replies import Contest
from kagglekit.store import Store
from kagglekit.tables.form import is_table
from kagglekit.tables.schema import Notes, Peek, find_roles, guess_metric, guess_schema, in_bulk, metric_row, public_fraction
from kagglekit.work.tables import open_table
from kagglekit.work.unpack import manifest

ROLES = ("train", "test", "sample", "labels")


def first_guess(slug: str, folder: Path, contest: Contest, server: str, pages: Mapping[str, str], *, scores: Sequence[object] = (),
                given: Mapping[str, object] | None = None) -> tuple[Competition, list[str]]:
    """The facts that Kaggle tells, before any file is read; `scores` are the leaderboard's, best first, `given` what a person said."""
    notes = Notes(slug, given or {})
    guess_metric(contest.metric, pages, scores, notes)
    share = public_fraction(pages)
    why = {**notes.why, "public_fraction": "the evaluation page says so" if share else "no page says it"}
    competition = Competition(
        slug=slug, folder=folder, title=contest.title, server=server, url=contest.url, kaggle_metric=contest.metric,
        deadline=contest.deadline.isoformat(timespec="seconds") if contest.deadline else "", daily_limit=contest.daily_limit,
        public_fraction=share, code_only=contest.code_only, why=why)
    return dataclasses.replace(competition, **notes.fields), list(notes.warnings)


def full_guess(competition: Competition, store: Store, roles: Mapping[str, str], *, files: Sequence[str] = (),
               given: Mapping[str, object] | None = None) -> tuple[Competition, list[str]]:
    """The competition with its schema guessed from the tables; `files` are the names of all files, `roles` those known by name."""
    notes = Notes(competition.slug, given or {})
    everything = files or [str(entry["name"]) for entry in (manifest(store) or {"files": []})["files"]]
    many = in_bulk(everything)
    named = [name for name in dict.fromkeys((*everything, *roles.values())) if name and is_table(name) and name not in many]
    # Without typed tables (--no-tables) the files themselves are read.
    tables = {name for name in named if store.table(name).exists()} or {name for name in named if (store.raw / name).is_file()}
    peeks = functools.cache(lambda name: _peek(store, name) if name in tables else None)
    find_roles(sorted(tables), peeks, notes)
    known = {role: peek for role in ROLES if (peek := peeks(str(notes.fields.get(role, "")))) is not None}
    guess_schema(known, metric_row(competition.metric, competition.metric_known_as), files=[name for name in everything if name not in tables],
                 code_only=competition.code_only, kaggle_name=competition.kaggle_metric, notes=notes)
    for role, peek in known.items():
        if not peek.rows:
            notes.warn(f"{notes.fields[role]} has a header and no rows: fetch it again, or name another file as {role} in competition.toml")
    for role in ROLES[:3]:
        if role not in known and not any(f"no {role} table" in warning for warning in notes.warnings):
            notes.warn(f"no {role} table was found among the files: write its name as {role} in competition.toml")
    return dataclasses.replace(competition, **notes.fields, why={**competition.why, **notes.why}), list(notes.warnings)


def _peek(store: Store, name: str) -> Peek | None:
    """A look into a table; None where it cannot be read."""
    if store.table(name).exists():
        return Peek(store.table(name))
    try:
        return Peek(open_table(store, name).read())
    except KKError:
        return None
