"""One decision tree: shallow it is a rule one can read, grown out it learns its rows by heart."""

from kagglekit.models.family import built, family
from kagglekit.models.presets import whole
from kagglekit.models.problem import Problem
from kagglekit.models.quantiles import LeafQuantile


def told(problem: Problem) -> str:
    """How a tree or forest follows the metric: medians come from its leaves, for growing on absolute error takes many times as long."""
    loss = problem.loss
    if not loss.is_quantile:
        return loss.says
    wanted = "medians" if loss.kind == "absolute" else "quantiles"
    scale = " of log1p of the target" if loss.log else ""
    return (f"grows on squared error{scale} (absolute error takes scikit-learn many times as long) and says {wanted} of its leaves, "
            f"for {problem.metric.name}")


@family("tree", encoding="trees", tells=told)
def tree(problem: Problem, params: dict, seed: int) -> object:
    """A decision tree; max_depth = 0 lets it grow until every leaf is pure."""
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    params["max_depth"] = whole("max_depth", params.get("max_depth") or 0, least=0) or None
    kind = DecisionTreeClassifier if problem.classifies else DecisionTreeRegressor
    made = built("tree", kind, params, random_state=seed)
    return LeafQuantile(made, problem.loss.quantile) if problem.loss.is_quantile else made
