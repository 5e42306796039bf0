"""Random forest: many deep trees on resampled rows."""

from kagglekit.models.family import Problem, family


@family("forest", encoding="trees")
def forest(problem: Problem, params: dict, seed: int) -> object:
    """A random forest on all cores."""
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    kind = RandomForestClassifier if problem.classifies else RandomForestRegressor
    return kind(random_state=seed, n_jobs=-1, **params)
