"""Evidence for lbcheck: models with local and public scores, anchors apart, and the noise of both sides."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kagglekit import agreement
from kagglekit.errors import KKError
from kagglekit.folds import Folds
from kagglekit.metrics import Metric, check_metric
from kagglekit.run import Run, Submission
from kagglekit.store import Store
from kagglekit.work.kept import load_folds
from kagglekit.work.load import load_data, problem_of, read_table
from kagglekit.work.readings import reading_notes, solved_rows
from kagglekit.work.score import said_for, truth_for

Array = np.ndarray
ASSUMED_FRACTION = 0.3


@dataclass(frozen=True, slots=True)
class ScoredModel:
    """One model: its local score under the folds and the public score of its submission (its own, or its recipe's: borrowed)."""

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


@dataclass(frozen=True, slots=True)
class Evidence:
    """Real models with the noise of their scores, in the competition's own units and direction; anchors apart.

    se_cv, se_lb: models x models (diagonal: one score alone); `known` tells whether the noise was estimated from the models'
    own folds and rows, not from a table.
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
        return agreement.rounding_step([model.shown for model in self.models]) if self.models else 0.0


def public_rows(store: Store, given: int | None, submissions: Sequence[Submission]) -> tuple[float, str]:
    """Rows of the public part and where the number comes from: the person, the score lattice if one count fits, the page, or an assumption."""
    if given:
        return float(given), "given"
    rows = len(read_table(store, "sample"))
    fraction = store.competition.public_fraction
    solved = solved_rows(store, submissions)
    if solved is not None and solved.unique:
        return float(solved.unique), "score lattice"
    if fraction:
        return round(rows * fraction), f"the page says {fraction:.0%}"
    return round(rows * ASSUMED_FRACTION), f"assumed to be {ASSUMED_FRACTION:.0%} of test; give --n-public"


def gather(store: Store, folds_name: str | None, wanted: Sequence[str], n_public: int | None) -> Evidence:
    """The evidence of one split: its runs whose own or whose recipe's submission has a public score."""
    problem, folds, data = problem_of(store.competition), load_folds(folds_name, store), load_data(store)
    scored = [record for record in store.all_submissions() if record.public is not None]
    runs = _runs(store, folds, wanted)
    rows, source = public_rows(store, n_public, scored)
    models = _models(runs, scored)
    anchors = _zeros(store, scored)
    if not models:
        return Evidence(problem.metric, (), tuple(anchors), np.zeros((0, 0)), np.zeros((0, 0)), np.inf, None, rows, source, folds.name, True,
                        reading_notes(scored))
    chosen = [run for run in runs if run.id in {model.run for model in models}]
    said, truth, rows_of_all = _stacked(store, chosen, anchors, problem, data)
    groups = None if data.groups is None else data.groups[rows_of_all]
    noise = agreement.lb_se(truth, said, problem.metric, rows, groups=groups)
    se_cv, df, note = _cv_noise(chosen, folds, noise.se[:len(chosen), :len(chosen)] * np.sqrt(rows / len(truth)))
    se_lb = noise.se[:len(chosen), :len(chosen)] * _correction(store, chosen)
    evidence = Evidence(problem.metric, tuple(models), tuple(anchors), se_cv, se_lb, df, _correlation(said[:len(chosen)]), rows, source,
                        folds.name, True, (*note, *reading_notes(scored)))
    return _apart(evidence, noise.se)


def _runs(store: Store, folds: Folds, wanted: Sequence[str]) -> list[Run]:
    """Finished runs on these folds, of equal recipes the last; those wanted must be on them."""
    runs = [run for run in store.all_runs() if run.status == "done" and run.folds_fingerprint == folds.fingerprint
            and run.score.mean is not None]
    if wanted:
        asked = [store.run(name) for name in wanted]
        wrong = [run for run in asked if run.folds_fingerprint != folds.fingerprint and run.kind != "zeros"]
        if wrong:
            raise KKError(f"{wrong[0].id} is on the folds {wrong[0].folds or 'none'}, not on {folds.name}",
                          f"Compare runs of the same folds: kk lbcheck --folds {wrong[0].folds or folds.name}")
        runs = [run for run in runs if run.id in {one.id for one in asked}]
    return list({run.recipe: run for run in runs}.values())


def _models(runs: Sequence[Run], scored: Sequence[Submission]) -> list[ScoredModel]:
    own = {record.run: record for record in scored if record.run}
    by_recipe = {record.recipe: record for record in scored if record.recipe}
    found = []
    for run in runs:
        record = own.get(run.id) or by_recipe.get(run.recipe)
        if record is not None:
            found.append(ScoredModel(run.id, run.name, run.recipe, run.score.mean, run.score.se, float(record.public), record.shown or
                                     str(record.public), run.id not in own, run.inference))
    return found


def _zeros(store: Store, scored: Sequence[Submission]) -> list[ScoredModel]:
    """Zeros and constants that were submitted: no local score, but they anchor metric, direction and offset."""
    zeros = {run.id: run for run in store.all_runs() if run.kind == "zeros"}
    latest = {record.run: record for record in scored if record.run in zeros}
    return [ScoredModel(run, zeros[run].name, record.recipe, None, None, float(record.public), record.shown or str(record.public), False,
                        "other", True) for run, record in latest.items()]


def _stacked(store: Store, runs: Sequence[Run], anchors: Sequence[ScoredModel], problem: object,
             data: object) -> tuple[Array, Array, Array]:
    """Predictions (models, then anchors) x rows that all models validated, in the metric's form, their truth, and which rows these are."""
    oofs = [store.array(run, "oof") for run in runs]
    rows = np.all([~np.isnan(oof if oof.ndim == 1 else oof.sum(axis=1)) for oof in oofs], axis=0)
    if not rows.any():
        raise KKError("no row is validated by all of these runs", "Compare runs of the same folds: kk lbcheck --folds NAME")
    for anchor in anchors:
        value = store.array(store.run(anchor.run), "test")
        first = np.zeros(oofs[0].shape[1:]) if value is None else value[0]
        first = first if np.shape(first) == oofs[0].shape[1:] else np.zeros(oofs[0].shape[1:])
        oofs.append(np.broadcast_to(first, oofs[0].shape))
    said = np.stack([said_for(problem.metric, oof[rows].astype(np.float64), problem) for oof in oofs])
    return said, truth_for(problem.metric, data, problem)[rows], rows


def _cv_noise(runs: Sequence[Run], folds: Folds, row_noise: Array) -> tuple[Array, float, tuple[str, ...]]:
    """Paired Nadeau-Bengio over folds; over rows (a lower bound) where a run has one fold or not all."""
    table = [run.score.per_fold for run in runs]
    if len(folds) > 1 and all(len(scores) == len(folds) for scores in table):
        ratios = [len(fold.valid) / max(len(fold.train), 1) for fold in folds]
        noise = agreement.cv_se(np.array(table), float(np.mean(ratios)), folds.repeats)
        return noise.se, noise.df, ()
    return row_noise, np.inf, ("not all runs have all folds: the noise of CV is a lower bound",)


def _correction(store: Store, runs: Sequence[Run]) -> Array:
    """Fold-averaged submissions differ less than their OOF rows do (one factor a pair, at most 1)."""
    tests, oofs = [store.array(run, "test") for run in runs], [store.array(run, "oof") for run in runs]
    ones = np.ones((len(runs), len(runs)))
    if any(run.inference != "fold_mean" for run in runs) or any(test is None or np.isnan(test).any() for test in tests):
        return ones
    return agreement.average_correction(np.stack(tests), np.stack(oofs))


def _correlation(said: Array) -> Array | None:
    """Correlation of predictions, for near copies; None for labels as text."""
    if said.dtype.kind not in "iufb":
        return None
    flat = said.reshape(len(said), -1).astype(np.float64)
    flat = flat - flat.mean(axis=1, keepdims=True)
    size = np.sqrt((flat**2).sum(axis=1))
    size[size == 0] = np.inf
    return (flat / size[:, None]) @ (flat / size[:, None]).T


def _apart(evidence: Evidence, se: Array) -> Evidence:
    """Move models that are not better than the best constant by 2 paired SE to the anchors; they are no evidence."""
    from dataclasses import replace

    sign, count = evidence.metric.sign, len(evidence.models)
    constants = [(sign * anchor.public, count + number) for number, anchor in enumerate(evidence.anchors)]
    constants += [(sign * model.public, number) for number, model in enumerate(evidence.models) if model.name == "constant"]
    if not constants:
        note = "no constant was submitted, so it is not known which models beat one: kk submit-zeros --value constant"
        return replace(evidence, notes=(*evidence.notes, note))
    best, position = max(constants)
    weak = agreement.is_anchor(evidence.lb, best, se[:count, position] if position < len(se) else 0.0)
    weak |= np.array([model.name == "constant" for model in evidence.models])
    keep = np.flatnonzero(~weak)
    grid = np.ix_(keep, keep)
    moved = tuple(replace(model, anchor=True) for model, is_weak in zip(evidence.models, weak, strict=True) if is_weak)
    return replace(evidence, models=tuple(evidence.models[k] for k in keep), anchors=(*evidence.anchors, *moved), se_cv=evidence.se_cv[grid],
                   se_lb=evidence.se_lb[grid], correlation=None if evidence.correlation is None else evidence.correlation[grid])


def from_table(path: Path, metric_name: str | None, n_public: int | None) -> Evidence:
    """Evidence from a table kept elsewhere (model, cv, public [, cv_se]); noise from the lookup, or by moments from 8 models."""
    import pandas as pd

    if not path.exists():
        raise KKError(f"no file {path}", "Give the path from here")
    if not metric_name:
        raise KKError("a table has no metric of its own", "Name it: kk lbcheck --table FILE --metric auc")
    metric, table = check_metric(metric_name), pd.read_csv(path, dtype={"public": str, "model": str})
    missing = [name for name in ("model", "cv", "public") if name not in table.columns]
    if missing:
        raise KKError(f"{path.name} has no column {missing[0]!r} (it has {', '.join(table.columns[:6])})", "Name them model, cv, public")
    table = table.assign(cv=pd.to_numeric(table["cv"], errors="coerce"), score=pd.to_numeric(table["public"], errors="coerce"))
    table = table.dropna(subset=["cv", "score"]).reset_index(drop=True)
    if len(table) < 2:
        raise KKError(f"{path.name} has {len(table)} rows with both cv and public", "Give at least two models")
    rows, source = (float(n_public), "given") if n_public else (2000.0, "unknown: 2,000 assumed; give --n-public")
    models = tuple(ScoredModel(row.model, row.model, row.model, float(row.cv), None, float(row.score), row.public, False, "other")
                   for row in table.itertuples())
    se_cv, se_lb, notes = _table_noise(table, metric, rows)
    return Evidence(metric, models, (), se_cv, se_lb, np.inf, None, rows, source, path.name, "cv_se" in table.columns, notes)


def _table_noise(table: object, metric: Metric, rows: float) -> tuple[Array, Array, tuple[str, ...]]:
    cv, lb, count = table["cv"].to_numpy(), table["score"].to_numpy(), len(table)
    spread = float(np.median(np.abs(lb))) if metric.name in ("rmse", "mae") else 1.0
    single, paired = agreement.lookup_se(metric.name, rows, spread)

    def grid(off: float, own: float) -> Array:
        matrix = np.full((count, count), off)
        np.fill_diagonal(matrix, own)
        return matrix

    se_lb = grid(paired, single)
    if "cv_se" in table.columns and table["cv_se"].notna().all():
        own = table["cv_se"].to_numpy(dtype=np.float64)
        matrix = np.sqrt((own[:, None] ** 2 + own[None, :] ** 2) / 2)
        np.fill_diagonal(matrix, own)
        return matrix, se_lb, ("public noise from a table of typical values",)
    if count >= 8:
        moment = max(0.0, float(np.var(cv, ddof=1) - np.cov(cv, lb)[0, 1]))
        return grid(np.sqrt(2 * moment), np.sqrt(moment)), se_lb, ("noise of CV by moments, public noise from a table of typical values",)
    return se_lb.copy(), se_lb, ("no cv_se column: the noise of CV is taken as large as the public one",)
