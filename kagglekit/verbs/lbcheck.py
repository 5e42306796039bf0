"""kk lbcheck: does the validation split track the leaderboard, and what follows."""

import dataclasses
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kagglekit.errors import KKError
from kagglekit.store import Store, open_store
from kagglekit.work.chart_lb import chart
from kagglekit.work.evidence import gather
from kagglekit.work.findings import WORDS, Finding, correlations, find, fit_of, offset, overfit_of, pair_rows
from kagglekit.work.kept import forced_note
from kagglekit.work.lb_points import points_of
from kagglekit.work.load import relative
from kagglekit.work.next_models import Ready, make_default, ready_of
from kagglekit.work.plot_lb import picture
from kagglekit.work.scored import HISTORY, Evidence, ScoredModel
from kagglekit.work.split_trials import Trials, compare_on
from kagglekit.work.typed import check_rows, from_table, options_of

NO_TRIALS = Trials((), {}, ())


@dataclass(frozen=True, slots=True)
class Checked:
    """The answer of `kk lbcheck`: three lines first (can_say, cannot_say, do_next), the rest for who asks.

    Scores, gaps and offsets are as the competition shows them. `order` answers first whether the models are in the same order on both
    sides; `verdict` is tracks, cannot-tell or does-not-track, `local` that among the best models. gap: how far a constant and noise
    explain public minus local; inflation: what keeping the best of all public scores gives by luck. n_pub: rows of the public part;
    `otherwise` holds the verdict for another number where theirs is not known. `elsewhere` are groups of runs that are not in this line.
    """

    can_say: str
    cannot_say: str
    do_next: str
    order: str
    direction: str
    verdict: str
    words: str
    why: str
    split: str
    metric: str
    models: tuple[ScoredModel, ...]
    pairs: tuple[Mapping[str, object], ...]
    m: int
    m_distinct: int
    anchors: tuple[str, ...]
    kendall: Mapping[str, float | None]
    spearman: Mapping[str, float | None]
    pearson: Mapping[str, float | None]
    offset: Mapping[str, float | None]
    gap: Mapping[str, float | None]
    slope: Mapping[str, float | None]
    outliers: tuple[Mapping[str, object], ...]
    drift: Mapping[str, object] | None
    inflation: Mapping[str, object] | None
    n_pub: Mapping[str, object]
    otherwise: tuple[Mapping[str, object], ...]
    p: float | None
    G: float | None
    power: float | None
    smallest_resolved_gap: float | None
    local: Mapping[str, object]
    advice: tuple[str, ...]
    needed: Mapping[str, object]
    elsewhere: tuple[str, ...]
    splits: tuple[Mapping[str, object], ...]
    choice: Mapping[str, object]
    warnings: tuple[str, ...]
    chart: tuple[str, ...]
    picture: str
    show_all: bool
    next: str


def lbcheck(runs: Sequence[str] = (), *, folds: str | None = None, table: str | Path | None = None, metric: str | None = None,
            direction: str | None = None, n_public: int | None = None, splits: str | Sequence[str] | None = None, sample: float = 1.0,
            use: bool = False, show_all: bool = False, competition: object = None) -> Checked:
    """Compare local and public scores of the runs on `folds` (default: the latest) and say whether the split tracks.

    Public scores are a run's own or borrowed from a submission of the same recipe. Zeros, constants and models no better than a
    constant are anchors, no evidence; runs whose test predictions were made in different ways are not in one line. `table` is a csv
    (model, cv, public[, cv_se]) of a history kept elsewhere, with `metric` (and `direction`, higher or lower, where it is not built in).

    `splits` names folds or splitters ("random5,group"): the submitted recipes are trained on each (on `sample` of the rows), and the
    splits ranked by how well they foretell the public scores; nothing is submitted. `use` makes the best one the default.
    Raises KKError where there is nothing to compare, with the fix.

        >>> kk.lbcheck(folds="group5").verdict  # doctest: +SKIP
        'tracks'
    """
    check_rows(n_public)
    if table is not None:
        ready = Ready(train=f"kk add history --table {shlex.quote(str(table))}", final=f"kk final {options_of(Path(table), metric, direction)}")
        return _shown(None, from_table(Path(table), metric, n_public, direction), ready, NO_TRIALS, show_all)
    store = open_store(competition)
    names = splits.split(",") if isinstance(splits, str) else list(splits or ())
    trials = compare_on(store, names, sample) if names else NO_TRIALS
    best = str(trials.choice.get("split", ""))
    if use and not best:
        raise KKError("--use needs splits to choose from", "Name them: kk lbcheck --splits random5,group5 --use")
    if use:
        make_default(store, best)
    evidence = gather(store, folds or (best if sample == 1.0 else "") or None, tuple(runs), n_public)
    return _shown(store, evidence, ready_of(store, evidence), trials, show_all)


def _shown(store: Store | None, evidence: Evidence, ready: Ready, trials: Trials, show_all: bool) -> Checked:
    finding = find(evidence, ready)
    everyone = (*evidence.models, *evidence.anchors)
    lines, image = _drawn(store, evidence, finding)
    return Checked(
        can_say=finding.can_say, cannot_say=finding.cannot_say, do_next=finding.do_next, order=finding.order, direction=finding.direction,
        verdict=finding.state, words=WORDS[finding.state], why=finding.why, split=evidence.split, metric=evidence.metric.name, models=everyone,
        pairs=tuple(pair_rows(evidence)), m=len(evidence.models), m_distinct=finding.m_distinct,
        anchors=tuple(model.run for model in evidence.anchors), **correlations(evidence), offset=offset(evidence), **fit_of(evidence),
        **overfit_of(evidence), n_pub={"value": _rows(evidence), "source": evidence.n_source},
        otherwise=tuple({"n_pub": other.n_public, "verdict": find(other).state} for other in evidence.others), p=finding.p_plus, G=finding.G,
        power=finding.power, smallest_resolved_gap=finding.scale, local=dataclasses.asdict(finding.local), advice=finding.advice,
        needed=_needed(finding), elsewhere=tuple(group.says for group in evidence.elsewhere), splits=trials.splits, choice=trials.choice,
        warnings=_warnings(store, evidence, trials), chart=lines, picture=image, show_all=show_all, next=_next(store, finding, trials))


def _rows(evidence: Evidence) -> float | None:
    return evidence.n_public if evidence.n_public == evidence.n_public else None


def _needed(finding: Finding) -> dict[str, float | None]:
    spacing, resolved = ((value if value == value else None) for value in (finding.needed.spacing, finding.needed.resolved))
    return {"models": finding.needed.models, "spacing": spacing, "resolved": resolved}


def _warnings(store: Store | None, evidence: Evidence, trials: Trials) -> tuple[str, ...]:
    """What must be seen without asking: folds kept with --force, and what the trials left out."""
    kept = store is not None and evidence.split != HISTORY and evidence.split in store.folds_names()
    forced = forced_note(store, evidence.split) if store is not None and kept else ""
    return tuple(dict.fromkeys(filter(None, (forced, *trials.notes))))


def _drawn(store: Store | None, evidence: Evidence, finding: Finding) -> tuple[tuple[str, ...], str]:
    """The terminal chart, and the path of the PNG (none outside a competition)."""
    points = points_of(evidence)
    if points is None:
        return (), ""
    image = ""
    if store is not None:
        path = store.reports / f"lbcheck-{evidence.split}.png"
        picture(points, f"{evidence.split} {WORDS[finding.state]} ({finding.m_distinct} models)", finding.order, path)
        image = relative(path)
    return tuple(chart(points)), image


def _next(store: Store | None, finding: Finding, trials: Trials) -> str:
    """After trials the winner is offered as the default; where it is that already, what the verdict asks for."""
    if store is None or not trials.splits or trials.choice["split"] == store.latest_folds():
        return finding.next
    return f"kk lbcheck --splits {','.join(str(one['split']) for one in trials.splits)} --use"
