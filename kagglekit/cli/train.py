"""kk train."""

from typing import TYPE_CHECKING

import click

from kagglekit.cli import options
from kagglekit.cli.output import bullets, run, score, wrapped

if TYPE_CHECKING:
    from kagglekit.verbs.train import Trained


@click.command()
@click.argument("model")
@click.option("--folds", metavar="NAME", help="Folds to train on (default: the latest).")
@click.option("--fold", type=int, metavar="K", help="Train this fold only.")
@click.option("--sample", default=1.0, show_default=True, metavar="F", help="Share of the rows to use.")
@click.option("--seeds", default=1, show_default=True, metavar="K", help="Seeds to average.")
@click.option("--set", "params", multiple=True, callback=options.parameters, metavar="KEY=VALUE", help="A parameter of the model.")
@click.option("--features", metavar="A,B", help="Sets of features.py (default: features, else the raw columns).")
@click.option("--refit", is_flag=True, help="Predict the test set by one model of all rows.")
@click.option("--name", metavar="N", help="Name of the run (default: the model).")
@click.option("--smoke/--no-smoke", default=True, show_default=True, help="Try the model on a few rows first when the run is long.")
@click.option("--pdb", is_flag=True, help="Open the debugger at the line of yours that fails.")
@options.competition
@options.output
def command(as_json: bool, quiet: bool, debug: bool, **given: object) -> None:
    """Train a model on every fold.

    MODEL is constant, linear, tree, forest, lgbm, or path.py:name of a
    fit_predict function or an estimator.

    \b
    Example:
        kk train lgbm --set num_leaves=63
    """
    from kagglekit.verbs.train import train

    run(lambda: train(**given), render, as_json=as_json, quiet=quiet, debug=debug)


def render(record: "Trained") -> list[str]:
    """The score, fold by fold, rounds and time."""
    value = record.score
    head = f"{record.run} {record.name} on {record.folds}: {record.metric} {score(value.mean, value.se)} ({len(value.per_fold)} folds)"
    lines = [*wrapped(head, indent="  "),
             *wrapped("folds: " + "  ".join(score(one) for one in value.per_fold), indent="       ")]
    if record.rounds:
        rounds = record.rounds
        told = f"fixed at {rounds['fixed']}" if "fixed" in rounds else (f"{', '.join(map(str, rounds['per_fold'][:10]))}; test {rounds['test']} "
                                                                        f"(by {rounds['chosen_by']})")
        lines += wrapped(f"rounds: {told}", indent="        ")
    how = {"refit": "one model of all rows", "fold_mean": "the mean of the fold models", "single_fold": "the one fold's model"}
    shared = f"; folds share {' and '.join(record.shared)}" if record.shared else ""
    lines += wrapped(f"test predictions: {how.get(record.inference, record.inference)}{shared}; {record.bottleneck}", indent="  ")
    return lines + bullets(record.warnings)
