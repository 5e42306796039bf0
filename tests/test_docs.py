"""The docs say what the product does: generated help is current, every command and file is named."""

import importlib.util
import re
from pathlib import Path

from kagglekit.cli import COMMANDS

ROOT = Path(__file__).resolve().parent.parent


def test_the_command_reference_is_current() -> None:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert (ROOT / "docs" / "commands.md").read_text(encoding="utf-8") == module.reference(), "run: make docs"


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
