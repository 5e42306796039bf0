"""LightGBM: boosted trees that grow in rounds; where no fold has features of its own, the table is binned once for all folds and seeds."""

import copy
import hashlib
import json
import threading
from collections.abc import Mapping
from typing import Protocol

import numpy as np

from kagglekit.fold import Data, Fold
from kagglekit.models.encoders import MEMORY, encoded, is_shared
from kagglekit.models.family import family
from kagglekit.models.lgbm_params import Renames, monotone, refused, settings
from kagglekit.models.problem import Problem

Array = np.ndarray
PARALLEL_CELLS = 20_000_000
SHARED = ("category codes", "histogram bin edges")
_encoding = threading.Lock()  # encoders filter warnings, which is not for threads


class Tables(Protocol):
    """Where a booster's rows come from."""

    def sets(self, fold: Fold, params: dict) -> tuple: ...

    def valid(self, fold: Fold) -> object: ...

    def test(self, fold: Fold) -> object: ...


class Apart:
    """One fold, encoded and binned by what its own training rows hold."""

    def __init__(self, problem: Problem, fold: Fold, clock: object) -> None:
        with _encoding:
            self._parts = encoded(fold, "categories", clock)
        self._problem = problem

    def sets(self, fold: Fold, params: dict) -> tuple:
        """Binned training rows and validated rows (None where there are none)."""
        import lightgbm

        train = lightgbm.Dataset(self._parts.train, params=params, **_labels(self._problem, fold.target_train))
        if not len(fold.valid):
            return train, None
        # Every Dataset sets the library's thread count anew: without its own parameters this one would set it to all cores.
        return train, train.create_valid(self._parts.valid, params=params, **_labels(self._problem, fold.data.target[fold.valid]))

    def valid(self, fold: Fold) -> object:
        """The validated rows, encoded."""
        return self._parts.valid

    def test(self, fold: Fold) -> object:
        """The test rows, encoded."""
        return self._parts.test


def _labels(problem: Problem, target: Array) -> dict[str, Array | None]:
    """The target on the scale that is learnt, and the weights of its rows."""
    return {"label": problem.to_scale(target), "weight": problem.weights(target)}


class Together:
    """All rows in use, binned once; a fold's rows are cut out of the bins, once for all seeds."""

    def __init__(self, problem: Problem, params: Mapping, data: Data, used: Array, clock: object, threads: int) -> None:
        with clock.stage("encode"):
            self._whole, self._test, _ = MEMORY.whole(data.X, data.X_test)
        self._place, self._problem, self._target = np.cumsum(used) - 1, problem, data.target
        self._cut: dict[bytes, tuple] = {}
        self._lock = threading.Lock()
        table, target = (self._whole, data.target) if used.all() else (self._whole.iloc[np.flatnonzero(used)], data.target[used])
        with clock.stage("bin"):
            self._bins = _binned(table, problem.to_scale(target), settings(problem, params, threads=threads))

    def relearning(self, problem: Problem, data: Data) -> "Together":
        """The same bins for another target."""
        other = copy.copy(self)
        other._problem, other._target, other._cut, other._lock = problem, data.target, {}, threading.Lock()
        return other

    def sets(self, fold: Fold, params: dict) -> tuple:
        """The fold's training and validated rows as parts of the one binned table."""
        key = hashlib.blake2b(fold.train.tobytes() + fold.valid.tobytes(), digest_size=16).digest()
        with self._lock:
            if key not in self._cut:
                self._cut[key] = tuple(self._part(rows, params) if len(rows) else None for rows in (fold.train, fold.valid))
            return self._cut[key]

    def valid(self, fold: Fold) -> object:
        """The validated rows, encoded."""
        return self._whole.iloc[fold.valid]

    def test(self, fold: Fold) -> object:
        """The test rows, encoded."""
        return self._test

    def _part(self, rows: Array, params: dict) -> object:
        part = self._bins.subset(self._place[rows].tolist(), params=params).construct()
        part.used_indices = None  # a list of Python numbers, larger than the bins where columns are few
        labels = _labels(self._problem, self._target[rows])
        part.set_label(labels["label"])
        part.set_weight(labels["weight"])
        return part


def _binned(table: object, target: Array, params: dict) -> object:
    import lightgbm

    try:
        return lightgbm.Dataset(table, label=target, params=params, free_raw_data=True).construct()
    except lightgbm.basic.LightGBMError as error:
        raise refused(error) from error


class Prepared:
    """The stage function with what all folds share: called like `lgbm`, in `workers` threads at once."""

    def __init__(self, tables: Together | None, threads: int, folds: int, cells: int) -> None:
        self.relearning = self._relearning if tables else None
        self.tables, self.shared = tables, SHARED if tables else ()
        self.workers = max(1, min(threads, folds))
        self._threads, self._all = _threads(cells, threads // self.workers), _threads(cells, threads)

    def _relearning(self, problem: Problem, data: Data) -> "Prepared":
        """The same for another target."""
        other = copy.copy(self)
        other.tables = self.tables.relearning(problem, data)
        return other

    @staticmethod
    def quiet() -> None:
        """Silence LightGBM in this thread: its level of logging belongs to a thread and is set by the parameters of what is made there."""
        import lightgbm
        from scipy.sparse import csr_matrix

        lightgbm.Dataset(csr_matrix((2, 1)), params={"verbosity": -1, "num_threads": 1}).construct()

    def __call__(self, problem: Problem, params: Mapping, seed: int, fold: Fold, clock: object, saved: str = "") -> "LightGBMStage":
        """The stage of one fold."""
        tables = self.tables or Apart(problem, fold, clock)
        threads = self._threads if len(fold.valid) else self._all
        return LightGBMStage(problem, settings(problem, params, seed, threads), fold, clock, tables, saved, params.get("monotone"))


class LightGBMStage:
    """One fold's booster. Its curve is the training loss on the validated rows: that of the objective, on the learnt scale.

    With dart a round changes the trees before it, so that a booster is grown anew to each number of rounds that is asked for.
    """

    def __init__(self, problem: Problem, params: dict, fold: Fold, clock: object, tables: Tables, saved: str = "",
                 asked: object = None) -> None:
        self._problem, self._params, self._fold, self._clock, self._tables = problem, params, fold, clock, tables
        self._dart, self._monotone = params.get("boosting") == "dart", asked
        self.curve: list[float] = []
        self._booster = None
        self._text = ""
        if saved:
            content = json.loads(saved)
            self.curve, self._text = content["curve"], content["model"]

    def advance(self, rounds: int) -> None:
        """Grow to `rounds` in all. A booster read back from disk cannot grow: it is grown again from the first round."""
        if rounds <= len(self.curve) and (self._booster or self._text):
            return
        with self._clock.stage("fit"):
            if self._booster is None:
                self.curve, self._text = [], ""
                self._booster = self._fresh()
            for _ in range(rounds - len(self.curve)):
                _grow(self._booster)
                self.curve.append(float(self._booster.eval_valid()[0][2]) if len(self._fold.valid) else float("nan"))

    def predict(self, rounds: int, test_rounds: int | None = None) -> tuple[Array, Array | None]:
        """Predictions of the validated rows after `rounds` and of the test rows after `test_rounds` (None: as many; 0: None is given)."""
        final = test_rounds or rounds
        booster = self._grown_to(rounds)
        with self._clock.stage("predict"):
            valid = self._values(self._valid(booster, rounds)) if len(self._fold.valid) else np.empty(0)
        if test_rounds == 0:
            return valid, None
        booster = self._grown_to(final) if final != rounds else booster
        with self._clock.stage("predict"):
            return valid, self._values(self._predicted(booster, self._tables.test(self._fold), final))

    def dump(self) -> str:
        """The booster and its curve as text."""
        return json.dumps({"curve": self.curve, "model": self._booster.model_to_string() if self._booster else self._text})

    def _grown_to(self, rounds: int) -> object:
        if self._dart and rounds != len(self.curve):
            with self._clock.stage("fit"):
                booster = self._fresh()
                for _ in range(rounds):
                    _grow(booster)
            return booster
        return self._booster or self._read()

    def _valid(self, booster: object, rounds: int) -> Array:
        """What the booster has kept of the validated rows while it grew, where that is of this round: the same bytes as predicting."""
        if self._booster is None or self._dart or rounds != len(self.curve) or self._params.get("linear_tree"):
            return self._predicted(booster, self._tables.valid(self._fold), rounds)
        kept = []
        booster.eval_valid(lambda values, _: (kept.append(np.array(values)), ("kept", 0.0, True))[1])
        return kept[0]

    def _predicted(self, booster: object, X: object, rounds: int) -> Array:
        return booster.predict(X, num_iteration=rounds, num_threads=self._params["num_threads"])

    def _values(self, raw: Array) -> Array:
        return raw if self._problem.classifies else self._problem.from_scale(raw)

    def _read(self) -> object:
        import lightgbm

        return lightgbm.Booster(model_str=self._text)

    def _fresh(self) -> object:
        import lightgbm

        train, valid = self._tables.sets(self._fold, self._params)
        try:
            booster = lightgbm.Booster(self._constrained(), train)
        except lightgbm.basic.LightGBMError as error:
            raise refused(error) from error
        if valid is not None:
            booster.add_valid(valid, "valid")
        return booster

    def _constrained(self) -> dict:
        """The parameters with what must rise or fall, column by column."""
        if not self._monotone:
            return self._params
        table = self._tables.test(self._fold)
        categories = [name for name in table.columns if str(table[name].dtype) == "category"]
        return {**self._params, **monotone({"monotone": self._monotone}, list(table.columns), categories), "monotone_constraints_method": "advanced"}


def _grow(booster: object) -> None:
    import lightgbm

    try:
        booster.update()
    except lightgbm.basic.LightGBMError as error:
        raise refused(error) from error


def prepare(problem: Problem, params: Mapping, data: Data, used: Array, clock: object, *, folds: int, threads: int) -> Prepared:
    """What all folds share: one binned table, unless a fold has features of its own or an encoder that learns from its rows.

    `threads` is what `folds` may use together: a fold each first, several a fold only where its table is so large that it pays.
    """
    threads = int(params.get("num_threads") or threads)
    cells = int(used.sum()) * data.X.shape[1]
    apart = data.ids_only or data.fitted is not None or not is_shared(data.X)
    return Prepared(None if apart else Together(problem, params, data, used, clock, _threads(cells, threads)), threads, folds, cells)


def _threads(cells: int, threads: int) -> int:
    """One for a small table: there the threads' barriers cost more than they save, and on a busy machine far more."""
    return max(1, min(threads, cells // (PARALLEL_CELLS // 2)))


@family("lgbm", staged=True, rounds="n_estimators", needs=("lightgbm",), renames=Renames())
def lgbm(problem, params, seed, fold, clock, saved=""):  # type: ignore[no-untyped-def]
    """A LightGBM booster over one fold."""
    return LightGBMStage(problem, settings(problem, params, seed), fold, clock, Apart(problem, fold, clock), saved, params.get("monotone"))


lgbm.prepare = prepare
