"""One implementation, two faces: every command's options are the parameters of the Python function of the same name."""

import importlib
import inspect
import keyword
import pkgutil

import click
import pytest

import kagglekit
from kagglekit import verbs
from kagglekit.cli import COMMANDS, main

FACE = {"as_json", "as_csv", "quiet", "debug"}
# The command line cannot hold a callback; a run is named run_name there, since `run` is what shows it.
PYTHON_ONLY = {"arena_serve": {"on_ready"}}
RENAMED = {"run_name": "run"}


def commands() -> list[tuple[str, click.Command]]:
    """(Python name, command) of every command, sub-commands as arena_create."""
    found = []
    for name in COMMANDS:
        command = main.get_command(click.Context(main), name)
        assert command is not None
        if isinstance(command, click.Group):
            found += [(f"{name}_{sub}".replace("-", "_"), one) for sub, one in command.commands.items()]
        if isinstance(command, click.Group) and not command.invoke_without_command:
            continue
        if name != "demo":
            found.append((name.replace("-", "_"), command))
    return found


ALL = commands()


@pytest.mark.parametrize(("name", "command"), ALL, ids=[name for name, _ in ALL])
def test_command_and_function_have_the_same_parameters(name: str, command: click.Command) -> None:
    function = getattr(kagglekit, name)
    parameters = set(inspect.signature(function).parameters) - PYTHON_ONLY.get(name, set())
    options = {RENAMED.get(str(param.name), str(param.name)) for param in command.params} - FACE - {"help"}
    assert options == parameters


@pytest.mark.parametrize(("name", "command"), ALL, ids=[name for name, _ in ALL])
def test_command_and_function_have_the_same_defaults(name: str, command: click.Command) -> None:
    signature = inspect.signature(getattr(kagglekit, name)).parameters
    for param in command.params:
        known = signature.get(RENAMED.get(str(param.name), str(param.name)))
        if known is None or known.default is inspect.Parameter.empty or param.multiple or getattr(param, "nargs", 1) == -1:
            continue
        given = param.get_default(click.Context(command))
        assert (None if "UNSET" in repr(given) else given) == known.default, param.name


@pytest.mark.parametrize(("name", "command"), ALL, ids=[name for name, _ in ALL])
def test_at_most_two_parameters_are_positional(name: str, command: click.Command) -> None:
    kinds = [one.kind for one in inspect.signature(getattr(kagglekit, name)).parameters.values()]
    assert sum(kind is not inspect.Parameter.KEYWORD_ONLY for kind in kinds) <= 2


@pytest.mark.parametrize(("name", "command"), ALL, ids=[name for name, _ in ALL])
def test_help_has_a_short_first_line_and_an_example_that_parses(name: str, command: click.Command) -> None:
    text = inspect.cleandoc(command.help or "")
    first = text.splitlines()[0]
    assert first.endswith(".") and len(first) <= 60
    example = text.split("Example:")[1].strip().splitlines()[0].strip()
    assert example.startswith("kk ")
    import shlex

    words = shlex.split(example)[3 if name.startswith(("arena_", "submissions_")) else 2:]
    command.make_context(name, words, resilient_parsing=False)


def test_summaries_of_the_group_are_the_first_lines_of_the_commands() -> None:
    for name, summary in COMMANDS.items():
        command = main.get_command(click.Context(main), name)
        assert command is not None and inspect.cleandoc(command.help or "").splitlines()[0] == summary


def test_no_verb_is_named_like_a_keyword_a_module_or_a_package() -> None:
    taken = {module.name for module in pkgutil.iter_modules(kagglekit.__path__)}
    names = {name for name, _ in ALL}
    assert not names & taken
    assert not [name for name in names if keyword.iskeyword(name)]


def test_every_verb_has_a_command_and_every_public_name_exists() -> None:
    modules = {module.name for module in pkgutil.iter_modules(verbs.__path__)} - {"arena"}
    assert modules <= {name for name, _ in ALL}
    for name in kagglekit.__all__:
        assert callable(getattr(kagglekit, name))


def test_public_functions_of_verbs_have_docstrings_with_examples() -> None:
    for name, _ in ALL:
        if not name.startswith(("arena_", "submissions_")):
            module = importlib.import_module(f"kagglekit.verbs.{name}")
            assert ">>>" in (getattr(module, name).__doc__ or ""), name
