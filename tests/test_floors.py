"""The house: imports go down only, heavy libraries are loaded where they are used, files stay readable."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "kagglekit"
FLOORS = {
    0: {"errors", "registry", "progress"},
    1: {"competition", "credentials", "folds", "predictions", "run", "metrics", "constants", "splitters", "blenders", "greedy", "agreement",
        "noise", "correlation", "choice", "diversity", "tables", "models", "checks"},
    2: {"store", "ledger", "remote", "practice"},
    3: {"work"},
    4: {"verbs"},
    5: {"cli", "__init__", "__main__", "testing"},
}
FLOOR = {room: floor for floor, rooms in FLOORS.items() for room in rooms}
SIDEWAYS_IN_F2 = {("ledger", "store"), ("remote", "store"), ("practice", "store"), ("remote", "practice")}
WITHOUT_NUMPY = {"competition", "credentials", "run", "store", "ledger", "remote"}
LIGHT = {"numpy", "pandas"}
FOREIGN = {0: {"click"}, 5: {"click"}}


def modules() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if path.name != "testing.py")


def room_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return parts[0]


def imports(source: str) -> Iterator[tuple[str, bool]]:
    """(module, whether at the module's top) of every import; those under TYPE_CHECKING are for editors only."""
    tree = ast.parse(source)
    top = set()
    for node in tree.body:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            for inner in ast.walk(node):
                top.discard(inner)
            continue
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            top.add(node)
    checking = {inner for node in ast.walk(tree) if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test) for inner in ast.walk(node)}
    for node in ast.walk(tree):
        if node in checking:
            continue
        if isinstance(node, ast.Import):
            yield from ((alias.name, node in top) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module, node in top
            if node.module == "kagglekit":
                yield from ((f"kagglekit.{alias.name}", node in top) for alias in node.names)


def violations(room: str, source: str, file: str = "") -> list[str]:
    """What in a file breaks the house's rules."""
    found, floor = [], FLOOR[room]
    for name, at_top in imports(source):
        parts = name.split(".")
        if parts[0] == "kagglekit":
            if len(parts) > 1:
                found += _inside(room, parts, file)
        elif at_top and parts[0] not in sys.stdlib_module_names:
            allowed = FOREIGN.get(floor, set() if room in WITHOUT_NUMPY else LIGHT)
            if parts[0] not in allowed:
                found.append(f"{room} imports {parts[0]} at its top")
        if parts[0] in ("kaggle", "kagglesdk") and room != "remote":
            found.append(f"{room} imports {parts[0]}: only remote may")
        if parts[0] == "sqlite3" and room not in ("ledger", "practice"):
            found.append(f"{room} speaks SQL: only ledger (and the arena) may")
    return found


def _inside(room: str, parts: list[str], file: str) -> list[str]:
    other = parts[1]
    if other not in FLOOR:  # a name of the package itself, such as __version__
        return []
    if other == room:
        verb_to_verb = room == "verbs" and len(parts) > 2
        return [f"verb {file} imports the verb {parts[2]}"] if verb_to_verb else []
    if room in ("__init__", "__main__"):
        return []
    if FLOOR[other] > FLOOR[room]:
        return [f"{room} (floor {FLOOR[room]}) imports {other} (floor {FLOOR[other]}) above it"]
    if FLOOR[other] == FLOOR[room] == 2 and (room, other) not in SIDEWAYS_IN_F2:
        return [f"{room} imports {other} beside it"]
    return []


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_down_only(path: Path) -> None:
    assert violations(room_of(path), path.read_text(encoding="utf-8"), path.stem) == []


def test_the_checker_sees_violations() -> None:
    assert violations("metrics", "from kagglekit.work.fit import fit")
    assert violations("work", "import sklearn")
    assert violations("store", "import numpy")
    assert violations("verbs", "from kagglekit.verbs.join import join", "train")
    assert violations("ledger", "from kagglekit.remote import connect")
    assert violations("work", "def f():\n    import kagglesdk")
    assert not violations("work", "def f():\n    import sklearn")


def test_every_module_has_a_floor() -> None:
    assert {room_of(path) for path in modules()} - {"testing"} <= set(FLOOR)


def test_there_are_no_circles_inside_a_floor() -> None:
    edges: dict[str, set[str]] = {}
    for path in modules():
        name = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
        edges[name] = {module for module, at_top in imports(path.read_text(encoding="utf-8")) if at_top and module.startswith("kagglekit.")}

    def reaches(start: str, goal: str, seen: set[str]) -> bool:
        following = edges.get(start, set()) - seen
        seen |= following
        return goal in following or any(reaches(one, goal, seen) for one in following)

    assert [name for name in edges if reaches(name, name, set())] == []


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_files_stay_under_400_lines_and_say_what_they_are(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 400
    assert not text or ast.get_docstring(ast.parse(text))
