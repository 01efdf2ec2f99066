"""Response times of items, split by right, wrong and blank, and responses too quick to be an attempt."""

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray

from scoring.classical.score_table import ScoreTable
from scoring.errors import ResponsesUnusable

Array = NDArray[np.float64]


class ItemTimes(msgspec.Struct, frozen=True, kw_only=True):
    """Times of items, each of shape (n_items,); NaN where nobody is in the case.

    Attributes
    ----------
    median_seconds, right_seconds, wrong_seconds, blank_seconds : ndarray
        Medians over all, over full score, over less, and over omitted responses.
    rapid : ndarray
        Share of answered responses quicker than a tenth of the mean time, at most 10 s.
    """

    median_seconds: Array
    right_seconds: Array
    wrong_seconds: Array
    blank_seconds: Array
    rapid: Array


def item_times(table: ScoreTable, seconds: ArrayLike) -> ItemTimes:
    """Summarise times; rows count once each, whatever their weight.

    Parameters
    ----------
    seconds : array_like, shape (n_candidates, n_items)
        Time spent; NaN if unknown.

    References
    ----------
    Wise & Ma (2012), the normative threshold (NT10) for rapid guessing.
    """
    times = np.asarray(seconds, dtype=np.float64)
    if times.shape != table.scores.shape:
        raise ResponsesUnusable("seconds", f"have shape {times.shape}, but the scores {table.scores.shape}")
    is_blank = table.is_omitted | table.is_not_reached
    is_right = ~is_blank & (table.scores >= table.maximum)
    is_known = np.isfinite(times)
    answered = np.where(is_known & ~is_blank, times, 0.0)
    n = (is_known & ~is_blank).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        threshold = np.minimum(0.1 * answered.sum(axis=0) / n, 10.0)
        rapid = (is_known & ~is_blank & (times < threshold)).sum(axis=0) / n
    return ItemTimes(
        median_seconds=_medians(times, is_known),
        right_seconds=_medians(times, is_known & is_right),
        wrong_seconds=_medians(times, is_known & ~is_right & ~is_blank),
        blank_seconds=_medians(times, is_known & table.is_omitted),
        rapid=rapid,
    )


def _medians(times: Array, is_counted: NDArray[np.bool_]) -> Array:
    return np.array(
        [np.median(column[mask]) if mask.any() else np.nan for column, mask in zip(times.T, is_counted.T, strict=True)]
    )
