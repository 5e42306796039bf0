"""kk add."""

from typing import TYPE_CHECKING

import click

from kagglekit.cli import options
from kagglekit.cli.output import bullets, run, score, wrapped

if TYPE_CHECKING:
    from kagglekit.verbs.add import Added


@click.command()
@click.argument("name")
@click.option("--oof", required=True, metavar="FILE", help="Out-of-fold predictions (csv, parquet, npy).")
@click.option("--test", metavar="FILE", help="Test predictions.")
@click.option("--folds", metavar="NAME", help="Folds they were made on (default: the latest).")
@click.option("--recipe", metavar="R", help="Recipe, to borrow public scores (default: the name).")
@options.competition
@options.output
def command(as_json: bool, quiet: bool, debug: bool, **given: object) -> None:
    """Add predictions made elsewhere.

    \b
    Example:
        kk add my-nn --oof oof.csv --test test.csv --folds group5
    """
    from kagglekit.verbs.add import add

    run(lambda: add(**given), render, as_json=as_json, quiet=quiet, debug=debug)


def render(record: "Added") -> list[str]:
    """The score as recomputed here."""
    value = record.score
    head = f"{record.run} {record.name} on {record.folds}: {record.metric} {score(value.mean, value.se)} ({len(value.per_fold)} folds)"
    return [*wrapped(head, indent="  "),
            f"{record.rows_scored:,} rows scored here, aligned by {record.aligned_by}", *bullets(record.warnings)]
