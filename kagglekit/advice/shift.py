"""Shift: how well a model tells train from test, by which columns, and what is left of train when it is weighted to look like test."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from kagglekit.advice.features import NUMERIC, Feature, features
from kagglekit.progress import Task, task
from kagglekit.tables.profile.findings import listed
from kagglekit.tables.profile.signal import Aim, column_signal
from kagglekit.tables.profile.values import as_arrow, codes

if TYPE_CHECKING:
    import lightgbm
    import pyarrow

Array = np.ndarray
FOLDS = 5
ROUNDS = 60
FEWEST_ROWS = 40         # of each table
MOST_TO_ONE = 4          # rows of one table for each of the other
INFLATION, LIMIT = 1.5, 3.0
STATES = ((0.65, "harmless"), (0.8, "look"), (0.95, "shifted"))
CLIP = (0.05, 20.0)
MOST_COLUMNS = 15
PERMUTED = 10_000
TOLD, NEWTON_STEPS = 3, 12
BLOCK = 200_000


@dataclass(frozen=True, slots=True)
class Mover:
    """A column that gives the difference away: `drop` is what the AUC loses when its values are shuffled, `auc` what it reaches alone."""

    column: str
    drop: float
    auc: float


@dataclass(frozen=True, slots=True)
class Shift:
    """How test differs from train.

    `auc` is out of fold over 5 folds, `sd` its standard deviation when both are one population. `state` is none, harmless, look,
    shifted, different population, or unknown (too few rows). `ess` is the share of train's rows that weights p/(1-p), clipped to
    [.05, 20], are worth (Kish); `likeness` float[rows of train] is p, the probability of being a row of test if there were as
    many of each, from models that did not see the row. `rows` are those of train and of test that the models learnt from.
    """

    auc: float
    sd: float
    state: str
    columns: tuple[Mover, ...]
    ess: float
    likeness: Array
    rows: tuple[int, int]
    says: str


@dataclass(frozen=True, slots=True)
class _Sample:
    """`rows` int64 to learn from (of both tables, train first), their `label` 1.0 for test, and the `fold` of every row."""

    rows: Array
    label: Array
    fold: Array


def adversarial(train: pd.DataFrame, test: pd.DataFrame, *, seed: int = 0, rows: int = 20_000) -> Shift:
    """Adversarial validation over the columns that both tables have (leave out ids, and time where test is later anyway).

    Small gradient boosting (LightGBM, one thread) on at most `rows` rows of each table, at most four of one for one of the other,
    weighted to equal halves. States: none up to .5 + 4.5 sd of the Mann-Whitney statistic (its sd by the formula is 1.5 times too
    small for an out-of-fold AUC), harmless below .65, look below .8, shifted up to .95, different population beyond. Rows of groups
    that test does not share are told apart by any column that is constant in a group.

    >>> rng = np.random.default_rng(0)
    >>> one, other = rng.normal(size=(300, 3)), rng.normal(size=(300, 3)) + [0, 3, 0]
    >>> found = adversarial(pd.DataFrame(one, columns=list("abc")), pd.DataFrame(other, columns=list("abc")))
    >>> found.state, found.columns[0].column, found.auc > 0.95
    ('different population', 'b', True)
    """
    shared = [feature for feature in features(train, test) if feature.kind != "empty"]
    if min(len(train), len(test)) < FEWEST_ROWS or not shared:
        return _unknown(len(train), len(test), len(shared))
    rng = np.random.default_rng(seed)
    encoded = {feature.name: _encoded(feature) for feature in shared}
    sample = _sample(len(train), len(test), rows, rng)
    table = np.hstack(list(encoded.values()))
    with task("telling train from test", total=FOLDS, unit="folds") as work:
        likeness, models = _out_of_fold(table, sample, seed, work)
    auc, sd = _auc(sample.label, likeness[sample.rows]), INFLATION * _null_sd(sample.label)
    likeness = _calibrated(likeness, sample)
    state = next((word for least, word in ((0.5 + LIMIT * sd, "none"), *STATES) if auc <= least), "different population")
    movers = () if state == "none" else _movers(shared, [block.shape[1] for block in encoded.values()], table, sample, models, seed)
    ours = likeness[:len(train)]
    weight = np.clip(ours / np.maximum(1 - ours, 1e-9), *CLIP)
    ess = float(weight.sum() ** 2 / (len(weight) * (weight**2).sum()))
    drawn = int((sample.label == 0).sum())
    return Shift(auc, sd, state, movers, ess, ours, (drawn, len(sample.rows) - drawn), _says(auc, sd, state, movers, ess))


def _unknown(train: int, test: int, columns: int) -> Shift:
    why = "train and test share no column with values" if not columns else f"{train:,} rows of train and {test:,} of test are too few"
    return Shift(0.5, math.nan, "unknown", (), 1.0, np.full(train, 0.5), (0, 0), f"{why}: nothing is said of a shift")


def _sample(train: int, test: int, rows: int, rng: np.random.Generator) -> _Sample:
    """Rows to learn from, and for every row the fold whose model predicts it: drawn rows evenly in each table."""
    most = min(rows, MOST_TO_ONE * min(train, test))
    fold = rng.integers(0, FOLDS, train + test)
    parts = [start + np.sort(rng.permutation(count)[:most]) for start, count in ((0, train), (train, test))]
    for part in parts:
        fold[part] = rng.permutation(len(part)) % FOLDS
    chosen = np.concatenate(parts)
    return _Sample(chosen, (chosen >= train).astype(np.float64), fold)


def _encoded(feature: Feature) -> Array:
    """float32[rows of both tables, k]: numbers as they are; of categories the place in alphabetical order and how frequent they are;
    of text its length, its words and the shares of kinds of characters."""
    if feature.kind in NUMERIC:
        values = feature.values()
        # Single precision is enough for 63 bins once moments and long numbers start from zero.
        known = values[np.isfinite(values)]
        return (values - (known.min() if len(known) and feature.kind != "number" else 0.0)).astype(np.float32)[:, None]
    import pyarrow
    import pyarrow.compute as pc

    tables = [table.cast(pyarrow.string()) for table in feature.tables]
    if feature.kind == "text":
        return np.concatenate([_of_text(table) for table in tables])
    found, values = codes(*tables)
    code = np.concatenate(found)
    place = np.empty(len(values) + 1)
    place[pc.array_sort_indices(values).to_numpy()] = np.arange(len(values))
    place[-1] = np.nan
    frequency = np.bincount(code + 1, minlength=len(values) + 1)[1:]
    return np.column_stack([place[code], np.append(frequency, 0)[code]]).astype(np.float32)


def _of_text(texts: "pyarrow.ChunkedArray") -> Array:
    import pyarrow
    import pyarrow.compute as pc

    length = pc.utf8_length(texts)
    counts = [pc.count_substring_regex(texts, pattern) for pattern in (r"\s+", r"[A-Z]", r"[0-9]", r"[^\w\s]")]
    columns = [column.cast(pyarrow.float64()).to_numpy() for column in (length, *counts)]
    shares = [column / np.maximum(columns[0], 1) for column in columns[2:]]
    return np.column_stack([columns[0], columns[1], *shares]).astype(np.float32)


def _out_of_fold(table: Array, sample: _Sample, seed: int, work: Task) -> "tuple[Array, list[lightgbm.Booster]]":
    """float64[all rows], the probability of being a row of test by the model of the row's fold; and the models."""
    import lightgbm

    probability, models = np.empty(len(table)), []
    for number in range(FOLDS):
        learns = sample.fold[sample.rows] != number
        label = sample.label[learns]
        settings = {"objective": "binary", "num_leaves": 8, "learning_rate": 0.1, "max_bin": 63, "min_data_in_leaf": min(20, len(label) // 8),
                    "num_threads": 1, "deterministic": True, "force_row_wise": True, "seed": seed, "verbosity": -1}
        weight = np.where(label > 0, 0.5 / label.sum(), 0.5 / (len(label) - label.sum())) * len(label)
        data = lightgbm.Dataset(table[sample.rows[learns]], label, weight=weight, params=settings)
        models.append(lightgbm.train(settings, data, ROUNDS))
        asked = np.flatnonzero(sample.fold == number)
        for start in range(0, len(asked), BLOCK):
            block = asked[start:start + BLOCK]
            probability[block] = models[-1].predict(table[block], num_threads=1)
        work.advance()
    return probability, models


def _calibrated(probability: Array, sample: _Sample) -> Array:
    """The log odds times the slope that fits the out-of-fold rows best, 0 to 1 (Platt 1999, without the constant): what is only noise
    becomes one half."""
    odds = np.log(probability) - np.log1p(-probability)
    seen, label = odds[sample.rows], sample.label
    weight = np.where(label > 0, 0.5 / label.sum(), 0.5 / (len(label) - label.sum()))
    slope = 0.5
    for _ in range(NEWTON_STEPS):
        fitted = 1 / (1 + np.exp(-slope * seen))
        bend = (weight * seen**2 * fitted * (1 - fitted)).sum()
        slope = float(np.clip(slope + (weight * seen * (label - fitted)).sum() / max(bend, 1e-12), 0.0, 1.0))
    return 1 / (1 + np.exp(-slope * odds))


def _movers(columns: Sequence[Feature], widths: Sequence[int], table: Array, sample: _Sample, models: "list[lightgbm.Booster]",
            seed: int) -> tuple[Mover, ...]:
    """The columns that give the difference away, the worst first: those of the most gain, by what the AUC loses when each is shuffled."""
    rng = np.random.default_rng(seed)
    ends = np.cumsum(widths)
    gain = np.add.reduceat(sum(model.feature_importance("gain") for model in models), ends - widths)
    spots = np.sort(rng.permutation(len(sample.rows))[:PERMUTED])
    rows, label = sample.rows[spots], sample.label[spots]
    whole, fold = table[rows], sample.fold[rows]

    def score(X: Array) -> float:
        probability = np.empty(len(X))
        for number, model in enumerate(models):
            probability[fold == number] = model.predict(X[fold == number], num_threads=1)
        return _auc(label, probability)

    full, found = score(whole), []
    for place in np.argsort(-gain, kind="stable")[:MOST_COLUMNS]:
        if gain[place] <= 0:
            break
        shuffled, block = whole.copy(), slice(ends[place] - widths[place], ends[place])
        shuffled[:, block] = whole[rng.permutation(len(whole)), block]
        found.append(Mover(columns[place].name, full - score(shuffled), _alone(columns[place], sample)))
    return tuple(sorted(found, key=lambda mover: (-mover.drop, mover.column)))


def _alone(feature: Feature, sample: _Sample) -> float:
    """The AUC of one column: shares of test in its bins or categories, learnt on one half of the rows and measured on the other."""
    import pyarrow

    if feature.kind in NUMERIC:
        column = as_arrow(feature.values()[sample.rows])
    else:
        texts = [chunk for table in feature.tables for chunk in table.cast(pyarrow.string()).chunks]
        column = pyarrow.chunked_array(texts, pyarrow.string()).take(pyarrow.array(sample.rows))
    signal = column_signal(column, Aim("auc", (sample.label,), 1))
    return signal.value if signal else 0.5


def _auc(label: Array, probability: Array) -> float:
    """Area under the ROC curve, by mid-ranks."""
    _, place, counts = np.unique(probability, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    yes = label.sum()
    return float((ranks[label > 0].sum() - yes * (yes + 1) / 2) / (yes * (len(label) - yes)))


def _null_sd(label: Array) -> float:
    """The standard deviation of the AUC of a score that knows nothing (Mann & Whitney 1947)."""
    yes = float(label.sum())
    no = len(label) - yes
    return math.sqrt((yes + no + 1) / (12 * yes * no))


def _says(auc: float, sd: float, state: str, movers: Sequence[Mover], ess: float) -> str:
    begin = f"a model tells train from test with AUC {auc:.3f}"
    if state == "none":
        return f"{begin}, no more than chance gives (up to {0.5 + LIMIT * sd:.3f}): no shift"
    names = listed([f"{mover.column} ({mover.auc:.2f} alone)" for mover in movers if mover.drop > 0], TOLD)
    by = f", most by {names}" if names else ""
    what = {"harmless": "a difference too small to matter", "look": "look at these columns, and at a weighted CV beside the CV",
            "shifted": "drop or transform these columns, or split by time or group",
            "different population": "an id or time among the columns, or another population: find the column first"}[state]
    return f"{begin}{by}; weighted to look like test, train is worth {ess:.0%} of its rows: {what}"
