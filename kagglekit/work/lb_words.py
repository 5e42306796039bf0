"""lbcheck in words: what can be said, what cannot, and the cheapest next step."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from kagglekit import agreement
from kagglekit.agreement.sources import FEWEST_TYPED
from kagglekit.work.next_models import Ready
from kagglekit.work.scored import HISTORY, Evidence

WORDS = {"tracks": "tracks", "cannot-tell": "cannot tell yet whether it tracks", "does-not-track": "does not track"}
WHY = {
    "same order": "the order of the models is the same in both, beyond chance",
    "order violation": "a pair of models is in the opposite order on both sides beyond its noise",
    "reversed order": "the order of the models is reversed, beyond chance",
    "too few": "fewer than four real models",
    "noise-limited": "no pair of models is further apart than the noise on both sides",
    "consistent so far": "every resolved pair agrees, but there are too few of them",
    "mixed": "resolved pairs point both ways",
    "tied": "the agreement rests on tied scores",
}
FEWEST = 4  # real models below which no split is said to track
MOST_SPELLED = 7  # models whose number of orders is said


@dataclass(frozen=True, slots=True)
class Said:
    """What the sentences are made of: state and reason, direction, order, distinct models, smallest resolved gap, the verdict near the top."""

    state: str
    why: str
    direction: str
    order: str
    m: int
    scale: float | None
    local: str
    near: int
    otherwise: Sequence[str] = ()


def order_words(agree: Sequence[int], m: int) -> str:
    """Whether the models are in the same order on both sides (1, 0 or -1 for each pair), and what chance alone would do.

    >>> order_words([1], 2)
    'the same order in both; a coin does this half of the time'
    >>> order_words([1, 1, -1], 3)
    '2 of 3 pairs in the same order, 1 opposite; a coin would give 1.5'
    """
    if m < 2:
        return ""
    agree = list(agree)
    same, opposite, tied = agree.count(1), agree.count(-1), agree.count(0)
    if tied == len(agree):
        return "a tie" if m == 2 else "all pairs tied"
    if len(agree) in (same, opposite):
        which = "the same" if same else "the opposite"
        chance = "half of the time" if m == 2 else f"once in {math.factorial(m):,}" if m <= MOST_SPELLED else "practically never"
        return f"{which} order in both; {'a coin' if m == 2 else 'chance'} does this {chance}"
    ties = f", {tied} tied" if tied else ""
    return f"{same} of {len(agree)} pairs in the same order, {opposite} opposite{ties}; a coin would give {(len(agree) - tied) / 2:g}"


def said_of(evidence: Evidence, said: Said, needed: agreement.Needed, ready: Ready) -> tuple[str, str, str, tuple[str, ...], str]:
    """What can be said, what cannot, what to do and why, all advice, and the next command."""
    can, cannot = _verdict_words(evidence, said)
    if said.otherwise:
        cannot += f" (the number of public rows is not known: {evidence.n_public:,.0f} taken; {'; '.join(said.otherwise)})"
    do, command = _next(evidence, said, needed, ready)
    return can, cannot, do, (*evidence.notes, do), command


def _verdict_words(evidence: Evidence, said: Said) -> tuple[str, str]:
    name, split = evidence.metric.name, evidence.split
    if said.m == 0:
        return f"Nothing yet: no model of {split} has a public score{_only_anchors(evidence)}", "Whether this split can be trusted"
    if said.m == 1:
        return f"One model of {split} has a public score: no comparison yet", "Whether a better local score is a better public one"
    apart = f"; among the {said.near} best models it {WORDS[said.local]}" if said.near >= FEWEST and said.local != said.state else ""
    if said.state == "tracks":
        scale = f", for gaps of at least {said.scale:.5g} {name}" if said.scale else ""
        first = f"Among the {said.near} best models {split} {WORDS[said.local]}; over all {said.m} " if apart else ""
        beyond = ", which is where the best models lie" if apart else ""
        return f"{first}{split} tracks the leaderboard{scale}: {said.order}", f"Anything about smaller gaps{beyond}"
    if said.state == "does-not-track":
        return (f"{split} does not track the leaderboard: {WHY[said.why]} ({said.order}){apart}",
                "Which model is better: a gain under this split may be a loss on the leaderboard")
    if said.m < FEWEST:
        return f"{said.m} models of {split}: {_few(said)}", f"Whether {split} tracks: that needs at least {FEWEST} real models"
    if not evidence.known and said.why == "consistent so far":
        return (f"{said.m} models of {split}: {said.order}",
                f"Whether {split} tracks: the noise of cv is not known, and below {FEWEST_TYPED} models the scores do not tell it; give cv_se")
    return f"{said.m} models of {split}: {said.order}; {WHY.get(said.why, said.why)}{apart}", f"Whether {split} tracks the leaderboard"


def _only_anchors(evidence: Evidence) -> str:
    return " (anchors only: zeros, constants and what is no better)" if evidence.anchors else ""


def _few(said: Said) -> str:
    if said.direction == "opposite":
        return f"{said.order}, but inside the noise: no action"
    if said.direction == "same":
        return f"{said.order}{' (at most 2:1 for the split)' if said.m == 2 else ''}: go on"
    return said.order


def _next(evidence: Evidence, said: Said, needed: agreement.Needed, ready: Ready) -> tuple[str, str]:
    """What to do and why, and its command."""
    if said.state == "tracks":
        return "choose models by this split; the public score only confirms", ready.final
    if said.state == "does-not-track":
        return ("do not choose models by this split; train the same recipes on another: their public scores are borrowed, nothing is submitted",
                ready.splits or "kk cv --split auto")
    if said.m == 0 and evidence.elsewhere and not ready.submit and ready.splits and evidence.split != HISTORY:
        return "train the submitted recipes on this split: their public scores are borrowed, no submission is spent", ready.splits
    if said.m < 2:
        return _first(said.m, ready)
    name = evidence.metric.name
    if not evidence.known and said.why == "consistent so far":
        left = FEWEST_TYPED - said.m
        more = f"{left} more model{'s' if left > 1 else ''}, from which on the scores tell the noise"
        return f"write cv_se into the table; or {more}", ready.train or "kk submit RUN"
    if needed.models:
        many = "1 more model" if needed.models == 1 else f"{needed.models} more models"
        apart = f", at least {needed.spacing:.3g} {name} apart," if needed.spacing == needed.spacing else ""
        do = f"{many}{apart} would settle it; deliberately weaker ones count (linear, tree, forest)"
    elif said.why == "tied":
        do = "submit models that differ on both sides: tied ones are no evidence"
    else:
        do = f"a pair shows with 80 % power when it is {needed.resolved:.3g} {name} apart: submit models that far from these, else trust CV"
    return do, ready.submit or ready.train or "kk submit RUN"


def _first(m: int, ready: Ready) -> tuple[str, str]:
    do = "submit a second model that is clearly better or worse" if m else "submit two models that differ clearly"
    return do, ready.submit or ready.train or "kk train linear --refit"
