"""kk tune."""

from typing import TYPE_CHECKING

import click

from kagglekit.cli import options
from kagglekit.cli.output import bullets, run, score, wrapped

if TYPE_CHECKING:
    from kagglekit.verbs.tune import Tuned


@click.command()
@click.argument("model")
@click.option("--trials", type=int, metavar="N", help="Trials in all (default: 30, or what fits the budget).")
@click.option("--budget", metavar="TIME", help="Stop in time: 10m, 90s or 1.5h, the final training within it.")
@click.option("--folds", metavar="NAME", help="Folds to search on (default: the latest).")
@click.option("--sample", default=1.0, show_default=True, metavar="F", help="Share of the rows to use.")
@click.option("--seed", default=0, show_default=True, metavar="S", help="Seed of the search.")
@click.option("--seeds", default=1, show_default=True, metavar="K", help="Seeds to average in the final run.")
@click.option("--set", "params", multiple=True, callback=options.parameters, metavar="KEY=VALUE", help="A parameter that is set, not searched.")
@click.option("--space", metavar="FILE", help="A TOML file with a table [space] (default: the model's preset).")
@click.option("--features", metavar="A,B", help="Sets of features.py (default: features, else the raw columns).")
@click.option("--refit", is_flag=True, help="Predict the test set by one model of all rows.")
@click.option("--prune/--no-prune", default=True, show_default=True, help="Stop trials that will hardly end ahead of the best.")
@click.option("--study", metavar="N", help="Name of the search (default: competition, model and folds).")
@click.option("--storage", metavar="URL", help="Database of searches (default: tune/studies.db of the competition).")
@click.option("--name", metavar="N", help="Name of the run (default: the model).")
@options.competition
@options.output
def command(as_json: bool, quiet: bool, debug: bool, **given: object) -> None:
    """Search a model's parameters, with an honest gain.

    MODEL is a family or preset with a [space] in its configs/MODEL.toml, or
    path.py:name with --space. The defaults are always the first trial. The
    same command goes on with a search that was stopped, and in two terminals
    both work on it.

    \b
    Example:
        kk tune lgbm --trials 50 --budget 20m
    """
    from kagglekit.verbs.tune import tune

    run(lambda: tune(**given), render, as_json=as_json, quiet=quiet, debug=debug)


def render(record: "Tuned") -> list[str]:
    """Trials, the best beside the defaults, what may be believed, the parameters, the run."""
    best, counts = record.best, f"{record.trials} trials, {record.pruned} of them pruned"
    lines = wrapped(f"{record.study}: {counts}" + (f", {record.failed} failed" if record.failed else ""), indent="  ")
    lines.append(f"defaults:   {score(best.defaults)} {record.metric}")
    lines.append(f"best:       {score(best.score)} (trial {best.trial})")
    if best.honest is not None:
        lines += wrapped(f"honest:     {score(best.honest)} (the best of so many is flattered by {best.optimism:.5f})", indent="            ")
    lines += wrapped(f"gain:       {record.verdict}", indent="            ")
    chosen = "  ".join(f"{name}={value:.6g}" if isinstance(value, float) else f"{name}={value}" for name, value in record.best_params.items())
    lines += wrapped(f"parameters: {chosen or 'the defaults'}", indent="            ")
    if record.importance:
        told = ", ".join(f"{name} {share:.0%}" for name, share in record.importance.items())
        lines += wrapped(f"matters:    {told}", indent="            ")[:2]
    value = record.score
    lines += wrapped(f"{record.run} {record.name} on {record.folds}: {record.metric} {score(value.mean, value.se)} ({len(value.per_fold)} folds)",
                     indent="  ")
    return [*lines, f"picture:    {_short(record.plot)}", *bullets(record.warnings)]


def _short(path: str) -> str:
    from pathlib import Path

    here = Path.cwd()
    return str(Path(path).relative_to(here)) if Path(path).is_relative_to(here) else path
