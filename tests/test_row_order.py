"""Competitions whose test table has no id: rows go by order, and the sample's own id column stays what it is."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from tests.conftest import Ran, write_contest


def test_the_whole_loop_without_an_id_in_test(workspace: Path, tmp_path: Path, kk: Callable[..., Ran]) -> None:
    random = np.random.default_rng(0)
    table = pd.DataFrame(random.integers(0, 255, (300, 4)), columns=[f"pixel{k}" for k in range(4)])
    label = (table["pixel0"] > 127).astype(int) + (table["pixel1"] > 127)
    train, test = table[:200].assign(label=label[:200]), table[200:]
    ids = pd.DataFrame({"ImageId": np.arange(1, 101)})
    source = write_contest(tmp_path / "digits", {"train": train, "test": test, "sample_submission": ids.assign(Label=0),
                                                 "solution": ids.assign(Label=label[200:].to_numpy())})
    assert kk("arena", "create", "pixels", "--from", source, "--metric", "accuracy").code == 0
    joined = kk("join", "pixels", "--practice", "--json").json
    assert joined["id"] == [] and joined["target"] == ["label"] and joined["task"] == "multiclass"
    zeros = kk("submit-zeros", "--json").json
    sent = pd.read_csv(zeros["file"])
    assert sent["ImageId"].tolist() == list(range(1, 101)) and (sent["Label"] == 0).all() and zeros["status"] == "complete"
    for command in (("cv",), ("train", "tree"), ("submit", "tree")):
        ran = kk(*command)
        assert ran.code == 0, ran.err
    rows = kk("submissions", "--json").json["rows"]
    assert rows[0]["public"] > rows[1]["public"] + 0.2
    assert pd.read_csv(rows[0]["file"])["ImageId"].tolist() == list(range(1, 101))
