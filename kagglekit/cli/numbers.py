"""Numbers on the command line: what is none is refused with the value and what to type."""

from typing import Any

import click


class Number(click.ParamType):
    """A number as click's own FLOAT and INT, told by an example where it is none."""

    def __init__(self, kind: type[int] | type[float], example: str) -> None:
        self.name = "integer" if kind is int else "float"
        self._kind, self._example = kind, example

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | float:
        """The number; fails as usage errors do."""
        try:
            return self._kind(value)
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is no {'whole ' if self._kind is int else ''}number. Write it as {self._example}", param, ctx)
