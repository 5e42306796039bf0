"""kk rebuild."""

import click

from kagglekit.cli import options
from kagglekit.cli.output import run


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


def render(record) -> list[str]:  # type: ignore[no-untyped-def]
    """What it holds."""
    return [f"{record.file}: {record.folds} folds, {record.runs} runs, {record.submissions} submissions"]
