"""Folds as they are kept: written to a competition's folder, read back and tied to its tables."""

import dataclasses
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from kagglekit.errors import KKError
from kagglekit.fold import Data
from kagglekit.folds import Folds, bound, from_assignment, ids_hash
from kagglekit.store import Store, open_store, write_bytes, write_text
from kagglekit.work.columns import time_of
from kagglekit.work.load import ROW, id_table, load_data, read_table

LENGTHS = ("gap", "window", "horizon", "embargo")


def load_folds(name: str | None = None, competition: object = None, *, features: str | None = None) -> Folds:
    """The folds called `name` (default: the latest made), tied to the competition's tables, or to sets of features.py.

    Iterates Fold(repeat, fold, train, valid, X, y ...); `.split()` and `.get_n_splits()` serve as scikit-learn's `cv=`.
    Raises KKError where there are none of that name, or train's rows or the folds have changed since.

        >>> for fold in kk.load_folds("group5"):  # doctest: +SKIP
        ...     model.fit(fold.X_train, fold.y_train)
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
                            rule=record["rule"], splitter=record["splitter"], order=_order(store, record), params=record["params"],
                            audit=tuple(record.get("audit") or ()), forced=bool(record.get("forced")),
                            **{length: float(record.get(length) or 0.0) for length in LENGTHS})
    if record["rule"] == "given":
        folds = dataclasses.replace(folds, given=_read_given(store, folds))
    if folds.fingerprint != record["fingerprint"]:
        raise KKError(f"the folds {name} were changed since they were made", f"Make them again: kk cv --name {name}")
    return bound(folds, lambda: load_data(store) if features is None else _with_features(store, features))


def _with_features(store: Store, names: str) -> Data:
    from kagglekit.work.features import Features

    return Features(store, names).data()


def _order(store: Store, record: Mapping[str, object]) -> np.ndarray | None:
    """Time of every train row, where the rule needs it."""
    if record["rule"] not in ("before", "purged"):
        return None
    return time_of(read_table(store, "train"), record["params"]["time"])


def _read_given(store: Store, folds: Folds) -> dict[tuple[int, int], np.ndarray]:
    path = store.folds_train(folds.name)
    if not path.exists():
        raise KKError(f"the training rows of {folds.name} are gone: there is no {path}", f"Make the folds again: kk cv --name {folds.name}")
    with np.load(path, allow_pickle=False) as archive:
        return {key: np.flatnonzero(np.unpackbits(archive["{}-{}".format(*key)], count=folds.rows)) for key in folds.keys}


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
    long = _long(store, folds)
    parquet, record_path = store.folds_files(folds.name)
    buffer = io.BytesIO()
    long.to_parquet(buffer, index=False)
    write_bytes(parquet, buffer.getvalue())
    _write_given(store, folds)
    record = {"name": folds.name, "splitter": folds.splitter, "params": folds.params, "rule": folds.rule,
              **{length: getattr(folds, length) for length in LENGTHS}, "n": folds.n, "repeats": folds.repeats,
              "rows": folds.rows, "scored_rows": folds.scored_rows,
              "ids_sha256": folds.ids_sha256, "fingerprint": folds.fingerprint, "audit": list(folds.audit),
              "forced": folds.forced, "created": created, "recommendation": recommendation}
    write_text(record_path, json.dumps(record, indent=1, default=str) + "\n")
    return record


def _write_given(store: Store, folds: Folds) -> None:
    """Training rows as bits, where no rule can say them; those of earlier folds of the name are removed."""
    path = store.folds_train(folds.name)
    if folds.given is None:
        path.unlink(missing_ok=True)
        return
    buffer, masks = io.BytesIO(), {}
    for key, rows in folds.given.items():
        mask = np.zeros(folds.rows, dtype=bool)
        mask[rows] = True
        masks["{}-{}".format(*key)] = np.packbits(mask)
    np.savez_compressed(buffer, **masks)
    write_bytes(path, buffer.getvalue())


def export_folds(store: Store, folds: Folds, path: Path) -> None:
    """Write folds as a table that anything can read: the id column(s), repeat, fold; a line each time a row is validated."""
    if path.suffix not in (".csv", ".parquet"):
        raise KKError(f"{path} is neither csv nor parquet", "Give a name such as folds.csv")
    long = _long(store, folds)
    buffer = io.BytesIO()
    if path.suffix == ".csv":
        long.to_csv(buffer, index=False)
    else:
        long.to_parquet(buffer, index=False)
    write_bytes(path, buffer.getvalue())


def _long(store: Store, folds: Folds) -> pd.DataFrame:
    long = id_table(store, "train").iloc[folds.row].reset_index(drop=True)
    return long.assign(repeat=folds.repeat.astype(np.int16), fold=folds.fold.astype(np.int16))


def forced_note(store: Store, name: str) -> str:
    """What every later command says of folds that were kept with --force, "" for others."""
    record = store.folds_record(name)
    fatal = next((finding["says"] for finding in record.get("audit") or () if finding["severity"] == "fatal"), "")
    return f"{name} was kept with --force although {fatal or 'the audit found something fatal'}" if record.get("forced") else ""


def with_audit(folds: Folds, audit: Sequence[dict], forced: bool) -> Folds:
    """The folds with what the audit found."""
    return dataclasses.replace(folds, audit=tuple(audit), forced=forced)
