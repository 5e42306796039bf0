"""Scoring a submission against the hidden answers; reasons for a malformed file name the row or column."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from kagglekit.errors import KKError
from kagglekit.metrics import Metric, check_metric, takes_tables
from kagglekit.practice.contest import OWN_METRIC, Contest, find_sample
from kagglekit.practice.reading import Malformed, Submitted, read_submitted
from kagglekit.registry import load_reference

Array = np.ndarray


@dataclass(frozen=True, slots=True)
class Answers:
    """The hidden answers: ids as text, value columns, which rows are public and which private (others, such as Ignored, count in neither)."""

    ids: Array
    id_column: str
    columns: tuple[str, ...]
    table: pd.DataFrame
    public: Array
    private: Array

    @property
    def values(self) -> pd.DataFrame:
        """The value columns as text."""
        return self.table[list(self.columns)]


@functools.lru_cache(maxsize=4)
def _answers(folder: Path, changed: int) -> Answers:
    solution = pd.read_csv(folder / "solution.csv", dtype=str, keep_default_na=False)
    sample = pd.read_csv(find_sample(folder / "files"), nrows=1, dtype=str)
    usage = solution["Usage"].to_numpy()
    return Answers(solution[sample.columns[0]].to_numpy(dtype=object), sample.columns[0], tuple(sample.columns[1:]), solution,
                   usage == "Public", usage == "Private")


@functools.lru_cache(maxsize=4)
def _truth(folder: Path, changed: int, column: str) -> Array | None:
    """A column of the answers as numbers, None where it holds anything else."""
    values = pd.to_numeric(_answers(folder, changed).table[column], errors="coerce").to_numpy(dtype=np.float64)
    return values if np.isfinite(values).all() else None


def score_file(contest: Contest, path: Path) -> tuple[float, float]:
    """(public, private) score of a csv; raises Malformed. Without private rows both are the public one."""
    changed = (contest.folder / "solution.csv").stat().st_mtime_ns
    answers = _answers(contest.folder, changed)
    lists = not contest.own_metric and contest.scorer.needs == "list"
    texts = frozenset(column for column in answers.columns if lists or _truth(contest.folder, changed, column) is None)
    said = read_submitted(path, answers.id_column, answers.columns, answers.ids, texts)
    parts = [part for part in (answers.public, answers.private) if part.any()]
    try:
        scores = _own_scores(contest, answers, said, parts) if contest.own_metric else _scores(contest, changed, said, parts)
    except KKError as error:
        raise Malformed(error.what) from error
    if not np.isfinite(scores).all():
        raise Malformed("The score is not a finite number: look for values that are far too large")
    return scores[0], scores[-1]


def _scores(contest: Contest, changed: int, said: Submitted, parts: list[Array]) -> list[float]:
    metric = contest.scorer
    truth, predicted = _forms(metric, contest.folder, changed, said)
    return [_score(metric, truth[part], predicted[part]) for part in parts]


def _forms(metric: Metric, folder: Path, changed: int, said: Submitted) -> tuple[Array, Array]:
    """Truth and predictions in the form that the metric takes, rows first."""
    answers, columns = _answers(folder, changed), said.columns
    if metric.needs == "list":
        return list_codes(answers.table[columns[0]].to_numpy(dtype=object), said.texts(columns[0]))
    if metric.needs == "label":
        known = [(_truth(folder, changed, column), column) for column in columns]
        truths = [answers.table[column].to_numpy(dtype=object) if truth is None else truth for truth, column in known]
        labels = [said.texts(column) if truth is None else said.labels(column) for truth, column in known]
        return (truths[0], labels[0]) if len(columns) == 1 else (np.column_stack(truths), np.column_stack(labels))
    missing = [column for column in columns if _truth(folder, changed, column) is None]
    if missing:
        raise Malformed(f"The solution's column '{missing[0]}' is not of numbers, as {metric.name} needs")
    truth = np.column_stack([_truth(folder, changed, column) for column in columns])
    predicted = np.column_stack([said.numbers(column) for column in columns])
    if metric.columns == "quantiles" and len(columns) > 1:
        return truth[:, 0], predicted  # the answer stands in every quantile's column
    if metric.name == "mlogloss":
        return truth.argmax(axis=1), np.clip(predicted, 1e-15, None)
    return (truth[:, 0], predicted[:, 0]) if len(columns) == 1 else (truth, predicted)


def list_codes(truth: Array, said: Array) -> tuple[Array, Array]:
    """Cells of labels with blanks between as the codes that metrics of lists take: equal labels get equal codes.

    `said` becomes int[rows, K], -1 where a list is shorter; `truth` int[rows, R], or int[rows] where no row has two right labels.

    >>> [codes.tolist() for codes in list_codes(np.array(["a", "b"]), np.array(["a c", "a"]))]
    [[0, 1], [[0, 2], [0, -1]]]
    """
    import pyarrow as pa
    from pyarrow import compute

    cells = pa.array(np.concatenate([truth, said]), pa.string())
    lists = compute.utf8_split_whitespace(compute.utf8_trim_whitespace(cells))
    codes, ends = lists.flatten().dictionary_encode().indices.to_numpy(), lists.offsets.to_numpy()
    sizes = np.diff(ends)
    found = np.full((len(sizes), sizes.max()), -1)
    found[np.repeat(np.arange(len(sizes)), sizes), np.arange(len(codes)) - np.repeat(ends[:-1], sizes)] = codes
    right, listed = found[:len(truth)], found[len(truth):]
    right = right[:, :sizes[:len(truth)].max()]
    return right[:, 0] if right.shape[1] == 1 else right, listed[:, :sizes[len(truth):].max()]


def _score(metric: Metric, truth: Array, predicted: Array) -> float:
    if truth.ndim == 2 and metric.columns == "one":
        return float(np.mean([metric(truth[:, k], predicted[:, k]) for k in range(truth.shape[1])]))
    return metric(truth, predicted)


def _own_scores(contest: Contest, answers: Answers, said: Submitted, parts: list[Array]) -> list[float]:
    """Scores of the host's metric.py: of tables as Kaggle's metric notebooks take them, or of arrays (y, p)."""
    place = contest.folder / OWN_METRIC
    function = _loaded(f"{place}:{contest.metric.rpartition(':')[2]}", place.stat().st_mtime_ns)
    names = [answers.id_column, *answers.columns]
    if not takes_tables(function):
        metric = check_metric(function, contest.better)
        truth = answers.table[list(answers.columns)].apply(pd.to_numeric).to_numpy(dtype=np.float64)
        predicted = np.column_stack([said.numbers(column) for column in answers.columns])
        shaped = (truth[:, 0], predicted[:, 0]) if truth.shape[1] == 1 else (truth, predicted)
        return [metric(shaped[0][part], shaped[1][part]) for part in parts]
    solution = _typed(answers.table.drop(columns=["Usage"]))
    submission = _typed(said.table()[names])
    try:
        return [float(function(solution[part].reset_index(drop=True), submission[part].reset_index(drop=True), answers.id_column))
                for part in parts]
    except Exception as error:
        # Kaggle's convention: only errors of this name are for the participant to read; others could tell of the answers.
        if type(error).__name__ == "ParticipantVisibleError":
            raise Malformed(str(error)) from error
        raise


@functools.lru_cache(maxsize=4)
def _loaded(reference: str, changed: int) -> Callable:
    function = load_reference(reference)
    assert callable(function)
    return function


def _typed(table: pd.DataFrame) -> pd.DataFrame:
    """Columns of numbers as numbers, others as text; empty cells are missing."""
    typed = {}
    for column in table.columns:
        cells = table[column].replace("", np.nan)
        numbers = pd.to_numeric(cells, errors="coerce")
        typed[column] = cells if (numbers.isna() & cells.notna()).any() else numbers
    return pd.DataFrame(typed)
