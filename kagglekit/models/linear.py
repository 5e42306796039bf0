"""Linear models: ridge regression and logistic regression."""

from kagglekit.models.family import Problem, family


@family("linear", encoding="numbers")
def linear(problem: Problem, params: dict, seed: int) -> object:
    """Ridge for values, logistic regression for classes; `alpha` is the penalty of both (C = 1/alpha)."""
    from sklearn.linear_model import LogisticRegression, Ridge

    alpha = float(params.pop("alpha", 1.0))
    if problem.classifies:
        return LogisticRegression(C=1 / alpha, max_iter=int(params.pop("max_iter", 500)), **params)
    params.pop("max_iter", None)
    return Ridge(alpha=alpha, **params)
