"""Looking back: what each way to choose would have given, whether the verdict on the split was right, and the lesson."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kagglekit import agreement
from kagglekit.errors import KKError
from kagglekit.store import Store
from kagglekit.work.evidence import Evidence, gather
from kagglekit.work.finals import Case, case_of, choose, rule_picks
from kagglekit.work.findings import WORDS, find

Array = np.ndarray
WRITE_UP = re.compile(r"write[- ]?up|\bsolution\b|\b\d+(st|nd|rd|th)\b.*\bplace\b|\bplace\b.*\bsolution\b", re.IGNORECASE)
MOST_LINKS = 5
HALF = 0.5


@dataclass(frozen=True, slots=True)
class Verdict:
    """What kk lbcheck says of the split from local and public scores, and what the same rule says with private ones in their place.

    `right` is None where one of the two cannot tell. same of pairs: in the same order by local and by private score.
    """

    split: str
    said: str
    private: str
    right: bool | None
    same: int
    pairs: int

    @property
    def words(self) -> str:
        """The comparison as a sentence."""
        told = f"kk lbcheck: {self.split} {WORDS[self.said]}; in private {self.same} of {self.pairs} pairs are in the order of local scores"
        if self.right is None:
            return f"{told}: that settles nothing"
        return f"{told}: it was {'right' if self.right else 'wrong'}"


def picked(store: Store, private: Mapping[int, float], final: Sequence[int], late: Collection[str],
           better: bool) -> tuple[list[dict[str, object]], Case | None]:
    """What sets of final submissions gave: chosen, kk_final, by_public, by_local. by, runs, private (the better one), lost (0 or more).

    `private` and `final` go by the submission's number. kk final and the two rules see local and public scores only.
    """
    best = (max if better else min)(private.values(), default=None)
    if best is None:
        return [], None
    count = max(len(final), 2)
    try:
        case = case_of(store, late=late)
    except KKError:
        case = None
    ways: dict[str, list[int]] = {"chosen": list(final)}
    if case is not None:
        rules = rule_picks(case, count)
        sets = {"kk_final": list(choose(case, count).picks), "by_public": rules["by_public"], "by_local": rules["by_cv"]}
        ways |= {name: [case.candidates[one].sent for one in picks] for name, picks in sets.items()}
    names = {one.n: one.run or one.ref for one in store.all_submissions()}
    found = []
    for name, sent in ways.items():
        known = [n for n in sent if n in private]
        if known:
            reached = (max if better else min)(private[n] for n in known)
            found.append({"by": name, "runs": [names[n] for n in known], "private": reached, "lost": round(abs(reached - best), 10)})
    return found, case


def verdict_on_split(store: Store, private: Mapping[int, float], case: Case | None) -> Verdict | None:
    """Whether what kk lbcheck says of the split held in private; None where fewer than two models have all scores."""
    try:
        evidence = gather(store, None, (), None)
    except KKError:
        return None
    known = [number for number, model in enumerate(evidence.models) if model.sent in private]
    if len(known) < 2:
        return None
    ratio = (case.n_public / case.n_private) ** 0.5 if case is not None else 1.0
    state, cv, hidden = _in_private(evidence, known, np.array([private[evidence.models[one].sent] for one in known]), ratio)
    said = find(evidence).state
    upper = np.triu_indices(len(known), 1)
    gaps = (cv[:, None] - cv)[upper] * (hidden[:, None] - hidden)[upper]
    right = None if "cannot-tell" in (said, state) else said == state
    return Verdict(evidence.split, said, state, right, int((gaps > 0).sum()), len(gaps))


def _in_private(evidence: Evidence, known: Sequence[int], private: Array, ratio: float) -> tuple[str, Array, Array]:
    """The state with private scores in the place of public ones; scores higher is better. ratio: private noise / public noise."""
    grid = np.ix_(known, known)
    cv, hidden = evidence.cv[known], evidence.metric.sign * private
    found = agreement.verdict(cv, hidden, evidence.se_cv[grid], evidence.se_lb[grid] * ratio, evidence.df, rounding=evidence.rounding)
    return found.state, cv, hidden


def lesson(orders: Sequence[Mapping[str, object]], ways: Sequence[Mapping[str, object]], verdict: Verdict | None, case: Case | None,
           private: Mapping[int, float], metric: str) -> list[str]:
    """Three lines: which score to trust, what the choice cost, and how much was noise. Fewer where scores are too few."""
    return [line for line in (_trust(orders, verdict), _cost(ways, metric), _noise(case, private)) if line]


def _trust(orders: Sequence[Mapping[str, object]], verdict: Verdict | None) -> str:
    share = {str(one["by"]): int(str(one["same"])) / int(str(one["pairs"])) for one in orders}
    tail = f" ({verdict.words})" if verdict is not None else ""
    if len(share) < 2:
        return f"trust: too few submissions have all three scores to say which to trust{tail}"
    public, local = share["public"], share["local"]
    told = f"public scores had {public:.0%} of the pairs in the private order, local ones {local:.0%}"
    if abs(public - local) < 0.05:
        return f"trust: {told}: one was as good a guide as the other{tail}"
    if max(public, local) <= HALF:
        return f"trust: {told}: neither was a guide; look for a split that imitates the test set{tail}"
    return f"trust: {told}: {'local scores were' if local > public else 'the board was'} the better guide{tail}"


def _cost(ways: Sequence[Mapping[str, object]], metric: str) -> str:
    lost = {str(one["by"]): float(str(one["lost"])) for one in ways}
    if "chosen" not in lost:
        return ""
    if lost["chosen"] == 0:
        return "choice: the best submission was among your final ones"
    others = {name: value for name, value in lost.items() if name != "chosen"}
    named = {"kk_final": "kk final", "by_public": "the two best public ones", "by_local": "the two best local ones"}
    cheaper = [f"{named[name]} {value:.5g}" for name, value in others.items() if value < lost["chosen"]]
    return f"choice: it cost {lost['chosen']:.5g} {metric} against the best there was; " + (f"less: {', '.join(cheaper)}" if cheaper else
                                                                                         "no rule would have lost less")


def _noise(case: Case | None, private: Mapping[int, float]) -> str:
    if case is None or case.typical is None:
        return ""
    hidden = np.array([private.get(one.sent, np.nan) for one in case.candidates]) * case.sign
    if np.isfinite(hidden).sum() < 2:
        return ""
    se = float(np.median(case.typical[np.triu_indices(len(hidden), 1)])) * (case.n_public / case.n_private) ** 0.5
    near = int((hidden >= np.nanmax(hidden) - se).sum())
    gap = float(np.nanmedian(case.sign * hidden - case.public))
    told = f"noise: one private standard error of a gap was {se:.2g}; "
    told += f"the best {near} submissions lie within it, their order is luck" if near > 1 else "the best submission is ahead by more than that"
    return f"{told}; private less public score: {gap:+.5g} (median)"


def links_of(topics: Sequence[object], page: str) -> list[dict[str, object]]:
    """Write-ups first, then other discussions, each by votes: kind, title, url, votes. `topics` have these and are told by the server."""
    ranked = sorted(topics, key=lambda one: -one.votes)
    kinds: dict[str, list[dict[str, object]]] = {"write-up": [], "discussion": []}
    for topic in ranked:
        kind = "write-up" if WRITE_UP.search(topic.title) else "discussion"
        kinds[kind].append({"kind": kind, "title": topic.title, "url": topic.url, "votes": topic.votes})
    found = [*kinds["write-up"][:MOST_LINKS], *kinds["discussion"][:MOST_LINKS]]
    return [*found, {"kind": "all", "title": "all discussions by votes", "url": f"{page}/discussion?sort=votes", "votes": None}]
