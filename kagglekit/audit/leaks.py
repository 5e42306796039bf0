"""Leaks: a single column (its values, its gaps, the order of the rows) that gives the target away."""

from kagglekit.audit.case import Case, Told, check

NAMED = 4


@check("column-leak")
def column_leak(case: Case) -> Told | None:
    """Columns of X that tell the target alone; a trait of the data, which no split mends."""
    target = case.data.target
    if case.X is None or target is None or target.ndim != 1 or len(case.X) != len(target):
        return None
    from kagglekit.advice.leaks import single_column_leaks

    classes = len(case.data.classes)
    found = single_column_leaks(case.X, target, "regression" if not classes else "binary" if classes == 2 else "multiclass")
    if not found:
        return None
    names = list(dict.fromkeys(leak.column for leak in found[1:] if leak.column != found[0].column))
    others = f" (also {', '.join(names[:NAMED])}{f' and {len(names) - NAMED} more' if len(names) > NAMED else ''})" if names else ""
    return "warn", (f"{found[0].says}{others}: find out whether it is known when test is predicted; if not, name it as ignore in competition.toml")
