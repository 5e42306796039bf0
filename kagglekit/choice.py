"""The final choice: which submissions to be judged by, from their local and public scores."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from kagglekit.correlation import solid
from kagglekit.errors import KKError
from kagglekit.noise import covariance_of, qn

Array = np.ndarray

DRAWS = 20000
# Without standard errors it is not known whose fault a gap is: shares of its variance that belong to CV, equally likely. The
# wide range makes hedges: on four real histories its picks come near the best of "by CV", "by public" and "one of each".
CV_SHARES = (0.05, 0.5, 0.95)
POOLED = 0.8  # of the covariance of CV; simulated regret with 5 folds and 20 models .15; .21 when 20 % toward equal correlations only
EFFICIENCY = 0.82  # of Qn beside the standard deviation
SURE = 2.0  # standard errors of the gaps' variance that are noise itself: with fewer CV is doubted for nothing, and regret rises
FAMILY = 0.5  # share of the noise of CV by which families, where they are named, may shift at least
COPIES = 0.999  # correlation of predictions above which two submissions are one
FEWEST_GAPS = 3  # between CV and public that differ, from which they tell of noise
WITHIN = 0.1  # posterior sd of a gap: runner-up sets that lose no more than this are as good


@dataclass(frozen=True, slots=True)
class Finals:
    """The picks (most valuable first), what they are expected to lose against the best submission, and the other ways to pick.

    regret and regret_of are in the metric's unit (expected best private score less that of the picks); regret_of has by_public, by_cv and
    one_of_each. p_best: P(the best submission is among the picks). runners_up: sets within .1 SE of the picks and what they lose. Where
    neither standard errors nor gaps tell the noise (fewer than three that differ), nothing is expected: None, and both empty.
    """

    picks: tuple[int, ...]
    regret: float | None
    p_best: float | None
    regret_of: dict[str, float]
    runners_up: tuple[tuple[tuple[int, ...], float], ...]


@dataclass(frozen=True, slots=True)
class _Posterior:
    """Normal posterior of the private scores."""

    mean: Array
    covariance: Array


def final_picks(cv: Array, public: Array, greater_is_better: bool, n: int = 2, *, n_public: int | None = None,
                n_private: int | None = None, se_cv: Array | float | None = None, se_public: Array | float | None = None,
                families: Sequence[str] | None = None, correlation: Array | None = None) -> list[int]:
    """Indices of the n submissions whose best one is expected to do best on the private board, most valuable first.

    See choose_finals, which also tells what they are expected to lose.

    >>> final_picks([0.80, 0.82, 0.83, 0.70], [0.78, 0.81, 0.80, 0.71], True)
    [1, 2]
    """
    case = _Case(cv, public, greater_is_better, n, n_public, n_private, se_cv, se_public, families, correlation)
    return case.known[_best_set(case.posteriors, case.copies, n)].tolist()


def choose_finals(cv: Array, public: Array, greater_is_better: bool, n: int = 2, *, n_public: int | None = None,
                  n_private: int | None = None, se_cv: Array | float | None = None, se_public: Array | float | None = None,
                  families: Sequence[str] | None = None, correlation: Array | None = None, seed: int = 0) -> Finals:
    """The final choice with its expected regret. Scores in the metric's own direction; NaN where one is missing.

    A normal posterior of the private scores weighs CV and public score by their noise, with covariances where se_cv and se_public are
    models x models (single errors on the diagonal); where CV and public scores differ by more than noise, CV loses weight. Sets by the
    expected maximum of normals (Clark 1961), so a hedge is chosen where it is worth more than the runner-up. Without standard errors the
    noise comes from the gaps themselves, shared between the two sides in several ways. `families` may shift together on the private
    board. Two submissions whose predictions correlate above .999 (or with both scores equal) are never picked together.

    >>> found = choose_finals([0.80, 0.82, 0.83, 0.70], [0.78, 0.81, 0.80, 0.71], True)
    >>> found.picks, found.regret <= min(found.regret_of.values())
    ((1, 2), True)
    """
    case = _Case(cv, public, greater_is_better, n, n_public, n_private, se_cv, se_public, families, correlation)
    chosen = _best_set(case.posteriors, case.copies, n)
    if not case.tells:
        return Finals(tuple(case.known[chosen].tolist()), None, None, {}, ())
    draws = _draws(case.posteriors, seed)
    best = draws.max(axis=1)
    lost = {name: float((best - draws[:, rows].max(axis=1)).mean()) for name, rows in case.rules(n).items()}
    own = float((best - draws[:, chosen].max(axis=1)).mean())
    p_best = float((draws[:, chosen].max(axis=1) >= best).mean())
    return Finals(tuple(case.known[chosen].tolist()), own, p_best, lost, case.runners_up(chosen, draws))


class _Case:
    """The submissions with a score, higher is better, and the posteriors to average over."""

    def __init__(self, cv: Array, public: Array, greater_is_better: bool, n: int, n_public: int | None, n_private: int | None,
                 se_cv: Array | float | None, se_public: Array | float | None, families: Sequence[str] | None, correlation: Array | None) -> None:
        sign = 1.0 if greater_is_better else -1.0
        cv, public = sign * np.asarray(cv, float), sign * np.asarray(public, float)
        if cv.shape != public.shape or cv.ndim != 1:
            raise KKError(f"there are {cv.size} local scores and {public.size} public ones", "Give one of each a submission, nan where it lacks")
        if n < 1:
            raise KKError(f"{n} submissions cannot be picked", "Give n of at least 1")
        self.known = np.flatnonzero(np.isfinite(public) | np.isfinite(cv))
        self.cv, self.public = cv[self.known], public[self.known]
        v_cv, v_public = _covariance(se_cv, self.known), _covariance(se_public, self.known)
        private = n_public / n_private if n_public and n_private else 0.0
        self.tells = v_cv is not None or v_public is not None or len(np.unique(_gaps(self.cv, self.public))) >= FEWEST_GAPS
        shifts = _same(families, self.known)
        self.posteriors = [] if not len(self.known) else [_posterior(self.cv, self.public, *noise, shifts, private)
                                                          for noise in _noises(self.cv, self.public, v_cv, v_public)]
        self.copies = _copies(self.cv, self.public, None if correlation is None else np.asarray(correlation)[np.ix_(self.known, self.known)])

    def rules(self, n: int) -> dict[str, list[int]]:
        """What one would pick otherwise."""
        def order(scores: Array, other: Array) -> list[int]:
            return np.lexsort((-np.nan_to_num(other, nan=-np.inf), -np.nan_to_num(scores, nan=-np.inf))).tolist()

        by_public, by_cv = order(self.public, self.cv), order(self.cv, self.public)
        each = list(dict.fromkeys(one for two in zip(by_public, by_cv, strict=True) for one in two))
        return {"by_public": by_public[:n], "by_cv": by_cv[:n], "one_of_each": each[:n]}

    def runners_up(self, chosen: list[int], draws: Array) -> tuple[tuple[tuple[int, ...], float], ...]:
        """Other sets of two that lose at most .1 SE, the best five."""
        if len(chosen) != 2 or len(self.known) < 3:
            return ()
        allowed = WITHIN * float(np.mean([np.sqrt(np.median(np.diag(one.covariance))) for one in self.posteriors]))
        value = _pair_values(self.posteriors, self.copies)
        best = float(value[chosen[0], chosen[1]])
        others = [((i, j), best - float(value[i, j])) for i, j in combinations(range(len(value)), 2) if {i, j} != set(chosen)]
        near = sorted((one for one in others if one[1] <= allowed), key=lambda one: one[1])[:5]
        return tuple((tuple(self.known[list(pair)].tolist()), loss) for pair, loss in near)


def _covariance(se: Array | float | None, known: Array) -> Array | None:
    """Covariance of the noise that standard errors stand for; one number a model: independent, each paired error times sqrt(1/2)."""
    if se is None:
        return None
    se = np.asarray(se, float)
    if se.ndim == 2:
        return covariance_of(se[np.ix_(known, known)])
    return np.diag(np.broadcast_to(se if se.ndim == 0 else se[known], len(known)) ** 2 / 2)


def _pooled(covariance: Array) -> Array:
    """Nearer to one variance and one covariance for all: a few folds tell little of each model's own."""
    models = len(covariance)
    if models < 2:
        return covariance
    variance = float(np.trace(covariance)) / models
    target = np.full((models, models), (float(covariance.sum()) - models * variance) / (models * (models - 1)))
    np.fill_diagonal(target, variance)
    return (1 - POOLED) * covariance + POOLED * target


def _own(covariance: Array) -> float:
    """Mean variance of a model's own noise in a gap: half of that of the gap."""
    models = len(covariance)
    return float(np.trace(covariance) - covariance.sum() / models) / max(models - 1, 1)


def _same(families: Sequence[str] | None, known: Array) -> Array:
    if families is None:
        return np.zeros((len(known), len(known)))
    names = np.asarray(families, dtype=object)[known]
    return (names[:, None] == names[None, :]).astype(float)


def _copies(cv: Array, public: Array, correlation: Array | None) -> Array:
    """Pairs that are one submission twice, models x models; each with itself."""
    same = (cv[:, None] == cv) & (public[:, None] == public)
    if correlation is not None:
        same |= correlation > COPIES
    np.fill_diagonal(same, True)
    return same


def _gaps(cv: Array, public: Array) -> Array:
    return (public - cv)[np.isfinite(public - cv)]


def _noises(cv: Array, public: Array, v_cv: Array | None, v_public: Array | None) -> list[tuple[Array, Array, float]]:
    """(covariance of CV, covariance of public, variance of a family's shift), to average over."""
    gap = _gaps(cv, public)
    surplus = qn(gap) ** 2 if len(gap) > 1 else 0.0  # not sd: one broken model must not decide how far CV is trusted for all others
    eye = np.eye(len(cv))
    if v_cv is not None and v_public is not None:
        expected = (_own(v_cv) + _own(v_public)) * (1 + SURE * math.sqrt(2 / (EFFICIENCY * max(len(gap), 1))))
        unexplained = max(0.0, surplus - expected)
        return [(solid(_pooled(v_cv)) + unexplained * eye, solid(v_public), max(unexplained, FAMILY * _own(v_cv)))]
    found = []
    for part in CV_SHARES:
        own_cv = max(surplus * part, 0.0 if v_cv is None else _own(v_cv))
        own_public = max(surplus * (1 - part), 0.0 if v_public is None else _own(v_public))
        found.append((own_cv * eye, own_public * eye, own_cv))
    return found


def _posterior(cv: Array, public: Array, v_cv: Array, v_public: Array, shift: float, shifts: Array, private: float) -> _Posterior:
    """Normal update of the true scores with a flat mean and a flat offset; a missing score has endless noise. `private` x v_public is added."""
    seen_cv, seen_public = np.isfinite(cv), np.isfinite(public)
    both = seen_cv & seen_public
    offset = float(np.median((public - cv)[both])) if both.any() else 0.0
    lb = np.where(seen_public, public, np.where(seen_cv, cv + offset, 0.0))
    local = np.where(seen_cv, cv + offset, lb)
    centre = float(np.median(lb))
    unit = max(float(np.var(lb)), float(np.var(local)), (1e-9 * float(np.abs(lb).max())) ** 2, 1e-100)  # also of equal scores a number
    far = 1e4 * unit
    tiny = 1e-9 * unit * np.eye(len(cv))
    noise_public = v_public + tiny + np.diag(np.where(seen_public, 0.0, far))
    noise_cv = v_cv + tiny + np.diag(np.where(seen_cv, 0.0, far))
    spread = float(np.var(lb, ddof=1)) if len(lb) > 1 else unit
    true = max(spread - _own(v_public), 0.1 * spread, 1e-9 * unit)
    prior = true * np.eye(len(cv)) + far
    # first public, then CV (its offset flat): two updates of half the size
    mean, covariance = np.zeros(len(cv)), prior
    for seen, noise in ((lb - centre, noise_public), (local - centre, noise_cv + far)):
        gain = np.linalg.solve(covariance + noise, covariance).T
        mean, covariance = mean + gain @ (seen - mean), covariance - gain @ covariance
    covariance = (covariance + covariance.T) / 2
    return _Posterior(mean + centre, covariance + shifts * shift + private * v_public)


def expected_maximum(mean: Array, covariance: Array) -> Array:
    """E[max] of each pair of jointly normal values (Clark 1961): models x models.

    >>> round(float(expected_maximum(np.zeros(2), np.eye(2))[0, 1]), 4)
    0.5642
    """
    from scipy.special import ndtr
    own = np.diag(covariance)
    spread = np.sqrt(np.maximum(own[:, None] + own - 2 * covariance, 1e-300))
    gap = (mean[:, None] - mean) / spread
    density = np.exp(-np.minimum(gap**2, 1400) / 2) / math.sqrt(2 * math.pi)
    return mean[:, None] * ndtr(gap) + mean * ndtr(-gap) + spread * density


def _pair_values(posteriors: list[_Posterior], copies: Array) -> Array:
    value = np.mean([expected_maximum(one.mean, one.covariance) for one in posteriors], axis=0)
    mean = np.mean([one.mean for one in posteriors], axis=0)
    value = value + 1e-6 * (mean[:, None] + mean)  # where the second can hardly win, the better one all the same
    return np.where(copies, -np.inf, value)


def _draws(posteriors: list[_Posterior], seed: int = 0) -> Array:
    """Private scores drawn from the mixture of the posteriors: draws x models."""
    random = np.random.default_rng(seed)
    return np.concatenate([random.multivariate_normal(one.mean, one.covariance, DRAWS // len(posteriors), method="eigh", check_valid="ignore")
                           for one in posteriors])


def _best_set(posteriors: list[_Posterior], copies: Array, n: int) -> list[int]:
    if not posteriors:
        return []
    mean = np.mean([one.mean for one in posteriors], axis=0)
    order = np.argsort(-mean, kind="stable").tolist()
    if n == 1:
        return order[:1]
    value = _pair_values(posteriors, copies)
    if np.isneginf(value).all():
        return order[:1]
    chosen = sorted((int(one) for one in np.unravel_index(np.argmax(value), value.shape)), key=lambda model: -mean[model])
    if n == 2:
        return chosen
    draws = _draws(posteriors)
    while len(chosen) < n:
        reached = np.maximum(draws, draws[:, chosen].max(axis=1, keepdims=True)).mean(axis=0)
        reached[copies[chosen].any(axis=0)] = -np.inf
        if np.isneginf(reached).all():
            break
        chosen.append(int(np.argmax(reached)))
    return chosen
