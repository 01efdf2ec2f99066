"""Abilities at a maximum: of the likelihood (ML), of the posterior (MAP), of Warm's weighted likelihood (WLE).

One safeguarded search for all rows at once: a grid brackets the highest maximum, Newton and bisection close in.
"""

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from scoring.irt.ability.posterior import Abilities, require_same_items
from scoring.irt.bank import ItemBank
from scoring.irt.responses import ResponseMatrix, SparseCategories, deduplicate

Array = NDArray[np.float64]
_GRID = np.linspace(-20.0, 20.0, 201)
_CHUNK_ROWS = 4096
_CLOSE = 1e-10
# For the slope of the correction, which would need third derivatives of every model.
_STEP = 1e-4


class Weight(StrEnum):
    """What weights the likelihood of a WLE; the two are one where no item has an asymptote."""

    JEFFREYS = "jeffreys"  # the square root of the information, as the reference software mirt has it
    WARM = "warm"  # Warm's correction of the gradient, sum P' P'' / P over twice the information


class _Method(StrEnum):
    ML = "ml"
    MAP = "map"
    JEFFREYS = "jeffreys"
    WARM = "warm"


def ml_estimates(responses: ResponseMatrix, bank: ItemBank) -> Abilities:
    """Maximum likelihood; -inf or inf where the likelihood has no maximum. SE from the observed information.

    Of several maxima the highest counts, as guessing makes possible.
    """
    return _estimates(responses, bank, _Method.ML, 0.0, 1.0)


def map_estimates(responses: ResponseMatrix, bank: ItemBank, *, mean: float = 0.0, variance: float = 1.0) -> Abilities:
    """Mode of the posterior under a normal prior. SE from the curvature of the log-posterior."""
    return _estimates(responses, bank, _Method.MAP, mean, variance)


def wle_estimates(responses: ResponseMatrix, bank: ItemBank, *, weight: Weight = Weight.JEFFREYS) -> Abilities:
    """Weighted likelihood: bias of smaller order than that of ML, finite for extreme responses.

    SE from the curvature of the weighted log-likelihood (Jeffreys) or the test information (Warm).

    References
    ----------
    Warm (1989), Psychometrika 54, 427-450; for polytomous items Penfield & Bergeron (2005), Applied Psychological
    Measurement 29, 218-233. With asymptotes (3PL, 4PL) Warm's correction is not that of log sqrt(information);
    mirt takes the latter always, and so do we unless `weight` says otherwise.
    """
    return _estimates(responses, bank, _Method(weight.value), 0.0, 1.0)


def _estimates(responses: ResponseMatrix, bank: ItemBank, method: _Method, mean: float, variance: float) -> Abilities:
    require_same_items(responses, bank)
    merged = deduplicate(responses)
    if merged is not None:
        few = _estimates(merged.responses, bank, method, mean, variance)
        return Abilities(few.theta[merged.index], few.se[merged.index])
    categories = responses.categories
    theta, se = np.empty(responses.n_rows), np.empty(responses.n_rows)
    if isinstance(categories, SparseCategories):
        return Abilities(theta, se)
    for start in range(0, responses.n_rows, _CHUNK_ROWS):
        place = slice(start, min(start + _CHUNK_ROWS, responses.n_rows))
        search = _Search(bank, categories[place], method, mean, variance)
        theta[place], se[place] = search.solve()
    return Abilities(theta, se)


class _Search:
    """The search for some rows; `categories` has shape (rows, n_items)."""

    def __init__(
        self, bank: ItemBank, categories: NDArray[np.int8], method: _Method, mean: float, variance: float
    ) -> None:
        self.bank, self.categories, self.method = bank, categories, method
        self.mean, self.precision = mean, (1.0 / variance if method is _Method.MAP else 0.0)
        # Items unanswered by a row count neither in its likelihood nor in its information.
        self.is_answered = (categories >= 0).T

    def solve(self) -> tuple[Array, Array]:
        lower, upper, is_below, is_above = self._bracket()
        theta = 0.5 * (lower + upper)
        for _ in range(60):
            gradient, slope = self._gradient(theta)
            lower = np.where(gradient > 0, theta, lower)
            upper = np.where(gradient > 0, upper, theta)
            with np.errstate(divide="ignore", invalid="ignore"):
                newton = theta - gradient / slope
            is_inside = (slope < 0) & (newton > lower) & (newton < upper)
            moved = np.where(is_inside, newton, 0.5 * (lower + upper))
            is_done = np.abs(moved - theta).max(initial=0.0) < _CLOSE
            theta = moved
            if is_done:
                break
        with np.errstate(divide="ignore", invalid="ignore"):
            se = 1.0 / np.sqrt(self._curvature(theta))
        theta = np.where(is_below, -np.inf, np.where(is_above, np.inf, theta))
        return theta, np.where(is_below | is_above, np.nan, se)

    def _bracket(self) -> tuple[Array, Array, NDArray[np.bool_], NDArray[np.bool_]]:
        """Neighbouring grid points around the highest maximum, and the rows that have none."""
        objective = np.zeros((_GRID.size, self.categories.shape[0]))
        for group in self.bank.groups():
            log_p = group.family.log_probabilities(group.x, _GRID)
            for k in range(group.n_categories):
                objective += log_p[:, k].T @ (self.categories[:, group.items] == k).T.astype(np.float64)
        if self.method in (_Method.JEFFREYS, _Method.WARM):
            objective += self._weight_on_grid()
        objective -= 0.5 * self.precision * ((_GRID - self.mean) ** 2)[:, None]
        best = objective.argmax(axis=0)
        # A likelihood that still rises at the end of the grid, or is flat towards it, has its maximum at infinity.
        flat = 1e-9 * (1.0 + np.abs(objective.max(axis=0)))
        has_end = self.method is _Method.ML
        is_below = has_end & (objective[0] >= objective[best, np.arange(best.size)] - flat)
        is_above = has_end & (objective[-1] >= objective[best, np.arange(best.size)] - flat)
        return _GRID[np.maximum(best - 1, 0)], _GRID[np.minimum(best + 1, _GRID.size - 1)], is_below, is_above

    def _weight_on_grid(self) -> Array:
        """Logarithm of the weight: half that of the information, or the integral of Warm's correction."""
        bias, total = self._weight_terms(_GRID)
        is_answered = self.is_answered.astype(np.float64)
        information = np.maximum(total.T @ is_answered, 1e-300)
        if self.method is _Method.JEFFREYS:
            weight: Array = 0.5 * np.log(information)
            return weight
        correction = (bias.T @ is_answered) / (2.0 * information)
        middle = 0.5 * (correction[1:] + correction[:-1]) * (_GRID[1] - _GRID[0])
        return np.concatenate([np.zeros((1, middle.shape[1])), np.cumsum(middle, axis=0)])

    def _weight_terms(self, theta: Array) -> tuple[Array, Array]:
        """Of each item: numerator of the correction, and information; shape (n_items, n_theta).

        The numerator is the derivative of the information, or Warm's sum of P' P'' / P.
        """
        bias, total = np.zeros((self.bank.n_items, theta.size)), np.zeros((self.bank.n_items, theta.size))
        for group in self.bank.groups():
            p = np.exp(group.family.log_probabilities(group.x, theta))
            first, second = group.family.theta_derivatives(group.x, theta, self.bank.a[group.items])
            total[group.items] = (p * first * first).sum(axis=1)
            inner = second + first * first if self.method is _Method.WARM else 2.0 * second + first * first
            bias[group.items] = (p * first * inner).sum(axis=1)
        return bias, total

    def _correction(self, theta: Array) -> tuple[Array, Array]:
        """Derivative of the log-weight at each row's theta, and the information there."""
        bias, total = self._weight_terms(theta)
        information = (total * self.is_answered).sum(axis=0)
        return (bias * self.is_answered).sum(axis=0) / (2.0 * np.maximum(information, 1e-300)), information

    def _gradient(self, theta: Array) -> tuple[Array, Array]:
        """Gradient of the objective and its slope at each row's theta; the slope leaves the weight out."""
        gradient = self.precision * (self.mean - theta)
        slope = np.full(theta.size, -self.precision)
        for group in self.bank.groups():
            first, second = group.family.theta_derivatives(group.x, theta, self.bank.a[group.items])
            given = self.categories[:, group.items].T
            is_answered = given >= 0
            at = np.maximum(given, 0)[:, None, :].astype(np.int64)
            gradient += (np.take_along_axis(first, at, axis=1)[:, 0] * is_answered).sum(axis=0)
            slope += (np.take_along_axis(second, at, axis=1)[:, 0] * is_answered).sum(axis=0)
        if self.method in (_Method.JEFFREYS, _Method.WARM):
            gradient += self._correction(theta)[0]
        return gradient, slope

    def _curvature(self, theta: Array) -> Array:
        """Information that the standard error is made of."""
        if self.method is _Method.WARM:
            return self._correction(theta)[1]
        _, slope = self._gradient(theta)
        if self.method is _Method.JEFFREYS:
            above, below = self._correction(theta + _STEP)[0], self._correction(theta - _STEP)[0]
            slope = slope + (above - below) / (2.0 * _STEP)
        return np.where(slope < 0, -slope, np.nan)
