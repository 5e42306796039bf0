"""kk ensemble."""

from typing import TYPE_CHECKING

import click

from kagglekit.cli import options
from kagglekit.cli.output import bullets, run, score, table, wrapped

if TYPE_CHECKING:
    from kagglekit.verbs.ensemble import Ensembled


@click.command()
@click.argument("runs", nargs=-1, metavar="[RUN]...")
@click.option("--blend", default="auto", show_default=True, metavar="NAME", help="auto, mean, rank-mean or greedy.")
@click.option("--folds", metavar="NAME", help="Folds of the runs (default: the latest).")
@click.option("--name", metavar="N", help="Name of the blend.")
@options.competition
@options.output
def command(as_json: bool, quiet: bool, debug: bool, **given: object) -> None:
    """Blend runs, with an honest score.

    \b
    Example:
        kk ensemble --blend greedy
    """
    from kagglekit.verbs.ensemble import ensemble

    run(lambda: ensemble(**given), render, as_json=as_json, quiet=quiet, debug=debug)


def render(record: "Ensembled") -> list[str]:
    """The nested score beside what it must beat, weights, and how alike the errors are."""
    value = record.score
    gain = "" if not value["gain_se"] else f", {value['gain'] / value['gain_se']:+.1f} SE"
    flattery = abs(value["in_sample"] - value["nested"])
    head = f"{record.run} {record.name} on {record.folds}: {record.metric} {score(value['nested'], value['nested_se'])} (nested)"
    lines = [*wrapped(head, indent="  "),
             f"best single   {score(value['best_single'])} ({value['best_single_run']})",
             f"gain          {value['gain']:+.5f} ± {value['gain_se'] or 0:.5f}{gain}",
             f"equal weights {score(value['equal_weights'])}",
             f"in sample     {score(value['in_sample'])} (flatters by {flattery:.5f})", ""]
    effects = {one["run"]: one for one in record.marginal}
    unknown = {"value": None, "verdict": "-"}
    rows = []
    for name, weight in sorted(record.weights.items(), key=lambda item: -item[1]):
        effect = effects.get(name, unknown)
        rows.append((name, f"{weight:.3f}", "-" if effect["value"] is None else f"{effect['value']:+.5f}", effect["verdict"]))
    lines += table(("run", "weight", "adds", "verdict"), rows)
    names = record.errors["runs"][:8]
    lines += ["", f"correlation of errors ({record.errors['measure']}):"]
    cells = [(name, *(f"{cell:.2f}" for cell in row[:8])) for name, row in zip(names, record.errors["matrix"], strict=False)]
    lines += table(("", *names), cells)
    return lines + bullets(record.says, mark="-") + bullets(record.warnings)
