"""kk demo: a script that calls the verbs in turn and tells the story of the product on practice-clinics."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import click

from kagglekit.cli import options
from kagglekit.cli.output import run, score, starred, table, wrapped

SLUG = "practice-clinics"
MODELS: tuple[tuple[str, str, dict[str, object]], ...] = (
    ("constant", "constant", {}),
    ("linear", "linear", {}),
    ("tree", "tree-shallow", {"max_depth": 2}),
    ("tree", "tree-deep", {"max_depth": 0}),
    ("forest", "forest", {"n_estimators": 100}),
    ("lgbm", "lgbm", {"n_estimators": 100}),
)


@click.command()
@click.argument("folder", default="demo", metavar="[DIR]")
@options.output
def command(folder: str, as_json: bool, quiet: bool, debug: bool) -> None:
    """Play the whole loop on a practice contest.

    Makes a fresh workspace (DIR, DIR-2, ...) and leaves it behind. Offline,
    no account, about a minute.

    \b
    Example:
        kk demo
    """
    tell: Callable[[str], None] = (lambda text: None) if as_json else click.echo
    run(lambda: Demo(folder, tell).play(), lambda record: [], as_json=as_json, quiet=True, debug=debug)


class Demo:
    """The steps; each prints what a person would have typed and the heart of the answer."""

    def __init__(self, folder: str, tell: Callable[[str], None]) -> None:
        self._folder, self._tell = folder, tell
        self._started = time.monotonic()
        self._step = 0

    def play(self) -> dict[str, object]:
        """All steps; gives the verdicts and the closing table."""
        self._workspace()
        self._join()
        self._zeros()
        sent = self._random_split()
        first = self._check("random5", "does-not-track", "The random split looked fine and flattered models that know patients by heart.")
        self._group_split()
        second = self._check("group5", "tracks", "Same models, same public scores: nothing was submitted again.")
        blend = self._ensemble()
        rows = self._deadline([*sent, blend])
        seconds = round(time.monotonic() - self._started)
        self._tell(f"\n{seconds} s. Everything is in {Path.cwd()}: go on there with kk status, kk runs, kk lbcheck --all")
        return {"folder": str(Path.cwd()), "random": first, "group": second, "closing": rows, "seconds": seconds, "next": f"cd {Path.cwd()}"}

    def _title(self, text: str, *commands: str) -> None:
        self._step += 1
        self._tell("\n" + click.style(f"{self._step}. {text}", bold=True))
        for command_line in commands:
            self._tell(click.style(f"$ {command_line}", fg="cyan"))

    def _say(self, text: str) -> None:
        for line in wrapped(text, indent="  " if text.startswith("- ") else ""):
            self._tell(line)

    def _workspace(self) -> None:
        from kagglekit.verbs.init import init

        place = next(path for path in (Path(self._folder), *(Path(f"{self._folder}-{n}") for n in range(2, 10_000))) if not path.exists())
        os.environ.pop("KK_ARENA_HOME", None)
        self._title("A fresh workspace, with its own practice server", f"kk init {place} && cd {place}")
        init(place)
        os.chdir(place)
        self._say(f"made {Path.cwd()}")

    def _join(self) -> None:
        from kagglekit.verbs.join import join

        self._title("Join early: the data, typed, and what is what", f"kk join {SLUG} --practice")
        found = join(SLUG, practice=True)
        self._say(f"{found.title}: {found.rows['train']:,} training rows, {found.rows['test']:,} test rows, {found.days_left:.0f} days left. "
                  f"Target {', '.join(found.target)}, metric {found.metric['name']} "
                  f"({'higher' if found.metric['greater_is_better'] else 'lower'} is better).")

    def _zeros(self) -> None:
        from kagglekit.verbs.submit_zeros import submit_zeros

        self._title("Submit zeros first: do the mechanics work?", "kk submit-zeros")
        sent = submit_zeros(competition=SLUG)
        self._say(f"accepted and scored: {score(sent.public)} after {sent.seconds} s")
        for reading in sent.reading:
            self._say(f"- {reading['says']}")

    def _random_split(self) -> list[str]:
        """The folds that everyone would make, five models and a constant, submitted over two days."""
        from kagglekit.verbs.arena import arena_advance
        from kagglekit.verbs.cv import cv
        from kagglekit.verbs.submit import submit
        from kagglekit.verbs.train import train

        self._title("A random split, and models from a constant to LightGBM", "kk cv --split random")
        made = cv(split="random", competition=SLUG)
        for finding in made.audit:
            self._say(f"{finding.severity}: {finding.says}")
        sent, left = [], 4
        for model, name, params in MODELS:
            if not left:
                self._tell(click.style("$ kk arena advance --days 1", fg="cyan") + "     (five submissions a day: the next day)")
                arena_advance(days=1)
                left = 5
            settings = "".join(f" --set {key}={value}" for key, value in params.items())
            self._tell(click.style(f"$ kk train {model}{settings} --name {name} --refit && kk submit {name}", fg="cyan"))
            trained = train(model, name=name, params=params, refit=True, competition=SLUG)
            answer = submit(trained.run, competition=SLUG)
            left -= 1
            sent.append(trained.run)
            self._tell(f"  {name:<13} here {score(trained.score.mean, trained.score.se)}   public {score(answer.public)}")
        return sent

    def _check(self, folds: str, expected: str, comment: str) -> dict[str, object]:
        from kagglekit.verbs.lbcheck import lbcheck

        self._title(f"Does {folds} track the leaderboard?", f"kk lbcheck --folds {folds}")
        found = lbcheck(folds=folds, competition=SLUG)
        rows = [(one.run, one.name, score(one.cv, one.cv_se), starred(one.public, one.borrowed), "anchor" if one.anchor else "")
                for one in found.models]
        for line in table(("run", "name", f"{folds} ± SE", "public", ""), rows):
            self._tell(line)
        if any(one.borrowed for one in found.models):
            self._tell("* borrowed from the submission of the same recipe")
        self._tell("")
        for line in wrapped(f"verdict: {found.can_say}.", indent="  "):
            self._tell(click.style(line, bold=True))
        self._say(f"cannot say: {found.cannot_say}.")
        self._say(comment if found.verdict == expected else f"This demo expected {expected!r} here, and says what came: {found.verdict}.")
        return {"verdict": found.verdict, "words": found.words, "G": found.G, "p": found.p}

    def _group_split(self) -> None:
        from kagglekit.verbs.cv import cv
        from kagglekit.verbs.train import train

        self._title("What the data asks for instead", "kk cv --split group --group patient")
        made = cv(split="group", group="patient", competition=SLUG)
        for line in made.recommendation.evidence:
            self._say(f"- {line}")
        for model, name, params in MODELS:
            trained = train(model, name=name, params=params, refit=True, competition=SLUG)
            self._tell(f"  {name:<13} here {score(trained.score.mean, trained.score.se)}")

    def _ensemble(self) -> str:
        from kagglekit.verbs.ensemble import ensemble
        from kagglekit.verbs.submit import submit

        self._title("Blend, and believe the nested score only", "kk ensemble && kk submit blend")
        blend = ensemble(competition=SLUG, name="blend")
        value = blend.score
        self._say(f"nested {score(value['nested'], value['nested_se'])}; best single {score(value['best_single'])} ({value['best_single_run']}); "
                  f"equal weights {score(value['equal_weights'])}; in sample {score(value['in_sample'])}")
        for line in (*blend.says[:3], *blend.warnings):
            self._say(f"- {line}")
        answer = submit(blend.run, competition=SLUG)
        self._say(f"public {score(answer.public)}")
        return blend.run

    def _deadline(self, sent: list[str]) -> list[dict[str, object]]:
        """The private board, and what each way of choosing would have brought."""
        from kagglekit.verbs.arena import arena_advance
        from kagglekit.verbs.runs import runs
        from kagglekit.verbs.submissions import submissions

        self._title("After the deadline: the private board", "kk arena advance --days 60", "kk submissions")
        arena_advance(days=60)
        rows = [row for row in submissions(competition=SLUG).rows if row["run"] in sent]
        for line in table(("name", "public", "private"), [(row["name"], score(row["public"]), score(row["private"])) for row in rows]):
            self._tell(line)
        private = {row["recipe"]: row for row in rows}
        everyone = runs(competition=SLUG).rows
        picks = [("the public score", min(rows, key=lambda row: row["public"]))]
        for folds in ("random5", "group5"):
            best = min((row for row in everyone if row["folds"] == folds and row["recipe"] in private), key=lambda row: row["score"])
            picks.append((f"the split {folds}", private[best["recipe"]]))
        closing = [{"chosen_by": way, "name": row["name"], "private": row["private"]} for way, row in picks]
        best = min(one["private"] for one in closing)
        self._tell("")
        for line in table(("chosen by", "model", "private"), [(one["chosen_by"], one["name"], score(one["private"])) for one in closing]):
            self._tell(line)
        told = [f"{one['chosen_by']} costs {one['private'] - best:.5f}" for one in closing if one["private"] > best]
        self._say(f"Against the best of these, choosing by {'; by '.join(told)}." if told else "All ways chose equally well.")
        return closing
