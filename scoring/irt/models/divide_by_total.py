"""Partial credit, generalised partial credit and nominal models: P(k) proportional to exp(z_k), z linear.

GPCM: z_k = a k theta + d_k. Partial credit: the same with a = 1. Nominal: z_k = s_k theta + d_k with free slopes
s_k = a ak_k, in which the complete-data log-likelihood is concave; `bank` turns s into (a, ak) with ak_last = K - 1.
"""

from abc import abstractmethod

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax

from scoring.irt.models.family import CompleteData, Family

Array = NDArray[np.float64]


class _DivideByTotal(Family):
    """What the three share; a leaf says how z depends on its parameters."""

    @abstractmethod
    def _design(self, n_categories: int, theta: Array) -> Array:
        """Derivative of z by the parameters, shape (n_parameters, n_categories, n_theta)."""

    @abstractmethod
    def _category_slopes(self, x: Array, slope: Array) -> Array:
        """Derivative of z by theta, shape (n_items, n_categories)."""

    def _offset(self, n_categories: int, theta: Array) -> Array:
        """Part of z that has no parameter, shape (n_categories, n_theta)."""
        return np.zeros((n_categories, theta.size))

    def _n_categories(self, x: Array) -> int:
        return int(x.shape[1])

    def log_probabilities(self, x: Array, theta: Array) -> Array:
        """Logarithms of the category probabilities, shape (n_items, n_categories, n_theta)."""
        n_categories = self._n_categories(x)
        design = self._design(n_categories, theta)
        z = (x @ design.reshape(x.shape[1], -1)).reshape(-1, n_categories, theta.size)
        result: Array = log_softmax(z + self._offset(n_categories, theta), axis=1)
        return result

    def scores(self, x: Array, theta: Array) -> Array:
        """First derivatives of the log-probabilities."""
        design = self._design(self._n_categories(x), theta)
        p = np.exp(self.log_probabilities(x, theta))
        expected = np.einsum("nkt,pkt->npt", p, design)
        result: Array = design.transpose(1, 0, 2)[None] - expected[:, None]
        return result

    def complete_data(self, x: Array, theta: Array, counts: Array, *, is_expected: bool = False) -> CompleteData:
        """Gradient and information; observed and expected information agree in an exponential family."""
        del is_expected
        n_items, n_parameters = x.shape
        design = self._design(self._n_categories(x), theta)
        flat = design.reshape(n_parameters, -1)
        p = np.exp(self.log_probabilities(x, theta))
        total = counts.sum(axis=1)
        weighted = p * total[:, None]
        gradient = (counts - weighted).reshape(n_items, -1) @ flat.T
        squares = (flat[:, None] * flat[None]).reshape(n_parameters**2, -1)
        information = (weighted.reshape(n_items, -1) @ squares.T).reshape(n_items, n_parameters, n_parameters)
        expected = np.matmul(p.transpose(0, 2, 1)[:, :, None, :], design.transpose(2, 1, 0)[None])[:, :, 0, :]
        information -= np.matmul((expected * total[:, :, None]).transpose(0, 2, 1), expected)
        return CompleteData(gradient, information)

    def theta_derivatives(self, x: Array, theta: Array, slope: Array) -> tuple[Array, Array]:
        """First and second derivatives of the log-probabilities by theta."""
        p = np.exp(self.log_probabilities(x, theta))
        slopes = self._category_slopes(x, slope)[:, :, None]
        mean = (p * slopes).sum(axis=1, keepdims=True)
        first = slopes - mean
        second = np.broadcast_to(-(p * first * first).sum(axis=1, keepdims=True), p.shape)
        return first, second


class GeneralisedPartialCredit(_DivideByTotal):
    """GPCM (Muraki, 1992), slope and one cumulative intercept for each category above the lowest."""

    def names(self, n_categories: int) -> tuple[str, ...]:
        """Slope, then intercepts."""
        return ("a", *(f"d{k}" for k in range(1, n_categories)))

    def _design(self, n_categories: int, theta: Array) -> Array:
        design = np.zeros((n_categories, n_categories, theta.size))
        design[0] = np.arange(n_categories)[:, None] * theta
        _mark_intercepts(design[1:])
        return design

    def _category_slopes(self, x: Array, slope: Array) -> Array:
        return slope[:, None] * np.arange(self._n_categories(x))


class PartialCredit(_DivideByTotal):
    """Partial credit model (Masters, 1982): the GPCM with a = 1."""

    def names(self, n_categories: int) -> tuple[str, ...]:
        """Intercepts only."""
        return tuple(f"d{k}" for k in range(1, n_categories))

    def _design(self, n_categories: int, theta: Array) -> Array:
        design = np.zeros((n_categories - 1, n_categories, theta.size))
        _mark_intercepts(design)
        return design

    def _offset(self, n_categories: int, theta: Array) -> Array:
        return np.arange(n_categories)[:, None] * theta

    def _n_categories(self, x: Array) -> int:
        return int(x.shape[1]) + 1

    def _category_slopes(self, x: Array, slope: Array) -> Array:
        return slope[:, None] * np.arange(self._n_categories(x))


class Nominal(_DivideByTotal):
    """Nominal model (Bock, 1972) in its category slopes `s1` … and intercepts `d1` …"""

    def names(self, n_categories: int) -> tuple[str, ...]:
        """Category slopes, then intercepts."""
        above = range(1, n_categories)
        return (*(f"s{k}" for k in above), *(f"d{k}" for k in above))

    def _design(self, n_categories: int, theta: Array) -> Array:
        n_above = n_categories - 1
        design = np.zeros((2 * n_above, n_categories, theta.size))
        for k in range(n_above):
            design[k, k + 1] = theta
        _mark_intercepts(design[n_above:])
        return design

    def _n_categories(self, x: Array) -> int:
        return int(x.shape[1]) // 2 + 1

    def _category_slopes(self, x: Array, slope: Array) -> Array:
        del slope
        n_above = x.shape[1] // 2
        return np.concatenate([np.zeros((x.shape[0], 1)), x[:, :n_above]], axis=1)


def _mark_intercepts(design: Array) -> None:
    for k in range(design.shape[0]):
        design[k, k + 1] = 1.0
