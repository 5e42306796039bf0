"""Options that commands share."""

from collections.abc import Callable

import click

competition = click.option("-c", "--competition", metavar="SLUG", help="The competition; else that of the folder, else the last joined.")


def output(function: Callable) -> Callable:
    """--json, --quiet and --debug."""
    function = click.option("--debug", is_flag=True, help="Show the traceback of an error.")(function)
    function = click.option("-q", "--quiet", is_flag=True, help="No progress and narration.")(function)
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")(function)


def parameters(ctx: click.Context, param: click.Parameter, given: tuple[str, ...]) -> dict[str, object]:
    """key=value pairs as numbers, truth values or text."""
    found: dict[str, object] = {}
    for pair in given:
        key, equals, text = pair.partition("=")
        if not equals or not key:
            raise click.BadParameter(f"{pair!r} is not key=value. Write it as --set {key or 'num_leaves'}=63")
        if key in found:
            raise click.BadParameter(f"{key} is given twice, as {found[key]} and as {text}. Give it once")
        found[key] = _value(text)
    return found


def _value(text: str) -> object:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return {"true": True, "false": False, "none": None}.get(text.lower(), text)
