"""The house: imports go down only, heavy libraries are loaded where they are used, files stay readable."""

import ast
import functools
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "kagglekit"
FLOORS = {
    0: {"errors", "registry", "progress"},
    1: {"competition", "credentials", "refusal", "replies", "processes", "fold", "folds", "advice", "audit", "predictions", "run", "metrics",
        "constants", "splitters", "blenders", "kernels", "precision", "agreement", "noise", "correlation", "choice", "diversity", "marginal",
        "tables", "models", "checks"},
    2: {"store", "ledger", "remote", "practice"},
    3: {"work"},
    4: {"verbs", "testing"},
    5: {"cli", "__init__", "__main__"},
}
FLOOR = {room: floor for floor, rooms in FLOORS.items() for room in rooms}
# Beside each other: anything on floors 1 and 3 (without circles) and these.
# registry raises KKError, as all do; `python -m kagglekit` is the command.
SIDEWAYS = {("ledger", "store"), ("remote", "store"), ("practice", "store"), ("remote", "practice"), ("registry", "errors"),
            ("__main__", "cli")}
WITHOUT_NUMPY = {"competition", "credentials", "run", "store", "ledger", "remote"}
LIGHT = {"numpy", "pandas"}
ONLY_CLICK = {0: {"click"}, 5: {"click"}}
SQL = re.compile(r"\s*(SELECT\b.+\bFROM\b|INSERT (OR \w+ )?INTO\b|UPDATE \w+ SET\b|DELETE FROM\b"
                 r"|(CREATE|ALTER|DROP) (TABLE|INDEX)\b|PRAGMA\b)", re.DOTALL)
Node = ast.AST


def module_name(path: Path) -> str:
    """kagglekit.work.fit of kagglekit/work/fit.py; a package is named by its folder."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}
every_module = pytest.mark.parametrize("module", MODULES)


def room_of(module: str) -> str:
    """The package or single file on a floor; the face of kagglekit is the room __init__."""
    return [*module.split("."), "__init__"][1]


def nodes(node: Node, at_top: bool = True) -> Iterator[tuple[Node, bool]]:
    """Every node and whether it runs at import: class bodies, if and try do, functions and what is for type checkers do not."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
            for other in child.orelse:
                yield other, at_top
                yield from nodes(other, at_top)
            continue
        yield child, at_top
        yield from nodes(child, at_top and not isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)))


def imports(module: str, source: str) -> Iterator[tuple[str, bool]]:
    """(full name, whether at import) of all that a module imports, by statement, relatively or by import_module("name")."""
    path = MODULES.get(module)
    package = module if path and path.name == "__init__.py" else module.rpartition(".")[0]
    for node, at_top in nodes(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, at_top) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*parents, *([node.module] if node.module else [])])
            yield from ((f"{base}.{alias.name}", at_top) for alias in node.names)
        elif isinstance(node, ast.Call) and _called(node) in ("import_module", "__import__") and node.args:
            literal = node.args[0].values[0] if isinstance(node.args[0], ast.JoinedStr) else node.args[0]
            if isinstance(literal, ast.Constant) and isinstance(literal.value, str):
                yield literal.value, at_top


def _called(call: ast.Call) -> str:
    return getattr(call.func, "attr", getattr(call.func, "id", ""))


def violations(module: str, source: str) -> list[str]:
    """What in a module breaks the house's rules."""
    found, room = [], room_of(module)
    for name, at_top in imports(module, source):
        top = name.split(".")[0]
        if top == "kagglekit":
            found += _inside(module, name)
        elif at_top and top not in sys.stdlib_module_names:
            allowed = ONLY_CLICK.get(FLOOR[room], set() if room in WITHOUT_NUMPY else LIGHT)
            found += [] if top in allowed else [f"{module} imports {top} at its top"]
        if top in ("kaggle", "kagglesdk") and room != "remote":
            found.append(f"{module} imports {top}: only remote may")
        if top == "sqlite3" and room not in ("ledger", "practice"):
            found.append(f"{module} imports sqlite3: only ledger (and the arena) may")
    if room not in ("ledger", "practice"):
        constants = [node.value for node, _ in nodes(ast.parse(source)) if isinstance(node, ast.Constant)]
        found += [f"{module} has SQL: {text[:40]!r}" for text in constants if isinstance(text, str) and SQL.match(text)]
    return found


def _inside(module: str, name: str) -> list[str]:
    room, other = room_of(module), room_of(name)
    if room == "__init__" or name == "kagglekit.__version__":
        return []
    if other not in FLOOR:  # kagglekit.join: a name of the notebook face
        other = "__init__"
    if other == room:
        verb_to_verb = room == "verbs" and len(name.split(".")) > 2 and not name.startswith(module + ".")
        return [f"{module} imports the verb {name}"] if verb_to_verb else []
    if other == "testing" or FLOOR[other] > FLOOR[room]:
        return [f"{module} (floor {FLOOR[room]}) imports {name} (floor {FLOOR[other]})"]
    if FLOOR[other] == FLOOR[room] and FLOOR[room] not in (1, 3) and (room, other) not in SIDEWAYS:
        return [f"{module} imports {name} beside it"]
    return []


def resolved(name: str) -> str:
    """The module that holds a name: kagglekit.work.fit of kagglekit.work.fit.fit_folds."""
    while name not in MODULES and "." in name:
        name = name.rpartition(".")[0]
    return name


@functools.cache
def graph(only_at_top: bool) -> dict[str, set[str]]:
    """Which module imports which."""
    edges = {}
    for module, path in MODULES.items():
        names = [name for name, at_top in imports(module, path.read_text(encoding="utf-8")) if at_top or not only_at_top]
        edges[module] = {resolved(name) for name in names if name.startswith("kagglekit.")} - {module, "kagglekit"}
    return edges


def reached(edges: dict[str, set[str]], start: str) -> set[str]:
    """All that can be reached from a node in one step or more."""
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        new = edges.get(waiting.pop(), set()) - seen
        seen |= new
        waiting += new
    return seen


def circles(edges: dict[str, set[str]]) -> list[str]:
    """The nodes from which one comes back."""
    return sorted(node for node in edges if node in reached(edges, node))


@every_module
def test_imports_go_down_only(module: str) -> None:
    assert violations(module, MODULES[module].read_text(encoding="utf-8")) == []


def test_every_module_has_a_floor() -> None:
    assert len(MODULES) > 50
    assert {room_of(module) for module in MODULES} <= set(FLOOR)


def test_modules_do_not_import_each_other_in_a_circle() -> None:
    assert circles(graph(only_at_top=True)) == []


def test_neither_rooms_nor_the_files_of_work_depend_on_each_other_in_a_circle() -> None:
    rooms: dict[str, set[str]] = {}
    for module, others in graph(only_at_top=False).items():
        unit, units = _unit(module), {_unit(other) for other in others}
        rooms.setdefault(unit, set()).update(units - {unit})
    assert circles(rooms) == []


def _unit(module: str) -> str:
    return module if room_of(module) == "work" else room_of(module)


@pytest.mark.parametrize("room", sorted(WITHOUT_NUMPY))
def test_what_status_needs_loads_no_numpy_through_others_either(room: str) -> None:
    edges = graph(only_at_top=True)
    for module in {f"kagglekit.{room}", *reached(edges, f"kagglekit.{room}")}:
        tops = {name.split(".")[0] for name, at_top in imports(module, MODULES[module].read_text(encoding="utf-8")) if at_top}
        assert not tops & LIGHT, module


@every_module
def test_files_stay_under_400_lines_and_say_what_they_are(module: str) -> None:
    text = MODULES[module].read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 400
    assert not text or ast.get_docstring(ast.parse(text))


@pytest.mark.parametrize(("module", "source"), [
    ("metrics", "from kagglekit.work.fit import fit"),
    ("metrics", "import sys\nif sys.argv:\n    import scipy"),
    ("work.fit", "import sklearn"),
    ("work.fit", "class Fit:\n    import sklearn"),
    ("work.fit", "def f():\n    import kagglesdk"),
    ("work.fit", "def f():\n    from ..verbs import join"),
    ("work.fit", "import importlib\ndef f():\n    importlib.import_module('kagglekit.verbs.join')"),
    ("work.fit", "import kagglekit as kk"),
    ("work.fit", "import sqlite3"),
    ("work.fit", "QUERY = 'SELECT name FROM runs'"),
    ("work.fit", "def f(table):\n    return f'UPDATE runs SET score = {table}'"),
    ("store", "import numpy"),
    ("store", "try:\n    import numpy\nexcept ImportError:\n    numpy = None"),
    ("ledger", "from kagglekit.remote import connect"),
    ("practice.app", "from kagglekit.remote import connect"),
    ("errors", "import kagglekit.registry"),
    ("registry", "import numpy"),
    ("verbs.train", "from kagglekit.verbs.join import join"),
    ("verbs.train", "from kagglekit.verbs import join"),
    ("verbs.train", "def f():\n    from .join import join"),
    ("verbs.train", "def f():\n    from kagglekit import join"),
    ("verbs.train", "from kagglekit.testing import example"),
    ("cli.train", "def f():\n    from kagglekit.testing import example"),
    ("cli.train", "import pandas"),
])
def test_the_checker_sees_violations(module: str, source: str) -> None:
    assert len(violations(f"kagglekit.{module}", source)) == 1


@pytest.mark.parametrize(("module", "source"), [
    ("work.fit", "import numpy\nfrom kagglekit.work import clock\ndef f():\n    import sklearn"),
    ("work.fit", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import sklearn\n    from kagglekit.verbs import join"),
    ("remote", "def f():\n    import kagglesdk\n    from kagglekit.practice.server import Embedded"),
    ("ledger", "import sqlite3\nQUERY = 'SELECT name FROM runs'"),
    ("cli.train", "import click\nfrom kagglekit import __version__\ndef f():\n    from kagglekit.verbs.train import train"),
    ("testing", "import numpy\nfrom kagglekit.models.family import Model"),
])
def test_the_checker_lets_pass_what_is_allowed(module: str, source: str) -> None:
    assert violations(f"kagglekit.{module}", source) == []


def test_the_circle_finder_finds_circles() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == ["a", "b", "c"]
