"""kk ensemble."""

from typing import TYPE_CHECKING

import click

from kagglekit.cli import options
from kagglekit.cli.output import bullets, run, score, table, wrapped

if TYPE_CHECKING:
    from kagglekit.verbs.ensemble import Ensembled

SHOWN = 20


@click.command()
@click.argument("runs", nargs=-1, metavar="[RUN]...")
@click.option("--blend", default="auto", show_default=True, metavar="NAME", help="auto, mean, greedy, convex, ridge, stack ... (see docs).")
@click.option("--folds", metavar="NAME", help="Folds of the runs (default: the latest).")
@click.option("--name", metavar="N", help="Name of the blend.")
@click.option("--again", metavar="RUN", help="Make a blend again from the newest runs of its recipes.")
@click.option("--allow-unverified", is_flag=True, help="Weight runs that came without ids.")
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
    head = f"{record.run} {record.name} on {record.folds}: {record.metric} {score(value['nested'], value['nested_se'])} (nested)"
    chosen = "" if value["best_single_nested"] is None else f"; chosen on other folds {value['best_single_nested']:.5f}"
    lines = [*wrapped(head, indent="  "),
             f"best single   {score(value['best_single'])} ({value['best_single_run']}{chosen})",
             f"gain          {value['gain']:+.5f} ± {value['gain_se'] or 0:.5f}{gain}",
             f"equal weights {score(value['equal_weights'])}",
             f"in sample     {score(value['in_sample'])} (flatters by {abs(value['in_sample'] - value['nested']):.5f})"]
    if len(record.tried) > 1:
        best = sorted(record.tried.items(), key=lambda one: one[1], reverse=record.greater_is_better)
        lines += wrapped("tried         " + ", ".join(f"{name} {worth:.5f}" for name, worth in best[:5]) + f"; {len(best)} blenders", indent="  ")
    lines += ["", *_members(record)]
    if record.errors.get("chart"):
        lines += ["", f"correlation of errors ({record.errors['measure']}):", *record.errors["chart"]]
    lines += ["", *bullets(record.says, mark="-"), *bullets(record.warnings)]
    return lines + (wrapped(f"picture: {record.picture}") if record.picture else [])


def _members(record: "Ensembled") -> list[str]:
    """Weight and marginal value of each run, the heaviest first."""
    effects = {one["run"]: one for one in record.marginal}
    rows = []
    for name, weight in sorted(record.weights.items(), key=lambda item: -abs(item[1]))[:SHOWN]:
        effect = effects.get(name)
        adds = "-" if effect is None else f"{effect['value']:+.5f} ({effect['low']:+.5f} to {effect['high']:+.5f})"
        rows.append((name, f"{weight:.3f}", adds, "-" if effect is None else effect["verdict"]))
    more = len(record.weights) - SHOWN
    return table(("run", "weight", "adds (95 %)", "verdict"), rows) + ([f"and {more} more runs"] if more > 0 else [])
