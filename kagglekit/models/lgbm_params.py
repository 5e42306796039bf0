"""LightGBM's parameters: its own names and aliases, what is not for the person to set, the objective that the metric asks for."""

import functools
import re
from collections.abc import Iterator, Mapping, Sequence

from kagglekit.errors import KKError
from kagglekit.models.family import unknown_parameter
from kagglekit.models.presets import whole
from kagglekit.models.problem import Problem
from kagglekit.registry import near_names

OURS = ("n_estimators", "max_rounds", "patience", "num_threads", "monotone")
RENAMED = {"num_iterations": "n_estimators", "early_stopping_round": "patience"}
SET_HERE = {
    "metric": "the curve that chooses the rounds is the loss of the objective, which less of is better",
    "num_class": "classes are those of competition.toml",
    "seed": "--seeds K trains other seeds",
    "data_random_seed": "bins are the same for all folds and seeds",
    "deterministic": "runs give the same bytes always", "verbosity": "LightGBM is silent", "data": "rows come from the folds",
    "valid": "rows come from the folds", "task": "kk train trains", "monotone_constraints": "name the columns: --set monotone=size:1,age:-1",
}
# objective -> (tasks it fits, the loss of its curve)
OBJECTIVES = {
    "l2": ("regression", "l2"), "l1": ("regression", "l1"), "huber": ("regression", "huber"), "fair": ("regression", "fair"),
    "poisson": ("regression", "poisson"), "quantile": ("regression", "quantile"), "mape": ("regression", "mape"), "gamma": ("regression", "gamma"),
    "tweedie": ("regression", "tweedie"), "binary": ("binary", "binary_logloss"), "cross_entropy": ("binary", "cross_entropy"),
    "cross_entropy_lambda": ("binary", "cross_entropy_lambda"), "multiclass": ("multiclass", "multi_logloss"),
    "multiclassova": ("multiclass", "multi_logloss"),
}
SPELT = {
    "regression": "l2", "regression_l2": "l2", "mean_squared_error": "l2", "mse": "l2", "regression_l1": "l1", "mean_absolute_error": "l1",
    "mae": "l1", "mean_absolute_percentage_error": "mape", "xentropy": "cross_entropy", "xentlambda": "cross_entropy_lambda", "softmax": "multiclass",
    "multiclass_ova": "multiclassova", "ova": "multiclassova", "ovr": "multiclassova",
}
USUAL = {"squared": "l2", "absolute": "l1", "quantile": "quantile", "binary": "binary", "multiclass": "multiclass"}
FIXED = {"deterministic": True, "force_col_wise": True, "verbosity": -1, "feature_pre_filter": False, "data_random_seed": 1,
         "bin_construct_sample_cnt": 100_000}


@functools.cache
def names() -> dict[str, str]:
    """LightGBM's own name for each name that it knows, from the library itself; empty where that does not tell.

    >>> names()["eta"], names()["num_boost_round"]
    ('learning_rate', 'num_iterations')
    """
    import lightgbm

    known = getattr(lightgbm.basic, "_ConfigAliases", None)
    if known is None or not hasattr(known, "_get_all_param_aliases"):
        return {}
    return {alias: main for main, aliases in known._get_all_param_aliases().items() for alias in {main, *aliases}}


class Renames(Mapping):
    """Other names of parameters, looked up in the library when one is asked for."""

    def __getitem__(self, name: str) -> str:
        if name in OURS:
            raise KeyError(name)
        main = names()[name]
        return RENAMED.get(main, main)

    def __iter__(self) -> Iterator[str]:
        return iter(names())

    def __len__(self) -> int:
        return len(names())


def settings(problem: Problem, params: Mapping, seed: int = 0, threads: int = 1) -> dict[str, object]:
    """LightGBM's parameters: the same bytes with any number of threads, and bins that depend neither on the seed nor on min_data_in_leaf.

    Raises KKError for names that LightGBM does not know, for those that are not for the person to set, and for an objective that does
    not fit the task.
    """
    checked(params)
    own = {key: value for key, value in params.items() if key not in OURS and key != "objective"}
    objective, loss = objective_of(problem, params)
    several = {"num_class": len(problem.classes)} if problem.task == "multiclass" else {}
    quantile = {"alpha": problem.loss.quantile} if objective == "quantile" and problem.loss.kind == "quantile" else {}
    return {"objective": objective, "metric": loss, "seed": seed, **FIXED, "num_threads": threads, **several, **quantile, **own}


def checked(params: Mapping) -> None:
    """Raise KKError for a parameter that LightGBM does not know, or that is not for the person to set."""
    known = names()
    for key in params:
        main = known.get(key, key)
        if main in SET_HERE:
            raise KKError(f"lgbm: {key} is not for --set: {SET_HERE[main]}", f"Leave {key} out")
        if known and key not in OURS and key not in known:
            raise unknown_parameter("lgbm", key, sorted({*known.values(), *OURS} - {*SET_HERE, *RENAMED}))
    for key in ("max_rounds", "patience"):
        if key in params:
            whole(key, params[key])


def objective_of(problem: Problem, params: Mapping) -> tuple[str, str]:
    """(objective, loss of the curve): what the metric asks for, or what the person set where that fits the task."""
    usual = USUAL[problem.task if problem.classifies else problem.loss.kind]
    if usual == "l1" and str(params.get("linear_tree", "")).lower() in ("true", "1"):
        return "l2", "l1"  # LightGBM fits no linear trees to absolute error
    asked = params.get("objective")
    if asked is None:
        return usual, OBJECTIVES[usual][1]
    found = SPELT.get(str(asked), str(asked))
    fitting = sorted(name for name, (task, _) in OBJECTIVES.items() if task == problem.task)
    if found not in OBJECTIVES:
        near = near_names(str(asked), [*fitting, *SPELT])
        raise KKError(f"LightGBM has no objective {asked!r} here", f"{near}For {problem.task}: {', '.join(fitting)}")
    if OBJECTIVES[found][0] != problem.task:
        raise KKError(f"objective={asked} is of {OBJECTIVES[found][0]}, the task is {problem.task}", f"Leave it out, or take {', '.join(fitting)}")
    return found, OBJECTIVES[found][1]


def monotone(params: Mapping, columns: Sequence[str], categories: Sequence[str] = ()) -> dict[str, object]:
    """monotone_constraints, one a column, of monotone = {"size": 1, "age": -1} or "size:1,age:-1"; empty where nothing is asked for.

    Raises KKError for a column that is not there, one of categories, and a direction that is not 1, -1 or 0.

    >>> monotone({"monotone": "size:1"}, ["age", "size"])
    {'monotone_constraints': [0, 1]}
    """
    asked = params.get("monotone")
    if not asked:
        return {}
    if not isinstance(asked, Mapping):  # a name may hold colons
        asked = {name if found else way: way if found else "" for name, found, way in (part.rpartition(":") for part in str(asked).split(","))}
    given = {str(name).strip(): str(way).strip() for name, way in asked.items()}
    for name, way in given.items():
        if name not in columns or name in categories:
            what = f"is no number but a category: {name!r}" if name in categories else f"names no column: {name!r}"
            raise KKError(f"monotone {what}", f"{near_names(name, columns)}Write it as --set monotone=COLUMN:1 (rises) or COLUMN:-1 (falls)")
        if way not in ("1", "-1", "0", "+1"):
            raise KKError(f"monotone: {name} has the direction {way!r}", "Write 1 (rises) or -1 (falls)")
    return {"monotone_constraints": [int(given.get(name, 0)) for name in columns]}


def refused(error: Exception) -> KKError:
    """What LightGBM said, without where in its own source it said so."""
    told = re.sub(r"\s+at /\S+, line \d+\s*\.?", "", str(error)).strip()
    return KKError(f"lgbm: LightGBM says: {told}", "Mend that value of --set")
