"""Scored models: which runs have a public score of their own or by recipe, and which of them may stand in one line."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kagglekit import agreement
from kagglekit.errors import KKError
from kagglekit.metrics import Metric
from kagglekit.run import Run, Submission
from kagglekit.store import Store

Array = np.ndarray
FEWEST_DECIMALS = 3  # that a leaderboard shows; with less, zeros were lost or a person rounded
HISTORY = "history"  # the name of typed-in models where others have the name of their folds
HOW = {"fold_mean": "means of fold models", "refit": "refitted on all rows", "single_fold": "models of one fold",
       "other": "predictions made elsewhere"}


@dataclass(frozen=True, slots=True)
class ScoredModel:
    """One model: its local score under the folds and the public score of its submission (its own, or its recipe's: borrowed).

    `shown` is the public score as text, `sent` the number of the submission, 0 where it has none.
    """

    run: str
    name: str
    recipe: str
    cv: float | None
    cv_se: float | None
    public: float
    shown: str
    borrowed: bool
    inference: str
    anchor: bool = False
    sent: int = 0


@dataclass(frozen=True, slots=True)
class Group:
    """Runs that may be compared in one line: on the same folds, their test predictions made in the same way."""

    split: str
    fingerprint: str
    inference: str
    runs: tuple[str, ...]

    @property
    def says(self) -> str:
        """The group in words."""
        typed = self.split == HISTORY and not self.fingerprint
        return f"{len(self.runs)} typed in" if typed else f"{len(self.runs)} on {self.split}, {HOW[self.inference]}"


@dataclass(frozen=True, slots=True)
class Evidence:
    """Real models with the noise of their scores, in the competition's own units and direction; anchors apart.

    se_cv, se_lb: models x models (diagonal: one score alone), df that of se_cv. `known` tells whether a "tracks" may rest on this noise.
    `others` is the same evidence for other numbers of public rows, where their number is not known; `elsewhere` holds the groups of
    runs that are not in this line.
    """

    metric: Metric
    models: tuple[ScoredModel, ...]
    anchors: tuple[ScoredModel, ...]
    se_cv: Array
    se_lb: Array
    df: float
    correlation: Array | None
    n_public: float
    n_source: str
    split: str
    known: bool
    notes: tuple[str, ...] = ()
    submissions: int = 0
    others: tuple["Evidence", ...] = ()
    elsewhere: tuple[Group, ...] = ()
    step: float | None = None

    @property
    def cv(self) -> Array:
        """Local scores, higher is better."""
        return self.metric.sign * np.array([model.cv for model in self.models], dtype=np.float64)

    @property
    def lb(self) -> Array:
        """Public scores, higher is better."""
        return self.metric.sign * np.array([model.public for model in self.models], dtype=np.float64)

    @property
    def rounding(self) -> float:
        """The step of the public scores as shown."""
        if self.step is not None:
            return self.step
        return agreement.rounding_step([model.shown for model in self.models]) if self.models else 0.0


def written_noise(shown: Sequence[str]) -> tuple[float, Array, str]:
    """The step within which public scores are tied, the standard error (models x models) that rounding beyond it adds, and what to say of it.

    One trailing zero may be lost in text; a score with two decimals less than the others counts as rounded there, and so do all where
    none has three. Whole numbers are exact.

    >>> step, added, says = written_noise(["0.81234", "0.8123", "0.81"])
    >>> step, added.round(4).tolist()[2], says
    (1e-05, [0.0029, 0.0029, 0.0029], '1 public score is written with few decimals: its rounding counts as noise')
    """
    decimals = np.array([agreement.public_decimals([text]) for text in shown])
    if not decimals.any():
        return 0.0, np.zeros((len(decimals), len(decimals))), ""
    coarse = (decimals <= decimals.max() - 2) | (decimals.max() < FEWEST_DECIMALS)
    own = np.where(coarse, 10.0**-decimals / np.sqrt(12), 0.0)
    added = np.hypot(own[:, None], own)
    np.fill_diagonal(added, own)
    count = int(coarse.sum())
    which = "1 public score is written with few decimals: its" if count == 1 else f"{count} public scores are written with few decimals: their"
    return float(f"1e-{max(decimals.max(), FEWEST_DECIMALS)}"), added, f"{which} rounding counts as noise" if count else ""


def board(store: Store) -> tuple[list[Submission], tuple[str, ...]]:
    """The submissions with a public score, and what is to be said of the others: pending, failed, on a hidden board."""
    records = [record for record in store.all_submissions() if record.status is not None]
    scored = [record for record in records if record.public is not None and np.isfinite(record.public)]
    pending = sum(record.status == "pending" for record in records)
    failed = sum(record.status == "error" for record in records)
    hidden = sum(record.status == "complete" and record.public is None for record in records)
    notes = []
    if pending:
        notes.append(f"{_many(pending)} still pending, not counted: kk submissions fetches the scores")
    if failed:
        notes.append(f"{failed} submission{'s' if failed > 1 else ''} failed, not counted")
    if hidden:
        notes.append(f"{_many(hidden)} complete without a public score: " +
                     ("some are hidden" if scored else "the board is hidden until the end, and only CV can guide"))
    return scored, tuple(notes)


def _many(count: int) -> str:
    return "1 submission is" if count == 1 else f"{count} submissions are"


def scored_runs(store: Store, scored: Sequence[Submission]) -> dict[str, tuple[Run, ScoredModel]]:
    """Finished runs with a local and a public score, by id; of equal recipes on the same folds the submitted one, else the last."""
    own = {record.run: record for record in scored if record.run}
    by_recipe = {record.recipe: record for record in scored if record.recipe}
    best: dict[tuple, Run] = {}
    for run in store.all_runs():
        record = own.get(run.id) or by_recipe.get(run.recipe)
        if run.status != "done" or run.kind == "zeros" or run.score.mean is None or record is None:
            continue
        key = ("", run.id) if run.kind == "table" else (run.folds_fingerprint, run.recipe)
        if key not in best or run.id in own or best[key].id not in own:
            best[key] = run
    return {run.id: (run, _model(run, own, by_recipe)) for run in best.values()}


def _model(run: Run, own: dict[str, Submission], by_recipe: dict[str, Submission]) -> ScoredModel:
    record = own.get(run.id) or by_recipe[run.recipe]
    assert record.public is not None
    return ScoredModel(run.id, str(run.notes.get("title") or run.name), run.recipe, run.score.mean, run.score.se, float(record.public),
                       record.shown or str(record.public), run.id not in own, run.inference, sent=record.n)


def is_constant(run: Run) -> bool:
    """Whether a run predicts the same for every row, so that how its test predictions were made says nothing."""
    return run.kind == "zeros" or run.model == "constant"


def groups_of(found: dict[str, tuple[Run, ScoredModel]]) -> list[Group]:
    """The groups of runs that may stand in one line, the largest first; constants belong to every group of their folds."""
    members: dict[tuple[str, str], list[Run]] = {}
    for run, _ in found.values():
        if not is_constant(run):
            members.setdefault((run.folds_fingerprint, run.inference), []).append(run)
    groups = [Group(runs[0].folds or HISTORY, fingerprint, inference, tuple(run.id for run in runs))
              for (fingerprint, inference), runs in members.items()]
    return sorted(groups, key=lambda group: -len(group.runs))


def group_of(groups: Sequence[Group], fingerprint: str) -> Group | None:
    """The largest group on these folds ("": typed in), None where there is none."""
    return next((group for group in groups if group.fingerprint == fingerprint), None)


def asked_runs(store: Store, wanted: Sequence[str], folds_name: str | None) -> tuple[list[str], str | None]:
    """Ids of the runs that were named, and the folds that they are on; raises KKError where these are several."""
    asked = [store.run(name) for name in wanted]
    placed = [run for run in asked if run.kind != "zeros"]
    names = Counter(run.folds or HISTORY for run in placed)
    name = folds_name or (names.most_common(1)[0][0] if names else None)
    if name is None:
        return [run.id for run in asked], None
    mark = store.folds_record(name)["fingerprint"] if name in store.folds_names() else ""
    wrong = next((run for run in placed if run.folds_fingerprint != mark), None)
    if wrong is not None:
        where = wrong.folds or HISTORY
        raise KKError(f"{wrong.id} is on the folds {where}, not on {name}", f"Compare runs of the same folds: kk lbcheck --folds {where}")
    return [run.id for run in asked], name
