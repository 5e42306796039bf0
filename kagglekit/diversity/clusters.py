"""Clusters of models by average linkage, their medoids, and the order in which a heat map shows them."""

from collections.abc import Sequence

import numpy as np

Array = np.ndarray


def linked_clusters(distance: Array, cut: float = 0.01) -> list[list[int]]:
    """Groups of models by average linkage, cut at `cut`; each sorted, the groups by their first member.

    >>> linked_clusters(np.array([[0, 0.001, 0.5], [0.001, 0, 0.5], [0.5, 0.5, 0]]))
    [[0, 1], [2]]
    """
    if len(distance) < 2:
        return [[model] for model in range(len(distance))]
    return _cut(_tree(distance), cut, "distance")


def wide_clusters(distance: Array) -> list[list[int]]:
    """The same, cut where the heights of the tree leave their largest gap: the kinds of models there are.

    >>> wide_clusters(1 - np.array([[1, 0.95, 0.9, 0.2], [0.95, 1, 0.9, 0.2], [0.9, 0.9, 1, 0.2], [0.2, 0.2, 0.2, 1]]))
    [[0, 1, 2], [3]]
    """
    if len(distance) < 3:
        return [[model] for model in range(len(distance))]
    tree = _tree(distance)
    heights = np.concatenate([[0.0], tree[:, 2]])
    widest = int(np.argmax(np.diff(heights)))
    return _cut(tree, float(heights[widest] + heights[widest + 1]) / 2, "distance")


def several_clusters(distance: Array, most: int) -> list[list[int]]:
    """At most `most` clusters.

    >>> several_clusters(np.array([[0, 0.1, 0.5], [0.1, 0, 0.5], [0.5, 0.5, 0]]), 2)
    [[0, 1], [2]]
    """
    if len(distance) <= most:
        return [[model] for model in range(len(distance))]
    return _cut(_tree(distance), most, "maxclust")


def medoid(distance: Array, members: Sequence[int]) -> int:
    """The member with the least mean distance to the others; of equal ones the first.

    >>> medoid(np.array([[0, 0.1, 0.2], [0.1, 0, 0.1], [0.2, 0.1, 0]]), [0, 1, 2])
    1
    """
    inside = distance[np.ix_(members, members)].sum(axis=1)
    return int(members[int(np.argmin(inside.round(12)))])


def ordered(distance: Array) -> list[int]:
    """The models in an order that puts like ones side by side (leaves of the tree, swapped to the best order up to 200 models).

    >>> ordered(np.array([[0, 0.9, 0.1], [0.9, 0, 0.8], [0.1, 0.8, 0]]))
    [0, 2, 1]
    """
    if len(distance) < 3:
        return list(range(len(distance)))
    from scipy.cluster.hierarchy import leaves_list, optimal_leaf_ordering

    tree = _tree(distance)
    leaves = leaves_list(optimal_leaf_ordering(tree, _condensed(distance)) if len(distance) <= 200 else tree).tolist()
    return leaves if leaves[0] < leaves[-1] else leaves[::-1]


def _condensed(distance: Array) -> Array:
    return np.maximum(np.asarray(distance, float)[np.triu_indices(len(distance), 1)], 0)


def _tree(distance: Array) -> Array:
    from scipy.cluster.hierarchy import linkage
    return linkage(_condensed(distance), "average")


def _cut(tree: Array, at: float, criterion: str) -> list[list[int]]:
    from scipy.cluster.hierarchy import fcluster
    members: dict[int, list[int]] = {}
    for model, group in enumerate(fcluster(tree, at, criterion).tolist()):
        members.setdefault(group, []).append(model)
    return sorted(members.values())
