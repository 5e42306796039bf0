"""Preflight and writing of a large submission, against pandas (and polars where it is installed).

    python benchmarks/submission.py [--rows 5000000] [--repeats 2]

Preflight: ids as a set, duplicates, missing values and infinities, against the usual pandas way with sets of ids; both have the
tables in memory. Besides, kk checks columns, types and range and puts the sample's ids in place. Shapes: whole numbers as ids in
the sample's order and shuffled, text as ids in order and shuffled. Writing: to_csv and write_csv to the same disk; the files are
read back and every float compared by its bits, with others that are hard to write (subnormal, 1e300, -0.0).

Each measurement is a process of its own. Prints the best of --repeats (wall clock and processor seconds of all threads), the
memory on top of the tables, and ratios: peer / kk, so more is better.
"""

import argparse
import ctypes
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow

SHAPES = ("numbers", "numbers-shuffled", "text", "text-shuffled")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--one", nargs=3, metavar=("WHAT", "WHO", "SHAPE"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(_measured(*given.one, given.rows)))
        return
    for shape in SHAPES:
        _told(f"preflight, ids {shape}", "preflight", ["pandas", "kk"], shape, given)
    writers = ["pandas", "kk", *(["polars"] if importlib.util.find_spec("polars") else [])]
    for shape in ("numbers", "text"):
        _told(f"writing, ids {shape}", "write", writers, shape, given)
    copies = _one("copies", "kk", "numbers", given)
    print(f"preflight against 20 earlier submissions: {copies['wall']:.2f} s, {copies['memory']:.0f} MB on top")


def _told(title: str, what: str, who: list[str], shape: str, given: argparse.Namespace) -> None:
    found = {name: _one(what, name, shape, given) for name in who}
    for name, one in found.items():
        exact = "" if "exact" not in one else ", every float exact" if one["exact"] else ", NOT exact"
        print(f"{title}: {name} {one['wall']:.3f} s ({one['cpu']:.3f} s of processors), {one['memory']:.0f} MB on top{exact}")
    for name in set(who) - {"kk"}:
        wall, cpu = (found[name][key] / max(found["kk"][key], 1e-4) for key in ("wall", "cpu"))
        print(f"{title}: {name} / kk = {wall:.1f} by the clock, {cpu:.1f} by processor seconds")


def _one(what: str, who: str, shape: str, given: argparse.Namespace) -> dict:
    command = [sys.executable, __file__, "--rows", str(given.rows), "--one", what, who, shape]
    runs = [json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout) for _ in range(given.repeats)]
    return {**runs[0], **{key: min(run[key] for run in runs) for key in ("wall", "cpu", "memory")}}


def _measured(what: str, who: str, shape: str, rows: int) -> dict:
    with tempfile.TemporaryDirectory() as place:
        sample, table = _tables(rows, shape)
        work = {"preflight": _preflight, "write": _write, "copies": _copies}[what](who, sample, table, Path(place))
        pyarrow.default_memory_pool().release_unused()
        ctypes.CDLL(None).malloc_trim(0)
        before = _resident()
        with _Peak() as peak:
            start, cpu = time.perf_counter(), time.process_time()
            work()
            wall, cpu = time.perf_counter() - start, time.process_time() - cpu - peak.own
        told = {"wall": wall, "cpu": cpu, "memory": max(0.0, peak.value - before) / 1e6}
        return {**told, "exact": _exact(Path(place) / "out.csv", table, who)} if what == "write" else told


def _tables(rows: int, shape: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    random = np.random.default_rng(0)
    ids = pd.Series(np.arange(10_000_000, 10_000_000 + rows))
    ids = "id_" + ids.astype(str) if shape.startswith("text") else ids
    sample = pd.DataFrame({"id": ids, "target": np.zeros(rows)})
    table = sample.assign(target=random.normal(size=rows))
    return sample, table.iloc[random.permutation(rows)].reset_index(drop=True) if shape.endswith("shuffled") else table


def _preflight(who: str, sample: pd.DataFrame, table: pd.DataFrame, place: Path) -> Callable[[], object]:
    if who == "kk":
        from kagglekit.metrics import check_metric
        from kagglekit.tables.submission import preflight

        metric = check_metric("rmse")
        preflight(table[:10], sample.set_index("id").loc[table["id"][:10]].reset_index(), ["id"], metric, ())  # loads what it needs
        return lambda: preflight(table, sample, ["id"], metric, ())
    return lambda: _pandas_preflight(sample, table)


def _pandas_preflight(sample: pd.DataFrame, table: pd.DataFrame) -> None:
    """What nearly every notebook does."""
    assert list(table.columns) == list(sample.columns)
    assert len(table) == len(sample)
    assert set(table["id"]) == set(sample["id"])
    assert not table["id"].duplicated().any()
    assert not table["target"].isna().any()
    assert np.isfinite(table["target"]).all()


def _write(who: str, sample: pd.DataFrame, table: pd.DataFrame, place: Path) -> Callable[[], object]:
    path = place / "out.csv"
    table.loc[: len(_hard()) - 1, "target"] = _hard()
    if who == "kk":
        from kagglekit.tables.submission import write_csv

        write_csv(table[:10], path)
        return lambda: write_csv(table, path)
    if who == "polars":
        import polars

        frame = polars.DataFrame({name: table[name].to_numpy() if table[name].dtype.kind in "if" else table[name].tolist() for name in table})
        return lambda: frame.write_csv(path)
    return lambda: table.to_csv(path, index=False)


def _hard() -> np.ndarray:
    powers = 10.0 ** np.arange(-323, 309)
    return np.concatenate([powers, -powers, [5e-324, np.finfo(float).tiny, np.finfo(float).max, -0.0, 0.1 + 0.2, 2.0**53 + 2]])


def _exact(path: Path, table: pd.DataFrame, who: str) -> bool:
    with path.open() as source:
        next(source)
        read = np.fromiter((float(line[line.rindex(",") + 1 :]) for line in source), dtype=np.float64, count=len(table))
    return bool((read.view(np.uint64) == table["target"].to_numpy().view(np.uint64)).all())


def _copies(who: str, sample: pd.DataFrame, table: pd.DataFrame, place: Path) -> Callable[[], object]:
    from kagglekit.tables.submission import preflight, write_csv

    write_csv(table, place / "first.csv")
    earlier = {f"{number:03d}.csv": place / f"{number:03d}.csv" for number in range(20)}
    for path in earlier.values():
        os.link(place / "first.csv", path)
    return lambda: preflight(table, sample, ["id"], None, (), earlier)


class _Peak:
    """The largest resident size while it is open, looked at every few milliseconds."""

    def __enter__(self) -> "_Peak":
        self.value, self.own, self._stop = _resident(), 0.0, threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def _watch(self) -> None:
        while not self._stop.wait(0.005):
            self.value = max(self.value, _resident())
        self.own = time.thread_time()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    main()
