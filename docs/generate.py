"""Writes docs/commands.md from the commands' own help: python docs/generate.py [--check]."""

import sys
from pathlib import Path

import click

from kagglekit.cli import COMMANDS, main

TARGET = Path(__file__).resolve().parent / "commands.md"


def reference() -> str:
    """The text of commands.md."""
    parts = ["# Commands", "", "Generated from the commands' own help by `make docs`. Every command takes `--json`, `-q` and `--debug`;",
             "each is also the Python function of the same name (`kk submit-zeros` is `kk.submit_zeros()`).", ""]
    for name in COMMANDS:
        command = main.get_command(click.Context(main), name)
        assert command is not None
        parts += _section(f"kk {name}", command)
        if isinstance(command, click.Group):
            for sub, one in command.commands.items():
                parts += _section(f"kk {name} {sub}", one)
    return "\n".join(parts).rstrip() + "\n"


def _section(title: str, command: click.Command) -> list[str]:
    names = main.context_settings["help_option_names"]
    context = click.Context(command, info_name=title, max_content_width=80, terminal_width=80, help_option_names=names)
    return [f"## {title}", "", "```", command.get_help(context).rstrip(), "```", ""]


if __name__ == "__main__":
    if "--check" in sys.argv:
        sys.exit(0 if TARGET.read_text(encoding="utf-8") == reference() else "docs/commands.md is out of date: make docs")
    TARGET.write_text(reference(), encoding="utf-8")
