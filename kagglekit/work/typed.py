"""Evidence from scores that were typed in: a table of a history kept elsewhere, or runs of kind table."""

import math
import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from kagglekit import agreement
from kagglekit.errors import KKError
from kagglekit.metrics import Metric, check_metric
from kagglekit.work.history import read_history
from kagglekit.work.scored import HISTORY, Evidence, ScoredModel, written_noise

Array = np.ndarray
DIRECTIONS = {"higher": True, "lower": False}
CONSTANTS = {"zeros", "allzeros", "ones", "constant", "mean", "median", "prior", "majority", "samplesubmission", "samplesubmissioncsv",
             "benchmark", "sample"}
CHANCE = {"auc": 0.5, "mcauc": 0.5, "ngini": 0.0, "qwk": 0.0, "kappa": 0.0, "mcc": 0.0, "r2": 0.0}
SCALED = {"rmse", "mae", "rmsle", "mcrmse", "mcrmsle", "pinball", "smape"}  # standard errors go with the size of the score
FEWEST = 8  # models that the noise of gaps can be told from


def from_table(path: Path, metric_name: str | None, n_public: int | None, direction: str | None = None) -> Evidence:
    """Evidence from a csv kept elsewhere (model, cv, public [, cv_se]); noise from typical values, CV's by moments from 8 models.

    A metric that is not built in needs `direction` (higher or lower is better): its noise is taken from the gaps. Raises KKError for
    fewer than two models with both scores.
    """
    lines, warnings = read_history(path)
    if not metric_name:
        raise KKError("a table has no metric of its own", "Name it: kk lbcheck --table FILE --metric auc")
    metric = _metric(metric_name, direction)
    models = [ScoredModel(line.model, line.model, line.model, line.cv, line.cv_se, line.public, line.shown or str(line.public), False, "other",
                          sent=number) for number, line in enumerate(lines, start=1) if line.public is not None]
    both = [model for model in models if model.cv is not None]
    if len(both) < 2:
        raise KKError(f"{path.name} has {len(both)} rows with both cv and public", "Give at least two models")
    return typed_evidence(metric, models, n_public, "given", path.name, warnings)


def check_rows(n_public: int | None) -> None:
    """Raise KKError for a number of public rows that cannot be."""
    if n_public is not None and n_public < 1:
        raise KKError(f"--n-public {n_public} is no number of rows", "Give the rows of the public part: --n-public 2000")


def options_of(path: Path, metric: str | None, direction: str | None) -> str:
    """What a command needs to read the same table again."""
    given = {"--table": shlex.quote(str(path)), "--metric": metric, "--direction": direction}
    return " ".join(f"{name} {value}" for name, value in given.items() if value)


def _metric(name: str, direction: str | None) -> Metric:
    if direction is not None and direction not in DIRECTIONS:
        raise KKError(f"--direction {direction} is not known", "Say which is better: --direction higher (or lower)")
    try:
        return check_metric(name, DIRECTIONS.get(direction or ""))
    except KKError as error:
        if direction is None:
            raise KKError(error.what, f"{error.do}; or say which is better: kk lbcheck --table FILE --metric {name} --direction higher") from error
        return Metric(name=name, function=lambda y, p: math.nan, greater_is_better=DIRECTIONS[direction], needs="value", own=True)


def typed_evidence(metric: Metric, models: Sequence[ScoredModel], n_public: float | None, source: str, split: str = HISTORY,
                   notes: Sequence[str] = ()) -> Evidence:
    """Evidence of models of which only scores are known; where n_public is None the answer for few public rows, with that for many."""
    if n_public is None and _has_typical(metric):
        few, many = agreement.TABLE_ROWS
        other = _typed(metric, models, float(many), f"if the public part has {many:,} rows", split, notes)
        return replace(_typed(metric, models, float(few), f"unknown: {few:,} taken, the careful end; give --n-public", split, notes), others=(other,))
    return _typed(metric, models, float(n_public) if n_public else math.nan, source if n_public else "unknown, and not used", split, notes)


def _has_typical(metric: Metric) -> bool:
    try:
        agreement.lookup_se(metric.name, 1000)
    except KKError:
        return False
    return True


def _typed(metric: Metric, models: Sequence[ScoredModel], rows: float, source: str, split: str, notes: Sequence[str]) -> Evidence:
    sent = len(models)
    real, anchors = _apart(metric, models, rows)
    step, added, said = written_noise([model.shown for model in real])
    cv, lb = (metric.sign * np.array([getattr(model, which) for model in real], dtype=np.float64) for which in ("cv", "public"))
    own = np.array([math.nan if model.cv_se is None else model.cv_se for model in real], dtype=np.float64)
    noise = _noise(metric, cv, lb, rows, own)
    se_cv = np.hypot(noise.se_cv, written_noise([f"{model.cv}" for model in real])[1])
    same = (cv[:, None] == cv) & (lb[:, None] == lb)
    told = tuple(filter(None, (*notes, said, noise.source)))
    return Evidence(metric, tuple(real), tuple(anchors), se_cv, np.hypot(noise.se_lb, added), noise.df, same.astype(float), rows, source, split,
                    noise.may_track, told, sent, step=step)


def _apart(metric: Metric, models: Sequence[ScoredModel], rows: float) -> tuple[list[ScoredModel], list[ScoredModel]]:
    """Real models and anchors: constants by their name, and what is not better than the best of them by 2 standard errors."""
    constant = ["".join(filter(str.isalnum, model.name.lower())) in CONSTANTS for model in models]
    known = [metric.sign * model.public for model, is_one in zip(models, constant, strict=True) if is_one]
    known += [metric.sign * CHANCE[metric.name]] if metric.name in CHANCE else []
    lb = metric.sign * np.array([model.public for model in models])
    weak = np.array(constant) | np.array([model.cv is None for model in models])
    if known and _has_typical(metric):
        weak |= agreement.is_anchor(lb, max(known), agreement.lookup_se(metric.name, rows, _spread(metric, lb))[0])
    anchors = [replace(model, anchor=True) for model, is_weak, is_one in zip(models, weak, constant, strict=True)
               if is_weak and (model.cv is not None or is_one)]
    return [model for model, is_weak in zip(models, weak, strict=True) if not is_weak], anchors


def _spread(metric: Metric, lb: Array) -> float:
    if metric.name == "r2":
        return 2 * max(0.0, 1 - float(np.median(lb)))
    return float(np.median(np.abs(lb))) if metric.name.partition("@")[0] in SCALED else 1.0


def _noise(metric: Metric, cv: Array, lb: Array, rows: float, own: Array) -> agreement.TableNoise:
    if len(cv) and _has_typical(metric) and math.isfinite(rows):
        return agreement.table_noise(cv, lb, metric.name, rows, own, _spread(metric, lb))
    spread = float(np.std(lb - cv, ddof=1)) if len(cv) > 1 else 0.0
    matrix = np.full((len(cv), len(cv)), spread)
    np.fill_diagonal(matrix, spread / math.sqrt(2))
    return agreement.TableNoise(matrix, matrix.copy(), math.inf, len(cv) >= FEWEST,
                                "no typical noise is known for this metric: it is taken from the gaps")
