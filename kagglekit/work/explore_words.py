"""What is said of an exploration: who leads and how sure that is, who errs otherwise, what all rows cost, and what comes next."""

import shlex

from kagglekit.models import presets
from kagglekit.work.exploration import Exploration
from kagglekit.work.hours import spoken

SEVERAL = 4  # models that are named one by one
STEEP = 2.0  # gaps to the best, in what a model gained from a quarter of the sample, below which it may overtake on all rows
RARE = 1000  # rows of a sample below which its order says little


def sentences(found: Exploration) -> tuple[str, ...]:
    """The findings, one a line."""
    said = [_sample(found), _leader(found), _luck(found), _others(found), _rising(found), _cost(found)]
    if found.order:
        said.append(found.order.says)
    return tuple(one for one in said if one)


def _sample(found: Exploration) -> str:
    if found.sample == 1:
        return "all rows were used: these runs are whole ones, nothing is to be confirmed" if found.confirm else ""
    return (f"a sample of {found.rows_used:,} of {found.folds.rows:,} rows ({100 * found.sample:.2g} %), the same for all; "
            "on all rows scores are better and gaps may change: --confirm 3 trains the best on all")


def _leader(found: Exploration) -> str:
    best, *others = [row for row in found.rows if row["score"] is not None]
    if not others:
        return f"{best['model']} alone has a score: name more models to compare"
    tied = [str(row["model"]) for row in others if row["tied"]]
    if len(tied) > SEVERAL:
        return f"{best['model']} leads; {tied[0]}, {tied[1]} and {len(tied) - 2} more cannot be told from it (paired over folds, 5 %)"
    if not tied:
        return f"{best['model']} is the best of {len(others) + 1}, and no other comes so near that it could be chance"
    return f"{best['model']} leads; {_listed(tied)} cannot be told from it (paired over folds, 5 %)"


def _luck(found: Exploration) -> str:
    luck = found.luck
    if luck is None or luck.ahead is None or not luck.tried > 1:
        return ""
    return (f"picking the best of {luck.tried} flatters: were all equal, the best would be {luck.ahead:.2g} ahead by luck alone; "
            "expect so much less where rivals are near")


def _others(found: Exploration) -> str:
    """Models that help a blend: their plain mean with the best is better than the best alone."""
    useful = [row for row in found.rows if row["helps"] is not None and float(str(row["helps"])) > 0]
    useful.sort(key=lambda row: -float(str(row["helps"])))
    alike = ["" if row["correlation"] is None else f", errors correlate {float(str(row['correlation'])):.2f}" for row in useful]
    told = [f"{row['model']} (by {float(str(row['helps'])):.2g}{errors})" for row, errors in zip(useful[:3], alike, strict=False)]
    if not told:
        return "for a blend: the plain mean with no other model beats the best alone" if len(found.rows) > 1 else ""
    return f"for a blend: the plain mean of the best with {_listed(told)} is better than the best alone, on the same rows (kk ensemble weighs them)"


def _rising(found: Exploration) -> str:
    """Models behind the best that gain more from more rows than it does."""
    best, *others = [row for row in found.rows if row["score"] is not None]
    if best["rising"] is None:
        return ""
    sign = found.metric.sign
    lead = sign * float(str(best["rising"]))
    names = []
    for row in others:
        if row["rising"] is None:
            continue
        more = sign * float(str(row["rising"])) - lead
        if more > 0 and -sign * float(str(row["gap"])) < STEEP * more:
            names.append(str(row["model"]))
    return f"gains more than the best from more rows and may overtake it on all: {_listed(names[:3])}" if names else ""


def _cost(found: Exploration) -> str:
    if not found.costs:
        return ""
    total = sum(cost.seconds for cost in found.costs.values())
    two = all(cost.power is not None for cost in found.costs.values())
    how = "from the cost at two sizes" if two else "from the cost at one size where no quarter of the sample was trained"
    checked = [row["full"] for row in found.rows if row["full"] and row["full"]["missed"]]
    told = ""
    if checked:
        within = sum(bool(one["within"]) for one in checked)
        told = f"; of {len(checked)} that were confirmed {within} took a time within the range"
    return f"all models on all rows would take about {spoken(total)}; forecasts are {how}, the range says how far to trust them{told}"


def warned(found: Exploration) -> tuple[str, ...]:
    """What went wrong, what was left out, and what makes the order weak."""
    said = [f"{row['model']} failed: {row['why']}. {row['do']}".rstrip(". ") for row in found.rows if row["status"] == "failed"]
    late = [str(row["model"]) for row in found.rows if row["status"] == "left out"]
    if late:
        said.append(f"left out, the forecast did not fit into the time: {_listed(late)}; give more: --budget 20m")
    for row in found.rows:
        full = row["full"]
        if full and not full["run"]:
            said.append(f"{row['model']} is not confirmed: {full['why']}")
    if found.left_out:
        said.append("not explored: " + ", ".join(f"{one['model']} ({one['why']})" for one in found.left_out))
    if found.rows_used < RARE:
        said.append(f"{found.rows_used:,} rows say little of the order of models; simple ones are favoured")
    return tuple(said)


def following(found: Exploration) -> str:
    """The next step: confirm where only a sample was seen, else tune the best, and blend."""
    if found.sample < 1 and not found.order:
        return f"kk explore{_again(found)} --confirm 3"
    best = next(row for row in found.rows if row["score"] is not None)
    full = [row for row in found.rows if row["full"] and row["full"]["score"] is not None]
    if full:
        best = max(full, key=lambda row: found.metric.sign * float(row["full"]["score"]))
    name = str(best["model"])
    return f"kk tune {name}, then kk ensemble" if name in presets.known() and presets.space(name) else "kk ensemble"


def _again(found: Exploration) -> str:
    """The options of the same exploration."""
    wishes = found.wishes
    names = [str(one) for one in wishes.models]
    given = {"--models": ",".join(names) if all(isinstance(one, str) for one in wishes.models) else "", "--folds": wishes.folds or "",
             "--sample": f"{wishes.sample:g}" if wishes.sample is not None else ""}
    return "".join(f" {name} {shlex.quote(value)}" for name, value in given.items() if value)


def _listed(names: list[str]) -> str:
    return ", ".join(names[:-1]) + f" and {names[-1]}" if len(names) > 1 else "".join(names)
