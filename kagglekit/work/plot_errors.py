"""How alike the errors of models are, as a clustered heat map: in the terminal and as a PNG."""

import io
import itertools
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kagglekit.diversity import ErrorCorrelation, ordered, several_clusters
from kagglekit.marginal import Marginal
from kagglekit.store import write_bytes
from kagglekit.work.plot_data import GREY, TEST, TRAIN

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = np.ndarray
MOST = 60  # models of a heat map; more are clustered first
SHADES = "·░▒▓█"
NAME = 14
CELL = 6  # signs of a number
NUMBERS_IN_PICTURE = 14
VERDICTS = {"keep": TRAIN, "drop": TEST, "undecided": "#b8b8b8"}


def shown_models(errors: ErrorCorrelation, names: Sequence[str]) -> tuple[list[int], list[str]]:
    """(models, labels) in an order that puts like ones side by side; of more than 60 the best of each of 60 clusters, "r7 +3"."""
    distance, size = 1 - errors.alike, np.diag(errors.products)
    clusters = several_clusters(distance, MOST)
    stands = [min(cluster, key=lambda model: (size[model], model)) for cluster in clusters]
    label = {model: names[model] if len(cluster) == 1 else f"{names[model]} +{len(cluster) - 1}" for model, cluster in zip(stands, clusters)}
    order = [stands[place] for place in ordered(distance[np.ix_(stands, stands)])]
    return order, [label[model] if len(label[model]) <= NAME else label[model][:NAME - 1] + "…" for model in order]


def heat_lines(errors: ErrorCorrelation, names: Sequence[str], width: int = 78) -> list[str]:
    """Lines of at most `width` signs: correlations as numbers where they fit, else as shades, columns in the order of the rows.

    >>> from kagglekit.diversity import error_correlation
    >>> y, wave = np.zeros(4), np.array([[1.0, -1, 1, -1], [1, 1, -1, -1]])
    >>> for line in heat_lines(error_correlation(y, wave, "rmse"), ["r1", "r2"]):
    ...     print(line)
           r1    r2
    r1      \\ 0.000
    r2  0.000     \\
    """
    models, labels = shown_models(errors, names)
    matrix, label = errors.matrix[np.ix_(models, models)], max(map(len, labels)) + 1
    if label + CELL * len(models) <= width:
        return _numbers(matrix, labels, label)
    return _shades(matrix, labels, label, 2 if label + 2 * len(models) <= width else 1, width)


def _numbers(matrix: Array, labels: Sequence[str], label: int) -> list[str]:
    head = f"{'':<{label}}" + "".join(f"{name[:CELL - 1]:>{CELL}}" for name in labels)
    rows = ("".join("\\".rjust(CELL) if row == column else f"{value:>{CELL}.3f}" for column, value in enumerate(values))
            for row, values in enumerate(matrix))
    return [head, *(f"{name:<{label}}{row}" for name, row in zip(labels, rows))]


def _shades(matrix: Array, labels: Sequence[str], label: int, wide: int, width: int) -> list[str]:
    off = matrix[~np.eye(len(matrix), dtype=bool)]
    edges = np.linspace(float(off.min()), float(off.max()), len(SHADES) + 1)[1:-1]
    places = np.searchsorted(edges, matrix, side="right")
    lines = [f"{name:<{label}}" + "".join(("\\" if row == column else SHADES[place]) * wide for column, place in enumerate(values))
             for row, (name, values) in enumerate(zip(labels, places))]
    legend = f"{SHADES[0]} from {off.min():.3f}" + "".join(f"  {shade} {edge:.3f}" for shade, edge in zip(SHADES[1:], edges))
    return [*lines, f"{legend} to {off.max():.3f}; columns as rows"[:width]]


def heat_map(errors: ErrorCorrelation, names: Sequence[str], path: Path, effects: Sequence[Marginal] = (), title: str = "") -> None:
    """Write the clustered heat map as a PNG to `path`; beside it, where `effects` are given, what each model adds with its interval."""
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    style = {"font.size": 8, "axes.titlesize": 9, "axes.titleweight": "bold", "axes.titlelocation": "left", "axes.edgecolor": GREY,
             "xtick.color": "#444444", "ytick.color": "#444444", "text.parse_math": False}
    models, labels = shown_models(errors, names)
    side, known = min(10.0, 2.6 + 0.36 * len(models)), {one.index: one for one in effects}
    with mpl.rc_context(style), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a glyph that the font lacks is a box in the picture and no reason to stop
        figure = Figure(figsize=(side + 1.2 + (3.2 if known else 0.0), side), dpi=110, layout="constrained")
        FigureCanvasAgg(figure)
        figure.suptitle(title or f"correlation of errors ({errors.measure})", x=0.01, ha="left", fontsize=11, fontweight="bold")
        grid = figure.add_gridspec(1, 2 if known else 1, width_ratios=[side, 2.8] if known else [1])
        axes = figure.add_subplot(grid[0])
        _heat(figure, axes, errors, models, labels)
        if known:
            _bars(figure.add_subplot(grid[1]), [known.get(model) for model in models], labels)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", metadata={"Software": None})
    write_bytes(path, buffer.getvalue())


def _heat(figure: "Figure", axes: "Axes", errors: ErrorCorrelation, models: Sequence[int], labels: Sequence[str]) -> None:
    from matplotlib.patches import Rectangle

    matrix, count = errors.matrix[np.ix_(models, models)], len(models)
    low = float(matrix.min()) if count > 1 else 0.0
    image = axes.imshow(matrix, cmap="YlGnBu", vmin=low, vmax=1.0, aspect="equal", interpolation="nearest")
    axes.set_xticks(range(count), labels, rotation=90)
    axes.set_yticks(range(count), labels)
    axes.tick_params(length=0, labelsize=8 if count <= 30 else 6)
    axes.set_title(f"errors: {errors.n_eff:.2f} independent runs of {len(errors.matrix)}")
    if count <= NUMBERS_IN_PICTURE:
        for row, column in np.ndindex(count, count):
            dark = matrix[row, column] > (low + 1.0) / 2
            axes.text(column, row, f"{matrix[row, column]:.3f}".replace("1.000", "1"), ha="center", va="center", fontsize=6.5,
                      color="white" if dark else "#333333")
    for start, size in _runs([_cluster(errors, model) for model in models]):
        axes.add_patch(Rectangle((start - 0.5, start - 0.5), size, size, fill=False, edgecolor=TEST, linewidth=1.6))
    figure.colorbar(image, ax=axes, shrink=0.6, pad=0.02).outline.set_edgecolor(GREY)
    axes.set_xlabel("framed: near copies" if any(len(one) > 1 for one in errors.clusters) and count == len(errors.matrix) else "")


def _cluster(errors: ErrorCorrelation, model: int) -> int:
    return next(number for number, members in enumerate(errors.clusters) if model in members)


def _runs(clusters: Sequence[int]) -> list[tuple[int, int]]:
    """(start, length) of stretches of two or more of the same."""
    edges = [0, *(place for place in range(1, len(clusters)) if clusters[place] != clusters[place - 1]), len(clusters)]
    return [(start, end - start) for start, end in itertools.pairwise(edges) if end - start > 1]


def _bars(axes: "Axes", effects: Sequence[Marginal | None], labels: Sequence[str]) -> None:
    for row, one in enumerate(effects):
        if one is not None and np.isfinite(one.value):
            axes.errorbar(one.value, row, xerr=[[one.value - one.low], [one.high - one.value]], fmt="o", markersize=4, linewidth=1.4,
                          color=VERDICTS[one.verdict])
    axes.axvline(0, color=GREY, linewidth=0.8)
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.set_yticks(range(len(labels)), labels)
    axes.tick_params(length=0)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.locator_params(axis="x", nbins=4)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:.2g}")
    axes.set_title("adds to the blend (95 %)")
    axes.set_xlabel("blue: keep, orange: drop, grey: undecided")
