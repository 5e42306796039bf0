"""Presets: default parameters and search spaces of models, one file configs/<name>.toml each; those of the workspace win over the shipped ones."""

import functools
import math
import tomllib
from collections.abc import Mapping
from pathlib import Path

from kagglekit.competition import find_workspace
from kagglekit.errors import KKError, UnknownName
from kagglekit.models.family import REGISTRY
from kagglekit.registry import near_names, normalise

PARTS = ("low", "high", "log", "choices", "when")
SHIPPED = Path(__file__).resolve().parent.parent


def known() -> tuple[str, ...]:
    """Names of all families and presets, shipped and of the workspace, sorted.

    >>> {"lgbm", "lgbm-dart", "linear"} <= set(known())
    True
    """
    found = {path.stem for folder in _folders() if folder.is_dir() for path in folder.glob("*.toml")}
    return tuple(sorted({*REGISTRY.names(), *(name for name in found if name in REGISTRY or "model" in _read(name))}))


def model_of(name: str) -> str:
    """The family behind a preset; a family itself. Raises KKError, with near names, where it is neither.

    >>> model_of("lgbm-dart"), model_of("ridge")
    ('lgbm', 'linear')
    """
    found = REGISTRY.get(name).name if name in REGISTRY else str(_read(_spelt(name)).get("model", ""))
    if found in REGISTRY:
        return found
    if found:
        raise KKError(f"configs/{name}.toml is of the model {found!r}, which is none", f'{near_names(found, REGISTRY.names())}Mend model = "..."')
    raise UnknownName(f"no model is called {name!r}", f"{near_names(name, known())}Known: {', '.join(known())}; yours: models/mine.py:fit_predict")


def proper(name: str) -> str:
    """The name of a family or preset as it is written, from any spelling of it: 'LGBM dart' is lgbm-dart.

    >>> proper("LGBM_dart"), proper("logistic")
    ('lgbm-dart', 'linear')
    """
    return model_of(name) if name in REGISTRY else _spelt(name)


def defaults(name: str) -> dict[str, object]:
    """Default parameters of a family or preset; empty for a model that has no file.

    >>> defaults("tree")
    {'max_depth': 4}
    """
    return dict(_read(_spelt(name)).get("defaults", {}))


def about(name: str) -> str:
    """One line on the family or preset, for tables; empty for a model that has no file."""
    return str(_read(_spelt(name)).get("about", ""))


def space(name: str) -> dict[str, dict]:
    """The search space of a family or preset: low and high (log), or choices, by parameter; `when` names what another must be.

    Raises KKError for a space that cannot be searched.

    >>> space("tree")["max_depth"]
    {'low': 2, 'high': 12}
    """
    found = {key: dict(entry) for key, entry in _read(_spelt(name)).get("space", {}).items()}
    for key, entry in found.items():
        odd = [part for part in entry if part not in PARTS]
        ranged = {"low", "high"} <= set(entry) and entry["low"] < entry["high"] and not (entry.get("log") and entry["low"] <= 0)
        if odd or ranged == bool(entry.get("choices")):
            raise KKError(f"configs/{name}.toml: the space of {key} is {entry}", "Write { low = 1, high = 50, log = true } or { choices = [1, 2] }")
        other = next((one for one in entry.get("when", {}) if one not in found), "")
        if other:
            raise KKError(f"configs/{name}.toml: {key} is searched when {other!r} has a value, which is not searched", f"Name one of {list(found)}")
    return found


def merged(name: str, given: Mapping[str, object], rounds: str = "") -> dict[str, object]:
    """Defaults with the given parameters over them, under the family's own names.

    `rounds` is the parameter that fixes the rounds of a model that grows: no preset does, only the person. Raises KKError for a
    parameter that is given twice under two names, and for rounds that are no whole number above 0.

    >>> merged("lgbm", {"num_iterations": 60}, "n_estimators")["n_estimators"]
    60
    """
    params = defaults(name)
    if rounds:
        params.pop(rounds, None)
    renames = REGISTRY.get(model_of(name)).renames if name in known() else {}
    own: dict[str, object] = {}
    for key, value in given.items():
        if renames.get(key, key) in own:
            raise KKError(f"{renames.get(key, key)} is given twice, once as {key}", "Give it once")
        own[renames.get(key, key)] = value
    return {**params, **own, **({rounds: whole(rounds, own[rounds])} if rounds and rounds in own else {})}


def whole(name: str, value: object, least: int = 1) -> int:
    """A parameter that counts something; raises KKError for anything but a whole number of at least `least`.

    >>> whole("n_estimators", 60.0)
    60
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value) or value != int(value) or value < least:
        raise KKError(f"{name} = {value!r} is no whole number of at least {least}", f"As in --set {name}=100")
    return int(value)


def _folders() -> list[Path]:
    workspace = find_workspace()
    return ([workspace / "configs"] if workspace else []) + [SHIPPED / "configs", SHIPPED.parent / "configs"]


def _path(name: str) -> Path | None:
    return next((path for folder in _folders() if (path := folder / f"{name}.toml").is_file()), None)


def _spelt(name: str) -> str:
    """A name as its file has it; families that have none and unknown names stay as they are."""
    if name in REGISTRY:
        return REGISTRY.get(name).name
    if _path(name):
        return name
    files = (path.stem for folder in _folders() if folder.is_dir() for path in sorted(folder.glob("*.toml")))
    return next((stem for stem in files if normalise(stem) == normalise(name)), name)


def _read(name: str) -> dict:
    path = _path(name)
    return _content(path, path.stat().st_mtime_ns) if path else {}


@functools.lru_cache(maxsize=64)
def _content(path: Path, stamp: int) -> dict:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise KKError(f"{path} cannot be read: {error}", "Mend that line") from error
    odd = [key for key in ("defaults", "space") if not isinstance(content.get(key, {}), dict)]
    if odd:
        raise KKError(f"{path}: {odd[0]} is no table", f"Write its parameters below a line [{odd[0]}]")
    return content
