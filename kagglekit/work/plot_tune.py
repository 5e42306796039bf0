"""The picture of a search: the best so far with its standard error, and what each parameter does to the score."""

import io
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kagglekit.store import write_bytes
from kagglekit.work.plan import Plan
from kagglekit.work.plot_data import GREY, TEST, TRAIN
from kagglekit.work.space import Parameter
from kagglekit.work.study import Study, value_of
from kagglekit.work.tuned import Found, gain_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from optuna.trial import FrozenTrial

SLICES = 4    # parameters that are drawn
CUT = 0.8     # share of the trials, the best ones, that the axis of scores must show


def picture(study: Study, found: Found, plan: Plan, space: Sequence[Parameter], model: str, path: Path) -> None:
    """Write the picture to `path`: trials in their order on the left, the parameters that matter most on the right; better is up."""
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    style = {"font.size": 8, "axes.titlesize": 9, "axes.titleweight": "bold", "axes.titlelocation": "left", "axes.spines.top": False,
             "axes.spines.right": False, "axes.edgecolor": GREY, "xtick.color": "#444444", "ytick.color": "#444444", "text.parse_math": False}
    shown = _important(found, space)
    with mpl.rc_context(style), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a glyph that the font lacks is a box in the picture and no reason to stop
        rows = 2 if len(shown) > 2 else 1
        columns = -(-len(shown) // rows)
        figure = Figure(figsize=(5.6 + 2.6 * columns, 4.6), dpi=120, layout="constrained")
        FigureCanvasAgg(figure)
        figure.suptitle(f"{model} on {study.name}: {found.complete + found.pruned} trials, {found.pruned} pruned", x=0.01, ha="left",
                        fontsize=10, fontweight="bold")
        grid = figure.add_gridspec(rows, 1 + columns, width_ratios=[2.1, *[1] * columns])
        main = figure.add_subplot(grid[:, 0])
        _course(main, study, found, plan)
        for place, one in enumerate(shown):
            axes = figure.add_subplot(grid[place // columns, 1 + place % columns], sharey=main)
            _slice(axes, one, study, found)
            axes.tick_params(labelleft=False)
        figure.legend(*main.get_legend_handles_labels(), frameon=False, fontsize=7.5, ncols=3, loc="outside lower left")
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", metadata={"Software": None})
    write_bytes(path, buffer.getvalue())


def _important(found: Found, space: Sequence[Parameter]) -> list[Parameter]:
    """The parameters to draw: those that matter most, else the first ones."""
    order = {name: place for place, name in enumerate(found.importance)}
    return sorted(space, key=lambda one: order.get(one.name, len(order)))[:SLICES]


def _course(axes: "Axes", study: Study, found: Found, plan: Plan) -> None:
    trials, sign, metric = study.complete(), study.sign, plan.problem.metric
    numbers, values = np.array([one.number for one in trials]), np.array([value_of(one) for one in trials])
    leaders, end = _leaders(sign * values), max(one.number for one in study.trials()) + 0.5
    x, best = np.r_[numbers, end], np.r_[values[leaders], values[leaders[-1]]]
    band = _paired(found, [trials[place] for place in [*leaders, leaders[-1]]], plan, sign)
    axes.fill_between(x, best - band, best + band, step="post", color="#dde7f1", linewidth=0, label="± standard error of its gain over the defaults")
    axes.plot(numbers, values, linestyle="", marker="o", markersize=3.5, color=TRAIN, alpha=0.55, label="a trial on all folds")
    pruned = [one for one in study.trials() if one.state.name == "PRUNED"]
    if pruned:
        axes.plot([one.number for one in pruned], [_expected(one) for one in pruned], linestyle="", marker="x", markersize=3.5, color=GREY,
                  label="pruned: where it was heading")
    axes.step(x, best, where="post", color=TRAIN, linewidth=1.5, label="best so far")
    if found.defaults is not None:
        axes.axhline(value_of(found.defaults), color="#222222", linewidth=0.8, linestyle=":", label="defaults")
    if found.luck is not None:
        honest = value_of(found.best) - sign * found.luck.value
        axes.axhline(honest, color=TEST, linewidth=1.2, linestyle="--", label="honest: less the luck of the pick")
    low, high = _limits(sign * values, sign * best - band, sign * best + band, sign * values[0])
    axes.set_ylim(low if sign > 0 else -low, high if sign > 0 else -high)
    axes.set_xlim(-0.5, end)
    axes.set_xlabel("trial")
    axes.set_ylabel(f"{metric.name} ({'more' if metric.greater_is_better else 'less'} is better, better is up)")
    axes.set_title("best so far")


def _paired(found: Found, leaders: Sequence["FrozenTrial"], plan: Plan, sign: int) -> np.ndarray:
    """Standard errors of the gains over the defaults; 0 where there is none."""
    if found.defaults is None:
        return np.zeros(len(leaders))
    return np.array([gain_of(one, found.defaults, plan, None, sign).se or 0.0 for one in leaders])


def _leaders(values: np.ndarray) -> np.ndarray:
    """The place of the best value up to each one, higher is better."""
    places = np.zeros(len(values), dtype=np.int64)
    for place in range(1, len(values)):
        places[place] = place if values[place] > values[places[place - 1]] else places[place - 1]
    return places


def _expected(trial: "FrozenTrial") -> float:
    return float(trial.intermediate_values[max(trial.intermediate_values)])


def _limits(values: np.ndarray, low: np.ndarray, high: np.ndarray, first: float) -> tuple[float, float]:
    """The scores to show, higher is better: most trials, the first and the band; a few hopeless trials would press all others together."""
    least = min(float(np.quantile(values, 1 - CUT)), float(low[-1]), first)
    most = max(float(values.max()), float(high[-1]))
    room = 0.06 * (most - least) or 0.01 * max(abs(most), 1e-9)
    return least - room, most + room


def _slice(axes: "Axes", one: Parameter, study: Study, found: Found) -> None:
    """Scores of all trials by the value of one parameter."""
    share = f" ({found.importance[one.name]:.0%})" if one.name in found.importance else ""
    axes.set_title(f"{one.name}{share}")
    for state, marker, colour in (("COMPLETE", "o", TRAIN), ("PRUNED", "x", GREY)):
        here = [trial for trial in study.trials() if trial.state.name == state and one.name in trial.params]
        scores = [value_of(trial) if state == "COMPLETE" else _expected(trial) for trial in here]
        places = [_place(one, trial.params[one.name]) for trial in here]
        axes.plot(places, scores, linestyle="", marker=marker, markersize=3.5, color=colour, alpha=0.6)
    if one.name in found.best.params:
        axes.plot([_place(one, found.best.params[one.name])], [value_of(found.best)], linestyle="", marker="o", markersize=6, color=TEST)
    if one.choices:
        axes.set_xticks(range(len(one.choices)), [str(choice)[:10] for choice in one.choices])
        axes.set_xlim(-0.5, len(one.choices) - 0.5)
    elif one.log:
        _log_axis(axes, one)


def _log_axis(axes: "Axes", one: Parameter) -> None:
    from matplotlib.ticker import NullLocator

    assert one.low is not None and one.high is not None
    axes.set_xscale("log")
    axes.set_xlim(one.low / 1.1, one.high * 1.1)
    ticks = np.geomspace(one.low, one.high, 4)
    ticks = np.unique(np.round(ticks) if one.whole else [float(f"{tick:.1g}") for tick in ticks])
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.xaxis.set_minor_locator(NullLocator())


def _place(one: Parameter, value: object) -> float:
    return float(one.choices.index(value)) if one.choices else float(value)  # type: ignore[arg-type]
