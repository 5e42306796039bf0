"""kk baseline: the ladder from zeros to LightGBM on the same folds, and what is wrong where its order is broken."""

from collections.abc import Sequence
from dataclasses import dataclass

from kagglekit.errors import KKError
from kagglekit.models.family import Model
from kagglekit.progress import say
from kagglekit.store import open_store
from kagglekit.work.features import Features
from kagglekit.work.kept import forced_note, load_folds
from kagglekit.work.ladder import about_classes, about_columns, rungs_to_make, share_of_rows
from kagglekit.work.ladder_flags import with_flags
from kagglekit.work.load import problem_of, relative
from kagglekit.work.plot_ladder import chart, picture
from kagglekit.work.rungs import ZEROS, Case, Rung, rung_of, rung_of_zeros, with_gains

LOOK_FIRST = {"constant-loses": "kk submit-zeros", "leak": "kk data", "perfect": "kk data", "nothing-learnt": "kk data", "no-column": "kk data"}


@dataclass(frozen=True, slots=True)
class Baseline:
    """The ladder as `kk baseline` shows it, from the bottom up; `best` is the model of the best rung.

    `says` holds what the classes, the sample and missing rungs mean, `chart` the terminal picture's lines, `picture` the PNG's path.
    """

    folds: str
    n: int
    metric: str
    greater_is_better: bool
    rows: int
    sample: float
    rungs: tuple[Rung, ...]
    best: str
    says: tuple[str, ...]
    warnings: tuple[str, ...]
    chart: tuple[str, ...]
    picture: str
    next: str


def baseline(*, folds: str | None = None, models: str | Sequence[str] | None = None, sample: float | None = None,
             features: str | Sequence[str] | None = None, fresh: bool = False, competition: object = None) -> Baseline:
    """Climb from zeros over the best constant, the best one-column group mean and a linear model to a forest and LightGBM.

    Every rung is scored on the same folds and has its gain over the last one with the paired standard error. `models` chooses rungs
    ("constant,linear,lgbm", or any other model); `sample` is the share of the rows (default: all, of long tables about 100,000 rows). Each
    model is a run; a finished run of the same recipe on the same folds and data is used again unless `fresh`, a stopped ladder goes on.
    Raises KKError where there are no folds, for a target that models do not learn, and where no rung could be scored.

        >>> [rung.model for rung in kk.baseline(models="zeros,constant,linear").rungs]  # doctest: +SKIP
        ['zeros', 'constant', 'linear']
    """
    store = open_store(competition)
    the_folds, looks = load_folds(folds, store), Features(store, features)
    data = looks.data()
    share = share_of_rows(the_folds.rows, data.X.shape[1]) if sample is None else sample
    case = Case(store, problem_of(store.competition), data, looks, the_folds, share)
    chosen = rungs_to_make(case, models)
    told = [f"a sample of {int(case.used.sum()):,} of {the_folds.rows:,} rows; --sample 1 takes all" for _ in [0] if share < 1]
    for text in told:
        say(text)
    rungs = with_flags(case, with_gains(case, _made(case, chosen, fresh)))
    scored = [rung for rung in rungs if rung.score is not None]
    if {rung.model for rung in scored} <= {ZEROS} < {name for name, _ in chosen} or not scored:
        raise KKError(next(rung.failed for rung in reversed(rungs) if rung.failed))
    best = max(scored, key=lambda rung: case.sign * (rung.score or 0.0)).model
    says = [*told, *about_classes(case), *(about_columns(case, chosen) if models is None else [])]
    metric, image = case.problem.metric, store.folder / "reports" / f"ladder-{the_folds.name}.png"
    picture(rungs, f"{store.competition.slug}: baselines on {the_folds.name}", metric.name, case.sign, image)
    return Baseline(folds=the_folds.name, n=len(the_folds), metric=metric.name, greater_is_better=metric.greater_is_better, rows=int(case.used.sum()),
                    sample=share, rungs=tuple(rungs), best=best, says=tuple(says),
                    warnings=tuple(filter(None, (forced_note(store, the_folds.name),))),
                    chart=tuple(chart(rungs, metric.name, case.sign)), picture=relative(image), next=_next(rungs))


def _made(case: Case, chosen: Sequence[tuple[str, Model | None]], fresh: bool) -> list[Rung]:
    """The rungs from the bottom up, each told as soon as it is there."""
    made: list[Rung] = []
    try:
        for name, model in chosen:
            made.append(rung_of_zeros(case) if model is None else rung_of(case, model, name, fresh=fresh))
            say(f"{len(made)} of {len(chosen)}: {_told(case, made[-1])}")
    except KeyboardInterrupt:
        say(f"{len(made)} of {len(chosen)} rungs are kept; the same command goes on from there")
        raise
    return made


def _told(case: Case, rung: Rung) -> str:
    if rung.score is None:
        return f"{rung.model}: {rung.failed}"
    how = "there already" if rung.reused else f"{rung.seconds:.1f} s"
    return f"{rung.model} {case.problem.metric.name} {rung.score:.5f} ({how})"


def _next(rungs: Sequence[Rung]) -> str:
    """What a flag asks to look at first, else the models that come next."""
    codes = [flag.code for rung in rungs for flag in rung.flags]
    return next((LOOK_FIRST[code] for code in LOOK_FIRST if code in codes), "kk explore")
