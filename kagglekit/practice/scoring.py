"""Scoring a submission against the hidden answers; reasons for a malformed file name the row or column."""

import functools
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from kagglekit.errors import KKError
from kagglekit.metrics import Metric
from kagglekit.practice.contest import Contest, find_contest, find_sample
from kagglekit.practice.state import State

Array = np.ndarray


class Malformed(Exception):
    """Why a file cannot be scored, in the words that the participant reads."""


@dataclass(frozen=True, slots=True)
class Answers:
    """The hidden answers: ids as text, value columns, which rows are public and which private (others, such as Ignored, count in neither)."""

    ids: pd.Index
    id_column: str
    columns: tuple[str, ...]
    values: pd.DataFrame
    public: Array
    private: Array


@functools.lru_cache(maxsize=8)
def _answers(folder: Path, changed: int) -> Answers:
    solution = pd.read_csv(folder / "solution.csv", dtype=str, keep_default_na=False)
    sample = pd.read_csv(find_sample(folder / "files"), nrows=1, dtype=str)
    columns = tuple(sample.columns[1:])
    return Answers(pd.Index(solution[sample.columns[0]]), sample.columns[0], columns, solution[list(columns)],
                   (solution["Usage"] == "Public").to_numpy(), (solution["Usage"] == "Private").to_numpy())


def score_file(contest: Contest, path: Path) -> tuple[float, float]:
    """(public, private) score of a csv; raises Malformed. Without private rows both are the public one."""
    answers = _answers(contest.folder, (contest.folder / "solution.csv").stat().st_mtime_ns)
    said = _aligned(_read(path), answers)
    truth, predicted = _forms(contest.scorer, answers, said)
    try:
        public = _score(contest.scorer, truth[answers.public], predicted[answers.public])
        hidden = answers.private
        private = _score(contest.scorer, truth[hidden], predicted[hidden]) if hidden.any() else public
    except KKError as error:
        raise Malformed(error.what) from error
    if not (np.isfinite(public) and np.isfinite(private)):
        raise Malformed("The score is not a finite number: look for values that are far too large")
    return public, private


def _read(path: Path) -> pd.DataFrame:
    try:
        return pd.read_csv(path, dtype=str, keep_default_na=False)
    except (ValueError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise Malformed(f"The file is not a csv: {str(error).splitlines()[0][:200]}") from error


def _aligned(table: pd.DataFrame, answers: Answers) -> pd.DataFrame:
    """The submission's rows in the order of the answers."""
    for column in (answers.id_column, *answers.columns):
        if column not in table.columns:
            raise Malformed(f"Column '{column}' is missing")
    if len(table) != len(answers.ids):
        raise Malformed(f"Submission must have {len(answers.ids)} rows, it has {len(table)}")
    ids = pd.Index(table[answers.id_column])
    if ids.has_duplicates:
        row = int(np.flatnonzero(ids.duplicated())[0])
        raise Malformed(f"Row {row + 1}: id {ids[row]} is there more than once")
    unknown = ~ids.isin(answers.ids)
    if unknown.any():
        row = int(np.flatnonzero(unknown)[0])
        raise Malformed(f"Row {row + 1}: id {ids[row]} is not in the test set")
    return table.iloc[ids.get_indexer(answers.ids)].reset_index(drop=True)


def _numbers(table: pd.DataFrame, column: str, what: str) -> Array:
    values = pd.to_numeric(table[column], errors="coerce").to_numpy(dtype=np.float64)
    bad = ~np.isfinite(values)
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise Malformed(f"Row {row + 1} of {what}: '{table[column].iloc[row]}' in column '{column}' is not a finite number")
    return values


def _forms(metric: Metric, answers: Answers, said: pd.DataFrame) -> tuple[Array, Array]:
    """Truth and predictions in the form that the metric takes, rows first."""
    columns = answers.columns
    if metric.needs == "label":
        pairs = [_labels(answers.values[column], said[column], column) for column in columns]
        truths, labels = zip(*pairs, strict=True)
        return pairs[0] if len(columns) == 1 else (np.column_stack(truths), np.column_stack(labels))
    truth = np.column_stack([_numbers(answers.values, column, "the solution") for column in columns])
    predicted = np.column_stack([_numbers(said, column, "the submission") for column in columns])
    if metric.name == "mlogloss":
        return truth.argmax(axis=1), np.clip(predicted, 1e-15, None)
    return (truth[:, 0], predicted[:, 0]) if len(columns) == 1 else (truth, predicted)


def _labels(truth: pd.Series, said: pd.Series, column: str) -> tuple[Array, Array]:
    numeric = pd.to_numeric(truth, errors="coerce")
    if numeric.isna().any():
        if (said == "").any():
            raise Malformed(f"Row {int(np.flatnonzero(said == '')[0]) + 1}: no label in column '{column}'")
        return truth.to_numpy(), said.to_numpy()
    values = pd.to_numeric(said.replace({"True": "1", "False": "0", "true": "1", "false": "0"}), errors="coerce")
    if values.isna().any():
        row = int(np.flatnonzero(values.isna())[0])
        raise Malformed(f"Row {row + 1}: '{said.iloc[row]}' in column '{column}' is not a number")
    if (values % 1 != 0).any():
        row = int(np.flatnonzero(values % 1 != 0)[0])
        raise Malformed(f"Row {row + 1}: '{said.iloc[row]}' in column '{column}' is no label")
    return numeric.to_numpy(), values.to_numpy()


def _score(metric: Metric, truth: Array, predicted: Array) -> float:
    if truth.ndim == 2:
        return float(np.mean([metric(truth[:, k], predicted[:, k]) for k in range(truth.shape[1])]))
    return metric(truth, predicted)


class Worker(threading.Thread):
    """Scores what is pending, oldest first; what an earlier process left is scored at the start."""

    def __init__(self, state: State) -> None:
        super().__init__(daemon=True, name="arena-scoring")
        self._state = state
        self._wake = threading.Event()
        self._stopping = False

    def wake(self) -> None:
        """Something is pending."""
        self._wake.set()

    def stop(self) -> None:
        """Finish the submission in hand and end."""
        self._stopping = True
        self._wake.set()
        self.join(timeout=10)

    def run(self) -> None:
        """The thread's loop."""
        while not self._stopping:
            row = self._state.pending()
            if row is None:
                self._wake.wait(timeout=1.0)
                self._wake.clear()
                continue
            self._one(row["ref"], row["contest"], row["token"])

    def _one(self, ref: int, slug: str, token: str) -> None:
        try:
            contest = find_contest(self._state.home, slug)
            if contest is None:
                raise Malformed("The competition is gone")
            public, private = score_file(contest, self._state.uploads / token)
            self._state.scored(ref, public, private, "")
        except Malformed as reason:
            self._state.scored(ref, None, None, str(reason))
        except Exception as error:  # a metric or contest.toml that crashes must not end the thread: the participant reads why
            self._state.scored(ref, None, None, f"Scoring failed: {type(error).__name__}: {error}")
