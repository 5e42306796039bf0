"""kk add."""

from typing import TYPE_CHECKING

import click

from kagglekit.cli import options
from kagglekit.cli.output import bullets, run, score, table, wrapped

if TYPE_CHECKING:
    from kagglekit.verbs.add import Added, AddedEvery, AddedTable


@click.command()
@click.argument("name")
@click.option("--oof", metavar="PATH", help="Out-of-fold predictions (csv, tsv, parquet, npy, npz), or a folder of them.")
@click.option("--test", metavar="FILE", help="Test predictions.")
@click.option("--folds", metavar="NAME", help="Folds they were made on (default: the latest).")
@click.option("--recipe", metavar="R", help="Recipe, to borrow public scores (default: the name).")
@click.option("--every", is_flag=True, help="Add every model of the folder, as NAME-MODEL.")
@click.option("--table", metavar="FILE", help="A history instead: a csv with model, cv, public [, private, cv_se, date].")
@click.option("--metric", metavar="M", help="The metric, where competition.toml names none.")
@options.competition
@options.output
def command(as_json: bool, quiet: bool, debug: bool, **given: object) -> None:
    """Add predictions made elsewhere.

    Tables with the id column are aligned by id, arrays by row order. With
    --table each line of a history becomes a run that has scores only.

    \b
    Example:
        kk add my-nn --oof oof.csv --test test.csv --folds group5
        kk add zoo --oof predictions/ --every
        kk add before --table history.csv
    """
    from kagglekit.verbs.add import add

    run(lambda: add(**given), render, as_json=as_json, quiet=quiet, debug=debug)


def render(record: "Added | AddedEvery | AddedTable") -> list[str]:
    """The scores as recomputed here, or what came from a history."""
    from kagglekit.verbs.add import AddedEvery, AddedTable

    if isinstance(record, AddedTable):
        return _history(record)
    if isinstance(record, AddedEvery):
        return _every(record)
    value = record.score
    head = f"{record.run} {record.name} on {record.folds}: {record.metric} {score(value.mean, value.se)} ({len(value.per_fold)} folds)"
    return [*wrapped(head, indent="  "),
            f"{record.rows_scored:,} rows scored here, aligned by {record.aligned_by}", *bullets(record.warnings)]


def _every(record: "AddedEvery") -> list[str]:
    """One line a model, remarks that several share only once."""
    rows = [(one.run, one.name, score(one.score.mean, one.score.se), len(one.score.per_fold), one.aligned_by) for one in record.rows]
    shared = set.intersection(*(set(one.warnings) for one in record.rows))
    remarks = [f"{one.run}: {said}" for one in record.rows for said in one.warnings if said not in shared]
    common = [said for said in record.rows[0].warnings if said in shared]
    return [*table(("run", "name", f"{record.rows[0].metric} ± SE", "folds", "aligned by"), rows), *bullets(common), *bullets(remarks),
            *bullets([f"{one['name']} was left out: {one['what']}. {one['do']}" for one in record.refused])]


def _history(record: "AddedTable") -> list[str]:
    head = f"{len(record.added)} runs came from the table, {len(record.completed)} were completed, {record.same} lines were there already"
    rows = [(row["run"], row["name"], score(row["cv"], row["cv_se"]), score(row["public"]), score(row["private"])) for row in record.rows]
    return [*wrapped(head, indent="  "), *(table(("run", "name", f"{record.metric} ± SE", "public", "private"), rows) if rows else []),
            *bullets(record.warnings)]
