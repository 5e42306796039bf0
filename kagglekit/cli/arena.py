"""kk arena: list, create, serve, advance, board."""

import contextlib
import json
import sys
from typing import TYPE_CHECKING

import click

from kagglekit.cli import options
from kagglekit.cli.output import plain, run, score, table, wrapped

if TYPE_CHECKING:
    from kagglekit.verbs.arena import ArenaAdvanced, ArenaBoard, ArenaCreated, ArenaList, ArenaServed


@click.group()
def command() -> None:
    """Rehearse competitions offline."""


@command.command("list")
@options.output
def list_command(as_json: bool, quiet: bool, debug: bool) -> None:
    """List the practice competitions.

    \b
    Example:
        kk arena list
    """
    from kagglekit.verbs.arena import arena_list

    def render(record: "ArenaList") -> list[str]:
        return table(("competition", "title", "metric", "left", "teams"), [
            (row["slug"], row["title"], row["metric"], "over" if row["days_left"] <= 0 else f"{row['days_left']:.0f} days", row["teams"])
            for row in record.rows])

    run(arena_list, render, as_json=as_json, quiet=quiet, debug=debug)


@command.command("create")
@click.argument("name")
@click.option("--from", "source", metavar="FOLDER", help="Folder with files/ and solution.csv.")
@click.option("--metric", metavar="M", help="The metric that scores it.")
@click.option("--public", default=0.3, show_default=True, help="Public share where the solution has no Usage.")
@click.option("--days", default=30.0, show_default=True, help="Days until the deadline.")
@click.option("--daily-limit", default=5, show_default=True, help="Submissions a day.")
@options.output
def create_command(as_json: bool, quiet: bool, debug: bool, **given: object) -> None:
    """Make a practice competition from a folder.

    \b
    Example:
        kk arena create my-titanic --from titanic --metric accuracy
    """
    from kagglekit.verbs.arena import arena_create

    def render(record: "ArenaCreated") -> list[str]:
        return wrapped(f"{record.slug}: {', '.join(record.files)}; {record.metric}; {record.public_fraction:.0%} public; "
                       f"until {record.deadline[:10]}", indent="  ")

    run(lambda: arena_create(**given), render, as_json=as_json, quiet=quiet, debug=debug)


@command.command("serve")
@click.option("--port", default=7777, show_default=True, help="Port on loopback.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address; loopback only.")
@options.output
def serve_command(port: int, host: str, as_json: bool, quiet: bool, debug: bool) -> None:
    """Serve the arena to the official client.

    Prints the lines that point it here, then runs until Ctrl-C.

    \b
    Example:
        kk arena serve --port 7777
    """
    from kagglekit.verbs.arena import arena_serve

    def ready(record: "ArenaServed") -> None:
        if as_json:
            click.echo(json.dumps(plain(record)))
            sys.stdout.flush()
            return
        for line in record.lines:
            click.echo(line)
        sys.stdout.flush()
        click.echo(f"serving on {record.url}; stop with Ctrl-C", err=True)

    def serving() -> None:
        with contextlib.suppress(KeyboardInterrupt):  # Ctrl-C is how it ends
            arena_serve(port=port, host=host, on_ready=ready)

    run(serving, lambda record: [], as_json=as_json, quiet=quiet, debug=debug)


@command.command("advance")
@click.option("--days", type=float, required=True, help="Days to move the clock on.")
@options.output
def advance_command(days: float, as_json: bool, quiet: bool, debug: bool) -> None:
    """Move the arena's clock on.

    \b
    Example:
        kk arena advance --days 1
    """
    from kagglekit.verbs.arena import arena_advance

    def render(record: "ArenaAdvanced") -> list[str]:
        return [f"in the arena it is now {record.now[:16].replace('T', ' ')} UTC"]

    run(lambda: arena_advance(days=days), render, as_json=as_json, quiet=quiet, debug=debug)


@command.command("board")
@click.argument("name")
@options.output
def board_command(name: str, as_json: bool, quiet: bool, debug: bool) -> None:
    """Show a practice leaderboard.

    \b
    Example:
        kk arena board practice-clinics
    """
    from kagglekit.verbs.arena import arena_board

    def render(record: "ArenaBoard") -> list[str]:
        rows = [(row["rank"], row["team"], score(row["score"])) for row in record.rows]
        return ["final standing (private)" if record.final else "public standing", *table(("rank", "team", "score"), rows)]

    run(lambda: arena_board(name), render, as_json=as_json, quiet=quiet, debug=debug)
