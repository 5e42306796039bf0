"""Notes of a guess: every field with its reason, what a person has said already, and what must be asked."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from kagglekit.errors import KKError
from kagglekit.registry import near_names

GIVEN = "you said so"
USUAL = re.compile(r"^(target|targets|label|labels|y|class|outcome|response|is_?fraud|answer|ground_?truth)$", re.IGNORECASE)  # a target's names


@dataclass(frozen=True, slots=True)
class Guess:
    """The guessed fields of a Competition with a reason each, and what could not be guessed."""

    fields: Mapping[str, object]
    why: Mapping[str, str]
    warnings: tuple[str, ...] = ()


@dataclass(slots=True)
class Notes:
    """What is found while guessing; `given` are fields that a person has said, and they win over any guess."""

    slug: str = "SLUG"
    given: Mapping[str, object] = field(default_factory=dict)
    fields: dict[str, object] = field(default_factory=dict)
    why: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def set(self, name: str, value: object, why: str) -> None:
        """Note a field and its reason."""
        known = self.given.get(name)
        if isinstance(known, str) and isinstance(value, tuple):
            known = (known,)
        self.fields[name], self.why[name] = (value, why) if known is None else (known, GIVEN)

    def said(self, name: str, known: Sequence[str], what: str) -> tuple[str, ...]:
        """The columns or files that a person said for a field; raises KKError, with near names, for one that is not there."""
        given = self.given.get(name) or ()
        wanted = (given,) if isinstance(given, str) else tuple(given)  # type: ignore[arg-type]
        for one in wanted:
            if one not in known:
                raise KKError(f"{what} has no {one!r}", f"{near_names(one, known)}It has: {listed(known, 12)}")
        return wanted

    def names(self, field_name: str) -> tuple[str, ...]:
        """The columns or files noted under a field."""
        value = self.fields.get(field_name, ())
        return (value,) if isinstance(value, str) and value else tuple(value or ())  # type: ignore[arg-type]

    def warn(self, text: str) -> None:
        """Say something that is odd."""
        if text not in self.warnings:
            self.warnings.append(text)

    def ask(self, name: str, what: str, answer: str) -> None:
        """Say what is not clear and the one flag, or the line of competition.toml, that settles it; nothing where it was said."""
        if self.given.get(name) is None:
            self.warn(f"{what}: say kk join {self.slug} {flag_of(name, answer)}, or write {line_of(name, answer)} in competition.toml")

    def guess(self) -> Guess:
        """All that was noted."""
        return Guess(dict(self.fields), dict(self.why), tuple(self.warnings))


def flag_of(name: str, answer: str) -> str:
    """The flag of kk join that sets a field.

    >>> flag_of("target", "price"), flag_of("greater_is_better", "true")
    ('--target price', '--direction higher')
    """
    if name == "greater_is_better":
        return f"--direction {'higher' if answer == 'true' else 'lower' if answer == 'false' else 'higher|lower'}"
    return f"--{name.replace('_', '-')} {answer}"


def line_of(name: str, answer: str) -> str:
    """The line of competition.toml that sets a field.

    >>> line_of("target", "price"), line_of("metric", "rmse")
    ('target = ["price"]', 'name = "rmse"')
    """
    if name in ("id", "target", "group"):
        return f'{name} = ["{answer}"]'
    if name == "greater_is_better":
        return f"greater_is_better = {answer if answer in ('true', 'false') else 'true (or false)'}"
    return f'{"name" if name == "metric" else name} = "{answer}"'


def listed(names: object, most: int = 4) -> str:
    """Names in a sentence, the first few of many.

    >>> listed(["a", "b", "c"], most=2)
    'a, b and 1 more'
    """
    every = [str(name) for name in names]  # type: ignore[attr-defined]
    return ", ".join(every[:most]) + (f" and {len(every) - most} more" if len(every) > most else "")
