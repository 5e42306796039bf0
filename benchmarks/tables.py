"""Tables: a csv of 40 mixed columns into typed Parquet against pandas (and polars), and reading ten columns of it back.

    python benchmarks/tables.py [--quick] [--folder DIR] [--repeats 1]

Every way runs as a process of its own and is measured whole: seconds, processor seconds, peak memory (ru_maxrss). The file (1.6 GB;
`--quick`: 120 MB) has what readers get wrong: zip codes with leading zeros, integers of 19 and 20 digits, a column of integers with one
word in the middle and one with words at the very end, dates, times, booleans and integers with gaps. polars gets a schema written by
hand; without one it fails at the late words. Prints ratios; below 1 means that kk is faster or smaller. The file is kept in --folder.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np

ROWS, QUICK_ROWS, BLOCK = 4_400_000, 320_000, 200_000
WORDS = np.array(["red", "green", "blue", "violet", "grey", "black"])
TEXTS = ("zip", "late", "middle", "code", *(f"cat{number}" for number in range(4)))
TEN = ["id", "zip", "middle", "day", "gap", "cat0", "code", "int4", "num3", "num12"]
TYPES = {"id": "int64", "big": "int64", "hash": "uint64", "gap": "int64", "flag": "bool", "day": "timestamp[us]", "stamp": "timestamp[us]",
         **dict.fromkeys(TEXTS, "string"), **{f"int{number}": "int64" for number in range(9)}, **{f"num{number}": "double" for number in range(16)}}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "kk-bench-tables")
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--way", default="", help=argparse.SUPPRESS)
    given = parser.parse_args()
    rows = QUICK_ROWS if given.quick else ROWS
    path = given.folder / f"mixed-{rows}.csv"
    if given.way:
        print(json.dumps(WAYS[given.way](path)))
        return
    if not path.exists():
        given.folder.mkdir(parents=True, exist_ok=True)
        _measured(given, "generate")  # a process's peak memory would be handed on to its children
    print(f"{path.stat().st_size / 1e6:,.0f} MB, {rows:,} rows of 40 columns")
    ways = [way for way in WAYS if way != "generate" and ( "polars" not in way or find_spec("polars"))]
    found = {way: min((_measured(given, way) for _ in range(given.repeats)), key=lambda one: one["seconds"]) for way in ways}
    for way, one in found.items():
        peer = found["pandas to parquet"] if way.endswith("to parquet") else found["pandas loads"]
        print(f"{way:>22}: {one['seconds']:7.2f} s ({one['seconds'] / peer['seconds']:.2f} of pandas), {one['cpu']:6.2f} s of processor "
              f"({one['cpu'] / peer['cpu']:.2f}), {one['mb']:6,.0f} MB ({one['mb'] / peer['mb']:.2f}){one['says']}")
    loads = [one["inside"] for way, one in found.items() if way.endswith("loads") and way != "kk loads"]
    print(f"ten columns as a data frame, without the start of Python: kk {found['kk loads']['inside']:.2f} s, "
          f"{found['kk loads']['inside'] / min(loads):.2f} of the fastest other")


def _measured(given: argparse.Namespace, way: str) -> dict:
    command = [sys.executable, __file__, "--way", way, "--folder", str(given.folder), *(["--quick"] if given.quick else [])]
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    seconds, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"says": "", "inside": seconds, **json.loads(answer), "seconds": seconds, "cpu": cpu}


def _generate(path: Path) -> dict:
    """Write the file; the same bytes each time."""
    import pyarrow
    from pyarrow import csv

    writer, rows = None, int(path.stem.split("-")[1])
    hidden = path.with_suffix(".part")
    for start in range(0, rows, BLOCK):
        table = pyarrow.table(_block(start, min(BLOCK, rows - start), rows))
        if writer is None:
            writer = csv.CSVWriter(hidden, table.schema, write_options=csv.WriteOptions(quoting_style="none", quoting_header="none"))
        writer.write(table)
    writer.close()
    hidden.replace(path)
    return _peak()


def _block(start: int, count: int, rows: int) -> dict:
    import pyarrow
    import pyarrow.compute as pc

    random, place = np.random.default_rng(start), np.arange(start, start + count)
    day = np.datetime64("2015-01-01") + random.integers(0, 3650, count).astype("m8[D]")
    late, middle = (random.integers(0, 5000, count).astype(str).astype(object) for _ in range(2))
    late[place >= rows - 5] = "unknown"
    middle[place == int(rows * 0.53)] = "unknown"
    columns = {
        "id": place, "zip": np.char.zfill(random.integers(0, 99999, count).astype(str), 5), "big": random.integers(2**53, 2**63 - 1, count),
        "hash": random.integers(0, 2**64 - 1, count, dtype=np.uint64), "late": late, "middle": middle, "day": pyarrow.array(day).cast("string"),
        "stamp": pc.utf8_slice_codeunits(pyarrow.array(day.astype("M8[s]") + random.integers(0, 86400, count).astype("m8[s]")).cast("string"), 0, 19),
        "flag": pyarrow.array(random.choice(["True", "False"], count), mask=random.random(count) < 0.1),
        "gap": pyarrow.array(random.integers(0, 1000, count), mask=random.random(count) < 0.1),
        "code": np.char.add("C", random.integers(0, 100_000, count).astype(str))}
    columns |= {f"cat{number}": WORDS[random.integers(0, 6, count)] for number in range(4)}
    columns |= {f"int{number}": random.integers(0, 10 ** (number % 5 + 1), count) for number in range(9)}
    return columns | {f"num{number}": random.normal(size=count).round(4 if number < 8 else 15) for number in range(16)}


def _kk(path: Path) -> dict:
    from pyarrow import parquet

    from kagglekit.competition import Competition
    from kagglekit.store import Store
    from kagglekit.work.tables import make_tables

    store = Store(Competition(slug="bench", folder=path.parent / "kk"))
    store.raw.mkdir(parents=True, exist_ok=True)
    raw, target = store.raw / "mixed.csv", store.table("mixed.csv")
    for old in (raw, target):
        old.unlink(missing_ok=True)
    raw.symlink_to(path)
    warnings = make_tables(store, ["mixed.csv"], {})
    schema = parquet.read_schema(target)
    wrong = [name for name, kind in TYPES.items() if str(schema.field(name).type) != kind]
    return _peak(says=f"; {len(TYPES) - len(wrong)} of {len(TYPES)} columns typed right{warnings or ''}")


def _pandas(path: Path) -> dict:
    import pandas as pd

    table = pd.read_csv(path, low_memory=False)
    table.to_parquet(path.with_suffix(".pandas.parquet"))
    kinds = {"string": "str", "double": "float64", "timestamp[us]": "datetime64[us]"}
    wrong = sum(str(table[name].dtype) != kinds.get(kind, kind) for name, kind in TYPES.items())
    return _peak(says=f"; {wrong} columns wrong or lossy")


def _polars(path: Path) -> dict:
    import polars as pl

    kinds = {"int64": pl.Int64, "uint64": pl.UInt64, "bool": pl.String, "timestamp[us]": pl.String, "string": pl.String, "double": pl.Float64}
    table = pl.scan_csv(path, schema_overrides={name: kinds[kind] for name, kind in TYPES.items()})
    table = table.with_columns(pl.col("day").str.to_datetime("%Y-%m-%d"), pl.col("stamp").str.to_datetime("%Y-%m-%d %H:%M:%S"),
                               pl.col("flag") == "True")
    table.sink_parquet(path.with_suffix(".polars.parquet"), compression="lz4")
    return _peak(says="; schema written by hand")


def _kk_loads(path: Path) -> dict:
    from kagglekit.tables.load import read_columns

    return _loads(lambda: read_columns(_own(path), TEN))


def _pandas_loads(path: Path) -> dict:
    import pandas as pd

    return _loads(lambda: pd.read_parquet(_own(path), columns=TEN))


def _polars_loads(path: Path) -> dict:
    import polars as pl

    return _loads(lambda: pl.read_parquet(_own(path), columns=TEN).to_pandas())


def _own(path: Path) -> Path:
    return path.parent / "kk" / "data" / "tables" / "mixed.parquet"


def _loads(load: Callable[[], object]) -> dict:
    """The median of five."""
    taken = []
    for _ in range(5):
        start = time.perf_counter()
        load()
        taken.append(time.perf_counter() - start)
    return _peak(inside=sorted(taken)[2])


def _peak(**found: object) -> dict:
    return {"mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, **found}


WAYS = {"pandas to parquet": _pandas, "kk to parquet": _kk, "polars to parquet": _polars, "pandas loads": _pandas_loads, "kk loads": _kk_loads,
        "polars loads": _polars_loads, "generate": _generate}

if __name__ == "__main__":
    main()
