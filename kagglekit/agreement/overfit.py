"""What many submissions do to a public score: drift away from CV, and the luck of the best one."""

import math
from dataclasses import dataclass

import numpy as np

from kagglekit.agreement.gaps import checked
from kagglekit.noise import best_of

Array = np.ndarray

FEWEST = 10  # submissions below which a drift cannot be seen
DRAWS = 9999


@dataclass(frozen=True, slots=True)
class Drift:
    """Rank correlation of the gap (public minus CV) with the order of submission, and its one-sided p ("the gap grows")."""

    value: float
    p: float
    submissions: int


@dataclass(frozen=True, slots=True)
class Inflation:
    """By how much the best of `submissions` public scores is expected to be too good, in the metric's unit."""

    value: float
    submissions: int


def drift(cv: Array, lb: Array, order: Array | None = None, *, seed: int = 0) -> Drift | None:
    """Whether public scores run away from CV as submissions go on, i.e. the public part is being fitted; None below 10.

    `order` is the time rank (default: as given). A drift of .1 gap-sd a submission shows in 20 % of cases at 10 submissions, in
    79 % at 20.

    >>> cv = np.linspace(0.7, 0.8, 12)
    >>> found = drift(cv, cv + np.arange(12) / 100)
    >>> round(found.value, 2), found.p < 0.001
    (1.0, True)
    """
    from kagglekit.metrics import tied_ranks
    cv, lb, _, _ = checked(cv, lb, 0.0, 0.0)
    if len(cv) < FEWEST:
        return None
    when = tied_ranks(np.arange(len(cv)) if order is None else np.asarray(order))
    gap = tied_ranks(np.round(lb - cv, 12))
    when, gap = when - when.mean(), gap - gap.mean()
    size = math.sqrt(float(when @ when) * float(gap @ gap))
    if size == 0:
        return Drift(0.0, 1.0, len(cv))
    random = np.random.default_rng(seed)
    null = random.permuted(np.tile(gap, (DRAWS, 1)), axis=1) @ when
    observed = float(gap @ when)
    return Drift(observed / size, float((1 + (null >= observed - 1e-9 * size).sum()) / (1 + DRAWS)), len(cv))


def inflation(lb: Array, se_lb: Array | float, submissions: int | None = None) -> Inflation:
    """What keeping the best of all public scores gives by luck alone: noise of its own x E[largest of N], less where models differ.

    se_lb: paired standard errors. `submissions` counts those that are not among `lb` too. Where true differences are as large as the
    noise it is .7 of that, where they are much larger nearly nothing. Take it from the best public score before comparing with CV.

    >>> round(inflation(np.full(10, 0.8), 0.002).value, 4), round(inflation(np.linspace(0.6, 0.8, 10), 0.002).value, 5)
    (0.0022, 4e-05)
    """
    _, lb, _, se = checked(lb, lb, 0.0, se_lb)
    count = submissions or len(lb)
    if len(lb) < 2:
        return Inflation(0.0, count)
    own = float(np.median(se[np.triu_indices(len(lb), 1)])) / math.sqrt(2)
    # median distances: one broken model does not make the good ones differ
    spread = max(own, 1.4826 * float(np.median(np.abs(lb - np.median(lb)))))
    return Inflation(own**2 / spread * best_of(count) if spread else 0.0, count)
