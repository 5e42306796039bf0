"""The person's features.py: which sets it defines, a hash of its code, and calls whose errors name file and line."""

import ast
import contextlib
import hashlib
import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

from kagglekit.errors import KKError
from kagglekit.registry import forget_neighbours

FILE = "features.py"
USUAL = ("features", "extra")  # sets that are taken without being asked for


@dataclass(frozen=True, slots=True)
class Set:
    """A named set: kind table for features(train, test), fold for features(fold), extra for extra(fold)."""

    name: str
    kind: str
    function: Callable

    @property
    def place(self) -> str:
        """How errors call it."""
        return f"{self.name} in {FILE}"


@dataclass(frozen=True, slots=True)
class Code:
    """A features.py: its sets by name, and the hash of its text and of the person's own modules that it imports.

    `others` are its public functions that are no sets, as written: their parameters are others.
    """

    folder: Path
    sets: Mapping[str, Set]
    sha256: str = ""
    others: Mapping[str, str] = field(default_factory=dict)

    def call(self, one: Set, *given: object) -> object:
        """What the set's function gives; an error in it becomes a KKError that names the line."""
        with _told(self.folder, one.name), _importing_from(self.folder):
            return one.function(*given)


def read_code(folder: Path) -> Code:
    """The features.py in `folder`; without sets where there is none. Raises KKError where it cannot be imported.

    A set is a public function of the file whose parameters are (train, test), or fold alone; raises KKError for `features` and
    `extra` with any others.
    """
    path = folder / FILE
    if not path.exists():
        return Code(folder, {})
    texts = _texts(folder, path)
    with _told(folder, "its import"), _importing_from(folder):
        module = _imported(path)
    own = [(name, value) for name, value in vars(module).items() if inspect.isfunction(value) and value.__module__ == module.__name__]
    sets = {name: Set(name, kind, function) for name, function in own if not name.startswith("_") and (kind := _kind(name, function))}
    if "raw" in sets:
        raise KKError(f"{path} defines raw, which is the name of the raw columns", "Give the function another name")
    others = {name: f"{FILE}:{function.__code__.co_firstlineno}: {name}{inspect.signature(function)}" for name, function in own
              if not name.startswith("_") and name not in sets}
    for name in USUAL:
        if name in others:
            raise not_a_set(name, others[name])
    return Code(folder, sets, hashlib.sha256("\0".join(texts).encode()).hexdigest()[:12], others)


def not_a_set(name: str, written: str) -> KKError:
    """What is wrong with a function that was meant as a set, and how it is to be written."""
    allowed = "def extra(fold)" if name == "extra" else f"def {name}(train, test), or def {name}(fold)"
    return KKError(f"{written} is no set of features: its parameters are others", f"Write {allowed}; more parameters need a default")


def _kind(name: str, function: Callable) -> str:
    needed = [one.name for one in inspect.signature(function).parameters.values() if one.default is one.empty]
    if name == "extra":
        return "extra" if needed == ["fold"] else ""
    return {("fold",): "fold", ("train", "test"): "table"}.get(tuple(needed), "")


def _texts(folder: Path, path: Path) -> list[str]:
    """The text of features.py and of what it imports from its own folder, directly or not."""
    waiting, seen = [path], {}
    while waiting:
        file = waiting.pop()
        if file in seen or not file.is_file():
            continue
        seen[file] = text = file.read_text(encoding="utf-8")
        with contextlib.suppress(SyntaxError):  # the import tells of it
            for name in _imports(ast.parse(text)):
                stem = folder.joinpath(*name.split("."))
                waiting += [stem.with_suffix(".py"), stem / "__init__.py"]
    return [f"{file.relative_to(folder)}\n{seen[file]}" for file in sorted(seen)]


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _imported(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("kk_user_features", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), vars(module))  # not from a .pyc that is as old as the second
    return module


@contextlib.contextmanager
def _importing_from(folder: Path) -> Iterator[None]:
    """The folder's own modules can be imported, as they are now."""
    sys.path.insert(0, str(folder))
    forget_neighbours(folder)
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        for name, module in list(sys.modules.items()):
            file = getattr(module, "__file__", None)
            if file and Path(file).is_relative_to(folder) and "site-packages" not in file:
                del sys.modules[name]


@contextlib.contextmanager
def _told(folder: Path, what: str) -> Iterator[None]:
    try:
        yield
    except KKError:
        raise
    except Exception as error:
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(folder / FILE)]
        line = error.lineno if isinstance(error, SyntaxError) and error.filename == str(folder / FILE) else lines[-1] if lines else 0
        said = str(error) if isinstance(error, SyntaxError) else f"{type(error).__name__}: {error}"
        raise KKError(f"{FILE}:{line}: {what}: {said}", f"Mend line {line} of {folder / FILE}") from error
