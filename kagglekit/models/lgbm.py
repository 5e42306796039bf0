"""LightGBM: boosted trees that grow in rounds."""

import json
import os
from collections.abc import Mapping

import numpy as np

from kagglekit.fold import Fold
from kagglekit.models.encoders import encoded
from kagglekit.models.family import Problem, family, unknown_parameter

Array = np.ndarray
PARALLEL_CELLS = 2_000_000
OBJECTIVES = {"binary": ("binary", "binary_logloss"), "multiclass": ("multiclass", "multi_logloss"), "regression": ("l2", "l2")}


class LightGBMStage:
    """One fold's booster. Its curve is the training loss on the validated rows: log loss, or squared error on the learnt scale."""

    def __init__(self, problem: Problem, params: Mapping, seed: int, fold: Fold, clock: object, saved: str = "") -> None:
        self._problem, self._fold, self._clock = problem, fold, clock
        self._parts = encoded(fold, "categories", clock)
        self._params = self._settings(params, seed)
        self.curve: list[float] = []
        self._booster = None
        self._text = ""
        if saved:
            content = json.loads(saved)
            self.curve, self._text = content["curve"], content["model"]

    def advance(self, rounds: int) -> None:
        """Grow to `rounds` in all. A booster read back from disk cannot grow: it is grown again from the first round."""
        import lightgbm

        if rounds <= len(self.curve) and (self._booster or self._text):
            return
        with self._clock.stage("fit"):
            if self._booster is None:
                self.curve, self._text = [], ""
                self._booster = self._fresh(lightgbm)
            for _ in range(rounds - len(self.curve)):
                self._booster.update()
                self.curve.append(float(self._booster.eval_valid()[0][2]) if len(self._fold.valid) else float("nan"))

    def predict(self, rounds: int) -> tuple[Array, Array]:
        """Predictions of the validated and the test rows after `rounds`."""
        with self._clock.stage("predict"):
            booster = self._booster or self._read()

            def values(X: object) -> Array:
                raw = booster.predict(X, num_iteration=rounds, num_threads=self._threads())
                return raw if self._problem.classifies else self._problem.from_scale(raw)

            valid = values(self._parts.valid) if len(self._fold.valid) else np.empty(0)
            return valid, values(self._parts.test)

    def dump(self) -> str:
        """The booster and its curve as text."""
        return json.dumps({"curve": self.curve, "model": self._booster.model_to_string() if self._booster else self._text})

    def _read(self) -> object:
        import lightgbm

        return lightgbm.Booster(model_str=self._text)

    def _fresh(self, lightgbm: object) -> object:
        target = self._problem.to_scale(self._fold.data.target)
        train = lightgbm.Dataset(self._parts.train, label=target[self._fold.train], params={"num_threads": self._threads(), "verbosity": -1})
        try:
            booster = lightgbm.Booster(self._params, train)
        except lightgbm.basic.LightGBMError as error:
            raise unknown_parameter("lgbm", error, self._params) from error
        if len(self._fold.valid):
            # Every Dataset sets the library's thread count anew: without its own parameters this one would set it to all cores.
            valid = train.create_valid(self._parts.valid, label=target[self._fold.valid], params={"num_threads": self._threads()})
            booster.add_valid(valid, "valid")
        return booster

    def _settings(self, params: Mapping, seed: int) -> dict[str, object]:
        objective, loss = OBJECTIVES[self._problem.task]
        own = {key: value for key, value in params.items() if key not in ("n_estimators", "max_rounds", "patience")}
        several = {"num_class": len(self._problem.classes)} if self._problem.task == "multiclass" else {}
        return {"objective": objective, "metric": loss, "seed": seed, "deterministic": True, "force_row_wise": True,
                "num_threads": self._threads(), "verbosity": -1, **several, **own}

    def _threads(self) -> int:
        """One below two million cells or so: there the threads' barriers cost more than they save, and on a busy machine far more."""
        return 1 if self._fold.X.size < PARALLEL_CELLS else os.cpu_count() or 1


@family("lgbm", staged=True, rounds="n_estimators")
def lgbm(problem, params, seed, fold, clock, saved=""):  # type: ignore[no-untyped-def]
    """A LightGBM booster over one fold."""
    return LightGBMStage(problem, params, seed, fold, clock, saved)
