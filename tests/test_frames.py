"""kk.load_competition: tables in a notebook, lazily and by column."""

from pathlib import Path

import pandas as pd
import pytest

import kagglekit as kk
from kagglekit.errors import KKError
from tests.conftest import copied


def test_tables_are_read_by_column_and_described_without_being_read(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    comp = kk.load_competition("small-auc")
    assert comp.train.shape == (240, 7) and comp.test.shape == (120, 6) and comp.train.columns[-1] == "y"
    assert comp.files == ["sample_submission.csv", "test.csv", "train.csv"] and comp.facts.target == ("y",)
    assert repr(comp.train) == "<train.csv: 240 rows x 7 columns>"
    two = comp.train(columns=["y", "x"])
    whole = pd.read_csv(small / "data" / "raw" / "train.csv")
    pd.testing.assert_frame_equal(two, whole[["y", "x"]], check_dtype=False)
    assert comp.test().shape == (120, 6) and list(comp.sample().columns) == ["id", "y"] and comp.table("test.csv")(["id"]).shape == (120, 1)
    with pytest.raises(KKError, match="has no column 'noize'. Did you mean noise"):
        comp.train(["noize"])
    with pytest.raises(KKError, match="has no file 'tset.csv'. Did you mean test.csv"):
        comp.table("tset.csv")


def test_without_typed_tables_files_are_read_as_they_are(workspace: Path, small_arena: Path) -> None:
    copied(small_arena, workspace / "arena")
    joined = kk.join("small-auc", practice=True, tables=False)
    assert joined.target == ("y",) and joined.task == "binary" and joined.id == ("id",)
    assert not list((workspace / "competitions" / "small-auc" / "data").glob("tables/*"))
    comp = kk.load_competition("small-auc")
    assert comp.table("train.csv").shape == (None, 7) and comp.table("train.csv")(["x"]).shape == (240, 1)
    kk.cv(n=3)
    assert kk.train("linear").score.mean > 0.8 and kk.submit_zeros().status == "complete"
