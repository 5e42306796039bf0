"""Extra trees: many trees on all rows, each cut drawn at random (Geurts, Ernst & Wehenkel 2006); smoother than a random forest."""

from kagglekit.models.family import family
from kagglekit.models.forest import trees
from kagglekit.models.problem import Problem
from kagglekit.models.tree import told


@family("extra-trees", encoding="trees", tells=told)
def extra_trees(problem: Problem, params: dict, seed: int) -> object:
    """Extremely randomised trees on all cores."""
    from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

    return trees("extra-trees", ExtraTreesClassifier if problem.classifies else ExtraTreesRegressor, problem, params, seed)
