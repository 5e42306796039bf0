"""Optimism: how much of the best trial's score is the luck of having been picked among many (BBC-CV, Tsamardinos et al. 2018)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kagglekit.errors import KKError
from kagglekit.metrics import Metric

Array = np.ndarray
DRAWS, LEAST_DRAWS, EXACT_DRAWS = 1000, 100, 100
WORK = 4e9         # cells of (draws x rows x trials) that are worth the precision
CELLS = 8_000_000  # counts in memory at once
RIVALS = 30        # trials that are scored anew in each draw where the metric has no influence function


@dataclass(frozen=True, slots=True)
class Case:
    """The predictions to choose from: `entries` are validated rows fold by fold, a row once for each repeat.

    truth[entries], fold[entries] (0.. in order), unit[entries]: what is drawn (0..: the row, or its group). said[trial][entries ...] is
    in the form that the metric scores. All trials have all entries.
    """

    metric: Metric
    truth: Array
    fold: Array
    unit: Array
    said: Sequence[Array]


@dataclass(frozen=True, slots=True)
class Optimism:
    """`value`: by how much the best trial's score is flattered, in the metric's unit, at least 0. `gain`: what the picked trial is ahead
    of trial 0 on rows that had no say in the choice, higher is better. `method`: mean, influence or exact."""

    value: float
    gain: float
    trials: int
    draws: int
    method: str


def optimism(case: Case, seed: int = 0) -> Optimism:
    """Draw rows with replacement, pick the trial that is best on them, score it on the rows that were not drawn: what it loses is luck.

    Trial 0 (the defaults) had to win nothing, so its own score is not flattered: all is measured from there. A trial's score is the mean of
    its fold scores, as in the search. Metrics that are means over rows are exact, others go by their influence function, those without
    one are computed anew in each draw, for the best trials only. One matrix product for each block of draws.

    >>> random = np.random.default_rng(0)
    >>> from kagglekit.metrics import check_metric
    >>> y, noise = np.zeros(500), random.normal(size=(20, 500))
    >>> found = optimism(Case(check_metric("mae"), y, np.arange(500) % 5, np.arange(500), list(1 + 0.1 * noise)))
    >>> found.method, 0.005 < found.value < 0.012
    ('mean', True)
    """
    random, whole = np.random.default_rng(seed), scores_of(case)
    rows = _rows(case)
    if rows is None:
        inside, outside, method = *_exact(case, whole, random), "exact"
    else:
        table, method = rows
        draws = int(np.clip(WORK / table.size, LEAST_DRAWS, DRAWS))
        inside, outside = _weighted(case, table, draws, random)
    picked = np.nanargmax(inside, axis=1)
    gain = float(np.mean(outside[np.arange(len(picked)), picked] - outside[:, 0]))
    return Optimism(max(float(whole.max() - whole[0]) - gain, 0.0), gain, len(whole), len(picked), method)


def scores_of(case: Case) -> Array:
    """Mean fold score of each trial, higher is better."""
    parts = [np.flatnonzero(case.fold == number) for number in range(int(case.fold.max()) + 1)]
    return np.array([np.mean([case.metric.sign * case.metric(case.truth[rows], said[rows]) for rows in parts]) for said in case.said])


def _rows(case: Case) -> tuple[Array, str] | None:
    """float32[trials, entries]: what each row is worth beside trial 0, so that a gap of fold scores is a mean over rows; None without influence."""
    if case.metric.influence is None:
        return None
    table, exact = np.zeros((len(case.said), len(case.fold)), dtype=np.float32), True
    for number in range(int(case.fold.max()) + 1):
        rows = np.flatnonzero(case.fold == number)
        truth = case.truth[rows]
        first = _worth(case.metric, truth, case.said[0][rows])
        exact = exact and _is_mean(case.metric, truth, case.said[0][rows], first)
        for place in range(1, len(case.said)):
            table[place, rows] = case.metric.sign * (_worth(case.metric, truth, case.said[place][rows]) - first)
    return table, "mean" if exact else "influence"


def _worth(metric: Metric, truth: Array, said: Array) -> Array:
    assert metric.influence is not None
    return metric(truth, said) + np.asarray(metric.influence(truth, said), dtype=np.float64)


def _is_mean(metric: Metric, truth: Array, said: Array, rows: Array) -> bool:
    """Whether the score of some rows is the mean of what they are worth: seen on every other row and on the first half."""
    for part in (np.arange(0, len(truth), 2), np.arange(max(len(truth) // 2, 1))):
        try:
            score = metric(truth[part], said[part])
        except KKError:
            return False
        if abs(score - rows[part].mean()) > 1e-9 * max(abs(score), 1.0):
            return False
    return True


def _counts(units: int, draws: int, random: np.random.Generator) -> Array:
    """How often each unit is drawn: draws x units."""
    places = random.integers(0, units, (draws, units)) + np.arange(draws)[:, None] * units
    return np.bincount(places.ravel(), minlength=draws * units).reshape(draws, units)


def _weighted(case: Case, table: Array, draws: int, random: np.random.Generator) -> tuple[Array, Array]:
    """Mean fold scores on the rows drawn and on those left out: draws x trials each."""
    units, entries = int(case.unit.max()) + 1, len(case.fold)
    order = np.argsort(case.fold, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(case.fold[order]) != 0])
    unit, values = case.unit[order], np.ascontiguousarray(table[:, order].T)
    sizes = np.diff(np.r_[starts, entries])
    found: tuple[list[Array], list[Array]] = [], []
    block = max(1, CELLS // max(entries, units))
    for first in range(0, draws, block):
        counts = _counts(units, min(block, draws - first), random)
        # Their sum is the number of entries drawn; where rows repeat or come in groups it varies, hence a fold's own sum below.
        drawn = counts[:, unit].astype(np.float32)
        for weights, scores in zip((drawn, (drawn == 0).astype(np.float32)), found, strict=True):
            sums = np.add.reduceat(weights, starts, axis=1)
            share = np.divide(1.0, sums, out=np.zeros_like(sums), where=sums > 0) / np.maximum((sums > 0).sum(axis=1, keepdims=True), 1)
            weights *= np.repeat(share, sizes, axis=1)
            scores.append(weights @ values)
    return np.concatenate(found[0]).astype(np.float64), np.concatenate(found[1]).astype(np.float64)


def _exact(case: Case, whole: Array, random: np.random.Generator) -> tuple[Array, Array]:
    """The same by the metric itself, for trial 0 and the best ones; the others' scores are -inf inside and never picked."""
    rivals = np.union1d([0], np.argsort(-whole, kind="stable")[:RIVALS])
    inside, outside = np.full((EXACT_DRAWS, len(whole)), -np.inf), np.tile(whole, (EXACT_DRAWS, 1))
    parts = [np.flatnonzero(case.fold == number) for number in range(int(case.fold.max()) + 1)]
    for draw in range(EXACT_DRAWS):
        counts = _counts(int(case.unit.max()) + 1, 1, random)[0][case.unit]
        taken = [np.repeat(rows, counts[rows]) for rows in parts]
        left = [rows[counts[rows] == 0] for rows in parts]
        for place in rivals:
            inside[draw, place] = _mean_score(case, place, taken)
            outside[draw, place] = _mean_score(case, place, left)
    return inside, outside


def _mean_score(case: Case, place: int, parts: Sequence[Array]) -> float:
    """Mean score over the folds on some of their rows; folds that cannot be scored on them are left out."""
    scores = []
    for rows in parts:
        try:
            scores.append(case.metric.sign * case.metric(case.truth[rows], case.said[place][rows]))
        except (KKError, ValueError, ZeroDivisionError):
            continue
    return float(np.mean(scores)) if scores else -np.inf
