"""kagglekit: the loop of a Kaggle competition, in a notebook as on the command line (`import kagglekit as kk`)."""

import importlib
from typing import TYPE_CHECKING

__version__ = "0.1.0"

_HOMES = {
    **{name: f"kagglekit.verbs.{name}" for name in (
        "add", "baseline", "check", "competitions", "cv", "data", "doctor", "ensemble", "explore", "final", "init", "join", "lbcheck",
        "merge", "rebuild", "review", "runs", "status", "submissions", "submit", "submit_zeros", "time", "train",
        "tune")},
    **{f"arena_{name}": "kagglekit.verbs.arena" for name in (
        "accept", "advance", "board", "close", "create", "list", "pick", "serve", "teams")},
    "submissions_link": "kagglekit.verbs.submissions",
    "blend": "kagglekit.blenders", "load_folds": "kagglekit.work.kept",
    "batches": "kagglekit.work.clock", "stage": "kagglekit.work.clock",
    "load_competition": "kagglekit.work.frames", "Folds": "kagglekit.folds", "KKError": "kagglekit.errors",
}

__all__ = sorted(_HOMES)

if TYPE_CHECKING:
    from kagglekit.blenders import blend
    from kagglekit.errors import KKError
    from kagglekit.folds import Folds
    from kagglekit.verbs.add import add
    from kagglekit.verbs.arena import (
        arena_accept,
        arena_advance,
        arena_board,
        arena_close,
        arena_create,
        arena_list,
        arena_pick,
        arena_serve,
        arena_teams,
    )
    from kagglekit.verbs.baseline import baseline
    from kagglekit.verbs.check import check
    from kagglekit.verbs.competitions import competitions
    from kagglekit.verbs.cv import cv
    from kagglekit.verbs.data import data
    from kagglekit.verbs.doctor import doctor
    from kagglekit.verbs.ensemble import ensemble
    from kagglekit.verbs.explore import explore
    from kagglekit.verbs.final import final
    from kagglekit.verbs.init import init
    from kagglekit.verbs.join import join
    from kagglekit.verbs.lbcheck import lbcheck
    from kagglekit.verbs.merge import merge
    from kagglekit.verbs.rebuild import rebuild
    from kagglekit.verbs.review import review
    from kagglekit.verbs.runs import runs
    from kagglekit.verbs.status import status
    from kagglekit.verbs.submissions import submissions, submissions_link
    from kagglekit.verbs.submit import submit
    from kagglekit.verbs.submit_zeros import submit_zeros
    from kagglekit.verbs.time import time
    from kagglekit.verbs.train import train
    from kagglekit.verbs.tune import tune
    from kagglekit.work.clock import batches, stage
    from kagglekit.work.frames import load_competition
    from kagglekit.work.kept import load_folds


def __getattr__(name: str) -> object:
    """Public names are imported when they are first used."""
    if name not in _HOMES:
        raise AttributeError(f"module 'kagglekit' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
