"""Writes docs/commands.md from the commands' own help and the table of docs/models.md from the presets: python docs/generate.py [--check]."""

import sys
from pathlib import Path

import click

from kagglekit.cli import COMMANDS, main

HERE = Path(__file__).resolve().parent
BEGIN, END = "<!-- models: written by docs/generate.py -->\n", "<!-- end -->\n"


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


def models_page() -> str:
    """The text of models.md with its table anew: families and presets that are shipped."""
    from kagglekit.models import presets

    text = (HERE / "models.md").read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    names = sorted(path.stem for path in (HERE.parent / "configs").glob("*.toml"))
    rows = [f"| `{name}` | {'' if presets.model_of(name) == name else f'`{presets.model_of(name)}`'} | {presets.about(name)} |" for name in names]
    table = "\n".join(["| name | preset of | what it is |", "|---|---|---|", *rows])
    return f"{before}{BEGIN}\n{table}\n\n{END}{rest.split(END)[1]}"


if __name__ == "__main__":
    pages = {HERE / "commands.md": reference(), HERE / "models.md": models_page()}
    if "--check" in sys.argv:
        old = [path.name for path, text in pages.items() if path.read_text(encoding="utf-8") != text]
        sys.exit(f"{', '.join(old)} out of date: make docs" if old else 0)
    for path, text in pages.items():
        path.write_text(text, encoding="utf-8")
