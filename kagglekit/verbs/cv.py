"""kk cv: make folds that imitate the test set, audit them, and say why."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from kagglekit.errors import KKError
from kagglekit.fold import Data
from kagglekit.folds import Folds, from_assignment, ids_hash, stacked
from kagglekit.ledger import open_ledger
from kagglekit.run import now
from kagglekit.splitters import Splitter, check_splitter
from kagglekit.store import Store, open_store
from kagglekit.work.advice import Recommendation, recommend
from kagglekit.work.audit import Finding, audit
from kagglekit.work.kept import load_folds, save_folds, with_audit
from kagglekit.work.load import check_columns, id_table, load_data, moments, problem_of, read_table, relative


@dataclass(frozen=True, slots=True)
class Split:
    """Folds as `kk cv` shows them."""

    folds: str
    splitter: str
    params: Mapping[str, object]
    n: int
    repeats: int
    rows: int
    scored_rows: int
    sizes: tuple[int, ...]
    fingerprint: str
    file: str
    audit: tuple[Finding, ...]
    recommendation: Recommendation
    forced: bool
    next: str


@dataclass(frozen=True, slots=True)
class _Given:
    """What the person asked for, with the columns that hold group and time."""

    splitter: Splitter
    n: int
    group: str
    time: str
    gap: float
    test_size: float | None
    repeats: int
    seed: int


def cv(*, split: object = "auto", n: int = 5, group: str | None = None, time: str | None = None, gap: str | float | None = None,
       test_size: str | float | None = None, repeats: int = 1, seed: int = 0, name: str | None = None,
       audit: str | None = None, force: bool = False, competition: object = None) -> Split:
    """Make folds with a splitter (random, stratified, group, time, path.py:function; auto: what the data asks for) and save them.

    gap and test_size are in the unit of the time column (a number, or "7d" for dates). With `audit` (a name or a csv/parquet file with
    ids and `fold`) nothing is made: that assignment is audited against the declared group and time. A fatal finding is a KKError
    unless `force`, which is kept in the folds.

        >>> kk.cv(split="group", group="patient")  # doctest: +SKIP
    """
    store = open_store(competition)
    train = read_table(store, "train")
    advice = recommend(train, read_table(store, "test"), store.competition, problem_of(store.competition))
    given = _given(split, advice, train, store, n, group, time, gap, test_size, repeats, seed)
    data = load_data(store)
    if audit is not None:
        return _audited(store, audit, given, split, train, data, advice)
    folds = _made(store, given, train, data, name)
    findings = _findings(folds, given, train, data)
    fatal = [finding for finding in findings if finding.severity == "fatal"]
    if fatal and not force:
        told = _shown(folds, findings, advice, "", "kk cv")
        raise KKError(f"{fatal[0].code}: {fatal[0].says}", "Change the split, or keep it knowingly with --force", told)
    folds = with_audit(folds, [dataclasses.asdict(finding) for finding in findings], bool(fatal))
    record = save_folds(store, folds, now(), dataclasses.asdict(advice))
    open_ledger(store).save_folds(record)
    return _shown(folds, findings, advice, relative(store.folds_files(folds.name)[0]), _after(findings, store))


def _after(findings: Sequence[Finding], store: Store) -> str:
    """The next step: a split that the audit finds flattering wants its rival first."""
    groups = store.competition.group
    flattering = any(finding.code == "group-shared" for finding in findings) and groups
    return f"kk cv --split group --group {groups[0]}" if flattering else "kk train lgbm"


def _given(split: object, advice: Recommendation, train: pd.DataFrame, store: Store, n: int, group: str | None, time: str | None,
           gap: object, test_size: object, repeats: int, seed: int) -> _Given:
    chosen = split
    if split == "auto":
        chosen = "group" if group else "time" if time else advice.splitter
    splitter = check_splitter(chosen)
    suggested = store.competition.group[0] if store.competition.group else ""
    by_group = group or (suggested if "groups" in splitter.needs else "")
    by_time = time or (store.competition.time if "time" in splitter.needs else "")
    if "groups" in splitter.needs and not by_group:
        raise KKError(f"the split {splitter.name} needs a column of groups and none is known", "Name it: kk cv --split group --group COL")
    if "time" in splitter.needs and not by_time:
        raise KKError(f"the split {splitter.name} needs a column of time and none is known", "Name it: kk cv --split time --time COL")
    check_columns(train, [column for column in (by_group, by_time) if column])
    if by_group and train[by_group].isna().any():
        raise KKError(f"the group column {by_group!r} has {int(train[by_group].isna().sum())} gaps", "Fill them, or choose another column")
    if repeats < 1:
        raise KKError(f"--repeats {repeats} makes no folds", "Give at least 1")
    dates = bool(by_time) and str(train[by_time].dtype).startswith("datetime")
    return _Given(splitter, n, by_group, by_time, _length(gap, dates) or 0.0, _length(test_size, dates), repeats, seed)


def _length(given: object, dates: bool) -> float | None:
    """A length in the unit of the time column: nanoseconds for dates ("7d", "12h"), the number itself otherwise."""
    if given is None:
        return None
    try:
        if dates:
            text = str(given).strip().replace("d", "D")  # pandas wants days as D
            return float(pd.Timedelta(f"{text}D" if text.replace(".", "").isdigit() else text).value)
        return float(str(given))
    except ValueError as error:
        raise KKError(f"{given!r} is no length of time", 'Give a number in the unit of the time column, or "7d" for dates') from error


def _made(store: Store, given: _Given, train: pd.DataFrame, data: Data, name: str | None) -> Folds:
    splitter = given.splitter
    columns = {"y": data.y, "groups": train[given.group].to_numpy() if given.group else None,
               "time": moments(train, given.time) if given.time else None}
    arrays = [columns[need] for need in splitter.needs]
    options: dict[str, object] = {}
    if splitter.rule == "before":
        options = {"gap": given.gap, **({"test_size": given.test_size} if given.test_size else {})}
    parts = [splitter(*arrays, n=given.n, seed=given.seed + repeat, **options) for repeat in range(given.repeats)]
    params = {"n": given.n, "seed": given.seed, "repeats": given.repeats, "group": given.group, "time": given.time,
              "gap": given.gap, "test_size": given.test_size}
    used = {"group": "groups" in splitter.needs, "time": "time" in splitter.needs}
    params = {key: value for key, value in params.items() if used.get(key, True) and value not in ("", None)}
    ids = id_table(store, "train")
    return from_assignment(name or f"{splitter.name}{given.n}", stacked(parts), ids_hash(ids), len(ids), rule=splitter.rule, gap=given.gap,
                           order=columns["time"] if splitter.rule == "before" else None, splitter=splitter.name, params=params,
                           data=data)


def _findings(folds: Folds, given: _Given, train: pd.DataFrame, data: Data) -> list[Finding]:
    groups = train[given.group].to_numpy() if given.group else None
    order = moments(train, given.time) if given.time and folds.rule == "before" else None
    return audit(folds, data, groups, order)


def _audited(store: Store, wanted: str, given: _Given, split: object, train: pd.DataFrame, data: Data, advice: Recommendation) -> Split:
    """The audit of saved folds or of someone's file; a fatal finding is a KKError."""
    if Path(wanted).suffix in (".csv", ".parquet"):
        folds = _foreign(store, Path(wanted), given, split, train, data)
    else:
        folds = load_folds(wanted, store)
        given = dataclasses.replace(given, group=given.group or str(folds.params.get("group") or ""),
                                    time=given.time or str(folds.params.get("time") or ""))
    findings = _findings(folds, given, train, data)
    fatal = [finding for finding in findings if finding.severity == "fatal"]
    if fatal:
        others = f" (and {len(findings) - 1} more findings)" if len(findings) > 1 else ""
        raise KKError(f"{wanted}: {fatal[0].code}: {fatal[0].says}{others}", "Make folds that hold: kk cv --split auto",
                      _shown(folds, findings, advice, wanted, "kk cv"))
    return _shown(folds, findings, advice, wanted, "kk cv")


def _foreign(store: Store, path: Path, given: _Given, split: object, train: pd.DataFrame, data: Data) -> Folds:
    from kagglekit.predictions import match_ids

    if not path.exists():
        raise KKError(f"no file {path}", "Give the path from here")
    table = pd.read_csv(path) if path.suffix == ".csv" else pd.read_parquet(path)
    ids = id_table(store, "train")
    check_columns(table, ["fold"])
    if not set(ids.columns) <= set(table.columns):
        raise KKError(f"{path.name} has no column {ids.columns[0]!r}", "Give the id column(s) beside fold")
    rows = [np.asarray(part) for part in _by_repeat(table, ids, path.name, match_ids)]
    rule = "before" if split == "time" else "rest"
    row, repeat, fold = (np.concatenate([part[number] for part in rows]) for number in range(3))
    return from_assignment(path.stem, (row, repeat, fold), ids_hash(ids), len(ids), rule=rule, gap=given.gap, splitter="predefined",
                           order=moments(train, given.time) if rule == "before" else None, params={}, data=data)


def _by_repeat(table: pd.DataFrame, ids: pd.DataFrame, name: str, match: object) -> list[tuple]:
    repeats = table["repeat"] if "repeat" in table.columns else pd.Series(0, index=table.index)
    parts = []
    for number, part in table.groupby(repeats):
        position = match(ids, part[list(ids.columns)], name, np.zeros(len(ids), dtype=bool))
        row = np.flatnonzero(position >= 0)
        fold = part["fold"].to_numpy()[position[row]]
        keep = fold >= 0
        parts.append((row[keep], np.full(int(keep.sum()), number), fold[keep]))
    return parts


def _shown(folds: Folds, findings: Sequence[Finding], advice: Recommendation, file: str, next_command: str) -> Split:
    return Split(folds=folds.name, splitter=folds.splitter, params=folds.params, n=folds.n, repeats=folds.repeats, rows=folds.rows,
                 scored_rows=folds.scored_rows, sizes=tuple(folds.sizes), fingerprint=folds.fingerprint, file=file,
                 audit=tuple(findings), recommendation=advice, forced=folds.forced, next=next_command)
