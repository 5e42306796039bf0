"""Output: one way to run a verb and show its record: lines and tables for people, JSON for scripts, errors in one line."""

import contextlib
import errno
import json
import math
import os
import re
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

import click

from kagglekit.errors import KKError
from kagglekit.progress import listening

WIDTH = 80
HUGE = 1e9  # scores from here on are written with a power of ten


def run(call: Callable[[], object], render: Callable[[object], list[str]], *, as_json: bool, quiet: bool, debug: bool,
        follow: bool = True) -> None:
    """Call a verb and print its record; an error is one line and exit status 1 (130 for Ctrl-C). `follow`: the next step is the last line."""
    from kagglekit.cli.terminal import Terminal

    try:
        with listening(None if quiet else Terminal()):
            record = call()
        if record is not None:
            _print([json.dumps(plain(record), ensure_ascii=False, allow_nan=False)] if as_json else _lines(record, render, follow))
    except KeyboardInterrupt:
        _fail("stopped", "Run the same command to go on", as_json, debug, status=130)
    except BrokenPipeError:
        _leave_quietly()
    except KKError as error:
        known = getattr(error, "record", None)
        _fail(error.what, error.do, as_json, debug, beside=plain(known) if known is not None else None)
    except OSError as error:
        _fail(*_of_the_system(error), as_json, debug)
    except Exception as error:  # the last resort: a person never meets a bare traceback
        _fail(*_unforeseen(error), as_json, debug)


def _lines(record: object, render: Callable[[object], list[str]], follow: bool) -> list[str]:
    following = getattr(record, "next", "") if follow else ""
    return [*render(record), *([f"next: {following}"] if following else [])]


def _print(lines: Sequence[str]) -> None:
    for line in lines:
        click.echo(line)
    sys.stdout.flush()


def _leave_quietly() -> NoReturn:
    """Whoever read our output has gone (`kk runs | head -1`): no traceback, not even from the flush at exit."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(0)


def _of_the_system(error: OSError) -> tuple[str, str]:
    """What the operating system refused, and the way out."""
    way_out = {
        errno.ENOSPC: "Free some space and run the command again: nothing half written was kept",
        errno.EACCES: "Give yourself the right to it (ls -l shows who has it), or use another folder",
        errno.EROFS: "Use a folder that can be written",
        errno.ENOENT: "Check the path",
    }.get(error.errno or 0, "Run the same command to go on, with --debug to see more")
    return f"{error.filename or 'the output'}: {(error.strerror or str(error)).lower()}", way_out


def _unforeseen(error: Exception) -> tuple[str, str]:
    """An exception that nothing expected: the person's own code is named as theirs, the rest as ours."""
    from kagglekit.work.failure import failing_line

    theirs = failing_line(error)
    told = f"{type(error).__name__}: {error.msg if isinstance(error, SyntaxError) else error}"
    if theirs is not None and not theirs.filename.endswith("__main__.py"):
        name = Path(theirs.filename).name
        return f"{name}, line {theirs.lineno}: {told}", f"Correct {name}; the whole traceback comes with --debug"
    where = traceback.extract_tb(error.__traceback__)[-1]
    return f"internal error in {Path(where.filename).name}, line {where.lineno}: {told}", "Run again with --debug to see where"


def _fail(what: str, do: str, as_json: bool, debug: bool, *, status: int = 1, beside: object = None) -> NoReturn:
    if debug:
        traceback.print_exc()
    with contextlib.suppress(OSError):
        if as_json:
            known = beside if isinstance(beside, dict) else {}
            click.echo(json.dumps({**known, "error": {"what": what, "do": do}}, ensure_ascii=False))
        text = f"{what}. {do}" if do else what
        click.echo(f"Error: {' '.join(text.split())}", err=True)
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
    sys.exit(status)


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
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return plain(value.tolist()) if hasattr(value, "tolist") else str(value)


def score(value: float | None, se: float | None = None) -> str:
    """A score as the competition shows it, with its standard error.

    >>> score(0.81234, 0.0041), score(-0.000001)
    ('0.81234 ± 0.00410', '0.00000')
    >>> score(3.5e95, 5.3e94)
    '3.5e+95 ± 5.3e+94'
    """
    if value is None:
        return "-"
    if abs(value) >= HUGE:
        return f"{value:.4g}" + (f" ± {se:.2g}" if se is not None else "")
    digits = 2 if abs(value) >= 1000 else 5
    return f"{round(value, digits) + 0.0:.{digits}f}" + (f" ± {se:.{digits}f}" if se is not None else "")


def starred(value: float | None, borrowed: bool) -> str:
    """A public score, with a star where it was borrowed; the digits of both kinds stand below each other."""
    return score(value) + ("*" if borrowed else " ")


def table(titles: Sequence[str], rows: Sequence[Sequence[object]], width: int = WIDTH) -> list[str]:
    """Lines of a table that fits `width`: numbers to the right and whole, the widest columns of words cut."""
    cells = [[_cell(value) for value in row] for row in rows]
    columns = range(len(titles))
    widths = [max(len(titles[k]), *(len(row[k]) for row in cells), 0) for k in columns]
    right = [bool(rows) and all(_numeric(row[k]) for row in cells) for k in columns]
    words = [k for k in columns if not right[k]]
    while sum(widths) + 2 * (len(widths) - 1) > width:
        wide = max(words, key=lambda k: widths[k], default=None)
        if wide is None or widths[wide] <= 6:
            break
        widths[wide] -= 1

    def line(row: Sequence[str]) -> str:
        parts = [_cut(row[k], widths[k]).rjust(widths[k]) if right[k] else _cut(row[k], widths[k]).ljust(widths[k]) for k in columns]
        return "  ".join(parts).rstrip()

    return [line(titles), line(["-" * size for size in widths]), *(line(row) for row in cells)]


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{round(value, 5) + 0.0:.5f}" if abs(value) < 1000 else f"{value:,.2f}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _numeric(cell: str) -> bool:
    return cell.strip() in ("", "-") or bool(re.fullmatch(r"[+-]?[\d,]*\.?\d+(e[+-]?\d+)?( ± [\d.,]+)?[ *%]?", cell))


def _cut(cell: str, size: int) -> str:
    return cell if len(cell) <= size else cell[:size - 1] + "…"


def bullets(lines: Sequence[str], mark: str = "!") -> list[str]:
    """Remarks, one a line, wrapped."""
    return [line for text in lines for line in wrapped(f"{mark} {text}", indent="  ")]


def wrapped(text: str, indent: str = "") -> list[str]:
    """A sentence over lines of at most WIDTH."""
    import textwrap

    return textwrap.wrap(text, WIDTH, subsequent_indent=indent, break_on_hyphens=False, break_long_words=False) or [""]
