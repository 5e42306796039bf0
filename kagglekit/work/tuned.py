"""What a search came to: the best trial beside the defaults, what of the gain is luck, which parameters matter, in numbers and sentences."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kagglekit.errors import KKError
from kagglekit.fold import Data
from kagglekit.ledger import open_ledger
from kagglekit.models.presets import model_of
from kagglekit.store import Store
from kagglekit.work.optimism import Case, Optimism, optimism
from kagglekit.work.plan import Array, Plan
from kagglekit.work.score import nadeau_bengio, said_for, truth_for
from kagglekit.work.space import Parameter
from kagglekit.work.study import Study, fold_scores_of, value_of

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

MOST_CELLS = 250_000_000  # predictions of trials in memory at once; beyond it the best trials only
SURE = 2.0                # standard errors from which a gain is more than noise
ENOUGH = 12               # complete trials from which it can be said which parameters matter
NO_FAMILIES = {"constant", "group-mean"}
FEW_FAMILIES = 3


@dataclass(frozen=True, slots=True)
class Gain:
    """The best trial against the defaults, positive where it is better: as the folds have it, with its paired standard error
    (Nadeau-Bengio), and as it is without the luck of having been picked (None where it cannot be known)."""

    value: float
    se: float | None
    honest: float | None


@dataclass(frozen=True, slots=True)
class Found:
    """The best trial and the defaults' of a study, the gain, the optimism, the shares of importance, and how many trials ended how."""

    best: "FrozenTrial"
    defaults: "FrozenTrial | None"
    gain: Gain | None
    luck: Optimism | None
    importance: Mapping[str, float]
    complete: int
    pruned: int
    failed: int


def found_in(study: Study, plan: Plan, data: Data, space: Sequence[Parameter]) -> Found:
    """What the study holds. Raises KKError where no trial has a score."""
    best, default = study.best(), study.defaults()
    counts = {state: study.count(state) for state in ("COMPLETE", "PRUNED", "FAIL")}
    if best is None:
        raise KKError(f"no trial of the study {study.name!r} has a score: {counts['FAIL']} failed, {counts['PRUNED']} were pruned",
                      "Give it more time or trials (--budget 10m, --trials 30), or begin another: --study NAME")
    luck = _luck(study, plan, data) if default is not None else None
    gain = gain_of(best, default, plan, luck, study.sign) if default is not None else None
    return Found(best, default, gain, luck, importance(study, space), counts["COMPLETE"], counts["PRUNED"], counts["FAIL"])


def gain_of(best: "FrozenTrial", default: "FrozenTrial", plan: Plan, luck: Optimism | None, sign: int) -> Gain:
    """The gain over the defaults, paired by fold; one fold alone gives no standard error."""
    gaps = [sign * (one - other) for one, other in zip(fold_scores_of(best), fold_scores_of(default), strict=True)]
    folds = [plan.folds.one(*key) for key in plan.keys]
    ratio = float(np.mean([plan.used[fold.valid].sum() / max(int(plan.used[fold.train].sum()), 1) for fold in folds]))
    value = float(np.mean(gaps))
    return Gain(value, nadeau_bengio(gaps, ratio) if len(gaps) > 1 else None, value - luck.value if luck else None)


def _luck(study: Study, plan: Plan, data: Data) -> Optimism | None:
    """The optimism of the best trial, over the complete trials whose predictions are here, the defaults first."""
    complete = sorted(study.complete(), key=lambda one: (not one.user_attrs.get("defaults"), -study.sign * value_of(one), one.number))
    complete = [one for one in complete if "twin" not in one.user_attrs]
    kept = [values for one in complete if (values := study.oof(one.number)) is not None]
    if not complete or study.oof(complete[0].number) is None or study.oof(study.best().number) is None:  # type: ignore[union-attr]
        return None
    kept = kept[: max(2, MOST_CELLS // max(kept[0].size, 1))]
    entries = [np.flatnonzero(plan.used[plan.folds.one(*key).valid]) for key in plan.keys]
    rows = np.concatenate([plan.folds.one(*key).valid[part] for key, part in zip(plan.keys, entries, strict=True)])
    fold = np.repeat(np.arange(len(plan.keys)), [len(part) for part in entries])
    unit = rows if data.groups is None else np.unique(np.asarray(data.groups)[rows], return_inverse=True)[1]
    metric = plan.problem.metric
    said = [said_for(metric, values.astype(np.float64), plan.problem) for values in kept]
    return optimism(Case(metric, truth_for(metric, data, plan.problem)[rows], fold, _dense(unit), said))


def _dense(unit: Array) -> Array:
    return np.unique(unit, return_inverse=True)[1]


def importance(study: Study, space: Sequence[Parameter]) -> dict[str, float]:
    """Shares of the variance of trials' scores that each parameter alone explains (fANOVA, Hutter et al. 2014), the largest first.

    Of parameters that every trial has; empty below a dozen complete trials.
    """
    names = [one.name for one in space if not one.when]
    full = [one for one in study.complete() if all(name in one.params for name in names)]
    if len(full) < ENOUGH or len(names) < 2 or len({value_of(one) for one in full}) < 2:
        return {}
    from optuna.importance import FanovaImportanceEvaluator, get_param_importances

    found = get_param_importances(study.optuna, evaluator=FanovaImportanceEvaluator(n_trees=32, seed=0), params=names)
    return {name: float(share) for name, share in found.items()}


def verdict(gain: Gain | None, best_is_default: bool) -> str:
    """One sentence: what the search brought.

    >>> verdict(Gain(0.002, 0.001, 0.0004), False)
    'within the noise (+0.00040 ± 0.00100 without the luck of the pick, 0.4 SE): keep the defaults'
    >>> verdict(Gain(0.02, 0.001, 0.019), False)
    'better than the defaults: +0.01900 ± 0.00100 without the luck of the pick (19.0 SE)'
    """
    if best_is_default:
        return "no trial is better than the defaults: keep them"
    if gain is None:
        return "the defaults have no score: what the search gained is not known"
    honest = gain.value if gain.honest is None else gain.honest
    luck = " without the luck of the pick" if gain.honest is not None else ""
    if not gain.se:
        return f"{honest:+.5f}{luck}; of one fold its standard error is not known"
    size = honest / gain.se
    if size < 1:
        return f"within the noise ({honest:+.5f} ± {gain.se:.5f}{luck}, {size:.1f} SE): keep the defaults"
    if size < SURE:
        return f"perhaps better than the defaults: {honest:+.5f} ± {gain.se:.5f}{luck} ({size:.1f} SE), too small to be sure"
    return f"better than the defaults: {honest:+.5f} ± {gain.se:.5f}{luck} ({size:.1f} SE)"


def families_tried(store: Store) -> list[str]:
    """Model families with a finished run on the ledger, without those that learn next to nothing; a model of one's own is one of its own."""
    found = set()
    for row in open_ledger(store).runs():
        if row["status"] == "done" and row["model"] and row["kind"] in ("train", "tune", "add"):
            found.add(_family(str(row["model"])))
    return sorted(found - NO_FAMILIES)


def _family(name: str) -> str:
    try:
        return model_of(name)
    except KKError:
        return name


def families_warning(tried: Sequence[str]) -> str:
    """The sentence for a search that comes before other models were tried; empty where they were.

    >>> families_warning(["lgbm", "linear", "forest"])
    ''
    """
    if len(tried) >= FEW_FAMILIES:
        return ""
    known = f"only {' and '.join(tried)} {'was' if len(tried) == 1 else 'were'} tried" if tried else "no model was tried"
    return f"{known} so far: other architectures bring more than other parameters: kk explore"


def settings_line(params: Mapping[str, object]) -> str:
    """Parameters as kk train takes them.

    >>> settings_line({"num_leaves": 63, "learning_rate": 0.0312345678})
    '--set num_leaves=63 --set learning_rate=0.0312346'
    """
    return " ".join(f"--set {name}={value:.6g}" if isinstance(value, float) else f"--set {name}={_word(value)}" for name, value in params.items())


def _word(value: object) -> str:
    return json.dumps(value) if isinstance(value, bool) else str(value)
