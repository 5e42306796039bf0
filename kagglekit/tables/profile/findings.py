"""Findings: the profile as sentences, the worst first."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from kagglekit.tables.profile.columns import Column
from kagglekit.tables.profile.drift import Drift
from kagglekit.tables.profile.whole import Profile

SEVERITIES = ("fatal", "warn", "note")
SPELLED_OUT = 3
FEW_OF_A_CLASS = 10
RARE = 0.02
MOSTLY_MISSING = 0.5


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence: `severity` is fatal, warn or note; `columns` are those it is about."""

    code: str
    severity: str
    says: str
    columns: tuple[str, ...] = ()


def find(profile: Profile) -> tuple[Finding, ...]:
    """All findings, the worst first."""
    looks: tuple[Callable[[Profile], Iterator[Finding]], ...] = (
        _open_questions, _leaks, _targets, _repeats, _one_table_only, _spans, _groups, _drift, _values, _useless, _alike, _gaps)
    found = [finding for look in looks for finding in look(profile)]
    return tuple(sorted(found, key=lambda finding: SEVERITIES.index(finding.severity)))


def percent(share: float) -> str:
    """A share as a person reads it.

    >>> percent(0.1234), percent(0.00012), percent(1.0), percent(0.9996)
    ('12%', '0.01%', '100%', '99.96%')
    """
    digits = next(digits for digits in (0, 1, 2, 4) if digits == 4 or share in (0, 1) or 10 ** (-digits) <= 100 * share <= 100 - 10 ** (-digits))
    return f"{100 * share:.{digits}f}%"


def listed(names: Sequence[str], most: int = 4) -> str:
    """Names with the rest counted.

    >>> listed(["a", "b", "c"], 2)
    'a, b and 1 more'
    """
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def _open_questions(profile: Profile) -> Iterator[Finding]:
    question, test = profile.question, profile.test
    lost = [name for name in question.target if name not in profile.train.names]
    if not question.target or lost:
        which = f"the target {listed(lost)} is not in train" if lost else "no target is known"
        yield Finding("no-target", "fatal", f"{which}: write it as target in competition.toml; all else is shown", tuple(lost))
    if question.stub and test is not None:
        yield Finding("stub", "note", f"the visible test is a stub ({test.rows:,} rows): train is not compared with it")
    elif test is None:
        yield Finding("no-test", "warn", "there is no test table: nothing is compared with it")
    elif not test.rows:
        yield Finding("no-test", "warn", "the test table has no rows: nothing is compared with it")
    if not profile.train.rows:
        yield Finding("no-rows", "fatal", "train has no rows")


def _leaks(profile: Profile) -> Iterator[Finding]:
    for column in profile.columns:
        if column.signal and column.signal.suspect:
            what = "AUC" if column.signal.measure == "auc" else "R2 of ranks"
            hint = "the rows are in the order of the target" if column.role == "id" else "a leak, or the target in other words"
            yield Finding("leak", "warn", f"{column.name} alone tells the target ({what} {column.signal.value:.3f} on rows not learned from): {hint}",
                          (column.name,))


def _targets(profile: Profile) -> Iterator[Finding]:
    for target in profile.targets:
        if target.missing:
            yield Finding("target-missing", "fatal",
                          f"{target.name} has no value in {target.missing:,} of {target.rows:,} rows of train: models need one", (target.name,))
        if target.distinct == 1:
            yield Finding("target-constant", "fatal", f"{target.name} has only one value", (target.name,))
        rarest = target.rarest
        if rarest and target.distinct > 1 and (rarest["count"] < FEW_OF_A_CLASS or rarest["share"] < RARE):
            few = f"class {rarest['value']} of {target.name} has {rarest['count']:,} rows ({percent(rarest['share'])})"
            hint = "folds cannot all hold it" if rarest["count"] < FEW_OF_A_CLASS else "stratify the folds"
            yield Finding("rare-class", "warn", f"{few}: {hint}", (target.name,))
        if target.log_helps:
            yield Finding("skewed-target", "note", f"{target.name} has a long tail (skew {target.skew:z.1f}, "
                          f"of its logarithm {target.skew_log:z.1f}): try log1p", (target.name,))


def _repeats(profile: Profile) -> Iterator[Finding]:
    found = profile.duplicates
    if found is None:
        return
    part = "" if found.looked_at >= 1 else f" (of {percent(found.looked_at)} of all rows)"
    which = f"the same in all {len(found.columns)} features" if len(found.columns) > 1 else f"by {found.columns[0]} alone"

    def count(rows: int, total: int) -> str:
        return f"{rows:,} of {total:,} rows ({percent(rows / max(1, total))}){part}"

    if found.across and found.test_rows:
        yield Finding("rows-across", "warn", f"{count(found.across, found.test_rows)} of test are in train too, {which}")
    if found.conflicting:
        yield Finding("conflicting-rows", "warn", f"{count(found.conflicting, found.train_rows)} of train have a twin with another target, {which}: "
                      "no model can tell them apart")
    if found.train:
        yield Finding("rows-repeat-train", "warn" if found.train > 0.01 * found.train_rows else "note",
                      f"{count(found.train, found.train_rows)} of train repeat another, {which}: copies in two folds flatter the score")
    if found.test and found.test_rows:
        yield Finding("rows-repeat-test", "note", f"{count(found.test, found.test_rows)} of test repeat another, {which}")


def _one_table_only(profile: Profile) -> Iterator[Finding]:
    for role, other in (("train only", "test"), ("test only", "train")):
        names = [column.name for column in profile.columns if column.role == role]
        if names and profile.test is not None:
            yield Finding("one-table", "warn", f"{listed(names)}: in {role}, {other} lacks {'it' if len(names) == 1 else 'them'}: no feature",
                          tuple(names))


def _spans(profile: Profile) -> Iterator[Finding]:
    for span in profile.spans:
        if span.test is None:
            continue
        theirs = f"{span.test[0]} to {span.test[1]}"
        says = {"after": f"test is later than train by {span.name} (train ends {span.train[1]}; test: {theirs})",
                "before": f"test is earlier than train by {span.name} (train begins {span.train[0]}; test: {theirs})",
                "later": f"most of test is later than train by {span.name} (train ends {span.train[1]}; test: {theirs})",
                "turns": f"train and test take turns in time: {span.name} has {span.blocks} blocks of test between those of train, "
                         f"and {percent(span.shared or 0.0)} of its moments in train"}.get(span.relation)
        if says:
            yield Finding("time", "warn", says, (span.name,))


def _groups(profile: Profile) -> Iterator[Finding]:
    for group in profile.groups:
        if group.shared is not None and group.test:
            each = f"{group.train:,} groups of {group.rows_each:.1f} rows in train"
            yield Finding("groups", "warn" if group.shared < 0.5 else "note",
                          f"{group.name}: {each}, {group.test:,} in test, of which train has {percent(group.shared)}", (group.name,))


def _drift(profile: Profile) -> Iterator[Finding]:
    apart = {*profile.question.group, *(span.name for span in profile.spans if span.relation in ("after", "before", "later", "turns"))}
    worst = sorted((column for column in profile.features if column.drift and not column.id_like and column.name not in apart),
                   key=lambda column: column.order)
    large = [column for column in worst if column.drift and column.drift.matters]
    for column in large[:SPELLED_OUT]:
        if column.drift:
            yield Finding("drift", "warn" if column.drift.value >= 0.1 else "note",
                          f"{column.name} differs between train and test: {told(column.drift)}", (column.name,))
    if large[SPELLED_OUT:]:
        names = tuple(column.name for column in large[SPELLED_OUT:])
        yield Finding("drift", "note", f"{listed(names)} differ{'s' if len(names) == 1 else ''} between train and test too", names)
    small = tuple(column.name for column in worst if column.drift and column.drift.beyond and not column.drift.matters)
    if small:
        yield Finding("small-drift", "note", f"{listed(small)}: drift beyond chance, but below 0.05", small)


def told(drift: Drift) -> str:
    """A drift in words, beside what chance gives."""
    new = ""
    if drift.unseen is not None and drift.unseen_chance is not None and drift.unseen > drift.unseen_chance + 0.01:
        new = f"; {percent(drift.unseen)} of test's rows hold a value that train has not (by chance {percent(drift.unseen_chance)})"
    return f"drift {drift.value:.2f}, chance stays below {drift.chance:.2f}{new}"


def _values(profile: Profile) -> Iterator[Finding]:
    for column in profile.columns:
        if column.infinite:
            yield Finding("infinite", "warn", f"{column.name} holds {column.infinite:,} infinite values", (column.name,))
    empty = [column.name for column in profile.columns if column.role == "feature" and column.missing_test == 1 and column.missing_train != 1]
    if empty and profile.compared is not None:
        yield Finding("empty-in-test", "warn", f"{listed(empty)}: no value at all in test", tuple(empty))


def _useless(profile: Profile) -> Iterator[Finding]:
    for code, says, chosen in (
        ("constant", "one value only, no use", lambda column: column.constant),
        ("near-constant", "nearly always the same value", lambda column: column.nearly_constant),
        ("id-like", "another value in every row: an id rather than a feature", lambda column: column.id_like),
    ):
        names = tuple(column.name for column in profile.features if chosen(column))
        if names:
            yield Finding(code, "note", f"{listed(names)}: {says}", names)


def _alike(profile: Profile) -> Iterator[Finding]:
    for equal, names in profile.alike:
        yield Finding("equal-columns" if equal else "one-to-one", "note",
                      f"{listed(names)} {'are equal' if equal else 'determine each other (one value of one is one of the other)'}", tuple(names))


def _gaps(profile: Profile) -> Iterator[Finding]:
    def gap(column: Column) -> float:
        return max(column.missing_train or 0.0, column.missing_test or 0.0)

    gaps = sorted((column for column in profile.features if gap(column) >= MOSTLY_MISSING and not column.constant), key=gap, reverse=True)
    if gaps:
        names = tuple(column.name for column in gaps)
        yield Finding("mostly-missing", "note", f"{listed([f'{column.name} ({percent(gap(column))})' for column in gaps])}: mostly missing", names)
