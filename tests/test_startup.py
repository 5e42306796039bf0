"""What must be instant is: help and status load no numpy."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("numpy", "pandas", "kaggle", "kagglesdk", "requests", "scipy", "sklearn", "lightgbm", "pyarrow", "rich", "starlette")
SCRIPT = """
import sys
from kagglekit.cli import main
try:
    main(sys.argv[1:], standalone_mode=False)
except SystemExit:
    pass
print("LOADED", [name for name in {heavy!r} if name in sys.modules])
"""


@pytest.mark.parametrize("args", [["--help"], ["--version"], ["status"], ["train", "--help"], ["arena", "--help"]])
def test_help_and_status_load_nothing_heavy(args: list[str], workspace: Path) -> None:
    root = str(Path(__file__).resolve().parent.parent)
    answer = subprocess.run([sys.executable, "-c", SCRIPT.format(heavy=HEAVY), *args], capture_output=True, text=True, cwd=workspace,
                            env={**os.environ, "PYTHONPATH": root})
    assert "LOADED []" in answer.stdout and "Error" not in answer.stderr, answer.stdout + answer.stderr


def test_importing_the_package_loads_nothing_heavy() -> None:
    root = str(Path(__file__).resolve().parent.parent)
    script = f"import sys, kagglekit as kk; assert 'train' in dir(kk); print([name for name in {HEAVY!r} if name in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": root})
    assert answer.stdout.strip() == "[]", answer.stderr


def test_status_of_a_joined_competition_loads_no_numpy(small: Path) -> None:
    root = str(Path(__file__).resolve().parent.parent)
    answer = subprocess.run([sys.executable, "-c", SCRIPT.format(heavy=HEAVY), "status"], capture_output=True, text=True, cwd=small,
                            env={**os.environ, "PYTHONPATH": root})
    assert "small-auc" in answer.stdout and "LOADED []" in answer.stdout, answer.stdout + answer.stderr
