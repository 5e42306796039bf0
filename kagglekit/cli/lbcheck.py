"""kk lbcheck."""

from typing import TYPE_CHECKING

import click

from kagglekit.cli import options
from kagglekit.cli.output import bullets, run, score, starred, table, wrapped

if TYPE_CHECKING:
    from kagglekit.verbs.lbcheck import Checked


@click.command()
@click.argument("runs", nargs=-1, metavar="[RUN]...")
@click.option("--folds", metavar="NAME", help="The split to check (default: the latest folds).")
@click.option("--table", metavar="FILE", help="A csv of model, cv, public[, cv_se] instead.")
@click.option("--metric", metavar="M", help="Metric of the table.")
@click.option("--n-public", type=int, metavar="N", help="Rows of the public part.")
@click.option("--splits", metavar="A,B", help="Folds to compare with each other.")
@click.option("--all", "show_all", is_flag=True, help="Show pairs and correlations too.")
@options.competition
@options.output
def command(as_json: bool, quiet: bool, debug: bool, **given: object) -> None:
    """Check if the split tracks the leaderboard.

    \b
    Example:
        kk lbcheck --splits random5,group5
    """
    from kagglekit.verbs.lbcheck import lbcheck

    run(lambda: lbcheck(**given), render, as_json=as_json, quiet=quiet, debug=debug)


def render(record: "Checked") -> list[str]:
    """Three lines first: what can be said, what cannot, do next (the closing line); then the models, and on request the rest."""
    lines = [*wrapped(f"can say:    {record.can_say}.", indent="            "), *wrapped(f"cannot say: {record.cannot_say}.", indent="            ")]
    lines += wrapped(f"do next:    {'; '.join((record.next, *record.advice))}.", indent="            ")
    rows = [(one.run, one.name if one.name != one.run else "", score(one.cv, one.cv_se), starred(one.public, one.borrowed),
             "anchor" if one.anchor else "") for one in record.models]
    if rows:
        lines += ["", *table(("run", "name", f"{record.split[:24]} ± SE", "public", ""), rows)]
        lines.append(f"{record.m} real models; public part {record.n_pub['value']:,.0f} rows ({record.n_pub['source']})")
    if any(one.borrowed for one in record.models):
        lines.append("* borrowed: the public score of a submission of the same recipe")
    if record.splits:
        lines += ["", *table(("split", "error foretelling public", "Kendall", "P(best)"),
                             [(one["split"], one["loo_rmse"], one["tau"], one["p_best"]) for one in record.splits])]
    return lines + (_all(record) if record.show_all else [])


def _all(record: "Checked") -> list[str]:
    """Pairs, correlations with their M, the offset."""
    pairs = [(f"{one['a']}-{one['b']}", score(one["cv_gap"], one["cv_se"]), score(one["public_gap"], one["public_se"]),
              {1: "same", 0: "tie", -1: "opposite"}[one["agree"]], "noise" if one["explained_by_noise"] else "") for one in record.pairs]
    lines = ["", *table(("pair", "gap here ± SE", "gap there ± SE", "order", ""), pairs)] if pairs else []
    if record.kendall["value"] is not None:
        lines.append(f"Kendall {record.kendall['value']:.2f} (exact one-sided p {record.kendall['p']:.3f}, M = {record.m})")
    for name in ("spearman", "pearson"):
        found = getattr(record, name)
        if found["value"] is not None:
            span = f", 95 % {found['low']:.2f} to {found['high']:.2f}" if found["low"] is not None else ", too few for an interval"
            lines.append(f"{name.title()} {found['value']:.2f} (M = {record.m}{span})")
    if record.offset["value"] is not None:
        lines.append(f"public - local: {score(record.offset['value'], record.offset['se'])}")
    local = record.local
    lines.append(f"verdict among the {local['models']} best: {local['verdict']}")
    return lines + bullets([f"why: {record.why}"], mark="-")
