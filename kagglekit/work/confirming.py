"""Confirming: did the order of models on a sample hold on all rows, what choosing by the sample would have cost, and were the forecasts right."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from kagglekit.correlation import kendall_exact
from kagglekit.work.side_by_side import SideBySide

FEW = 4  # models below which even a perfect order is no evidence


@dataclass(frozen=True, slots=True)
class Order:
    """The order of `m` models on the sample and on all rows.

    tau: Kendall's tau-b; chance: the share of unrelated orders that agree as well (one-sided p); None for fewer than two models.
    pairs: how many there are, resolved: how many have a gap beyond chance on the sample, kept: how many of these stand in the same order
    on all rows. regret: how far the sample's best is behind on all rows, as the competition shows scores, with its paired standard error.
    """

    m: int
    tau: float | None
    chance: float | None
    pairs: int
    resolved: int
    kept: int
    regret: float
    regret_se: float | None
    says: str


def order_of(sample: SideBySide, whole: SideBySide, pairs: Sequence[tuple[str, str, str]], sign: int) -> Order:
    """Compare the order of models given as (name, its run on the sample, its run on all rows), the sample's best first."""
    before, after = _places(sample, [one[1] for one in pairs]), _places(whole, [one[2] for one in pairs])
    m = len(pairs)
    small, large = sign * sample.gaps[before], sign * whole.gaps[after]
    tau, chance = kendall_exact(small, large) if m > 1 else (np.nan, np.nan)
    sure = [(i, j) for i in range(m) for j in range(i + 1, m) if sample.resolved(before[i], before[j])]
    kept = sum(bool((small[i] - small[j]) * (large[i] - large[j]) > 0) for i, j in sure)
    se = float(whole.se[0, after[0]]) if whole.se is not None and after[0] else None
    found = Order(m, _known(tau), _known(chance), m * (m - 1) // 2, len(sure), kept, float(whole.gaps[after[0]]), se, "")
    return replace(found, says=_says(found, pairs[0][0]))


def _places(found: SideBySide, runs: Sequence[str]) -> list[int]:
    where = {run.id: place for place, run in enumerate(found.runs)}
    return [where[one] for one in runs]


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _says(order: Order, best: str) -> str:
    """The order in words, with what so few models can say."""
    if order.m < 2:
        return "one model on all rows: there is no order to compare"
    if order.tau is None or order.chance is None:
        return f"the {order.m} models score the same: there is no order to compare"
    held = "held" if order.tau == 1 else "was turned round" if order.tau == -1 else "held in part"
    luck = f"unrelated orders agree as well in {order.chance:.0%} of cases"
    few = ", so it says little" if order.m < FEW else ""
    sure = (f"; clear on the sample: {order.resolved} of {order.pairs} pairs, of which {order.kept} kept their order" if order.resolved
            else f"; none of the {order.pairs} pairs was clear on the sample, so that any order was to be expected")
    return f"the sample's order {held} on all rows: Kendall's tau {order.tau:.2f} of {order.m} models; {luck}{few}{sure}. {_regret(order, best)}"


def _regret(order: Order, best: str) -> str:
    if order.regret == 0:
        return f"{best} was the best on the sample and is on all rows"
    size = "" if not order.regret_se else f", {abs(order.regret) / order.regret_se:.1f} SE"
    return f"Choosing {best} by the sample alone would cost {abs(order.regret):.5f} on all rows{size}"
