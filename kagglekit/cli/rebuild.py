"""kk rebuild."""

from typing import TYPE_CHECKING

import click

from kagglekit.cli import options
from kagglekit.cli.output import run

if TYPE_CHECKING:
    from kagglekit.verbs.rebuild import Rebuilt


@click.command()
@options.competition
@options.output
def command(as_json: bool, quiet: bool, debug: bool, **given: object) -> None:
    """Make the ledger again from the files.

    \b
    Example:
        kk rebuild
    """
    from kagglekit.verbs.rebuild import rebuild

    run(lambda: rebuild(**given), render, as_json=as_json, quiet=quiet, debug=debug)


def render(record: "Rebuilt") -> list[str]:
    """What it holds."""
    return [f"{record.folds} folds, {record.runs} runs and {record.submissions} submissions, in", record.file]
