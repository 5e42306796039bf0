"""kk check."""

from typing import TYPE_CHECKING

import click

from kagglekit.cli import options
from kagglekit.cli.output import bullets, run, score, wrapped

if TYPE_CHECKING:
    from kagglekit.verbs.check import Checked


@click.command()
@click.argument("model", required=False)
@click.option("--folds", metavar="NAME", help="Folds to check on (default: the latest).")
@click.option("--set", "params", multiple=True, callback=options.parameters, metavar="KEY=VALUE", help="A parameter of the model.")
@click.option("--features", metavar="A,B", help="Sets of features.py (default: features, else the raw columns).")
@click.option("--pdb", is_flag=True, help="Open the debugger at the line of yours that fails.")
@options.competition
@options.output
def command(as_json: bool, quiet: bool, debug: bool, **given: object) -> None:
    """Run your pipeline on 1 % of the rows.

    MODEL is as for kk train (default: the one checked or trained last).
    Says what changed since it last worked: code, scores, shapes, times.

    \b
    Example:
        kk check models/mine.py:fit_predict
    """
    from kagglekit.errors import KKError
    from kagglekit.progress import say
    from kagglekit.verbs.check import check

    def checked() -> "Checked":
        try:
            return check(**given)
        except KKError as error:
            for line in since(error.record) if error.record is not None else []:
                say(line)
            raise

    run(checked, render, as_json=as_json, quiet=quiet, debug=debug)


def render(record: "Checked") -> list[str]:
    """That it works, with the score on few rows, and what changed."""
    value, shapes = record.score, record.shapes
    taken = "  ".join(f"{stage} {seconds:.1f} s" for stage, seconds in record.seconds.items())
    return [*wrapped(f"{record.model} works on {record.rows:,} rows of {record.folds}: {record.metric} {score(value.mean, value.se)}", indent="  "),
            *wrapped(f"features {_by(shapes['features'])}; test predictions {_by(shapes['test'])}; {taken}", indent="  "), *since(record)]


def since(record: "Checked") -> list[str]:
    """What changed since the last check that worked."""
    if record.first:
        return ["no earlier check to compare with"] if not record.broke else []
    if not record.changes:
        return ["nothing changed since the last check that worked"]
    return ["since the last check that worked:", *bullets(record.changes, mark="  -"), *(f"    {line}"[:80] for line in record.diff)]


def _by(shape: list[int]) -> str:
    return " x ".join(f"{size:,}" for size in shape) or "none"
