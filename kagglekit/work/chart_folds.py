"""Folds as a terminal shows them: time, classes, the spread of the target, rows and groups, a line a fold."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from kagglekit.audit.times import told_moment
from kagglekit.fold import Data
from kagglekit.folds import Folds
from kagglekit.work.fold_facts import Shares, Spread, fold_names, groups_in, shares_of, spread_of, states, told_value

Array = np.ndarray
MOST = 12
STATES = " ·░█▓"  # by number: nothing, unused, trains, validated, both
BARS = "█▒░▓"
TOLD = 30


def chart(folds: Folds, data: Data, order: Array | None, width: int = 78) -> list[str]:
    """Lines of at most `width` signs that show the folds; of more than 12 folds the first ones and the last.

    `order` is the time of every train row as a number: with it the chart begins with who trains and is validated when.
    """
    names = fold_names(folds)
    shown = list(range(len(names))) if len(names) <= MOST else [*range(MOST - 1), len(names) - 1]
    label = max(len(names[number]) for number in shown) + 2
    parts: list[list[str]] = []

    def add(title: str, line: Callable[[int], str], top: Sequence[str] = (), end: Sequence[str] = ()) -> None:
        parts.append([title[:width], *top, *_lines(names, shown, label, line, width), *end])

    if order is not None:
        add(*_time(folds, order, label, width))
    groups, shares, spread = groups_in(folds, data), shares_of(folds, data), spread_of(folds, data)
    if groups is not None or (order is None and shares is None and spread is None):
        add(*_rows(folds, groups, width - label))
    if shares is not None:
        add(*_classes(shares, label, width))
    if spread is not None:
        add(*_spread(spread, label, width))
    return [line for number, part in enumerate(parts) for line in ([""] if number else []) + part]


def _lines(names: Sequence[str], shown: Sequence[int], label: int, line: Callable[[int], str], width: int) -> Iterator[str]:
    for place, number in enumerate(shown):
        if place and number - shown[place - 1] > 1:
            yield f"... {number - shown[place - 1] - 1} more folds ..."
        yield f"{names[number]:<{label}}{line(number)}".rstrip()[:width]


def _time(folds: Folds, order: Array, label: int, width: int) -> tuple:
    bins = width - label
    found = states(folds, order, bins)
    both = ", ▓ both" if (found == 4).any() else ""
    first, last = told_moment(float(order.min())), told_moment(float(order.max()))
    axis = f"{'':<{label}}{first}{last.rjust(max(bins - len(first), len(last) + 1))}"
    return f"time: █ validated, ░ trains, · unused{both}", lambda number: "".join(STATES[state] for state in found[number]), (), (axis[:width],)


def _rows(folds: Folds, groups: Array | None, room: int) -> tuple:
    sizes, bar = folds.sizes, max(room - 34, 8)
    most = max(sizes)

    def line(number: int) -> str:
        told = f" {sizes[number]:,} rows" + (f", {groups[number]:,} groups" if groups is not None else "")
        return "█" * max(1, round(bar * sizes[number] / most)) + told

    return f"validated rows{' and groups' if groups is not None else ''} of each fold", line


def _classes(shares: Shares, label: int, width: int) -> tuple:
    order = np.argsort(-shares.table, kind="stable")[:len(BARS)]
    bar = width - label - TOLD - 2

    def line(number: int) -> str:
        return f"{_stacked(shares.by_fold[number][order], bar) if shares.whole else ''}  {_worst(shares, number)}"

    if not shares.whole:
        return "the label furthest from its share in the table, by fold", line
    named = ", ".join(f"{sign} {_cut(shares.names[place], 14)}" for sign, place in zip(BARS, order))
    rest = f", · {len(shares.names) - len(order)} more" if len(shares.names) > len(order) else ""
    return f"classes: {named}{rest}; furthest off:", line, (f"{'table':<{label}}{_stacked(shares.table[order], bar)}".rstrip(),)


def _stacked(parts: Array, bar: int) -> str:
    """A bar of `bar` signs cut by shares; what they leave is dots."""
    edges = np.rint(np.cumsum(parts) * bar).astype(int)
    cut = "".join(sign * width for sign, width in zip(BARS, np.diff(edges, prepend=0)))
    return cut + "·" * (bar - len(cut))


def _worst(shares: Shares, number: int) -> str:
    worst = shares.worst(number)
    share, off = shares.by_fold[number, worst], shares.off[number, worst]
    return f"{_cut(shares.names[worst], 8)} {share:.1%} ({share - shares.table[worst]:+.1%}, {abs(off):.1f} SE)"


def _spread(spread: Spread, label: int, width: int) -> tuple:
    bar = width - label - 20

    def line(number: int) -> str:
        return f"{_box(spread.by_fold[number], spread, bar)}  median {told_value(spread.by_fold[number][2])}"

    tails = ["‹" if spread.table[0] < spread.low else "", "›" if spread.table[-1] > spread.high else ""]
    beyond = f", {' '.join(filter(None, tails))} goes on" if any(tails) else ""
    top = (f"{'table':<{label}}{_box(spread.table, spread, bar)}  median {told_value(spread.table[2])}",)
    low, high = told_value(spread.low), told_value(spread.high)
    title = f"target{' (log scale)' if spread.logs else ''}: ├ least, █ middle half, │ median, ┤ most{beyond}"
    return title, line, top, (f"{'':<{label}}{low}{high.rjust(bar - len(low))}",)


def _box(quantiles: Array, spread: Spread, bar: int) -> str:
    """A box plot in one line."""
    least, lower, middle, upper, most = np.rint(spread.at(quantiles) * (bar - 1)).astype(int)
    signs = [" "] * bar
    signs[least:most + 1] = "─" * (most + 1 - least)
    signs[least] = "‹" if quantiles[0] < spread.low else "├"
    signs[most] = "›" if quantiles[-1] > spread.high else "┤"
    signs[lower:upper + 1] = "█" * (upper + 1 - lower)
    signs[middle] = "│"
    return "".join(signs)


def _cut(text: str, size: int) -> str:
    return text if len(text) <= size else text[:size - 1] + "…"
