"""kk train."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from kagglekit.cli import options
from kagglekit.cli.numbers import Number
from kagglekit.cli.output import bullets, run, score, wrapped

if TYPE_CHECKING:
    from kagglekit.verbs.train import Trained

FOLDS, SEEDS = 10, 3  # whose rounds are shown


@click.command()
@click.argument("model")
@click.option("--folds", metavar="NAME", help="Folds to train on (default: the latest).")
@click.option("--fold", type=Number(int, "--fold 0"), metavar="K", help="Train this fold only.")
@click.option("--sample", type=Number(float, "--sample 0.1"), default=1.0, show_default=True, metavar="F", help="Share of the rows to use.")
@click.option("--seeds", type=Number(int, "--seeds 3"), default=1, show_default=True, metavar="K", help="Seeds to average.")
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

    MODEL is a family or preset (linear, forest, lgbm, lgbm-dart ...), or
    path.py:name of a fit_predict function or an estimator.

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
    lines += [line for told in _rounds(record.rounds) for line in wrapped(f"rounds{told}", indent="        ")]
    how = {"refit": "one model of all rows", "fold_mean": "the mean of the fold models", "single_fold": "the one fold's model"}
    shared = f"; folds share {' and '.join(record.shared)}" if record.shared else ""
    lines += wrapped(f"test predictions: {how.get(record.inference, record.inference)}{shared}; {record.bottleneck}", indent="  ")
    chosen = wrapped(f"chosen: {record.chosen}", indent="        ") if record.chosen else []
    return [*lines, *chosen, *bullets(record.notes, "-"), *bullets(record.warnings)]


def _rounds(rounds: Mapping[str, Any]) -> list[str]:
    """Rounds of the first folds and of the test model, a line a seed; the ends of sentences that begin with 'rounds'."""
    if not rounds:
        return []
    if "fixed" in rounds:
        return [f": fixed at {rounds['fixed']}"]
    several = isinstance(rounds["test"], (list, tuple))
    seeds = zip(rounds["per_fold"], rounds["test"], strict=True) if several else [(rounds["per_fold"], rounds["test"])]
    told = [f"{f' of seed {seed}' if several else ''}: {_first(folds)}; test {test}" for seed, (folds, test) in enumerate(seeds)]
    more = [f" of {len(told) - SEEDS} more seeds: kk runs --json"] if len(told) > SEEDS else []
    return [f"{told[0]} (by {rounds['chosen_by']})", *told[1:SEEDS], *more]


def _first(folds: Sequence[int]) -> str:
    return ", ".join(map(str, folds[:FOLDS])) + (", ..." if len(folds) > FOLDS else "")
