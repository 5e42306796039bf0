"""kk cv."""

from typing import TYPE_CHECKING

import click

from kagglekit.cli import options
from kagglekit.cli.output import bullets, run, wrapped

if TYPE_CHECKING:
    from kagglekit.verbs.cv import Split


@click.command()
@click.option("--split", default="auto", show_default=True, metavar="NAME", help="random, stratified, group, time, path.py:function.")
@click.option("-n", "n", default=5, show_default=True, help="Number of folds.")
@click.option("--group", metavar="COL", help="Column whose rows stay together.")
@click.option("--time", metavar="COL", help="Column of time.")
@click.option("--gap", metavar="G", help="Gap between training and validation (7d, or a number).")
@click.option("--test-size", metavar="L", help="Length of one validated block (30d, or a number).")
@click.option("--repeats", default=1, show_default=True, help="Repeats with other seeds.")
@click.option("--seed", default=0, show_default=True, help="Seed of the split.")
@click.option("--name", metavar="N", help="Name of the folds (default: splitter and n).")
@click.option("--audit", metavar="NAME|FILE", help="Audit folds instead of making some.")
@click.option("--force", is_flag=True, help="Keep folds that the audit calls fatal.")
@options.competition
@options.output
def command(as_json: bool, quiet: bool, debug: bool, **given: object) -> None:
    """Make folds that imitate the test set.

    \b
    Example:
        kk cv --split group --group patient
    """
    from kagglekit.verbs.cv import cv

    run(lambda: cv(**given), render, as_json=as_json, quiet=quiet, debug=debug)


def render(record: "Split") -> list[str]:
    """Sizes, audit and advice."""
    by = ", ".join(f"{key} {value}" for key, value in record.params.items() if key in ("group", "time") or (key == "gap" and value))
    sizes = ", ".join(f"{size:,}" for size in record.sizes[:10]) + (" ..." if len(record.sizes) > 10 else "")
    lines = [*wrapped(f"{record.folds}: {record.splitter}{f' by {by}' if by else ''}, {record.n} folds"
                      f"{f' x {record.repeats} repeats' if record.repeats > 1 else ''} of {sizes} rows", indent="  "),
             *wrapped(f"{record.scored_rows:,} of {record.rows:,} rows are validated; saved in {record.file}")]
    for finding in record.audit:
        lines += wrapped(f"{finding.severity}: {finding.says} [{finding.code}]", indent="  ")
    if not record.audit:
        lines.append("audit: nothing found")
    advice = record.recommendation
    if advice.splitter != record.splitter:
        columns = "".join(f" --{key} {advice.params[key]}" for key in ("group", "time") if advice.params.get(key))
        lines += wrapped(f"advice: kk cv --split {advice.splitter}{columns}")
    else:
        lines.append(f"the data asks for this split ({advice.splitter}):")
    return lines + bullets(advice.evidence, mark="-")
