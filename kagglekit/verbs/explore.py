"""kk explore: architectures before hyperparameters: many models on a sample, ranked with what may be believed, and their cost on all rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kagglekit.errors import KKError
from kagglekit.store import open_store
from kagglekit.work.confirming import Order
from kagglekit.work.exploration import Exploration, Wishes, explored
from kagglekit.work.explore_words import following, sentences, warned
from kagglekit.work.hours import spending
from kagglekit.work.luck import Luck


@dataclass(frozen=True, slots=True)
class Row:
    """One model: its run on the sample and how it stands to the best.

    status: done, again (a finished run was there), failed or left out, with `why` and what to `do`. gap: its score less the best's, as the
    competition shows scores, with the paired standard error and two-sided p; tied: it cannot be told from the best. correlation: of its
    errors with the best's; helps: what the plain mean with the best gains over the best alone (positive: better). rising: what the score
    gained from a quarter of the sample to the sample. forecast: seconds on all rows with low and high; None where all rows were used.
    full: what --confirm gave.
    """

    model: str
    about: str
    run: str
    status: str
    why: str
    do: str
    score: float | None
    se: float | None
    gap: float | None
    gap_se: float | None
    p: float | None
    tied: bool
    correlation: float | None
    helps: float | None
    rising: float | None
    seconds: float
    forecast: Mapping[str, float | int | None] | None
    full: Mapping[str, object] | None


@dataclass(frozen=True, slots=True)
class Explored:
    """What `kk explore` shows: rows (the best first, then what failed or was left out), the best, and what the sample's order was worth.

    `tied` names the models that cannot be told from the best; `luck` says how far the best of so many equal models would be ahead by luck;
    `order` compares the confirmed ones on the sample and on all rows. `processes` trained at once (0: one by one).
    """

    folds: str
    metric: str
    greater_is_better: bool
    sample: float
    rows_used: int
    rows_all: int
    rows: tuple[Row, ...]
    best: str
    tied: tuple[str, ...]
    luck: Luck | None
    order: Order | None
    left_out: tuple[Mapping[str, str], ...]
    processes: int
    seconds: float
    says: tuple[str, ...]
    warnings: tuple[str, ...]
    next: str


def explore(*, models: str | Sequence[object] | None = None, folds: str | None = None, sample: float | None = None, confirm: int = 0,
            budget: str | float | None = None, fresh: bool = False, competition: object = None) -> Explored:
    """Train many models with few defaults on a sample, and rank them: which to go on with, before any parameter is tuned.

    `models` are names of families and presets ("linear,lgbm-dart"), path.py:name, or (in Python) estimators; default all that can run
    here. `sample` is the share of the rows (default: 5 %, between 20,000 and 50,000 rows; all of a smaller table). `confirm` trains so
    many of the best on all rows and says whether the order held; near copies of a better one are passed over. `budget` ("10m") starts
    nothing whose forecast does not fit. Every row is a run of its own; finished ones are used again unless `fresh`, killed ones go on. A model
    that fails is a row with its reason. Raises KKError for unknown models, missing folds, and where no model could be trained.

        >>> kk.explore(confirm=3).rows[0].model  # doctest: +SKIP
        'lgbm'
    """
    store = open_store(competition)
    asked = tuple(part.strip() for part in models.split(",") if part.strip()) if isinstance(models, str) else tuple(models or ())
    if models is not None and not asked:
        raise KKError("--models names none", "Name some, as in --models linear,lgbm (or leave it out)")
    with spending(store, "explore") as spent:
        found = explored(store, Wishes(asked, folds, sample, confirm, budget, fresh))
        spent["what"] = f"{len(found.rows)} models on {found.folds.name}"
    return _shown(found)


def _shown(found: Exploration) -> Explored:
    metric = found.metric
    rows = tuple(Row(**facts) for facts in found.rows)
    best = next(row for row in rows if row.score is not None)
    return Explored(folds=found.folds.name, metric=metric.name, greater_is_better=metric.greater_is_better, sample=found.sample,
                    rows_used=found.rows_used, rows_all=found.folds.rows, rows=rows, best=best.run,
                    tied=tuple(row.model for row in rows if row.tied), luck=found.luck, order=found.order, left_out=tuple(found.left_out),
                    processes=found.processes, seconds=round(found.seconds, 3), says=sentences(found), warnings=warned(found),
                    next=following(found))
