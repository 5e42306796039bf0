"""kk arena: one sub-command for each thing that a host or a participant does there."""

import contextlib
import json
import sys
from typing import TYPE_CHECKING

import click

from kagglekit.cli import options
from kagglekit.cli.output import plain, run, score, table, wrapped
from kagglekit.credentials import PRACTICE_USER

if TYPE_CHECKING:
    from kagglekit.verbs.arena import (
        ArenaAccepted,
        ArenaAdvanced,
        ArenaBoard,
        ArenaClosed,
        ArenaCreated,
        ArenaList,
        ArenaPicked,
        ArenaServed,
        ArenaTeams,
    )


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
@click.option("--train", metavar="FILE", help="Any table with the target; a test part is held back.")
@click.option("--target", metavar="COL", multiple=True, help="Column to predict; may be given again.")
@click.option("--metric", metavar="M", help="The metric that scores it, or metric.py:score.")
@click.option("--test-by", default="random", show_default=True, metavar="HOW", help="random, group:COL or time:COL.")
@click.option("--test-size", default=0.25, show_default=True, help="Share of the rows that is held back.")
@click.option("--id-column", default="", metavar="COL", help="The id; else one is found or made.")
@click.option("--drop", metavar="COL", multiple=True, help="Column to leave out; may be given again.")
@click.option("--public", default=0.3, show_default=True, help="Public share of the test part.")
@click.option("--days", default=30.0, show_default=True, help="Days until the deadline.")
@click.option("--entry-days", default=0.0, show_default=True, help="Days until the entry deadline; 0: none.")
@click.option("--daily-limit", default=5, show_default=True, help="Submissions a day.")
@click.option("--higher-is-better/--lower-is-better", default=None, help="Direction of a metric.py:score.")
@click.option("--rules-required", is_flag=True, help="Its rules are to be accepted first.")
@click.option("--seed", default=0, show_default=True, help="Seed of the held-back part.")
@options.output
def create_command(as_json: bool, quiet: bool, debug: bool, **given: object) -> None:
    """Make a practice competition.

    From a folder with the hidden answers, or from any table: its test part is
    held back, at random, by whole groups or as the latest in time.

    \b
    Example:
        kk arena create cars --train cars.csv --target price --metric rmsle
        kk arena create my-titanic --from titanic --metric accuracy
    """
    from kagglekit.verbs.arena import arena_create

    def render(record: "ArenaCreated") -> list[str]:
        return wrapped(f"{record.slug}: {', '.join(record.files[:8])}; {record.metric}; {record.public_fraction:.0%} public; "
                       f"until {record.deadline[:10]}", indent="  ")

    run(lambda: arena_create(**given), render, as_json=as_json, quiet=quiet, debug=debug)


@command.command("serve")
@click.option("--port", default=7777, show_default=True, help="Port on loopback.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address; 0.0.0.0 for a class room.")
@options.output
def serve_command(port: int, host: str, as_json: bool, quiet: bool, debug: bool) -> None:
    """Serve the arena to the official client.

    Prints the lines that point it here, then runs until Ctrl-C. Off loopback
    every team needs a token: kk arena teams.

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
        if "TOKEN" in record.lines[3]:
            click.echo("a team sets its token as TOKEN; tokens travel in the clear, so serve in a network that you trust", err=True)
        click.echo(f"serving on {record.url}; boards at {record.url}/competitions/NAME/leaderboard; stop with Ctrl-C", err=True)

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
@click.option("--top", default=50, show_default=True, help="How many lines; 0: all.")
@options.output
def board_command(name: str, top: int, as_json: bool, quiet: bool, debug: bool) -> None:
    """Show a practice leaderboard.

    \b
    Example:
        kk arena board practice-clinics
    """
    from kagglekit.verbs.arena import arena_board

    def render(record: "ArenaBoard") -> list[str]:
        said = "final standing (private part)" if record.final else f"public standing, until {record.deadline[:16].replace('T', ' ')} UTC"
        left = [f"... and {record.total - len(record.rows)} more: --top 0"] if record.total > len(record.rows) else []
        return [f"{said}; {record.metric}", *_standing(record.rows), *left]

    run(lambda: arena_board(name, top=top), render, as_json=as_json, quiet=quiet, debug=debug)


def _standing(rows: "tuple[dict, ...]") -> list[str]:
    return table(("rank", "team", "score", "entries"), [
        (row["rank"], row["team"], score(row["score"]), "baseline" if row["baseline"] else row["entries"]) for row in rows])


@command.command("close")
@click.argument("name")
@options.output
def close_command(name: str, as_json: bool, quiet: bool, debug: bool) -> None:
    """End a practice competition now.

    \b
    Example:
        kk arena close practice-clinics
    """
    from kagglekit.verbs.arena import arena_close

    def render(record: "ArenaClosed") -> list[str]:
        return [f"{record.slug} is over; first by the private part:", *_standing(record.winners)]

    run(lambda: arena_close(name), render, as_json=as_json, quiet=quiet, debug=debug)


@command.command("teams")
@click.argument("names", nargs=-1)
@click.option("--renew", is_flag=True, help="New tokens; the old ones end.")
@options.output
def teams_command(names: tuple[str, ...], renew: bool, as_json: bool, quiet: bool, debug: bool) -> None:
    """Make login tokens for teams, or list teams.

    A token is shown once; only its hash is kept.

    \b
    Example:
        kk arena teams alpha beta
    """
    from kagglekit.verbs.arena import arena_teams

    def render(record: "ArenaTeams") -> list[str]:
        if not record.rows:
            return ["no team has a token yet"]
        return table(("team", "token"), [(row["team"], row["token"] or f"made {row['made'][:10]}") for row in record.rows])

    run(lambda: arena_teams(names, renew=renew), render, as_json=as_json, quiet=quiet, debug=debug)


@command.command("pick")
@click.argument("name")
@click.argument("refs", nargs=-1, type=int)
@click.option("--team", default=PRACTICE_USER, show_default=True, help="Whose picks they are.")
@options.output
def pick_command(name: str, refs: tuple[int, ...], team: str, as_json: bool, quiet: bool, debug: bool) -> None:
    """Pick the final submissions, at most two.

    The better private score of them counts. Without a pick the best public
    ones are taken.

    \b
    Example:
        kk arena pick practice-clinics 3 7
    """
    from kagglekit.verbs.arena import arena_pick

    def render(record: "ArenaPicked") -> list[str]:
        picked = " and ".join(map(str, record.refs)) or "nothing: the best public ones are taken"
        return [f"final for {record.team} in {record.slug}: {picked}"]

    run(lambda: arena_pick(name, refs, team=team), render, as_json=as_json, quiet=quiet, debug=debug)


@command.command("accept")
@click.argument("name")
@click.option("--team", default=PRACTICE_USER, show_default=True, help="Who accepts.")
@options.output
def accept_command(name: str, team: str, as_json: bool, quiet: bool, debug: bool) -> None:
    """Accept a practice competition's rules.

    \b
    Example:
        kk arena accept practice-clinics
    """
    from kagglekit.verbs.arena import arena_accept

    def render(record: "ArenaAccepted") -> list[str]:
        return [f"{record.team} has accepted the rules of {record.slug}"]

    run(lambda: arena_accept(name, team=team), render, as_json=as_json, quiet=quiet, debug=debug)
