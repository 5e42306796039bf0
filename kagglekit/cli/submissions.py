"""kk submissions."""

import click

from kagglekit.cli import options
from kagglekit.cli.output import bullets, run, score, table


@click.command()
@click.option("--sync/--no-sync", default=True, show_default=True, help="Ask the server first.")
@options.competition
@options.output
def command(as_json: bool, quiet: bool, debug: bool, **given: object) -> None:
    """Show submissions and their scores.

    \b
    Example:
        kk submissions
    """
    from kagglekit.verbs.submissions import submissions

    run(lambda: submissions(**given), render, as_json=as_json, quiet=quiet, debug=debug)


def render(record) -> list[str]:  # type: ignore[no-untyped-def]
    """One table, newest first."""
    if not record.rows:
        return ["no submissions yet", *bullets(record.warnings)]
    rows = [(row["ref"] or "-", row["run"] or "-", row["name"], score(row["cv"], row["cv_se"]), score(row["public"]), score(row["private"]),
             row["status"] or row["reason"], row["date"][5:16]) for row in record.rows]
    lines = table(("ref", "run", "name", "local ± SE", "public", "private", "status", "when"), rows)
    return lines + bullets([f"{row['ref']}: {row['error']}" for row in record.rows if row["error"]]) + bullets(record.warnings)
