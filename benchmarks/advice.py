"""What the data shows before a split is chosen: near duplicates, adversarial validation and single-column leaks, and whether to believe them.

    python benchmarks/advice.py [--quick] [--rows 1000000] [--no-speed] [--no-checks]

First the cost on a table of 40 mixed columns with 5 % of copies (each way a process of its own: processor seconds of the call, peak
memory of the process) beside what one would write by hand with pandas and scikit-learn. Then simulated checks on tables of many
shapes: shares of copies found against planted, false alarms where there is nothing, the spread of the AUC that knows nothing, and
the best column of tables without any signal against its bound. Everything is seeded.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

WORDS = np.array(["the", "of", "and", "to", "in", "is", "it", "was", "for", "on", "are", "as", "with", "his", "they", "at", "be", "this"])
COLOURS = np.array(["red", "green", "blue", "violet", "grey", "black"])
PLANTED = (0.01, 0.02, 0.05, 0.10)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="100,000 rows, few repetitions")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--no-speed", action="store_true")
    parser.add_argument("--no-checks", action="store_true")
    parser.add_argument("--way", default="", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, default=None, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.way:
        print(json.dumps(_one_way(given.way, given.folder)))
        return
    if not given.no_speed:
        _speed(100_000 if given.quick else given.rows)
    if not given.no_checks:
        _duplicates(3 if given.quick else 20)
        _null(5 if given.quick else 30)
        _power(3 if given.quick else 10)


def mixed(rows: int, seed: int) -> pd.DataFrame:
    """A table of 40 columns: numbers, whole numbers, categories of few and of 20,000 values, gaps, dates, text, mostly zeros, a constant."""
    rng = np.random.default_rng(seed)
    columns: dict[str, object] = {f"num{place}": rng.normal(size=rows) for place in range(16)}
    columns |= {f"int{place}": rng.integers(0, 10 ** (1 + place % 4), rows) for place in range(8)}
    columns |= {f"cat{place}": COLOURS[rng.integers(0, 6, rows)] for place in range(6)}
    columns |= {f"code{place}": np.char.add("c", rng.integers(0, 20_000, rows).astype(str)) for place in range(3)}
    columns |= {f"gap{place}": pd.Series(rng.integers(0, 100, rows), dtype="Int64").mask(rng.random(rows) < 0.3) for place in range(2)}
    columns["day"] = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 700, rows), unit="D")
    columns["flag"] = rng.random(rows) < 0.2
    columns["text"] = [" ".join(WORDS[words]) for words in rng.integers(0, len(WORDS), (rows, 12))]
    columns["zeros"] = np.where(rng.random(rows) < 0.9, 0, rng.random(rows))
    columns["constant"] = 1
    return pd.DataFrame(columns)


def planted(table: pd.DataFrame, share: float, rng: np.random.Generator) -> pd.DataFrame:
    """The table with `share` of its rows in pairs of copies."""
    half = int(share * len(table) / 2)
    chosen, source = rng.permutation(len(table)), np.arange(len(table))
    source[chosen[:half]] = chosen[half:2 * half]
    return table.iloc[source].reset_index(drop=True)


def _speed(rows: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder, rng = Path(name), np.random.default_rng(2)
        train = planted(mixed(rows, 0), 0.05, rng)
        train.assign(y=(train["num0"] + rng.normal(size=rows) > 0).astype(int)).to_parquet(folder / "train.parquet")
        mixed(rows // 4, 1).to_parquet(folder / "test.parquet")
        del train
        print(f"{rows:,} rows of 40 mixed columns, test {rows // 4:,}; processor seconds and peak memory of the process")
        base = _measured("reading the tables", folder)
        print(f"{'reading the tables':>34}: {base['cpu']:6.1f} s, {base['mb']:6,.0f} MB")
        for way in [way for way in WAYS if way != "reading the tables"]:
            one = _measured(way, folder)
            print(f"{way:>34}: {one['cpu']:6.1f} s, {one['mb']:6,.0f} MB  {one['says']}", flush=True)


def _measured(way: str, folder: Path) -> dict:
    command = [sys.executable, __file__, "--way", way, "--folder", str(folder)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _one_way(way: str, folder: Path) -> dict:
    start = time.process_time()
    train, test = pd.read_parquet(folder / "train.parquet"), pd.read_parquet(folder / "test.parquet")
    y = train.pop("y").to_numpy()
    if way != "reading the tables":
        start = time.process_time()
    says = WAYS[way](train, test, y)
    return {"cpu": time.process_time() - start, "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3, "says": says}


def _kk_duplicates(train: pd.DataFrame, test: pd.DataFrame, y: np.ndarray) -> str:
    from kagglekit.advice.duplicates import near_duplicates

    return near_duplicates(train, test, y=y).says


def _kk_shift(train: pd.DataFrame, test: pd.DataFrame, y: np.ndarray) -> str:
    from kagglekit.advice.shift import adversarial

    return adversarial(train, test).says


def _kk_leaks(train: pd.DataFrame, test: pd.DataFrame, y: np.ndarray) -> str:
    from kagglekit.advice.leaks import column_tells

    return column_tells(train, y, "binary")[0].says


def _kk_all(train: pd.DataFrame, test: pd.DataFrame, y: np.ndarray) -> str:
    for step in (_kk_duplicates, _kk_shift, _kk_leaks):
        step(train, test, y)
    return ""


def _pandas_duplicates(train: pd.DataFrame, test: pd.DataFrame, y: np.ndarray) -> str:
    return f"{train.duplicated(keep=False).mean():.3f} of rows, exact only, without chance"


def _neighbours(train: pd.DataFrame, test: pd.DataFrame, y: np.ndarray) -> str:
    from sklearn.neighbors import NearestNeighbors

    some = train.filter(like="num").iloc[:20_000]
    distance = NearestNeighbors(n_neighbors=2, n_jobs=1).fit(some).kneighbors(some)[0][:, 1]
    return f"{(distance < 1e-3 * np.median(distance)).mean():.4f} of rows, of 20,000 rows and 16 numbers only"


def _scikit_shift(train: pd.DataFrame, test: pd.DataFrame, y: np.ndarray) -> str:
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import cross_val_predict
    from sklearn.preprocessing import OrdinalEncoder

    both = pd.concat([train.sample(20_000, random_state=0), test.sample(20_000, random_state=0)])
    other = both.select_dtypes(exclude="number").columns
    both[other] = OrdinalEncoder().fit_transform(both[other].astype(str))
    label = np.repeat([0, 1], 20_000)
    probability = cross_val_predict(HistGradientBoostingClassifier(random_state=0), both.astype(float), label, method="predict_proba")[:, 1]
    return f"AUC {roc_auc_score(label, probability):.3f}, 40,000 rows without likeness of the rest"


def _scikit_leaks(train: pd.DataFrame, test: pd.DataFrame, y: np.ndarray) -> str:
    from sklearn.metrics import roc_auc_score

    numbers = train.select_dtypes("number").astype(float)
    best = max(abs(roc_auc_score(y, numbers[name].fillna(-1)) - 0.5) + 0.5 for name in numbers)
    return f"best AUC {best:.3f}, {numbers.shape[1]} columns of numbers only, all rows"


WAYS: dict[str, Callable[..., str]] = {
    "reading the tables": lambda train, test, y: "", "kk duplicates": _kk_duplicates, "pandas duplicated": _pandas_duplicates,
    "scikit-learn NearestNeighbors": _neighbours, "kk shift": _kk_shift, "scikit-learn cross_val_predict": _scikit_shift,
    "kk leaks": _kk_leaks, "scikit-learn roc_auc_score": _scikit_leaks, "kk, all three": _kk_all,
}


def shaped(shape: str, rows: int, width: int, rng: np.random.Generator) -> pd.DataFrame:
    """A table without copies, shift or signal."""
    normal = rng.normal(size=(rows, width))
    if shape == "few values":
        table = {place: COLOURS[rng.integers(0, rng.integers(2, 7), rows)] for place in range(width)}
    elif shape == "few, dependent":
        table = np.floor(1.5 * (rng.normal(size=(rows, 1)) + 0.7 * normal)).astype(int)
    elif shape == "mostly zeros":
        table = rng.poisson(np.exp(rng.normal(size=(rows, 1)) - 3.5), size=(rows, width))
    elif shape == "half missing":
        table = np.where(rng.random((rows, width)) < 0.5, np.nan, normal)
    elif shape == "clusters":
        cluster = rng.integers(0, 5, rows)
        table = 5 * rng.normal(size=(5, width))[cluster] + 10.0 ** -cluster[:, None] * normal
    elif shape == "shops by day":
        shop = rng.integers(0, rows // 20, rows)
        table = np.column_stack([rng.normal(size=(rows // 20, width))[shop], rng.integers(0, 7, rows)])
    elif shape == "hierarchy":
        item = rng.integers(0, rows // 3, rows)
        table = np.column_stack([item, item % 50, item % 10, rng.integers(0, 10, rows)])
    elif shape == "one decimal":
        table = np.round(normal, 1)
    else:
        table = np.exp(2 * normal) if shape == "long tails" else normal
    return pd.DataFrame(table).add_prefix("c")


SHAPES = (("normal", 3), ("normal", 40), ("normal", 200), ("long tails", 5), ("clusters", 5), ("few values", 3), ("few values", 10),
          ("few values", 40), ("few, dependent", 4), ("few, dependent", 10), ("mostly zeros", 50), ("mostly zeros", 200),
          ("half missing", 6), ("one decimal", 6), ("shops by day", 5), ("hierarchy", 4))


def _duplicates(repeats: int) -> None:
    from kagglekit.advice.duplicates import near_duplicates

    print("\nshare of rows found as copies where 1, 2, 5 and 10 % are planted; false: tables without any that seem to have some, and the worst")
    for shape, width in SHAPES:
        line = f"{shape:>15} {width:>3}"
        for rows in (200, 1000, 10_000):
            runs = max(3, repeats // 5) if rows == 10_000 else repeats
            tables = [shaped(shape, rows, width, np.random.default_rng(seed)) for seed in range(runs)]
            wrong = np.array([near_duplicates(table).share for table in tables])
            found = [np.mean([near_duplicates(planted(table, share, np.random.default_rng(9))).share for table in tables[:5]]) for share in PLANTED]
            line += f" | n={rows}: {' '.join(f'{one:.3f}' for one in found)} false {np.mean(wrong > 0):.2f} ({wrong.max():.3f})"
        print(line, flush=True)


def _null(repeats: int) -> None:
    from kagglekit.advice.leaks import column_tells
    from kagglekit.advice.shift import adversarial

    print("\nno shift, no signal: the out-of-fold AUC, its sd in sd as told, alarms; best column of a random target, less its bound")
    for shape, width in SHAPES:
        for rows in (200, 1000, 10_000):
            found, over = [], []
            for seed in range(max(3, repeats // 5) if rows == 10_000 else repeats):
                rng = np.random.default_rng(seed)
                table, of_test = shaped(shape, rows, width, rng).assign(name=rng.permutation(rows).astype(str)), rng.random(rows) < 0.4
                found.append(adversarial(table[~of_test], table[of_test]))
                over += [max(one.value - one.bound for one in column_tells(table, rng.integers(0, 2, rows), "binary"))]
            auc, sd = np.array([one.auc for one in found]), np.array([one.sd for one in found])
            print(f"{shape:>15} {width:>3} n={rows:>6}: AUC {auc.mean():.3f} sd {np.std((auc - 0.5) / sd):.2f}, "
                  f"alarms {np.mean([one.state != 'none' for one in found]):.2f}; best column {max(over):+.3f}", flush=True)


def _power(repeats: int) -> None:
    from kagglekit.advice.shift import adversarial

    print("\none column of 20 is shifted by so many sd: AUC, share of train that weights leave, states, how often the column is named first")
    for rows in (400, 4000):
        for by in (0.25, 0.5, 1.0, 1.5, 2.5):
            found = []
            for seed in range(repeats):
                rng = np.random.default_rng(seed)
                test = shaped("normal", rows // 2, 20, rng)
                test["c7"] += by
                found.append(adversarial(shaped("normal", rows // 2, 20, rng), test))
            states = pd.Series([one.state for one in found]).value_counts()
            first = np.mean([bool(one.columns) and one.columns[0].column == "c7" for one in found])
            print(f"  n={rows:>5} by {by}: AUC {np.mean([one.auc for one in found]):.3f}, ESS {np.mean([one.ess for one in found]):.2f}, "
                  f"{', '.join(f'{state} {count}' for state, count in states.items())}; first {first:.2f}", flush=True)


if __name__ == "__main__":
    main()
