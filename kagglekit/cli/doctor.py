"""kk doctor."""

from typing import TYPE_CHECKING

import click

from kagglekit.cli import options
from kagglekit.cli.output import run, wrapped

if TYPE_CHECKING:
    from kagglekit.verbs.doctor import Doctor


@click.command()
@options.output
def command(as_json: bool, quiet: bool, debug: bool) -> None:
    """Check if this machine is ready.

    \b
    Example:
        kk doctor
    """
    from kagglekit.verbs.doctor import doctor

    run(doctor, render, as_json=as_json, quiet=quiet, debug=debug)


def render(record: "Doctor") -> list[str]:
    """One line a check, the remedy below."""
    lines = []
    for check in record.checks:
        lines += wrapped(f"{'ok' if check.ok else '!!'}  {check.name}: {check.says}", indent="    ")
        lines += [] if check.ok or not check.do else wrapped(f"    {check.do}", indent="    ")
    return lines
