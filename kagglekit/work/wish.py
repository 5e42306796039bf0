"""From what a person typed (or left to the advice) to a Wish: which splitter, over which columns, with which lengths."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from kagglekit.advice import Recommendation
from kagglekit.advice.derive import derived
from kagglekit.advice.times import period_of_test
from kagglekit.competition import Competition
from kagglekit.errors import KKError
from kagglekit.folds import Folds
from kagglekit.registry import near_names
from kagglekit.splitters import Splitter, check_splitter
from kagglekit.store import Store
from kagglekit.tables.moments import is_dated, length_of
from kagglekit.work.columns import groups_of, time_of
from kagglekit.work.foreign import foreign_folds, is_fold_file
from kagglekit.work.kept import load_folds
from kagglekit.work.load import ROW, read_table
from kagglekit.work.splitting import RULE_LENGTHS, Wish, known_share

# What keeps near duplicates in one fold: they become groups.
TOGETHER = {"random": "group", "stratified": "stratified-group", "stratified-regression": "stratified-group", "group": "group",
            "stratified-group": "stratified-group"}
EMBARGO = 0.01  # of the span of time, where none is given (Lopez de Prado 2018)


@dataclass(frozen=True, slots=True)
class Asked:
    """The options of kk cv as typed; lengths are numbers or text such as "7d", None where they were left out."""

    split: object = "auto"
    n: int = 5
    group: str | None = None
    time: str | None = None
    lengths: Mapping[str, object] = field(default_factory=dict)
    known: float | None = None
    duplicates: bool | None = None
    repeats: int = 1
    seed: int = 0
    source: str | None = None

    @property
    def is_auto(self) -> bool:
        """Whether the data is to say which split it is."""
        return self.split == "auto" and not self.group and not self.time and self.source is None


def wish_of(store: Store, train: pd.DataFrame, advice: Recommendation, asked: Asked) -> Wish:
    """The Wish behind the options; raises KKError for what does not go together or is not known."""
    if asked.repeats < 1:
        raise KKError(f"--repeats {asked.repeats} makes no folds", "Give at least 1")
    params = advice.params if asked.is_auto else {}
    splitter, together = _splitter(store.competition, advice, asked)
    column = _column(train, asked) if asked.source else ""
    group = asked.group or str(params.get("group") or "")
    if "groups" in splitter.needs and not group and not together:
        group = _known(store.competition.group[:1], splitter.name, "group")
    time = (asked.time or str(params.get("time") or "") or store.competition.time or ROW) if "time" in splitter.needs else ""
    wish = Wish(splitter, asked.n, asked.seed, asked.repeats, group if "groups" in splitter.needs else "", time, column, together)
    options = _lengths(store, train, wish, {**{key: params[key] for key in ("gap", "test_size") if key in params}, **_given(asked.lengths)})
    if splitter.name == "mixed":
        known = asked.known if asked.known is not None else params.get("known")
        options["known"] = _share(known if known is not None else known_share(store, train, group))
    return replace(wish, options=options)


def _given(lengths: Mapping[str, object]) -> dict[str, object]:
    return {key: value for key, value in lengths.items() if value is not None}


def _splitter(competition: Competition, advice: Recommendation, asked: Asked) -> tuple[Splitter, bool]:
    """The splitter, and whether near duplicates are to stay together."""
    chosen = asked.split
    if asked.source is not None:
        chosen = "predefined"
    elif chosen == "auto":
        by_group = "stratified-group" if competition.task in ("binary", "multiclass") else "group"
        chosen = by_group if asked.group else "time" if asked.time else advice.splitter
    splitter = check_splitter(chosen)
    wanted = asked.duplicates if asked.duplicates is not None else asked.is_auto and bool(advice.params.get("duplicates"))
    if not wanted:
        return splitter, False
    if splitter.name not in TOGETHER:
        raise KKError(f"the split {splitter.name} cannot keep duplicates together", f"Leave --duplicates out, or use {', '.join(TOGETHER)}")
    return check_splitter(TOGETHER[splitter.name]), True


def _column(train: pd.DataFrame, asked: Asked) -> str:
    if asked.source in train.columns:
        return str(asked.source)
    raise KKError(f"--from {asked.source} is neither a column of train nor a csv or parquet file",
                  f"{near_names(str(asked.source), map(str, train.columns))}Name a column, or a file with the id and fold")


def _known(names: tuple[str, ...], splitter: str, what: str) -> str:
    if not names:
        raise KKError(f"the split {splitter} needs a column of groups and none is known", f"Name it: kk cv --split {splitter} --{what} COL")
    return names[0]


def _lengths(store: Store, train: pd.DataFrame, wish: Wish, given: Mapping[str, object]) -> dict[str, float]:
    """Lengths in the unit of the time column; what a time split was not told it takes from the test set."""
    rule = wish.splitter.rule
    if rule not in RULE_LENGTHS:
        stray = next((key for key in given if key != "test_size"), "")
        if stray:
            raise KKError(f"--{stray} means nothing to the split {wish.splitter.name}", "Leave it out, or use --split time or purged")
        return {}
    dated = wish.time != ROW and is_dated(derived(train, wish.time))
    lengths = {key: length_of(value, dated) for key, value in given.items()}
    if rule == "before":
        lengths = {**_as_test(store, train, wish, lengths), **lengths}
    if rule == "purged" and "embargo" not in lengths:
        moments = time_of(train, wish.time)
        lengths["embargo"] = EMBARGO * float(moments.max() - moments.min())
    return {key: length for key, length in lengths.items() if length}


def _as_test(store: Store, train: pd.DataFrame, wish: Wish, given: Mapping[str, float]) -> dict[str, float]:
    """Block length and gap of the test set, where it lies later than train and such blocks fit."""
    if not _tells(store, wish.time):
        return {}
    moments, asked = time_of(train, wish.time), time_of(read_table(store, "test"), wish.time)
    if asked.min() <= moments.max():
        return {}
    size, gap = period_of_test(moments, asked)
    gap = given.get("gap", gap)
    room = float(moments.max() - moments.min()) - gap
    return {"gap": gap, **({"test_size": size} if wish.n * given.get("test_size", size) < room else {})}


def _share(known: object) -> float:
    share = float(known)
    if not 0 <= share <= 1:
        raise KKError(f"--known {share:g} is no share", "Give a number from 0 to 1")
    return share


def named_folds(store: Store, wanted: str, asked: Asked, train: pd.DataFrame) -> Folds:
    """The folds to be audited: saved ones, or a file's with the rule that the options declare."""
    if is_fold_file(wanted):
        return foreign_folds(store, Path(wanted), Path(wanted).stem, **declared_rule(store, train, asked))
    return load_folds(wanted, store)


def declared_rule(store: Store, train: pd.DataFrame, asked: Asked) -> dict[str, object]:
    """What a file cannot say of itself: the rule, its lengths, and the columns, from the same options as making folds."""
    group = asked.group or ""
    params: dict[str, object] = {"group": group} if group else {}
    rule = "rest" if asked.split == "auto" else check_splitter(asked.split).rule
    if rule not in RULE_LENGTHS:
        return {"params": params}
    time = asked.time or store.competition.time or ROW
    dated = time != ROW and is_dated(derived(train, time))
    lengths = {key: length_of(value, dated) for key, value in _given(asked.lengths).items() if key in RULE_LENGTHS[rule]}
    return {"rule": rule, "order": time_of(train, time), "params": {**params, "time": time}, **lengths}


def groups_to_audit(folds: Folds, asked: Asked, train: pd.DataFrame) -> np.ndarray | None:
    """The groups that the audit holds folds against: declared now, or when they were made."""
    group = asked.group or str(folds.params.get("group") or "")
    return groups_of(train, group) if group else None


def gap_before_test(store: Store, folds: Folds, train: pd.DataFrame) -> float | None:
    """The gap between train's end and test's start, for folds by time; None where test cannot tell."""
    time = str(folds.params.get("time") or "")
    if folds.rule not in RULE_LENGTHS or not _tells(store, time):
        return None
    moments, asked = time_of(train, time), time_of(read_table(store, "test"), time)
    return period_of_test(moments, asked)[1] if asked.min() > moments.max() else None


def _tells(store: Store, time: str) -> bool:
    """Whether the visible test is the real one and has that column of time."""
    names = time.split(":")[0].split("+")
    return not store.competition.test_is_stub and time != ROW and set(names) <= set(read_table(store, "test").columns)
