"""The logistic family of right-or-wrong items: one to four parameters.

P(1) = c + (u - c) L, L = 1 / (1 + exp(-(a theta + d))). Working parameters: `a`, `d`, `logit_c`, `logit_u`, as far as
the model has them.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from scoring.irt.models.family import CompleteData, Family

Array = NDArray[np.float64]
# expit stays a normal number and its logarithm finite, whatever slope and theta.
_FARTHEST_LOGIT = 690.0


class Logistic(Family):
    """Rasch, 2PL, 3PL and 4PL items.

    References
    ----------
    Birnbaum (1968), in Lord & Novick, ch. 17; Barton & Lord (1981), ETS RR-81-20, for the upper asymptote. D = 1.
    """

    def __init__(self, *, has_slope: bool = True, has_c: bool = False, has_u: bool = False) -> None:
        self.has_slope, self.has_c, self.has_u = has_slope, has_c, has_u

    def names(self, n_categories: int) -> tuple[str, ...]:
        """Working parameters in order; `n_categories` is always 2."""
        del n_categories
        present = (("a", self.has_slope), ("d", True), ("logit_c", self.has_c), ("logit_u", self.has_u))
        return tuple(name for name, is_there in present if is_there)

    def log_probabilities(self, x: Array, theta: Array) -> Array:
        """Logarithms of P(0) and P(1), shape (n_items, 2, n_theta)."""
        eta = self._logit(x, theta)
        if not (self.has_c or self.has_u):
            # log(1 - L) = -softplus(eta); both without a difference of near-equal numbers.
            softplus = np.logaddexp(0.0, eta)
            return np.stack([-softplus, eta - softplus], axis=1)
        right, wrong, _, _ = self._curve(x, eta)
        return np.log(np.stack([wrong, right], axis=1))

    def scores(self, x: Array, theta: Array) -> Array:
        """First derivatives of the log-probabilities, shape (n_items, 2, n_parameters, n_theta)."""
        right, wrong, first, _ = self._derivatives(x, theta)
        return np.stack([-first / wrong[:, None], first / right[:, None]], axis=1)

    def complete_data(self, x: Array, theta: Array, counts: Array, *, is_expected: bool = False) -> CompleteData:
        """Gradient and information given expected counts."""
        total = counts[:, 0] + counts[:, 1]
        if not (self.has_c or self.has_u):
            p = expit(self._logit(x, theta))
            residual = counts[:, 1] - total * p
            weight = total * p * (1.0 - p)
            if not self.has_slope:
                return CompleteData(residual.sum(axis=1)[:, None], weight.sum(axis=1)[:, None, None])
            powers = np.stack([theta * theta, theta, np.ones_like(theta)], axis=1)
            moments = weight @ powers
            return CompleteData(residual @ powers[:, 1:], moments[:, [0, 1, 1, 2]].reshape(-1, 2, 2))
        right, wrong, first, second = self._derivatives(x, theta)
        slope = counts[:, 1] / right - counts[:, 0] / wrong
        gradient = np.einsum("npt,nt->np", first, slope)
        # Ratios first: a squared probability would underflow where an item is steep.
        up, down = first / right[:, None], first / wrong[:, None]
        if is_expected:
            information = np.matmul((up + down) * total[:, None], first.transpose(0, 2, 1))
        else:
            information = np.matmul(up * counts[:, 1:2], up.transpose(0, 2, 1))
            information += np.matmul(down * counts[:, :1], down.transpose(0, 2, 1))
            information -= np.einsum("npst,nt->nps", second, slope)
        return CompleteData(gradient, information)

    def theta_derivatives(self, x: Array, theta: Array, slope: Array) -> tuple[Array, Array]:
        """First and second derivatives of the log-probabilities by theta, each of shape (n_items, 2, n_theta)."""
        eta = self._logit(x, theta)
        right, wrong, logistic, complement = self._curve(x, eta)
        c, u = self._asymptotes(x)
        steep = (u - c)[:, None] * logistic * complement * slope[:, None]
        curved = steep * (complement - logistic) * slope[:, None]
        up, down = steep / right, -steep / wrong
        first = np.stack([down, up], axis=1)
        second = np.stack([-curved / wrong - down * down, curved / right - up * up], axis=1)
        return first, second

    def _logit(self, x: Array, theta: Array) -> Array:
        eta = x[:, 0:1] * theta + x[:, 1:2] if self.has_slope else theta + x[:, 0:1]
        return np.clip(eta, -_FARTHEST_LOGIT, _FARTHEST_LOGIT)

    def _asymptotes(self, x: Array) -> tuple[Array, Array]:
        first = 2 if self.has_slope else 1
        c = expit(x[:, first]) if self.has_c else np.zeros(x.shape[0])
        u = expit(x[:, first + self.has_c]) if self.has_u else np.ones(x.shape[0])
        return c, u

    def _curve(self, x: Array, eta: Array) -> tuple[Array, Array, Array, Array]:
        logistic, complement = expit(eta), expit(-eta)
        c, u = (side[:, None] for side in self._asymptotes(x))
        # Sums of positive terms only: 1 - P has full relative precision at either end.
        right = c + (u - c) * logistic
        wrong = (1.0 - c) * complement + (1.0 - u) * logistic
        return right, wrong, logistic, complement

    def _derivatives(self, x: Array, theta: Array) -> tuple[Array, Array, Array, Array]:
        """P(1), P(0), and the first and second derivatives of P(1) by the working parameters."""
        right, wrong, logistic, complement = self._curve(x, self._logit(x, theta))
        c, u = (side[:, None] for side in self._asymptotes(x))
        n_parameters = len(self.names(2))
        first = np.empty((x.shape[0], n_parameters, theta.size))
        second = np.zeros((x.shape[0], n_parameters, n_parameters, theta.size))
        steep = (u - c) * logistic * complement
        curved = steep * (complement - logistic)
        # d eta / d (a, d): the linear part of every model.
        linear = [theta, np.ones_like(theta)] if self.has_slope else [np.ones_like(theta)]
        for i, by in enumerate(linear):
            first[:, i] = steep * by
            for j, other in enumerate(linear):
                second[:, i, j] = curved * by * other
        at = len(linear)
        if self.has_c:
            shrink = c * (1.0 - c)
            first[:, at] = complement * shrink
            second[:, at, at] = complement * shrink * (1.0 - 2.0 * c)
            for i, by in enumerate(linear):
                second[:, i, at] = second[:, at, i] = -shrink * logistic * complement * by
            at += 1
        if self.has_u:
            shrink = u * (1.0 - u)
            first[:, at] = logistic * shrink
            second[:, at, at] = logistic * shrink * (1.0 - 2.0 * u)
            for i, by in enumerate(linear):
                second[:, i, at] = second[:, at, i] = shrink * logistic * complement * by
        return right, wrong, first, second
