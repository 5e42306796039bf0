"""kk status."""

import click

from kagglekit.cli import options
from kagglekit.cli.output import bullets, run, score


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


def render(record) -> list[str]:  # type: ignore[no-untyped-def]
    """A few lines for each competition."""
    if not record.rows:
        return [f"no competition is joined in {record.workspace}"]
    lines = []
    for row in record.rows:
        left = "no deadline" if row["days_left"] is None else f"{row['days_left']:.0f} days left" if row["days_left"] > 0 else "over"
        lines.append(f"{row['slug']}: {left}, {row['runs']} runs, {row['submissions']} submissions ({row['submitted_today']} today)")
        if row["best"] is not None:
            lines.append(f"  best of {row['best_folds']}: {row['best_run']} {row['best_name']} {score(row['best'], row['best_se'])}")
        if row["best_public"] is not None:
            lines.append(f"  best public: {score(row['best_public'])}")
        lines += bullets([f"{name} is unfinished: the same kk train goes on with it" for name in row["unfinished"]], mark="  !")
        lines += bullets([f"{name} was made with --force" for name in row["forced"]], mark="  !")
        lines.append(f"  then: {row['next']}")
    return lines
