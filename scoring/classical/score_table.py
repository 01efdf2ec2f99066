"""ScoreTable: candidates' item scores with what was omitted and not reached, the input of classical analysis."""

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray

from scoring.errors import ResponsesUnusable

Array = NDArray[np.float64]


class ScoreTable(msgspec.Struct, frozen=True, kw_only=True):
    """Item scores of candidates who took one form.

    Attributes
    ----------
    scores : ndarray, shape (n_candidates, n_items)
        Points or credits; 0 where the response is missing.
    maximum : ndarray, shape (n_items,)
        Most that an item gives, > 0.
    is_omitted, is_not_reached : ndarray of bool, shape (n_candidates, n_items)
        Left blank though a later item was answered; left blank with all that follow.
    weights : ndarray, shape (n_candidates,)
        How often each row occurred.
    item_names : tuple of str
    """

    scores: Array
    maximum: Array
    is_omitted: NDArray[np.bool_]
    is_not_reached: NDArray[np.bool_]
    weights: Array
    item_names: tuple[str, ...]

    @property
    def n_candidates(self) -> float:
        """Sum of the weights."""
        return float(self.weights.sum())

    @property
    def totals(self) -> Array:
        """Sum scores, shape (n_candidates,)."""
        result: Array = self.scores.sum(axis=1)
        return result


def score_table(
    scores: ArrayLike,
    *,
    maximum: ArrayLike | None = None,
    item_names: Sequence[str] | None = None,
    frequencies: ArrayLike | None = None,
) -> ScoreTable:
    """Build a table; a missing score is NaN, counts as 0, and is omitted or, at the end of a row, not reached.

    Parameters
    ----------
    maximum : array_like, optional
        The highest score met, unless given.

    Raises
    ------
    ResponsesUnusable
        Fewer than two candidates or items, a score outside 0 … maximum, shapes that do not agree.
    """
    given = np.asarray(scores, dtype=np.float64)
    if given.ndim != 2 or given.shape[1] < 2:
        raise ResponsesUnusable("scores", f"need candidates in rows and two items or more, not shape {given.shape}")
    names = tuple(item_names) if item_names is not None else tuple(f"item{i + 1}" for i in range(given.shape[1]))
    if len(names) != given.shape[1]:
        raise ResponsesUnusable("scores", f"have {given.shape[1]} columns, but {len(names)} items are named")
    weights = np.ones(given.shape[0]) if frequencies is None else np.asarray(frequencies, dtype=np.float64)
    if weights.shape != (given.shape[0],) or not np.isfinite(weights).all() or (weights < 0).any():
        raise ResponsesUnusable("frequencies", "need one number that is not negative for each row")
    if weights.sum() < 2:
        raise ResponsesUnusable("scores", "fewer than two candidates")
    is_missing = np.isnan(given)
    never = np.flatnonzero((~is_missing * weights[:, None]).sum(axis=0) == 0)
    if never.size:
        raise ResponsesUnusable(f"item {names[never[0]]}", "was answered by nobody")
    filled = np.where(is_missing, 0.0, given)
    highest = filled.max(axis=0) if maximum is None else np.asarray(maximum, dtype=np.float64)
    highest = np.where((highest <= 0) & (maximum is None), 1.0, highest)
    wrong = np.argwhere((filled < 0) | (filled > highest) | ~np.isfinite(filled))
    if wrong.size:
        row, item = wrong[0]
        raise ResponsesUnusable(
            f"row {row + 1}, item {names[item]}", f"score {given[row, item]} is not between 0 and {highest[item]}"
        )
    is_not_reached = np.logical_and.accumulate(is_missing[:, ::-1], axis=1)[:, ::-1]
    return ScoreTable(
        scores=filled,
        maximum=highest,
        is_omitted=is_missing & ~is_not_reached,
        is_not_reached=is_not_reached,
        weights=weights,
        item_names=names,
    )
