"""kk init."""

import click

from kagglekit.cli import options
from kagglekit.cli.output import run


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


def render(record) -> list[str]:  # type: ignore[no-untyped-def]
    """The folder and what is in it."""
    return [f"A workspace in {record.folder}: {', '.join(record.created)}"]
