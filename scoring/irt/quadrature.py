"""Quadrature: the points at which ability is integrated out, and the normal density on them."""

from functools import cache

import msgspec
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Quadrature(msgspec.Struct, frozen=True):
    """Equally spaced points.

    Attributes
    ----------
    n_points : int
    limit : float
        The points run from -limit to limit, logits.
    """

    n_points: int = 61
    limit: float = 6.0

    @property
    def points(self) -> Array:
        """Abilities, shape (n_points,)."""
        return _points(self.n_points, self.limit)


STANDARD_QUADRATURE = Quadrature()


def log_normal_weights(points: Array, mean: float = 0.0, variance: float = 1.0) -> Array:
    """Logarithm of the normal density on the points, normalised to sum 1."""
    exponent = -((points - mean) ** 2) / (2.0 * variance)
    result: Array = exponent - np.logaddexp.reduce(exponent)
    return result


def normal_weight_derivatives(points: Array, mean: float, variance: float) -> tuple[Array, Array]:
    """Derivatives of `log_normal_weights` by (mean, log variance).

    Returns
    -------
    first : ndarray, shape (2, n_points)
    second : ndarray, shape (2, 2, n_points)
        Exact for the normalised weights, not for the continuous density.
    """
    weights = np.exp(log_normal_weights(points, mean, variance))
    deviation = points - mean
    raw = np.stack([deviation / variance, deviation**2 / (2.0 * variance)])
    expected = raw @ weights
    first = raw - expected[:, None]
    ones = np.ones_like(points)
    bend = np.empty((2, 2, points.size))
    bend[0, 0] = -ones / variance
    bend[0, 1] = bend[1, 0] = -deviation / variance
    bend[1, 1] = -(deviation**2) / (2.0 * variance)
    covariance = (first * weights) @ first.T
    second = bend - (bend @ weights)[:, :, None] - covariance[:, :, None]
    return first, second


@cache
def _points(n_points: int, limit: float) -> Array:
    points = np.linspace(-limit, limit, n_points)
    points.flags.writeable = False
    return points
