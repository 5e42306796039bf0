"""The built-in competitions in an arena: announced at once, their data made at first need."""

import dataclasses
import datetime
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from kagglekit.practice.baselines import write_baselines
from kagglekit.practice.contest import FILE, Contest, write_contest
from kagglekit.practice.forum import Forum, write_forum

if TYPE_CHECKING:
    import pandas as pd


BEGUN = 9.0  # days that a built-in competition has run when the arena first starts: the first topics and notebooks are there


def ensure_built_ins(home: Path, now: datetime.datetime) -> None:
    """Announce the built-in competitions."""
    from kagglekit.practice.builtin.registry import REGISTRY

    for name in REGISTRY.names():
        if not (home / name / FILE).exists():
            part = REGISTRY.get(name)
            folder = home / name
            folder.mkdir(parents=True, exist_ok=True)
            write_forum(folder, Forum(part.topics, part.notebooks))
            write_contest(Contest(slug=name, folder=folder, title=part.title, metric=part.metric, days=part.days + BEGUN,
                                  created=(now - datetime.timedelta(days=BEGUN)).isoformat(),
                                  daily_limit=part.daily_limit, code_only=part.code_only, description=part.description,
                                  evaluation=part.evaluation, rules=part.rules, teaches=part.teaches, built_in=True))


def generate(contest: Contest) -> None:
    """Make the files of a built-in competition under a hidden name, solution last."""
    from kagglekit.practice.builtin.registry import REGISTRY

    made = REGISTRY.get(contest.slug).function(contest.seed)
    with tempfile.TemporaryDirectory(dir=contest.folder, prefix=".making-") as place:
        staged = dataclasses.replace(contest, folder=Path(place))
        for name, part in made.items():
            if name != "baselines":
                _write(staged, name, part)
        write_baselines(staged, _baselines(contest, made))
        files = [path for path in staged.folder.rglob("*") if path.is_file()]
        for path in sorted(files, key=lambda path: path.name == "solution.csv"):
            target = contest.folder / path.relative_to(staged.folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(path, target)


def _write(staged: Contest, name: str, part: "pd.DataFrame | bytes") -> None:
    folder = staged.folder if name == "solution" else staged.files
    target = folder / (name if isinstance(part, bytes) else f"{name}.csv")
    target.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(part, bytes):
        target.write_bytes(part)
    else:
        part.to_csv(target, index=False)


def _baselines(contest: Contest, made: dict) -> "dict[str, pd.DataFrame]":
    """The built-in's own, the sample submission and the metric's best constant; a stub is no answer to the hidden test set."""
    own, sample, train = made.get("baselines", {}), made["sample_submission"], made["train"]
    if len(sample) != len(made["solution"]):
        return own
    target, constant = sample.columns[-1], contest.scorer.constant
    simple = len(sample.columns) == 2 and target in train and constant is not None
    best = {"best constant": sample.assign(**{target: constant(train[target].to_numpy())})} if simple else {}
    return {"sample submission": sample, **best, **own}
