"""kk cv: make folds that imitate the test set, audit them, and say why."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from kagglekit.advice import Recommendation, recommend
from kagglekit.audit import Finding
from kagglekit.audit import audit as audit_folds
from kagglekit.errors import KKError
from kagglekit.folds import Folds
from kagglekit.ledger import open_ledger
from kagglekit.precision import Precision
from kagglekit.run import now
from kagglekit.store import Store, open_store
from kagglekit.work.foreign import foreign_folds, is_fold_file
from kagglekit.work.kept import export_folds, save_folds, with_audit
from kagglekit.work.load import load_data, read_table, relative, with_labels
from kagglekit.work.plot_folds import chart, picture
from kagglekit.work.precision import measure
from kagglekit.work.splitting import make_folds
from kagglekit.work.wish import Asked, declared_rule, gap_before_test, groups_to_audit, named_folds, wish_of


@dataclass(frozen=True, slots=True)
class Split:
    """Folds as `kk cv` shows them; `chart` holds the terminal picture's lines, `picture` the PNG's path."""

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
    chart: tuple[str, ...]
    picture: str
    precision: Precision | None
    exported: str
    next: str


def cv(*, split: object = "auto", n: int = 5, group: str | None = None, time: str | None = None, gap: str | float | None = None,
       embargo: str | float | None = None, horizon: str | float | None = None, window: str | float | None = None,
       test_size: str | float | None = None, known: float | None = None, duplicates: bool | None = None, repeats: int = 1, seed: int = 0,
       name: str | None = None, source: str | None = None, audit: str | None = None, export: str | None = None,
       se: float | None = None, model: str = "linear", force: bool = False, competition: object = None) -> Split:
    """Make folds with a splitter (its name, path.py:function, a scikit-learn splitter; auto: what the data asks for) and save them.

    gap, embargo, horizon (how far ahead a label looks), window (sliding instead of expanding) and test_size are in the unit of the
    time column (a number, or "7d" for dates); without a time column they count rows. Where they are not given, a time split takes the
    test set's own length and gap. `group` may be derived ("PassengerId:prefix"). `duplicates` keeps near duplicates in one fold, `known` is the
    share of validated rows whose group may train (mixed). `source` is a column or someone's fold file that becomes the folds.

    With `audit` (a name or a csv/parquet file with ids and `fold`) nothing is made: that assignment is audited against the declared
    group and time. With `se` nothing is made either: how many folds and repeats reach that standard error is measured with `model`.
    A fatal finding is a KKError unless `force`, which is kept in the folds and said by every later command.

        >>> kk.cv(split="group", group="patient")  # doctest: +SKIP
    """
    store = open_store(competition)
    asked = Asked(split, n, group, time, {"gap": gap, "embargo": embargo, "horizon": horizon, "window": window, "test_size": test_size},
                  known, duplicates, repeats, seed, source)
    train = with_labels(store, read_table(store, "train"))
    test = read_table(store, "test") if store.competition.test else None
    advice = recommend(train, test, store.competition, measure=asked.is_auto and audit is None)
    folds = named_folds(store, audit, asked, train) if audit is not None else _made(store, asked, train, advice, name)
    if se is not None:
        precision = measure(store, folds, se, model=model)
        return _shown(folds, advice, precision=precision, next=precision.next)
    findings = _findings(store, folds, asked, train)
    fatal = [finding for finding in findings if finding.severity == "fatal"]
    if fatal and (audit is not None or not force):
        raise _refused(folds, findings, advice, audit)
    folds = with_audit(folds, [dataclasses.asdict(finding) for finding in findings], bool(fatal))
    if audit is None:
        open_ledger(store).save_folds(save_folds(store, folds, now(), dataclasses.asdict(advice)))
    image = store.folder / "reports" / f"folds-{folds.name}.png"
    picture(folds, load_data(store), folds.order, image)
    if export is not None:
        export_folds(store, folds, Path(export))
    return _shown(folds, advice, findings, file=audit or relative(store.folds_files(folds.name)[0]),
                  chart=tuple(chart(folds, load_data(store), folds.order)), picture=relative(image), exported=export or "",
                  next="kk cv" if audit else _after(findings, store))


def _made(store: Store, asked: Asked, train: pd.DataFrame, advice: Recommendation, name: str | None) -> Folds:
    """New folds: by a splitter, by a column, or as someone's file has them."""
    if asked.source is not None and is_fold_file(asked.source):
        return foreign_folds(store, Path(asked.source), name or Path(asked.source).stem, **declared_rule(store, train, asked))
    wish = wish_of(store, train, advice, asked)
    return make_folds(store, train, wish, name or wish.name)


def _findings(store: Store, folds: Folds, asked: Asked, train: pd.DataFrame) -> list[Finding]:
    data = load_data(store)
    return audit_folds(folds, data, groups_to_audit(folds, asked, train), folds.order, test_gap=gap_before_test(store, folds, train), X=data.X)


def _refused(folds: Folds, findings: Sequence[Finding], advice: Recommendation, audit: str | None) -> KKError:
    fatal = next(finding for finding in findings if finding.severity == "fatal")
    others = f" (and {len(findings) - 1} more findings)" if len(findings) > 1 else ""
    told = _shown(folds, advice, findings, file=audit or "", next="kk cv")
    if audit is not None:
        return KKError(f"{audit}: {fatal.code}: {fatal.says}{others}", "Make folds that hold: kk cv --split auto", told)
    return KKError(f"{fatal.code}: {fatal.says}{others}", "Change the split, or keep it knowingly with --force", told)


def _after(findings: Sequence[Finding], store: Store) -> str:
    """The next step: a split that the audit finds flattering wants its rival first."""
    groups = store.competition.group
    flattering = any(finding.code == "group-shared" for finding in findings) and groups
    return f"kk cv --split group --group {groups[0]}" if flattering else "kk baseline"


def _shown(folds: Folds, advice: Recommendation, findings: Sequence[Finding] = (), *, file: str = "", chart: tuple[str, ...] = (),
           picture: str = "", precision: Precision | None = None, exported: str = "", next: str) -> Split:
    return Split(folds=folds.name, splitter=folds.splitter, params=folds.params, n=folds.n, repeats=folds.repeats, rows=folds.rows,
                 scored_rows=folds.scored_rows, sizes=tuple(folds.sizes), fingerprint=folds.fingerprint, file=file, audit=tuple(findings),
                 recommendation=advice, forced=folds.forced, chart=chart, picture=picture, precision=precision, exported=exported, next=next)
