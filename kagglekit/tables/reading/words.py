"""The readings in words: short sentences, each number with its standard error, and nothing more certain than it is."""

from collections.abc import Iterator, Sequence

import numpy as np

from kagglekit.tables.reading.case import Case, Reading
from kagglekit.tables.reading.fits import OWN_NOISE, Fit, Fits
from kagglekit.tables.reading.lattice import LUCK, Lattice

HEAVY = 20.0  # kurtosis of the errors beyond which a handful of rows decides the score
LISTED = 6
BY_SQUARES = {"rmse": ("", 2), "mse": ("", 1), "rmsle": ("log", 2), "msle": ("log", 1)}


def brief(value: float) -> str:
    """A standard error with two digits, never in powers of ten unless it is tiny or huge.

    >>> brief(109.53), brief(0.02261)
    ('110', '0.023')
    """
    if not np.isfinite(value) or value == 0:
        return f"{value:g}"
    return f"{round(value, 1 - int(np.floor(np.log10(abs(value))))):.10g}"


def about_mean(case: Case, best: Fit | None, state: str) -> Iterator[Reading]:
    """The mean or share that the score stands for, beside train's."""
    if best is None or best.rule.values is None or not best.possible or state == "contradicted":
        return
    rule, evidence = best.rule, f"solved from {case.metric} = {case.score:.10g}"
    if rule.kind == "prior":
        answer = rule.says.removeprefix("(target is ").removesuffix(")")
        noise = brief(100 * best.se)
        says = f"{best.public:.2%} of the public answers are {answer}, {best.train:.2%} of train's (± {noise}% expected)"
    else:
        what = rule.says if rule.says.startswith(("the ", "each ")) or rule.says.endswith("itself") else f"the mean of {rule.says}"
        says = f"{what} is {best.public:.6g} in the public part, {best.train:.6g} in train (± {brief(best.se)} expected)"
    yield Reading(says, best.public, evidence + (f", {rule.form}" if rule.form else ""), rule.kind, best.se)


def about_both(case: Case, best: Fit | None, others: Sequence[Case]) -> Iterator[Reading]:
    """Two constants' squared errors give the mean of the target itself (of its logarithm where the metric takes logarithms)."""
    y = case.numbers
    other = next((one for one in others if one.number is not None and case.number is not None and one.number.size == 1
                  and np.any(one.number != case.number)), None)
    if best is None or other is None or best.rule.name not in BY_SQUARES or y is None or y.ndim > 1 or not best.possible or best.far:
        return
    scale, power = BY_SQUARES[best.rule.name]
    a, b, values = float(case.number.ravel()[0]), float(other.number.ravel()[0]), y
    if scale:
        a, b, values = float(np.log1p(a)), float(np.log1p(b)), np.log1p(y)
    mean = (abs(case.score) ** power - abs(other.score) ** power + b**2 - a**2) / (2 * (b - a))
    blur = case.step / 2 * (abs(case.score) ** (power - 1) + abs(other.score) ** (power - 1)) * power / (2 * abs(b - a))
    se, what = case.se_of_mean(values), "log(1 + target)" if scale else "the target"
    yield Reading(f"the mean of {what} is {mean:.6g} in the public part, {values.mean():.6g} in train (± {brief(se)} expected)", mean,
                  f"from the scores of two constants; their rounding leaves ± {brief(blur)}", "mean", se)


def about_metric(case: Case, fits: Fits, best: Fit | None) -> Reading:
    """Whether the score is what the named metric gives, and which others would give it too."""
    if best is None:
        return _without_rule(case, fits)
    name, rivals, on_train = case.metric or best.rule.name, fits.rival_names, _expected(best)
    evidence = f"by {best.name} the constant scores {on_train} on train's target, {case.score:.10g} on the public part"
    if best.fits:
        return _metric(_fitting(name, best, rivals), best, evidence, "fits" if rivals else "confirmed")
    if best.rule.fixed is not None:
        says, state = _not_fixed(case, name, best, fits)
        return _metric(says, best, evidence, state)
    evidence += f", {abs(best.z):.1f} standard errors apart" if best.possible and np.isfinite(best.z) else ""
    if best.out_of_reach and rivals:
        return _metric(f"the score fits {rivals}, not {name}", best, evidence, "contradicted")
    if best.far and not rivals:
        return _metric(f"the score is far from what {name} gives on train: another metric than thought, or a shifted target", best, evidence, "open")
    other = f"{rivals} would fit" if rivals else "no other metric that was tried fits"
    return _metric(f"{name} is possible if the target is shifted; {other}", best, evidence, "open")


def _metric(says: str, best: Fit, evidence: str, state: str) -> Reading:
    return Reading(says, best.expected, evidence, "metric", best.expected_se, state)


def _without_rule(case: Case, fits: Fits) -> Reading:
    start = f"nothing can be read from {case.metric} of this constant; " if case.metric else ""
    if fits.rivals:
        return Reading(f"{start}the score fits {fits.rival_names}", case.score, "what the constant scores on train's target", "metric", None, "fits")
    what = start.removesuffix("; ") or "no metric that was tried gives this on train's target"
    return Reading(f"the constant scores {case.score:.10g}; {what}", case.score, "the server's own score", "metric", None, "open")


def _expected(best: Fit) -> str:
    return f"{best.expected:.6g}" if best.rule.fixed is not None else f"{best.expected:.6g} ± {brief(best.expected_se)}"


def _fitting(name: str, best: Fit, rivals: str) -> str:
    fixed = best.rule.fixed is not None
    says = f"{name} of this constant is {best.expected:.5g} whatever the answers are" if fixed else f"the score fits {name}"
    if rivals:
        return f"{says}; {rivals} would give it too"
    return f"{says}: metric confirmed" if fixed else f"{says} and no other metric that was tried: metric confirmed"


def _not_fixed(case: Case, name: str, best: Fit, fits: Fits) -> tuple[str, str]:
    """A metric that gives every constant the same score did not."""
    value, rivals = f"{best.expected:.5g}", fits.rival_names
    low = {"auc": 0.0, "gini": -1.0}.get(best.rule.name, np.inf)
    if low <= case.score <= 1:
        noise = _shuffled(case) * (2 if best.rule.name == "gini" else 1)
        by_chance = noise and abs(case.score - best.expected) <= OWN_NOISE * noise
        order = "ties are broken by the file's order" if by_chance else "ties are broken by the file's order, which tells of the answers"
        other = f" ({rivals} would fit)" if rivals else ""
        return f"{name} of a constant is {value}, not {case.score:.5f}: it is another metric{other}, or {order}", "open"
    if rivals:
        return f"the score fits {rivals}, not {name}, which is {value} for any answers", "contradicted"
    return f"{name} of this constant is {value} for any answers, not {case.score:.5f}: another metric, or another form of it", "contradicted"


def _shuffled(case: Case) -> float:
    """Standard deviation of the AUC of a random order."""
    codes = case.codes
    share = float(np.mean(codes == 1)) if codes is not None else 0.5
    ones, zeros = share * case.rows, (1 - share) * case.rows
    return float(np.sqrt((case.rows + 1) / (12 * ones * zeros))) if ones >= 1 and zeros >= 1 else 0.0


def about_form(case: Case, fits: Fits, best: Fit | None, negative: bool) -> Iterator[Reading]:
    """What is special about the way the server scores: sign, scale, clip, normalised rows."""
    if negative:
        yield Reading("the server shows minus the error: higher is better there", -1.0, f"the score is {-case.score:.10g}", "form", None, "flipped")
    if best is None or not best.fits or not best.rule.form:
        return
    rest = [fit for fit in fits.own if fit.fits and fit is not best]
    others = [f"{fit.rule.form} ({fit.public:.4g})" if fit.rule.kind == "prior" else fit.rule.form for fit in rest]
    evidence = f"this way gives {_expected(best)} on train's target" + (f"; cannot be told from: {', '.join(others)}" if others else "")
    yield Reading(f"{case.metric or best.rule.name}: {best.rule.form}{', most likely' if others else ''}", best.expected, evidence, "form",
                  best.expected_se, "several" if others else "unique")


def about_rows(lattice: Lattice | None, best: Fit | None) -> Iterator[Reading]:
    """How many rows the public part can have."""
    if lattice is None or not (lattice.informative or (best is not None and best.rule.name in ("accuracy", "error rate"))):
        return
    scores, most = f"{lattice.scores} score{'s' if lattice.scores > 1 else ''}", "most likely " if lattice.chance > LUCK else ""
    luck = "no wrong one" if lattice.chance < 0.005 else f"{brief(lattice.chance)} wrong ones"
    evidence = f"{scores}, counts from {lattice.first:,} to {lattice.last:,}; {luck} would fit by luck"
    if lattice.unique:
        says, state = f"the public part {most}has {lattice.unique:,} rows: no other count gives whole numbers", "unique"
    elif lattice.counts:
        some = ", ".join(f"{count:,}" for count in lattice.counts[:LISTED])
        more = f" ({len(lattice.counts) - LISTED:,} more counts fit)" if len(lattice.counts) > LISTED else ""
        says, state = f"the public part may have {some} rows{more}; another score would narrow it down", "open"
    else:
        says = f"no count from {lattice.first:,} to {lattice.last:,} public rows gives whole numbers: weighted rows, another metric or another share"
        state = "none"
    yield Reading(says, float(lattice.unique) if lattice.unique else None, evidence, "n_pub", None, state)


def about_shift(case: Case, best: Fit | None, state: str) -> Iterator[Reading]:
    """Public score minus train's, with its noise; only where the score depends on the answers."""
    if best is None or best.rule.values is None or not best.possible:
        return
    value, evidence, se = case.score - best.expected, _noise_words(case, best), best.expected_se
    numbers = f"public minus train is {value:+.5g} ± {brief(se)}"
    if state == "contradicted":
        yield Reading("no shift can be read while the metric is in doubt", None, evidence, "shift", None, "open")
    elif best.fits:
        yield Reading(f"no shift of the target can be seen: {numbers}", value, evidence, "shift", se, "none")
    elif best.far:
        yield Reading(f"the public answers are far from train's: {numbers}", value, evidence, "shift", se, "far")
    else:
        yield Reading(f"the target is shifted between train and the public part: {numbers}", value, evidence, "shift", se, "shifted")


def _noise_words(case: Case, best: Fit) -> str:
    together = ", rows of a group together" if case.groups is not None else ""
    said = f"{abs(best.z):.1f} standard errors apart ({case.rows:,} public rows{together})"
    values = best.rule.values
    if best.rule.name in ("rmse", "mse") and values.mean() > 0 and float(np.mean(values**2) / values.mean() ** 2) > HEAVY:
        said += "; a handful of rows decides this score, so the standard error is a lower bound"
    if case.by_time:
        said += "; where the public part is another time than train the standard error is a lower bound"
    return said
