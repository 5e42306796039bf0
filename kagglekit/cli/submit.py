"""kk submit."""

from typing import TYPE_CHECKING

import click

from kagglekit.cli import options
from kagglekit.cli.output import bullets, run, score, wrapped

if TYPE_CHECKING:
    from kagglekit.verbs.submit import Submitted


@click.command()
@click.argument("run_name", metavar="RUN")
@click.option("-m", "--message", default="", metavar="MSG", help="Words that go with the submission.")
@click.option("--wait/--no-wait", default=True, show_default=True, help="Wait for the score.")
@click.option("--timeout", default=600.0, show_default=True, help="Seconds to wait at most.")
@options.competition
@options.output
def command(run_name: str, as_json: bool, quiet: bool, debug: bool, **given: object) -> None:
    """Submit a run's test predictions.

    \b
    Example:
        kk submit r3 -m "first forest"
    """
    from kagglekit.verbs.submit import submit

    run(lambda: submit(run_name, **given), render, as_json=as_json, quiet=quiet, debug=debug)


def render(record: "Submitted") -> list[str]:
    """Public score beside the local one."""
    local = f" (local {score(record.cv, record.cv_se)})" if record.cv is not None else ""
    private = f", private {score(record.private)}" if record.private is not None else ""
    told = f"public score {score(record.public)}{private}{local}" if record.public is not None else "no score yet"
    after = [str(record.gate["after"])] if record.gate and record.gate["after"] else []
    return [*wrapped(f"{record.run} {record.name}: {record.status}, {told}", indent="  "), *bullets(after, mark="-"), *bullets(record.warnings)]
