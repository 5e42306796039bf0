"""The peers of quality.py: one AutoGluon fit, and LightGBM as its library has it. Runs in AutoGluon's own Python, so nothing of kagglekit is used.

Both get the train table's columns that test has too, without the id (with it where it is a date). Where the metric is an RMSLE both learn
log(1 + target) under RMSE, since neither library has that metric; what they predict is turned back.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

AUTOGLUON = {"accuracy": "accuracy", "auc": "roc_auc", "ngini": "roc_auc", "mcauc": "roc_auc", "logloss": "log_loss", "mlogloss": "log_loss",
             "mclogloss": "log_loss", "f1": "f1", "macro_f1": "f1_macro", "micro_f1": "f1_micro", "balanced_accuracy": "balanced_accuracy",
             "mcc": "mcc", "qwk": "quadratic_kappa", "ap": "average_precision", "rmse": "root_mean_squared_error",
             "mcrmse": "root_mean_squared_error", "rmsle": "root_mean_squared_error", "mcrmsle": "root_mean_squared_error",
             "mae": "mean_absolute_error", "mse": "mean_squared_error", "medae": "median_absolute_error", "mape": "mean_absolute_percentage_error",
             "smape": "symmetric_mean_absolute_percentage_error", "r2": "r2", "spearman": "spearmanr", "pearson": "pearsonr"}
ON_LOG = {"rmsle", "mcrmsle"}


@dataclass(frozen=True, slots=True)
class Task:
    """A competition as a peer sees it: tables, columns, metric (kagglekit's name, and what it needs) and the time.

    `wide` are the classes that the sample has as columns, in its order; empty where its columns are the targets.
    """

    train: str
    test: str
    sample: str
    id: str
    targets: tuple[str, ...]
    features: tuple[str, ...]
    wide: tuple[str, ...]
    metric: str
    needs: str
    seconds: float
    cores: int

    @property
    def numeric(self) -> bool:
        """Whether numbers are predicted, not classes."""
        return self.needs == "value"


def peer(way: str, given: dict, folder: Path) -> dict:
    """Fit on the task's train table, write folder/WAY.csv in the sample's form; gives what can be told of the model."""
    task = Task(**{key: tuple(value) if isinstance(value, list) else value for key, value in given.items()})
    train, test, sample = (pd.read_csv(path, dtype={task.id: str}, low_memory=False) for path in (task.train, task.test, task.sample))
    said, told = sample.copy(), []
    for target in task.targets:
        rows = train[train[target].notna()]
        y = np.log1p(rows[target]) if task.metric in ON_LOG else rows[target]
        values, words = PEERS[way](task, rows[list(task.features)], y, test[list(task.features)], folder)
        values = np.maximum(np.expm1(values), 0) if task.metric in ON_LOG else values
        for column in task.wide or [target]:
            said[column] = _by_id(values[column] if task.wide else values, test, sample, task.id)
        told.append(words)
    said.to_csv(folder / f"{way}.csv", index=False)
    return {"told": "; ".join(dict.fromkeys(told))}


def _by_id(values: object, test: pd.DataFrame, sample: pd.DataFrame, name: str) -> np.ndarray:
    return pd.Series(np.asarray(values), index=test[name]).reindex(sample[name]).to_numpy()


def _autogluon(task: Task, X: pd.DataFrame, y: pd.Series, X_test: pd.DataFrame, folder: Path) -> tuple[object, str]:
    """One TabularPredictor.fit with the preset medium_quality; several targets share the time."""
    from autogluon.tabular import TabularPredictor

    place, label = folder / "autogluon", "kk_target"
    kind = "regression" if task.numeric else "binary" if y.nunique() == 2 else "multiclass"
    predictor = TabularPredictor(label=label, path=str(place), problem_type=kind, eval_metric=AUTOGLUON.get(task.metric), verbosity=1)
    predictor.fit(X.assign(**{label: y.to_numpy()}), presets="medium_quality", time_limit=task.seconds / len(task.targets),
                  num_cpus=task.cores, num_gpus=0)
    values = _predicted(task, predictor.predict, predictor.predict_proba, predictor.class_labels, X_test)
    words = _weights(predictor)
    shutil.rmtree(place, ignore_errors=True)
    return values, words


def _weights(predictor: object) -> str:
    """Which models AutoGluon's final one is made of."""
    info = predictor.info()["model_info"][predictor.model_best]  # type: ignore[attr-defined]
    for child in info.get("children_info", {}).values():
        if child.get("model_weights"):
            found = sorted(child["model_weights"].items(), key=lambda one: -one[1])
            return " + ".join(f"{weight:.2f} {name}" for name, weight in found[:4])
    return str(predictor.model_best)  # type: ignore[attr-defined]


def _lightgbm(task: Task, X: pd.DataFrame, y: pd.Series, X_test: pd.DataFrame, folder: Path) -> tuple[object, str]:
    """LGBMClassifier or LGBMRegressor as they are; text columns as its own categories, dates as numbers."""
    import lightgbm

    both = pd.concat([X, X_test], ignore_index=True)
    for name in both.columns[[not pd.api.types.is_numeric_dtype(kind) for kind in both.dtypes]]:
        both[name] = _dates(both[name]) if is_date(both[name]) else both[name].astype("category")
    both.columns = [f"c{number}" for number in range(both.shape[1])]  # it refuses some letters in names
    make = lightgbm.LGBMRegressor if task.numeric else lightgbm.LGBMClassifier
    model = make(n_jobs=task.cores, verbosity=-1).fit(both.iloc[:len(X)], y.to_numpy())
    classes = None if task.numeric else list(model.classes_)
    proba = None if task.numeric else lambda table: pd.DataFrame(model.predict_proba(table), columns=classes)
    return _predicted(task, model.predict, proba, classes, both.iloc[len(X):]), "library defaults"


def _predicted(task: Task, predict: Callable, proba: Callable | None, classes: list | None, X_test: pd.DataFrame) -> object:
    """Values, labels or the second class's probability of each row; {class: probabilities} where the sample has a column a class."""
    if proba is None or task.needs in ("value", "label"):
        return np.asarray(predict(X_test))
    table = proba(X_test)
    table.columns = [str(column) for column in table.columns]
    return {name: table[name].to_numpy() for name in task.wide} if task.wide else table[str(classes[-1])].to_numpy()


def is_date(column: pd.Series) -> bool:
    """Whether a column of text reads as dates throughout.

    >>> is_date(pd.Series(["2011-01-20 00:00:00", None])), is_date(pd.Series(["A/5 21171", "7"]))
    (True, False)
    """
    if pd.api.types.is_numeric_dtype(column) or not column.notna().any():
        return False
    return bool(pd.to_datetime(column.dropna(), format="ISO8601", errors="coerce").notna().all())


def _dates(column: pd.Series) -> pd.Series:
    return (pd.to_datetime(column, format="ISO8601") - pd.Timestamp(0)) / pd.Timedelta(seconds=1)


PEERS: dict[str, Callable] = {"autogluon": _autogluon, "lightgbm": _lightgbm}
