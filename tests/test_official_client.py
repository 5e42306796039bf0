"""The unmodified official kaggle command against `kk arena serve`, with the lines it prints."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest

KAGGLE = Path(sys.executable).with_name("kaggle")


@pytest.fixture
def kaggle(workspace: Path, small_arena: Path, kk_process: Callable) -> Iterator[Callable[..., str]]:
    """The official command in an environment made from the printed lines."""
    if not KAGGLE.exists():
        pytest.skip("the official kaggle command is not installed beside this Python")
    shutil.copytree(small_arena, workspace / "arena")
    server = kk_process("arena", "serve", "--port", "0")
    lines = [server.stdout.readline().strip() for _ in range(5)]
    environment = {key: value for key, value in os.environ.items() if key not in ("no_proxy", "NO_PROXY", "KAGGLE_API_TOKEN")}
    environment |= dict(re.fullmatch(r"export (\w+)=(.*)", line).groups() for line in lines if line.startswith("export"))
    assert lines[4] == "unset no_proxy NO_PROXY KAGGLE_API_TOKEN"

    def call(*args: str) -> str:
        ran = subprocess.run([KAGGLE, *args], capture_output=True, text=True, env=environment, timeout=60, cwd=workspace)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    yield call
    server.send_signal(2)
    server.wait(timeout=10)


def test_the_official_command_lists_downloads_submits_and_reads_the_score(kaggle: Callable[..., str], workspace: Path) -> None:
    assert "small-accuracy" in kaggle("competitions", "list")
    assert "sample_submission.csv" in kaggle("competitions", "files", "small-accuracy")
    kaggle("competitions", "download", "small-accuracy", "-q")
    assert (workspace / "small-accuracy.zip").stat().st_size > 1000
    kaggle("competitions", "download", "small-accuracy", "-f", "test.csv", "-q")
    assert len(pd.read_csv(workspace / "test.csv")) == 120
    pd.read_csv(workspace / "test.csv")[["id"]].assign(y=0).to_csv("zeros.csv", index=False)
    kaggle("competitions", "submit", "small-accuracy", "-f", "zeros.csv", "-m", "zeros")
    for _ in range(20):
        shown = kaggle("competitions", "submissions", "small-accuracy", "--csv")
        if "COMPLETE" in shown:
            break
        time.sleep(0.2)
    solution = pd.read_csv(workspace / "arena" / "small-accuracy" / "solution.csv")
    public = (solution[solution.Usage == "Public"].y == 0).mean()
    assert f"{public:.5f}" in shown
    assert "practice" in kaggle("competitions", "leaderboard", "small-accuracy", "--show")
