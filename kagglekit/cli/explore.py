"""kk explore."""

import contextlib
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import click

from kagglekit.cli import options
from kagglekit.cli.output import bullets, run, score, table, wrapped

if TYPE_CHECKING:
    from kagglekit.progress import Task
    from kagglekit.verbs.explore import Explored, Row
    from kagglekit.work.live_table import LiveRow

REDRAWS_PER_SECOND = 4


@click.command()
@click.option("--models", metavar="A,B", help="Models to explore (default: all that can run here).")
@click.option("--folds", metavar="NAME", help="Folds to train on (default: the latest).")
@click.option("--sample", type=float, metavar="F", help="Share of the rows (default: 20,000 to 50,000 rows).")
@click.option("--confirm", default=0, show_default=True, metavar="K", help="Train the K best on all rows.")
@click.option("--budget", metavar="TIME", help="Start nothing that does not fit: 10m, 90s, 1.5h.")
@click.option("--fresh", is_flag=True, help="Train also what is there already.")
@options.competition
@options.output
def command(as_json: bool, quiet: bool, debug: bool, **given: object) -> None:
    """Compare many models on a sample, before any tuning.

    \b
    Example:
        kk explore --confirm 3
    """
    from kagglekit.verbs.explore import explore

    def call() -> "Explored":
        with _live(quiet):
            return explore(**given)

    run(call, render, as_json=as_json, quiet=quiet, debug=debug)


def render(record: "Explored") -> list[str]:
    """The models in the order of their scores, what all rows would cost, and what may be believed."""
    part = "" if record.sample == 1 else f" of {record.rows_all:,}"
    head = f"{len(record.rows)} models on {record.folds}, {record.rows_used:,}{part} rows: {record.metric}"
    lines = [*wrapped(head, indent="  "), "", *_table(record), *_confirmed(record), ""]
    return [*lines, *bullets(record.says, mark="-"), *bullets(record.warnings)]


def _table(record: "Explored") -> list[str]:
    titles = ["model", "run", "score ± SE", "gap", "errors", "took"]
    rows = [[row.model, row.run or "-", score(row.score, row.se) if row.score is not None else row.status, _gap(row),
             "" if row.correlation is None else f"{row.correlation:.2f}", brief(row.seconds)] for row in record.rows]
    if record.sample < 1:
        titles.append("all rows")
        for line, row in zip(rows, record.rows, strict=True):
            line.append(_cost(row))
    lines = table(titles, rows)
    if record.tied:
        lines.append("~ cannot be told from the best")
    return lines


def _gap(row: "Row") -> str:
    """The gap to the best in standard errors: '~ -0.4 SE', 'best'."""
    if row.score is None:
        return ""
    if row.gap_se is None:
        return "best" if row.gap == 0 else f"{row.gap:+.5f}"
    size = f"{row.gap / row.gap_se:+.1f} SE" if row.gap_se else f"{row.gap:+.5f}"
    return f"{'~ ' if row.tied else ''}{size}"


def _cost(row: "Row") -> str:
    cost = row.forecast
    return "" if cost is None else f"{brief(cost['seconds'])} ({brief(cost['low'])}-{brief(cost['high'])})"


def _confirmed(record: "Explored") -> list[str]:
    rows = [(row.model, row.full["run"] or "-", score(row.score), score(row.full["score"], row.full["se"]), _cost(row), brief(row.full["seconds"]))
            for row in record.rows if row.full]
    return ["", *table(("on all rows", "run", "sample", "all rows ± SE", "forecast", "took"), rows)] if rows else []


def brief(seconds: float | None) -> str:
    """Seconds in few letters.

    >>> brief(3.21), brief(75.0), brief(600.0), brief(5400.0), brief(None)
    ('3.2s', '75s', '10m', '1.5h', '-')
    """
    if seconds is None:
        return "-"
    if seconds < 10:
        return f"{seconds:.1f}s"
    return f"{seconds:.0f}s" if seconds < 100 else f"{seconds / 60:.0f}m" if seconds < 3600 else f"{seconds / 3600:.1f}h"


@contextlib.contextmanager
def _live(quiet: bool) -> Iterator[None]:
    """A table that is redrawn while models train; nothing but the usual progress where there is no terminal."""
    if quiet or not sys.stderr.isatty():
        yield
        return
    from rich.console import Console
    from rich.live import Live

    from kagglekit.progress import listening
    from kagglekit.work.live_table import watching

    console = Console(stderr=True)
    if not console.is_terminal or console.is_dumb_terminal:
        yield
        return
    board = Board(console.print)
    with Live(get_renderable=board.table, console=console, refresh_per_second=REDRAWS_PER_SECOND, transient=True), \
            watching(board.rows), listening(board):
        yield


class Board:
    """The live table: rows as they stand; a listener, too, whose narration goes above the table and whose counted work into it."""

    def __init__(self, write: Callable[..., None]) -> None:
        self._write, self._rows, self._since = write, (), {}
        self._counted = ""

    def rows(self, rows: "Sequence[LiveRow]") -> None:
        """Take over how the rows stand."""
        self._rows = tuple(rows)
        for row in rows:
            if row.state == "training":
                self._since.setdefault(row.name, time.monotonic())

    def say(self, text: str) -> None:
        """One line of narration above the table."""
        self._write(text, highlight=False, markup=False)

    def update(self, task: "Task") -> None:
        """Counted work: of the models as the title, of one model in its row."""
        from kagglekit.cli.terminal import describe

        now = time.monotonic()
        if task.unit == "models":
            self._counted = "" if task.finished else describe(task, now)
            return
        for row in self._rows:
            if row.state == "training" and task.title.endswith(row.name):
                row.note = "" if task.finished else describe(task, now).removeprefix(task.title).strip()

    def table(self) -> object:
        """The table as rich draws it."""
        from rich.table import Table

        drawn = Table(title=self._counted or None, title_justify="left", box=None, pad_edge=False)
        for name, side in (("model", "left"), ("", "left"), ("score ± SE", "right"), ("took", "right"), ("", "left")):
            drawn.add_column(name, justify=side, no_wrap=True, overflow="ellipsis")
        for row in self._rows:
            took = row.seconds or (time.monotonic() - self._since[row.name] if row.state == "training" else 0.0)
            drawn.add_row(row.name, row.state, score(row.score, row.se) if row.score is not None else "", brief(took) if took else "", row.note)
        return drawn
