"""How far a score can be believed: standard errors of CV and of the public board, alone and in pairs."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from kagglekit.errors import KKError
from kagglekit.metrics import Metric

Array = np.ndarray

BOOTSTRAP_DRAWS = 500
HEAVY_TAIL = 20.0
QN_SMALL = (0.399, 0.994, 0.512, 0.844, 0.611, 0.857, 0.669, 0.872)  # of 2 to 9 values


@dataclass(frozen=True, slots=True)
class CvNoise:
    """se[i, j] is the standard error of the CV gap of models i and j, se[i, i] that of the score of i alone."""

    se: Array
    df: float


@dataclass(frozen=True, slots=True)
class LbNoise:
    """se[i, j] as in CvNoise, for public scores; `single` is its diagonal, `method` influence, DeLong or bootstrap."""

    se: Array
    single: Array
    method: str


def cv_se(cv: Array, ratio: float | Sequence[float], repeats: int = 1) -> CvNoise:
    """Standard errors of mean fold scores and of their paired gaps; cv is models x (folds * repeats).

    `ratio` is rows validated / rows trained on, 1/(K-1) for K folds; one a fold is averaged. Folds overlap in what they
    train on, hence sqrt(1/(K R) + ratio) in place of sqrt(1/(K R)): Nadeau & Bengio 2003, Bouckaert & Frank 2004.

    >>> noise = cv_se(np.array([[1, 2, 3, 4, 5], [0, 0, 0, 0, 0]]), 1 / 4)
    >>> round(float(noise.se[0, 1]), 4), noise.df
    (1.0607, 4.0)
    """
    cv = np.atleast_2d(np.asarray(cv, float))
    scores = cv.shape[1]
    if scores % repeats or scores // repeats < 2:
        raise KKError(f"{scores} fold scores a model are not {repeats} repeats of at least 2 folds",
                      "Train on all folds, or give repeats= as the folds have it")
    if not np.isfinite(cv).all():
        raise KKError("a fold score is missing", "Train on all folds, or use the standard error over rows: lb_se")
    spread = (cv[:, None, :] - cv[None, :, :]).std(axis=2, ddof=1)
    np.fill_diagonal(spread, cv.std(axis=1, ddof=1))
    return CvNoise(spread * np.sqrt(1 / scores + np.mean(ratio)), float(scores - 1))


def lb_se(y: Array, oof: Array, metric: Metric, n_public: float, *, groups: Array | None = None, seed: int = 0) -> LbNoise:
    """Standard errors of scores on `n_public` rows and of their paired gaps, with OOF rows standing in for test rows.

    oof is models x rows [x classes, targets or list] in the form that the metric takes, y is rows [x targets]; rows where a model
    has none are left out for all. Where a row is a query, n_public counts queries. With groups it is the larger of the errors over
    rows and over groups. Influence functions; for AUC these are DeLong et al. 1988.

    >>> from kagglekit.metrics import check_metric
    >>> y = np.tile([0.0, 1.0], 50)
    >>> noise = lb_se(y, np.stack([y * 0.9, y * 0.8]), check_metric("mae"), n_public=400)
    >>> noise.single.round(4).tolist(), round(float(noise.se[0, 1]), 4)
    ([0.0025, 0.005], 0.0025)
    """
    y, oof, groups = complete_rows(y, oof, groups)
    if metric.influence is None:
        draws = bootstrap(y, oof, metric, groups=groups, seed=seed)
        se = spread_of_gaps(draws) * np.sqrt(len(y) / n_public)
        return LbNoise(se, np.diag(se).copy(), "bootstrap")
    rows = np.stack([metric.influence(y, one) for one in oof])
    se = spread_of_gaps(rows) / np.sqrt(n_public)
    if groups is not None:
        sums = sum_by_group(rows, groups)
        mean_size = len(y) / sums.shape[1]
        se = np.maximum(se, spread_of_gaps(sums / mean_size) / np.sqrt(n_public / mean_size))
    return LbNoise(se, np.diag(se).copy(), "DeLong" if metric.name == "auc" else "influence")


def complete_rows(y: Array, oof: Array, groups: Array | None = None) -> tuple[Array, Array, Array | None]:
    """The rows for which every model has a prediction."""
    y, oof = np.asarray(y), np.asarray(oof)
    if oof.ndim < 2 or oof.shape[1] != len(y):
        raise KKError(f"oof has the shape {oof.shape}, y has {len(y)} rows", "Give oof as models x rows [x classes]")
    missing = missing_rows(oof)
    if not missing.any():
        return y, oof, None if groups is None else np.asarray(groups)
    if missing.all():
        raise KKError("no row has a prediction of every model", "Compare runs of the same folds")
    return y[~missing], oof[:, ~missing], None if groups is None else np.asarray(groups)[~missing]


def missing_rows(oof: Array) -> Array:
    """Which rows lack a prediction of some model."""
    if not np.issubdtype(oof.dtype, np.floating):
        return np.zeros(oof.shape[1], bool)
    return np.isnan(oof).any(axis=(0, *range(2, oof.ndim)))


def spread_of_gaps(rows: Array) -> Array:
    """sd over the columns of rows[i] - rows[j]; of rows[i] alone on the diagonal."""
    centred = rows - rows.mean(axis=1, keepdims=True)
    covariance = centred @ centred.T / max(rows.shape[1] - 1, 1)
    own = np.diag(covariance)
    # A gap much smaller than the scores is lost in the subtraction: below this it is rounding.
    variance = own[:, None] + own[None, :] - 2 * covariance
    variance[variance < 1e-13 * np.maximum(own[:, None], own[None, :])] = 0.0
    np.fill_diagonal(variance, own)
    return np.sqrt(variance)


def sum_by_group(rows: Array, groups: Array) -> Array:
    """rows summed over the groups: models x groups."""
    _, code = np.unique(groups, return_inverse=True)
    return np.stack([np.bincount(code, weights=one) for one in rows])


def bootstrap(y: Array, oof: Array, metric: Metric, *, groups: Array | None = None, seed: int = 0,
              draws: int = BOOTSTRAP_DRAWS) -> Array:
    """Scores of the models on resampled rows (whole groups where given): models x draws, the same rows for all models."""
    random, size = np.random.default_rng(seed), len(y)
    members = None
    if groups is not None:
        _, code = np.unique(groups, return_inverse=True)
        members = np.split(np.argsort(code, kind="stable"), np.cumsum(np.bincount(code))[:-1])
    scores = np.empty((len(oof), draws))
    for draw in range(draws):
        if members is None:
            rows = random.integers(0, size, size)
        else:
            rows = np.concatenate([members[pick] for pick in random.integers(0, len(members), len(members))])
        scores[:, draw] = [metric(y[rows], one[rows]) for one in oof]
    return scores


# Simulated: two equal models of latent score correlation .95, prevalence 20 %, AUC .856; single and paired standard error.
LOOKUP_ROWS = (500, 2000, 10000, 50000)
LOOKUP = {
    "auc": ((.021, .0075), (.010, .0037), (.0045, .0016), (.0020, .00075)),
    "ngini": ((.042, .0150), (.020, .0074), (.0090, .0032), (.0040, .00150)),  # 2 AUC - 1
    "logloss": ((.025, .0070), (.012, .0036), (.0059, .0016), (.0025, .0007)),
    "accuracy": ((.0157, .0088), (.0077, .0046), (.0037, .0021), (.0013, .0009)),
    "f1": ((.041, .023), (.019, .012), (.009, .005), (.004, .0025)),
    "mcc": ((.049, .030), (.023, .015), (.011, .006), (.005, .003)),
    "ap": ((.050, .018), (.024, .009), (.011, .004), (.005, .0015)),
    "qwk": ((.018, .011), (.009, .006), (.004, .0026)),
    "rmse": ((.031, .011), (.017, .0055), (.0074, .0024)),
}
# Alike enough for a first look; a mean over columns has at most the error of one column.
LOOKUP_LIKE = {"mlogloss": "logloss", "mclogloss": "logloss", "kld": "logloss", "mcauc": "auc", "mce": "accuracy", "micro_f1": "f1",
               "macro_f1": "f1", "fbeta": "f1", "kappa": "mcc", "rmsle": "rmse", "mcrmse": "rmse", "mcrmsle": "rmse", "mae": "rmse",
               "pinball": "rmse", "r2": "rmse", "smape": "rmse"}


def lookup_se(metric_name: str, n_public: float, spread: float = 1.0) -> tuple[float, float]:
    """Typical standard error of one public score and of a paired gap, where there are no OOF rows to compute it from.

    For metrics in the target's unit `spread` is the sd of the errors; the other metrics leave it at 1. A number in the name, as in
    fbeta@2, does not count.

    >>> lookup_se("auc", 2000)
    (0.01, 0.0037)
    >>> [round(value, 4) for value in lookup_se("rmse", 8000, spread=10)]
    [0.0827, 0.0268]
    """
    family = metric_name.partition("@")[0]
    name = LOOKUP_LIKE.get(family, family)
    if name not in LOOKUP:
        raise KKError(f"there is no table of standard errors for {metric_name!r}",
                      f"Add the runs with their OOF (kk add), or use one of {', '.join(sorted({*LOOKUP, *LOOKUP_LIKE}))}")
    table = LOOKUP[name]
    nearest = min(range(len(table)), key=lambda row: abs(np.log(LOOKUP_ROWS[row] / n_public)))
    scale = float(np.sqrt(LOOKUP_ROWS[nearest] / n_public)) * spread
    return table[nearest][0] * scale, table[nearest][1] * scale


def kurtosis_warning(errors: Array) -> str | None:
    """A sentence where few rows decide a squared error, None otherwise; errors are rows [x targets].

    With a kurtosis of the errors above 20 (3 for normal ones) the influence and the bootstrap both give too small a standard error:
    rows that would matter most are not in the sample.

    >>> kurtosis_warning(np.r_[np.ones(100), 30.0])
    'the standard error of RMSE is a lower bound: a handful of rows decide this leaderboard (kurtosis of the errors 99)'
    >>> kurtosis_warning(np.array([1.0, -1.0, 2.0]))
    """
    errors = np.asarray(errors, float)
    centred = errors - errors.mean(axis=0)
    variance = (centred**2).mean(axis=0)
    highest = float(np.max(np.divide((centred**4).mean(axis=0), variance**2, out=np.zeros_like(variance), where=variance > 0)))
    if highest <= HEAVY_TAIL:
        return None
    return f"the standard error of RMSE is a lower bound: a handful of rows decide this leaderboard (kurtosis of the errors {highest:.0f})"


def average_correction(test_predictions: Array, oof: Array) -> Array:
    """Factor (at most 1) on the paired public standard error of OOF rows where the submission averages the fold models.

    Averages of fold models differ less from each other than single fold models do; no labels are needed for that.

    >>> average_correction(np.array([[0.0, 0.0], [0.1, 0.1]]), np.array([[0.0, 0.0], [0.2, 0.2]])).tolist()
    [[1.0, 0.5], [0.5, 1.0]]
    """
    oof = np.asarray(oof, float)
    on_test, on_oof = _disagreement(np.asarray(test_predictions, float)), _disagreement(oof[:, ~missing_rows(oof)])
    factor = np.divide(on_test, on_oof, out=np.ones_like(on_oof), where=on_oof > 0)
    np.fill_diagonal(factor, 1.0)
    return np.minimum(factor, 1.0)


def _disagreement(predictions: Array) -> Array:
    flat = predictions.reshape(len(predictions), -1)
    flat = flat - flat.mean(axis=0)
    gram = flat @ flat.T / flat.shape[1]
    return np.sqrt(np.maximum(np.diag(gram)[:, None] + np.diag(gram)[None, :] - 2 * gram, 0))


def covariance_of(se: Array) -> Array:
    """Covariance matrix that paired standard errors (with the single ones on the diagonal) stand for."""
    variance = np.asarray(se, float) ** 2
    own = np.diag(variance)
    covariance = (own[:, None] + own[None, :] - variance) / 2
    np.fill_diagonal(covariance, own)
    return covariance


def public_decimals(shown: Sequence[str | float]) -> int:
    """Decimals of the public scores as shown; trailing zeros are kept only in text.

    >>> public_decimals(["0.81230", "0.8"])
    5
    """
    return max((max(0, -Decimal(str(score)).as_tuple().exponent) for score in shown), default=0)


def rounding_step(shown: Sequence[str | float]) -> float:
    """The step of the public scores as shown; two that are at most one step apart are a tie.

    >>> rounding_step(["0.812", "0.8"])
    0.001
    """
    return float(Decimal(1).scaleb(-public_decimals(shown)))


def solve_public_rows(shown: Sequence[str], low: int, high: int) -> list[int]:
    """All public row counts in low..high with which every shown accuracy is a whole number of hits.

    None left: the metric is no plain accuracy. Four scores single out one count near 5,000 rows, eight near 20,000.

    >>> solve_public_rows(["0.76555", "0.62679", "0.77512"], 200, 220)
    [209]
    """
    counts = np.arange(low, high + 1)
    half = rounding_step(shown) / 2 * (1 + 1e-9)
    fits = np.ones(len(counts), bool)
    for score in {float(one) for one in shown}:
        fits &= np.abs(np.round(score * counts) / counts - score) <= half
    return counts[fits].tolist()


def best_of(n: int) -> float:
    """Expected largest of n standard normal draws: what keeping the best of n equal models alone would give, in SE.

    >>> [round(best_of(n), 2) for n in (1, 5, 10, 100)]
    [0.0, 1.16, 1.54, 2.51]
    """
    from scipy.special import log_ndtr
    x = np.linspace(-12, 12, 4801)
    density = n * np.exp((n - 1) * log_ndtr(x) - x**2 / 2) / np.sqrt(2 * np.pi)
    return float(np.sum(x * density) * (x[1] - x[0]))


def paired_row_se(contributions: Array, groups: Array | None = None) -> float:
    """Standard error of a sum over rows from each row's centred share of it; the larger of rows and groups."""
    over_rows = float(np.sqrt(np.sum(contributions**2)))
    if groups is None:
        return over_rows
    return max(over_rows, float(np.sqrt(np.sum(sum_by_group(contributions[None], groups) ** 2))))

def qn(values: Array) -> float:
    """Robust standard deviation of n values: an order statistic of their distances, with 82 % of the efficiency of the plain one.

    Half of the values may be anything. Qn of Rousseeuw & Croux (1993), with their factors for small n. 0 below two values.

    >>> random = np.random.default_rng(0)
    >>> round(qn(np.r_[random.normal(size=200), 1e9]), 1)
    1.0
    """
    n = len(values)
    if n < 2:
        return 0.0
    distances = np.abs(values[:, None] - values)[np.triu_indices(n, 1)]
    half = n // 2 + 1
    place = half * (half - 1) // 2 - 1
    factor = QN_SMALL[n - 2] if n - 2 < len(QN_SMALL) else n / (n + (1.4 if n % 2 else 3.8))
    return float(2.2219 * factor * np.partition(distances, place)[place])
