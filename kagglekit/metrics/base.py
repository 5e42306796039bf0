"""Metric, the registry of metrics, and names with a number: map@3, fbeta@0.5, pinball@0.1,0.9."""

import functools
import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from kagglekit.errors import KKError
from kagglekit.metrics.kaggle_names import METRICS
from kagglekit.registry import Registry, normalise

Array = np.ndarray
Number = int | float | tuple[float, ...]
WITH_K = re.compile(r"\s*(?:@\s*k|@\s*\{k\}|\{k\}|\bat k)$", re.IGNORECASE)
NUMBERED = re.compile(r"(?P<head>.*?[^\d.,@\s])\s*(?:@|\bat\b)?\s*[({]?\s*(?P<number>(?:(?<=@)-)?\d*\.?\d+(?:\s*,\s*-?\d*\.?\d+)*)\s*[)}]?",
                      re.IGNORECASE)
F_OF_BETA = re.compile(r"(?P<mean>mean[-_ ]?)?f[-_ ]?(?P<number>\d*\.?\d+)[-_ ]?(?:score|measure)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Metric:
    """A score of predictions against the truth.

    needs: label (class labels), proba (probabilities), value (numbers), rank (any score whose order counts) or list (codes, the best
    first). Where it is proba, rank or list, the truth is the class code (0, 1, ...); where it is label, the label itself.

    columns says what a row holds. one: a single truth and prediction. classes: one truth, a probability for each class. targets: y and p
    are rows x columns. quantiles: one truth, a value for each quantile. list: p is int[rows, K], -1 where a list is shorter; y is the one
    right code, or int[rows, R] of several, -1 where there are fewer.

    `influence(y, p)` gives one number a row (a query, where each row is one), with mean 0, so that sd/sqrt(n) is the score's standard
    error (None: bootstrap). `constant(y)` is the one prediction that is best for all rows. `trains_on` log1p: models learn
    log(1 + target). `parameter` is the number in the name, such as 3 of map@3. `own` marks a person's function, which gets its arrays
    as they are.
    """

    name: str
    function: Callable[..., float]
    greater_is_better: bool
    needs: str
    kaggle_names: tuple[str, ...] = ()
    constant: Callable[[Array], object] | None = None
    influence: Callable[[Array, Array], Array] | None = None
    classes: str = "any"
    trains_on: str = ""
    columns: str = "one"
    parameter: Number | None = None
    own: bool = False

    def __call__(self, y: Array, p: Array, weights: Array | None = None) -> float:
        """The score, as the competition shows it; `weights` are one number of at least 0 a row.

        Raises KKError where the arrays do not fit each other, hold NaN, or the metric has no weights.
        """
        y, p = np.asarray(y), np.asarray(p)
        if not self.own:
            _refuse(self, y, p)
        given = {} if weights is None else {"weights": _weights(self, weights, len(y))}
        return float(self.function(y, p, **given)) + 0.0  # nobody reads -0.0

    @property
    def sign(self) -> int:
        """+1 where more is better, -1 where less is."""
        return 1 if self.greater_is_better else -1

    @property
    def weighted(self) -> bool:
        """Whether rows can have weights."""
        return "weights" in inspect.signature(self.function).parameters

    @property
    def form(self) -> str:
        """What `predictions.decide` makes of probabilities for it: `needs`, and multilabel for labels in several columns."""
        return "multilabel" if self.needs == "label" and self.columns == "targets" else self.needs


def _refuse(metric: Metric, y: Array, p: Array) -> None:
    """Raise KKError for what no score can be made of; a number for an array of one column would else be spread over all rows."""
    if not y.ndim or not p.ndim or len(y) != len(p):
        raise KKError(f"{metric.name}: y has the shape {y.shape}, p {p.shape}", "Give one prediction for each row of the truth")
    if not len(y):
        raise KKError(f"{metric.name}: there are no rows", "Give at least one row")
    if metric.columns in ("one", "targets") and y.shape != p.shape:
        raise KKError(f"{metric.name}: y has the shape {y.shape}, p {p.shape}", "Give both the same shape: p.ravel() for one column")
    if metric.columns == "classes" and (y.ndim != 1 or p.ndim != 2):
        raise KKError(f"{metric.name}: y has the shape {y.shape}, p {p.shape}", "Give y as rows of class codes, p as rows x classes")
    for name, values in (("y", y), ("p", p)):
        if values.dtype.kind == "f" and np.isnan(values).any():
            missing = int(np.isnan(values).reshape(len(values), -1).any(axis=1).sum())
            raise KKError(f"{metric.name}: {name} has no value (NaN) in {missing} of {len(values)} rows", "Score the rows that have one")


def _weights(metric: Metric, weights: Array, rows: int) -> Array:
    weights = np.asarray(weights, dtype=np.float64)
    if not metric.weighted:
        raise KKError(f"{metric.name} takes no weights", "Leave them out, or give a function of your own: metric.py:score")
    if weights.shape != (rows,) or not (weights >= 0).all() or not 0 < weights.sum() < np.inf:
        raise KKError(f"weights have the shape {weights.shape} and the sum {weights.sum():g} for {rows} rows",
                      "Give one number of at least 0 a row, not all of them 0")
    return weights


@dataclass(frozen=True, slots=True)
class Family:
    """A metric with a number in its name: the facts of all, and what makes the number from text."""

    name: str
    parameter: str
    read: Callable[[str], Number]
    metric: Metric

    def member(self, text: str) -> Metric:
        """The metric for one number; its functions get the number by the parameter's name."""
        number = {self.parameter: self.read(text)}
        written = ",".join(f"{float(part):g}" for part in text.split(","))
        base, names = self.metric, [f"{WITH_K.sub('', name)}{name_end(name)}{written}" for name in self.metric.kaggle_names if WITH_K.search(name)]
        bound = {fact: functools.partial(given, **number) if takes(given, self.parameter) else given
                 for fact in ("function", "constant", "influence") if (given := getattr(base, fact)) is not None}
        return replace(base, name=f"{WITH_K.sub('', self.name)}@{written}", kaggle_names=tuple(dict.fromkeys(names)),
                       parameter=number[self.parameter], **bound)


def name_end(name: str) -> str:
    """What stands between a name and its number: '@', ' @ ', ' at ' or nothing.

    >>> name_end("MAP@{K}"), name_end("Mean Average Precision at K"), name_end("NDCG{K}"), name_end("ErrorAt{K}")
    ('@', ' at ', '@', '')
    """
    end = re.sub(r"\{?k\}?$", "", WITH_K.search(name).group(), flags=re.IGNORECASE)
    return end or ("" if WITH_K.sub("", name).lower().endswith("at") else "@")


def takes(function: Callable, name: str) -> bool:
    """Whether a function has a parameter of this name."""
    return name in inspect.signature(function).parameters


class Metrics(Registry[Metric]):
    """The metrics by name, by Kaggle's names, and by names with a number.

    >>> REGISTRY.get("MAP@3").name, REGISTRY.get("Mean Average Precision @ 3").parameter, "pinball@0.1,0.9" in REGISTRY
    ('map@3', 3, True)
    """

    def __init__(self) -> None:
        super().__init__("metric", make=Metric, home="kagglekit.metrics", group="kagglekit.metrics")
        self._families: dict[str, Family] = {}

    def add_family(self, family: Family) -> None:
        """Announce metrics with a number in their name; the heads of their names are found before the number."""
        heads = (WITH_K.sub("", name) for name in (family.name, *family.metric.kaggle_names))
        self._families.update({normalise(head): family for head in heads})

    def get(self, name: str) -> Metric:
        """The metric of any spelling of its name; raises UnknownName with near names, KKError where its number cannot be."""
        self._load()
        family, number = self._numbered(name)
        if family is not None and number:
            member = family.member(number)
            return self._parts.get(member.name, member)
        if family is not None and not super().__contains__(name):
            raise KKError(f"{family.name} has no {family.parameter}", f"Give it with the name: {family.name}@NUMBER, as in {self._like(family)}")
        return super().get(name)

    def __contains__(self, name: str) -> bool:
        family, number = self._numbered(name)
        return bool(family is not None and number) or super().__contains__(name)

    def family(self, name: str) -> Family | None:
        """The family that a name belongs to, None where it belongs to none."""
        self._load()
        return self._numbered(name)[0]

    def _like(self, family: Family) -> str:
        return ", ".join(known for known in self.names() if known.startswith(f"{family.name}@"))

    def _numbered(self, name: str) -> tuple[Family | None, str]:
        """(family, number as text) of a name; '' where it has none. A name that is known as a whole has no number: r2, f1."""
        self._load()
        text = re.sub(r"@\s+", "@", name.strip())
        if self._aliases.get(normalise(text)) in self._parts and "@" not in text:
            return None, ""
        if found := F_OF_BETA.fullmatch(text):
            return self._families.get("meanfbeta" if found["mean"] else "fbeta"), found["number"]
        found = NUMBERED.fullmatch(text)
        head = self._families.get(normalise(found["head"])) if found else None
        return (head, found["number"].replace(" ", "")) if head else (self._families.get(normalise(WITH_K.sub("", text))), "")


REGISTRY = Metrics()


def metric(name: str, *names: str, better: str, needs: str, constant: Callable | None = None, influence: Callable | None = None,
           classes: str = "any", trains_on: str = "", columns: str = "one", parameter: str = "", read: Callable[[str], Number] = float,
           usual: tuple[str, ...] = ()) -> Callable[[Callable], Callable]:
    """Register the decorated function as a metric.

    `better` is more or less; `names` are Kaggle's names for it (default: those in METRICS). With `parameter` it is a family: the
    function, `constant` and `influence` get the number that `read` makes of the name's text by this name. `usual` numbers are listed
    as metrics of their own; without them the name without a number is a metric too.
    """
    known = METRICS.get(name)
    aliases = names or (known.strings if known else ())
    facts = {"greater_is_better": better == "more", "needs": needs, "kaggle_names": aliases, "constant": constant, "influence": influence,
             "classes": classes, "trains_on": trains_on, "columns": columns}
    if not parameter:
        return REGISTRY.register(name, aliases=aliases, **facts)

    def decorate(function: Callable) -> Callable:
        family = Family(name, parameter, read, Metric(name=name, function=function, **facts))
        REGISTRY.add_family(family)
        if not usual:
            REGISTRY.register(name, aliases=(WITH_K.sub("", name), *aliases), **facts)(function)
        for number in usual:
            member = family.member(number)
            REGISTRY.register(member.name, aliases=member.kaggle_names, **{fact: getattr(member, fact) for fact in (*facts, "parameter")})(
                member.function)
        return function

    return decorate
