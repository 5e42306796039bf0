"""kk runs."""

from typing import TYPE_CHECKING

import click

from kagglekit.cli import options
from kagglekit.cli.output import run, score, starred, table, wrapped

if TYPE_CHECKING:
    from kagglekit.verbs.runs import Runs
    from kagglekit.work.compare import Compared
    from kagglekit.work.luck import Luck


@click.command()
@click.argument("names", metavar="[RUN]...", nargs=-1)
@click.option("--folds", metavar="NAME", help="Runs on these folds only.")
@click.option("--kind", metavar="KIND", help="train, tune, add, blend, zeros or table.")
@click.option("--model", metavar="NAME", help="Runs of this model (or name) only.")
@click.option("--since", metavar="WHEN", help="Made since a date (2026-01-31) or in a span (7d, 12h, 2w).")
@click.option("--best", type=int, metavar="N", help="The best N of each folds.")
@click.option("--csv", type=click.Path(dir_okay=False), metavar="FILE", help="Write the rows to a file, too.")
@options.competition
@options.output
def command(as_json: bool, quiet: bool, debug: bool, **given: object) -> None:
    """Show runs and their scores.

    Two runs are compared: their paired gap, and how far it can be believed.

    \b
    Example:
        kk runs --folds group5
        kk runs r3 r7
    """
    from kagglekit.verbs.runs import runs

    run(lambda: runs(**given), render, as_json=as_json, quiet=quiet, debug=debug)


def render(record: "Runs") -> list[str]:
    """One table, best first within each folds; below it what luck would do, or the comparison."""
    if not record.rows:
        return ["no runs yet, or none that fits"]
    rows = [(row["run"], row["name"] + (f" ({row['sample']:.2g} of rows)" if row["sample"] < 1 else ""),
             row["folds"] or "-", row["status"] if row["score"] is None else score(row["score"], row["se"]),
             starred(row["public"], row["borrowed"]), row["inference"]) for row in record.rows]
    lines = table(("run", "name", "folds", "score ± SE", "public", "test by"), rows)
    if any(row["borrowed"] for row in record.rows):
        lines.append("* borrowed: the public score of a submission of the same recipe")
    if record.compared:
        return [*lines, "", *_compared(record.compared)]
    for folds, luck in record.best.items():
        lines += _luck(folds, luck)
    return [*lines, *([f"written to {record.file}"] if record.file else [])]


def _luck(folds: str, luck: "Luck") -> list[str]:
    if luck.tried < 2:
        return []
    head = f"{luck.run} is the best of {luck.tried} runs on {folds}"
    if luck.ahead is None:
        return wrapped(f"{head}; what luck alone gives is not known (the noise of one score, or what the runs share of it, is missing)", indent="  ")
    return wrapped(f"{head}: if all were equal, the best would be {luck.ahead:.2g} ahead by luck alone "
                   f"(their noise correlates {luck.correlation:.2f})", indent="  ")


def _compared(found: "Compared") -> list[str]:
    several = len({row["repeat"] for row in found.per_fold}) > 1
    rows = [((f"{row['repeat']}." if several else "") + str(row["fold"]), row["a"], row["b"], f"{row['gap']:+.5f}") for row in found.per_fold]
    alike = "" if found.correlation is None else f"; their predictions correlate {found.correlation:.4f}"
    gap = f"{found.a} - {found.b}: {found.gap:+.5f}" + ("" if found.se is None else f" ± {found.se:.5f}")
    return [*table(("fold", found.a, found.b, "gap"), rows), *wrapped(f"{gap} over {found.rows:,} rows{alike}", indent="  "),
            *wrapped(found.says, indent="  ")]
