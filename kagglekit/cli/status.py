"""kk status."""

from typing import TYPE_CHECKING

import click

from kagglekit.cli import options
from kagglekit.cli.output import bullets, run, score, wrapped

if TYPE_CHECKING:
    from kagglekit.verbs.status import Status


@click.command()
@options.competition
@options.output
def command(as_json: bool, quiet: bool, debug: bool, **given: object) -> None:
    """Show where you stand today.

    \b
    Example:
        kk status
    """
    from kagglekit.verbs.status import status

    run(lambda: status(**given), render, as_json=as_json, quiet=quiet, debug=debug)


def render(record: "Status") -> list[str]:
    """A few lines for each competition."""
    if not record.rows:
        return [f"no competition is joined in {record.workspace}"]
    lines = []
    for row in record.rows:
        left = "no deadline" if row["days_left"] is None else f"{row['days_left']:.0f} days left" if row["days_left"] > 0 else "over"
        counts = f"{row['runs']} runs, {row['submissions']} submissions ({row['submitted_today']} today)"
        lines += wrapped(f"{row['slug']}: {left}, {counts}", indent="  ")
        if row["best"] is not None:
            best = f"{row['best_run']} {row['best_name']} {score(row['best'], row['best_se'])}"
            lines += wrapped(f"  best of {row['best_folds']}: {best}", indent="    ")
        if row["best_public"] is not None:
            lines.append(f"  best public: {score(row['best_public'])}")
        lines += bullets([f"{name} is unfinished: the same kk train goes on with it" for name in row["unfinished"]], mark="  !")
        lines += bullets([f"{name} was made with --force" for name in row["forced"]], mark="  !")
        lines.append(f"  then: {row['next']}")
    return lines
