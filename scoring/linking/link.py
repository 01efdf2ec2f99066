"""Linking: the transformation that makes the common items of two calibrations agree, by moments or by curves."""

from collections.abc import Collection
from enum import StrEnum

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from scoring.errors import LinkingImpossible
from scoring.irt.bank import ItemBank, category_probabilities
from scoring.linking.common_items import CommonItems, common_items, difficulty_pairs
from scoring.linking.transformation import Transformation

Array = NDArray[np.float64]


class LinkingMethod(StrEnum):
    """What is made to agree."""

    MEAN_MEAN = "mean-mean"  # mean slope, then mean difficulty
    MEAN_SIGMA = "mean-sigma"  # mean and standard deviation of the difficulties
    HAEBARA = "haebara"  # the curve of every category of every item
    STOCKING_LORD = "stocking-lord"  # the expected score of the common items together


class LinkingPoints(msgspec.Struct, frozen=True, kw_only=True):
    """Where curves are compared, on either scale: equally spaced abilities, normal or equal weights that sum to 1.

    Attributes
    ----------
    n_points : int
    limit : float
        The points run from -limit to limit, logits.
    is_normal : bool
        Standard normal weights; else equal ones.
    """

    n_points: int = 41
    limit: float = 4.0
    is_normal: bool = True

    @property
    def points(self) -> Array:
        """Abilities, shape (n_points,)."""
        return np.linspace(-self.limit, self.limit, self.n_points)

    @property
    def weights(self) -> Array:
        """Weights, shape (n_points,)."""
        raw = np.exp(-0.5 * self.points**2) if self.is_normal else np.ones(self.n_points)
        result: Array = raw / raw.sum()
        return result


STANDARD_POINTS = LinkingPoints()
"""41 points on [-4, 4], normal weights."""


class Linking(msgspec.Struct, frozen=True, kw_only=True):
    """A linking and how well it fits.

    Attributes
    ----------
    method : LinkingMethod
    transformation : Transformation
        From the new scale to the base scale.
    criterion : float
        Of the curve methods, at the optimum: the weighted mean squared difference, summed over categories and items
        (Haebara) or of the expected score (Stocking-Lord), and over both directions if symmetric. NaN for moments.
    is_symmetric : bool
    common : tuple of str
    converged : bool
    """

    method: LinkingMethod
    transformation: Transformation
    criterion: float
    is_symmetric: bool
    common: tuple[str, ...]
    converged: bool


def link(
    base: ItemBank,
    new: ItemBank,
    method: LinkingMethod = LinkingMethod.STOCKING_LORD,
    *,
    points: LinkingPoints = STANDARD_POINTS,
    is_symmetric: bool = True,
    leave_out: Collection[str] = (),
) -> Linking:
    """Find theta_X = A theta_Y + B from the items that both calibrations name.

    Parameters
    ----------
    base, new : ItemBank
        Calibrated on scale X and on scale Y.
    points : LinkingPoints
        For the curve methods. The forward direction compares at these abilities of X; the backward one, taken too when
        `is_symmetric`, at these abilities of Y. Linking back then gives exactly the inverse.
    leave_out : collection of str
        Common items not to be used, such as those that drifted.

    Raises
    ------
    LinkingImpossible
        Too few common items, or of different kinds; difficulties without spread.

    References
    ----------
    Kolen & Brennan (2014), Test Equating, Scaling, and Linking, ch. 6: Loyd & Hoover (1980), Marco (1977), Haebara
    (1980), Stocking & Lord (1983).
    """
    pair = common_items(base, new, leave_out=leave_out)
    if method in (LinkingMethod.MEAN_MEAN, LinkingMethod.MEAN_SIGMA):
        return Linking(
            method=method,
            transformation=_by_moments(pair, method),
            criterion=np.nan,
            is_symmetric=True,
            common=pair.new.names,
            converged=True,
        )

    def differences(x: Array) -> Array:
        return _differences(pair, Transformation(float(np.exp(x[0])), float(x[1])), method, points, is_symmetric)

    start = _by_moments(pair, LinkingMethod.MEAN_MEAN)
    found = least_squares(
        differences, [np.log(start.slope), start.intercept], method="lm", xtol=1e-14, ftol=1e-14, gtol=1e-14
    )
    return Linking(
        method=method,
        transformation=Transformation(float(np.exp(found.x[0])), float(found.x[1])),
        criterion=float(2.0 * found.cost),
        is_symmetric=is_symmetric,
        common=pair.new.names,
        converged=bool(found.success),
    )


def linking_criterion(
    base: ItemBank,
    new: ItemBank,
    transformation: Transformation,
    method: LinkingMethod,
    *,
    points: LinkingPoints = STANDARD_POINTS,
    is_symmetric: bool = True,
) -> float:
    """Value of a curve method's criterion at any transformation."""
    differences = _differences(common_items(base, new), transformation, method, points, is_symmetric)
    return float(differences @ differences)


def _by_moments(pair: CommonItems, method: LinkingMethod) -> Transformation:
    base, new = difficulty_pairs(pair)
    if base.size == 0:
        raise LinkingImpossible("anchor", "has nominal items only, which have no difficulty to compare")
    if method is LinkingMethod.MEAN_SIGMA:
        if base.std() == 0 or new.std() == 0:
            raise LinkingImpossible("anchor", "has difficulties all alike, so their spread tells no scale")
        slope = float(base.std() / new.std())
    else:
        slope = float(pair.new.a.mean() / pair.base.a.mean())
    return Transformation(slope, float(base.mean() - slope * new.mean()))


def _differences(
    pair: CommonItems, move: Transformation, method: LinkingMethod, points: LinkingPoints, is_symmetric: bool
) -> Array:
    """Weighted differences whose sum of squares is the criterion."""
    directions = [(pair.base, pair.new, move)]
    if is_symmetric:
        directions.append((pair.new, pair.base, move.inverse))
    root = np.sqrt(points.weights)
    parts = []
    for target, source, of in directions:
        # Curves are invariant: the moved item at theta is the item itself at the ability moved back.
        back = of.inverse.abilities(points.points)
        apart = category_probabilities(target, points.points) - category_probabilities(source, back)
        if method is LinkingMethod.STOCKING_LORD:
            parts.append(root * (apart @ np.arange(float(apart.shape[2]))).sum(axis=1))
        else:
            parts.append((root[:, None, None] * apart).ravel())
    return np.concatenate(parts)
