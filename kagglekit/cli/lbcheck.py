"""kk lbcheck."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import click

from kagglekit.cli import options
from kagglekit.cli.output import bullets, run, score, starred, table, wrapped

if TYPE_CHECKING:
    from kagglekit.verbs.lbcheck import Checked

ORDER = {1: "same", 0: "tie", -1: "opposite"}
DECIDED = {"error": "its error is the smallest", "evidence": "as good as the best, and what the data speaks for (kk cv)",
           "offset": "as good as the best, with the smallest offset", "cost": "as good as the best, and the cheapest"}


@click.command()
@click.argument("runs", nargs=-1, metavar="[RUN]...")
@click.option("--folds", metavar="NAME", help="The split to check (default: the latest folds).")
@click.option("--table", metavar="FILE", help="A csv of model, cv, public[, cv_se] instead.")
@click.option("--metric", metavar="M", help="Metric of the table.")
@click.option("--direction", metavar="D", help="higher or lower is better, for a metric not built in.")
@click.option("--n-public", type=int, metavar="N", help="Rows of the public part.")
@click.option("--splits", metavar="A,B", help="Train the submitted recipes on these splits, rank them.")
@click.option("--sample", default=1.0, show_default=True, help="Share of the rows that --splits uses.")
@click.option("--use", is_flag=True, help="Make the best of --splits the default folds.")
@click.option("--all", "show_all", is_flag=True, help="Show all that was found, and the chart.")
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
    """Three lines first: what can be said, what cannot, do next (its command closes); the splits where they were compared, all on request."""
    lines = [line for title, text in (("can say:", record.can_say), ("cannot say:", record.cannot_say), ("do next:", record.do_next))
             for line in wrapped(f"{title:<12}{text}.", indent=" " * 12)]
    lines += bullets(record.warnings)
    if record.splits:
        lines += ["", *_splits(record)]
    return lines + (_all(record) if record.show_all else [])


def _splits(record: "Checked") -> list[str]:
    """The candidates, the best first, and what decided."""
    rows = [(one["split"], one["loo_rmse"], one["tau"], "-" if one["p_best"] is None else f"{one['p_best']:.2f}",
             "-" if one["p_max_t"] is None else f"{one['p_max_t']:.3f}", one["offset"], f"{one['seconds']:,.0f}", "tied" if one["tied"] else "")
            for one in record.splits]
    choice = record.choice
    lines = table(("split", "error foretelling", "Kendall", "P(best)", "p (max-T)", "offset", "s", ""), rows)
    tentative = "; tentative" + (": below 5 models" if record.splits[0]["p_best"] is None else "") if choice["tentative"] else ""
    why = f"{DECIDED[str(choice['why'])]} ({record.splits[0]['models']} models{tentative})"
    told = f"{choice['split']} is the one to use: {why}"
    return lines + wrapped(told, indent="  ")


def _all(record: "Checked") -> list[str]:
    """Everything, in the order of the questions: order, verdict, pairs, correlations, offset, outliers, luck, the top, what is needed."""
    lines = ["", *_models(record), "", *record.chart]
    if record.picture:
        lines += wrapped(f"picture: {record.picture}")
    lines += [""] + (wrapped(f"order:      {record.order}", indent=" " * 12) if record.order else [])
    lines += wrapped(f"verdict:    {record.verdict}: {record.why}{_evidence(record)}", indent=" " * 12)
    lines += _pairs(record)
    facts = [*_correlations(record), *_gaps(record), *_luck(record), *_needed(record)]
    lines += [line for fact in facts for line in wrapped(fact, indent="  ")]
    others = [f"also scored, not in this line: {'; '.join(record.elsewhere)}"] if record.elsewhere else []
    return lines + bullets([*others, *record.advice[:-1]], mark="-")


def _models(record: "Checked") -> list[str]:
    typed = all(one.name == one.run for one in record.models)
    rows = [(*((one.name,) if typed else (one.run, one.name)), score(one.cv, one.cv_se), starred(one.public, one.borrowed),
             "anchor" if one.anchor else "") for one in record.models]
    titles = ("model", "cv ± SE") if typed else ("run", "name", f"{record.split[:24]} ± SE")
    lines = table((*titles, "public", ""), rows) if rows else []
    rows_known = "of unknown size" if record.n_pub["value"] is None else f"{record.n_pub['value']:,.0f} rows"
    lines += wrapped(f"{record.m} real models ({record.m_distinct} distinct); public part {rows_known} ({record.n_pub['source']})")
    if any(one.borrowed for one in record.models):
        lines.append("* borrowed: the public score of a submission of the same recipe")
    return lines


def _evidence(record: "Checked") -> str:
    if record.p is None or record.G is None:
        return ""
    return f" ({(1 + record.G) / 2:.0%} of what is resolved agrees, p {record.p:.3f}, M = {record.m_distinct})"


def _pairs(record: "Checked") -> list[str]:
    shown = record.pairs[:20]
    rows = [(f"{one['a']}-{one['b']}", _gap(one, "cv"), _gap(one, "public"), ORDER[int(str(one["agree"]))],
             "noise" if one["explained_by_noise"] else "") for one in shown]
    if not rows:
        return []
    more = [f"{len(record.pairs) - len(shown)} more pairs with --json"] if len(record.pairs) > len(shown) else []
    return ["", *table(("pair", "gap here ± SE", "gap there ± SE", "order", ""), rows), *more, ""]


def _gap(row: Mapping[str, object], side: str) -> str:
    return score(_number(row, f"{side}_gap"), _number(row, f"{side}_se"))


def _number(row: Mapping[str, object], key: str) -> float:
    return float(str(row[key]))


def _correlations(record: "Checked") -> Iterator[str]:
    if record.kendall["value"] is not None:
        known = record.kendall["low"] is not None
        span = f", 95 % {record.kendall['low']:.2f} to {record.kendall['high']:.2f}" if known else ""
        yield f"Kendall {record.kendall['value']:.2f} (exact one-sided p {record.kendall['p']:.3f}, M = {record.m}{span})"
    for name in ("spearman", "pearson"):
        found = getattr(record, name)
        if found["value"] is None:
            continue
        span = f"95 % {found['low']:.2f} to {found['high']:.2f}" if found["low"] is not None else "too few for an interval"
        without = f"; without one model {found['loo_low']:.2f} to {found['loo_high']:.2f}" if found["loo_low"] is not None else ""
        yield f"{name.title()} {found['value']:.2f} (M = {record.m}, {span}{without})"


def _gaps(record: "Checked") -> Iterator[str]:
    if record.offset["value"] is not None:
        size = f", {record.offset['in_se']:.1f} paired SE" if record.offset["in_se"] is not None else ""
        constant = record.gap["p"] is None or record.gap["p"] >= 0.05
        told = "a constant gap does no harm" if constant else "the mean of gaps that differ beyond noise"
        yield f"public - local: {score(record.offset['value'], record.offset['se'])}{size}; {told}"
    if record.gap["explained"] is not None:
        yield f"a constant and noise explain {record.gap['explained']:.0%} of the differences between the gaps (p {record.gap['p']:.3f})"
    if record.slope["value"] is not None:
        part = "; gains here carry over only in part" if 0 < record.slope["high"] < 1 else ""
        yield f"slope {record.slope['value']:.2f}, 95 % {record.slope['low']:.2f} to {record.slope['high']:.2f}{part}"
    if 3 * len(record.outliers) > record.m:
        yield f"{len(record.outliers)} of {record.m} models are off any common line: which of them leak is not to be told from these scores"
        return
    for one in record.outliers:
        side = "better here than there" if _number(one, "z") < 0 else "better there than here"
        yield f"{one['run']} is {side}, {abs(_number(one, 'z')):.1f} SE off the others (p {one['p']:.3f}): {', or '.join(one['readings'])}"


def _luck(record: "Checked") -> Iterator[str]:
    if record.drift is not None:
        p = _number(record.drift, "p")
        running = "public scores run away from local ones: the public part is being fitted" if p < 0.05 else "no drift of public away from local"
        yield f"{running} (rank correlation {record.drift['value']:.2f}, p {p:.3f}, {record.drift['submissions']} submissions)"
    if record.inflation is not None and record.inflation["value"]:
        luck = record.inflation
        told = score(_number(luck, "corrected"))
        yield f"the best of {luck['submissions']} public scores is {_number(luck, 'value'):.2g} too good by luck: take {luck['best']} for {told}"


def _needed(record: "Checked") -> Iterator[str]:
    local = record.local
    scale = "" if local["smallest_resolved_gap"] is None else f", smallest resolved gap {local['smallest_resolved_gap']:.5g}"
    yield f"among the {local['models']} best: {local['verdict']}{scale}"
    if record.needed["resolved"] is not None:
        yield f"a pair shows with 80 % power when it is {record.needed['resolved']:.3g} {record.metric} apart"
    if record.power is not None:
        yield f"a split that tracks would show it with models like these in {record.power:.0%} of cases"
