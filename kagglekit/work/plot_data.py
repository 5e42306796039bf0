"""The picture of `kk data`: target, missing values, drift, and the columns that drift most, train over test."""

import io
import warnings
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from kagglekit.tables.profile import Profile
from kagglekit.tables.profile.columns import Column
from kagglekit.tables.profile.target import Target, is_classes
from kagglekit.tables.profile.values import as_arrow, codes, label, numbers

if TYPE_CHECKING:
    import pyarrow
    from matplotlib.axes import Axes

TRAIN, TEST, GREY = "#35618f", "#e08a3c", "#8a8a8a"
BARS = 12
PANELS = 6
FEW = 12
SHOWN = 8
MANY = 0.5
BINS = 40
STEPS = 5000
READABLE = 50


def plot_profile(profile: Profile, title: str) -> bytes:
    """The picture as a PNG."""
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    style = {"font.size": 8, "axes.titlesize": 9, "axes.titleweight": "bold", "axes.titlelocation": "left", "axes.spines.top": False,
             "axes.spines.right": False, "axes.edgecolor": GREY, "xtick.color": "#444444", "ytick.color": "#444444", "text.parse_math": False}
    with mpl.rc_context(style), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a glyph that the font lacks is a box in the picture and no reason to stop
        chosen = _chosen(profile)
        lower = -(-len(chosen) // 3)
        figure = Figure(figsize=(11, 3.1 + 2.35 * lower), dpi=110, layout="constrained")
        FigureCanvasAgg(figure)
        figure.suptitle(_clean(title, 100), x=0.01, ha="left", fontsize=12, fontweight="bold")
        grid = figure.add_gridspec(1 + lower, 3, height_ratios=[1.3] + [1.0] * lower)
        _target(figure.add_subplot(grid[0, 0]), profile)
        _missing(figure.add_subplot(grid[0, 1]), profile)
        _drift(figure.add_subplot(grid[0, 2]), profile)
        for number, column in enumerate(chosen):
            _column(figure.add_subplot(grid[1 + number // 3, number % 3]), profile, column, legend=number == 0)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def _chosen(profile: Profile) -> list[Column]:
    """The columns to draw: those that drift most or, without a test table, those that say most of the target."""
    columns = [column for column in profile.features if column.distinct > 1 and not column.id_like]
    if profile.compared is not None:
        return sorted((column for column in columns if column.drift), key=lambda column: column.order)[:PANELS]
    few = [column for column in columns if column.kind != "category" or column.distinct <= READABLE]
    return sorted(few, key=lambda column: -(column.signal.value if column.signal else 0.0))[:PANELS]


def _clean(text: object, size: int = 22) -> str:
    plain = "".join(letter if letter.isprintable() else " " for letter in str(text))
    return plain if len(plain) <= size else plain[:size - 1] + "…"


def _say(axes: "Axes", text: str) -> None:
    axes.set_axis_off()
    axes.text(0.5, 0.5, text, ha="center", va="center", color=GREY, transform=axes.transAxes)


def _target(axes: "Axes", profile: Profile) -> None:
    if not profile.targets:
        axes.set_title("target")
        return _say(axes, "no target is known")
    target = profile.targets[0]
    several = f" (1 of {len(profile.targets)})" if len(profile.targets) > 1 else ""
    axes.set_title(f"target {_clean(target.name)}{several}")
    if target.classes:
        return _class_bars(axes, target)
    column = as_arrow(profile.train.column(target.name))
    values = numbers(column) if not is_classes(column, "regression") else np.empty(0)
    values = values[np.isfinite(values)]
    if not len(values):
        return _say(axes, "no values")
    axes.hist(values, bins=_edges(values), color=TRAIN)
    axes.axvline(float(np.median(values)), color="#222222", linewidth=1, linestyle=":")
    axes.set_xlabel(f"median {np.median(values):,.6g}, skew {target.skew:z.1f}" + (f", of log1p {target.skew_log:z.1f}" if target.log_helps else ""))
    _short_numbers(axes, values)
    axes.set_ylabel("rows")
    return None


def _short_numbers(axes: "Axes", values: np.ndarray) -> None:
    """1.5 M rather than 1500000 or a factor in the corner."""
    from matplotlib.ticker import EngFormatter

    if len(values) and np.abs(values).max() >= 1e5:
        axes.xaxis.set_major_formatter(EngFormatter())


def _class_bars(axes: "Axes", target: Target) -> None:
    shown = target.classes[:BARS]
    places = np.arange(len(shown))[::-1]
    axes.barh(places, [one["count"] for one in shown], color=TRAIN, height=0.7)
    axes.set_yticks(places, [_clean(one["value"], 16) for one in shown])
    for place, one in zip(places, shown):
        axes.text(one["count"], place, f" {100 * one['share']:.3g}%", va="center", color="#222222")
    axes.set_xlim(0, 1.18 * max(one["count"] for one in shown))
    axes.set_ylim(min(-0.6, len(shown) - 5), len(shown) - 0.4)
    left = target.distinct - len(shown)
    axes.set_xlabel("rows" + (f" ({left:,} more classes)" if left else ""))


def _missing(axes: "Axes", profile: Profile) -> None:
    axes.set_title("missing values")
    gaps = {column.name: (column.missing_train or 0.0, column.missing_test or 0.0) for column in profile.columns if column.role != "target"}
    worst = sorted((name for name in gaps if max(gaps[name]) > 0), key=lambda name: -max(gaps[name]))
    if not worst:
        return _say(axes, "none")
    shown = worst[:BARS]
    places = np.arange(len(shown))[::-1]
    axes.barh(places + 0.19, [100 * gaps[name][0] for name in shown], height=0.38, color=TRAIN, label="train")
    if profile.test is not None:
        axes.barh(places - 0.19, [100 * gaps[name][1] for name in shown], height=0.38, color=TEST, label="test")
        axes.legend(frameon=False, loc="lower right")
    for place, name in zip(places, shown):
        axes.text(100 * max(gaps[name]), place, f" {100 * max(gaps[name]):.2g}%", va="center", color="#222222", fontsize=7)
    axes.set_yticks(places, [_clean(name) for name in shown])
    axes.set_ylim(min(-0.6, len(shown) - 5), len(shown) - 0.4)
    axes.set_xlim(0, max(5.0, 115 * max(gaps[shown[0]])))
    axes.set_xlabel("% of rows" + (f" ({len(worst) - len(shown)} more columns)" if worst[BARS:] else ""))
    return None


def _drift(axes: "Axes", profile: Profile) -> None:
    axes.set_title("drift of train against test")
    if profile.compared is None:
        return _say(axes, "the visible test is a stub" if profile.question.stub else "no test table to compare with")
    known = sorted((column for column in profile.features if column.drift and not column.id_like), key=lambda column: column.order)[:BARS]
    if not known:
        return _say(axes, "no column to compare")
    places = np.arange(len(known))[::-1]
    drifts = [column.drift for column in known if column.drift]
    axes.barh(places, [drift.value for drift in drifts], height=0.7, color=[TEST if drift.matters else "#c9c9c9" for drift in drifts])
    for place, drift in zip(places, drifts):
        axes.plot([drift.chance] * 2, [place - 0.42, place + 0.42], color="#222222", linewidth=1.4)
    axes.set_yticks(places, [_clean(column.name) for column in known])
    axes.set_ylim(min(-0.6, len(known) - 5), len(known) - 0.4)
    axes.set_xlim(0, min(1.02, 1.1 * max(max(drift.value, drift.chance) for drift in drifts)))
    axes.set_xlabel("line: chance stays below it; orange: matters")
    return None


def _column(axes: "Axes", profile: Profile, column: Column, legend: bool) -> None:
    test = profile.compared
    tables = [as_arrow(source.table[column.name]) for source in (profile.train, test) if source is not None and column.name in source.names]
    drift, signal = column.drift, column.signal
    told = (f"drift {drift.value:.2f} (chance < {drift.chance:.2f})" if drift
            else f"{'AUC' if signal.measure == 'auc' else 'R2'} {signal.value:.2f}" if signal else "")
    kind = ", length" if column.kind == "text" else ""
    axes.set_title(f"{_clean(column.name)}{kind}: {told}", fontsize=8, fontweight="normal")
    if column.kind in ("category", "bool") or (column.kind == "integer" and column.distinct <= FEW):
        _category_bars(axes, column, tables)
    else:
        _histograms(axes, column, tables)
    axes.tick_params(labelsize=7)
    if legend and len(tables) > 1:
        axes.legend(["train", "test"], frameon=False, fontsize=7)


def _category_bars(axes: "Axes", column: Column, tables: "list[pyarrow.ChunkedArray]") -> None:
    """Shares of the values; of very many values, how much lies in those that both tables have."""
    names, bars = _shares(column, tables)
    places, width = np.arange(len(names)), 0.8 / len(tables)
    for number, (heights, colour) in enumerate(zip(bars, (TRAIN, TEST))):
        axes.bar(places + (number - (len(tables) - 1) / 2) * width, 100 * heights, width=width, color=colour)
    long = sum(map(len, names)) > 45
    axes.set_xticks(places, names, rotation=30 if long else 0, ha="right" if long else "center", rotation_mode="anchor" if long else "default")
    axes.set_xlim(-0.6, max(3, len(names)) - 0.4)
    axes.set_ylabel("% of rows", fontsize=7)


def _shares(column: Column, tables: "list[pyarrow.ChunkedArray]") -> tuple[list[str], list[np.ndarray]]:
    """The most frequent values (integers in their order) with their share in each table, then all others, then what is missing."""
    found, values = codes(*tables)
    shares = [np.bincount(one[one >= 0], minlength=len(values)) / max(1, len(one)) for one in found]
    gaps = [float((one < 0).mean()) if len(one) else 0.0 for one in found]
    order = np.argsort(-np.sum(shares, axis=0), kind="stable")[:FEW if column.kind == "integer" else SHOWN]
    rest = [share.sum() - share[order].sum() for share in shares]
    if len(tables) > 1 and max(more / max(1e-9, 1 - gap) for more, gap in zip(rest, gaps)) > MANY:
        both = np.all([share > 0 for share in shares], axis=0)
        names, bars = ["values of both", "of one table only"], [[share[both].sum(), share[~both].sum()] for share in shares]
    else:
        if column.kind == "integer":
            order = np.asarray(sorted(order, key=lambda code: float(values[code])))
        names, bars = [_value(values[int(code)], column.kind) for code in order], [share[order].tolist() for share in shares]
        if len(values) > len(order):
            names, bars = [*names, "(others)"], [[*bar, more] for bar, more in zip(bars, rest)]
    if max(gaps) > 0:
        names, bars = [*names, "(missing)"], [[*bar, gap] for bar, gap in zip(bars, gaps)]
    return names, [np.asarray(bar) for bar in bars]


def _value(value: object, kind: str) -> str:
    return _clean(bool(label(value)) if kind == "bool" else label(value), 12)


def _histograms(axes: "Axes", column: Column, tables: "list[pyarrow.ChunkedArray]") -> None:
    """Both distributions over the same bins, from the first to the 99th percentile and a little more."""
    values = [numbers(table) for table in tables]
    values = [one[np.isfinite(one)] for one in values]
    edges = _edges(np.concatenate(values))
    scale = (lambda numbers: pd.to_datetime(numbers)) if column.kind == "date" else (lambda numbers: numbers)
    for one, colour, filled in zip(values, (TRAIN, TEST), (True, False)):
        if len(one):
            heights = 100 * np.histogram(one, edges)[0] / len(one)
            axes.stairs(heights, scale(edges), fill=filled, color=colour, alpha=0.75 if filled else 1.0, linewidth=1.5)
    axes.set_ylabel("% of rows", fontsize=7)
    if column.kind != "date":
        _short_numbers(axes, edges)
    else:
        from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

        locator = AutoDateLocator(maxticks=6)
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))


def _edges(values: np.ndarray) -> np.ndarray:
    """Edges of equal bins that leave a long tail out; where values are multiples of a step, each bin holds equally many of them."""
    low, high = np.quantile(values, [0.002, 0.998])
    reach = 0.15 * (high - low)
    low = values.min() if low - values.min() <= reach else low
    high = values.max() if values.max() - high <= reach else high
    if high <= low:
        low, high = values.min(), values.max()
    if high <= low:
        return np.asarray([low - 0.5, low + 0.5])
    inside = np.unique(values[(values >= low) & (values <= high)])
    step = np.diff(inside).min() if 1 < len(inside) <= STEPS else 0.0
    places = (inside - inside[0]) / step if step else np.asarray([0.5])
    if np.abs(places - np.round(places)).max() > 0.01 or places[-1] > STEPS:
        return np.linspace(low, high, BINS + 1)
    width = step * (1 if places[-1] <= 1.5 * BINS else np.ceil(places[-1] / BINS))
    return np.arange(inside[0] - step / 2, inside[-1] + width, width)
