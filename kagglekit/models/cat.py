"""CatBoost: symmetric boosted trees, categories by ordered target statistics, as many rounds as are wanted."""

import base64
import json
from collections.abc import Mapping

import numpy as np
import pandas as pd

from kagglekit.errors import KKError
from kagglekit.fold import Data, Fold
from kagglekit.models.columns import safe_names
from kagglekit.models.encoders import FLOAT32, encoded
from kagglekit.models.family import Problem, family
from kagglekit.models.parts import codes_of
from kagglekit.registry import near_names

Array = np.ndarray
LOSSES = {"binary": "Logloss", "multiclass": "MultiClass", "squared": "RMSE", "absolute": "MAE", "quantile": "Quantile:alpha={}"}
FITTING = ("RMSE", "MAE", "Huber", "Quantile", "LogCosh", "Lq", "Poisson", "Tweedie", "MAPE", "Expectile")
OURS = ("iterations", "max_rounds", "patience")
RENAMES = {"n_estimators": "iterations", "num_boost_round": "iterations", "num_trees": "iterations", "max_depth": "depth", "eta": "learning_rate",
           "reg_lambda": "l2_leaf_reg", "colsample_bylevel": "rsm", "early_stopping_rounds": "patience", "objective": "loss_function",
           "num_threads": "thread_count"}
HOUSE = {"eval_metric": "rounds are chosen by the loss that is learnt, whatever the competition's metric", "random_seed": "it comes from the run",
         "random_state": "it comes from the run", "use_best_model": "what is scored has no vote on the rounds",
         "od_type": "patience says when a fold stops", "od_wait": "patience says when a fold stops", "early_stopping_rounds": "patience says it",
         "cat_features": "the categories are known", "classes_count": "the classes are known", "class_names": "the classes are known"}
MAX_ROUNDS, PATIENCE = 3000, 50


class CatBoostStage:
    """One fold's model. CatBoost trains in one go, so rounds are shown one by one from a fit that went further.

    What it learns in a round depends on the rounds that were planned: these are always `max_rounds` (or the fixed ones), and a fit
    is cut off where no more are wanted. A fit that was cut off cannot go on; it is done again, twice as far.
    """

    def __init__(self, problem: Problem, params: Mapping, seed: int, fold: Fold, clock: object, saved: str = "", *, threads: int = 1) -> None:
        self._problem, self._fold, self._clock = problem, fold, clock
        self._params = settings(problem, params, seed, threads)
        self._patience = 0 if "iterations" in params else int(params.get("patience", PATIENCE))
        self.curve: list[float] = []
        self._losses: list[float] = []
        self._model, self._parts, self._tables = None, None, {}
        if saved:
            content = json.loads(saved)
            self.curve, self._losses, self._model = content["curve"], content["losses"], _read(content["model"])

    def advance(self, rounds: int) -> None:
        """Show the curve up to `rounds`; without validated rows it has no losses, and predict fits."""
        if rounds <= len(self.curve):
            return
        if not len(self._fold.valid):
            self.curve = [float("nan")] * rounds
            return
        if rounds > len(self._losses):
            first = not self._losses
            self._fit(self._params["iterations"] if first else max(rounds, 2 * len(self._losses)), self._patience if first else 0, rounds)
        self.curve = self._losses[:rounds]

    def predict(self, rounds: int, test_rounds: int | None = None) -> tuple[Array, Array | None]:
        """Predictions of the validated rows after `rounds` and of the test rows after `test_rounds` (None: as many; 0: None is given)."""
        last = max(rounds, test_rounds or rounds)
        if self._model is None or self._model.tree_count_ < last:
            self._fit(last, 0, last)
        with self._clock.stage("predict"):
            valid = self._values("valid", rounds) if len(self._fold.valid) else np.empty(0)
            return valid, None if test_rounds == 0 else self._values("test", test_rounds or rounds)

    def dump(self) -> str:
        """The model and its losses as text."""
        return json.dumps({"curve": self.curve, "losses": self._losses, "model": base64.b64encode(self._model._serialize_model()).decode()})

    def _fit(self, rounds: int, patience: int, least: int) -> None:
        """Fit up to `rounds`, or until there was no better loss for `patience` of them."""
        import catboost

        planned = max(self._params["iterations"], least)
        stop = {"od_type": "Iter", "od_wait": patience} if patience else {}
        train, valid = self._table("train"), self._table("valid") if len(self._fold.valid) else None
        self._model = catboost.CatBoost({**self._params, "iterations": planned, **stop})
        with self._clock.stage("fit"):
            try:
                self._model.fit(train, eval_set=valid, callbacks=None if rounds >= planned else [Until(rounds)])
            except catboost.CatBoostError as error:
                raise refused(error, self._params) from error
        if valid is not None:
            self._losses = [float(loss) for loss in self._model.get_evals_result()["validation"][self._loss()]]

    def _loss(self) -> str:
        """Name under which CatBoost keeps the losses of the validated rows."""
        return next(iter(self._model.get_evals_result()["validation"]))

    def _values(self, part: str, rounds: int) -> Array:
        learnt = str(self._params["loss_function"]).partition(":")[0]
        kind = "Probability" if self._problem.classifies else "Exponent" if learnt in ("Poisson", "Tweedie") else "RawFormulaVal"
        raw = np.asarray(self._model.predict(self._table(part), prediction_type=kind, ntree_end=rounds), dtype=np.float64)
        if self._problem.classifies:
            return raw[:, 1] if self._problem.task == "binary" else raw
        return self._problem.from_scale(raw)

    def _table(self, part: str) -> object:
        """The rows of train, valid or test as CatBoost holds them."""
        if part not in self._tables:
            import catboost

            if self._parts is None:
                self._parts = encoded(self._fold, "categories", self._clock)
            facts = {"thread_count": self._params["thread_count"]}
            if part != "test":
                target = self._fold.target_train if part == "train" else self._fold.data.target[self._fold.valid]
                facts |= {"label": self._problem.to_scale(target), "weight": self._problem.weights(target)}
            table, categories = _bounded(getattr(self._parts, part))
            with self._clock.stage("bin"):
                self._tables[part] = catboost.Pool(table, cat_features=categories, **facts)
        return self._tables[part]


class Until:
    """CatBoost's callback that cuts a fit off after so many rounds."""

    def __init__(self, rounds: int) -> None:
        self._rounds = rounds

    def after_iteration(self, info: object) -> bool:
        """Whether to go on."""
        return info.iteration < self._rounds


def _bounded(table: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Categories as whole numbers (-1: missing), numbers within float32; and the names of the categories."""
    names = safe_names(table.columns)
    categories = [name for name, column in zip(names, table, strict=True) if isinstance(table[column].dtype, pd.CategoricalDtype)]
    columns = {name: codes_of(table[column]) if name in categories else _float32(table[column]) for name, column in zip(names, table, strict=True)}
    return pd.DataFrame(columns, copy=False), categories


def _float32(column: pd.Series) -> Array:
    return np.clip(column.to_numpy(dtype=np.float64), -FLOAT32, FLOAT32).astype(np.float32)


def _read(text: str) -> object:
    import catboost

    return catboost.CatBoost().load_model(blob=base64.b64decode(text))


def settings(problem: Problem, params: Mapping, seed: int = 0, threads: int = 1) -> dict[str, object]:
    """CatBoost's parameters; raises KKError for those that are the house's business."""
    own = {key: value for key, value in params.items() if key not in OURS}
    loss = LOSSES[problem.task if problem.classifies else problem.loss.kind].format(problem.loss.quantile)
    for key, why in HOUSE.items():
        if key in own:
            raise KKError(f"catboost's {key} cannot be set here: {why}", f"Leave {key} out")
    asked = str(own.get("loss_function", loss))
    if asked != loss and (problem.classifies or asked.partition(":")[0] not in FITTING):
        raise KKError(f"catboost's loss_function {asked!r} does not fit: the task is {problem.task}",
                      f"Leave it out, or take {' or '.join([loss] if problem.classifies else FITTING)}")
    several = {"classes_count": len(problem.classes)} if problem.task == "multiclass" else {}
    return {"loss_function": loss, "thread_count": threads, **own, **several, "random_seed": seed, "allow_writing_files": False, "verbose": False,
            "use_best_model": False, "allow_const_label": True, "iterations": int(params.get("iterations") or params.get("max_rounds", MAX_ROUNDS))}


def refused(error: Exception, params: Mapping) -> KKError:
    """What a person should know when CatBoost refuses its parameters or its table."""
    import inspect

    import catboost

    said = str(error).rpartition(".cpp:")[2].partition(": ")[2] or str(error)
    known = [name for name in inspect.signature(catboost.CatBoostRegressor.__init__).parameters if name != "self"]
    wrong = next((key for key in params if key not in known and key in said), "")
    if wrong:
        return KKError(f"catboost does not take the parameter {wrong!r}", f"{near_names(wrong, known)}All: CatBoost's page Training parameters")
    return KKError(f"catboost refuses: {said}", "Mend that --set, or take another model")


class Prepared:
    """The stage function with all threads: CatBoost uses them inside one fold, and the bytes do not depend on how many they are."""

    shared, workers = (), 0

    def __init__(self, threads: int) -> None:
        self._threads = threads

    @staticmethod
    def quiet() -> None:
        """Nothing to do: there are no other threads."""

    def __call__(self, problem: Problem, params: Mapping, seed: int, fold: Fold, clock: object, saved: str = "") -> CatBoostStage:
        """The stage of one fold."""
        return CatBoostStage(problem, params, seed, fold, clock, saved, threads=self._threads)


def prepare(problem: Problem, params: Mapping, data: Data, used: Array, clock: object, *, folds: int, threads: int) -> Prepared:
    """Nothing but threads is shared. Raises KKError for parameters that CatBoost does not take, before anything is trained."""
    import catboost

    made = settings(problem, params)
    try:
        catboost.CatBoost({**made, "iterations": 1}).fit(*_tiny(problem))
    except (catboost.CatBoostError, TypeError) as error:
        raise refused(error, made) from error
    return Prepared(threads)


def _tiny(problem: Problem) -> tuple[Array, Array]:
    """A table that shows whether parameters are known."""
    rows = 4 * max(len(problem.classes), 2)
    return np.arange(rows, dtype=np.float32)[:, None], np.arange(rows) % max(len(problem.classes), 2)


@family("catboost", staged=True, rounds="iterations", needs=("catboost",), renames=RENAMES)
def cat(problem, params, seed, fold, clock, saved=""):  # type: ignore[no-untyped-def]
    """A CatBoost model over one fold."""
    return CatBoostStage(problem, params, seed, fold, clock, saved)


cat.prepare = prepare
