"""Table encoding against skrub's TableVectorizer: CPU seconds of one fold, side by side; and what categories of many levels should become.

    python benchmarks/encoding.py [--rows 200000]
"""

import argparse
import time
import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd

from kagglekit.fold import Data, Fold
from kagglekit.metrics import check_metric
from kagglekit.models.encoders import ENCODINGS, encoded
from kagglekit.testing import NoClock

FEW, MANY = 30, 1000


def cpu(work: Callable[[], object]) -> float:
    """CPU seconds of one call."""
    started = time.process_time()
    work()
    return time.process_time() - started


def skrubs(encoding: str) -> object:
    """The same encoding as a scikit-learn pipeline around skrub's TableVectorizer."""
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
    from skrub import StringEncoder, TableVectorizer, ToCategorical

    text = StringEncoder(n_components=20, random_state=0)
    if encoding == "numbers":
        few = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=5, sparse_output=False, dtype="float32")
        table = TableVectorizer(cardinality_threshold=FEW, low_cardinality=few, high_cardinality=text)
        return make_pipeline(table, SimpleImputer(strategy="median", keep_empty_features=True, add_indicator=True), StandardScaler())
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2)
    return TableVectorizer(cardinality_threshold=MANY, low_cardinality=codes if encoding == "trees" else ToCategorical(), high_cardinality=text)


def tables(rows: int) -> dict[str, pd.DataFrame]:
    """100 columns of numbers, some with gaps; and the same with six categories of 12 to 72 levels."""
    random = np.random.default_rng(0)
    numbers = pd.DataFrame(random.normal(size=(rows, 100))).add_prefix("x")
    numbers.iloc[::7, 3:20] = np.nan
    labels = {f"label{k}": random.choice([f"level {j}" for j in range(12 * (k + 1))], rows) for k in range(6)}
    return {"100 numbers": numbers, "100 numbers, 6 categories": numbers.assign(**labels)}


def speed(rows: int) -> None:
    """Five folds of ours (what they share is made once), one of skrub's."""
    print(f"{rows:,} rows, CPU seconds a fold\n{'table':28}{'encoding':14}{'kagglekit':>10}{'skrub':>10}{'ratio':>8}")
    for name, table in tables(rows).items():
        test, number = table.iloc[:rows // 5].reset_index(drop=True), np.arange(rows) % 5
        data = Data(table, np.zeros(rows), np.zeros(rows), test)
        folds = [Fold(0, k, np.flatnonzero(number != k), np.flatnonzero(number == k), data) for k in range(5)]
        for encoding in ENCODINGS:
            ours = cpu(lambda encoding=encoding, folds=folds: [encoded(fold, encoding, NoClock()) for fold in folds]) / 5
            peer, fold = skrubs(encoding), folds[0]
            theirs = cpu(lambda peer=peer, fold=fold: (peer.fit_transform(fold.X_train), peer.transform(fold.X_valid), peer.transform(fold.X_test)))
            print(f"{name:28}{encoding:14}{ours:10.2f}{theirs:10.2f}{theirs / ours:8.1f}")


def many_levels() -> None:
    """R2 on rows that did not train, by what a category of many levels becomes; effects of levels are random, levels of unequal size."""
    print(f"\nR2 on held-out rows\n{'rows':>7}{'levels':>8}{'noise':>7}  {'model':8}{'codes':>9}{'text':>9}{'means':>9}{'native':>9}")
    for rows, levels in ((5_000, 200), (20_000, 200), (20_000, 900)):
        for noise in (1.0, 4.0):
            x, label, y = effects(rows, levels, noise)
            for model in ("linear", "forest", "lgbm"):
                shown = [held_out(model, x, label, y, how) for how in ("codes", "text", "means", "native")]
                print(f"{rows:7}{levels:8}{noise:7g}  {model:8}" + "".join(f"{'-' if value is None else f'{value:.3f}':>9}" for value in shown))


def effects(rows: int, levels: int, noise: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Numbers, a label whose levels have effects of their own (also on slopes), and the target."""
    random = np.random.default_rng(rows + levels)
    size = 1 / np.arange(1, levels + 1) ** 0.7
    code, effect, x = random.choice(levels, rows, p=size / size.sum()), random.normal(size=levels), random.normal(size=(rows, 5))
    y = effect[code] + x[:, 0] + np.where(effect[code] > 0, 1, -1) * x[:, 1] + noise * random.normal(size=rows)
    return x, random.permutation(10 * levels)[:levels][code], y


def held_out(model: str, x: np.ndarray, label: np.ndarray, y: np.ndarray, how: str) -> float | None:
    """R2 of the last fifth of rows, None where a model cannot take it so."""
    import lightgbm
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.linear_model import Ridge
    from sklearn.preprocessing import StandardScaler, TargetEncoder
    from skrub import StringEncoder

    if how == "native" and model != "lgbm":
        return None
    cut = len(y) * 4 // 5
    if how == "means":
        encoder = TargetEncoder(random_state=0, target_type="continuous")
        more = np.vstack([encoder.fit_transform(label[:cut, None], y[:cut]), encoder.transform(label[cut:, None])])
    elif how == "text":
        text = pd.Series([f"level {k:05d}" for k in label], name="label")
        encoder = StringEncoder(n_components=20, random_state=0)
        more = np.vstack([encoder.fit_transform(text[:cut]), encoder.transform(text[cut:])])
    else:
        more = label[:, None]
    table = StandardScaler().fit_transform(np.hstack([x, more])) if how != "native" else np.hstack([x, more])
    if model == "lgbm":
        settings = {"learning_rate": 0.05, "num_leaves": 31, "verbosity": -1, "num_threads": 1, "seed": 0}
        data = lightgbm.Dataset(table[:cut], y[:cut], categorical_feature=[5] if how == "native" else "auto")
        said = lightgbm.train(settings, data, 200).predict(table[cut:])
    else:
        fresh = Ridge() if model == "linear" else RandomForestRegressor(60, min_samples_leaf=3, max_features=0.5, random_state=0)
        said = fresh.fit(table[:cut], y[:cut]).predict(table[cut:])
    return check_metric("r2")(y[cut:], said)


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    speed(parser.parse_args().rows)
    many_levels()
