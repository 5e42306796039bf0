"""Group mean: the mean of the groups of the one column that tells most, such as the price of cars before and after 2010.

A number is cut once, or into groups of equal size; a category has its levels, a gap is a group of its own. Means are drawn towards the
mean of all rows as much as their noise asks (empirical Bayes: Micci-Barreca 2001, Efron & Morris 1975). Column and cut are chosen by
inner folds of the training rows: the mean that a row is judged by was made without it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from kagglekit.errors import KKError
from kagglekit.fold import Fold
from kagglekit.models.encoders import tables_of
from kagglekit.models.family import family, unknown_parameter
from kagglekit.models.parts import codes_of
from kagglekit.models.presets import whole
from kagglekit.models.problem import Problem
from kagglekit.models.quantiles import quantile_by_group

Array = np.ndarray
INNER = 5          # inner folds by which column and cut are chosen
MOST_CLASSES = 30  # the most frequent classes, by which columns are compared
SHOWN = 6          # groups that are told


@dataclass(frozen=True, slots=True)
class Grouping:
    """A way to group the rows by a column: numbers at `edges` (a gap is the last group), levels by their code (the first is the gap)."""

    column: str
    edges: Array | None = None
    levels: tuple[str, ...] = ()

    @property
    def groups(self) -> int:
        """How many groups there are, that of gaps among them."""
        return len(self.levels) + 1 if self.edges is None else len(self.edges) + 2

    def codes(self, table: pd.DataFrame) -> Array:
        """int64[rows]: the group of each row."""
        column = table[self.column]
        if self.edges is None:
            return codes_of(column) + 1
        values = column.to_numpy()
        codes = np.searchsorted(self.edges, values, side="right")
        codes[np.isnan(values)] = len(self.edges) + 1
        return codes

    def names(self, shown: Array) -> list[str]:
        """Words for groups."""
        edges = self.edges
        if edges is None:
            words = ["a gap", *self.levels]
        else:
            cuts = [f"{edge:.6g}" for edge in edges]
            words = [f"before {cuts[0]}", *(f"from {cut}" for cut in cuts), "a gap"] if cuts else ["any number", "a gap"]
        return [words[place] for place in shown]


def loss_of_groups(codes: Array, groups: int, inner: Array, target: Array, weights: Array) -> tuple[Array, Array]:
    """(sums, counts): of weights and of weighted targets by group and inner fold, as groups x folds x (1 + targets)."""
    place = codes * INNER + inner
    counts = np.bincount(place, weights, minlength=groups * INNER).reshape(groups, INNER)
    sums = np.stack([np.bincount(place, weights * column, minlength=groups * INNER).reshape(groups, INNER) for column in target.T], axis=-1)
    return sums, counts


def shrinkage(sums: Array, counts: Array, squares: float) -> float:
    """Rows that the mean of all rows counts for in each group: the noise of a row over the spread of true means (one-way ANOVA)."""
    there = counts > 0
    total, groups = counts.sum(), int(there.sum())
    means = sums[there] / counts[there][:, None]
    whole_mean = sums.sum(axis=0) / total
    within = max(squares - float((counts[there][:, None] * means**2).sum()), 0.0) / max(total - groups, 1.0)
    between = float((counts[there][:, None] * (means - whole_mean) ** 2).sum())
    scale = total - float((counts[there] ** 2).sum()) / total
    spread = (between - (groups - 1) * within) / scale if scale > 0 else 0.0
    return max(within / spread, 1e-9) if spread > 1e-12 * max(within, 1e-300) else 1e12


def inner_loss(sums: Array, counts: Array, squares: float) -> float:
    """Squared error of inner folds, each predicted by the drawn-in means of the others."""
    drawn = shrinkage(sums.sum(axis=1), counts.sum(axis=1), squares)
    rest, rest_counts = sums.sum(axis=1, keepdims=True) - sums, counts.sum(axis=1, keepdims=True) - counts
    overall = rest.sum(axis=0) / np.maximum(rest_counts.sum(axis=0), 1e-300)[:, None]
    means = (rest + drawn * overall) / (rest_counts + drawn)[:, :, None]
    return squares - float((2 * means * sums).sum()) + float((means**2 * counts[:, :, None]).sum())


class GroupMean:
    """The chosen grouping and what its groups say: rows x targets, on the scale that is learnt."""

    def __init__(self, problem: Problem, params: Mapping, fold: Fold) -> None:
        self._problem = problem
        self._cuts, self._bins = whole("cuts", params.get("cuts", 20)), whole("bins", params.get("bins", 10), least=2)
        self.table, self.valid, self.test, _ = tables_of(fold)
        self._names = [name for name in self.table.columns if self.table[name].dtype.kind in "iuf" or _is_category(self.table[name])]
        if not self._names:
            raise KKError("group-mean finds no column of numbers or categories", "Make some in features.py, or take another model: kk train constant")
        self._target = _columns(problem, fold.target_train)
        given = problem.weights(fold.target_train)
        self._weights = np.ones(len(self._target)) if given is None else given
        self.grouping = self._chosen()
        self._said = self._groups(problem.to_scale(fold.target_train))

    def predict(self, table: pd.DataFrame) -> Array:
        """Predictions of other rows: rows, or rows x classes."""
        said = self._said[self.grouping.codes(table)]
        if self._problem.task == "multiclass":
            return said / said.sum(axis=1, keepdims=True)
        return said[:, 0] if self._problem.classifies else self._problem.from_scale(said[:, 0])

    def words(self) -> str:
        """The column, its groups and what they say."""
        counts = np.bincount(self.grouping.codes(self.table), minlength=self.grouping.groups)
        shown = np.flatnonzero(counts)
        if self.grouping.edges is None:
            shown = shown[np.argsort(-counts[shown], kind="stable")]
        said = self._said if self._problem.classifies else self._problem.from_scale(self._said)
        told = [f"{name} {self._number(said[place])}" for name, place in zip(self.grouping.names(shown[:SHOWN]), shown[:SHOWN], strict=True)]
        more = f", and {len(shown) - SHOWN} more groups" if len(shown) > SHOWN else ""
        return f"{self.grouping.column}: {', '.join(told)}{more}"

    def _number(self, said: Array) -> str:
        if self._problem.task == "multiclass":
            best = int(said.argmax())
            return f"{self._problem.classes[best]} ({said[best] / said.sum():.0%})"
        return f"{said[0]:,.0f}" if abs(said[0]) >= 10_000 else f"{said[0]:.4g}"

    def _chosen(self) -> Grouping:
        """The grouping with the least inner loss."""
        inner = np.random.default_rng(0).permutation(len(self._target)) % INNER
        judged = _judged(self._problem, self._target, self._weights)
        squares = float((self._weights[:, None] * judged**2).sum())
        best, least = None, np.inf
        for name in self._names:
            for grouping, sums, counts in self._candidates(name, inner, judged):
                loss = inner_loss(sums, counts, squares)
                if best is None or loss < least - 1e-9 * abs(squares):
                    best, least = grouping, loss
        return best

    def _candidates(self, name: str, inner: Array, judged: Array) -> list[tuple[Grouping, Array, Array]]:
        """Groupings of one column with their sums; all cuts come from one table of sums."""
        if _is_category(self.table[name]):
            levels = tuple(map(str, self.table[name].cat.categories))
            return [self._whole(Grouping(name, levels=levels), inner, judged)]
        values = self.table[name].to_numpy()
        known = values[~np.isnan(values)]
        if not len(known):
            return [self._whole(Grouping(name, np.empty(0)), inner, judged)]
        fine = _edges(known, self._cuts + 1)
        found = [self._whole(Grouping(name, _edges(known, self._bins)), inner, judged)]
        _, sums, counts = self._whole(Grouping(name, fine), inner, judged)
        for place, edge in enumerate(fine, start=1):
            parts = [slice(0, place), slice(place, -1), slice(-1, None)]
            found.append((Grouping(name, np.array([edge])), np.stack([sums[part].sum(axis=0) for part in parts]),
                          np.stack([counts[part].sum(axis=0) for part in parts])))
        return found

    def _whole(self, grouping: Grouping, inner: Array, judged: Array) -> tuple[Grouping, Array, Array]:
        return grouping, *loss_of_groups(grouping.codes(self.table), grouping.groups, inner, judged, self._weights)

    def _groups(self, target: Array) -> Array:
        """What each group says: its mean, class shares or quantile, drawn towards that of all rows."""
        codes, groups = self.grouping.codes(self.table), self.grouping.groups
        counts = np.bincount(codes, self._weights, minlength=groups)
        sums = np.stack([np.bincount(codes, self._weights * column, minlength=groups) for column in self._target.T], axis=-1)
        drawn = shrinkage(sums, counts, float((self._weights[:, None] * self._target**2).sum()))
        loss = self._problem.loss
        if not loss.is_quantile:
            return (sums + drawn * sums.sum(axis=0) / counts.sum()) / (counts + drawn)[:, None]
        own = quantile_by_group(codes, target, groups, loss.quantile, self._weights)
        overall = quantile_by_group(np.zeros(len(codes), dtype=np.int64), target, 1, loss.quantile, self._weights)[0]
        own = np.where(np.isnan(own), overall, own)
        return ((counts * own + drawn * overall) / (counts + drawn))[:, None]


def _is_category(column: pd.Series) -> bool:
    return isinstance(column.dtype, pd.CategoricalDtype)


def _edges(known: Array, parts: int) -> Array:
    """Inner edges of groups of equal size; a row that is at an edge belongs to the upper group."""
    edges = np.unique(np.quantile(known, np.linspace(0, 1, parts + 1)[1:-1], method="higher"))
    return edges[edges > known.min()]


def _columns(problem: Problem, target: Array) -> Array:
    """What means are taken of: the target on its scale, of several classes a column of 0 and 1 each."""
    if problem.task == "multiclass":
        return (target[:, None] == np.arange(len(problem.classes))).astype(np.float64)
    return np.asarray(problem.to_scale(target), dtype=np.float64)[:, None]


def _judged(problem: Problem, target: Array, weights: Array) -> Array:
    """What groupings are compared by: the target around its mean, ranks where medians are wanted, whether it is below a quantile."""
    loss = problem.loss
    if target.shape[1] > MOST_CLASSES:
        target = target[:, np.argsort(-target.sum(axis=0), kind="stable")[:MOST_CLASSES]]
    if loss.kind == "quantile":
        return (target <= np.quantile(target, loss.quantile)).astype(np.float64) - loss.quantile
    if loss.kind == "absolute":
        return pd.DataFrame(target).rank(pct=True).to_numpy() - 0.5
    return target - np.average(target, axis=0, weights=weights)


def chosen(problem: Problem, params: Mapping, fold: Fold) -> str:
    """What is chosen on the training rows of a fold, in words; of the first target where there are several."""
    from kagglekit.models.several import parts_of

    parts = parts_of(problem, False)
    if not parts:
        return GroupMean(problem, params, fold).words()
    first = GroupMean(parts[0].problem, params, parts[0].fold(fold)).words()
    return f"{problem.targets[0]} by {first}" if problem.targets else first


def _told(problem: Problem) -> str:
    loss = problem.loss
    wanted = f"the {loss.quantile:g} quantile" if loss.kind == "quantile" else "the median"
    return f"says {wanted} of each group, as {problem.metric.name} judges" if loss.is_quantile else loss.says


@family("group-mean", chosen=chosen, tells=_told)
def group_mean(problem, params, seed, fold, clock):  # type: ignore[no-untyped-def]
    """The groups' means, class shares or quantiles."""
    for key in params:
        if key not in ("cuts", "bins"):
            raise unknown_parameter("group-mean", key, ["bins", "cuts"])
    with clock.stage("fit"):
        fitted = GroupMean(problem, params, fold)
    with clock.stage("predict"):
        return fitted.predict(fitted.valid), fitted.predict(fitted.test)
