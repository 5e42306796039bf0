"""Tables: any file into typed Parquet; nothing is lost, types are right, train and test agree, memory does not grow with the file."""

import bz2
import datetime
import gzip
import itertools
import json
import lzma
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import feather, parquet

from kagglekit.competition import Competition
from kagglekit.errors import KKError
from kagglekit.progress import Task, listening
from kagglekit.store import Store
from kagglekit.tables.load import footer, read_columns
from kagglekit.tables.parquet import read_record
from kagglekit.tables.shapes import MISSING
from kagglekit.work.tables import make_tables, open_table
from tests.conftest import ROOT, Ran
from tests.table_types import TYPES

ROLES = {"train": "train.csv", "test": "test.csv", "sample": "sample_submission.csv"}
Made = Callable[..., tuple[Mapping[str, pyarrow.Table], list[str]]]


def store_at(folder: Path) -> Store:
    """The store of a competition in a folder."""
    return Store(Competition(slug="tables", folder=folder))


def write(store: Store, files: Mapping[str, object]) -> None:
    """Raw files of a competition, from bytes or text."""
    for name, content in files.items():
        path = store.raw / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else str(content).encode())


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """Files by name into tables by name, and the warnings."""

    def make(files: Mapping[str, object], roles: Mapping[str, str] = ROLES) -> tuple[Mapping[str, pyarrow.Table], list[str]]:
        store = store_at(tmp_path / "contest")
        write(store, files)
        warnings = make_tables(store, list(files), roles)
        return {name: parquet.read_table(store.table(name)) for name in files if store.table(name).exists()}, warnings

    return make


def column(values: list[str], name: str = "x") -> str:
    """A csv of a column beside row numbers."""
    return f"row,{name}\n" + "".join(f"{row},{value}\n" for row, value in enumerate(values))


@pytest.mark.parametrize(("values", "kind", "read"), TYPES, ids=[" ".join(values) for values, _, _ in TYPES])
def test_each_column_has_the_type_that_loses_nothing(made: Made, values: list[str], kind: pyarrow.DataType, read: list) -> None:
    tables, _ = made({"extra.csv": column(values)})
    assert tables["extra.csv"]["x"].type == kind
    assert tables["extra.csv"]["x"].to_pylist() == read


def test_nanoseconds_are_kept(made: Made) -> None:
    tables, _ = made({"extra.csv": column(["2024-01-01 00:00:00.123456789", "2024-01-02"])})
    assert tables["extra.csv"]["x"].type == pyarrow.timestamp("ns")
    assert tables["extra.csv"]["x"][0].value % 10**9 == 123456789


# One strategy a kind of cell; a column is drawn from one to three of them, so that types meet.
CELLS = [
    st.integers(-(2**70), 2**70).map(str), st.integers(-1000, 1000).map(str), st.integers(0, 999).map("{:05d}".format),
    st.integers(2**53 - 3, 2**53 + 3).map(str), st.integers(2**63 - 2, 2**64 + 2).map(str),
    st.floats(allow_nan=False).map(repr), st.decimals(-100, 100, places=3).map(str),
    st.datetimes(datetime.datetime(1000, 1, 1)).map(str), st.dates(datetime.date(1000, 1, 1)).map(str),
    st.dates(datetime.date(1000, 1, 1)).map(lambda day: f"{day.day}/{day.month}/{day.year}"),
    st.sampled_from(["true", "False", "TRUE", "NA", "nan", "None", "inf", "-0", "+1", "1e5", "0x1F", "1_000", " 1", "2 ", "", ".", "-", "1,5",
                     "1,234"]),
    st.text(st.characters(codec="utf-8", exclude_characters="\x00\x02\r"), max_size=6)]
COLUMNS = st.lists(st.sampled_from(CELLS), min_size=1, max_size=3).flatmap(lambda kinds: st.lists(st.one_of(kinds), min_size=4, max_size=4))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(COLUMNS, min_size=1, max_size=5))
def test_nothing_is_lost(tmp_path: Path, columns: list[list[str]]) -> None:
    store = store_at(tmp_path / "contest")
    frame = pd.DataFrame({f"c{number}": values for number, values in enumerate(columns)}, dtype=object).assign(last="x")
    store.raw.mkdir(parents=True, exist_ok=True)
    frame.to_csv(store.raw / "extra.csv", index=False, lineterminator="\n")
    store.table("extra.csv").unlink(missing_ok=True)
    make_tables(store, ["extra.csv"], {})
    table = parquet.read_table(store.table("extra.csv"))
    assert table.num_rows == len(frame)
    for number, texts in enumerate(columns):
        for text, value in zip(texts, table[f"c{number}"].to_pylist()):
            assert_same(text, value, str(table[f"c{number}"].type))


def assert_same(text: str, value: object, kind: str) -> None:
    """A typed value means exactly what the text says."""
    if value is None:
        assert text in MISSING
    elif kind in ("int64", "uint64"):
        assert int(text.replace("_", "?")) == value
    elif kind == "double":
        wanted = text.strip().replace(",", ".")
        assert float(Decimal(wanted)) == value and ("_" not in text)
    elif kind == "bool":
        assert text.strip().lower() == str(value).lower()
    elif kind.startswith("timestamp"):
        words = text.strip()
        if "/" in words:
            parts = list(map(int, words.split("/")))
            assert (value.year, *sorted((value.month, value.day))) == (parts[2], *sorted(parts[:2]))
        else:
            assert datetime.datetime.fromisoformat(words) == value
    else:
        assert text == value


def test_a_word_that_no_probe_can_see_widens_its_column_and_only_that(tmp_path: Path) -> None:
    store, rows = store_at(tmp_path), 600_000
    numbers = np.arange(rows)
    lines = [f"{number},{number % 97},{number / 8}" for number in range(rows)]
    lines[rows // 2 + 24_000] = f"{rows // 2 + 24_000},unknown,0.25"
    write(store, {"extra.csv": "id,seen,x\n" + "\n".join(lines) + "\n"})
    read: list[str] = []
    with listening(Titles(read)):
        assert make_tables(store, ["extra.csv"], {}) == []
    table = parquet.read_table(store.table("extra.csv"))
    assert [str(field.type) for field in table.schema] == ["int64", "string", "double"]
    wanted = (numbers % 97).astype(str).astype(object)
    wanted[rows // 2 + 24_000] = "unknown"
    assert table["seen"].to_pylist() == wanted.tolist() and (table["id"].to_numpy() == numbers).all()
    assert any(title == "typing seen of extra.csv again" for title in read)
    assert read_record(store.table("extra.csv")).odd == {"seen": "unknown"}


class Titles:
    """A listener that keeps the titles of all work."""

    def __init__(self, titles: list[str]) -> None:
        self.titles = titles

    def say(self, text: str) -> None:
        """Nothing."""

    def update(self, task: Task) -> None:
        """Keep the title, and that no more is done than there is."""
        assert task.done <= task.total
        self.titles.append(task.title)


def test_train_and_test_agree_and_the_sample_takes_only_its_ids_from_them(made: Made) -> None:
    tables, warnings = made({
        "train.csv": "id,zip,size,when,empty,flag,y\n1,02134,1,2024-01-01,,true,5\n2,10001,2,2024-01-02,,false,7\n",
        "test.csv": "id,zip,size,when,empty,flag\n3,10002,2.5,2024-01-03 10:00,7,NA\nx4,10003,3,2024-01-04,8,\n",
        "sample_submission.csv": "id,y\n3,0.5\n4,0.5\n"})
    assert warnings == []
    for name in ("id", "zip", "size", "when", "empty", "flag"):
        assert tables["train.csv"].schema.field(name).type == tables["test.csv"].schema.field(name).type, name
    assert [str(field.type) for field in tables["train.csv"].schema] == ["string", "string", "double", "timestamp[us]", "int64", "bool", "int64"]
    assert [str(field.type) for field in tables["sample_submission.csv"].schema] == ["string", "double"]
    assert tables["train.csv"]["id"].to_pylist() == ["1", "2"] and tables["train.csv"]["size"].to_pylist() == [1.0, 2.0]


def test_a_changed_file_is_made_again_and_only_that_until_types_must_follow(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    write(store, {"train.csv": "a,y\n1,1\n", "test.csv": "a\n2\n", "extra.csv": "z\n1\n"})
    names = ["train.csv", "test.csv", "extra.csv"]
    make_tables(store, names, ROLES)
    first = {name: store.table(name).stat().st_mtime_ns for name in names}
    make_tables(store, names, ROLES)
    assert {name: store.table(name).stat().st_mtime_ns for name in names} == first
    write(store, {"test.csv": "a\n3\n4\n"})
    make_tables(store, names, ROLES)
    assert parquet.read_metadata(store.table("test.csv")).num_rows == 2
    assert all(store.table(name).stat().st_mtime_ns == first[name] for name in ("train.csv", "extra.csv"))
    write(store, {"test.csv": "a\n3.5\n"})
    make_tables(store, names, ROLES)
    assert {str(parquet.read_schema(store.table(name)).field("a").type) for name in ("train.csv", "test.csv")} == {"double"}
    assert not list(store.tables.glob(".*"))


def test_a_file_that_is_broken_now_has_no_table_of_what_it_was(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    for name, good, bad in (("t.csv", PLAIN, "a,b\n1\n"), ("u.csv.gz", gzip.compress(PLAIN.encode()), gzip.compress(PLAIN.encode())[:-9]),
                            ("v.csv.xz", lzma.compress(PLAIN.encode()), b"\xfd7zXZ"), ("w.parquet", b"", b"PAR1 and no more")):
        write(store, {name: good})
        make_tables(store, [name], {})
        write(store, {name: bad})
        assert len(make_tables(store, [name], {})) == 1
        assert not store.table(name).exists() and not list(store.tables.glob(".*")), name


PLAIN = "a,b\n1,x\n2,y\n"


@pytest.mark.parametrize(("name", "content"), [
    ("t.csv", PLAIN), ("t.csv.gz", gzip.compress(PLAIN.encode())), ("t.csv.bz2", bz2.compress(PLAIN.encode())),
    ("t.csv.xz", lzma.compress(PLAIN.encode())), ("t.csv.zst", pyarrow.compress(PLAIN.encode(), codec="zstd", asbytes=True)),
    ("t.tsv", PLAIN.replace(",", "\t")), ("t.csv", PLAIN.replace(",", "\t")), ("t.csv", PLAIN.replace(",", ";")), ("t.csv", PLAIN.replace(",", "|")),
    ("t.tsv", PLAIN), ("t.csv", PLAIN.replace("\n", "\r\n")), ("t.csv", PLAIN.replace("\n", "\r")),
    ("t.csv", "\ufeff" + PLAIN), ("t.csv", PLAIN[:-1]),
    ("t.csv", PLAIN.encode("utf-16")), ("t.csv", b"\xfe\xff" + PLAIN.encode("utf-16-be")), ("t.csv", "\n" + PLAIN + "\n\n"),
    ("t.jsonl", '{"a": 1, "b": "x"}\n\n{"a": 2, "b": "y"}\n'), ("t.json", '[{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]'),
    ("t.json", '{"a": 1, "b": "x"}\n{"a": 2, "b": "y"}\n'), ("t.json", '{"a": {"0": 1, "7": 2}, "b": {"0": "x", "7": "y"}}'),
    ("t.json", '{"a": [1, 2], "b": ["x", "y"]}'), ("t.json.gz", gzip.compress(b'[{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]'))],
    ids=itertools.count())
def test_every_form_of_a_table_is_read(made: Made, name: str, content: object) -> None:
    tables, warnings = made({name: content})
    assert warnings == []
    assert tables[name].to_pydict() == {"a": [1, 2], "b": ["x", "y"]}
    assert str(tables[name].schema.field("a").type) == "int64"


def test_typed_files_keep_their_types(made: Made, tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": np.array([1, 2], np.int8), "b": pd.Categorical(["x", "y"]), "z": ["07", "08"]}, index=[5, 6])
    frame.to_parquet(tmp_path / "t.parquet")
    feather.write_feather(frame, tmp_path / "t.feather")
    for name in ("t.parquet", "t.feather"):
        content = (tmp_path / name).read_bytes()
        tables, warnings = made({name: content, f"packed/{name}.gz": gzip.compress(content)})
        assert warnings == []
        for table in tables.values():
            assert table["a"].type == pyarrow.int8() and table["z"].to_pylist() == ["07", "08"] and table["b"].to_pylist() == ["x", "y"]


def test_excel_gives_its_first_sheet_with_types(made: Made, tmp_path: Path) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    for row in (["id", "code", "x", "when", "ok"], [1, "007", 1.5, datetime.datetime(2024, 1, 2, 3), True], [2, "008", None, None, None]):
        book.active.append(row)
    book.create_sheet("notes")
    book.save(tmp_path / "t.xlsx")
    tables, warnings = made({"t.xlsx": (tmp_path / "t.xlsx").read_bytes()})
    assert tables["t.xlsx"].to_pydict() == {"id": [1, 2], "code": ["007", "008"], "x": [1.5, None], "when": [datetime.datetime(2024, 1, 2, 3), None],
                                            "ok": [True, None]}
    assert warnings == ["t.xlsx has 2 sheets: the table is the first, 'Sheet'"]


def test_json_keeps_what_stands_in_quotes_and_big_numbers(made: Made) -> None:
    rows = [{"id": "12", "n": 1, "day": "2024-01-02", "in": {"k": [1, 2.50]}, "word": "NA"}, {"id": "13", "n": 18446744073709551615, "new": 1.5}]
    tables, _ = made({"t.jsonl": "\n".join(map(json.dumps, rows)).replace("2.5]", "2.50]")})
    table = tables["t.jsonl"]
    assert table["id"].to_pylist() == ["12", "13"] and table["n"].to_pylist() == [1, 2**64 - 1] and table["new"].to_pylist() == [None, 1.5]
    assert table["day"].to_pylist() == [datetime.datetime(2024, 1, 2), None] and table["word"].to_pylist() == ["NA", None]
    assert table["in"].to_pylist() == ['{"k": [1, 2.50]}', None]


def test_quotes_line_ends_and_delimiters_inside_cells(made: Made) -> None:
    tables, warnings = made({"t.csv": 'a,b\n1,"x, ""y""\nz"\n2,5" pipe\n3,"a;b"\n4,"7"" disk\n"\n5,say "hi"\n'})
    assert warnings == []
    assert tables["t.csv"].to_pydict() == {"a": [1, 2, 3, 4, 5], "b": ['x, "y"\nz', '5" pipe', "a;b", '7" disk\n', 'say "hi"']}


def test_line_ends_in_quotes_across_the_pieces_of_a_large_file(made: Made) -> None:
    texts = [f'note {number}\nwith "quotes", and\n\nlines' * (1 + number % 7) for number in range(60_000)]
    frame = pd.DataFrame({"text": texts, "n": np.arange(len(texts))})
    tables, warnings = made({"t.csv": frame.to_csv(index=False)})
    assert warnings == []
    assert tables["t.csv"]["text"].to_pylist() == texts and tables["t.csv"]["n"].type == pyarrow.int64()


def test_decimal_commas_between_semicolons(made: Made) -> None:
    tables, _ = made({"t.csv": "a;b;c\n1,234;7;x,y\n2,5;8;z\n"})
    assert tables["t.csv"].to_pydict() == {"a": [1.234, 2.5], "b": [7, 8], "c": ["x,y", "z"]}


def test_names_are_made_unique_and_never_empty(made: Made) -> None:
    tables, _ = made({"t.csv": "a,a,,a.1,a,größe\n1,2,3,4,5,6\n"})
    assert tables["t.csv"].column_names == ["a", "a.2", "unnamed_2", "a.1", "a.3", "größe"]


def test_other_encodings_are_read_and_told(made: Made) -> None:
    late = "text,n\n" + "".join(f"plain,{number}\n" for number in range(400_000)) + "naïve €,7\n"
    tables, warnings = made({"old.csv": "größe,n\n€,1\n".encode("cp1252"), "late.csv": late.encode("cp1252"), "odd.csv": b"a,b\n\x81\xff,1\n"})
    assert tables["old.csv"].to_pydict() == {"größe": ["€"], "n": [1]}
    assert tables["late.csv"]["text"][-1].as_py() == "naïve €" and tables["late.csv"].num_rows == 400_001
    assert tables["odd.csv"]["a"].to_pylist() == ["\x81ÿ"]
    assert warnings == [f"{name} is not UTF-8: it was read as Western European text (cp1252)" for name in ("old.csv", "late.csv", "odd.csv")]


def test_header_only_is_a_table_without_rows(made: Made) -> None:
    tables, warnings = made({"t.csv": "a,b\n", "u.csv": "a,b"})
    assert warnings == [] and [table.num_rows for table in tables.values()] == [0, 0]
    assert {field.type for table in tables.values() for field in table.schema} == {pyarrow.string()}


LONG = "".join(f"{number},x\n" for number in range(700_000))


@pytest.mark.parametrize(("content", "says"), [
    ("", "t.csv is empty"), ("\n\n", "t.csv is empty"), (b"\x00\x01PNG", "t.csv is no text: it holds zero bytes"),
    ("a,b\n1,2\n3\n", "line 3 has 1 cells, the header has 2"), ("a,b\n1,2\n\n3,4,5\n", "line 4 has 3 cells, the header has 2"),
    (f"a,b\n{LONG}1,2,3\n{LONG}", "line 700002 has 3 cells, the header has 2"),
    ('a,b\n1,"x\ny"\n2,"z"\n3\n', "line 5 has 1 cells, the header has 2"),
    ('a,b\n1,x\n2,"never closed\n3,y\n', "a quote that opens in line 3 is never closed"),
    ('a,b\n1,"5"" x"\n2,y"\n3,z,\n', "line 4 has 3 cells, the header has 2")])
def test_what_is_broken_is_named_with_its_line_and_stays_a_file(made: Made, content: object, says: str) -> None:
    tables, warnings = made({"t.csv": content, "u.csv": "a\n1\n"})
    assert list(tables) == ["u.csv"]
    assert len(warnings) == 1 and says in warnings[0] and "t.csv" in warnings[0]


def test_json_that_is_no_table_is_told_once(made: Made) -> None:
    tables, warnings = made({f"notes/{number}.json": '{"a": 1, "b": [1, 2]}' for number in range(9)})
    assert tables == {} and warnings == ["9 JSON files are no tables, such as notes/0.json: they stay files"]


def test_words_read_as_missing_and_what_stays_text_are_recorded(made: Made, tmp_path: Path) -> None:
    _, warnings = made({"t.csv": "a,b,when\nNA,NaN,1/2/2024\nred,1.5,3/4/2024\n,NULL,5/6/2024\n"})
    record = read_record(tmp_path / "contest" / "data" / "tables" / "t.parquet")
    assert record.missing == {"a": ["NA"], "b": ["NULL", "NaN"]} and record.odd == {"a": "red"}
    assert warnings == ["t.csv: when may be day or month first and stays text"]


def test_ten_thousand_columns(made: Made) -> None:
    wide = np.arange(300_000).reshape(30, 10_000)
    start = time.process_time()
    tables, _ = made({"t.csv": pd.DataFrame(wide, columns=[f"c{number}" for number in range(10_000)]).to_csv(index=False)})
    assert (tables["t.csv"].to_pandas().to_numpy() == wide).all()
    assert time.process_time() - start < 60


def test_columns_are_read_from_a_parquet_and_from_a_raw_file_alike(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    rows = [f"{number},{number % 3 or ''},{2**60 + number if number % 5 else ''},s{number},{'True' if number % 2 else ''}" for number in range(2000)]
    write(store, {"train.csv": "id,gap,big,name,flag\n" + "\n".join(rows) + "\n"})
    assert make_tables(store, ["train.csv"], ROLES, tables=False) == [] and not store.tables.exists()
    raw = open_table(store, "train.csv")
    assert raw.path.suffix == ".csv" and raw.footer.rows is None and raw.footer.columns == ("id", "gap", "big", "name", "flag")
    before = raw.read(["name", "id", "big"])
    make_tables(store, ["train.csv"], ROLES)
    table = open_table(store, "train.csv")
    assert table.path.suffix == ".parquet" and footer(table.path).rows == 2000 and table.footer.columns == raw.footer.columns
    pd.testing.assert_frame_equal(table.read(["name", "id", "big"]), before)
    assert list(before.columns) == ["name", "id", "big"] and before["big"][1] == 2**60 + 1 and str(before["big"].dtype) == "Int64"
    assert [str(kind) for kind in table.read(["id", "gap"]).dtypes] == ["int64", "float64"]
    assert [str(kind) for kind in read_columns(table.path, ["gap", "flag"], nullable=True).dtypes] == ["Int64", "boolean"]
    for path in (table.path, raw.path):
        with pytest.raises(KKError, match=r"has no column 'nmae'\. Did you mean"):
            read_columns(path, ["nmae"])


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_conversion_leaves_nothing_half_and_finished_files_stay(tmp_path: Path, how: signal.Signals) -> None:
    store = store_at(tmp_path)
    write(store, {"a.csv": PLAIN, "b.csv": "a,b\n" + "12345.678,some text\n" * 8_000_000})
    program = f"""
from pathlib import Path
from tests.test_tables import make_tables, store_at
make_tables(store_at(Path({str(tmp_path)!r})), ["a.csv", "b.csv"], {{}})
"""
    worker = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stderr=subprocess.DEVNULL)
    hidden = store.tables / ".b.parquet.part"
    while not hidden.exists():
        assert worker.poll() is None
        time.sleep(0.01)
    finished = store.table("a.csv").stat().st_mtime_ns
    worker.send_signal(how)
    worker.wait()
    assert not store.table("b.csv").exists() and hidden.exists() == (how == signal.SIGKILL)
    write(store, {"b.csv": "a,b\n1,x\n"})
    assert make_tables(store, ["a.csv", "b.csv"], {}) == []
    assert store.table("a.csv").stat().st_mtime_ns == finished and parquet.read_metadata(store.table("b.csv")).num_rows == 1
    assert not list(store.tables.glob(".*"))


def test_joining_types_every_table_and_again_what_changed(small: Path, kk: Callable[..., Ran]) -> None:
    table = small / "data" / "tables" / "train.parquet"
    assert str(parquet.read_schema(table).field("noise").type) == "double" and footer(table).rows == 240
    raw = small / "data" / "raw" / "train.csv"
    raw.write_text("\n".join(raw.read_text().splitlines()[:101]) + "\n")
    assert kk("join", "small-auc", "--json").json["rows"]["train"] == 100
