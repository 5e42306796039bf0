"""kk baseline."""

from typing import TYPE_CHECKING

import click

from kagglekit.cli import options
from kagglekit.cli.output import bullets, run, score, table, wrapped

if TYPE_CHECKING:
    from kagglekit.verbs.baseline import Baseline
    from kagglekit.work.rungs import Rung


@click.command()
@click.option("--folds", metavar="NAME", help="Folds to score on (default: the latest).")
@click.option("--models", metavar="A,B", help="Rungs to make (default: the whole ladder).")
@click.option("--sample", type=float, metavar="F", help="Share of the rows (default: about 100,000 rows).")
@click.option("--features", metavar="A,B", help="Sets of features.py (default: features, else the raw columns).")
@click.option("--fresh", is_flag=True, help="Train anew what is there already.")
@options.competition
@options.output
def command(as_json: bool, quiet: bool, debug: bool, **given: object) -> None:
    """Climb from zeros to LightGBM on the same folds.

    Zeros, best constant, best one-column group mean, linear, forest, lgbm;
    where the order is broken it says what to look at.

    \b
    Example:
        kk baseline --models constant,linear,lgbm
    """
    from kagglekit.verbs.baseline import baseline

    run(lambda: baseline(**given), render, as_json=as_json, quiet=quiet, debug=debug)


def render(record: "Baseline") -> list[str]:
    """One table from the bottom up, bars, and a sentence for each flag."""
    better = "more" if record.greater_is_better else "less"
    lines = wrapped(f"{record.folds}: {record.metric} ({better} is better), {record.n} folds, {record.rows:,} rows", indent="  ")
    rows = [(rung.model + ("*" if rung.flags else ""), rung.run or "-", score(rung.score, rung.se), _gain(rung), _steps(rung),
             f"{rung.seconds:.1f}") for rung in record.rungs]
    lines += ["", *table(("rung", "run", "score ± SE", "gain", "in SE", "seconds"), rows), "", *record.chart, ""]
    for rung in record.rungs:
        lines += wrapped(f"{rung.model}: {rung.built}", indent="  ") if rung.built else []
        lines += wrapped(f"{rung.model} has no score: {rung.failed}", indent="  ") if rung.failed else []
    for rung in record.rungs:
        lines += bullets([f"{rung.model}: {flag.says} [{flag.code}]" for flag in rung.flags])
    for text in record.says:
        lines += wrapped(text, indent="  ")
    reused = [rung.run for rung in record.rungs if rung.reused and rung.run]
    lines += wrapped(f"used again: {', '.join(reused)} (--fresh trains anew)", indent="  ") if reused else []
    return [*lines, *wrapped(f"picture: {record.picture}"), *bullets(record.warnings)]


def _gain(rung: "Rung") -> str:
    return "-" if rung.gain is None else f"{rung.gain:+,.{2 if abs(rung.gain) >= 1000 else 5}f}"


def _steps(rung: "Rung") -> str:
    """The gain in standard errors; none where it is the same in every fold."""
    return f"{rung.gain / rung.gain_se:+.1f}" if rung.gain is not None and rung.gain_se else "-"
