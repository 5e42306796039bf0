"""Rules: time, groups, copies and shift; each adds its evidence to the case, the first two may choose the split."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from kagglekit.advice.case import Case, Choice, shared_features
from kagglekit.advice.derive import derived, parse
from kagglekit.advice.groups import UNSHARED, Key, keys
from kagglekit.advice.sizes import USUAL, blocks_for
from kagglekit.advice.times import Span, span_of, times
from kagglekit.errors import KKError
from kagglekit.tables.moments import as_moments, told_length
from kagglekit.tables.profile.findings import listed, percent

Array = np.ndarray
TOLD = 5
ALIKE = 0.1
DECIDE = ("later", "turns")
KEEPS_COPIES = ("random", "stratified", "stratified-regression", "group", "stratified-group")
WORTH, FATAL = 0.02, 0.05
FEWEST_GROUPS = 5
SHIFTED = ("shifted", "different population")
KNOWN_IN_BLOCK = 0.2
NEW_ROWS = 30


# Time

def look_at_times(case: Case) -> list[Span]:
    """Where test lies by each column of time, those that decide first; says them all."""
    spans = []
    for spec in dict.fromkeys(times(case.train, case.test, case.competition)):
        try:
            spans.append(span_of(case.train, case.test, spec))
        except KKError as error:
            if spec == case.competition.time:
                case.evidence.append(f"no split by time: {error.what}")
    named = case.competition.time
    shown = [span for span in spans if span.relation in DECIDE or span.spec == named]
    others = [span.spec for span in spans if span.dated and span not in shown and span.relation != "alone"]
    if case.test is not None:
        case.evidence += [span.says for span in shown[:TOLD]]
        case.evidence += [f"test's rows lie among train's by all that may be a time ({listed(others)})"] if others and not shown else []
        case.evidence += [] if shown or others else ["no column of time in both tables"]
    return sorted(spans, key=lambda span: (span.relation not in DECIDE, span.spec != named, span.relation))


def by_time(case: Case, spans: Sequence[Span], found: Sequence[Key]) -> Choice | None:
    """A split by time where test is later, by blocks where it takes turns with train; runners-up and what is ruled out else."""
    first = next((span for span in spans if span.relation in DECIDE), None)
    for span in spans:
        if span.relation == "partly":
            case.also("time", f"some of test is later than train by {span.spec}", time=span.spec)
        elif span.relation == "alone" and case.test is None:
            case.also("time", f"the test is hidden: if it is later by {span.spec}, only this split tells", time=span.spec)
        elif span.relation in ("same", "earlier", "gaps") and first is None and span.spec == case.competition.time:
            case.ruled_out.append(f"time: {span.says}")
    if first is None:
        _look_at_dates(case)
        return None
    if first.relation == "later":
        return _later(case, first, found)
    if any(key.state == "new" for key in found):
        case.also(case.by_group, f"test takes turns with train by {first.spec}", group=first.block)
        return None
    return _turns(case, first)


def _look_at_dates(case: Case) -> None:
    """Plain columns of dates that the competition does not call its time: worth a word where test is later by one."""
    if case.test is None or case.competition.time:
        return
    for name in (name for name in case.train.columns if name in case.test.columns and case.train[name].dtype.kind == "M"):
        span = span_of(case.train, case.test, name)
        if span.relation == "later":
            case.evidence.append(f"{span.says}; competition.toml names no time, so this decides nothing")
            case.also("time", f"by {name} test is later than train", time=name)


def _later(case: Case, span: Span, found: Sequence[Key]) -> Choice:
    fits = blocks_for(span.span, span.length, span.gap)
    length, gap = _typed(span.length, span), _typed(span.gap, span)
    params: dict[str, object] = {"time": span.spec, **({"gap": gap} if span.gap else {})}
    if fits == USUAL:
        params["test_size"] = length
        case.evidence.append(f"{USUAL} blocks as long as the test period ({span.told(span.length)}) fit into train")
    else:
        case.evidence.append(f"{USUAL} blocks as long as the test period ({span.told(span.length)}) do not fit into train's "
                             f"{span.told(span.span)}: blocks of like numbers of rows, which look less far ahead than test does")
    if 0 < fits < USUAL:
        case.also("time", f"{fits} block{'s' * (fits > 1)} as long as the test period: as far ahead as test, judged on fewer blocks",
                  **params, test_size=length, n=fits)
    case.ruled_out.append(f"random: it trains on rows later than those it validates, by {span.spec} test's are all later")
    leaves_out = _columns(case, span.spec)
    new = next((key for key in _new(found) if key.column not in leaves_out), None)
    if new is None:
        return Choice("time", params, leaves_out=leaves_out)
    return _with_groups(case, span, new, params, leaves_out)


def _with_groups(case: Case, span: Span, key: Key, params: dict[str, object], leaves_out: tuple[str, ...]) -> Choice:
    """Later and of new groups: blocks of which only new groups count, where a block by time would hold many known ones."""
    known, new_rows = _known_by_block(key, as_moments(derived(case.train, span.spec), span.spec), span, "test_size" in params)
    facts = f"{percent(key.rows_shared or 0.0)} of test's rows are of known {key.spec}, and {percent(known)} of those in blocks by time"
    both = {**params, "group": key.spec}
    leaves_out = (*leaves_out, key.column)
    if known > max(KNOWN_IN_BLOCK, (key.rows_shared or 0.0) + UNSHARED) and new_rows >= NEW_ROWS:
        case.evidence.append(f"{facts}: only new ones are to be validated")
        case.also("time", "all rows of a block: more of them, but of known groups too", **params)
        return Choice("time-group", both, leaves_out=leaves_out)
    if new_rows:
        case.evidence.append(f"{facts}{': each block has too few rows of new ones to validate these alone' if known > KNOWN_IN_BLOCK else ''}")
        case.also("time-group", "validates new groups only, as test does", **both)
    else:
        case.evidence.append(f"{facts}: no block by time has new ones")
    return Choice("time", params, leaves_out=leaves_out)


def _known_by_block(key: Key, moments: Array, span: Span, matched: bool) -> tuple[float, int]:
    """(share of known groups among the rows of the blocks, the fewest rows of new groups in a block)."""
    if matched:
        edges = moments.max() - span.length * np.arange(USUAL, 0, -1)
    else:
        edges = np.quantile(moments, np.arange(1, USUAL + 1) / (USUAL + 1), method="lower")
    block = np.searchsorted(edges, moments, side="left")
    first = np.full(int(key.codes.max()) + 1, USUAL + 1)
    np.minimum.at(first, key.codes[key.codes >= 0], block[key.codes >= 0])
    scored = (block > 0) & (key.codes >= 0)
    new = first[key.codes] == block
    fewest = np.bincount(block[scored & new] - 1, minlength=USUAL).min()
    return float(1 - new[scored].mean()) if scored.any() else 1.0, int(fewest)


def _turns(case: Case, span: Span) -> Choice:
    case.ruled_out.append(f"random: rows validated at random have neighbours {span.told(span.far_random)} away in train, test's are "
                          f"{span.told(span.far)} away: too optimistic")
    case.also("time", f"only the past trains: for models that must not use rows after test's, by {span.spec}", time=span.spec)
    if span.dated:
        whole = next((part for part, days in (("day", 1), ("week", 7), ("month", 30)) if span.far * 2.5 < days * 86400e9), "year")
        case.also(case.by_group, f"whole {whole}s are validated, farther from train than test's rows are", group=f"{span.spec}:{whole}")
    case.also(_rows_alone(case), "single rows, nearer to train than test's rows are: optimistic, for comparison")
    groups = int(derived(case.train, span.block).nunique())
    return Choice(case.by_group, {"group": span.block}, groups, _columns(case, span.spec))


def _rows_alone(case: Case) -> str:
    return "stratified" if case.by_group == "stratified-group" else "random"


def _typed(length: float, span: Span) -> object:
    """A length as the params hold it: text such as "30d" for dates, a number otherwise."""
    return told_length(length, dated=True) if span.dated else float(length)


# Groups

def look_at_groups(case: Case, spans: Sequence[Span]) -> list[Key]:
    """The columns of groups, those that decide first; says the foremost."""
    clocks = {case.competition.time, *(name for span in spans if span.relation in DECIDE for name in _columns(case, span.spec))}
    found = [key for key in keys(case.train, case.test, case.competition, case.y) if key.column not in clocks]
    rank = {"new": 0, "partly": 1, "untold": 2, "random": 3, "known": 4}
    found.sort(key=lambda key: (not key.named, rank[key.state], -key.pull))
    case.evidence += [key.says for key in found if key.named or key.state == "new"]
    others = [key for key in found if not key.named and key.state != "new"]
    worth = [key for key in others if key.state == "partly" or key.pull >= 1 or (key.state == "random" and key.icc >= ALIKE)]
    case.evidence += [key.says for key in worth[:TOLD]]
    idle = [key.spec for key in others if key.state in ("known", "random") and key not in worth]
    if idle:
        case.evidence.append(f"rows of one {listed(idle, 3)} are hardly alike, and test's are known as often as by drawing rows: no reason to group")
    if not found:
        case.evidence.append("no column names groups that test does not share" if case.test is not None else "no column names groups of several rows")
    return found


def by_groups(case: Case, found: Sequence[Key]) -> Choice | None:
    """Whole groups where test has new ones, a mixture where it has both, and where test is hidden if the rows of one are alike."""
    new = _new(found)
    partly = [key for key in found if key.state == "partly"]
    untold = sorted((key for key in found if key.state == "untold" and key.pull >= 1), key=lambda key: (not key.named, key.groups))
    for key in found:
        if key.state in ("known", "random") and (key.named or key.pull >= 1):
            why = "are known from train" if key.state == "known" else "are shared as by drawing single rows"
            case.ruled_out.append(f"group by {key.spec}: test's {why} ({percent(key.shared or 0.0)})")
    if new:
        for key in new[1:]:
            case.also(case.by_group, f"test shares no {key.spec} either", group=key.spec)
        return _whole(case, new[0])
    if partly and (partly[0].named or partly[0].pull >= 1):
        key = partly[0]
        case.also(case.by_group, f"all {key.spec} new: pessimistic, test knows {percent(key.rows_shared or 0.0)} of its rows' ones", group=key.spec)
        return Choice("mixed", {"group": key.spec, "known": round(key.rows_shared or 0.0, 4)}, leaves_out=(key.column,))
    if untold:
        where = "the test is hidden" if case.test is None else f"test does not name its {untold[0].spec}"
        case.evidence.append(f"{where}: whether it shares them cannot be known, groups by {untold[0].spec} are the safer assumption")
        return _whole(case, untold[0])
    return None


def _new(found: Sequence[Key]) -> list[Key]:
    """Keys that test does not share: the competition's before others, of these the one of the fewest groups, which holds the rest."""
    return sorted((key for key in found if key.state == "new"), key=lambda key: (not key.named, key.groups))


def _whole(case: Case, key: Key) -> Choice:
    plain = _rows_alone(case)
    if key.pull >= 1:
        case.ruled_out.append(f"{plain}: rows of one {key.spec} are alike (intra-class correlation {key.icc:.2f}), it would show models the answers")
    case.also(plain, "for comparison: what it scores better is memory of groups")
    if key.groups < FEWEST_GROUPS:
        case.evidence.append(f"only {key.groups} groups by {key.spec}: each is validated once")
        return Choice("leave-one-group-out", {"group": key.spec}, key.groups, (key.column,))
    return Choice(case.by_group, {"group": key.spec}, key.groups, (key.column,))


def _columns(case: Case, spec: str) -> tuple[str, ...]:
    return tuple(parse(spec, list(case.train.columns))[0])


# Copies and shift

def with_copies(case: Case, choice: Choice, seed: int) -> Choice:
    """Near duplicates: from 2 % on they are to stay in one fold."""
    from kagglekit.advice.duplicates import near_duplicates

    names = shared_features(case.train, case.test, case.competition)
    targets = [name for name in case.competition.target if name in case.train.columns]
    y = case.train[targets[0]].to_numpy() if len(targets) == 1 else None
    found = near_duplicates(case.train[names], None if case.test is None else case.test[names], y=y, seed=seed)
    across = f"; {percent(found.test_share)} of test's rows have one in train" if found.test_share else ""
    apart = _apart(case, choice, found.groups)
    if apart < WORTH:
        enough = f"the split by {choice.params['group']} keeps them together already" if found.share >= WORTH else "few enough to be left alone"
        case.evidence.append(f"{found.says}{across}{f': {enough}' if found.share else ''}")
        return choice
    weight = "they flatter every score if ignored" if found.share >= FATAL else "grouping them is free"
    if choice.splitter not in KEEPS_COPIES:
        case.evidence.append(f"{found.says}{across}: {weight}, but the split {choice.splitter} cannot keep them together")
        return choice
    case.evidence.append(f"{found.says}{across}: {weight}, so copies stay in one fold")
    if found.test_share and found.test_share >= found.share / 2:
        why = f"copies on both sides, as in test: {percent(found.test_share)} of its rows have one in train, and the board rewards it"
        case.also(choice.splitter, why, **choice.params)
    return Choice(choice.splitter, {**choice.params, "duplicates": True}, choice.groups, choice.leaves_out)


def _apart(case: Case, choice: Choice, copies: Array) -> float:
    """The share of rows whose copies lie in several groups of the choice; of all copied rows where it has none."""
    group = str(choice.params.get("group", ""))
    part = pd.factorize(derived(case.train, group))[0] if group else np.arange(len(copies))
    low, high = np.full(copies.max(initial=0) + 1, len(copies)), np.full(copies.max(initial=0) + 1, -1)
    np.minimum.at(low, copies, part)
    np.maximum.at(high, copies, part)
    return float((low != high)[copies].mean()) if len(copies) else 0.0


def look_at_shift(case: Case, choice: Choice, found: Sequence[Key], seed: int) -> None:
    """Whether a model tells train from test by what the split does not account for; a strong shift makes a runner-up."""
    if case.test is None:
        return
    from kagglekit.advice.shift import adversarial

    names = shared_features(case.train, case.test, case.competition)
    left_out = {*choice.leaves_out, *(key.column for key in found if key.state in ("new", "partly"))}
    names = [name for name in names if name not in left_out]
    train, test = case.train[names], case.test[names]
    new = next((key.spec for key in found if key.state == "new" and key.spec == choice.params.get("group")), "")
    if new:  # a model that knows a group from another of its rows would tell the tables apart without any shift
        train, test = _one_each(train, derived(case.train, new), seed), _one_each(test, derived(case.test, new), seed)
    shift = adversarial(train, test, seed=seed)
    drawn = shift.rows[0] and sum(shift.rows) < len(case.train) + len(case.test)
    rows = f" (learnt from {shift.rows[0]:,} and {shift.rows[1]:,} rows{f', one of each {new}' if new else ''})"
    case.evidence.append(shift.says + (rows if drawn else ""))
    if shift.state in SHIFTED:
        case.also("adversarial", f"validates the rows of train most like test (AUC {shift.auc:.2f})")
    elif shift.state != "unknown":
        case.ruled_out.append(f"adversarial: AUC {shift.auc:.3f} between train and test, too small a shift to imitate")


def _one_each(table: pd.DataFrame, groups: pd.Series, seed: int) -> pd.DataFrame:
    """One row of each group, drawn at random."""
    order = np.random.default_rng(seed).permutation(len(table))
    codes = pd.factorize(groups)[0][order]
    return table.iloc[np.sort(order[np.unique(codes, return_index=True)[1]])]
