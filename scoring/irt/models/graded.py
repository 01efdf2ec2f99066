"""The graded response model: ordered categories cut from one logistic response.

P(X >= k) = 1 / (1 + exp(-(a theta + d_k))), d_1 > d_2 > … Working parameters: `a`, `d1` … `d(K-1)`.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from scoring.irt.models.family import CompleteData, Family

Array = NDArray[np.float64]


class Graded(Family):
    """Samejima's model.

    The difference of two neighbouring curves is written L(x) L(-y) (1 - exp(y - x)), which loses no digits where both
    curves are nearly 0 or 1, and makes the complete-data log-likelihood visibly concave.

    References
    ----------
    Samejima (1969), Psychometrika Monograph 17, with D = 1.
    """

    def names(self, n_categories: int) -> tuple[str, ...]:
        """Slope, then one intercept for each boundary."""
        return ("a", *(f"d{k}" for k in range(1, n_categories)))

    def log_probabilities(self, x: Array, theta: Array) -> Array:
        """Logarithms of the category probabilities, shape (n_items, n_categories, n_theta)."""
        eta = self._boundaries(x, theta)
        softplus = np.logaddexp(0.0, eta)
        result = np.zeros((x.shape[0], x.shape[1], theta.size))
        result[:, 1:] += eta - softplus
        result[:, :-1] -= softplus
        result[:, 1:-1] += np.log(-np.expm1(-self._gaps(x)))[:, :, None]
        return result

    def scores(self, x: Array, theta: Array) -> Array:
        """First derivatives of the log-probabilities."""
        above, below = self._sides(x, theta)
        n_items, n_categories = x.shape
        push = 1.0 / np.expm1(self._gaps(x))
        result = np.zeros((n_items, n_categories, n_categories, theta.size))
        result[:, 1:, 0] += theta * below
        result[:, :-1, 0] -= theta * above
        for m in range(1, n_categories):
            result[:, m, m] = below[:, m - 1]
            result[:, m - 1, m] = -above[:, m - 1]
            if m < n_categories - 1:
                result[:, m, m] += push[:, m - 1, None]
            if m > 1:
                result[:, m - 1, m] -= push[:, m - 2, None]
        return result

    def complete_data(self, x: Array, theta: Array, counts: Array, *, is_expected: bool = False) -> CompleteData:
        """Gradient and information; minus the second derivative is positive definite as it stands."""
        del is_expected
        above, below = self._sides(x, theta)
        n_items, n_categories = x.shape
        pull = counts[:, 1:] * below - counts[:, :-1] * above
        gap = self._gaps(x)
        within = counts[:, 1:-1].sum(axis=2)
        push = within / np.expm1(gap)
        gradient = np.empty((n_items, n_categories))
        gradient[:, 0] = pull.sum(axis=1) @ theta
        gradient[:, 1:] = pull.sum(axis=2)
        gradient[:, 1:-1] += push
        gradient[:, 2:] -= push
        weight = above * below * (counts[:, 1:] + counts[:, :-1])
        bend = within / (4.0 * np.sinh(gap / 2.0) ** 2)
        information = np.zeros((n_items, n_categories, n_categories))
        information[:, 0, 0] = weight.sum(axis=1) @ theta**2
        information[:, 0, 1:] = information[:, 1:, 0] = weight @ theta
        boundary = np.arange(1, n_categories)
        information[:, boundary, boundary] = weight.sum(axis=2)
        lower, upper = boundary[:-1], boundary[1:]
        information[:, lower, lower] += bend
        information[:, upper, upper] += bend
        information[:, lower, upper] = information[:, upper, lower] = -bend
        return CompleteData(gradient, information)

    def theta_derivatives(self, x: Array, theta: Array, slope: Array) -> tuple[Array, Array]:
        """First and second derivatives of the log-probabilities by theta."""
        above, below = self._sides(x, theta)
        first = np.zeros((x.shape[0], x.shape[1], theta.size))
        first[:, 1:] += below
        first[:, :-1] -= above
        second = np.zeros_like(first)
        weight = above * below
        second[:, 1:] -= weight
        second[:, :-1] -= weight
        return first * slope[:, None, None], second * slope[:, None, None] ** 2

    @staticmethod
    def _boundaries(x: Array, theta: Array) -> Array:
        return x[:, 0, None, None] * theta + x[:, 1:, None]

    @classmethod
    def _sides(cls, x: Array, theta: Array) -> tuple[Array, Array]:
        eta = cls._boundaries(x, theta)
        return expit(eta), expit(-eta)

    @staticmethod
    def _gaps(x: Array) -> Array:
        return np.clip(x[:, 1:-1] - x[:, 2:], 1e-12, 700.0)
