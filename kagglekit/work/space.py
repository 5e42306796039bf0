"""Search spaces: which parameters a search may change, within what, and when; from a preset or a person's TOML file."""

import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from kagglekit.errors import KKError
from kagglekit.registry import near_names

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.trial import Trial

FORM = "Write { low = 1, high = 50, log = true } or { choices = [1, 2] }, and when = { other = 1 } where it needs another's value"
PARTS = {"low", "high", "log", "choices", "when"}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a space: a range (whole numbers on both sides: integers), or choices; `when` says what others must be."""

    name: str
    low: float | None = None
    high: float | None = None
    log: bool = False
    choices: tuple[object, ...] = ()
    when: Mapping[str, tuple[object, ...]] = field(default_factory=dict)

    @property
    def whole(self) -> bool:
        """Whether it takes integers only."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    def holds(self, value: object) -> bool:
        """Whether the space has this value.

        >>> Parameter("depth", 2, 12).holds(4), Parameter("depth", 2, 12).holds(0), Parameter("kind", choices=("a", "b")).holds("b")
        (True, False, True)
        """
        if self.choices:
            return any(_same(one, value) for one in self.choices)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or self.low is None or self.high is None:
            return False
        return self.low <= value <= self.high and (not self.whole or value == int(value))

    def active(self, others: Mapping[str, object]) -> bool:
        """Whether it counts, given what the other parameters are.

        >>> Parameter("drop_rate", 0.0, 0.5, when={"boosting": ("dart",)}).active({"boosting": "gbdt"})
        False
        """
        return all(any(_same(one, others.get(name)) for one in allowed) for name, allowed in self.when.items())

    def distribution(self) -> "BaseDistribution":
        """Optuna's word for it."""
        from optuna import distributions

        if self.choices:
            return distributions.CategoricalDistribution(self.choices)  # type: ignore[arg-type]
        assert self.low is not None and self.high is not None
        if self.whole:
            return distributions.IntDistribution(int(self.low), int(self.high), log=self.log)
        return distributions.FloatDistribution(float(self.low), float(self.high), log=self.log)


def _same(one: object, other: object) -> bool:
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def space_of(entries: Mapping[str, Mapping], fixed: Mapping[str, object], where: str,
             renames: Mapping[str, str] | None = None) -> tuple[Parameter, ...]:
    """The parameters to search, each after those that it depends on; those that are `fixed` (--set) are left out.

    `renames` are other names of parameters, which conditions may use.

    Raises KKError for entries that are no range and no choices, conditions on what is unknown or goes in a circle, and where nothing is
    left to search. `where` names the file for these.

    >>> [one.name for one in space_of({"rate": {"low": 0.1, "high": 0.5, "when": {"kind": "b"}}, "kind": {"choices": ["a", "b"]}}, {}, "x.toml")]
    ['kind', 'rate']
    """
    found = {name: _parameter(name, entry, where, renames or {}) for name, entry in entries.items()}
    for one in found.values():
        unknown = [name for name in one.when if name not in found and name not in fixed]
        if unknown:
            raise KKError(f"{where}: {one.name} is searched when {unknown[0]!r} has a value, which is neither searched nor set",
                          f"{near_names(unknown[0], found)}Name one of: {', '.join(found)}")
    ordered: list[Parameter] = []
    while len(ordered) < len(found):
        placed = {one.name for one in ordered}
        ready = [one for one in found.values() if one.name not in placed and all(name in placed or name not in found for name in one.when)]
        if not ready:
            raise KKError(f"{where}: the conditions of {', '.join(name for name in found if name not in placed)} go in a circle", "Remove one `when`")
        ordered += ready
    left = tuple(one for one in ordered if one.name not in fixed)
    if not left:
        known = f"; all of {', '.join(found)} are set" if found else ""
        raise KKError(f"{where} has no parameter to search{known}", "Write them under [space] there, or in a file of your own: --space space.toml")
    return left


def read_space(path: Path) -> dict[str, dict]:
    """The [space] of a TOML file, or the whole file where it has no such table. Raises KKError where it cannot be read."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        told = error.strerror if isinstance(error, OSError) else str(error)
        raise KKError(f"{path} cannot be read: {told}", "Give a TOML file with a table [space]: --space space.toml") from error
    entries = content.get("space", content)
    odd = [name for name, entry in entries.items() if not isinstance(entry, dict)] if isinstance(entries, dict) else ["space"]
    if odd:
        raise KKError(f"{path}: {odd[0]} is no range and no choices", FORM)
    return entries


def _parameter(name: str, entry: Mapping, where: str, renames: Mapping[str, str]) -> Parameter:
    odd = sorted(set(entry) - PARTS)
    if odd:
        raise KKError(f"{where}: {name} has {odd[0]!r}, which the space of a parameter does not know", f"{near_names(odd[0], PARTS)}{FORM}")
    choices, low, high, log = entry.get("choices"), entry.get("low"), entry.get("high"), bool(entry.get("log"))
    when = entry.get("when", {})
    if not isinstance(when, dict):
        raise KKError(f"{where}: {name} has when = {when!r}", FORM)
    conditions = {renames.get(other, other): tuple(value) if isinstance(value, list) else (value,) for other, value in when.items()}
    if choices is not None:
        return Parameter(name, choices=_checked(name, choices, entry, where), when=conditions)
    if not all(isinstance(edge, (int, float)) and not isinstance(edge, bool) and math.isfinite(edge) for edge in (low, high)):
        raise KKError(f"{where}: {name} has low = {low!r} and high = {high!r}", FORM)
    if low >= high or (log and low <= 0):  # type: ignore[operator]
        raise KKError(f"{where}: {name} goes from {low} to {high}{' on a log scale' if log else ''}", "Give low below high, above 0 where log = true")
    return Parameter(name, low, high, log, when=conditions)


def _checked(name: str, choices: object, entry: Mapping, where: str) -> tuple[object, ...]:
    if not isinstance(choices, list) or not choices or {"low", "high", "log"} & set(entry):
        raise KKError(f"{where}: {name} has choices = {choices!r}" + (" and a range" if {"low", "high", "log"} & set(entry) else ""), FORM)
    if not all(isinstance(one, (str, int, float, bool)) for one in choices):
        raise KKError(f"{where}: {name} has choices that are no text, number or truth value", FORM)
    return tuple(choices)


def suggested(trial: "Trial", space: Sequence[Parameter], fixed: Mapping[str, object]) -> dict[str, object]:
    """Values for a trial of Optuna's, drawn by its sampler: those of the parameters that are active, given the others and what is fixed."""
    values: dict[str, object] = {}
    for one in space:
        if one.active({**fixed, **values}):
            values[one.name] = _suggest(trial, one)
    return values


def _suggest(trial: "Trial", one: Parameter) -> object:
    if one.choices:
        return trial.suggest_categorical(one.name, one.choices)  # type: ignore[type-var]
    assert one.low is not None and one.high is not None
    if one.whole:
        return trial.suggest_int(one.name, int(one.low), int(one.high), log=one.log)
    return trial.suggest_float(one.name, float(one.low), float(one.high), log=one.log)


def told_as_default(trial: "Trial", space: Sequence[Parameter], defaults: Mapping[str, object]) -> None:
    """Tell the sampler where the defaults lie, as far as the space has them; a default outside of it stays unsaid."""
    for one in space:
        if one.name in defaults and one.holds(defaults[one.name]) and one.active(defaults):
            _suggest(trial, one)
