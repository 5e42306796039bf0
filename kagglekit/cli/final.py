"""kk final."""

from typing import TYPE_CHECKING

import click

from kagglekit.cli import options
from kagglekit.cli.output import bullets, run, score, table, wrapped

if TYPE_CHECKING:
    from kagglekit.verbs.final import Final

SHOWN = 12
RULES = {"by_public": "the best by public score", "by_cv": "the best by local score", "one_of_each": "one of each"}


@click.command()
@click.option("-n", "n", default=2, show_default=True, metavar="N", help="How many are judged.")
@click.option("--folds", metavar="NAME", help="Folds of the local scores (default: as kk lbcheck).")
@click.option("--table", metavar="FILE", help="A csv of model, cv, public[, cv_se] instead.")
@click.option("--metric", metavar="M", help="Metric of the table.")
@click.option("--direction", metavar="D", help="higher or lower is better, for a metric not built in.")
@click.option("--n-public", type=int, metavar="N", help="Rows of the public part.")
@click.option("--sync/--no-sync", default=True, show_default=True, help="Ask the server first.")
@options.competition
@options.output
def command(as_json: bool, quiet: bool, debug: bool, **given: object) -> None:
    """Choose the final submissions.

    \b
    Example:
        kk final -n 2
        kk final --table history.csv --metric auc
    """
    from kagglekit.verbs.final import final

    run(lambda: final(**given), render, as_json=as_json, quiet=quiet, debug=debug)


def render(record: "Final") -> list[str]:
    """The picks and why, the table, what they may lose, what the private board may do, and how to select them."""
    lines = []
    for number, pick in enumerate(record.picks, start=1):
        name = " ".join(dict.fromkeys(str(part) for part in (pick["run"] or pick["ref"], pick["name"]) if part))
        lines += wrapped(f"pick {number}: {name}, {pick['why']}", indent="        ")
    chosen = {(pick["run"], pick["ref"]) for pick in record.picks}
    rows = [("*" if (one["run"], one["ref"]) in chosen else "", one["ref"] or "-", one["run"] or "-", one["name"] or "-",
             score(one["cv"], one["cv_se"]), score(one["public"])) for one in record.candidates[:SHOWN]]
    titles = ("", "ref", "run", "name", "local ± SE" if any(one["cv_se"] for one in record.candidates) else "local", "public")
    used = [k for k in range(len(titles)) if any(row[k] not in ("-", "") for row in rows)]
    lines += ["", *table([titles[k] for k in used], [[row[k] for k in used] for row in rows])]
    more = len(record.candidates) - SHOWN
    lines += [f"and {more} more submissions"] if more > 0 else []
    return [*lines, "", *_losses(record), *_orders(record), *_board(record), *wrapped(f"to select them: {record.select}", indent="  "),
            *bullets(record.warnings), *(wrapped(f"picture: {record.picture}") if record.picture else [])]


def _losses(record: "Final") -> list[str]:
    if record.regret is None or record.p_best is None:
        return []
    others = ", ".join(f"{RULES[name]} {lost:.2g}" for name, lost in record.regret_of.items())
    lines = wrapped(f"expected loss to the best in private: {record.regret:.2g} {record.metric} ({others}); "
                    f"P(the best is among the picks) {_chance(record.p_best)}", indent="  ")
    if record.runners_up:
        pairs = ", ".join(" + ".join(map(str, one["runs"])) for one in record.runners_up[:3])
        lines += wrapped(f"as good within 0.1 SE: {pairs}", indent="  ")
    return lines


def _orders(record: "Final") -> list[str]:
    """How likely the order of neighbours at the top stays."""
    if not record.p_order:
        return []
    first = record.p_order[0]["a"]
    near = [one for one in record.p_order if one["a"] == first][:4]
    told = ", ".join(f"over {one['b']} {_chance(one['p'])}" for one in near)
    return wrapped(f"P(private order = public order): {first} {told} (a random cut of the test rows assumed)", indent="  ")


def _chance(value: float) -> str:
    from kagglekit.work.finals import chance

    return chance(value)


def _board(record: "Final") -> list[str]:
    board = record.board
    if board is None:
        return []
    which = f"the first {board['teams']} of {board['all_teams']:,} teams" if board["first_only"] else f"{board['teams']} teams"
    lines = wrapped(f"the board ({which}): {board['noise_share']:.0%} of near pairs are expected to turn in private, {board['top_kept']:.0%} of "
                    f"the leading ones to stay in front, the leader with P {_chance(board['leader_stays'])}", indent="  ")
    if board["place"] is None:
        return lines + wrapped("your place lies behind the part of the board that is kept: no interval", indent="  ")
    caution = "; teams from further down may pass too" if board["first_only"] else ""
    return lines + wrapped(f"your place {board['place']} will be {board['low']} to {board['high']} (90 %){caution}; {board['near']} other teams are "
                           "within one SE of you", indent="  ")
