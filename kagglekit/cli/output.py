"""Output: one way to run a verb and show its record: lines and tables for people, JSON for scripts, errors in one line."""

import contextlib
import json
import math
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import click

from kagglekit.errors import KKError
from kagglekit.progress import listening

WIDTH = 80


def run(call: Callable[[], object], render: Callable[[object], list[str]], *, as_json: bool, quiet: bool, debug: bool) -> object:
    """Call a verb and print its record; an error is one line and exit status 1."""
    from kagglekit.cli.terminal import Terminal

    try:
        with listening(None if quiet else Terminal()):
            record = call()
    except KeyboardInterrupt:
        _fail("stopped", "Run the same command again: it goes on from what is finished", as_json, debug)
    except KKError as error:
        _fail(error.what, error.do, as_json, debug)
    except OSError as error:
        what = f"{error.filename or 'the disk'}: {error.strerror or error}"
        _fail(what, "Check free space and rights, and run the command again: nothing half written was kept", as_json, debug)
    except Exception as error:  # the last resort: a person never meets a bare traceback
        where = traceback.extract_tb(error.__traceback__)[-1]
        _fail(f"{type(error).__name__}: {error} ({Path(where.filename).name}, line {where.lineno})", "See more with --debug", as_json, debug)
    _print(record, render, as_json)
    return record


def _print(record: object, render: Callable[[object], list[str]], as_json: bool) -> None:
    with contextlib.suppress(BrokenPipeError):
        if as_json:
            click.echo(json.dumps(plain(record), ensure_ascii=False, allow_nan=False))
            return
        for line in render(record):
            click.echo(line)
        following = getattr(record, "next", "")
        if following:
            click.echo(f"next: {following}")


def _fail(what: str, do: str, as_json: bool, debug: bool) -> None:
    if debug:
        traceback.print_exc()
    if as_json:
        click.echo(json.dumps({"error": {"what": what, "do": do}}, ensure_ascii=False))
    text = f"{what}. {do}" if do else what
    click.echo(f"Error: {' '.join(text.split())}", err=True)
    sys.exit(1)


def plain(value: object) -> object:
    """A record as JSON can hold it: NaN is null, paths and dates are text."""
    import dataclasses

    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, (str, bool, int)):
        return value
    return plain(value.item()) if hasattr(value, "item") else str(value)


def score(value: float | None, se: float | None = None) -> str:
    """A score as the competition shows it, with its standard error.

    >>> score(0.81234, 0.0041)
    '0.81234 ± 0.00410'
    """
    if value is None:
        return "-"
    digits = 2 if abs(value) >= 1000 else 5
    return f"{value:.{digits}f}" + (f" ± {se:.{digits}f}" if se is not None else "")


def table(titles: Sequence[str], rows: Sequence[Sequence[object]], width: int = WIDTH) -> list[str]:
    """Lines of a table that fits `width`: numbers to the right, the widest text column cut."""
    cells = [[_cell(value) for value in row] for row in rows]
    widths = [max(len(title), *(len(row[k]) for row in cells), 0) if cells else len(title) for k, title in enumerate(titles)]
    while sum(widths) + 2 * (len(widths) - 1) > width and max(widths) > 8:
        widths[widths.index(max(widths))] -= 1
    right = [bool(rows) and all(isinstance(row[k], (int, float)) or row[k] in (None, "", "-") or _numeric(cells[i][k])
                                for i, row in enumerate(rows)) for k in range(len(titles))]

    def line(row: Sequence[str]) -> str:
        parts = [_cut(cell, size).rjust(size) if to_right else _cut(cell, size).ljust(size)
                 for cell, size, to_right in zip(row, widths, right, strict=True)]
        return "  ".join(parts).rstrip()

    return [line(titles), line(["-" * size for size in widths]), *(line(row) for row in cells)]


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.5f}" if abs(value) < 1000 else f"{value:,.2f}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _numeric(cell: str) -> bool:
    return bool(cell) and cell[0] in "+-0123456789"


def _cut(cell: str, size: int) -> str:
    return cell if len(cell) <= size else cell[:size - 1] + "…"


def bullets(lines: Sequence[str], mark: str = "!") -> list[str]:
    """Remarks, one a line, wrapped."""
    return [line for text in lines for line in wrapped(f"{mark} {text}", indent="  ")]


def wrapped(text: str, indent: str = "") -> list[str]:
    """A sentence over lines of at most WIDTH."""
    import textwrap

    return textwrap.wrap(text, WIDTH, subsequent_indent=indent) or [""]
