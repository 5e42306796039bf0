"""kk init."""

from typing import TYPE_CHECKING

import click

from kagglekit.cli import options
from kagglekit.cli.output import run, wrapped

if TYPE_CHECKING:
    from kagglekit.verbs.init import Workspace


@click.command()
@click.argument("folder", default=".")
@options.output
def command(folder: str, as_json: bool, quiet: bool, debug: bool) -> None:
    """Make a workspace.

    \b
    Example:
        kk init my-kaggle
    """
    from kagglekit.verbs.init import init

    run(lambda: init(folder), render, as_json=as_json, quiet=quiet, debug=debug)


def render(record: "Workspace") -> list[str]:
    """The folder and what is in it."""
    return wrapped(f"A workspace in {record.folder}: {', '.join(record.created)}")
