"""Cut scores: the level of each candidate, and how surely."""

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

from scoring.errors import ScaleInvalid
from scoring.standards.scale import ReportingScale

Array = NDArray[np.float64]


class CutScores(msgspec.Struct, frozen=True):
    """Levels from the lowest up, and the printed score at which each but the lowest begins.

    A candidate stands in the highest level whose cut the printed score reaches: who prints the cut has passed it.

    Attributes
    ----------
    levels : tuple of str
    cuts : tuple of float
        Points of the reporting scale, rising, one fewer than the levels.
    """

    levels: tuple[str, ...]
    cuts: tuple[float, ...]

    def __post_init__(self) -> None:
        """Refuse cuts that do not part the levels."""
        if len(self.levels) != len(self.cuts) + 1:
            raise ScaleInvalid(
                "cut scores", f"{len(self.cuts)} part {len(self.cuts) + 1} levels, not {len(self.levels)}"
            )
        if len(set(self.levels)) < len(self.levels):
            raise ScaleInvalid("levels", "two have the same name")
        if not np.isfinite(self.cuts).all() or (np.diff(self.cuts) <= 0).any():
            raise ScaleInvalid("cut scores", f"{', '.join(f'{cut:g}' for cut in self.cuts)} do not rise")


class Classification(msgspec.Struct, frozen=True, kw_only=True):
    """Levels of candidates.

    Attributes
    ----------
    level : ndarray of int64, shape (n_candidates,)
        Index into the levels; -1 without a score.
    probability : ndarray, shape (n_candidates, n_levels)
        Chance that the true score lies in each level, by the standard error; NaN where there is none.
    accuracy : float
        Mean chance that a candidate's level is the true one; NaN if no candidate has a standard error.
    consistency : float
        Mean chance that two parallel tests put a candidate in the same level.
    share : ndarray, shape (n_levels,)
        Of the candidates with a score.
    """

    level: NDArray[np.int64]
    probability: Array
    accuracy: float
    consistency: float
    share: Array


def classify(theta: ArrayLike, se: ArrayLike, scale: ReportingScale, cuts: CutScores) -> Classification:
    """Put candidates into levels by the scores that the scale prints for them.

    Parameters
    ----------
    theta, se : array_like, shape (n_candidates,)
        Abilities and standard errors.

    References
    ----------
    Rudner (2005), Practical Assessment, Research & Evaluation 10(13), for accuracy; Lee (2010), Journal of Educational
    Measurement 47, 1-17, for consistency: both take the true score to be normal around the estimate.
    """
    scores = scale.reported(theta, se)
    n_levels = len(cuts.levels)
    # Cuts count in whole units, so that a printed score is compared with a printed cut.
    units = 10.0**scores.decimals
    at = np.ceil(np.round(np.asarray(cuts.cuts) * units, 6)).astype(np.int64)
    level = np.where(scores.has_score, np.searchsorted(at, scores.units, side="right"), -1)
    # A score prints at the cut from half a unit below it on.
    borders = scale.theta((at - 0.5) / units)
    ability, error = (np.atleast_1d(np.asarray(values, dtype=np.float64)) for values in (theta, se))
    is_sure = scores.has_score & np.isfinite(error) & (error > 0) & np.isfinite(ability)
    probability = np.full((level.size, n_levels), np.nan)
    if is_sure.any():
        below = ndtr((borders - ability[is_sure, None]) / error[is_sure, None])
        edges = np.concatenate([np.zeros((below.shape[0], 1)), below, np.ones((below.shape[0], 1))], axis=1)
        probability[is_sure] = np.diff(edges, axis=1)
    sure = probability[is_sure]
    return Classification(
        level=level,
        probability=probability,
        accuracy=float(sure[np.arange(sure.shape[0]), level[is_sure]].mean()) if sure.size else float("nan"),
        consistency=float((sure**2).sum(axis=1).mean()) if sure.size else float("nan"),
        share=np.bincount(level[level >= 0], minlength=n_levels) / max(int(scores.has_score.sum()), 1),
    )
