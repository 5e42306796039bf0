"""Registries of parts: a decorator, entry points, "path.py:name", and a near name when none fits."""

import difflib
import importlib
import importlib.metadata
import importlib.util
import pkgutil
import sys
import traceback
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Generic, TypeVar

from kagglekit.errors import KKError, UnknownName

Part = TypeVar("Part")


class Registry(Generic[Part]):
    """Parts of one kind by name.

    `make` turns `name, function, **facts` of the decorator into the record that is handed out; `home` is the module or
    package whose import registers the parts that come with the product; `group` is the entry-point group in which other
    packages announce theirs.

    >>> shapes = Registry("shape", make=lambda name, function: (name, function), home="math", group="none")
    >>> @shapes.register("square")
    ... def square(side):
    ...     return side * side
    >>> shapes.names()
    ['square']
    """

    def __init__(self, kind: str, *, make: Callable[..., Part], home: str, group: str) -> None:
        self.kind = kind
        self._make = make
        self._home = home
        self._group = group
        self._parts: dict[str, Part] = {}
        self._aliases: dict[str, str] = {}
        self._loaded = False

    def register(self, name: str, *, aliases: Iterable[str] = (), **facts: object) -> Callable[[Callable], Callable]:
        """Announce the decorated function (or class) as the part called `name`."""

        def decorate(function: Callable) -> Callable:
            known = self._parts.get(name)
            if known is not None:
                raise KKError(f"two {self.kind}s are called {name!r}", "Give one of them another name")
            self._parts[name] = self._make(name=name, function=function, **facts)
            for alias in (name, *aliases):
                self._aliases[normalise(alias)] = name
            return function

        return decorate

    def get(self, name: str) -> Part:
        """The part called `name` (any spelling of its name or of an alias); raises UnknownName with near names."""
        self._load()
        found = self._aliases.get(normalise(name))
        if found is None:
            near = near_names(name, self.names())
            raise UnknownName(f"no {self.kind} is called {name!r}", f"{near}Known: {', '.join(self.names())}")
        return self._parts[found]

    def __contains__(self, name: str) -> bool:
        self._load()
        return normalise(name) in self._aliases

    def names(self) -> list[str]:
        """Names of all parts, sorted."""
        self._load()
        return sorted(self._parts)

    def _load(self) -> None:
        if self._loaded:
            return
        self._loaded = True
        module = importlib.import_module(self._home)
        for found in pkgutil.iter_modules(getattr(module, "__path__", [])):
            importlib.import_module(f"{self._home}.{found.name}")
        for point in importlib.metadata.entry_points(group=self._group):
            point.load()


def normalise(name: str) -> str:
    """Lower case without anything but letters and digits, so that 'Log Loss' and 'log-loss' are one name."""
    return "".join(letter for letter in name.lower() if letter.isalnum())


def near_names(name: str, names: Iterable[str], verb: str = "Did you mean") -> str:
    """The sentence 'Did you mean a or b? ' or nothing; for the end of an error."""
    near = difflib.get_close_matches(name.lower(), list(names), n=3, cutoff=0.5)
    return f"{verb} {' or '.join(near)}? " if near else ""


def is_path_reference(text: str) -> bool:
    """Whether `text` has the form path.py:name."""
    path, colon, name = text.rpartition(":")
    return bool(colon) and path.endswith(".py") and name.isidentifier()


def load_reference(text: str, folder: Path | None = None) -> object:
    """The object that 'path.py:name' names; the path is relative to the cwd or, failing that, to `folder`.

    The file may import others that lie beside it. It is read anew each time. Raises KKError, with file and line, where it cannot be run.
    """
    path_text, _, name = text.rpartition(":")
    path = Path(path_text)
    if not path.exists() and folder is not None:
        path = folder / path_text
    if not path.is_file():
        raise KKError(f"no file {path_text}", "Give the path from here, as in models/mine.py:fit_predict")
    module = _run(path.resolve(), path_text)
    if not hasattr(module, name):
        public = [key for key in vars(module) if not key.startswith("_")]
        raise KKError(f"{path_text} has no {name!r}", f"{near_names(name, public)}It defines: {', '.join(public[:8])}")
    return getattr(module, name)


@contextmanager
def loading_from(folder: Path) -> Iterator[None]:
    """Imports look into `folder` first while the block runs, and leave no compiled files that could be stale."""
    place, wrote = str(folder.resolve()), sys.dont_write_bytecode
    sys.path.insert(0, place)
    sys.dont_write_bytecode = True
    try:
        yield
    finally:
        sys.dont_write_bytecode = wrote
        if place in sys.path:
            sys.path.remove(place)


def _run(path: Path, shown: str) -> ModuleType:
    """A file as a module of its own, registered under its name as decorators and pickles expect it."""
    name = f"kk_user_{path.stem}_{zlib.crc32(str(path).encode()):08x}"
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    forget_neighbours(path.parent)
    sys.modules[name] = module
    try:
        with loading_from(path.parent):
            exec(compile(path.read_bytes(), str(path), "exec"), vars(module))
    except KKError:
        raise
    except SyntaxError as error:
        where = Path(error.filename).name if error.filename and error.filename != str(path) else shown
        raise KKError(f"{where}:{error.lineno}: {(error.text or '').strip()} ({error.msg})", "Correct that line") from error
    except Exception as error:
        line = next((frame.lineno for frame in reversed(traceback.extract_tb(error.__traceback__)) if frame.filename == str(path)), "?")
        raise KKError(f"{shown}:{line} ({type(error).__name__}: {' '.join(str(error).split())})", "Correct that line") from error
    _FOLDERS.add(path.parent)
    return module


def forget_neighbours(folder: Path) -> None:
    """Let go of modules that have the names of files in a person's folder: these may have changed, and two folders may hold one name."""
    stems = {path.stem for path in folder.glob("*.py")}
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if name in stems and file and (Path(file).parent in _FOLDERS or Path(file).parent == folder):
            del sys.modules[name]
    importlib.invalidate_caches()


_FOLDERS: set[Path] = set()  # folders of persons' files that were loaded
