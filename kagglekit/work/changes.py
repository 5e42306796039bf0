"""Changes: the person's files that a model uses, kept as they were when a check last worked, and what is different now."""

import difflib
import json
import sys
from collections.abc import Mapping
from pathlib import Path

from kagglekit.registry import is_path_reference
from kagglekit.store import Store, write_text
from kagglekit.work.failure import is_theirs

OWN = ("features.py", "metric.py", "competition.toml")
LINES = 40


def files_used(given: object, store: Store) -> dict[str, str]:
    """Text of the person's files by path: the model's, features.py, metric.py, competition.toml and modules loaded from the workspace."""
    paths = {store.folder / name for name in OWN}
    if isinstance(given, str) and is_path_reference(given):
        path = Path(given.rpartition(":")[0])
        paths.add(path if path.exists() else store.folder / path)
    root = store.folder.parent.parent
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if file and file.endswith(".py") and Path(file).is_relative_to(root) and is_theirs(file):
            paths.add(Path(file))
    found = {path.resolve() for path in paths if path.is_file()}
    return {_name(path, root): path.read_text(encoding="utf-8", errors="replace") for path in sorted(found)}


def differences(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """Sentences on the files that changed, and the changed lines themselves (at most LINES, `+` new and `-` old).

    >>> differences({"a.py": "x = 1\\n"}, {"a.py": "x = 2\\n"})
    (['a.py: 1 line new, 1 gone'], ['a.py', '- x = 1', '+ x = 2'])
    """
    told, lines = [], []
    for name in sorted({*before, *after}):
        old, new = before.get(name, ""), after.get(name, "")
        if old == new:
            continue
        changed = [line for line in list(difflib.unified_diff(old.splitlines(), new.splitlines(), n=0, lineterm=""))[2:] if line[:2] != "@@"]
        plus = sum(line.startswith("+") for line in changed)
        told.append(f"{name}: {plus} line{'s' * (plus != 1)} new, {len(changed) - plus} gone")
        lines += [name, *(f"{line[0]} {line[1:]}" for line in changed)]
    return told, lines if len(lines) <= LINES else [*lines[:LINES], f"... and {len(lines) - LINES} more lines"]


def last_check(store: Store) -> dict:
    """What was kept of the checks that worked: `last`, the model checked last, and `models`, the facts of each; empty before the first."""
    path = store.reports / "check.json"
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def keep_check(store: Store, name: str, facts: Mapping[str, object]) -> None:
    """Keep the facts of a check that worked."""
    known = last_check(store)
    content = {"last": name, "models": {**known.get("models", {}), name: dict(facts)}}
    write_text(store.reports / "check.json", json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def _name(path: Path, root: Path) -> str:
    return str(path.relative_to(root.resolve())) if path.is_relative_to(root.resolve()) else str(path)
