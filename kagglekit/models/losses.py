"""Losses that follow the metric: what models minimise so that the metric is served, on which scale, with which weights of rows."""

from dataclasses import dataclass

import numpy as np

from kagglekit.metrics import Metric

Array = np.ndarray


@dataclass(frozen=True, slots=True)
class Loss:
    """What a model of numbers minimises: squared, absolute or quantile error (`quantile`), of log1p of the target where `log`.

    `power` weighs a row by 1/|target|**power. `says` is one sentence on it, empty for plain squared error.
    """

    kind: str = "squared"
    quantile: float = 0.5
    log: bool = False
    power: int = 0
    says: str = ""

    @property
    def is_quantile(self) -> bool:
        """Whether a quantile is learnt (absolute error learns the median) and no mean."""
        return self.kind != "squared"


ABSOLUTE = "trains on absolute error, as {} judges: it learns medians"
LOSSES = {
    "rmsle": Loss(log=True, says="trains on log1p of the target, as rmsle judges"),
    "mcrmsle": Loss(log=True, says="trains on log1p of the targets, as mcrmsle judges"),
    "mae": Loss("absolute", says=ABSOLUTE.format("mae")),
    "medae": Loss("absolute", says=ABSOLUTE.format("medae")),
    "mape": Loss("absolute", power=1, says="trains on absolute error, rows weighed by 1/|target|, which is what mape judges"),
    "smape": Loss("absolute", log=True, says="trains on absolute error of log1p of the target, which is near smape"),
    "rmspe": Loss(power=2, says="trains on squared error, rows weighed by 1/target², which is what rmspe judges"),
}


def loss_of(metric: Metric) -> Loss:
    """The loss of numbers that serves a metric: squared error where no other serves it better.

    >>> from kagglekit.metrics import check_metric
    >>> loss_of(check_metric("rmsle")).log, loss_of(check_metric("pinball@0.9")).quantile, loss_of(check_metric("rmse")).kind
    (True, 0.9, 'squared')
    """
    if metric.own:
        return Loss(log=metric.trains_on == "log1p")
    base = metric.name.partition("@")[0]
    if base == "pinball":
        quantiles = metric.parameter if isinstance(metric.parameter, tuple) else (0.5,)
        shown = ", ".join(f"{one:g}" for one in quantiles)
        return Loss("quantile", quantiles[0], says=f"trains on the quantile{'s' * (len(quantiles) > 1)} {shown} that {metric.name} judges")
    plain = Loss(log=True, says=f"trains on log1p of the target, as {metric.name} judges") if metric.trains_on == "log1p" else Loss()
    return LOSSES.get(base, plain)


def weights_of(loss: Loss, target: Array) -> Array | None:
    """Weights of rows (rows x targets where there are several) with mean 1, None where all weigh the same; a target of 0 weighs nothing.

    >>> weights_of(Loss(power=1), np.array([1.0, 2.0, 0.0])).round(2).tolist()
    [2.0, 1.0, 0.0]
    """
    if not loss.power:
        return None
    size = np.abs(np.asarray(target, dtype=np.float64))
    weights = np.divide(1.0, size**loss.power, out=np.zeros_like(size), where=size > 0)
    mean = weights.mean(axis=0)
    return weights / np.where(mean > 0, mean, 1.0) if np.all(mean > 0) else None
