"""The cache of features(train, test): one Parquet a set under data/features/, named by the hash of its code and of the data."""

import hashlib
import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from kagglekit.errors import KKError
from kagglekit.progress import say
from kagglekit.store import Store, disk_error
from kagglekit.work.feature_code import Code, Set
from kagglekit.work.load import relative

FORM = 1
Tables = tuple[pd.DataFrame, pd.DataFrame]


def kept_or_made(store: Store, one: Set, code: Code, make: Callable[[], Tables]) -> Tables:
    """(train, test) of a set, from its file where code and data are the same as then, else made and kept; older files of it go.

    What is made is read back from the file, so that the first run sees the same bytes as all later ones.
    """
    folder = store.folder / "data" / "features"
    path = folder / f"{one.name}-{_key(store, one, code)}.parquet"
    if not path.exists():
        started = time.perf_counter()
        train, test = make()
        say(f"features {one.name}: {train.shape[1]} columns in {time.perf_counter() - started:.1f} s")
        if not _kept(path, train, test, one):
            return train, test
        for old in folder.glob(f"{one.name}-*.parquet"):
            if old != path:
                old.unlink(missing_ok=True)
    else:
        say(f"features {one.name}: as computed before ({relative(path)})")
    return _read(path)


def _key(store: Store, one: Set, code: Code) -> str:
    """Hash of all that the outcome depends on: the code, every table of the competition, and which columns are ids or targets."""
    about = store.competition
    files = sorted(store.tables.glob("*.parquet")) + [store.raw / name for name in (about.train, about.test, about.sample) if name]
    stamps = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in files if path.is_file()]
    facts = [FORM, pd.__version__, one.name, code.sha256, stamps, about.id, about.target, about.ignore]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:12]


def _kept(path: Path, train: pd.DataFrame, test: pd.DataFrame, one: Set) -> bool:
    """Whether the tables could be written, train's rows first."""
    import pyarrow
    from pyarrow import parquet

    both = pd.DataFrame({name: _one_type(train[name], test[name], one) for name in train.columns}, index=range(len(train) + len(test)))
    try:
        table = pyarrow.Table.from_pandas(both, preserve_index=False)
    except (pyarrow.ArrowException, TypeError, ValueError) as error:
        say(f"features {one.name}: not kept for later, {error}")
        return False
    table = table.replace_schema_metadata({**table.schema.metadata, b"kk_train_rows": str(len(train)).encode()})
    hidden = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        parquet.write_table(table, hidden, compression="lz4")
        os.replace(hidden, path)
    except OSError as error:
        hidden.unlink(missing_ok=True)
        raise disk_error(path, error) from error
    return True


def _one_type(train: pd.Series, test: pd.Series, one: Set) -> pd.Series:
    """Both parts as one column; raises KKError where one is numbers and the other is not."""
    if isinstance(train.dtype, pd.CategoricalDtype) and isinstance(test.dtype, pd.CategoricalDtype) and train.dtype != test.dtype:
        return pd.Series(pd.api.types.union_categoricals([train, test], ignore_order=True))
    both = pd.concat([train, test], ignore_index=True)
    mixed = both.dtype == object and train.dtype != object and test.dtype != object and train.notna().any() and test.notna().any()
    if mixed and not isinstance(train.dtype, pd.CategoricalDtype):
        raise KKError(f"{one.place} makes the column {train.name!r} of {train.dtype} in train and of {test.dtype} in test", "Give both one type")
    return both


def _read(path: Path) -> Tables:
    from pyarrow import parquet

    table = parquet.read_table(path)
    rows = int(table.schema.metadata[b"kk_train_rows"])
    both = table.to_pandas(split_blocks=True)
    return both.iloc[:rows], both.iloc[rows:].reset_index(drop=True)
