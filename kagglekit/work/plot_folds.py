"""The picture of folds: what `chart` shows in a terminal, as a PNG."""

import io
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kagglekit.audit.times import DATED
from kagglekit.fold import Data
from kagglekit.folds import Folds
from kagglekit.store import write_bytes
from kagglekit.work.chart_folds import chart
from kagglekit.work.fold_facts import BOTH, Shares, Spread, fold_names, groups_in, shares_of, spread_of, states
from kagglekit.work.plot_data import GREY, TEST, TRAIN

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["chart", "picture"]
Array = np.ndarray
COLOURS = ("#ffffff", "#ececec", TRAIN, TEST, "#7a4a8a")  # nothing, unused, trains, validated, both
STACK = (TRAIN, TEST, "#6aa56a", "#a0528c", "#c9b458", "#5fa8b5")
BINS = 600
NAMED = 30  # folds or classes beside an axis; of more only every so many are named
FAR = 5.0  # standard errors at which the colour of a share ends


def picture(folds: Folds, data: Data, order: Array | None, path: Path) -> None:
    """Write the picture of the folds as a PNG to `path`; `order` is the time of every train row as a number.

    A fold is a line in each panel: who trains and is validated when, rows and groups, shares of classes or spread of the target.
    """
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    style = {"font.size": 8, "axes.titlesize": 9, "axes.titleweight": "bold", "axes.titlelocation": "left", "axes.spines.top": False,
             "axes.spines.right": False, "axes.edgecolor": GREY, "xtick.color": "#444444", "ytick.color": "#444444", "text.parse_math": False}
    panels, names = _panels(folds, data, order), fold_names(folds)
    with mpl.rc_context(style), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a glyph that the font lacks is a box in the picture and no reason to stop
        figure = Figure(figsize=(4.6 * len(panels) + 1.0, min(12.0, 1.7 + 0.24 * len(names))), dpi=110, layout="constrained")
        FigureCanvasAgg(figure)
        repeats = f", {folds.repeats} repeats" if folds.repeats > 1 else ""
        figure.suptitle(f"{folds.name}: {folds.splitter or 'folds'}{repeats}, {folds.scored_rows:,} of {folds.rows:,} rows validated",
                        x=0.01, ha="left", fontsize=11, fontweight="bold")
        for number, draw in enumerate(panels):
            axes = figure.add_subplot(1, len(panels), number + 1)
            draw(axes)
            _lines(axes, names, folds)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", metadata={"Software": None})
    write_bytes(path, buffer.getvalue())


def _panels(folds: Folds, data: Data, order: Array | None) -> list[Callable[["Axes"], None]]:
    groups, shares, spread = groups_in(folds, data), shares_of(folds, data), spread_of(folds, data)
    panels: list[Callable[[Axes], None]] = []
    if order is not None:
        panels.append(lambda axes: _time(axes, folds, order))
    panels.append(lambda axes: _rows(axes, folds, groups))
    if shares is not None:
        stacked = shares.whole and len(shares.names) <= len(STACK)
        panels.append(lambda axes: (_stacked if stacked else _deviations)(axes, shares))
    if spread is not None:
        panels.append(lambda axes: _boxes(axes, spread))
    return panels


def _lines(axes: "Axes", names: list[str], folds: Folds) -> None:
    """A line a fold, the first on top, with a rule between repeats."""
    step = -(-len(names) // NAMED)
    axes.set_yticks(range(0, len(names), step), names[::step])
    axes.set_ylim(len(names) - 0.4, -0.6)
    for number, (one, other) in enumerate(zip(folds.keys, folds.keys[1:])):
        if one[0] != other[0]:
            axes.axhline(number + 0.5, color=GREY, linewidth=0.8)


def _time(axes: "Axes", folds: Folds, order: Array) -> None:
    from matplotlib.colors import ListedColormap
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
    from matplotlib.patches import Patch

    low, high = float(order.min()), float(order.max())
    dated = bool(np.abs(order).max() >= DATED)
    if dated:
        low, high = (float(date2num(np.datetime64(round(moment), "ns"))) for moment in (low, high))
    found = states(folds, order, BINS)
    axes.imshow(found, aspect="auto", interpolation="nearest", cmap=ListedColormap(COLOURS), vmin=-0.5, vmax=4.5,
                extent=(low, high, len(found) - 0.5, -0.5))
    for number in range(len(found) - 1):
        axes.axhline(number + 0.5, color="#ffffff", linewidth=2 if len(found) <= NAMED else 0.5)
    if dated:
        locator = AutoDateLocator(maxticks=6)
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    named = [(1, "unused"), (2, "trains"), (3, "validated"), *([(4, "both")] if (found == BOTH).any() else [])]
    axes.legend(handles=[Patch(color=COLOURS[state], label=text) for state, text in named], frameon=False, ncols=len(named), fontsize=7,
                loc="lower right", bbox_to_anchor=(1.0, 1.0), borderaxespad=0.1)
    axes.set_title("time")


def _rows(axes: "Axes", folds: Folds, groups: Array | None) -> None:
    sizes = folds.sizes
    axes.barh(range(len(sizes)), sizes, height=0.7, color=TRAIN)
    if groups is not None and len(sizes) <= NAMED:
        for number, count in enumerate(groups):
            axes.text(sizes[number], number, f" {count:,} groups", va="center", fontsize=7, color="#222222")
    axes.set_xlim(0, max(sizes) * (1.3 if groups is not None else 1.05))
    axes.locator_params(axis="x", nbins=5)
    axes.set_xlabel("rows" if groups is None or len(sizes) <= NAMED else f"rows (of {groups.min():,} to {groups.max():,} groups)")
    axes.set_title("validated rows" + (" and groups" if groups is not None else ""))


def _stacked(axes: "Axes", shares: Shares) -> None:
    """Shares of few classes, one after the other, the table's as thin lines, and what is furthest off."""
    order = np.argsort(-shares.table, kind="stable")
    left, edge = np.zeros(len(shares.by_fold)), 0.0
    for colour, place in zip(STACK, order):
        axes.barh(range(len(left)), 100 * shares.by_fold[:, place], left=100 * left, height=0.7, color=colour, label=shares.names[place][:18])
        left, edge = left + shares.by_fold[:, place], edge + shares.table[place]
        if edge < 1 - 1e-9:
            axes.axvline(100 * edge, color="#222222", linewidth=0.8, linestyle=":")
    for number in range(len(left) if len(left) <= NAMED else 0):
        worst = shares.worst(number)
        off = shares.by_fold[number, worst] - shares.table[worst]
        told = f" {shares.names[worst][:10]} {100 * off:+.2g}% ({abs(shares.off[number, worst]):.1f} SE)"
        axes.text(100, number, told, va="center", fontsize=7, color="#222222")
    axes.set_xlim(0, 100 if len(left) > NAMED else 145)
    axes.set_xticks([0, 25, 50, 75, 100])
    axes.set_xlabel("% of the fold's rows; dotted: the table")
    axes.legend(frameon=False, ncols=3, fontsize=7, loc="lower right", bbox_to_anchor=(1.0, 1.0), borderaxespad=0.1)
    axes.set_title("classes")


def _deviations(axes: "Axes", shares: Shares) -> None:
    """Many classes: how far each share is off, in standard errors, as a colour."""
    drawn = axes.imshow(shares.off, aspect="auto", interpolation="nearest", cmap="RdBu_r", vmin=-FAR, vmax=FAR)
    step = -(-len(shares.names) // NAMED)
    axes.set_xticks(range(0, len(shares.names), step), [name[:14] for name in shares.names[::step]], rotation=90, fontsize=7)
    bar = axes.figure.colorbar(drawn, ax=axes, shrink=0.8, pad=0.02)
    bar.outline.set_visible(False)
    bar.set_label("standard errors from the table's share", fontsize=7)
    axes.set_title("classes" if shares.whole else "labels")


def _boxes(axes: "Axes", spread: Spread) -> None:
    """Least, quartiles and most of the target; what lies beyond the axis is an arrow."""
    places = np.arange(len(spread.by_fold))
    least, lower, middle, upper, most = spread.by_fold.T
    axes.hlines(places, np.maximum(least, spread.low), np.minimum(most, spread.high), color=GREY, linewidth=1, zorder=1)
    axes.barh(places, upper - lower, left=lower, height=0.6, color=TRAIN, zorder=2)
    size = max(3.0, min(12.0, 300 / len(places)))
    axes.plot(middle, places, linestyle="", marker="|", markersize=size, color="#ffffff", markeredgewidth=1.5, zorder=3)
    for edge, beyond, marker in ((spread.low, least < spread.low, "<"), (spread.high, most > spread.high, ">")):
        if beyond.any():
            axes.plot(np.full(int(beyond.sum()), edge), places[beyond], linestyle="", marker=marker, markersize=3, color=GREY, clip_on=False)
    axes.axvline(spread.table[2], color="#222222", linewidth=0.8, linestyle=":")
    if spread.logs:
        from matplotlib.ticker import EngFormatter, NullFormatter

        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(EngFormatter())
        axes.xaxis.set_minor_formatter(NullFormatter())
    else:
        axes.locator_params(axis="x", nbins=5)
    axes.set_xlim(spread.low, spread.high)
    axes.set_xlabel("target; bar: middle half, dotted: the table's median")
    axes.set_title("target")
