"""kk lbcheck: does the validation split track the leaderboard, and what follows."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kagglekit.store import open_store
from kagglekit.work.evidence import Evidence, ScoredModel, from_table, gather
from kagglekit.work.findings import WORDS, Finding, compared, correlations, find, offset, pair_rows


@dataclass(frozen=True, slots=True)
class Checked:
    """The answer of `kk lbcheck`: three lines first, the rest for who asks."""

    can_say: str
    cannot_say: str
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
    direction: str
    kendall: Mapping[str, float | None]
    spearman: Mapping[str, float | None]
    pearson: Mapping[str, float | None]
    offset: Mapping[str, float | None]
    n_pub: Mapping[str, object]
    p: float | None
    G: float | None
    smallest_resolved_gap: float | None
    local: Mapping[str, object]
    advice: tuple[str, ...]
    needed: Mapping[str, object]
    splits: tuple[Mapping[str, object], ...]
    show_all: bool
    next: str


def lbcheck(runs: Sequence[str] = (), *, folds: str | None = None, table: str | Path | None = None, metric: str | None = None,
            n_public: int | None = None, splits: str | Sequence[str] | None = None, show_all: bool = False,
            competition: object = None) -> Checked:
    """Compare local and public scores of the runs on `folds` (default: the latest) and say whether the split tracks.

    Public scores are a run's own or borrowed from a submission of the same recipe. Zeros, constants and models no better than a
    constant are anchors, no evidence. `table` is a csv (model, cv, public[, cv_se]) of a history kept elsewhere, with `metric`.
    `splits` names folds to compare ("random5,group5"). Raises KKError where there is nothing to compare with the fix.

        >>> kk.lbcheck(folds="group5").verdict  # doctest: +SKIP
        'tracks'
    """
    if table is not None:
        return _shown(from_table(Path(table), metric, n_public), (), show_all)
    store = open_store(competition)
    evidence = gather(store, folds, tuple(runs), n_public)
    names = splits.split(",") if isinstance(splits, str) else list(splits or ())
    others = [gather(store, name.strip(), (), n_public) for name in names]
    return _shown(evidence, tuple(compared(others)) if len(others) > 1 else (), show_all)


def _shown(evidence: Evidence, splits: tuple, show_all: bool) -> Checked:
    finding: Finding = find(evidence)
    needed = finding.needed
    spacing = needed.spacing if needed.spacing == needed.spacing else None
    everyone = (*evidence.models, *evidence.anchors)
    return Checked(
        can_say=finding.can_say, cannot_say=finding.cannot_say, verdict=finding.state, words=WORDS[finding.state], why=finding.why,
        split=evidence.split, metric=evidence.metric.name, models=everyone, pairs=tuple(pair_rows(evidence)), m=len(evidence.models),
        m_distinct=finding.m_distinct, anchors=tuple(model.run for model in evidence.anchors), direction=finding.direction,
        **correlations(evidence), offset=offset(evidence), n_pub={"value": evidence.n_public, "source": evidence.n_source},
        p=finding.p_plus, G=finding.G, smallest_resolved_gap=finding.scale, local=dataclasses.asdict(finding.local),
        advice=finding.advice, needed={"models": needed.models, "spacing": spacing}, splits=splits, show_all=show_all, next=finding.next)
