"""Abilities at a maximum: of the likelihood (ML), of the posterior (MAP), of Warm's weighted likelihood (WLE).

One safeguarded search for all rows at once: a grid brackets the highest maximum, Newton and bisection close in.
"""

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from scoring.irt.ability.answers import Answers, answers_of
from scoring.irt.ability.posterior import Abilities, require_same_items
from scoring.irt.bank import ItemBank
from scoring.irt.responses import ResponseMatrix, SparseCategories, deduplicate

Array = NDArray[np.float64]
_GRID = np.linspace(-20.0, 20.0, 201)
_CHUNK_ROWS, _CHUNK_SPARSE = 4096, 32768
_CLOSE = 1e-10
_FEW_OPEN = 0.25
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
    """Maximum likelihood; -inf or inf where it has no maximum, NaN for no response. SE from the observed information.

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
    theta, se = np.empty(responses.n_rows), np.empty(responses.n_rows)
    size = _CHUNK_SPARSE if isinstance(responses.categories, SparseCategories) else _CHUNK_ROWS
    for start in range(0, responses.n_rows, size):
        place = slice(start, min(start + size, responses.n_rows))
        part = responses.rows(np.arange(place.start, place.stop))
        theta[place], se[place] = _Search(answers_of(part, bank), method, mean, variance).solve()
    return Abilities(theta, se)


class _Search:
    """The search for some rows."""

    def __init__(self, answers: Answers, method: _Method, mean: float, variance: float) -> None:
        self.answers, self.method = answers, method
        self.mean, self.precision = mean, (1.0 / variance if method is _Method.MAP else 0.0)
        self.is_warm, self.is_weighted = method is _Method.WARM, method in (_Method.JEFFREYS, _Method.WARM)

    def solve(self) -> tuple[Array, Array]:
        lower, upper, is_below, is_above = self._bracket()
        theta = self._closed_in(lower, upper, is_below | is_above)
        with np.errstate(divide="ignore", invalid="ignore"):
            se = 1.0 / np.sqrt(self._curvature(theta))
        theta = np.where(is_below, -np.inf, np.where(is_above, np.inf, theta))
        se = np.where(is_below | is_above, np.nan, se)
        if self.method is _Method.MAP:
            return theta, se
        # Who answered nothing has a prior, but no likelihood.
        has_any = self.answers.has_any
        return np.where(has_any, theta, np.nan), np.where(has_any, se, np.nan)

    def _closed_in(self, lower: Array, upper: Array, is_infinite: NDArray[np.bool_]) -> Array:
        """Close in on each row's maximum between its ends, by Newton's method where it stays inside, else halving."""
        result = 0.5 * (lower + upper)
        everybody = self.answers
        is_open = ~is_infinite
        for _ in range(60):
            rows = np.flatnonzero(is_open)
            if rows.size == 0:
                break
            if rows.size < _FEW_OPEN * self.answers.n_rows:
                # Stragglers go on by themselves.
                self.answers = self.answers.rows(rows)
                result[rows] = self._closed_in(lower[rows], upper[rows], np.zeros(rows.size, dtype=bool))
                break
            theta = result
            gradient, slope = self._gradient(theta)
            lower = np.where(gradient > 0, theta, lower)
            upper = np.where(gradient > 0, upper, theta)
            with np.errstate(divide="ignore", invalid="ignore"):
                newton = theta - gradient / slope
            is_inside = (slope < 0) & (newton > lower) & (newton < upper)
            # A step this short ends the search, though rounding may put it just outside.
            is_close = (slope < 0) & (np.abs(newton - theta) < _CLOSE)
            moved = np.where(is_inside | is_close, newton, 0.5 * (lower + upper))
            result = np.where(is_open, moved, theta)
            is_open &= ~is_close & (upper - lower > _CLOSE)
        self.answers = everybody
        return result

    def _bracket(self) -> tuple[Array, Array, NDArray[np.bool_], NDArray[np.bool_]]:
        """Neighbouring grid points around the highest maximum, and the rows that have none."""
        objective = self.answers.log_likelihood(_GRID)
        if self.is_weighted:
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
        numerator, information = self.answers.weight_terms_on(_GRID, is_warm=self.is_warm)
        information = np.maximum(information, 1e-300)
        if not self.is_warm:
            weight: Array = 0.5 * np.log(information)
            return weight
        correction = numerator / (2.0 * information)
        middle = 0.5 * (correction[1:] + correction[:-1]) * (_GRID[1] - _GRID[0])
        return np.concatenate([np.zeros((1, middle.shape[1])), np.cumsum(middle, axis=0)])

    def _correction(self, theta: Array) -> tuple[Array, Array]:
        """Derivative of the log-weight at each row's theta, and the information there."""
        numerator, information = self.answers.weight_terms(theta, is_warm=self.is_warm)
        return numerator / (2.0 * np.maximum(information, 1e-300)), information

    def _gradient(self, theta: Array) -> tuple[Array, Array]:
        """Gradient of the objective and its slope at each row's theta; the slope leaves the weight out."""
        gradient, slope = self.answers.derivatives(theta)
        gradient += self.precision * (self.mean - theta)
        if self.is_weighted:
            gradient += self._correction(theta)[0]
        return gradient, slope - self.precision

    def _curvature(self, theta: Array) -> Array:
        """Information that the standard error is made of."""
        if self.is_warm:
            return self._correction(theta)[1]
        _, slope = self._gradient(theta)
        if self.method is _Method.JEFFREYS:
            above, below = self._correction(theta + _STEP)[0], self._correction(theta - _STEP)[0]
            slope = slope + (above - below) / (2.0 * _STEP)
        return np.where(slope < 0, -slope, np.nan)
