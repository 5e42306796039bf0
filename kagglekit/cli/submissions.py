"""kk submissions, and kk submissions link."""

import csv
import io
from typing import TYPE_CHECKING

import click

from kagglekit.cli import options
from kagglekit.cli.output import bullets, run, score, table, wrapped

if TYPE_CHECKING:
    from kagglekit.verbs.submissions import Linked, Submissions


@click.group(invoke_without_command=True)
@click.option("--sort", default="date", show_default=True, metavar="BY", help="date, public, private, cv or gap.")
@click.option("--sync/--no-sync", default=True, show_default=True, help="Ask the server first.")
@click.option("--plot", is_flag=True, help="Draw the own rank over time.")
@click.option("--csv", "as_csv", is_flag=True, help="Print the rows as csv.")
@options.competition
@options.output
@click.pass_context
def command(ctx: click.Context, as_csv: bool, as_json: bool, quiet: bool, debug: bool, **given: object) -> None:
    """Show submissions and their scores.

    \b
    Example:
        kk submissions
        kk submissions link 4711 r7
    """
    if ctx.invoked_subcommand is not None:
        return
    from kagglekit.verbs.submissions import submissions

    run(lambda: submissions(**given), as_table if as_csv else render, as_json=as_json, quiet=quiet, debug=debug, follow=not as_csv)


@command.command("link")
@click.argument("ref")
@click.argument("run_name", metavar="RUN")
@options.competition
@options.output
def link_command(ref: str, run_name: str, as_json: bool, quiet: bool, debug: bool, competition: str | None) -> None:
    """Join a submission to a run.

    For one that was made in the browser or by another tool: its public score
    then counts for the run.

    \b
    Example:
        kk submissions link 4711 r7
    """
    from kagglekit.verbs.submissions import submissions_link

    def shown(record: "Linked") -> list[str]:
        return [f"submission {record.ref} now belongs to {record.run}"]

    run(lambda: submissions_link(ref, run_name, competition=competition), shown, as_json=as_json, quiet=quiet, debug=debug)


def as_table(record: "Submissions") -> list[str]:
    """The rows as csv, with a header."""
    text = io.StringIO()
    if record.rows:
        writer = csv.DictWriter(text, list(record.rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(record.rows)
    return text.getvalue().splitlines()


def render(record: "Submissions") -> list[str]:
    """One table, newest first; private scores once there are any."""
    if not record.rows:
        return ["no submissions yet", *bullets(record.warnings)]
    # What all rows share or none has would only push the scores out of the line.
    ended = any(row["private"] is not None for row in record.rows)
    mixed = any(row["status"] != "complete" for row in record.rows)
    rows = [(row["ref"] or "-", row["run"] or "-", row["name"], score(row["cv"], row["cv_se"]), score(row["public"]), score(row["gap"]),
             *([score(row["private"])] if ended else []), *([row["status"] or row["reason"]] if mixed else []),
             row["date"][5:16].replace("T", " ")) for row in record.rows]
    titles = ("ref", "run", "name", "local ± SE", "public", "gap", *(["private"] if ended else []), *(["status"] if mixed else []),
              "when (UTC)")
    lines = table(titles, rows)
    place = [f"place {record.rank:,} of {record.teams:,}"] if record.rank else []
    picture = wrapped(f"the place over time: {record.plot}", indent="  ") if record.plot else []
    return [*lines, *place, *picture, *bullets([f"{row['ref']}: {row['error']}" for row in record.rows if row["error"]]), *bullets(record.warnings)]
