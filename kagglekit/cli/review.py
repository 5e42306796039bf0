"""kk review."""

from typing import TYPE_CHECKING

import click

from kagglekit.cli import options
from kagglekit.cli.output import bullets, run, score, table, wrapped

if TYPE_CHECKING:
    from kagglekit.verbs.review import Review

CHOSEN = {"final": "your final submissions", "public": "the best public score", "local": "the best local score"}


@click.command()
@options.competition
@options.output
def command(as_json: bool, quiet: bool, debug: bool, **given: object) -> None:
    """Look back when a competition is over.

    \b
    Example:
        kk review
    """
    from kagglekit.verbs.review import review

    run(lambda: review(**given), render, as_json=as_json, quiet=quiet, debug=debug)


def render(record: "Review") -> list[str]:
    """The place, the submissions, what each way to choose would have given, and the lesson."""
    place = f"place {record.rank} of {record.teams}" if record.rank else f"no place among {record.teams} teams"
    lines = [f"{record.slug} is over: {place}"]
    if record.rows:
        lines += table(("ref", "run", "name", "local", "public", "private", ""), [
            (row["ref"], row["run"] or "-", row["name"], score(row["cv"]), score(row["public"]), score(row["private"]),
             "final" if row["final"] else "") for row in record.rows])
    for choice in record.choices:
        lost = f"{choice['lost']:.5f} behind the best of all" if choice["lost"] else "the best there was"
        lines += wrapped(f"{CHOSEN[choice['by']]}: {choice['run'] or choice['ref']} {choice['name']}, private {score(choice['private'])}, {lost}",
                         indent="  ")
    for order in record.orders:
        lines += wrapped(f"the {order['by']} score put the same one first in {order['same']} of {order['pairs']} pairs", indent="  ")
    if record.teaches:
        lines += ["", "what this teaches", *(line for part in record.teaches.splitlines() for line in wrapped(part, indent="  ") or [""])]
    return lines + bullets(record.warnings)
