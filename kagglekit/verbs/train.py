"""kk train: fit a model on every fold and record the run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kagglekit.models.family import check_model
from kagglekit.run import Run, Score
from kagglekit.store import open_store
from kagglekit.work.clock import Clock
from kagglekit.work.features import Features
from kagglekit.work.hours import spending
from kagglekit.work.kept import load_folds
from kagglekit.work.ladder import no_baseline
from kagglekit.work.load import problem_of
from kagglekit.work.training import train_run


@dataclass(frozen=True, slots=True)
class Trained:
    """A finished run as `kk train` shows it.

    `chosen` is what a family picked by itself, in words; `notes` say how its loss follows the metric, and that a baseline is lacking.
    """

    run: str
    recipe: str
    model: str
    name: str
    folds: str
    kind: str
    metric: str
    greater_is_better: bool
    score: Score
    rows_scored: int
    rounds: Mapping[str, object]
    inference: str
    seconds: Mapping[str, float]
    bottleneck: str
    shared: tuple[str, ...]
    resumed: bool
    chosen: str
    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    next: str


def train(model: object, *, folds: str | None = None, fold: int | None = None, sample: float = 1.0, seeds: int = 1,
          params: Mapping[str, object] | None = None, features: str | Sequence[str] | None = None, refit: bool = False,
          name: str | None = None, smoke: bool = True, pdb: bool = False, competition: object = None) -> Trained:
    """Train `model` (a name, path.py:fit_predict, an estimator or a function of a Fold) on every fold and record the run.

    Rounds of a boosted model are chosen for each fold by the other folds' mean curve. Test predictions are the mean over the
    fold models, or with `refit` those of one model trained on all rows. `features` names sets of features.py ("raw,ratios"; default:
    the set `features`, else the raw columns). A killed run goes on from its finished folds. Before a long run the model is tried on a
    few hundred rows (`smoke`); `pdb` opens the debugger at the line that fails.
    Raises KKError for unknown names, code that raises, predictions of the wrong shape, and targets with gaps.

        >>> kk.train("lgbm", folds="group5", params={"num_leaves": 63})  # doctest: +SKIP
    """
    store, clock = open_store(competition), Clock()
    with spending(store, "train") as spent:
        chosen = check_model(model, store.folder)
        with clock.stage("read"):
            the_folds, looks = load_folds(folds, store), Features(store, features)
            data = looks.data()
        notes = (chosen.says(problem_of(store.competition)), no_baseline(store, chosen))
        done, resumed = train_run(store, chosen, the_folds, looks, data, params=params, fold=fold, sample=sample, seeds=seeds, refit=refit,
                                  name=name, smoke=smoke, given=model, clock=clock, pdb=pdb,
                                  began=lambda run: spent.update(what=f"{run.id} {run.name}"))
    return _shown(done, resumed, notes, f"kk submit {done.id}" if store.array(done, "test") is not None else "kk runs")


def _shown(done: Run, resumed: bool, notes: Sequence[str], following: str) -> Trained:
    return Trained(run=done.id, recipe=done.recipe, model=done.model, name=done.name, folds=done.folds, kind=done.kind,
                   metric=done.metric, greater_is_better=done.greater_is_better, score=done.score, rows_scored=done.rows_scored,
                   rounds=done.rounds, inference=done.inference, seconds=done.seconds, bottleneck=str(done.notes["bottleneck"]),
                   shared=tuple(done.notes["shared"]), resumed=resumed, chosen=str(done.notes.get("chosen", "")),
                   notes=tuple(note for note in notes if note), warnings=done.warnings, next=following)
