"""When a person's code fails: which line of theirs it was, a traceback that is kept, and a debugger that opens there."""

import os
import sys
import traceback
from pathlib import Path
from types import TracebackType

from kagglekit.errors import KKError
from kagglekit.store import write_text

OURS = Path(__file__).resolve().parents[1]
INSTALLED = ("site-packages", "dist-packages", os.path.dirname(os.__file__))


def failing_line(error: BaseException) -> traceback.FrameSummary | None:
    """The innermost line of the person's own code in an error's traceback, None where it holds none."""
    if isinstance(error, SyntaxError) and error.filename and is_theirs(error.filename):
        return traceback.FrameSummary(error.filename, error.lineno or 0, "", line=error.text or "")
    theirs = [frame for frame in traceback.extract_tb(error.__traceback__) if is_theirs(frame.filename)]
    return theirs[-1] if theirs else None


def is_theirs(filename: str) -> bool:
    """Whether a file is the person's: a notebook's cell, or neither of this package nor installed."""
    path = Path(filename)
    if "ipykernel" in filename or filename.startswith("<ipython"):
        return True
    return path.exists() and not path.resolve().is_relative_to(OURS) and not any(place in filename for place in INSTALLED) and path.name != "kk"


def explained(error: BaseException, model: str, keep: Path | None = None) -> KKError:
    """What a person should know of an exception in training `model`; the traceback is written to `keep`."""
    if keep is not None:
        write_text(keep, "".join(traceback.format_exception(error)))
    told = " ".join(f"{type(error).__name__}: {error}".split())
    where = f"; the whole traceback is in {_short(keep)}" if keep else ""
    if isinstance(error, MemoryError):
        return KKError(f"{model} asked for more memory than there is ({told})", f"Take fewer rows (--sample 0.1) or columns{where}")
    line = failing_line(error)
    if line is None:
        return KKError(f"{model} failed: {told}", f"Look at its parameters and features{where}")
    code = f": {line.line.strip()}" if line.line else ""
    return KKError(f"{Path(line.filename).name}:{line.lineno}{code} ({told})", f"Correct that line{where}, kk train --pdb stops there")


def post_mortem(error: BaseException) -> None:
    """Open the debugger at the person's failing line (at the innermost line where none is theirs)."""
    import pdb

    debugger = pdb.Pdb()
    debugger.reset()
    debugger.rcLines += ["up"] * _frames_below(error.__traceback__)
    print(f"{type(error).__name__}: {error}", file=sys.stderr)
    debugger.interaction(None, error.__traceback__)


def _frames_below(trace: TracebackType | None) -> int:
    """How many frames lie below the innermost one of the person's own code."""
    files = [frame.filename for frame in traceback.extract_tb(trace)]
    theirs = [number for number, name in enumerate(files) if is_theirs(name)]
    return len(files) - 1 - theirs[-1] if theirs else 0


def _short(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
