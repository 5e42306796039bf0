"""Rules: what each metric makes of a constant, forwards (train's mean to a score) and backwards (a score to the public mean)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from kagglekit.tables.reading.case import Array, Case

CLIPS = {"1e-15": 1e-15, "2.2e-16": 2.220446049250313e-16, "1.2e-7": 1.1920929e-07, "1e-7": 1e-7}
MOST_LABELS = 50
ALIASES = {"mcrmse": "rmse", "mcrmsle": "rmsle", "mcauc": "auc", "mclogloss": "logloss", "ngini": "gini", "balanced_accuracy": "balanced_acc",
           "mce": "accuracy", "hamming": "error rate", "f1_macro": "macro_f1", "f1_weighted": "weighted_f1", "average_precision": "ap"}
Function = Callable[[float], float]


def same(value: float) -> float:
    """The value itself."""
    return value


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """One way to score a constant: score = forward(mean of `values`), or `fixed` whatever the answers are.

    `says` tells what the mean is of, `form` what is special about this way; of several ways of one metric the usual one is first.
    """

    name: str
    says: str = ""
    values: Array | None = None
    forward: Function = same
    inverse: Function = same
    fixed: float | None = None
    form: str = ""
    kind: str = "mean"

    def solved(self, score: float) -> float:
        """The public mean that gives this score, nan where none does."""
        try:
            return float(self.inverse(score))
        except (ZeroDivisionError, OverflowError):
            return float("nan")

    def expected(self, case: Case) -> tuple[float, float]:
        """The score that train's target lets one expect, and the standard error of (public score - this)."""
        if self.values is None:
            return float(self.fixed), 0.0
        mean, se = float(self.values.mean()), case.se_of_mean(self.values)
        return self.forward(mean), abs(self.forward(mean + se) - self.forward(max(mean - se, 0.0 if self.values.min() >= 0 else -np.inf))) / 2


def rules(case: Case) -> list[Rule]:
    """All rules that this target and this constant allow."""
    found: list[Rule] = []
    with np.errstate(all="ignore"):
        for make in (_errors, _ratios, _labels, _binary, _several_classes, _several_columns):
            found += [rule for rule in make(case) if rule.fixed is not None or (rule.values is not None and np.isfinite(rule.values).all())]
    return found


def named(case: Case, known: list[Rule]) -> list[Rule]:
    """The rules of the competition's own metric."""
    name = ALIASES.get(case.metric, case.metric)
    return [rule for rule in known if rule.name == name]


def _square(value: float) -> float:
    return value * abs(value)


def _root(value: float) -> float:
    return float(np.sqrt(max(value, 0.0)))


def _of(constant: Array, what: str = "target") -> str:
    text = ", ".join(f"{value:g}" for value in np.atleast_1d(constant).ravel()[:4])
    return what if not np.any(constant) else f"{what} - {text}" if np.size(constant) == 1 else f"{what} - ({text})"


def _row_mean(values: Array) -> Array:
    return values if values.ndim == 1 else values.mean(axis=1)


def _errors(case: Case) -> Iterator[Rule]:
    """Squared and absolute errors, of the values and of their logarithms."""
    y, constant = case.numbers, case.number
    if y is None or constant is None:
        return
    gap, zero = _of(constant), not np.any(constant)
    yield from _squares("rmse", "mse", y - constant, f"({gap})²" if not zero else "target²")
    yield Rule("mae", f"|{gap}|", _row_mean(np.abs(y - constant)))
    if y.min() >= 0 and np.min(constant) >= 0:
        logs = "log(1 + target)²" if zero else "(log(1 + target) - log(1 + constant))²"
        yield from _squares("rmsle", "msle", np.log1p(y) - np.log1p(constant), logs)
    if y.ndim == 1 and y.std() > 0:
        yield _r2(y, float(constant.ravel()[0]))


def _squares(root: str, plain: str, errors: Array, says: str) -> Iterator[Rule]:
    squares = errors**2
    yield Rule(plain, says, _row_mean(squares))
    if squares.ndim == 1:
        yield Rule(root, says, squares, _root, _square)
        return
    means = squares.mean(axis=0)
    roots = np.sqrt(means)
    rows = roots + (squares - means) / np.where(roots > 0, 2 * roots, np.inf)
    yield Rule(root, f"each column's root of the mean of {says}", rows.mean(axis=1), form="the mean over the columns")
    yield Rule(root, says, squares.mean(axis=1), _root, _square, form="over all cells at once")


def _r2(y: Array, constant: float) -> Rule:
    """R2 of a constant is -(distance of the mean in sd)²."""
    spread, gap, side = float(y.std()), abs(float(y.mean()) - constant), 1 if y.mean() >= constant else -1
    rows = gap / spread + side * (y - y.mean()) / spread - gap / spread * ((y - y.mean()) ** 2 / spread**2 - 1) / 2
    return Rule("r2", f"the distance of the mean from {constant:g}, in standard deviations", rows, lambda distance: -distance**2,
                lambda score: _root(-score))


def _ratios(case: Case) -> Iterator[Rule]:
    """Errors in per cent of the target."""
    y, constant = case.numbers, case.number
    if y is None or constant is None or y.ndim != 1:
        return
    value = float(constant.ravel()[0])
    if (y != 0).all():
        ratio = np.abs(y - value) / np.abs(y)
        for scale, form in ((1.0, "as a fraction"), (100.0, "in per cent")):
            yield _scaled("mape", f"|target - {value:g}| / |target|", ratio, scale, form, 1.0 if not value else None)
        yield Rule("rmspe", fixed=1.0) if not value else Rule("rmspe", f"((target - {value:g}) / target)²", ratio**2, _root, _square)
    if value:
        size = np.abs(y) + abs(value)
        rows, says, kind = np.abs(y - value) / size, f"|target - {value:g}| / (|target| + {abs(value):g})", "mean"
    else:
        rows, says, kind = (y != 0).astype(np.float64), "(target is not 0)", "prior"
    fixed = 1.0 if kind == "prior" and rows.all() else None
    for scale, form in ((200.0, "from 0 to 200"), (2.0, "from 0 to 2"), (100.0, "from 0 to 100"), (1.0, "from 0 to 1")):
        yield _scaled("smape", says, rows, scale, form, fixed, kind)


def _scaled(name: str, says: str, rows: Array, scale: float, form: str, fixed: float | None, kind: str = "mean") -> Rule:
    if fixed is not None:
        return Rule(name, fixed=scale * fixed, form=form)
    return Rule(name, says, rows, lambda mean: scale * mean, lambda score: score / scale, form=form, kind=kind)


def _labels(case: Case) -> Iterator[Rule]:
    """Metrics of labels: hits are a share; what compares with chance is 0 for any constant."""
    target = np.asarray(case.target)
    distinct = np.unique(target) if target.ndim == 1 else np.unique(target[:1000])
    if np.ndim(case.constant) or (not case.classes and (len(distinct) > MOST_LABELS or (target.dtype.kind == "f" and (target % 1 != 0).any()))):
        return
    hits = _row_mean(np.asarray(target == case.constant).astype(np.float64).reshape(target.shape))
    says = f"(target is {case.constant})"
    yield Rule("accuracy", says, hits, kind="prior")
    yield Rule("accuracy", says, hits, lambda share: 100 * share, lambda score: score / 100, form="in per cent", kind="prior")
    yield Rule("error rate", says, hits, lambda share: 1 - share, lambda score: 1 - score, kind="prior")
    if target.ndim != 1 or len(distinct) < 2:
        return
    yield from _f1(case, hits, distinct, says)
    yield Rule("balanced_acc", fixed=1 / len(distinct) if hits.any() else 0.0)
    if len(distinct) == 2:
        yield Rule("mcc", fixed=0.0)
    if target.dtype.kind in "iufb":
        yield Rule("qwk", fixed=0.0)


def _f1(case: Case, hits: Array, distinct: Array, says: str) -> Iterator[Rule]:
    """F1 of a constant label with the share p: 2p / (1 + p) for its own class, 0 for the others."""
    count = len(distinct)
    if count == 2 and case.constant == distinct[-1]:
        yield Rule("f1", says, hits, lambda p: 2 * p / (1 + p), lambda score: score / (2 - score), kind="prior")
    elif count == 2:
        yield Rule("f1", fixed=0.0)
    yield Rule("macro_f1", says, hits, lambda p: 2 * p / (1 + p) / count, lambda score: count * score / (2 - count * score), kind="prior")
    yield Rule("weighted_f1", says, hits, lambda p: 2 * p * p / (1 + p), lambda score: (score + _root(score**2 + 8 * score)) / 4, kind="prior")


def _binary(case: Case) -> Iterator[Rule]:
    """Probabilities and ranks of two classes."""
    codes = case.codes
    if codes is None or len(case.classes) != 2 or not _is_numbers(case.constant):
        return
    said = np.asarray(case.constant, dtype=np.float64).ravel()
    positive, says = (codes == 1).astype(np.float64), f"(target is {case.classes[1]})"
    yield Rule("auc", fixed=0.5)
    yield Rule("gini", fixed=0.0)
    yield Rule("ap", says, positive, kind="prior")
    if case.columns == 2 and not said.any():
        yield Rule("logloss", fixed=float(np.log(2)), form="rows are made to sum to 1 first")
        yield Rule("logloss", fixed=float(-np.log(1e-15) / 2), form="the mean of two columns, clipped at 1e-15")
        return
    yield from _log_losses(positive, float(said[-1]), says)


def _log_losses(positive: Array, said: float, says: str) -> Iterator[Rule]:
    """Log loss is linear in the share; where the constant is 0 or 1 it depends on the server's clip."""
    edge = not 1e-7 < said < 1 - 1e-7
    for text, clip in CLIPS.items() if edge else [("", 1e-15)]:
        q = float(np.clip(said, clip, 1 - clip))
        yes, no = -float(np.log(q)), -float(np.log1p(-q))
        form = f"probabilities clipped at {text}" if text else ""
        if abs(yes - no) < 1e-9:
            yield Rule("logloss", fixed=yes, form=form)
        else:
            yield Rule("logloss", says, positive, lambda share, yes=yes, no=no: share * yes + (1 - share) * no,
                       lambda score, yes=yes, no=no: (score - no) / (yes - no), form=form, kind="prior")


def _several_classes(case: Case) -> Iterator[Rule]:
    """Log loss of class shares: one number, so not all of the shares can be read from it."""
    codes, count = case.codes, len(case.classes)
    if codes is None or count < 3 or not _is_numbers(case.constant) or case.columns != count:
        return
    said = np.asarray(case.constant, dtype=np.float64).ravel()
    said = np.full(count, said[0]) if said.size == 1 else said
    yield Rule("auc", fixed=0.5)
    shares = np.clip(said, 1e-15, None)
    losses = -np.log(shares / shares.sum())
    if np.ptp(losses) < 1e-12:
        yield Rule("mlogloss", fixed=float(losses[0]), form="rows are made to sum to 1 first")
        if not said.any():
            yield from (Rule("mlogloss", fixed=-float(np.log(clip)), form=f"rows are not made to sum to 1, clipped at {text}")
                        for text, clip in CLIPS.items())
        return
    yield Rule("mlogloss", "-log(the share sent for the true class)", losses[codes])


def _several_columns(case: Case) -> Iterator[Rule]:
    """Several columns of 0 and 1: the mean of their log losses and areas."""
    y, constant = case.numbers, case.number
    if y is None or constant is None or y.ndim != 2 or not np.isin(y, (0, 1)).all():
        return
    yield Rule("auc", fixed=0.5, form="the mean over the columns")
    says = "(answer is 1), over all columns"
    if constant.size == 1:
        yield from _log_losses(y.mean(axis=1), float(constant.ravel()[0]), says)
    elif constant.min() > 1e-7 and constant.max() < 1 - 1e-7:
        yield Rule("logloss", "log loss over all columns", -(y * np.log(constant) + (1 - y) * np.log1p(-constant)).mean(axis=1))


def _is_numbers(value: object) -> bool:
    return np.asarray(value).dtype.kind in "iufb"
