"""The picture of the baseline ladder: bars for a terminal, and a PNG with scores, gains and seconds."""

import io
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kagglekit.store import write_bytes
from kagglekit.work.plot_data import GREY, TEST, TRAIN
from kagglekit.work.rungs import Rung

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = np.ndarray
BAR = "█"
NOISE = "▒"
FAR = 1.5   # of the distance from the constant to the best rung: what lies further off ends as an arrow
NAME = 22


def chart(rungs: Sequence[Rung], metric: str, sign: int, width: int = 78) -> list[str]:
    """Lines of at most `width` signs: a bar for each rung from the constant (or the worst) to the best, ▒ where one standard error ends it.

    >>> chart([Rung("constant", score=0.5, se=0.0), Rung("linear", score=0.8, se=0.05)], "auc", 1, 40)[-1]
    'linear    █████████████████████▒▒▒▒▒▒▒▒▒'
    """
    shown = [rung for rung in rungs if rung.score is not None]
    if len(shown) < 2:
        return []
    values = sign * np.array([rung.score for rung in shown])
    noise = np.array([rung.se or 0.0 for rung in shown])
    low, high = _floor(shown, values), float((values + noise).max())
    label = max(len(_short(rung.model)) for rung in shown) + 2
    bar, lines = width - label, []
    for rung, value, se in zip(shown, values, noise, strict=True):
        ends = [round(bar * float(np.clip((one - low) / (high - low or 1.0), 0, 1))) for one in (value - se, value + se)]
        signs = BAR * ends[0] + NOISE * (ends[1] - ends[0]) or ("‹ off to the left" if value < low else "│")
        lines.append(f"{_short(rung.model):<{label}}{signs}".rstrip())
    start = next((rung.model for rung, value in zip(shown, values, strict=True) if value == low), "the worst")
    return [f"{metric}, from {start} to the best; {NOISE} ± one standard error"[:width], *lines]


def picture(rungs: Sequence[Rung], title: str, metric: str, sign: int, path: Path) -> None:
    """Write the ladder as a PNG to `path`: scores with one standard error, better to the right, gains in standard errors, and seconds."""
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    style = {"font.size": 8, "axes.titlesize": 9, "axes.titleweight": "bold", "axes.titlelocation": "left", "axes.spines.top": False,
             "axes.spines.right": False, "axes.edgecolor": GREY, "xtick.color": "#444444", "ytick.color": "#444444", "text.parse_math": False}
    shown = [rung for rung in rungs if rung.score is not None]
    with mpl.rc_context(style), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a glyph that the font lacks is a box in the picture and no reason to stop
        figure = Figure(figsize=(9.5, min(12.0, 1.5 + 0.36 * max(len(shown), 3))), dpi=110, layout="constrained")
        FigureCanvasAgg(figure)
        figure.suptitle(title, x=0.01, ha="left", fontsize=11, fontweight="bold")
        scores, seconds = figure.subplots(1, 2, width_ratios=[3.2, 1.0])
        _scores(scores, shown, metric, sign)
        _seconds(seconds, shown)
        for axes in (scores, seconds):
            axes.set_ylim(-0.6, len(shown) - 0.4)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", metadata={"Software": None})
    write_bytes(path, buffer.getvalue())


def _floor(shown: Sequence[Rung], values: Array) -> float:
    """Where bars begin: at the constant, or at the worst rung where that is not far below it or there is no constant."""
    worst, constants = float(values.min()), [value for rung, value in zip(shown, values, strict=True) if rung.model == "constant"]
    if not constants or constants[0] - worst <= FAR * (float(values.max()) - constants[0]):
        return worst
    return float(constants[0])


def _short(name: str) -> str:
    return name if len(name) <= NAME else name[:NAME - 1] + "…"


def _scores(axes: "Axes", shown: Sequence[Rung], metric: str, sign: int) -> None:
    """Points on steps, from the bottom up; a rung far below the others is an arrow with its number."""
    values = sign * np.array([rung.score for rung in shown], dtype=np.float64)
    noise = np.array([rung.se or 0.0 for rung in shown])
    near = values >= _floor(shown, values) - 1e-12
    low, high = float((values - noise)[near].min()), float((values + noise)[near].max())
    room = (high - low) or max(abs(high), 1.0)
    places = np.arange(len(shown))
    at = np.where(near, values, low - 0.06 * room)
    axes.plot(sign * at, places, color=GREY, linewidth=0.8, zorder=1)
    for place, rung in enumerate(shown):
        colour = TEST if rung.flags else TRAIN
        if near[place]:
            axes.errorbar(sign * at[place], place, xerr=noise[place], fmt="o", markersize=5, color=colour, elinewidth=1.5, capsize=2, zorder=3)
        else:
            axes.plot(sign * at[place], place, marker="<", markersize=6, color=colour, zorder=3, clip_on=False)
        axes.annotate(_label(rung), (sign * at[place], place), textcoords="offset points", xytext=(0, 7), fontsize=7,
                      ha="right" if at[place] > low + 0.75 * room else "left" if at[place] < low + 0.15 * room else "center")
    edges = [sign * (low - 0.1 * room), sign * (high + 0.05 * room)]
    axes.set_xlim(*edges)  # less is better: the axis runs the other way, better to the right
    axes.locator_params(axis="x", nbins=7)
    axes.set_yticks(places, [_short(rung.model) for rung in shown])
    axes.set_xlabel(f"{metric} ± one standard error (better to the right); orange: flagged")
    axes.set_title("score, and gain over the last rung")


def _label(rung: Rung) -> str:
    text = f"{rung.score:.5g}"
    if rung.gain is None or rung.gain_se is None:
        return text
    steps = f"{rung.gain / rung.gain_se:+.1f} SE" if rung.gain_se else "no change" if not rung.gain else f"{rung.gain:+.3g}"
    return f"{text}  ({steps})"


def _seconds(axes: "Axes", shown: Sequence[Rung]) -> None:
    seconds = [max(rung.seconds, 0.01) for rung in shown]
    axes.barh(range(len(shown)), seconds, color=GREY, height=0.5)
    axes.set_xscale("log")
    axes.set_xlim(0.005, max(seconds) * 8)
    for place, value in enumerate(seconds):
        axes.text(value, place, f" {value:.2g} s" if value < 10 else f" {value:,.0f} s", va="center", fontsize=7)
    axes.set_yticks([])
    axes.set_xticks([])
    axes.minorticks_off()
    axes.spines["bottom"].set_visible(False)
    axes.set_title("seconds (log)")
