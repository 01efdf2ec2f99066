"""What is done to responses before a calibration: blanks by choice, categories that nobody gave."""

from enum import StrEnum
from typing import NamedTuple

import msgspec
import numpy as np

from scoring.errors import ResponsesUnusable
from scoring.irt.responses import MISSING, ResponseMatrix, SparseCategories


class Blank(StrEnum):
    """What a blank counts as."""

    MISSING = "missing"  # left out of the likelihood
    LOWEST = "lowest"  # category 0: wrong


class ClosedGap(NamedTuple):
    """An item whose categories were renumbered: `categories[k]` is what the new category k was before."""

    item: str
    categories: tuple[int, ...]


def with_blanks(
    responses: ResponseMatrix, *, omitted: Blank = Blank.LOWEST, not_reached: Blank = Blank.MISSING
) -> ResponseMatrix:
    """Treat blanks inside and at the end of a row as chosen; columns stand in the order of the test.

    A blank is omitted where a later item was answered, not reached where none was. Items that a candidate was never
    given look like blanks too: take the items of one form at a time.

    Raises
    ------
    ResponsesUnusable
        The responses are sparse, so that nobody knows what was given.
    """
    categories = responses.categories
    if isinstance(categories, SparseCategories):
        raise ResponsesUnusable("responses", "sparse ones have no blanks; take the items of one form at a time")
    is_blank = categories < 0
    is_at_end = np.logical_and.accumulate(is_blank[:, ::-1], axis=1)[:, ::-1]
    becomes_lowest = np.zeros_like(is_blank)
    if omitted is Blank.LOWEST:
        becomes_lowest |= is_blank & ~is_at_end
    if not_reached is Blank.LOWEST:
        becomes_lowest |= is_at_end
    return msgspec.structs.replace(responses, categories=np.where(becomes_lowest, np.int8(0), categories))


def without_gaps(responses: ResponseMatrix) -> tuple[ResponseMatrix, tuple[ClosedGap, ...]]:
    """Renumber the categories of items in which nobody gave one below the highest, and say which items those are.

    A category that nobody gave has no parameter. Scores of a renumbered item are no longer its points: later responses
    must be renumbered the same way before they are scored with its parameters.
    """
    counts = responses.category_counts()
    closed = []
    table = np.tile(np.arange(counts.shape[1]), (responses.n_items, 1))
    for item, row in enumerate(counts):
        met = np.flatnonzero(row > 0)
        if met.size and met[-1] != met.size - 1:
            closed.append(ClosedGap(responses.item_names[item], tuple(met.tolist())))
            table[item] = np.searchsorted(met, table[item])
    if not closed:
        return responses, ()
    categories = responses.categories
    if isinstance(categories, SparseCategories):
        moved = table[categories.items, categories.categories].astype(np.int8)
        return msgspec.structs.replace(
            responses, categories=msgspec.structs.replace(categories, categories=moved)
        ), tuple(closed)
    renumbered = table[np.arange(responses.n_items), np.maximum(categories, 0)].astype(np.int8)
    dense = np.where(categories >= 0, renumbered, np.int8(MISSING))
    return msgspec.structs.replace(responses, categories=dense), tuple(closed)
