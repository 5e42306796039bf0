"""Finals: which submissions could be judged by, with the noise of their scores; the choice, and what the private board is likely to do."""

import csv
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from kagglekit import agreement
from kagglekit.errors import KKError
from kagglekit.run import Run, Submission
from kagglekit.store import Store
from kagglekit.work.evidence import Evidence, from_table, gather
from kagglekit.work.findings import find
from kagglekit.work.history import read_history
from kagglekit.work.scored import HISTORY, is_constant
from kagglekit.work.upload import known_metric

Array = np.ndarray
PUBLIC_SHARE = 0.3  # of the test rows, where nobody says it
COPIES = 0.999  # correlation of test predictions above which two submissions are one
LOOKED_AT = 20_000  # test rows that tell how alike two submissions are
DRIFTS = 0.05


@dataclass(frozen=True, slots=True)
class Candidate:
    """A submission that could be final. cv is None where its run has no local score on the folds that are compared.

    `place` is its row in the evidence's noise, None where it has none; `sent` the submission's number (of a table: the line).
    """

    run: str
    name: str
    ref: str
    sent: int
    cv: float | None
    cv_se: float | None
    public: float
    family: str = ""
    place: int | None = None

    @property
    def label(self) -> str:
        """Run and name, or the ref of one that was made elsewhere."""
        return " ".join(dict.fromkeys(part for part in (self.run or self.ref, self.name) if part))


@dataclass(frozen=True, slots=True)
class Case:
    """All that the choice rests on: scores as the competition shows them, noise as models x models (None where it is not known).

    se_cv and se_lb are what is given to the choice, `typical` the public noise for forecasts, also where it comes from a table of
    typical values. n_private goes by the public share of the test rows.
    """

    metric: str
    sign: int
    split: str
    candidates: tuple[Candidate, ...]
    se_cv: Array | None
    se_lb: Array | None
    typical: Array | None
    n_public: float
    n_private: float
    n_source: str
    alike: Array
    rounding: float = 0.0
    tau2: float = 0.0
    notes: tuple[str, ...] = field(default=())

    @property
    def cv(self) -> Array:
        """Local scores as shown, NaN where there is none."""
        return np.array([math.nan if one.cv is None else one.cv for one in self.candidates])

    @property
    def public(self) -> Array:
        """Public scores as shown."""
        return np.array([one.public for one in self.candidates])


def case_of(store: Store, folds: str | None = None, n_public: int | None = None, late: Collection[str] = ()) -> Case:
    """The submissions of a competition with a public score, each run's last one; refs in `late` came after the deadline.

    Constants count only where nothing else was submitted. Raises KKError where no submission has a public score.
    """
    runs = {run.id: run for run in store.all_runs()}
    records = [one for one in store.all_submissions() if one.status == "complete" and one.public is not None and one.ref not in late]
    last = {record.run or f"#{record.n}": record for record in records}
    records = [one for one in last.values() if not (one.run in runs and is_constant(runs[one.run]))] or list(last.values())
    if not records:
        if any(one.status == "complete" for one in store.all_submissions()):
            raise KKError(f"the board of {store.competition.slug} is hidden: no submission has a public score", "Choose by local scores: kk runs")
        raise KKError(f"no submission to {store.competition.slug} has a public score yet", "Submit a run: kk submit RUN; or fetch: kk submissions")
    evidence, notes = _evidence(store, folds, n_public)
    candidates = [_candidate(record, runs.get(record.run), evidence) for record in records]
    metric, better = known_metric(store.competition), store.competition.greater_is_better is not False
    sign = metric.sign if metric is not None else 1 if better else -1
    case = Case(store.competition.metric, sign, evidence.split if evidence else "", tuple(candidates), None, None, None, math.nan, math.nan, "",
                correlation_of_tests(store, [runs.get(one.run) for one in candidates]), notes=notes)
    return _with_noise(case, evidence, store.competition.public_fraction, typed=evidence is not None and evidence.split == HISTORY)


def case_of_table(path: Path, metric: str | None, n_public: int | None, direction: str | None = None) -> Case:
    """The models of a csv (model, cv, public[, cv_se]) with a public score; a private column is not looked at."""
    if not metric:
        raise KKError("a table has no metric of its own", "Name it: kk final --table FILE --metric auc")
    evidence = from_table(path, metric, n_public, direction)
    place = {model.sent: number for number, model in enumerate(evidence.models)}
    candidates = tuple(Candidate(line.model, "", "", number, line.cv, line.cv_se, line.public, place=place.get(number))
                       for number, line in enumerate(read_history(path)[0], start=1) if line.public is not None)
    case = Case(evidence.metric.name, evidence.metric.sign, path.name, candidates, None, None, None, math.nan, math.nan, "",
                np.eye(len(candidates)), notes=tuple(note for note in evidence.notes if "not read" in note))
    return _with_noise(case, evidence, 0.0, typed=True)


def _evidence(store: Store, folds: str | None, n_public: int | None) -> tuple[Evidence | None, tuple[str, ...]]:
    """The evidence of kk lbcheck, None where no run can be compared by its local score."""
    try:
        evidence = gather(store, folds, (), n_public)
    except KKError as error:
        if folds is not None:
            raise
        return None, (f"local scores are not used: {error.what}",)
    doubts = [note for note in evidence.notes if "lower bound" in note]
    if find(evidence).state == "does-not-track":
        doubts.append(f"{evidence.split} does not track the leaderboard: where both differ beyond noise, local scores weigh less (kk lbcheck)")
    return (evidence, tuple(doubts)) if evidence.models else (None, ("local scores are not used: no submitted run has one on the folds compared",))


def _candidate(record: Submission, run: Run | None, evidence: Evidence | None) -> Candidate:
    models = () if evidence is None else evidence.models
    place = next((number for number, model in enumerate(models) if model.sent == record.n), None)
    weak = next((model for model in (() if evidence is None else evidence.anchors) if model.sent == record.n and model.run == record.run), None)
    model = weak if place is None else models[place]
    name = record.file if run is None else str(run.notes.get("title") or run.name)
    return Candidate(record.run, name, record.ref, record.n, model.cv if model else None, model.cv_se if model else None, float(record.public or 0.0),
                     (run.model or run.kind) if run else "elsewhere", place)


def _with_noise(case: Case, evidence: Evidence | None, share: float, typed: bool) -> Case:
    """The case with standard errors. Typed-in scores have theirs only where every line says its own: typical values mislead the choice."""
    share = share if 0 < share < 1 else PUBLIC_SHARE
    rows = evidence.n_public if evidence is not None and math.isfinite(evidence.n_public) else 1000 * share
    case = replace(case, n_public=rows, n_private=rows * (1 - share) / share, n_source=evidence.n_source if evidence else "not known")
    if evidence is None or len(evidence.models) < 2:
        return case
    places = [one.place for one in case.candidates]
    se_cv, typical = (_extended(se, places) for se in (evidence.se_cv, evidence.se_lb))
    step = agreement.rounding_step([model.shown for model in evidence.models])  # fewer decimals: zeros that a spreadsheet dropped
    case = replace(case, typical=typical, rounding=step, tau2=_surplus(evidence))
    if not typed:
        return replace(case, se_cv=se_cv, se_lb=_with_drift(evidence, typical))
    if any(model.cv_se is None for model in evidence.models):
        return case
    return replace(case, se_cv=se_cv, se_lb=typical if evidence.n_source == "given" else None)


def _extended(se: Array, places: Sequence[int | None]) -> Array:
    """Noise of the candidates: that of the evidence where they are in it, else its medians."""
    grid = np.full((len(places), len(places)), float(np.median(se[np.triu_indices(len(se), 1)])))
    np.fill_diagonal(grid, float(np.median(np.diag(se))))
    known = [number for number, place in enumerate(places) if place is not None]
    rows = [places[number] for number in known]
    grid[np.ix_(known, known)] = se[np.ix_(rows, rows)]
    return grid


def _surplus(evidence: Evidence) -> float:
    """Variance of the gaps beyond noise."""
    if len(evidence.models) < 3:
        return 0.0
    return agreement.gap_model(evidence.cv, evidence.lb, evidence.se_cv, evidence.se_lb, evidence.df, rounding=evidence.rounding).tau2


def _with_drift(evidence: Evidence, se: Array) -> Array:
    """Public noise, more of it where public scores have run away from CV."""
    found = agreement.drift(evidence.cv, evidence.lb, np.array([model.sent for model in evidence.models]))
    if found is None or found.p >= DRIFTS:
        return se
    luck = agreement.inflation(evidence.lb, evidence.se_lb, max(evidence.submissions, len(evidence.models))).value
    more = np.full_like(se, 2 * luck**2)
    np.fill_diagonal(more, luck**2)
    return np.sqrt(se**2 + more)


def correlation_of_tests(store: Store, runs: Sequence[Run | None]) -> Array:
    """Correlation of the test predictions, models x models; 0 where they cannot be compared."""
    found = np.eye(len(runs))
    tests = {number: test for number, run in enumerate(runs) if run is not None and (test := store.array(run, "test", mapped=True)) is not None}
    for shape in {np.shape(test) for test in tests.values()}:
        rows = np.arange(shape[0])
        if shape[0] > LOOKED_AT:
            rows = np.sort(np.random.default_rng(0).choice(rows, LOOKED_AT, replace=False))
        same = [number for number, test in tests.items() if np.shape(test) == shape]
        flat = np.stack([np.asarray(tests[number][rows], dtype=np.float64).ravel() for number in same])
        flat -= flat.mean(axis=1, keepdims=True)
        size = np.sqrt((flat**2).sum(axis=1))
        flat = np.nan_to_num(flat / np.where(size > 0, size, np.inf)[:, None])
        found[np.ix_(same, same)] = flat @ flat.T
    np.fill_diagonal(found, 1.0)
    return found


def choose(case: Case, n: int = 2) -> agreement.Finals:
    """The n picks (all where there are no more), from local and public scores alone; losses are told without near copies of the picks."""
    if n < 1:
        raise KKError(f"{n} submissions cannot be picked", "Give at least one: kk final -n 2")
    if len(case.candidates) == 1:
        return agreement.Finals((0,), 0.0, 1.0, {}, ())
    found = _chosen(case, range(len(case.candidates)), n)
    copies = {other for pick in found.picks for other in np.flatnonzero(case.alike[pick] > COPIES).tolist()} - set(found.picks)
    return _chosen(case, [one for one in range(len(case.candidates)) if one not in copies], n) if copies else found


def _chosen(case: Case, rows: Sequence[int], n: int) -> agreement.Finals:
    """The choice among some candidates; indices are those of the case."""
    kept = np.array(rows)
    if len(kept) == 1:
        return agreement.Finals((int(kept[0]),), 0.0, 1.0, {}, ())
    grid = np.ix_(kept, kept)
    families = [case.candidates[one].family for one in rows]
    known = {} if case.se_lb is None else {"n_public": case.n_public, "n_private": case.n_private}
    found = agreement.choose_finals(case.cv[kept], case.public[kept], case.sign > 0, min(n, len(kept)), **known,
                                    se_cv=None if case.se_cv is None else case.se_cv[grid],
                                    se_public=None if case.se_lb is None else case.se_lb[grid], correlation=case.alike[grid],
                                    families=families if any(families) else None)
    runners = tuple((tuple(int(kept[one]) for one in pair), lost) for pair, lost in found.runners_up)
    return replace(found, picks=tuple(int(kept[one]) for one in found.picks), runners_up=runners)


def rule_picks(case: Case, n: int = 2) -> dict[str, list[int]]:
    """What the plain rules would pick: the best by public score and by local score."""
    public, cv = np.argsort(-case.sign * case.public, kind="stable"), np.argsort(-case.sign * case.cv, kind="stable")
    return {"by_public": public[:n].tolist(), "by_cv": [int(one) for one in cv if case.candidates[one].cv is not None][:n]}


def order_chances(case: Case) -> Array | None:
    """P(private order = public order) of each pair of candidates, models x models; None where the noise is not known."""
    if case.typical is None or len(case.candidates) < 2:
        return None
    lb, cv = case.sign * case.public, case.sign * case.cv
    rows = {"n_public": case.n_public, "n_private": case.n_private, "rounding": case.rounding}
    found = agreement.p_order(None, lb, 0.0, case.typical, **rows)
    known = np.flatnonzero([one.place is not None for one in case.candidates])
    if case.se_cv is not None and len(known) > 1:
        grid = np.ix_(known, known)
        found[grid] = agreement.p_order(cv[known], lb[known], case.se_cv[grid], case.typical[grid], tau2=case.tau2, **rows)
    return found


def board_scores(store: Store) -> list[float]:
    """The scores of the board that was fetched last, as shown; empty where none was."""
    files = sorted(store.leaderboard.glob("*.csv"))
    if not files:
        return []
    found = []
    with files[-1].open(encoding="utf-8", newline="") as text:
        for line in csv.DictReader(text):
            try:
                found.append(float(line.get("score") or "nan"))
            except ValueError:
                continue
    return [score for score in found if math.isfinite(score)]


def board_outlook(case: Case, scores: Sequence[float]) -> agreement.BoardForecast | None:
    """What the board is expected to look like in private; None without a board or noise. Own place: that of the best public score."""
    if len(scores) < 2 or case.typical is None:
        return None
    board, own = case.sign * np.array(scores), float((case.sign * case.public).max())
    paired = float(np.median(case.typical[np.triu_indices(len(case.candidates), 1)])) if len(case.candidates) > 1 else 0.0
    if paired <= 0:
        return None
    shown = own if own >= board.min() - case.rounding else None
    return agreement.board_forecast(board, paired, n_public=case.n_public, n_private=case.n_private, own=shown)


def reasons(case: Case, found: agreement.Finals, chances: Array | None) -> list[str]:
    """Why each pick was taken, in a few words."""
    places = {"public": _places(case.sign * case.public), "local": _places(case.sign * case.cv)}
    said = []
    for number, pick in enumerate(found.picks):
        parts = [f"{_ordinal(places['public'][pick])} by public score",
                 f"{_ordinal(places['local'][pick])} by local score" if case.candidates[pick].cv is not None else "no local score to compare"]
        if number and chances is not None:
            parts.append(f"ahead of {case.candidates[found.picks[0]].label} in private with P {chance(_ahead(case, chances, pick, found.picks[0]))}")
        said.append(", ".join(parts))
    return said


def chance(value: float) -> str:
    """A probability as text; never 0 or 1, which no scores can tell.

    >>> chance(0.9999), chance(0.5)
    ('> .99', '0.50')
    """
    return "> .99" if value > 0.99 else "< .01" if value < 0.01 else f"{value:.2f}"


def _ahead(case: Case, chances: Array, one: int, other: int) -> float:
    """P(one has the better private score)."""
    better = case.sign * (case.public[one] - case.public[other]) > 0
    return float(chances[one, other] if better else 1 - chances[one, other])


def _places(scores: Array) -> list[int]:
    """Rank from 1, ties share the best one; NaN come last."""
    filled = np.where(np.isnan(scores), -np.inf, scores)
    return [1 + int((filled > score).sum()) for score in filled]


def _ordinal(place: int) -> str:
    """
    >>> [_ordinal(place) for place in (1, 2, 11, 23)]
    ['best', '2nd', '11th', '23rd']
    """
    if place == 1:
        return "best"
    return f"{place}{'th' if 10 <= place % 100 <= 20 else {1: 'st', 2: 'nd', 3: 'rd'}.get(place % 10, 'th')}"


def copies_of_picks(case: Case, picks: Sequence[int]) -> list[str]:
    """Which submissions are near copies of a pick, and so were not picked beside it."""
    return [f"{case.candidates[other].label} is a near copy of {case.candidates[pick].label} (correlation {case.alike[pick, other]:.5f}): never both"
            for pick in picks for other in range(len(case.candidates)) if other not in picks and case.alike[pick, other] > COPIES]
