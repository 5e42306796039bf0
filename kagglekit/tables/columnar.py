"""Tables that are typed already: Parquet and Feather, rewritten batch by batch with the types they have."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from kagglekit.errors import KKError
from kagglekit.progress import task
from kagglekit.tables.parquet import Record, Sink, stamp_of
from kagglekit.tables.source import opened, packing

if TYPE_CHECKING:
    import pyarrow

BATCH = 65_536


def copy_columnar(path: Path, name: str, target: Path) -> Record:
    """Write the Parquet of a Parquet or Feather file; raises KKError where it cannot be read."""
    import pyarrow

    record = Record(stamp_of(path))
    hidden, unpacked = target.with_name(f".{target.name}.part"), target.with_name(f".{target.name}.unpacked")
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        plain = _unpacked(path, unpacked) if packing(path) else path
        schema, batches, rows = _batches(plain)
        with Sink(hidden, schema=schema.remove_metadata()) as sink, task(f"copying {name}", total=rows, unit="rows") as work:
            for batch in batches:
                sink.add(pyarrow.Table.from_batches([batch]).replace_schema_metadata(None))
                work.advance(batch.num_rows)
            sink.record = record
        os.replace(hidden, target)
        return record
    except pyarrow.ArrowInvalid as error:
        raise KKError(f"{name} cannot be read as a table: {error}", "It stays as it is") from error
    except OSError as error:
        raise KKError(f"cannot write {target}: {error.strerror or error}", "Free some space and run the command again") from error
    finally:
        hidden.unlink(missing_ok=True)
        unpacked.unlink(missing_ok=True)


def _unpacked(path: Path, place: Path) -> Path:
    with open(path, "rb") as raw, open(place, "wb") as sink:
        shutil.copyfileobj(opened(path, raw), sink, 1 << 20)
    return place


def _batches(path: Path) -> tuple["pyarrow.Schema", Iterator["pyarrow.RecordBatch"], int]:
    from pyarrow import ipc, memory_map, parquet

    with open(path, "rb") as head:
        is_parquet = head.read(4) == b"PAR1"
    if is_parquet:
        file = parquet.ParquetFile(path)
        return file.schema_arrow, file.iter_batches(batch_size=BATCH), file.metadata.num_rows
    reader = ipc.open_file(memory_map(str(path)))
    rows = sum(reader.get_batch(number).num_rows for number in range(reader.num_record_batches))
    return reader.schema, (reader.get_batch(number) for number in range(reader.num_record_batches)), rows
