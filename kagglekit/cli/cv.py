"""kk cv."""

from typing import TYPE_CHECKING

import click

from kagglekit.cli import options
from kagglekit.cli.output import bullets, run, wrapped

if TYPE_CHECKING:
    from kagglekit.advice import Recommendation
    from kagglekit.verbs.cv import Split

SPLITS = ("random, stratified, stratified-regression, group, stratified-group, multilabel, time, time-group, purged, holdout, adversarial, "
          "mixed, leave-one-group-out, path.py:function; auto asks the data.")


@click.command()
@click.option("--split", default="auto", show_default=True, metavar="NAME", help=SPLITS)
@click.option("-n", "n", default=5, show_default=True, help="Number of folds.")
@click.option("--group", metavar="COL", help="Column whose rows stay together (or COL:prefix ...).")
@click.option("--time", metavar="COL", help="Column of time.")
@click.option("--gap", metavar="G", help="Gap between training and validation (7d, or a number).")
@click.option("--embargo", metavar="E", help="Unused time after a validated block (purged).")
@click.option("--horizon", metavar="H", help="How far ahead a label looks (purged).")
@click.option("--window", metavar="W", help="Train on no more than this before a block (time).")
@click.option("--test-size", metavar="L", help="Length of one validated block (30d, or a number).")
@click.option("--known", type=float, metavar="SHARE", help="Validated rows whose group may train (mixed).")
@click.option("--duplicates/--no-duplicates", default=None, help="Keep near duplicates in one fold.")
@click.option("--repeats", default=1, show_default=True, help="Repeats with other seeds.")
@click.option("--seed", default=0, show_default=True, help="Seed of the split.")
@click.option("--name", metavar="N", help="Name of the folds (default: splitter and n).")
@click.option("--from", "source", metavar="COL|FILE", help="A column, or a csv/parquet with ids and fold.")
@click.option("--audit", metavar="NAME|FILE", help="Audit folds instead of making some.")
@click.option("--export", metavar="FILE", help="Write id, repeat, fold to a csv or parquet.")
@click.option("--se", type=float, metavar="SE", help="Say how many folds and repeats reach this SE.")
@click.option("--model", default="linear", show_default=True, help="Model that --se measures with.")
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
    """Sizes, picture, audit and advice; for --se how many folds and repeats it takes."""
    by = ", ".join(f"{key} {value}" for key, value in record.params.items() if key in ("group", "time", "known", "duplicates"))
    sizes = ", ".join(f"{size:,}" for size in record.sizes[:10]) + (" ..." if len(record.sizes) > 10 else "")
    lines = wrapped(f"{record.folds}: {record.splitter}{f' by {by}' if by else ''}, {record.n} folds"
                    f"{f' x {record.repeats} repeats' if record.repeats > 1 else ''} of {sizes} rows", indent="  ")
    if record.precision is not None:
        return lines + wrapped(record.precision.says, indent="  ")
    done = "audited" if record.next == "kk cv" else "saved in"
    lines += wrapped(f"{record.scored_rows:,} of {record.rows:,} rows are validated; {done} {record.file}")
    lines += ["", *record.chart, ""]
    for finding in record.audit:
        lines += wrapped(f"{finding.severity}: {finding.says} [{finding.code}]", indent="  ")
    if not record.audit:
        lines.append("audit: nothing found")
    lines += wrapped(f"picture: {record.picture}") + (wrapped(f"written: {record.exported}") if record.exported else [])
    return lines + _advised(record.recommendation, record.splitter)


def _advised(advice: "Recommendation", splitter: str) -> list[str]:
    """What the data asks for, why, and which other splits are worth a test."""
    if advice.splitter == splitter:
        lines = [f"the data asks for this split ({advice.splitter}):"]
    else:
        columns = "".join(f" --{key} {advice.params[key]}" for key in ("group", "time") if advice.params.get(key))
        lines = wrapped(f"advice: kk cv --split {advice.splitter}{columns}")
    lines += bullets(advice.evidence, mark="-")
    if advice.ruled_out:
        lines += ["ruled out:", *bullets(advice.ruled_out, mark="-")]
    if advice.runners_up:
        lines += ["worth a test with kk lbcheck --splits:", *bullets([f"{one['splitter']}: {one['why']}" for one in advice.runners_up], mark="-")]
    return lines
