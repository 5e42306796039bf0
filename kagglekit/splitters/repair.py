"""The end of a balanced deal: moves and swaps of items between folds, as long as one makes the shares more even."""

import numpy as np

Array = np.ndarray
MOVES = 400
SWAPPABLE = 300  # items: all pairs are looked at
TINY = 1e-13


def repaired(block: Array, fold: Array, shares: Array) -> Array:
    """The folds of items after the best moves; block: float64[items, labels] label shares, shares: float64[n, labels] of all items.

    Each step is the one that lowers the sum of squared shares most: moving item d from fold a to b changes it by 2 d(x_b - x_a) + 2 dd.
    """
    fold = fold.astype(np.int64)
    lengths = (block**2).sum(axis=1)
    row = np.arange(len(block))
    for _ in range(MOVES if len(block) else 0):
        pull = block @ shares.T
        gain = pull[row, fold][:, None] - pull - lengths[:, None]
        gain[row, fold] = 0.0
        item, other = divmod(int(gain.argmax()), len(shares))
        if gain[item, other] > TINY:
            _move(item, other, block, fold, shares)
            continue
        if len(block) > SWAPPABLE or not _swap(block, fold, shares, pull, lengths):
            break
    return fold


def _move(item: int, other: int, block: Array, fold: Array, shares: Array) -> None:
    shares[fold[item]] -= block[item]
    shares[other] += block[item]
    fold[item] = other


def _swap(block: Array, fold: Array, shares: Array, pull: Array, lengths: Array) -> bool:
    """Swap the two items that gain most by it; whether any do."""
    at_home = pull[np.arange(len(block)), fold]
    elsewhere = pull[:, fold]  # [i, j]: item i in the fold of item j
    apart = lengths[:, None] + lengths - 2 * block @ block.T
    gain = at_home[:, None] + at_home - elsewhere - elsewhere.T - apart
    gain[fold[:, None] == fold] = 0.0
    one, two = divmod(int(gain.argmax()), len(block))
    if gain[one, two] <= TINY:
        return False
    home, away = int(fold[one]), int(fold[two])
    _move(one, away, block, fold, shares)
    _move(two, home, block, fold, shares)
    return True
