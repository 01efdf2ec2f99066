"""What every comparison of two groups starts from: right-or-wrong or graded responses, matched by sum score."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from scoring.errors import GroupsUnusable
from scoring.irt.responses import ResponseMatrix, SparseCategories

Array = NDArray[np.float64]


class Compared(NamedTuple):
    """Complete responses of two groups.

    `categories` of shape (n_rows, n_items); `is_focal` and `weights` of shape (n_rows,); `n_categories` of each item.
    """

    categories: NDArray[np.int8]
    is_focal: NDArray[np.bool_]
    weights: Array
    n_categories: NDArray[np.int64]


def compared(responses: ResponseMatrix, focal: str) -> Compared:
    """Take the reference group (the first one) and the focal group, rows with all responses only.

    Raises
    ------
    GroupsUnusable
        There is no such group, it is the reference, or one has nobody with all responses.
    """
    if isinstance(responses.categories, SparseCategories) or responses.groups is None:
        raise GroupsUnusable("responses", "need dense responses of at least two groups")
    if focal not in responses.group_names:
        raise GroupsUnusable(f"group {focal}", f"is not among {', '.join(responses.group_names)}")
    at = responses.group_names.index(focal)
    if at == 0:
        raise GroupsUnusable(f"group {focal}", "is the reference group itself")
    is_taken = (responses.categories >= 0).all(axis=1) & np.isin(responses.groups, [0, at])
    categories = responses.categories[is_taken]
    is_focal, weights = responses.groups[is_taken] == at, responses.weights[is_taken]
    for name, side in ((responses.group_names[0], ~is_focal), (focal, is_focal)):
        if weights[side].sum() <= 0:
            raise GroupsUnusable(f"group {name}", "has nobody who answered all items")
    return Compared(categories, is_focal, weights, categories.max(axis=0).astype(np.int64) + 1)


def matching_scores(data: Compared, item: int, anchors: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Sum of the anchor items and the studied item, which belongs to the matching score even when it is no anchor."""
    counted = anchors.copy()
    counted[item] = True
    scores: NDArray[np.int64] = data.categories[:, counted].sum(axis=1, dtype=np.int64)
    return scores


def cell_counts(data: Compared, item: int, anchors: NDArray[np.bool_]) -> Array:
    """Weighted counts by matching score, group (reference, focal) and category, shape (n_scores, 2, n_categories)."""
    scores = matching_scores(data, item, anchors)
    k = int(data.n_categories[item])
    code = (scores * 2 + data.is_focal) * k + data.categories[:, item]
    highest = int(scores.max(initial=0)) + 1
    return np.bincount(code, data.weights, minlength=highest * 2 * k).reshape(highest, 2, k).astype(np.float64)
