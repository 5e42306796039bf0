"""kk submissions."""

from typing import TYPE_CHECKING

import click

from kagglekit.cli import options
from kagglekit.cli.output import bullets, run, score, table

if TYPE_CHECKING:
    from kagglekit.verbs.submissions import Submissions


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


def render(record: "Submissions") -> list[str]:
    """One table, newest first; private scores once there are any."""
    if not record.rows:
        return ["no submissions yet", *bullets(record.warnings)]
    # What all rows share or none has would only push the scores out of the line.
    ended = any(row["private"] is not None for row in record.rows)
    mixed = any(row["status"] != "complete" for row in record.rows)
    rows = [(row["ref"] or "-", row["run"] or "-", row["name"], score(row["cv"], row["cv_se"]), score(row["public"]),
             *([score(row["private"])] if ended else []), *([row["status"] or row["reason"]] if mixed else []),
             row["date"][5:16].replace("T", " ")) for row in record.rows]
    titles = ("ref", "run", "name", "local ± SE", "public", *(["private"] if ended else []), *(["status"] if mixed else []), "when (UTC)")
    lines = table(titles, rows)
    return lines + bullets([f"{row['ref']}: {row['error']}" for row in record.rows if row["error"]]) + bullets(record.warnings)
