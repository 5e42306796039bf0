"""kk merge."""

from typing import TYPE_CHECKING

import click

from kagglekit.cli import options
from kagglekit.cli.output import bullets, run, wrapped

if TYPE_CHECKING:
    from kagglekit.verbs.merge import Merged


@click.command()
@click.argument("folder")
@options.competition
@options.output
def command(as_json: bool, quiet: bool, debug: bool, **given: object) -> None:
    """Take runs and submissions from another copy.

    FOLDER is the competition's folder on another machine or of a team mate, or
    a workspace that holds it. What is here already is left as it is.

    \b
    Example:
        kk merge ../desk/competitions/titanic
    """
    from kagglekit.verbs.merge import merge

    run(lambda: merge(**given), render, as_json=as_json, quiet=quiet, debug=debug)


def render(record: "Merged") -> list[str]:
    """What came, old and new ids."""
    counts = f"{len(record.runs)} runs, {len(record.folds)} folds and {len(record.submissions)} submissions came from {record.source}"
    came = ", ".join(f"{old} is {new} here" for old, new in record.runs.items())
    return [*wrapped(counts, indent="  "), *(wrapped(came, indent="  ") if came else []), *bullets(record.warnings)]
