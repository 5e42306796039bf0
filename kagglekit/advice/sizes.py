"""Sizes: how many folds, and how many blocks of the test period's length fit into train."""

from kagglekit.tables.profile.findings import percent

USUAL, SMALL, LARGE = 5, 2_000, 200_000
FEW_ROWS, MANY_ROWS, FEWEST = 10, 3, 2
SHARE = 0.8  # of train's time may be validated, the rest comes before the first block


def folds_for(rows: int, groups: int | None = None) -> tuple[int, str]:
    """(folds, why): 5; 10 for fewer than 2,000 rows, 3 for more than 200,000, never more than there are `groups`.

    >>> [folds_for(rows)[0] for rows in (900, 9_000, 900_000)], folds_for(900, groups=4)[0]
    ([10, 5, 3], 4)
    """
    n, why = USUAL, "the usual number"
    if rows < SMALL:
        n, why = FEW_ROWS, f"few rows: each fold's model learns from {percent(1 - 1 / FEW_ROWS)} of them"
    if rows > LARGE:
        n, why = MANY_ROWS, "many rows: up to 5, or a holdout where its SE is below a third of the gains you look for"
    if groups is not None and groups < n:
        n, why = max(groups, FEWEST), f"there are only {groups} groups"
    return n, f"{rows:,} rows: {n} folds ({why})"


def blocks_for(span: float, length: float, gap: float = 0.0, most: int = USUAL) -> int:
    """How many blocks as long as the test period, at most `most`, leave a fifth of train's time before the first; 0 where none does.

    >>> blocks_for(span=300, length=30), blocks_for(span=266, length=100), blocks_for(span=10, length=30)
    (5, 2, 0)
    """
    return max(min(most, int((SHARE * span - gap) / length)), 0) if length > 0 else 0
