"""CV against leaderboard as a terminal shows it: letters with error bars, the offset line, anchors at the edge."""

from collections.abc import Callable

import numpy as np

from kagglekit.work.lb_points import Points

HEIGHT = 16
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
ANCHORS = "123456789"
Grid = list[list[str]]


def chart(points: Points, width: int = 78) -> list[str]:
    """Lines of at most `width` signs: public score upwards, CV to the right, better models up and right."""
    margin = max(len(_told(edge)) for edge in points.limits[1]) + 1
    columns = width - margin - 1
    grid: Grid = [[" "] * columns for _ in range(HEIGHT)]
    flip = points.better == "lower"

    def column(x: float) -> int:
        return _place(x, points.limits[0], columns, flip)

    def row(y: float) -> int:
        return HEIGHT - 1 - _place(y, points.limits[1], HEIGHT, flip)

    _line(grid, points, columns, flip)
    order = np.argsort(-points.lb if not flip else points.lb, kind="stable")[:len(LETTERS)]
    for place in order:
        _bars(grid, points, int(place), column, row)
    for letter, place in zip(LETTERS, order):
        grid[row(points.lb[place])][column(points.cv[place])] = letter
    for digit, anchor in zip(ANCHORS, points.anchors):
        x, y, _ = points.at_edge(anchor)
        grid[row(y)][column(x)] = digit
    return [*_framed(grid, points, margin, flip), *_legend(points, order, width)]


def _place(value: float, limits: tuple[float, float], signs: int, flip: bool) -> int:
    share = (value - limits[0]) / (limits[1] - limits[0])
    return int(np.clip(round((1 - share if flip else share) * (signs - 1)), 0, signs - 1))


def _line(grid: Grid, points: Points, columns: int, flip: bool) -> None:
    """The offset line as dots on the noise beside it, shaded."""
    left, right = points.limits[0]
    low, high = points.limits[1]
    step = (high - low) / (HEIGHT - 1)
    for number in range(columns):
        share = number / max(columns - 1, 1)
        line = (right - share * (right - left) if flip else left + share * (right - left)) + points.offset
        for height in range(HEIGHT):
            y = low + (height if flip else HEIGHT - 1 - height) * step
            if abs(y - line) <= step / 2:
                grid[height][number] = "·"
            elif abs(y - line) <= points.band:
                grid[height][number] = "░"


def _bars(grid: Grid, points: Points, place: int, column: Callable[[float], int], row: Callable[[float], int]) -> None:
    x, y, dx, dy = points.cv[place], points.lb[place], points.err_cv[place], points.err_lb[place]
    across, down = sorted((column(x - dx), column(x + dx))), sorted((row(y - dy), row(y + dy)))
    for number in range(across[0], across[1] + 1):
        grid[row(y)][number] = "─"
    for number in range(down[0], down[1] + 1):
        grid[number][column(x)] = "│"


def _framed(grid: Grid, points: Points, margin: int, flip: bool) -> list[str]:
    (left, right), (low, high) = points.limits
    top, bottom = (low, high) if flip else (high, low)
    first, last = (right, left) if flip else (left, right)
    ends = {0: _told(top), HEIGHT - 1: _told(bottom)}
    lines = [f"public {points.metric[:12]} (up) against {points.split[:20]} (right): up and right is better"]
    lines += [f"{ends.get(number, ''):>{margin}}│{''.join(signs)}".rstrip() for number, signs in enumerate(grid)]
    columns = len(grid[0])
    axis = f"{_told(first)}{_told(last).rjust(columns - len(_told(first)))}"
    return [*lines, f"{'':>{margin}}└{'─' * columns}", f"{'':>{margin + 1}}{axis}"]


def _legend(points: Points, order: np.ndarray, width: int) -> list[str]:
    import textwrap

    names = [f"{letter} {points.models[place].name}{'' if points.inside[place] else ' (off the line)'}" for letter, place in zip(LETTERS, order)]
    edge = [points.at_edge(anchor)[2] for anchor in points.anchors]
    names += [f"{digit} {anchor.name} (anchor{', beyond' if beyond else ''})" for digit, anchor, beyond in zip(ANCHORS, points.anchors, edge)]
    more = len(points.models) - len(order)
    told = "; ".join(names) + (f"; {more} more" if more > 0 else "")
    return [*textwrap.wrap(told, width), "· public = CV + offset, ░ noise beside it, ─│ one SE of a model's own part"[:width]]


def _told(value: float) -> str:
    return f"{value:.4g}" if abs(value) < 1e-3 or abs(value) >= 1e4 else f"{value:.4f}"[:8].rstrip(".")
