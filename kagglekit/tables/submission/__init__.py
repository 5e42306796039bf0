"""Submissions as tables: into the sample's form, zeros and constants, the preflight before any upload, and the csv itself."""

from kagglekit.tables.submission.check import Preflight, preflight
from kagglekit.tables.submission.forms import labels_of, long_form, one_hot, rle_decode, rle_encode, top_k
from kagglekit.tables.submission.made import FILE as MAKE
from kagglekit.tables.submission.made import made_table
from kagglekit.tables.submission.sample import as_written, constant_table, fill_sample, nothing, value_columns
from kagglekit.tables.submission.write import MAX_BYTES, csv_parts, same_file, write_csv

__all__ = ["MAKE", "MAX_BYTES", "Preflight", "as_written", "constant_table", "csv_parts", "fill_sample", "labels_of", "long_form", "made_table",
           "nothing", "one_hot", "preflight", "rle_decode", "rle_encode", "same_file", "top_k", "value_columns", "write_csv"]
