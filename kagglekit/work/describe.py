"""Describing: raw files into typed tables, and the competition's schema with a reason for every guess."""

import csv
import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from kagglekit.competition import Competition
from kagglekit.errors import KKError
from kagglekit.metrics import REGISTRY, Metric
from kagglekit.progress import task
from kagglekit.replies import Contest
from kagglekit.store import Store
from kagglekit.tables.convert import RawTable, common_types, read_raw, write_table
from kagglekit.tables.schema import guess_schema, public_fraction

STUB_SHARE = 0.01


def make_tables(store: Store, names: Sequence[str], roles: Mapping[str, str]) -> list[str]:
    """A typed Parquet for each csv; train, test and sample agree on types. Gives a warning for each file that cannot be read."""
    warnings: list[str] = []
    main = [name for name in names if name in roles.values()]
    with task("reading tables", total=len(names), unit="tables") as work:
        raw = {name: table for name in main if (table := _read(store, name, warnings))}
        # The sample's values are placeholders: they must not change the type of the target, its ids are test's.
        shared = common_types([raw[roles[role]] for role in ("train", "test") if roles.get(role) in raw])
        for name, table in raw.items():
            types = {**table.types, **{column: kind for column, kind in shared.items() if _agreed(name, column, roles, raw)}}
            write_table(table, types, store.table(name))
            work.advance()
        raw.clear()
        # One at a time from here: what no other table must agree with need not be in memory with it.
        made = {store.table(name): name for name in main}
        for name in names:
            if name in main:
                continue
            if store.table(name) in made:
                warnings.append(f"{name} would be the same table as {made[store.table(name)]}: it stays a file")
            elif table := _read(store, name, warnings):
                write_table(table, table.types, store.table(name))
                made[store.table(name)] = name
            work.advance()
    return warnings


def _read(store: Store, name: str, warnings: list[str]) -> RawTable | None:
    try:
        return read_raw(store.raw / name, name)
    except KKError as error:
        warnings.append(str(error))
    except (OSError, EOFError, ValueError, csv.Error) as error:
        warnings.append(f"{name} cannot be read as a csv: {error}")
    return None


def _agreed(name: str, column: str, roles: Mapping[str, str], raw: Mapping[str, RawTable]) -> bool:
    """Whether a file's column takes the type that train and test agree on."""
    if name == roles.get("sample"):
        test = raw.get(roles.get("test", ""))
        return test is not None and column in test.types
    return name in roles.values()


def first_guess(slug: str, folder: Path, contest: Contest, server: str, pages: Mapping[str, str]) -> tuple[Competition, list[str]]:
    """The facts that Kaggle tells, before any file is read."""
    metric = REGISTRY.get(contest.metric) if contest.metric and contest.metric in REGISTRY else None
    warnings = []
    if metric is None:
        warnings.append(f"the metric {contest.metric or '(none named)'!r} is not built in: give metric.py:score as [metric] name in competition.toml")
    share = public_fraction(pages)
    why = {"metric": f"Kaggle names it {contest.metric!r}", "greater_is_better": "the metric's direction",
           "public_fraction": "the evaluation page says so" if share else "no page says it"}
    competition = Competition(
        slug=slug, folder=folder, title=contest.title, server=server, url=contest.url, metric=metric.name if metric else "",
        greater_is_better=metric.greater_is_better if metric else None, kaggle_metric=contest.metric,
        deadline=contest.deadline.isoformat(timespec="seconds") if contest.deadline else "", daily_limit=contest.daily_limit,
        public_fraction=share, code_only=contest.code_only, why=why)
    return competition, warnings


def full_guess(competition: Competition, store: Store, roles: Mapping[str, str]) -> tuple[Competition, list[str]]:
    """The competition with its schema guessed from the tables."""
    known = {role: name for role, name in roles.items() if name and store.table(name).exists()}
    competition = dataclasses.replace(competition, **known)
    tables = {role: pd.read_parquet(store.table(name)) for role, name in known.items()}
    if len(tables) < 3:
        missing = [role for role in ("train", "test", "sample") if role not in tables]
        return competition, [f"no {role} table was found among the files: write its name as {role} in competition.toml" for role in missing]
    metric: Metric | None = REGISTRY.get(competition.metric) if competition.metric in REGISTRY else None
    guess = guess_schema(tables, metric)
    warnings = list(guess.warnings)
    stub = competition.code_only and len(tables["test"]) < STUB_SHARE * len(tables["train"])
    if stub:
        warnings.append(f"the visible test set is a stub ({len(tables['test'])} rows): the real one is seen by notebooks only")
    why = {**competition.why, **guess.why, **dict.fromkeys(known, "by its name")}
    return dataclasses.replace(competition, **guess.fields, test_is_stub=stub, why=why), warnings
