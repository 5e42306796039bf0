"""kk review."""

from typing import TYPE_CHECKING

import click

from kagglekit.cli import options
from kagglekit.cli.output import bullets, run, score, table, wrapped

if TYPE_CHECKING:
    from kagglekit.verbs.review import Review

WAYS = {"chosen": "your final submissions", "kk_final": "kk final", "by_public": "the two best public scores",
        "by_local": "the two best local scores"}


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
    """The place, the submissions, what each way to choose would have given, the lesson and where to read on."""
    place = f"place {record.rank} of {record.teams}" if record.rank else f"no place among {record.teams} teams"
    before = f" ({record.public_rank} in public)" if record.public_rank and record.rank and record.public_rank != record.rank else ""
    lines = [f"{record.slug} is over: {place}{before}"]
    if record.rows:
        lines += table(("ref", "run", "name", "local", "public", "private", ""), [
            (row["ref"], row["run"] or "-", row["name"], score(row["cv"]), score(row["public"]), score(row["private"]),
             "final" if row["final"] else "late" if row["late"] else "") for row in record.rows])
    for way in record.picks:
        lost = f"{way['lost']:.5f} behind the best of all" if way["lost"] else "the best there was"
        lines += wrapped(f"{WAYS[way['by']]}: {' and '.join(way['runs'])}, private {score(way['private'])}, {lost}", indent="  ")
    lines += [line for text in record.lesson for line in wrapped(text, indent="  ")]
    if record.teaches:
        lines += ["", "what this teaches", *(line for part in record.teaches.splitlines() for line in wrapped(part, indent="  ") or [""])]
    return [*lines, *_links(record), *bullets(record.warnings)]


def _links(record: "Review") -> list[str]:
    """Where to read on; an address is never broken over lines."""
    if not record.links:
        return []
    lines = ["", "to read"]
    for link in record.links:
        votes = "" if link["votes"] is None else f" ({link['votes']} votes)"
        lines += [*wrapped(f"{link['title']}{votes}", indent="  "), f"  {link['url']}"]
    return lines
