"""What follows from the evidence: the order, the verdict with its scale, and everything that qualifies it."""

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from kagglekit import agreement
from kagglekit.work.lb_words import WHY, WORDS, Said, order_words, said_of
from kagglekit.work.next_models import Ready
from kagglekit.work.scored import Evidence

__all__ = ["WORDS", "Finding", "Local", "correlations", "find", "fit_of", "offset", "overfit_of", "pair_rows"]
Array = np.ndarray
FEWEST, MOST_DRAWN = 4, 50  # models for which the power is simulated
BEYOND = 0.05  # p of the gaps below which no constant explains them


@dataclass(frozen=True, slots=True)
class Local:
    """The verdict on the models near the best one, and the smallest local gap that is resolved on both sides."""

    verdict: str
    models: int
    smallest_resolved_gap: float | None


@dataclass(frozen=True, slots=True)
class Finding:
    """The verdict with everything that qualifies it; `order` answers first whether the models are in the same order on both sides.

    `scale` is the smallest resolved gap, `power` the chance that these models show a split that tracks.
    """

    state: str
    why: str
    direction: str
    order: str
    m_distinct: int
    scale: float | None
    local: Local
    needed: agreement.Needed
    power: float | None
    p_plus: float | None
    p_minus: float | None
    G: float | None
    can_say: str
    cannot_say: str
    do_next: str
    advice: tuple[str, ...]
    next: str


@dataclass(frozen=True, slots=True)
class _Case:
    """Scores (higher is better) and noise of the real models, each once."""

    cv: Array
    lb: Array
    se_cv: Array
    se_lb: Array
    df: float
    step: float

    def part(self, rows: list[int]) -> "_Case":
        grid = np.ix_(rows, rows)
        return _Case(self.cv[rows], self.lb[rows], self.se_cv[grid], self.se_lb[grid], self.df, self.step)

    def verdict(self) -> agreement.Verdict:
        return agreement.verdict(self.cv, self.lb, self.se_cv, self.se_lb, self.df, rounding=self.step)

    def scale(self) -> float | None:
        rounded = np.sqrt(self.se_lb**2 + self.step**2 / 6)
        return agreement.smallest_resolved_gap(self.cv, self.lb, self.se_cv, rounded) if len(self.cv) > 1 else None


def _case(evidence: Evidence) -> _Case:
    whole = _Case(evidence.cv, evidence.lb, evidence.se_cv, evidence.se_lb, evidence.df, evidence.rounding)
    if len(whole.cv) < 2:
        return whole
    return whole.part(agreement.distinct_models(whole.cv, whole.lb, whole.se_cv, whole.se_lb, evidence.correlation))


def find(evidence: Evidence, ready: Ready | None = None) -> Finding:
    """The verdict over the real, distinct models, in words; `ready` holds what can be submitted or trained next.

    Where the number of public rows is not known, the verdicts for fewer and for more are said.
    """
    case = _case(evidence)
    m = len(case.cv)
    result = case.verdict()
    state, why = result.state, result.why
    if state == "tracks" and not evidence.known:
        state, why = "cannot-tell", "consistent so far"
    local, needed = _local(case, evidence.known), _needed(case)
    direction = agreement.direction(case.cv, case.lb, case.step) if m > 1 else "mixed"
    order = order_words(_agreeing(case), m)
    otherwise = [_with_rows(other, state) for other in evidence.others]
    said = said_of(evidence, Said(state, why, direction, order, m, case.scale(), local.verdict, local.models, otherwise), needed, ready or Ready())
    power = agreement.power_to_track(case.cv, case.se_cv, case.se_lb, case.df, draws=200) if FEWEST <= m <= MOST_DRAWN else None
    return Finding(state, WHY.get(why, why), direction, order, m, case.scale(), local, needed, power, _known(result.p_plus, m),
                   _known(result.p_minus, m), clean(result.G), *said)


def _with_rows(other: Evidence, state: str) -> str:
    """The verdict for another number of public rows."""
    found = find(other).state
    return f"with {other.n_public:,.0f} " + ("it is the same" if found == state else f"it {WORDS[found]}")


def _known(value: float, m: int) -> float | None:
    return clean(value) if m > 1 else None


def _needed(case: _Case) -> agreement.Needed:
    """How many more models at what spacing, from the typical noise of a pair."""
    upper = np.triu_indices(len(case.cv), 1)
    if not len(upper[0]):
        return agreement.Needed(5 - len(case.cv), math.nan, math.nan)
    return agreement.models_needed(len(case.cv), float(np.median(case.se_cv[upper])), float(np.median(case.se_lb[upper])))


def _local(case: _Case, known: bool) -> Local:
    """The same rule on the models within 5 paired SE of the best."""
    if len(case.cv) < 2:
        return Local("cannot-tell", len(case.cv), None)
    near = case.part(agreement.local_models(case.lb, case.se_lb))
    state = near.verdict().state if len(near.cv) > 1 else "cannot-tell"
    return Local("cannot-tell" if state == "tracks" and not known else state, len(near.cv), near.scale())


def _agreeing(case: _Case) -> list[int]:
    """1, 0 or -1 for each pair: the same order on both sides, a tie, the opposite."""
    upper = np.triu_indices(len(case.cv), 1)
    public = np.where(agreement.tied(case.lb, case.step), 0.0, np.sign(case.lb[:, None] - case.lb))
    return [int(one) for one in (np.sign(case.cv[:, None] - case.cv) * public)[upper]]


def pair_rows(evidence: Evidence) -> list[Mapping[str, object]]:
    """Every pair of real models, those whose gaps differ most for their noise first; gaps as the competition shows its scores."""
    sign, names = evidence.metric.sign, [model.run for model in evidence.models]
    if len(names) < 2:
        return []
    return [{"a": names[pair.i], "b": names[pair.j], "cv_gap": sign * pair.cv_gap, "cv_se": pair.cv_se, "public_gap": sign * pair.public_gap,
             "public_se": pair.public_se, "agree": pair.agree, "z": clean(pair.z_gap), "explained_by_noise": bool(pair.explained_by_noise)}
            for pair in agreement.pairs(evidence.cv, evidence.lb, evidence.se_cv, evidence.se_lb, evidence.rounding)]


def correlations(evidence: Evidence) -> dict[str, dict[str, float | None]]:
    """Kendall with exact p, Spearman and Pearson with intervals and leave-one-out range only where they mean something."""
    cv, lb = evidence.cv, evidence.lb
    nothing: dict[str, float | None] = {"value": None, "low": None, "high": None, "loo_low": None, "loo_high": None}
    if len(cv) < 2:
        return {"kendall": {"value": None, "p": None, "low": None, "high": None}, "spearman": nothing, "pearson": nothing}
    tau, p = agreement.kendall_exact(cv, lb)
    found = {name: dataclasses.asdict(measure(cv, lb)) for name, measure in (("spearman", agreement.spearman), ("pearson", agreement.pearson))}
    low, high = agreement.kendall_interval(tau, len(cv))
    return {"kendall": {"value": clean(tau), "p": clean(p), "low": clean(low), "high": clean(high)},
            **{name: {key: clean(one[key]) for key in nothing} for name, one in found.items()}}


def offset(evidence: Evidence) -> dict[str, float | None]:
    """The constant between local and public scores, in the metric's own direction; in_se: in typical paired SE of the public score.

    Where no constant fits (the gaps differ beyond noise) it is the plain mean of the gaps.
    """
    count = len(evidence.models)
    if count < 2:
        return {"value": None, "se": None, "in_se": None}
    model = agreement.gap_model(*_arrays(evidence), evidence.df, rounding=evidence.rounding)
    found, gaps = model.offset, evidence.lb - evidence.cv
    if model.p is not None and model.p < BEYOND:
        found = agreement.Offset(float(gaps.mean()), float(gaps.std(ddof=1)) / math.sqrt(count))
    paired = float(np.median(evidence.se_lb[np.triu_indices(count, 1)]))
    return {"value": clean(evidence.metric.sign * found.value), "se": clean(found.se), "in_se": clean(abs(found.value) / paired) if paired else None}


def _arrays(evidence: Evidence) -> tuple[Array, Array, Array, Array]:
    return evidence.cv, evidence.lb, evidence.se_cv, evidence.se_lb


def fit_of(evidence: Evidence) -> dict[str, object]:
    """How far a constant and noise explain the gaps, the slope, and models that do not belong."""
    empty = {"value": None, "low": None, "high": None}
    if len(evidence.models) < 3:
        return {"gap": {"explained": None, "p": None, "tau": None}, "slope": empty, "outliers": ()}
    arrays = _arrays(evidence)
    model = agreement.gap_model(*arrays, evidence.df, rounding=evidence.rounding)
    line = agreement.slope(*arrays)
    strange = agreement.outliers(*arrays, evidence.df, inference=[one.inference for one in evidence.models], rounding=evidence.rounding)
    return {"gap": {"explained": model.explained, "p": model.p, "tau": clean(math.sqrt(model.tau2))},
            "slope": empty if line is None else {key: clean(value) for key, value in dataclasses.asdict(line).items()},
            "outliers": tuple({"run": evidence.models[one.model].run, "z": clean(one.z), "p": one.p, "readings": one.readings} for one in strange)}


def overfit_of(evidence: Evidence) -> dict[str, object]:
    """Drift of public scores away from CV (from 10 submissions), and what keeping the best of all public scores gives by luck."""
    models = evidence.models
    if len(models) < 2:
        return {"drift": None, "inflation": None}
    found = agreement.drift(evidence.cv, evidence.lb, np.array([model.sent for model in models]))
    luck = agreement.inflation(evidence.lb, evidence.se_lb, max(evidence.submissions - len(evidence.anchors), len(models)))
    best = max(range(len(models)), key=lambda place: evidence.lb[place])
    return {"drift": None if found is None else dataclasses.asdict(found),
            "inflation": {"value": clean(luck.value), "submissions": luck.submissions, "best": models[best].run,
                          "corrected": clean(models[best].public - evidence.metric.sign * luck.value)}}


def clean(value: float | None) -> float | None:
    """None for what is not a number."""
    return None if value is None or not math.isfinite(value) else float(value)
