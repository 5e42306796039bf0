"""kk runs."""

from typing import TYPE_CHECKING

import click

from kagglekit.cli import options
from kagglekit.cli.output import run, score, starred, table, wrapped

if TYPE_CHECKING:
    from kagglekit.verbs.runs import Runs


@click.command()
@click.option("--folds", metavar="NAME", help="Runs on these folds only.")
@options.competition
@options.output
def command(as_json: bool, quiet: bool, debug: bool, **given: object) -> None:
    """Show runs and their scores.

    \b
    Example:
        kk runs --folds group5
    """
    from kagglekit.verbs.runs import runs

    run(lambda: runs(**given), render, as_json=as_json, quiet=quiet, debug=debug)


def render(record: "Runs") -> list[str]:
    """One table, best first within each folds."""
    if not record.rows:
        return ["no runs yet"]
    rows = [(row["run"], row["name"], row["folds"] or "-", row["status"] if row["score"] is None else score(row["score"], row["se"]),
             starred(row["public"], row["borrowed"]), row["inference"]) for row in record.rows]
    lines = table(("run", "name", "folds", "score ± SE", "public", "test by"), rows)
    if any(row["borrowed"] for row in record.rows):
        lines.append("* borrowed: the public score of a submission of the same recipe")
    for folds, luck in record.best_of.items():
        lines += wrapped(f"{record.tried[folds]} runs were tried on {folds}: of equal ones the best would be up to {luck} SE ahead by luck alone")
    return lines
