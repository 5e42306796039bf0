"""kk data."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from kagglekit.cli import options
from kagglekit.cli.output import bullets, run, table, wrapped

if TYPE_CHECKING:
    from kagglekit.verbs.data import Data

LINES = 40
FINDING_LINES = 16
FEWEST = 6
MARKS = {"fatal": "!!", "warn": "!", "note": "-"}


@click.command()
@options.competition
@click.option("--rows", type=int, default=200_000, show_default=True, metavar="N", help="Of longer tables look at a sample of N rows.")
@click.option("--all-rows", is_flag=True, help="Look at every row.")
@click.option("--plot/--no-plot", default=True, show_default=True, help="Draw reports/data.png.")
@options.output
def command(as_json: bool, quiet: bool, debug: bool, **given: object) -> None:
    """Look at the data: drift, gaps, target, leaks.

    Drift is how far a column's values in test lie from those in train: 0 the
    same, 1 nothing in common. Beside it stands the level that chance alone
    stays below. AUC or R2: what a column says of the target by itself.

    \b
    Example:
        kk data -c practice-clinics --no-plot
    """
    from kagglekit.verbs.data import data

    run(lambda: data(**given), render, as_json=as_json, quiet=quiet, debug=debug)


def render(record: "Data") -> list[str]:
    """One screen: sizes, the target, findings and the worst columns."""
    head = [*wrapped(f"{record.slug}: {record.task or 'task unknown'}, {record.metric or 'metric unknown'}"), *_sizes(record), *_targets(record)]
    found = _findings(record)
    tail = wrapped(f"picture: {record.picture}") if record.picture else []
    room = LINES - len(head) - len(found) - len(tail) - 6
    return [*head, "", *found, *([""] if found else []), *_columns(record, max(FEWEST, room)), *tail]


def _sizes(record: "Data") -> list[str]:
    lines = []
    for role, size in (("train", record.train), ("test", record.test)):
        if size is None:
            lines.append(f"{role:6} none")
            continue
        part = "" if size["looked_at"] == size["rows"] else f"; a sample of {size['looked_at']:,} rows is looked at"
        lines += wrapped(f"{role:6} {size['rows']:,} rows x {size['columns']:,} columns, {_bytes(size['bytes'])} on disk, "
                         f"{_bytes(size['memory'])} in memory{part}", indent="       ")
    others = [f"{one['file']} ({one['rows']:,} x {one['columns']:,})" for one in record.others]
    lines += wrapped(f"other  {_some(others, 3)}", indent="       ") if others else []
    folders = [f"{one['files']:,} in {one['folder']}" for one in record.images]
    return [*lines, *(wrapped(f"images {_some(folders, 3)}", indent="       ") if folders else [])]


def _bytes(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{max(1, round(size / 1e3))} kB"


def _some(names: list[str], most: int) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most:,} more" if len(names) > most else "")


def _targets(record: "Data") -> list[str]:
    lines = [line for target in record.targets[:3] for line in wrapped(f"target {_distribution(target)}", indent="       ")]
    return lines + ([f"       and {len(record.targets) - 3:,} more targets"] if record.targets[3:] else [])


def _distribution(target: Mapping) -> str:
    """One target in a sentence."""
    if target["classes"]:
        shares = [f"{one['value']} {100 * one['share']:.3g}%" for one in target["classes"]]
        return f"{target['name']}: {target['distinct']:,} classes, {_some(shares, 6)}"
    levels = target["quantiles"]
    if not levels:
        return f"{target['name']}: no values"
    low, first, middle, third, high = (_number(levels[level]) for level in ("0", "0.25", "0.5", "0.75", "1"))
    zeros = f", {100 * target['zeros']:.3g}% zeros" if target["zeros"] else ""
    return (f"{target['name']}: {low} to {high}, median {middle} (middle half {first} to {third}), mean {_number(target['mean'])}, "
            f"sd {_number(target['sd'])}, skew {target['skew']:z.1f}{zeros}")


def _number(value: float) -> str:
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e12 else f"{value:.4g}"


def _findings(record: "Data") -> list[str]:
    lines: list[str] = []
    for number, finding in enumerate(record.findings):
        more = bullets([finding.says], mark=MARKS[finding.severity])
        if len(lines) + len(more) > FINDING_LINES:
            return [*lines, f"  and {len(record.findings) - number} more findings: kk data --json"]
        lines += more
    return lines or ["nothing that needs care was found"]


def _columns(record: "Data", room: int) -> list[str]:
    """The worst columns; the others are counted."""
    shown = record.columns[:room]
    compared = any(column["drift"] for column in record.columns)
    measure = next((column["signal"]["measure"].upper() for column in record.columns if column["signal"]), "")
    titles = ["column", "type", "missing", *(["in test"] if record.test else []), "distinct", *(["drift", "chance"] if compared else []),
              *([measure] if measure else [])]
    rows = []
    for column in shown:
        drift, signal = column["drift"], column["signal"]
        rows.append([column["name"], column["kind"] if column["role"] == "feature" else f"{column['kind']} ({column['role']})",
                     _share(column["missing_train"]), *([_share(column["missing_test"])] if record.test else []), column["distinct"],
                     *([f"{drift['value']:.2f}" if drift else None, f"{drift['chance']:.2f}" if drift else None] if compared else []),
                     *([f"{signal['value']:.2f}" if signal else None] if measure else [])])
    left = record.columns[room:]
    drifting = sum(bool(column["drift"] and column["drift"]["matters"]) for column in left)
    rest = f"and {len(left):,} more columns" + (f", {drifting:,} of them drift" if drifting else ", none drifts" if compared else "")
    return [*table(titles, rows), *([rest] if left else [])]


def _share(share: float | None) -> str | None:
    if share is None:
        return None
    return "0%" if share == 0 else "<1%" if share < 0.01 else f"{100 * share:.0f}%"
