"""Reading a constant's score back: what the public score of zeros (or of the best constant) says about the hidden answers."""

from collections.abc import Sequence
from dataclasses import replace

from kagglekit.tables.reading.case import Array, Case, Reading, step_of
from kagglekit.tables.reading.fits import Fit, Fits, compare, flipped
from kagglekit.tables.reading.lattice import Bounds, Lattice, bounds_of, hits, solve, span
from kagglekit.tables.reading.words import about_both, about_form, about_mean, about_metric, about_rows, about_shift

__all__ = ["Array", "Bounds", "Case", "Fit", "Fits", "Lattice", "Reading", "bounds_of", "constant_bounds", "hits", "read_constant", "solve",
           "span", "step_of"]


def read_constant(case: Case, counts: tuple[int, int] | None = None, known: Sequence[Bounds] = (), others: Sequence[Case] = (),
                  trusted: bool = True) -> list[Reading]:
    """What the public score of one constant for all rows says of the public answers, the metric and the size of the public part.

    `counts` are the least and the most rows that the public part may have (`trusted`: by the page's share), `known` the bounds that
    other submissions' scores give, `others` further constants that were scored. Never empty. The order: the mean or share that
    follows, the metric, the form, the public rows, the shift of the target.
    """
    fits = compare(case, others)
    turned = replace(case, score=-case.score)
    negative = flipped(case, fits, compare(turned, others)) if case.score < 0 else False
    case, fits = (turned, compare(turned, others)) if negative else (case, fits)
    best, lattice = _with_lattice(case, fits, counts, known, trusted)
    if lattice is not None and lattice.unique:
        case = replace(case, rows=lattice.unique)
        fits = compare(case, others)
        best = next((fit for fit in fits.own if best is not None and fit.name == best.name), fits.best)
    metric = about_metric(case, fits, best)
    return [*about_mean(case, best, metric.state), *about_both(case, best, others), metric, *about_form(case, fits, best, negative),
            *about_rows(lattice, best), *about_shift(case, best, metric.state)]


def constant_bounds(case: Case) -> Bounds | None:
    """What a constant's score says of the public mean, for the lattice; None where it says nothing or the metric is in doubt."""
    fits = compare(case)
    best = fits.best
    return bounds_of(case, best.rule, sum(fit.fits for fit in fits.own) < 2) if best is not None and best.possible and not best.far else None


def _with_lattice(case: Case, fits: Fits, counts: tuple[int, int] | None, known: Sequence[Bounds],
                  trusted: bool) -> tuple[Fit | None, Lattice | None]:
    """The named metric's way that fits, and the counts that its bounds allow; of several ways the first with any count."""
    best = fits.best
    if counts is None or best is None:
        return best, None
    ways = [fit for fit in fits.own if fit.fits] or ([best] if best.possible and not best.far else [])
    tried: list[tuple[Fit | None, Lattice | None]] = []
    for way in ways:
        bounds = bounds_of(case, way.rule, len(ways) == 1)
        given = [*known, bounds] if bounds is not None else list(known)
        if given:
            tried.append((way, solve(given, *counts, trusted)))
    fitting = [(way, lattice) for way, lattice in tried if lattice is not None and lattice.counts]
    return next(iter([*fitting, *tried]), (best, None))
