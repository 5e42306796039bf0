"""One decision tree: shallow it is a rule one can read, grown out it learns its rows by heart."""

from kagglekit.models.family import Problem, family


@family("tree", encoding="trees")
def tree(problem: Problem, params: dict, seed: int) -> object:
    """A decision tree; max_depth = 0 lets it grow until every leaf is pure."""
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    params["max_depth"] = params.get("max_depth") or None
    kind = DecisionTreeClassifier if problem.classifies else DecisionTreeRegressor
    return kind(random_state=seed, **params)
