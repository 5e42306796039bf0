"""Linear models: ridge regression and logistic regression, and linear quantiles where the metric wants these."""

from kagglekit.errors import KKError
from kagglekit.models.family import built, family
from kagglekit.models.presets import whole
from kagglekit.models.problem import Problem
from kagglekit.models.quantiles import QuantileRidge

OURS = ("alpha", "max_iter")


def above_zero(family: str, params: dict, name: str = "alpha") -> float:
    """A parameter taken out of `params`; raises KKError where it is no number above 0."""
    value = params.pop(name, 1.0)
    if isinstance(value, (bool, str)) or not value > 0:
        raise KKError(f"{family}: {name} = {value!r}, a penalty is a number above 0", f"As in --set {name}=0.001")
    return float(value)


@family("linear", encoding="numbers", aliases=("ridge", "logistic"))
def linear(problem: Problem, params: dict, seed: int) -> object:
    """Ridge for values, logistic regression for classes; `alpha` is the penalty of both (C = 1/alpha)."""
    from sklearn.linear_model import LogisticRegression, Ridge

    alpha = above_zero("linear", params)
    steps = whole("max_iter", params.pop("max_iter", 500))
    if problem.classifies:
        return built("linear", LogisticRegression, params, OURS, C=1 / alpha, max_iter=steps)
    if problem.loss.is_quantile:
        return built("linear", QuantileRidge, params, OURS, quantile=problem.loss.quantile, alpha=alpha)
    return built("linear", Ridge, params, OURS, alpha=alpha)
