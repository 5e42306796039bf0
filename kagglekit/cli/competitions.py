"""kk competitions."""

from typing import TYPE_CHECKING

import click

from kagglekit.cli import options
from kagglekit.cli.output import run, table

if TYPE_CHECKING:
    from kagglekit.verbs.competitions import Competitions


@click.command()
@click.argument("search", default="")
@click.option("--new", is_flag=True, help="Those of the last 14 days only.")
@click.option("--ended", is_flag=True, help="Also those that are over.")
@click.option("--practice", is_flag=True, help="The practice server's.")
@options.output
def command(as_json: bool, quiet: bool, debug: bool, **given: object) -> None:
    """List what can be joined, newest first.

    SEARCH is a part of a name. In the last column: in = entered, here = joined
    in this workspace, notebooks = takes submissions from notebooks only,
    closed = nobody new may enter.

    \b
    Example:
        kk competitions --new
    """
    from kagglekit.verbs.competitions import competitions

    run(lambda: competitions(**given), render, as_json=as_json, quiet=quiet, debug=debug)


def render(record: "Competitions") -> list[str]:
    """One table."""
    if not record.rows:
        return ["nothing fits"]
    return table(("competition", "began", "left", "teams", "reward", ""), [
        (row["slug"], _ago(row["days_since_start"]), _left(row["days_left"]), row["teams"], row["reward"], _flags(row)) for row in record.rows])


def _ago(days: float | None) -> str:
    return "-" if days is None else "today" if days < 1 else f"{days:.0f} d ago"


def _left(days: float | None) -> str:
    return "-" if days is None else "over" if days <= 0 else f"{days:.0f} days" if days >= 2 else f"{days * 24:.0f} hours"


def _flags(row: dict) -> str:
    return ", ".join(word for word, true in (("here", row["joined"]), ("in", row["entered"] and not row["joined"]), ("notebooks", row["code_only"]),
                                             ("closed", not row["can_enter"])) if true)
