"""Making a contest of any table with a target: a test part is held back, its answers are hidden."""

import datetime
import io
import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from kagglekit.errors import KKError
from kagglekit.metrics import check_metric
from kagglekit.practice.baselines import write_baselines
from kagglekit.practice.contest import Contest, read_contest
from kagglekit.practice.create import Scored, Settings, check_name, check_settings, keep_metric, keep_solution, made_contest, sample_baseline
from kagglekit.registry import near_names

Array = np.ndarray
LEAST = 10
MOST_CLASSES = 50  # numbers of more values are values
ORDERED = ("ngini", "pearson", "spearman")  # ranks of a target of numbers, which need not be two classes
ID_NAME = re.compile(r"(^|[_\W])id$|[a-z](Id|ID)$")


@dataclass(frozen=True, slots=True)
class Cut:
    """How the test part is chosen: `by` is random, group or time, `column` whose groups or times; `size` is its share of the rows."""

    by: str
    column: str
    size: float

    @property
    def words(self) -> str:
        """As the description says it."""
        return {"random": "rows at random", "group": f"whole groups of {self.column}: none of them is in train",
                "time": f"the latest by {self.column}: train ends before"}[self.by]


def check_cut(test_by: str, size: float) -> Cut:
    """The Cut that random, group:COL or time:COL stands for.

    >>> check_cut("group:patient", 0.25).column
    'patient'
    """
    by, _, column = test_by.partition(":")
    if by not in ("random", "group", "time") or (by != "random") != bool(column):
        raise KKError(f"the test part cannot be cut by {test_by!r}", "Write --test-by random, group:COLUMN or time:COLUMN")
    if not 0 < size < 1:
        raise KKError(f"the test part cannot be {size} of the rows", "Give a share between 0 and 1: --test-size 0.25")
    return Cut(by, column, size)


def create_from_table(home: Path, name: str, *, train: Path, target: Sequence[str], cut: Cut, settings: Settings, id_column: str = "",
                      drop: Sequence[str] = (), seed: int = 0, now: datetime.datetime) -> Contest:
    """Make a contest from one table; `id_column` '' takes a column that looks like one, or makes one, `drop` are left out.

    Raises KKError where the name is taken, a column is missing or the metric does not fit; nothing is left then.
    """
    check_name(home, name)
    check_settings(settings)
    table = _read(train)
    for column in (*target, *drop, *filter(None, (cut.column, id_column))):
        if column not in table.columns:
            raise KKError(f"{train} has no column {column!r}", near_names(column, table.columns) or f"It has: {', '.join(table.columns[:12])}")
    known = table[(table[list(target)] != "").all(axis=1)].drop(columns=list(drop)).reset_index(drop=True)
    random = np.random.default_rng(seed)
    is_test, is_public = _parts(known, cut, settings.public, random)
    ids, known = _with_id(known, id_column, target, is_test, None if cut.by == "time" else random, known[cut.column] if cut.column else None)
    is_test, is_public = is_test[ids.order], is_public[ids.order]
    home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home, prefix=".making-") as made:
        staged = Path(made) / name
        (staged / "files").mkdir(parents=True)
        metric = keep_metric(settings, name, staged, train.parent)
        form = _form(known, target, metric, is_test)
        rest, test = known[~is_test], known[is_test]
        form.train(rest).to_csv(staged / "files" / "train.csv", index=False)
        test.drop(columns=list(target)).to_csv(staged / "files" / "test.csv", index=False)
        sample = pd.DataFrame({ids.name: test[ids.name], **form.sample})
        sample.to_csv(staged / "files" / "sample_submission.csv", index=False)
        solution = pd.DataFrame({ids.name: test[ids.name], **form.truth(test), "Usage": np.where(is_public[is_test], "Public", "Private")})
        share = keep_solution(solution, list(form.sample), staged, settings.public, metric)
        texts = {"title": name, "public": share, "description": _description(train, known, is_test, sample, cut, form, len(table))}
        contest = made_contest(staged, settings, metric, now, **texts)
        write_baselines(contest, {**sample_baseline(contest), **_constant(sample, form, rest, metric)})
        os.replace(staged, home / name)
    return read_contest(home / name)


def _read(path: Path) -> pd.DataFrame:
    """The table as text, as its cells are written."""
    if not path.is_file():
        raise KKError(f"no file {path}", "Give a table with the target in it: --train FILE.csv")
    kinds = {".parquet": pd.read_parquet, ".feather": pd.read_feather, ".xlsx": pd.read_excel}
    try:
        if path.suffix.lower() in kinds:
            text = kinds[path.suffix.lower()](path).to_csv(index=False)
            return pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False)
        return pd.read_csv(path, dtype=str, keep_default_na=False, sep="\t" if ".tsv" in path.name.lower() else ",")
    except (ValueError, OSError, ImportError, pd.errors.ParserError) as error:
        raise KKError(f"{path} cannot be read: {str(error).splitlines()[0]}", "Give a csv, tsv, parquet, feather or xlsx file") from error


def _parts(table: pd.DataFrame, cut: Cut, public: float, random: np.random.Generator) -> tuple[Array, Array]:
    """Which rows are test, and which of those are public: rows or groups at random, times in order."""
    if len(table) < LEAST:
        raise KKError(f"{len(table)} rows with a target are too few for a competition", f"Give at least {LEAST}")
    if cut.by == "time":
        rank = _times(table[cut.column]).rank(method="dense").to_numpy(dtype=np.int64) - 1
        is_test = _first(rank.max() - rank, cut.size)
        return is_test, is_test & _first_of(rank, is_test, public)
    units = pd.factorize(table[cut.column])[0] if cut.by == "group" else np.arange(len(table))
    shuffled = random.permutation(units.max() + 1)[units]
    is_test = _first(shuffled, cut.size)
    return is_test, is_test & _first_of(shuffled, is_test, public)


def _times(column: pd.Series) -> pd.Series:
    numbers = pd.to_numeric(column, errors="coerce")
    if numbers.notna().all():
        return numbers
    # A date has digits on both sides of a separator: the parser alone takes "M12" for one.
    dates = pd.to_datetime(column.where(column.str.contains(r"\d\D+\d")), errors="coerce", format="mixed", utc=True)
    if dates.isna().any():
        row = int(np.flatnonzero(dates.isna())[0])
        raise KKError(f"row {row + 1} has {column.iloc[row]!r} in {column.name!r}, which is no time", "Name a column of dates or numbers")
    return dates


def _first(order: Array, share: float) -> Array:
    """The rows whose unit (0, 1, ...) is among the first that make up `share` of the rows: at least one unit, never all."""
    counts = np.bincount(order)
    if len(counts) < 2:
        raise KKError("all rows are of one group or time, so that there is nothing to hold back", "Choose another column for --test-by")
    taken = int(np.searchsorted(np.cumsum(counts), share * len(order) - 0.5)) + 1
    return order < min(max(taken, 1), len(counts) - 1)


def _first_of(order: Array, among: Array, share: float) -> Array:
    """As _first, of the rows in `among`; all of them where there is one unit, or the share is whole."""
    units = np.unique(order[among], return_inverse=True)[1]
    inside = np.ones(len(units), dtype=bool) if share >= 1 or units.max() == 0 else _first(units, share)
    chosen = np.zeros(len(order), dtype=bool)
    chosen[among] = inside
    return chosen


@dataclass(frozen=True, slots=True)
class _Ids:
    name: str
    order: Array


def _with_id(table: pd.DataFrame, given: str, target: Sequence[str], is_test: Array, random: np.random.Generator | None,
             times: pd.Series | None) -> tuple[_Ids, pd.DataFrame]:
    """The table in its new order (train, then test) with an id; shuffled unless by time, for a sorted table tells of the target."""
    where = random.permutation(len(table)) if random is not None else np.argsort(_times(times).to_numpy(), kind="stable")
    order = np.concatenate([where[~is_test[where]], where[is_test[where]]])
    table = table.iloc[order].reset_index(drop=True)
    name = given or next((column for column in table.columns if ID_NAME.search(column) and column not in target and _is_id(table[column])), "")
    if given and not _is_id(table[given]):
        raise KKError(f"{given!r} is no id: a value is there more than once, or empty", "Leave --id-column out: one is made")
    if not name:
        name = next(free for free in ("id", "row_id", "kk_row_id") if free not in table.columns)
        table.insert(0, name, np.arange(len(table)).astype(str))
    return _Ids(name, order), table


def _is_id(column: pd.Series) -> bool:
    return not (column.duplicated() | (column == "")).any()


@dataclass(frozen=True, slots=True)
class _Form:
    """The shape of a submission: `sample` has its value columns; text classes of probabilities are coded by `codes`."""

    target: tuple[str, ...]
    sample: Mapping[str, object]
    codes: Mapping[str, str]
    classes: tuple[str, ...] = ()

    def train(self, table: pd.DataFrame) -> pd.DataFrame:
        """The training rows as participants see them."""
        return table.assign(**{self.target[0]: table[self.target[0]].map(self.codes)}) if self.codes else table

    def truth(self, table: pd.DataFrame) -> dict[str, object]:
        """The solution's value columns."""
        if self.classes:
            return {label: (table[self.target[0]] == label).astype(int) for label in self.classes}
        values = {column: self.train(table)[column] for column in self.target}
        return values if set(values) == set(self.sample) else dict.fromkeys(self.sample, values[self.target[0]])  # one column a quantile


def _form(table: pd.DataFrame, target: Sequence[str], metric: Scored, is_test: Array) -> _Form:
    unique = pd.Series(table[target[0]].unique())
    labels = list(unique.iloc[np.lexsort([unique.to_numpy(dtype=str), pd.to_numeric(unique, errors="coerce").to_numpy()])])
    if metric.needs == "list":
        return _Form(tuple(target), dict.fromkeys(target, " ".join(labels[:check_metric(metric.text).parameter])), {})
    if metric.text == "mlogloss":
        return _Form(tuple(target), {label: round(1 / len(labels), 6) for label in labels}, {}, tuple(labels))
    numeric = pd.to_numeric(unique, errors="coerce").notna().all()
    if len(quantiles := _quantiles(metric)) > 1:
        return _Form(tuple(target), {f"{target[0]}_q{quantile:g}": 0 for quantile in quantiles}, {})
    if numeric and metric.text in ORDERED:
        return _Form(tuple(target), dict.fromkeys(target, 0), {})
    if metric.needs in ("proba", "rank") and len(target) == 1 and not set(labels) <= {"0", "1"}:
        if len(labels) != 2:
            raise KKError(f"{metric.text} needs two classes, {target[0]!r} has {len(labels)} values",
                          f"Choose another metric: --metric {'rmse' if numeric and len(labels) > MOST_CLASSES else 'mlogloss'}")
        return _Form(tuple(target), {target[0]: 0.5}, {labels[0]: "0", labels[1]: "1"})
    start = 0.5 if metric.needs in ("proba", "rank") else 0
    if metric.needs == "label" or not numeric:
        return _Form(tuple(target), {column: table.loc[~is_test, column].mode().iloc[0] for column in target}, {})
    return _Form(tuple(target), dict.fromkeys(target, start), {})


def _quantiles(metric: Scored) -> Sequence[float]:
    """The quantiles that a submission has a column each of, none for other metrics."""
    if metric.better is not None or not metric.text.startswith("pinball"):
        return ()
    return check_metric(metric.text).parameter


def _constant(sample: pd.DataFrame, form: _Form, rest: pd.DataFrame, metric: Scored) -> dict[str, pd.DataFrame]:
    """The team that answers with the constant that is best on the training rows."""
    best = None if metric.better is not None else check_metric(metric.text).constant
    if best is None:
        return {}
    if metric.needs == "list":
        labels, codes = _words(rest[form.target[0]])
        return {"best constant": sample.assign(**{form.target[0]: " ".join(labels[best(codes)])})}
    columns = [rest[form.target[0]].map({label: code for code, label in enumerate(form.classes)})] if form.classes else [
        form.train(rest)[column] for column in form.target]
    numbers = [pd.to_numeric(column, errors="coerce") for column in columns]
    if check_metric(metric.text).form == "multilabel":
        values = np.ravel(best(np.column_stack(numbers)))
        return {"best constant": sample.assign(**dict(zip(form.sample, values, strict=True)))}
    found = [best(column.to_numpy(dtype=str) if number.isna().any() else number.to_numpy()) for column, number in zip(columns, numbers, strict=True)]
    values = found
    if len(form.sample) > len(form.target):  # a column for each class or quantile; the last classes may be in the test part only
        values = np.pad(np.ravel(found[0]), (0, len(form.sample) - np.size(found[0])))
    return {"best constant": sample.assign(**dict(zip(form.sample, values, strict=True)))}


def _words(column: pd.Series) -> tuple[Array, Array]:
    """The words of a column's cells, and which of them each cell holds, all cells in one row of codes."""
    codes, labels = pd.factorize(column.str.split().explode(), sort=True)
    return labels.to_numpy(dtype=object), codes


def _description(source: Path, table: pd.DataFrame, is_test: Array, sample: pd.DataFrame, cut: Cut, form: _Form, rows: int) -> str:
    lines = [f"Predict {', '.join(form.target)}.", "",
             f"- train.csv: {int((~is_test).sum()):,} rows with the target", f"- test.csv: {int(is_test.sum()):,} rows, {cut.words}",
             f"- sample_submission.csv: {', '.join(sample.columns[:9])}"]
    if form.codes:
        lines.append(f"- {form.target[0]}: {', '.join(f'{code} is {label}' for label, code in form.codes.items())}")
    if rows > len(table):
        lines.append(f"- {rows - len(table):,} rows of {source.name} without a target were left out")
    return "\n".join([*lines, "", f"Columns: {', '.join(table.columns[:40])}."])
