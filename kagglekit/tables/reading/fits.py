"""Which metrics a constant's score fits: the competition's own, and every other that is known."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from kagglekit.metrics import REGISTRY, Metric
from kagglekit.tables.reading.case import Array, Case
from kagglekit.tables.reading.rules import ALIASES, Rule, named, rules

OWN_NOISE, OTHER_NOISE = 3.0, 2.0  # standard errors within which the named metric, or another one, fits
FAR = 0.3  # share of the expected score beyond which a gap is more than a usual shift of the target
OUT_OF_REACH = 2.0  # ratio of score and expected one that a shift hardly explains: another metric that fits is then believed
DRAWS, MOST_ROWS = 60, 20_000
RIVALS = 3
COMMON = {"rmse", "mse", "rmsle", "msle", "mae", "logloss", "accuracy", "error rate"}  # names that are mixed up: their noise may be larger
NOISE, NOISE_OF_COMMON = 0.1, 0.25


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """One rule beside the score: gap and standard error in the mean's own unit, `z` the one over the other."""

    rule: Rule
    score: float
    public: float
    train: float
    se: float
    expected: float
    expected_se: float
    z: float
    possible: bool

    @property
    def name(self) -> str:
        """The metric's name with what is special about this way of computing it."""
        return self.rule.name + (f" ({self.rule.form})" if self.rule.form else "")

    @property
    def far(self) -> bool:
        """Whether the score is off by more than a usual shift of the target."""
        return not self.possible or (abs(self.z) > OWN_NOISE + 1 and abs(self.score - self.expected) > FAR * abs(self.expected))

    @property
    def out_of_reach(self) -> bool:
        """Whether the score is so far off that a shift of the target hardly explains it."""
        ratio = abs(self.score) / max(abs(self.expected), 1e-300)
        return not self.possible or (self.far and not 1 / OUT_OF_REACH <= ratio <= OUT_OF_REACH)

    @property
    def fits(self) -> bool:
        """Whether the score is what this metric gives, within its noise."""
        return self.possible and abs(self.z) <= OWN_NOISE

    @property
    def fits_well(self) -> bool:
        """As `fits`, for a metric that nobody named: nearer, and with noise small enough to mean something."""
        most = NOISE_OF_COMMON if self.rule.name in COMMON else NOISE
        return self.possible and abs(self.z) <= OTHER_NOISE and (self.rule.fixed is not None or self.se <= most * abs(self.train))


@dataclass(frozen=True, slots=True, eq=False)
class Fits:
    """The named metric's ways to score the constant, and the other metrics that would give this score."""

    own: tuple[Fit, ...]
    rivals: tuple[Fit, ...]

    @property
    def best(self) -> Fit | None:
        """The usual one of the named metric's ways that fit, else the one that is nearest; None where the metric is not known."""
        fitting = [fit for fit in self.own if fit.fits]
        nearest = sorted(self.own, key=lambda fit: (not fit.possible, abs(fit.z)))
        return next(iter([*fitting, *nearest]), None)

    @property
    def rival_names(self) -> str:
        """The other metrics that fit, as words."""
        names = list(dict.fromkeys(fit.name for fit in self.rivals))
        return ", ".join(names[:RIVALS]) + (f" and {len(names) - RIVALS} more" if len(names) > RIVALS else "")


def compare(case: Case, others: Sequence[Case] = ()) -> Fits:
    """The score beside what the named metric and every other one give on train's target with this constant.

    `others` are further constants that were scored: another metric has to fit these too.
    """
    known = rules(case)
    own = tuple(fit_of(case, rule) for rule in named(case, known) or _by_function(case, case.scorer))
    names, mine = {rule.name for rule in known}, {ALIASES.get(case.metric, case.metric), *(fit.rule.name for fit in own)}
    rest = [rule for rule in known if rule.name not in mine]
    for name in REGISTRY.names():
        if ALIASES.get(name, name) not in names | mine:
            rest += _by_function(case, REGISTRY.get(name))
    wrong = {name for other in others for name in _ruled_out(other)}
    rivals = [fit for fit in (fit_of(case, rule) for rule in rest) if fit.fits_well and fit.rule.name not in wrong]
    usual = {rule.name: rule for rule in reversed(known)}
    rivals = [fit for fit in rivals if usual.get(fit.rule.name, fit.rule) is fit.rule]
    if any(fit.fits and fit.rule.fixed is not None for fit in own):  # an exact score beside noisy ones
        rivals = [fit for fit in rivals if fit.rule.fixed is not None]
    return Fits(own, tuple(sorted(rivals, key=lambda fit: (fit.rule.name not in REGISTRY, abs(fit.z)))))


def _ruled_out(case: Case) -> set[str]:
    """The metrics of which no way gives this constant's score."""
    fits = [fit_of(case, rule) for rule in rules(case)]
    return {fit.rule.name for fit in fits} - {fit.rule.name for fit in fits if fit.fits}


def fit_of(case: Case, rule: Rule) -> Fit:
    """The score beside one rule."""
    half = case.step / 2 * (1 + 1e-6) + 1e-12
    expected, expected_se = rule.expected(case)
    if rule.values is None:
        z = 0.0 if abs(case.score - expected) <= half else np.inf
        return Fit(rule, case.score, case.score, expected, 0.0, expected, 0.0, z, True)
    public, train = rule.solved(case.score), float(rule.values.mean())
    blur = abs(rule.solved(case.score + half) - rule.solved(case.score - half)) / 2
    se = case.se_of_mean(rule.values)
    gap = max(abs(public - train) - (blur if np.isfinite(blur) else 0.0), 0.0)
    z = 0.0 if gap == 0 else float(np.sign(public - train) * gap / se) if se > 0 else np.inf
    z = z if np.isfinite(public) else np.inf
    possible = bool(np.isfinite(public)) and abs(rule.forward(public) - case.score) <= 1e-6 * max(1.0, abs(case.score)) + half
    low, high = rule.values.min(), 1.0 if rule.kind == "prior" else np.inf
    possible &= (low < 0 or public >= -blur) and public <= high + blur
    return Fit(rule, case.score, float(public), train, se, expected, expected_se, z, possible)


def _by_function(case: Case, metric: Metric | None) -> Iterator[Rule]:
    """A rule for a metric that has none: its score on train, with its influence or a bootstrap for the noise."""
    forms = _forms(case, metric) if metric is not None else None
    if metric is None or forms is None:
        return
    truth, said = forms
    try:
        with np.errstate(all="ignore"):
            score = metric(truth, said)
            values = score + metric.influence(truth, said) if metric.influence is not None else _drawn(metric, truth, said, score)
    except Exception:  # a person's own metric may raise anything; then it says nothing of this constant
        return
    if np.isfinite(score) and np.isfinite(values).all():
        yield Rule(metric.name, f"{metric.name} itself", values) if np.ptp(values) > 1e-12 else Rule(metric.name, fixed=float(score))


def _forms(case: Case, metric: Metric) -> tuple[Array, Array] | None:
    """Truth and the constant for every row, in the form that the metric takes."""
    constant, rows = np.asarray(case.constant), len(case.target)
    if metric.needs in ("proba", "rank") and (case.codes is None or constant.dtype.kind not in "iufb"):
        return None
    truth = {"label": np.asarray(case.target), "value": case.numbers}.get(metric.needs, case.codes)
    if truth is None or (metric.needs == "value" and constant.dtype.kind not in "iufb") or (metric.needs == "label" and constant.ndim):
        return None
    if metric.needs == "label" and metric.classes == "binary" and len(case.classes) != 2:
        return None
    wide = truth.ndim == 2 or (metric.classes == "multiclass" and metric.needs != "label")
    width = truth.shape[1] if truth.ndim == 2 else len(case.classes)
    if metric.needs != "label" and not wide:
        return truth, np.full(rows, constant.ravel()[-1])
    return truth, np.broadcast_to(constant, (rows, width)) if wide else np.full(rows, constant)


def _drawn(metric: Metric, truth: Array, said: Array, score: float) -> Array:
    """Values whose mean is the score and whose spread gives the bootstrap's standard error (rows; groups as they are)."""
    random, size = np.random.default_rng(0), min(len(truth), MOST_ROWS)
    picks = (random.integers(0, len(truth), size) for _ in range(DRAWS))
    spread = float(np.std([metric(truth[rows], said[rows]) for rows in picks])) * np.sqrt(size)
    return score + spread * np.where(np.arange(len(truth)) % 2, 1.0, -1.0)


def flipped(case: Case, fits: Fits, turned: Fits) -> bool:
    """Whether the server shows minus the error: below 0 the named metric is not possible, with the sign turned it is."""
    possible = any(fit.possible for fit in turned.own) and not any(fit.possible for fit in fits.own)
    return case.score < 0 and possible and (any(fit.fits for fit in turned.own) or not fits.rivals)
