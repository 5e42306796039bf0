"""Candidate splits: folds by name, or made by a splitter's name with the columns that the data speaks for."""

import dataclasses
from collections.abc import Mapping, Sequence

from kagglekit.advice import Recommendation, recommend
from kagglekit.audit import audit as audit_folds
from kagglekit.errors import KKError
from kagglekit.folds import Folds
from kagglekit.ledger import open_ledger
from kagglekit.progress import say
from kagglekit.registry import near_names
from kagglekit.run import now
from kagglekit.splitters import REGISTRY
from kagglekit.store import Store
from kagglekit.work.kept import load_folds, save_folds, with_audit
from kagglekit.work.load import load_data, read_table
from kagglekit.work.next_models import make_default
from kagglekit.work.splitting import make_folds
from kagglekit.work.wish import Asked, gap_before_test, groups_to_audit, wish_of


def folds_of(store: Store, names: Sequence[str]) -> list[Folds]:
    """Folds of each name; those that lack are made as kk cv does, and the default folds stay what they were.

    Raises KKError for names that are neither folds nor splitters, folds that the audit calls fatal, and twice the same folds.
    """
    _check_names(store, names)
    default, known = (store.latest_folds() if store.folds_names() else ""), set(store.folds_names())
    found = []
    for name in names:
        folds = load_folds(name, store) if name in known else _made(store, name)
        if folds.name not in known:
            say(f"made the folds {folds.name}")
            advice = store.folds_record(default).get("recommendation") if default else None
            open_ledger(store).save_folds(save_folds(store, folds, now(), advice))
        found.append(folds.name)
    if default and set(found) - known:
        make_default(store, default)
    splits = [load_folds(name, store) for name in found]
    if len({folds.fingerprint for folds in splits}) < len(splits):
        raise KKError(f"two of {', '.join(found)} are the same folds", "Compare splits that differ")
    return splits


def _check_names(store: Store, names: Sequence[str]) -> None:
    known = [*store.folds_names(), *REGISTRY.names()]
    for name in names:
        if name not in store.folds_names() and name not in REGISTRY:
            raise KKError(f"{name!r} is neither folds nor a splitter", f"{near_names(name, known)}Folds: {', '.join(store.folds_names()) or 'none'}")


def _made(store: Store, splitter: str) -> Folds:
    """Folds by a splitter with its usual columns, audited; raises KKError where the audit calls them fatal."""
    train = read_table(store, "train")
    advice = recommend(train, read_table(store, "test"), store.competition, measure=False)
    needs = REGISTRY.get(splitter).needs
    asked = Asked(splitter, group=_advised_group(advice) if "groups" in needs else None)
    wish = wish_of(store, train, advice, asked)
    if wish.name in store.folds_names():
        return load_folds(wish.name, store)
    folds, data = make_folds(store, train, wish, wish.name), load_data(store)
    findings = audit_folds(folds, data, groups_to_audit(folds, asked, train), folds.order, test_gap=gap_before_test(store, folds, train), X=data.X)
    fatal = next((one for one in findings if one.severity == "fatal"), None)
    if fatal is not None:
        raise KKError(f"the split {splitter}: {fatal.says}", f"Leave it out, or keep it knowingly: kk cv --split {splitter} --force")
    return with_audit(folds, [dataclasses.asdict(one) for one in findings], False)


def _advised_group(advice: Recommendation) -> str | None:
    """The column of groups that the data speaks for, if only as a runner-up."""
    params = (advice.params, *(one.get("params") for one in advice.runners_up))
    return next((str(one["group"]) for one in params if isinstance(one, Mapping) and one.get("group")), None)
