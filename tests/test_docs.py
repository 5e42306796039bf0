"""The docs say what the product does: generated help is current, every command and file is named."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from kagglekit.cli import COMMANDS
from tests.conftest import Ran, small_tables, write_contest

ROOT = Path(__file__).resolve().parent.parent


def test_the_command_reference_is_current() -> None:
    # In a process of its own: click keeps a command's help option as the first context made it.
    script = [sys.executable, str(ROOT / "docs" / "generate.py"), "--check"]
    ran = subprocess.run(script, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert ran.returncode == 0, ran.stderr


def test_every_command_is_in_the_reference_and_the_tutorial_or_readme() -> None:
    reference = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    told = "".join((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "docs/loop.md"))
    for name in COMMANDS:
        assert f"## kk {name}\n" in reference
        assert f"kk {name}" in told, name


def test_the_readme_names_every_file_of_the_package() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for path in sorted((ROOT / "kagglekit").iterdir()):
        if path.name not in ("__pycache__", "configs"):
            assert path.name.removesuffix(".py") in readme, path.name


def test_the_readme_and_docs_name_commands_that_exist() -> None:
    for name in ("README.md", "docs/loop.md"):
        for command in re.findall(r"(?:^|[`$] ?)kk ([a-z][a-z-]+)", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE):
            assert command in COMMANDS, f"{name}: kk {command}"


def test_the_changelog_has_the_current_version() -> None:
    from kagglekit import __version__

    assert f"## {__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f'version = "{__version__}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_the_tutorial_marks_commands_for_the_shell_only_in_order_of_the_loop() -> None:
    lines = tutorial()
    assert lines[0] == "kk init clinics" and len(lines) > 25
    assert [line.split()[0] for line in lines if not line.startswith(("kk ", "cd "))] == []


@pytest.mark.slow
def test_every_line_of_the_tutorial_works_when_pasted_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kk: Callable[..., Ran]) -> None:
    monkeypatch.chdir(tmp_path)
    said = {}
    for line in tutorial():
        program, *words = shlex.split(line)
        if program == "cd":
            monkeypatch.chdir(words[0])
            continue
        ran = kk(*words)
        said.setdefault(line, []).append(ran.out)
        # doctor looks for the person's Kaggle account and the network, which a test has not.
        assert ran.code == 0 or words[0] == "doctor", f"{line}\n{ran.err}"
    random, group = said["kk lbcheck"]
    assert "random5 does not track" in random and "group5 tracks" in group


def test_every_line_of_the_arena_page_works(workspace: Path, kk: Callable[..., Ran]) -> None:
    random = np.random.default_rng(0)
    cars = pd.DataFrame({"maker": random.choice(list("ABCDEFGH"), 200), "year": random.integers(1990, 2020, 200),
                         "price": random.lognormal(9, 0.5, 200).round(2)})
    cars.assign(sold_for=cars["price"] * 0.9).to_csv("cars.csv", index=False)
    write_contest(workspace / "old", small_tables())
    for line in tutorial("arena.md"):
        ran = kk(*shlex.split(line)[1:])
        assert ran.code == 0, f"{line}\n{ran.err}"


def tutorial(name: str = "loop.md") -> list[str]:
    """The lines of a page's shell blocks."""
    text = (ROOT / "docs" / name).read_text(encoding="utf-8")
    return [line for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) for line in block.splitlines() if line]
