"""The shake-up: will the public order hold on the private board, for two models and for the whole board."""

import math
from dataclasses import dataclass

import numpy as np

from kagglekit.agreement.gaps import checked, tied
from kagglekit.errors import KKError

Array = np.ndarray

GRID = 400
ROUNDS = 60
DRAWS = 400
MOST_TEAMS = 20_000
TOP = 10
FEWEST = 4  # models whose spread says how far true gaps reach
LEAST = 0.25  # of the public noise: the least that spread


@dataclass(frozen=True, slots=True)
class BoardForecast:
    """What the public board is expected to look like in private, and one's own place there (None where own is not given).

    tau: Kendall between public and private order; top_kept: share of the public first ten that stay there; leader_stays: P;
    mean_move: mean |change of place| / teams; noise_share: share of neighbouring pairs (one quarter of the board apart or nearer) whose
    order is expected to turn; `near`: teams within one paired SE of one's own score; place, low, high: own public place and the 90 %
    interval of the private one.
    """

    teams: int
    tau: float
    top_kept: float
    leader_stays: float
    mean_move: float
    noise_share: float
    near: int | None = None
    place: int | None = None
    low: int | None = None
    high: int | None = None


def p_order(cv: Array | None, lb: Array, se_cv: Array | float, se_lb: Array | float, *, n_public: float, n_private: float,
            tau2: float = 0.0, rounding: float = 0.0) -> Array:
    """P(private order = public order) of each pair, models x models (1 on the diagonal, .5 for ties).

    The public gap and the CV gap are averaged by their noise; the prior is the spread of the public gaps beyond noise (with CV: from 4
    models). tau2: variance of the gaps beyond noise (gap_model), which CV is charged with. A random cut into public and private is assumed.

    >>> chance = p_order(np.array([0.80, 0.81]), np.array([0.790, 0.791]), 0.005, 0.005, n_public=3000, n_private=7000)
    >>> round(float(chance[0, 1]), 2)
    0.87
    """
    cv, lb, se_cv, se_lb = checked(lb if cv is None else cv, lb, se_cv if cv is not None else math.inf, se_lb)
    if not (n_public > 0 and n_private > 0):
        raise KKError(f"{n_public:g} public and {n_private:g} private rows give no forecast", "Give the rows of both parts")
    gap, public = lb[:, None] - lb, se_lb**2 + rounding**2 / 6
    prior_mean, prior = cv[:, None] - cv, se_cv**2 + 2 * tau2
    upper = np.triu_indices(len(lb), 1)
    spread = max(float(np.mean(gap[upper] ** 2 - public[upper])), 0.0) if len(lb) > 1 else 0.0
    if np.isinf(prior).any():
        prior_mean, prior = np.zeros_like(gap), np.full_like(public, spread)
    elif len(lb) >= FEWEST:
        spread = max(spread, LEAST * float(np.mean(public[upper])), 1e-300)
        prior_mean, prior = prior_mean * spread / (spread + prior), prior * spread / (spread + prior)
    total = np.maximum(prior + public, 1e-300)
    mean = (prior * gap + public * prior_mean) / total
    sd = np.sqrt(np.maximum(prior * public / total + se_lb**2 * n_public / n_private, 1e-300))
    from scipy.special import ndtr
    chance = ndtr(np.where(tied(lb, rounding), 0.0, np.sign(gap)) * mean / sd)
    np.fill_diagonal(chance, 1.0)
    return chance


def board_forecast(scores: Array, se_paired: float, *, n_public: float, n_private: float, own: float | None = None,
                   draws: int = DRAWS, seed: int = 0) -> BoardForecast:
    """The private board that a public one (scores higher-is-better) lets expect.

    se_paired: standard error of a public gap of two good models. The distribution of the true scores is deconvolved on a grid (EM, few
    rounds from flat: heavy tails stay); each team's true score is drawn from its posterior and meets the noise of the private rows.
    A board of only its first places says nothing of teams that come from below: the own interval is then too good.

    >>> found = board_forecast(np.linspace(0.7, 0.8, 200), 0.002, n_public=3000, n_private=7000, own=0.79)
    >>> found.place, found.low < 21 < found.high, found.tau > 0.9
    (21, True, True)
    """
    scores = np.sort(np.asarray(scores, float)[np.isfinite(scores)])[::-1]
    if len(scores) < 2:
        raise KKError(f"the board has {len(scores)} scores", "Fetch it again with: kk status")
    random = np.random.default_rng(seed)
    scores = scores if len(scores) <= MOST_TEAMS else np.sort(random.choice(scores, MOST_TEAMS, replace=False))[::-1]
    sd = max(se_paired / math.sqrt(2), 1e-12 * (1 + float(np.abs(scores).max())))
    private = _private_draws(scores, sd, sd * math.sqrt(n_public / n_private), draws, random)
    places = np.empty_like(private, dtype=np.intp)
    np.put_along_axis(places, np.argsort(-private, axis=1), np.arange(len(scores))[None], axis=1)
    teams, top = len(scores), min(TOP, len(scores) // 2)
    near, own_places = None, (None, None, None)
    if own is not None:
        me = int(np.argmin(np.abs(scores - own)))
        low, high = (round(float(one)) + 1 for one in np.quantile(places[:, me], (0.05, 0.95)))
        near, own_places = int((np.abs(scores - own) <= se_paired).sum()) - 1, (int((scores > scores[me]).sum()) + 1, low, high)
    turned, tau = _turned(scores, private, random)
    return BoardForecast(teams, tau, float((places[:, :top] < top).mean()) if top else 1.0, float((places[:, 0] == 0).mean()),
                         float(np.abs(places - np.arange(teams)).mean() / teams), turned, near, *own_places)


def _private_draws(scores: Array, sd: float, private_sd: float, draws: int, random: np.random.Generator) -> Array:
    """Private scores, draws x teams."""
    places = np.unique(np.r_[np.quantile(scores, np.linspace(0, 1, GRID)), np.linspace(scores[-1] - 3 * sd, scores[0] + sd, GRID // 4)])
    fit = np.exp(-0.5 * np.minimum(((scores[:, None] - places) / sd) ** 2, 1400))
    width = np.gradient(places) if len(places) > 1 else np.ones(1)
    share = width / width.sum()
    for _ in range(ROUNDS):
        part = fit * share
        share = (part / np.maximum(part.sum(axis=1, keepdims=True), 1e-300)).mean(axis=0)
    edges = np.cumsum(fit * share, axis=1)
    edges /= np.maximum(edges[:, -1:], 1e-300)
    true = np.empty((draws, len(scores)))
    for team, edge in enumerate(edges):
        true[:, team] = places[np.minimum(np.searchsorted(edge, random.random(draws)), len(places) - 1)]
    return true + private_sd * random.standard_normal(true.shape)


def _turned(scores: Array, private: Array, random: np.random.Generator) -> tuple[float, float]:
    """Share of near pairs whose order turns, and Kendall's tau of the whole board; over sampled pairs."""
    teams = len(scores)
    first, second = random.integers(0, teams, (2, 20_000))
    keep = scores[first] != scores[second]
    first, second = np.minimum(first, second)[keep], np.maximum(first, second)[keep]
    if not len(first):
        return 0.5, 0.0
    draw = random.integers(0, len(private), len(first))
    turns = private[draw, first] < private[draw, second]
    near = second - first <= max(1, teams // 4)
    return float(turns[near].mean()) if near.any() else float(turns.mean()), float(1 - 2 * turns.mean())
