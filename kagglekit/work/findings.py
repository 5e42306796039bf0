"""What follows from the evidence: the verdict, its scale, what can and cannot be said, and the cheapest next command."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kagglekit import agreement
from kagglekit.work.evidence import Evidence

WORDS = {"tracks": "tracks", "cannot-tell": "cannot tell yet whether it tracks", "does-not-track": "does not track"}
WHY = {
    "same order": "the order of the models is the same in both, beyond chance",
    "order violation": "a pair of models is in the opposite order on both sides beyond its noise",
    "reversed order": "the order of the models is reversed, beyond chance",
    "too few": "fewer than four real models",
    "noise-limited": "no pair of models is further apart than the noise on both sides",
    "consistent so far": "every resolved pair agrees, but there are too few of them",
    "mixed": "resolved pairs point both ways",
}
FEW_FOR_TABLE = 8


@dataclass(frozen=True, slots=True)
class Local:
    """The verdict on the models near the best one, and the smallest local gap that is resolved on both sides."""

    verdict: str
    models: int
    smallest_resolved_gap: float | None


@dataclass(frozen=True, slots=True)
class Finding:
    """The verdict with everything that qualifies it."""

    state: str
    why: str
    direction: str
    m_distinct: int
    scale: float | None
    local: Local
    needed: agreement.Needed
    p_plus: float | None
    G: float | None
    can_say: str
    cannot_say: str
    advice: tuple[str, ...]
    next: str


def find(evidence: Evidence) -> Finding:
    """The verdict over the real, distinct models, in words."""
    cv, lb = evidence.cv, evidence.lb
    kept = agreement.distinct_models(cv, lb, evidence.se_cv, evidence.se_lb, evidence.correlation) if len(cv) else []
    grid = np.ix_(kept, kept)
    se_cv, se_lb = evidence.se_cv[grid], np.sqrt(evidence.se_lb[grid] ** 2 + evidence.rounding**2 / 6)
    cv, lb = cv[kept], lb[kept]
    result = agreement.verdict(cv, lb, se_cv, se_lb, evidence.df) if len(kept) > 1 else None
    state, why = (result.state, result.why) if result else ("cannot-tell", "too few")
    if state == "tracks" and not evidence.known and len(kept) < FEW_FOR_TABLE:
        state, why = "cannot-tell", "consistent so far"
    scale = agreement.smallest_resolved_gap(cv, lb, se_cv, se_lb) if len(kept) > 1 else None
    local = _local(cv, lb, se_cv, se_lb, evidence.df)
    needed = _needed(se_cv, se_lb)
    direction = agreement.direction(cv, lb, evidence.rounding) if len(kept) > 1 else "mixed"
    can, cannot = _said(evidence, state, why, direction, len(kept), scale, local)
    next_command, advice = _next(evidence, state, why, direction, needed)
    return Finding(state, WHY.get(why, why), direction, len(kept), scale, local, needed, result.p_plus if result else None,
                   result.G if result and not math.isnan(result.G) else None, can, cannot, advice, next_command)


def _needed(se_cv: np.ndarray, se_lb: np.ndarray) -> agreement.Needed:
    """How many more models at what spacing, from the typical noise of a pair."""
    upper = np.triu_indices(len(se_cv), 1)
    if not len(upper[0]):
        return agreement.Needed(5 - len(se_cv), math.nan, math.nan)
    return agreement.models_needed(len(se_cv), float(np.median(se_cv[upper])), float(np.median(se_lb[upper])))


def _local(cv: np.ndarray, lb: np.ndarray, se_cv: np.ndarray, se_lb: np.ndarray, df: float) -> Local:
    if len(lb) < 2:
        return Local("cannot-tell", len(lb), None)
    near = agreement.local_models(lb, se_lb)
    grid = np.ix_(near, near)
    if len(near) < 2:
        return Local("cannot-tell", len(near), None)
    result = agreement.verdict(cv[near], lb[near], se_cv[grid], se_lb[grid], df)
    return Local(result.state, len(near), agreement.smallest_resolved_gap(cv[near], lb[near], se_cv[grid], se_lb[grid]))


def _said(evidence: Evidence, state: str, why: str, direction: str, m: int, scale: float | None, local: Local) -> tuple[str, str]:
    """The first two lines: what can be said and what cannot."""
    name = evidence.metric.name
    if m == 0:
        return f"Nothing yet: no model of {evidence.split} has a public score", "Whether this split can be trusted"
    if m == 1:
        return f"One model of {evidence.split} has a public score: no comparison yet", "Whether a better local score is a better public one"
    if state == "tracks":
        can = f"{evidence.split} tracks the leaderboard" + (f", for gaps of at least {scale:.5g} {name}" if scale else "")
        cannot = f"Anything about smaller gaps; p is exact for {m} models, not for those to come"
        if local.models >= 4 and local.verdict != state:
            cannot = f"The order of the {local.models} best models: among them {evidence.split} {WORDS[local.verdict]}"
        return can, cannot
    if state == "does-not-track":
        return (f"{evidence.split} does not track the leaderboard: {WHY[why]}",
                "Which model is better: a gain under this split may be a loss on the leaderboard")
    if m < 4 and direction in ("same", "opposite"):
        chance = {2: "a coin does this half of the time", 3: "chance does this once in six"}[m]
        meaning = f"the same order in both ({chance}): go on" if direction == "same" else "the opposite order, inside the noise: no action"
        return f"{m} models of {evidence.split}: {meaning}", f"Whether {evidence.split} tracks: that needs at least 4 real models"
    return f"{m} models of {evidence.split}: {WHY.get(why, why)}", f"Whether {evidence.split} tracks the leaderboard"


def _next(evidence: Evidence, state: str, why: str, direction: str, needed: agreement.Needed) -> tuple[str, tuple[str, ...]]:
    """The cheapest next command and the advice around it."""
    if state == "tracks":
        return "kk ensemble", (*evidence.notes, "choose models by this split; the public score only confirms")
    if state == "does-not-track":
        return "kk cv --split auto", (*evidence.notes, "do not choose models by this split",
                                      "train the same recipes on another split: their public scores are borrowed, no submission is spent")
    advice = list(evidence.notes)
    if needed.models:
        apart = f", at least {needed.spacing:.5g} {evidence.metric.name} apart" if needed.spacing == needed.spacing else ""
        advice.append(f"{needed.models} more models would settle it{apart}: deliberately weaker ones count (linear, tree, forest)")
        return "kk train linear --refit", tuple(advice)
    advice.append(f"a pair needs a gap of {needed.resolved:.5g} {evidence.metric.name} to be resolved with 80 % power")
    return "kk submit RUN", tuple(advice)


def correlations(evidence: Evidence) -> dict[str, dict[str, float | None]]:
    """Kendall with exact p, Spearman and Pearson with intervals only where they mean something."""
    cv, lb = evidence.cv, evidence.lb
    if len(cv) < 2:
        return {"kendall": {"value": None, "p": None}, **{name: {"value": None, "low": None, "high": None} for name in ("spearman", "pearson")}}
    tau, p = agreement.kendall_exact(cv, lb)
    rank, line = agreement.spearman(cv, lb), agreement.pearson(cv, lb)
    return {"kendall": {"value": clean(tau), "p": clean(p)},
            "spearman": {"value": clean(rank.value), "low": clean(rank.low), "high": clean(rank.high)},
            "pearson": {"value": clean(line.value), "low": clean(line.low), "high": clean(line.high)}}


def offset(evidence: Evidence) -> dict[str, float | None]:
    """The constant between local and public scores, in the metric's own direction."""
    if len(evidence.models) < 2:
        return {"value": None, "se": None}
    covariance = agreement.covariance_of(evidence.se_cv) + agreement.covariance_of(evidence.se_lb)
    found = agreement.offset(evidence.cv, evidence.lb, covariance)
    return {"value": clean(evidence.metric.sign * found.value), "se": clean(found.se)}


def pair_rows(evidence: Evidence) -> list[dict[str, object]]:
    """Every pair of real models, gaps as the competition shows its scores."""
    if len(evidence.models) < 2:
        return []
    sign, names = evidence.metric.sign, [model.run for model in evidence.models]
    return [{"a": names[pair.i], "b": names[pair.j], "cv_gap": sign * pair.cv_gap, "cv_se": pair.cv_se, "public_gap": sign * pair.public_gap,
             "public_se": pair.public_se, "agree": pair.agree, "explained_by_noise": bool(pair.explained_by_noise)}
            for pair in agreement.pairs(evidence.cv, evidence.lb, evidence.se_cv, evidence.se_lb, evidence.rounding)]


def clean(value: float | None) -> float | None:
    """None for what is not a number."""
    return None if value is None or not math.isfinite(value) else float(value)


def compared(evidences: Sequence[Evidence]) -> list[dict[str, object]]:
    """Splits side by side over the recipes that all of them have."""
    common = set.intersection(*({model.recipe for model in evidence.models} for evidence in evidences))
    order = [model.recipe for model in evidences[0].models if model.recipe in common]
    if len(order) < 2:
        return []
    tables = []
    for evidence in evidences:
        score = {model.recipe: value for model, value in zip(evidence.models, evidence.cv, strict=True)}
        tables.append([score[recipe] for recipe in order])
    public = {model.recipe: value for model, value in zip(evidences[0].models, evidences[0].lb, strict=True)}
    fits = agreement.compare_splits(np.array(tables), np.array([public[recipe] for recipe in order]))
    return [{"split": evidences[fit.split].split, "loo_rmse": clean(fit.loo_rmse), "tau": clean(fit.tau), "p_best": clean(fit.p_best)}
            for fit in fits]
