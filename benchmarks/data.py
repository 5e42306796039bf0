"""`kk data` on a long table: seconds and peak memory, beside reading the same Parquet with pandas alone.

    python benchmarks/data.py [--rows 1000000] [--columns 40] [--all-rows]

Half of the columns are numbers, a quarter categories (two of them with very many values), the rest integers, truth values, dates and
text; test has half as many rows. Each side runs in a process of its own. Prints seconds, peak memory and the ratios.
"""

import argparse
import multiprocessing
import os
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--columns", type=int, default=40)
    parser.add_argument("--all-rows", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "competitions" / "bench"
        _measured(_make, folder, given.rows, given.columns)
        sizes = sum(path.stat().st_size for path in folder.glob("data/tables/*.parquet")) / 1e6
        print(f"{given.rows:,} + {given.rows // 2:,} rows x {given.columns} columns, {sizes:.0f} MB of Parquet")
        base = _measured(_nothing, folder, given.all_rows)[2]
        peer, peer_busy, peer_memory = _measured(_pandas, folder, given.all_rows)
        for title, work in (("kk data --no-plot", _ours), ("kk data", _with_plot)):
            seconds, busy, memory = _measured(work, folder, given.all_rows)
            print(f"{title}: {seconds:.2f} s ({busy:.2f} s of processor), peak {memory:.0f} MB (imports alone {base:.0f} MB)")
        print(f"pandas read_parquet, describe, nunique, duplicated: {peer:.2f} s ({peer_busy:.2f} s of processor), peak {peer_memory:.0f} MB; "
              f"ratio {busy / peer_busy:.2f} of the processor's time, {memory / peer_memory:.2f} of the memory")


def _measured(work: Callable, *arguments: object) -> tuple[float, float, float]:
    """Seconds of `work` in a fresh process, those of the processor, and the peak of its memory in MB."""
    context = multiprocessing.get_context("spawn")
    receive, send = context.Pipe(duplex=False)
    process = context.Process(target=_inside, args=(send, work, arguments))
    process.start()
    found = receive.recv()
    process.join()
    return found


def _inside(send: object, work: Callable, arguments: tuple) -> None:
    start = time.perf_counter()
    work(*arguments)
    used = resource.getrusage(resource.RUSAGE_SELF)
    send.send((time.perf_counter() - start, used.ru_utime + used.ru_stime, used.ru_maxrss / 1e3))  # type: ignore[attr-defined]


def _nothing(folder: Path, all_rows: bool) -> None:
    import matplotlib.figure  # noqa: F401
    import pyarrow.parquet  # noqa: F401


def _pandas(folder: Path, all_rows: bool) -> None:
    for role in ("train", "test"):
        table = pd.read_parquet(folder / "data" / "tables" / f"{role}.parquet")
        table.describe(include="all")
        table.nunique()
        table.duplicated().sum()


def _ours(folder: Path, all_rows: bool, plot: bool = False) -> None:
    from kagglekit.verbs.data import data

    os.chdir(folder)
    data(all_rows=all_rows, plot=plot)


def _with_plot(folder: Path, all_rows: bool) -> None:
    _ours(folder, all_rows, plot=True)


def _make(folder: Path, rows: int, columns: int) -> None:
    (folder.parents[1] / "configs").mkdir(parents=True)
    (folder / "data" / "tables").mkdir(parents=True)
    for seed, (role, size) in enumerate((("train", rows), ("test", rows // 2))):
        random = np.random.default_rng(seed)
        table = pd.DataFrame({"id": np.arange(size) + seed * rows} | {f"c{k}": _column(random, k, size) for k in range(columns - 2)})
        if role == "train":
            table["y"] = (table["c0"] + random.normal(size=size) > 0.5).astype(int)
        table.to_parquet(folder / "data" / "tables" / f"{role}.parquet", index=False)
    (folder / "competition.toml").write_text('slug = "bench"\n[schema]\ntask = "binary"\nid = ["id"]\ntarget = ["y"]\n'
                                             '[files]\ntrain = "train.csv"\ntest = "test.csv"\n', encoding="utf-8")


def _column(random: np.random.Generator, number: int, size: int) -> object:
    kind = number % 8
    if kind < 4:
        values = random.normal(size=size)
        values[random.random(size) < 0.05 * kind] = np.nan
        return values
    if kind < 6:
        many = 200_000 if number in (4, 12) else 50
        return np.char.add("v", random.integers(0, many, size).astype(str))
    if kind == 6:
        return random.integers(0, 1000, size) if number % 16 == 6 else random.random(size) < 0.3
    if number % 16 == 7:
        return pd.Timestamp("2024-01-01") + pd.to_timedelta(random.integers(0, 365 * 24, size), unit="h")
    words = np.asarray(["some", "longer", "words", "of", "any", "kind"])
    return [" ".join(row) for row in words[random.integers(0, 6, (size, 8))]]


if __name__ == "__main__":
    main()
