"""The picture of CV against leaderboard: what the terminal's chart shows, as a PNG."""

import io
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kagglekit.store import write_bytes
from kagglekit.work.lb_points import Points
from kagglekit.work.plot_data import GREY, TEST, TRAIN

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = np.ndarray
MOST_NAMED = 40


def picture(points: Points, verdict: str, order: str, path: Path) -> None:
    """Write the picture to `path`, headed by verdict and order; better is up and right, whatever the metric's direction."""
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    style = {"font.size": 9, "axes.spines.top": False, "axes.spines.right": False, "axes.edgecolor": GREY, "xtick.color": "#444444",
             "ytick.color": "#444444", "text.parse_math": False}
    with mpl.rc_context(style), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a glyph that the font lacks is a box in the picture and no reason to stop
        figure = Figure(figsize=(8.2, 6.8), dpi=120, layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.add_subplot()
        _band(axes, points)
        _models(axes, points)
        _anchors(axes, points)
        _axes(axes, points, verdict, order)
        figure.legend(frameon=False, fontsize=7.5, loc="outside lower left", ncols=2)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", metadata={"Software": None})
    write_bytes(path, buffer.getvalue())


def _band(axes: "Axes", points: Points) -> None:
    x = np.array(points.limits[0])
    axes.fill_between(x, x + points.offset - points.band, x + points.offset + points.band, color="#e6edf4", linewidth=0, zorder=0,
                      label="a gap here is explained by noise (2 SE)")
    axes.plot(x, x + points.offset, color=GREY, linewidth=1, linestyle="--", zorder=1, label=f"public = CV {points.offset:+.5f}")


def _models(axes: "Axes", points: Points) -> None:
    for inside, colour, label in ((True, TRAIN, "model, inside the noise"), (False, TEST, "model, beyond the noise")):
        rows = np.flatnonzero(points.inside == inside)
        if len(rows):
            axes.errorbar(points.cv[rows], points.lb[rows], xerr=points.err_cv[rows], yerr=points.err_lb[rows], fmt="o", markersize=6, color=colour,
                          ecolor=colour, elinewidth=1, capsize=2, zorder=3, label=f"{label} (bars: one SE of its own part)")
    _name(axes, [(points.cv[k], points.lb[k], one.name + (" *" if one.borrowed else "")) for k, one in enumerate(points.models)][:MOST_NAMED])


def _anchors(axes: "Axes", points: Points) -> None:
    places = [(*points.at_edge(anchor), anchor.name) for anchor in points.anchors]
    if not places:
        return
    axes.plot([x for x, *_ in places], [y for _, y, *_ in places], linestyle="", marker="D", markersize=6, markerfacecolor="#ffffff",
              markeredgecolor=GREY, clip_on=False, zorder=4, label="anchor, no evidence")
    _name(axes, [(x, y, f"{name}{' (beyond)' if edge else ''}") for x, y, edge, name in places], GREY)


def _name(axes: "Axes", places: list[tuple[float, float, str]], colour: str = "#222222") -> None:
    """Names beside their points, a line further down where one stands there already."""
    (left, right), (low, high) = axes.dataLim.intervalx, axes.dataLim.intervaly
    taken: list[tuple[float, float]] = []
    for x, y, name in sorted(places, key=lambda place: -place[1]):
        shift = 6
        spot = ((x - left) / ((right - left) or 1), (y - low) / ((high - low) or 1))
        while any(abs(spot[0] - one[0]) < 0.12 and abs(spot[1] + shift / 420 - one[1]) < 0.026 for one in taken):
            shift -= 11
        taken.append((spot[0], spot[1] + shift / 420))
        axes.annotate(name[:28], (x, y), textcoords="offset points", xytext=(7, shift), fontsize=8, color=colour, annotation_clip=False, zorder=5)


def _axes(axes: "Axes", points: Points, verdict: str, order: str) -> None:
    (left, right), (low, high) = points.limits
    flip = points.better == "lower"
    axes.set_xlim(*((right, left) if flip else (left, right)))
    axes.set_ylim(*((high, low) if flip else (low, high)))
    axes.set_xlabel(f"{points.split}: local {points.metric} ({points.better} is better)")
    axes.set_ylabel(f"public {points.metric}")
    borrowed = "; * borrowed by recipe" if any(one.borrowed for one in points.models) else ""
    axes.set_title(f"{order}{borrowed}", loc="left", fontsize=8.5, color="#444444")
    axes.figure.suptitle(verdict, x=0.01, ha="left", fontsize=11, fontweight="bold")
