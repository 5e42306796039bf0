"""What is said of an ensemble: whose errors are alike, who may go, who adds what, what to add next, and the public score to expect."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

import numpy as np

from kagglekit.blenders import Blend
from kagglekit.diversity import ErrorCorrelation, error_correlation, helps
from kagglekit.diversity.next_model import next_model
from kagglekit.errors import KKError
from kagglekit.fold import Data
from kagglekit.folds import Folds
from kagglekit.marginal import Marginal
from kagglekit.metrics import Metric
from kagglekit.noise import missing_rows
from kagglekit.predictions import decide
from kagglekit.run import Run
from kagglekit.store import Store
from kagglekit.work.blending import Members
from kagglekit.work.hard_rows import WRONG, HardRows, hard_rows
from kagglekit.work.load import relative
from kagglekit.work.plot_errors import heat_lines, heat_map

Array = np.ndarray
HARD_CELLS, HARD_LEAST = 20_000_000, 20_000  # hard rows are sought on so many predictions, and on no fewer rows
NAMED, EFFECTS, SLICES = 5, 4, 2  # how many of a kind are named in sentences
SQUARED = ("residuals", "log residuals", "class residuals")  # measures in which the best weight of a candidate is exact
FAMILY = {"family": "add a model of another family next", "any": "add whatever errs differently next"}


@dataclass(frozen=True, slots=True)
class Shown:
    """How alike the errors of the members are (JSON), sentences, slices where all are wrong, and the picture's path ("": none)."""

    errors: dict[str, object] = field(default_factory=dict)
    says: tuple[str, ...] = ()
    hard: tuple[dict[str, object], ...] = ()
    picture: str = ""


def show_errors(store: Store, found: Members, result: Blend, truth: Array, vector: Array, metric: Metric, effects: Sequence[Marginal],
                data: Data) -> Shown:
    """The errors of the members as JSON, sentences, hard rows and reports/errors-FOLDS.png.

    truth: what the metric takes; vector: the fold of each row, -1 where it is not scored.
    """
    rows = _scored(found.oof, vector)
    errors = error_correlation(*_compared(found.oof, truth, rows, metric, result, data), metric)
    hard = _hard(found.oof, rows, metric, data)
    path = store.reports / f"errors-{found.runs[0].folds}.png"
    heat_map(errors, found.ids, path, effects)
    says = [*words(errors, effects, found.runs, metric, result.weights), *_next(errors, found.runs), *_hard_words(hard)]
    return Shown(_json(errors, found, result, hard), tuple(says), tuple(asdict(one) for one in hard.slices), relative(path))


def _scored(oof: Array, vector: Array) -> Array:
    missing = vector < 0
    for one in oof:
        missing = missing | missing_rows(one[None])
    return np.flatnonzero(~missing)


def _compared(oof: Array, truth: Array, rows: Array, metric: Metric, result: Blend, data: Data) -> tuple[Array, Array]:
    """(y, predictions) as the metric takes them; labels as codes, decided as the blend's are."""
    everything = len(rows) == len(truth)
    if metric.needs != "label":
        return (data.target, oof) if everything else (data.target[rows], oof[:, rows])
    if metric.columns == "targets":
        return truth[rows], np.stack([decide(one[rows], metric.form, data.classes) for one in oof])
    levels, codes = np.unique(truth[rows], return_inverse=True)
    said = [result.labels(np.asarray(one[rows], dtype=np.float64)) for one in oof]
    return codes.astype(np.int32), np.stack([_codes(levels, one) for one in said])


def _codes(levels: Array, labels: Array) -> Array:
    """Places of labels among the sorted levels, -1 for what is none of them."""
    place = np.minimum(np.searchsorted(levels, labels), len(levels) - 1)
    return np.where(levels[place] == labels, place, -1).astype(np.int32)


def _hard(oof: Array, rows: Array, metric: Metric, data: Data) -> HardRows:
    most = max(HARD_CELLS // (len(oof) * int(np.prod(oof.shape[2:], dtype=np.int64))), HARD_LEAST)
    if len(rows) > most:
        rows = np.sort(np.random.default_rng(0).choice(rows, most, replace=False))
    X = None if data.ids_only else data.X.iloc[rows]
    found = hard_rows(data.target[rows], oof[:, rows], X, metric, None if data.groups is None else data.groups[rows])
    return HardRows(found.what, found.errors, found.share, tuple(int(rows[row]) for row in found.rows), found.slices)


def _json(errors: ErrorCorrelation, found: Members, result: Blend, hard: HardRows) -> dict[str, object]:
    names = found.ids
    candidates = [{"run": names[one.index], "rho": one.rho, "limit": one.limit, "weight": one.weight, "gain": one.gain}
                  for one in (helps(errors.products, _flat(result.weights)) if errors.measure in SQUARED else [])]
    return {"measure": errors.measure, "runs": names, "matrix": errors.matrix.round(6).tolist(), "n_eff": _finite(errors.n_eff),
            "participation_ratio": errors.participation_ratio, "directions": errors.directions, "ambiguity": errors.ambiguity,
            "near_copies": [[names[one], names[other]] for one, other in errors.near_copies],
            "clusters": [[names[one] for one in cluster] for cluster in errors.clusters],
            "kinds": [{"runs": [names[one] for one in kind], "medoid": names[middle], "best": names[best]}
                      for kind, middle, best in zip(errors.kinds, errors.medoids, errors.best, strict=True)],
            "candidates": candidates, "rows": errors.rows, "hard_share": hard.share, "hard_rows": list(hard.rows),
            **{name.replace(" ", "_"): matrix.round(6).tolist() for name, matrix in errors.details.items()},
            "chart": heat_lines(errors, names)}


def _flat(weights: Array | None) -> Array | None:
    """One weight a run."""
    return None if weights is None else np.asarray(weights, dtype=np.float64).reshape(len(weights), -1).mean(axis=1)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def words(errors: ErrorCorrelation, effects: Sequence[Marginal], members: Sequence[Run], metric: Metric,
          weights: Array | None = None) -> list[str]:
    """Sentences: how many independent runs there are, near copies, what each run adds or spoils, and whose place is gone."""
    names = [run.id for run in members]
    best = _by_score(range(len(names)), members, metric)[0]
    return [*_size(errors, metric), *_copies(errors, members, metric), *_adds(errors, effects, names, best), *_no_place(errors, names, weights)]


def _by_score(models: Sequence[int], members: Sequence[Run], metric: Metric) -> list[int]:
    """The models, the best score first."""
    worst = -math.inf
    return sorted(models, key=lambda one: -(worst if (score := members[one].score.mean) is None else metric.sign * score))


def _size(errors: ErrorCorrelation, metric: Metric) -> list[str]:
    count = len(errors.matrix)
    text = f"the mean of these {count} runs varies like that of {errors.n_eff:.1f} independent ones" if math.isfinite(errors.n_eff) else \
        f"the errors of these {count} runs cancel in their mean"
    if errors.directions and count > 2:
        text += f"; apart from what all share (the target's noise) they differ in {errors.directions:.1f} directions"
    if errors.rows < errors.rows_of:
        text += f" (ranks of {errors.rows:,} of {errors.rows_of:,} rows)"
    if errors.measure in ("residuals", "log residuals") and metric.columns == "one":
        of_logs = " of log1p" if errors.measure == "log residuals" else ""
        return [text, f"averaging them takes {errors.ambiguity:.4g} off the average run's mean squared error{of_logs}"]
    return [text]


def _copies(errors: ErrorCorrelation, members: Sequence[Run], metric: Metric) -> list[str]:
    says = []
    for cluster in errors.clusters:
        if len(cluster) < 2:
            continue
        inside = errors.matrix[np.ix_(cluster, cluster)][np.triu_indices(len(cluster), 1)]
        low, high = f"{inside.min():.3f}", f"{inside.max():.3f}"
        keep = members[_by_score(cluster, members, metric)[0]].id
        enough = f"one of them is enough, {keep} scores best" if len(cluster) > 2 else f"one of them is enough, {keep} scores better"
        says.append(f"{_list([members[one].id for one in cluster])} make the same errors ({low if low == high else f'{low} to {high}'}): {enough}")
    return says[:NAMED]


def _adds(errors: ErrorCorrelation, effects: Sequence[Marginal], names: Sequence[str], best: int) -> list[str]:
    says = []
    usual = (errors.matrix.sum(axis=1) - 1) / max(len(names) - 1, 1)
    for one in sorted((one for one in effects if one.verdict == "keep"), key=lambda one: -one.value)[:EFFECTS]:
        adds = f"{names[one.index]} {{}} adds {told(one.value, one.se)}"
        different = usual[one.index] < float(np.median(usual))
        kind = "is the best run and" if one.index == best else "is weaker but different: it" if different else "is weaker, yet it"
        says.append(adds.format(kind))
    for one in [one for one in effects if one.high < 0][:EFFECTS]:
        says.append(f"{names[one.index]} harms: without it the blend is better by {told(-one.value, one.se)}")
    open_ones = [one for one in effects if one.verdict == "undecided" and one.se > 0]
    if open_ones:
        most = max(abs(one.value) + 1.96 * one.se for one in open_ones)
        says.append(f"undecided: {_list([names[one.index] for one in open_ones])} (each adds or costs less than {most:.2g})")
    return says


def _no_place(errors: ErrorCorrelation, names: Sequence[str], weights: Array | None) -> list[str]:
    """Runs that the blend gives next to nothing, and why: rho is not below the ratio of errors."""
    if errors.measure not in SQUARED or len(names) < 2:
        return []
    share = np.full(len(names), 1 / len(names)) if weights is None else _flat(weights)
    copies = {model for cluster in errors.clusters if len(cluster) > 1 for model in cluster}
    gone = [one for one in helps(errors.products, share) if one.weight <= 0 and one.index not in copies and abs(share[one.index]) < 0.01]
    return [f"{names[one.index]} has no place: its errors correlate {one.rho:.3f} with the blend's, to get a weight it would need less than "
            f"{one.limit:.3f}" for one in sorted(gone, key=lambda one: one.weight)[:2]]


def _next(errors: ErrorCorrelation, runs: Sequence[Run]) -> list[str]:
    found = next_model(errors, [run.model if run.kind in ("train", "tune") else "" for run in runs])
    says = [f"{FAMILY[found.kind]}: {found.why}"] if found.why else []
    if found.seed_gain is not None:
        says.append(f"more seeds of the near copies can take {found.seed_gain:.2%} off their mean squared error at most")
    return says


def _hard_words(hard: HardRows) -> list[str]:
    if not hard.share:
        return []
    whole = f"{hard.share:.1%} of the rows are hard for all" if hard.errors == WRONG else f"the hardest {hard.share:.0%} of the rows"
    says = [f"{whole}: {hard.what}; features help there, more models do not"]
    for one in hard.slices[:SLICES]:
        says.append(f"hard rows gather where {one.where}: {one.hard:.1%} ± {one.se:.1%} of {one.rows:,} rows (overall {one.hard_overall:.1%})")
    return says


def _list(names: Sequence[str]) -> str:
    if len(names) > NAMED + 1:
        return f"{', '.join(names[:NAMED])} and {len(names) - NAMED} more"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def told(value: float, se: float) -> str:
    """A value with its standard error, to two digits of the error.

    >>> told(0.00123, 0.00041), told(12.3, 4.1), told(0.5, 0.0)
    ('0.00123 ± 0.00041', '12.3 ± 4.1', '0.5')
    """
    if not se > 0:
        return f"{value:.4g}"
    digits = max(0, 1 - math.floor(math.log10(se)))
    return f"{value:.{digits}f} ± {se:.{digits}f}"


def expected_public(store: Store, folds: Folds, nested_score: float | None) -> list[str]:
    """One sentence with the public score to expect, where lbcheck's evidence has a verdict on these folds; else nothing."""
    from kagglekit.work.evidence import gather
    from kagglekit.work.findings import find, offset

    if nested_score is None:
        return []
    try:
        evidence = gather(store, folds.name, (), None)
        state, shift = find(evidence).state, offset(evidence)
    except KKError:
        return []
    if state == "does-not-track":
        return [f"no public score can be expected of {nested_score:.5f}: {folds.name} does not track the leaderboard"]
    if state != "tracks" or shift["value"] is None:
        return []
    return [f"public score to expect: {told(nested_score + shift['value'], shift['se'] or 0.0)} (the nested score {shift['value']:+.5g}, which "
            f"the public scores of {len(evidence.models)} models of {folds.name} are off)"]
