"""The `kk` command: one thin file a command, each loaded only when it is used."""

import importlib
import sys

import click

from kagglekit import __version__

COMMANDS = {
    "init": "Make a workspace.",
    "competitions": "List what can be joined, newest first.",
    "join": "Join a competition and get its data.",
    "data": "Look at the data: drift, gaps, target, leaks.",
    "submit-zeros": "Submit zeros, before any model.",
    "cv": "Make folds that imitate the test set.",
    "check": "Run your pipeline on 1 % of the rows.",
    "baseline": "Climb from zeros to LightGBM on the same folds.",
    "explore": "Compare many models on a sample, before any tuning.",
    "train": "Train a model on every fold.",
    "tune": "Search a model's parameters, with an honest gain.",
    "add": "Add predictions made elsewhere.",
    "runs": "Show runs and their scores.",
    "submit": "Submit a run's test predictions.",
    "submissions": "Show submissions and their scores.",
    "lbcheck": "Check if the split tracks the leaderboard.",
    "ensemble": "Blend runs, with an honest score.",
    "final": "Choose the final submissions.",
    "status": "Show where you stand today.",
    "time": "Show where the hours went.",
    "review": "Look back when a competition is over.",
    "arena": "Rehearse competitions offline.",
    "demo": "Play the whole loop on a practice contest.",
    "doctor": "Check if this machine is ready.",
    "merge": "Take runs and submissions from another copy.",
    "rebuild": "Make the ledger again from the files.",
}


class Lazy(click.Group):
    """A group whose commands are imported when they are asked for; their one-line helps are known without it."""

    def main(self, *args: object, **options: object) -> object:
        """As click does, with UTF-8 on both streams: scores hold a ± and a file or pipe may ask for less."""
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(encoding="utf-8", errors="replace")
        return super().main(*args, **options)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of the loop."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """The command called `name`."""
        if name not in COMMANDS:
            return None
        module = importlib.import_module(f"kagglekit.cli.{name.replace('-', '_')}")
        return module.command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple:
        """As click does, with near names for a command that is not there."""
        from kagglekit.registry import near_names

        if args and not args[0].startswith("-") and args[0] not in COMMANDS:
            ctx.fail(f"no command is called {args[0]!r}. {near_names(args[0], COMMANDS)}See: kk --help")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, without importing one of them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80})
@click.version_option(__version__, prog_name="kk")
def main() -> None:
    """From joining a Kaggle competition to a scored ensemble; every number says how far it can be believed."""
