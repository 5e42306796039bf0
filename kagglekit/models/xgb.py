"""XGBoost: boosted trees that grow in rounds; categories as they are, the same bytes with any number of threads."""

import base64
import functools
import json
import threading
from collections.abc import Iterator, Mapping

import numpy as np

from kagglekit.errors import KKError
from kagglekit.fold import Data, Fold
from kagglekit.models.columns import safe_names
from kagglekit.models.encoders import FLOAT32, encoded
from kagglekit.models.family import Problem, family
from kagglekit.registry import near_names

Array = np.ndarray
PARALLEL_CELLS = 20_000_000  # cells a thread must have before a fold gets several
CLASSES = {"binary": ("binary:logistic", "logloss"), "multiclass": ("multi:softprob", "mlogloss")}
NUMBERS = {"squared": ("reg:squarederror", "rmse"), "absolute": ("reg:absoluteerror", "mae"), "quantile": ("reg:quantileerror", "quantile")}
FITTING = ("reg:squarederror", "reg:absoluteerror", "reg:pseudohubererror", "reg:gamma", "reg:tweedie", "count:poisson")  # objectives of numbers
OURS = ("n_estimators", "max_rounds", "patience")
RENAMES = {"num_boost_round": "n_estimators", "num_rounds": "n_estimators", "iterations": "n_estimators", "early_stopping_rounds": "patience",
           "eta": "learning_rate", "lambda": "reg_lambda", "alpha": "reg_alpha", "gamma": "min_split_loss", "num_leaves": "max_leaves",
           "n_jobs": "nthread", "num_threads": "nthread"}
HOUSE = {"eval_metric": "rounds are chosen by the loss that is learnt, whatever the competition's metric", "num_class": "the classes are known",
         "seed": "it comes from the run", "random_state": "it comes from the run", "process_type": "it updates trees that are there already",
         "booster": "only trees that stay as they are (gbtree) can be cut off at a round"}
_encoding = threading.Lock()  # encoders filter warnings, which is not for threads


class Prepared:
    """The stage function, and how many folds grow at once."""

    shared = ()

    def __init__(self, threads: int, folds: int, cells: int) -> None:
        self.workers = max(1, min(threads, folds))
        self._threads, self._all = _threads(cells, threads // self.workers), _threads(cells, threads)

    @staticmethod
    def quiet() -> None:
        """Nothing to do in a new thread: the level of logging is a booster's own."""

    def __call__(self, problem: Problem, params: Mapping, seed: int, fold: Fold, clock: object, saved: str = "") -> "XGBoostStage":
        """The stage of one fold."""
        return XGBoostStage(problem, settings(problem, params, seed, self._threads if len(fold.valid) else self._all), fold, clock, saved)


class XGBoostStage:
    """One fold's booster. Its curve is the training loss on the validated rows: log loss, or an error on the learnt scale."""

    def __init__(self, problem: Problem, params: dict, fold: Fold, clock: object, saved: str = "") -> None:
        self._problem, self._params, self._fold, self._clock = problem, params, fold, clock
        self.curve: list[float] = []
        self._booster, self._parts, self._tables = None, None, {}
        self._grows = False
        if saved:
            content = json.loads(saved)
            self.curve, self._booster = content["curve"], _read(content["model"])

    def advance(self, rounds: int) -> None:
        """Grow to `rounds` in all. A booster read back from disk cannot grow: it is grown again from the first round."""
        if rounds <= len(self.curve):
            return
        import xgboost

        train, valid = self._table("train"), self._table("valid")
        with self._clock.stage("fit"):
            if not self._grows:
                tables = [train] if valid is None else [train, valid]
                self.curve, self._booster, self._grows = [], xgboost.Booster(self._params, tables), True
            for number in range(len(self.curve), rounds):
                self._booster.update(train, number)
                self.curve.append(float("nan") if valid is None else float(self._booster.eval(valid).rpartition(":")[2]))

    def predict(self, rounds: int, test_rounds: int | None = None) -> tuple[Array, Array | None]:
        """Predictions of the validated rows after `rounds` and of the test rows after `test_rounds` (None: as many; 0: None is given)."""
        valid, test = self._table("valid"), None if test_rounds == 0 else self._table("test")
        with self._clock.stage("predict"):
            return np.empty(0) if valid is None else self._values(valid, rounds), None if test is None else self._values(test, test_rounds or rounds)

    def dump(self) -> str:
        """The booster and its curve as text."""
        return json.dumps({"curve": self.curve, "model": base64.b64encode(self._booster.save_raw("ubj")).decode()})

    def _values(self, table: object, rounds: int) -> Array:
        values = self._booster.predict(table, iteration_range=(0, rounds)).astype(np.float64)
        return values if self._problem.classifies else self._problem.from_scale(values)

    def _table(self, part: str) -> object:
        """The rows of train, valid or test as XGBoost holds them; None for a fold that validates nothing."""
        if part == "valid" and not len(self._fold.valid):
            return None
        if part not in self._tables:
            if self._parts is None:
                with _encoding:
                    self._parts = encoded(self._fold, "categories", self._clock)
            with self._clock.stage("bin"):
                self._tables[part] = self._made(part)
        return self._tables[part]

    def _made(self, part: str) -> object:
        import xgboost

        facts = {"enable_categorical": True, "nthread": self._params["nthread"]}
        if part != "test":
            target = self._fold.target_train if part == "train" else self._fold.data.target[self._fold.valid]
            facts |= {"label": self._problem.to_scale(target), "weight": self._problem.weights(target)}
        table = _bounded(getattr(self._parts, part))
        if part == "train" and self._params["tree_method"] == "hist":
            return xgboost.QuantileDMatrix(table, max_bin=int(self._params["max_bin"]), **facts)
        return xgboost.DMatrix(table, **facts)


def _bounded(table: object) -> object:
    """The table with names and numbers that XGBoost takes: nothing beyond float32."""
    names = safe_names([str(name).replace("<", "_") for name in table.columns])
    table = table.set_axis(names, axis=1)
    numbers = table.select_dtypes("number").columns
    return table.assign(**{name: np.clip(table[name].to_numpy(dtype=np.float64), -FLOAT32, FLOAT32).astype(np.float32) for name in numbers})


def _read(text: str) -> object:
    import xgboost

    booster = xgboost.Booster()
    booster.load_model(bytearray(base64.b64decode(text)))
    return booster


def settings(problem: Problem, params: Mapping, seed: int = 0, threads: int = 1) -> dict[str, object]:
    """XGBoost's parameters; raises KKError for those that it does not take, and for those that are the house's business."""
    own = {key: value for key, value in params.items() if key not in OURS}
    objective, loss = CLASSES[problem.task] if problem.classifies else NUMBERS[problem.loss.kind]
    _refuse_house(problem, own, objective)
    several = {"num_class": len(problem.classes)} if problem.task == "multiclass" else {}
    quantile = {"quantile_alpha": problem.loss.quantile} if loss == "quantile" else {}
    made = {"objective": objective, "tree_method": "hist", "max_bin": 256, "nthread": threads, **quantile, **own}
    _check(json.dumps({**made, **several}, default=str))
    return {**made, **several, "eval_metric": loss, "seed": seed, "seed_per_iteration": True, "verbosity": 0}


def _refuse_house(problem: Problem, own: Mapping, objective: str) -> None:
    for key, why in HOUSE.items():
        if key in own and own[key] != "gbtree":
            raise KKError(f"xgboost's {key} cannot be set here: {why}", f"Leave {key} out")
    asked = own.get("objective", objective)
    if asked != objective and (problem.classifies or asked not in FITTING):
        raise KKError(f"xgboost's objective {asked!r} does not fit: the task is {problem.task}",
                      f"Leave it out, or take {' or '.join([objective] if problem.classifies else FITTING)}")


@functools.lru_cache(maxsize=64)
def _check(text: str) -> None:
    """Refuse what XGBoost does not know or take, before anything is trained: a booster of no rows names all its parameters."""
    import xgboost

    params = json.loads(text)
    try:
        table = xgboost.DMatrix(np.zeros((2, 1)), label=np.zeros(2), nthread=1)
        known = set(_names(json.loads(xgboost.Booster({**params, "verbosity": 0}, [table]).save_config()))) | {"verbosity"}
    except (xgboost.core.XGBoostError, TypeError, ValueError) as error:
        raise KKError(f"xgboost refuses its parameters: {str(error).splitlines()[0].rpartition('.cc:')[2]}", "Mend that --set") from error
    for key in params:
        if key not in known:
            raise KKError(f"xgboost does not take the parameter {key!r}", f"{near_names(key, known)}All: its page Parameters")


def _names(config: object) -> Iterator[str]:
    """Names of all values in a nested configuration."""
    for key, value in config.items() if isinstance(config, dict) else enumerate(config):
        if isinstance(value, (dict, list)):
            yield from _names(value)
        else:
            yield str(key)


def prepare(problem: Problem, params: Mapping, data: Data, used: Array, clock: object, *, folds: int, threads: int) -> Prepared:
    """How folds share the threads: one each first, several only where the table is so large that it pays. Nothing else is shared.

    Raises KKError for parameters that XGBoost does not take.
    """
    settings(problem, params)
    return Prepared(int(params.get("nthread") or threads), folds, int(used.sum()) * data.X.shape[1])


def _threads(cells: int, threads: int) -> int:
    return max(1, min(threads, cells // (PARALLEL_CELLS // 2)))


@family("xgboost", aliases=("xgb",), staged=True, rounds="n_estimators", needs=("xgboost",), renames=RENAMES)
def xgb(problem, params, seed, fold, clock, saved=""):  # type: ignore[no-untyped-def]
    """An XGBoost booster over one fold."""
    return XGBoostStage(problem, settings(problem, params, seed), fold, clock, saved)


xgb.prepare = prepare
