"""Drift of anchors: common items that no longer stand where the others say they should."""

import msgspec
import numpy as np
from numpy.typing import NDArray

from scoring.irt.bank import ItemBank, expected_scores
from scoring.linking.common_items import common_items
from scoring.linking.link import STANDARD_POINTS, Linking, LinkingMethod, LinkingPoints, link
from scoring.linking.transformation import Transformation

Array = NDArray[np.float64]
# Interquartile range of a normal distribution in standard deviations is 1.349.
_IQR_TO_SD = 0.74


class AnchorDrift(msgspec.Struct, frozen=True, kw_only=True):
    """Displacement of each common item after linking.

    Attributes
    ----------
    names : tuple of str
    difficulty : ndarray, shape (n_common,)
        Moved minus base mean difficulty, logits; NaN for nominal items.
    log_slope : ndarray
        Logarithm of moved over base slope.
    robust_z_difficulty, robust_z_slope : ndarray
        (value - median) / (0.74 interquartile range); beyond 1.645 in size an item is usually looked at.
    rmsd : ndarray
        Weighted root mean squared difference of the expected scores as a share of the item's maximum, 0 to 1.
    """

    names: tuple[str, ...]
    difficulty: Array
    log_slope: Array
    robust_z_difficulty: Array
    robust_z_slope: Array
    rmsd: Array


class PurifiedLinking(msgspec.Struct, frozen=True):
    """A linking without the items that drifted, in the order they were dropped; drift of all common items under it."""

    linking: Linking
    dropped: tuple[str, ...]
    drift: AnchorDrift


def anchor_drift(
    base: ItemBank, new: ItemBank, transformation: Transformation, *, points: LinkingPoints = STANDARD_POINTS
) -> AnchorDrift:
    """Compare the common items after moving them to the base scale.

    References
    ----------
    Huynh & Meyer (2010), Practical Assessment, Research & Evaluation 15(2), for robust z; the root mean squared
    difference of curves is that of von Davier et al. (2019), PISA.
    """
    pair = common_items(base, new)
    moved = transformation.bank(pair.new)
    difficulty = _mean_difficulty(moved) - _mean_difficulty(pair.base)
    log_slope = np.log(moved.a / pair.base.a)
    apart = expected_scores(moved, points.points) - expected_scores(pair.base, points.points)
    rmsd = np.sqrt(points.weights @ apart**2) / (pair.base.n_categories - 1)
    return AnchorDrift(
        names=pair.new.names,
        difficulty=difficulty,
        log_slope=log_slope,
        robust_z_difficulty=_robust_z(difficulty),
        robust_z_slope=_robust_z(log_slope),
        rmsd=rmsd,
    )


def link_without_drift(
    base: ItemBank,
    new: ItemBank,
    method: LinkingMethod = LinkingMethod.STOCKING_LORD,
    *,
    largest_rmsd: float = 0.10,
    points: LinkingPoints = STANDARD_POINTS,
) -> PurifiedLinking:
    """Drop the worst common item and link again until none exceeds `largest_rmsd`, or half of them are left."""
    dropped: list[str] = []
    while True:
        linking = link(base, new, method, points=points, leave_out=dropped)
        drift = anchor_drift(base, new, linking.transformation, points=points)
        rmsd = np.where([name in dropped for name in drift.names], -np.inf, drift.rmsd)
        worst = int(np.argmax(rmsd))
        if rmsd[worst] <= largest_rmsd or len(linking.common) <= max(2, (len(drift.names) + 1) // 2):
            return PurifiedLinking(linking, tuple(dropped), drift)
        dropped.append(drift.names[worst])


def _mean_difficulty(bank: ItemBank) -> Array:
    b = bank.difficulties()
    n = np.isfinite(b).sum(axis=1)
    total: Array = np.where(n > 0, np.nansum(b, axis=1) / np.maximum(n, 1), np.nan)
    return total


def _robust_z(values: Array) -> Array:
    known = values[np.isfinite(values)]
    if known.size == 0:
        return np.full(values.shape, np.nan)
    low, middle, high = np.percentile(known, [25.0, 50.0, 75.0])
    with np.errstate(divide="ignore", invalid="ignore"):
        z: Array = (values - middle) / (_IQR_TO_SD * (high - low))
        return z if high > low else np.where(values == middle, 0.0, np.sign(values - middle) * np.inf)
