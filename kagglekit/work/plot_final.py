"""The picture of the final choice: both scores of every submission, what each way to choose is expected to lose, and the board."""

import io
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kagglekit.agreement import BoardForecast, Finals
from kagglekit.store import write_bytes
from kagglekit.work.finals import Case
from kagglekit.work.plot_data import GREY, TEST, TRAIN

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST = 25  # submissions in the picture
NAME = 24
RULES = {"by_public": "by public", "by_cv": "by local", "one_of_each": "one of each"}


def picture(case: Case, found: Finals, path: Path, *, scores: Sequence[float] = (), board: BoardForecast | None = None) -> None:
    """Write the picture of the choice as a PNG to `path`; `scores` and `board` are the fetched board and its forecast."""
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    style = {"font.size": 8, "axes.titlesize": 9, "axes.titleweight": "bold", "axes.titlelocation": "left", "axes.spines.top": False,
             "axes.spines.right": False, "axes.edgecolor": GREY, "xtick.color": "#444444", "ytick.color": "#444444", "text.parse_math": False}
    order = sorted(range(len(case.candidates)), key=lambda one: (one not in found.picks, -case.sign * case.public[one]))[:MOST]
    order.sort(key=lambda one: -case.sign * case.public[one])
    panels = 1 + bool(found.regret_of) + (board is not None)
    with mpl.rc_context(style), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a glyph that the font lacks is a box in the picture and no reason to stop
        height = min(10.0, max(2.8, 1.4 + 0.28 * len(order)))
        figure = Figure(figsize=(6.0 + 2.8 * (panels - 1), height), dpi=110, layout="constrained")
        FigureCanvasAgg(figure)
        figure.suptitle(f"final choice: {' and '.join(case.candidates[one].label for one in found.picks)}", x=0.01, ha="left", fontsize=11,
                        fontweight="bold")
        axes = figure.subplots(1, panels, width_ratios=[2.2, *([1.0] * (panels - 1))], squeeze=False)[0]
        _scores(axes[0], case, found, order)
        if found.regret_of:
            _losses(axes[1], case, found)
        if board is not None:
            _board(axes[-1], case, scores, board)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", metadata={"Software": None})
    write_bytes(path, buffer.getvalue())


def _scores(axes: "Axes", case: Case, found: Finals, order: Sequence[int]) -> None:
    """Public and local score of each with one standard error; local ones moved by the typical gap."""
    gap = np.nanmedian(case.public - case.cv) if np.isfinite(case.cv).any() else 0.0
    for line, one in enumerate(order):
        if one in found.picks:
            axes.axhspan(line - 0.45, line + 0.45, color="#f4ecd0", zorder=0)
        lines = ((case.public, case.se_lb, TEST, -0.12, "public"), (case.cv + gap, case.se_cv, TRAIN, 0.12, "local"))
        for values, noise, colour, shift, name in lines:
            own = None if noise is None else float(np.median(np.delete(noise[one], one))) / np.sqrt(2)
            label = (name if name == "public" else f"local {gap:+.5f}") if line == 0 else None
            if np.isfinite(values[one]):
                axes.errorbar(values[one], line + shift, xerr=own, fmt="o", markersize=4, color=colour, elinewidth=1, label=label)
    names = [case.candidates[one].label for one in order]
    axes.set_yticks(range(len(order)), [name if len(name) <= NAME else name[:NAME - 1] + "…" for name in names])
    for tick, one in zip(axes.get_yticklabels(), order, strict=True):
        tick.set_fontweight("bold" if one in found.picks else "normal")
    axes.set_ylim(len(order) - 0.4, -0.6)
    if case.sign < 0:
        axes.invert_xaxis()
    axes.legend(frameon=False, fontsize=7, ncols=2, loc="lower right", bbox_to_anchor=(1.0, 1.0), borderaxespad=0.1)
    axes.set_xlabel(f"{case.metric} (better to the right)")
    axes.set_title("scores" if case.se_lb is None else "scores ± own noise")


def _losses(axes: "Axes", case: Case, found: Finals) -> None:
    bars = {"kk final": found.regret, **{RULES[name]: lost for name, lost in found.regret_of.items()}}
    axes.barh(range(len(bars)), list(bars.values()), color=["#c9a227", *[GREY] * (len(bars) - 1)], height=0.6)
    axes.set_yticks(range(len(bars)), list(bars))
    axes.set_ylim(len(bars) - 0.4, -0.6)
    axes.set_xlim(left=0)
    axes.locator_params(axis="x", nbins=4)
    axes.set_xlabel(case.metric)
    axes.set_title("expected loss to the best")


def _board(axes: "Axes", case: Case, scores: Sequence[float], board: BoardForecast) -> None:
    ordered = np.sort(case.sign * np.array(scores))[::-1] * case.sign
    axes.plot(np.arange(1, len(ordered) + 1), ordered, ".", color=GREY, markersize=3)
    if board.place is not None and board.low is not None and board.high is not None:
        axes.axvspan(board.low, board.high, color="#f4ecd0", zorder=0)
        axes.plot(board.place, ordered[min(board.place, len(ordered)) - 1], "o", color=TEST, markersize=6)
        axes.annotate(f"{board.low} to {board.high}", (board.place, ordered[min(board.place, len(ordered)) - 1]), textcoords="offset points",
                      xytext=(4, 8), fontsize=7)
    if case.sign < 0:
        axes.invert_yaxis()
    axes.locator_params(axis="x", nbins=5, integer=True)
    axes.set_xlabel("public place")
    axes.set_title("board, own place (90 %)" if board.place is not None else "board")
