"""The metric of a competition: from Kaggle's name, from the evaluation page where the name says nothing, checked by the board's order."""

import dataclasses
import html
import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kagglekit.metrics import REGISTRY
from kagglekit.metrics.kaggle_names import METRICS, KaggleMetric, kaggle_metric
from kagglekit.registry import is_path_reference, normalise
from kagglekit.tables.schema.notes import Notes

CHANGED = re.compile(r"\b(?:weighted|modified|custom|partial|adjusted|combin\w*|capped|scaled|penali[sz]ed"
                     r"|(?:variant|version|form|mean|average|sum|product|combination|log|logarithm) of)\b[^.;]{0,50}$")
CHANGED_AFTER = re.compile(r"[^.;]{0,40}\b(?:weighted|weights|above \d|multiplied|minus|penal\w+|averaged across|averaged over)\b")
HIGHER = re.compile(r"(?:higher|larger|greater|bigger)(?: (?:scores?|values?|numbers?))? (?:is|are) better|the (?:higher|larger|greater),? the better"
                    r"|(?:highest|largest) (?:score|value)s? (?:is|are|wins?)|\b(?:to )?maximi[sz]e (?:the|this|your) (?:score|metric)")
LOWER = re.compile(r"(?:lower|smaller)(?: (?:scores?|values?|numbers?))? (?:is|are) better|the (?:lower|smaller),? the better"
                   r"|(?:lowest|smallest) (?:score|value|error|loss)s? (?:is|are|wins?)|\b(?:to )?minimi[sz]e (?:the|this|your) (?:score|metric)")
PHRASES = tuple((re.compile(row.phrases), row) for row in METRICS.values() if row.phrases)
KERNELS = {"postprocessorkernel": False, "postprocessorkerneldesc": True}


@dataclass(frozen=True, slots=True)
class Found:
    """The metric that was found; `row` is None where nothing was, `unsure` says what a person should look at."""

    row: KaggleMetric | None
    why: str
    unsure: str = ""
    greater_is_better: bool | None = None
    direction_why: str = ""

    @property
    def built(self) -> str:
        """The registered metric's name, '' where it is not built in."""
        return REGISTRY.get(self.row.name).name if self.row and self.row.name in REGISTRY else ""


def guess_metric(kaggle_name: str, pages: Mapping[str, str], scores: Sequence[object], notes: Notes) -> None:
    """Note metric, metric_known_as and greater_is_better; `scores` are those of the leaderboard, the best first."""
    page = page_text(pages)
    found = _with_direction(_trapped(_found(kaggle_name, page), kaggle_name, page), kaggle_name, page)
    order = order_of(scores)
    if found.greater_is_better is None and order is not None:
        first = "highest" if order else "lowest"
        found = dataclasses.replace(found, greater_is_better=order, direction_why=f"the leaderboard begins with the {first} score")
    note_metric(found, kaggle_name, notes)
    known = notes.fields["greater_is_better"]
    if order is not None and known is not None and known is not order:
        first, name = "highest" if order else "lowest", found.row.name if found.row else "the metric"
        notes.ask("metric", f"the leaderboard begins with the {first} scores ({scores[0]} before {scores[-1]}), but {name} is better the "
                  f"{'higher' if known else 'lower'} it is: another metric than thought", "NAME")
    if known is None and not is_path_reference(str(notes.given.get("metric", ""))):
        notes.ask("greater_is_better", "whether a higher or a lower score is better is not known", "")


def note_metric(found: Found, kaggle_name: str, notes: Notes) -> None:
    """Note what was found, and say it where there is no code for it."""
    built = _with_number(found, kaggle_name)
    notes.set("metric", built, found.why)
    given = notes.given.get("metric")
    known = REGISTRY.get(str(given)) if given and str(given) in REGISTRY else None
    if known is not None:
        notes.fields["metric"] = known.name
        found = dataclasses.replace(found, greater_is_better=known.greater_is_better, direction_why=f"{known.name}'s own direction")
    unknown = "not known: neither the name, the pages nor the leaderboard say it"
    notes.set("greater_is_better", found.greater_is_better, found.direction_why or unknown)
    row = found.row if found.row and found.row.name != "custom" else None
    notes.set("metric_known_as", "" if given or built or row is None else row.name, "what it is; not built in")
    if given:
        return
    if not built:
        _say_missing(found, row, kaggle_name, notes)
    if found.unsure:
        notes.ask("metric", found.unsure, built or "NAME")


def _with_number(found: Found, kaggle_name: str) -> str:
    """The metric's own name, with the number that Kaggle's name holds: map@12 for MAP@12."""
    row = found.row.name.partition("@")[0] if found.row else ""
    own = REGISTRY.get(kaggle_name).name if kaggle_name in REGISTRY else ""
    return own if row and own.partition("@")[0] == row else found.built


def _say_missing(found: Found, row: KaggleMetric | None, kaggle_name: str, notes: Notes) -> None:
    known = ""
    if row:
        direction = {True: "higher is better", False: "lower is better", None: "direction unknown"}[found.greater_is_better]
        known = f" ({row.name}: {direction}; a row of the submission holds {row.wants})"
    like = f"; {row.like} puts submissions in the same order: kk join {notes.slug} --metric {row.like}" if row and row.like in REGISTRY else ""
    what = f"the metric {kaggle_name!r}{known} is not built in" if kaggle_name else "no metric is named"
    notes.warn(f"{what}: give metric.py:score as [metric] name in competition.toml, or kk join {notes.slug} --metric metric.py:score{like}")


def _found(kaggle_name: str, page: str) -> Found:
    """By its name; by the page where the name says nothing."""
    row = kaggle_metric(kaggle_name)
    if row is None and kaggle_name and kaggle_name in REGISTRY:
        part = REGISTRY.get(kaggle_name)
        row = KaggleMetric(part.name, part.greater_is_better, part.needs, "", part.kaggle_names)
    if row is not None and row.name != "custom":
        return Found(row, f"Kaggle names it {kaggle_name!r}")
    told = _told(page)
    if not told:
        return Found(row, f"Kaggle names it {kaggle_name!r}, which says nothing" if kaggle_name else "Kaggle names none")
    row, words, changed = told[0]
    why = f"Kaggle names it {kaggle_name!r}; the evaluation page speaks of {words!r}" if kaggle_name else f"the evaluation page speaks of {words!r}"
    if changed:
        return Found(METRICS["custom"], f"{why}, but in a form of its own")
    others = sorted({other.name for other, _, _ in told[1:]} - {row.name})
    unsure = f"the evaluation page speaks of {words!r}, but also of {', '.join(others)}: {row.name} is taken" if others else ""
    if kaggle_name and kaggle_metric(kaggle_name) is None:
        unsure = unsure or f"Kaggle's name {kaggle_name!r} is not known; the evaluation page speaks of {words!r}: {row.name} is taken"
    return Found(row, why, unsure)


def page_text(pages: Mapping[str, str]) -> str:
    """The evaluation page as plain lower-case text."""
    named = [text for name, text in pages.items() if "evaluation" in name.lower() or "metric" in name.lower()]
    whole = "\n".join(named or [text for name, text in pages.items() if "rules" not in name.lower()])
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", whole))).replace("*", "").replace("`", "").lower()


def _told(page: str) -> list[tuple[KaggleMetric, str, bool]]:
    """Metrics that a page speaks of, in the order of the text, the longer of two at one place; and whether it is a changed form."""
    hits = [(found.start(), -found.end(), row, found.group()) for pattern, row in PHRASES for found in pattern.finditer(page)]
    told, end = [], 0
    for start, stop, row, words in sorted(hits, key=lambda hit: hit[:2]):
        if start >= end:
            changed = bool(CHANGED.search(page[max(0, start - 90):start]) or CHANGED_AFTER.match(page[-stop:-stop + 80]))
            told.append((row, words.strip(), changed))
            end = -stop
    return told


def _trapped(found: Found, kaggle_name: str, page: str) -> Found:
    """Names that Kaggle uses for something else than they say: what the page says decides."""
    trap = TRAPS.get(found.row.name) if found.row else None
    if trap is None:
        return found
    sign, other, usual = trap
    told = re.search(sign, page)
    if told:
        return dataclasses.replace(found, row=METRICS[other], why=f"{found.why}, and the evaluation page speaks of {told.group()!r}")
    if usual and not page:
        unsure = f"{kaggle_name!r} usually means {other}, but no evaluation page could be read: {other} is taken"
        return dataclasses.replace(found, row=METRICS[other], unsure=unsure)
    return found


# By name: what on the page tells that it is another, which, and whether it usually is that one.
TRAPS: Mapping[str, tuple[str, str, bool]] = {
    "msle": (r"root[- ]mean|rmsle|square root", "rmsle", True),
    "mse": (r"root[- ]mean[- ]squared?|\brmse\b|square root", "rmse", False),
    "kappa": (r"quadratic", "qwk", True),
    "rmse": (r"logarithms? of the|between the (?:natural )?log|\brmsle\b|log of the (?:predicted|sale)", "rmsle", False),
    "mean_f1": (r"macro[- ](?:averaged )?f|f1[- ]macro", "macro_f1", False),
    "logloss": (r"multi-?[- ]?class", "mlogloss", False),
}


def _with_direction(found: Found, kaggle_name: str, page: str) -> Found:
    """Direction: the metric's own, that of a kernel's name, or what the page says."""
    higher, lower = bool(HIGHER.search(page)), bool(LOWER.search(page))
    said = higher if higher is not lower else None
    own = found.row.greater_is_better if found.row else None
    if own is not None:
        unsure = found.unsure
        if said is not None and said is not own:
            unsure = (f"the evaluation page says that {'higher' if said else 'lower'} is better, but {found.row.name} is better the "
                      f"{'higher' if own else 'lower'} it is")
        return dataclasses.replace(found, greater_is_better=own, direction_why=f"{found.row.name}'s own direction", unsure=unsure)
    kernel = KERNELS.get(normalise(kaggle_name))
    if kernel is not None:
        return dataclasses.replace(found, greater_is_better=kernel, direction_why=f"what Kaggle's name {kaggle_name} means")
    if said is not None:
        words = (HIGHER if said else LOWER).search(page).group()
        return dataclasses.replace(found, greater_is_better=said, direction_why=f"the evaluation page says {words!r}")
    return found


def order_of(scores: Sequence[object]) -> bool | None:
    """Whether a leaderboard, the best first, begins with its highest score; None where that cannot be seen.

    >>> order_of(["0.98", "0.97", "0.97"]), order_of(["0.1", "0.2"]), order_of(["1.0", "1.0"])
    (True, False, None)
    """
    numbers = []
    for score in scores:
        try:
            numbers.append(float(str(score)))
        except ValueError:
            continue
    steps = list(itertools.pairwise(numbers))
    falls, rises = sum(later < earlier for earlier, later in steps), sum(later > earlier for earlier, later in steps)
    return falls > rises if max(falls, rises) >= 9 * min(falls, rises) + 1 else None


def for_columns(found: KaggleMetric | None, targets: int, labels: int, values: int) -> tuple[str, str]:
    """Where a metric of one column meets several, or the other way round: the name of the one that fits, and why; ('', '') where it stays.

    `targets` are target columns, `labels` distinct values of a single target, `values` the sample's value columns.
    """
    name = found.name if found else ""
    wide = {"auc": "mcauc", "rmse": "mcrmse", "rmsle": "mcrmsle", "logloss": "mclogloss"}.get(name)
    if targets > 1 and wide:
        return wide, f"there are {targets} target columns"
    if targets == 1 and name == "mean_f1" and labels > 1:
        return ("f1", "the target is one column of two labels") if labels == 2 else ("accuracy", "of one label a row the mean F score is accuracy")
    if targets == 1 and name == "logloss" and labels > 2 and values > 1:
        return "mlogloss", f"the target has {labels} classes, and the sample a column for each"
    return "", ""


def public_fraction(pages: Mapping[str, str]) -> float:
    """The public leaderboard's share of the test rows as a page says it, 0 where none does.

    >>> public_fraction({"evaluation": "calculated with approximately 30% of the test data"})
    0.3
    """
    for text in pages.values():
        found = re.search(r"(\d{1,3}(?:\.\d+)?)\s*%\s+of\s+the\s+test", text, re.IGNORECASE)
        if found:
            return round(float(found.group(1)) / 100, 4)
    return 0.0
