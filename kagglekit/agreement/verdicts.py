"""The verdict: tracks, cannot tell, does not track; the power to reach it, and what would settle it."""

import math
from dataclasses import dataclass

import numpy as np

from kagglekit.agreement.gaps import RESOLVED, checked, levels, standardised, tied
from kagglekit.correlation import DRAWS, permutation_p, permutation_shares, signs

Array = np.ndarray

ALPHA = 0.05
FEWEST = 4  # models below which a perfect order is no evidence: its p is at best 1/6
POWER_80 = 2.8  # gap in combined SE that a pair resolves with 80 % power


@dataclass(frozen=True, slots=True)
class Verdict:
    """tracks, cannot-tell or does-not-track, and why.

    G is the share of resolved evidence that agrees, from -1 to 1; p_plus and p_minus are permutation p values of "same order" and
    "reversed order"; p_adj is that of the worst order violation, Bonferroni over all pairs.
    """

    state: str
    why: str
    G: float
    p_plus: float
    p_minus: float
    p_adj: float


@dataclass(frozen=True, slots=True)
class Needed:
    """How many more models, at least `spacing` apart in CV; a pair that is `resolved` apart shows with 80 % power."""

    models: int
    spacing: float
    resolved: float


def verdict(cv: Array, lb: Array, se_cv: Array | float, se_lb: Array | float, df: float = math.inf, *, rounding: float = 0.0,
            seed: int = 0) -> Verdict:
    """Whether the local score tracks the public one, weighing each pair by how far both of its gaps are resolved.

    `df` belongs to se_cv (fold scores - 1), `rounding` is the step of the public score. Simulated: a split without relation is said
    to track in at most 7 % of cases, a perfect one not to track in at most 1 %. Tied pairs give no evidence: "tracks" also needs four
    scores on each side that differ, and with ties an order that Kendall's exact p finds beyond chance too. Permutations are exact
    for up to 7 models, else 9,999 seeded ones.

    >>> found = verdict(np.array([0, 2, 4, 6, 8]), np.array([0, 2, 4.3, 4, 8]), 0.5, 1.0, 4)
    >>> found.state, round(found.G, 4), round(found.p_plus, 4)
    ('tracks', 0.9488, 0.0167)
    >>> top = verdict(np.array([0.90, 0.95, 0.98, 0.99, 1]), np.array([0.9, 0.95, 1, 1, 1]), 0.001, 0.001, 4, rounding=1e-5)
    >>> top.state, top.why
    ('cannot-tell', 'tied')
    """
    cv, lb, se_cv, se_lb = checked(cv, lb, se_cv, se_lb)
    if len(cv) < 2:
        return Verdict("cannot-tell", "too few", math.nan, 1.0, 1.0, 1.0)
    tie = tied(lb, rounding)
    z_cv = standardised(cv[:, None] - cv, se_cv)
    z_lb = np.where(tie, 0.0, standardised(lb[:, None] - lb, np.sqrt(se_lb**2 + rounding**2 / 6)))
    local, public = _soft_sign(z_cv, df), _soft_sign(z_lb, math.inf)
    share, p_plus, p_minus, p_adj = (float(one[0]) for one in _evidence(local, public[None], DRAWS, seed))
    state = _state(len(cv), share, p_plus, p_minus, p_adj)
    if state == "tracks" and _rests_on_ties(cv, lb, tie, rounding, seed):
        return Verdict("cannot-tell", "tied", share, p_plus, p_minus, p_adj)
    return Verdict(state, _why(state, len(cv), z_cv, z_lb, p_adj, share), share, p_plus, p_minus, p_adj)


def _rests_on_ties(cv: Array, lb: Array, tie: Array, rounding: float, seed: int) -> bool:
    if min(levels(cv), levels(lb, rounding)) < FEWEST:
        return True
    pairs = len(cv) * (len(cv) - 1)
    order_cv, order_lb = signs(cv), np.where(tie, 0.0, signs(lb))
    if np.abs(order_cv).sum() == pairs == np.abs(order_lb).sum():
        return False
    return permutation_p(order_cv, order_lb, seed=seed)[0] > ALPHA


def _soft_sign(z: Array, df: float) -> Array:
    """2 P(T < z) - 1: about 0 for a gap inside the noise, -1 or 1 for one that is resolved."""
    return 2 * _below(z, df) - 1


def _below(z: Array, df: float) -> Array:
    from scipy.special import ndtr, stdtr
    return ndtr(z) if math.isinf(df) else stdtr(df, z)


def _evidence(local: Array, public: Array, draws: int, seed: int) -> tuple[Array, Array, Array, Array]:
    """G, p_plus, p_minus, p_adj of one local matrix against several public ones (cases x models x models)."""
    products = local * public
    total, size = products.sum(axis=(1, 2)), np.abs(products).sum(axis=(1, 2))
    share = np.divide(total, size, out=np.full(len(total), np.nan), where=size > 0)
    p_plus, p_minus = permutation_shares(local, public, draws=draws, seed=seed)
    # One-sided p of each side's own sign; a violation needs both resolved (intersection-union test).
    p_pair = np.maximum((1 - np.abs(local)) / 2, (1 - np.abs(public)) / 2)
    p_pair = np.where(products < 0, p_pair, 1.0)
    count = len(local) * (len(local) - 1) / 2
    return share, p_plus, p_minus, np.minimum(1.0, count * p_pair.min(axis=(1, 2)))


def _state(models: int, share: float, p_plus: float, p_minus: float, p_adj: float) -> str:
    if (p_adj < ALPHA and share < 0.5) or (models >= FEWEST and p_minus < ALPHA and share < 0):
        return "does-not-track"
    if models >= FEWEST and p_plus <= ALPHA and share >= 0.5:
        return "tracks"
    return "cannot-tell"


def _why(state: str, models: int, z_cv: Array, z_lb: Array, p_adj: float, share: float) -> str:
    if state == "tracks":
        return "same order"
    if state == "does-not-track":
        return "order violation" if p_adj < ALPHA and share < 0.5 else "reversed order"
    if models < FEWEST:
        return "too few"
    resolved = (np.abs(z_cv) > RESOLVED) & (np.abs(z_lb) > RESOLVED)
    if not resolved.any():
        return "noise-limited"
    return "consistent so far" if (z_cv * z_lb)[resolved].min() > 0 else "mixed"


def power_to_track(cv: Array, se_cv: Array | float, se_lb: Array | float, df: float = math.inf, *, draws: int = 500,
                   seed: int = 0) -> float:
    """P(verdict says tracks) if it does: public scores drawn as cv plus the noise of both sides.

    >>> power_to_track(np.arange(5) * 4.0, 0.5, 1.0, 4) > 0.9
    True
    """
    cv, _, se_cv, se_lb = checked(cv, cv, se_cv, se_lb)
    m = len(cv)
    if m < FEWEST:
        return 0.0
    squared = (se_cv**2 + se_lb**2) * (1 - np.eye(m))
    centre = np.eye(m) - 1 / m  # classical scaling: the covariance, up to a common shift, that has these gap variances
    values, vectors = np.linalg.eigh(-centre @ squared @ centre / 2)
    random = np.random.default_rng(seed)
    lb = cv + random.standard_normal((draws, m)) @ (vectors * np.sqrt(np.maximum(values, 0))).T
    local = _soft_sign(standardised(cv[:, None] - cv, se_cv), df)
    public = _soft_sign(standardised(lb[:, :, None] - lb[:, None, :], se_lb), math.inf)
    evidence = zip(*_evidence(local, public, 1999, seed), strict=True)
    return float(np.mean([_state(m, *(float(part) for part in one)) == "tracks" for one in evidence]))


def models_needed(models: int, se_cv: float, se_lb: float) -> Needed:
    """How many more models would settle it, how far apart: five, at least 1 public SE apart, track visibly in 91 % of cases.

    >>> models_needed(2, 3.0, 4.0)
    Needed(models=3, spacing=4.0, resolved=14.0)
    """
    return Needed(max(0, 5 - models), float(se_lb), POWER_80 * math.hypot(se_cv, se_lb))


