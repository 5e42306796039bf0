"""kk submit-zeros."""

from typing import TYPE_CHECKING

import click

from kagglekit.cli import options
from kagglekit.cli.output import bullets, run, score, wrapped

if TYPE_CHECKING:
    from kagglekit.verbs.submit_zeros import Zeros


@click.command()
@click.option("--value", default="zeros", show_default=True, metavar="WHAT", help="zeros, constant (the metric's best) or sample.")
@click.option("--dry-run", is_flag=True, help="Write and check the file, send nothing.")
@click.option("--wait/--no-wait", default=True, show_default=True, help="Wait for the score.")
@click.option("--timeout", default=600.0, show_default=True, help="Seconds to wait at most.")
@options.competition
@options.output
def command(as_json: bool, quiet: bool, debug: bool, **given: object) -> None:
    """Submit zeros, before any model.

    Spends one of today's submissions; says what the score reveals.

    \b
    Example:
        kk submit-zeros --dry-run
    """
    from kagglekit.verbs.submit_zeros import submit_zeros

    run(lambda: submit_zeros(**given), render, as_json=as_json, quiet=quiet, debug=debug)


def render(record: "Zeros") -> list[str]:
    """The score and what it says."""
    what = f"{record.rows:,} rows of {record.value if record.value is not None else 'the sample'} (columns {', '.join(record.columns[:4])})"
    if not record.ref:
        return [*wrapped(f"{what}: {record.file} is sound; nothing was sent", indent="  "), *bullets(record.warnings)]
    scored = f", public score {score(record.public)}" if record.public is not None else ""
    lines = wrapped(f"{what}: {record.status}{scored}", indent="  ")
    for reading in record.reading:
        lines += wrapped(f"- {reading['says']} ({reading['evidence']})", indent="  ")
    return lines + bullets(record.warnings)
