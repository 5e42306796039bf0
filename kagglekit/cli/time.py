"""kk time."""

from typing import TYPE_CHECKING

import click

from kagglekit.cli import options
from kagglekit.cli.output import bullets, run, table
from kagglekit.work.hours import spoken

if TYPE_CHECKING:
    from kagglekit.verbs.time import Hours

BAR = 24


@click.command()
@click.option("--day", metavar="DATE", help="Where this day went (2026-11-24, or today).")
@options.competition
@options.output
def command(as_json: bool, quiet: bool, debug: bool, **given: object) -> None:
    """Show where the hours went.

    \b
    Example:
        kk time --day today
    """
    from kagglekit.verbs.time import time

    run(lambda: time(**given), render, as_json=as_json, quiet=quiet, debug=debug)


def render(record: "Hours") -> list[str]:
    """A table by activity (of one day: by what was done) and one by day, with bars."""
    if not record.rows:
        return [f"nothing was noted{f' on {record.day}' if record.day else ' yet'}"]
    if record.day:
        shown = sorted(record.rows, key=lambda row: -float(str(row["seconds"])))
        return [f"{record.day}: {spoken(record.total)}", *_bars(["activity", "what"], shown), *bullets(record.warnings)]
    lines = [f"{spoken(record.total)} in all", *_bars(["activity"], record.activities), "", *_bars(["day"], record.days[-14:])]
    if len(record.days) > 14:
        lines.append(f"({len(record.days) - 14} earlier days are not shown; --json has all)")
    return lines + bullets(record.warnings)


def _bars(names: list[str], rows: object) -> list[str]:
    most = max(row["seconds"] for row in rows) or 1.0
    return table([*names, "time", "times", "share", ""],
                 [[*(row[name] for name in names), spoken(row["seconds"]), row["count"], f"{row['share']:.0%}",
                   "█" * max(1, round(BAR * row["seconds"] / most))] for row in rows])
