"""Columns as text, the type that loses nothing of them, and the values read."""

import datetime
import math

import pyarrow

TYPES = [
    (["1", "", "3"], pyarrow.int64(), [1, None, 3]),
    (["01", "2"], pyarrow.string(), ["01", "2"]),
    (["-5", "+3", " 7", "-0"], pyarrow.int64(), [-5, 3, 7, 0]),
    (["18446744073709551615", "0"], pyarrow.uint64(), [2**64 - 1, 0]),
    (["18446744073709551615", "-1"], pyarrow.string(), ["18446744073709551615", "-1"]),
    (["18446744073709551616", "1"], pyarrow.string(), ["18446744073709551616", "1"]),
    (["9223372036854775807", "-9223372036854775808"], pyarrow.int64(), [2**63 - 1, -(2**63)]),
    (["9007199254740993", "0.5"], pyarrow.string(), ["9007199254740993", "0.5"]),
    (["9007199254740992", "0.5"], pyarrow.float64(), [2.0**53, 0.5]),
    (["1e5", ".5", "3.", "-inf", "+2.5"], pyarrow.float64(), [1e5, 0.5, 3.0, -math.inf, 2.5]),
    (["1e400", "1"], pyarrow.string(), ["1e400", "1"]),
    (["1_000", "2"], pyarrow.string(), ["1_000", "2"]),
    (["0x1F", "2"], pyarrow.string(), ["0x1F", "2"]),
    (["+4930123456", "1"], pyarrow.string(), ["+4930123456", "1"]),
    (["nan(1)", "1.5"], pyarrow.string(), ["nan(1)", "1.5"]),
    (['"1,234"', '"5,678"'], pyarrow.string(), ["1,234", "5,678"]),
    (['"1,5"', "2"], pyarrow.float64(), [1.5, 2.0]),
    (["True", "", "false"], pyarrow.bool_(), [True, None, False]),
    (["True", "1"], pyarrow.string(), ["True", "1"]),
    (["tRue", "true"], pyarrow.string(), ["tRue", "true"]),
    (["2024-02-29", "2024-02-29T10:00:00.5"], pyarrow.timestamp("us"),
     [datetime.datetime(2024, 2, 29), datetime.datetime(2024, 2, 29, 10, 0, 0, 500000)]),
    (["2024-02-30", "2024-02-01"], pyarrow.string(), ["2024-02-30", "2024-02-01"]),
    (["0000-00-00", "2024-02-01"], pyarrow.string(), ["0000-00-00", "2024-02-01"]),
    (["2024-01-01T12:00:00+02:00", "2024-01-01T12:00:00Z"], pyarrow.timestamp("us"),
     [datetime.datetime(2024, 1, 1, 10), datetime.datetime(2024, 1, 1, 12)]),
    (["2024-01-01T12:00:00Z", "2024-01-01T12:00:00"], pyarrow.string(), ["2024-01-01T12:00:00Z", "2024-01-01T12:00:00"]),
    (["1/2/2024", "31/12/2024 7:05"], pyarrow.timestamp("us"), [datetime.datetime(2024, 2, 1), datetime.datetime(2024, 12, 31, 7, 5)]),
    (["1/2/2024", "12/31/2024"], pyarrow.timestamp("us"), [datetime.datetime(2024, 1, 2), datetime.datetime(2024, 12, 31)]),
    (["31/12/2024", "12/31/2024"], pyarrow.string(), ["31/12/2024", "12/31/2024"]),
    (["1/2/2024", "3/4/2024"], pyarrow.string(), ["1/2/2024", "3/4/2024"]),
    (["2024/1/5", "2024/12/31"], pyarrow.timestamp("us"), [datetime.datetime(2024, 1, 5), datetime.datetime(2024, 12, 31)]),
    (["", "NA"], pyarrow.string(), [None, None]),
    (["red", "NA", "n/a"], pyarrow.string(), ["red", None, None]),
    (["1", "nan", "NULL"], pyarrow.int64(), [1, None, None]),
    ([" ", "1"], pyarrow.string(), [" ", "1"]),
]
