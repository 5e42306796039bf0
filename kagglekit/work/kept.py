"""Folds as they are kept: written to a competition's folder, read back and tied to its tables."""

import dataclasses
import io
import json
from collections.abc import Sequence

import numpy as np
import pandas as pd

from kagglekit.errors import KKError
from kagglekit.folds import Folds, bound, from_assignment, ids_hash
from kagglekit.store import Store, open_store, write_bytes, write_text
from kagglekit.work.load import ROW, id_table, load_data, moments, read_table


def load_folds(name: str | None = None, competition: object = None) -> Folds:
    """The folds called `name` (default: the latest made), tied to the competition's tables.

    Iterates Fold(repeat, fold, train, valid, X, y ...); `.split()` and `.get_n_splits()` serve as scikit-learn's `cv=`.
    """
    store = competition if isinstance(competition, Store) else open_store(competition)
    name = name or store.latest_folds()
    record = store.folds_record(name)
    long = pd.read_parquet(store.folds_files(name)[0])
    ids = id_table(store, "train")
    digest = ids_hash(ids)
    if digest != record["ids_sha256"]:
        raise KKError(f"the folds {name} were made for other rows than train has now", f"Make them again: kk cv --name {name}")
    key = [column for column in long.columns if column not in ("repeat", "fold")]
    row = _rows_of(long[key], ids)
    folds = from_assignment(name, (row, long["repeat"].to_numpy(), long["fold"].to_numpy()), digest, len(ids),
                            rule=record["rule"], gap=float(record.get("gap") or 0.0), splitter=record["splitter"],
                            order=moments(read_table(store, "train"), record["params"]["time"]) if record["rule"] == "before" else None,
                            params=record["params"], audit=tuple(record.get("audit") or ()), forced=bool(record.get("forced")))
    if folds.fingerprint != record["fingerprint"]:
        raise KKError(f"the folds {name} were changed since they were made", f"Make them again: kk cv --name {name}")
    return bound(folds, lambda: load_data(store))


def _rows_of(given: pd.DataFrame, ids: pd.DataFrame) -> np.ndarray:
    """Row numbers of ids; rows with equal ids are told apart by their order."""
    if list(given.columns) == [ROW]:
        return given[ROW].to_numpy()
    order = {name: np.arange(len(ids)) for name in [ROW]}
    if not ids.duplicated().any():
        return given.merge(ids.assign(**order), on=list(ids.columns), how="left", validate="many_to_one")[ROW].to_numpy()
    raise KKError(f"the ids {', '.join(ids.columns)} repeat in train", "Mend id in competition.toml; id = [] counts rows")


def save_folds(store: Store, folds: Folds, created: str, recommendation: object = None) -> dict:
    """Write the long form and the json of folds; gives the json's content."""
    ids = id_table(store, "train")
    long = ids.iloc[folds.row].reset_index(drop=True)
    long = long.assign(repeat=folds.repeat.astype(np.int16), fold=folds.fold.astype(np.int16))
    parquet, record_path = store.folds_files(folds.name)
    buffer = io.BytesIO()
    long.to_parquet(buffer, index=False)
    write_bytes(parquet, buffer.getvalue())
    record = {"name": folds.name, "splitter": folds.splitter, "params": folds.params, "rule": folds.rule, "gap": folds.gap,
              "n": folds.n, "repeats": folds.repeats, "rows": folds.rows, "scored_rows": folds.scored_rows,
              "ids_sha256": folds.ids_sha256, "fingerprint": folds.fingerprint, "audit": list(folds.audit),
              "forced": folds.forced, "created": created, "recommendation": recommendation}
    write_text(record_path, json.dumps(record, indent=1, default=str) + "\n")
    return record


def with_audit(folds: Folds, audit: Sequence[dict], forced: bool) -> Folds:
    """The folds with what the audit found."""
    return dataclasses.replace(folds, audit=tuple(audit), forced=forced)
