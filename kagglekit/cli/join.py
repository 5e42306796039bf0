"""kk join."""

from typing import TYPE_CHECKING

import click

from kagglekit.cli import options
from kagglekit.cli.output import bullets, run, table, wrapped

if TYPE_CHECKING:
    from kagglekit.verbs.join import Joined


@click.command()
@click.argument("slug")
@click.option("--practice", is_flag=True, help="Join it in the embedded practice server, offline.")
@click.option("--from", "source", metavar="PATH", help="Use existing data in place, read-only.")
@click.option("--only", metavar="GLOB", help="Take these files only.")
@click.option("--download/--no-download", default=True, show_default=True, help="Download the data.")
@click.option("--wait", is_flag=True, help="Wait until the rules are accepted.")
@click.option("--keep-archive", is_flag=True, help="Keep the archive after unpacking.")
@click.option("--update", is_flag=True, help="Fetch the data again.")
@click.option("--allow-large", is_flag=True, help="Unpack what grows to 200 times its size.")
@click.option("--tables/--no-tables", default=True, show_default=True, help="Make typed tables; else files are read as they are.")
@click.option("--train", default="", metavar="FILE", help="The training table, where it is not found.")
@click.option("--test", default="", metavar="FILE", help="The test table.")
@click.option("--sample", default="", metavar="FILE", help="The sample submission.")
@click.option("--id", multiple=True, metavar="COL", help="The id; may be given again.")
@click.option("--target", multiple=True, metavar="COL", help="What is predicted; may be given again.")
@click.option("--metric", default="", metavar="M", help="The metric, or metric.py:score.")
@click.option("--direction", default="", metavar="WAY", help="Which scores are better: higher or lower.")
@options.output
def command(as_json: bool, quiet: bool, debug: bool, **given: object) -> None:
    """Join a competition and get its data.

    SLUG is the competition's name or any of its kaggle.com URLs.

    \b
    Example:
        kk join practice-clinics --practice
    """
    from kagglekit.verbs.join import join

    run(lambda: join(**given), render, as_json=as_json, quiet=quiet, debug=debug)


def render(record: "Joined") -> list[str]:
    """How early one is, the files, the guesses with their reasons."""
    better = {True: "higher is better", False: "lower is better", None: "direction unknown"}[record.metric["greater_is_better"]]
    lines = [*wrapped(f"{record.title} ({record.slug})"), *_when(record),
             f"metric: {record.metric['name'] or 'unknown'} ({record.metric['kaggle_name']}), {better}", ""]
    lines += table(("file", "role", "rows", "columns", "kB"), [(one["name"], one["role"], one["rows"], one["columns"], one["bytes"] // 1000)
                                                             for one in record.files])
    if record.guesses:
        lines += ["", "guessed (competition.toml, yours to correct):"]
        for name, guess in record.guesses.items():
            value = guess["value"]
            shown = ", ".join(map(str, value[:6])) if isinstance(value, (tuple, list)) else value
            if value not in ((), "", None):
                lines += wrapped(f"  {name} = {shown}: {guess['why']}", indent="    ")
    moved = f"{record.downloaded_bytes / 1e6:.1f} MB downloaded" if record.downloaded_bytes else "nothing had to be downloaded"
    resumed = f", {record.resumed_bytes / 1e6:.1f} MB were there from before" if record.resumed_bytes else ""
    return [*lines, "", *wrapped(f"{moved}{resumed}; in {record.folder}"), *bullets(record.warnings)]


def _when(record: "Joined") -> list[str]:
    """How early one is, what is to be done by when, and how one submits."""
    left = "no deadline" if record.days_left is None else f"{record.days_left:.0f} days left" if record.days_left > 0 else "over"
    since = "" if record.days_since_start is None else f"{record.days_since_start:.0f} days since the start, "
    teams = f", {record.teams:,} {'team' if record.teams == 1 else 'teams'}" if record.teams else ""
    limit = f", {record.daily_limit} submissions a day" if record.daily_limit else ""
    dates = [f"{word} {date[:16].replace('T', ' ')} UTC" for word, date in (
        ("enter until", record.entry_deadline), ("merge teams until", record.merger_deadline)) if date and date != record.deadline]
    lines = [f"{since}{left}{teams}{limit}", *wrapped("; ".join(dates), indent="  ")[:2 if dates else 0]]
    if record.code_only:
        lines += wrapped("submissions come from notebooks on Kaggle only: yours is run there on the hidden test set, so it must be "
                         "self-contained and within the time limit", indent="  ")
    if record.test_is_stub:
        lines += wrapped("the visible test set is a stub, a few rows that show its form: no split, row count or score may be read from it",
                         indent="  ")
    return lines
